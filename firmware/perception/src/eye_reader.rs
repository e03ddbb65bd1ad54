//! The eye reader: a tiny network that looks at both eyes in every frame, where the mesh looks only now and then.
//!
//! It was distilled from the mesh: from a small crop of each eye it tells what the mesh would say of the lids and of the
//! eye's place, and how much it doubts itself. It costs a hundredth of the mesh.

use crate::card::ModelCard;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Region, warp_luma};
use crate::{ModelError, runtime::Runtime};
use label_core::Keypoint;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Crop size in pixels.
const WIDTH: usize = 48;
const HEIGHT: usize = 32;
const PIXELS: usize = WIDTH * HEIGHT;

/// Width of a crop in eye widths.
const EYE_WIDTHS: f32 = 2.2;

/// Least contrast that a crop is normalised to: below it there is nothing to see, and noise must not be blown up.
const MIN_DEVIATION: f32 = 0.02;

/// Numbers an eye: opening, x, y, logarithm of scale, logarithm of doubt.
const VALUES: usize = 5;

/// Where both eyes are taken to be: what the crops are cut around.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct EyePlaces {
    /// Middle of the corners, left then right.
    pub(crate) corners: [Keypoint; 2],
    /// Mean width of the eyes in three dimensions, pixels.
    pub(crate) width: f32,
    /// Angle of the line from the right eye to the left.
    pub(crate) angle: f32,
}

/// What the reader says of one eye.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct EyeReading {
    /// Lid gap over the width that the crop was cut with.
    pub(crate) opening: f32,
    /// Offset of the eye from the crop's centre in picture pixels.
    pub(crate) shift: (f32, f32),
    /// The same in crop widths.
    pub(crate) off_center: f32,
    /// Expected error of `opening`.
    pub(crate) doubt: f32,
    /// What the crop is like.
    pub(crate) texture: Texture,
}

/// What a crop of an eye is like, whatever the eye does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Texture {
    /// Deviation of its grey levels.
    pub(crate) contrast: f32,
    /// Deviation of its noise over the contrast: Immerkær, "Fast noise variance estimation" (1996).
    pub(crate) grain: f32,
}

/// The loaded network.
pub struct EyeReader {
    interpreter: Box<dyn Interpreter>,
    crop_time: Duration,
    /// Left, right.
    textures: [Texture; 2],
}

impl EyeReader {
    /// Loads the model of this card; `folder` is where fetched models lie.
    pub fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let fits = interpreter.input().shape == [2, HEIGHT, WIDTH, 1]
            && matches!(interpreter.outputs(), [eyes] if eyes.len() == 2 * VALUES);
        if fits {
            return Ok(Self {
                interpreter,
                crop_time: Duration::ZERO,
                textures: [Texture::default(); 2],
            });
        }
        Err(ModelError::Role {
            name: card.name.clone(),
            role: "an eye reader",
            needs: "two grey crops of 48 by 32 pixels as input and five numbers an eye as output",
        })
    }

    /// Time of the last run spent in cutting out the eyes, not in the model.
    pub(crate) fn crop_time(&self) -> Duration {
        self.crop_time
    }

    /// Looks at both eyes; left first.
    pub(crate) fn read(
        &mut self,
        picture: &Picture<'_>,
        places: &EyePlaces,
    ) -> Result<[EyeReading; 2], ModelError> {
        let width = places.width * EYE_WIDTHS;
        let height = width * HEIGHT as f32 / WIDTH as f32;
        let (crop_time, textures) = (&mut self.crop_time, &mut self.textures);
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::F32(values) = tensor {
                let start = Instant::now();
                // The network's first eye is the right one; the left is mirrored, so that both look alike.
                for (eye, crop) in [1, 0].into_iter().zip(values.chunks_exact_mut(PIXELS)) {
                    let region = Region {
                        center: places.corners[eye],
                        width,
                        height,
                        angle: places.angle,
                    };
                    warp_luma(picture, &region, (WIDTH, HEIGHT), crop);
                    if eye == 0 {
                        crop.chunks_exact_mut(WIDTH).for_each(<[f32]>::reverse);
                    }
                    let contrast = normalise(crop);
                    textures[eye] = texture(crop, contrast);
                }
                *crop_time = start.elapsed();
            }
        })?;
        let output = self.interpreter.output(0);
        let (sin, cos) = places.angle.sin_cos();
        let textures = self.textures;
        Ok([1, 0].map(|slot| {
            let values = &output[slot * VALUES..(slot + 1) * VALUES];
            let mirror = if slot == 1 { -1.0 } else { 1.0 };
            let (dx, dy) = (values[1] * width * mirror, values[2] * width);
            EyeReading {
                opening: values[0],
                shift: (dx * cos - dy * sin, dx * sin + dy * cos),
                off_center: values[1].hypot(values[2]),
                doubt: values[4].exp(),
                texture: textures[1 - slot],
            }
        }))
    }
}

/// Reads a crop that was normalised, and had this deviation before.
fn texture(crop: &[f32], contrast: f32) -> Texture {
    // A flat crop is not blown up to deviation 1.
    let deviation = (contrast / (MIN_DEVIATION * 255.0)).clamp(1e-3, 1.0);
    let mut noise = 0.0;
    for row in 1..HEIGHT - 1 {
        let [above, own, below] =
            [row - 1, row, row + 1].map(|row| &crop[row * WIDTH..(row + 1) * WIDTH]);
        for column in 1..WIDTH - 1 {
            let cross = above[column] + below[column] + own[column - 1] + own[column + 1];
            let corners =
                above[column - 1] + above[column + 1] + below[column - 1] + below[column + 1];
            noise += (corners - 2.0 * cross + 4.0 * own[column]).abs();
        }
    }
    let count = ((WIDTH - 2) * (HEIGHT - 2)) as f32;
    Texture {
        contrast,
        grain: (core::f32::consts::PI / 2.0).sqrt() / 6.0 * noise / count / deviation,
    }
}

/// Mean 0 and deviation 1; returns the deviation there was.
pub(crate) fn normalise(crop: &mut [f32]) -> f32 {
    let count = crop.len() as f32;
    let mean = sum(crop, |value| value) / count;
    let variance = sum(crop, |value| (value - mean) * (value - mean)) / count;
    let deviation = variance.sqrt();
    let scale = 1.0 / deviation.max(MIN_DEVIATION * 255.0);
    for value in crop {
        *value = (*value - mean) * scale;
    }
    deviation
}

/// Sum of `of` every value, in eight lanes: one lane after the other would wait for each addition.
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += of(*value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|value| of(*value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_from_contrast_and_light_changes_neither_of_their_relation() {
        // Smooth shading, and every second pixel of a chequerboard off by some levels.
        let crop = |light: f32, noise: f32| -> Vec<f32> {
            let pixel = |place: usize| {
                let (x, y) = (place % WIDTH, place / WIDTH);
                let off = if (x + y).is_multiple_of(2) {
                    noise
                } else {
                    -noise
                };
                light * (100.0 + x as f32 + off)
            };
            (0..PIXELS).map(pixel).collect()
        };
        let read = |mut crop: Vec<f32>| {
            let contrast = normalise(&mut crop);
            texture(&crop, contrast)
        };
        let (clean, noisy, dark) = (
            read(crop(1.0, 0.0)),
            read(crop(1.0, 3.0)),
            read(crop(0.5, 3.0)),
        );
        assert!(
            clean.grain < 0.01 && noisy.grain > 0.2,
            "{clean:?} {noisy:?}"
        );
        assert!(
            (noisy.grain - dark.grain).abs() < 0.01,
            "{noisy:?} {dark:?}"
        );
        assert!((noisy.contrast / dark.contrast - 2.0).abs() < 0.01);
    }

    #[test]
    fn a_crop_is_normalised_and_a_flat_one_is_not_blown_up() {
        let mut crop: Vec<f32> = (0..PIXELS).map(|i| 100.0 + (i % 7) as f32 * 10.0).collect();
        let deviation = normalise(&mut crop);
        assert!((deviation - 20.0).abs() < 0.1, "{deviation}");
        let mean = crop.iter().sum::<f32>() / PIXELS as f32;
        let variance = crop.iter().map(|v| v * v).sum::<f32>() / PIXELS as f32;
        assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3);
        let mut flat: Vec<f32> = (0..PIXELS).map(|i| 100.0 + (i % 2) as f32).collect();
        normalise(&mut flat);
        assert!(flat.iter().all(|v| v.abs() < 0.11));
    }
}
