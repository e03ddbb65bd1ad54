//! Labels and clips as stored.

use label_core::id::Name;
use label_core::wire::{ClipNumber, Decision, LabelValue, Signs, parse_name};
use label_core::{AbstainReason, BootId, CaptureTime, FrameRange, LabelId, LabelKind, TrackId};
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

/// Where a candidate stands in review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewState {
    /// Nobody has judged it, or the verdict was withdrawn.
    Waiting,
    /// Right as it was.
    Accepted,
    /// Right after a change.
    Corrected,
    /// Wrong.
    Rejected,
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 4] = [
        Self::Waiting,
        Self::Accepted,
        Self::Corrected,
        Self::Rejected,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Corrected => "corrected",
            Self::Rejected => "rejected",
        }
    }

    /// The state of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
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

/// A candidate or an abstention as it came from the rig. Verdicts never change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredLabel {
    /// Its identity.
    pub id: LabelId,
    /// The clip.
    pub clip: ClipId,
    /// Kind of label.
    pub kind: LabelKind,
    /// The person; absent for the scene.
    pub track: Option<TrackId>,
    /// Frames it holds for.
    pub frames: FrameRange,
    /// Presentation time of the first and the last of these frames.
    pub pts_us: (CaptureTime, CaptureTime),
    /// Value or silence.
    pub decision: Decision,
    /// Why silent.
    pub reason: Option<AbstainReason>,
    /// Probability that a reviewer accepts it unchanged.
    pub confidence: Option<f32>,
    /// Score before calibration.
    pub raw: Option<f32>,
    /// The model.
    pub model: Option<StoredModel>,
    /// What is offered.
    pub value: Option<LabelValue>,
    /// What a level of alertness rests on.
    pub signs: Option<Signs>,
    /// The track was the driver's when this was told.
    pub driver: bool,
    /// Where it stands in review; absent for an abstention.
    pub state: Option<ReviewState>,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// A label's identity as one word, safe in an address: `rig:boot:seq:n`.
pub fn label_id_text(id: &LabelId) -> String {
    format!("{}:{}:{}:{}", id.rig, id.boot.raw(), id.seq, id.n)
}

/// The identity that [`label_id_text`] wrote.
pub fn parse_label_id(text: &str) -> Option<LabelId> {
    let mut parts = text.split(':');
    let id = LabelId {
        rig: parse_name(parts.next()?).ok()?,
        boot: BootId::from_raw(parts.next()?.parse().ok()?)?,
        seq: parts.next()?.parse().ok()?,
        n: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_id_survives_an_address() {
        let id = LabelId {
            rig: parse_name("rig-07").unwrap(),
            boot: BootId::first(3),
            seq: 17,
            n: 4,
        };
        assert_eq!(label_id_text(&id), "rig-07:3145729:17:4");
        assert_eq!(parse_label_id(&label_id_text(&id)), Some(id));
        for bad in [
            "",
            "rig",
            "rig:1:2",
            "rig:1:2:3:4",
            "a/b:1:2:3",
            "rig:0:2:3",
            "rig:1:-2:3",
        ] {
            assert_eq!(parse_label_id(bad), None, "{bad}");
        }
    }
}
