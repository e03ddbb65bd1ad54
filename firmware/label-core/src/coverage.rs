//! Silence is spoken: every frame of a track × kind is a value or an abstention with a reason, nothing missing,
//! nothing twice.
//!
//! [`Coverage`] takes one verdict a frame, in order, and hands out runs of alike verdicts as closed ranges.

use crate::kind::AbstainReason;
use crate::time::{CaptureTime, FrameRange};

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
    /// Times of the first and the last of them.
    pub pts: (CaptureTime, CaptureTime),
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

    /// Adds the next frames, all of one verdict. Returns the run that they ended, if they differ from it or do not follow
    /// it.
    pub fn observe(&mut self, next: Run) -> Option<Run> {
        if let Some(run) = &mut self.open
            && run.verdict == next.verdict
            && run.frames.end.checked_add(1) == Some(next.frames.start)
        {
            run.frames.end = next.frames.end;
            run.pts.1 = next.pts.1;
            return None;
        }
        self.open.replace(next)
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

    fn frame(index: u32, verdict: FrameVerdict) -> Run {
        let at = CaptureTime(i64::from(index) * 40_000);
        Run {
            frames: FrameRange::new(index, index),
            pts: (at, at),
            verdict,
        }
    }

    proptest! {
        #[test]
        fn runs_hold_every_frame_once_with_its_own_verdict(codes in prop::collection::vec(0u8..3, 1..200)) {
            let mut coverage = Coverage::new();
            let mut runs: Vec<Run> =
                codes.iter().zip(0..).filter_map(|(code, i)| coverage.observe(frame(i, verdict(*code)))).collect();
            runs.extend(coverage.finish());
            let mut next = 0;
            for run in &runs {
                prop_assert_eq!(run.frames.start, next);
                prop_assert_eq!(run.pts.1.us(), i64::from(run.frames.end) * 40_000);
                for covered in run.frames.start..=run.frames.end {
                    prop_assert_eq!(run.verdict, verdict(codes[covered as usize]));
                }
                next = run.frames.end + 1;
            }
            prop_assert_eq!(next as usize, codes.len());
            prop_assert!(runs.windows(2).all(|pair| pair[0].verdict != pair[1].verdict));
        }
    }
}
