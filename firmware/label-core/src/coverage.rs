//! Silence is spoken: every frame of a track × kind is a value or an abstention with a reason, nothing missing,
//! nothing twice.
//!
//! [`Coverage`] takes one verdict a frame, in order, and hands out runs of alike verdicts as closed ranges.

use crate::kind::AbstainReason;
use crate::time::{FrameIndex, FrameRange};

/// What was decided for one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameVerdict {
    /// A value stands for this frame.
    Value,
    /// Not looked at, or not well enough.
    Abstain(AbstainReason),
}

/// A closed run of frames with one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The frames.
    pub frames: FrameRange,
    /// What holds for all of them.
    pub verdict: FrameVerdict,
}

/// Joins verdicts of successive frames into runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coverage {
    open: Option<Run>,
}

impl Coverage {
    /// Nothing decided yet.
    pub const fn new() -> Self {
        Self { open: None }
    }

    /// Adds the next frame. Returns the run that it ended, if it differs from it or does not follow it.
    pub fn observe(&mut self, frame: FrameIndex, verdict: FrameVerdict) -> Option<Run> {
        if let Some(run) = &mut self.open
            && run.verdict == verdict
            && run.frames.end.checked_add(1) == Some(frame)
        {
            run.frames.end = frame;
            return None;
        }
        self.open.replace(Run {
            frames: FrameRange::new(frame, frame),
            verdict,
        })
    }

    /// The run that is still growing.
    pub const fn open(&self) -> Option<Run> {
        self.open
    }

    /// Ends the last run.
    pub const fn finish(&mut self) -> Option<Run> {
        self.open.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(code: u8) -> FrameVerdict {
        match code {
            0 => FrameVerdict::Value,
            1 => FrameVerdict::Abstain(AbstainReason::NoPerson),
            _ => FrameVerdict::Abstain(AbstainReason::EyeTurnedAway),
        }
    }

    proptest! {
        #[test]
        fn runs_hold_every_frame_once_with_its_own_verdict(codes in prop::collection::vec(0u8..3, 1..200)) {
            let mut coverage = Coverage::new();
            let mut runs: Vec<Run> =
                codes.iter().enumerate().filter_map(|(i, code)| coverage.observe(i as u32, verdict(*code))).collect();
            runs.extend(coverage.finish());
            let mut frame = 0;
            for run in &runs {
                prop_assert_eq!(run.frames.start, frame);
                for covered in run.frames.start..=run.frames.end {
                    prop_assert_eq!(run.verdict, verdict(codes[covered as usize]));
                }
                frame = run.frames.end + 1;
            }
            prop_assert_eq!(frame as usize, codes.len());
            prop_assert!(runs.windows(2).all(|pair| pair[0].verdict != pair[1].verdict));
        }
    }
}
