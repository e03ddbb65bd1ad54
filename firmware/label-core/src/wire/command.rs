//! What the desk asks a rig for, and what the rig answers.
//!
//! A command is published on its own topic with MQTT 5's response topic, which must be the rig's own [`super::Topic::Reply`],
//! and correlation data of at most [`MAX_CORRELATION_BYTES`], drawn anew for each. The answer repeats the correlation data.
//! It is the four bytes [`REPLY_MAGIC`], the length of the header as a little-endian 32-bit number, a [`Reply`], and what it
//! announces. Answers are not durable: whoever misses one asks again, for what is still missing.

use super::{ClipNumber, KeyPicture, Sha256Hex};
use crate::id::{BootId, Name};
use crate::{CaptureTime, FrameIndex};
use serde::{Deserialize, Serialize};

/// What an answer begins with.
pub const REPLY_MAGIC: [u8; 4] = *b"RGR1";
/// No command is longer.
pub const MAX_COMMAND_BYTES: usize = 512;
/// No correlation data are longer.
pub const MAX_CORRELATION_BYTES: usize = 32;
/// Frames that one command may ask for.
pub const MAX_ASKED_FRAMES: usize = 300;
/// Pictures of one command together are no longer than this.
pub const MAX_ASKED_BYTES: u64 = 64 << 20;
/// Bytes of pictures in one answer, at most.
pub const MAX_CHUNK_BYTES: usize = 48 * 1024;
/// No answer is longer.
pub const MAX_REPLY_BYTES: usize = MAX_CHUNK_BYTES + 32 * 1024;

/// `cmd/picture`: a picture of the frame that is labelled next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskPicture {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The run that is asked; another refuses.
    pub boot: BootId,
}

/// `cmd/frames`: the recorded pictures of a range of frames, one after the other as recorded, from a byte of them on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskFrames {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The run that is asked; another refuses.
    pub boot: BootId,
    /// The clip, by the run in which it was recorded.
    pub of: (BootId, ClipNumber),
    /// First and last frame.
    pub frames: (FrameIndex, FrameIndex),
    /// Bytes that the desk has already.
    pub offset: u64,
}

/// `cmd/purge`: the recorded pictures of a clip are to be deleted: all segments, or those with a picture of these frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskPurge {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The run that is asked; another refuses.
    pub boot: BootId,
    /// The clip, by the run in which it was recorded.
    pub of: (BootId, ClipNumber),
    /// First and last frame; absent: the whole clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<(FrameIndex, FrameIndex)>,
}

/// What was deleted; nothing of what was asked for is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgedRecording {
    /// Segments that were deleted now; asked a second time, there are none.
    pub segments: u32,
}

/// Why a rig does not give what it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedBecause {
    /// It cannot be read, or asks for nothing that there can be.
    Malformed,
    /// It is longer than [`MAX_COMMAND_BYTES`].
    TooLong,
    /// Another version of the wire.
    Version,
    /// It asks a run that is over.
    OtherBoot,
    /// Its correlation data came before, or the broker kept it.
    Replayed,
    /// Others wait already; or what is to be deleted is still being written.
    Busy,
    /// No frame was labelled meanwhile: the camera is off or gives none.
    NoFrame,
    /// The rig records nothing, or has nothing of these frames: never recorded, not ended yet, or deleted for its age or for want of room.
    NotRecorded,
    /// More than [`MAX_ASKED_FRAMES`] or [`MAX_ASKED_BYTES`].
    TooMuch,
    /// The rig's disk did not give it; its log says more.
    Disk,
}

impl RefusedBecause {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too-long",
            Self::Version => "version",
            Self::OtherBoot => "other-boot",
            Self::Replayed => "replayed",
            Self::Busy => "busy",
            Self::NoFrame => "no-frame",
            Self::NotRecorded => "not-recorded",
            Self::TooMuch => "too-much",
            Self::Disk => "disk",
        }
    }
}

/// A fresh picture; its JPEG follows the header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedPicture {
    /// The clip in progress.
    pub clip: ClipNumber,
    /// What it shows.
    pub picture: KeyPicture,
}

/// A part of the pictures asked for; `length` bytes of them follow the header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// All pictures asked for, together.
    pub bytes: u64,
    /// Digest of all of them.
    pub sha256: Sha256Hex,
    /// Where among them this part begins.
    pub offset: u64,
    /// In the part that begins at 0: frame, presentation time and length of each picture, in order. Frames of the range that are not
    /// among them were not recorded.
    #[serde(default, skip_serializing_if = "heapless::Vec::is_empty")]
    pub pictures: heapless::Vec<(FrameIndex, CaptureTime, u32), MAX_ASKED_FRAMES>,
}

/// What a rig answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "no allocator to box with; one is alive at a time"
)]
pub enum Answer {
    /// A fresh picture.
    Picture(AskedPicture),
    /// A part of what was recorded.
    Chunk(Chunk),
    /// It is deleted.
    Purged(PurgedRecording),
    /// Nothing, for a reason.
    Refused(RefusedBecause),
}

/// The header of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The rig.
    pub rig: Name,
    /// The run that answers.
    pub boot: BootId,
    /// The answer.
    pub answer: Answer,
}

/// Commands since the boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandCounters {
    /// Answered with what was asked for.
    pub answered: u64,
    /// Refused.
    pub refused: u64,
}

/// Header and data of an answer; `None` where it is none.
pub fn split_reply(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = message.strip_prefix(&REPLY_MAGIC)?;
    let (length, rest) = rest.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
