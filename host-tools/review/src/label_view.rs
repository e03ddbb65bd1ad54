//! A label as JSON: what a rig or a person said, and what was said of it.

use label_core::wire::{EventValue, LabelValue, Signs};
use label_core::{CaptureTime, FrameRange, TrackId};
use label_store::{
    Condition, Correction, LabelDetail, QueueItem, ReviewState, StoredLabel, StoredModel,
    clip_id_text, label_key_text,
};
use quality::DeskValue;
use serde::Serialize;

/// A label.
#[derive(Serialize)]
pub(crate) struct LabelView {
    id: String,
    clip: String,
    kind: &'static str,
    track: Option<TrackId>,
    driver: bool,
    frames: FrameRange,
    pts_us: (CaptureTime, CaptureTime),
    confidence: Option<f32>,
    raw: Option<f32>,
    model: Option<StoredModel>,
    value: Option<DeskValue>,
    /// The value once more, of events.
    event: Option<EventValue>,
    signs: Option<Signs>,
    state: Option<&'static str>,
    correction: Option<Box<Correction>>,
    made_by: Option<String>,
    conditions: Vec<&'static str>,
    gain: f64,
    cause: Option<String>,
    has_evidence: bool,
}

impl LabelView {
    fn new(label: StoredLabel, evidence: u32) -> Self {
        Self {
            id: label_key_text(&label.id),
            clip: clip_id_text(&label.clip),
            kind: label.kind.name(),
            track: label.track,
            driver: label.driver,
            frames: label.frames,
            pts_us: label.pts_us,
            confidence: label.confidence,
            raw: label.raw,
            model: label.model,
            event: match label.value {
                Some(DeskValue::Offered(LabelValue::Event(event))) => Some(event),
                _ => None,
            },
            value: label.value,
            signs: label.signs,
            state: label.state.map(ReviewState::name),
            correction: label.correction,
            made_by: label.made_by,
            conditions: label.conditions.into_iter().map(Condition::name).collect(),
            gain: label.gain,
            cause: None,
            has_evidence: evidence > 0,
        }
    }
}

impl From<QueueItem> for LabelView {
    fn from(item: QueueItem) -> Self {
        Self::new(item.label, item.evidence)
    }
}

/// A label with its history.
#[derive(Serialize)]
pub(crate) struct LabelDetailView {
    #[serde(flatten)]
    label: LabelView,
    verdicts: Vec<VerdictView>,
}

#[derive(Serialize)]
struct VerdictView {
    verdict: i64,
    judgement: &'static str,
    cause: Option<String>,
    correction: Option<Box<Correction>>,
    reviewer: String,
    at_us: i64,
    spent_ms: u64,
    replaces: Option<i64>,
    batch: Option<String>,
}

impl From<LabelDetail> for LabelDetailView {
    fn from(detail: LabelDetail) -> Self {
        let standing = detail.label.standing;
        let mut label = LabelView::new(detail.label, detail.evidence);
        label.cause = detail
            .verdicts
            .iter()
            .find(|verdict| Some(verdict.verdict) == standing)
            .and_then(|verdict| verdict.cause.clone());
        Self {
            label,
            verdicts: detail
                .verdicts
                .into_iter()
                .map(|verdict| VerdictView {
                    verdict: verdict.verdict,
                    judgement: verdict.judgement.name(),
                    cause: verdict.cause,
                    correction: verdict.correction,
                    reviewer: verdict.reviewer,
                    at_us: verdict.at_us,
                    spent_ms: verdict.spent_ms,
                    replaces: verdict.replaces,
                    batch: verdict.batch.map(|batch| batch.to_string()),
                })
                .collect(),
        }
    }
}
