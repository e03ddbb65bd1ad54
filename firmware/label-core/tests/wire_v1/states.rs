//! What stands: a rig, its birth, its health; what it is asked.

use crate::{model, origin, text, written};
use heapless::Vec;
use label_core::wire::*;
use label_core::*;

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
            recording: None,
            commands: None,
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
        recording: None,
        commands: None,
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
            recording: None,
            commands: None,
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
