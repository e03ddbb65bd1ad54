//! Messages as a rig makes them, in few words.

use label_core::id::Name;
use label_core::wire::{
    ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState, Counters, Decision, EventEyes,
    EventValue, Evicted, EvidenceHeader, FrameCounters, Health, KeyPicture, Label, LabelBatch,
    LabelCounts, LabelValue, ManifestPart, ModelRef, OperatorMark, Origin, OutboxState,
    PictureHeader, Shed, WIRE_VERSION, parse_name,
};
use label_core::{AbstainReason, BootId, CaptureTime, Confidence, FrameRange, LabelId, LabelKind};
use label_store::{Asked, Content, Correction, Incoming, Judgement, LabelKey, NewVerdict};

pub(crate) fn name(text: &str) -> Name {
    parse_name(text).unwrap()
}

pub(crate) fn boot() -> BootId {
    BootId::first(7)
}

pub(crate) fn origin(seq: u64) -> Origin {
    Origin {
        rig: name("rig"),
        boot: boot(),
        seq,
    }
}

pub(crate) fn incoming(content: Content, payload: &str) -> Incoming {
    Incoming {
        topic: "rigel/v1/north/rig/label".to_owned(),
        received_us: 1000,
        payload: payload.as_bytes().to_vec(),
        content,
    }
}

pub(crate) fn model() -> ModelRef {
    ModelRef {
        name: "blink".try_into().unwrap(),
        version: "1".try_into().unwrap(),
        sha256: "ab".try_into().unwrap(),
    }
}

pub(crate) fn blink(n: u16, start: u32, confidence: f32) -> Label {
    Label {
        n,
        kind: LabelKind::Blink,
        track: Some(1),
        frames: FrameRange::new(start, start + 6),
        pts_us: (CaptureTime(0), CaptureTime(1)),
        decision: Decision::Candidate,
        reason: None,
        confidence: Some(Confidence::new(confidence).unwrap()),
        raw: Some(0.25),
        model: Some(0),
        value: Some(LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak: start + 2,
            opening: 0.5,
        })),
        signs: None,
        driver: false,
    }
}

pub(crate) fn silence(n: u16) -> Label {
    Label {
        kind: LabelKind::Alertness,
        decision: Decision::Abstain,
        reason: Some(AbstainReason::NoLabeller),
        confidence: None,
        raw: None,
        model: None,
        value: None,
        ..blink(n, 0, 0.5)
    }
}

pub(crate) fn batch(seq: u64, labels: &[Label]) -> Incoming {
    let content = Content::Labels {
        site: name("north"),
        batch: Box::new(LabelBatch::new(
            origin(seq),
            1,
            heapless::Vec::from_slice(&[model()]).unwrap(),
            heapless::Vec::from_slice(labels).unwrap(),
        )),
    };
    incoming(content, &format!("batch {seq}"))
}

pub(crate) fn clip(seq: u64, event: ClipEvent) -> Incoming {
    let content = Content::Clip {
        site: name("north"),
        message: Box::new(ClipMessage {
            v: WIRE_VERSION,
            from: origin(seq),
            clip: 1,
            event,
        }),
    };
    incoming(content, &format!("clip {seq}"))
}

pub(crate) fn opened(seq: u64) -> Incoming {
    clip(
        seq,
        ClipEvent::Opened(ClipOpened {
            name: "drive.mp4".try_into().unwrap(),
            width: 640,
            height: 480,
            nominal_fps: Some(30.0),
            codec: "h264".try_into().unwrap(),
            mono_us: 1,
            utc_us: 2,
            clock: ClockState::Ntp,
        }),
    )
}

pub(crate) fn part(seq: u64, first: u32, frames: u32) -> Incoming {
    clip(
        seq,
        ClipEvent::Part(ManifestPart {
            first,
            pts_us: (0..frames)
                .map(|frame| CaptureTime(i64::from(frame)))
                .collect(),
            mono_us: heapless::Vec::new(),
            repeats: heapless::Vec::new(),
            dropped: heapless::Vec::new(),
            shed: heapless::Vec::new(),
        }),
    )
}

pub(crate) fn mark(seq: u64, frame: u32) -> Incoming {
    clip(
        seq,
        ClipEvent::OperatorMark(OperatorMark {
            frame,
            pts_us: CaptureTime(i64::from(frame) * 40_000),
            mono_us: 7,
            utc_us: 8,
            clock: ClockState::Rtc,
        }),
    )
}

pub(crate) fn closed(seq: u64, frames: u32, labels: LabelCounts) -> Incoming {
    clip(
        seq,
        ClipEvent::Closed(ClipClosed {
            frames,
            repeated: 0,
            dropped: 0,
            sha256: None,
            damage: None,
            labels,
        }),
    )
}

pub(crate) fn evidence(seq: u64, label: (u64, u16)) -> Incoming {
    let header = EvidenceHeader {
        v: WIRE_VERSION,
        from: origin(seq),
        clip: 1,
        label,
        kind: LabelKind::Blink,
        track: 1,
        frames: FrameRange::new(0, 10),
        stride: 1,
        left: heapless::Vec::from_slice(&[Some(1.0), None]).unwrap(),
        right: heapless::Vec::new(),
        columns: heapless::Vec::from_slice(&[0, 5]).unwrap(),
        tile: (64, 40),
    };
    let content = Content::Evidence {
        site: name("north"),
        header: Box::new(header),
        jpeg_at: 5,
    };
    incoming(content, &format!("head-picture {seq}"))
}

pub(crate) fn picture(seq: u64, frame: u32, of: (u32, u32)) -> Incoming {
    let header = PictureHeader {
        v: WIRE_VERSION,
        from: origin(seq),
        clip: 1,
        picture: KeyPicture {
            frame,
            pts_us: CaptureTime(i64::from(frame) * 40_000),
            size: (640, 480),
            of,
        },
    };
    let content = Content::Picture {
        site: name("north"),
        header: Box::new(header),
        jpeg_at: 5,
    };
    incoming(content, &format!("head-picture {seq}"))
}

pub(crate) fn evicted(seq: u64, of: BootId, seqs: (u64, u64)) -> Incoming {
    evicted_labels(seq, of, seqs, 3)
}

pub(crate) fn evicted_labels(seq: u64, of: BootId, seqs: (u64, u64), labels: u64) -> Incoming {
    let message = Evicted {
        v: WIRE_VERSION,
        from: origin(seq),
        boot: of,
        seqs,
        labels,
        evidence: u64::from(labels > 0),
    };
    let content = Content::Evicted {
        site: name("north"),
        message,
    };
    incoming(content, &format!("evicted {seq}"))
}

pub(crate) fn id(seq: u64, n: u16) -> LabelKey {
    LabelKey::Rig(LabelId {
        rig: name("rig"),
        boot: boot(),
        seq,
        n,
    })
}

pub(crate) fn verdict(judgement: Judgement) -> NewVerdict {
    NewVerdict {
        judgement,
        cause: (judgement == Judgement::Reject).then(|| "not-a-blink".to_owned()),
        correction: (judgement == Judgement::Correct).then(|| {
            Box::new(Correction {
                frames: Some(FrameRange::new(11, 15)),
                value: None,
            })
        }),
        spent_ms: 1200,
    }
}

/// Somebody asks, under no key.
pub(crate) fn ada() -> Asked {
    Asked {
        reviewer: "ada".to_owned(),
        at_us: 5,
        key: None,
    }
}

/// Somebody asks, under this key.
pub(crate) fn ada_with(key: &str) -> Asked {
    Asked {
        key: Some(key.to_owned()),
        ..ada()
    }
}

/// The rig made so many labels by now, and so many messages wait there.
pub(crate) fn health(made: u64, waiting: u64) -> Incoming {
    let message = Health {
        v: WIRE_VERSION,
        rig: name("rig"),
        boot: boot(),
        uptime_s: 60,
        frames: FrameCounters::default(),
        labels: Counters {
            offered: made,
            ..Counters::default()
        },
        outbox: OutboxState {
            messages: waiting,
            bytes: 0,
        },
        stages: heapless::Vec::new(),
        clock: ClockState::Ntp,
        temperature_c: None,
        disk_free_mib: None,
        camera: None,
        shed: Shed::Nothing,
        throttled: None,
        latency_ms: None,
        policy: None,
        picture_bytes_a_minute: None,
        quiet: heapless::Vec::new(),
        scene: None,
        recording: None,
        commands: None,
    };
    let content = Content::Health {
        site: name("north"),
        message: Box::new(message),
    };
    Incoming {
        received_us: 2000,
        ..incoming(content, &format!("health {made} {waiting}"))
    }
}
