//! A stream of JPEG pictures, cut into pictures.

use crate::inbox::{Cut, Inbox};
use crate::jpeg::JpegFraming;

/// Cuts a stream of JPEG pictures where they end. What is no picture is left out.
pub struct PictureCutter(Inbox);

impl PictureCutter {
    /// A cutter of pictures that are no longer than `most` bytes.
    pub fn new(most: usize) -> Self {
        Self(Inbox::new(Cut::Jpeg {
            framing: JpegFraming::default(),
            most,
        }))
    }

    /// Where the stream's next bytes go; [`Self::put`] says how many came.
    pub fn room(&mut self) -> &mut [u8] {
        self.0.room()
    }

    /// So many bytes came.
    pub fn put(&mut self, count: usize) {
        self.0.put(count);
    }

    /// The next whole picture is handed to `take`; `None` where none is whole yet.
    pub fn next<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if !self.0.find(0) {
            return None;
        }
        let taken = self.0.front().map(|(picture, _)| take(picture));
        self.0.pop();
        taken
    }
}
