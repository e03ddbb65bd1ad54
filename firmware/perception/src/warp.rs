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

/// Fixed-point places of a picture coordinate: 16 bits leave 32768 pixels of room.
const FRACTION_BITS: u32 = 16;

/// Largest side of a model's input, in pixels.
const MAX_SIDE: usize = 512;

/// One plane with its own size.
#[derive(Clone, Copy)]
struct Plane<'a> {
    bytes: &'a [u8],
    width: usize,
    height: usize,
}

impl Plane<'_> {
    /// Bilinear sample at `x`, `y`, in pixels whose centres lie at whole numbers; the edge goes on outside.
    fn sample(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let right = usize::from(x0 + 1 < self.width);
        let below = if y0 + 1 < self.height { self.width } else { 0 };
        let row = &self.bytes[y0 * self.width + x0..];
        let (a, b) = (f32::from(row[0]), f32::from(row[right]));
        let row = &row[below..];
        let (c, d) = (f32::from(row[0]), f32::from(row[right]));
        let top = a + (b - a) * fx;
        let bottom = c + (d - c) * fx;
        top + (bottom - top) * fy
    }

    /// Samples along a straight line into `out`.
    fn sample_line(&self, (x, y): (f32, f32), (dx, dy): (f32, f32), out: &mut [f32]) {
        let last = out.len().saturating_sub(1) as f32;
        let (end_x, end_y) = (x + last * dx, y + last * dy);
        // Half a pixel short of the last one: fixed-point steps drift by less.
        let inside = |v: f32, size: usize| v >= 0.5 && v <= size as f32 - 2.5;
        let whole_line_inside = inside(x, self.width)
            && inside(end_x, self.width)
            && inside(y, self.height)
            && inside(end_y, self.height);
        if !whole_line_inside {
            for (i, value) in out.iter_mut().enumerate() {
                *value = self.sample(x + i as f32 * dx, y + i as f32 * dy);
            }
            return;
        }
        let fixed = |v: f32| (v * (1u32 << FRACTION_BITS) as f32) as i32;
        let (mut fx, mut fy) = (fixed(x), fixed(y));
        let (step_x, step_y) = (fixed(dx), fixed(dy));
        for value in out {
            let (x0, y0) = (
                (fx >> FRACTION_BITS) as usize,
                (fy >> FRACTION_BITS) as usize,
            );
            let (wx, wy) = ((fx >> 8) & 0xff, (fy >> 8) & 0xff);
            let at = y0 * self.width + x0;
            let patch = &self.bytes[at..at + self.width + 2];
            let tap = |i: usize| i32::from(patch[i]);
            let top = (tap(0) << 8) + (tap(1) - tap(0)) * wx;
            let bottom = (tap(self.width) << 8) + (tap(self.width + 1) - tap(self.width)) * wx;
            *value = ((top << 8) + (bottom - top) * wy) as f32 * (1.0 / 65536.0);
            fx += step_x;
            fy += step_y;
        }
    }
}

/// Walks the output of `width` by `height` pixels row by row and hands each row's interleaved RGB (0 to 255) to `put`.
pub(crate) fn warp(
    picture: &Picture<'_>,
    region: &Region,
    (width, height): (usize, usize),
    border: Border,
    mut put: impl FnMut(usize, &[f32]),
) {
    debug_assert!(width <= MAX_SIDE, "no model takes more");
    let width = width.min(MAX_SIDE);
    let (sin, cos) = region.angle.sin_cos();
    let (sx, sy) = (region.width / width as f32, region.height / height as f32);
    let (right, down) = ((sx * cos, sx * sin), (-sy * sin, sy * cos));
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
    let blocks = width.div_ceil(2);
    // Without chroma planes the lines stay 0: grey.
    let neutral = if planes.is_some() { 128.0 } else { 0.0 };
    let (mut gray, mut sum) = ([0.0f32; MAX_SIDE], [0.0f32; MAX_SIDE]);
    let (mut blue_chroma, mut red_chroma) = ([0.0f32; MAX_SIDE / 2], [0.0f32; MAX_SIDE / 2]);
    let mut rgb = [0.0f32; MAX_SIDE * 3];
    for row in 0..height {
        let at = |column: f32, row: f32| {
            (
                origin.x + column * right.0 + row * down.0,
                origin.y + column * right.1 + row * down.1,
            )
        };
        if row % 2 == 0
            && let Some((u, v)) = planes
        {
            // At the middle of each 2 by 2 block, in chroma pixels.
            let (x, y) = at(1.0, row as f32 + 1.0);
            let start = (x / 2.0 - 0.5, y / 2.0 - 0.5);
            u.sample_line(start, right, &mut blue_chroma[..blocks]);
            v.sample_line(start, right, &mut red_chroma[..blocks]);
        }
        let (x, y) = at(0.5, row as f32 + 0.5);
        if samples == 1 {
            luma.sample_line((x - 0.5, y - 0.5), right, &mut gray[..width]);
        } else {
            average_line(
                &luma,
                (x, y),
                right,
                down,
                samples,
                &mut gray[..width],
                &mut sum[..width],
            );
        }
        let pairs = rgb[..blocks * 6]
            .chunks_exact_mut(6)
            .zip(gray[..blocks * 2].chunks_exact(2));
        for ((pixels, gray), (blue, red)) in pairs.zip(blue_chroma.iter().zip(&red_chroma)) {
            let (blue, red) = (
                (blue - neutral) * chroma_scale,
                (red - neutral) * chroma_scale,
            );
            // ITU-R BT.601-7, 2.5.1 inverted.
            let tint = [
                1.402 * red,
                -0.344_136 * blue - 0.714_136 * red,
                1.772 * blue,
            ];
            for (pixel, gray) in pixels.chunks_exact_mut(3).zip(gray) {
                let light = (gray - luma_offset) * luma_scale;
                pixel[0] = (light + tint[0]).clamp(0.0, 255.0);
                pixel[1] = (light + tint[1]).clamp(0.0, 255.0);
                pixel[2] = (light + tint[2]).clamp(0.0, 255.0);
            }
        }
        if border == Border::Black {
            let (image_width, image_height) = (picture.width as f32, picture.height as f32);
            for column in 0..width {
                let (x, y) = at(column as f32 + 0.5, row as f32 + 0.5);
                if x < 0.0 || y < 0.0 || x > image_width || y > image_height {
                    rgb[column * 3..column * 3 + 3].fill(0.0);
                }
            }
        }
        put(row, &rgb[..width * 3]);
    }
}

/// Mean of `samples` by `samples` samples spread over each output pixel of a line.
fn average_line(
    luma: &Plane<'_>,
    (x, y): (f32, f32),
    right: (f32, f32),
    down: (f32, f32),
    samples: usize,
    out: &mut [f32],
    line: &mut [f32],
) {
    out.fill(0.0);
    for i in 0..samples {
        for j in 0..samples {
            let a = (i as f32 + 0.5) / samples as f32 - 0.5;
            let b = (j as f32 + 0.5) / samples as f32 - 0.5;
            let start = (
                x + a * right.0 + b * down.0 - 0.5,
                y + a * right.1 + b * down.1 - 0.5,
            );
            luma.sample_line(start, right, line);
            for (sum, value) in out.iter_mut().zip(&*line) {
                *sum += value;
            }
        }
    }
    for sum in out {
        *sum /= (samples * samples) as f32;
    }
}

/// Warps luma alone, as it is in the picture, row by row into `into`; the edge goes on outside.
pub(crate) fn warp_luma(
    picture: &Picture<'_>,
    region: &Region,
    (width, height): (usize, usize),
    into: &mut [f32],
) {
    let (sin, cos) = region.angle.sin_cos();
    let (sx, sy) = (region.width / width as f32, region.height / height as f32);
    let (right, down) = ((sx * cos, sx * sin), (-sy * sin, sy * cos));
    // The nearest whole number. The reader was trained with the next larger one, at four times the samples for most
    // faces; the blinks found are the same.
    let samples = ((sx.max(sy) + 0.5) as usize).clamp(1, MAX_SAMPLES);
    let origin = region.picture_from_unit(0.0, 0.0);
    let luma = Plane {
        bytes: picture.luma,
        width: picture.width,
        height: picture.height,
    };
    let mut sum = [0.0f32; MAX_SIDE];
    for (row, line) in into.chunks_exact_mut(width).take(height).enumerate() {
        let x = origin.x + 0.5 * right.0 + (row as f32 + 0.5) * down.0;
        let y = origin.y + 0.5 * right.1 + (row as f32 + 0.5) * down.1;
        if samples == 1 {
            luma.sample_line((x - 0.5, y - 0.5), right, line);
        } else {
            average_line(&luma, (x, y), right, down, samples, line, &mut sum[..width]);
        }
    }
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
    warp(picture, region, size, border, |row, rgb| {
        for (to, from) in into[row * rgb.len()..].iter_mut().zip(rgb) {
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
    warp(picture, region, size, border, |row, rgb| {
        for (to, from) in into[row * rgb.len()..].iter_mut().zip(rgb) {
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
            let mut out = Vec::new();
            warp(&picture, &region, (12, 12), Border::Replicate, |_, rgb| out.extend(rgb.chunks(3).map(|pixel| pixel[1])));
            for row in 0..12 {
                for column in 0..12 {
                    let at = region.picture_from_unit((column as f32 + 0.5) / 12.0, (row as f32 + 0.5) / 12.0);
                    let expected = (at.x - 0.5) + 2.0 * (at.y - 0.5);
                    prop_assert!((out[row * 12 + column] - expected).abs() < 2e-2);
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
