//! What the API says of a rig.

use label_core::wire::{Birth, CameraHealth, ClockState, Health, ModelRef, Shed};
use label_store::RigSummary;
use serde::Serialize;

/// A rig, as it was heard last.
#[derive(Serialize)]
pub(crate) struct RigView {
    rig: String,
    site: String,
    link: String,
    last_seen_us: i64,
    /// What its last check of itself said, from its birth message.
    self_test: Option<String>,
    health: Option<HealthView>,
}

/// What of a rig's health concerns whoever looks at its labels.
#[derive(Serialize)]
struct HealthView {
    clock: ClockState,
    temperature_c: Option<f32>,
    throttled: Option<bool>,
    shed: Shed,
    latency_ms: Option<f32>,
    camera: Option<CameraHealth>,
}

impl From<RigSummary> for RigView {
    fn from(rig: RigSummary) -> Self {
        // Kept as they were understood when they came; what a later version asks more of them may be missing.
        let birth: Option<Birth<Vec<ModelRef>>> = rig.birth.and_then(understood);
        let health: Option<Health> = rig.health.and_then(understood);
        let born = birth.as_ref().map(|birth| birth.boot);
        // After a restart, until the rig has told it anew, it is another run's.
        let health = health.filter(|health| born.is_none_or(|boot| boot == health.boot));
        Self {
            rig: rig.rig.as_str().to_owned(),
            site: rig.site,
            link: rig.power.unwrap_or_else(|| "unknown".to_owned()),
            last_seen_us: rig.last_seen_us,
            self_test: birth
                .and_then(|birth| birth.self_test)
                .map(|line| line.as_str().to_owned()),
            health: health.map(|health| HealthView {
                clock: health.clock,
                temperature_c: health.temperature_c,
                throttled: health.throttled,
                shed: health.shed,
                latency_ms: health.latency_ms,
                camera: health.camera,
            }),
        }
    }
}

fn understood<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> Option<T> {
    serde_json::from_value(json).ok()
}
