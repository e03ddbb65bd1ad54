//! The person detector: EfficientDet-Lite0, of which only the person class is read.
//!
//! Tan et al., "EfficientDet" (2020): anchors at strides 8 to 128, three scales and three aspects a place. Boxes of one
//! person are averaged by their scores before the weaker ones are dropped: on 36 photographs this raises the share of
//! boxes with IoU 0.8 from 0.87 to 0.92.

use super::tone::Tone;
use crate::card::ModelCard;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Border, Region, warp_u8};
use crate::{ModelError, runtime::Runtime};
use label_core::{BoundingBox, Keypoint};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Anchors scoring at least this have a say in a box.
const VOTE_SCORE: f32 = 0.15;
/// A detection's strongest anchor scores at least this.
const DETECTION_SCORE: f32 = 0.30;
/// Boxes that overlap a detection by this much are averaged into it; 0.65 to 0.85 do alike.
const BLEND_IOU: f32 = 0.70;
/// Boxes that overlap a detection by this much are the same person; 0.40 to 0.55 do alike.
const SAME_PERSON_IOU: f32 = 0.45;
/// Boxes no larger than this lie in the black border.
const MIN_SIDE: f32 = 2.0;
/// Most anchors that have a say.
const MAX_VOTES: usize = 512;

/// Strides of the five levels, in input pixels.
const STRIDES: [usize; 5] = [8, 16, 32, 64, 128];
/// Side of the smallest anchor in strides. Larger EfficientDets have 4; with 4 every box is a third too large.
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
struct Vote {
    bounds: BoundingBox,
    score: f32,
}

/// A person that the detector sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detection {
    pub(super) bounds: BoundingBox,
    pub(super) score: f32,
    /// Largest share of the box that one other detection covers.
    pub(super) covered: f32,
}

/// The loaded detector.
pub(super) struct PersonDetector {
    interpreter: Box<dyn Interpreter>,
    size: (usize, usize),
    anchors: Vec<Anchor>,
    classes: usize,
    /// Which output holds scores and which boxes.
    outputs: (usize, usize),
    votes: Vec<Vote>,
    /// Of the last picture.
    pub(super) tone: Tone,
    pub(super) crop_time: Duration,
    pub(super) infer_time: Duration,
}

impl PersonDetector {
    pub(super) fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let anchors = anchors(card.input.width, card.input.height);
        let boxes = interpreter
            .outputs()
            .iter()
            .position(|output| output.len() == anchors.len() * 4);
        let scores = interpreter
            .outputs()
            .iter()
            .position(|output| output.len() > anchors.len() * 4);
        let (Some(scores), Some(boxes)) = (scores, boxes) else {
            return Err(ModelError::Role {
                name: card.name.clone(),
                role: "a person detector",
                needs: "class scores and four box numbers for each of EfficientDet's anchors",
            });
        };
        Ok(Self {
            classes: interpreter.outputs()[scores].len() / anchors.len(),
            interpreter,
            size: (card.input.width, card.input.height),
            anchors,
            outputs: (scores, boxes),
            votes: Vec::with_capacity(MAX_VOTES),
            tone: Tone::default(),
            crop_time: Duration::ZERO,
            infer_time: Duration::ZERO,
        })
    }

    /// Appends the people in the picture to `found`, strongest first.
    pub(super) fn detect(
        &mut self,
        picture: &Picture<'_>,
        found: &mut Vec<Detection>,
    ) -> Result<(), ModelError> {
        let start = Instant::now();
        let (size, crop_time, tone) = (self.size, &mut self.crop_time, &mut self.tone);
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let side = width.max(height);
        let center = Keypoint::new(width / 2.0, height / 2.0);
        let square = Region {
            center,
            width: side,
            height: side,
            angle: 0.0,
        };
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::U8(bytes) = tensor {
                warp_u8(picture, &square, size, Border::Black, bytes);
                let border = |length: f32, size: usize| {
                    ((1.0 - length / side) / 2.0 * size as f32).ceil() as usize
                };
                let borders = (border(width, size.0), border(height, size.1));
                *tone = Tone::read(bytes, size, borders);
                *crop_time = start.elapsed();
            }
        })?;
        self.infer_time = start.elapsed().saturating_sub(self.crop_time);
        self.read_votes(&square, (width, height));
        blend(&mut self.votes, found);
        Ok(())
    }

    fn read_votes(&mut self, square: &Region, (width, height): (f32, f32)) {
        self.votes.clear();
        let scores = self
            .interpreter
            .output(self.outputs.0)
            .chunks_exact(self.classes);
        let boxes = self.interpreter.output(self.outputs.1).chunks_exact(4);
        let scale = square.width / self.size.0 as f32;
        let corner = square.picture_from_unit(0.0, 0.0);
        for ((anchor, row), scores) in self.anchors.iter().zip(boxes).zip(scores) {
            // Class 0 is the person.
            let score = scores[0];
            if score < VOTE_SCORE || self.votes.len() == MAX_VOTES {
                continue;
            }
            // Offsets in anchor sizes, sizes as logarithms: y, x, height, width.
            let (cy, cx) = (
                row[0] * anchor.height + anchor.y,
                row[1] * anchor.width + anchor.x,
            );
            let (h, w) = (row[2].exp() * anchor.height, row[3].exp() * anchor.width);
            let (x, y) = (
                corner.x + (cx - w / 2.0) * scale,
                corner.y + (cy - h / 2.0) * scale,
            );
            let bounds = BoundingBox::new(x, y, w * scale, h * scale).clipped(width, height);
            if bounds.width > MIN_SIDE && bounds.height > MIN_SIDE {
                self.votes.push(Vote { bounds, score });
            }
        }
        // Stable: equal scores keep the order of anchors.
        self.votes.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
}

/// Joins votes, strongest first, into detections.
fn blend(votes: &mut Vec<Vote>, found: &mut Vec<Detection>) {
    let first = found.len();
    while let Some(best) = votes.first().copied()
        && best.score >= DETECTION_SCORE
    {
        let (mut sums, mut total) = ([0.0f32; 4], 0.0);
        votes.retain(|vote| {
            let overlap = vote.bounds.iou(best.bounds);
            if overlap >= BLEND_IOU {
                let b = vote.bounds;
                for (sum, value) in sums.iter_mut().zip([b.x, b.y, b.width, b.height]) {
                    *sum += value * vote.score;
                }
                total += vote.score;
            }
            overlap < SAME_PERSON_IOU
        });
        let [x, y, width, height] = sums.map(|sum| sum / total);
        let bounds = BoundingBox::new(x, y, width, height);
        found.push(Detection {
            bounds,
            score: best.score,
            covered: 0.0,
        });
    }
    for index in first..found.len() {
        let bounds = found[index].bounds;
        let others = found[first..].iter().enumerate();
        found[index].covered = others
            .filter(|(other, _)| first + other != index)
            .map(|(_, other)| share_inside(bounds, other.bounds))
            .fold(0.0, f32::max);
    }
}

/// Share of `bounds` that lies in `other`.
pub(super) fn share_inside(bounds: BoundingBox, other: BoundingBox) -> f32 {
    let width = bounds.right().min(other.right()) - bounds.x.max(other.x);
    let height = bounds.bottom().min(other.bottom()) - bounds.y.max(other.y);
    if width <= 0.0 || height <= 0.0 {
        0.0
    } else {
        width * height / bounds.area()
    }
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
    fn votes_for_one_person_are_averaged_and_weaker_people_stay() {
        let vote = |x: f32, score| Vote {
            bounds: BoundingBox::new(x, 0.0, 10.0, 10.0),
            score,
        };
        let mut votes = vec![
            vote(0.0, 0.9),
            vote(1.0, 0.3),
            vote(3.0, 0.28),
            vote(30.0, 0.4),
            vote(60.0, 0.2),
        ];
        let mut found = Vec::new();
        blend(&mut votes, &mut found);
        assert_eq!(found.len(), 2, "{found:?}");
        // (0 x 0.9 + 1 x 0.3) / 1.2; the vote at 3 overlaps by 0.54: the same person, but no say.
        assert!((found[0].bounds.x - 0.25).abs() < 1e-5 && found[0].score == 0.9);
        assert_eq!((found[1].bounds.x, found[1].covered), (30.0, 0.0));
    }

    #[test]
    fn a_box_is_covered_by_a_weaker_one_too() {
        let vote = |x: f32, width: f32, score| Vote {
            bounds: BoundingBox::new(x, 0.0, width, 10.0),
            score,
        };
        // Half of the first lies in the second, and a fifth of the second in the first.
        let mut votes = vec![vote(0.0, 10.0, 0.9), vote(5.0, 25.0, 0.5)];
        let mut found = Vec::new();
        blend(&mut votes, &mut found);
        let covered = [found[0].covered, found[1].covered];
        assert!((covered[0] - 0.5).abs() < 1e-5 && (covered[1] - 0.2).abs() < 1e-5);
    }
}
