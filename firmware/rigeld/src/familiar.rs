//! The domain guard of faces: of those unlike the ones of the fits nothing is told surely, however clear it looks.
//!
//! Every calibration here was fitted on some people in some light. What lies beyond — darker, noisier, more compressed, smaller,
//! further turned, more unevenly lit — was seen too seldom to promise anything about it. Limits and ceiling stand in the
//! calibration file, `[familiar]`.

use label_core::Look;
use label_core::blink::Familiar;
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
    /// Most stops of light between the halves of the face. Shade itself was fitted on all that there are.
    pub(crate) most_sides: f32,
}

impl FamiliarFaces {
    /// How sure anything read off this face may be. What is not known of it is not like the fits.
    pub(crate) fn surest(&self, face: &TrackedFace) -> f32 {
        if self.is_lit_alike(face.sides) {
            self.surest_of_shade(face)
        } else {
            self.eyes.ceiling
        }
    }

    /// How sure it may be that this face lies in shadow, or that it does not.
    pub(crate) fn surest_of_shade(&self, face: &TrackedFace) -> f32 {
        let holds = self.eyes.holds(&face.legibility)
            && face.eyes.yaw.abs() <= self.most_yaw
            && eye_distance(&face.eyes) >= self.least_eye_distance_px;
        if holds { 1.0 } else { self.eyes.ceiling }
    }

    fn is_lit_alike(&self, sides: Option<f32>) -> bool {
        sides.is_some_and(|stops| stops <= self.most_sides)
    }
}

/// A look, no surer of a yes or a no than this. The ceiling is above a half: what is doubtful stays as it is.
pub(crate) fn no_surer(look: Look, surest: f32) -> Look {
    match look {
        Look::Seen { probability, raw } => Look::Seen {
            probability: probability.clamp(1.0 - surest, surest),
            raw,
        },
        Look::NotLooked | Look::Cannot(_) => look,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_an_unfamiliar_face_neither_yes_nor_no_is_sure_and_doubt_stays() {
        for (probability, tempered) in [(0.99, 0.89), (0.003, 0.11), (0.6, 0.6)] {
            let look = |probability| Look::Seen {
                probability,
                raw: 2.0,
            };
            let Look::Seen { probability, raw } = no_surer(look(probability), 0.89) else {
                panic!("a look stays one");
            };
            assert!((probability - tempered).abs() < 1e-6 && raw == 2.0);
        }
    }

    #[test]
    fn a_face_whose_halves_differ_too_much_or_cannot_be_compared_is_not_like_those_of_the_fits() {
        let familiar = FamiliarFaces {
            eyes: Familiar {
                least_contrast: 10.0,
                grain: (0.01, 0.1),
                most_disagreement: 0.02,
                ceiling: 0.89,
            },
            most_yaw: 30.0,
            least_eye_distance_px: 20.0,
            most_sides: 1.5,
        };
        let alike = [Some(0.4), Some(1.5), Some(2.4), None].map(|s| familiar.is_lit_alike(s));
        assert_eq!(alike, [true, true, false, false]);
    }
}
