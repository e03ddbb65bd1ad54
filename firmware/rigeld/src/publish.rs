//! Labels into the outbox: batches, evidence and the clip's manifest.

mod evidence;
mod manifest;
mod recording;

use crate::clock::{monotonic_us, wall_clock};
use crate::commands::PictureAsked;
use crate::live::{Live, LiveHandle};
use crate::pipeline::{ClipEnd, Sink};
use crate::record::Recorder;
use anyhow::Result;
use capture::{FrameBuffer, FrameInfo, SourceInfo};
use label_core::wire::{
    self, ClipClosed, ClipEvent, ClipMessage, ClipNumber, ClipOpened, Decision, KeyPicture, Label,
    LabelBatch, LabelCounts, MAX_LABELS, MAX_MODELS, ModelRef, OperatorMark, Origin, ShedChange,
    Topic, WIRE_VERSION,
};
use label_core::{LabelKind, Seq};
use manifest::Manifest;
use perception::Filmstrip;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use uplink::{OutboxHandle, UplinkError};

/// A batch or a part of the manifest that is not full waits no longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Messages whose labels are counted one by one until the host has committed them.
const MAX_OUTSTANDING: usize = 4096;

/// Puts what the line makes into the outbox.
pub struct Publisher {
    outbox: OutboxHandle,
    models: heapless::Vec<ModelRef, MAX_MODELS>,
    media: Option<PathBuf>,
    clip: ClipNumber,
    batch: Vec<Label>,
    /// When the first label of the batch came.
    batch_since: Option<Instant>,
    /// Whether a candidate of this clip was sent.
    said_something: bool,
    manifest: Manifest,
    /// Frames dropped in this clip, as health has been told.
    dropped_told: u32,
    jpeg: Vec<u8>,
    /// Of the clip in progress.
    counts: LabelCounts,
    /// Of the clips before it in this boot.
    closed: LabelCounts,
    /// Messages that the disk had no room for or refused: what they would have told is lost, and counted as made all the same, so
    /// that the host sees that something is missing.
    unwritten: u64,
    /// Labels in messages that the outbox took.
    sent: u64,
    /// Of these, those whose message the host has committed.
    acked: u64,
    /// Messages with labels that the host has not committed yet, and how many labels each holds.
    outstanding: VecDeque<(Seq, u64)>,
    /// Key pictures of this boot, and the bytes of their JPEGs.
    pictures: (u64, u64),
    pub(crate) blinks: u64,
    live: LiveHandle,
    /// When the program began, and how long after that the first candidate was in the outbox.
    begun: Instant,
    first_label: Option<Duration>,
    /// `None` where nothing is recorded.
    recorder: Option<Recorder>,
    /// `None` where nobody can ask for a picture.
    picture_asked: Option<PictureAsked>,
}

impl Publisher {
    /// A publisher of labels that refer to these models. The digest of `media` is told when its clip is closed.
    pub fn new(
        outbox: OutboxHandle,
        models: &[ModelRef],
        media: Option<PathBuf>,
        live: LiveHandle,
        begun: Instant,
    ) -> Self {
        Self {
            outbox,
            models: models.iter().cloned().collect(),
            media,
            clip: 0,
            batch: Vec::with_capacity(MAX_LABELS),
            batch_since: None,
            said_something: false,
            manifest: Manifest::default(),
            dropped_told: 0,
            jpeg: Vec::new(),
            counts: LabelCounts::default(),
            closed: LabelCounts::default(),
            unwritten: 0,
            sent: 0,
            acked: 0,
            outstanding: VecDeque::with_capacity(MAX_OUTSTANDING),
            pictures: (0, 0),
            blinks: 0,
            live,
            begun,
            first_label: None,
            recorder: None,
            picture_asked: None,
        }
    }

    /// Labels made in this boot.
    pub(crate) fn made(&self) -> LabelCounts {
        LabelCounts {
            offered: self.closed.offered + self.counts.offered,
            abstained: self.closed.abstained + self.counts.abstained,
            evidence: self.closed.evidence + self.counts.evidence,
        }
    }

    /// Milliseconds from the start of the program to the first candidate in the outbox.
    pub(crate) fn first_label_ms(&self) -> Option<u64> {
        self.first_label.map(|after| after.as_millis() as u64)
    }

    /// Key pictures made in this boot, and the bytes of their JPEGs.
    pub(crate) const fn pictures(&self) -> (u64, u64) {
        self.pictures
    }

    /// Messages lost to a disk that was full or refused.
    pub(crate) fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Labels that the outbox took, and of these those that the host has committed by now.
    pub(crate) fn delivered(&mut self) -> (u64, u64) {
        self.settle();
        // The watermark passes over what was given up for want of room.
        let given_up = self.outbox.counters().evicted_labels;
        (self.sent, self.acked.saturating_sub(given_up))
    }

    /// Counts what the host has committed since the last time.
    fn settle(&mut self) {
        let watermark = self.outbox.counters().acked;
        while let Some((_, labels)) = self.outstanding.pop_front_if(|(seq, _)| *seq <= watermark) {
            self.acked += labels;
        }
    }

    /// A disk that is full or refuses costs a message, not the run: it may take the next one.
    fn unless_refused<T>(&mut self, appended: Result<T, UplinkError>) -> Result<Option<T>> {
        match appended {
            Ok(value) => Ok(Some(value)),
            Err(error @ (UplinkError::DiskFull { .. } | UplinkError::Io { .. })) => {
                if self.unwritten == 0 {
                    let error = anyhow::Error::new(error);
                    tracing::error!(
                        "{error:#}; labelling goes on, what cannot be written is lost and counted"
                    );
                }
                self.unwritten += 1;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn holds_a_candidate(&self) -> bool {
        let mut decisions = self.batch.iter().map(|label| label.decision);
        decisions.any(|decision| decision == Decision::Candidate)
    }

    fn origin(&self) -> Origin {
        Origin {
            rig: self.outbox.rig().clone(),
            boot: self.outbox.boot(),
            seq: 0,
        }
    }

    /// Sends the batch and returns its seq; `None` where it is empty.
    fn flush(&mut self) -> Result<Option<Seq>> {
        if self.batch.is_empty() {
            return Ok(None);
        }
        for (label, n) in self.batch.iter_mut().zip(0u16..) {
            label.n = n;
        }
        let mut message = LabelBatch::new(
            self.origin(),
            self.clip,
            self.models.as_slice(),
            self.batch.as_slice(),
        );
        let appended = self
            .outbox
            .append(Topic::Label, self.batch.len() as u16, |seq, into| {
                message.from.seq = seq;
                wire::encode(&message, into)
            });
        let seq = self.unless_refused(appended)?;
        if let Some(seq) = seq {
            let labels = self.batch.len() as u64;
            self.sent += labels;
            if self.first_label.is_none() && self.holds_a_candidate() {
                let after = self.begun.elapsed();
                tracing::info!("first label after {} ms", after.as_millis());
                self.first_label = Some(after);
            }
            // With a host away for weeks the newest are counted when the last of them is committed.
            let full = self.outstanding.len() == MAX_OUTSTANDING;
            let before = self.outstanding.pop_back_if(|_| full);
            let before = before.map_or(0, |(_, labels)| labels);
            self.outstanding.push_back((seq, before + labels));
            self.settle();
        }
        for label in &self.batch {
            match label.decision {
                Decision::Candidate => self.counts.offered += 1,
                Decision::Abstain => self.counts.abstained += 1,
            }
            if label.kind == LabelKind::Blink && label.decision == Decision::Candidate {
                self.blinks += 1;
                self.live.lock().blinked(Instant::now());
            }
        }
        self.batch.clear();
        self.batch_since = None;
        Ok(seq)
    }

    fn send_clip(&mut self, event: ClipEvent) -> Result<()> {
        self.send_of_clip(self.clip, event)
    }

    fn send_of_clip(&mut self, clip: ClipNumber, event: ClipEvent) -> Result<()> {
        let mut message = ClipMessage {
            v: WIRE_VERSION,
            from: self.origin(),
            clip,
            event,
        };
        let appended = self.outbox.append(Topic::Clip, 0, |seq, into| {
            message.from.seq = seq;
            wire::encode(&message, into)
        });
        self.unless_refused(appended)?;
        Ok(())
    }

    fn send_part(&mut self) -> Result<()> {
        match self.manifest.take() {
            Some(part) => self.send_clip(ClipEvent::Part(part)),
            None => Ok(()),
        }
    }

    /// Sends what has waited long enough.
    fn send_what_is_due(&mut self, now: Instant) -> Result<()> {
        if self.batch_since.is_some_and(|since| is_due(since, now)) {
            self.flush()?;
        }
        if self.manifest.is_full()
            || self
                .manifest
                .since()
                .is_some_and(|since| is_due(since, now))
        {
            self.send_part()?;
        }
        Ok(())
    }

    fn update_live(&mut self, info: &FrameInfo) {
        self.dropped_told += info.dropped_before;
        let mut live = self.live.lock();
        live.frames.captured += 1 + u64::from(info.dropped_before);
        live.frames.processed += 1;
        live.frames.dropped += u64::from(info.dropped_before);
        live.frames.repeated += u64::from(info.repeat);
        self.put_made(&mut live);
    }

    fn put_made(&self, live: &mut Live) {
        let made = self.made();
        live.labels.offered = made.offered;
        live.labels.abstained = made.abstained;
        live.labels.evidence = made.evidence;
    }
}

fn is_due(since: Instant, now: Instant) -> bool {
    now.duration_since(since) >= LONGEST_WAIT
}

impl Sink for Publisher {
    fn opened(&mut self, info: &SourceInfo) -> Result<()> {
        self.clip += 1;
        self.manifest = Manifest::default();
        self.dropped_told = 0;
        self.said_something = false;
        let (utc, clock) = wall_clock();
        let opened = ClipOpened {
            name: shortened(&info.name),
            width: info.width as u32,
            height: info.height as u32,
            nominal_fps: info.nominal_fps,
            codec: shortened(&info.codec),
            mono_us: monotonic_us(),
            utc_us: utc,
            clock,
        };
        self.send_clip(ClipEvent::Opened(opened))?;
        self.open_recording(info);
        Ok(())
    }

    fn empty_frame(&self) -> FrameBuffer {
        self.frame_to_record()
    }

    fn record(&mut self, frame: &mut FrameBuffer) {
        self.record_frame(frame);
    }

    fn shed(&mut self, change: ShedChange) -> Result<()> {
        self.manifest.shed(change);
        Ok(())
    }

    fn frame(&mut self, info: &FrameInfo) -> Result<()> {
        let now = Instant::now();
        self.manifest.frame(info, now);
        self.update_live(info);
        self.tell_recorded()?;
        if !self.said_something && self.holds_a_candidate() {
            // Whoever watches a rig come up waits for its first label.
            self.said_something = true;
            self.flush()?;
        }
        self.send_what_is_due(now)
    }

    fn label(&mut self, label: Label, strip: Option<&mut Filmstrip>) -> Result<()> {
        if self.batch.is_empty() {
            self.batch_since = Some(Instant::now());
        }
        let Some(strip) = strip else {
            self.batch.push(label);
            if self.batch.len() == MAX_LABELS {
                self.flush()?;
            }
            return Ok(());
        };
        // An event goes out at once, with its evidence behind it.
        self.batch.push(label.clone());
        let n = self.batch.len() as u16 - 1;
        if let Some(seq) = self.flush()? {
            self.send_evidence(&label, (seq, n), strip)?;
        }
        Ok(())
    }

    fn takes_pictures(&self) -> bool {
        true
    }

    fn picture(&mut self, shows: KeyPicture, jpeg: &[u8]) -> Result<()> {
        self.send_picture(shows, jpeg)
    }

    fn mark(&mut self, at: &FrameInfo) -> Result<()> {
        let (utc_us, clock) = wall_clock();
        self.send_clip(ClipEvent::OperatorMark(OperatorMark {
            frame: at.index,
            pts_us: at.at,
            mono_us: monotonic_us(),
            utc_us,
            clock,
        }))
    }

    fn waited(&mut self) -> Result<()> {
        self.tell_recorded()?;
        self.send_what_is_due(Instant::now())
    }

    fn closed(&mut self, clip: &ClipEnd) -> Result<()> {
        self.close_recording();
        self.flush()?;
        self.send_part()?;
        let digest = self
            .media
            .as_deref()
            .map(perception::file_sha256)
            .transpose()?;
        let closed = ClipClosed {
            frames: clip.frames,
            repeated: clip.repeated,
            dropped: clip.dropped,
            sha256: digest.and_then(|digest| digest.as_str().try_into().ok()),
            damage: clip.damage.as_deref().map(shortened),
            labels: self.counts,
        };
        self.send_clip(ClipEvent::Closed(closed))?;
        self.closed = self.made();
        self.counts = LabelCounts::default();
        let after_last = u64::from(clip.dropped.saturating_sub(self.dropped_told));
        let mut live = self.live.lock();
        live.frames.captured += after_last;
        live.frames.dropped += after_last;
        self.put_made(&mut live);
        Ok(())
    }
}

/// As much of a text as fits, cut between characters.
pub(crate) fn shortened<const N: usize>(text: &str) -> heapless::String<N> {
    let mut out = heapless::String::new();
    for c in text.chars() {
        if out.push(c).is_err() {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests;
