//! Disagreements, for leads: what each side said, without names until it is decided; and agreement, for everybody.

use super::reading_view;
use crate::Desk;
use crate::address::label_key;
use crate::error::ApiError;
use crate::people::Visitor;
use crate::quality::ShareView;
use crate::request::{Body, read, understood};
use crate::reviewer::Reviewer;
use crate::verdicts::{StepBody, asked, checked_millis};
use ::quality::{DeskKind, MIN_CLIPS, MIN_JUDGED, Share, alpha, difference};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use label_core::wire::{LabelValue, parse_name};
use label_core::{FrameRange, LabelKind, TrackId};
use label_store::{
    AgreementRow, Case, CaseState, Choice, LabelKey, Role, SEEN, StoreError, clip_id_text,
    label_key_text,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

type Answer<T> = Result<Json<T>, ApiError>;

/// What changed is counted for this long before an answer.
const COUNT_FOR: Duration = Duration::from_millis(150);

#[derive(Serialize)]
pub(crate) struct CaseView {
    label: String,
    clip: String,
    kind: DeskKind,
    track: Option<TrackId>,
    frames: FrameRange,
    state: CaseState,
    /// Nobody is left who could be asked, or all were.
    decidable: bool,
    has_evidence: bool,
    opened_us: i64,
    /// In an order that tells nothing; a side is chosen by its place.
    sides: Vec<SideView>,
    decision: Option<DecisionView>,
}

#[derive(Serialize)]
struct SideView {
    says: &'static str,
    frames: Option<FrameRange>,
    value: Option<LabelValue>,
    /// Who, once it is decided.
    reviewer: Option<String>,
}

#[derive(Serialize)]
struct DecisionView {
    choice: Choice,
    reviewer: String,
    at_us: i64,
    /// The verdict that it replaced; null where that one stands.
    replaced: Option<i64>,
}

async fn view(desk: &Desk, case: Case) -> Result<CaseView, ApiError> {
    let decided = case.decision.is_some();
    let evidence = desk.store.evidence(&case.label.id).await?;
    Ok(CaseView {
        label: label_key_text(&case.label.id),
        clip: clip_id_text(&case.label.clip),
        kind: case.label.kind,
        track: case.label.track,
        frames: case.label.frames,
        state: case.state,
        decidable: case.decidable,
        has_evidence: !evidence.is_empty(),
        opened_us: case.opened_us,
        sides: case
            .sides
            .into_iter()
            .map(|side| {
                let (says, frames, value) = reading_view(side.reading);
                SideView {
                    says,
                    frames,
                    value,
                    reviewer: decided.then_some(side.reviewer),
                }
            })
            .collect(),
        decision: case.decision.map(|decision| DecisionView {
            choice: decision.choice,
            reviewer: decision.reviewer,
            at_us: decision.at_us,
            replaced: decision.made.and(decision.stood),
        }),
    })
}

async fn views(desk: &Desk) -> Answer<Vec<CaseView>> {
    let mut views = Vec::new();
    for case in desk.store.cases().await? {
        views.push(view(desk, case).await?);
    }
    Ok(Json(views))
}

pub(super) async fn cases(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
) -> Answer<Vec<CaseView>> {
    visitor.needs(Role::Lead)?;
    views(&desk).await
}

/// Body of `POST /api/disagreements/{id}/decision`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionBody {
    /// Whose word is taken, by its place among the sides; null: nobody can tell.
    side: Option<usize>,
    millis: u64,
    key: Option<String>,
}

pub(super) async fn decide(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body<DecisionBody>,
) -> Answer<Vec<CaseView>> {
    visitor.needs(Role::Lead)?;
    let (label, body) = (label_key(&id)?, read(body)?);
    let millis = checked_millis(body.millis)?;
    let asked = asked(Reviewer(visitor.name), body.key)?;
    let choice = match body.side {
        None => Choice::CannotTell,
        Some(place) => desk
            .store
            .cases()
            .await?
            .into_iter()
            .find(|case| case.label.id == label)
            .and_then(|case| case.sides.get(place).map(|side| side.choice))
            .ok_or_else(|| StoreError::NoCase(label.clone()))?,
    };
    desk.store.decide(&label, choice, millis, &asked).await?;
    views(&desk).await
}

pub(super) async fn undo_decision(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body<StepBody>,
) -> Answer<Vec<CaseView>> {
    visitor.needs(Role::Lead)?;
    let (label, body) = (label_key(&id)?, read(body)?);
    let asked = asked(Reviewer(visitor.name), body.key)?;
    desk.store.undo_decision(&label, &asked).await?;
    views(&desk).await
}

/// An error where a lead decided over one of the labels and somebody else would say otherwise.
pub(crate) async fn not_decided(
    desk: &Desk,
    visitor: &Visitor,
    labels: &[LabelKey],
) -> Result<(), ApiError> {
    if visitor.role >= Role::Lead {
        return Ok(());
    }
    match desk.store.decided_among(labels).await?.pop() {
        Some(label) => Err(StoreError::Decided(label).into()),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreementQuery {
    rig: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AgreementView {
    kinds: Vec<KindView>,
    /// Nobody but one person: agreement with others cannot be known.
    alone: bool,
    behind: u64,
    least: LeastView,
}

#[derive(Serialize)]
struct LeastView {
    clips: u64,
    judged: u64,
}

#[derive(Serialize)]
struct KindView {
    kind: LabelKind,
    /// Right, of candidates judged with their value in view.
    seen: Option<CountView>,
    /// Right, of candidates answered before anybody saw them.
    blind: Option<CountView>,
    /// Seen less blind.
    politeness: Option<RangeView>,
    /// Rightly silent.
    silence: Option<CountView>,
    #[serde(rename = "self")]
    own: Option<CountView>,
    other: Option<CountView>,
}

#[derive(Serialize)]
struct CountView {
    agreed: u64,
    told: u64,
    untold: u64,
    clips: u64,
    share: Option<ShareView>,
    /// Beyond chance: of yes and no.
    alpha: Option<RangeView>,
}

#[derive(Serialize)]
struct RangeView {
    value: f64,
    low: f64,
    high: f64,
}

impl From<(f64, f64, f64)> for RangeView {
    fn from((value, low, high): (f64, f64, f64)) -> Self {
        Self { value, low, high }
    }
}

impl KindView {
    fn new(kind: LabelKind, rows: &[AgreementRow]) -> Option<Self> {
        let of = |sort: &str| rows.iter().find(|row| row.kind == kind && row.sort == sort);
        let count = |sort: &str| {
            of(sort).map(|row| CountView {
                agreed: row.moments.right as u64,
                told: row.moments.judged as u64,
                untold: row.untold,
                clips: row.moments.clips,
                share: row.moments.share().map(ShareView::from),
                alpha: alpha(&row.pairs).map(RangeView::from),
            })
        };
        let share = |sort: &str| -> Option<Share> { of(sort)?.moments.share() };
        let view = Self {
            kind,
            seen: count(SEEN),
            blind: count("blind"),
            politeness: share(SEEN)
                .zip(share("blind"))
                .and_then(|(seen, blind)| difference(&seen, &blind))
                .map(RangeView::from),
            silence: count("silence"),
            own: count("self"),
            other: count("other"),
        };
        let anything = [
            &view.seen,
            &view.blind,
            &view.silence,
            &view.own,
            &view.other,
        ];
        anything.iter().any(|of| of.is_some()).then_some(view)
    }
}

pub(super) async fn agreement(
    State(desk): State<Arc<Desk>>,
    _: Reviewer,
    query: Result<Query<AgreementQuery>, QueryRejection>,
) -> Answer<AgreementView> {
    let rig = understood(query)?
        .rig
        .map(|name| {
            parse_name(&name).map_err(|_| ApiError::Query("that is no name of a rig".to_owned()))
        })
        .transpose()?;
    let refreshed = desk.store.refresh_quality(COUNT_FOR).await?;
    let rows = desk.store.agreement(rig.as_ref()).await?;
    Ok(Json(AgreementView {
        kinds: LabelKind::ALL
            .into_iter()
            .filter_map(|kind| KindView::new(kind, &rows))
            .collect(),
        alone: super::is_alone(&desk).await?,
        behind: refreshed.behind,
        least: LeastView {
            clips: MIN_CLIPS,
            judged: MIN_JUDGED,
        },
    }))
}
