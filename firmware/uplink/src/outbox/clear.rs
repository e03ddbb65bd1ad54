//! What the host has committed is deleted.

use super::segment::{Lane, Segment};
use super::{Outbox, SegmentKey, numbers};
use crate::UplinkError;
use label_core::{BootId, Seq};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Segments of which the host has everything, and how far it is; the latter is written down without holding the outbox.
#[derive(Debug)]
pub(crate) struct Clearing {
    dir: PathBuf,
    watermarks: BTreeMap<BootId, Seq>,
    done: Vec<(Lane, SegmentKey)>,
}

impl Clearing {
    /// First the watermark, then the files: otherwise the next start would take the missing numbers for a loss.
    pub(crate) fn run(&self) -> Result<(), UplinkError> {
        numbers::write_watermarks(&self.dir, &self.watermarks)
    }

    fn has_all(&self, segment: &Segment) -> bool {
        let watermark = self.watermarks.get(&segment.boot).copied().unwrap_or(0);
        segment.last() <= watermark
    }
}

impl Outbox {
    /// Takes note that the host has committed everything of a boot up to `watermark`, and deletes what it may forget.
    ///
    /// A watermark beyond what this boot has numbered cannot be meant for it and is ignored.
    pub fn acked(&mut self, boot: BootId, watermark: Seq) -> Result<(), UplinkError> {
        let work = self.begin_acked(boot, watermark);
        self.clear(work)
    }

    /// The same up to what has to be written and deleted; `None` where nothing has.
    pub(crate) fn begin_acked(&mut self, boot: BootId, watermark: Seq) -> Option<Clearing> {
        if watermark <= self.watermark(boot) || (boot == self.boot && watermark > self.last) {
            return None;
        }
        let known = |segment: &Segment| segment.boot == boot;
        if boot != self.boot && !self.lanes.iter().flat_map(BTreeMap::values).any(known) {
            return None;
        }
        self.watermarks.insert(boot, watermark);
        self.committed()
    }

    /// Deletes the segments of which the host has everything.
    pub(super) fn drop_committed(&mut self) -> Result<(), UplinkError> {
        let work = self.committed();
        self.clear(work)
    }

    fn clear(&mut self, work: Option<Clearing>) -> Result<(), UplinkError> {
        let Some(work) = work else {
            return Ok(());
        };
        let outcome = work.run();
        self.finish_clearing(work, outcome)
    }

    /// The segments of which the host has everything. What is being written to stays, unless the disk is full: it could not
    /// grow anyway.
    fn committed(&self) -> Option<Clearing> {
        let mut work = Clearing {
            dir: self.dir.clone(),
            watermarks: self.watermarks.clone(),
            done: Vec::new(),
        };
        for lane in Lane::ALL {
            for (key, segment) in &self.lanes[lane as usize] {
                let grows = segment.boot == self.boot && !segment.full && !self.out_of_room;
                if !grows && work.has_all(segment) {
                    work.done.push((lane, *key));
                }
            }
        }
        (!work.done.is_empty()).then_some(work)
    }

    /// Deletes them, after [`Clearing::run`].
    pub(crate) fn finish_clearing(
        &mut self,
        mut work: Clearing,
        outcome: Result<(), UplinkError>,
    ) -> Result<(), UplinkError> {
        match outcome {
            // Unless that is what there is no room for: a needless notice after a power cut just now is the lesser evil,
            // since nothing else would ever make room again.
            Err(UplinkError::DiskFull { .. }) => {
                if let Some((lane, key)) = work.done.pop() {
                    self.delete_if_committed(&work, lane, key)?;
                }
                work.run()?;
            }
            outcome => outcome?,
        }
        for (lane, key) in std::mem::take(&mut work.done) {
            self.delete_if_committed(&work, lane, key)?;
        }
        self.forget_old_boots();
        Ok(())
    }

    /// Somebody may have appended to it while the watermark was written.
    fn delete_if_committed(
        &mut self,
        work: &Clearing,
        lane: Lane,
        key: SegmentKey,
    ) -> Result<(), UplinkError> {
        let segment = self.lanes[lane as usize].get(&key);
        if segment.is_some_and(|segment| work.has_all(segment)) {
            self.delete(lane, key)?;
        }
        Ok(())
    }
}
