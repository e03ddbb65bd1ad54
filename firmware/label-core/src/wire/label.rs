//! Label batches: candidates and abstentions.

use super::{ClipNumber, Origin, WIRE_VERSION};
use crate::confidence::Confidence;
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind};
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use serde::{Deserialize, Serialize};

/// Most labels in one message.
pub const MAX_LABELS: usize = 8;

/// Most models in one message.
pub const MAX_MODELS: usize = 24;

/// Most keyframes in one label; a longer track travels as several labels whose frame ranges follow each other.
pub const MAX_KEYFRAMES: usize = 128;

/// A SHA-256 in lower-case hexadecimal.
pub type Sha256Hex = heapless::String<64>;

/// Which model a label came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// Name of the model card.
    pub name: heapless::String<48>,
    /// Version of the card.
    pub version: heapless::String<24>,
    /// Digest of the model file, or of the fitted numbers.
    pub sha256: Sha256Hex,
}

/// What a batch says of one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Offered: a value with a confidence.
    Candidate,
    /// Not offered: a reason.
    Abstain,
}

/// frame, x, y, width, height (source pixels, rounded to 0.01), confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoxKeyframe(pub FrameIndex, pub f32, pub f32, pub f32, pub f32, pub f32);

/// frame, x, y (source pixels, rounded to 0.01), confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointKeyframe(pub FrameIndex, pub f32, pub f32, pub f32);

/// Which eyes an event was seen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventEyes {
    /// Both.
    Both,
    /// The subject's left; the other was not looked at.
    Left,
    /// The subject's right; the other was not looked at.
    Right,
}

/// What is known of a blink or a long closure beside its frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventValue {
    /// The eyes it was seen on.
    pub eyes: EventEyes,
    /// Frame of the smallest opening.
    pub peak: FrameIndex,
    /// Smallest opening as a share of the person's open eye (1 = as open as usual, 0 = shut).
    pub opening: f32,
}

/// What a level of alertness rests on: the minute that ends with the label's last frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// Seconds in which an eye was judged.
    pub seen_s: f32,
    /// Share of these with slowly shut eyes; blinks do not count.
    pub perclos: f32,
    /// Longest time for which the eyes were shut, seconds.
    pub longest_closure_s: f32,
    /// Closures of half a second or more.
    pub closures: u16,
    /// Blinks.
    pub blinks: u16,
    /// Their mean length in seconds; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blink_s: Option<f32>,
    /// That length over the person's usual one; absent where too few blinks are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blink_ratio: Option<f32>,
    /// Yawns.
    pub yawns: u16,
    /// Fast nods of the head.
    pub nods: u16,
}

impl Signs {
    /// With numbers that are short on the wire.
    #[must_use]
    pub fn rounded(self) -> Self {
        let round = |value: f32, scale: f32| libm::roundf(value * scale) / scale;
        Self {
            seen_s: round(self.seen_s, 10.0),
            perclos: round(self.perclos, 1e4),
            longest_closure_s: round(self.longest_closure_s, 100.0),
            blink_s: self.blink_s.map(|value| round(value, 1e3)),
            blink_ratio: self.blink_ratio.map(|value| round(value, 100.0)),
            ..self
        }
    }
}

/// The value of a candidate.
#[expect(
    clippy::large_enum_variant,
    reason = "no allocator to box with; tracks are most of what is sent"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelValue {
    /// A box track; between keyframes the box is interpolated linearly in the frame index.
    Boxes(heapless::Vec<BoxKeyframe, MAX_KEYFRAMES>),
    /// A point track, likewise.
    Points(heapless::Vec<PointKeyframe, MAX_KEYFRAMES>),
    /// Yes or no over the frames.
    Flag(bool),
    /// 1 to 5 over the frames.
    Level(u8),
    /// The frames are the value.
    Event(EventValue),
}

/// A candidate or an abstention. Its identity is (rig, boot, seq of the batch, `n`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Place in the batch, from 0.
    pub n: u16,
    /// Kind of label.
    pub kind: LabelKind,
    /// The person; absent for the scene, and where nobody is in view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<TrackId>,
    /// Frames it holds for.
    pub frames: FrameRange,
    /// Presentation time of the first and the last of these frames.
    pub pts_us: (CaptureTime, CaptureTime),
    /// Value or silence.
    pub decision: Decision,
    /// Why silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<AbstainReason>,
    /// Probability that a reviewer accepts it unchanged; for a track the mean over its frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Score before calibration, for recalibration later; its meaning is the model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<f32>,
    /// Index into the batch's `models`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<u8>,
    /// What is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
    /// What a level of alertness rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs: Option<Signs>,
    /// The track was the driver's when this was told.
    #[serde(default, skip_serializing_if = "is_not")]
    pub driver: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands a reference"
)]
const fn is_not(flag: &bool) -> bool {
    !*flag
}

/// Labels of one clip. `L` and `M` are slices on the rig and vectors on the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelBatch<M, L> {
    /// [`WIRE_VERSION`].
    pub v: u8,
    /// Who says it.
    pub from: Origin,
    /// The clip.
    pub clip: ClipNumber,
    /// Models that the labels refer to.
    pub models: M,
    /// The labels.
    pub labels: L,
}

impl<M, L> LabelBatch<M, L> {
    /// A batch of this version.
    pub const fn new(from: Origin, clip: ClipNumber, models: M, labels: L) -> Self {
        Self {
            v: WIRE_VERSION,
            from,
            clip,
            models,
            labels,
        }
    }
}
