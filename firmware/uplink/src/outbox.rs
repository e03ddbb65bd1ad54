//! The outbox: every durable message, on disk, until the host says it has committed it.
//!
//! # Promises
//!
//! * Messages of one boot are numbered 1, 2, 3 … without gaps. A number is used only when its record is written.
//! * A message is handed out for sending only after [`Outbox::sync`] has made it durable. So no power cut can leave the
//!   host with a number that this rig uses again (a new start is a new boot), or with a hole it waits for in vain:
//!   what the disk lost after all is found at the next start and told to the host as given up.
//! * Nothing here blocks on the network, and a full or failing disk is an error of one append, not the end.
//!
//! # On disk
//!
//! ```text
//! lock                        held while open
//! boot, watermarks            small checked files, replaced whole
//! notices/ labels/ evidence/  lanes of segment files of at most about 1 MiB
//!     <boot>-<first seq>.open      being written, or written and not yet synced
//!     <boot>-<first seq>.seg       synced and renamed; never written again
//!     <boot>-<first seq>.corrupt   set aside: what was found damaged, as it was found
//! ```
//!
//! The order of a sync is: files, then renames, then folders. [`Outbox::append`] costs one write; the sync may run
//! outside the lock (see [`crate::OutboxHandle::sync`]).

mod clear;
mod cursor;
mod evict;
mod forgotten;
mod numbers;
mod recover;
mod segment;
mod sync;
#[cfg(test)]
mod tests;

pub use cursor::{Cursor, Record};
pub use numbers::BootOrigin;
pub use recover::{LostRange, OpenReport};

use crate::UplinkError;
use label_core::id::Name;
use label_core::wire::{EncodeError, MAX_EVIDENCE_BYTES, MAX_MESSAGE_BYTES, Topic};
use label_core::{BootId, Seq};
use segment::{Entry, FILE_HEAD, Lane, RECORD_HEAD, Segment};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// How much an outbox may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// At this many bytes on disk the oldest evidence is given up, then the oldest labels.
    pub max_bytes: u64,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self {
            max_bytes: 512 * 1024 * 1024,
        }
    }
}

/// What an outbox has done since it was opened, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounters {
    /// Messages of this boot.
    pub messages: u64,
    /// Messages of this boot that the host has committed.
    pub acked: u64,
    /// Messages that wait for the host, earlier boots included.
    pub waiting: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Messages given up for want of room.
    pub evicted: u64,
    /// Labels in them.
    pub evicted_labels: u64,
    /// Appends that failed because the disk was full.
    pub disk_full: u64,
    /// Appends and syncs that failed otherwise.
    pub disk_errors: u64,
}

type SegmentKey = (BootId, Seq);

/// Every durable message, on disk, until the host says it has committed it. One thread's view; threads share it through
/// [`crate::OutboxHandle`].
#[derive(Debug)]
pub struct Outbox {
    dir: PathBuf,
    rig: Name,
    boot: BootId,
    limits: OutboxLimits,
    segment_bytes: u64,
    lanes: [BTreeMap<SegmentKey, Segment>; 3],
    watermarks: BTreeMap<BootId, Seq>,
    /// Last number used in this boot.
    last: Seq,
    /// Every message of this boot up to this number is on disk for good.
    durable: Seq,
    /// Lanes with new or renamed files.
    folders_changed: [bool; 3],
    /// Where a failed write could not be undone: lane, and the segment to be cut back before the next append.
    uncut: Option<(Lane, SegmentKey)>,
    buffer: Vec<u8>,
    /// The last append found no room.
    out_of_room: bool,
    counters: OutboxCounters,
    /// Held for its lock.
    _lock: File,
    /// Bytes that may still be written before the disk is "full".
    #[cfg(test)]
    room: Option<usize>,
}

impl Outbox {
    /// The folder that it lies in.
    pub fn folder(&self) -> &std::path::Path {
        &self.dir
    }

    /// The run that this outbox numbers now.
    pub const fn boot(&self) -> BootId {
        self.boot
    }

    /// The rig whose messages these are.
    pub const fn rig(&self) -> &Name {
        &self.rig
    }

    /// Highest seq of a boot that the host has committed; 0 where none is known.
    pub fn watermark(&self, boot: BootId) -> Seq {
        self.watermarks.get(&boot).copied().unwrap_or(0)
    }

    /// Last number used in this boot; 0 before the first message.
    pub const fn last_seq(&self) -> Seq {
        self.last
    }

    /// Whether messages wait for a [`Self::sync`].
    pub const fn needs_sync(&self) -> bool {
        self.durable < self.last
    }

    /// What it has done and what it holds.
    pub fn counters(&self) -> OutboxCounters {
        let segments = || self.lanes.iter().flat_map(BTreeMap::values);
        OutboxCounters {
            messages: self.last,
            acked: self.watermark(self.boot),
            waiting: segments()
                .map(|segment| segment.above(self.watermark(segment.boot)).len() as u64)
                .sum(),
            bytes: self.bytes(),
            ..self.counters
        }
    }

    fn bytes(&self) -> u64 {
        self.lanes
            .iter()
            .flat_map(BTreeMap::values)
            .map(|segment| segment.bytes)
            .sum()
    }

    /// Numbers a message, has it written by `encode` and keeps it.
    ///
    /// `encode` gets the number that the message must carry and a buffer of the size its topic allows, and returns how
    /// much it wrote. `labels` is the number of labels in the message (0 for a clip or a picture), kept so that the
    /// loss can be told in labels should the message have to be given up. On any error no number is used.
    pub fn append(
        &mut self,
        topic: Topic,
        labels: u16,
        encode: impl FnOnce(Seq, &mut [u8]) -> Result<usize, EncodeError>,
    ) -> Result<Seq, UplinkError> {
        if !topic.is_durable() {
            return Err(UplinkError::NotDurable { topic });
        }
        if self.out_of_room {
            // Whether this made room shows below.
            let _ = self.drop_committed();
        }
        let outcome = self
            .make_room(topic)
            .and_then(|()| self.append_record(topic, labels, encode));
        match &outcome {
            Err(UplinkError::DiskFull { .. }) => {
                self.counters.disk_full += 1;
                self.out_of_room = true;
            }
            Err(UplinkError::Io { .. }) => self.counters.disk_errors += 1,
            _ => self.out_of_room = false,
        }
        outcome
    }

    fn append_record(
        &mut self,
        topic: Topic,
        labels: u16,
        encode: impl FnOnce(Seq, &mut [u8]) -> Result<usize, EncodeError>,
    ) -> Result<Seq, UplinkError> {
        self.cut_back()?;
        let seq = self.last + 1;
        let capacity = match topic {
            Topic::Evidence => MAX_EVIDENCE_BYTES,
            _ => MAX_MESSAGE_BYTES,
        };
        // The buffer has the size of the largest message from the start: no allocation while labels are made.
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(RECORD_HEAD + MAX_EVIDENCE_BYTES, 0);
        let written = encode(seq, &mut buffer[RECORD_HEAD..RECORD_HEAD + capacity])
            .map_err(|source| UplinkError::Encode { topic, source })
            .and_then(|length| {
                let record = &mut buffer[..RECORD_HEAD + length.min(capacity)];
                segment::seal_record(record, seq, topic, labels);
                self.write_record(topic, labels, seq, record)
            });
        self.buffer = buffer;
        written?;
        self.last = seq;
        Ok(seq)
    }

    fn write_record(
        &mut self,
        topic: Topic,
        labels: u16,
        seq: Seq,
        record: &[u8],
    ) -> Result<(), UplinkError> {
        let lane = Lane::of(topic);
        let key = self.segment_for(lane, seq, record.len())?;
        #[cfg(test)]
        let room = &mut self.room;
        let segment = self.lanes[lane as usize]
            .get_mut(&key)
            .expect("the segment was found or made just now");
        let file = segment
            .file
            .as_ref()
            .expect("a segment that is not full has its file open");
        let outcome = write_at(
            file,
            record,
            segment.bytes,
            #[cfg(test)]
            room,
        );
        if let Err(error) = outcome {
            let path = segment.path.clone();
            self.uncut = Some((lane, key));
            // If this fails too, the next append begins with it.
            let _ = self.cut_back();
            return Err(UplinkError::io("append to", &path)(error));
        }
        segment.entries.push(Entry {
            seq,
            offset: segment.bytes as u32,
            length: (record.len() - RECORD_HEAD) as u32,
            labels,
            topic,
        });
        segment.bytes += record.len() as u64;
        Ok(())
    }

    /// The segment that takes the next record: the open one, or a new one where that is full.
    fn segment_for(
        &mut self,
        lane: Lane,
        seq: Seq,
        record: usize,
    ) -> Result<SegmentKey, UplinkError> {
        let segments = &mut self.lanes[lane as usize];
        if let Some((key, open)) = segments
            .iter_mut()
            .next_back()
            .filter(|(_, segment)| segment.boot == self.boot && !segment.full)
        {
            if open.entries.is_empty() || open.bytes + record as u64 <= self.segment_bytes {
                return Ok(*key);
            }
            open.full = true;
        }
        let path = self
            .dir
            .join(lane.folder())
            .join(segment::file_stem(self.boot, seq))
            .with_extension("open");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(UplinkError::io("create the file", &path))?;
        write_at(
            &file,
            &segment::file_head(self.boot, seq),
            0,
            #[cfg(test)]
            &mut self.room,
        )
        .map_err(UplinkError::io("write the head of", &path))?;
        self.folders_changed[lane as usize] = true;
        segments.insert(
            (self.boot, seq),
            Segment {
                boot: self.boot,
                path,
                bytes: FILE_HEAD as u64,
                entries: Vec::new(),
                file: Some(file),
                full: false,
            },
        );
        Ok((self.boot, seq))
    }

    /// Removes what a failed write left behind the last whole record.
    fn cut_back(&mut self) -> Result<(), UplinkError> {
        let Some((lane, key)) = self.uncut else {
            return Ok(());
        };
        if let Some(segment) = self.lanes[lane as usize].get(&key)
            && let Some(file) = &segment.file
        {
            file.set_len(segment.bytes)
                .map_err(UplinkError::io("cut back", &segment.path))?;
        }
        self.uncut = None;
        Ok(())
    }

    /// Writes down how far the host is. Without it a restart sends again what is in files not yet deleted.
    pub(crate) fn write_watermarks(&self) -> Result<(), UplinkError> {
        numbers::write_watermarks(&self.dir, &self.watermarks)
    }

    /// Deletes a segment and its file.
    fn delete(&mut self, lane: Lane, key: SegmentKey) -> Result<(), UplinkError> {
        if let Some(segment) = self.lanes[lane as usize].get(&key) {
            // A sync that runs outside the lock may be renaming it just now: both names go.
            for path in [segment.path.clone(), segment.path.with_extension("seg")] {
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(UplinkError::io("delete", &path)(error));
                    }
                    _ => {}
                }
            }
            self.lanes[lane as usize].remove(&key);
            self.folders_changed[lane as usize] = true;
        }
        Ok(())
    }
}

/// One write at the end of what is known to be whole.
fn write_at(
    file: &File,
    bytes: &[u8],
    offset: u64,
    #[cfg(test)] room: &mut Option<usize>,
) -> std::io::Result<()> {
    #[cfg(test)]
    if let Some(left) = room {
        let part = bytes.len().min(*left);
        *left -= part;
        file.write_all_at(&bytes[..part], offset)?;
        return if part == bytes.len() {
            Ok(())
        } else {
            Err(std::io::ErrorKind::StorageFull.into())
        };
    }
    file.write_all_at(bytes, offset)
}
