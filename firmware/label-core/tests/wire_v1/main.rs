//! The bytes of wire version 1. If a test here fails, the code is wrong: do not change the test.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod clips;
mod commands;
mod labels;
mod recordings;
mod states;

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
