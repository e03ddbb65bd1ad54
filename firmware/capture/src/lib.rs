//! Where frames come from.
//!
//! A [`FrameSource`] fills [`FrameBuffer`]s that the caller owns and uses again: planes of luma and chroma, upright,
//! with the frame's index, its presentation time and whether it repeats the picture before. Clips are decoded by
//! ffmpeg's command ([`clip`]), pictures by the `image` crate ([`still`]). Cameras are a later source of the same trait.
//!
//! Frame indexes count *decoded* frames from 0. Times are microseconds from the clip's start.

pub mod camera;
pub mod clip;
pub mod convert;
mod error;
mod frame;
mod inbox;
pub mod jpeg;
pub mod mjpeg;
pub mod pipe;
mod repeat;
pub mod still;

pub use camera::{AntiFlicker, CameraCondition, CameraSettings, CameraSource, PixelFormat};
pub use clip::{ClipSource, Ffmpeg};
pub use error::{CameraFault, CaptureError};
pub use frame::{FrameBuffer, FrameInfo, SourceInfo};
pub use mjpeg::MjpegFileSource;
pub use pipe::{PipeSettings, PipeSource};
pub use still::{StillSource, list_pictures};

/// Something that gives frames.
pub trait FrameSource: Send {
    /// What is known of it before the first frame.
    fn info(&self) -> &SourceInfo;

    /// Fills `frame` with the next frame; `false` at the end.
    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError>;

    /// What was wrong with the media so far, in a sentence; `None` if nothing.
    fn damage(&self) -> Option<String>;

    /// Whether frames come at their own time: what is not fetched in time is lost, and time goes on without them.
    fn is_live(&self) -> bool {
        false
    }

    /// To be called every few milliseconds while no buffer is free. A live source gives back what became outdated meanwhile
    /// and keeps the newest frame, so that the next one asked for is fresh; what is given back is counted in
    /// [`FrameInfo::dropped_before`]. An error is told by the next [`Self::next_into`]. Files do nothing.
    fn keep_up(&mut self) {}

    /// How the camera does; `None` for files.
    fn condition(&self) -> Option<CameraCondition> {
        None
    }
}
