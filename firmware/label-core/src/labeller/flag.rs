//! The yes-or-no attributes of one person.

use super::ModelIndexes;
use super::state::StateLabeller;
use crate::flag::{FlagFilter, FlagTiming};
use crate::gate::Gate;
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind};
use crate::reading::{Look, Span};
use crate::wire::{Label, LabelValue};

/// Tells one attribute of one person.
pub(super) struct FlagLabeller {
    filter: FlagFilter,
    state: StateLabeller<bool>,
}

impl FlagLabeller {
    pub(super) const fn new(
        kind: LabelKind,
        track: TrackId,
        models: &ModelIndexes,
        timing: FlagTiming,
    ) -> Self {
        Self {
            filter: FlagFilter::new(timing),
            state: StateLabeller::new(kind, Some(track), models.of(kind), LabelValue::Flag),
        }
    }

    /// Takes a frame in which the person is in view.
    pub(super) fn observe(
        &mut self,
        frame: Span,
        look: Look,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let Self { filter, state } = self;
        filter.observe(frame, look, &mut |span, verdict| {
            state.observe(span, verdict, gate, tell);
        });
    }

    /// Takes frames in which the person was out of view.
    pub(super) fn be_silent(
        &mut self,
        span: Span,
        reason: AbstainReason,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let Self { filter, state } = self;
        filter.be_silent(span, reason, &mut |span, verdict| {
            state.observe(span, verdict, gate, tell);
        });
    }

    pub(super) fn finish(&mut self, gate: &Gate, tell: &mut impl FnMut(Label)) {
        let Self { filter, state } = self;
        filter.finish(&mut |span, verdict| state.observe(span, verdict, gate, tell));
        state.finish(tell);
    }
}
