//! `docs/reference/asyncapi.json` says of each message what the host takes and the rig's own encoder writes.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use jsonschema::Validator;
use label_core::wire::{
    Ack, AskFrames, AskPicture, AskPurge, Birth, ClipMessage, Evicted, EvidenceHeader, Health,
    Label, LabelBatch, MAX_MESSAGE_BYTES, ModelRef, PictureHeader, Policy, Reply, Status, encode,
};
use label_store::{Content, RefusalReason};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/reference/asyncapi.json");
const EXAMPLES: &str = include_str!("../../../docs/reference/wire.md");

/// The schemas of a topic's messages.
fn schema_of(topic: &str) -> Validator {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let channel = &document["channels"][topic];
    assert_eq!(
        channel["address"],
        format!("rigel/v1/{{site}}/{{rig}}/{topic}")
    );
    let messages = channel["messages"].as_object().unwrap();
    let [name] = messages.keys().collect::<Vec<_>>()[..] else {
        panic!("{topic} has one message, not {}", messages.len())
    };
    let mut schema = document["components"]["messages"][name]["payload"].clone();
    schema["components"] = document["components"].clone();
    jsonschema::draft7::new(&schema).unwrap()
}

/// Topic and message of each example of the reference.
fn examples() -> Vec<(&'static str, Value)> {
    EXAMPLES
        .split("```json ")
        .skip(1)
        .map(|block| {
            let (topic, rest) = block.split_once('\n').unwrap();
            let json = rest.split("```").next().unwrap();
            (topic, serde_json::from_str(json).unwrap())
        })
        .collect()
}

fn wrong(schema: &Validator, message: &Value) -> Vec<String> {
    schema
        .iter_errors(message)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect()
}

#[test]
fn every_example_and_every_topic_is_described() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut topics: Vec<&str> = Vec::new();
    for (topic, message) in examples() {
        assert_eq!(wrong(&schema_of(topic), &message), [""; 0], "{topic}");
        topics.push(topic);
    }
    for topic in document["channels"].as_object().unwrap().keys() {
        assert!(topics.contains(&topic.as_str()), "{topic} has no example");
    }
}

/// What the encoder writes for what was read from `message`.
fn written<M: Serialize + DeserializeOwned>(message: &Value) -> Value {
    let read: M = serde_json::from_value(message.clone()).unwrap();
    let mut buffer = vec![0; MAX_MESSAGE_BYTES];
    let length = encode(&read, &mut buffer).unwrap();
    serde_json::from_slice(&buffer[..length]).unwrap()
}

#[test]
fn what_the_encoder_writes_is_as_described() {
    for (topic, message) in examples() {
        let message = match topic {
            "label" => written::<LabelBatch<Vec<ModelRef>, Vec<Label>>>(&message),
            "clip" => written::<ClipMessage>(&message),
            "evicted" => written::<Evicted>(&message),
            "status" => written::<Status>(&message),
            "birth" => written::<Birth<Vec<ModelRef>>>(&message),
            "health" => written::<Health>(&message),
            "ack" => written::<Ack>(&message),
            "policy" => written::<Policy>(&message),
            "cmd/picture" => written::<AskPicture>(&message),
            "cmd/frames" => written::<AskFrames>(&message),
            "cmd/purge" => written::<AskPurge>(&message),
            "reply" => written::<Reply>(&message),
            "evidence" if message["picture"].is_null() => written::<EvidenceHeader>(&message),
            "evidence" => written::<PictureHeader>(&message),
            other => panic!("{other} is not encoded here"),
        };
        assert_eq!(wrong(&schema_of(topic), &message), [""; 0], "{topic}");
    }
}

/// Whether the host can read it.
fn taken(topic: &str, message: &Value) -> bool {
    let payload = serde_json::to_vec(message).unwrap();
    match topic {
        "ack" => serde_json::from_slice::<Ack>(&payload).is_ok(),
        "policy" => serde_json::from_slice::<Policy>(&payload).is_ok(),
        "cmd/picture" => serde_json::from_slice::<AskPicture>(&payload).is_ok(),
        "cmd/frames" => serde_json::from_slice::<AskFrames>(&payload).is_ok(),
        "cmd/purge" => serde_json::from_slice::<AskPurge>(&payload).is_ok(),
        "reply" => serde_json::from_slice::<Reply>(&payload).is_ok(),
        _ => {
            let topic = format!("rigel/v1/north/rig-07/{topic}");
            let incoming = ingest::decode(&topic, payload, 0);
            // What is well formed and cannot be true is beyond what a schema says.
            !matches!(
                incoming.content,
                Content::Refused(refusal) if refusal.reason == RefusalReason::Malformed
            )
        }
    }
}

/// Every message that lacks one member of `message`, with the member's name, down to any depth.
fn without_one(message: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    match message {
        Value::Object(members) => {
            for (name, value) in members {
                let mut rest = members.clone();
                rest.remove(name);
                all.push((name.clone(), Value::Object(rest)));
                for (below, changed) in without_one(value) {
                    let mut whole = members.clone();
                    whole.insert(name.clone(), changed);
                    all.push((format!("{name}.{below}"), Value::Object(whole)));
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for (below, changed) in without_one(item) {
                    let mut whole = items.clone();
                    whole[at] = changed;
                    all.push((format!("{at}.{below}"), Value::Array(whole)));
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn what_may_be_left_out_is_the_same_to_the_host_and_in_the_description() {
    let mut compared = 0;
    for (topic, message) in examples() {
        // The host reads a header only with its picture; the types below it are compared by their own examples.
        if topic == "evidence" {
            continue;
        }
        let schema = schema_of(topic);
        for (member, changed) in without_one(&message) {
            // Which members a candidate and an abstention have is checked after reading, as out of range.
            let of_decision = ["value", "reason", "confidence"]
                .iter()
                .any(|name| member.ends_with(name) && member.starts_with("labels"));
            if of_decision {
                assert!(!schema.is_valid(&changed), "{topic} without {member}");
                continue;
            }
            assert_eq!(
                schema.is_valid(&changed),
                taken(topic, &changed),
                "{topic} without {member}"
            );
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}
