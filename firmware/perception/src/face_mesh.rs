//! The face mesh: points on a face in a region, 468 of them used, and whether there is a face at all.
//!
//! Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs" (2019). The region of
//! interest follows MediaPipe: the box around the points (or the detector's box), made square by its longer side, half
//! as large again, turned so that the eyes are level.

use crate::card::ModelCard;
use crate::face_detector::FaceDetection;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Border, Region, warp_f32};
use crate::{ModelError, runtime::Runtime};
use label_core::{BoundingBox, Keypoint};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Points of the mesh that are used; a 478-point mesh has these first and ten iris points after them.
pub const LANDMARKS: usize = 468;

/// How much larger than the face the region is.
const REGION_SCALE: f32 = 1.5;

/// A point of the mesh: picture pixels, and depth in the same unit, smaller towards the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Landmark {
    /// Pixels to the right.
    pub x: f32,
    /// Pixels down.
    pub y: f32,
    /// Depth relative to the head's centre.
    pub z: f32,
}

impl Landmark {
    /// The point in the picture.
    pub fn keypoint(self) -> Keypoint {
        Keypoint::new(self.x, self.y)
    }

    /// Distance in three dimensions, in pixels: does not shrink when the head turns.
    pub fn distance(self, other: Self) -> f32 {
        let (dx, dy, dz) = (self.x - other.x, self.y - other.y, self.z - other.z);
        (dx * dx + dy * dy + dz * dz).sqrt()
    }
}

/// One face's mesh.
#[derive(Clone, Debug)]
pub struct MeshFace {
    /// The points.
    pub landmarks: Box<[Landmark; LANDMARKS]>,
    /// Sigmoid of the network's face flag; not a confidence.
    pub presence: f32,
    /// The region it was read from.
    pub region: Region,
}

impl MeshFace {
    /// Room for a mesh.
    pub fn empty() -> Self {
        let region = Region {
            center: Keypoint::new(0.0, 0.0),
            width: 0.0,
            height: 0.0,
            angle: 0.0,
        };
        Self {
            landmarks: Box::new([Landmark::default(); LANDMARKS]),
            presence: 0.0,
            region,
        }
    }

    /// The smallest upright box around all points.
    pub fn bounds(&self) -> BoundingBox {
        let mut low = Keypoint::new(f32::INFINITY, f32::INFINITY);
        let mut high = Keypoint::new(f32::NEG_INFINITY, f32::NEG_INFINITY);
        for point in self.landmarks.iter() {
            low = Keypoint::new(low.x.min(point.x), low.y.min(point.y));
            high = Keypoint::new(high.x.max(point.x), high.y.max(point.y));
        }
        BoundingBox::from_corners(low, high)
    }

    /// Where to look for this face in the next frame.
    pub fn next_region(&self) -> Region {
        region_of_interest(self.bounds(), self.eye_line_angle())
    }
}

/// The region for a face with this box and eye line.
fn region_of_interest(face: BoundingBox, angle: f32) -> Region {
    let side = face.width.max(face.height) * REGION_SCALE;
    Region {
        center: face.center(),
        width: side,
        height: side,
        angle,
    }
}

impl FaceDetection {
    /// Where to read this face's mesh.
    pub fn region(&self) -> Region {
        let (right, left) = (self.right_eye, self.left_eye);
        region_of_interest(self.face, (left.y - right.y).atan2(left.x - right.x))
    }
}

/// A crop darker than this mean (0 to 1) is denoised and brightened before it is read.
///
/// On clips darkened to a fifth with sensor noise added, blinks found rise from F1 0.91 to 0.97; no clip of the
/// development data in its own light is this dark.
const DARK_MEAN: f32 = 50.0 / 255.0;

/// Mean that a dark crop is brightened to, and the largest gain.
const BRIGHT_MEAN: f32 = 100.0 / 255.0;
const MAX_GAIN: f32 = 8.0;

/// A loaded mesh model.
pub struct FaceMesh {
    interpreter: Box<dyn Interpreter>,
    row: Vec<f32>,
    crop_time: Duration,
    size: (usize, usize),
    range: [f32; 2],
    points: usize,
    flag: usize,
}

impl FaceMesh {
    /// Loads the model of this card from `folder`.
    pub fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let points = interpreter
            .outputs()
            .iter()
            .position(|output| output.len() >= LANDMARKS * 3);
        let flag = interpreter
            .outputs()
            .iter()
            .position(|output| output.len() == 1);
        let (Some(points), Some(flag)) = (points, flag) else {
            return Err(ModelError::Role {
                name: card.name.clone(),
                role: "a face mesh",
                needs: "an output of 468 points or more and one of a single face flag",
            });
        };
        let size = (card.input.width, card.input.height);
        Ok(Self {
            interpreter,
            row: vec![0.0; size.0.max(size.1) * 3],
            crop_time: Duration::ZERO,
            size,
            range: card.input.range,
            points,
            flag,
        })
    }

    /// Time of the last run spent in cutting out the region, not in the model.
    pub fn crop_time(&self) -> Duration {
        self.crop_time
    }

    /// Reads the mesh in `region` into `face`.
    pub fn read(
        &mut self,
        picture: &Picture<'_>,
        region: &Region,
        face: &mut MeshFace,
    ) -> Result<(), ModelError> {
        let (size, range) = (self.size, self.range);
        let (row, crop_time) = (&mut self.row, &mut self.crop_time);
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::F32(values) = tensor {
                let start = Instant::now();
                warp_f32(picture, region, size, Border::Replicate, range, values);
                brighten_if_dark(values, size, range, row);
                *crop_time = start.elapsed();
            }
        })?;
        let (width, height) = (size.0 as f32, size.1 as f32);
        let (sin, cos) = region.angle.sin_cos();
        let points = self.interpreter.output(self.points).chunks_exact(3);
        for (landmark, crop) in face.landmarks.iter_mut().zip(points) {
            let (dx, dy) = (
                (crop[0] / width - 0.5) * region.width,
                (crop[1] / height - 0.5) * region.height,
            );
            *landmark = Landmark {
                x: region.center.x + dx * cos - dy * sin,
                y: region.center.y + dx * sin + dy * cos,
                z: crop[2] / width * region.width,
            };
        }
        face.presence = 1.0 / (1.0 + (-self.interpreter.output(self.flag)[0]).exp());
        face.region = *region;
        Ok(())
    }
}

/// Smooths a dark crop twice with the binomial kernel 1 4 6 4 1 and raises its mean.
fn brighten_if_dark(
    values: &mut [f32],
    (width, height): (usize, usize),
    range: [f32; 2],
    row: &mut [f32],
) {
    let span = range[1] - range[0];
    // One number in 61: prime to the three channels, and enough for a mean.
    let sampled = values.iter().step_by(61);
    let count = sampled.len().max(1) as f32;
    let mean = (sampled.sum::<f32>() / count - range[0]) / span;
    if mean >= DARK_MEAN {
        return;
    }
    for _ in 0..2 {
        for y in 0..height {
            smooth(values, row, y * width * 3, 3, width);
        }
        for x in 0..width {
            smooth(values, row, x * 3, width * 3, height);
        }
    }
    let gain = (BRIGHT_MEAN / mean.max(1.0 / 255.0)).min(MAX_GAIN);
    for value in values {
        *value = range[0] + ((*value - range[0]) * gain).min(span);
    }
}

/// Smooths one row or column of RGB pixels in place; its ends are repeated outwards.
fn smooth(values: &mut [f32], line: &mut [f32], start: usize, step: usize, count: usize) {
    for i in 0..count {
        line[i * 3..i * 3 + 3].copy_from_slice(&values[start + i * step..start + i * step + 3]);
    }
    for i in 0..count {
        for channel in 0..3 {
            let at =
                |offset: isize| line[i.saturating_add_signed(offset).min(count - 1) * 3 + channel];
            let sum = at(-2) + 4.0 * at(-1) + 6.0 * at(0) + 4.0 * at(1) + at(2);
            values[start + i * step + channel] = sum / 16.0;
        }
    }
}
