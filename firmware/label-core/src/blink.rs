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
//! Times are arguments, in seconds; frame rates from 6 to 100 a second and changing rates are fine. All state is bounded.

mod closure;
mod noise;

pub use closure::LongClosure;

use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::EventEyes;
use closure::ClosureDetector;
use heapless::Vec;
use noise::Noise;

/// How far on each side of a frame its open shoulders are looked for: also the lag. A blink lasts 0.1 to 0.4 s.
pub const WINDOW_S: f64 = 0.80;
/// A hole in the signal longer than this cuts it in two.
const GAP_S: f64 = 0.25;
/// A shoulder lower than this is no open eye.
const MIN_REFERENCE: f32 = 0.10;
/// Least depth of a blink: half blinks behind glasses fall to 0.8 of open.
const BLINK_DEPTH: f32 = 0.15;
/// Depth at which a run of lowered frames begins and ends.
const RUN_DEPTH: f32 = 0.06;
/// A blink starts with the first frame deeper than this share of its peak.
const START_SHARE: f32 = 0.10;
/// A blink ends with the last frame deeper than this share of its peak: the lid rises more slowly than it falls.
const END_SHARE: f32 = 0.14;
/// Two valleys are two blinks where the eye re-opens between them by this share of the shallower.
const SPLIT_SHARE: f32 = 0.6;
/// Added to the depth asked for, per degree that the head turns within the event: a turn changes the measured openness.
const DEPTH_PER_DEGREE: f32 = 0.012;
/// Depth asked for in standard deviations of the signal's noise.
const NOISE_DEVIATIONS: f32 = 7.0;
/// A frame at a blink's boundary is deeper than this many standard deviations.
const BOUNDARY_DEVIATIONS: f32 = 2.5;
/// Depth asked of an event at the clip's first or last frame, where one shoulder is unseen.
const EDGE_DEPTH: f32 = 0.40;
/// Width at half depth above which an event is slow: glances down are slow and shallow.
const SLOW_S: f64 = 0.30;
/// Depth asked of a slow event.
const SLOW_DEPTH: f32 = 0.45;
/// Longest blink.
const MAX_BLINK_S: f64 = 0.85;
/// An eye whose depth is less than this share of the other's did not take part.
const ONE_EYE_SHARE: f32 = 0.35;
/// A frame beside a blink that is lowered by more than this share of its peak has not re-opened.
const STILL_SHUT_SHARE: f32 = 0.6;
/// Frames held: two windows and the longest blink at 100 frames a second.
const CAPACITY: usize = 256;

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

/// An event that the detector tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EyeEvent {
    /// A blink.
    Blink(Blink),
    /// Eyes shut for longer than half a second.
    LongClosure(LongClosure),
}

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

/// Detects blinks and long closures of one person, frame by frame.
pub struct BlinkDetector {
    clip_start: Option<f64>,
    /// Frames of the current segment (at least one eye judged); those before `judged` have their depth.
    frames: Vec<Frame, CAPACITY>,
    judged: usize,
    /// `frames` still begins with the segment's first frame.
    whole_segment: bool,
    /// Place in `frames` of the first frame of the open run.
    run: Option<usize>,
    noise: Noise,
    closures: ClosureDetector,
    /// The last long closure told.
    closure: Option<FrameRange>,
    ended: bool,
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
            clip_start: None,
            frames: Vec::new(),
            judged: 0,
            whole_segment: true,
            run: None,
            noise: Noise::new(),
            closures: ClosureDetector::new(),
            closure: None,
            ended: false,
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
        let at = at.us() as f64 * 1e-6;
        self.clip_start.get_or_insert(at);
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
            };
            // Room was made above.
            let _ = self.frames.push(frame);
            if let Some(closure) = self.closures.observe(index, at, openness) {
                self.closure = Some(closure.frames);
                tell(EyeEvent::LongClosure(closure));
            }
        }
        while self.judged < self.frames.len() && at - self.frames[self.judged].at >= WINDOW_S {
            self.judge(false, &mut tell);
        }
    }

    /// The clip is over: tells what is left.
    pub fn finish(&mut self, mut tell: impl FnMut(EyeEvent)) {
        self.ended = true;
        self.flush(&mut tell);
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
        if let Some(closure) = self.closures.end() {
            tell(EyeEvent::LongClosure(closure));
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
        let start = self.clip_start.unwrap_or(frame.at);
        let before_clip = frame.at - WINDOW_S < start;
        let after_clip = last
            && self.ended
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

    /// Cuts the run that ends before `stop` where the eye re-opened, and judges each piece.
    fn close_run(&mut self, stop: usize, tell: &mut impl FnMut(EyeEvent)) {
        let Some(start) = self.run.take() else { return };
        let (mut piece, mut peak, mut low) = (start, start, start);
        for i in start..stop {
            let depth = |at: usize| self.frames[at].depth;
            if depth(i) > depth(peak) && low == peak {
                (peak, low) = (i, i);
                continue;
            }
            if depth(i) < depth(low) {
                low = i;
                continue;
            }
            let shallower = depth(peak).min(depth(i));
            if low > peak
                && shallower >= BLINK_DEPTH
                && depth(low) <= (1.0 - SPLIT_SHARE) * shallower
            {
                self.tell_blink(piece, low, tell);
                (piece, peak, low) = (low, i, i);
                continue;
            }
            if depth(i) > depth(peak) {
                (peak, low) = (i, i);
            }
        }
        self.tell_blink(piece, stop, tell);
    }

    /// Judges the frames `low..high` as one event.
    fn tell_blink(&self, low: usize, high: usize, tell: &mut impl FnMut(EyeEvent)) {
        let frames = &self.frames;
        let mut peak = low;
        for i in low..high {
            if frames[i].depth > frames[peak].depth {
                peak = i;
            }
        }
        let depth = frames[peak].depth;
        if depth < BLINK_DEPTH {
            return;
        }
        let top = &frames[peak];
        let seen = top.openness.map(|value| value.is_some());
        let count = seen.iter().filter(|seen| **seen).count().max(1) as f32;
        let level = (0..2)
            .filter(|eye| seen[*eye])
            .map(|eye| top.references[eye])
            .sum::<f32>()
            / count;
        // The mean of two eyes has less noise than one.
        let noise = self.noise.deviation() / level.max(MIN_REFERENCE) / libm::sqrtf(count);
        let floor = BOUNDARY_DEVIATIONS * noise;
        let (mut start, mut end, mut half_start, mut half_end) = (peak, peak, peak, peak);
        while start > low && frames[start - 1].depth >= (START_SHARE * depth).max(floor) {
            start -= 1;
        }
        while end + 1 < high && frames[end + 1].depth >= (END_SHARE * depth).max(floor) {
            end += 1;
        }
        while half_start > start && frames[half_start - 1].depth >= 0.5 * depth {
            half_start -= 1;
        }
        while half_end < end && frames[half_end + 1].depth >= 0.5 * depth {
            half_end += 1;
        }
        let duration = frames[end].at - frames[start].at;
        let width = frames[half_end].at - frames[half_start].at;
        let around = &frames[start.saturating_sub(1)..=(end + 1).min(frames.len() - 1)];
        let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
        for frame in around {
            (least, most) = (least.min(frame.yaw), most.max(frame.yaw));
        }
        let turn = most - least;
        let at_start = start == 0
            && self.whole_segment
            && self
                .clip_start
                .is_some_and(|clip_start| frames[0].at - WINDOW_S < clip_start);
        let at_edge = at_start || (self.ended && end == frames.len() - 1);
        let mut asked = (BLINK_DEPTH + DEPTH_PER_DEGREE * turn).max(NOISE_DEVIATIONS * noise);
        if at_edge {
            asked = asked.max(EDGE_DEPTH);
        }
        if width > SLOW_S {
            asked = asked.max(SLOW_DEPTH);
        }
        if depth < asked || duration > MAX_BLINK_S {
            return;
        }
        // Shut for 0.8 to 1.6 s, only the middle has both shoulders open: the dip ends because its reference moved, not
        // because the eye opened. That is a long closure, not a blink.
        let still_shut = |outside: &Frame| outside.depth_below(top) > STILL_SHUT_SHARE * depth;
        let before = start.checked_sub(1).and_then(|at| frames.get(at));
        if before.is_some_and(still_shut) || frames.get(end + 1).is_some_and(still_shut) {
            return;
        }
        let range = FrameRange::new(frames[start].index, frames[end].index);
        // Told already as what it is: a long closure is not a long blink.
        if self
            .closure
            .is_some_and(|closure| 2 * closure.overlap(range) >= range.frames())
        {
            return;
        }
        tell(EyeEvent::Blink(Blink {
            frames: range,
            pts: (capture_time(frames[start].at), capture_time(frames[end].at)),
            peak: top.index,
            depth,
            left: seen[0].then_some(top.depths[0]),
            right: seen[1].then_some(top.depths[1]),
            width_s: width as f32,
            turn,
            yaw: top.yaw,
            noise,
            at_edge,
        }));
    }
}

/// Seconds back to the microseconds they came from.
fn capture_time(seconds: f64) -> CaptureTime {
    CaptureTime(libm::round(seconds * 1e6) as i64)
}

#[cfg(test)]
mod tests;
