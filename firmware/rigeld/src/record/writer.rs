//! What writes: pictures into segments, segments into the folder, and goes on after trouble.

use super::folder::Folder;
use super::segment::Segment;
use super::{RETRY, Recorded};
use crate::live::LiveHandle;
use capture::FrameInfo;
use label_core::wire::SegmentHead;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant, SystemTime};

/// Bytes of a head, a line and an end in an index, with room to spare.
const LINES: u64 = 1024;

/// Writes pictures of one clip after the other into segments.
pub(super) struct Writer {
    pub(super) folder: Folder,
    pub(super) head: Option<SegmentHead>,
    pub(super) segment: Option<Segment>,
    /// Number of the next segment.
    pub(super) next: u32,
    /// After trouble nothing is tried before this.
    pub(super) not_before: Option<Instant>,
    pub(super) longest: Duration,
    pub(super) pictures: u64,
    pub(super) missed: Arc<AtomicU64>,
    pub(super) tell: Sender<Recorded>,
    pub(super) live: LiveHandle,
}

impl Writer {
    pub(super) fn begin(&mut self, head: &SegmentHead) {
        self.head = Some(head.clone());
        self.next = 0;
    }

    pub(super) fn write(&mut self, info: &FrameInfo, jpeg: &[u8]) {
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            self.missed.fetch_add(1, Relaxed);
            return;
        }
        let (longest, largest) = (self.longest, self.folder.largest_segment());
        if self
            .segment
            .as_ref()
            .is_some_and(|segment| segment.is_full(longest, largest))
        {
            self.seal();
        }
        match self.try_write(info, jpeg) {
            Ok(()) => {
                self.pictures += 1;
                if self.not_before.take().is_some() {
                    tracing::info!("recording again");
                }
            }
            Err(error) => {
                self.missed.fetch_add(1, Relaxed);
                tracing::error!(
                    "cannot record into {}: {error}; labelling goes on, frames are counted as not recorded",
                    self.folder.path().display()
                );
                self.seal();
                self.not_before = Some(Instant::now() + RETRY);
            }
        }
    }

    pub(super) fn discard_outdated(&mut self) {
        self.folder.discard_outdated(SystemTime::now());
        self.tell_health();
    }

    fn try_write(&mut self, info: &FrameInfo, jpeg: &[u8]) -> std::io::Result<()> {
        if self.segment.is_none() {
            self.folder.discard_outdated(SystemTime::now());
        }
        let begun = self.segment.as_ref().map_or(0, Segment::bytes);
        self.folder.make_room(begun + jpeg.len() as u64 + LINES)?;
        if self.segment.is_none() {
            let Some(head) = &mut self.head else {
                return Ok(());
            };
            head.segment = self.next;
            self.segment = Some(Segment::create(self.folder.path(), head)?);
            self.next += 1;
            self.tell_health();
        }
        let Some(segment) = &mut self.segment else {
            return Ok(());
        };
        segment.append(info, jpeg)
    }

    /// Ends the segment in progress, if there is one with a picture in it.
    pub(super) fn seal(&mut self) {
        let Some(segment) = self.segment.take() else {
            return;
        };
        let (clip, base, bytes) = (segment.clip(), segment.base().to_owned(), segment.bytes());
        match segment.seal() {
            Ok(Some(sealed)) => {
                self.folder.keep(&sealed);
                let recorded = Recorded {
                    clip,
                    segment: sealed.end,
                };
                // Whoever listens may have ended; the file says the same.
                let _ = self.tell.send(recorded);
            }
            Ok(None) => {}
            Err(error) => {
                self.folder.keep_unsealed(&base, bytes);
                tracing::error!(
                    "{} could not be ended: {error}; the next start sets it right",
                    base.display()
                );
            }
        }
        self.tell_health();
    }

    pub(super) fn tell_health(&self) {
        let mut health = self.folder.health();
        health.pictures = self.pictures;
        self.live.lock().recording = Some(health);
    }
}
