//! Key pictures: a whole frame, made smaller, for a reviewer to see what was labelled.
//!
//! Planes stay planes: luma and chroma are averaged over the source pixels that each pixel of the picture covers, and
//! go to the JPEG encoder as they are. Places are kept to half a source pixel.

use crate::picture::{ColorRange, Picture};
use jpeg_encoder::{Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor};
use label_core::wire::{KeyPicture, picture_size};
use label_core::{CaptureTime, FrameIndex};

/// A frame made smaller. Its memory is kept from frame to frame.
#[derive(Clone, Debug)]
pub struct ReducedFrame {
    shows: KeyPicture,
    /// Luma, chroma blue, chroma red, 0 to 255 whatever the source's range; chroma is at half size, and empty of a grey
    /// frame.
    planes: [Vec<u8>; 3],
    /// Sums of one row.
    sums: Vec<u32>,
}

impl ReducedFrame {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            shows: KeyPicture {
                frame: 0,
                pts_us: CaptureTime(0),
                size: (0, 0),
                of: (0, 0),
            },
            planes: [Vec::new(), Vec::new(), Vec::new()],
            sums: Vec::new(),
        }
    }

    /// Sets memory aside for pictures of a source image of this size, so that [`Self::take`] needs none.
    pub fn reserve(&mut self, of: (u32, u32)) {
        let Some((width, height)) = picture_size(of) else {
            return;
        };
        let (width, height) = (usize::from(width), usize::from(height));
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        for (plane, bytes) in self.planes.iter_mut().zip([width * height, chroma, chroma]) {
            plane.clear();
            plane.reserve_exact(bytes);
        }
        self.sums.clear();
        self.sums.reserve_exact(width);
    }

    /// What it shows.
    pub const fn shows(&self) -> &KeyPicture {
        &self.shows
    }

    /// Takes a frame.
    pub fn take(&mut self, picture: &Picture<'_>, frame: FrameIndex, at: CaptureTime) {
        let of = (picture.width as u32, picture.height as u32);
        let size = picture_size(of).expect("a picture has pixels");
        self.shows = KeyPicture {
            frame,
            pts_us: at,
            size,
            of,
        };
        let to = (usize::from(size.0), usize::from(size.1));
        let half = |(width, height): (usize, usize)| (width.div_ceil(2), height.div_ceil(2));
        let from = (picture.width, picture.height);
        let (to_full_luma, to_full_chroma) = match picture.range {
            ColorRange::Full => (None, None),
            ColorRange::Limited => (Some(&FULL_LUMA), Some(&FULL_CHROMA)),
        };
        let [luma, blue, red] = &mut self.planes;
        reduce(picture.luma, from, to, to_full_luma, luma, &mut self.sums);
        blue.clear();
        red.clear();
        if let Some(chroma) = picture.chroma {
            for (source, plane) in [(chroma.0, blue), (chroma.1, red)] {
                let sums = &mut self.sums;
                reduce(source, half(from), half(to), to_full_chroma, plane, sums);
            }
        }
    }

    /// Appends it to `into` as a JPEG of this quality, 1 to 100.
    pub fn encode(&self, quality: u8, into: &mut Vec<u8>) -> Result<(), EncodingError> {
        let mut encoder = Encoder::new(into, quality);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode_image(self)
    }
}

impl Default for ReducedFrame {
    fn default() -> Self {
        Self::new()
    }
}

impl ImageBuffer for &ReducedFrame {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        if self.planes[1].is_empty() {
            JpegColorType::Luma
        } else {
            JpegColorType::Ycbcr
        }
    }

    fn width(&self) -> u16 {
        self.shows.size.0
    }

    fn height(&self) -> u16 {
        self.shows.size.1
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let (width, y) = (usize::from(self.shows.size.0), usize::from(y));
        let [luma, blue, red] = &self.planes;
        buffers[0].extend_from_slice(&luma[y * width..][..width]);
        let across = width.div_ceil(2);
        for (plane, buffer) in [blue, red].into_iter().zip(&mut buffers[1..]) {
            if let Some(row) = plane.get(y / 2 * across..).filter(|row| !row.is_empty()) {
                // The encoder averages the two by two pixels that are written here alike.
                buffer.extend(
                    row[..across]
                        .iter()
                        .flat_map(|value| [*value; 2])
                        .take(width),
                );
            }
        }
    }
}

/// From 16 to 235 to 0 to 255.
static FULL_LUMA: [u8; 256] = full_range(16, 219, 0, 255);
/// From 16 to 240 about 128 to 0 to 255 about 128.
static FULL_CHROMA: [u8; 256] = full_range(128, 224, 128, 255);

const fn full_range(zero: i32, span: i32, to_zero: i32, to_span: i32) -> [u8; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value < 256 {
        let scaled = (value - zero) * to_span;
        let half = if scaled < 0 { -span / 2 } else { span / 2 };
        let full = (scaled + half) / span + to_zero;
        table[value as usize] = if full < 0 {
            0
        } else if full > 255 {
            255
        } else {
            full as u8
        };
        value += 1;
    }
    table
}

/// Averages a plane into a smaller one: each pixel over the whole source pixels that begin in it, at least one.
fn reduce(
    source: &[u8],
    (width, height): (usize, usize),
    (to_width, to_height): (usize, usize),
    table: Option<&[u8; 256]>,
    into: &mut Vec<u8>,
    sums: &mut Vec<u32>,
) {
    into.clear();
    let mapped = |value: u8| table.map_or(value, |table| table[usize::from(value)]);
    if (width, height) == (to_width, to_height) {
        into.extend(source[..width * height].iter().map(|value| mapped(*value)));
        return;
    }
    // Ends of the source columns of a pixel, by fixed-point steps: no division in the loop.
    let edge = |place: usize, from: usize, to: usize| place * from / to;
    for row in 0..to_height {
        let top = edge(row, height, to_height);
        let bottom = edge(row + 1, height, to_height).max(top + 1);
        sums.clear();
        sums.resize(to_width, 0);
        for line in source.chunks_exact(width).take(bottom).skip(top) {
            if width == 2 * to_width {
                let pairs = line.as_chunks::<2>().0;
                for (sum, [a, b]) in sums.iter_mut().zip(pairs) {
                    *sum += u32::from(*a) + u32::from(*b);
                }
            } else if width == 3 * to_width {
                let triples = line.as_chunks::<3>().0;
                for (sum, [a, b, c]) in sums.iter_mut().zip(triples) {
                    *sum += u32::from(*a) + u32::from(*b) + u32::from(*c);
                }
            } else {
                let mut left = 0;
                for (column, sum) in sums.iter_mut().enumerate() {
                    let right = edge(column + 1, width, to_width).max(left + 1);
                    let span = &line[left..right];
                    // Scaled, since spans differ by a pixel.
                    let total: u32 = span.iter().map(|value| u32::from(*value)).sum();
                    *sum += total * 256 / span.len() as u32;
                    left = right.min(width - 1);
                }
            }
        }
        let even = width == 2 * to_width || width == 3 * to_width;
        let across = if even { (width / to_width) as u32 } else { 256 };
        let count = (bottom - top) as u32 * across;
        into.extend(
            sums.iter()
                .map(|sum| mapped(((sum + count / 2) / count) as u8)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of three columns of colour and a row of grey levels.
    fn planes(width: usize, height: usize, range: ColorRange) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let (low, span) = match range {
            ColorRange::Full => (0, 255),
            ColorRange::Limited => (16, 219),
        };
        let luma = (0..width * height)
            .map(|at| (low + (at % width) * span / (width - 1)) as u8)
            .collect();
        let (across, down) = (width.div_ceil(2), height.div_ceil(2));
        let blue = (0..across * down).map(|at| (at % across * 3 / across * 20 + 108) as u8);
        let red = (0..across * down).map(|at| (at / across * 3 / down * 20 + 108) as u8);
        (luma, blue.collect(), red.collect())
    }

    fn decoded(reduced: &ReducedFrame) -> image::RgbImage {
        let mut jpeg = Vec::new();
        reduced.encode(90, &mut jpeg).unwrap();
        image::load_from_memory(&jpeg).unwrap().into_rgb8()
    }

    #[test]
    fn a_frame_keeps_its_places_and_colours_at_every_size() {
        for range in [ColorRange::Full, ColorRange::Limited] {
            for (width, height, size) in [
                (1920, 1080, (640, 360)),
                (1280, 720, (640, 360)),
                (1600, 1200, (640, 480)),
                (1001, 747, (640, 478)),
                (540, 960, (360, 640)),
                (360, 288, (360, 288)),
                (99, 77, (99, 77)),
            ] {
                let (luma, blue, red) = planes(width, height, range);
                let chroma = Some((blue.as_slice(), red.as_slice()));
                let picture = Picture::new(width, height, &luma, chroma, range).unwrap();
                let mut reduced = ReducedFrame::new();
                reduced.take(&picture, 7, CaptureTime(9));
                assert_eq!((reduced.shows().frame, reduced.shows().size), (7, size));
                let shown = decoded(&reduced);
                assert_eq!(shown.dimensions(), (size.0.into(), size.1.into()));
                for share in [0.25, 0.5, 0.75] {
                    let pixel =
                        shown.get_pixel((size.0 as f32 * share) as u32, u32::from(size.1 / 2));
                    let [r, g, b] = pixel.0.map(f32::from);
                    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
                    let expected = 255.0 * share;
                    assert!(
                        (luma - expected).abs() < 4.0,
                        "{width} x {height}: {luma} for {expected}"
                    );
                }
                // Blue rises from left to right, red from top to bottom.
                let chroma_blue = |x: u32| {
                    let [r, g, b] = shown.get_pixel(x, u32::from(size.1 / 2)).0.map(f32::from);
                    -0.1687 * r - 0.3313 * g + 0.5 * b
                };
                let third = u32::from(size.0) / 3;
                assert!(chroma_blue(third + third / 2) > chroma_blue(third / 2) + 10.0);
            }
        }
    }

    #[test]
    fn a_grey_frame_is_a_grey_picture_and_takes_no_memory_of_a_coloured_one_before_it() {
        let (luma, blue, red) = planes(320, 240, ColorRange::Full);
        let chroma = Some((blue.as_slice(), red.as_slice()));
        let mut reduced = ReducedFrame::new();
        for chroma in [chroma, None] {
            let picture = Picture::new(320, 240, &luma, chroma, ColorRange::Full).unwrap();
            reduced.take(&picture, 1, CaptureTime(0));
        }
        let pixel = decoded(&reduced).get_pixel(160, 120).0;
        assert!(pixel[0] == pixel[1] && pixel[1] == pixel[2], "{pixel:?}");
    }

    #[test]
    fn limited_range_is_stretched_to_the_whole() {
        assert_eq!(
            [16, 125, 235, 0, 255].map(|v| FULL_LUMA[v]),
            [0, 127, 255, 0, 255]
        );
        assert_eq!([16, 128, 240].map(|v| FULL_CHROMA[v]), [0, 128, 255]);
    }
}
