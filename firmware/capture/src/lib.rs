//! Where frames come from.
//!
//! A [`FrameSource`] fills [`FrameBuffer`]s that the caller owns and uses again: planes of luma and chroma, upright,
//! with the frame's index, its presentation time and whether it repeats the picture before. Cameras come through the kernel
//! ([`camera`]) or through a program that writes frames ([`pipe`]), clips through ffmpeg's command ([`clip`]), files of JPEGs
//! through the decoder that cameras are read with ([`mjpeg`]), pictures through the `image` crate ([`still`]).
//!
//! Frame indexes count *delivered* frames from 0. Times are microseconds from the first frame of a camera, from the start of a
//! clip. A frame is copied once, out of the kernel's or the pipe's buffer, and after the first frames nothing is allocated.

pub mod camera;
pub mod clip;
pub mod convert;
mod cutter;
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
pub use cutter::PictureCutter;
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
