//! Eyes shut for longer than half a second.

use super::{Cut, capture_time};
use crate::kind::LabelKind;
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use heapless::Vec;

/// Share of the running open level below which the eyes are shut.
const SHUT_SHARE: f32 = 0.50;
/// Shut longer than this is a long closure.
const CLOSURE_S: f64 = 0.50;
/// Re-openings no longer than this do not end a closure.
const REOPEN_S: f64 = 0.10;
/// Openness of an open eye before anything is known of the person: the median person.
const FIRST_LEVEL: f32 = 0.24;
/// Lowest open level believed of anybody.
const MIN_LEVEL: f32 = 0.16;
/// The running level keeps the most open value of each bin of this length.
const BIN_S: f64 = 0.25;
/// Bins held: ten seconds.
const BINS: usize = 40;
/// A bin lower than this share of the level is not taken into it: a closure cannot lower the level …
const TAKE_SHARE: f32 = 0.60;
/// … unless so many in a row (30 s) were refused: then the level itself is wrong.
const STUCK_BINS: u16 = 120;

/// Eyes shut for longer than half a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LongClosure {
    /// First to last shut frame.
    pub frames: FrameRange,
    /// Times of the first and the last of them.
    pub pts: (CaptureTime, CaptureTime),
    /// Frame of the smallest opening.
    pub peak: FrameIndex,
    /// Opening there as a share of the open level.
    pub opening: f32,
    /// Length in seconds.
    pub seconds: f32,
}

/// How a closure ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClosureEnd {
    /// Seen from its begin to its end.
    Closure(LongClosure),
    /// It reaches missing frames: short or long, nobody knows.
    Cut(Cut),
}

#[derive(Clone, Copy, Debug)]
struct Shut {
    /// It begins where frames are missing.
    begins_cut: bool,
    first: (FrameIndex, f64),
    last: (FrameIndex, f64),
    peak: (FrameIndex, f32),
}

/// The open level of each eye, and the closure in progress.
#[derive(Clone, Debug)]
pub(super) struct ClosureDetector {
    bins: [Vec<f32, BINS>; 2],
    oldest: [usize; 2],
    top: [Option<f32>; 2],
    bin_end: Option<f64>,
    level: [f32; 2],
    refused: [u16; 2],
    shut: Option<Shut>,
    /// Time of the first frame after missing ones.
    after_cut: Option<f64>,
}

impl ClosureDetector {
    pub(super) const fn new() -> Self {
        Self {
            bins: [Vec::new(), Vec::new()],
            oldest: [0; 2],
            top: [None; 2],
            bin_end: None,
            level: [FIRST_LEVEL; 2],
            refused: [0; 2],
            shut: None,
            after_cut: None,
        }
    }

    /// First frame of the closure in progress.
    pub(super) fn open_since(&self) -> Option<FrameIndex> {
        self.shut.map(|shut| shut.first.0)
    }

    /// Frames are missing after frame `last`, until `next`.
    pub(super) fn cut(&mut self, last: FrameIndex, last_at: f64, next: f64) -> Option<ClosureEnd> {
        self.after_cut = Some(next);
        let first = self.shut.take()?.first;
        Some(ClosureEnd::Cut(Cut {
            kind: LabelKind::LongClosure,
            frames: FrameRange::new(first.0, last),
            pts: (capture_time(first.1), capture_time(last_at)),
        }))
    }

    /// Follows the open level.
    pub(super) fn observe_level(&mut self, at: f64, openness: [Option<f32>; 2]) {
        let end = *self.bin_end.get_or_insert(at + BIN_S);
        if at >= end {
            for eye in 0..2 {
                if let Some(top) = self.top[eye].take() {
                    self.take_bin(eye, top);
                }
            }
            self.bin_end = Some(at + BIN_S);
        }
        for (top, value) in self.top.iter_mut().zip(openness) {
            if let Some(value) = value {
                *top = Some(top.map_or(value, |top| top.max(value)));
            }
        }
    }

    fn take_bin(&mut self, eye: usize, top: f32) {
        self.refused[eye] = if top >= TAKE_SHARE * self.level[eye] {
            0
        } else {
            (self.refused[eye] + 1).min(STUCK_BINS)
        };
        if !matches!(self.refused[eye], 0 | STUCK_BINS) {
            return;
        }
        let bins = &mut self.bins[eye];
        if let Err(top) = bins.push(top) {
            bins[self.oldest[eye]] = top;
            self.oldest[eye] = (self.oldest[eye] + 1) % BINS;
        }
        let mut sorted = bins.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        self.level[eye] = sorted[3 * sorted.len() / 4].max(MIN_LEVEL);
    }

    /// Takes a frame with at least one eye judged; returns the end of a closure that is over.
    pub(super) fn observe(
        &mut self,
        index: FrameIndex,
        at: f64,
        openness: [Option<f32>; 2],
    ) -> Option<ClosureEnd> {
        let (mut sum, mut count) = (0.0, 0u8);
        for (value, level) in openness.into_iter().zip(self.level) {
            if let Some(value) = value {
                sum += value / level;
                count += 1;
            }
        }
        let opening = sum / f32::from(count.max(1));
        if opening < SHUT_SHARE {
            let begins_cut = self.after_cut.is_some_and(|cut| at - cut <= REOPEN_S);
            let shut = self.shut.get_or_insert(Shut {
                begins_cut,
                first: (index, at),
                last: (index, at),
                peak: (index, opening),
            });
            shut.last = (index, at);
            if opening < shut.peak.1 {
                shut.peak = (index, opening);
            }
            return None;
        }
        if self.shut.is_some_and(|shut| at - shut.last.1 > REOPEN_S) {
            self.end()
        } else {
            None
        }
    }

    /// Ends the closure in progress.
    pub(super) fn end(&mut self) -> Option<ClosureEnd> {
        let shut = self.shut.take()?;
        let frames = FrameRange::new(shut.first.0, shut.last.0);
        let pts = (capture_time(shut.first.1), capture_time(shut.last.1));
        if shut.begins_cut {
            return Some(ClosureEnd::Cut(Cut {
                kind: LabelKind::LongClosure,
                frames,
                pts,
            }));
        }
        let seconds = shut.last.1 - shut.first.1;
        (seconds > CLOSURE_S).then(|| {
            ClosureEnd::Closure(LongClosure {
                frames,
                pts,
                peak: shut.peak.0,
                opening: shut.peak.1.max(0.0),
                seconds: seconds as f32,
            })
        })
    }
}
