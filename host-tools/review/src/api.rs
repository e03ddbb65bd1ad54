//! The handlers: from a request to the store and back.

use crate::Desk;
use crate::address::{clip_id, label_key, picture_id};
use crate::error::ApiError;
use crate::label_view::LabelDetailView;
use crate::request::{kind, understood};
use crate::second_look::not_blind;
use crate::verdicts;
use crate::view::{AbstentionView, ClipView, EvidenceView, MarkView, PictureView, SummaryView};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use label_store::ClipSummary;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

type Answer<T> = Result<Json<T>, ApiError>;

/// Whether the store answers.
pub(crate) async fn health(State(desk): State<Arc<Desk>>) -> Result<&'static str, ApiError> {
    desk.store.revision().await?;
    Ok("ok\n")
}

pub(crate) async fn summary(State(desk): State<Arc<Desk>>) -> Answer<SummaryView> {
    Ok(Json(desk.store.summary().await?.into()))
}

/// The clips, the latest first.
pub(crate) async fn clips(State(desk): State<Arc<Desk>>) -> Answer<Vec<ClipView>> {
    let clips = desk.store.summary().await?.clips;
    let imported = desk.store.imported_clips(None).await?;
    let imported: HashMap<_, _> = imported.iter().map(|one| (&one.id, &one.of)).collect();
    let view = |clip: ClipSummary| match imported.get(&clip.clip.id) {
        Some(of) => ClipView::of(clip).imported(of.as_ref()),
        None => ClipView::of(clip),
    };
    Ok(Json(clips.into_iter().rev().map(view).collect()))
}

pub(crate) async fn label(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
) -> Answer<LabelDetailView> {
    let label = label_key(&id)?;
    not_blind(&desk, &label).await?;
    verdicts::detail(&desk, &label).await
}

/// `{id}.jpg`: the filmstrip; `{id}.json`: its layout and the curve. Of several the last one that came.
pub(crate) async fn evidence(
    State(desk): State<Arc<Desk>>,
    Path(file): Path<String>,
) -> Result<Response, ApiError> {
    let Some((id, form @ ("jpg" | "json"))) = file.rsplit_once('.') else {
        return Err(ApiError::NotFound("such evidence"));
    };
    let label = label_key(id)?;
    not_blind(&desk, &label).await?;
    let newest = desk
        .store
        .evidence(&label)
        .await?
        .pop()
        .ok_or(ApiError::NotFound("evidence for this label"))?;
    Ok(if form == "jpg" {
        ([(header::CONTENT_TYPE, "image/jpeg")], newest.jpeg).into_response()
    } else {
        Json(EvidenceView::from(newest.header)).into_response()
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PicturesQuery {
    clip: String,
}

/// The key pictures of a clip.
pub(crate) async fn pictures(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<PicturesQuery>, QueryRejection>,
) -> Answer<Vec<PictureView>> {
    let clip = clip_id(&understood(query)?.clip)?;
    let found = desk.store.pictures(&clip).await?;
    Ok(Json(found.into_iter().map(PictureView::from).collect()))
}

/// `{id}.jpg`: one key picture.
pub(crate) async fn picture(
    State(desk): State<Arc<Desk>>,
    Path(file): Path<String>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("such picture");
    let id = file.strip_suffix(".jpg").ok_or_else(missing)?;
    let found = desk.store.picture(&picture_id(id)?).await?;
    let (_, jpeg) = found.ok_or_else(missing)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoverageQuery {
    clip: String,
    kind: Option<String>,
}

/// What the rig did not look at.
pub(crate) async fn coverage(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<CoverageQuery>, QueryRejection>,
) -> Answer<Vec<AbstentionView>> {
    let query = understood(query)?;
    let kind = query.kind.as_deref().map(kind).transpose()?;
    let found = desk.store.abstentions(&clip_id(&query.clip)?, kind).await?;
    Ok(Json(found.into_iter().map(AbstentionView::from).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarksQuery {
    clip: String,
}

/// The moments that somebody at the rig marked.
pub(crate) async fn marks(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<MarksQuery>, QueryRejection>,
) -> Answer<Vec<MarkView>> {
    let clip = clip_id(&understood(query)?.clip)?;
    let found = desk.store.operator_marks(&clip).await?;
    Ok(Json(found.into_iter().map(MarkView::from).collect()))
}

/// Server-sent events: `change` whenever something was committed, judged or heard.
pub(crate) async fn events(State(desk): State<Arc<Desk>>) -> Response {
    Sse::new(desk.changes.listen().await)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
        .into_response()
}

pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::Method
}
