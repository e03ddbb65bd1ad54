//! A drive that never was: one minute of labels, abstentions and drawn eyes, in the messages a rig would send.
//!
//! Every message is written by the wire format's own encoder and read back, as ingest does. The eyes are drawn, so the
//! pictures may be shown and committed.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

mod every_kind;
mod eyes;
mod scene;

use label_core::wire::{
    Birth, CameraHealth, CameraState, ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState,
    Counters, Decision, EVIDENCE_MAGIC, EventEyes, EventValue, EvidenceHeader, FrameCounters,
    Health, Label, LabelBatch, LabelCounts, LabelValue, MAX_LABELS, MAX_MESSAGE_BYTES,
    MAX_PART_FRAMES, ManifestPart, ModelRef, OperatorMark, Origin, OutboxState, Power, Shed,
    Status, Topic, encode, parse_name, topic,
};
use label_core::{
    AbstainReason, BootId, CaptureTime, Confidence, FrameIndex, FrameRange, LabelKind,
};
use label_store::{Content, Incoming, LabelStore};
use serde::Serialize;

/// Frames of the clip.
pub(crate) const FRAMES: u32 = 1800;
const FRAME_US: i64 = 33_333;
/// Columns before and after an event.
const MARGIN: u32 = 7;

/// An event of the drive.
#[derive(Clone, Copy)]
pub(crate) struct Event {
    kind: LabelKind,
    frames: (u32, u32),
    confidence: f32,
    eyes: EventEyes,
    /// Smallest opening.
    opening: f32,
    /// Frames in which neither eye was looked at.
    blind: Option<(u32, u32)>,
}

const fn blink(start: u32, end: u32, confidence: f32) -> Event {
    Event {
        kind: LabelKind::Blink,
        frames: (start, end),
        confidence,
        eyes: EventEyes::Both,
        opening: 0.06,
        blind: None,
    }
}

/// The events, in time order.
pub(crate) const EVENTS: [Event; 12] = [
    blink(112, 118, 0.97),
    blink(203, 209, 0.93),
    Event {
        opening: 0.34,
        ..blink(311, 315, 0.58)
    },
    blink(420, 427, 0.95),
    Event {
        eyes: EventEyes::Left,
        ..blink(502, 508, 0.71)
    },
    blink(640, 646, 0.96),
    Event {
        kind: LabelKind::LongClosure,
        ..blink(758, 779, 0.88)
    },
    Event {
        blind: Some((918, 922)),
        ..blink(905, 912, 0.83)
    },
    blink(1120, 1126, 0.94),
    Event {
        opening: 0.22,
        ..blink(1302, 1309, 0.79)
    },
    blink(1433, 1439, 0.97),
    blink(1650, 1656, 0.998),
];

const SILENCES: [((u32, u32), AbstainReason); 4] = [
    ((0, 11), AbstainReason::NoPerson),
    ((540, 603), AbstainReason::EyeTurnedAway),
    ((980, 1074), AbstainReason::Occluded),
    ((1700, 1731), AbstainReason::EyeTurnedAway),
];

/// Frames in which somebody pressed the button.
pub(crate) const MARKS: [FrameIndex; 2] = [370, 812];

/// A rig at work on the clip: it numbers its messages and hands them to a store.
pub(crate) struct Rig {
    store: LabelStore,
    name: &'static str,
    /// The run: another one from here on, where it is changed.
    pub(crate) boot: BootId,
    seq: u64,
    counts: LabelCounts,
}

impl Rig {
    /// A rig that has just come online.
    pub(crate) async fn online(store: &LabelStore) -> Self {
        let mut rig = Self {
            store: store.clone(),
            name: "rig-sim",
            boot: BootId::first(7),
            seq: 0,
            counts: LabelCounts::default(),
        };
        let status = Status {
            v: 1,
            rig: parse_name(rig.name).unwrap(),
            boot: rig.boot,
            state: Power::Online,
        };
        let payload = json(&status);
        let content = Content::Status {
            site: site(),
            message: serde_json::from_slice(&payload).unwrap(),
        };
        rig.hand_in(Topic::Status, payload, content).await;
        rig
    }

    /// A whole drive: opened, labelled, closed.
    pub(crate) async fn drive(store: &LabelStore) {
        let mut rig = Self::online(store).await;
        rig.open().await;
        rig.label(&EVENTS).await;
        rig.be_silent().await;
        for frame in MARKS {
            rig.mark(frame).await;
        }
        rig.close().await;
        rig.be_born("passed: 9 of 9").await;
        rig.fare(Shed::Nothing, CameraState::Streaming).await;
    }

    /// The clip begins.
    pub(crate) async fn open(&mut self) {
        self.clip(ClipEvent::Opened(ClipOpened {
            name: text("synthetic-drive.mp4"),
            width: 1280,
            height: 720,
            nominal_fps: Some(30.0),
            codec: text("drawn"),
            mono_us: 0,
            utc_us: 1_700_000_000_000_000,
            clock: ClockState::Ntp,
        }))
        .await;
        for first in (0..FRAMES).step_by(MAX_PART_FRAMES) {
            let frames = first..FRAMES.min(first + MAX_PART_FRAMES as u32);
            self.clip(ClipEvent::Part(ManifestPart {
                first,
                pts_us: frames.map(at).collect(),
                mono_us: heapless::Vec::new(),
                repeats: heapless::Vec::new(),
                dropped: heapless::Vec::new(),
                shed: heapless::Vec::new(),
            }))
            .await;
        }
    }

    /// Offers events, each with its evidence.
    pub(crate) async fn label(&mut self, events: &[Event]) {
        for batch in events.chunks(4) {
            let labels: Vec<_> = batch
                .iter()
                .enumerate()
                .map(|(n, event)| Label {
                    n: n as u16,
                    kind: event.kind,
                    track: Some(1),
                    frames: event.range(),
                    pts_us: (at(event.frames.0), at(event.frames.1)),
                    decision: Decision::Candidate,
                    reason: None,
                    confidence: Some(Confidence::new(event.confidence).unwrap()),
                    raw: Some(4.2),
                    model: Some(0),
                    value: Some(LabelValue::Event(EventValue {
                        eyes: event.eyes,
                        peak: event.peak(),
                        opening: event.opening,
                    })),
                    signs: None,
                    driver: false,
                })
                .collect();
            let seq = self.labels(labels).await;
            for (n, event) in batch.iter().enumerate() {
                self.evidence(event, (seq, n as u16)).await;
            }
        }
    }

    /// Says what was not looked at.
    pub(crate) async fn be_silent(&mut self) {
        let labels = SILENCES
            .iter()
            .enumerate()
            .map(|(n, &((start, end), reason))| Label {
                n: n as u16,
                kind: LabelKind::Blink,
                track: Some(1),
                frames: FrameRange::new(start, end),
                pts_us: (at(start), at(end)),
                decision: Decision::Abstain,
                reason: Some(reason),
                confidence: None,
                raw: None,
                model: None,
                value: None,
                signs: None,
                driver: false,
            })
            .collect();
        self.labels(labels).await;
    }

    /// Somebody presses the button.
    pub(crate) async fn mark(&mut self, frame: FrameIndex) {
        self.clip(ClipEvent::OperatorMark(OperatorMark {
            frame,
            pts_us: at(frame),
            mono_us: at(frame).us(),
            utc_us: 1_700_000_000_000_000 + at(frame).us(),
            clock: ClockState::Ntp,
        }))
        .await;
    }

    /// The rig says what its check of itself found.
    pub(crate) async fn be_born(&mut self, self_test: &str) {
        let birth = Birth::<&[ModelRef]> {
            v: 1,
            rig: parse_name(self.name).unwrap(),
            boot: self.boot,
            hardware: text("drawn"),
            firmware: text("0.1.0"),
            runtime: model(),
            models: &[],
            board: text("synthetic"),
            board_sha256: text("b0a2"),
            self_test: Some(text(self_test)),
        };
        let payload = json(&birth);
        let content = Content::Birth {
            site: site(),
            message: serde_json::from_slice(&payload).unwrap(),
        };
        self.hand_in(Topic::Birth, payload, content).await;
    }

    /// The rig says how it fares.
    pub(crate) async fn fare(&mut self, shed: Shed, camera: CameraState) {
        let health = Health {
            v: 1,
            rig: parse_name(self.name).unwrap(),
            boot: self.boot,
            uptime_s: 60,
            frames: FrameCounters::default(),
            labels: Counters::default(),
            outbox: OutboxState::default(),
            stages: heapless::Vec::new(),
            clock: ClockState::Ntp,
            temperature_c: Some(if shed == Shed::Nothing { 61.5 } else { 84.0 }),
            disk_free_mib: None,
            camera: Some(CameraHealth {
                state: camera,
                format: text("mjpeg"),
                width: 1280,
                height: 720,
                asked_fps: 30.0,
                measured_fps: 29.5,
                damaged: 0,
                reopened: 0,
            }),
            shed,
            throttled: None,
            latency_ms: Some(84.5),
            policy: None,
            picture_bytes_a_minute: None,
            quiet: heapless::Vec::new(),
            scene: None,
            recording: None,
            commands: None,
        };
        let payload = json(&health);
        let content = Content::Health {
            site: site(),
            message: serde_json::from_slice(&payload).unwrap(),
        };
        self.hand_in(Topic::Health, payload, content).await;
    }

    /// The clip ends.
    pub(crate) async fn close(&mut self) {
        self.clip(ClipEvent::Closed(ClipClosed {
            frames: FRAMES,
            repeated: 0,
            dropped: 0,
            sha256: None,
            damage: None,
            labels: self.counts,
        }))
        .await;
    }

    async fn clip(&mut self, event: ClipEvent) {
        let message = ClipMessage {
            v: 1,
            from: self.next(),
            clip: 1,
            event,
        };
        let payload = json(&message);
        let content = Content::Clip {
            site: site(),
            message: serde_json::from_slice(&payload).unwrap(),
        };
        self.hand_in(Topic::Clip, payload, content).await;
    }

    async fn labels(&mut self, labels: Vec<Label>) -> u64 {
        assert!(labels.len() <= MAX_LABELS);
        for label in &labels {
            match label.decision {
                Decision::Candidate => self.counts.offered += 1,
                Decision::Abstain => self.counts.abstained += 1,
            }
        }
        let from = self.next();
        let seq = from.seq;
        let payload = json(&LabelBatch::new(from, 1, &[model()][..], &labels[..]));
        let content = Content::Labels {
            site: site(),
            batch: serde_json::from_slice(&payload).unwrap(),
        };
        self.hand_in(Topic::Label, payload, content).await;
        seq
    }

    async fn evidence(&mut self, event: &Event, label: (u64, u16)) {
        let frames = FrameRange::new(event.frames.0 - MARGIN, event.frames.1 + MARGIN);
        let all: Vec<FrameIndex> = (frames.start..=frames.end).collect();
        // A long event does not fit the strip frame by frame.
        let columns: Vec<_> = all
            .iter()
            .copied()
            .step_by(all.len().div_ceil(32))
            .collect();
        let seen = |left: bool| {
            all.iter()
                .map(|&frame| event.openness(frame, left))
                .collect()
        };
        let header = EvidenceHeader {
            v: 1,
            from: self.next(),
            clip: 1,
            label,
            kind: event.kind,
            track: 1,
            frames,
            stride: 1,
            left: seen(true),
            right: seen(false),
            columns: columns.iter().copied().collect(),
            tile: (eyes::TILE_WIDTH as u16, eyes::TILE_HEIGHT as u16),
        };
        let strip: Vec<_> = columns
            .iter()
            .map(|&frame| {
                let drawn = |left| event.openness(frame, left).unwrap_or(0.9);
                (drawn(false), drawn(true))
            })
            .collect();
        let head = json(&header);
        let mut payload = EVIDENCE_MAGIC.to_vec();
        payload.extend((head.len() as u32).to_le_bytes());
        payload.extend(&head);
        let jpeg_at = payload.len();
        payload.extend(eyes::filmstrip(&strip));
        self.counts.evidence += 1;
        let content = Content::Evidence {
            site: site(),
            header: serde_json::from_slice(&head).unwrap(),
            jpeg_at,
        };
        self.hand_in(Topic::Evidence, payload, content).await;
    }

    fn next(&mut self) -> Origin {
        self.seq += 1;
        Origin {
            rig: parse_name(self.name).unwrap(),
            boot: self.boot,
            seq: self.seq,
        }
    }

    async fn hand_in(&mut self, leaf: Topic, payload: Vec<u8>, content: Content) {
        let message = Incoming {
            topic: topic(&site(), &parse_name(self.name).unwrap(), leaf).to_string(),
            received_us: label_store::now_us(),
            payload,
            content,
        };
        let report = self.store.commit(&[message]).await.unwrap();
        assert_eq!(report.quarantined, 0);
    }
}

impl Event {
    fn range(&self) -> FrameRange {
        FrameRange::new(self.frames.0, self.frames.1)
    }

    fn peak(&self) -> u32 {
        self.frames.0 + (self.frames.1 - self.frames.0) * 2 / 5
    }

    /// Lids fall fast and rise slowly; nothing where the eye was not looked at.
    fn openness(&self, frame: FrameIndex, left: bool) -> Option<f32> {
        let unseen = matches!(
            (self.eyes, left),
            (EventEyes::Left, false) | (EventEyes::Right, true)
        );
        if unseen
            || self
                .blind
                .is_some_and(|(from, to)| (from..=to).contains(&frame))
        {
            return None;
        }
        let (start, end) = (self.frames.0 as f32 - 1.0, self.frames.1 as f32 + 1.0);
        let (at, peak) = (frame as f32, self.peak() as f32);
        let way = if at <= start || at >= end {
            0.0
        } else if at <= peak {
            (at - start) / (peak - start)
        } else {
            (end - at) / (end - peak)
        };
        let shut = if self.kind == LabelKind::LongClosure {
            (way * 5.0).min(1.0)
        } else {
            (way * way * (3.0 - 2.0 * way)).min(1.0)
        };
        // The two eyes are never quite alike, and no measurement is without noise.
        let noise = ((frame * 7919 + u32::from(left) * 131) % 13) as f32 / 13.0 - 0.5;
        let open = if left { 0.98 } else { 1.01 };
        Some(open - (open - self.opening) * shut + noise * 0.04)
    }
}

fn model() -> ModelRef {
    ModelRef {
        name: text("blink-lag"),
        version: text("1.0.0"),
        sha256: text(&"5e".repeat(32)),
    }
}

fn at(frame: FrameIndex) -> CaptureTime {
    CaptureTime(i64::from(frame) * FRAME_US)
}

fn site() -> label_core::id::Name {
    parse_name("desk").unwrap()
}

fn text<const N: usize>(text: &str) -> heapless::String<N> {
    heapless::String::try_from(text).unwrap()
}

fn json(message: &impl Serialize) -> Vec<u8> {
    let mut buffer = vec![0; MAX_MESSAGE_BYTES];
    let length = encode(message, &mut buffer).unwrap();
    buffer.truncate(length);
    buffer
}
