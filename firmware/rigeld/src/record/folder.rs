//! The folder of segments: what is kept, for how long, and what goes when there is no room.

use super::Recorded;
use super::segment::{Index, Sealed, remove, set_right};
use crate::clock::wall_clock;
use board::Recording;
use label_core::wire::{ClipNumber, ClockState, RecordedFrame, RecordingHealth};
use label_core::{BootId, FrameIndex};
use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

/// A segment takes no more than this share of the folder, so that deleting the oldest deletes little.
const SHARE: u64 = 8;
/// A power cut may come after a segment was ended and before the host was told durably: so many of the last are told again,
/// which is harmless.
const TOLD_AGAIN: usize = 4;
/// Room on the disk, bytes, that the recording leaves: labels wait there for the host, and are worth more.
pub(crate) const RESERVE: u64 = 256 << 20;

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
    /// The desk had some deleted.
    purged: Arc<AtomicBool>,
    _lock: File,
    /// How much the disk holds.
    #[cfg(test)]
    pub(super) disk: u64,
}

struct Kept {
    base: PathBuf,
    bytes: u64,
    /// When it was ended, if in this run: its age does not hang on a clock that is set meanwhile.
    ended: Option<Instant>,
}

impl Kept {
    /// How old it is; `None` where that cannot be known.
    fn age(&self, now: SystemTime) -> Option<Duration> {
        if let Some(ended) = self.ended {
            return Some(ended.elapsed());
        }
        if wall_clock().1 == ClockState::Unsynced {
            return None;
        }
        let written = ["jsonl", "part"]
            .iter()
            .find_map(|ending| fs::metadata(self.base.with_extension(ending)).ok())?;
        now.duration_since(written.modified().ok()?).ok()
    }
}

/// Of all files of a segment.
pub(super) fn bytes_of(base: &Path) -> u64 {
    ["mjpeg", "jsonl", "part"]
        .iter()
        .filter_map(|ending| fs::metadata(base.with_extension(ending)).ok())
        .map(|file| file.len())
        .sum()
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
            purged: Arc::default(),
            _lock: lock,
            #[cfg(test)]
            disk: u64::MAX,
        };
        folder.take_stock()?;
        folder.discard_outdated(SystemTime::now());
        // Setting right writes. Where there is no room now, the first picture says so.
        let _ = folder.make_room(0);
        let mut told = folder.set_right();
        folder.tell_again(&mut told);
        Ok((folder, told))
    }

    /// Who says that some segments are gone.
    pub(super) fn told_by(&mut self, purged: Arc<AtomicBool>) {
        self.purged = purged;
    }

    fn take_stock(&mut self) -> io::Result<()> {
        let mut bases = BTreeSet::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if is(&path, "mjpeg") || is(&path, "part") {
                bases.insert(path.with_extension(""));
            }
        }
        for base in bases {
            let has = |ending| base.with_extension(ending).exists();
            if has("jsonl") || has("part") {
                self.keep_unsealed(&base, bytes_of(&base));
            } else if let Err(error) = remove(&base) {
                // Nothing says what is in it.
                tracing::error!("{} cannot be deleted: {error}", base.display());
            }
        }
        Ok(())
    }

    /// Sets right what was cut off. One that cannot be is left as it is, and goes when it is the oldest.
    fn set_right(&mut self) -> Vec<Recorded> {
        let mut told = Vec::new();
        for mut kept in std::mem::take(&mut self.kept) {
            let part = kept.base.with_extension("part");
            let outcome = if !part.exists() {
                Ok(())
            } else if part.with_extension("jsonl").exists() {
                // It was set right, and the power went again before this was gone.
                fs::remove_file(&part)
            } else {
                set_right(&kept.base).map(|sealed| {
                    if let Some(sealed) = sealed {
                        tracing::warn!(
                            "the last start ended within a recording: {} pictures of {} are whole",
                            sealed.end.pictures,
                            sealed.base.display()
                        );
                        told.push(recorded(&sealed));
                    }
                })
            };
            if let Err(error) = outcome {
                tracing::error!("{} cannot be set right: {error}", kept.base.display());
            }
            self.bytes -= kept.bytes;
            kept.bytes = bytes_of(&kept.base);
            if kept.bytes > 0 {
                self.bytes += kept.bytes;
                self.kept.push_back(kept);
            }
        }
        told
    }

    fn tell_again(&self, told: &mut Vec<Recorded>) {
        for kept in self.kept.iter().rev().take(TOLD_AGAIN) {
            let path = kept.base.with_extension("jsonl");
            let index = match Index::read(&path) {
                Ok(index) => index,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => {
                    tracing::error!("{} cannot be read: {error}", path.display());
                    None
                }
            };
            let known = index.and_then(|index| {
                Some(Recorded {
                    clip: index.head.clip,
                    segment: index.end?,
                })
            });
            told.extend(known.filter(|known| !told.contains(known)));
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn largest_segment(&self) -> u64 {
        self.max_bytes / SHARE
    }

    pub(super) fn keep(&mut self, sealed: &Sealed) {
        self.keep_unsealed(&sealed.base, sealed.bytes);
        if let Some(kept) = self.kept.back_mut() {
            kept.ended = Some(Instant::now());
        }
    }

    /// Counts a segment that has no end: it takes room all the same.
    pub(super) fn keep_unsealed(&mut self, base: &Path, bytes: u64) {
        self.bytes += bytes;
        self.kept.push_back(Kept {
            base: base.to_owned(),
            bytes,
            ended: None,
        });
    }

    /// Deletes the oldest until the folder has room beside a segment of so many bytes, and one more where the disk has not: what
    /// a file system gives back it may tell late.
    pub(super) fn make_room(&mut self, beside: u64) -> io::Result<()> {
        while self.bytes + beside > self.max_bytes {
            self.discard_oldest()?;
        }
        if self.free(beside) < RESERVE {
            self.discard_oldest()?;
            if self.free(beside) < RESERVE {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        Ok(())
    }

    /// Bytes free on the disk; a disk that does not tell is found out by writing.
    #[cfg(not(test))]
    fn free(&self, _beside: u64) -> u64 {
        nix::sys::statvfs::statvfs(&self.path).map_or(u64::MAX, |fs| {
            fs.blocks_available().saturating_mul(fs.fragment_size())
        })
    }

    #[cfg(test)]
    fn free(&self, beside: u64) -> u64 {
        self.disk.saturating_sub(self.bytes + beside)
    }

    /// Deletes what is older than the board allows. Of earlier runs a rig that does not know the date deletes nothing for its age.
    pub(super) fn discard_outdated(&mut self, now: SystemTime) {
        if self.purged.swap(false, Relaxed) {
            self.kept.retain(|kept| bytes_of(&kept.base) > 0);
            self.bytes = self.kept.iter().map(|kept| kept.bytes).sum();
        }
        let mut place = 0;
        while let Some(kept) = self.kept.get(place) {
            if kept.age(now).is_none_or(|age| age <= self.max_age) {
                place += 1;
            } else if let Err(error) = self.discard(place) {
                tracing::error!("in {}: {error}", self.path.display());
                place += 1;
            }
        }
    }

    /// Deletes the oldest that can be deleted.
    fn discard_oldest(&mut self) -> io::Result<()> {
        let mut trouble = None;
        for place in 0..self.kept.len() {
            match self.discard(place) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    trouble.get_or_insert(error);
                }
            }
        }
        Err(trouble.unwrap_or_else(|| io::ErrorKind::StorageFull.into()))
    }

    /// What cannot be deleted goes on to be counted.
    fn discard(&mut self, place: usize) -> io::Result<()> {
        let Some(kept) = self.kept.get(place) else {
            return Ok(());
        };
        remove(&kept.base).map_err(|error| {
            let trouble = format!("{} cannot be deleted: {error}", kept.base.display());
            io::Error::new(error.kind(), trouble)
        })?;
        self.bytes -= kept.bytes;
        self.kept.remove(place);
        self.discarded += 1;
        Ok(())
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
pub struct Segments {
    path: PathBuf,
    /// Set where some of them are gone, for whoever counts them.
    purged: Arc<AtomicBool>,
}

/// A segment as its index tells it.
#[derive(Clone, Debug)]
pub struct StoredSegment {
    /// The media file.
    pub media: PathBuf,
    /// Its pictures.
    pub frames: Vec<RecordedFrame>,
}

impl Segments {
    /// Those of this folder, whose recorder is told by `purged` that some are gone.
    pub fn new(folder: &Path, purged: Arc<AtomicBool>) -> Self {
        Self {
            path: folder.to_owned(),
            purged,
        }
    }

    /// Deletes those of a clip that have ended, all or those with a picture of these frames; tells how many, and whether one of them
    /// is still being written, which only the run that writes can have.
    pub fn purge(
        &self,
        boot: BootId,
        clip: ClipNumber,
        frames: Option<(FrameIndex, FrameIndex)>,
        now: BootId,
    ) -> io::Result<(u32, bool)> {
        let (mut deleted, mut is_open, mut trouble) = (0, false, None);
        for base in self.bases(boot, clip)? {
            let index = read_index(&base).ok().flatten();
            let is_wanted = frames.is_none_or(|(first, last)| {
                // Of one that cannot be read nobody knows what it shows.
                index.as_ref().is_none_or(|index| {
                    let mut shown = index.frames.iter();
                    shown.any(|line| (first..=last).contains(&line.frame))
                })
            });
            if !is_wanted {
                continue;
            }
            if boot == now && base.with_extension("part").exists() {
                is_open = true;
                continue;
            }
            match remove(&base) {
                Ok(()) => deleted += 1,
                // The others go all the same.
                Err(error) => trouble = Some(error),
            }
        }
        self.purged.store(true, Relaxed);
        File::open(&self.path)?.sync_all()?;
        trouble.map_or(Ok((deleted, is_open)), Err)
    }

    /// Of a clip, in order, without their endings.
    fn bases(&self, boot: BootId, clip: ClipNumber) -> io::Result<BTreeSet<PathBuf>> {
        let start = format!("{:016}-{clip:06}-", boot.raw());
        let mut bases = BTreeSet::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&start) && (is(&path, "jsonl") || is(&path, "part")) {
                bases.insert(path.with_extension(""));
            }
        }
        Ok(bases)
    }

    /// Those of a clip with pictures of these frames, in order, and no others of their pictures. One that is deleted meanwhile
    /// is left out.
    pub fn of_clip(
        &self,
        boot: BootId,
        clip: ClipNumber,
        frames: (FrameIndex, FrameIndex),
    ) -> io::Result<Vec<StoredSegment>> {
        let mut found = Vec::new();
        for base in self.bases(boot, clip)? {
            let Some(mut index) = read_index(&base)? else {
                continue;
            };
            index
                .frames
                .retain(|line| (frames.0..=frames.1).contains(&line.frame));
            if !index.frames.is_empty() {
                found.push(StoredSegment {
                    media: base.with_extension("mjpeg"),
                    frames: index.frames,
                });
            }
        }
        Ok(found)
    }
}

/// In this order: the segment in progress may be ended between the two, and its index change its name.
fn read_index(base: &Path) -> io::Result<Option<Index>> {
    for ending in ["part", "jsonl"] {
        match Index::read(&base.with_extension(ending)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
    }
    Ok(None)
}
