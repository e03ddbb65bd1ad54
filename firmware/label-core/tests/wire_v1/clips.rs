//! What is said of a clip, and its pictures.

use crate::{origin, text, written};
use heapless::Vec;
use label_core::wire::*;
use label_core::*;

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
