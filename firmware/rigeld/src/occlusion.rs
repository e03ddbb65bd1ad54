//! Whether something covers a face or an eye, in the words of the labeller.
//!
//! The reader in `perception` looks at a face a few times a second; here its logits become probabilities, by the card
//! `models/face-occluded/card.toml`. A look holds until the next one: an eye seen covered is not read until it is seen
//! free. Without the card nothing of this runs.

use crate::labeller_card::LabellerCard;
use anyhow::{Context, Result};
use label_core::confidence::LogisticCalibration;
use label_core::{AbstainReason, CaptureTime, EyeSide, Look, TrackId};
use perception::{
    ModelCard, ModelError, Occlusion, OcclusionLook, OcclusionReader, Picture, Runtime, TrackedFace,
};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Name of the reader's model card.
pub(crate) const MODEL: &str = "occlusion-reader";

/// What the calibration takes of a look: the face's logit. Head turn, size and contrast beside it made clips that were left
/// out of the fit worse.
const FEATURES: usize = 1;

/// Numbers of the card.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Parameters {
    /// An eye is covered from this logit on.
    covered_eye: f32,
    /// Least longer side of a face, pixels.
    least_side: f32,
    /// Least deviation of the crop's light, of 255.
    least_contrast: f32,
    /// The face is out of the picture with this share of its mesh or more …
    least_outside: f32,
    /// … and occluded with this probability then.
    outside_probability: f32,
    /// A mouth with this logit or more is not clearly free …
    ambiguous_mouth: f32,
    /// … and the face that nothing else covers is covered with this probability at least: one such look keeps a window
    /// from being called free surely.
    ambiguous_probability: f32,
    /// A head turned by more degrees is not judged: the mesh guesses, and its crop shows the cheek.
    most_yaw: f32,
    /// A mouth that gapes by more (gap of the inner lips over the width of the mouth) looks covered though it yawns.
    open_mouth: f32,
    /// A face of which one half has this many stops less light than the other is not judged: the edge of a shadow looks like
    /// that of a covering.
    most_sides: f32,
}

/// How the head was seen at a look.
#[derive(Clone, Copy, Debug)]
struct Pose {
    /// Turn in degrees.
    yaw: f32,
    /// Gap of the inner lips over the width of the mouth.
    mouth_opening: f32,
    /// Stops of light between the halves of the face; 0 where they cannot be compared.
    sides: f32,
}

/// A look at a face in view speaks for this time after it: several times as long as it takes to the next one.
const LOOK_HOLDS_S: f32 = 1.0;

/// The reader and the numbers of its card.
pub(crate) struct OcclusionLabeller {
    reader: OcclusionReader,
    calibration: LogisticCalibration<FEATURES>,
    parameters: Parameters,
}

impl OcclusionLabeller {
    /// Loads the reader that a labeller card calls for.
    pub(crate) fn load(
        card: &LabellerCard,
        model: &ModelCard,
        runtime: &Arc<Runtime>,
        files: &Path,
        threads: u32,
    ) -> Result<Self> {
        Ok(Self {
            reader: OcclusionReader::load(model, runtime, files, threads)
                .context("cannot load the occlusion reader")?,
            calibration: card.calibration()?,
            parameters: card.parameters()?,
        })
    }

    /// Forgets everybody.
    pub(crate) fn reset(&mut self) {
        self.reader.reset();
    }

    /// Looks at those faces whose last look is old enough.
    pub(crate) fn observe(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        faces: &[TrackedFace],
    ) -> Result<Duration, ModelError> {
        self.reader.observe(picture, at, faces)?;
        Ok(self.reader.crop_time())
    }

    /// What this frame's look says, if there was one. `face` is `None` where the person has no face in view.
    pub(crate) fn look(&self, track: TrackId, at: CaptureTime, face: Option<&TrackedFace>) -> Look {
        let Some(last) = self.reader.last(track) else {
            return Look::NotLooked;
        };
        match face {
            None if covers_face(last) => Look::Cannot(AbstainReason::Occluded),
            Some(face) if last.at == at => judge(
                &self.calibration,
                &self.parameters,
                &last.seen,
                Pose {
                    yaw: face.eyes.yaw,
                    mouth_opening: face.mesh.motion().mouth_opening,
                    sides: face.sides.unwrap_or(0.0),
                },
            ),
            _ => Look::NotLooked,
        }
    }

    /// Whether this eye was covered when last looked at. A face that was lost under a covering hides both.
    pub(crate) fn covers_eye(
        &self,
        track: TrackId,
        side: EyeSide,
        at: CaptureTime,
        face: Option<&TrackedFace>,
    ) -> bool {
        self.reader.last(track).is_some_and(|last| match face {
            Some(_) => covers(last, side, at, self.parameters.covered_eye),
            None => covers_face(last),
        })
    }
}

/// Whether an eye of a face in view is known to be covered now. A look that is old says nothing: while work is shed no new
/// one follows.
fn covers(last: &OcclusionLook, side: EyeSide, at: CaptureTime, covered_eye: f32) -> bool {
    at.seconds_since(last.at) <= LOOK_HOLDS_S && last.seen.eye(side) >= covered_eye
}

/// Whether a face that is gone was last seen covered.
fn covers_face(last: &OcclusionLook) -> bool {
    last.seen.face > 0.0
}

fn judge(
    calibration: &LogisticCalibration<FEATURES>,
    parameters: &Parameters,
    seen: &Occlusion,
    pose: Pose,
) -> Look {
    if seen.outside >= parameters.least_outside {
        return Look::Seen {
            probability: parameters.outside_probability,
            raw: seen.face,
        };
    }
    if seen.side < parameters.least_side {
        return Look::Cannot(AbstainReason::TooSmall);
    }
    if seen.contrast < parameters.least_contrast {
        return Look::Cannot(AbstainReason::TooDark);
    }
    if pose.yaw.abs() > parameters.most_yaw {
        return Look::Cannot(AbstainReason::EyeTurnedAway);
    }
    if pose.sides >= parameters.most_sides {
        return Look::Cannot(AbstainReason::LowConfidence);
    }
    let probability = calibration.confidence([seen.face]).get();
    let least = if seen.mouth >= parameters.ambiguous_mouth {
        parameters.ambiguous_probability
    } else {
        0.0
    };
    // What nothing but a wide open mouth speaks for may be a yawn.
    let yawns = pose.mouth_opening > parameters.open_mouth
        && seen.eyes.iter().all(|eye| *eye < parameters.covered_eye);
    let most = if yawns {
        parameters.ambiguous_probability
    } else {
        1.0
    };
    Look::Seen {
        probability: probability.max(least).min(most),
        raw: seen.face,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Occlusion = Occlusion {
        eyes: [-3.0, 2.0],
        mouth: -6.0,
        face: 3.0,
        outside: 0.0,
        side: 120.0,
        contrast: 50.0,
    };
    const PARAMETERS: Parameters = Parameters {
        covered_eye: 1.0,
        least_side: 30.0,
        least_contrast: 6.0,
        least_outside: 0.15,
        outside_probability: 0.95,
        ambiguous_mouth: -3.4,
        ambiguous_probability: 0.5,
        most_yaw: 55.0,
        open_mouth: 0.4,
        most_sides: 2.0,
    };
    const FRONTAL: Pose = Pose {
        yaw: 0.0,
        mouth_opening: 0.05,
        sides: 0.4,
    };
    const CALIBRATION: LogisticCalibration<FEATURES> = LogisticCalibration {
        ceiling: 1.0,
        bias: 0.0,
        weights: [1.0],
        ranges: [(-8.0, 8.0)],
    };

    fn probability(look: Look) -> Option<f32> {
        match look {
            Look::Seen { probability, .. } => Some(probability),
            _ => None,
        }
    }

    fn judged(seen: Occlusion) -> Look {
        judge(&CALIBRATION, &PARAMETERS, &seen, FRONTAL)
    }

    #[test]
    fn a_covered_face_is_told_from_a_free_one() {
        assert!(probability(judged(SEEN)) > Some(0.9));
        let free = Occlusion { face: -4.0, ..SEEN };
        assert!(probability(judged(free)) < Some(0.05));
    }

    #[test]
    fn a_mouth_that_is_not_clearly_free_keeps_the_face_from_being_called_free() {
        let free = Occlusion { face: -4.0, ..SEEN };
        let fingers = Occlusion {
            mouth: -2.0,
            ..free
        };
        assert!(probability(judged(free)) < Some(0.05));
        assert_eq!(probability(judged(fingers)), Some(0.5));
        // What is clearly covered stays so.
        let hand = Occlusion {
            mouth: -2.0,
            ..SEEN
        };
        assert_eq!(probability(judged(hand)), probability(judged(SEEN)));
    }

    #[test]
    fn a_yawn_is_no_covering_but_a_hand_over_an_eye_stays_one() {
        let yawning = Pose {
            mouth_opening: 0.8,
            ..FRONTAL
        };
        let judged = |seen| probability(judge(&CALIBRATION, &PARAMETERS, &seen, yawning));
        let eyes_free = Occlusion {
            eyes: [-3.0, -3.0],
            mouth: 3.0,
            ..SEEN
        };
        assert_eq!(judged(eyes_free), Some(0.5));
        assert!(judged(SEEN) > Some(0.9));
    }

    #[test]
    fn a_head_in_profile_is_not_judged() {
        for yaw in [-60.0, 60.0] {
            let turned = Pose { yaw, ..FRONTAL };
            let look = judge(&CALIBRATION, &PARAMETERS, &SEEN, turned);
            assert_eq!(look, Look::Cannot(AbstainReason::EyeTurnedAway));
        }
    }

    #[test]
    fn a_face_half_in_shade_is_neither_called_covered_nor_free() {
        let shaded = Pose {
            sides: 2.4,
            ..FRONTAL
        };
        for face in [-4.0, 3.0] {
            let look = judge(
                &CALIBRATION,
                &PARAMETERS,
                &Occlusion { face, ..SEEN },
                shaded,
            );
            assert_eq!(look, Look::Cannot(AbstainReason::LowConfidence));
        }
    }

    #[test]
    fn a_face_out_of_the_picture_is_occluded_whatever_the_network_says() {
        let outside = Occlusion {
            face: -8.0,
            outside: 0.3,
            ..SEEN
        };
        assert_eq!(probability(judged(outside)), Some(0.95));
    }

    #[test]
    fn an_eye_seen_covered_is_so_until_the_next_look_and_not_for_as_long_as_looks_are_left_out() {
        let last = OcclusionLook {
            track: 1,
            at: CaptureTime(5_000_000),
            seen: SEEN,
        };
        let covered = |side, at| covers(&last, side, CaptureTime(at), PARAMETERS.covered_eye);
        assert!(covered(EyeSide::Right, 5_250_000));
        assert!(!covered(EyeSide::Left, 5_250_000));
        assert!(!covered(EyeSide::Right, 9_000_000));
    }

    #[test]
    fn where_there_is_nothing_to_see_the_look_says_why() {
        let small = Occlusion { side: 20.0, ..SEEN };
        assert_eq!(judged(small), Look::Cannot(AbstainReason::TooSmall));
        let dark = Occlusion {
            contrast: 2.0,
            ..SEEN
        };
        assert_eq!(judged(dark), Look::Cannot(AbstainReason::TooDark));
    }
}
