//! The clip manifest: which frames there were, and when.

use super::{ClipNumber, Origin, RecordedSegment, Sha256Hex};
use crate::time::{CaptureTime, FrameIndex};
use serde::{Deserialize, Serialize};

/// Most frames in one manifest part.
pub const MAX_PART_FRAMES: usize = 240;

/// Most changes of [`Shed`] in one manifest part.
pub const MAX_SHED_CHANGES: usize = 16;

/// How far the wall clock can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockState {
    /// Not set since power-on: dates mean nothing.
    Unsynced,
    /// Read from a battery-backed clock.
    Rtc,
    /// Disciplined by NTP.
    Ntp,
    /// Disciplined by PTP.
    Ptp,
    /// Re-dated after the fact.
    Corrected,
}

/// The first message of a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipOpened {
    /// File name without folder, or the camera's name.
    pub name: heapless::String<128>,
    /// Width of a decoded, upright frame in pixels.
    pub width: u32,
    /// Height of a decoded, upright frame in pixels.
    pub height: u32,
    /// What the container or camera claims, frames a second; absent where it claims nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal_fps: Option<f32>,
    /// Codec or pixel format as the decoder names it.
    pub codec: heapless::String<24>,
    /// Monotonic time of the rig at opening.
    pub mono_us: i64,
    /// UTC at opening, microseconds since 1970.
    pub utc_us: i64,
    /// How far `utc_us` can be trusted.
    pub clock: ClockState,
}

/// `count` frames were lost just before `before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedFrames {
    /// First frame after the loss.
    pub before: FrameIndex,
    /// Frames lost.
    pub count: u32,
}

/// What the rig leaves out to stay cool and in time; each step leaves out what the one before did as well. The timing of
/// blinks goes last: where frames are left out, what cannot be told for want of them is abstained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shed {
    /// Everything is looked at.
    #[default]
    Nothing,
    /// Glasses, shade, what covers the face, and quality of the picture are not looked at, and no key pictures are made.
    Attributes,
    /// Person boxes neither.
    PersonBox,
    /// Every second frame is looked at.
    HalfRate,
    /// Every fourth frame is looked at.
    QuarterRate,
}

impl Shed {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Attributes => "attributes",
            Self::PersonBox => "person-box",
            Self::HalfRate => "half-rate",
            Self::QuarterRate => "quarter-rate",
        }
    }

    /// Whether everything is looked at.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde's skip_serializing_if hands a reference"
    )]
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// From frame `before` on, `shed` holds. A clip begins with [`Shed::Nothing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShedChange {
    /// First frame after the change.
    pub before: FrameIndex,
    /// What is left out from there on.
    pub shed: Shed,
}

/// The driver or operator pressed the button: something worth a look happened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorMark {
    /// The last frame that was looked at when the button went down.
    pub frame: FrameIndex,
    /// Presentation time of that frame.
    pub pts_us: CaptureTime,
    /// Monotonic time of the rig at the press.
    pub mono_us: i64,
    /// UTC at the press, microseconds since 1970.
    pub utc_us: i64,
    /// How far `utc_us` can be trusted.
    pub clock: ClockState,
}

/// Times of successive frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestPart {
    /// Index of the first frame of this part.
    pub first: FrameIndex,
    /// Presentation time of each frame.
    pub pts_us: heapless::Vec<CaptureTime, MAX_PART_FRAMES>,
    /// Monotonic capture time of each frame; empty for files, which have none.
    #[serde(default, skip_serializing_if = "heapless::Vec::is_empty")]
    pub mono_us: heapless::Vec<i64, MAX_PART_FRAMES>,
    /// Frames of this part that show the same picture as the frame before.
    #[serde(default, skip_serializing_if = "heapless::Vec::is_empty")]
    pub repeats: heapless::Vec<FrameIndex, MAX_PART_FRAMES>,
    /// Frames lost before they reached the decoder or the models.
    #[serde(default, skip_serializing_if = "heapless::Vec::is_empty")]
    pub dropped: heapless::Vec<DroppedFrames, 32>,
    /// Where the rig began to leave out more or less; before the first change holds what held in the part before.
    #[serde(default, skip_serializing_if = "heapless::Vec::is_empty")]
    pub shed: heapless::Vec<ShedChange, MAX_SHED_CHANGES>,
}

/// Labels made of a clip, so that the host can see whether it has them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCounts {
    /// Candidates.
    pub offered: u64,
    /// Abstentions.
    pub abstained: u64,
    /// Evidence messages.
    pub evidence: u64,
}

/// The last message of a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipClosed {
    /// Decoded frames.
    pub frames: u32,
    /// Of these, repeats of the frame before.
    pub repeated: u32,
    /// Frames lost.
    pub dropped: u32,
    /// Digest of the media file; absent where the clip is not a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Hex>,
    /// What was wrong with the media, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<heapless::String<200>>,
    /// Labels made.
    pub labels: LabelCounts,
}

/// What is said of a clip.
// The largest variant is a part, and parts are the usual case.
#[expect(
    clippy::large_enum_variant,
    reason = "no allocator to box with; one is alive at a time"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClipEvent {
    /// It begins.
    Opened(ClipOpened),
    /// Some of its frames.
    Part(ManifestPart),
    /// Somebody at the rig marked a moment of it.
    OperatorMark(OperatorMark),
    /// Some of its pictures are recorded on the rig.
    Recorded(RecordedSegment),
    /// It ended.
    Closed(ClipClosed),
}

/// A message about a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipMessage {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// Who says it.
    pub from: Origin,
    /// The clip.
    pub clip: ClipNumber,
    /// What is said.
    pub event: ClipEvent,
}
