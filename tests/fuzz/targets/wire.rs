//! Every message of the contract, read as the host reads it. The first byte says which, the rest is the message.
//!
//! What can be read is written again by the rig's own encoder, and must then read the same: a number that changes on the
//! way would be a label on another frame.

#![no_main]

use label_core::wire::{
    Ack, AskFrames, AskPicture, AskPurge, Birth, ClipMessage, Evicted, EvidenceHeader, Health,
    IndexLine, Label, LabelBatch, MAX_EVIDENCE_BYTES, ModelRef, PictureHeader, Policy, Reply,
    Status, encode, split_evidence, split_reply, split_topic,
};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

fn there_and_back<M: Serialize + DeserializeOwned>(json: &[u8]) {
    let Ok(message) = serde_json::from_slice::<M>(json) else {
        return;
    };
    let plain = serde_json::to_value(&message).expect("what was read can be written");
    // A number beyond what its type holds is read as infinite, which `ingest` refuses and no rig writes.
    if has_null(&plain) {
        return;
    }
    let mut buffer = vec![0; 2 * MAX_EVIDENCE_BYTES];
    // A text in a message of the host may hold what the rig's encoder has no room for.
    let Ok(length) = encode(&message, &mut buffer) else {
        return;
    };
    let again: M = serde_json::from_slice(&buffer[..length])
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&buffer[..length])));
    let again = serde_json::to_value(&again).expect("what was read can be written");
    assert_eq!(plain, again);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else {
        return;
    };
    match which % 17 {
        0 => there_and_back::<Status>(rest),
        1 => there_and_back::<Birth<Vec<ModelRef>>>(rest),
        2 => there_and_back::<Health>(rest),
        3 => there_and_back::<ClipMessage>(rest),
        4 => there_and_back::<LabelBatch<Vec<ModelRef>, Vec<Label>>>(rest),
        5 => there_and_back::<EvidenceHeader>(rest),
        6 => there_and_back::<PictureHeader>(rest),
        7 => there_and_back::<Evicted>(rest),
        8 => there_and_back::<Ack>(rest),
        9 => there_and_back::<Policy>(rest),
        10 => there_and_back::<AskPicture>(rest),
        11 => there_and_back::<AskFrames>(rest),
        12 => there_and_back::<Reply>(rest),
        13 => there_and_back::<IndexLine>(rest),
        16 => there_and_back::<AskPurge>(rest),
        14 => {
            if let Ok((json, jpeg)) = split_evidence(rest) {
                assert!(json.len() + jpeg.len() <= rest.len());
            }
        }
        _ => {
            if let Some((json, data)) = split_reply(rest) {
                assert!(json.len() + data.len() <= rest.len());
            }
            if let Ok(topic) = std::str::from_utf8(rest) {
                split_topic(topic);
            }
        }
    }
});
