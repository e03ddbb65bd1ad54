//! Recording: pictures of the frames that went through the line, on the rig's disk, in bounded segments within a bounded
//! folder.
//!
//! The line never waits for it. Pictures go over a bounded channel to the thread `record`, in buffers that come back; where
//! none is free, or the disk fails, the frame is not recorded, and counted. A picture is the camera's own JPEG, or one that
//! ffmpeg makes of the frame, whichever the board says. `label_core::wire::IndexLine` has the files' form.

mod encoder;
mod folder;
mod segment;
mod writer;

pub(crate) use folder::RESERVE;
pub use folder::{Segments, StoredSegment};

use crate::live::LiveHandle;
use anyhow::{Context, Result};
use board::RecordingEncoder;
use capture::{Ffmpeg, FrameBuffer, FrameInfo};
use encoder::Encoder;
use folder::Folder;
use label_core::BootId;
use label_core::id::Name;
use label_core::wire::{ClipNumber, RecordedSegment, RecordingHealth, SegmentHead};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use writer::Writer;

/// Pictures on their way to the disk at a time: a third of a second at 30 frames a second, which is longer than a card's
/// usual sync.
const BUFFERS: usize = 10;
/// After trouble with disk or encoder, how long not to try again.
const RETRY: Duration = Duration::from_secs(1);
/// How often the age of what is kept is looked at while nothing is recorded.
#[cfg(not(test))]
const IDLE: Duration = Duration::from_mins(10);
#[cfg(test)]
const IDLE: Duration = Duration::from_millis(10);
/// At the end, how long the disk may take to finish.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// What is recorded, as far as the board says it.
#[derive(Clone, Debug)]
pub struct RecordingSettings {
    /// The board's words.
    pub recording: board::Recording,
    /// For the encoder of that name.
    pub ffmpeg: Option<Ffmpeg>,
    /// Frames a second that the source was told to give.
    pub fps: f32,
}

/// A segment that is whole on disk, and the clip that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The clip, of the segment's boot.
    pub clip: ClipNumber,
    /// The segment.
    pub segment: RecordedSegment,
}

enum Work {
    Open(Box<SegmentHead>),
    Frame(ClipNumber, Picture),
    Close,
}

/// A frame on its way.
struct Picture {
    info: FrameInfo,
    bytes: Vec<u8>,
    /// Of the planes, where these are what travels.
    size: (usize, usize),
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The camera's own picture.
    Jpeg,
    /// Planes of luma and chroma.
    Planes { full_range: bool },
    /// Luma alone.
    Grey,
}

/// The line's side of the recording.
pub struct Recorder {
    encoder: RecordingEncoder,
    work: Option<SyncSender<Work>>,
    free: Receiver<Vec<u8>>,
    /// Buffers of frames that there was no way for.
    spare: Vec<Vec<u8>>,
    recorded: Receiver<Recorded>,
    missed: Arc<AtomicU64>,
    head: SegmentHead,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Opens the folder, sets right what a power cut left there, and starts the thread. Where that cannot be, every frame counts as
    /// missed: a folder is no reason not to label.
    pub fn start(settings: &RecordingSettings, rig: Name, boot: BootId, live: &LiveHandle) -> Self {
        let (tell, recorded) = channel();
        let (give_back, free) = sync_channel(BUFFERS);
        let started = Recording::start(settings, live, tell, give_back);
        let (work, thread) = started
            .inspect_err(|error| {
                tracing::error!(
                    "{error:#}; labelling goes on, nothing is recorded before the next start"
                );
                live.lock().recording = Some(RecordingHealth::default());
            })
            .ok()
            .unzip();
        Self {
            encoder: settings.recording.encoder,
            work,
            free,
            spare: Vec::with_capacity(BUFFERS),
            recorded,
            missed: Arc::clone(&live.lock().not_recorded),
            head: SegmentHead {
                v: label_core::wire::WIRE_VERSION,
                rig,
                boot,
                clip: 0,
                segment: 0,
                width: 0,
                height: 0,
            },
            thread,
        }
    }

    /// What frames are captured into.
    pub fn empty_frame(&self) -> FrameBuffer {
        match self.encoder {
            RecordingEncoder::Camera => FrameBuffer::keeping_pictures(),
            RecordingEncoder::Ffmpeg => FrameBuffer::default(),
        }
    }

    /// A clip begins.
    pub fn open(&mut self, clip: ClipNumber, width: u32, height: u32) {
        (self.head.clip, self.head.width, self.head.height) = (clip, width, height);
        self.hand_over(Work::Open(Box::new(self.head.clone())));
    }

    /// Takes the frame's picture if there is room for it; else it is counted as missed.
    pub fn take(&mut self, frame: &mut FrameBuffer) {
        let Some(mut empty) = self.spare.pop().or_else(|| self.free.try_recv().ok()) else {
            self.missed.fetch_add(1, Relaxed);
            return;
        };
        let (form, taken) = match self.encoder {
            RecordingEncoder::Camera => (Form::Jpeg, frame.take_picture(empty)),
            RecordingEncoder::Ffmpeg => {
                frame.copy_planes(&mut empty);
                let full_range = frame.full_range;
                let form = match frame.chroma() {
                    Some(_) => Form::Planes { full_range },
                    None => Form::Grey,
                };
                (form, Ok(empty))
            }
        };
        // Without a picture, the buffer goes back by the way that the others take, and is counted there.
        let bytes = taken.unwrap_or_else(|empty| empty);
        let picture = Picture {
            info: frame.info,
            bytes,
            size: (frame.width, frame.height),
            form,
        };
        self.hand_over(Work::Frame(self.head.clip, picture));
    }

    /// The clip is over.
    pub fn close(&mut self) {
        self.hand_over(Work::Close);
    }

    /// There is room for all buffers and a few words; where the disk hangs and clip follows clip, frames of a clip that
    /// could not be announced are counted as missed by whoever takes them.
    fn hand_over(&mut self, work: Work) {
        let refused = match &self.work {
            Some(sender) => match sender.try_send(work) {
                Ok(()) => return,
                Err(TrySendError::Full(work) | TrySendError::Disconnected(work)) => work,
            },
            None => work,
        };
        if let Work::Frame(_, picture) = refused {
            self.missed.fetch_add(1, Relaxed);
            self.spare.push(picture.bytes);
        }
    }

    /// A segment that became whole since the last time.
    pub fn recorded(&self) -> Option<Recorded> {
        self.recorded.try_recv().ok()
    }

    /// Ends the recording; what becomes whole by then is told. A disk that hangs is not waited for longer than a few seconds:
    /// the next start sets right what it left.
    pub fn finish(&mut self) -> Vec<Recorded> {
        self.work = None;
        let until = Instant::now() + END_PATIENCE;
        let mut last = Vec::new();
        loop {
            match self
                .recorded
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(recorded) => last.push(recorded),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    tracing::error!("the disk takes too long: the last of the recording is left");
                    return last;
                }
            }
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that records panicked; the log has its words");
        }
        last
    }
}

/// The thread's side: pictures as they come, through an encoder where the board wants one.
struct Recording {
    settings: RecordingSettings,
    /// `None` while the encoder's reader has it.
    writer: Option<Box<Writer>>,
    encoder: Option<Encoder>,
    not_before: Option<Instant>,
    missed: Arc<AtomicU64>,
    give_back: SyncSender<Vec<u8>>,
}

impl Recording {
    /// Opens the folder and starts the thread.
    fn start(
        settings: &RecordingSettings,
        live: &LiveHandle,
        tell: Sender<Recorded>,
        give_back: SyncSender<Vec<u8>>,
    ) -> Result<(SyncSender<Work>, JoinHandle<()>)> {
        let dir = &settings.recording.dir;
        let (mut folder, earlier) = Folder::open(&settings.recording)
            .with_context(|| format!("cannot record into {}", dir.display()))?;
        folder.told_by(Arc::clone(&live.lock().purged));
        let (work, to_do) = sync_channel(BUFFERS + 4);
        for _ in 0..BUFFERS {
            give_back
                .send(Vec::new())
                .context("the receiver is held by the recorder")?;
        }
        for segment in earlier {
            tell.send(segment)
                .context("the receiver is held by the recorder")?;
        }
        let missed = Arc::clone(&live.lock().not_recorded);
        let writer = Writer {
            folder,
            head: None,
            segment: None,
            next: 0,
            not_before: None,
            longest: Duration::from_secs(u64::from(settings.recording.segment_s)),
            pictures: 0,
            missed: Arc::clone(&missed),
            tell,
            live: live.clone(),
        };
        writer.tell_health();
        let recording = Self {
            settings: settings.clone(),
            writer: Some(Box::new(writer)),
            encoder: None,
            not_before: None,
            missed,
            give_back,
        };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || recording.run(&to_do))
            .context("cannot start the thread that records")?;
        Ok((work, thread))
    }

    fn run(mut self, to_do: &Receiver<Work>) {
        let mut head: Option<Box<SegmentHead>> = None;
        loop {
            let work = match to_do.recv_timeout(IDLE) {
                Ok(work) => work,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(writer) = &mut self.writer {
                        writer.discard_outdated();
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match work {
                Work::Open(new) => {
                    self.close();
                    if let Some(writer) = &mut self.writer {
                        writer.begin(&new);
                    }
                    head = Some(new);
                }
                Work::Frame(clip, picture) => {
                    let is_known = head.as_ref().is_some_and(|head| head.clip == clip);
                    if !is_known || picture.bytes.is_empty() {
                        self.missed.fetch_add(1, Relaxed);
                    } else {
                        self.frame(&picture);
                    }
                    let _ = self.give_back.try_send(picture.bytes);
                }
                Work::Close => self.close(),
            }
        }
        self.close();
    }

    fn frame(&mut self, picture: &Picture) {
        if picture.form == Form::Jpeg {
            if let Some(writer) = &mut self.writer {
                writer.write(&picture.info, &picture.bytes);
            }
            return;
        }
        if self.encoder.is_none() && self.not_before.is_none_or(|at| Instant::now() >= at) {
            self.start_encoder(picture);
        }
        let passed_on = self
            .encoder
            .as_mut()
            .is_some_and(|encoder| encoder.encode(picture));
        if !passed_on {
            self.missed.fetch_add(1, Relaxed);
            if self.encoder.is_some() {
                self.end_encoder();
                self.not_before = Some(Instant::now() + RETRY);
            }
        }
    }

    fn start_encoder(&mut self, picture: &Picture) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        match Encoder::start(&self.settings, picture, writer) {
            Ok(encoder) => self.encoder = Some(encoder),
            Err((error, writer)) => {
                tracing::error!("ffmpeg cannot be started to record: {error}");
                self.writer = Some(writer);
                self.not_before = Some(Instant::now() + RETRY);
            }
        }
    }

    fn end_encoder(&mut self) {
        if let Some(encoder) = self.encoder.take() {
            self.writer = encoder.finish();
        }
    }

    fn close(&mut self) {
        self.end_encoder();
        if let Some(writer) = &mut self.writer {
            writer.seal();
        }
    }
}

#[cfg(test)]
mod tests;
