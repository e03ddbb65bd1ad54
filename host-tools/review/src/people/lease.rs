//! Who works on which item.

use super::Visitor;
use crate::Desk;
use crate::address::label_key;
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use label_store::{Asked, LabelKey, Lease, label_key_text, now_us};
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
    let item = label_key_text(&label_key(&id)?);
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

/// An error where somebody else works on one of the items. Undo of many at once is not held up: it takes back what its own
/// giver said, and the store refuses where more was said since.
pub(crate) async fn not_held_by_another(
    desk: &Desk,
    labels: &[LabelKey],
    asked: &Asked,
) -> Result<(), ApiError> {
    let leases = desk.store.leases(asked.at_us).await?;
    let of_others: Vec<&Lease> = leases
        .iter()
        .filter(|lease| lease.holder != asked.reviewer)
        .collect();
    if of_others.is_empty() {
        return Ok(());
    }
    let held = labels.iter().find_map(|label| {
        let item = label_key_text(label);
        of_others.iter().find(|lease| lease.item == item)
    });
    match held {
        Some(lease) => Err(ApiError::Held(lease.holder.clone())),
        None => Ok(()),
    }
}
