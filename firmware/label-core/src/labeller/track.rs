//! One localisation of one person over time: values become keyframes, silence becomes ranges.

use super::abstention;
use crate::confidence::Confidence;
use crate::coverage::{Coverage, FrameVerdict, Run};
use crate::id::TrackId;
use crate::keyframes::{Measurement, Segment};
use crate::kind::{AbstainReason, LabelKind};
use crate::time::CaptureTime;
use crate::wire::{Decision, Label, LabelValue};

/// Length of a track's first label: whoever stands before a rig sees soon that it works.
const FIRST_S: f32 = 1.0;
/// Longest label after that, so that the desk is never further behind than this. At 32 frames a second or more the label is
/// full before ([`crate::keyframes::MAX_SEGMENT_FRAMES`]).
const LONGEST_S: f32 = 4.0;

/// A value of one frame: `DIMENSIONS - 1` coordinates and the confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Value<const DIMENSIONS: usize> {
    pub(super) numbers: [f32; DIMENSIONS],
    pub(super) raw: f32,
}

/// Gathers the values of one kind of one person.
pub(super) struct TrackLabeller<const DIMENSIONS: usize> {
    kind: LabelKind,
    track: TrackId,
    model: u8,
    to_value: fn(&Segment<DIMENSIONS>) -> LabelValue,
    segment: Segment<DIMENSIONS>,
    pts: (CaptureTime, CaptureTime),
    /// The label in the making ends before it is this long.
    longest_s: f32,
    raw_sum: f32,
    silence: Coverage,
}

impl<const DIMENSIONS: usize> TrackLabeller<DIMENSIONS> {
    pub(super) const fn new(
        kind: LabelKind,
        track: TrackId,
        model: u8,
        tolerance: [f32; DIMENSIONS],
        to_value: fn(&Segment<DIMENSIONS>) -> LabelValue,
    ) -> Self {
        Self {
            kind,
            track,
            model,
            to_value,
            segment: Segment::new(tolerance),
            pts: (CaptureTime(0), CaptureTime(0)),
            longest_s: FIRST_S,
            raw_sum: 0.0,
            silence: Coverage::new(),
        }
    }

    /// Takes the next frames: one with a value, or any number of silence.
    pub(super) fn observe(
        &mut self,
        frames: Run,
        value: Result<Value<DIMENSIONS>, AbstainReason>,
        tell: &mut impl FnMut(Label),
    ) {
        let value = value.and_then(|value| {
            let finite = value.numbers.iter().all(|number| number.is_finite());
            if finite {
                Ok(value)
            } else {
                Err(AbstainReason::LowConfidence)
            }
        });
        let verdict = value.map_or_else(FrameVerdict::Abstain, |_| FrameVerdict::Value);
        if let Some(run) = self.silence.observe(Run { verdict, ..frames }) {
            self.tell_silence(&run, tell);
        }
        let Ok(value) = value else {
            self.tell_segment(tell);
            return;
        };
        let is_long = frames.pts.0.seconds_since(self.pts.0) >= self.longest_s;
        if self.segment.is_full() || is_long {
            self.tell_segment(tell);
        }
        if self.segment.measured().is_empty() {
            self.pts.0 = frames.pts.0;
        }
        let measurement = Measurement {
            frame: frames.frames.start,
            values: value.numbers,
        };
        if self.segment.push(measurement).is_err() {
            // Not the next frame: what was gathered ends there.
            self.tell_segment(tell);
            self.pts.0 = frames.pts.0;
            let _ = self.segment.push(measurement);
        }
        self.pts.1 = frames.pts.1;
        self.raw_sum += value.raw;
    }

    pub(super) fn finish(&mut self, tell: &mut impl FnMut(Label)) {
        self.tell_segment(tell);
        if let Some(run) = self.silence.finish() {
            self.tell_silence(&run, tell);
        }
    }

    fn tell_silence(&self, run: &Run, tell: &mut impl FnMut(Label)) {
        if let FrameVerdict::Abstain(reason) = run.verdict {
            tell(abstention(
                self.kind,
                Some(self.track),
                run.frames,
                run.pts,
                reason,
            ));
        }
    }

    fn tell_segment(&mut self, tell: &mut impl FnMut(Label)) {
        let measured = self.segment.measured();
        let (Some(first), Some(last)) = (measured.first(), measured.last()) else {
            return;
        };
        let count = measured.len() as f32;
        let confidence = measured
            .iter()
            .map(|m| m.values[DIMENSIONS - 1])
            .sum::<f32>()
            / count;
        tell(Label {
            n: 0,
            kind: self.kind,
            track: Some(self.track),
            frames: crate::FrameRange::new(first.frame, last.frame),
            pts_us: self.pts,
            decision: Decision::Candidate,
            reason: None,
            confidence: Confidence::new(rounded(confidence, 1e4)).ok(),
            raw: Some(rounded(self.raw_sum / count, 1e4)),
            model: Some(self.model),
            value: Some((self.to_value)(&self.segment)),
            signs: None,
            driver: false,
        });
        self.segment.clear();
        self.raw_sum = 0.0;
        self.longest_s = LONGEST_S;
    }
}

/// Rounds to a decimal place, so that numbers are short on the wire.
pub(super) fn rounded(value: f32, scale: f32) -> f32 {
    libm::roundf(value * scale) / scale
}
