//! Segment files: the bytes on disk.
//!
//! A file begins with a head of 28 bytes: magic, boot, first seq, checksum. Records follow: length of the payload,
//! checksum, seq, topic, a zero, number of labels, payload; all numbers little-endian. The checksum of a record spans
//! everything but itself, the length included.

use crate::UplinkError;
use label_core::wire::{MAX_EVIDENCE_BYTES, Topic};
use label_core::{BootId, Seq};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const MAGIC: [u8; 8] = *b"RGOUTBX1";
pub(crate) const FILE_HEAD: usize = 28;
pub(crate) const RECORD_HEAD: usize = 20;

/// Which files a message is kept in. Lanes exist so that bulk can wait and be given up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// What was given up: few bytes, sent first, never given up, since the host's watermark waits for them.
    Notices,
    /// Clips and labels.
    Labels,
    /// Pictures.
    Evidence,
}

impl Lane {
    pub(crate) const ALL: [Self; 3] = [Self::Notices, Self::Labels, Self::Evidence];

    pub(crate) const fn of(topic: Topic) -> Self {
        match topic {
            Topic::Evicted => Self::Notices,
            Topic::Evidence => Self::Evidence,
            _ => Self::Labels,
        }
    }

    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Notices => "notices",
            Self::Labels => "labels",
            Self::Evidence => "evidence",
        }
    }
}

const fn topic_code(topic: Topic) -> u8 {
    match topic {
        Topic::Clip => 1,
        Topic::Label => 2,
        Topic::Evidence => 3,
        Topic::Evicted => 4,
        _ => 0,
    }
}

const fn topic_of(code: u8) -> Option<Topic> {
    match code {
        1 => Some(Topic::Clip),
        2 => Some(Topic::Label),
        3 => Some(Topic::Evidence),
        4 => Some(Topic::Evicted),
        _ => None,
    }
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: Seq,
    /// Of the record's head in the file.
    pub(crate) offset: u32,
    /// Of the payload.
    pub(crate) length: u32,
    pub(crate) labels: u16,
    pub(crate) topic: Topic,
}

/// A segment: its file and what is in it.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) boot: BootId,
    pub(crate) path: PathBuf,
    /// Of whole records and the head.
    pub(crate) bytes: u64,
    pub(crate) entries: Vec<Entry>,
    /// Present while the file is being written or waits to be sealed.
    pub(crate) file: Option<File>,
    /// No more records are added; the next sync seals it.
    pub(crate) full: bool,
}

impl Segment {
    pub(crate) fn last(&self) -> Seq {
        self.entries.last().map_or(0, |entry| entry.seq)
    }

    /// Entries above the watermark.
    pub(crate) fn above(&self, watermark: Seq) -> &[Entry] {
        &self.entries[self.entries.partition_point(|entry| entry.seq <= watermark)..]
    }
}

/// `<boot>-<first seq>`, so that names sort by age.
pub(crate) fn file_stem(boot: BootId, first: Seq) -> String {
    format!("{:013x}-{first:016x}", boot.raw())
}

pub(crate) fn parse_stem(stem: &str) -> Option<(BootId, Seq)> {
    let (boot, first) = stem.split_once('-')?;
    Some((
        BootId::from_raw(u64::from_str_radix(boot, 16).ok()?)?,
        Seq::from_str_radix(first, 16).ok()?,
    ))
}

pub(crate) fn file_head(boot: BootId, first: Seq) -> [u8; FILE_HEAD] {
    let mut head = [0; FILE_HEAD];
    head[..8].copy_from_slice(&MAGIC);
    head[8..16].copy_from_slice(&boot.raw().to_le_bytes());
    head[16..24].copy_from_slice(&first.to_le_bytes());
    let crc = crc32fast::hash(&head[..24]);
    head[24..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Writes the head of the record whose payload already stands at `record[RECORD_HEAD..]`.
pub(crate) fn seal_record(record: &mut [u8], seq: Seq, topic: Topic, labels: u16) {
    let length = (record.len() - RECORD_HEAD) as u32;
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[8..16].copy_from_slice(&seq.to_le_bytes());
    record[16] = topic_code(topic);
    record[17] = 0;
    record[18..20].copy_from_slice(&labels.to_le_bytes());
    let crc = record_crc(record);
    record[4..8].copy_from_slice(&crc.to_le_bytes());
}

fn record_crc(record: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&record[..4]);
    crc.update(&record[8..]);
    crc.finalize()
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// The whole, sound record at `offset`, if there is one.
pub(crate) fn record_at(bytes: &[u8], offset: usize) -> Option<Entry> {
    let rest = bytes.get(offset..)?;
    if rest.len() < RECORD_HEAD {
        return None;
    }
    let length = u32::from_le_bytes(number(rest, 0));
    let topic = topic_of(rest[16])?;
    if length as usize > MAX_EVIDENCE_BYTES {
        return None;
    }
    let record = rest.get(..RECORD_HEAD + length as usize)?;
    if record_crc(record) != u32::from_le_bytes(number(record, 4)) {
        return None;
    }
    let seq = Seq::from_le_bytes(number(record, 8));
    // No message has the last number: something follows each.
    if seq == Seq::MAX {
        return None;
    }
    Some(Entry {
        seq,
        offset: offset as u32,
        length,
        labels: u16::from_le_bytes(number(record, 18)),
        topic,
    })
}

/// How the reading of a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileEnd {
    /// With the last record.
    Clean,
    /// Within a record, and nothing sound follows: the write was cut short.
    Torn,
    /// Sound records follow a broken one, or the head is not ours: bytes were damaged after they were written.
    Damaged,
}

/// What was found in a file.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Every sound record, those after damage included.
    pub(crate) entries: Vec<Entry>,
    /// Length up to the end of the last record before any trouble.
    pub(crate) sound: u64,
    pub(crate) end: FileEnd,
}

/// Finds the records of a file that should be of this boot and begin with this seq.
pub(crate) fn scan(bytes: &[u8], boot: BootId, first: Seq) -> Scan {
    let mut entries: Vec<Entry> = Vec::new();
    let head_is_ours = bytes.get(..FILE_HEAD) == Some(&file_head(boot, first)[..]);
    if bytes.len() < FILE_HEAD {
        return Scan {
            entries,
            sound: 0,
            end: FileEnd::Torn,
        };
    }
    let mut at = FILE_HEAD;
    let mut sound = if head_is_ours { FILE_HEAD as u64 } else { 0 };
    let mut end = if head_is_ours {
        FileEnd::Clean
    } else {
        FileEnd::Damaged
    };
    let mut lost_way = false;
    while at < bytes.len() {
        let after = entries.last().map_or(first, |entry| entry.seq + 1);
        let Some(entry) = record_at(bytes, at).filter(|entry| entry.seq >= after) else {
            // Try every later byte: where a length was damaged, nothing says where the next record begins.
            lost_way = true;
            at += 1;
            continue;
        };
        at += RECORD_HEAD + entry.length as usize;
        entries.push(entry);
        if lost_way {
            end = FileEnd::Damaged;
        } else if head_is_ours {
            sound = at as u64;
        }
    }
    if lost_way && end == FileEnd::Clean {
        end = FileEnd::Torn;
    }
    Scan {
        entries,
        sound,
        end,
    }
}

/// Makes renames and new files in a folder survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), UplinkError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(UplinkError::io("sync the folder", folder))
}

/// Writes a small file so that after a power cut either the old or the new one is there, whole. Each writer has a partial file of
/// its own: how far the host is may be written down by two threads at a time.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), UplinkError> {
    use std::io::Write;
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let number = WRITERS.fetch_add(1, Relaxed);
    let partial = path.with_extension(format!("{number}.partial"));
    let mut file = File::create(&partial).map_err(UplinkError::io("create the file", &partial))?;
    let replaced = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(UplinkError::io("write the file", &partial))
        .and_then(|()| {
            std::fs::rename(&partial, path).map_err(UplinkError::io("replace the file", path))
        });
    if replaced.is_err() {
        // Else the next start does.
        let _ = std::fs::remove_file(&partial);
    }
    replaced?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boot() -> BootId {
        BootId::first(7)
    }

    /// A segment of these payloads, numbered from 1.
    fn segment(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = file_head(boot(), 1).to_vec();
        for (payload, seq) in payloads.iter().zip(1..) {
            let mut record = vec![0; RECORD_HEAD];
            record.extend_from_slice(payload);
            seal_record(&mut record, seq, Topic::Label, seq as u16);
            bytes.extend_from_slice(&record);
        }
        bytes
    }

    #[test]
    fn a_file_replaced_by_many_at_once_is_always_one_of_theirs_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("watermarks");
        let texts = [vec![b'a'; 3000], vec![b'b'; 9], vec![b'c'; 500]];
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for _ in 0..100 {
                        replace_file(&path, text).unwrap();
                        assert!(texts.contains(&std::fs::read(&path).unwrap()));
                    }
                });
            }
        });
        let left = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left, 1, "no partial file stays");
    }

    #[test]
    fn a_number_that_none_can_follow_is_damage_and_what_stands_behind_it_is_kept() {
        let whole = segment(&payloads());
        let first = record_at(&whole, FILE_HEAD).unwrap();
        let mut bytes = whole.clone();
        let end = FILE_HEAD + RECORD_HEAD + first.length as usize;
        seal_record(&mut bytes[FILE_HEAD..end], Seq::MAX, Topic::Label, 1);
        let found = scan(&bytes, boot(), 1);
        assert_eq!(found.end, FileEnd::Damaged);
        let seqs: Vec<Seq> = found.entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, [2, 3, 4, 5]);
    }

    fn payloads() -> Vec<Vec<u8>> {
        (1u8..6).map(|seq| vec![seq; 37 * seq as usize]).collect()
    }

    /// What is found is what was written, wherever it is found.
    fn assert_nothing_wrong_comes_out(found: &Scan, bytes: &[u8], whole: &[Vec<u8>], what: &str) {
        for entry in &found.entries {
            let at = entry.offset as usize + RECORD_HEAD;
            let payload = &bytes[at..at + entry.length as usize];
            assert_eq!(payload, whole[entry.seq as usize - 1], "{what}");
            assert_eq!(u64::from(entry.labels), entry.seq, "{what}");
        }
    }

    #[test]
    fn any_bit_of_a_segment_may_flip_and_every_other_record_comes_out_as_it_was() {
        let whole = payloads();
        let bytes = segment(&whole);
        let ends = scan(&bytes, boot(), 1).entries;
        for at in 0..bytes.len() {
            let hit = ends.iter().find(|entry| {
                let from = entry.offset as usize;
                (from..from + RECORD_HEAD + entry.length as usize).contains(&at)
            });
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let what = format!("byte {at}, bit {bit}");
                let found = scan(&damaged, boot(), 1);
                assert_nothing_wrong_comes_out(&found, &damaged, &whole, &what);
                let kept: Vec<Seq> = found.entries.iter().map(|entry| entry.seq).collect();
                let expected: Vec<Seq> = (1..=5)
                    .filter(|seq| hit.is_none_or(|hit| hit.seq != *seq))
                    .collect();
                assert_eq!(kept, expected, "{what}");
                assert_ne!(found.end, FileEnd::Clean, "{what}");
                let trouble_at = hit.map_or(0, |hit| u64::from(hit.offset));
                assert_eq!(found.sound, trouble_at, "{what}");
            }
        }
    }

    #[test]
    fn a_segment_may_be_cut_at_any_byte_and_the_records_before_come_out() {
        let whole = payloads();
        let bytes = segment(&whole);
        let ends: Vec<usize> = scan(&bytes, boot(), 1)
            .entries
            .iter()
            .map(|entry| entry.offset as usize + RECORD_HEAD + entry.length as usize)
            .collect();
        for cut in 0..=bytes.len() {
            let found = scan(&bytes[..cut], boot(), 1);
            let kept = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(found.entries.len(), kept, "cut at {cut}");
            assert_nothing_wrong_comes_out(&found, &bytes[..cut], &whole, "a cut");
            assert_ne!(found.end, FileEnd::Damaged, "cut at {cut}");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_written_over_a_segment_bring_nothing_wrong_out(
            over in proptest::collection::vec(any::<u8>(), 0..200),
            share in 0.0..1.0f64,
            cut in 0.0..1.0f64,
        ) {
            let whole = payloads();
            let mut bytes = segment(&whole);
            let at = (bytes.len() as f64 * share) as usize;
            for (place, byte) in bytes[at..].iter_mut().zip(&over) {
                *place = *byte;
            }
            bytes.truncate((bytes.len() as f64 * cut) as usize);
            let found = scan(&bytes, boot(), 1);
            assert_nothing_wrong_comes_out(&found, &bytes, &whole, "overwritten and cut");
        }

        #[test]
        fn rubbish_is_no_record(rubbish in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert!(scan(&rubbish, boot(), 1).entries.is_empty());
        }
    }
}
