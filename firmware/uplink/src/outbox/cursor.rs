//! Reading the outbox in the order in which it is sent.

use super::evict::Run;
use super::segment::{Entry, Lane};
use super::{Outbox, SegmentKey};
use crate::UplinkError;
use label_core::wire::Topic;
use label_core::{BootId, Seq};
use std::ops::Bound;

/// Labels may be sent this many numbers ahead of waiting evidence, not more: the host's watermark moves only when both
/// are there, and what it has not confirmed has to be held by the broker.
const LABELS_AHEAD: Seq = 128;

/// How far a reader has come in each lane. A new one begins at the watermark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    after: [Option<(BootId, Seq)>; 3],
}

impl Cursor {
    /// Goes back to the watermark.
    pub fn rewind(&mut self) {
        *self = Self::default();
    }
}

/// A message as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its boot; it may be an earlier one.
    pub boot: BootId,
    /// Its number.
    pub seq: Seq,
    /// Its topic.
    pub topic: Topic,
    /// The message.
    pub payload: Vec<u8>,
}

impl Outbox {
    /// The next durable message that the host has not committed and that lies behind the cursor, which moves past it.
    ///
    /// Notices of what was given up come first, since the host waits for them. Then boot by boot, oldest first; within
    /// a boot labels before evidence, but at most 128 numbers ahead (so that evidence is never left
    /// behind for good).
    pub fn next(&mut self, cursor: &mut Cursor) -> Result<Option<Record>, UplinkError> {
        loop {
            let notice = self.peek(Lane::Notices, cursor);
            let labels = self.peek(Lane::Labels, cursor);
            let evidence = self.peek(Lane::Evidence, cursor);
            let (lane, key, entry) = match (notice, labels, evidence) {
                (Some((key, entry)), ..) => (Lane::Notices, key, entry),
                (None, Some((label_key, label)), Some((key, entry))) => {
                    let labels_first = match label_key.0.cmp(&key.0) {
                        std::cmp::Ordering::Less => true,
                        std::cmp::Ordering::Equal => label.seq <= entry.seq + LABELS_AHEAD,
                        std::cmp::Ordering::Greater => false,
                    };
                    if labels_first {
                        (Lane::Labels, label_key, label)
                    } else {
                        (Lane::Evidence, key, entry)
                    }
                }
                (None, Some((key, entry)), None) => (Lane::Labels, key, entry),
                (None, None, Some((key, entry))) => (Lane::Evidence, key, entry),
                (None, None, None) => return Ok(None),
            };
            let boot = key.0;
            let payload = match self.payload(lane, key, &entry) {
                Ok(payload) => payload,
                Err(UplinkError::Io { source, .. })
                    if source.kind() == std::io::ErrorKind::InvalidData =>
                {
                    self.give_up_damaged(lane, key, &entry)?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            cursor.after[lane as usize] = Some((boot, entry.seq));
            return Ok(Some(Record {
                boot,
                seq: entry.seq,
                topic: entry.topic,
                payload,
            }));
        }
    }

    fn peek(&self, lane: Lane, cursor: &Cursor) -> Option<(SegmentKey, Entry)> {
        let segments = &self.lanes[lane as usize];
        let after = cursor.after[lane as usize];
        // The segment in which the cursor stands, or the first.
        let start =
            after.and_then(|after| segments.range(..=after).next_back().map(|(key, _)| *key));
        let from = start.map_or(Bound::Unbounded, Bound::Included);
        segments
            .range((from, Bound::Unbounded))
            .find_map(|(key, segment)| {
                let mut seen = self.watermark(segment.boot);
                match after {
                    Some((boot, seq)) if boot == segment.boot => seen = seen.max(seq),
                    Some((boot, _)) if boot > segment.boot => return None,
                    _ => {}
                }
                segment
                    .above(seen)
                    .first()
                    .filter(|entry| segment.boot != self.boot || entry.seq <= self.durable)
                    .map(|entry| (*key, *entry))
            })
    }

    /// A record that was sound when it was found no longer is.
    fn give_up_damaged(
        &mut self,
        lane: Lane,
        key: SegmentKey,
        entry: &Entry,
    ) -> Result<(), UplinkError> {
        let run = Run {
            first: entry.seq,
            last: entry.seq,
            labels: u64::from(entry.labels),
            evidence: u64::from(entry.topic == Topic::Evidence),
        };
        self.declare(key.0, run)?;
        self.counters.disk_errors += 1;
        if let Some(segment) = self.lanes[lane as usize].get_mut(&key) {
            segment.entries.retain(|kept| kept.seq != entry.seq);
        }
        Ok(())
    }
}
