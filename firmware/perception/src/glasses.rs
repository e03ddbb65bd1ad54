//! The glasses reader: a small network that tells bare eyes, glasses and dark glasses from one grey crop around both eyes.
//!
//! It was fitted on luma alone, so that near-infrared pictures are not foreign to it. Its three numbers are a softmax, not a
//! confidence. What else is measured on the crop tells how far a picture is from those that it was fitted on. A look at a
//! face that is turned away, tiny or dark is answered like any other: whether to believe it is decided where it is calibrated.

use crate::card::ModelCard;
use crate::eyes::Eyes;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::{ColorRange, Picture};
use crate::warp::{Region, warp_luma};
use crate::{ModelError, runtime::Runtime};
use label_core::Keypoint;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Crop size in pixels.
const WIDTH: usize = 96;
const HEIGHT: usize = 48;
const PIXELS: usize = WIDTH * HEIGHT;

/// Width of the crop in eye distances; it is half as high. 151 mm on a face whose eyes lie 63 mm apart: the outer ends of a
/// frame lie inside.
const SPAN: f32 = 2.4;

/// The crop's middle lies this many eye distances below the middle of the eyes: lenses reach further down than up.
const DOWN: f32 = 0.08;

/// Beyond this turn the mesh's depth is guesswork, and the eye distance is not stretched any further.
const MAX_COSINE_YAW: f32 = 50.0;

/// Least contrast, of full light, that a crop is normalised to: below it there is nothing to see, and noise must not be
/// blown up.
const MIN_DEVIATION: f32 = 0.02;

/// Numbers that the network gives: none, glasses, sunglasses.
const CLASSES: usize = 3;

/// What one look at a face says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GlassesReading {
    /// The network's number for bare eyes; the three add up to 1.
    pub none: f32,
    /// For glasses that the eyes are seen through.
    pub glasses: f32,
    /// For dark ones that hide the eyes.
    pub sunglasses: f32,
    /// What the crop was like.
    pub crop: CropCondition,
}

/// How the picture around the eyes is, to be held against what the network was fitted on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CropCondition {
    /// Distance of the eyes in three dimensions, pixels: does not shrink when the head turns.
    pub eye_distance_px: f32,
    /// Turn of the head in degrees; positive when the subject's left eye is the farther one.
    pub yaw: f32,
    /// Mean light, 0 (black) to 1 (white).
    pub light: f32,
    /// Standard deviation of light.
    pub contrast: f32,
    /// Mean step between crop pixels beside each other, over the contrast. Blur lowers it, noise raises it.
    pub detail: f32,
}

/// The loaded network.
pub struct GlassesReader {
    interpreter: Box<dyn Interpreter>,
    crop_time: Duration,
}

impl GlassesReader {
    /// Loads the model of this card; `folder` is where fetched models lie.
    pub fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let fits = interpreter.input().shape == [1, HEIGHT, WIDTH, 1]
            && matches!(interpreter.outputs(), [classes] if classes.len() == CLASSES);
        if fits {
            return Ok(Self {
                interpreter,
                crop_time: Duration::ZERO,
            });
        }
        Err(ModelError::Role {
            name: card.name.clone(),
            role: "a glasses reader",
            needs: "one grey crop of 96 by 48 pixels as input and three numbers as output",
        })
    }

    /// Time of the last run spent in cutting out the crop, not in the model.
    pub fn crop_time(&self) -> Duration {
        self.crop_time
    }

    /// Looks at the face with these eyes.
    pub fn read(
        &mut self,
        picture: &Picture<'_>,
        eyes: &Eyes,
    ) -> Result<GlassesReading, ModelError> {
        let distance = eye_distance(eyes);
        let region = region(eyes, distance);
        let mut crop_condition = CropCondition {
            eye_distance_px: distance,
            yaw: eyes.yaw,
            ..CropCondition::default()
        };
        let crop_time = &mut self.crop_time;
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::F32(crop) = tensor {
                let start = Instant::now();
                warp_luma(picture, &region, (WIDTH, HEIGHT), crop);
                normalise(crop, picture.range(), &mut crop_condition);
                *crop_time = start.elapsed();
            }
        })?;
        let classes = self.interpreter.output(0);
        Ok(GlassesReading {
            none: classes[0],
            glasses: classes[1],
            sunglasses: classes[2],
            crop: crop_condition,
        })
    }
}

/// Distance between the eye centres as it were with the face turned to the camera, pixels.
pub fn eye_distance(eyes: &Eyes) -> f32 {
    eyes.distance() / eyes.yaw.abs().min(MAX_COSINE_YAW).to_radians().cos()
}

/// The crop around both eyes; the same as `models/wearing-glasses/crop.py` cuts.
fn region(eyes: &Eyes, distance: f32) -> Region {
    let (right, left) = (eyes.right.center, eyes.left.center);
    let angle = (left.y - right.y).atan2(left.x - right.x);
    let (sin, cos) = angle.sin_cos();
    let middle = right.midpoint(left);
    let width = SPAN * distance;
    Region {
        center: Keypoint::new(
            middle.x - DOWN * distance * sin,
            middle.y + DOWN * distance * cos,
        ),
        width,
        height: width * HEIGHT as f32 / WIDTH as f32,
        angle,
    }
}

/// Mean 0 and deviation 1, in units of full light; notes what the crop was like before.
fn normalise(crop: &mut [f32], range: ColorRange, condition: &mut CropCondition) {
    let (black, white) = match range {
        ColorRange::Limited => (16.0, 235.0),
        ColorRange::Full => (0.0, 255.0),
    };
    let unit = 1.0 / (white - black);
    let count = PIXELS as f32;
    let (mut sum, mut steps) = (0.0, 0.0);
    for row in crop.chunks_exact_mut(WIDTH) {
        let mut before = None;
        for value in row {
            *value = (*value - black) * unit;
            sum += *value;
            steps += before.map_or(0.0, |before: f32| (*value - before).abs());
            before = Some(*value);
        }
    }
    let mean = sum / count;
    let deviation = (crop.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count).sqrt();
    let scale = 1.0 / deviation.max(MIN_DEVIATION);
    for value in crop {
        *value = (*value - mean) * scale;
    }
    condition.light = mean;
    condition.contrast = deviation;
    condition.detail = steps / (HEIGHT * (WIDTH - 1)) as f32 * scale;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eyes::Eye;

    fn eyes(right: (f32, f32), left: (f32, f32), yaw: f32) -> Eyes {
        let eye = |(x, y)| Eye {
            center: Keypoint::new(x, y),
            openness: 0.25,
            width: 25.0,
        };
        Eyes {
            left: eye(left),
            right: eye(right),
            yaw,
        }
    }

    #[test]
    fn the_crop_spans_the_frame_of_any_glasses_and_turns_with_the_head() {
        let level = eyes((100.0, 80.0), (150.0, 80.0), 0.0);
        let crop = region(&level, eye_distance(&level));
        assert!((crop.width - 120.0).abs() < 1e-3 && (crop.height - 60.0).abs() < 1e-3);
        assert!(crop.center.distance(Keypoint::new(125.0, 84.0)) < 1e-3);
        let upright = eyes((100.0, 80.0), (100.0, 130.0), 0.0);
        let crop = region(&upright, eye_distance(&upright));
        // The face's downward is then the picture's left.
        assert!(crop.center.distance(Keypoint::new(96.0, 105.0)) < 1e-3);
    }

    #[test]
    fn a_turned_head_is_cut_as_large_as_a_straight_one() {
        let straight = eyes((100.0, 80.0), (150.0, 80.0), 0.0);
        let turned = eyes((100.0, 80.0), (143.301_27, 80.0), -30.0);
        assert!((eye_distance(&straight) - eye_distance(&turned)).abs() < 1e-3);
    }

    #[test]
    fn light_contrast_and_detail_are_the_same_in_both_byte_ranges() {
        let of = |range, black: f32, white: f32| {
            let mut crop: Vec<f32> = (0..PIXELS)
                .map(|i| black + (white - black) * (0.3 + 0.1 * (i % 2) as f32))
                .collect();
            let mut condition = CropCondition::default();
            normalise(&mut crop, range, &mut condition);
            assert!((crop[0] + 1.0).abs() < 1e-3 && (crop[1] - 1.0).abs() < 1e-3);
            condition
        };
        let full = of(ColorRange::Full, 0.0, 255.0);
        let limited = of(ColorRange::Limited, 16.0, 235.0);
        for condition in [full, limited] {
            assert!((condition.light - 0.35).abs() < 1e-4, "{condition:?}");
            assert!((condition.contrast - 0.05).abs() < 1e-4, "{condition:?}");
            assert!((condition.detail - 2.0).abs() < 1e-2, "{condition:?}");
        }
    }

    #[test]
    fn a_flat_crop_is_not_blown_up() {
        let mut crop: Vec<f32> = (0..PIXELS).map(|i| 100.0 + (i % 2) as f32).collect();
        normalise(&mut crop, ColorRange::Full, &mut CropCondition::default());
        assert!(crop.iter().all(|value| value.abs() < 0.11));
    }
}
