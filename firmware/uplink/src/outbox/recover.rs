//! Opening: what was found, what was repaired, what is gone.

use super::evict::Run;
use super::numbers::{self, BootOrigin};
use super::segment::{self, FILE_HEAD, FileEnd, Lane, Scan, Segment};
use super::{Outbox, OutboxCounters, OutboxLimits};
use crate::UplinkError;
use label_core::id::Name;
use label_core::wire::Evicted;
use label_core::{BootId, Seq};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// Files set aside are for a person to look at; the disk is not filled with them.
const CORRUPT_KEPT: usize = 4;

/// Numbers of an earlier boot that are nowhere on disk though later ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRange {
    /// The boot.
    pub boot: BootId,
    /// First number lost.
    pub first: Seq,
    /// Last number lost.
    pub last: Seq,
}

/// What was found when the outbox was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReport {
    /// The boot that begins.
    pub boot: BootId,
    /// Where its number came from.
    pub origin: BootOrigin,
    /// Messages of earlier boots that still wait for the host.
    pub waiting: u64,
    /// Bytes cut from the ends of files whose last write was interrupted.
    pub torn_bytes: u64,
    /// Files with damage, under the name they were set aside as. What is sound in them is kept.
    pub corrupt: Vec<PathBuf>,
    /// What is lost; the host is told.
    pub lost: Vec<LostRange>,
}

impl Outbox {
    /// Opens the outbox in `dir`, creating it if need be, and begins a new boot. The boot number is durable when this
    /// returns. Damage is repaired and reported, never fatal; only a disk that cannot be read or written is an error.
    pub fn open(
        dir: impl Into<PathBuf>,
        rig: Name,
        limits: OutboxLimits,
    ) -> Result<(Self, OpenReport), UplinkError> {
        let dir = dir.into();
        for lane in Lane::ALL {
            let folder = dir.join(lane.folder());
            fs::create_dir_all(&folder).map_err(UplinkError::io("create the folder", &folder))?;
        }
        segment::sync_folder(&dir)?;
        let lock = lock(&dir)?;
        remove_partial(&dir)?;
        let (boot, origin) = numbers::next_boot(&dir)?;
        let mut report = OpenReport {
            boot,
            origin,
            waiting: 0,
            torn_bytes: 0,
            corrupt: Vec::new(),
            lost: Vec::new(),
        };
        let mut outbox = Self {
            lanes: [
                recover_lane(&dir, Lane::Notices, &mut report)?,
                recover_lane(&dir, Lane::Labels, &mut report)?,
                recover_lane(&dir, Lane::Evidence, &mut report)?,
            ],
            watermarks: numbers::read_watermarks(&dir),
            rig,
            boot,
            segment_bytes: (limits.max_bytes / 8).clamp(1024, 1024 * 1024),
            limits,
            last: 0,
            durable: 0,
            folders_changed: [false; 3],
            uncut: None,
            buffer: Vec::new(),
            out_of_room: false,
            counters: OutboxCounters::default(),
            _lock: lock,
            dir,
            #[cfg(test)]
            room: None,
        };
        outbox.forget_committed()?;
        outbox.declare_losses(&mut report)?;
        report.waiting = outbox.counters().waiting - outbox.last;
        Ok((outbox, report))
    }

    fn forget_committed(&mut self) -> Result<(), UplinkError> {
        for lane in Lane::ALL {
            let done: Vec<_> = self.lanes[lane as usize]
                .iter()
                .filter(|(_, segment)| segment.last() <= self.watermark(segment.boot))
                .map(|(key, _)| *key)
                .collect();
            for key in done {
                self.delete(lane, key)?;
            }
        }
        self.forget_old_boots();
        Ok(())
    }

    /// Finds numbers of earlier boots that are missing below numbers that are there, and tells the host.
    fn declare_losses(&mut self, report: &mut OpenReport) -> Result<(), UplinkError> {
        let mut present: BTreeMap<BootId, Vec<(Seq, Seq)>> = BTreeMap::new();
        let mut noticed: BTreeMap<BootId, Vec<(Seq, Seq)>> = BTreeMap::new();
        for lane in Lane::ALL {
            for (key, segment) in &self.lanes[lane as usize] {
                let seqs = segment.entries.iter().map(|entry| (entry.seq, entry.seq));
                present.entry(segment.boot).or_default().extend(seqs);
                if lane != Lane::Notices {
                    continue;
                }
                for entry in &segment.entries {
                    let notice = self
                        .payload(lane, *key, entry)
                        .ok()
                        .and_then(|payload| serde_json::from_slice::<Evicted>(&payload).ok());
                    if let Some(notice) = notice {
                        noticed.entry(notice.boot).or_default().push(notice.seqs);
                    }
                }
            }
        }
        for (boot, mut ranges) in present {
            ranges.extend(noticed.remove(&boot).unwrap_or_default());
            ranges.sort_unstable();
            let mut reached = self.watermark(boot);
            for (first, last) in ranges {
                if first > reached.saturating_add(1) {
                    report.lost.push(LostRange {
                        boot,
                        first: reached + 1,
                        last: first - 1,
                    });
                }
                reached = reached.max(last);
            }
        }
        for lost in &report.lost {
            // How many labels were in them is not known: their heads are lost with them.
            let run = Run {
                first: lost.first,
                last: lost.last,
                labels: 0,
                evidence: 0,
            };
            self.declare(lost.boot, run)?;
        }
        Ok(())
    }
}

impl Outbox {
    /// Whether a process has the outbox in this folder open. Nothing is changed, and a folder that is not there is not in use.
    pub fn is_in_use(dir: &Path) -> bool {
        File::open(dir.join("lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn lock(dir: &Path) -> Result<File, UplinkError> {
    let path = dir.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(UplinkError::io("create the file", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(UplinkError::InUse {
            dir: dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(UplinkError::io("lock", &path)(error)),
    }
}

/// What a power cut left of a small file that was being replaced.
fn remove_partial(dir: &Path) -> Result<(), UplinkError> {
    let list = |error| UplinkError::io("list", dir)(error);
    for item in fs::read_dir(dir).map_err(list)? {
        let path = item.map_err(list)?.path();
        if path.extension().is_some_and(|found| found == "partial") {
            fs::remove_file(&path).map_err(UplinkError::io("delete", &path))?;
        }
    }
    Ok(())
}

fn recover_lane(
    dir: &Path,
    lane: Lane,
    report: &mut OpenReport,
) -> Result<BTreeMap<(BootId, Seq), Segment>, UplinkError> {
    let folder = dir.join(lane.folder());
    let mut segments = BTreeMap::new();
    let mut corrupt = Vec::new();
    let list = |error| UplinkError::io("list", &folder)(error);
    for item in fs::read_dir(&folder).map_err(list)? {
        let path = item.map_err(list)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("open" | "seg") => {}
            Some("corrupt") => {
                corrupt.push(path);
                continue;
            }
            Some("partial") => {
                fs::remove_file(&path).map_err(UplinkError::io("delete", &path))?;
                continue;
            }
            _ => continue,
        }
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let Some((boot, first)) = name.and_then(segment::parse_stem) else {
            continue;
        };
        if let Some(segment) = recover_segment(&path, boot, first, report)? {
            segments.insert((boot, first), segment);
        }
    }
    corrupt.sort();
    for old in corrupt.iter().rev().skip(CORRUPT_KEPT) {
        fs::remove_file(old).map_err(UplinkError::io("delete", old))?;
    }
    segment::sync_folder(&folder)?;
    Ok(segments)
}

/// Reads one file; leaves it sealed, whole and sound, or gone.
fn recover_segment(
    path: &Path,
    boot: BootId,
    first: Seq,
    report: &mut OpenReport,
) -> Result<Option<Segment>, UplinkError> {
    let bytes = fs::read(path).map_err(UplinkError::io("read", path))?;
    let Scan {
        entries,
        sound,
        end,
    } = segment::scan(&bytes, boot, first);
    let is_open = path
        .extension()
        .is_some_and(|extension| extension == "open");
    let sealed = path.with_extension("seg");
    if entries.is_empty() && (is_open || bytes.len() == FILE_HEAD) {
        report.torn_bytes += bytes.len() as u64;
        fs::remove_file(path).map_err(UplinkError::io("delete", path))?;
        return Ok(None);
    }
    let damaged = match end {
        FileEnd::Clean => false,
        FileEnd::Damaged => true,
        // A sealed file was whole when it was sealed.
        FileEnd::Torn => !is_open,
    };
    if damaged {
        return set_aside(path, &bytes, boot, entries, report);
    }
    if is_open {
        let file = File::options()
            .write(true)
            .open(path)
            .map_err(UplinkError::io("open", path))?;
        file.set_len(sound)
            .and_then(|()| file.sync_all())
            .map_err(UplinkError::io("cut back", path))?;
        fs::rename(path, &sealed).map_err(UplinkError::io("seal", path))?;
        report.torn_bytes += bytes.len() as u64 - sound;
    }
    Ok(Some(Segment {
        boot,
        path: sealed,
        bytes: sound,
        entries,
        file: None,
        full: true,
    }))
}

/// Keeps the file as it was found under another name, and writes what is sound in it anew.
fn set_aside(
    path: &Path,
    bytes: &[u8],
    boot: BootId,
    entries: Vec<segment::Entry>,
    report: &mut OpenReport,
) -> Result<Option<Segment>, UplinkError> {
    let corrupt = path.with_extension("corrupt");
    segment::replace_file(&corrupt, bytes)?;
    report.corrupt.push(corrupt);
    let Some(first) = entries.first().map(|entry| entry.seq) else {
        fs::remove_file(path).map_err(UplinkError::io("delete", path))?;
        return Ok(None);
    };
    // The name says where the records begin; the head says it again.
    let (_, named_first) = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .and_then(segment::parse_stem)
        .unwrap_or((boot, first));
    let mut whole = segment::file_head(boot, named_first).to_vec();
    let mut kept = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let from = entry.offset as usize;
        let to = from + segment::RECORD_HEAD + entry.length as usize;
        entry.offset = whole.len() as u32;
        whole.extend_from_slice(&bytes[from..to]);
        kept.push(entry);
    }
    let sealed = path.with_extension("seg");
    segment::replace_file(&sealed, &whole)?;
    if sealed != path {
        fs::remove_file(path).map_err(UplinkError::io("delete", path))?;
    }
    Ok(Some(Segment {
        boot,
        path: sealed,
        bytes: whole.len() as u64,
        entries: kept,
        file: None,
        full: true,
    }))
}
