//! Raw pixels, as cameras and programs give them, into planes: one pass, row by row.

use crate::{FrameBuffer, PixelFormat};

/// How raw pixels lie in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLayout {
    /// In which order; not [`PixelFormat::Mjpeg`].
    pub format: PixelFormat,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Bytes from one row to the next: of luma where there are planes.
    pub stride: usize,
    /// Whether values span 0 to 255 rather than 16 to 235.
    pub full_range: bool,
}

impl RawLayout {
    /// Rows without gaps between them.
    pub fn packed(format: PixelFormat, width: usize, height: usize, full_range: bool) -> Self {
        let mut layout = Self {
            format,
            width,
            height,
            stride: 0,
            full_range,
        };
        layout.stride = layout.least_stride();
        layout
    }

    /// Bytes of a row without what lies between rows.
    pub fn least_stride(&self) -> usize {
        match self.format {
            // Pixels come in pairs.
            PixelFormat::Yuyv => self.width.div_ceil(2) * 4,
            _ => self.width,
        }
    }

    /// Bytes of a frame; of its last row only what is filled.
    pub fn least_bytes(&self) -> usize {
        let rows = |count: usize, stride: usize, filled: usize| match count {
            0 => 0,
            count => (count - 1) * stride + filled,
        };
        let down = self.height.div_ceil(2);
        match self.format {
            PixelFormat::Mjpeg => 0,
            PixelFormat::Grey | PixelFormat::Yuyv => {
                rows(self.height, self.stride, self.least_stride())
            }
            PixelFormat::Nv12 => {
                self.height * self.stride + rows(down, self.stride, self.width.div_ceil(2) * 2)
            }
            PixelFormat::I420 => {
                let across = self.chroma_stride();
                self.height * self.stride
                    + down * across
                    + rows(down, across, self.width.div_ceil(2))
            }
        }
    }

    fn chroma_stride(&self) -> usize {
        self.stride.div_ceil(2)
    }

    /// Fills a frame; `false` where `bytes` are too few.
    pub fn fill(&self, bytes: &[u8], frame: &mut FrameBuffer) -> bool {
        if self.format == PixelFormat::Mjpeg
            || self.stride < self.least_stride()
            || bytes.len() < self.least_bytes()
        {
            return false;
        }
        let (width, height, stride) = (self.width, self.height, self.stride);
        frame.shape(width, height, self.format == PixelFormat::Grey);
        frame.full_range = self.full_range;
        let (luma, blue, red) = frame.planes_mut();
        let (half, down) = (width.div_ceil(2), height.div_ceil(2));
        match self.format {
            PixelFormat::Yuyv => fill_yuyv(bytes, stride, width, (luma, blue, red)),
            PixelFormat::Mjpeg => {}
            PixelFormat::Grey => copy_rows(bytes, stride, luma, width),
            PixelFormat::Nv12 => {
                let (lumas, chromas) = bytes.split_at(height * stride);
                copy_rows(lumas, stride, luma, width);
                let rows = blue.chunks_exact_mut(half).zip(red.chunks_exact_mut(half));
                for ((blue, red), row) in rows.zip(chromas.chunks(stride)) {
                    for ((blue, red), pair) in blue.iter_mut().zip(red).zip(row.chunks_exact(2)) {
                        (*blue, *red) = (pair[0], pair[1]);
                    }
                }
            }
            PixelFormat::I420 => {
                let across = self.chroma_stride();
                let (lumas, chromas) = bytes.split_at(height * stride);
                let (blues, reds) = chromas.split_at(down * across);
                copy_rows(lumas, stride, luma, width);
                copy_rows(blues, across, blue, half);
                copy_rows(reds, across, red, half);
            }
        }
        true
    }
}

fn copy_rows(bytes: &[u8], stride: usize, plane: &mut [u8], width: usize) {
    if stride == width {
        plane.copy_from_slice(&bytes[..plane.len()]);
        return;
    }
    for (out, row) in plane.chunks_exact_mut(width).zip(bytes.chunks(stride)) {
        out.copy_from_slice(&row[..width]);
    }
}

/// Two rows at a time: their chroma is averaged. An odd last row goes with itself, an odd last column ends a pair.
fn fill_yuyv(
    bytes: &[u8],
    stride: usize,
    width: usize,
    (luma, blue, red): (&mut [u8], &mut [u8], &mut [u8]),
) {
    let half = width.div_ceil(2);
    let pairs = luma
        .chunks_mut(2 * width)
        .zip(blue.chunks_exact_mut(half))
        .zip(red.chunks_exact_mut(half));
    for (index, ((lumas, blue), red)) in pairs.enumerate() {
        let row = |row: usize| &bytes[row * stride..][..4 * half];
        let (upper_luma, lower_luma) = lumas.split_at_mut(width);
        let upper = row(2 * index);
        let lower = if lower_luma.is_empty() {
            upper
        } else {
            row(2 * index + 1)
        };
        take_luma(upper, upper_luma);
        take_luma(lower, lower_luma);
        let chromas = upper.chunks_exact(4).zip(lower.chunks_exact(4));
        for ((blue, red), (upper, lower)) in blue.iter_mut().zip(red).zip(chromas) {
            let mean = |at: usize| (u16::from(upper[at]) + u16::from(lower[at])).div_ceil(2) as u8;
            (*blue, *red) = (mean(1), mean(3));
        }
    }
}

fn take_luma(row: &[u8], luma: &mut [u8]) {
    for (out, pair) in luma.iter_mut().zip(row.chunks_exact(2)) {
        *out = pair[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a pixel's luma and its block's chroma are, said as plainly as can be.
    fn reference(layout: &RawLayout, bytes: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let RawLayout {
            width,
            height,
            stride,
            ..
        } = *layout;
        let base = height * stride;
        let (mut luma, mut blue, mut red) = (Vec::new(), Vec::new(), Vec::new());
        for y in 0..height {
            for x in 0..width {
                luma.push(match layout.format {
                    PixelFormat::Yuyv => bytes[y * stride + 2 * x],
                    _ => bytes[y * stride + x],
                });
            }
        }
        if layout.format == PixelFormat::Grey {
            return (luma, blue, red);
        }
        for y in 0..height.div_ceil(2) {
            for x in 0..width.div_ceil(2) {
                let (b, r) = match layout.format {
                    PixelFormat::Nv12 => (
                        bytes[base + y * stride + 2 * x],
                        bytes[base + y * stride + 2 * x + 1],
                    ),
                    PixelFormat::I420 => {
                        let across = stride.div_ceil(2);
                        let second = base + across * height.div_ceil(2);
                        (bytes[base + y * across + x], bytes[second + y * across + x])
                    }
                    _ => {
                        let lower = (2 * y + 1).min(height - 1);
                        let mean = |at: usize| {
                            let upper = u32::from(bytes[2 * y * stride + 4 * x + at]);
                            let lower = u32::from(bytes[lower * stride + 4 * x + at]);
                            (upper + lower).div_ceil(2) as u8
                        };
                        (mean(1), mean(3))
                    }
                };
                blue.push(b);
                red.push(r);
            }
        }
        (luma, blue, red)
    }

    const RAW: [PixelFormat; 4] = [
        PixelFormat::I420,
        PixelFormat::Nv12,
        PixelFormat::Yuyv,
        PixelFormat::Grey,
    ];

    proptest! {
        #[test]
        fn every_pixel_lands_where_it_belongs_whatever_the_size_and_the_rows_padding(
            format in prop::sample::select(&RAW[..]), width in 1usize..40, height in 1usize..20,
            padding in 0usize..9, seed in any::<u64>(), full_range in any::<bool>(),
        ) {
            let mut layout = RawLayout::packed(format, width, height, full_range);
            // Chroma's rows are half as far apart as those of luma: drivers keep that even.
            layout.stride = (layout.stride + padding).next_multiple_of(2);
            let bytes: Vec<u8> = (0..layout.least_bytes() as u64)
                .map(|at| (at.wrapping_mul(seed | 1) >> 7) as u8).collect();
            let mut frame = FrameBuffer::default();
            prop_assert!(layout.fill(&bytes, &mut frame));
            let (luma, blue, red) = reference(&layout, &bytes);
            prop_assert_eq!(frame.luma(), luma);
            prop_assert_eq!(frame.full_range, full_range);
            prop_assert_eq!(frame.chroma(), (format != PixelFormat::Grey).then_some((&blue[..], &red[..])));
            prop_assert!(!layout.fill(&bytes[1..], &mut frame), "a byte is missing");
        }
    }

    #[test]
    fn a_packed_frame_has_the_size_that_programs_write() {
        let bytes =
            |format, width, height| RawLayout::packed(format, width, height, false).least_bytes();
        assert_eq!(bytes(PixelFormat::Yuyv, 640, 480), 640 * 480 * 2);
        assert_eq!(bytes(PixelFormat::Nv12, 640, 480), 640 * 480 * 3 / 2);
        assert_eq!(
            bytes(PixelFormat::I420, 641, 479),
            641 * 479 + 2 * 321 * 240
        );
        assert_eq!(bytes(PixelFormat::Grey, 641, 479), 641 * 479);
    }

    #[test]
    fn rows_that_overlap_are_refused() {
        let mut layout = RawLayout::packed(PixelFormat::Yuyv, 4, 2, false);
        layout.stride = 6;
        assert!(!layout.fill(&[0; 100], &mut FrameBuffer::default()));
    }
}
