//! The message contract, version 1: what is said on which topic.
//!
//! The rig writes with `serde-json-core` into a buffer of known size; the host reads with `serde_json`. Both use the
//! types of this module. `tests/wire_v1` pins the bytes: **if it fails, the code is wrong, not the test.**
//!
//! # Compatibility
//!
//! * Every message carries `v`. A reader refuses a `v` it does not know and keeps the message aside.
//! * Within a version fields may be added; readers ignore fields they do not know, and every field added later is
//!   optional. Nothing is renamed or removed within a version.
//! * New words may be added too (a clip event, a reason, a camera state). A reader that does not know the word of a numbered
//!   message keeps the message aside, counts its number and goes on; so hosts are updated before rigs.
//! * Free text goes out only: the rig reads no text from the host, because `serde-json-core` does not unescape.
//!
//! # Order and delivery
//!
//! Clip, label, evidence and evicted messages share one gap-free `seq` a boot and are kept on the rig until the host
//! says in [`Ack`] that it has committed them. Replay is harmless: (rig, boot, seq) names a message for good.

mod clip;
mod command;
mod evidence;
mod label;
mod policy;
mod recording;
mod state;

pub use clip::{
    ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState, DroppedFrames, LabelCounts,
    MAX_PART_FRAMES, MAX_SHED_CHANGES, ManifestPart, OperatorMark, Shed, ShedChange,
};
pub use command::{
    Answer, AskFrames, AskPicture, AskPurge, AskedPicture, Chunk, CommandCounters, MAX_ASKED_BYTES,
    MAX_ASKED_FRAMES, MAX_CHUNK_BYTES, MAX_COMMAND_BYTES, MAX_CORRELATION_BYTES, MAX_REPLY_BYTES,
    PurgedRecording, REPLY_MAGIC, RefusedBecause, Reply, split_reply,
};
pub use evidence::{
    EVIDENCE_MAGIC, EvidenceError, EvidenceHeader, KeyPicture, MAX_CURVE_POINTS, MAX_PICTURE_BYTES,
    MAX_PICTURE_SIDE, MAX_STRIP_COLUMNS, PictureHeader, picture_size, split_evidence,
};
pub use label::{
    BoxKeyframe, Decision, EventEyes, EventValue, Label, LabelBatch, LabelValue, MAX_KEYFRAMES,
    MAX_LABELS, MAX_MODELS, ModelRef, PointKeyframe, Sha256Hex, Signs,
};
pub use policy::{KindPolicy, Policy, PolicyMode};
pub use recording::{
    IndexLine, MAX_RECORDED_PICTURE_BYTES, RecordedFrame, RecordedSegment, RecordingHealth,
    SegmentHead,
};
pub use state::{
    Ack, Birth, CameraHealth, CameraState, Counters, Evicted, FrameCounters, Health, OutboxState,
    Power, QuietShare, SceneHealth, StageTime, Status,
};

use crate::id::{BootId, Name, Seq};
use serde::Serialize;

/// Version written in every message.
pub const WIRE_VERSION: u8 = 1;

/// No message but evidence is longer than this many bytes.
pub const MAX_MESSAGE_BYTES: usize = 96 * 1024;

/// No evidence message is longer than this many bytes.
pub const MAX_EVIDENCE_BYTES: usize = 256 * 1024;

/// Number of a clip within a boot: 1, 2, 3 … A clip is known everywhere as (rig, boot, clip).
pub type ClipNumber = u32;

/// The first level of every topic.
pub const TOPIC_ROOT: &str = "rigel/v1";

/// What stands before the topic of a rig's messages and after its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Retained, last will: [`Status`].
    Status,
    /// Retained: [`Birth`].
    Birth,
    /// Quality of service 0, every 10 s: [`Health`].
    Health,
    /// [`ClipMessage`].
    Clip,
    /// [`LabelBatch`].
    Label,
    /// Binary: an [`EvidenceHeader`] or a [`PictureHeader`], and a JPEG.
    Evidence,
    /// [`Evicted`].
    Evicted,
    /// Retained, host to rig: [`Ack`].
    Ack,
    /// Retained, host to rig: [`Policy`].
    Policy,
    /// Host to rig: [`AskPicture`].
    AskPicture,
    /// Host to rig: [`AskFrames`].
    AskFrames,
    /// Host to rig: [`AskPurge`].
    AskPurge,
    /// Binary, rig to host: a [`Reply`], and what it announces.
    Reply,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 13] = [
        Self::Status,
        Self::Birth,
        Self::Health,
        Self::Clip,
        Self::Label,
        Self::Evidence,
        Self::Evicted,
        Self::Ack,
        Self::Policy,
        Self::AskPicture,
        Self::AskFrames,
        Self::AskPurge,
        Self::Reply,
    ];

    /// What stands after the rig's name: one level, or two of a command.
    pub const fn leaf(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Birth => "birth",
            Self::Health => "health",
            Self::Clip => "clip",
            Self::Label => "label",
            Self::Evidence => "evidence",
            Self::Evicted => "evicted",
            Self::Ack => "ack",
            Self::Policy => "policy",
            Self::AskPicture => "cmd/picture",
            Self::AskFrames => "cmd/frames",
            Self::AskPurge => "cmd/purge",
            Self::Reply => "reply",
        }
    }

    /// The topic with this last level.
    pub fn from_leaf(leaf: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.leaf() == leaf)
    }

    /// Whether rigs write to this topic; to the others the host does.
    pub const fn is_from_rig(self) -> bool {
        !matches!(
            self,
            Self::Ack | Self::Policy | Self::AskPicture | Self::AskFrames | Self::AskPurge
        )
    }

    /// Whether messages of this topic are numbered and kept until the host has committed them.
    pub const fn is_durable(self) -> bool {
        matches!(
            self,
            Self::Clip | Self::Label | Self::Evidence | Self::Evicted
        )
    }
}

/// The longest topic: root, two names and a leaf.
pub const MAX_TOPIC_BYTES: usize = 128;

/// The topic `rigel/v1/<site>/<rig>/<leaf>`.
///
/// # Panics
///
/// Never: [`MAX_TOPIC_BYTES`] holds the longest names.
pub fn topic(site: &Name, rig: &Name, leaf: Topic) -> heapless::String<MAX_TOPIC_BYTES> {
    use core::fmt::Write;
    let mut out = heapless::String::new();
    write!(out, "{TOPIC_ROOT}/{site}/{rig}/{}", leaf.leaf())
        .expect("two names and a leaf fit by their lengths");
    out
}

/// Splits a topic of this contract into site, rig and leaf.
pub fn split_topic(topic: &str) -> Option<(&str, &str, Topic)> {
    let mut levels = topic
        .strip_prefix(TOPIC_ROOT)?
        .strip_prefix('/')?
        .splitn(3, '/');
    let (site, rig, leaf) = (
        levels.next()?,
        levels.next()?,
        Topic::from_leaf(levels.next()?)?,
    );
    (!site.is_empty() && !rig.is_empty()).then_some((site, rig, leaf))
}

/// Why a name cannot be a level of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing in it.
    #[error("the name is empty")]
    Empty,
    /// Longer than [`crate::id::MAX_NAME_BYTES`].
    #[error("the name is longer than {} bytes", crate::id::MAX_NAME_BYTES)]
    TooLong,
    /// Anything but ASCII letters, digits, `-`, `_` and `.`.
    #[error("the name holds {0:?}; allowed are ASCII letters, digits, '-', '_' and '.'")]
    Character(char),
}

/// A site or rig name that is safe in topics, file names and addresses.
pub fn parse_name(text: &str) -> Result<Name, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some(bad) = text
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
    {
        return Err(NameError::Character(bad));
    }
    Name::try_from(text).map_err(|_| NameError::TooLong)
}

/// Who says it: the head of every message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Origin {
    /// The rig.
    pub rig: Name,
    /// The run of its firmware.
    pub boot: BootId,
    /// Position among the durable messages of this boot.
    pub seq: Seq,
}

/// A message did not fit its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message does not fit {capacity} bytes")]
pub struct EncodeError {
    /// Size of the buffer offered.
    pub capacity: usize,
}

/// Writes a message as JSON and returns how many bytes it took.
pub fn encode(message: &impl Serialize, into: &mut [u8]) -> Result<usize, EncodeError> {
    let capacity = into.len();
    serde_json_core::to_slice(message, into).map_err(|_| EncodeError { capacity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_built_and_split_alike() {
        let (site, rig) = (parse_name("north").unwrap(), parse_name("rig-07").unwrap());
        for leaf in Topic::ALL {
            let text = topic(&site, &rig, leaf);
            assert_eq!(split_topic(&text), Some(("north", "rig-07", leaf)));
        }
        for bad in [
            "rigel/v1/north/rig-07",
            "rigel/v1/north/rig-07/label/x",
            "rigel/v2/a/b/label",
            "rigel/v1//b/label",
        ] {
            assert_eq!(split_topic(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_that_would_break_a_topic_are_refused() {
        assert_eq!(parse_name(""), Err(NameError::Empty));
        assert_eq!(parse_name("a/b"), Err(NameError::Character('/')));
        assert_eq!(parse_name("a+"), Err(NameError::Character('+')));
        assert_eq!(parse_name(&"x".repeat(49)), Err(NameError::TooLong));
    }
}
