//! The counts, read.

use crate::database::{AssertSqlSafe, Query, Row, query};
use crate::{LabelStore, StoreError};
use ::quality::{BINS, Bin, CostBin, DeskKind, FINE_BINS, Moments, SecondsHistogram};
use label_core::id::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What rows may be split by, beside kind and model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// The rig.
    Rig,
    /// Glasses or bare eyes.
    Glasses,
    /// Shadow or light on the face.
    Light,
    /// Size of the person's box.
    Distance,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 4] = [Self::Rig, Self::Glasses, Self::Light, Self::Distance];

    /// The fixed name, which is the column's, too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rig => "rig",
            Self::Glasses => "glasses",
            Self::Light => "light",
            Self::Distance => "distance",
        }
    }
}

/// Which candidates; what is absent may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QualityFilter {
    /// Of this kind.
    pub kind: Option<DeskKind>,
    /// Of this model, as `name@version`.
    pub model: Option<String>,
    /// Of this rig.
    pub rig: Option<Name>,
    /// In this condition.
    pub glasses: Option<String>,
    /// In this light.
    pub light: Option<String>,
    /// At this distance.
    pub distance: Option<String>,
    /// Of clips that began at or after this, microseconds since 1970 (UTC).
    pub since_us: Option<i64>,
    /// One row for each value of these.
    pub by: Vec<Dimension>,
}

/// Candidates that share a kind, a model and what was split by.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityRow {
    /// The kind.
    pub kind: DeskKind,
    /// The model, as `name@version`; of boxes and points the calibration follows after a space.
    pub model: String,
    /// The value of each dimension asked for.
    pub split: BTreeMap<Dimension, String>,
    /// Candidates.
    pub offered: u64,
    /// Right as they were.
    pub accepted: u64,
    /// Corrected within the standard.
    pub corrected_right: u64,
    /// Corrected beyond it.
    pub corrected_wrong: u64,
    /// Wrong.
    pub rejected: u64,
    /// Judged, but nobody can tell.
    pub cannot_tell: u64,
    /// Frames by which starts and ends of events right were moved, summed.
    pub boundary: u64,
    /// Right and judged, by clip.
    pub moments: Moments,
    /// The same by confidence.
    pub bins: [Bin; BINS],
}

/// Frames of one kind on one rig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageRow {
    /// The kind.
    pub kind: DeskKind,
    /// The rig.
    pub rig: String,
    /// Why there was no value; `None` = there was.
    pub reason: Option<String>,
    /// Frames.
    pub frames: u64,
}

/// Human seconds of one act on one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondsRow {
    /// The kind.
    pub kind: DeskKind,
    /// `accept`, `correct`, `reject` or `create`.
    pub act: String,
    /// The times.
    pub times: SecondsHistogram,
}

const WHERE: &str = "($1 IS NULL OR q.kind = $1) AND ($2 IS NULL OR q.model = $2) AND ($3 IS NULL OR q.rig = $3)
    AND ($4 IS NULL OR q.glasses = $4) AND ($5 IS NULL OR q.light = $5) AND ($6 IS NULL OR q.distance = $6)";

/// Joined only where it is asked for: a look at every clip's beginning costs more than the rest.
const SINCE: &str =
    " AND EXISTS (SELECT 1 FROM quality_clips c WHERE c.clip_id = q.clip_id AND c.began_us >= $7)";

impl QualityFilter {
    fn conditions(&self) -> String {
        let since = if self.since_us.is_some() { SINCE } else { "" };
        format!("{WHERE}{since}")
    }

    fn bound(&self, query: Query) -> Query {
        let query = query
            .bind(self.kind.map(DeskKind::name))
            .bind(self.model.as_deref())
            .bind(self.rig.as_ref().map(Name::as_str))
            .bind(self.glasses.as_deref())
            .bind(self.light.as_deref())
            .bind(self.distance.as_deref());
        match self.since_us {
            Some(since) => query.bind(since),
            None => query,
        }
    }
}

fn kind_column(row: &Row) -> Result<DeskKind, StoreError> {
    let text: &str = row.get("kind");
    DeskKind::from_name(text).ok_or_else(|| StoreError::unreadable("kind", text))
}

impl LabelStore {
    /// Quality by kind, model and what the filter splits by.
    pub async fn quality(&self, filter: &QualityFilter) -> Result<Vec<QualityRow>, StoreError> {
        const DOING: &str = "read quality";
        let mut by = filter.by.clone();
        by.sort_unstable();
        by.dedup();
        let split: String = by.iter().fold(String::new(), |mut split, dimension| {
            split.push_str(", q.");
            split.push_str(dimension.name());
            split
        });
        let outer = split.replace("q.", "");
        let conditions = filter.conditions();
        // By clip first, since the clip is the unit of chance. Only constants are pasted in.
        let sql = |bin: &str, bin_name: &str| {
            format!(
                "SELECT kind, model{outer}{bin_name}, sum(o) AS offered, sum(acc) AS accepted, sum(cr) AS corrected_right,
                    sum(cw) AS corrected_wrong, sum(rej) AS rejected, sum(ct) AS cannot_tell, sum(bo) AS boundary,
                    sum(con) AS confidence, sum(CASE WHEN m > 0 THEN 1 ELSE 0 END) AS clips, sum(a) AS a, sum(m) AS m,
                    sum(a * a) AS aa, sum(a * m) AS am, sum(m * m) AS mm
                 FROM (SELECT q.kind, q.model{split}{bin}, q.clip_id, sum(q.offered) AS o, sum(q.accepted) AS acc,
                        sum(q.corrected_right) AS cr, sum(q.corrected_wrong) AS cw, sum(q.rejected) AS rej,
                        sum(q.cannot_tell) AS ct, sum(q.boundary) AS bo, sum(q.confidence) AS con,
                        sum(q.accepted + q.corrected_right) AS a,
                        sum(q.accepted + q.corrected_right + q.corrected_wrong + q.rejected) AS m
                     FROM quality_cells q WHERE {conditions}
                     GROUP BY q.kind, q.model{split}, q.clip_id{bin_name}) AS by_clip
                 GROUP BY kind, model{outer}{bin_name} ORDER BY kind, model{outer}{bin_name}"
            )
        };
        let mut connection = self.read(DOING).await?;
        let whole = filter
            .bound(query(AssertSqlSafe(sql("", ""))))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let binned = filter
            .bound(query(AssertSqlSafe(sql(", q.bin / 2 AS tenth", ", tenth"))))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let key = |row: &Row| -> Vec<String> {
            ["kind", "model"]
                .into_iter()
                .chain(by.iter().map(|dimension| dimension.name()))
                .map(|column| row.get(column))
                .collect()
        };
        let count = |row: &Row, column: &str| row.get::<i64, _>(column) as u64;
        let moments = |row: &Row| Moments {
            clips: count(row, "clips"),
            right: count(row, "a") as f64,
            judged: count(row, "m") as f64,
            right_right: count(row, "aa") as f64,
            right_judged: count(row, "am") as f64,
            judged_judged: count(row, "mm") as f64,
        };
        let mut bins: BTreeMap<Vec<String>, [Bin; BINS]> = BTreeMap::new();
        for row in &binned {
            let tenth = count(row, "tenth").min(BINS as u64 - 1) as usize;
            bins.entry(key(row)).or_default()[tenth] = Bin {
                moments: moments(row),
                confidence: row.get("confidence"),
            };
        }
        whole
            .iter()
            .map(|row| {
                Ok(QualityRow {
                    kind: kind_column(row)?,
                    model: row.get("model"),
                    split: by
                        .iter()
                        .map(|dimension| (*dimension, row.get(dimension.name())))
                        .collect(),
                    offered: count(row, "offered"),
                    accepted: count(row, "accepted"),
                    corrected_right: count(row, "corrected_right"),
                    corrected_wrong: count(row, "corrected_wrong"),
                    rejected: count(row, "rejected"),
                    cannot_tell: count(row, "cannot_tell"),
                    boundary: count(row, "boundary"),
                    moments: moments(row),
                    bins: bins.remove(&key(row)).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Candidates by fine bins of confidence: what a threshold is chosen by.
    pub async fn cost_bins(
        &self,
        filter: &QualityFilter,
    ) -> Result<[CostBin; FINE_BINS], StoreError> {
        const DOING: &str = "read quality by confidence";
        let sql = format!(
            "SELECT q.bin, sum(q.offered) AS o, sum(q.accepted) AS a, sum(q.corrected_right + q.corrected_wrong) AS c,
                sum(q.rejected) AS r FROM quality_cells q WHERE {} GROUP BY q.bin",
            filter.conditions()
        );
        let mut connection = self.read(DOING).await?;
        let mut bins = [CostBin::default(); FINE_BINS];
        for row in &filter
            .bound(query(AssertSqlSafe(sql)))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?
        {
            let count = |column: &str| row.get::<i64, _>(column) as u64;
            bins[(count("bin") as usize).min(FINE_BINS - 1)] = CostBin {
                offered: count("o"),
                accepted: count("a"),
                corrected: count("c"),
                rejected: count("r"),
            };
        }
        Ok(bins)
    }

    /// Frames with a value and without, by kind and rig.
    pub async fn coverage(&self, rig: Option<&Name>) -> Result<Vec<CoverageRow>, StoreError> {
        let mut connection = self.read("read coverage").await?;
        query(
            "SELECT kind, rig, reason, sum(frames) AS frames FROM quality_coverage WHERE ($1 IS NULL OR rig = $1)
             GROUP BY kind, rig, reason ORDER BY kind, rig, reason",
        )
        .bind(rig.map(Name::as_str))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read coverage"))?
        .iter()
        .map(|row| {
            let reason: String = row.get("reason");
            Ok(CoverageRow {
                kind: kind_column(row)?,
                rig: row.get("rig"),
                reason: (!reason.is_empty()).then_some(reason),
                frames: row.get::<i64, _>("frames") as u64,
            })
        })
        .collect()
    }

    /// Human seconds by kind and act.
    pub async fn human_seconds(&self, rig: Option<&Name>) -> Result<Vec<SecondsRow>, StoreError> {
        let mut connection = self.read("read human seconds").await?;
        let mut found: Vec<SecondsRow> = Vec::new();
        for row in &query(
            "SELECT kind, act, bin, sum(times) AS times FROM quality_seconds WHERE ($1 IS NULL OR rig = $1)
             GROUP BY kind, act, bin ORDER BY kind, act, bin",
        )
        .bind(rig.map(Name::as_str))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read human seconds"))?
        {
            let (kind, act): (_, String) = (kind_column(row)?, row.get("act"));
            let time = (
                row.get::<i64, _>("bin") as u32,
                row.get::<i64, _>("times") as u64,
            );
            match found.last_mut() {
                Some(last) if last.kind == kind && last.act == act => last.times.bins.push(time),
                _ => found.push(SecondsRow {
                    kind,
                    act,
                    times: SecondsHistogram { bins: vec![time] },
                }),
            }
        }
        Ok(found)
    }
}
