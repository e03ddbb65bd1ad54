//! Person boxes: an object detector run now and then, carried by the tracked face in between.
//!
//! The detector is EfficientDet-Lite0 (Tan et al., "EfficientDet", 2020): anchors at strides 8 to 128, three scales and
//! three aspects a place; only its person class is read. It costs ten times an eye's look, so it runs when a face comes or
//! goes and otherwise every [`MEASURE_AGE_S`]; between two runs a box moves with its face.

use crate::card::ModelCard;
use crate::faces::{FaceTracker, TrackedFace};
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Border, Region, warp_u8};
use crate::{ModelError, litert::Runtime};
use label_core::{BoundingBox, CaptureTime, Keypoint, TrackId};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Numbers that a person box's confidence is calibrated on.
pub const PERSON_FEATURES: usize = 3;

/// A box is measured anew after this time.
pub const MEASURE_AGE_S: f32 = 2.0;

/// Candidates below this score are not read.
const MIN_SCORE: f32 = 0.25;
/// Candidates that overlap by more than this show one person.
const SAME_PERSON_IOU: f32 = 0.5;
/// A person without a face keeps their track where boxes overlap by this much.
const SAME_TRACK_IOU: f32 = 0.3;
/// Most candidates read.
const MAX_CANDIDATES: usize = 64;

/// Strides of the five levels, in input pixels.
const STRIDES: [usize; 5] = [8, 16, 32, 64, 128];
/// Side of the smallest anchor in strides.
const ANCHOR_STRIDES: f32 = 3.0;
/// Width over height of the anchors of a place.
const ASPECTS: [f32; 3] = [1.0, 2.0, 0.5];

#[derive(Clone, Copy, Debug)]
struct Anchor {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    bounds: BoundingBox,
    score: f32,
}

/// A person in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Their track: that of their face where one is seen.
    pub track: TrackId,
    /// Their box and what its confidence is calibrated on; `None` where the detector sees none.
    pub bounds: Option<(BoundingBox, [f32; PERSON_FEATURES])>,
    /// The detector's score; not a confidence.
    pub score: f32,
    /// Centre of the face when the box was measured.
    face: Option<Keypoint>,
}

/// Where the time of a frame went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonTimes {
    /// In scaling the picture.
    pub crop: Duration,
    /// In the model.
    pub infer: Duration,
}

/// Finds people.
pub struct PersonFinder {
    interpreter: Box<dyn Interpreter>,
    size: (usize, usize),
    anchors: Vec<Anchor>,
    classes: usize,
    candidates: Vec<Candidate>,
    measured: Vec<Person>,
    persons: Vec<Person>,
    measured_at: Option<CaptureTime>,
    times: PersonTimes,
}

impl PersonFinder {
    /// Loads the model of this card from `folder`.
    pub fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let anchors = anchors(card.input.width, card.input.height);
        let classes = match interpreter.outputs() {
            [scores, boxes] if boxes.len() == anchors.len() * 4 => scores.len() / anchors.len(),
            _ => 0,
        };
        if classes == 0 {
            return Err(ModelError::Role {
                name: card.name.clone(),
                role: "a person detector",
                needs: "class scores and then four box numbers for each of EfficientDet's anchors",
            });
        }
        Ok(Self {
            interpreter,
            size: (card.input.width, card.input.height),
            anchors,
            classes,
            candidates: Vec::with_capacity(MAX_CANDIDATES),
            measured: Vec::with_capacity(MAX_CANDIDATES),
            persons: Vec::with_capacity(MAX_CANDIDATES),
            measured_at: None,
            times: PersonTimes::default(),
        })
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
        let old = self
            .measured_at
            .is_none_or(|last| at.seconds_since(last) >= MEASURE_AGE_S);
        if old || come_or_gone {
            self.detect(picture)?;
            self.assign(picture, faces);
            self.measured_at = Some(at);
        }
        self.persons.clear();
        for person in &self.measured {
            let face = faces.faces().iter().find(|face| face.track == person.track);
            self.persons.push(carried(person, face, picture));
        }
        Ok(())
    }

    fn detect(&mut self, picture: &Picture<'_>) -> Result<(), ModelError> {
        let start = Instant::now();
        let (size, times) = (self.size, &mut self.times);
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let center = Keypoint::new(width / 2.0, height / 2.0);
        let side = width.max(height);
        let square = Region {
            center,
            width: side,
            height: side,
            angle: 0.0,
        };
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::U8(bytes) = tensor {
                warp_u8(picture, &square, size, Border::Black, bytes);
                times.crop = start.elapsed();
            }
        })?;
        self.times.infer = start.elapsed().saturating_sub(self.times.crop);
        self.candidates.clear();
        let (scores, boxes) = (self.interpreter.output(0), self.interpreter.output(1));
        let scale = side / size.0 as f32;
        let (left, top) = (center.x - side / 2.0, center.y - side / 2.0);
        for ((anchor, row), score) in self
            .anchors
            .iter()
            .zip(boxes.chunks_exact(4))
            .zip(scores.chunks_exact(self.classes))
        {
            // Class 0 is the person.
            let score = score[0];
            if score < MIN_SCORE || self.candidates.len() == MAX_CANDIDATES {
                continue;
            }
            // Offsets in anchor sizes, sizes as logarithms: y, x, height, width.
            let (cy, cx) = (
                row[0] * anchor.height + anchor.y,
                row[1] * anchor.width + anchor.x,
            );
            let (h, w) = (row[2].exp() * anchor.height, row[3].exp() * anchor.width);
            let bounds = BoundingBox::new(
                left + (cx - w / 2.0) * scale,
                top + (cy - h / 2.0) * scale,
                w * scale,
                h * scale,
            );
            self.candidates.push(Candidate {
                bounds: bounds.clipped(width, height),
                score,
            });
        }
        keep_best(&mut self.candidates);
        Ok(())
    }

    /// Gives each face its box, and every other box a track of its own.
    fn assign(&mut self, picture: &Picture<'_>, faces: &mut FaceTracker) {
        let before = std::mem::take(&mut self.measured);
        for face in faces.faces() {
            let center = face.bounds.center();
            let place = self.candidates.iter().position(|candidate| {
                candidate.bounds.contains(center) && candidate.bounds.area() > face.bounds.area()
            });
            let candidate = place.map(|place| self.candidates.remove(place));
            self.measured.push(Person {
                track: face.track,
                bounds: candidate.map(|c| (c.bounds, features(&c, Some(face), picture))),
                score: candidate.map_or(0.0, |c| c.score),
                face: Some(center),
            });
        }
        for candidate in self.candidates.drain(..) {
            let known = before.iter().find(|person| {
                person.face.is_none()
                    && person
                        .bounds
                        .is_some_and(|(b, _)| b.iou(candidate.bounds) > SAME_TRACK_IOU)
            });
            self.measured.push(Person {
                track: known.map_or_else(|| faces.begin_track(), |person| person.track),
                bounds: Some((candidate.bounds, features(&candidate, None, picture))),
                score: candidate.score,
                face: None,
            });
        }
    }
}

/// The person's box where their face is now.
fn carried(person: &Person, face: Option<&TrackedFace>, picture: &Picture<'_>) -> Person {
    let (Some(then), Some(face), Some((bounds, features))) = (person.face, face, person.bounds)
    else {
        return *person;
    };
    let now = face.bounds.center();
    let moved = BoundingBox::new(
        bounds.x + now.x - then.x,
        bounds.y + now.y - then.y,
        bounds.width,
        bounds.height,
    );
    // A side at the picture's edge stays there: the person goes on outside.
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let at = |edge: f32, limit: f32| (edge - limit).abs() < 1.0;
    let left = if at(bounds.x, 0.0) { 0.0 } else { moved.x };
    let top = if at(bounds.y, 0.0) { 0.0 } else { moved.y };
    let right = if at(bounds.right(), width) {
        width
    } else {
        moved.right()
    };
    let bottom = if at(bounds.bottom(), height) {
        height
    } else {
        moved.bottom()
    };
    let corners = (Keypoint::new(left, top), Keypoint::new(right, bottom));
    let bounds = BoundingBox::from_corners(corners.0, corners.1).clipped(width, height);
    Person {
        bounds: Some((bounds, features)),
        ..*person
    }
}

/// Log odds of the score, whether a face is seen, logarithm of the box's share of the picture.
fn features(
    candidate: &Candidate,
    face: Option<&TrackedFace>,
    picture: &Picture<'_>,
) -> [f32; PERSON_FEATURES] {
    let score = candidate.score.clamp(0.01, 0.99);
    let share = candidate.bounds.area() / (picture.width() * picture.height()) as f32;
    [
        (score / (1.0 - score)).ln(),
        if face.is_some() { 1.0 } else { 0.0 },
        share.max(1e-4).ln(),
    ]
}

/// Drops every candidate that overlaps a better one.
fn keep_best(candidates: &mut Vec<Candidate>) {
    candidates.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = 0;
    for i in 0..candidates.len() {
        let candidate = candidates[i];
        if candidates[..kept]
            .iter()
            .all(|better| better.bounds.iou(candidate.bounds) <= SAME_PERSON_IOU)
        {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

/// Anchors in input pixels, in the order of the model's outputs.
fn anchors(width: usize, height: usize) -> Vec<Anchor> {
    let mut out = Vec::new();
    for stride in STRIDES {
        for row in 0..height.div_ceil(stride) {
            for column in 0..width.div_ceil(stride) {
                for octave in 0..3u8 {
                    for aspect in ASPECTS {
                        let side =
                            ANCHOR_STRIDES * stride as f32 * (f32::from(octave) / 3.0).exp2();
                        out.push(Anchor {
                            x: (column as f32 + 0.5) * stride as f32,
                            y: (row as f32 + 0.5) * stride as f32,
                            width: side * aspect.sqrt(),
                            height: side / aspect.sqrt(),
                        });
                    }
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_anchors_as_the_model_has_outputs() {
        assert_eq!(anchors(320, 320).len(), 19_206);
    }

    #[test]
    fn of_overlapping_candidates_the_best_stays() {
        let candidate = |x: f32, score| Candidate {
            bounds: BoundingBox::new(x, 0.0, 10.0, 10.0),
            score,
        };
        let mut all = vec![
            candidate(0.0, 0.5),
            candidate(1.0, 0.9),
            candidate(30.0, 0.4),
        ];
        keep_best(&mut all);
        assert_eq!(all.iter().map(|c| c.score).collect::<Vec<_>>(), [0.9, 0.4]);
    }
}
