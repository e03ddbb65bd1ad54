//! `GET /api/fleet`, `/api/fleet/{rig}/history`, `/api/live`: the rigs, what is wrong with them in words, and labels as they arrive.

mod alarms;
mod rigs;

pub use alarms::Alarm;
pub(crate) use rigs::{KnownRig, known_rigs};
pub use rigs::{RigBalance, RigHealth, RigPolicy, RigReport};

use crate::Desk;
use crate::error::ApiError;
use crate::request::understood;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use label_core::FrameRange;
use label_core::wire::parse_name;
use label_store::{HealthPoint, LabelStore, LiveKind, StoreError, label_key_text, now_us};
use quality::DeskKind;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;

/// Rates and lags are of this long.
pub(crate) const LIVE_WINDOW_US: i64 = MINUTE_US;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/fleet", get(fleet))
        .route("/api/fleet/{rig}/history", get(history))
        .route("/api/live", get(live))
}

/// How far back history is told: a week.
const MOST_HOURS: u32 = 24 * 7;

/// Candidates told one by one.
const LATEST: u32 = 40;

/// Every rig, by name, with what is wrong with it: what the page shows and `rigel fleet` prints.
pub async fn report(store: &LabelStore, now_us: i64) -> Result<Vec<RigReport>, StoreError> {
    let rigs = known_rigs(store, now_us).await?;
    Ok(rigs.into_iter().map(RigReport::from).collect())
}

async fn fleet(State(desk): State<Arc<Desk>>) -> Result<Json<Vec<RigReport>>, ApiError> {
    Ok(Json(report(&desk.store, now_us()).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    hours: Option<u32>,
}

async fn history(
    State(desk): State<Arc<Desk>>,
    Path(rig): Path<String>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<Vec<HealthPoint>>, ApiError> {
    let hours = understood(query)?.hours.unwrap_or(24);
    if hours > MOST_HOURS {
        return Err(ApiError::Query(format!("hours is {MOST_HOURS} at most")));
    }
    let rig = parse_name(&rig).map_err(|_| ApiError::NotFound("such rig"))?;
    let since = now_us() - i64::from(hours) * 60 * MINUTE_US;
    Ok(Json(desk.store.health_history(&rig, since).await?))
}

#[derive(Serialize)]
pub(crate) struct LiveView {
    now_us: i64,
    /// Rates and lags are of the last so many seconds.
    window_s: i64,
    kinds: Vec<LiveKind>,
    /// The newest last.
    latest: Vec<LatestView>,
}

#[derive(Serialize)]
struct LatestView {
    id: String,
    clip: String,
    rig: String,
    kind: DeskKind,
    track: Option<u16>,
    frames: FrameRange,
    confidence: Option<f64>,
    value: Option<serde_json::Value>,
    received_us: i64,
    lag_s: Option<f64>,
}

async fn live(State(desk): State<Arc<Desk>>) -> Result<Json<LiveView>, ApiError> {
    let now = now_us();
    let live = desk.store.live(now - LIVE_WINDOW_US, LATEST).await?;
    Ok(Json(LiveView {
        now_us: now,
        window_s: LIVE_WINDOW_US / SECOND_US,
        kinds: live.kinds,
        latest: live
            .latest
            .into_iter()
            .map(|label| LatestView {
                clip: format!("{}:{}:{}", label.id.rig, label.id.boot.raw(), label.clip),
                rig: label.id.rig.as_str().to_owned(),
                kind: label.kind,
                track: label.track,
                frames: label.frames,
                confidence: label.confidence,
                value: label.value,
                received_us: label.received_us,
                lag_s: label.lag_s,
                id: label_key_text(&label.id.into()),
            })
            .collect(),
    }))
}
