//! What is asked of a camera, and how it does.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What is asked of a camera.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraSettings {
    /// The device: `/dev/video0`, or a path that stays the same whatever the port, such as one in `/dev/v4l/by-id/`.
    pub device: PathBuf,
    /// Formats that may be used, the one liked best first.
    pub formats: Vec<PixelFormat>,
    /// Pixels across. A camera without this size gives the nearest that is not smaller.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second.
    pub fps: f32,
    /// Exposure in microseconds; `None` lets the camera choose.
    pub exposure_us: Option<u32>,
    /// Gain, in the camera's own numbers; `None` lets the camera choose.
    pub gain: Option<i32>,
    /// Against lamps that flicker with the mains; `None` leaves it as it is.
    pub anti_flicker: Option<AntiFlicker>,
    /// The camera's infrared lamp; `None` leaves it as it is.
    pub infrared_lamp: Option<bool>,
    /// Longest wait for a frame.
    pub timeout: Duration,
}

/// How pixels come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PixelFormat {
    /// Each frame a JPEG picture.
    Mjpeg,
    /// Planes of luma, chroma blue and chroma red, both at half size.
    I420,
    /// A plane of luma, and one of chroma, blue and red in turn, at half size.
    Nv12,
    /// Luma of each pixel, with chroma blue and red in turn.
    Yuyv,
    /// Luma alone: near-infrared cameras.
    Grey,
}

impl PixelFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Mjpeg, Self::I420, Self::Nv12, Self::Yuyv, Self::Grey];

    /// As it is written in board files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mjpeg => "mjpeg",
            Self::I420 => "i420",
            Self::Nv12 => "nv12",
            Self::Yuyv => "yuyv",
            Self::Grey => "grey",
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What to do against lamps that flicker with the mains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AntiFlicker {
    /// Nothing.
    Off,
    /// Mains of 50 Hz: most of the world.
    Hz50,
    /// Mains of 60 Hz: the Americas, parts of Asia.
    Hz60,
    /// The camera finds out.
    Auto,
}

/// How a camera does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraCondition {
    /// How pixels come.
    pub format: PixelFormat,
    /// Pixels across, as they come.
    pub width: u32,
    /// Pixels down, as they come.
    pub height: u32,
    /// Frames a second that the driver promised; 0 where it promises nothing.
    pub asked_fps: f32,
    /// Frames a second that came over the last seconds, by the kernel's timestamps; `None` until there were enough.
    pub measured_fps: Option<f32>,
    /// Frames so far that were damaged and not shown to anybody.
    pub damaged_frames: u64,
    /// Frames so far that were lost: gaps in the driver's numbers, and outdated ones that were given back.
    pub dropped_frames: u64,
}
