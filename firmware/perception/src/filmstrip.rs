//! Filmstrips: both eyes over an event, for a reviewer to decide from.
//!
//! Each frame's two eyes are cut out as small upright tiles into a ring of fixed size. When an event is told, the tiles of
//! its frames and a margin on both sides become one picture: the subject's right eye above the left, one column a frame,
//! time from left to right.

use crate::eyes::Eyes;
use crate::picture::Picture;
use crate::warp::{Border, Region, warp_u8};
use jpeg_encoder::{ColorType, Encoder, EncodingError};
use label_core::{EyeSide, FrameIndex, FrameRange};

/// Width of a tile in pixels.
pub const TILE_WIDTH: usize = 64;
/// Height of a tile in pixels.
pub const TILE_HEIGHT: usize = 40;
const TILE_BYTES: usize = TILE_WIDTH * TILE_HEIGHT * 3;

/// Width of a tile in widths of the eye: brow and cheek show whether a lid or the whole face moved.
const EYE_WIDTHS: f32 = 2.4;

/// JPEG quality: lids stay sharp, a strip of 32 columns takes some 60 kB.
const QUALITY: u8 = 85;

/// Both eyes in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyeTiles {
    /// The frame.
    pub frame: FrameIndex,
    /// Openness of left and right; `None` where it was not judged.
    pub openness: [Option<f32>; 2],
    slot: usize,
}

/// A ring of the last frames' eye tiles of one person.
pub struct Filmstrip {
    entries: Vec<EyeTiles>,
    next: usize,
    pixels: Vec<u8>,
    canvas: Vec<u8>,
}

impl Filmstrip {
    /// A ring of `frames` frames.
    pub fn new(frames: usize) -> Self {
        Self {
            entries: Vec::with_capacity(frames),
            next: 0,
            pixels: vec![0; frames * 2 * TILE_BYTES],
            canvas: Vec::with_capacity(label_core::wire::MAX_STRIP_COLUMNS * 2 * TILE_BYTES),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.next = 0;
    }

    /// Cuts out the eyes of a frame.
    pub fn record(
        &mut self,
        picture: &Picture<'_>,
        frame: FrameIndex,
        eyes: &Eyes,
        openness: [Option<f32>; 2],
    ) {
        let slot = self.next;
        let entry = EyeTiles {
            frame,
            openness,
            slot,
        };
        if self.entries.len() < self.entries.capacity() {
            self.entries.push(entry);
        } else {
            self.entries[slot] = entry;
        }
        self.next = (self.next + 1) % self.entries.capacity();
        let (right, left) = (eyes.right.center, eyes.left.center);
        let angle = (left.y - right.y).atan2(left.x - right.x);
        // One size for both: a turned head must not make one eye look closer.
        let width = eyes.left.width.max(eyes.right.width) * EYE_WIDTHS;
        let height = width * TILE_HEIGHT as f32 / TILE_WIDTH as f32;
        for (row, side) in [EyeSide::Right, EyeSide::Left].into_iter().enumerate() {
            let region = Region {
                center: eyes.side(side).center,
                width,
                height,
                angle,
            };
            let start = (slot * 2 + row) * TILE_BYTES;
            let into = &mut self.pixels[start..start + TILE_BYTES];
            warp_u8(
                picture,
                &region,
                (TILE_WIDTH, TILE_HEIGHT),
                Border::Black,
                into,
            );
        }
    }

    /// The recorded frames of a range, in order.
    pub fn frames(&self, range: FrameRange) -> impl Iterator<Item = &EyeTiles> {
        let split = if self.entries.len() < self.entries.capacity() {
            0
        } else {
            self.next
        };
        let (newer, older) = self.entries.split_at(split);
        older
            .iter()
            .chain(newer)
            .filter(move |entry| range.contains(entry.frame))
    }

    /// Appends the filmstrip of these columns to `into` as a JPEG; nothing where there are none.
    pub fn encode(
        &mut self,
        columns: &[EyeTiles],
        into: &mut Vec<u8>,
    ) -> Result<(), EncodingError> {
        if columns.is_empty() {
            return Ok(());
        }
        let width = columns.len() * TILE_WIDTH;
        self.canvas.clear();
        for row in 0..2 {
            for line in 0..TILE_HEIGHT {
                for column in columns {
                    let start = (column.slot * 2 + row) * TILE_BYTES + line * TILE_WIDTH * 3;
                    self.canvas
                        .extend_from_slice(&self.pixels[start..start + TILE_WIDTH * 3]);
                }
            }
        }
        let encoder = Encoder::new(into, QUALITY);
        encoder.encode(
            &self.canvas,
            width as u16,
            2 * TILE_HEIGHT as u16,
            ColorType::Rgb,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eyes::Eye;
    use crate::picture::ColorRange;
    use label_core::Keypoint;

    fn eyes() -> Eyes {
        let eye = |x| Eye {
            center: Keypoint::new(x, 50.0),
            openness: 0.3,
            width: 20.0,
        };
        Eyes {
            left: eye(90.0),
            right: eye(40.0),
            yaw: 0.0,
        }
    }

    #[test]
    fn the_ring_keeps_the_last_frames_in_order_and_the_strip_shows_them() {
        let mut strip = Filmstrip::new(8);
        for frame in 0..20u32 {
            let luma = vec![frame as u8 * 10; 128 * 100];
            let picture = Picture::new(128, 100, &luma, None, ColorRange::Full).unwrap();
            strip.record(&picture, frame, &eyes(), [Some(0.3), None]);
        }
        let columns: Vec<_> = strip.frames(FrameRange::new(0, 17)).copied().collect();
        assert_eq!(
            columns.iter().map(|c| c.frame).collect::<Vec<_>>(),
            [12, 13, 14, 15, 16, 17]
        );
        let mut jpeg = Vec::new();
        strip.encode(&columns, &mut jpeg).unwrap();
        let shown = image::load_from_memory(&jpeg).unwrap().into_luma8();
        assert_eq!(shown.dimensions(), (6 * 64, 80));
        for (column, frame) in (12..18u8).enumerate() {
            let pixel = shown.get_pixel(column as u32 * 64 + 32, 60).0[0];
            assert!(pixel.abs_diff(frame * 10) < 4, "column {column}: {pixel}");
        }
    }
}
