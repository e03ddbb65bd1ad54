//! `/api/labels/{id}/frames`, `/api/fleet/{rig}/picture`, `/api/requests/…`: what a rig is asked for, and what arrived.

use crate::Desk;
use crate::address::label_key;
use crate::error::ApiError;
use crate::people::Visitor;
use crate::second_look::not_blind;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use label_core::id::Name;
use label_core::wire::{MAX_ASKED_FRAMES, parse_name};
use label_store::{
    RequestState, Role, StoreError, StoredRequest, Wanted, clip_id_text, label_key_text, now_us,
};
use serde::Serialize;
use std::sync::Arc;

/// Frames before and behind a label: half a second at 30 frames a second.
const MARGIN: u32 = 15;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/labels/{id}/frames", get(of_label).post(ask_frames))
        .route("/api/fleet/{rig}/picture", get(of_rig).post(ask_picture))
        .route("/api/requests/{request}", get(one))
        .route("/api/requests/{request}/{file}", get(picture))
}

/// A request as the page shows it.
#[derive(Serialize)]
pub(crate) struct RequestView {
    request: i64,
    rig: String,
    /// Null of a picture.
    clip: Option<String>,
    frames: Option<(u32, u32)>,
    label: Option<String>,
    asked_by: String,
    asked_us: i64,
    state: RequestState,
    /// Why not, in words; null unless refused.
    reason: Option<&'static str>,
    have: u64,
    bytes: Option<u64>,
    pictures: Vec<PictureOf>,
}

#[derive(Serialize)]
struct PictureOf {
    frame: u32,
    pts_us: i64,
}

impl From<StoredRequest> for RequestView {
    fn from(stored: StoredRequest) -> Self {
        let (clip, frames) = match &stored.wanted {
            Wanted::Picture => (None, None),
            Wanted::Frames(clip, frames) => (Some(clip_id_text(clip)), Some(*frames)),
        };
        Self {
            request: stored.request,
            rig: stored.rig.as_str().to_owned(),
            clip,
            frames,
            label: stored.label,
            asked_by: stored.asked_by,
            asked_us: stored.asked_us,
            state: stored.state,
            reason: stored.reason.as_deref().map(in_words),
            have: stored.have,
            bytes: stored.bytes,
            pictures: stored
                .pictures
                .into_iter()
                .map(|(frame, pts_us)| PictureOf { frame, pts_us })
                .collect(),
        }
    }
}

fn in_words(reason: &str) -> &'static str {
    match reason {
        "no-frame" => "the rig's camera gives no frames now",
        "not-recorded" => {
            "the rig has no recording of these frames: it records nothing, or they were deleted for their age or for want of room"
        }
        "too-much" => "that is more than a rig gives at once",
        "disk" => "the rig's disk did not give it; its log says more",
        "damaged" => "what arrived is not what the rig announced",
        "no-answer" => "the rig did not answer for a week",
        _ => "the rig does not understand the question: is it older or newer than this host?",
    }
}

fn rig_name(text: &str) -> Result<Name, ApiError> {
    parse_name(text).map_err(|_| ApiError::NotFound("such rig"))
}

/// Asks for the recorded frames of a label and half a second around it.
async fn ask_frames(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let key = label_key(&id)?;
    not_blind(&desk, &key).await?;
    let detail = desk.store.label(&key).await?;
    let detail = detail.ok_or_else(|| StoreError::NoSuchLabel(key.clone()))?;
    let label = detail.label;
    let first = label.frames.start.saturating_sub(MARGIN);
    let most = first.saturating_add(MAX_ASKED_FRAMES as u32 - 1);
    let clip_end = detail
        .clip
        .frames
        .map_or(u32::MAX - 1, |frames| frames.saturating_sub(1));
    let last = label
        .frames
        .end
        .saturating_add(MARGIN)
        .min(most)
        .min(clip_end);
    // Of what was imported the rig has frames whose clip it is of.
    let imported = desk.store.imported_clips(Some(&label.clip.rig)).await?;
    let clip = match imported.into_iter().find(|one| one.id == label.clip) {
        Some(one) => one
            .of
            .ok_or(ApiError::NotFound("rig's clip of this imported label"))?,
        None => label.clip,
    };
    let rig = clip.rig.clone();
    let wanted = Wanted::Frames(clip, (first, last.max(first)));
    let name = label_key_text(&key);
    let stored = desk
        .store
        .ask(&rig, &wanted, Some(&name), &visitor.name, now_us())
        .await?;
    Ok((StatusCode::ACCEPTED, Json(RequestView::from(stored))).into_response())
}

/// What was asked for a label, the latest first.
async fn of_label(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<RequestView>>, ApiError> {
    let key = label_key(&id)?;
    not_blind(&desk, &key).await?;
    let found = desk
        .store
        .requests(Some(&label_key_text(&key)), None)
        .await?;
    Ok(Json(found.into_iter().map(RequestView::from).collect()))
}

/// Asks a rig for a picture now.
async fn ask_picture(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(rig): Path<String>,
) -> Result<Response, ApiError> {
    visitor.needs(Role::Lead)?;
    let rig = rig_name(&rig)?;
    let stored = desk
        .store
        .ask(&rig, &Wanted::Picture, None, &visitor.name, now_us())
        .await?;
    Ok((StatusCode::ACCEPTED, Json(RequestView::from(stored))).into_response())
}

/// Pictures that a rig was asked for, the latest first.
async fn of_rig(
    State(desk): State<Arc<Desk>>,
    Path(rig): Path<String>,
) -> Result<Json<Vec<RequestView>>, ApiError> {
    let found = desk.store.requests(None, Some(&rig_name(&rig)?)).await?;
    Ok(Json(found.into_iter().map(RequestView::from).collect()))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound("such request"))
}

async fn one(
    State(desk): State<Arc<Desk>>,
    Path(request): Path<String>,
) -> Result<Json<RequestView>, ApiError> {
    let found = desk.store.request(number(&request)?).await?;
    let found = found.ok_or(ApiError::NotFound("such request"))?;
    Ok(Json(found.into()))
}

/// `{frame}.jpg`: a picture that arrived.
async fn picture(
    State(desk): State<Arc<Desk>>,
    Path((request, file)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("such picture");
    let frame = file.strip_suffix(".jpg").ok_or_else(missing)?;
    let found = desk
        .store
        .requested_picture(number(&request)?, number(frame)?)
        .await?;
    let jpeg = found.ok_or_else(missing)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}
