//! The examples of `docs/reference/wire.md` are messages that this host takes.

use label_core::wire::{Ack, Policy};
use label_store::Content;

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
        let mut payload = Vec::new();
        if topic == "evidence" {
            payload.extend(b"RGE1");
            payload.extend((json.len() as u32).to_le_bytes());
            payload.extend(json.as_bytes());
            payload.extend([0xff, 0xd8, 0xff, 0xe0]);
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
            "label", "clip", "evidence", "evicted", "status", "birth", "health", "ack", "policy"
        ],
        "one example a topic at least"
    );
}
