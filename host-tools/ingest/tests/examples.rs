//! The examples of `docs/reference/wire.md` are messages that this host takes.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use label_core::wire::{Ack, Policy};
use label_store::Content;

/// A JPEG of the size that the header tells; of any, where it tells none.
fn jpeg(size: &serde_json::Value) -> Vec<u8> {
    let [width, height] = [0, 1].map(|side| size[side].as_u64().unwrap_or(8) as u16);
    let pixels = vec![90; usize::from(width) * usize::from(height)];
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 50)
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Luma)
        .unwrap();
    jpeg
}

#[test]
fn every_example_of_the_reference_is_taken() {
    let text = include_str!("../../../docs/reference/wire.md");
    let mut seen = Vec::new();
    for block in text.split("```json ").skip(1) {
        let (topic, rest) = block.split_once('\n').unwrap();
        let json = rest.split("```").next().unwrap();
        seen.push(topic);
        if topic == "ack" {
            serde_json::from_str::<Ack>(json).unwrap();
            continue;
        }
        if topic == "policy" {
            serde_json::from_str::<Policy>(json).unwrap();
            continue;
        }
        // What the host asks is read by rigs, what they answer by whoever asked: tests/contract.rs reads both.
        if topic == "reply" || topic.starts_with("cmd/") {
            continue;
        }
        let mut payload = Vec::new();
        if topic == "evidence" {
            payload.extend(b"RGE1");
            payload.extend((json.len() as u32).to_le_bytes());
            payload.extend(json.as_bytes());
            let header: serde_json::Value = serde_json::from_str(json).unwrap();
            payload.extend(jpeg(&header["picture"]["size"]));
        } else {
            payload.extend(json.as_bytes());
        }
        let incoming = ingest::decode(&format!("rigel/v1/north/rig-07/{topic}"), payload, 0);
        assert!(
            !matches!(incoming.content, Content::Refused(_)),
            "{topic}: {:?}",
            incoming.content
        );
    }
    seen.dedup();
    assert_eq!(
        seen,
        [
            "label",
            "clip",
            "evidence",
            "evicted",
            "status",
            "birth",
            "health",
            "ack",
            "policy",
            "cmd/picture",
            "cmd/frames",
            "cmd/purge",
            "reply"
        ],
        "one example a topic at least"
    );
}
