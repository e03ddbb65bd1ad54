//! What is measured, and what is told.

use super::LongClosure;
use crate::confidence::{Confidence, LogisticCalibration};
use crate::kind::LabelKind;
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::EventEyes;

/// An eye whose depth is less than this share of the other's did not take part.
const ONE_EYE_SHARE: f32 = 0.35;

/// Number of features that a blink's confidence is calibrated on.
pub const BLINK_FEATURES: usize = 10;

/// What is measured in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyeObservation {
    /// Openness of the subject's left eye; `None` where it cannot be judged.
    pub left: Option<f32>,
    /// Openness of the subject's right eye.
    pub right: Option<f32>,
    /// Turn of the head in degrees.
    pub yaw: f32,
    /// How well they can be read.
    pub legibility: Legibility,
}

/// How well eyes can be read in a frame, whatever they do: means of the eyes that face the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Legibility {
    /// By how much openness of the reader, corrected, and of the mesh differed when the mesh last looked.
    pub disagreement: f32,
    /// Deviation of grey levels around the eye, of 255.
    pub contrast: f32,
    /// Deviation of the noise over the contrast.
    pub grain: f32,
}

impl Legibility {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        disagreement: 0.0,
        contrast: 0.0,
        grain: 0.0,
    };

    /// Mean over frames; unknown where there is none.
    pub(super) fn mean(frames: impl Iterator<Item = Self>) -> Self {
        let (mut sum, mut count) = (Self::UNKNOWN, 0u16);
        for frame in frames {
            sum.disagreement += frame.disagreement;
            sum.contrast += frame.contrast;
            sum.grain += frame.grain;
            count += 1;
        }
        let count = f32::from(count.max(1));
        Self {
            disagreement: sum.disagreement / count,
            contrast: sum.contrast / count,
            grain: sum.grain / count,
        }
    }
}

impl EyeObservation {
    /// Neither eye can be judged.
    pub const NONE: Self = Self {
        left: None,
        right: None,
        yaw: 0.0,
        legibility: Legibility::UNKNOWN,
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
    /// Time that it takes beside its width: the lid falls and rises.
    pub flanks_s: f32,
    /// Share of its frames that are within its width.
    pub held: f32,
    /// Turn of the head within the event, degrees.
    pub turn: f32,
    /// Turn of the head at the peak, degrees.
    pub yaw: f32,
    /// Standard deviation of the signal's noise as a share of the open eye.
    pub noise: f32,
    /// Whether it touches the clip's first or last frame.
    pub at_edge: bool,
    /// How well the eyes could be read around it.
    pub legibility: Legibility,
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

    /// What the calibration looks at: depth, depth over noise (12 = 1), disagreement of the eyes, width at half depth, turn
    /// (30° = 1), yaw (45° = 1), at the clip's edge, time of the flanks, share of frames at half depth, logarithm of the
    /// disagreement of reader and mesh. Long flanks and few frames at half depth are those of an event whose ends are a
    /// matter of taste, or of noise.
    pub fn features(&self) -> [f32; BLINK_FEATURES] {
        let disagreement = match (self.left, self.right) {
            (Some(left), Some(right)) => (left - right).abs() / self.depth.max(0.05),
            _ => 0.5,
        };
        [
            self.depth,
            (self.depth / self.noise.max(0.004)).min(12.0) / 12.0,
            disagreement,
            self.width_s.min(0.6),
            self.turn / 30.0,
            self.yaw.abs() / 45.0,
            if self.at_edge { 1.0 } else { 0.0 },
            self.flanks_s.min(0.8),
            self.held,
            libm::logf(self.legibility.disagreement.max(1e-3)),
        ]
    }
}

/// What pictures the calibration of blinks was fitted on: the domain guard. On others no blink is called sure, however
/// clear its signal looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Familiar {
    /// Least contrast around an eye.
    pub least_contrast: f32,
    /// Least and most grain. Compression and few pixels leave less, noise more.
    pub grain: (f32, f32),
    /// Most disagreement of reader and mesh.
    pub most_disagreement: f32,
    /// Confidence on other pictures is at most this.
    pub ceiling: f32,
}

impl Familiar {
    /// Whether the picture is like those of the fit. What is not known is not.
    pub fn holds(&self, seen: &Legibility) -> bool {
        seen.contrast >= self.least_contrast
            && (self.grain.0..=self.grain.1).contains(&seen.grain)
            && seen.disagreement <= self.most_disagreement
    }
}

/// How sure a blink makes us.
#[derive(Clone, Debug, PartialEq)]
pub struct BlinkCalibration {
    /// Of [`Blink::features`].
    pub logistic: LogisticCalibration<BLINK_FEATURES>,
    /// Where it may be believed.
    pub familiar: Familiar,
}

impl BlinkCalibration {
    /// Probability that a reviewer accepts the blink.
    pub fn confidence(&self, blink: &Blink) -> Confidence {
        let confidence = self.logistic.confidence(blink.features());
        if self.familiar.holds(&blink.legibility) {
            confidence
        } else {
            confidence.at_most(self.familiar.ceiling)
        }
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
