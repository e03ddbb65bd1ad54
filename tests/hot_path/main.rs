//! After warm-up a frame allocates nothing in our code: on a device that runs for months, what is never allocated can
//! neither leak nor fragment nor wait for a lock.
//!
//! The line is the one that `rigeld` runs, with both of its threads. Counted are the allocations of Rust code on each of
//! them from one frame to the next; what the model runtime does with its own allocator is not ours and not seen.

mod counting;

use anyhow::Result;
use board::{Board, Recording, RecordingEncoder};
use capture::{
    CameraCondition, CaptureError, ClipSource, Ffmpeg, FrameBuffer, FrameInfo, FrameSource,
    PipeSettings, PipeSource, PixelFormat, SourceInfo,
};
use counting::Allocations;
use label_core::LabelKind;
use label_core::wire::{Decision, KeyPicture, Label, parse_name};
use perception::{Filmstrip, Search};
use rigeld::live::LiveHandle;
use rigeld::pipeline::{ClipEnd, Pipeline, Sink, ToTheEnd};
use rigeld::publish::Publisher;
use rigeld::record::{Recorder, RecordingSettings};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uplink::{Outbox, OutboxHandle, OutboxLimits};

/// Frames after which every buffer has its size: four seconds of the clip, so the person was measured twice and an event
/// was told.
const WARM_UP: usize = 100;
/// Frames that may allocate nothing; they hold a blink, a long closure and four measurements of the person.
const WATCHED: usize = 200;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie within the project")
}

fn fetched(name: &str) -> PathBuf {
    let path = project().join(name);
    assert!(
        path.exists(),
        "{} is not there: run `cargo xtask setup`",
        path.display()
    );
    path
}

/// ffmpeg as fetched, or from the search path.
fn ffmpeg() -> PathBuf {
    let fetched = project().join(".rigel/bin/ffmpeg");
    if fetched.is_file() {
        fetched
    } else {
        "ffmpeg".into()
    }
}

const RUNTIME: &str = ".rigel/runtime/libLiteRt.so";

fn load_pipeline(runtime: &str) -> Pipeline {
    let mut board = Board::read(&project().join("boards/sim.toml")).expect("the shipped board");
    board.perception.runtime = fetched(runtime);
    Pipeline::load(&board).expect("the models load")
}

/// What one thread allocated from each frame to the next.
type Counts = Arc<Mutex<Vec<u64>>>;

fn new_counts() -> Counts {
    Arc::new(Mutex::new(Vec::with_capacity(4 * (WARM_UP + WATCHED))))
}

/// The first frames of a source. Counts on the thread that takes them.
struct CountedSource {
    source: Box<dyn FrameSource>,
    left: usize,
    since: Allocations,
    counts: Counts,
}

impl CountedSource {
    fn new(source: Box<dyn FrameSource>, frames: usize, counts: &Counts) -> Self {
        Self {
            source,
            left: frames,
            since: Allocations::now(),
            counts: Arc::clone(counts),
        }
    }
}

fn open_clip(clip: &Path) -> Box<dyn FrameSource> {
    let ffmpeg = Ffmpeg::find(&[ffmpeg()]).expect("ffmpeg: run `cargo xtask setup`");
    Box::new(ClipSource::open(clip, &ffmpeg, None).expect("the clip can be decoded"))
}

impl FrameSource for CountedSource {
    fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let more = self.source.next_into(frame);
        let mut counts = self.counts.lock().expect("nobody panics with it");
        counts.push(self.since.restart());
        more
    }

    fn damage(&self) -> Option<String> {
        self.source.damage()
    }

    fn is_live(&self) -> bool {
        self.source.is_live()
    }

    fn keep_up(&mut self) {
        self.source.keep_up();
    }

    fn condition(&self) -> Option<CameraCondition> {
        self.source.condition()
    }
}

/// Counts on the thread that labels.
struct CountedSink {
    since: Allocations,
    counts: Vec<u64>,
    /// Frames in which a label was told.
    told: Vec<usize>,
    /// Frames in which somebody was seen to be in view or not.
    nobody_since: Option<u32>,
}

impl CountedSink {
    fn new() -> Self {
        Self {
            since: Allocations::now(),
            counts: Vec::with_capacity(4 * (WARM_UP + WATCHED)),
            told: Vec::with_capacity(4096),
            nobody_since: None,
        }
    }
}

impl Sink for CountedSink {
    fn opened(&mut self, _: &SourceInfo) -> Result<()> {
        Ok(())
    }

    fn frame(&mut self, _: &FrameInfo) -> Result<()> {
        self.counts.push(self.since.restart());
        Ok(())
    }

    fn label(&mut self, label: Label, _: Option<&mut Filmstrip>) -> Result<()> {
        self.told.push(self.counts.len());
        if label.track.is_none() && label.kind == LabelKind::Blink {
            assert_eq!(label.decision, Decision::Abstain, "nobody was in view");
            self.nobody_since = Some(label.frames.start);
        }
        Ok(())
    }

    fn closed(&mut self, _: &ClipEnd) -> Result<()> {
        Ok(())
    }
}

/// Frames after warm-up and how often each allocated, without those that did not.
fn busy(counts: &[u64], warm_up: usize) -> Vec<(usize, u64)> {
    let counts = counts.iter().copied().enumerate().skip(warm_up);
    counts.filter(|(_, count)| *count > 0).collect()
}

fn label(runtime: &str, clip: &Path, frames: usize) -> (CountedSink, Vec<u64>) {
    let mut pipeline = load_pipeline(runtime);
    let (capturing, mut sink) = (new_counts(), CountedSink::new());
    let source = Box::new(CountedSource::new(open_clip(clip), frames, &capturing));
    let end = pipeline.label(source, Search::Video, &mut sink, &mut ToTheEnd);
    assert_eq!(end.expect("the clip is labelled").frames as usize, frames);
    let capturing = capturing.lock().expect("nobody panics with it").clone();
    (sink, capturing)
}

#[test]
fn a_frame_of_a_tracked_face_allocates_nothing_on_either_thread() {
    allocates_nothing(RUNTIME);
}

#[test]
fn nor_does_it_with_the_runtime_for_older_systems() {
    allocates_nothing(".rigel/runtime/libLiteRt-older.so");
}

fn allocates_nothing(runtime: &str) {
    let frames = WARM_UP + WATCHED;
    let (sink, capturing) = label(runtime, &fetched(".rigel/clips/franck.mp4"), frames);
    let told = sink.told.iter().filter(|at| (WARM_UP..frames).contains(at));
    assert!(
        told.count() >= 4,
        "labels were told meanwhile: what ends a segment or an event was seen too"
    );
    assert_eq!(sink.nobody_since, None, "the driver is tracked");
    assert_eq!((sink.counts.len(), capturing.len()), (frames, frames));
    assert_eq!(busy(&sink.counts, WARM_UP), [], "labelling allocated");
    assert_eq!(busy(&capturing, WARM_UP), [], "capturing allocated");
}

/// A second of the driver, then an empty scene that moves.
fn write_clip_that_is_left(folder: &Path) -> PathBuf {
    let clip = folder.join("left.mp4");
    let mut command = Command::new(ffmpeg());
    command.args(["-hide_banner", "-loglevel", "error", "-t", "1", "-i"]);
    command.arg(fetched(".rigel/clips/franck.mp4"));
    command.args(["-f", "lavfi", "-t", "6", "-i"]);
    command.arg("gradients=size=640x360:rate=25:seed=1");
    command.arg("-filter_complex");
    command.arg(
        "[0:v]scale=640:360,fps=25,setsar=1,format=yuv420p[a];[1:v]setsar=1,format=yuv420p[b];[a][b]concat=n=2",
    );
    command.args(["-an", "-c:v", "mpeg4"]).arg(&clip);
    let status = command.status().expect("ffmpeg can be started");
    assert!(status.success(), "ffmpeg writes the clip");
    clip
}

#[test]
fn a_frame_without_a_face_allocates_nothing_however_far_the_search_goes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (sink, _) = label(RUNTIME, &write_clip_that_is_left(folder.path()), 150);
    let left = sink.nobody_since.expect("everybody is gone");
    assert!((20..60).contains(&left), "{left}");
    assert_eq!(busy(&sink.counts, WARM_UP), [], "labelling allocated");
}

/// The publisher of the appliance. Counts from frame to frame what was allocated, and notes whether a message was written.
struct CountedPublisher {
    publisher: Publisher,
    outbox: OutboxHandle,
    since: Allocations,
    messages: u64,
    pictures: u32,
    /// Without and with a message.
    counts: [Vec<u64>; 2],
}

impl Sink for CountedPublisher {
    fn opened(&mut self, info: &SourceInfo) -> Result<()> {
        self.publisher.opened(info)
    }

    fn frame(&mut self, info: &FrameInfo) -> Result<()> {
        self.publisher.frame(info)?;
        let allocated = self.since.restart();
        let messages = self.outbox.counters().messages;
        let wrote = usize::from(messages > std::mem::replace(&mut self.messages, messages));
        if info.index as usize >= WARM_UP {
            self.counts[wrote].push(allocated);
        }
        // What this bookkeeping allocates is not the rig's.
        self.since.restart();
        Ok(())
    }

    fn empty_frame(&self) -> FrameBuffer {
        self.publisher.empty_frame()
    }

    fn record(&mut self, frame: &mut FrameBuffer) {
        self.publisher.record(frame);
    }

    fn label(&mut self, label: Label, strip: Option<&mut Filmstrip>) -> Result<()> {
        self.publisher.label(label, strip)
    }

    fn takes_pictures(&self) -> bool {
        self.publisher.takes_pictures()
    }

    fn picture(&mut self, shows: KeyPicture, jpeg: &[u8]) -> Result<()> {
        self.pictures += 1;
        self.publisher.picture(shows, jpeg)
    }

    fn waited(&mut self) -> Result<()> {
        self.publisher.waited()
    }

    fn closed(&mut self, clip: &ClipEnd) -> Result<()> {
        self.publisher.closed(clip)
    }
}

/// The demo clip at four times its rate, as a program writes it.
fn open_pipe(format: PixelFormat) -> Box<dyn FrameSource> {
    let clip = fetched(".rigel/clips/franck.mp4").display().to_string();
    let (pixels, form) = if format == PixelFormat::Mjpeg {
        ("yuvj420p", "mjpeg")
    } else {
        ("yuv420p", "rawvideo")
    };
    let program = ffmpeg().display().to_string();
    let command = [
        program.as_str(),
        "-nostdin",
        "-v",
        "error",
        "-readrate",
        "4",
        "-i",
        &clip,
        "-pix_fmt",
        pixels,
        "-f",
        form,
        "-",
    ];
    let settings = PipeSettings {
        command: command.map(str::to_owned).into(),
        format,
        width: 360,
        height: 288,
        fps: 96.0,
        timeout: Duration::from_secs(10),
    };
    Box::new(PipeSource::open(&settings).expect("ffmpeg can be started"))
}

#[test]
fn a_live_frame_allocates_nothing_from_the_camera_to_the_outbox_but_where_a_message_is_written() {
    label_live(open_pipe(PixelFormat::I420), None);
}

#[test]
fn recording_a_frame_allocates_nothing_on_the_threads_that_capture_and_label() {
    for (format, encoder) in [
        (PixelFormat::Mjpeg, RecordingEncoder::Camera),
        (PixelFormat::I420, RecordingEncoder::Ffmpeg),
    ] {
        label_live(open_pipe(format), Some(encoder));
    }
}

fn label_live(source: Box<dyn FrameSource>, encoder: Option<RecordingEncoder>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rig = parse_name("rig-1").expect("a name");
    let (outbox, _) = Outbox::open(folder.path(), rig, OutboxLimits::default()).expect("an outbox");
    let outbox = OutboxHandle::new(outbox);
    let mut pipeline = load_pipeline(RUNTIME);
    let publisher = Publisher::new(
        outbox.clone(),
        pipeline.models(),
        None,
        LiveHandle::default(),
        Instant::now(),
    );
    let media = folder.path().join("recording");
    let settings = encoder.map(|encoder| RecordingSettings {
        recording: Recording {
            dir: media.clone(),
            encoder,
            segment_s: 600,
            max_mib: 64,
            keep_hours: 1,
        },
        ffmpeg: Some(Ffmpeg::find(&[ffmpeg()]).expect("ffmpeg: run `cargo xtask setup`")),
        fps: 96.0,
    });
    let mut publisher = publisher;
    if let Some(settings) = &settings {
        let rig = parse_name("rig-1").expect("a name");
        let recorder = Recorder::start(settings, rig, outbox.boot(), &LiveHandle::default());
        publisher.record_with(recorder);
    }
    let mut sink = CountedPublisher {
        publisher,
        outbox,
        since: Allocations::now(),
        messages: 0,
        pictures: 0,
        counts: std::array::from_fn(|_| Vec::with_capacity(4 * (WARM_UP + WATCHED))),
    };
    let (frames, capturing) = (WARM_UP + WATCHED, new_counts());
    let source = Box::new(CountedSource::new(source, frames, &capturing));
    let end = pipeline.label(source, Search::Video, &mut sink, &mut ToTheEnd);
    assert_eq!(end.expect("it is labelled").frames as usize, frames);
    let [quiet, wrote] = &sink.counts;
    assert!(!wrote.is_empty() && quiet.len() > WATCHED / 2);
    assert_eq!(busy(quiet, 0), [], "frames without a message allocated");
    assert!(sink.pictures > 1, "key pictures were made meanwhile");
    // An event's curve and pictures, and the outbox's index, which grows with what waits.
    assert!(wrote.iter().all(|count| *count < 200), "{wrote:?}");
    let capturing = capturing.lock().expect("nobody panics with it").clone();
    assert_eq!(busy(&capturing, WARM_UP), [], "capturing allocated");
    if settings.is_some() {
        sink.publisher.finish_recording().expect("it is told");
        let files = std::fs::read_dir(media).expect("the recording");
        let bytes: u64 = files
            .map(|entry| {
                entry
                    .and_then(|entry| entry.metadata())
                    .map_or(0, |file| file.len())
            })
            .sum();
        assert!(
            bytes > 500_000,
            "pictures were recorded meanwhile: {bytes} bytes"
        );
    }
}
