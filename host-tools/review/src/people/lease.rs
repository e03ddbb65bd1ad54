//! Who works on which item.

use super::Visitor;
use crate::Desk;
use crate::address::label_key;
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use label_store::{Lease, label_key_text, now_us};
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
