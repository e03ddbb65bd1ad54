//! A few seconds of what is judged.

use crate::kind::AbstainReason;
use crate::reading::Span;
use crate::wire::Signs;

/// What was seen in the frames of a step.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) span: Span,
    /// Seconds in which an eye was judged.
    pub(super) seen_s: f32,
    /// Of these, with eyes slowly shut.
    pub(super) shut_s: f32,
    /// Longest time for which the eyes had been shut by any frame of the step.
    pub(super) longest_s: f32,
    /// Closures that came to half a second in the step.
    pub(super) closures: u16,
    pub(super) blinks: u16,
    pub(super) blinks_s: f32,
    pub(super) yawns: u16,
    pub(super) nods: u16,
    /// Seconds in which no eye was judged.
    hidden_s: f32,
    /// What hid them for most of that time, and its lead over everything else (Boyer and Moore's majority vote).
    reason: Option<(AbstainReason, f32)>,
}

impl Step {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            seen_s: 0.0,
            shut_s: 0.0,
            longest_s: 0.0,
            closures: 0,
            blinks: 0,
            blinks_s: 0.0,
            yawns: 0,
            nods: 0,
            hidden_s: 0.0,
            reason: None,
        }
    }

    pub(super) fn hide(&mut self, reason: AbstainReason, seconds: f32) {
        self.hidden_s += seconds;
        self.reason = Some(match self.reason {
            Some((held, lead)) if held == reason => (held, lead + seconds),
            Some((held, lead)) if lead >= seconds => (held, lead - seconds),
            _ => (reason, seconds),
        });
    }

    /// Why nothing is said of the step whatever lies around it.
    pub(super) fn hidden(&self) -> Option<AbstainReason> {
        self.reason
            .filter(|_| self.hidden_s > self.seen_s)
            .map(|(reason, _)| reason)
    }
}

/// The signs of all these steps together.
pub(super) fn signs<'a>(
    steps: impl Iterator<Item = &'a Step>,
    usual_blink_s: Option<f32>,
    least_blinks: u16,
) -> Signs {
    let mut signs = Signs::default();
    let (mut shut_s, mut blinks_s) = (0.0, 0.0);
    for step in steps {
        signs.seen_s += step.seen_s;
        shut_s += step.shut_s;
        signs.longest_closure_s = signs.longest_closure_s.max(step.longest_s);
        signs.closures = signs.closures.saturating_add(step.closures);
        signs.blinks = signs.blinks.saturating_add(step.blinks);
        blinks_s += step.blinks_s;
        signs.yawns = signs.yawns.saturating_add(step.yawns);
        signs.nods = signs.nods.saturating_add(step.nods);
    }
    if signs.seen_s > 0.0 {
        signs.perclos = shut_s / signs.seen_s;
    }
    if signs.blinks > 0 {
        let mean = blinks_s / f32::from(signs.blinks);
        signs.blink_s = Some(mean);
        signs.blink_ratio = usual_blink_s
            .filter(|usual| signs.blinks >= least_blinks && *usual > 0.0)
            .map(|usual| mean / usual);
    }
    signs
}
