//! A message as ingest hands it over: checked, but as it came.

use label_core::id::Name;
use label_core::wire::{
    Birth, ClipMessage, Evicted, EvidenceHeader, Health, Label, LabelBatch, MAX_LABELS, MAX_MODELS,
    ModelRef, PictureHeader, Status, Topic,
};
use label_core::{BootId, Seq};

/// One message from a rig.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The whole topic, as received.
    pub topic: String,
    /// When it was received.
    pub received_us: i64,
    /// The bytes, as received.
    pub payload: Vec<u8>,
    /// What they say.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// About a clip.
    Clip {
        /// Of which site.
        site: Name,
        /// The message.
        message: Box<ClipMessage>,
    },
    /// Labels.
    Labels {
        /// Of which site.
        site: Name,
        /// The message.
        batch:
            Box<LabelBatch<heapless::Vec<ModelRef, MAX_MODELS>, heapless::Vec<Label, MAX_LABELS>>>,
    },
    /// A filmstrip: its JPEG is the payload from `jpeg_at` on.
    Evidence {
        /// Of which site.
        site: Name,
        /// What stands before the picture.
        header: Box<EvidenceHeader>,
        /// Where in the payload the picture begins.
        jpeg_at: usize,
    },
    /// A key picture: its JPEG is the payload from `jpeg_at` on.
    Picture {
        /// Of which site.
        site: Name,
        /// What stands before the picture.
        header: Box<PictureHeader>,
        /// Where in the payload the picture begins.
        jpeg_at: usize,
    },
    /// Messages given up.
    Evicted {
        /// Of which site.
        site: Name,
        /// The message.
        message: Evicted,
    },
    /// Who is there.
    Status {
        /// Of which site.
        site: Name,
        /// The message.
        message: Status,
    },
    /// What the rig is.
    Birth {
        /// Of which site.
        site: Name,
        /// The message.
        message: Box<Birth<heapless::Vec<ModelRef, MAX_MODELS>>>,
    },
    /// How the rig fares.
    Health {
        /// Of which site.
        site: Name,
        /// The message.
        message: Box<Health>,
    },
    /// Not usable: it goes to the quarantine.
    Refused(Refusal),
}

/// Why a message is kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusalReason {
    /// The topic is none of ours.
    Topic,
    /// Longer than a message of its topic may be.
    TooLong,
    /// Not what the wire format says.
    Malformed,
    /// A version this host does not know. It does not count as received, so the rig keeps it.
    Version,
    /// The payload names another rig than the topic.
    WrongRig,
    /// Well formed, but it cannot be true: a frame outside its range, a confidence of 7, text with control characters.
    OutOfRange,
    /// Another message of this name was committed before.
    Conflict,
}

impl Incoming {
    /// The rig that it is of, where it says so.
    pub(crate) fn rig(&self) -> Option<&Name> {
        Some(match &self.content {
            Content::Clip { message, .. } => &message.from.rig,
            Content::Labels { batch, .. } => &batch.from.rig,
            Content::Evidence { header, .. } => &header.from.rig,
            Content::Picture { header, .. } => &header.from.rig,
            Content::Evicted { message, .. } => &message.from.rig,
            Content::Status { message, .. } => &message.rig,
            Content::Birth { message, .. } => &message.rig,
            Content::Health { message, .. } => &message.rig,
            Content::Refused(refusal) => return refusal.named.as_ref().map(|named| &named.rig),
        })
    }
}

impl RefusalReason {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::TooLong => "too-long",
            Self::Malformed => "malformed",
            Self::Version => "version",
            Self::WrongRig => "wrong-rig",
            Self::OutOfRange => "out-of-range",
            Self::Conflict => "conflict",
        }
    }
}

/// A message that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The class of trouble.
    pub reason: RefusalReason,
    /// The trouble in words.
    pub detail: String,
    /// Where the rig, the boot and the seq are beyond doubt and the version is known: it is kept in full in the
    /// quarantine and counts as received, since sending it again would change nothing.
    pub named: Option<Box<NamedMessage>>,
}

/// The name of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedMessage {
    /// The site.
    pub site: Name,
    /// The rig.
    pub rig: Name,
    /// The run of its firmware.
    pub boot: BootId,
    /// Position in the boot.
    pub seq: Seq,
    /// Its topic.
    pub topic: Topic,
}
