//! Labels and clips as stored.

use crate::condition::Condition;
use crate::key::LabelKey;
use crate::verdict::Correction;
use ::quality::{DeskKind, DeskValue};
use label_core::id::Name;
use label_core::wire::{ClipNumber, Signs};
use label_core::{AbstainReason, BootId, CaptureTime, FrameRange, TrackId};
use serde::{Deserialize, Serialize};

/// A clip's identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClipId {
    /// The rig.
    pub rig: Name,
    /// The run of its firmware.
    pub boot: BootId,
    /// Number of the clip in that run.
    pub clip: ClipNumber,
}

/// Where a label stands in review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewState {
    /// Drawn to be answered before anybody sees it. Only lists that ask for it show it.
    Blind,
    /// Nobody has judged it, or the verdict was withdrawn.
    Waiting,
    /// Right as it was.
    Accepted,
    /// Right after a change.
    Corrected,
    /// Wrong.
    Rejected,
    /// A person made it, and it stands as made.
    Created,
    /// A person made it and took that back. Only lists that ask for it show it.
    Removed,
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Blind,
        Self::Waiting,
        Self::Accepted,
        Self::Corrected,
        Self::Rejected,
        Self::Created,
        Self::Removed,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Corrected => "corrected",
            Self::Rejected => "rejected",
            Self::Created => "created",
            Self::Removed => "removed",
        }
    }

    /// The state of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Who offers a label, if anybody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredDecision {
    /// The rig offers a value.
    Candidate,
    /// The rig does not, for a reason.
    Abstain,
    /// A person made it.
    Made,
}

/// The model a label came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredModel {
    /// Name of the model card.
    pub name: String,
    /// Version of the card.
    pub version: String,
    /// Digest of the model file.
    pub sha256: String,
}

/// A candidate or an abstention as it came from the rig, or a label as a person made it. Verdicts never change that;
/// what they derive stands in the last fields.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredLabel {
    /// Its identity.
    pub id: LabelKey,
    /// The clip.
    pub clip: ClipId,
    /// Kind of label.
    pub kind: DeskKind,
    /// The person; absent for the scene.
    pub track: Option<TrackId>,
    /// Frames it holds for.
    pub frames: FrameRange,
    /// Presentation time of the first and the last of these frames.
    pub pts_us: (CaptureTime, CaptureTime),
    /// Value or silence, and whose.
    pub decision: StoredDecision,
    /// Why silent.
    pub reason: Option<AbstainReason>,
    /// Probability that a reviewer accepts it unchanged.
    pub confidence: Option<f32>,
    /// Score before calibration.
    pub raw: Option<f32>,
    /// The model.
    pub model: Option<StoredModel>,
    /// What is offered.
    pub value: Option<DeskValue>,
    /// What a level of alertness rests on.
    pub signs: Option<Signs>,
    /// The track was the driver's when this was told.
    pub driver: bool,
    /// Where it stands in review; absent for an abstention.
    pub state: Option<ReviewState>,
    /// The label as it should have been, where a correction stands.
    pub correction: Option<Box<Correction>>,
    /// What it was seen under.
    pub conditions: Vec<Condition>,
    /// What a minute of reviewing it tells: see [`crate::ReviewSeconds::gain`].
    pub gain: f64,
    /// The verdict that stands, if any.
    pub standing: Option<i64>,
    /// Who made it, where a person did.
    pub made_by: Option<String>,
}

/// What is known of a clip. Fields of `opened` and `closed` are absent until those messages came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredClip {
    /// Its identity.
    pub id: ClipId,
    /// File name without folder, or the camera's name.
    pub name: Option<String>,
    /// Width of an upright frame in pixels.
    pub width: Option<u32>,
    /// Height of an upright frame in pixels.
    pub height: Option<u32>,
    /// Frames a second as the container claims.
    pub nominal_fps: Option<f32>,
    /// UTC at opening.
    pub utc_us: Option<i64>,
    /// Decoded frames, once closed.
    pub frames: Option<u32>,
    /// What was wrong with the media.
    pub damage: Option<String>,
}

/// A label with its clip and every verdict on it, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelDetail {
    /// The label.
    pub label: StoredLabel,
    /// Its clip.
    pub clip: StoredClip,
    /// Every verdict, withdrawn ones and withdrawals included.
    pub verdicts: Vec<crate::Verdict>,
    /// Evidence messages that belong to it.
    pub evidence: u32,
}
