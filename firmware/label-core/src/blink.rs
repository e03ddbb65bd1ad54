//! Blinks and long closures from the openness of two eyes.
//!
//! # Terms
//!
//! * *openness*: lid gap over the distance of the eye's corners, one number an eye and frame; open eyes have 0.2 to 0.33,
//!   shut eyes about 0.
//! * *shoulder*: the open level beside a frame: the second largest openness within [`WINDOW_S`] before, or after, it.
//! * *reference*: the lower of the two shoulders. *depth* = 1 − openness / reference: 0 = as open as around it, 1 = shut.
//! * *run*: frames in a row whose depth is at least `RUN_DEPTH`; a run holds one blink or several.
//!
//! # Method
//!
//! The reference is local in time (a bottom-hat: Serra, "Image Analysis and Mathematical Morphology", 1982), so neither
//! the person, nor pose, squint, gaze or a long closure before it can poison it, and there is no warm-up. A blink is a run
//! whose deepest frame is deep enough. It is told once the frames after it are known: [`WINDOW_S`] after its end, a fixed
//! lag. Long closures need a memory instead: openness is compared with a running open level of ten seconds which bins
//! with shut eyes do not enter.
//!
//! # Missing frames
//!
//! Frames further apart than [`MISSING_US`] cut the signal: the shortest blinks last 0.10 to 0.15 s, so one could lie between
//! two such frames unseen. What touches the cut is told as [`Cut`] and never as a blink or a closure, since its begin or end was
//! not seen; so are the two frames at the cut themselves. Beside a cut, as at the clip's ends, the one shoulder that is known
//! is the reference.
//!
//! Times are arguments; frame rates from 7 to 100 a second and changing rates are fine. All state is bounded.

mod closure;
mod event;
mod noise;
mod piece;

pub use closure::LongClosure;
pub use event::{
    BLINK_FEATURES, Blink, BlinkCalibration, Cut, EyeEvent, EyeObservation, Familiar, Legibility,
};

use crate::kind::LabelKind;
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use closure::{ClosureDetector, ClosureEnd};
use heapless::Vec;
use noise::Noise;

/// How far on each side of a frame its open shoulders are looked for: also the lag. A blink lasts 0.1 to 0.4 s.
pub const WINDOW_S: f64 = 0.80;
/// Frames further apart than this, in microseconds, may hide a whole blink between them. Ten frames a second, unsteady ones
/// too, are near enough.
pub const MISSING_US: i64 = 150_000;
/// Frames in a row without a judged eye that last longer than this end what is seen before them.
const GAP_S: f64 = 0.25;
/// A shoulder lower than this is no open eye.
const MIN_REFERENCE: f32 = 0.10;
/// Depth at which a run of lowered frames begins and ends.
const RUN_DEPTH: f32 = 0.06;
/// Frames held: two windows and the longest blink at 100 frames a second.
const CAPACITY: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Frame {
    index: FrameIndex,
    at: f64,
    /// Left, right.
    openness: [Option<f32>; 2],
    yaw: f32,
    /// Mean depth of the eyes judged.
    depth: f32,
    depths: [f32; 2],
    references: [f32; 2],
    legibility: Legibility,
}

impl Frame {
    /// Mean depth of the eyes judged in both frames, below the open level of `reference`.
    fn depth_below(&self, reference: &Frame) -> f32 {
        let (mut sum, mut count) = (0.0, 0u8);
        for eye in 0..2 {
            if let (Some(openness), Some(_)) = (self.openness[eye], reference.openness[eye]) {
                sum += 1.0 - openness / reference.references[eye].max(MIN_REFERENCE);
                count += 1;
            }
        }
        sum / f32::from(count.max(1))
    }
}

/// What comes after the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// More frames, whether an eye is judged in them or not.
    Open,
    /// Missing frames.
    Cut,
    /// Nothing: the clip is over.
    Clip,
}

/// Detects blinks and long closures of one person, frame by frame.
pub struct BlinkDetector {
    /// Time of the first frame of the clip, or of the first after missing ones.
    start: Option<f64>,
    /// The newest frame, whether an eye was judged in it or not.
    newest: Option<(FrameIndex, CaptureTime)>,
    /// Frames of the current segment (at least one eye judged); those before `judged` have their depth.
    frames: Vec<Frame, CAPACITY>,
    judged: usize,
    /// `frames` still begins with the segment's first frame.
    whole_segment: bool,
    /// The segment's first frame is the first after missing ones.
    begins_cut: bool,
    /// Place in `frames` of the first frame of the open run.
    run: Option<usize>,
    noise: Noise,
    closures: ClosureDetector,
    /// The last long closure told.
    closure: Option<FrameRange>,
    ending: Ending,
}

impl Default for BlinkDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl BlinkDetector {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            start: None,
            newest: None,
            frames: Vec::new(),
            judged: 0,
            whole_segment: true,
            begins_cut: false,
            run: None,
            noise: Noise::new(),
            closures: ClosureDetector::new(),
            closure: None,
            ending: Ending::Open,
        }
    }

    /// Takes the next frame; hands events that are certain by now to `tell`. Times must not decrease.
    pub fn observe(
        &mut self,
        index: FrameIndex,
        at: CaptureTime,
        eyes: EyeObservation,
        mut tell: impl FnMut(EyeEvent),
    ) {
        if let Some((last, last_at)) = self.newest
            && at.us() - last_at.us() > MISSING_US
        {
            self.cut((last, last_at), (index, at), &mut tell);
        }
        self.newest = Some((index, at));
        let at = seconds(at);
        self.start.get_or_insert(at);
        if self.frames.last().is_some_and(|last| at - last.at > GAP_S) {
            self.flush(&mut tell);
        }
        let openness = [eyes.left, eyes.right].map(|value| value.filter(|value| value.is_finite()));
        if openness.iter().any(Option::is_some) {
            self.noise.observe(openness);
            self.closures.observe_level(at, openness);
            if self.frames.is_full() {
                self.make_room(&mut tell);
            }
            let frame = Frame {
                index,
                at,
                openness,
                yaw: eyes.yaw,
                depth: 0.0,
                depths: [0.0; 2],
                references: [0.0; 2],
                legibility: eyes.legibility,
            };
            // Room was made above.
            let _ = self.frames.push(frame);
            if let Some(end) = self.closures.observe(index, at, openness) {
                self.tell_closure(end, &mut tell);
            }
        } else if self.frames.is_empty() {
            // What is seen later begins beside an eye that was not judged, not beside the missing frames.
            self.begins_cut = false;
        }
        while self.judged < self.frames.len() && at - self.frames[self.judged].at >= WINDOW_S {
            self.judge(false, &mut tell);
        }
    }

    /// All frames before this one are in no event and no cut of this kind that is still to be told.
    pub fn settled(&self, kind: LabelKind) -> FrameIndex {
        let newest = self.newest.map_or(0, |(index, _)| index);
        let open = if kind == LabelKind::LongClosure {
            self.closures.open_since()
        } else {
            self.frames
                .get(self.run.unwrap_or(self.judged))
                .map(|frame| frame.index)
        };
        open.map_or(newest, |open| open.min(newest))
    }

    /// The clip is over: tells what is left.
    pub fn finish(&mut self, mut tell: impl FnMut(EyeEvent)) {
        self.ending = Ending::Clip;
        self.flush(&mut tell);
    }

    /// Frames are missing between these two.
    fn cut(
        &mut self,
        last: (FrameIndex, CaptureTime),
        next: (FrameIndex, CaptureTime),
        tell: &mut impl FnMut(EyeEvent),
    ) {
        if self
            .frames
            .last()
            .is_some_and(|frame| frame.index == last.0)
        {
            self.ending = Ending::Cut;
        }
        if let Some(end) = self.closures.cut(last.0, seconds(last.1), seconds(next.1)) {
            self.tell_closure(end, tell);
        }
        self.flush(tell);
        (self.begins_cut, self.start) = (true, None);
        for kind in [LabelKind::Blink, LabelKind::LongClosure] {
            for (index, at) in [last, next] {
                tell(EyeEvent::Cut(Cut {
                    kind,
                    frames: FrameRange::new(index, index),
                    pts: (at, at),
                }));
            }
        }
    }

    fn tell_closure(&mut self, end: ClosureEnd, tell: &mut impl FnMut(EyeEvent)) {
        tell(match end {
            ClosureEnd::Closure(closure) => {
                self.closure = Some(closure.frames);
                EyeEvent::LongClosure(closure)
            }
            ClosureEnd::Cut(cut) => EyeEvent::Cut(cut),
        });
    }

    /// The person left view, or the signal has a hole: what is held is all there is.
    fn flush(&mut self, tell: &mut impl FnMut(EyeEvent)) {
        while self.judged < self.frames.len() {
            self.judge(true, tell);
        }
        if self.run.is_some() {
            self.close_run(self.frames.len(), tell);
        }
        self.frames.clear();
        (self.judged, self.run, self.whole_segment) = (0, None, true);
        (self.begins_cut, self.ending) = (false, Ending::Open);
        if let Some(end) = self.closures.end() {
            self.tell_closure(end, tell);
        }
    }

    /// The buffer is full, at more than about 100 frames a second: the oldest frame goes.
    fn make_room(&mut self, tell: &mut impl FnMut(EyeEvent)) {
        if self.judged == 0 {
            self.judge(false, tell);
        }
        if self.run == Some(0) {
            self.close_run(self.judged, tell);
        }
        if self.frames.is_full() {
            self.forget(1);
            if let Some(run) = &mut self.run {
                *run -= 1;
            }
        }
    }

    fn forget(&mut self, count: usize) {
        if count > 0 {
            self.frames.rotate_left(count);
            self.frames.truncate(self.frames.len() - count);
            self.judged -= count;
            self.whole_segment = false;
        }
    }

    /// Measures the depth of the next frame, now that both its shoulders are known.
    fn judge(&mut self, last: bool, tell: &mut impl FnMut(EyeEvent)) {
        let at = self.judged;
        let mut frame = self.frames[at];
        let start = self.start.unwrap_or(frame.at);
        let before_clip = frame.at - WINDOW_S < start;
        let after_clip = last
            && self.ending != Ending::Open
            && self
                .frames
                .last()
                .is_some_and(|end| end.at < frame.at + WINDOW_S);
        let (mut sum, mut count) = (0.0, 0);
        for eye in 0..2 {
            let Some(openness) = frame.openness[eye] else {
                continue;
            };
            let left = Self::shoulder(eye, self.frames[..=at].iter().rev());
            let right = Self::shoulder(eye, self.frames[at..].iter());
            let mut reference = left.min(right);
            if before_clip {
                reference = reference.max(right);
            }
            if after_clip {
                reference = reference.max(left);
            }
            frame.references[eye] = reference;
            if reference >= MIN_REFERENCE {
                frame.depths[eye] = (1.0 - openness / reference).clamp(0.0, 1.0);
            }
            sum += frame.depths[eye];
            count += 1;
        }
        frame.depth = sum / count.max(1) as f32;
        self.frames[at] = frame;
        self.judged += 1;
        if frame.depth >= RUN_DEPTH {
            self.run.get_or_insert(at);
        } else if self.run.is_some() {
            self.close_run(at, tell);
        }
        if self.run.is_none() {
            let keep = self.frames[..self.judged]
                .iter()
                .take_while(|held| held.at < frame.at - WINDOW_S)
                .count();
            self.forget(keep);
        }
    }

    /// Second largest openness of an eye within the window, beginning with the frame itself: one outlier is no open level.
    /// The largest where fewer than five frames are known.
    fn shoulder<'a>(eye: usize, frames: impl Iterator<Item = &'a Frame>) -> f32 {
        let (mut first, mut second, mut count) = (f32::MIN, f32::MIN, 0);
        let mut origin = None;
        for frame in frames {
            if (frame.at - *origin.get_or_insert(frame.at)).abs() > WINDOW_S {
                break;
            }
            if let Some(value) = frame.openness[eye] {
                count += 1;
                if value > first {
                    (first, second) = (value, first);
                } else if value > second {
                    second = value;
                }
            }
        }
        if count < 5 { first } else { second }
    }
}

fn seconds(at: CaptureTime) -> f64 {
    at.us() as f64 * 1e-6
}

/// Seconds back to the microseconds they came from.
fn capture_time(seconds: f64) -> CaptureTime {
    CaptureTime(libm::round(seconds * 1e6) as i64)
}

#[cfg(test)]
mod tests;
