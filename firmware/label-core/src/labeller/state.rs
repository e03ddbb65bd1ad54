//! What holds for a while: successive frames of one value become one label.

use super::abstention;
use super::track::rounded;
use crate::confidence::Confidence;
use crate::gate::Gate;
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind};
use crate::reading::{Span, Verdict};
use crate::wire::{Decision, Label, LabelValue};

/// Longest label: the desk is never further behind than this.
const LONGEST_S: f32 = 30.0;

/// Gathers the values of one kind of one person, or of the scene.
pub(super) struct StateLabeller<T> {
    kind: LabelKind,
    track: Option<TrackId>,
    model: u8,
    to_value: fn(T) -> LabelValue,
    open: Option<Open<T>>,
}

/// A label in the making.
struct Open<T> {
    span: Span,
    value: Result<T, AbstainReason>,
    /// Sums over its frames.
    confidence: f32,
    raw: f32,
}

impl<T: Copy + PartialEq> StateLabeller<T> {
    pub(super) const fn new(
        kind: LabelKind,
        track: Option<TrackId>,
        model: u8,
        to_value: fn(T) -> LabelValue,
    ) -> Self {
        Self {
            kind,
            track,
            model,
            to_value,
            open: None,
        }
    }

    /// Takes the next frames, all of one verdict.
    pub(super) fn observe(
        &mut self,
        span: Span,
        verdict: Verdict<T>,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let closed = gate.closed(self.kind);
        let admitted = verdict
            .and_then(|reading| {
                gate.admit(self.kind, reading.confidence)
                    .map(|confidence| (reading.value, confidence.get(), reading.raw))
            })
            // Where nobody is there, nothing was withdrawn.
            .map_err(|reason| match closed {
                Some(closed) if reason != AbstainReason::NoPerson => closed,
                _ => reason,
            });
        let value = admitted.map(|(value, ..)| value);
        let frames = span.frames.frames() as f32;
        let (confidence, raw) = admitted.map_or((0.0, 0.0), |(_, confidence, raw)| {
            (confidence * frames, raw * frames)
        });
        if let Some(open) = &mut self.open {
            let is_long = value.is_ok() && span.pts.1.seconds_since(open.span.pts.0) >= LONGEST_S;
            if open.value == value && !is_long && open.span.extend(span) {
                open.confidence += confidence;
                open.raw += raw;
                return;
            }
        }
        self.finish(tell);
        self.open = Some(Open {
            span,
            value,
            confidence,
            raw,
        });
    }

    /// No frame follows.
    pub(super) fn finish(&mut self, tell: &mut impl FnMut(Label)) {
        let Some(open) = self.open.take() else { return };
        let Span { frames, pts } = open.span;
        match open.value {
            Err(reason) => tell(abstention(self.kind, self.track, frames, pts, reason)),
            Ok(value) => {
                let count = frames.frames() as f32;
                tell(Label {
                    n: 0,
                    kind: self.kind,
                    track: self.track,
                    frames,
                    pts_us: pts,
                    decision: Decision::Candidate,
                    reason: None,
                    confidence: Confidence::new(rounded(open.confidence / count, 1e4)).ok(),
                    raw: Some(rounded(open.raw / count, 1e4)).filter(|raw| raw.is_finite()),
                    model: Some(self.model),
                    value: Some((self.to_value)(value)),
                    signs: None,
                    driver: false,
                });
            }
        }
    }
}
