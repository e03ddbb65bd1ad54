//! `GET /api/fleet`, `/api/fleet/{rig}/history`, `/api/live`: the rigs, what is wrong with them in words, and labels as they arrive.

use crate::Desk;
use crate::error::ApiError;
use crate::request::understood;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use label_core::wire::{
    Birth, CameraHealth, ClockState, Health, ModelRef, OutboxState, Policy, QuietShare,
    SceneHealth, Shed, parse_name,
};
use label_core::{FrameRange, LabelKind};
use label_store::{FleetRig, HealthPoint, LiveKind, label_key_text, now_us};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;

/// A rig tells how it fares every 10 s; after this long it is missed.
const MISSED_US: i64 = 5 * MINUTE_US;
/// History that alarms look at.
const ALARM_WINDOW_US: i64 = 15 * MINUTE_US;
/// An outbox may hold this many messages without anybody being told: a clip's worth on a slow line.
const OUTBOX_QUIET: u64 = 100;
/// A rig obeys from the next frame and says so in the next health message; later than this it does not.
const OBEYED_WITHIN_US: i64 = 2 * MINUTE_US;
/// Rates and lags are of this long.
const LIVE_WINDOW_US: i64 = MINUTE_US;

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

#[derive(Serialize)]
pub(crate) struct RigView {
    rig: String,
    site: String,
    link: String,
    first_seen_us: i64,
    last_seen_us: i64,
    alarms: Vec<Alarm>,
    hardware: Option<String>,
    firmware: Option<String>,
    board: Option<String>,
    models: Vec<ModelRef>,
    self_test: Option<String>,
    /// What it told last of this run; null before.
    health: Option<HealthView>,
    policy: Option<PolicyView>,
    balance: BalanceView,
}

#[derive(Serialize)]
struct HealthView {
    heard_us: i64,
    uptime_s: u64,
    clock: ClockState,
    temperature_c: Option<f32>,
    throttled: Option<bool>,
    disk_free_mib: Option<u64>,
    latency_ms: Option<f32>,
    shed: Shed,
    camera: Option<CameraHealth>,
    outbox: OutboxState,
    quiet: Vec<QuietShare>,
    scene: Option<SceneHealth>,
}

#[derive(Serialize)]
struct PolicyView {
    asked: Policy,
    obeyed: Option<u32>,
}

#[derive(Serialize)]
struct BalanceView {
    /// Of closed clips.
    made: u64,
    committed: u64,
    clips: u64,
    open_clips: u64,
    sent: u64,
    received: u64,
    offered: u64,
    reviewed: u64,
    quarantined: u64,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Alarm {
    name: &'static str,
    words: String,
}

fn ago(us: i64) -> String {
    match us / SECOND_US {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

/// What is wrong with a rig, the worst first, in words that say what to do.
fn alarms(
    rig: &FleetRig,
    health: Option<&Health>,
    self_test: Option<&str>,
    asked: Option<(&Policy, i64)>,
    lately: &[HealthPoint],
    now_us: i64,
) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut say = |name, words| alarms.push(Alarm { name, words });
    let link = rig
        .status
        .as_ref()
        .and_then(|(status, _)| status["state"].as_str());
    let silent = now_us - rig.last_seen_us;
    if link != Some("stopped") && silent > MISSED_US {
        say(
            "offline",
            format!(
                "Not heard for {}. Has it power and network? What it made waits on its disk.",
                ago(silent)
            ),
        );
    }
    if let Some(line) = self_test.filter(|line| line.starts_with("failed")) {
        say(
            "self-test",
            format!("Its last check of itself {line}. `rigeld check` on the rig says more."),
        );
    }
    if let (Some(first), Some(last)) = (lately.first(), lately.last())
        && last.outbox_messages > OUTBOX_QUIET
        && last.outbox_messages > first.outbox_messages
    {
        say(
            "outbox",
            format!(
                "{} messages wait on the rig, {} more than {} ago: the line is too slow, or this host takes nothing.",
                last.outbox_messages,
                last.outbox_messages - first.outbox_messages,
                ago(last.heard_us - first.heard_us)
            ),
        );
    }
    if health.is_some_and(|health| health.clock == ClockState::Unsynced) {
        say(
            "clock",
            "Its clock is not set: frames are in order, but dates may be years off. Give it a time server.".to_owned(),
        );
    }
    if rig.made != rig.committed && rig.sent == rig.received && silent > MINUTE_US {
        say(
            "unbalanced",
            format!(
                "It made {} labels of closed clips and {} are here, though no message is missing. Compare the clips in the review.",
                rig.made, rig.committed
            ),
        );
    } else if rig.sent != rig.received && silent > MINUTE_US {
        say(
            "missing",
            format!(
                "{} messages up to the last one heard are missing here.",
                rig.sent.saturating_sub(rig.received)
            ),
        );
    }
    if rig.quarantined.1 > 0 {
        say(
            "quarantine",
            format!(
                "{} of its messages could not be used in the last hour ({} in all). Is this host older than the rig?",
                rig.quarantined.1, rig.quarantined.0
            ),
        );
    }
    if let Some((policy, since_us)) = asked
        && link == Some("online")
        && health.is_some_and(|health| health.policy != Some(policy.revision))
        && now_us - since_us > OBEYED_WITHIN_US
    {
        say(
            "policy",
            format!(
                "It was asked to follow policy {} and says it follows {}.",
                policy.revision,
                health
                    .and_then(|health| health.policy)
                    .map_or("none".to_owned(), |revision| revision.to_string())
            ),
        );
    }
    alarms
}

async fn fleet(State(desk): State<Arc<Desk>>) -> Result<Json<Vec<RigView>>, ApiError> {
    let now = now_us();
    let policies = desk.store.policies().await?;
    let steps = desk.store.policy_steps(None).await?;
    let mut views = Vec::new();
    for rig in desk.store.fleet(now).await? {
        let understood = rig.health.clone().and_then(|(json, heard_us)| {
            Some((serde_json::from_value::<Health>(json).ok()?, heard_us))
        });
        let birth: Option<Birth<Vec<ModelRef>>> = rig
            .birth
            .clone()
            .and_then(|(json, _)| serde_json::from_value(json).ok());
        // After a restart, until the rig has told it anew, it is another run's.
        let health = understood
            .filter(|(health, _)| birth.as_ref().is_none_or(|birth| birth.boot == health.boot));
        let asked = policies
            .iter()
            .find(|(_, name, _)| *name == rig.rig)
            .map(|(_, _, policy)| policy.clone());
        let asked_us = steps
            .iter()
            .rev()
            .find(|step| step.rig == rig.rig)
            .map_or(0, |step| step.at_us);
        let self_test = birth
            .as_ref()
            .and_then(|birth| birth.self_test.as_ref())
            .map(|line| line.as_str().to_owned());
        let lately = desk
            .store
            .health_history(&rig.rig, now - ALARM_WINDOW_US)
            .await?;
        views.push(RigView {
            alarms: alarms(
                &rig,
                health.as_ref().map(|(health, _)| health),
                self_test.as_deref(),
                asked.as_ref().map(|policy| (policy, asked_us)),
                &lately,
                now,
            ),
            policy: asked.map(|asked| PolicyView {
                asked,
                obeyed: health.as_ref().and_then(|(health, _)| health.policy),
            }),
            self_test,
            hardware: birth
                .as_ref()
                .map(|birth| birth.hardware.as_str().to_owned()),
            firmware: birth
                .as_ref()
                .map(|birth| birth.firmware.as_str().to_owned()),
            board: birth.as_ref().map(|birth| birth.board.as_str().to_owned()),
            models: birth.map(|birth| birth.models).unwrap_or_default(),
            health: health.map(|(health, heard_us)| HealthView {
                heard_us,
                uptime_s: health.uptime_s,
                clock: health.clock,
                temperature_c: health.temperature_c,
                throttled: health.throttled,
                disk_free_mib: health.disk_free_mib,
                latency_ms: health.latency_ms,
                shed: health.shed,
                camera: health.camera,
                outbox: health.outbox,
                quiet: health.quiet.to_vec(),
                scene: health.scene,
            }),
            link: rig
                .status
                .as_ref()
                .and_then(|(status, _)| status["state"].as_str())
                .unwrap_or("unknown")
                .to_owned(),
            balance: BalanceView {
                made: rig.made,
                committed: rig.committed,
                clips: rig.clips.0,
                open_clips: rig.clips.1,
                sent: rig.sent,
                received: rig.received,
                offered: rig.offered,
                reviewed: rig.reviewed,
                quarantined: rig.quarantined.0,
            },
            rig: rig.rig.as_str().to_owned(),
            site: rig.site,
            first_seen_us: rig.first_seen_us,
            last_seen_us: rig.last_seen_us,
        });
    }
    Ok(Json(views))
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
    kind: LabelKind,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rig() -> FleetRig {
        FleetRig {
            rig: parse_name("rig-07").unwrap(),
            site: "north".to_owned(),
            first_seen_us: 0,
            last_seen_us: 3600 * SECOND_US,
            status: Some((serde_json::json!({"state": "online"}), 0)),
            birth: None,
            health: None,
            made: 10,
            committed: 10,
            clips: (1, 0),
            sent: 5,
            received: 5,
            offered: 10,
            reviewed: 0,
            quarantined: (0, 0),
        }
    }

    fn point(minute: i64, outbox_messages: u64) -> HealthPoint {
        HealthPoint {
            heard_us: minute * MINUTE_US,
            boot: label_core::BootId::first(1),
            outbox_messages,
            outbox_bytes: 0,
            processed: 0,
            dropped: 0,
            temperature_c: None,
            latency_ms: None,
            disk_free_mib: None,
            clock: ClockState::Ntp,
        }
    }

    fn names(rig: &FleetRig, lately: &[HealthPoint], minutes_later: i64) -> Vec<&'static str> {
        let now = rig.last_seen_us + minutes_later * MINUTE_US;
        alarms(rig, None, Some("passed: 9 of 9"), None, lately, now)
            .into_iter()
            .map(|alarm| alarm.name)
            .collect()
    }

    #[test]
    fn a_rig_that_fares_well_raises_nothing_and_one_that_was_stopped_is_not_missed() {
        assert_eq!(names(&rig(), &[], 0), Vec::<&str>::new());
        assert_eq!(names(&rig(), &[], 6), ["offline"]);
        let mut stopped = rig();
        stopped.status = Some((serde_json::json!({"state": "stopped"}), 0));
        assert_eq!(names(&stopped, &[], 600), Vec::<&str>::new());
    }

    #[test]
    fn an_outbox_that_grows_is_told_and_one_that_empties_is_not() {
        assert_eq!(names(&rig(), &[point(0, 40), point(9, 300)], 0), ["outbox"]);
        assert_eq!(
            names(&rig(), &[point(0, 900), point(9, 300)], 0),
            Vec::<&str>::new()
        );
        assert_eq!(
            names(&rig(), &[point(0, 2), point(9, 60)], 0),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn missing_messages_and_unbalanced_clips_are_different_things() {
        let mut missing = rig();
        missing.received = 3;
        missing.committed = 8;
        assert_eq!(names(&missing, &[], 2), ["missing"]);
        let mut unbalanced = rig();
        unbalanced.committed = 8;
        unbalanced.quarantined = (2, 2);
        assert_eq!(names(&unbalanced, &[], 2), ["unbalanced", "quarantine"]);
    }
}
