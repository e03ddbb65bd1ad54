//! What is measured, and what is told.

use super::LongClosure;
use crate::kind::LabelKind;
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::EventEyes;

/// An eye whose depth is less than this share of the other's did not take part.
const ONE_EYE_SHARE: f32 = 0.35;

/// Number of features that a blink's confidence is calibrated on.
pub const BLINK_FEATURES: usize = 8;

/// What is measured in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyeObservation {
    /// Openness of the subject's left eye; `None` where it cannot be judged.
    pub left: Option<f32>,
    /// Openness of the subject's right eye.
    pub right: Option<f32>,
    /// Turn of the head in degrees.
    pub yaw: f32,
}

impl EyeObservation {
    /// Neither eye can be judged.
    pub const NONE: Self = Self {
        left: None,
        right: None,
        yaw: 0.0,
    };
}

/// A blink.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blink {
    /// First frame in which a lid moves down to the last before the eye is fully open again.
    pub frames: FrameRange,
    /// Times of its first and last frame.
    pub pts: (CaptureTime, CaptureTime),
    /// Frame of the greatest depth.
    pub peak: FrameIndex,
    /// Depth there, the mean of the eyes judged.
    pub depth: f32,
    /// Depth of the left eye there; `None` where it was not judged.
    pub left: Option<f32>,
    /// Depth of the right eye there.
    pub right: Option<f32>,
    /// Width at half depth, seconds.
    pub width_s: f32,
    /// Turn of the head within the event, degrees.
    pub turn: f32,
    /// Turn of the head at the peak, degrees.
    pub yaw: f32,
    /// Standard deviation of the signal's noise as a share of the open eye.
    pub noise: f32,
    /// Whether it touches the clip's first or last frame.
    pub at_edge: bool,
}

impl Blink {
    /// The eyes it was seen on.
    pub fn eyes(&self) -> EventEyes {
        match (self.left, self.right) {
            (Some(left), Some(right)) if left < ONE_EYE_SHARE * right => EventEyes::Right,
            (Some(left), Some(right)) if right < ONE_EYE_SHARE * left => EventEyes::Left,
            (Some(_), None) => EventEyes::Left,
            (None, Some(_)) => EventEyes::Right,
            _ => EventEyes::Both,
        }
    }

    /// What the calibration looks at: depth, logarithm of the number of frames, depth over noise (12 = 1), disagreement of
    /// the eyes, width at half depth, turn (30° = 1), yaw (45° = 1), at the clip's edge.
    pub fn features(&self) -> [f32; BLINK_FEATURES] {
        let disagreement = match (self.left, self.right) {
            (Some(left), Some(right)) => (left - right).abs() / self.depth.max(0.05),
            _ => 0.5,
        };
        [
            self.depth,
            libm::logf(self.frames.frames() as f32),
            (self.depth / self.noise.max(0.004)).min(12.0) / 12.0,
            disagreement,
            self.width_s.min(0.6),
            self.turn / 30.0,
            self.yaw.abs() / 45.0,
            if self.at_edge { 1.0 } else { 0.0 },
        ]
    }
}

/// Frames beside missing ones, in which a blink or a long closure may lie that begins, goes on or ends in those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// [`LabelKind::Blink`] or [`LabelKind::LongClosure`].
    pub kind: LabelKind,
    /// The frames; those between them in which no eye was judged are meant as well.
    pub frames: FrameRange,
    /// Times of the first and the last of them.
    pub pts: (CaptureTime, CaptureTime),
}

/// What the detector tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EyeEvent {
    /// A blink.
    Blink(Blink),
    /// Eyes shut for longer than half a second.
    LongClosure(LongClosure),
    /// Frames of which nothing can be told.
    Cut(Cut),
}
