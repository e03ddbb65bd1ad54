//! The appliance with a camera: here a program that writes frames, so that it can end, stall and hurry when it is told to.
//!
//! What the rig says is read from its outbox, from the host's store, from the service manager's socket and from the file
//! that the panel writes.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod button;
mod counts;
mod hang;
mod recording;
mod service;
mod shed;

use label_core::id::Name;
use label_core::wire::{
    ClipClosed, ClipEvent, ClipMessage, ClipOpened, ManifestPart, OperatorMark, RecordedSegment,
};
use label_core::wire::{Topic, parse_name};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use uplink::{Cursor, Outbox, OutboxLimits};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-rig");

/// Frames a second that the demo clip has.
const FPS: u32 = 24;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// ffmpeg as fetched, or from the search path.
fn ffmpeg() -> String {
    let fetched = project().join(".rigel/bin/ffmpeg");
    if fetched.is_file() {
        fetched.display().to_string()
    } else {
        "ffmpeg".to_owned()
    }
}

/// A rig's folder, and what its camera does.
struct Rig {
    dir: tempfile::TempDir,
    /// ffmpeg's arguments before the clip: how fast, how often, how much.
    pace: Vec<&'static str>,
    /// Board file keys with other values than usual.
    keys: Vec<(&'static str, String)>,
}

impl Rig {
    /// Its camera writes the demo clip again and again, in its own time, unless told otherwise.
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            pace: vec!["-re", "-stream_loop", "-1"],
            keys: vec![("port", "1".to_owned())],
        }
    }

    fn outbox(&self) -> PathBuf {
        self.dir.path().join("outbox")
    }

    fn runtime(&self) -> PathBuf {
        let folder = self.dir.path().join("run");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The shipped board with such a camera.
    fn board(&self) -> PathBuf {
        let project = project();
        let clip = project.join(".rigel/clips/franck.mp4");
        assert!(
            clip.exists(),
            "the clip is not there: run `cargo xtask setup`"
        );
        let mut command = vec![
            ffmpeg(),
            "-nostdin".into(),
            "-loglevel".into(),
            "error".into(),
        ];
        command.extend(self.pace.iter().map(ToString::to_string));
        let clip = clip.display().to_string();
        for argument in ["-i", &clip, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"] {
            command.push(argument.to_owned());
        }
        let source = format!(
            "[source]\nkind = \"pipe\"\ncommand = {command:?}\nformat = \"i420\"\nwidth = 360\nheight = 288\nfps = {FPS}.0\ntimeout-ms = 1500\n\n"
        );
        let shipped = std::fs::read_to_string(project.join("boards/sim.toml")).unwrap();
        let (head, rest) = shipped.split_once("[source]").unwrap();
        let (_, rest) = rest.split_once("[perception]").unwrap();
        let text = format!("{head}{source}[perception]{rest}")
            .replace("\"../", &format!("\"{}/", project.display()));
        let outbox = self.outbox();
        let dir = [("dir", format!("\"{}\"", outbox.display()))];
        let text: String = text
            .lines()
            .map(|line| {
                let key = line.split('=').next().unwrap().trim();
                let other = self.keys.iter().chain(&dir).find(|(name, _)| *name == key);
                match other {
                    Some((name, value)) => format!("{name} = {value}\n"),
                    None => format!("{line}\n"),
                }
            })
            .collect();
        let path = self.dir.path().join("board.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, rigeld: &Path) -> Command {
        let mut command = Command::new(rigeld);
        command
            .arg("run")
            .arg("--board")
            .arg(self.board())
            .env("RUNTIME_DIRECTORY", self.runtime());
        command
    }

    /// What the panel shows now; nothing before the first time.
    fn panel(&self) -> Option<serde_json::Value> {
        let text = std::fs::read(self.runtime().join("panel.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn rig_name() -> Name {
        parse_name("sim-1").unwrap()
    }

    /// What the clips in the outbox are, read from a copy: the rig may be running.
    fn clips(&self) -> Vec<Clip> {
        let copy = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .arg(self.outbox())
            .arg(copy.path().join("outbox"))
            .status();
        assert!(copied.unwrap().success());
        let (mut outbox, _) = Outbox::open(
            copy.path().join("outbox"),
            Self::rig_name(),
            OutboxLimits::default(),
        )
        .unwrap();
        let mut clips: BTreeMap<u32, Clip> = BTreeMap::new();
        let mut cursor = Cursor::default();
        while let Some(record) = outbox.next(&mut cursor).unwrap() {
            if record.topic == Topic::Clip {
                let message: ClipMessage = serde_json::from_slice(&record.payload).unwrap();
                let clip = clips.entry(message.clip).or_default();
                match message.event {
                    ClipEvent::Opened(opened) => clip.opened = Some(opened),
                    ClipEvent::Part(part) => clip.parts.push(part),
                    ClipEvent::OperatorMark(mark) => clip.marks.push(mark),
                    ClipEvent::Recorded(segment) => clip.recorded.push(segment),
                    ClipEvent::Closed(closed) => clip.closed = Some(closed),
                }
            }
        }
        clips.into_values().collect()
    }
}

/// A clip as the outbox tells it.
#[derive(Debug, Default)]
struct Clip {
    opened: Option<ClipOpened>,
    parts: Vec<ManifestPart>,
    marks: Vec<OperatorMark>,
    /// Segments of its pictures that the rig has on disk.
    recorded: Vec<RecordedSegment>,
    closed: Option<ClipClosed>,
}

impl Clip {
    fn closed(&self) -> &ClipClosed {
        self.closed.as_ref().expect("the clip was closed")
    }

    /// Checks that the manifest tells of every frame, in order and with its time, and returns frames and drops.
    fn frames_and_drops(&self) -> (u32, u32) {
        let opened = self.opened.as_ref().expect("the clip was opened");
        let (mut frames, mut drops, mut before) = (0, 0, (-1, opened.mono_us - 5_000_000));
        for part in &self.parts {
            assert_eq!(part.first, frames, "parts follow each other");
            assert_eq!(
                part.pts_us.len(),
                part.mono_us.len(),
                "each frame has its time"
            );
            for (pts, mono) in part.pts_us.iter().zip(&part.mono_us) {
                assert!(pts.us() > before.0 && *mono > before.1, "time goes on");
                before = (pts.us(), *mono);
            }
            let end = frames + part.pts_us.len() as u32;
            for lost in &part.dropped {
                assert!((frames..end).contains(&lost.before) && lost.count > 0);
                drops += lost.count;
            }
            frames = end;
        }
        assert_eq!(frames, self.closed().frames);
        assert!(
            drops <= self.closed().dropped,
            "what was lost after the last frame is in the sum"
        );
        (frames, self.closed().dropped)
    }
}
