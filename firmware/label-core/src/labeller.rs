//! From measurements of frames to labels of a clip.
//!
//! [`ClipLabeller`] takes, frame by frame, what was measured of each person in view, and tells labels as soon as they are
//! certain: keyframe tracks in segments, events after their fixed lag, abstentions when they end. For every person and
//! kind the frames from the first to the last in which that person was seen are covered without a hole: by a value, by
//! an abstention with a reason, or, for events, by having been looked at. Frames in which nobody was in view are covered
//! by abstentions without a track.

mod alertness;
mod events;
mod flag;
mod person;
mod quiet;
mod scene;
mod state;
mod track;

pub use person::{EyeMeasurement, FaceMotion, PersonFrame, PersonMeasurement};
pub use quiet::Quiet;

use crate::coverage::{Coverage, FrameVerdict, Run};
use crate::driver::DriverChoice;
use crate::gate::Gate;
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind, LabelScope};
use crate::reading::Span;
use crate::scene::SceneFrame;
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::{Decision, Label};
use alertness::Role;
use person::PersonLabeller;
use scene::SceneLabeller;

/// Most people followed at a time.
pub const MAX_PERSONS: usize = 8;

/// A person not seen for longer than this is gone; their track ends where they were last seen.
const GONE_S: f32 = 5.0;

/// Which entry of the batch's model table each kind of label comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelIndexes([u8; LabelKind::ALL.len()]);

impl ModelIndexes {
    /// Every kind comes from the first entry.
    pub const fn new() -> Self {
        Self([0; LabelKind::ALL.len()])
    }

    /// Where a kind comes from.
    pub const fn set(&mut self, kind: LabelKind, index: u8) {
        self.0[kind as usize] = index;
    }

    /// The entry of this kind.
    pub const fn of(&self, kind: LabelKind) -> u8 {
        self.0[kind as usize]
    }
}

impl Default for ModelIndexes {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes the labels of one clip.
pub struct ClipLabeller {
    gate: Gate,
    models: ModelIndexes,
    persons: heapless::Vec<PersonLabeller, MAX_PERSONS>,
    nobody: Coverage,
    scene: SceneLabeller,
    driver: DriverChoice,
    tracks: u32,
    quiet: Quiet,
}

impl ClipLabeller {
    /// A clip of which nothing is known yet.
    pub const fn new(gate: Gate, models: ModelIndexes) -> Self {
        Self {
            gate,
            models,
            persons: heapless::Vec::new(),
            nobody: Coverage::new(),
            scene: SceneLabeller::new(&models),
            driver: DriverChoice::new(),
            tracks: 0,
            quiet: Quiet::new(),
        }
    }

    /// From the next frame on, another gate.
    pub fn set_gate(&mut self, gate: Gate) {
        self.gate = gate;
    }

    /// Why nothing was said since this was asked last.
    pub fn take_quiet(&mut self) -> Quiet {
        core::mem::take(&mut self.quiet)
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
        scene: &SceneFrame,
        mut tell: impl FnMut(Label),
    ) {
        let frame = Run {
            frames: FrameRange::new(index, index),
            pts: (at, at),
            verdict: FrameVerdict::Value,
        };
        self.driver.observe(at, seen);
        let driver = self.driver.track();
        self.scene
            .observe(Span::frame(index, at), scene, &self.gate, &mut tell);
        let verdict = if seen.is_empty() {
            for _ in 0..3 {
                self.quiet.count::<()>(&Err(AbstainReason::NoPerson));
            }
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
                    .push(PersonLabeller::new(measurement.track, &self.models))
                    .ok()?;
                self.tracks += 1;
                Some(self.persons.len() - 1)
            });
            if let Some(place) = place {
                let role = role(measurement.track, driver);
                self.persons[place].observe(
                    Span::frame(index, at),
                    &measurement.frame,
                    role,
                    &self.gate,
                    &mut self.quiet,
                    &mut tell,
                );
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
        self.scene.finish(&self.gate, &mut tell);
    }
}

fn role(track: TrackId, driver: Option<TrackId>) -> Role {
    match driver {
        None => Role::Unknown,
        Some(driver) if driver == track => Role::Driver,
        Some(_) => Role::Passenger,
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
        signs: None,
        driver: false,
    }
}

#[cfg(test)]
mod tests;
