//! `GET /metrics`: the host and every rig as numbers, in the text format that Prometheus scrapes (version 0.0.4).
//!
//! Rigs are behind a car's modem, where nothing can be scraped: what they tell of themselves every ten seconds is shown here, with the time
//! at which it was heard. Names follow Prometheus's rules: base units, `_total` of what only grows. What grows on a rig begins anew with
//! each of its runs.

mod text;

use crate::Desk;
use crate::error::ApiError;
use crate::fleet::{KnownRig, LIVE_WINDOW_US, known_rigs};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use label_core::wire::{ClockState, Health};
use label_store::now_us;
use std::fmt;
use std::sync::Arc;
use text::{COUNTER, GAUGE, Page};

/// What the process around the page knows: the broker's side of it, and its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostNumbers {
    /// Whether the broker has this host subscribed.
    pub subscribed: bool,
    /// New messages committed since the start.
    pub committed: u64,
    /// Messages that were here already.
    pub duplicates: u64,
    /// Messages put into quarantine.
    pub quarantined: u64,
    /// Transactions.
    pub commits: u64,
    /// Bytes of the store's files; `None` where they cannot be told, and of a database that several share.
    pub store_bytes: Option<u64>,
    /// Bytes free on their disk; `None` likewise.
    pub disk_free_bytes: Option<u64>,
}

/// Where [`HostNumbers`] are asked for; a page on its own has none.
#[derive(Clone, Default)]
pub struct Numbers(Option<Arc<dyn Fn() -> HostNumbers + Send + Sync>>);

impl Numbers {
    /// Asked anew for every scrape.
    pub fn new(ask: impl Fn() -> HostNumbers + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(ask)))
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}

const CLOCKS: [(ClockState, &str); 5] = [
    (ClockState::Unsynced, "unsynced"),
    (ClockState::Rtc, "rtc"),
    (ClockState::Ntp, "ntp"),
    (ClockState::Ptp, "ptp"),
    (ClockState::Corrected, "corrected"),
];

fn from_bool(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn number(count: u64) -> f64 {
    count as f64
}

/// The page.
pub(crate) async fn metrics(State(desk): State<Arc<Desk>>) -> Result<Response, ApiError> {
    let now = now_us();
    let mut page = Page::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.put(
        ("rigel_build_info", GAUGE, "This host's version."),
        [(version, 1.0)],
    );
    if let Numbers(Some(ask)) = &desk.numbers {
        let mut host = ask();
        if let Some(bytes) = desk.store.shared_bytes().await? {
            host.store_bytes = Some(bytes);
        }
        put_host(&mut page, host);
    }
    let waiting = desk.store.candidates_by_state().await?;
    page.put(
        (
            "rigel_candidates",
            GAUGE,
            "Candidates by kind and where they stand in review.",
        ),
        waiting.iter().map(|(kind, state, labels)| {
            (
                [("kind", kind.as_str()), ("state", state.as_str())],
                number(*labels),
            )
        }),
    );
    let rigs = known_rigs(&desk.store, now).await?;
    put_counts(&mut page, &rigs);
    put_health(&mut page, &rigs);
    let live = desk.store.live(now - LIVE_WINDOW_US, 0).await?;
    page.put(
        (
            "rigel_rig_lag_seconds",
            GAUGE,
            "Mean time from a label's last frame until it was here, of the last minute.",
        ),
        live.kinds.iter().filter_map(|one| {
            Some((
                [("rig", one.rig.as_str()), ("kind", one.kind.name())],
                one.lag_s?,
            ))
        }),
    );
    let form = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, form)], page.0).into_response())
}

fn put_host(page: &mut Page, host: HostNumbers) {
    page.put(
        (
            "rigel_ingest_subscribed",
            GAUGE,
            "1 while the broker has this process subscribed.",
        ),
        [([], from_bool(host.subscribed))],
    );
    page.put(
        (
            "rigel_ingest_messages_total",
            COUNTER,
            "Messages that this process took in since its start, by what became of them.",
        ),
        [
            ([("outcome", "committed")], number(host.committed)),
            ([("outcome", "duplicate")], number(host.duplicates)),
            ([("outcome", "quarantined")], number(host.quarantined)),
        ],
    );
    page.put(
        (
            "rigel_ingest_transactions_total",
            COUNTER,
            "Transactions of this process since its start.",
        ),
        [([], number(host.commits))],
    );
    page.put(
        (
            "rigel_store_bytes",
            GAUGE,
            "The store's files, or the database that several share.",
        ),
        host.store_bytes.map(|bytes| ([], number(bytes))),
    );
    page.put(
        (
            "rigel_disk_free_bytes",
            GAUGE,
            "Free room on the disk of the store's files.",
        ),
        host.disk_free_bytes.map(|bytes| ([], number(bytes))),
    );
}

fn name(known: &KnownRig) -> (&str, &str) {
    ("rig", known.rig.rig.as_str())
}

fn put_counts(page: &mut Page, rigs: &[KnownRig]) {
    page.put(
        (
            "rigel_rig_online",
            GAUGE,
            "1 while the broker has the rig connected.",
        ),
        rigs.iter()
            .map(|one| ([name(one)], from_bool(one.link() == "online"))),
    );
    page.put(
        (
            "rigel_rig_heard_timestamp_seconds",
            GAUGE,
            "When the rig was heard last.",
        ),
        rigs.iter()
            .map(|one| ([name(one)], one.rig.last_seen_us as f64 / 1e6)),
    );
    page.put(
        (
            "rigel_rig_labels_committed",
            GAUGE,
            "Labels of the rig that are here.",
        ),
        rigs.iter().flat_map(|one| {
            [
                (
                    [name(one), ("decision", "offered")],
                    number(one.rig.offered),
                ),
                (
                    [name(one), ("decision", "abstained")],
                    number(one.rig.abstained),
                ),
            ]
        }),
    );
    page.put(
        (
            "rigel_rig_labels_given_up",
            GAUGE,
            "Labels that the rig gave up for want of room.",
        ),
        rigs.iter()
            .map(|one| ([name(one)], number(one.given_up().0))),
    );
    page.put(
        (
            "rigel_rig_labels_unaccounted",
            GAUGE,
            "Labels made that are not here, do not wait and were not given up (lost), or are here and were not made (beyond). Above 0 is an alarm.",
        ),
        rigs.iter().flat_map(|one| {
            [
                ([name(one), ("sort", "lost")], number(one.imbalance.lost)),
                ([name(one), ("sort", "beyond")], number(one.imbalance.beyond)),
            ]
        }),
    );
    page.put(
        ("rigel_rig_clips", GAUGE, "Clips of the rig."),
        rigs.iter().flat_map(|one| {
            let (clips, open) = one.rig.clips;
            [
                ([name(one), ("state", "open")], number(open)),
                (
                    [name(one), ("state", "closed")],
                    number(clips.saturating_sub(open)),
                ),
            ]
        }),
    );
    page.put(
        (
            "rigel_rig_quarantined",
            GAUGE,
            "Messages of the rig in quarantine.",
        ),
        rigs.iter()
            .map(|one| ([name(one)], number(one.rig.quarantined.0))),
    );
    page.put(
        (
            "rigel_rig_alarm",
            GAUGE,
            "1 for each thing that somebody should look at.",
        ),
        rigs.iter().flat_map(|one| {
            one.alarms
                .iter()
                .map(|alarm| ([name(one), ("alarm", alarm.name)], 1.0))
        }),
    );
}

/// What rigs told of themselves last.
fn put_health(page: &mut Page, rigs: &[KnownRig]) {
    let told: Vec<(&KnownRig, &Health)> = rigs
        .iter()
        .filter_map(|one| Some((one, &one.health.as_ref()?.0)))
        .collect();
    let one =
        |page: &mut Page, what: (&str, &str, &str), value: &dyn Fn(&Health) -> Option<f64>| {
            page.put(
                what,
                told.iter()
                    .filter_map(|(rig, health)| Some(([name(rig)], value(health)?))),
            );
        };
    page.put(
        (
            "rigel_rig_health_timestamp_seconds",
            GAUGE,
            "When the rig told what follows.",
        ),
        rigs.iter()
            .filter_map(|one| Some(([name(one)], one.health.as_ref()?.1 as f64 / 1e6))),
    );
    one(
        page,
        (
            "rigel_rig_uptime_seconds",
            GAUGE,
            "Since its firmware started.",
        ),
        &|health| Some(number(health.uptime_s)),
    );
    one(
        page,
        (
            "rigel_rig_outbox_messages",
            GAUGE,
            "Messages that wait on the rig.",
        ),
        &|health| Some(number(health.outbox.messages)),
    );
    one(
        page,
        ("rigel_rig_outbox_bytes", GAUGE, "Their bytes on its disk."),
        &|health| Some(number(health.outbox.bytes)),
    );
    one(
        page,
        (
            "rigel_rig_disk_free_bytes",
            GAUGE,
            "Free room for its outbox.",
        ),
        &|health| health.disk_free_mib.map(|mib| number(mib << 20)),
    );
    one(
        page,
        (
            "rigel_rig_temperature_celsius",
            GAUGE,
            "Its hottest sensor.",
        ),
        &|health| health.temperature_c.map(f64::from),
    );
    one(
        page,
        (
            "rigel_rig_throttled",
            GAUGE,
            "1 while slowed down for heat or want of power.",
        ),
        &|health| health.throttled.map(from_bool),
    );
    one(
        page,
        (
            "rigel_rig_latency_seconds",
            GAUGE,
            "Mean time from a frame's capture until it was labelled.",
        ),
        &|health| health.latency_ms.map(|ms| f64::from(ms) / 1e3),
    );
    one(
        page,
        (
            "rigel_rig_camera_frames_per_second",
            GAUGE,
            "Frames that come from its camera.",
        ),
        &|health| {
            health
                .camera
                .as_ref()
                .map(|camera| f64::from(camera.measured_fps))
        },
    );
    page.put(
        ("rigel_rig_frames_total", COUNTER, "Frames of this run."),
        told.iter().flat_map(|(rig, health)| {
            let frames = health.frames;
            [
                ([name(rig), ("state", "captured")], number(frames.captured)),
                (
                    [name(rig), ("state", "processed")],
                    number(frames.processed),
                ),
                ([name(rig), ("state", "dropped")], number(frames.dropped)),
                ([name(rig), ("state", "repeated")], number(frames.repeated)),
            ]
        }),
    );
    page.put(
        (
            "rigel_rig_labels_made_total",
            COUNTER,
            "Labels that the rig says it made in this run.",
        ),
        told.iter().flat_map(|(rig, health)| {
            [
                (
                    [name(rig), ("decision", "offered")],
                    number(health.labels.offered),
                ),
                (
                    [name(rig), ("decision", "abstained")],
                    number(health.labels.abstained),
                ),
            ]
        }),
    );
    page.put(
        (
            "rigel_rig_stage_seconds",
            GAUGE,
            "Mean time of a stage for a frame.",
        ),
        told.iter().flat_map(|(rig, health)| {
            health.stages.iter().map(|stage| {
                (
                    [name(rig), ("stage", stage.stage.as_str())],
                    f64::from(stage.ms) / 1e3,
                )
            })
        }),
    );
    page.put(
        (
            "rigel_rig_clock",
            GAUGE,
            "1 for the state of the rig's clock.",
        ),
        told.iter().flat_map(|(rig, health)| {
            CLOCKS
                .iter()
                .filter(|(clock, _)| *clock == health.clock)
                .map(|(_, word)| ([name(rig), ("state", *word)], 1.0))
        }),
    );
    one(
        page,
        (
            "rigel_rig_recording_bytes",
            GAUGE,
            "Bytes of recorded pictures on the rig.",
        ),
        &|health| {
            health
                .recording
                .as_ref()
                .map(|recording| number(recording.bytes))
        },
    );
}
