//! The domain guard of faces: of those unlike the ones of the fits nothing is told surely, however clear it looks.
//!
//! Every calibration here was fitted on some people in some light. What lies beyond — darker, noisier, more compressed, smaller,
//! further turned — was seen too seldom to promise anything about it. Limits and ceiling stand in the calibration file,
//! `[familiar]`.

use label_core::blink::Familiar;
use label_core::{Confidence, Look};
use perception::{TrackedFace, eye_distance};

/// The faces that eyes, glasses, coverings and shade were fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FamiliarFaces {
    /// How well the eyes can be read, and the most that is promised of other faces.
    pub(crate) eyes: Familiar,
    /// Largest turn of the head, degrees.
    pub(crate) most_yaw: f32,
    /// Least distance between the eyes, pixels.
    pub(crate) least_eye_distance_px: f32,
}

impl FamiliarFaces {
    /// Whether the face is like those of the fits. What is not known is not.
    pub(crate) fn holds(&self, face: &TrackedFace) -> bool {
        self.eyes.holds(&face.legibility)
            && face.eyes.yaw.abs() <= self.most_yaw
            && eye_distance(&face.eyes) >= self.least_eye_distance_px
    }

    /// How sure a place on this face may be.
    pub(crate) fn confidence(&self, face: &TrackedFace, confidence: Confidence) -> Confidence {
        if self.holds(face) {
            confidence
        } else {
            confidence.at_most(self.eyes.ceiling)
        }
    }

    /// A look at this face, no surer of a yes or a no than it may be.
    pub(crate) fn look(&self, face: Option<&TrackedFace>, look: Look) -> Look {
        match (look, face) {
            (Look::Seen { probability, raw }, Some(face)) if !self.holds(face) => Look::Seen {
                probability: self.tempered(probability),
                raw,
            },
            _ => look,
        }
    }

    /// The ceiling is above a half: what is doubtful stays as it is.
    fn tempered(&self, probability: f32) -> f32 {
        probability.clamp(1.0 - self.eyes.ceiling, self.eyes.ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_an_unfamiliar_face_neither_yes_nor_no_is_sure_and_doubt_stays() {
        let familiar = FamiliarFaces {
            eyes: Familiar {
                least_contrast: 10.0,
                grain: (0.01, 0.1),
                most_disagreement: 0.02,
                ceiling: 0.89,
            },
            most_yaw: 30.0,
            least_eye_distance_px: 20.0,
        };
        for (probability, tempered) in [(0.99, 0.89), (0.003, 0.11), (0.6, 0.6)] {
            assert!((familiar.tempered(probability) - tempered).abs() < 1e-6);
        }
    }
}
