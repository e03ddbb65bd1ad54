//! `GET /api/quality`: how good each labeller is, by what reviewers said, and what people's time went to.

use crate::Desk;
use crate::error::ApiError;
use crate::request::{kind, understood};
use ::quality::{DeskKind, Interval, MIN_CLIPS, MIN_JUDGED, Reliability, Rules, Share};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use label_core::wire::parse_name;
use label_store::{CoverageRow, Dimension, QualityFilter, QualityRow, SecondsRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What changed since is counted for this long before an answer; the rest is said to be behind.
const COUNT_FOR: Duration = Duration::from_millis(150);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QualityQuery {
    kind: Option<String>,
    model: Option<String>,
    rig: Option<String>,
    glasses: Option<String>,
    light: Option<String>,
    distance: Option<String>,
    since_us: Option<i64>,
    by: Option<String>,
}

/// The whole answer.
#[derive(Serialize)]
pub(crate) struct QualityView {
    rows: Vec<RowView>,
    coverage: Vec<CoverageView>,
    seconds: Vec<SecondsView>,
    /// Clips that changed and are not counted yet.
    behind: u64,
    /// Fewer give no interval.
    least: LeastView,
}

#[derive(Serialize)]
struct LeastView {
    clips: u64,
    judged: u64,
}

#[derive(Serialize)]
struct RowView {
    kind: DeskKind,
    model: String,
    #[serde(flatten)]
    split: BTreeMap<Dimension, String>,
    offered: u64,
    judged: u64,
    accepted: u64,
    corrected_right: u64,
    corrected_wrong: u64,
    rejected: u64,
    cannot_tell: u64,
    clips: u64,
    precision: Option<ShareView>,
    /// The line to clear.
    floor: f64,
    standing: Standing,
    /// Frames by which an end of an event that was right had to be moved, on average; null of other kinds.
    boundary_frames: Option<f64>,
    calibration: Option<CalibrationView>,
}

/// Where precision lies against the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    /// Above it beyond chance.
    Clears,
    /// Below it beyond chance.
    Below,
    /// The interval holds the line, or there is none.
    CannotTell,
}

#[derive(Serialize)]
pub(crate) struct ShareView {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    /// How many independent judgements the interval rests on.
    effective: Option<f64>,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        let of = |end: fn(&Interval) -> f64| share.interval.as_ref().map(end);
        Self {
            value: share.value,
            low: of(|interval| interval.low),
            high: of(|interval| interval.high),
            effective: of(|interval| interval.effective),
        }
    }
}

#[derive(Serialize)]
struct CalibrationView {
    error: f64,
    overpromise: f64,
    curve: Vec<PointView>,
}

#[derive(Serialize)]
struct PointView {
    confidence: f64,
    judged: u64,
    #[serde(flatten)]
    right: ShareView,
}

#[derive(Serialize)]
struct CoverageView {
    kind: DeskKind,
    rig: String,
    /// Frames with a value.
    value: u64,
    /// Frames without, by reason.
    silent: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct SecondsView {
    kind: DeskKind,
    act: String,
    count: u64,
    median: f64,
    low: Option<f64>,
    high: Option<f64>,
    mean: f64,
}

impl RowView {
    fn new(row: QualityRow, rules: &Rules) -> Self {
        let floor = rules.floor_of(row.kind);
        let precision = row.moments.share();
        let standing = match precision.and_then(|share| share.interval) {
            Some(interval) if interval.low >= floor => Standing::Clears,
            Some(interval) if interval.high < floor => Standing::Below,
            _ => Standing::CannotTell,
        };
        let right = row.accepted + row.corrected_right;
        Self {
            kind: row.kind,
            offered: row.offered,
            judged: row.moments.judged as u64,
            accepted: row.accepted,
            corrected_right: row.corrected_right,
            corrected_wrong: row.corrected_wrong,
            rejected: row.rejected,
            cannot_tell: row.cannot_tell,
            clips: row.moments.clips,
            precision: precision.map(ShareView::from),
            floor,
            standing,
            boundary_frames: (row.kind.is_event() && right > 0)
                .then(|| row.boundary as f64 / (2 * right) as f64),
            calibration: Reliability::of(&row.bins).map(|reliability| CalibrationView {
                error: reliability.error,
                overpromise: reliability.overpromise,
                curve: reliability
                    .curve
                    .into_iter()
                    .map(|(confidence, right, judged)| PointView {
                        confidence,
                        judged,
                        right: right.into(),
                    })
                    .collect(),
            }),
            model: row.model,
            split: row.split,
        }
    }
}

fn coverage_views(rows: Vec<CoverageRow>) -> Vec<CoverageView> {
    let mut views: Vec<CoverageView> = Vec::new();
    for row in rows {
        let known = views
            .iter()
            .position(|view| view.kind == row.kind && view.rig == row.rig);
        let at = known.unwrap_or_else(|| {
            views.push(CoverageView {
                kind: row.kind,
                rig: row.rig,
                value: 0,
                silent: BTreeMap::new(),
            });
            views.len() - 1
        });
        match row.reason {
            None => views[at].value += row.frames,
            Some(reason) => *views[at].silent.entry(reason).or_default() += row.frames,
        }
    }
    views
}

fn seconds_view(row: &SecondsRow) -> Option<SecondsView> {
    let spent = row.times.spent()?;
    Some(SecondsView {
        kind: row.kind,
        act: row.act.clone(),
        count: spent.count,
        median: spent.median,
        low: spent.interval.map(|(low, _)| low),
        high: spent.interval.map(|(_, high)| high),
        mean: spent.mean,
    })
}

impl QualityQuery {
    fn filter(self) -> Result<QualityFilter, ApiError> {
        let by = self
            .by
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .filter(|name| !name.is_empty())
            .map(|name| {
                Dimension::ALL
                    .into_iter()
                    .find(|dimension| dimension.name() == name)
                    .ok_or_else(|| {
                        ApiError::Query("by is a list of rig, glasses, light, distance".to_owned())
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(QualityFilter {
            kind: self.kind.as_deref().map(kind).transpose()?,
            model: self.model,
            rig: self
                .rig
                .as_deref()
                .map(|name| {
                    parse_name(name).map_err(|_| {
                        ApiError::Query(
                            "a rig's name is 1 to 48 letters, digits, -, _ or .".to_owned(),
                        )
                    })
                })
                .transpose()?,
            glasses: self.glasses,
            light: self.light,
            distance: self.distance,
            since_us: self.since_us,
            by,
        })
    }
}

pub(crate) async fn quality(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<QualityQuery>, QueryRejection>,
) -> Result<Json<QualityView>, ApiError> {
    let filter = understood(query)?.filter()?;
    let refreshed = desk.store.refresh_quality(COUNT_FOR).await?;
    let rules = desk.store.policy_rules().await?;
    let rows = desk.store.quality(&filter).await?;
    let coverage = desk.store.coverage(filter.rig.as_ref()).await?;
    let seconds = desk.store.human_seconds(filter.rig.as_ref()).await?;
    let wanted = |kind: DeskKind| filter.kind.is_none_or(|only| only == kind);
    Ok(Json(QualityView {
        rows: rows
            .into_iter()
            .map(|row| RowView::new(row, &rules))
            .collect(),
        coverage: coverage_views(coverage)
            .into_iter()
            .filter(|view| wanted(view.kind))
            .collect(),
        seconds: seconds
            .iter()
            .filter(|row| wanted(row.kind))
            .filter_map(seconds_view)
            .collect(),
        behind: refreshed.behind,
        least: LeastView {
            clips: MIN_CLIPS,
            judged: MIN_JUDGED,
        },
    }))
}
