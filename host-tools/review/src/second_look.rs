//! Second looks over HTTP: what is asked, what somebody answers from scratch, and only then what it is held against.

mod disagreement;
mod strip;

pub(crate) use disagreement::not_decided;

use crate::Desk;
use crate::error::ApiError;
use crate::people::Visitor;
use crate::request::{Body, Object, read};
use crate::reviewer::Reviewer;
use crate::verdicts::{CorrectionBody, StepBody, asked, checked_millis};
use ::quality::Reading;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind, TrackId};
use label_store::{
    LabelKey, Look, LookDetail, LookSort, NewAnswer, ReviewState, Role, Said, SampleRule, Sampling,
    StoredModel, clip_id_text, label_key_text, now_us,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

type Answer<T> = Result<Json<T>, ApiError>;

/// How long an item is held for whoever was asked: from scratch takes longer than a verdict, and nothing renews it.
const HOLD: Duration = Duration::from_mins(5);

/// Looks told at once, the latest first.
const LOOKS_TOLD: u32 = 5000;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/sampling", get(sampling).post(set_sampling))
        .route("/api/looks", get(looks))
        .route("/api/looks/next", post(next))
        .route("/api/looks/{look}", get(look))
        .route("/api/looks/{look}/strip", get(strip_layout))
        .route("/api/looks/{look}/strip.jpg", get(strip_picture))
        .route("/api/looks/{look}/answer", post(answer))
        .route("/api/looks/{look}/undo", post(undo))
        .route("/api/disagreements", get(disagreement::cases))
        .route(
            "/api/disagreements/{id}/decision",
            post(disagreement::decide),
        )
        .route(
            "/api/disagreements/{id}/undo",
            post(disagreement::undo_decision),
        )
        .route("/api/agreement", get(disagreement::agreement))
}

/// Rules and what waits for whoever asks.
#[derive(Serialize)]
pub(crate) struct SamplingView {
    /// The one that holds first.
    rules: Vec<SampleRule>,
    due: u64,
    /// Nobody else could be asked.
    alone: bool,
}

#[derive(Serialize)]
pub(crate) struct NextView {
    due: u64,
    alone: bool,
    look: Option<LookView>,
}

/// What is asked. Nothing here was said by a rig or another person, until there is an answer.
#[derive(Serialize)]
pub(crate) struct LookView {
    look: i64,
    clip: String,
    kind: LabelKind,
    track: Option<TrackId>,
    frames: FrameRange,
    /// There is a filmstrip of these frames.
    has_strip: bool,
    answer: Option<AnswerView>,
}

/// What was answered, and what it is held against.
#[derive(Serialize)]
struct AnswerView {
    said: Said,
    frames: Option<FrameRange>,
    value: Option<LabelValue>,
    at_us: i64,
    sort: LookSort,
    label: Option<String>,
    against: Option<AgainstView>,
    /// Null where nothing could be told.
    agrees: Option<bool>,
    /// The label that the answer made.
    made: Option<String>,
}

/// A reading by a rig, or by a verdict.
#[derive(Serialize)]
pub(crate) struct AgainstView {
    says: &'static str,
    frames: Option<FrameRange>,
    value: Option<LabelValue>,
    /// Of a rig.
    confidence: Option<f32>,
    model: Option<StoredModel>,
    /// Where the label stands now.
    state: Option<&'static str>,
}

pub(crate) fn reading_view(
    reading: Reading,
) -> (&'static str, Option<FrameRange>, Option<LabelValue>) {
    match reading {
        Reading::Here(frames, value) => ("here", Some(frames), Some(value)),
        Reading::Not(frames, value) => ("not", Some(frames), Some(value)),
        Reading::Nothing => ("nothing", None, None),
        Reading::CannotTell => ("cannot-tell", None, None),
    }
}

impl LookView {
    async fn unanswered(desk: &Desk, look: &Look) -> Result<Self, ApiError> {
        let has_strip = look.kind.is_event() && strip::of(desk, look).await?.is_some();
        Ok(Self {
            look: look.look,
            clip: clip_id_text(&look.clip),
            kind: look.kind,
            track: look.track,
            frames: look.frames,
            has_strip,
            answer: None,
        })
    }

    /// With the answer, and what it is held against, for whoever gave it.
    async fn of(desk: &Desk, number: i64, who: &str) -> Result<Self, ApiError> {
        let detail = desk.store.look(number).await?;
        let mut view = Self::unanswered(desk, &detail.look).await?;
        let agrees = detail.agrees();
        let LookDetail {
            look,
            answer,
            against,
            ..
        } = detail;
        let Some(answer) = answer.filter(|answer| answer.reviewer == who) else {
            return Ok(view);
        };
        let label = match &look.label {
            Some(key) => desk.store.label(key).await?.map(|detail| detail.label),
            None => None,
        };
        let (_, frames, value) = reading_view(answer.reading);
        view.answer = Some(AnswerView {
            said: answer.said,
            frames,
            value,
            at_us: answer.at_us,
            sort: look.sort,
            label: look.label.as_ref().map(label_key_text),
            against: against.map(|reading| {
                let (says, frames, value) = reading_view(reading);
                let offered = label.as_ref().filter(|_| look.sort == LookSort::Blind);
                AgainstView {
                    says,
                    frames,
                    value,
                    confidence: offered.and_then(|label| label.confidence),
                    model: offered.and_then(|label| label.model.clone()),
                    state: label
                        .as_ref()
                        .and_then(|label| label.state)
                        .map(ReviewState::name),
                }
            }),
            agrees,
            made: answer.made.as_ref().map(label_key_text),
        });
        Ok(view)
    }
}

async fn is_alone(desk: &Desk) -> Result<bool, ApiError> {
    let users = desk.store.users().await?;
    Ok(users.iter().filter(|user| !user.locked).count() < 2)
}

async fn sampling_view(desk: &Desk, who: &str) -> Answer<SamplingView> {
    let (due, _) = desk.store.next_look(who, now_us()).await?;
    Ok(Json(SamplingView {
        rules: desk.store.sample_rules().await?,
        due,
        alone: is_alone(desk).await?,
    }))
}

async fn sampling(State(desk): State<Arc<Desk>>, reviewer: Reviewer) -> Answer<SamplingView> {
    sampling_view(&desk, &reviewer.0).await
}

async fn set_sampling(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    body: Body<Sampling>,
) -> Answer<SamplingView> {
    visitor.needs(Role::Lead)?;
    let sampling = read(body)?;
    desk.store
        .set_sampling(&sampling, &visitor.name, now_us())
        .await?;
    sampling_view(&desk, &visitor.name).await
}

/// A look as leads see it: enough to draw the sample anew.
#[derive(Serialize)]
pub(crate) struct DrawnView {
    look: i64,
    sort: LookSort,
    item: String,
    rule: Option<i64>,
    kind: LabelKind,
    frames: FrameRange,
    said: Option<Said>,
    reviewer: Option<String>,
    at_us: Option<i64>,
}

async fn looks(State(desk): State<Arc<Desk>>, visitor: Visitor) -> Answer<Vec<DrawnView>> {
    visitor.needs(Role::Lead)?;
    let looks = desk.store.looks(LOOKS_TOLD).await?;
    Ok(Json(
        looks
            .into_iter()
            .map(|(look, answer)| DrawnView {
                look: look.look,
                sort: look.sort,
                item: look.item,
                rule: look.rule,
                kind: look.kind,
                frames: look.frames,
                said: answer.as_ref().map(|answer| answer.said),
                at_us: answer.as_ref().map(|answer| answer.at_us),
                reviewer: answer.map(|answer| answer.reviewer),
            })
            .collect(),
    ))
}

/// Body of `POST /api/looks/next`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextBody {}

/// The first look that may be asked, held for whoever asks.
async fn next(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    body: Body<NextBody>,
) -> Answer<NextView> {
    let NextBody {} = read(body)?;
    loop {
        let now = now_us();
        let (due, look) = desk.store.next_look(&reviewer.0, now).await?;
        let alone = is_alone(&desk).await?;
        let Some(look) = look else {
            let look = None;
            return Ok(Json(NextView { due, alone, look }));
        };
        let until = now + HOLD.as_micros() as i64;
        let lease = desk
            .store
            .lease(&look.lease(), &reviewer.0, (now, until))
            .await?;
        // Somebody else was faster: what they hold is not asked any more.
        if lease.holder == reviewer.0 {
            let look = Some(LookView::unanswered(&desk, &look).await?);
            return Ok(Json(NextView { due, alone, look }));
        }
    }
}

fn number(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::LookId)
}

async fn look(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(look): Path<String>,
) -> Answer<LookView> {
    Ok(Json(
        Box::pin(LookView::of(&desk, number(&look)?, &reviewer.0)).await?,
    ))
}

const NO_STRIP: ApiError = ApiError::NotFound("filmstrip of these frames");

async fn strip_layout(
    State(desk): State<Arc<Desk>>,
    Path(look): Path<String>,
) -> Result<Response, ApiError> {
    let look = desk.store.look(number(&look)?).await?.look;
    let strip = strip::of(&desk, &look).await?.ok_or(NO_STRIP)?;
    Ok(Json(strip.layout).into_response())
}

async fn strip_picture(
    State(desk): State<Arc<Desk>>,
    Path(look): Path<String>,
) -> Result<Response, ApiError> {
    let look = desk.store.look(number(&look)?).await?.look;
    let strip = strip::of(&desk, &look).await?.ok_or(NO_STRIP)?;
    let jpeg = tokio::task::spawn_blocking(move || strip.picture())
        .await
        .ok()
        .flatten()
        .ok_or(NO_STRIP)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}

/// Body of `POST /api/looks/{look}/answer`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerBody {
    said: Said,
    reading: Option<Object<CorrectionBody>>,
    millis: u64,
    key: Option<String>,
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(look): Path<String>,
    body: Body<AnswerBody>,
) -> Answer<LookView> {
    let (number, body) = (number(&look)?, read(body)?);
    let new = NewAnswer {
        said: body.said,
        reading: body
            .reading
            .map(|Object(reading)| reading.read())
            .transpose()?
            .map(|it| *it),
        spent_ms: checked_millis(body.millis)?,
    };
    let asked = asked(reviewer, body.key)?;
    desk.store.answer_look(number, &new, &asked).await?;
    let look = desk.store.look(number).await?.look;
    desk.store.release(&look.lease(), &asked.reviewer).await?;
    let view = Box::pin(LookView::of(&desk, number, &asked.reviewer));
    Ok(Json(view.await?))
}

async fn undo(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(look): Path<String>,
    body: Body<StepBody>,
) -> Answer<LookView> {
    let number = number(&look)?;
    let asked = asked(reviewer, read(body)?.key)?;
    desk.store.undo_answer(number, &asked).await?;
    let view = Box::pin(LookView::of(&desk, number, &asked.reviewer));
    Ok(Json(view.await?))
}

/// An error where nobody is to see the label yet.
pub(crate) async fn not_blind(desk: &Desk, label: &LabelKey) -> Result<(), ApiError> {
    let known = desk.store.label(label).await?;
    if known.is_some_and(|detail| detail.label.state == Some(ReviewState::Blind)) {
        return Err(label_store::StoreError::Blind(label.clone()).into());
    }
    Ok(())
}
