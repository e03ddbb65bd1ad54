//! ffmpeg as encoder: planes go in on a pipe, JPEG pictures come out on another, one for one and in order.

use super::{Form, Picture, RecordingSettings, Writer};
use capture::{FrameInfo, PictureCutter};
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// ffmpeg's measure of quality, 2 (best) to 31: at 4 a 720p picture of a cabin takes about 60 kB.
const QUALITY: &str = "4";

/// A running ffmpeg, and the thread that takes its pictures.
pub(super) struct Encoder {
    child: Child,
    stdin: Option<ChildStdin>,
    infos: Option<Sender<FrameInfo>>,
    reader: JoinHandle<Option<Box<Writer>>>,
    size: (usize, usize),
    form: Form,
}

impl Encoder {
    /// Starts ffmpeg for pictures of this size and form. The writer comes back where that fails.
    pub(super) fn start(
        settings: &RecordingSettings,
        picture: &Picture,
        writer: Box<Writer>,
    ) -> Result<Self, (io::Error, Box<Writer>)> {
        let format = match picture.form {
            Form::Planes { full_range: true } => "yuvj420p",
            Form::Planes { full_range: false } | Form::Jpeg => "yuv420p",
            Form::Grey => "gray",
        };
        let (width, height) = picture.size;
        let size = format!("{width}x{height}");
        let rate = settings.fps.to_string();
        let Some(ffmpeg) = &settings.ffmpeg else {
            return Err((io::ErrorKind::NotFound.into(), writer));
        };
        let started = Command::new(ffmpeg.command())
            .args(["-hide_banner", "-loglevel", "error", "-threads", "1"])
            .args(["-f", "rawvideo", "-pix_fmt", format, "-s", &size])
            .args(["-framerate", &rate, "-i", "pipe:0"])
            .args(ffmpeg.pass_through())
            .args(["-c:v", "mjpeg", "-threads", "1"])
            .args(["-pix_fmt", "yuvj420p", "-q:v", QUALITY])
            .args(["-flush_packets", "1", "-f", "mjpeg", "pipe:1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return Err((error, writer)),
        };
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (infos, told) = channel();
        // A picture takes fewer bytes than its planes.
        let most = 4 * width * height + (1 << 16);
        let Some(stdout) = stdout else {
            return Err((io::ErrorKind::BrokenPipe.into(), writer));
        };
        // A thread that cannot be started would keep the writer: it gets it when it runs.
        let (hand_over, handed) = channel();
        let reader = std::thread::Builder::new()
            .name("encoded".into())
            .spawn(move || Some(read(stdout, most, &told, handed.recv().ok()?)));
        let reader = match reader {
            Ok(reader) => reader,
            Err(error) => {
                drop(stdin);
                let _ = child.wait();
                return Err((error, writer));
            }
        };
        // It waits for nothing else.
        let _ = hand_over.send(writer);
        Ok(Self {
            child,
            stdin,
            infos: Some(infos),
            reader,
            size: picture.size,
            form: picture.form,
        })
    }

    /// Hands a frame to ffmpeg; `false` where it ended, or was started for frames of another size.
    pub(super) fn encode(&mut self, picture: &Picture) -> bool {
        let (Some(stdin), Some(infos)) = (&mut self.stdin, &self.infos) else {
            return false;
        };
        self.size == picture.size
            && self.form == picture.form
            && infos.send(picture.info).is_ok()
            && stdin.write_all(&picture.bytes).is_ok()
    }

    /// Lets it finish what it has; the writer comes back, unless its thread panicked.
    pub(super) fn finish(mut self) -> Option<Box<Writer>> {
        self.stdin = None;
        self.infos = None;
        let writer = self.reader.join().unwrap_or_else(|_| {
            tracing::error!(
                "the thread that takes ffmpeg's pictures panicked: nothing is recorded before the next start"
            );
            None
        });
        if let Ok(status) = self.child.wait()
            && !status.success()
        {
            tracing::error!("ffmpeg, which encodes the recording, ended with {status}");
        }
        writer
    }
}

/// Takes pictures until ffmpeg closes its output. Frames without a picture are counted as missed.
fn read(
    mut stdout: ChildStdout,
    most: usize,
    told: &Receiver<FrameInfo>,
    mut writer: Box<Writer>,
) -> Box<Writer> {
    let mut cutter = PictureCutter::new(most);
    loop {
        while let Some(picture) = cutter.next(|jpeg| {
            let info = told.recv().ok();
            if let Some(info) = info {
                writer.write(&info, jpeg);
            }
        }) {
            let () = picture;
        }
        match stdout.read(cutter.room()) {
            Ok(0) => break,
            Ok(count) => cutter.put(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    drop(stdout);
    let lost = told.iter().count() as u64;
    writer
        .missed
        .fetch_add(lost, std::sync::atomic::Ordering::Relaxed);
    writer
}
