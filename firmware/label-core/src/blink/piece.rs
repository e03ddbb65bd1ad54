//! From a run of lowered frames to blinks.

use super::{
    Blink, BlinkDetector, Cut, Ending, EyeEvent, Frame, Legibility, MIN_REFERENCE, WINDOW_S,
    capture_time,
};
use crate::kind::LabelKind;
use crate::time::FrameRange;

/// Least depth of a blink: half blinks behind glasses fall to 0.8 of open.
const BLINK_DEPTH: f32 = 0.15;
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
/// How well the eyes can be read is judged this long before, during and after a blink.
const AROUND_S: f64 = 0.40;
/// A frame beside a blink that is lowered by more than this share of its peak has not re-opened.
const STILL_SHUT_SHARE: f32 = 0.6;

impl BlinkDetector {
    /// Cuts the run that ends before `stop` where the eye re-opened, and judges each piece.
    pub(super) fn close_run(&mut self, stop: usize, tell: &mut impl FnMut(EyeEvent)) {
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
                self.tell_piece(piece, low, tell);
                (piece, peak, low) = (low, i, i);
                continue;
            }
            if depth(i) > depth(peak) {
                (peak, low) = (i, i);
            }
        }
        self.tell_piece(piece, stop, tell);
    }

    /// Tells the lowered frames `low..high` as a blink if they are one, and as cut if they reach missing frames.
    fn tell_piece(&self, low: usize, high: usize, tell: &mut impl FnMut(EyeEvent)) {
        let after_cut = self.begins_cut && self.whole_segment && low == 0;
        let before_cut = self.ending == Ending::Cut && high == self.frames.len();
        let blink = self.blink(low, high).filter(|blink| {
            let begins = blink.frames.start == self.frames[low].index;
            let ends = blink.frames.end == self.frames[high - 1].index;
            !(after_cut && begins || before_cut && ends)
        });
        let mut cut = |frames: &[Frame]| {
            if let (Some(first), Some(last)) = (frames.first(), frames.last()) {
                tell(EyeEvent::Cut(Cut {
                    kind: LabelKind::Blink,
                    frames: FrameRange::new(first.index, last.index),
                    pts: (capture_time(first.at), capture_time(last.at)),
                }));
            }
        };
        let piece = &self.frames[low..high];
        let Some(blink) = blink else {
            if after_cut || before_cut {
                cut(piece);
            }
            return;
        };
        if after_cut {
            let begin = piece.partition_point(|frame| frame.index < blink.frames.start);
            cut(&piece[..begin]);
        }
        if before_cut {
            let end = piece.partition_point(|frame| frame.index <= blink.frames.end);
            cut(&piece[end..]);
        }
        tell(EyeEvent::Blink(blink));
    }

    /// The frames `low..high` as one blink.
    fn blink(&self, low: usize, high: usize) -> Option<Blink> {
        let frames = &self.frames;
        let mut peak = low;
        for i in low..high {
            if frames[i].depth > frames[peak].depth {
                peak = i;
            }
        }
        let depth = frames[peak].depth;
        if depth < BLINK_DEPTH {
            return None;
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
                .start
                .is_some_and(|start| frames[0].at - WINDOW_S < start);
        let at_edge = at_start || (self.ending == Ending::Clip && end == frames.len() - 1);
        let mut asked = (BLINK_DEPTH + DEPTH_PER_DEGREE * turn).max(NOISE_DEVIATIONS * noise);
        if at_edge {
            asked = asked.max(EDGE_DEPTH);
        }
        if width > SLOW_S {
            asked = asked.max(SLOW_DEPTH);
        }
        if depth < asked || duration > MAX_BLINK_S {
            return None;
        }
        // Shut for 0.8 to 1.6 s, only the middle has both shoulders open: the dip ends because its reference moved, not
        // because the eye opened. That is a long closure, not a blink.
        let still_shut = |outside: &Frame| outside.depth_below(top) > STILL_SHUT_SHARE * depth;
        let before = start.checked_sub(1).and_then(|at| frames.get(at));
        if before.is_some_and(still_shut) || frames.get(end + 1).is_some_and(still_shut) {
            return None;
        }
        let range = FrameRange::new(frames[start].index, frames[end].index);
        let (from, to) = (frames[start].at - AROUND_S, frames[end].at + AROUND_S);
        let near = frames.iter().filter(|f| f.at >= from && f.at <= to);
        // Told already as what it is: a long closure is not a long blink.
        if self
            .closure
            .is_some_and(|closure| 2 * closure.overlap(range) >= range.frames())
        {
            return None;
        }
        Some(Blink {
            frames: range,
            pts: (capture_time(frames[start].at), capture_time(frames[end].at)),
            peak: top.index,
            depth,
            left: seen[0].then_some(top.depths[0]),
            right: seen[1].then_some(top.depths[1]),
            width_s: width as f32,
            flanks_s: (duration - width) as f32,
            held: (half_end - half_start + 1) as f32 / (end - start + 1) as f32,
            turn,
            yaw: top.yaw,
            noise,
            at_edge,
            legibility: Legibility::mean(near.map(|frame| frame.legibility)),
        })
    }
}
