//! Who works on which item.

use super::Visitor;
use crate::Desk;
use crate::address::label_key;
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use label_core::TrackId;
use label_store::{Asked, ClipId, LabelKey, Lease, label_key_text, now_us, parse_label_key};
use std::sync::Arc;
use std::time::Duration;

/// How long an item is held without a word from the page, which renews in a third of it: a closed laptop lets go soon.
const HOLD: Duration = Duration::from_secs(90);

/// Takes or renews an item; the answer says who holds it, which may be somebody else.
pub(crate) async fn take(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Lease>, ApiError> {
    let label = label_key(&id)?;
    // What nobody can judge nobody needs to hold.
    if desk
        .store
        .labels(std::slice::from_ref(&label))
        .await?
        .is_empty()
    {
        return Err(ApiError::NotFound("such label"));
    }
    let item = label_key_text(&label);
    let now = now_us();
    let until = now + HOLD.as_micros() as i64;
    Ok(Json(
        desk.store.lease(&item, &visitor.name, (now, until)).await?,
    ))
}

/// Gives an item back.
pub(crate) async fn give_back(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let item = label_key_text(&label_key(&id)?);
    desk.store.release(&item, &visitor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is being worked on, and by whom.
pub(crate) async fn list(
    State(desk): State<Arc<Desk>>,
    _: Visitor,
) -> Result<Json<Vec<Lease>>, ApiError> {
    Ok(Json(desk.store.leases(now_us()).await?))
}

/// An error where somebody else works on one of the items.
pub(crate) async fn not_held_by_another(
    desk: &Desk,
    labels: &[LabelKey],
    asked: &Asked,
) -> Result<(), ApiError> {
    let names: Vec<String> = labels.iter().map(label_key_text).collect();
    let held = of_others(desk, asked).await?;
    free(held.into_iter().find(|lease| names.contains(&lease.item)))
}

/// An error where somebody else works on a label of these tracks of the clip: an edit would take the label from under their
/// hands. Without tracks those of the whole clip count: who takes an edit back does not name them.
pub(crate) async fn tracks_not_held_by_another(
    desk: &Desk,
    clip: &ClipId,
    tracks: Option<&[TrackId]>,
    asked: &Asked,
) -> Result<(), ApiError> {
    let held = of_others(desk, asked).await?;
    let named: Vec<(LabelKey, Lease)> = held
        .into_iter()
        .filter_map(|lease| Some((parse_label_key(&lease.item)?, lease)))
        .collect();
    let keys: Vec<LabelKey> = named.iter().map(|(key, _)| key.clone()).collect();
    let touched: Vec<LabelKey> = desk
        .store
        .labels(&keys)
        .await?
        .into_iter()
        .filter(|item| item.label.clip == *clip)
        .filter(|item| {
            item.label
                .track
                .is_some_and(|track| tracks.is_none_or(|tracks| tracks.contains(&track)))
        })
        .map(|item| item.label.id)
        .collect();
    free(
        named
            .into_iter()
            .find(|(key, _)| touched.contains(key))
            .map(|(_, lease)| lease),
    )
}

async fn of_others(desk: &Desk, asked: &Asked) -> Result<Vec<Lease>, ApiError> {
    let mut leases = desk.store.leases(asked.at_us).await?;
    leases.retain(|lease| lease.holder != asked.reviewer);
    Ok(leases)
}

fn free(held: Option<Lease>) -> Result<(), ApiError> {
    match held {
        Some(lease) => Err(ApiError::Held(lease.holder)),
        None => Ok(()),
    }
}
