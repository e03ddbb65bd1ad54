//! From measurements of frames to labels of a clip.
//!
//! [`ClipLabeller`] takes, frame by frame, what was measured of each person in view, and tells labels as soon as they are
//! certain: keyframe tracks in segments, events after their fixed lag, abstentions when they end. For every person and
//! kind the frames from the first to the last in which that person was seen are covered without a hole: by a value, by
//! an abstention with a reason, or, for events, by having been looked at. Frames in which nobody was in view are covered
//! by abstentions without a track.

mod events;
mod person;
mod track;

pub use person::{EyeMeasurement, PersonFrame, PersonMeasurement};

use crate::confidence::LogisticCalibration;
use crate::coverage::{Coverage, FrameVerdict, Run};
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind, LabelScope};
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::{Decision, Label};
use person::PersonLabeller;

/// Most people followed at a time.
pub const MAX_PERSONS: usize = 8;

/// A person not seen for longer than this is gone; their track ends where they were last seen.
const GONE_S: f32 = 5.0;

/// Which entry of the batch's model table a kind of label comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelIndexes {
    /// Eye positions.
    pub eyes: u8,
    /// Person boxes.
    pub person: u8,
    /// Blinks and long closures.
    pub blink: u8,
}

/// What a kind needs to be offered, and how sure an event is.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Least confidence of a blink.
    pub blink: f32,
    /// Least confidence of a long closure.
    pub long_closure: f32,
    /// Least confidence of an eye position.
    pub eyes: f32,
    /// Least confidence of a person box.
    pub person: f32,
    /// Confidence of a blink from its features.
    pub blink_calibration: LogisticCalibration<{ crate::blink::BLINK_FEATURES }>,
    /// Confidence of a long closure.
    pub long_closure_confidence: f32,
}

/// Makes the labels of one clip.
pub struct ClipLabeller {
    gate: Gate,
    models: ModelIndexes,
    persons: heapless::Vec<PersonLabeller, MAX_PERSONS>,
    nobody: Coverage,
    scene: Option<(FrameRange, (CaptureTime, CaptureTime))>,
    tracks: u32,
}

impl ClipLabeller {
    /// A clip of which nothing is known yet.
    pub const fn new(gate: Gate, models: ModelIndexes) -> Self {
        Self {
            gate,
            models,
            persons: heapless::Vec::new(),
            nobody: Coverage::new(),
            scene: None,
            tracks: 0,
        }
    }

    /// Tracks begun so far.
    pub const fn tracks(&self) -> u32 {
        self.tracks
    }

    /// Takes the next frame. Frames follow each other without gaps.
    pub fn observe(
        &mut self,
        index: FrameIndex,
        at: CaptureTime,
        seen: &[PersonMeasurement],
        mut tell: impl FnMut(Label),
    ) {
        let frame = Run {
            frames: FrameRange::new(index, index),
            pts: (at, at),
            verdict: FrameVerdict::Value,
        };
        let (frames, pts) = self.scene.get_or_insert((frame.frames, frame.pts));
        (frames.end, pts.1) = (index, at);
        let verdict = if seen.is_empty() {
            FrameVerdict::Abstain(AbstainReason::NoPerson)
        } else {
            FrameVerdict::Value
        };
        if let Some(run) = self.nobody.observe(Run { verdict, ..frame }) {
            tell_nobody(&run, &mut tell);
        }
        for measurement in seen {
            let place = self
                .persons
                .iter()
                .position(|person| person.track() == measurement.track);
            let place = place.or_else(|| {
                // More people than places: those that came first are kept.
                self.persons
                    .push(PersonLabeller::new(measurement.track, self.models))
                    .ok()?;
                self.tracks += 1;
                Some(self.persons.len() - 1)
            });
            if let Some(place) = place {
                self.persons[place].observe(index, at, &measurement.frame, &self.gate, &mut tell);
            }
        }
        let mut place = 0;
        while place < self.persons.len() {
            let person = &mut self.persons[place];
            if !seen
                .iter()
                .any(|measurement| measurement.track == person.track())
            {
                person.miss(index, at, &self.gate, &mut tell);
            }
            if person.missing_s(at) > GONE_S {
                let mut person = self.persons.swap_remove(place);
                person.finish(&self.gate, &mut tell);
            } else {
                place += 1;
            }
        }
    }

    /// The clip is over.
    pub fn finish(&mut self, mut tell: impl FnMut(Label)) {
        for person in &mut self.persons {
            person.finish(&self.gate, &mut tell);
        }
        self.persons.clear();
        if let Some(run) = self.nobody.finish() {
            tell_nobody(&run, &mut tell);
        }
        if let Some((frames, pts)) = self.scene.take() {
            for kind in LabelKind::ALL
                .into_iter()
                .filter(|kind| kind.scope() == LabelScope::Scene)
            {
                tell(abstention(
                    kind,
                    None,
                    frames,
                    pts,
                    AbstainReason::NoLabeller,
                ));
            }
        }
    }
}

fn tell_nobody(run: &Run, tell: &mut impl FnMut(Label)) {
    if let FrameVerdict::Abstain(reason) = run.verdict {
        for kind in LabelKind::ALL
            .into_iter()
            .filter(|kind| kind.scope() == LabelScope::Track)
        {
            tell(abstention(kind, None, run.frames, run.pts, reason));
        }
    }
}

/// A label that says nothing but why. Its place in the batch is set by whoever sends it.
fn abstention(
    kind: LabelKind,
    track: Option<TrackId>,
    frames: FrameRange,
    pts_us: (CaptureTime, CaptureTime),
    reason: AbstainReason,
) -> Label {
    Label {
        n: 0,
        kind,
        track,
        frames,
        pts_us,
        decision: Decision::Abstain,
        reason: Some(reason),
        confidence: None,
        raw: None,
        model: None,
        value: None,
    }
}

#[cfg(test)]
mod tests;
