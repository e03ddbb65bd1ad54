//! A rig as the desk knows it: what it said of itself, what is here of it, and what is wrong.

use super::alarms::{Alarm, WINDOW_US, alarms};
use label_core::wire::{
    Birth, CameraHealth, ClockState, Health, ModelRef, OutboxState, Policy, QuietShare,
    SceneHealth, Shed,
};
use label_store::{FleetRig, Imbalance, LabelStore, StoreError, imbalance};
use serde::Serialize;

/// A rig, what it is made of, how it fares, and what to look at.
#[derive(Clone, Debug, Serialize)]
pub struct RigReport {
    /// Its name.
    pub rig: String,
    /// Its site.
    pub site: String,
    /// `online`, `stopped` or `offline`; `unknown` until it said so.
    pub link: String,
    /// When it was first heard.
    pub first_seen_us: i64,
    /// When it was last heard.
    pub last_seen_us: i64,
    /// The worst first.
    pub alarms: Vec<Alarm>,
    /// Processor and board.
    pub hardware: Option<String>,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// Name of its board file.
    pub board: Option<String>,
    /// Models in use.
    pub models: Vec<ModelRef>,
    /// What its last check of itself said.
    pub self_test: Option<String>,
    /// What it told last of this run; null before.
    pub health: Option<RigHealth>,
    /// What it was asked to offer.
    pub policy: Option<RigPolicy>,
    /// What was made, and what is here.
    pub balance: RigBalance,
}

/// How a rig fared when it was last heard.
#[derive(Clone, Debug, Serialize)]
pub struct RigHealth {
    /// When that was.
    pub heard_us: i64,
    /// Seconds since its firmware started.
    pub uptime_s: u64,
    /// How far its dates can be trusted.
    pub clock: ClockState,
    /// Hottest sensor.
    pub temperature_c: Option<f32>,
    /// Whether it is slowed down.
    pub throttled: Option<bool>,
    /// Free room for its outbox.
    pub disk_free_mib: Option<u64>,
    /// Mean time from capture to label.
    pub latency_ms: Option<f32>,
    /// What it leaves out.
    pub shed: Shed,
    /// Its camera.
    pub camera: Option<CameraHealth>,
    /// What waits there.
    pub outbox: OutboxState,
    /// Why it said nothing.
    pub quiet: Vec<QuietShare>,
    /// How its picture looked.
    pub scene: Option<SceneHealth>,
}

/// What a rig was asked to offer.
#[derive(Clone, Debug, Serialize)]
pub struct RigPolicy {
    /// The message, as on the wire.
    pub asked: Policy,
    /// The revision that it says it follows.
    pub obeyed: Option<u32>,
}

/// What a rig made, and what is here of it.
#[derive(Clone, Debug, Serialize)]
pub struct RigBalance {
    /// Labels of closed clips, as the rig counted them.
    pub made: u64,
    /// Labels of these clips that are here.
    pub committed: u64,
    /// Clips.
    pub clips: u64,
    /// Of these, open.
    pub open_clips: u64,
    /// Highest number heard, summed over its runs.
    pub sent: u64,
    /// Up to where there is no hole, summed likewise.
    pub received: u64,
    /// Candidates of all clips that are here.
    pub offered: u64,
    /// Abstentions of all clips that are here.
    pub abstained: u64,
    /// Of the candidates, judged.
    pub reviewed: u64,
    /// Of the candidates, not judged.
    pub waiting: u64,
    /// Labels that the rig gave up for want of room.
    pub given_up: u64,
    /// Evidence messages that it gave up likewise.
    pub given_up_evidence: u64,
    /// What does not add up.
    pub imbalance: Imbalance,
    /// Messages of it in quarantine.
    pub quarantined: u64,
}

/// Everything known of a rig.
pub(crate) struct KnownRig {
    pub(crate) rig: FleetRig,
    birth: Option<Birth<Vec<ModelRef>>>,
    /// Of the run that it is in, and when it was heard.
    pub(crate) health: Option<(Health, i64)>,
    asked: Option<Policy>,
    pub(crate) imbalance: Imbalance,
    pub(crate) alarms: Vec<Alarm>,
}

impl KnownRig {
    /// `online`, `stopped`, `offline` or `unknown`.
    pub(crate) fn link(&self) -> &str {
        let status = self.rig.status.as_ref();
        status
            .and_then(|(status, _)| status["state"].as_str())
            .unwrap_or("unknown")
    }

    pub(crate) fn given_up(&self) -> (u64, u64) {
        let runs = &self.rig.runs;
        (
            runs.iter().map(|run| run.given_up).sum(),
            runs.iter().map(|run| run.given_up_evidence).sum(),
        )
    }
}

/// Every rig, by name.
pub(crate) async fn known_rigs(
    store: &LabelStore,
    now_us: i64,
) -> Result<Vec<KnownRig>, StoreError> {
    let policies = store.policies().await?;
    let steps = store.policy_steps(None).await?;
    let mut known = Vec::new();
    for rig in store.fleet(now_us).await? {
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
        let self_test = birth.as_ref().and_then(|birth| birth.self_test.as_deref());
        let lately = store.health_history(&rig.rig, now_us - WINDOW_US).await?;
        let imbalance = imbalance(
            &rig.runs,
            health
                .as_ref()
                .map(|(health, heard_us)| (health, *heard_us)),
        );
        known.push(KnownRig {
            alarms: alarms(
                &rig,
                health.as_ref().map(|(health, _)| health),
                imbalance,
                self_test,
                asked.as_ref().map(|policy| (policy, asked_us)),
                &lately,
                now_us,
            ),
            rig,
            birth,
            health,
            asked,
            imbalance,
        });
    }
    Ok(known)
}

impl From<KnownRig> for RigReport {
    fn from(known: KnownRig) -> Self {
        let link = known.link().to_owned();
        let (given_up, given_up_evidence) = known.given_up();
        let KnownRig {
            rig,
            birth,
            health,
            asked,
            imbalance,
            alarms,
        } = known;
        Self {
            link,
            alarms,
            policy: asked.map(|asked| RigPolicy {
                asked,
                obeyed: health.as_ref().and_then(|(health, _)| health.policy),
            }),
            self_test: birth
                .as_ref()
                .and_then(|birth| birth.self_test.as_deref().map(str::to_owned)),
            hardware: birth
                .as_ref()
                .map(|birth| birth.hardware.as_str().to_owned()),
            firmware: birth
                .as_ref()
                .map(|birth| birth.firmware.as_str().to_owned()),
            board: birth.as_ref().map(|birth| birth.board.as_str().to_owned()),
            models: birth.map(|birth| birth.models).unwrap_or_default(),
            health: health.map(|(health, heard_us)| RigHealth {
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
            balance: RigBalance {
                made: rig.made,
                committed: rig.committed,
                clips: rig.clips.0,
                open_clips: rig.clips.1,
                sent: rig.sent,
                received: rig.received,
                offered: rig.offered,
                abstained: rig.abstained,
                reviewed: rig.reviewed,
                waiting: rig.offered.saturating_sub(rig.reviewed),
                given_up,
                given_up_evidence,
                imbalance,
                quarantined: rig.quarantined.0,
            },
            rig: rig.rig.as_str().to_owned(),
            site: rig.site,
            first_seen_us: rig.first_seen_us,
            last_seen_us: rig.last_seen_us,
        }
    }
}
