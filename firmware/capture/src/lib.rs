//! Where frames come from.
//!
//! A [`FrameSource`] fills [`FrameBuffer`]s that the caller owns and uses again: planes of luma and chroma, upright,
//! with the frame's index, its presentation time and whether it repeats the picture before. Clips are decoded by
//! ffmpeg's command ([`clip`]), pictures by the `image` crate ([`still`]). Cameras are a later source of the same trait.
//!
//! Frame indexes count *decoded* frames from 0. Times are microseconds from the clip's start.

pub mod clip;
mod frame;
mod repeat;
pub mod still;

pub use clip::{ClipSource, Ffmpeg};
pub use frame::{FrameBuffer, FrameInfo, SourceInfo};
pub use still::{StillSource, list_pictures};

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Something that gives frames.
pub trait FrameSource: Send {
    /// What is known of it before the first frame.
    fn info(&self) -> &SourceInfo;

    /// Fills `frame` with the next frame; `false` at the end.
    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError>;

    /// What was wrong with the media so far, in a sentence; `None` if nothing.
    fn damage(&self) -> Option<String>;
}

/// Why there are no frames. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is empty.
    #[error("{}: the file is empty (0 bytes)", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A folder where a file was expected.
    #[error("{}: a folder, not a clip; give --stills to label the pictures in it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder without pictures.
    #[error("{}: no pictures in this folder (looked for .jpg .jpeg .png .bmp .webp)", path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// ffmpeg was not found or does not start.
    #[error("cannot run ffmpeg ({})", command.display())]
    Ffmpeg {
        /// What was tried.
        command: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No frame could be decoded.
    #[error("{}: not a video that can be decoded: {said}", path.display())]
    NotAVideo {
        /// The file.
        path: PathBuf,
        /// What ffmpeg said.
        said: String,
        /// How it ended.
        status: Option<ExitStatus>,
    },
    /// A playlist, or another format that does not hold the pictures itself.
    #[error("{}: a playlist or a format that is not known to hold video itself; other files are not followed", path.display())]
    NotAContainer {
        /// The file.
        path: PathBuf,
    },
    /// The decoder's output broke off.
    #[error("{}: the decoder's output broke off at frame {frame}", path.display())]
    Pipe {
        /// The file.
        path: PathBuf,
        /// Frame being read.
        frame: u32,
        /// Why.
        source: io::Error,
    },
    /// A picture cannot be decoded.
    #[error("{}: not a picture that can be decoded", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        source: image::ImageError,
    },
}
