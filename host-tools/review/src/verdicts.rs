//! Taking verdicts, each once; undo and redo.
//!
//! A page that got no answer sends its verdict again, with the key it gave it. The store keeps keys beside what they
//! named, so a verdict is recorded once even where the host was started anew in between.

use crate::Desk;
use crate::address::label_key;
use crate::error::ApiError;
use crate::label_view::{LabelDetailView, LabelView};
use crate::people::Visitor;
use crate::request::{Body, Object, read};
use crate::reviewer::Reviewer;
use crate::second_look::not_decided;
use crate::value::ValueBody;
use axum::Json;
use axum::extract::{Path, State};
use label_core::FrameRange;
use label_store::{Asked, Correction, Judgement, LabelKey, NewVerdict, Step, now_us};
use quality::DeskValue;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const MAX_KEY_BYTES: usize = 64;

/// Longest time on one item, a day: more is a clock gone wrong.
const MAX_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Why a label is rejected: the project's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RejectCause {
    WrongPlace,
    WrongTime,
    WrongValue,
    NotAPerson,
    Duplicate,
    CannotTell,
}

impl RejectCause {
    const fn name(self) -> &'static str {
        match self {
            Self::WrongPlace => "wrong-place",
            Self::WrongTime => "wrong-time",
            Self::WrongValue => "wrong-value",
            Self::NotAPerson => "not-a-person",
            Self::Duplicate => "duplicate",
            Self::CannotTell => "cannot-tell",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    Accept,
    Correct,
    Reject,
}

/// What would have been right. The first frame comes first: a range the wrong way round is a slip.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorrectionBody {
    frames: Option<(u32, u32)>,
    value: Option<ValueBody>,
}

impl CorrectionBody {
    pub(crate) fn read(self) -> Result<Box<Correction>, ApiError> {
        Ok(Box::new(Correction {
            frames: self.frames.map(frames).transpose()?,
            value: self.value.map(DeskValue::from),
        }))
    }
}

pub(crate) fn frames((first, last): (u32, u32)) -> Result<FrameRange, ApiError> {
    if first > last {
        return Err(ApiError::Verdict(
            "the first of the frames comes after the last".to_owned(),
        ));
    }
    Ok(FrameRange::new(first, last))
}

/// Body of `POST /api/labels/{id}/verdicts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerdictBody {
    verdict: Word,
    cause: Option<RejectCause>,
    correction: Option<Object<CorrectionBody>>,
    millis: u64,
    key: Option<String>,
}

/// Body of `POST /api/verdicts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchBody {
    labels: Vec<String>,
    verdict: Word,
    cause: Option<RejectCause>,
    millis: u64,
    key: Option<String>,
}

/// Body of undo and redo.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepBody {
    pub(crate) key: Option<String>,
}

/// Verdicts given at once.
#[derive(Serialize)]
pub(crate) struct BatchView {
    batch: String,
    labels: Vec<LabelView>,
}

type Answer<T> = Result<Json<T>, ApiError>;

pub(crate) async fn judge(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body<VerdictBody>,
) -> Answer<LabelDetailView> {
    let (label, body) = (label_key(&id)?, read(body)?);
    let correction = body.correction.map(|Object(correction)| correction);
    let new = new_verdict(body.verdict, body.cause, correction, body.millis)?;
    not_decided(&desk, &visitor, std::slice::from_ref(&label)).await?;
    let asked = asked(Reviewer(visitor.name), body.key)?;
    desk.store.record_verdict(&label, &new, &asked).await?;
    detail(&desk, &label).await
}

pub(crate) async fn undo(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body<StepBody>,
) -> Answer<LabelDetailView> {
    step(&desk, visitor, &id, body, Step::Undo).await
}

pub(crate) async fn redo(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Body<StepBody>,
) -> Answer<LabelDetailView> {
    step(&desk, visitor, &id, body, Step::Redo).await
}

async fn step(
    desk: &Desk,
    visitor: Visitor,
    id: &str,
    body: Body<StepBody>,
    step: Step,
) -> Answer<LabelDetailView> {
    let (label, body) = (label_key(id)?, read(body)?);
    not_decided(desk, &visitor, std::slice::from_ref(&label)).await?;
    let asked = asked(Reviewer(visitor.name), body.key)?;
    desk.store.step(&label, step, &asked).await?;
    detail(desk, &label).await
}

pub(crate) async fn judge_many(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    body: Body<BatchBody>,
) -> Answer<BatchView> {
    let body = read(body)?;
    if body.verdict == Word::Correct {
        return Err(ApiError::Verdict(
            "labels are accepted or rejected at once; each is corrected by itself".to_owned(),
        ));
    }
    let labels = body
        .labels
        .iter()
        .map(|id| label_key(id))
        .collect::<Result<Vec<_>, _>>()?;
    let new = new_verdict(body.verdict, body.cause, None, body.millis)?;
    not_decided(&desk, &visitor, &labels).await?;
    let asked = asked(Reviewer(visitor.name), body.key)?;
    let batch = desk.store.record_verdicts(&labels, &new, &asked).await?;
    batch_view(&desk, batch, &labels).await
}

pub(crate) async fn undo_many(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(batch): Path<String>,
    body: Body<StepBody>,
) -> Answer<BatchView> {
    step_many(&desk, reviewer, &batch, body, Step::Undo).await
}

pub(crate) async fn redo_many(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(batch): Path<String>,
    body: Body<StepBody>,
) -> Answer<BatchView> {
    step_many(&desk, reviewer, &batch, body, Step::Redo).await
}

async fn step_many(
    desk: &Desk,
    reviewer: Reviewer,
    batch: &str,
    body: Body<StepBody>,
    step: Step,
) -> Answer<BatchView> {
    let batch = batch.parse().map_err(|_| ApiError::BatchId)?;
    let asked = asked(reviewer, read(body)?.key)?;
    let labels = desk.store.step_batch(batch, step, &asked).await?;
    batch_view(desk, batch, &labels).await
}

async fn batch_view(desk: &Desk, batch: i64, labels: &[LabelKey]) -> Answer<BatchView> {
    let items = desk.store.labels(labels).await?;
    Ok(Json(BatchView {
        batch: batch.to_string(),
        labels: items.into_iter().map(LabelView::from).collect(),
    }))
}

pub(crate) async fn detail(desk: &Desk, label: &LabelKey) -> Answer<LabelDetailView> {
    let detail = desk
        .store
        .label(label)
        .await?
        .ok_or(ApiError::NotFound("such label"))?;
    Ok(Json(detail.into()))
}

fn new_verdict(
    word: Word,
    cause: Option<RejectCause>,
    correction: Option<CorrectionBody>,
    millis: u64,
) -> Result<NewVerdict, ApiError> {
    if word == Word::Accept && cause.is_some() {
        return Err(ApiError::Verdict("an acceptance has no cause".to_owned()));
    }
    Ok(NewVerdict {
        judgement: match word {
            Word::Accept => Judgement::Accept,
            Word::Correct => Judgement::Correct,
            Word::Reject => Judgement::Reject,
        },
        cause: cause.map(|cause| cause.name().to_owned()),
        correction: correction.map(CorrectionBody::read).transpose()?,
        spent_ms: checked_millis(millis)?,
    })
}

pub(crate) fn checked_millis(millis: u64) -> Result<u64, ApiError> {
    if millis > MAX_MILLIS {
        return Err(ApiError::Verdict("millis is more than a day".to_owned()));
    }
    Ok(millis)
}

/// Who asks, now, and under which key.
pub(crate) fn asked(reviewer: Reviewer, key: Option<String>) -> Result<Asked, ApiError> {
    let sound = |text: &String| {
        !text.is_empty()
            && text.len() <= MAX_KEY_BYTES
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if key.as_ref().is_some_and(|key| !sound(key)) {
        return Err(ApiError::Verdict(
            "a key is 1 to 64 letters, digits and hyphens".to_owned(),
        ));
    }
    Ok(Asked {
        reviewer: reviewer.0,
        at_us: now_us(),
        key,
    })
}
