//! JPEG pictures into planes, as cameras send them: many a second, now and then damaged.
//!
//! The picture's own planes are taken as they are coded, without a detour through colours. Luma lands in the frame at
//! once; chroma too where it is at half size both ways (4:2:0). Cameras mostly send it at full height (4:2:2): then pairs
//! of its rows are averaged afterwards. A picture that is not whole is refused, never shown.

mod framing;
mod turbo;

pub(crate) use framing::{Framing, JpegFraming};

use crate::FrameBuffer;
use turbo::{Subsampling, Turbo};

/// How a picture is reduced while it is decoded, which costs less than decoding all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Not at all.
    Full,
    /// To half its width and height.
    Half,
    /// To a quarter of its width and height.
    Quarter,
}

impl Scale {
    /// Pixels of a side are divided by this and rounded up.
    pub fn divisor(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
        }
    }

    /// Width and height after it.
    pub fn of(self, (width, height): (u32, u32)) -> (u32, u32) {
        (
            width.div_ceil(self.divisor()),
            height.div_ceil(self.divisor()),
        )
    }

    /// The strongest after which a picture is still not smaller than wanted.
    pub fn reaching(have: (u32, u32), wanted: (u32, u32)) -> Self {
        [Self::Quarter, Self::Half]
            .into_iter()
            .find(|scale| {
                let (width, height) = scale.of(have);
                width >= wanted.0 && height >= wanted.1
            })
            .unwrap_or(Self::Full)
    }
}

/// Why a picture is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JpegFault {
    /// It is not whole, or no JPEG at all.
    #[error("damaged JPEG: {said}")]
    Damaged {
        /// What the decoder said.
        said: String,
    },
    /// It is whole and has another size.
    #[error("a JPEG of {}x{} where {}x{} was expected", got.0, got.1, expected.0, expected.1)]
    OtherSize {
        /// Its width and height.
        got: (u32, u32),
        /// What was expected.
        expected: (u32, u32),
    },
}

/// Decodes one picture after the other into frames.
pub struct JpegDecoder {
    turbo: Turbo,
    /// Planes as coded, where they are not those of the frame.
    coded: Vec<u8>,
}

impl Default for JpegDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl JpegDecoder {
    /// A decoder that keeps its memory from picture to picture.
    pub fn new() -> Self {
        Self {
            turbo: Turbo::default(),
            coded: Vec::new(),
        }
    }

    /// Width and height that a picture says it has.
    pub fn size(&mut self, jpeg: &[u8]) -> Result<(u32, u32), JpegFault> {
        let damaged = |said| JpegFault::Damaged { said };
        let header = self.turbo.header(jpeg).map_err(damaged)?;
        self.turbo.reset();
        Ok((header.width, header.height))
    }

    /// Decodes a picture of the `expected` size, reduced by `scale`, into a frame; on failure its pixels mean nothing.
    pub fn decode(
        &mut self,
        jpeg: &[u8],
        expected: (u32, u32),
        scale: Scale,
        frame: &mut FrameBuffer,
    ) -> Result<(), JpegFault> {
        let damaged = |said| JpegFault::Damaged { said };
        let header = self.turbo.header(jpeg).map_err(damaged)?;
        let got = (header.width, header.height);
        if got != expected {
            self.turbo.reset();
            return Err(JpegFault::OtherSize { got, expected });
        }
        let (width, height) = scale.of(got);
        let (width, height) = (width as usize, height as usize);
        frame.shape(width, height, header.subsampling == Subsampling::Gray);
        // JPEG knows no other range.
        frame.full_range = true;
        let size = (width, height);
        let (luma, blue, red) = frame.planes_mut();
        let subsampling = header.subsampling;
        let coded = [0, 1].map(|component| subsampling.plane_size(component, size));
        let [(luma_width, luma_height), (chroma_width, chroma_height)] = coded;
        // Sizes that are odd come padded: cameras have none, reduced pictures may.
        let is_padded = (luma_width, luma_height) != size;
        if !is_padded && matches!(subsampling, Subsampling::Half | Subsampling::Gray) {
            let planes = [luma, blue, red];
            return self
                .turbo
                .planes(jpeg, header, size, planes)
                .map_err(damaged);
        }
        let padded_len = if is_padded {
            luma_width * luma_height
        } else {
            0
        };
        let chroma_len = chroma_width * chroma_height;
        self.coded.resize(padded_len + 2 * chroma_len, 0);
        let (padded, chroma) = self.coded.split_at_mut(padded_len);
        let (coded_blue, coded_red) = chroma.split_at_mut(chroma_len);
        let coded_luma = if is_padded { &mut *padded } else { &mut *luma };
        self.turbo
            .planes(
                jpeg,
                header,
                size,
                [coded_luma, &mut *coded_blue, &mut *coded_red],
            )
            .map_err(damaged)?;
        if is_padded {
            let rows = luma
                .chunks_exact_mut(width)
                .zip(padded.chunks_exact(luma_width));
            for (row, padded) in rows {
                row.copy_from_slice(&padded[..width]);
            }
        }
        if subsampling != Subsampling::Gray {
            for (coded, plane) in [(coded_blue, blue), (coded_red, red)] {
                halve(coded, (chroma_width, chroma_height), plane, size);
            }
        }
        Ok(())
    }
}

/// Brings a plane of chroma to half the picture's width and height by averaging.
fn halve(
    coded: &[u8],
    (coded_width, coded_height): (usize, usize),
    plane: &mut [u8],
    (width, height): (usize, usize),
) {
    let half = width.div_ceil(2);
    let rows = plane.chunks_exact_mut(half).take(height.div_ceil(2));
    for (y, out) in rows.enumerate() {
        // A plane of full height has two rows for one, one of half height the same row twice.
        let of_row = |y: usize| {
            let y = if coded_height > height.div_ceil(2) {
                y
            } else {
                y / 2
            };
            let y = y.min(coded_height - 1);
            &coded[y * coded_width..][..coded_width]
        };
        let (upper, lower) = (of_row(2 * y), of_row(2 * y + 1));
        if coded_width == half {
            for ((out, upper), lower) in out.iter_mut().zip(upper).zip(lower) {
                *out = (u16::from(*upper) + u16::from(*lower)).div_ceil(2) as u8;
            }
            continue;
        }
        for (x, out) in out.iter_mut().enumerate() {
            // Full width: two samples for one. Less than half: the sample that lies there.
            let (left, right) = if coded_width > half {
                (2 * x, (2 * x + 1).min(coded_width - 1))
            } else {
                let x = x * coded_width / half;
                (x, x)
            };
            let sum = u16::from(upper[left])
                + u16::from(upper[right])
                + u16::from(lower[left])
                + u16::from(lower[right]);
            *out = ((sum + 2) / 4) as u8;
        }
    }
}

#[cfg(test)]
#[path = "jpeg/tests.rs"]
mod tests;
