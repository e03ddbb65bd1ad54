//! Three rigs that never were, with labels enough to reckon with and verdicts by a rule: what quality, fleet and live are shown on.
//!
//! Everything follows from its number. `rig-east` promises too much: its blinks are right in 45 of 100 cases, elsewhere 95.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

use label_core::wire::{
    Birth, BoxKeyframe, ClipEvent, ClipMessage, ClipOpened, ClockState, Counters, Decision,
    EventEyes, EventValue, FrameCounters, Health, Label, LabelBatch, LabelValue, ModelRef, Origin,
    OutboxState, PointKeyframe, Power, Shed, Status, parse_name,
};
use label_core::{AbstainReason, BootId, CaptureTime, Confidence, FrameRange, LabelId, LabelKind};
use label_store::{
    Asked, Content, Correction, Incoming, Judgement, LabelStore, NewVerdict, StoreError, now_us,
};

/// Names, and the share of blinks that are right.
pub(crate) const RIGS: [(&str, u64); 3] = [("rig-north", 96), ("rig-south", 95), ("rig-east", 45)];
/// Clips of each rig.
pub(crate) const CLIPS: u32 = 8;
/// Batches of each clip.
const BATCHES: u64 = 12;
/// Frames between two batches.
const STEP: u32 = 150;

fn chance(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 31;
    x = x.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (x ^ (x >> 32)) % 100
}

fn text<T: for<'a> TryFrom<&'a str, Error: std::fmt::Debug>>(text: &str) -> T {
    text.try_into().unwrap()
}

fn model(name: &str, version: &str) -> ModelRef {
    ModelRef {
        name: text(name),
        version: text(version),
        sha256: text(&format!(
            "{:064x}",
            chance(name.len() as u64 * 7 + version.len() as u64)
        )),
    }
}

fn boot() -> BootId {
    BootId::first(11)
}

async fn hand_in(store: &LabelStore, rig: &str, topic: &str, content: Content, payload: String) {
    let incoming = Incoming {
        topic: format!("rigel/v1/city/{rig}/{topic}"),
        received_us: now_us(),
        payload: payload.into_bytes(),
        content,
    };
    let report = store.commit(&[incoming]).await.unwrap();
    assert_eq!(report.quarantined, 0);
}

fn label(
    n: u16,
    kind: LabelKind,
    frames: (u32, u32),
    confidence: f32,
    value: LabelValue,
    model: u8,
) -> Label {
    Label {
        n,
        kind,
        track: Some(1),
        frames: FrameRange::new(frames.0, frames.1),
        pts_us: (
            CaptureTime(i64::from(frames.0) * 33_333),
            CaptureTime(i64::from(frames.1) * 33_333),
        ),
        decision: Decision::Candidate,
        reason: None,
        confidence: Some(Confidence::new(confidence).unwrap()),
        raw: Some(1.0),
        model: Some(model),
        value: Some(value),
        signs: None,
        driver: true,
    }
}

/// Seven candidates and an abstention.
fn batch(rig: usize, clip: u32, at: u32) -> heapless::Vec<Label, 8> {
    let seed = u64::from(at) + 1000 * u64::from(clip) + 100_000 * rig as u64;
    let sure = |salt: u64| 0.42 + chance(seed + salt * 977) as f32 * 0.0056;
    let glasses = (clip as usize + rig).is_multiple_of(3);
    let point = |x: f32| {
        LabelValue::Points(heapless::Vec::from_slice(&[PointKeyframe(at, x, 300.0, 0.9)]).unwrap())
    };
    let height = if clip.is_multiple_of(2) { 620.0 } else { 400.0 };
    let boxes = LabelValue::Boxes(
        heapless::Vec::from_slice(&[BoxKeyframe(at, 300.0, 80.0, 420.0, height, 0.9)]).unwrap(),
    );
    let blink = LabelValue::Event(EventValue {
        eyes: EventEyes::Both,
        peak: at + 3,
        opening: 0.1,
    });
    let whole = (at, at + STEP - 1);
    let mut labels = heapless::Vec::new();
    let mut add = |made: Label| labels.push(made).unwrap();
    add(label(0, LabelKind::BboxPerson, whole, sure(1), boxes, 0));
    add(label(
        1,
        LabelKind::WearingGlasses,
        whole,
        sure(2),
        LabelValue::Flag(glasses),
        2,
    ));
    add(label(
        2,
        LabelKind::InShadow,
        whole,
        sure(3),
        LabelValue::Flag(chance(seed) < 30),
        2,
    ));
    add(label(
        3,
        LabelKind::KeypointLeftEye,
        (at, at + 119),
        sure(4),
        point(500.0),
        0,
    ));
    add(label(
        4,
        LabelKind::KeypointRightEye,
        (at, at + 119),
        sure(5),
        point(420.0),
        0,
    ));
    add(label(
        5,
        LabelKind::Blink,
        (at + 10, at + 17),
        sure(6),
        blink.clone(),
        1,
    ));
    add(label(
        6,
        LabelKind::Blink,
        (at + 80, at + 86),
        sure(7),
        blink,
        1,
    ));
    add(Label {
        decision: Decision::Abstain,
        reason: Some(AbstainReason::EyeTurnedAway),
        confidence: None,
        raw: None,
        model: None,
        value: None,
        ..label(
            7,
            LabelKind::KeypointLeftEye,
            (at + 120, at + STEP - 1),
            0.5,
            LabelValue::Flag(false),
            0,
        )
    });
    labels
}

/// What the reviewer of the rule says of it; `None` = nothing yet.
fn verdict(rig: usize, label: &Label, seed: u64) -> Option<NewVerdict> {
    let dice = chance(seed * 13 + u64::from(label.n) * 7919);
    if chance(seed * 29 + u64::from(label.n)) >= 75 {
        return None;
    }
    let confidence = f64::from(label.confidence?.get());
    let right = match label.kind {
        LabelKind::Blink if RIGS[rig].1 < 50 => RIGS[rig].1,
        LabelKind::Blink => (100.0 * (0.75 + 0.25 * confidence)) as u64,
        LabelKind::BboxPerson => (100.0 * confidence) as u64,
        LabelKind::InShadow => 78,
        _ => 97,
    };
    let (judgement, cause, spent) = match dice {
        dice if dice < right => (Judgement::Accept, None, 900 + 14 * dice),
        dice if label.kind == LabelKind::Blink && dice.is_multiple_of(3) => {
            (Judgement::Correct, None, 5200 + 40 * dice)
        }
        dice if dice.is_multiple_of(11) => (Judgement::Reject, Some("cannot-tell"), 4000),
        dice => (Judgement::Reject, Some("wrong-place"), 1500 + 12 * dice),
    };
    Some(NewVerdict {
        judgement,
        cause: cause.map(str::to_owned),
        correction: (judgement == Judgement::Correct).then(|| {
            Box::new(Correction {
                frames: Some(FrameRange::new(
                    label.frames.start + 1 + (dice % 5) as u32,
                    label.frames.end + 1,
                )),
                value: None,
            })
        }),
        spent_ms: spent,
    })
}

async fn states(store: &LabelStore, at: usize, rig: &str) {
    let (site, name) = (parse_name("city").unwrap(), parse_name(rig).unwrap());
    let status = Status {
        v: 1,
        rig: name.clone(),
        boot: boot(),
        state: if at == 1 {
            Power::Offline
        } else {
            Power::Online
        },
    };
    let payload = serde_json::to_string(&status).unwrap();
    hand_in(
        store,
        rig,
        "status",
        Content::Status {
            site: site.clone(),
            message: status,
        },
        payload,
    )
    .await;
    let birth = Birth {
        v: 1,
        rig: name.clone(),
        boot: boot(),
        hardware: text("Raspberry Pi 5 Model B Rev 1.0"),
        firmware: text("0.1.0"),
        runtime: model("litert", "2.3.0"),
        models: heapless::Vec::from_slice(&[
            model("face-landmark", "1"),
            model("calibration-base", if at == 2 { "bad" } else { "2" }),
        ])
        .unwrap(),
        board: text("rpi5"),
        board_sha256: text("b0a2"),
        self_test: Some(text(if at == 2 {
            "failed: clock: not set; it has run since 1970-01-01"
        } else {
            "passed: 9 of 9"
        })),
    };
    let payload = serde_json::to_string(&birth).unwrap();
    let content = Content::Birth {
        site: site.clone(),
        message: Box::new(birth),
    };
    hand_in(store, rig, "birth", content, payload).await;
    let health = Health {
        v: 1,
        rig: name,
        boot: boot(),
        uptime_s: 3600,
        frames: FrameCounters {
            captured: 108_000,
            processed: 107_900,
            dropped: 100,
            repeated: 0,
        },
        labels: Counters::default(),
        outbox: OutboxState {
            messages: if at == 1 { 412 } else { 2 },
            bytes: 180_000,
        },
        stages: heapless::Vec::new(),
        clock: if at == 2 {
            ClockState::Unsynced
        } else {
            ClockState::Ntp
        },
        temperature_c: Some(61.5 + at as f32),
        disk_free_mib: Some(21_000),
        camera: None,
        shed: Shed::Nothing,
        throttled: Some(false),
        latency_ms: Some(71.5),
        policy: None,
        picture_bytes_a_minute: None,
        quiet: heapless::Vec::from_slice(&[label_core::wire::QuietShare {
            reason: AbstainReason::EyeTurnedAway,
            share: 0.12,
        }])
        .unwrap(),
        scene: Some(label_core::wire::SceneHealth {
            light: if at == 1 { 22.0 } else { 96.0 },
            contrast: 60.0,
            noise: 3.5,
            chroma: 8.0,
            limit: Some(text("noise")),
        }),
        recording: None,
        commands: None,
    };
    let payload = serde_json::to_string(&health).unwrap();
    hand_in(
        store,
        rig,
        "health",
        Content::Health {
            site,
            message: Box::new(health),
        },
        payload,
    )
    .await;
}

/// Everything.
pub(crate) async fn drive(store: &LabelStore) {
    for (at, (rig, _)) in RIGS.into_iter().enumerate() {
        states(store, at, rig).await;
        let mut seq = 0;
        let mut origin = || {
            seq += 1;
            Origin {
                rig: parse_name(rig).unwrap(),
                boot: boot(),
                seq,
            }
        };
        for clip in 1..=CLIPS {
            let opened = ClipMessage {
                v: 1,
                from: origin(),
                clip,
                event: ClipEvent::Opened(ClipOpened {
                    name: text("front camera"),
                    width: 1280,
                    height: 720,
                    nominal_fps: Some(30.0),
                    codec: text("mjpeg"),
                    mono_us: 0,
                    utc_us: now_us(),
                    clock: ClockState::Ntp,
                }),
            };
            let payload = serde_json::to_string(&opened).unwrap();
            let site = parse_name("city").unwrap();
            hand_in(
                store,
                rig,
                "clip",
                Content::Clip {
                    site: site.clone(),
                    message: Box::new(opened),
                },
                payload,
            )
            .await;
            let (mut messages, mut verdicts) = (Vec::new(), Vec::new());
            for place in 0..BATCHES {
                let from = origin();
                let labels = batch(at, clip, place as u32 * STEP);
                let models = heapless::Vec::from_slice(&[
                    model("face-landmark", "1"),
                    model("calibration-base", if at == 2 { "bad" } else { "2" }),
                    model("wearing-glasses", "1"),
                ])
                .unwrap();
                let message = LabelBatch::new(from.clone(), clip, models, labels.clone());
                let payload = serde_json::to_string(&message).unwrap();
                messages.push(Incoming {
                    topic: format!("rigel/v1/city/{rig}/label"),
                    received_us: now_us(),
                    payload: payload.into_bytes(),
                    content: Content::Labels {
                        site: site.clone(),
                        batch: Box::new(message),
                    },
                });
                for one in &labels {
                    let id = LabelId {
                        rig: from.rig.clone(),
                        boot: boot(),
                        seq: from.seq,
                        n: one.n,
                    };
                    let seed = from.seq + 1000 * at as u64;
                    if let Some(verdict) = verdict(at, one, seed) {
                        verdicts.push((id, verdict));
                    }
                }
            }
            store.commit(&messages).await.unwrap();
            for (id, verdict) in verdicts {
                let asked = Asked {
                    reviewer: "ada".to_owned(),
                    at_us: now_us(),
                    key: None,
                };
                let judged = store.record_verdict(&id.into(), &verdict, &asked).await;
                // What is drawn blind is answered from scratch by whoever asks for it.
                if !matches!(judged, Err(StoreError::Blind(_))) {
                    judged.unwrap();
                }
            }
        }
    }
}
