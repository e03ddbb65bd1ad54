//! Finding faces: MediaPipe's single-shot detectors, short range (128 px, faces that fill much of the picture) and full
//! range (192 px, faces some metres away).
//!
//! Both regress boxes and six key points from fixed anchors: Bazarevsky et al., `BlazeFace` (2019). Anchors and
//! decoding follow the published graphs of MediaPipe (Apache-2.0): short range has 2 anchors a cell at stride 8 and 6
//! at stride 16, full range 1 a cell at stride 4, all square and of the size of the input.

use crate::card::ModelCard;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Border, Region, warp_f32};
use crate::{ModelError, runtime::Runtime};
use label_core::{BoundingBox, Keypoint};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Numbers a candidate: box centre and size, then six key points.
const VALUES: usize = 16;

/// Boxes that overlap by more than this show one face (MediaPipe's value).
const SAME_FACE_IOU: f32 = 0.3;

/// Candidates kept before overlaps are joined; a picture full of faces has fewer.
const MAX_CANDIDATES: usize = 256;

/// A face in picture pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceDetection {
    /// Around the face from forehead to chin.
    pub face: BoundingBox,
    /// The subject's right eye (image-left when upright).
    pub right_eye: Keypoint,
    /// The subject's left eye.
    pub left_eye: Keypoint,
    /// Sigmoid of the network's score; not a confidence.
    pub score: f32,
}

/// Which of the two detectors a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceDetectorKind {
    /// 128 px input, 896 anchors.
    ShortRange,
    /// 192 px input, 2304 anchors.
    FullRange,
}

/// A loaded face detector.
pub struct FaceDetector {
    interpreter: Box<dyn Interpreter>,
    side: usize,
    range: [f32; 2],
    min_score: f32,
    anchors: Vec<(f32, f32)>,
    candidates: Vec<FaceDetection>,
    crop_time: Duration,
}

impl FaceDetector {
    /// Loads the model of this card from `folder`.
    pub fn load(
        kind: FaceDetectorKind,
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let (anchors, min_score) = match kind {
            FaceDetectorKind::ShortRange => (anchors(card.input.width, &[(8, 2), (16, 6)]), 0.5),
            FaceDetectorKind::FullRange => (anchors(card.input.width, &[(4, 1)]), 0.6),
        };
        let fits = matches!(interpreter.outputs(), [boxes, scores]
            if boxes.len() == anchors.len() * VALUES && scores.len() == anchors.len());
        if !fits || card.input.width != card.input.height {
            return Err(ModelError::Role {
                name: card.name.clone(),
                role: "a face detector",
                needs: "a square input, a box output of 16 numbers an anchor and a score output",
            });
        }
        Ok(Self {
            interpreter,
            side: card.input.width,
            range: card.input.range,
            min_score,
            anchors,
            candidates: Vec::with_capacity(MAX_CANDIDATES),
            crop_time: Duration::ZERO,
        })
    }

    /// Appends the faces in an upright square of the picture to `found`, best first.
    pub fn detect(
        &mut self,
        picture: &Picture<'_>,
        square: &Region,
        found: &mut Vec<FaceDetection>,
    ) -> Result<(), ModelError> {
        let (side, range) = (self.side, self.range);
        let crop_time = &mut self.crop_time;
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::F32(values) = tensor {
                let start = Instant::now();
                warp_f32(picture, square, (side, side), Border::Black, range, values);
                *crop_time = start.elapsed();
            }
        })?;
        self.decode(square);
        join_overlapping(&mut self.candidates, found);
        Ok(())
    }

    /// Time of the last run spent in cutting out the square, not in the model.
    pub fn crop_time(&self) -> Duration {
        self.crop_time
    }

    fn decode(&mut self, square: &Region) {
        self.candidates.clear();
        let (boxes, scores) = (self.interpreter.output(0), self.interpreter.output(1));
        let side = self.side as f32;
        // Sigmoid is monotonic: compare logits, so that the exponential is taken for candidates only.
        let min_logit = (self.min_score / (1.0 - self.min_score)).ln();
        for ((row, anchor), logit) in boxes.chunks_exact(VALUES).zip(&self.anchors).zip(scores) {
            if *logit < min_logit || self.candidates.len() == MAX_CANDIDATES {
                continue;
            }
            let at = |i: usize| {
                square.picture_from_unit(row[i] / side + anchor.0, row[i + 1] / side + anchor.1)
            };
            let center = at(0);
            let (width, height) = (row[2] / side * square.width, row[3] / side * square.height);
            self.candidates.push(FaceDetection {
                face: BoundingBox::new(
                    center.x - width / 2.0,
                    center.y - height / 2.0,
                    width,
                    height,
                ),
                right_eye: at(4),
                left_eye: at(6),
                score: 1.0 / (1.0 + (-logit).exp()),
            });
        }
        self.candidates
            .sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    }
}

/// Anchor centres, 0..1, in the order of the model's outputs: cell by cell, layer by layer.
fn anchors(side: usize, layers: &[(usize, usize)]) -> Vec<(f32, f32)> {
    let mut out = Vec::new();
    for (stride, a_cell) in layers {
        let cells = side / stride;
        for y in 0..cells {
            for x in 0..cells {
                let center = (
                    (x as f32 + 0.5) / cells as f32,
                    (y as f32 + 0.5) / cells as f32,
                );
                out.extend(std::iter::repeat_n(center, *a_cell));
            }
        }
    }
    out
}

/// Replaces candidates of one face by their mean, weighted by score (`BlazeFace`, §3.3).
fn join_overlapping(candidates: &mut Vec<FaceDetection>, found: &mut Vec<FaceDetection>) {
    while let Some(best) = candidates.first().copied() {
        let mut total = 0.0;
        let mut sums = [0.0; 8];
        candidates.retain(|candidate| {
            let same = candidate.face.iou(best.face) > SAME_FACE_IOU || *candidate == best;
            if same {
                let c = candidate;
                let values = [
                    c.face.x,
                    c.face.y,
                    c.face.width,
                    c.face.height,
                    c.right_eye.x,
                    c.right_eye.y,
                    c.left_eye.x,
                    c.left_eye.y,
                ];
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value * c.score;
                }
                total += c.score;
            }
            !same
        });
        let [x, y, width, height, rx, ry, lx, ly] = sums.map(|sum| sum / total);
        found.push(FaceDetection {
            face: BoundingBox::new(x, y, width, height),
            right_eye: Keypoint::new(rx, ry),
            left_eye: Keypoint::new(lx, ly),
            score: best.score,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchor_counts_are_those_of_the_models() {
        assert_eq!(anchors(128, &[(8, 2), (16, 6)]).len(), 896);
        assert_eq!(anchors(192, &[(4, 1)]).len(), 2304);
        assert_eq!(anchors(128, &[(8, 2), (16, 6)])[0], (0.03125, 0.03125));
    }

    #[test]
    fn overlapping_candidates_become_one_face_and_others_stay() {
        let face = |x: f32, score: f32| FaceDetection {
            face: BoundingBox::new(x, 0.0, 10.0, 10.0),
            right_eye: Keypoint::new(x + 2.0, 3.0),
            left_eye: Keypoint::new(x + 8.0, 3.0),
            score,
        };
        let mut found = Vec::new();
        join_overlapping(
            &mut vec![face(0.0, 0.9), face(1.0, 0.9), face(50.0, 0.6)],
            &mut found,
        );
        assert_eq!(found.len(), 2);
        assert!((found[0].face.x - 0.5).abs() < 1e-5 && found[0].score == 0.9);
        assert_eq!(found[1].face.x, 50.0);
    }
}
