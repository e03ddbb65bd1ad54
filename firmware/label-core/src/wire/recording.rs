//! What a rig records of its own pictures.
//!
//! A recording is segments: a media file of JPEG pictures one after the other, and an index of JSON lines beside it, one
//! [`IndexLine`] each: the head, a line a picture, the end. A segment without its end was cut off. Pictures are of frames
//! that went through the line; a frame that has no line was not recorded.

use super::{ClipNumber, Sha256Hex};
use crate::id::{BootId, Name};
use crate::{CaptureTime, FrameIndex};
use serde::{Deserialize, Serialize};

/// Longest picture in a recording, bytes: no camera's is.
pub const MAX_RECORDED_PICTURE_BYTES: u32 = 16 << 20;

/// The first line of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHead {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The rig.
    pub rig: Name,
    /// The run of its firmware.
    pub boot: BootId,
    /// The clip.
    pub clip: ClipNumber,
    /// Number within the clip: 0, 1, 2 …
    pub segment: u32,
    /// Width of a frame in pixels, as labels count them; the camera's own picture may be larger by one factor.
    pub width: u32,
    /// Height of a frame in pixels.
    pub height: u32,
}

/// One picture of the media file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFrame {
    /// Index of the frame in its clip.
    pub frame: FrameIndex,
    /// Presentation time, as in the clip's manifest.
    pub pts_us: CaptureTime,
    /// Monotonic capture time; absent where the source tells none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mono_us: Option<i64>,
    /// Where in the media file its picture begins.
    pub offset: u64,
    /// Length of its picture.
    pub bytes: u32,
    /// CRC-32 (IEEE) of its picture.
    pub crc32: u32,
    /// Whether it shows the same picture as the frame before.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub repeat: bool,
    /// Frames lost just before it, as in the clip's manifest.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u32,
}

/// A segment that is whole; also the clip event by which the host hears of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSegment {
    /// The run in which it was recorded; it may be an earlier one than the message's.
    pub boot: BootId,
    /// Number within the clip.
    pub segment: u32,
    /// First and last frame of which it has a picture.
    pub frames: (FrameIndex, FrameIndex),
    /// Pictures in it; fewer than the frames from first to last where some were not recorded.
    pub pictures: u32,
    /// Length of the media file.
    pub bytes: u64,
    /// Digest of the media file.
    pub sha256: Sha256Hex,
    /// Whether it was cut off, and set right at the next start.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub torn: bool,
}

/// One line of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexLine {
    /// The first.
    Head(SegmentHead),
    /// One a picture.
    Frame(RecordedFrame),
    /// The last.
    End(RecordedSegment),
}

/// The recording as health tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingHealth {
    /// Segments on disk, those of earlier boots included.
    pub segments: u32,
    /// Bytes of their media and indexes.
    pub bytes: u64,
    /// Pictures recorded since the boot.
    pub pictures: u64,
    /// Frames labelled and not recorded since the boot: the disk was full or slow, or the camera sent no picture.
    pub missed: u64,
    /// Segments deleted since the boot, the oldest first, for their age or for want of room.
    pub discarded: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}
