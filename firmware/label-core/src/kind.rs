//! The kinds of label, their fixed names, and the reasons for silence.

use serde::{Deserialize, Serialize};

/// A kind of label. The names are fixed: they are on the wire, in files and in exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// The whole visible person. x, y, width, height in pixels, per frame.
    BboxPerson,
    /// Centre of the opening of the subject's left eye, per frame.
    KeypointLeftEye,
    /// Centre of the opening of the subject's right eye, per frame.
    KeypointRightEye,
    /// True or false over a frame range.
    WearingGlasses,
    /// True or false over a frame range.
    InShadow,
    /// True or false over a frame range.
    FaceOccluded,
    /// 1 (asleep) to 5 (alert) over a frame range.
    Alertness,
    /// Of the scene: true or false over a frame range.
    LightChange,
    /// Of the scene: 1 to 5 over a frame range.
    VideoQuality,
    /// First frame in which a lid moves down to the last before the eye is fully open again.
    Blink,
    /// Eyes shut for longer than 0.5 s.
    LongClosure,
}

/// What a label of a kind is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelScope {
    /// One person's track.
    Track,
    /// The scene as a whole.
    Scene,
}

impl LabelKind {
    /// Every kind, in the order in which tables show them.
    pub const ALL: [Self; 11] = [
        Self::BboxPerson,
        Self::KeypointLeftEye,
        Self::KeypointRightEye,
        Self::WearingGlasses,
        Self::InShadow,
        Self::FaceOccluded,
        Self::Alertness,
        Self::LightChange,
        Self::VideoQuality,
        Self::Blink,
        Self::LongClosure,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BboxPerson => "bbox-person",
            Self::KeypointLeftEye => "keypoint-left-eye",
            Self::KeypointRightEye => "keypoint-right-eye",
            Self::WearingGlasses => "wearing-glasses",
            Self::InShadow => "in-shadow",
            Self::FaceOccluded => "face-occluded",
            Self::Alertness => "alertness",
            Self::LightChange => "light-change",
            Self::VideoQuality => "video-quality",
            Self::Blink => "blink",
            Self::LongClosure => "long-closure",
        }
    }

    /// The kind of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether labels of this kind belong to a person or to the scene.
    pub const fn scope(self) -> LabelScope {
        match self {
            Self::LightChange | Self::VideoQuality => LabelScope::Scene,
            _ => LabelScope::Track,
        }
    }

    /// Whether a label of this kind is an event. A frame that lies neither in an event nor in an abstention of its
    /// kind was looked at and held none.
    pub const fn is_event(self) -> bool {
        matches!(self, Self::Blink | Self::LongClosure)
    }
}

impl core::fmt::Display for LabelKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why Rigel gives no value. "Not looked at" is never the same as "no".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbstainReason {
    /// The calibrated confidence is below what this kind is offered at.
    LowConfidence,
    /// The eye faces away from the camera.
    EyeTurnedAway,
    /// Something covers it.
    Occluded,
    /// Too few pixels to tell.
    TooSmall,
    /// Too little light to tell.
    TooDark,
    /// Too much blur to tell.
    Blurred,
    /// Nobody is in view.
    NoPerson,
    /// The host withdrew this kind on this rig.
    Demoted,
    /// The frames were dropped or damaged, or lie too far apart in time to tell.
    FramesMissing,
    /// Not looked at for want of time or coolness: the rig sheds work before it falls behind.
    Shed,
    /// This is said of the driver only, and somebody else drives.
    Passenger,
    /// This firmware carries no labeller for the kind.
    NoLabeller,
}

impl AbstainReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::LowConfidence,
        Self::EyeTurnedAway,
        Self::Occluded,
        Self::TooSmall,
        Self::TooDark,
        Self::Blurred,
        Self::NoPerson,
        Self::Demoted,
        Self::FramesMissing,
        Self::Shed,
        Self::Passenger,
        Self::NoLabeller,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LowConfidence => "low-confidence",
            Self::EyeTurnedAway => "eye-turned-away",
            Self::Occluded => "occluded",
            Self::TooSmall => "too-small",
            Self::TooDark => "too-dark",
            Self::Blurred => "blurred",
            Self::NoPerson => "no-person",
            Self::Demoted => "demoted",
            Self::FramesMissing => "frames-missing",
            Self::Shed => "shed",
            Self::Passenger => "passenger",
            Self::NoLabeller => "no-labeller",
        }
    }
}

impl core::fmt::Display for AbstainReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Which eye: the **subject's** left or right, not the picture's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EyeSide {
    /// The subject's left eye (to the right in an unmirrored picture).
    Left,
    /// The subject's right eye.
    Right,
}

impl EyeSide {
    /// Left, then right.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The key point kind of this eye.
    pub const fn keypoint_kind(self) -> LabelKind {
        match self {
            Self::Left => LabelKind::KeypointLeftEye,
            Self::Right => LabelKind::KeypointRightEye,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_spelled_the_same_in_json() {
        for kind in LabelKind::ALL {
            assert_eq!(LabelKind::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert_eq!(LabelKind::from_name("Blink"), None);
    }

    #[test]
    fn reasons_are_spelled_the_same_in_json() {
        for (place, reason) in AbstainReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
            assert_eq!(
                serde_json::to_string(&reason).unwrap(),
                format!("\"{reason}\"")
            );
        }
    }
}
