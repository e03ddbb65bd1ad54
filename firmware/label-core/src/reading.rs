//! What is read of an attribute that holds for a while, before it becomes a label.

use crate::confidence::Confidence;
use crate::kind::AbstainReason;
use crate::time::{CaptureTime, FrameIndex, FrameRange};

/// Successive frames with the times of the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The frames.
    pub frames: FrameRange,
    /// Presentation times of the first and the last of them.
    pub pts: (CaptureTime, CaptureTime),
}

impl Span {
    /// One frame.
    pub const fn frame(index: FrameIndex, at: CaptureTime) -> Self {
        Self {
            frames: FrameRange::new(index, index),
            pts: (at, at),
        }
    }

    /// Takes in the frames of `next` if they follow; says whether they do.
    pub fn extend(&mut self, next: Self) -> bool {
        let follows = self.frames.end.checked_add(1) == Some(next.frames.start);
        if follows {
            self.frames.end = next.frames.end;
            self.pts.1 = next.pts.1;
        }
        follows
    }

    /// Time from the first to the last frame, seconds.
    pub fn seconds(self) -> f32 {
        self.pts.1.seconds_since(self.pts.0)
    }
}

/// What is said of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading<T> {
    /// The value.
    pub value: T,
    /// Probability that a reviewer accepts it.
    pub confidence: Confidence,
    /// Score before calibration; its meaning is the labeller's.
    pub raw: f32,
}

/// A reading, or why there is none.
pub type Verdict<T> = Result<Reading<T>, AbstainReason>;

/// One look at a yes-or-no attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Look {
    /// Not in this frame: the looks before and after it speak for it.
    #[default]
    NotLooked,
    /// It was seen.
    Seen {
        /// Calibrated probability that the attribute holds, from this look alone.
        probability: f32,
        /// Score before calibration.
        raw: f32,
    },
    /// It was looked for and could not be seen.
    Cannot(AbstainReason),
}
