//! Giving up what there is no room for, and saying so.

use super::segment::{Entry, Lane};
use super::{Outbox, SegmentKey};
use crate::UplinkError;
use label_core::wire::{self, Evicted, MAX_MESSAGE_BYTES, Origin, Topic, WIRE_VERSION};
use label_core::{BootId, Seq};
use std::os::unix::fs::FileExt;

/// Successive numbers that are gone, with what was in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: Seq,
    pub(crate) last: Seq,
    pub(crate) labels: u64,
    pub(crate) evidence: u64,
}

/// A notice speaks of a range, and labels that wait in the other lane must not be counted as gone: so one run for each
/// stretch without a gap.
fn runs(entries: &[Entry]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for entry in entries {
        let evidence = u64::from(entry.topic == Topic::Evidence);
        match runs.last_mut() {
            Some(run) if run.last + 1 == entry.seq => {
                run.last = entry.seq;
                run.labels += u64::from(entry.labels);
                run.evidence += evidence;
            }
            _ => runs.push(Run {
                first: entry.seq,
                last: entry.seq,
                labels: u64::from(entry.labels),
                evidence,
            }),
        }
    }
    runs
}

impl Outbox {
    /// Gives up the oldest evidence, then the oldest labels, until a message of this topic finds room. The segment
    /// that labels are being written to is never given up, nor are notices.
    pub(super) fn make_room(&mut self, topic: Topic) -> Result<(), UplinkError> {
        // The size is known only after encoding. A label batch is a few kilobytes; a picture is bounded by its lane's
        // segment size.
        let need = match topic {
            Topic::Evidence => self.segment_bytes / 4,
            _ => (MAX_MESSAGE_BYTES as u64).min(self.segment_bytes / 4),
        };
        while self.bytes() + need > self.limits.max_bytes {
            let Some((lane, key)) = self.victim() else {
                return Ok(());
            };
            self.evict(lane, key)?;
        }
        Ok(())
    }

    fn victim(&self) -> Option<(Lane, SegmentKey)> {
        let oldest = |lane: Lane| self.lanes[lane as usize].iter().next();
        if let Some((key, _)) = oldest(Lane::Evidence) {
            return Some((Lane::Evidence, *key));
        }
        oldest(Lane::Labels)
            .filter(|(_, segment)| segment.full || segment.boot != self.boot)
            .map(|(key, _)| (Lane::Labels, *key))
    }

    fn evict(&mut self, lane: Lane, key: SegmentKey) -> Result<(), UplinkError> {
        let Some(segment) = self.lanes[lane as usize].get(&key) else {
            return Ok(());
        };
        let boot = segment.boot;
        let gone = segment.above(self.watermark(boot)).to_vec();
        for run in runs(&gone) {
            self.declare(boot, run)?;
        }
        // The notices are on disk before the messages are gone, whatever happens in between.
        self.sync_notices()?;
        self.counters.evicted += gone.len() as u64;
        self.counters.evicted_labels += gone
            .iter()
            .map(|entry| u64::from(entry.labels))
            .sum::<u64>();
        self.delete(lane, key)
    }

    /// Appends a notice that these messages are gone.
    pub(super) fn declare(&mut self, boot: BootId, run: Run) -> Result<Seq, UplinkError> {
        let mut notice = Evicted {
            v: WIRE_VERSION,
            from: Origin {
                rig: self.rig.clone(),
                boot: self.boot,
                seq: 0,
            },
            boot,
            seqs: (run.first, run.last),
            labels: run.labels,
            evidence: run.evidence,
        };
        self.append_record(Topic::Evicted, 0, |seq, into| {
            notice.from.seq = seq;
            wire::encode(&notice, into)
        })
    }

    fn sync_notices(&self) -> Result<(), UplinkError> {
        for segment in self.lanes[Lane::Notices as usize].values() {
            if let Some(file) = &segment.file {
                file.sync_data()
                    .map_err(UplinkError::io("sync", &segment.path))?;
            }
        }
        super::segment::sync_folder(&self.dir.join(Lane::Notices.folder()))
    }

    /// The payload of a record.
    pub(super) fn payload(
        &self,
        lane: Lane,
        key: SegmentKey,
        entry: &Entry,
    ) -> Result<Vec<u8>, UplinkError> {
        use super::segment::RECORD_HEAD;
        let segment = &self.lanes[lane as usize][&key];
        let mut bytes = vec![0; RECORD_HEAD + entry.length as usize];
        let offset = u64::from(entry.offset);
        let read = match &segment.file {
            Some(file) => file.read_exact_at(&mut bytes, offset),
            None => std::fs::File::open(&segment.path)
                .and_then(|file| file.read_exact_at(&mut bytes, offset)),
        };
        read.map_err(UplinkError::io("read back from", &segment.path))?;
        if super::segment::record_at(&bytes, 0).is_none_or(|found| found.seq != entry.seq) {
            let damaged = std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "the record no longer matches its checksum",
            );
            return Err(UplinkError::io("read back from", &segment.path)(damaged));
        }
        bytes.drain(..RECORD_HEAD);
        Ok(bytes)
    }
}
