//! Batches of labels.

use crate::{label, model, origin, text, written};
use heapless::Vec;
use label_core::wire::*;
use label_core::*;

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
