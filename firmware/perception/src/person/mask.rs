//! The outline of a near, lone person: a segmentation mask tightens the detector's box.
//!
//! In car cabins the detector's box of the driver reaches IoU 0.8 in two thirds of the frames, the mask's outline in
//! seven eighths. Far people and crowds are left alone: there the mask makes boxes worse.

use super::detector::{Detection, share_inside};
use crate::card::ModelCard;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Border, Region, warp_f32};
use crate::{ModelError, runtime::Runtime};
use label_core::BoundingBox;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A person is near whose box fills this share of the picture; 0.15 to 0.30 do alike …
const NEAR_AREA: f32 = 0.20;
/// … and is cut by the picture's lower edge, as a seated driver is …
const NEAR_BOTTOM: f32 = 0.97;
/// … and lone whose box no other covers by more than this.
pub(super) const LONE_SHARE: f32 = 0.20;
/// The mask sees the box grown on each side by this share of its size; 0.10 to 0.20 do alike.
const MARGIN: f32 = 0.15;
/// Probability from which a pixel is the person; 0.1 to 0.5 do alike.
const PERSON_PIXEL: f32 = 0.30;
/// The outline counts where it agrees with the box by this IoU; 0.5 to 0.75 do alike.
const AGREEMENT_IOU: f32 = 0.65;

/// The loaded mask model.
pub(super) struct PersonMask {
    interpreter: Box<dyn Interpreter>,
    size: (usize, usize),
    range: [f32; 2],
    /// Pixels still to be visited, and which were.
    stack: Vec<u32>,
    seen: Vec<bool>,
    pub(super) crop_time: Duration,
    pub(super) infer_time: Duration,
}

impl PersonMask {
    pub(super) fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let pixels = card.input.width * card.input.height;
        if !matches!(interpreter.outputs(), [mask] if mask.len() == pixels) {
            return Err(ModelError::Role {
                name: card.name.clone(),
                role: "a person mask",
                needs: "one output of the input's width and height",
            });
        }
        Ok(Self {
            interpreter,
            size: (card.input.width, card.input.height),
            range: card.input.range,
            stack: Vec::with_capacity(pixels),
            seen: vec![false; pixels],
            crop_time: Duration::ZERO,
            infer_time: Duration::ZERO,
        })
    }

    /// The outline of detection `index` where that person is near and alone and the mask agrees; its box elsewhere.
    pub(super) fn refined(
        &mut self,
        picture: &Picture<'_>,
        found: &[Detection],
        index: usize,
    ) -> Result<BoundingBox, ModelError> {
        (self.crop_time, self.infer_time) = (Duration::ZERO, Duration::ZERO);
        let bounds = found[index].bounds;
        let lone = found.iter().enumerate().all(|(other, detection)| {
            other == index || share_inside(bounds, detection.bounds) <= LONE_SHARE
        });
        if !lone || !is_near(bounds, picture) {
            return Ok(bounds);
        }
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let (dx, dy) = (bounds.width * MARGIN, bounds.height * MARGIN);
        let grown = BoundingBox::new(
            bounds.x - dx,
            bounds.y - dy,
            bounds.width + 2.0 * dx,
            bounds.height + 2.0 * dy,
        );
        let crop = grown.clipped(width, height);
        let region = Region {
            center: crop.center(),
            width: crop.width,
            height: crop.height,
            angle: 0.0,
        };
        let start = Instant::now();
        let (size, range, crop_time) = (self.size, self.range, &mut self.crop_time);
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::F32(values) = tensor {
                warp_f32(picture, &region, size, Border::Replicate, range, values);
                *crop_time = start.elapsed();
            }
        })?;
        self.infer_time = start.elapsed().saturating_sub(self.crop_time);
        let outline = largest_blob(
            self.interpreter.output(0),
            size,
            &mut self.stack,
            &mut self.seen,
        );
        let outline = outline.map(|(left, top, right, bottom)| {
            let (sx, sy) = (crop.width / size.0 as f32, crop.height / size.1 as f32);
            let (x, y) = (crop.x + left as f32 * sx, crop.y + top as f32 * sy);
            BoundingBox::new(x, y, (right - left) as f32 * sx, (bottom - top) as f32 * sy)
        });
        Ok(outline
            .filter(|outline| outline.iou(bounds) >= AGREEMENT_IOU)
            .unwrap_or(bounds))
    }
}

/// Whether a box is that of a near person.
pub(super) fn is_near(bounds: BoundingBox, picture: &Picture<'_>) -> bool {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    bounds.area() >= NEAR_AREA * width * height && bounds.bottom() >= NEAR_BOTTOM * height
}

/// Left, top, right and bottom (ends exclusive) of the largest group of person pixels that touch, corners included.
fn largest_blob(
    mask: &[f32],
    (width, height): (usize, usize),
    stack: &mut Vec<u32>,
    seen: &mut [bool],
) -> Option<(usize, usize, usize, usize)> {
    seen.fill(false);
    let mut best = None;
    let mut best_count = 0;
    for start in 0..width * height {
        if seen[start] || mask[start] <= PERSON_PIXEL {
            continue;
        }
        seen[start] = true;
        stack.clear();
        stack.push(start as u32);
        let (mut count, mut left, mut top, mut right, mut bottom) = (0, width, height, 0, 0);
        while let Some(at) = stack.pop() {
            let (x, y) = (at as usize % width, at as usize / width);
            count += 1;
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x + 1), bottom.max(y + 1));
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    let next = ny * width + nx;
                    if !seen[next] && mask[next] > PERSON_PIXEL {
                        seen[next] = true;
                        stack.push(next as u32);
                    }
                }
            }
        }
        if count > best_count {
            (best_count, best) = (count, Some((left, top, right, bottom)));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_group_of_touching_pixels_counts() {
        let picture = [
            "#....#", //
            "...#..", //
            "..##..", //
            ".#....", //
        ];
        let mask: Vec<f32> = picture
            .concat()
            .chars()
            .map(|c| if c == '#' { 0.9 } else { 0.1 })
            .collect();
        let mut seen = vec![false; mask.len()];
        assert_eq!(
            largest_blob(&mask, (6, 4), &mut Vec::new(), &mut seen),
            Some((1, 1, 4, 4))
        );
        assert_eq!(
            largest_blob(&[0.0; 24], (6, 4), &mut Vec::new(), &mut seen),
            None
        );
    }
}
