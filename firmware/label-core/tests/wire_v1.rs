//! The bytes of wire version 1. If a test here fails, the code is wrong: do not change the test.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use heapless::Vec;
use label_core::wire::*;
use label_core::*;

fn origin(seq: u64) -> wire::Origin {
    Origin {
        rig: parse_name("rig-07").unwrap(),
        boot: BootId::first(3),
        seq,
    }
}

fn text(s: &str) -> Sha256Hex {
    Sha256Hex::try_from(s).unwrap()
}

fn model() -> ModelRef {
    ModelRef {
        name: "face-landmark".try_into().unwrap(),
        version: "1".try_into().unwrap(),
        sha256: text("ab12"),
    }
}

fn label(n: u16, kind: LabelKind) -> Label {
    Label {
        n,
        kind,
        track: Some(1),
        frames: FrameRange::new(12, 18),
        pts_us: (CaptureTime(400_000), CaptureTime(600_000)),
        decision: Decision::Candidate,
        reason: None,
        confidence: Some(Confidence::new(0.5).unwrap()),
        raw: None,
        model: Some(0),
        value: None,
        signs: None,
        driver: false,
    }
}

fn written(message: &impl serde::Serialize) -> String {
    let mut buffer = vec![0; MAX_MESSAGE_BYTES];
    let n = encode(message, &mut buffer).unwrap();
    let out = String::from_utf8(buffer[..n].to_vec()).unwrap();
    assert_eq!(
        out,
        serde_json::to_string(message).unwrap(),
        "both JSON libraries must write the same"
    );
    out
}

#[test]
fn a_label_batch() {
    let labels = [
        Label {
            value: Some(LabelValue::Boxes(
                Vec::from_slice(&[
                    BoxKeyframe(12, 101.5, 40.0, 220.0, 410.25, 0.97),
                    BoxKeyframe(18, 102.0, 40.0, 220.0, 410.0, 0.96),
                ])
                .unwrap(),
            )),
            ..label(0, LabelKind::BboxPerson)
        },
        Label {
            value: Some(LabelValue::Points(
                Vec::from_slice(&[PointKeyframe(12, 214.2, 118.9, 0.98)]).unwrap(),
            )),
            ..label(1, LabelKind::KeypointLeftEye)
        },
        Label {
            raw: Some(0.25),
            value: Some(LabelValue::Event(EventValue {
                eyes: EventEyes::Both,
                peak: 15,
                opening: 0.31,
            })),
            ..label(2, LabelKind::Blink)
        },
        Label {
            value: Some(LabelValue::Flag(true)),
            ..label(3, LabelKind::WearingGlasses)
        },
        Label {
            track: None,
            decision: Decision::Abstain,
            reason: Some(AbstainReason::NoLabeller),
            confidence: None,
            model: None,
            ..label(4, LabelKind::VideoQuality)
        },
    ];
    let models = [model()];
    let batch = LabelBatch::new(origin(17), 1, &models[..], &labels[..]);
    let bytes = written(&batch);
    assert_eq!(
        bytes,
        concat!(
            r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":17},"clip":1,"#,
            r#""models":[{"name":"face-landmark","version":"1","sha256":"ab12"}],"labels":["#,
            r#"{"n":0,"kind":"bbox-person","track":1,"frames":[12,18],"pts_us":[400000,600000],"decision":"candidate","#,
            r#""confidence":0.5,"model":0,"value":{"boxes":[[12,101.5,40.0,220.0,410.25,0.97],[18,102.0,40.0,220.0,410.0,0.96]]}},"#,
            r#"{"n":1,"kind":"keypoint-left-eye","track":1,"frames":[12,18],"pts_us":[400000,600000],"decision":"candidate","#,
            r#""confidence":0.5,"model":0,"value":{"points":[[12,214.2,118.9,0.98]]}},"#,
            r#"{"n":2,"kind":"blink","track":1,"frames":[12,18],"pts_us":[400000,600000],"decision":"candidate","#,
            r#""confidence":0.5,"raw":0.25,"model":0,"value":{"event":{"eyes":"both","peak":15,"opening":0.31}}},"#,
            r#"{"n":3,"kind":"wearing-glasses","track":1,"frames":[12,18],"pts_us":[400000,600000],"decision":"candidate","#,
            r#""confidence":0.5,"model":0,"value":{"flag":true}},"#,
            r#"{"n":4,"kind":"video-quality","frames":[12,18],"pts_us":[400000,600000],"decision":"abstain","reason":"no-labeller"}]}"#,
        )
    );
    let read: LabelBatch<Vec<ModelRef, MAX_MODELS>, Vec<Label, MAX_LABELS>> =
        serde_json::from_str(&bytes).unwrap();
    assert_eq!(
        (read.models.as_slice(), read.labels.as_slice()),
        (&models[..], &labels[..])
    );
}

#[test]
fn a_level_with_what_it_rests_on_and_a_driver() {
    let labels = [
        Label {
            value: Some(LabelValue::Level(5)),
            signs: Some(Signs {
                seen_s: 60.0,
                perclos: 0.0125,
                longest_closure_s: 0.25,
                closures: 0,
                blinks: 14,
                blink_s: Some(0.25),
                blink_ratio: Some(1.5),
                yawns: 1,
                nods: 0,
            }),
            driver: true,
            ..label(0, LabelKind::Alertness)
        },
        Label {
            track: Some(2),
            decision: Decision::Abstain,
            reason: Some(AbstainReason::Passenger),
            confidence: None,
            model: None,
            ..label(1, LabelKind::Alertness)
        },
    ];
    let models = [model()];
    let batch = LabelBatch::new(origin(18), 1, &models[..], &labels[..]);
    let bytes = written(&batch);
    assert_eq!(
        bytes,
        concat!(
            r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":18},"clip":1,"#,
            r#""models":[{"name":"face-landmark","version":"1","sha256":"ab12"}],"labels":["#,
            r#"{"n":0,"kind":"alertness","track":1,"frames":[12,18],"pts_us":[400000,600000],"decision":"candidate","#,
            r#""confidence":0.5,"model":0,"value":{"level":5},"signs":{"seen_s":60.0,"perclos":0.0125,"longest_closure_s":0.25,"#,
            r#""closures":0,"blinks":14,"blink_s":0.25,"blink_ratio":1.5,"yawns":1,"nods":0},"driver":true},"#,
            r#"{"n":1,"kind":"alertness","track":2,"frames":[12,18],"pts_us":[400000,600000],"decision":"abstain","#,
            r#""reason":"passenger"}]}"#,
        )
    );
    let read: LabelBatch<Vec<ModelRef, MAX_MODELS>, Vec<Label, MAX_LABELS>> =
        serde_json::from_str(&bytes).unwrap();
    assert_eq!(read.labels.as_slice(), &labels[..]);
}

#[test]
fn the_largest_batch_fits_its_buffer() {
    let long = BoxKeyframe(
        u32::MAX,
        -12345.67,
        -12345.67,
        12345.67,
        12345.67,
        0.123_456_78,
    );
    let full: Label = Label {
        track: Some(u16::MAX),
        frames: FrameRange::new(u32::MAX - 1, u32::MAX),
        pts_us: (CaptureTime(i64::MIN), CaptureTime(i64::MIN)),
        raw: Some(-1.234_567_8e-10),
        value: Some(LabelValue::Boxes(
            core::iter::repeat_n(long, MAX_KEYFRAMES).collect(),
        )),
        ..label(u16::MAX, LabelKind::BboxPerson)
    };
    let labels = vec![full; MAX_LABELS];
    let mut model = model();
    model.sha256 = text(&"f".repeat(64));
    let models = vec![model; MAX_MODELS];
    written(&LabelBatch::new(
        origin(u64::MAX),
        u32::MAX,
        &models[..],
        &labels[..],
    ));
}

#[test]
fn clip_messages() {
    let opened = ClipEvent::Opened(ClipOpened {
        name: "a \"b\".mp4".try_into().unwrap(),
        width: 360,
        height: 288,
        nominal_fps: Some(24.0),
        codec: "h264".try_into().unwrap(),
        mono_us: 5,
        utc_us: 1_700_000_000_000_000,
        clock: ClockState::Ntp,
    });
    let part = ClipEvent::Part(ManifestPart {
        first: 0,
        pts_us: Vec::from_slice(&[CaptureTime(0), CaptureTime(41_667)]).unwrap(),
        mono_us: Vec::new(),
        repeats: Vec::from_slice(&[1]).unwrap(),
        dropped: Vec::from_slice(&[DroppedFrames {
            before: 1,
            count: 2,
        }])
        .unwrap(),
        shed: Vec::new(),
    });
    let closed = ClipEvent::Closed(ClipClosed {
        frames: 2,
        repeated: 1,
        dropped: 2,
        sha256: Some(text("cd34")),
        damage: Some("truncated".try_into().unwrap()),
        labels: LabelCounts {
            offered: 1,
            abstained: 9,
            evidence: 1,
        },
    });
    let bytes: std::vec::Vec<_> = [opened, part, closed]
        .into_iter()
        .enumerate()
        .map(|(i, event)| {
            let message = ClipMessage {
                v: WIRE_VERSION,
                from: origin(i as u64 + 1),
                clip: 1,
                event,
            };
            let bytes = written(&message);
            assert_eq!(
                serde_json::from_str::<ClipMessage>(&bytes).unwrap(),
                message
            );
            bytes
        })
        .collect();
    assert_eq!(
        bytes,
        [
            concat!(
                r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":1},"clip":1,"event":{"opened":{"name":"a \"b\".mp4","#,
                r#""width":360,"height":288,"nominal_fps":24.0,"codec":"h264","mono_us":5,"utc_us":1700000000000000,"clock":"ntp"}}}"#
            ),
            concat!(
                r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":2},"clip":1,"event":{"part":{"first":0,"pts_us":[0,41667],"#,
                r#""repeats":[1],"dropped":[{"before":1,"count":2}]}}}"#
            ),
            concat!(
                r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":3},"clip":1,"event":{"closed":{"frames":2,"repeated":1,"dropped":2,"#,
                r#""sha256":"cd34","damage":"truncated","labels":{"offered":1,"abstained":9,"evidence":1}}}}"#
            ),
        ]
    );
}

#[test]
fn evidence_header_and_layout() {
    let header = EvidenceHeader {
        v: WIRE_VERSION,
        from: origin(4),
        clip: 1,
        label: (3, 0),
        kind: LabelKind::Blink,
        track: 1,
        frames: FrameRange::new(10, 12),
        stride: 1,
        left: Vec::from_slice(&[Some(1.0), Some(0.25), None]).unwrap(),
        right: Vec::from_slice(&[None, None, None]).unwrap(),
        columns: Vec::from_slice(&[10, 12]).unwrap(),
        tile: (64, 40),
    };
    let json = written(&header);
    assert_eq!(
        json,
        concat!(
            r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":4},"clip":1,"label":[3,0],"kind":"blink","track":1,"#,
            r#""frames":[10,12],"stride":1,"left":[1.0,0.25,null],"right":[null,null,null],"columns":[10,12],"tile":[64,40]}"#
        )
    );
    let mut message = b"RGE1".to_vec();
    message.extend((json.len() as u32).to_le_bytes());
    message.extend(json.as_bytes());
    message.extend([0xff, 0xd8]);
    let (read, jpeg) = split_evidence(&message).unwrap();
    assert_eq!((read, jpeg), (json.as_bytes(), &[0xff, 0xd8][..]));
    for cut in 0..json.len() + 8 {
        assert!(split_evidence(&message[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_key_picture() {
    let header = PictureHeader {
        v: WIRE_VERSION,
        from: origin(6),
        clip: 1,
        picture: KeyPicture {
            frame: 120,
            pts_us: CaptureTime(4_000_000),
            size: (640, 360),
            of: (1920, 1080),
        },
    };
    let json = written(&header);
    assert_eq!(
        json,
        concat!(
            r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":6},"clip":1,"#,
            r#""picture":{"frame":120,"pts_us":4000000,"size":[640,360],"of":[1920,1080]}}"#,
        )
    );
    let read: PictureHeader = serde_json::from_str(&json).unwrap();
    assert_eq!(read, header);
    assert!(
        serde_json::from_str::<EvidenceHeader>(&json).is_err(),
        "a host without pictures takes it for no filmstrip"
    );
}

#[test]
fn state_messages() {
    let rig = parse_name("rig-07").unwrap();
    let boot = BootId::first(3);
    assert_eq!(
        written(&Status {
            v: 1,
            rig: rig.clone(),
            boot,
            state: Power::Online
        }),
        r#"{"v":1,"rig":"rig-07","boot":3145729,"state":"online"}"#
    );
    assert_eq!(
        written(&Ack {
            v: 1,
            session: 9,
            boots: Vec::from_slice(&[(boot, 120), (boot.next().unwrap(), 7)]).unwrap()
        }),
        r#"{"v":1,"session":9,"boots":[[3145729,120],[3145730,7]]}"#
    );
    assert_eq!(
        written(&Evicted {
            v: 1,
            from: origin(9),
            boot,
            seqs: (2, 5),
            labels: 0,
            evidence: 4
        }),
        r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":9},"boot":3145729,"seqs":[2,5],"labels":0,"evidence":4}"#
    );
    let models = [model()];
    assert_eq!(
        written(&Birth {
            v: 1,
            rig: rig.clone(),
            boot,
            hardware: "x86_64".try_into().unwrap(),
            firmware: "0.1.0".try_into().unwrap(),
            runtime: ModelRef {
                name: "litert".try_into().unwrap(),
                ..model()
            },
            models: &models[..],
            board: "sim".try_into().unwrap(),
            board_sha256: text("ef56"),
            self_test: None,
        }),
        concat!(
            r#"{"v":1,"rig":"rig-07","boot":3145729,"hardware":"x86_64","firmware":"0.1.0","#,
            r#""runtime":{"name":"litert","version":"1","sha256":"ab12"},"#,
            r#""models":[{"name":"face-landmark","version":"1","sha256":"ab12"}],"board":"sim","board_sha256":"ef56"}"#
        )
    );
    assert_eq!(
        written(&Health {
            v: 1,
            rig,
            boot,
            uptime_s: 60,
            frames: FrameCounters {
                captured: 4,
                processed: 3,
                dropped: 1,
                repeated: 0
            },
            labels: Counters {
                offered: 1,
                abstained: 2,
                evidence: 3,
                messages: 4,
                acked: 5,
                evicted: 6
            },
            outbox: OutboxState {
                messages: 7,
                bytes: 8
            },
            stages: Vec::from_slice(&[StageTime {
                stage: "mesh".try_into().unwrap(),
                ms: 0.75
            }])
            .unwrap(),
            clock: ClockState::Unsynced,
            temperature_c: None,
            disk_free_mib: Some(9),
            camera: None,
            shed: Shed::Nothing,
            throttled: None,
            latency_ms: None,
            policy: None,
            picture_bytes_a_minute: None,
            quiet: Vec::new(),
            scene: None,
        }),
        concat!(
            r#"{"v":1,"rig":"rig-07","boot":3145729,"uptime_s":60,"#,
            r#""frames":{"captured":4,"processed":3,"dropped":1,"repeated":0},"#,
            r#""labels":{"offered":1,"abstained":2,"evidence":3,"messages":4,"acked":5,"evicted":6},"#,
            r#""outbox":{"messages":7,"bytes":8},"stages":[{"stage":"mesh","ms":0.75}],"clock":"unsynced","disk_free_mib":9}"#
        )
    );
}

#[test]
fn an_operator_mark() {
    let message = ClipMessage {
        v: WIRE_VERSION,
        from: origin(7),
        clip: 2,
        event: ClipEvent::OperatorMark(OperatorMark {
            frame: 306,
            pts_us: CaptureTime(12_240_000),
            mono_us: 95_000_000,
            utc_us: 1_700_000_000_000_000,
            clock: ClockState::Ntp,
        }),
    };
    let bytes = written(&message);
    assert_eq!(
        bytes,
        concat!(
            r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":7},"clip":2,"event":{"operator-mark":{"frame":306,"#,
            r#""pts_us":12240000,"mono_us":95000000,"utc_us":1700000000000000,"clock":"ntp"}}}"#
        )
    );
    assert_eq!(
        serde_json::from_str::<ClipMessage>(&bytes).unwrap(),
        message
    );
}

#[test]
fn what_a_rig_leaves_out_stands_in_the_manifest() {
    let steps = [
        Shed::PersonBox,
        Shed::HalfRate,
        Shed::QuarterRate,
        Shed::Nothing,
    ];
    let part = ManifestPart {
        first: 240,
        pts_us: Vec::from_slice(&[CaptureTime(9_600_000)]).unwrap(),
        mono_us: Vec::from_slice(&[50]).unwrap(),
        repeats: Vec::new(),
        dropped: Vec::new(),
        shed: steps
            .into_iter()
            .map(|shed| ShedChange { before: 240, shed })
            .collect(),
    };
    let bytes = written(&part);
    assert_eq!(
        bytes,
        concat!(
            r#"{"first":240,"pts_us":[9600000],"mono_us":[50],"shed":[{"before":240,"shed":"person-box"},"#,
            r#"{"before":240,"shed":"half-rate"},{"before":240,"shed":"quarter-rate"},{"before":240,"shed":"nothing"}]}"#
        )
    );
    assert_eq!(serde_json::from_str::<ManifestPart>(&bytes).unwrap(), part);
}

#[test]
fn health_of_a_live_rig() {
    let health = Health {
        v: 1,
        rig: parse_name("rig-07").unwrap(),
        boot: BootId::first(3),
        uptime_s: 60,
        frames: FrameCounters::default(),
        labels: Counters::default(),
        outbox: OutboxState::default(),
        stages: Vec::new(),
        clock: ClockState::Rtc,
        temperature_c: Some(81.5),
        disk_free_mib: None,
        camera: Some(CameraHealth {
            state: CameraState::Streaming,
            format: "mjpeg".try_into().unwrap(),
            width: 1280,
            height: 720,
            asked_fps: 30.0,
            measured_fps: 29.5,
            damaged: 2,
            reopened: 1,
        }),
        shed: Shed::HalfRate,
        throttled: Some(true),
        latency_ms: Some(84.5),
        policy: None,
        picture_bytes_a_minute: None,
        quiet: Vec::new(),
        scene: None,
    };
    let bytes = written(&health);
    assert_eq!(
        bytes,
        concat!(
            r#"{"v":1,"rig":"rig-07","boot":3145729,"uptime_s":60,"#,
            r#""frames":{"captured":0,"processed":0,"dropped":0,"repeated":0},"#,
            r#""labels":{"offered":0,"abstained":0,"evidence":0,"messages":0,"acked":0,"evicted":0},"#,
            r#""outbox":{"messages":0,"bytes":0},"stages":[],"clock":"rtc","temperature_c":81.5,"#,
            r#""camera":{"state":"streaming","format":"mjpeg","width":1280,"height":720,"asked_fps":30.0,"#,
            r#""measured_fps":29.5,"damaged":2,"reopened":1},"shed":"half-rate","throttled":true,"latency_ms":84.5}"#
        )
    );
    assert_eq!(serde_json::from_str::<Health>(&bytes).unwrap(), health);
    for state in [
        CameraState::Starting,
        CameraState::Streaming,
        CameraState::Stalled,
        CameraState::Unplugged,
        CameraState::Failing,
        CameraState::Off,
    ] {
        assert_eq!(written(&state), format!("\"{}\"", state.name()));
    }
    for shed in [
        Shed::Nothing,
        Shed::Attributes,
        Shed::PersonBox,
        Shed::HalfRate,
        Shed::QuarterRate,
    ] {
        assert_eq!(written(&shed), format!("\"{}\"", shed.name()));
    }
}

#[test]
fn a_policy_and_a_rig_that_went_quiet() {
    assert_eq!(
        written(&Policy {
            v: 1,
            revision: 12,
            kinds: Vec::from_slice(&[
                KindPolicy {
                    kind: LabelKind::Blink,
                    mode: PolicyMode::Abstain,
                    threshold: None,
                },
                KindPolicy {
                    kind: LabelKind::BboxPerson,
                    mode: PolicyMode::Offer,
                    threshold: Some(0.8),
                },
            ])
            .unwrap(),
            picture_bytes_a_minute: None,
        }),
        concat!(
            r#"{"v":1,"revision":12,"kinds":[{"kind":"blink","mode":"abstain"},"#,
            r#"{"kind":"bbox-person","mode":"offer","threshold":0.8}]}"#
        )
    );
    assert_eq!(
        written(&Health {
            v: 1,
            rig: parse_name("rig-07").unwrap(),
            boot: BootId::first(3),
            uptime_s: 60,
            frames: FrameCounters::default(),
            labels: Counters::default(),
            outbox: OutboxState::default(),
            stages: Vec::new(),
            clock: ClockState::Ntp,
            temperature_c: None,
            disk_free_mib: None,
            camera: None,
            shed: Shed::Nothing,
            throttled: None,
            latency_ms: None,
            policy: Some(12),
            picture_bytes_a_minute: None,
            quiet: Vec::from_slice(&[QuietShare {
                reason: AbstainReason::TooDark,
                share: 0.25,
            }])
            .unwrap(),
            scene: Some(SceneHealth {
                light: 21.5,
                contrast: 60.0,
                noise: 4.5,
                chroma: 0.5,
                limit: Some("noise".try_into().unwrap()),
            }),
        }),
        concat!(
            r#"{"v":1,"rig":"rig-07","boot":3145729,"uptime_s":60,"#,
            r#""frames":{"captured":0,"processed":0,"dropped":0,"repeated":0},"#,
            r#""labels":{"offered":0,"abstained":0,"evidence":0,"messages":0,"acked":0,"evicted":0},"#,
            r#""outbox":{"messages":0,"bytes":0},"stages":[],"clock":"ntp","policy":12,"#,
            r#""quiet":[{"reason":"too-dark","share":0.25}],"scene":{"light":21.5,"contrast":60.0,"noise":4.5,"#,
            r#""chroma":0.5,"limit":"noise"}}"#
        )
    );
}

#[test]
fn a_budget_of_pictures_and_a_rig_that_keeps_to_it() {
    assert_eq!(
        written(&Policy {
            v: 1,
            revision: 13,
            kinds: Vec::new(),
            picture_bytes_a_minute: Some(262_144),
        }),
        r#"{"v":1,"revision":13,"kinds":[],"picture_bytes_a_minute":262144}"#
    );
    let before: Policy = serde_json::from_str(r#"{"v":1,"revision":12,"kinds":[]}"#).unwrap();
    assert_eq!(before.picture_bytes_a_minute, None);
    let health = concat!(
        r#"{"v":1,"rig":"rig-07","boot":3145729,"uptime_s":60,"#,
        r#""frames":{"captured":0,"processed":0,"dropped":0,"repeated":0},"#,
        r#""labels":{"offered":0,"abstained":0,"evidence":0,"messages":0,"acked":0,"evicted":0},"#,
        r#""outbox":{"messages":0,"bytes":0},"stages":[],"clock":"ntp","policy":13,"picture_bytes_a_minute":262144}"#,
    );
    let told: Health = serde_json::from_str(health).unwrap();
    assert_eq!(told.picture_bytes_a_minute, Some(262_144));
    assert_eq!(written(&told), health);
}
