//! Labels into the outbox: batches, evidence and the clip's manifest.

use crate::clock::{monotonic_us, wall_clock};
use crate::pipeline::{ClipEnd, Sink, with_margin};
use anyhow::{Context, Result};
use capture::{FrameInfo, SourceInfo};
use label_core::wire::{
    self, ClipClosed, ClipEvent, ClipMessage, ClipNumber, ClipOpened, Counters, Decision,
    EvidenceHeader, FrameCounters, Label, LabelBatch, LabelCounts, MAX_CURVE_POINTS, MAX_LABELS,
    MAX_PART_FRAMES, MAX_STRIP_COLUMNS, ManifestPart, ModelRef, Origin, StageTime, Topic,
    WIRE_VERSION,
};
use label_core::{CaptureTime, FrameRange, LabelKind, Seq};
use perception::{EyeTiles, Filmstrip, TILE_HEIGHT, TILE_WIDTH};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use uplink::{OutboxHandle, UplinkError};

/// A batch that is not full waits no longer than this many frames.
const BATCH_FRAMES: u32 = 60;

/// What health messages tell of the line; shared with the uplink's thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    pub(crate) frames: FrameCounters,
    pub(crate) labels: Counters,
    pub(crate) stages: heapless::Vec<StageTime, 16>,
}

/// Puts what the line makes into the outbox.
pub(crate) struct Publisher {
    outbox: OutboxHandle,
    models: heapless::Vec<ModelRef, 8>,
    media: Option<PathBuf>,
    clip: ClipNumber,
    batch: Vec<Label>,
    batch_since: u32,
    part: ManifestPart,
    jpeg: Vec<u8>,
    /// Of the clip in progress.
    counts: LabelCounts,
    /// Of the clips before it in this boot.
    closed: LabelCounts,
    /// Messages that found no room on the disk: what they would have told is lost, and counted as made all the same, so
    /// that the host sees that something is missing.
    unwritten: u64,
    /// Labels in messages that the outbox took.
    sent: u64,
    /// Of these, those whose message the host has committed.
    acked: u64,
    /// Messages with labels that the host has not committed yet, and how many labels each holds.
    outstanding: VecDeque<(Seq, u64)>,
    pub(crate) blinks: u64,
    live: Arc<Mutex<Live>>,
}

impl Publisher {
    /// A publisher of labels that refer to these models. The digest of `media` is told when its clip is closed.
    pub(crate) fn new(
        outbox: OutboxHandle,
        models: &[ModelRef],
        media: Option<PathBuf>,
        live: Arc<Mutex<Live>>,
    ) -> Self {
        Self {
            outbox,
            models: models.iter().cloned().collect(),
            media,
            clip: 0,
            batch: Vec::with_capacity(MAX_LABELS),
            batch_since: 0,
            part: empty_part(0),
            jpeg: Vec::new(),
            counts: LabelCounts::default(),
            closed: LabelCounts::default(),
            unwritten: 0,
            sent: 0,
            acked: 0,
            outstanding: VecDeque::new(),
            blinks: 0,
            live,
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

    /// Messages lost to a full disk.
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

    /// A full disk costs a message, not the run: room may come back.
    fn unless_full<T>(&mut self, appended: Result<T, UplinkError>) -> Result<Option<T>> {
        match appended {
            Ok(value) => Ok(Some(value)),
            Err(error @ UplinkError::DiskFull { .. }) => {
                if self.unwritten == 0 {
                    tracing::error!(
                        "{error}; labelling goes on, what finds no room is lost and counted"
                    );
                }
                self.unwritten += 1;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
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
        let seq = self.unless_full(appended)?;
        if let Some(seq) = seq {
            let labels = self.batch.len() as u64;
            self.sent += labels;
            self.outstanding.push_back((seq, labels));
            self.settle();
        }
        for label in &self.batch {
            match label.decision {
                Decision::Candidate => self.counts.offered += 1,
                Decision::Abstain => self.counts.abstained += 1,
            }
            self.blinks +=
                u64::from(label.kind == LabelKind::Blink && label.decision == Decision::Candidate);
        }
        self.batch.clear();
        Ok(seq)
    }

    fn send_clip(&mut self, event: ClipEvent) -> Result<()> {
        let mut message = ClipMessage {
            v: WIRE_VERSION,
            from: self.origin(),
            clip: self.clip,
            event,
        };
        let appended = self.outbox.append(Topic::Clip, 0, |seq, into| {
            message.from.seq = seq;
            wire::encode(&message, into)
        });
        self.unless_full(appended)?;
        Ok(())
    }

    fn send_part(&mut self, next: u32) -> Result<()> {
        let part = std::mem::replace(&mut self.part, empty_part(next));
        if part.pts_us.is_empty() {
            Ok(())
        } else {
            self.send_clip(ClipEvent::Part(part))
        }
    }

    /// The filmstrip and the openness curve of an event.
    fn send_evidence(
        &mut self,
        label: &Label,
        id: (Seq, u16),
        strip: &mut Filmstrip,
    ) -> Result<()> {
        let frames = with_margin(label.frames);
        let held: Vec<EyeTiles> = strip.frames(frames).copied().collect();
        let (Some(first), Some(last), Some(track)) = (held.first(), held.last(), label.track)
        else {
            return Ok(());
        };
        let columns: Vec<EyeTiles> = held
            .iter()
            .step_by(held.len().div_ceil(MAX_STRIP_COLUMNS))
            .copied()
            .collect();
        let frames = FrameRange::new(first.frame, last.frame);
        let stride = frames.frames().div_ceil(MAX_CURVE_POINTS as u32);
        let curve = |eye: usize| {
            let open = open_level(&held, eye);
            let at = |frame: u32| {
                held.iter()
                    .find(|tiles| tiles.frame == frame)
                    .and_then(|tiles| tiles.openness[eye])
            };
            (frames.start..=frames.end)
                .step_by(stride as usize)
                .map(|frame| at(frame).map(|value| (value / open * 1000.0).round() / 1000.0))
                .collect()
        };
        let mut header = EvidenceHeader {
            v: WIRE_VERSION,
            from: self.origin(),
            clip: self.clip,
            label: id,
            kind: label.kind,
            track,
            frames,
            stride,
            left: curve(0),
            right: curve(1),
            columns: columns.iter().map(|tiles| tiles.frame).collect(),
            tile: (TILE_WIDTH as u16, TILE_HEIGHT as u16),
        };
        self.jpeg.clear();
        strip
            .encode(&columns, &mut self.jpeg)
            .context("cannot encode a filmstrip")?;
        let jpeg = &self.jpeg;
        let appended = self.outbox.append(Topic::Evidence, 0, |seq, into| {
            header.from.seq = seq;
            uplink::encode_evidence(&header, jpeg, into)
        });
        self.unless_full(appended)?;
        self.counts.evidence += 1;
        Ok(())
    }

    fn update_live(&self, info: &FrameInfo) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.frames.captured += 1;
        live.frames.processed += 1;
        live.frames.repeated += u64::from(info.repeat);
        let made = self.made();
        live.labels.offered = made.offered;
        live.labels.abstained = made.abstained;
        live.labels.evidence = made.evidence;
    }
}

impl Sink for Publisher {
    fn opened(&mut self, info: &SourceInfo) -> Result<()> {
        self.clip += 1;
        self.part = empty_part(0);
        self.batch_since = 0;
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
        self.send_clip(ClipEvent::Opened(opened))
    }

    fn frame(&mut self, info: &FrameInfo) -> Result<()> {
        // Sent when full, so there is room.
        let _ = self.part.pts_us.push(info.at);
        if info.repeat {
            let _ = self.part.repeats.push(info.index);
        }
        if self.part.pts_us.len() == MAX_PART_FRAMES {
            self.send_part(info.index + 1)?;
        }
        if info.index >= self.batch_since + BATCH_FRAMES {
            self.flush()?;
            self.batch_since = info.index;
        }
        self.update_live(info);
        Ok(())
    }

    fn label(&mut self, label: Label, strip: Option<&mut Filmstrip>) -> Result<()> {
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

    fn closed(&mut self, clip: &ClipEnd) -> Result<()> {
        self.flush()?;
        self.send_part(clip.frames)?;
        let digest = self
            .media
            .as_deref()
            .map(perception::file_sha256)
            .transpose()?;
        let closed = ClipClosed {
            frames: clip.frames,
            repeated: clip.repeated,
            dropped: 0,
            sha256: digest.and_then(|digest| digest.as_str().try_into().ok()),
            damage: clip.damage.as_deref().map(shortened),
            labels: self.counts,
        };
        self.send_clip(ClipEvent::Closed(closed))?;
        self.closed = self.made();
        self.counts = LabelCounts::default();
        Ok(())
    }
}

/// What counts as this person's open eye in a strip: the level that a fifth of its frames exceed.
fn open_level(held: &[EyeTiles], eye: usize) -> f32 {
    let mut values: Vec<f32> = held
        .iter()
        .filter_map(|tiles| tiles.openness[eye])
        .collect();
    values.sort_unstable_by(f32::total_cmp);
    values
        .get(values.len() * 4 / 5)
        .copied()
        .unwrap_or(1.0)
        .max(0.05)
}

const fn empty_part(first: u32) -> ManifestPart {
    ManifestPart {
        first,
        pts_us: heapless::Vec::<CaptureTime, MAX_PART_FRAMES>::new(),
        mono_us: heapless::Vec::new(),
        repeats: heapless::Vec::new(),
        dropped: heapless::Vec::new(),
        shed: heapless::Vec::new(),
    }
}

/// As much of a text as fits, cut between characters.
fn shortened<const N: usize>(text: &str) -> heapless::String<N> {
    let mut out = heapless::String::new();
    for c in text.chars() {
        if out.push(c).is_err() {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::parse_name;
    use uplink::{Outbox, OutboxLimits};

    fn info() -> SourceInfo {
        SourceInfo {
            name: "a.mp4".into(),
            width: 8,
            height: 8,
            nominal_fps: None,
            expected_frames: None,
            codec: "still".into(),
        }
    }

    fn silence(frame: u32) -> Label {
        Label {
            n: 0,
            kind: LabelKind::VideoQuality,
            track: None,
            frames: FrameRange::new(frame, frame),
            pts_us: (CaptureTime(0), CaptureTime(0)),
            decision: Decision::Abstain,
            reason: Some(label_core::AbstainReason::NoLabeller),
            confidence: None,
            raw: None,
            model: None,
            value: None,
        }
    }

    #[test]
    fn what_waits_for_the_host_is_sent_and_not_acknowledged_and_each_clip_is_counted_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let rig = parse_name("rig-1").unwrap();
        let (outbox, _) = Outbox::open(folder.path(), rig, OutboxLimits::default()).unwrap();
        let outbox = OutboxHandle::new(outbox);
        let live = Arc::new(Mutex::new(Live::default()));
        let mut publisher = Publisher::new(outbox, &[], None, live);
        for labels in [MAX_LABELS as u32 + 3, 2] {
            publisher.opened(&info()).unwrap();
            for frame in 0..labels {
                publisher.label(silence(frame), None).unwrap();
            }
            assert_eq!(
                publisher.counts.abstained % MAX_LABELS as u64,
                0,
                "the rest waits in its batch"
            );
            publisher.closed(&ClipEnd::default()).unwrap();
            assert_eq!(publisher.counts, LabelCounts::default());
        }
        assert_eq!(publisher.made().abstained, MAX_LABELS as u64 + 5);
        assert_eq!(publisher.delivered(), (MAX_LABELS as u64 + 5, 0));
        assert_eq!(publisher.unwritten(), 0);
    }
}
