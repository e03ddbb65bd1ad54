//! A frame and what is known of it.

use label_core::{CaptureTime, FrameIndex};

/// What is known of a source before its first frame.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// File name without folder.
    pub name: String,
    /// Pixels across, upright.
    pub width: usize,
    /// Pixels down, upright.
    pub height: usize,
    /// What the container claims; `None` where it claims nothing.
    pub nominal_fps: Option<f32>,
    /// About how many frames there are; `None` where nothing tells.
    pub expected_frames: Option<u32>,
    /// Codec as the decoder names it.
    pub codec: String,
}

/// What is known of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameInfo {
    /// Index among the decoded frames.
    pub index: FrameIndex,
    /// Presentation time.
    pub at: CaptureTime,
    /// Whether it shows the same picture as the frame before: webcams and converters repeat pictures.
    pub repeat: bool,
    /// Whether its pixels are those of the frame before, to the last bit.
    pub same_pixels: bool,
    /// When a camera took it: microseconds of the machine's monotonic clock, as the kernel stamped the frame. `None` for
    /// files.
    pub captured_us: Option<i64>,
    /// Frames lost between the one before and this one: gaps in the driver's numbers, damaged frames, and outdated frames
    /// that were given back. 0 for files.
    pub dropped_before: u32,
}

/// A reusable frame: planes of luma and of chroma at half size.
#[derive(Clone, Debug, Default)]
pub struct FrameBuffer {
    /// What is known of it.
    pub info: FrameInfo,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Whether bytes span 0 to 255 rather than 16 to 235.
    pub full_range: bool,
    /// Luma, then chroma blue and red at half width and height (rounded up); chroma is absent for grey pictures.
    pub(crate) bytes: Vec<u8>,
    pub(crate) gray: bool,
    /// The camera's own picture, where it is asked for.
    picture: Option<Vec<u8>>,
}

impl FrameBuffer {
    /// A buffer that also keeps the picture as the camera sent it, where it sends JPEGs.
    pub fn keeping_pictures() -> Self {
        Self {
            picture: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Keeps the camera's own picture, of this size in pixels, if it is asked for. A picture takes fewer bytes than it has
    /// pixels, so that memory is asked for once; of those the frame has fewer where it is decoded smaller.
    pub(crate) fn keep(&mut self, jpeg: &[u8], (width, height): (u32, u32)) {
        let pixels = width as usize * height as usize;
        if let Some(picture) = &mut self.picture {
            picture.clear();
            picture.reserve(jpeg.len().max(pixels));
            picture.extend_from_slice(jpeg);
        }
    }

    /// The JPEG as the camera sent it; `None` where it is not kept, or the camera sends none.
    pub fn picture(&self) -> Option<&[u8]> {
        self.picture
            .as_deref()
            .filter(|picture| !picture.is_empty())
    }

    /// Takes the camera's own picture and leaves `empty` for the next one; gives `empty` back where there is none.
    pub fn take_picture(&mut self, mut empty: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
        empty.clear();
        match &mut self.picture {
            Some(picture) if !picture.is_empty() => Ok(std::mem::replace(picture, empty)),
            _ => Err(empty),
        }
    }

    /// Copies luma and chroma as they lie in memory: planes one after the other, without padding.
    pub fn copy_planes(&self, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&self.bytes);
    }

    /// Sets size and kind, keeping the memory where it suffices.
    pub(crate) fn shape(&mut self, width: usize, height: usize, gray: bool) {
        (self.width, self.height, self.gray) = (width, height, gray);
        let chroma = if gray { 0 } else { 2 * self.chroma_len() };
        self.bytes.resize(width * height + chroma, 0);
    }

    /// Luma, chroma blue, chroma red, to be filled; chroma is empty for a grey picture.
    pub(crate) fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let chroma_len = if self.gray { 0 } else { self.chroma_len() };
        let (luma, chroma) = self.bytes.split_at_mut(self.width * self.height);
        let (blue, red) = chroma.split_at_mut(chroma_len);
        (luma, blue, red)
    }

    fn chroma_len(&self) -> usize {
        self.width.div_ceil(2) * self.height.div_ceil(2)
    }

    /// Luma, row by row.
    pub fn luma(&self) -> &[u8] {
        &self.bytes[..self.width * self.height]
    }

    /// Chroma planes (blue, red); `None` for a grey picture.
    pub fn chroma(&self) -> Option<(&[u8], &[u8])> {
        (!self.gray).then(|| self.bytes[self.width * self.height..].split_at(self.chroma_len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_for_a_cameras_picture_is_asked_for_once_also_where_it_is_decoded_smaller() {
        let mut frame = FrameBuffer::keeping_pictures();
        frame.shape(160, 120, false);
        frame.keep(&[1; 10], (640, 480));
        let memory = frame.picture().map(<[u8]>::as_ptr);
        frame.keep(&vec![2; 300_000], (640, 480));
        assert_eq!(frame.picture().map(<[u8]>::as_ptr), memory);
    }
}
