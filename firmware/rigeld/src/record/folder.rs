//! The folder of segments: what is kept, for how long, and what goes when there is no room.

use super::Recorded;
use super::segment::{Index, Sealed, remove, set_right};
use crate::clock::wall_clock;
use board::Recording;
use label_core::BootId;
use label_core::wire::{ClipNumber, ClockState, RecordedFrame, RecordingHealth};
use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A segment takes no more than this share of the folder, so that deleting the oldest deletes little.
const SHARE: u64 = 8;
/// A power cut may come after a segment was ended and before the host was told durably: so many of the last are told again,
/// which is harmless.
const TOLD_AGAIN: usize = 4;

/// The folder, held by one program at a time.
pub(super) struct Folder {
    path: PathBuf,
    /// The oldest first.
    kept: VecDeque<Kept>,
    /// Of what is kept.
    bytes: u64,
    max_bytes: u64,
    max_age: Duration,
    discarded: u32,
    _lock: File,
}

struct Kept {
    base: PathBuf,
    bytes: u64,
}

fn is(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

impl Folder {
    /// Opens or makes the folder and sets right what was cut off. What the host may not have heard of is told.
    pub(super) fn open(settings: &Recording) -> io::Result<(Self, Vec<Recorded>)> {
        let path = settings.dir.clone();
        // Faces are in here.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)?;
        let lock = File::create(path.join("lock"))?;
        lock.try_lock().map_err(|error| {
            let trouble = format!("another program records there: {error}");
            io::Error::new(io::ErrorKind::WouldBlock, trouble)
        })?;
        let mut folder = Self {
            path,
            kept: VecDeque::new(),
            bytes: 0,
            max_bytes: settings.max_mib << 20,
            max_age: Duration::from_hours(u64::from(settings.keep_hours)),
            discarded: 0,
            _lock: lock,
        };
        let told = folder.take_stock()?;
        folder.discard_outdated(SystemTime::now());
        folder.make_room(0);
        Ok((folder, told))
    }

    fn take_stock(&mut self) -> io::Result<Vec<Recorded>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            files.push(entry?.path());
        }
        files.sort();
        let mut told = Vec::new();
        for part in files.iter().filter(|path| is(path, "part")) {
            if part.with_extension("jsonl").exists() {
                // It was set right, and the power went again before this was gone.
                fs::remove_file(part)?;
            } else if let Some(sealed) = set_right(&part.with_extension(""))? {
                tracing::warn!(
                    "the last start ended within a recording: {} pictures of {} are whole",
                    sealed.end.pictures,
                    sealed.base.display()
                );
                told.push(recorded(&sealed));
            }
        }
        for media in files.iter().filter(|path| is(path, "mjpeg")) {
            let index = media.with_extension("jsonl");
            if !index.exists() {
                // Nothing says what is in it; a segment that was set right and has no picture is gone by now.
                remove(&media.with_extension(""))?;
                continue;
            }
            let bytes = index.metadata()?.len() + media.metadata()?.len();
            self.bytes += bytes;
            let base = media.with_extension("");
            self.kept.push_back(Kept { base, bytes });
        }
        for kept in self.kept.iter().rev().take(TOLD_AGAIN) {
            let index = Index::read(&kept.base.with_extension("jsonl"))?;
            if let Some((head, end)) = index.and_then(|index| Some((index.head, index.end?)))
                && !end.torn
            {
                told.push(Recorded {
                    clip: head.clip,
                    segment: end,
                });
            }
        }
        Ok(told)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn largest_segment(&self) -> u64 {
        self.max_bytes / SHARE
    }

    pub(super) fn keep(&mut self, sealed: &Sealed) {
        self.bytes += sealed.bytes;
        self.kept.push_back(Kept {
            base: sealed.base.clone(),
            bytes: sealed.bytes,
        });
    }

    /// Deletes the oldest until there is room beside a segment of so many bytes.
    pub(super) fn make_room(&mut self, beside: u64) {
        while self.bytes + beside > self.max_bytes && self.discard_oldest() {}
    }

    /// Deletes what is older than the board allows. A rig that does not know the date deletes nothing for its age.
    pub(super) fn discard_outdated(&mut self, now: SystemTime) {
        if wall_clock().1 == ClockState::Unsynced {
            return;
        }
        while let Some(oldest) = self.kept.front() {
            let written = fs::metadata(oldest.base.with_extension("jsonl"))
                .and_then(|metadata| metadata.modified());
            let age = written.ok().and_then(|at| now.duration_since(at).ok());
            if age.is_none_or(|age| age <= self.max_age) || !self.discard_oldest() {
                return;
            }
        }
    }

    fn discard_oldest(&mut self) -> bool {
        let Some(oldest) = self.kept.pop_front() else {
            return false;
        };
        if let Err(error) = remove(&oldest.base) {
            tracing::error!("{} cannot be deleted: {error}", oldest.base.display());
        }
        self.bytes -= oldest.bytes;
        self.discarded += 1;
        true
    }

    pub(super) fn health(&self) -> RecordingHealth {
        RecordingHealth {
            segments: self.kept.len() as u32,
            bytes: self.bytes,
            discarded: self.discarded,
            ..RecordingHealth::default()
        }
    }
}

fn recorded(sealed: &Sealed) -> Recorded {
    Recorded {
        clip: sealed.clip,
        segment: sealed.end.clone(),
    }
}

/// The segments of a folder, to be read beside the program that records; of the one in progress what is written by then.
#[derive(Clone, Debug)]
pub struct Segments(PathBuf);

/// A segment as its index tells it.
#[derive(Clone, Debug)]
pub struct StoredSegment {
    /// The media file.
    pub media: PathBuf,
    /// Its pictures.
    pub frames: Vec<RecordedFrame>,
}

impl Segments {
    /// Those of this folder.
    pub fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Those of a clip, in order. One that is deleted meanwhile is left out.
    pub fn of_clip(&self, boot: BootId, clip: ClipNumber) -> io::Result<Vec<StoredSegment>> {
        let start = format!("{:016}-{clip:06}-", boot.raw());
        let mut indexes = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&start) && (is(&path, "jsonl") || is(&path, "part")) {
                indexes.push(path);
            }
        }
        indexes.sort();
        let mut found = Vec::new();
        for path in indexes {
            match Index::read(&path) {
                Ok(Some(index)) => found.push(StoredSegment {
                    media: path.with_extension("mjpeg"),
                    frames: index.frames,
                }),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
