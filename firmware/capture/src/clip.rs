//! Clips, decoded by ffmpeg's command.
//!
//! One ffmpeg process writes raw planes to its standard output, one frame after the other, and tells of each frame on
//! its standard error (the `showinfo` filter): presentation time, size, pixel format. Frames are passed through, none is
//! repeated or dropped to reach a rate, so the index is that of the decoded frame. ffmpeg turns frames upright as the
//! container's metadata say.

mod talk;

use crate::repeat::{Likeness, RepeatDetector};
use crate::{CaptureError, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use label_core::CaptureTime;
use std::ffi::OsString;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use talk::{Event, Said, ShownFrame, Talk};

/// Formats that hold their pictures themselves, as ffmpeg names them. Playlists (hls, dash, concat, image sequences) name
/// other files: whoever can hand us a clip could read those through its labels and filmstrips.
const CONTAINERS: &str = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,m4v,mjpeg,jpeg_pipe,mpjpeg,ivf,obu,dv,mxf,nut,gif,apng,yuv4mpegpipe";

/// What ffmpeg says of any other format.
const NOT_A_CONTAINER: &str = "Format not on whitelist";

/// The ffmpeg command.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    command: PathBuf,
    pass_through: [&'static str; 2],
}

impl Ffmpeg {
    /// The first of these commands that runs; a bare name is looked for on the search path.
    pub fn find(candidates: &[PathBuf]) -> Result<Self, CaptureError> {
        let mut failure = None;
        for command in candidates {
            match Command::new(command)
                .arg("-version")
                .stdin(Stdio::null())
                .output()
            {
                Ok(output) => {
                    let text = String::from_utf8_lossy(&output.stdout);
                    return Ok(Self {
                        command: command.clone(),
                        pass_through: pass_through(&text),
                    });
                }
                Err(source) => {
                    failure = Some(CaptureError::Ffmpeg {
                        command: command.clone(),
                        source,
                    });
                }
            }
        }
        Err(failure.unwrap_or_else(|| CaptureError::Ffmpeg {
            command: "ffmpeg".into(),
            source: std::io::ErrorKind::NotFound.into(),
        }))
    }

    /// The command that runs it.
    pub fn command(&self) -> &Path {
        &self.command
    }

    /// The arguments that keep every frame once.
    pub const fn pass_through(&self) -> [&'static str; 2] {
        self.pass_through
    }
}

/// The option that keeps every frame once: renamed in ffmpeg 5.1.
fn pass_through(version: &str) -> [&'static str; 2] {
    let number = version.split_whitespace().nth(2).unwrap_or_default();
    let mut parts = number
        .trim_start_matches(['n', 'N'])
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), minor) if major < 5 || (major == 5 && minor.unwrap_or(0) < 1) => {
            ["-vsync", "passthrough"]
        }
        _ => ["-fps_mode", "passthrough"],
    }
}

/// A clip being decoded.
pub struct ClipSource {
    path: PathBuf,
    info: SourceInfo,
    child: Child,
    pixels: BufReader<ChildStdout>,
    events: Receiver<Event>,
    /// Told already, not read yet.
    ahead: Option<ShownFrame>,
    /// The first frame's size and kind: those of every frame that is written, see [`Self::note_change`].
    first: Option<ShownFrame>,
    changed: bool,
    next: u32,
    last_us: Option<i64>,
    repeats: RepeatDetector,
    talk: Talk,
}

impl ClipSource {
    /// Starts decoding; `seconds` limits how much of the clip is read.
    pub fn open(path: &Path, ffmpeg: &Ffmpeg, seconds: Option<f64>) -> Result<Self, CaptureError> {
        let metadata = std::fs::metadata(path).map_err(|source| CaptureError::Open {
            path: path.to_owned(),
            source,
        })?;
        if metadata.is_dir() {
            return Err(CaptureError::Folder {
                path: path.to_owned(),
            });
        }
        if metadata.len() == 0 {
            return Err(CaptureError::Empty {
                path: path.to_owned(),
            });
        }
        let mut child =
            command(path, ffmpeg, seconds)
                .spawn()
                .map_err(|source| CaptureError::Ffmpeg {
                    command: ffmpeg.command.clone(),
                    source,
                })?;
        let pixels = child.stdout.take().expect("standard output is piped");
        let errors = child.stderr.take().expect("standard error is piped");
        let (sender, events) = mpsc::channel();
        thread::Builder::new()
            .name("ffmpeg-talk".into())
            .spawn(move || talk::listen(BufReader::new(errors), &sender))
            .map_err(|source| CaptureError::Ffmpeg {
                command: ffmpeg.command.clone(),
                source,
            })?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let info = SourceInfo {
            name,
            width: 0,
            height: 0,
            nominal_fps: None,
            expected_frames: None,
            codec: String::new(),
        };
        let mut source = Self {
            path: path.to_owned(),
            info,
            child,
            pixels: BufReader::with_capacity(1 << 16, pixels),
            events,
            ahead: None,
            first: None,
            changed: false,
            next: 0,
            last_us: None,
            repeats: RepeatDetector::default(),
            talk: Talk::default(),
        };
        source.ahead = source.next_shown();
        let Some(first) = source.ahead else {
            let status = source.child.wait().ok();
            let said = source.talk.first_error();
            return Err(if said.starts_with(NOT_A_CONTAINER) {
                CaptureError::NotAContainer {
                    path: path.to_owned(),
                }
            } else {
                CaptureError::NotAVideo {
                    path: path.to_owned(),
                    said,
                    status,
                }
            });
        };
        source.first = Some(first);
        source.info.width = first.width;
        source.info.height = first.height;
        source.info.nominal_fps = source.talk.frame_rate.map(|rate| rate as f32);
        let length = source
            .talk
            .duration_s
            .map(|length| seconds.map_or(length, |limit| length.min(limit)));
        source.info.expected_frames = length
            .zip(source.talk.frame_rate)
            .map(|(length, rate)| (length * rate).round() as u32);
        source.info.codec.clone_from(&source.talk.codec);
        Ok(source)
    }

    /// The next frame that ffmpeg tells of.
    fn next_shown(&mut self) -> Option<ShownFrame> {
        loop {
            match self.events.recv().ok()? {
                Event::Frame(frame) => return Some(frame),
                Event::Said(said) => self.talk.take(said),
            }
        }
    }

    /// A stream may change its size on the way (two recordings one after the other). ffmpeg goes on in the size of the
    /// first frame, after the filter that told us of the new one; so do the labels, and it is said.
    fn note_change(&mut self, first: ShownFrame, shown: ShownFrame) {
        let size = |frame: ShownFrame| (frame.width, frame.height);
        if self.changed || size(first) == size(shown) {
            return;
        }
        self.changed = true;
        self.talk.take(Said::Complaint(format!(
            "from frame {} on the picture is {}x{}; positions are given as in {}x{}",
            self.next, shown.width, shown.height, first.width, first.height
        )));
    }

    /// Microseconds from the clip's start. A frame without a time follows the one before at the claimed rate.
    fn time(&mut self, shown: ShownFrame) -> CaptureTime {
        let (numerator, denominator) = self.talk.time_base.unwrap_or((1, 1_000_000));
        let step = (1e6 / self.talk.frame_rate.unwrap_or(25.0)) as i64;
        let us = match (shown.pts, self.last_us) {
            (Some(pts), _) => {
                (i128::from(pts) * 1_000_000 * i128::from(numerator) / i128::from(denominator))
                    as i64
            }
            (None, Some(last)) => last + step,
            (None, None) => 0,
        };
        // Times never run backwards, whatever the container says.
        let us = self.last_us.map_or(us, |last| us.max(last));
        self.last_us = Some(us);
        CaptureTime(us)
    }
}

impl FrameSource for ClipSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        let Some(shown) = self.ahead.take().or_else(|| self.next_shown()) else {
            // The process has closed its pipes; wait, so that it leaves no zombie.
            let _ = self.child.wait();
            return Ok(false);
        };
        let first = *self.first.get_or_insert(shown);
        self.note_change(first, shown);
        frame.shape(first.width, first.height, first.gray);
        frame.full_range = first.full_range;
        self.pixels
            .read_exact(&mut frame.bytes)
            .map_err(|source| CaptureError::Pipe {
                path: self.path.clone(),
                frame: self.next,
                source,
            })?;
        let likeness = self
            .repeats
            .observe(frame.luma(), first.width, first.height);
        frame.info = FrameInfo {
            index: self.next,
            at: self.time(shown),
            repeat: likeness != Likeness::New,
            same_pixels: likeness == Likeness::SamePixels,
            ..FrameInfo::default()
        };
        self.next += 1;
        Ok(true)
    }

    fn damage(&self) -> Option<String> {
        self.talk.damage()
    }
}

impl Drop for ClipSource {
    fn drop(&mut self) {
        // Ended already in most cases; then both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(path: &Path, ffmpeg: &Ffmpeg, seconds: Option<f64>) -> Command {
    // The prefix keeps a name like `http:x` or `-i` from being anything but a file.
    let mut input = OsString::from("file:");
    input.push(path);
    let mut command = Command::new(&ffmpeg.command);
    command.args([
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-loglevel",
        "level+info",
    ]);
    // Other places are out of reach, and so are other files of this machine: of the formats that name files, none is
    // opened.
    command.args(["-protocol_whitelist", "file"]);
    command.args(["-format_whitelist", CONTAINERS]);
    command.args(["-threads", "1"]);
    if let Some(seconds) = seconds {
        // Of the input: as an output option it would come after the filter that tells of frames.
        command.args(["-t", &seconds.to_string()]);
    }
    command.arg("-i").arg(input);
    command.args(["-map", "0:v:0", "-an", "-sn", "-dn"]);
    command.args([
        "-vf",
        "format=pix_fmts=yuv420p|yuvj420p|gray,showinfo=checksum=0",
    ]);
    command.args(ffmpeg.pass_through);
    command.args(["-c:v", "rawvideo", "-f", "rawvideo", "pipe:1"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_to_keep_frames_fits_the_version() {
        assert_eq!(
            pass_through("ffmpeg version 4.2.7-0ubuntu0.1 Copyright"),
            ["-vsync", "passthrough"]
        );
        assert_eq!(
            pass_through("ffmpeg version 5.0.1"),
            ["-vsync", "passthrough"]
        );
        assert_eq!(
            pass_through("ffmpeg version 5.1.6-0+deb12u1"),
            ["-fps_mode", "passthrough"]
        );
        assert_eq!(
            pass_through("ffmpeg version n7.0.2-static"),
            ["-fps_mode", "passthrough"]
        );
        assert_eq!(
            pass_through("ffmpeg version N-118273-g251de1791e"),
            ["-fps_mode", "passthrough"]
        );
    }
}
