//! What perception saw of each person, in the words of the labeller.

use super::Pipeline;
use crate::familiar::no_surer;
use label_core::labeller::{PersonFrame, PersonMeasurement};
use label_core::wire::Shed;
use label_core::{AbstainReason, CaptureTime, EyeSide, LabelKind, Look};
use perception::{Picture, TrackedFace};

impl Pipeline {
    /// Puts what was seen of each person into the words of the labeller.
    pub(super) fn measure(&mut self, picture: &Picture<'_>, at: CaptureTime, shed: Shed) {
        self.measured.clear();
        let away = Err(AbstainReason::EyeTurnedAway);
        let (glasses, occlusion) = (self.glasses.as_ref(), self.occlusion.as_ref());
        let (light, familiar) = (&self.light, &self.calibration.familiar);
        let surest = |face: Option<&TrackedFace>| face.map_or(1.0, |face| familiar.surest(face));
        let surest_of_shade =
            |face: Option<&TrackedFace>| face.map_or(1.0, |face| familiar.surest_of_shade(face));
        let eyes_of = |track, face: Option<&TrackedFace>| {
            EyeSide::BOTH.map(|side| {
                if glasses.is_some_and(|reader| reader.hides_eyes(track))
                    || occlusion.is_some_and(|reader| reader.covers_eye(track, side, at, face))
                {
                    return Err(AbstainReason::Occluded);
                }
                face.map_or(away, |face| self.calibration.eye(face, side))
            })
        };
        let attribute = |look: Look, surest: f32| {
            if shed >= Shed::Attributes {
                Look::Cannot(AbstainReason::Shed)
            } else {
                no_surer(look, surest)
            }
        };
        // What covers an eye looks like the rim of glasses.
        let glasses_of = |track, face: Option<&TrackedFace>| {
            let covered = |side| occlusion.is_some_and(|o| o.covers_eye(track, side, at, face));
            match glasses.map_or(Look::NotLooked, |g| g.look(track, face)) {
                Look::Seen { .. } if EyeSide::BOTH.into_iter().any(covered) => {
                    Look::Cannot(AbstainReason::Occluded)
                }
                look => look,
            }
        };
        let measurement = |track, face: Option<&TrackedFace>, person, person_score| {
            let [left, right] = eyes_of(track, face);
            PersonMeasurement {
                track,
                frame: PersonFrame {
                    person,
                    person_score,
                    left,
                    right,
                    face_score: face.map_or(0.0, |face| face.mesh.presence),
                    yaw: face.map_or(0.0, |face| face.eyes.yaw),
                    glasses: attribute(glasses_of(track, face), surest(face)),
                    shadow: attribute(light.shadow(picture, face), surest_of_shade(face)),
                    occluded: attribute(
                        occlusion.map_or(Look::NotLooked, |o| o.look(track, at, face)),
                        surest(face),
                    ),
                    motion: face.and_then(|face| face.motion),
                    legibility: face.map_or_else(Default::default, |face| face.legibility),
                    sides: face.and_then(|face| face.sides),
                },
            }
        };
        if shed >= Shed::PersonBox {
            let not_looked = Err(AbstainReason::Shed);
            for face in self.faces.faces() {
                let seen = measurement(face.track, Some(face), not_looked, 0.0);
                self.measured.push(seen);
            }
            return;
        }
        let least = self.gate.of(LabelKind::BboxPerson).threshold;
        for person in self.persons.persons() {
            let of = |face: &&TrackedFace| face.track == person.track;
            let face = self.faces.faces().iter().find(of);
            let boxed = person
                .bounds
                .map(|(bounds, features)| (bounds, self.calibration.person.confidence(features)));
            // Without a face, a box that would not be offered is no ground to say that somebody is there.
            let sure = boxed.is_some_and(|(_, confidence)| confidence.get() >= least);
            if face.is_some() || sure {
                let boxed = boxed.ok_or(AbstainReason::LowConfidence);
                self.measured
                    .push(measurement(person.track, face, boxed, person.score));
            }
        }
    }
}
