//! Why there are no frames.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why there are no frames. Each names the file, or the camera.
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
    /// A camera, or a program that stands for one, gives no frames.
    #[error("{camera}: {fault}")]
    Camera {
        /// The device's path, or the program's command line.
        camera: String,
        /// Why.
        fault: CameraFault,
    },
}

impl CaptureError {
    /// Whether opening the same source again may help without anybody touching the board file: the camera may be plugged
    /// in again, the bus may recover, a program may be started anew.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Camera { fault, .. } if fault.is_passing())
    }
}

/// What is wrong with a camera. Every text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CameraFault {
    /// No such device.
    #[error(
        "there is no camera at this path: plug it in, or give another path as `device` (`ls /dev/v4l/by-id` lists the cameras)"
    )]
    Missing,
    /// The device may not be opened.
    #[error("this user may not open the camera: it needs the group `video`")]
    NotAllowed,
    /// Another program streams from it.
    #[error("another program uses the camera: end it (`fuser -v DEVICE` names it)")]
    Busy,
    /// The device is something else.
    #[error("this device gives no video: {what}")]
    NotACamera {
        /// What it is.
        what: String,
    },
    /// The bus cannot carry the stream.
    #[error(
        "the USB bus has no room for this stream: ask for mjpeg or a smaller picture, or plug the camera into another port"
    )]
    NoBandwidth,
    /// Nothing that it offers was asked for.
    #[error("the camera has none of the formats asked for ({wanted}); it offers {offered}")]
    NoFormat {
        /// What the board file asks for.
        wanted: String,
        /// What the camera has.
        offered: String,
    },
    /// The driver answers with something else than it offered.
    #[error("the camera offered {asked} and then set {got}: ask for another of its formats")]
    OtherFormat {
        /// What was planned.
        asked: String,
        /// What the driver answered.
        got: String,
    },
    /// Gone while streaming.
    #[error("the camera was unplugged")]
    Unplugged,
    /// No frame for too long.
    #[error("no frame for {} ms: the camera hangs, or exposes longer than that; plug it in again if this stays", waited.as_millis())]
    Stalled {
        /// How long was waited.
        waited: Duration,
    },
    /// Only damaged frames for too long.
    #[error("only damaged frames for {} ms ({damaged} in a row): check cable and plug, or ask for a smaller picture", waited.as_millis())]
    OnlyDamaged {
        /// How long was waited.
        waited: Duration,
        /// How many were skipped.
        damaged: u64,
    },
    /// The driver reports an error.
    #[error("the driver reports an error while it was to {doing}: {source}")]
    Driver {
        /// What was asked of it.
        doing: &'static str,
        /// What it answers.
        source: io::Error,
    },
    /// The program that gives frames cannot be started.
    #[error("the program cannot be started: {source}")]
    NotStarted {
        /// Why.
        source: io::Error,
    },
    /// The program that gives frames has ended.
    #[error("the program ended ({status}){}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Ended {
        /// How it ended.
        status: String,
        /// The last lines it wrote on its standard error.
        said: String,
    },
    /// What the program writes is not what was agreed.
    #[error("{what}")]
    NotAsAgreed {
        /// What differs, and what to do.
        what: String,
    },
}

impl CameraFault {
    /// Whether it may pass by itself or by plugging.
    pub fn is_passing(&self) -> bool {
        match self {
            // Right after a camera is plugged in its node is there before its group is.
            Self::Missing
            | Self::NotAllowed
            | Self::Busy
            | Self::NoBandwidth
            | Self::Unplugged
            | Self::Stalled { .. }
            | Self::OnlyDamaged { .. }
            | Self::Driver { .. }
            | Self::Ended { .. } => true,
            Self::NotACamera { .. }
            | Self::NoFormat { .. }
            | Self::OtherFormat { .. }
            | Self::NotStarted { .. }
            | Self::NotAsAgreed { .. } => false,
        }
    }
}
