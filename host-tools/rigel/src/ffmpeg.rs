//! ffmpeg's command: what is in a file, its frames one after the other, and films made of frames.
//!
//! Whatever a file says, ffmpeg opens that file alone: no address, and no format that names other files.

use anyhow::{Context, Result, bail, ensure};
use image::RgbImage;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Formats that hold their pictures themselves, as ffmpeg names them; the same that rigs label.
const CONTAINERS: &str = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,m4v,mjpeg,jpeg_pipe,mpjpeg,ivf,obu,dv,mxf,nut,gif,apng,yuv4mpegpipe";

/// Longest line of a picture's head.
const HEAD: u64 = 64;

/// ffmpeg on the search path, or as fetched beside the project that this program was built in.
fn program() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(".rigel/bin/ffmpeg"))
        .find(|path| path.is_file())
        .unwrap_or_else(|| "ffmpeg".into())
}

fn command(level: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["-nostdin", "-hide_banner", "-nostats", "-v", level]);
    command
}

/// Takes this file, whatever its name looks like.
fn input(command: &mut Command, path: &Path) {
    let mut file = OsString::from("file:");
    file.push(path);
    command.args(["-protocol_whitelist", "file"]);
    command.args(["-format_whitelist", CONTAINERS, "-i"]);
    command
        .arg(file)
        .args(["-map", "0:v:0", "-an", "-sn", "-dn"]);
}

fn cannot_run() -> String {
    format!("cannot run {}: install ffmpeg", program().display())
}

/// The presentation time of each decoded frame, in microseconds.
pub(crate) fn times(path: &Path) -> Result<Vec<f64>> {
    let mut command = command("error");
    input(&mut command, path);
    let output = command
        .args(["-fps_mode", "passthrough", "-enc_time_base", "-1"])
        .args(["-f", "framecrc", "-"])
        .stderr(Stdio::inherit())
        .output()
        .with_context(cannot_run)?;
    let (mut base, mut times) = (None, Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(text) = line.strip_prefix("#tb 0:") {
            let (over, under) = text
                .trim()
                .split_once('/')
                .context("ffmpeg told no time base")?;
            base = Some(over.parse::<f64>()? / under.parse::<f64>()?);
        } else if !line.starts_with('#') {
            let pts = line
                .split(',')
                .nth(2)
                .context("ffmpeg told no time of a frame")?;
            let base = base.context("ffmpeg told no time base")?;
            times.push(pts.trim().parse::<f64>()? * base * 1e6);
        }
    }
    if times.is_empty() {
        bail!("{} holds no frame that ffmpeg can decode", path.display());
    }
    Ok(times)
}

/// Whether players have to turn this file's frames to show them upright.
pub(crate) fn is_turned(path: &Path) -> Result<bool> {
    let mut command = command("info");
    input(&mut command, path);
    let output = command
        .args(["-c", "copy", "-frames:v", "1", "-f", "null", "-"])
        .output()
        .with_context(cannot_run)?;
    ensure!(
        output.status.success(),
        "ffmpeg cannot read {}",
        path.display()
    );
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(said.contains("rotation of") || said.contains("displaymatrix"))
}

/// The SHA-256 of each packet of a film, in hexadecimal: of Motion JPEG, of each picture.
pub(crate) fn packets(path: &Path) -> Result<Vec<String>> {
    let mut command = command("error");
    input(&mut command, path);
    let output = command
        .args(["-c", "copy", "-f", "framehash", "-hash", "sha256", "-"])
        .stderr(Stdio::inherit())
        .output()
        .with_context(cannot_run)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines
        .filter_map(|line| Some(line.rsplit(',').next()?.trim().to_owned()))
        .collect())
}

/// The frames of a file, upright, every decoded frame once: counted as rigs count.
pub(crate) struct Frames {
    child: Child,
    pixels: BufReader<ChildStdout>,
    path: PathBuf,
}

impl Frames {
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let mut command = command("error");
        input(&mut command, path);
        let mut child = command
            .args(["-fps_mode", "passthrough"])
            // The same pixels on every processor.
            .args([
                "-sws_flags",
                "bicubic+accurate_rnd+full_chroma_int+bitexact",
            ])
            .args(["-c:v", "ppm", "-f", "image2pipe", "pipe:1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(cannot_run)?;
        let pixels = child.stdout.take().expect("standard output is piped");
        Ok(Self {
            child,
            pixels: BufReader::with_capacity(1 << 16, pixels),
            path: path.to_owned(),
        })
    }

    /// Reads the next frame, which has to be of this picture's size; `false` behind the last.
    pub(crate) fn next_into(&mut self, picture: &mut RgbImage) -> Result<bool> {
        if self.pixels.fill_buf()?.is_empty() {
            return Ok(false);
        }
        // P6, width and height, 255: a line each.
        let mut head = [String::new(), String::new(), String::new()];
        for line in &mut head {
            (&mut self.pixels).take(HEAD).read_line(line)?;
        }
        let (width, height) = picture.dimensions();
        ensure!(
            head[0] == "P6\n" && head[1] == format!("{width} {height}\n") && head[2] == "255\n",
            "{}: its pictures are of {}, and the labels count in {width} {height}",
            self.path.display(),
            head[1].trim()
        );
        self.pixels
            .read_exact(picture)
            .with_context(|| format!("ffmpeg stopped in a frame of {}", self.path.display()))?;
        Ok(true)
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        // Ended already where all frames were read; then both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a film is made of.
#[derive(Clone, Copy)]
pub(crate) enum Feed {
    /// Frames of this size, red, green and blue: they become H.264.
    Frames(u32, u32),
    /// JPEG pictures: they stay as they are.
    Jpeg,
}

/// A film in the making, of constant rate.
pub(crate) struct Film {
    child: Child,
    stdin: Option<ChildStdin>,
    path: PathBuf,
}

impl Film {
    pub(crate) fn begin(path: &Path, feed: Feed, (over, under): (u32, u32)) -> Result<Self> {
        let mut command = command("error");
        // It reads what it is given.
        let rate = format!("{over}/{under}");
        match feed {
            Feed::Frames(width, height) => {
                let size = format!("{width}x{height}");
                // A picture every second at which players can begin, and none that is told out of order.
                let second = (over / under).max(1).to_string();
                command
                    .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size])
                    .args(["-framerate", &rate, "-i", "pipe:0"])
                    // Chroma is told of four pixels together: an odd side gets one more.
                    .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+bitexact,format=yuv420p"])
                    .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "12"])
                    .args(["-threads", "2", "-bf", "0", "-g", &second])
                    .args(["-colorspace", "bt709", "-color_primaries", "bt709"])
                    .args(["-color_trc", "bt709", "-color_range", "tv"])
                    .args(["-movflags", "+faststart", "-f", "mp4"])
            }
            Feed::Jpeg => command
                .args(["-f", "mjpeg", "-framerate", &rate, "-i", "pipe:0"])
                .args(["-c:v", "copy", "-f", "mov"]),
        };
        // No word of when, by whom and with what it was made: the same pictures give the same bytes.
        command
            .args(["-fflags", "+bitexact", "-flags:v", "+bitexact"])
            .args(["-map_metadata", "-1", "-video_track_timescale"])
            .arg(over.to_string());
        let mut file = OsString::from("file:");
        file.push(path);
        let mut child = command
            .arg("-y")
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .with_context(cannot_run)?;
        Ok(Self {
            stdin: child.stdin.take(),
            child,
            path: path.to_owned(),
        })
    }

    /// The next picture.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let stdin = self.stdin.as_mut().expect("it is taken at the end");
        match stdin.write_all(bytes) {
            Ok(()) => Ok(()),
            // Why, it says itself: on its own standard error, and here where it is the disk.
            Err(_) => bail!(self.failed()),
        }
    }

    /// Ends the film.
    pub(crate) fn end(mut self) -> Result<()> {
        self.stdin = None;
        let status = self.child.wait()?;
        ensure!(status.success(), self.failed());
        Ok(())
    }

    fn failed(&self) -> anyhow::Error {
        let place = self.path.parent().unwrap_or(Path::new("."));
        let free = nix::sys::statvfs::statvfs(place).map_or(u64::MAX, |disk| {
            disk.blocks_available() * disk.fragment_size()
        });
        let writing = format!("cannot write {}", self.path.display());
        if free < 1 << 20 {
            anyhow::Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull))
                .context(writing)
        } else {
            anyhow::anyhow!("{writing}: ffmpeg ended; what it says stands above")
        }
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
