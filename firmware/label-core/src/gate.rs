//! The gate: what may be offered.
//!
//! Each kind of label has a mode and a least confidence. A kind that the desk withdrew on this rig, or that this firmware
//! has no labeller for, is silence with that reason in every frame, so that nobody takes its absence for a "no".

use crate::alertness::Rubric;
use crate::blink::BlinkCalibration;
use crate::confidence::Confidence;
use crate::kind::{AbstainReason, LabelKind};
use crate::scene::light_change::LightCalibration;

/// Whether a kind is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Where it is sure enough.
    Offer,
    /// Not any more: reviewers stopped agreeing with it on this rig.
    Abstain,
    /// Never: nothing here makes it.
    NoLabeller,
}

/// What a kind needs to be offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindGate {
    /// Whether it is offered at all.
    pub mode: Mode,
    /// Least confidence.
    pub threshold: f32,
}

/// What every kind needs to be offered, and how sure an event is.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    kinds: [KindGate; LabelKind::ALL.len()],
    /// Confidence of a blink from its features.
    pub blink_calibration: BlinkCalibration,
    /// Confidence of a long closure.
    pub long_closure_confidence: f32,
    /// How alertness is judged; nothing is said of it without.
    pub alertness: Option<Rubric>,
    /// Probability of a change of light; `None` where no labeller looks for any.
    pub light_calibration: Option<LightCalibration>,
}

impl Gate {
    /// A gate that lets nothing through: no kind has a labeller yet.
    pub const fn new(blink_calibration: BlinkCalibration, long_closure_confidence: f32) -> Self {
        let shut = KindGate {
            mode: Mode::NoLabeller,
            threshold: 1.0,
        };
        Self {
            kinds: [shut; LabelKind::ALL.len()],
            blink_calibration,
            long_closure_confidence,
            alertness: None,
            light_calibration: None,
        }
    }

    /// What this kind needs.
    pub const fn of(&self, kind: LabelKind) -> KindGate {
        self.kinds[kind as usize]
    }

    /// Offers a kind from this confidence on.
    pub const fn offer(&mut self, kind: LabelKind, threshold: f32) {
        self.set(
            kind,
            KindGate {
                mode: Mode::Offer,
                threshold,
            },
        );
    }

    /// Sets what a kind needs.
    pub const fn set(&mut self, kind: LabelKind, needs: KindGate) {
        self.kinds[kind as usize] = needs;
    }

    /// Why a kind is silent whatever is seen; `None` where it is offered.
    pub const fn closed(&self, kind: LabelKind) -> Option<AbstainReason> {
        match self.of(kind).mode {
            Mode::Offer => None,
            Mode::Abstain => Some(AbstainReason::Demoted),
            Mode::NoLabeller => Some(AbstainReason::NoLabeller),
        }
    }

    /// Lets a confidence through, or says why not.
    pub fn admit(
        &self,
        kind: LabelKind,
        confidence: Confidence,
    ) -> Result<Confidence, AbstainReason> {
        match self.closed(kind) {
            Some(reason) => Err(reason),
            None if confidence.get() >= self.of(kind).threshold => Ok(confidence),
            None => Err(AbstainReason::LowConfidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blink::Familiar;
    use crate::confidence::LogisticCalibration;

    #[test]
    fn kinds_stand_in_the_order_of_their_numbers() {
        for (place, kind) in LabelKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }

    #[test]
    fn a_kind_is_offered_at_its_threshold_and_never_once_withdrawn() {
        let calibration = BlinkCalibration {
            logistic: LogisticCalibration {
                ceiling: 1.0,
                bias: 0.0,
                weights: [0.0; crate::blink::BLINK_FEATURES],
                ranges: [(0.0, 1.0); crate::blink::BLINK_FEATURES],
            },
            familiar: Familiar {
                least_contrast: 0.0,
                grain: (0.0, 1.0),
                most_disagreement: 1.0,
                ceiling: 0.89,
            },
        };
        let mut gate = Gate::new(calibration, 0.6);
        let sure = Confidence::new(0.7).unwrap();
        let glasses = LabelKind::WearingGlasses;
        assert_eq!(gate.admit(glasses, sure), Err(AbstainReason::NoLabeller));
        gate.offer(glasses, 0.7);
        assert_eq!(gate.admit(glasses, sure), Ok(sure));
        gate.offer(glasses, 0.71);
        assert_eq!(gate.admit(glasses, sure), Err(AbstainReason::LowConfidence));
        let mode = Mode::Abstain;
        gate.set(
            glasses,
            KindGate {
                mode,
                threshold: 0.0,
            },
        );
        assert_eq!(gate.admit(glasses, sure), Err(AbstainReason::Demoted));
        assert_eq!(
            gate.admit(LabelKind::Blink, sure),
            Err(AbstainReason::NoLabeller)
        );
    }
}
