//! The alertness of one person, if that person is the driver.

use super::ModelIndexes;
use super::state::StateLabeller;
use crate::alertness::{Alertness, AlertnessFrame, Judged};
use crate::gate::Gate;
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind};
use crate::reading::{Reading, Span, Verdict};
use crate::time::CaptureTime;
use crate::wire::{Decision, Label, LabelValue, Signs};

/// Whether somebody drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// They do.
    Driver,
    /// Somebody else does.
    Passenger,
    /// Nobody was chosen yet.
    Unknown,
}

/// Tells how alert one person is.
pub(super) struct AlertnessLabeller {
    alertness: Alertness,
    said: Said,
}

/// What is being said, and what it rests on.
struct Said {
    state: StateLabeller<u8>,
    signs: Option<Signs>,
}

impl AlertnessLabeller {
    pub(super) fn new(track: TrackId, models: &ModelIndexes) -> Self {
        let kind = LabelKind::Alertness;
        Self {
            alertness: Alertness::new(),
            said: Said {
                state: StateLabeller::new(kind, Some(track), models.of(kind), LabelValue::Level),
                signs: None,
            },
        }
    }

    /// Takes a frame in which the person is in view.
    pub(super) fn observe(
        &mut self,
        frame: Span,
        seen: &AlertnessFrame,
        role: Role,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let Self { alertness, said } = self;
        match &gate.alertness {
            Some(rubric) => alertness.observe(frame, seen, rubric, &mut |span, judged| {
                said.say(span, judged, role, gate, tell);
            }),
            None => said.say(frame, Err(AbstainReason::NoLabeller), role, gate, tell),
        }
    }

    /// Takes frames in which the person was out of view.
    pub(super) fn be_silent(
        &mut self,
        frames: Span,
        reason: AbstainReason,
        role: Role,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let Self { alertness, said } = self;
        match &gate.alertness {
            Some(rubric) => alertness.be_silent(frames, reason, rubric, &mut |span, judged| {
                said.say(span, judged, role, gate, tell);
            }),
            None => said.say(frames, Err(reason), role, gate, tell),
        }
    }

    /// A label of the person is told: blinks say how long lids are down.
    pub(super) fn hear(&mut self, label: &Label) {
        let (CaptureTime(from), CaptureTime(to)) = label.pts_us;
        if label.kind == LabelKind::Blink && label.decision == Decision::Candidate {
            self.alertness.hear_blink((to - from) as f32 * 1e-6);
        }
    }

    pub(super) fn finish(&mut self, role: Role, gate: &Gate, tell: &mut impl FnMut(Label)) {
        let Self { alertness, said } = self;
        if let Some(rubric) = &gate.alertness {
            alertness.finish(rubric, &mut |span, judged| {
                said.say(span, judged, role, gate, tell);
            });
        }
        let signs = said.signs;
        said.state
            .finish(&mut |label| tell(with_signs(label, signs)));
    }
}

impl Said {
    fn say(
        &mut self,
        span: Span,
        judged: Judged,
        role: Role,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let judged = match (judged, role) {
            // Where they are out of view, it does not matter who drives.
            (Err(AbstainReason::NoPerson | AbstainReason::NoLabeller), _) | (_, Role::Driver) => {
                judged
            }
            (_, Role::Passenger) => Err(AbstainReason::Passenger),
            (_, Role::Unknown) => judged.and(Err(AbstainReason::LowConfidence)),
        };
        let verdict: Verdict<u8> = judged.map(|reading| Reading {
            value: reading.value.0,
            confidence: reading.confidence,
            raw: reading.raw,
        });
        // What ends here rests on what was seen by its own end.
        let signs = self.signs;
        self.state.observe(span, verdict, gate, &mut |label| {
            tell(with_signs(label, signs));
        });
        if let Ok(reading) = judged {
            self.signs = Some(reading.value.1);
        }
    }
}

fn with_signs(label: Label, signs: Option<Signs>) -> Label {
    Label {
        signs: signs.filter(|_| label.decision == Decision::Candidate),
        ..label
    }
}

#[cfg(test)]
mod tests;
