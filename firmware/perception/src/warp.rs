//! Cutting a rotated region out of a picture and scaling it to a model's input.
//!
//! Bilinear, from the planes directly: only the pixels that a model sees are ever converted to RGB. Where a region is
//! much larger than the input, each output pixel averages a small grid of samples, so that thin things do not vanish
//! between them. Chroma is sampled once for 2 by 2 output pixels: the eye and the models see form in luma.

use crate::picture::{ColorRange, Picture};
use label_core::Keypoint;

/// A rotated rectangle of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Centre in picture pixels.
    pub center: Keypoint,
    /// Length along the region's own x axis in picture pixels.
    pub width: f32,
    /// Length along its own y axis.
    pub height: f32,
    /// Angle from the picture's x axis to the region's, radians, clockwise on the screen (y is down).
    pub angle: f32,
}

impl Region {
    /// The picture point at relative position `u`, `v` (0..1) of the region.
    pub fn picture_from_unit(&self, u: f32, v: f32) -> Keypoint {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = ((u - 0.5) * self.width, (v - 0.5) * self.height);
        Keypoint::new(
            self.center.x + dx * cos - dy * sin,
            self.center.y + dx * sin + dy * cos,
        )
    }
}

/// What lies outside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    /// The nearest pixel of the edge.
    Replicate,
    /// Black.
    Black,
}

/// At most this many samples a side are averaged for one output pixel.
const MAX_SAMPLES: usize = 4;

/// One plane with its own size.
#[derive(Clone, Copy)]
struct Plane<'a> {
    bytes: &'a [u8],
    width: usize,
    height: usize,
}

impl Plane<'_> {
    /// Bilinear sample at `x`, `y`, in pixels whose centres lie at whole numbers; the edge goes on outside.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "two thirds of the time outside the models is spent in this function"
    )]
    fn sample(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let right = usize::from(x0 + 1 < self.width);
        let below = if y0 + 1 < self.height { self.width } else { 0 };
        let at = y0 * self.width + x0;
        let row = &self.bytes[at..];
        let (a, b) = (f32::from(row[0]), f32::from(row[right]));
        let row = &row[below..];
        let (c, d) = (f32::from(row[0]), f32::from(row[right]));
        let top = a + (b - a) * fx;
        let bottom = c + (d - c) * fx;
        top + (bottom - top) * fy
    }
}

/// Steps in the picture for one output pixel to the right and one down.
#[derive(Clone, Copy)]
struct Steps {
    right: (f32, f32),
    down: (f32, f32),
}

/// Walks the output of `width` by `height` pixels row by row in pairs and hands each pixel's place (row-major) and RGB
/// (0 to 255) to `put`.
pub(crate) fn warp(
    picture: &Picture<'_>,
    region: &Region,
    (width, height): (usize, usize),
    border: Border,
    mut put: impl FnMut(usize, [f32; 3]),
) {
    let (sin, cos) = region.angle.sin_cos();
    let (sx, sy) = (region.width / width as f32, region.height / height as f32);
    let steps = Steps {
        right: (sx * cos, sx * sin),
        down: (-sy * sin, sy * cos),
    };
    let samples = (sx.max(sy) as usize).clamp(1, MAX_SAMPLES);
    let origin = region.picture_from_unit(0.0, 0.0);
    let (luma_scale, luma_offset, chroma_scale) = match picture.range {
        ColorRange::Limited => (255.0 / 219.0, 16.0, 255.0 / 224.0),
        ColorRange::Full => (1.0, 0.0, 1.0),
    };
    let luma = Plane {
        bytes: picture.luma,
        width: picture.width,
        height: picture.height,
    };
    let planes = picture.chroma.map(|(u, v)| {
        let (width, height) = (picture.width.div_ceil(2), picture.height.div_ceil(2));
        (
            Plane {
                bytes: u,
                width,
                height,
            },
            Plane {
                bytes: v,
                width,
                height,
            },
        )
    });
    let (image_width, image_height) = (picture.width as f32, picture.height as f32);
    for row in (0..height).step_by(2) {
        for column in (0..width).step_by(2) {
            // Centre of the 2 by 2 block, for chroma.
            let bx = origin.x
                + (column as f32 + 1.0) * steps.right.0
                + (row as f32 + 1.0) * steps.down.0;
            let by = origin.y
                + (column as f32 + 1.0) * steps.right.1
                + (row as f32 + 1.0) * steps.down.1;
            let (red, green, blue) = planes.map_or((0.0, 0.0, 0.0), |(u, v)| {
                let (x, y) = (bx / 2.0 - 0.5, by / 2.0 - 0.5);
                let (u, v) = (
                    (u.sample(x, y) - 128.0) * chroma_scale,
                    (v.sample(x, y) - 128.0) * chroma_scale,
                );
                // ITU-R BT.601-7, 2.5.1 inverted.
                (1.402 * v, -0.344_136 * u - 0.714_136 * v, 1.772 * u)
            });
            for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (r, c) = (row + dy, column + dx);
                if r >= height || c >= width {
                    continue;
                }
                let x = bx + (dx as f32 - 0.5) * steps.right.0 + (dy as f32 - 0.5) * steps.down.0;
                let y = by + (dx as f32 - 0.5) * steps.right.1 + (dy as f32 - 0.5) * steps.down.1;
                if border == Border::Black
                    && (x < 0.0 || y < 0.0 || x > image_width || y > image_height)
                {
                    put(r * width + c, [0.0; 3]);
                    continue;
                }
                let value = if samples == 1 {
                    luma.sample(x - 0.5, y - 0.5)
                } else {
                    average(&luma, x, y, steps, samples)
                };
                let gray = (value - luma_offset) * luma_scale;
                let rgb = [gray + red, gray + green, gray + blue];
                put(r * width + c, rgb.map(|channel| channel.clamp(0.0, 255.0)));
            }
        }
    }
}

/// Mean of `samples` by `samples` samples spread over one output pixel around `x`, `y`.
fn average(luma: &Plane<'_>, x: f32, y: f32, steps: Steps, samples: usize) -> f32 {
    let mut sum = 0.0;
    for i in 0..samples {
        for j in 0..samples {
            let a = (i as f32 + 0.5) / samples as f32 - 0.5;
            let b = (j as f32 + 0.5) / samples as f32 - 0.5;
            sum += luma.sample(
                x + a * steps.right.0 + b * steps.down.0 - 0.5,
                y + a * steps.right.1 + b * steps.down.1 - 0.5,
            );
        }
    }
    sum / (samples * samples) as f32
}

/// Warps into an interleaved RGB float tensor, black at `range[0]` and white at `range[1]`.
pub(crate) fn warp_f32(
    picture: &Picture<'_>,
    region: &Region,
    size: (usize, usize),
    border: Border,
    range: [f32; 2],
    into: &mut [f32],
) {
    let scale = (range[1] - range[0]) / 255.0;
    warp(picture, region, size, border, |at, rgb| {
        let pixel = &mut into[at * 3..at * 3 + 3];
        for (to, from) in pixel.iter_mut().zip(rgb) {
            *to = from * scale + range[0];
        }
    });
}

/// Warps into an interleaved RGB byte tensor.
pub(crate) fn warp_u8(
    picture: &Picture<'_>,
    region: &Region,
    size: (usize, usize),
    border: Border,
    into: &mut [u8],
) {
    warp(picture, region, size, border, |at, rgb| {
        let pixel = &mut into[at * 3..at * 3 + 3];
        for (to, from) in pixel.iter_mut().zip(rgb) {
            *to = (from + 0.5) as u8;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture whose luma is x + 2y: bilinear sampling of it is exact everywhere inside.
    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x + 2 * y) as u8))
            .collect()
    }

    proptest! {
        #[test]
        fn every_pixel_shows_the_place_that_the_region_says(
            cx in 25.0f32..35.0, cy in 25.0f32..35.0, side in 8.0f32..20.0, angle in -3.1f32..3.1,
        ) {
            let luma = ramp(60, 60);
            let picture = Picture::new(60, 60, &luma, None, ColorRange::Full).unwrap();
            let region = Region { center: Keypoint::new(cx, cy), width: side, height: side, angle };
            let mut out = vec![[0.0; 3]; 12 * 12];
            warp(&picture, &region, (12, 12), Border::Replicate, |at, rgb| out[at] = rgb);
            for row in 0..12 {
                for column in 0..12 {
                    let at = region.picture_from_unit((column as f32 + 0.5) / 12.0, (row as f32 + 0.5) / 12.0);
                    let expected = (at.x - 0.5) + 2.0 * (at.y - 0.5);
                    prop_assert!((out[row * 12 + column][1] - expected).abs() < 1e-2);
                }
            }
        }

        #[test]
        fn a_region_anywhere_never_panics(
            cx in -500.0f32..500.0, cy in -500.0f32..500.0, side in 0.0f32..900.0, angle in -7.0f32..7.0, odd in 0usize..2,
        ) {
            let (width, height) = (21 + odd, 17);
            let luma = vec![7; width * height];
            let chroma = vec![128; width.div_ceil(2) * height.div_ceil(2)];
            let picture = Picture::new(width, height, &luma, Some((&chroma, &chroma)), ColorRange::Limited).unwrap();
            let region = Region { center: Keypoint::new(cx, cy), width: side, height: side, angle };
            let mut into = vec![0.0; 9 * 7 * 3];
            warp_f32(&picture, &region, (9, 7), Border::Black, [-1.0, 1.0], &mut into);
            prop_assert!(into.iter().all(|value| (-1.0..=1.0).contains(value)));
        }
    }

    #[test]
    fn white_and_black_reach_the_ends_of_the_range() {
        let region = Region {
            center: Keypoint::new(2.0, 2.0),
            width: 4.0,
            height: 4.0,
            angle: 0.0,
        };
        let chroma = [128; 4];
        for (byte, range, expected) in [
            (235, ColorRange::Limited, 1.0),
            (16, ColorRange::Limited, 0.0),
            (255, ColorRange::Full, 1.0),
            (0, ColorRange::Full, 0.0),
        ] {
            let luma = [byte; 16];
            let picture = Picture::new(4, 4, &luma, Some((&chroma, &chroma)), range).unwrap();
            let mut into = [0.5; 12];
            warp_f32(
                &picture,
                &region,
                (2, 2),
                Border::Replicate,
                [0.0, 1.0],
                &mut into,
            );
            assert!(
                into.iter().all(|value| (value - expected).abs() < 1e-5),
                "{byte} {range:?} {into:?}"
            );
        }
    }
}
