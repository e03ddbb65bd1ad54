//! People: an object detector run now and then, tightened by a mask, carried by the tracked face in between.
//!
//! The detector costs more than twice what a look of the mesh does, so it runs when a face comes or goes and otherwise every
//! [`MEASURE_AGE_S`]; between two runs a box moves with its face. How the models were chosen: `docs/adr/0004-person-box.md`.

mod detector;
mod mask;
mod tone;

use crate::card::ModelCard;
use crate::faces::{FaceTracker, TrackedFace};
use crate::picture::Picture;
use crate::{ModelError, runtime::Runtime};
use detector::{Detection, PersonDetector};
use label_core::{BoundingBox, CaptureTime, Keypoint, TrackId};
use mask::{LONE_SHARE, PersonMask, is_near};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tone::Tone;

/// Numbers that a person box's confidence is calibrated on.
pub const PERSON_FEATURES: usize = 5;

/// Of a near, lone person a score beyond this (log odds: a score of a half) says no more: in real cars the weaker boxes of
/// drivers are right as often as the stronger. One of four that `models/calibration/fit_person.py` compares.
const NEAR_LOG_ODDS: f32 = 0.0;

/// A box is measured anew after this time, unless the board says otherwise.
pub const MEASURE_AGE_S: f32 = 2.0;
/// Sooner, after this time, where a face has moved by [`MOVED_SHARE`] of its width since: the body does not move with the
/// head, and an edge on the picture's border does not come away from it. Of the three worst boxes of the in-car clips two
/// were such carried ones.
const MOVED_AGE_S: f32 = 0.5;
const MOVED_SHARE: f32 = 0.25;

/// Where a face's box and a person's belong together, the face's centre lies under the head's place by no more than this
/// share of the person's box. Of 69 faces on photographs and clips all lay within 0.48.
const MAX_FACE_COST: f32 = 0.60;
/// A person without a face keeps their track where boxes overlap by this much.
const SAME_TRACK_IOU: f32 = 0.3;
/// Most people.
const MAX_PERSONS: usize = 64;

/// A person in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Their track: that of their face where one is seen.
    pub track: TrackId,
    /// Their box and what its confidence is calibrated on (log odds of the score, of a near, lone person no more than
    /// those of a half; share covered by another box; 1 for a near, lone person; how flat and how grey the picture is: see
    /// `tone.rs`); `None` where the detector sees none.
    pub bounds: Option<(BoundingBox, [f32; PERSON_FEATURES])>,
    /// The detector's score; not a confidence.
    pub score: f32,
    /// The face's box when the person's was measured.
    face: Option<BoundingBox>,
}

/// Where the time of a frame went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonTimes {
    /// In scaling the picture.
    pub crop: Duration,
    /// In the models.
    pub infer: Duration,
}

/// Finds people.
pub struct PersonFinder {
    detector: PersonDetector,
    mask: PersonMask,
    found: Vec<Detection>,
    refined: Vec<Option<Person>>,
    measured: Vec<Person>,
    before: Vec<Person>,
    persons: Vec<Person>,
    measured_at: Option<CaptureTime>,
    measure_age_s: f32,
    times: PersonTimes,
}

impl PersonFinder {
    /// Loads detector and mask from `folder`.
    pub fn load(
        detector: &ModelCard,
        mask: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            detector: PersonDetector::load(detector, runtime, folder, threads)?,
            mask: PersonMask::load(mask, runtime, folder, threads)?,
            found: Vec::with_capacity(MAX_PERSONS),
            refined: Vec::with_capacity(MAX_PERSONS),
            measured: Vec::with_capacity(MAX_PERSONS),
            before: Vec::with_capacity(MAX_PERSONS),
            persons: Vec::with_capacity(MAX_PERSONS),
            measured_at: None,
            measure_age_s: MEASURE_AGE_S,
            times: PersonTimes::default(),
        })
    }

    /// Measures boxes anew after so many seconds instead of [`MEASURE_AGE_S`].
    #[must_use]
    pub fn measuring_every(mut self, seconds: f32) -> Self {
        self.measure_age_s = seconds;
        self
    }

    /// Forgets everybody: the next frame belongs to another clip.
    pub fn reset(&mut self) {
        self.measured.clear();
        self.persons.clear();
        self.measured_at = None;
    }

    /// The people of the last frame.
    pub fn persons(&self) -> &[Person] {
        &self.persons
    }

    /// Where the time of the last frame went.
    pub fn times(&self) -> PersonTimes {
        self.times
    }

    /// Looks at the next frame, whose faces are known.
    pub fn observe(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        faces: &mut FaceTracker,
    ) -> Result<(), ModelError> {
        self.times = PersonTimes::default();
        let with_face = self
            .measured
            .iter()
            .filter(|person| person.face.is_some())
            .count();
        let come_or_gone = faces.faces().len() != with_face
            || faces.faces().iter().any(|face| {
                !self
                    .measured
                    .iter()
                    .any(|person| person.track == face.track)
            });
        let moved = self.measured.iter().any(|person| {
            let face = faces.faces().iter().find(|face| face.track == person.track);
            person.face.zip(face).is_some_and(|(then, face)| {
                then.center().distance(face.bounds.center()) > MOVED_SHARE * then.width
            })
        });
        let enough = if moved {
            self.measure_age_s.min(MOVED_AGE_S)
        } else {
            self.measure_age_s
        };
        let old = self
            .measured_at
            .is_none_or(|last| at.seconds_since(last) >= enough);
        if old || come_or_gone {
            self.measure(picture, faces)?;
            self.measured_at = Some(at);
        }
        self.persons.clear();
        for person in &self.measured {
            let face = faces.faces().iter().find(|face| face.track == person.track);
            self.persons.push(carried(person, face, picture));
        }
        Ok(())
    }

    fn measure(
        &mut self,
        picture: &Picture<'_>,
        faces: &mut FaceTracker,
    ) -> Result<(), ModelError> {
        self.found.clear();
        self.detector.detect(picture, &mut self.found)?;
        self.found.truncate(MAX_PERSONS);
        self.times.crop += self.detector.crop_time;
        self.times.infer += self.detector.infer_time;
        self.refined.clear();
        for index in 0..self.found.len() {
            let bounds = self.mask.refined(picture, &self.found, index)?;
            self.times.crop += self.mask.crop_time;
            self.times.infer += self.mask.infer_time;
            let Detection { score, covered, .. } = self.found[index];
            let features = features(score, covered, is_near(bounds, picture), self.detector.tone);
            self.refined.push(Some(Person {
                track: 0,
                bounds: Some((bounds, features)),
                score,
                face: None,
            }));
        }
        std::mem::swap(&mut self.before, &mut self.measured);
        self.measured.clear();
        self.assign_faces(faces.faces());
        for person in self.refined.iter().flatten() {
            let overlap = |other: &Person| match (other.bounds, person.bounds) {
                (Some((a, _)), Some((b, _))) => a.iou(b),
                _ => 0.0,
            };
            let known = self
                .before
                .iter()
                .find(|other| other.face.is_none() && overlap(other) > SAME_TRACK_IOU);
            let track = known.map_or_else(|| faces.begin_track(), |other| other.track);
            if self.measured.len() < MAX_PERSONS {
                self.measured.push(Person { track, ..*person });
            }
        }
        Ok(())
    }

    /// Gives each face the box whose head it fits best; a face that fits none is a person without a box.
    fn assign_faces(&mut self, faces: &[TrackedFace]) {
        for face in faces {
            let costs = self
                .refined
                .iter()
                .enumerate()
                .filter_map(|(index, person)| {
                    let cost = face_cost(face.bounds, person.as_ref()?.bounds?.0);
                    (cost <= MAX_FACE_COST).then_some((cost, index))
                });
            let best = costs
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, index)| index);
            let person = best.and_then(|index| self.refined[index].take());
            let nobody = Person {
                track: 0,
                bounds: None,
                score: 0.0,
                face: None,
            };
            self.measured.push(Person {
                track: face.track,
                face: Some(face.bounds),
                ..person.unwrap_or(nobody)
            });
        }
    }
}

/// See [`Person::bounds`].
fn features(score: f32, covered: f32, is_near: bool, tone: Tone) -> [f32; PERSON_FEATURES] {
    let score = score.clamp(0.001, 0.999);
    let log_odds = (score / (1.0 - score)).ln();
    let [flat, grey] = tone.features();
    if is_near && covered <= LONE_SHARE {
        [log_odds.min(NEAR_LOG_ODDS), covered, 1.0, flat, grey]
    } else {
        [log_odds, covered, 0.0, flat, grey]
    }
}

/// How far a face is from where the head of this person should be, in sizes of the person's box.
fn face_cost(face: BoundingBox, person: BoundingBox) -> f32 {
    if !person.contains(face.center()) {
        return f32::INFINITY;
    }
    // The box of a head begins above the face by about two fifths of its height.
    let sideways = (face.center().x - person.center().x).abs() / person.width;
    sideways + (face.y - 0.4 * face.height - person.y).abs() / person.height
}

/// The person's box where their face is now: moved and scaled with it; edges on the picture's border stay there, since the
/// person goes on outside.
fn carried(person: &Person, face: Option<&TrackedFace>, picture: &Picture<'_>) -> Person {
    let (Some(then), Some(face), Some((bounds, features))) = (person.face, face, person.bounds)
    else {
        return *person;
    };
    let (from, to) = (then.center(), face.bounds.center());
    let scale = (face.bounds.width + face.bounds.height) / (then.width + then.height).max(1.0);
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let moved = |edge: f32, from: f32, to: f32, limit: f32| {
        if edge < 0.01 * limit || edge > 0.99 * limit {
            edge
        } else {
            to + (edge - from) * scale
        }
    };
    let corner = Keypoint::new(
        moved(bounds.x, from.x, to.x, width),
        moved(bounds.y, from.y, to.y, height),
    );
    let opposite = Keypoint::new(
        moved(bounds.right(), from.x, to.x, width),
        moved(bounds.bottom(), from.y, to.y, height),
    );
    let bounds = BoundingBox::from_corners(corner, opposite).clipped(width, height);
    Person {
        bounds: Some((bounds, features)),
        ..*person
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strong_score_says_no_more_of_a_near_and_lone_person_than_a_middling_one() {
        let of = |score, covered, is_near| features(score, covered, is_near, Tone::default());
        let [near, middling] = [0.9, 0.6].map(|score| of(score, 0.1, true));
        assert_eq!(near, middling);
        assert!(of(0.4, 0.1, true) < middling);
        let far_or_crowded = [(0.1, false), (0.5, true)];
        for (covered, is_near) in far_or_crowded {
            assert!(of(0.9, covered, is_near) > of(0.6, covered, is_near));
        }
    }

    #[test]
    fn a_face_belongs_to_the_person_whose_head_it_is() {
        let face = BoundingBox::new(140.0, 60.0, 40.0, 50.0);
        let driver = BoundingBox::new(80.0, 40.0, 160.0, 200.0);
        let around_all = BoundingBox::new(0.0, 0.0, 600.0, 240.0);
        assert!(face_cost(face, driver) < 0.1);
        assert!(face_cost(face, around_all) > face_cost(face, driver));
        assert!(face_cost(face, BoundingBox::new(300.0, 40.0, 100.0, 200.0)).is_infinite());
    }
}
