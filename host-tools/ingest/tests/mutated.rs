//! Messages spoilt at random, from the examples of `docs/reference/wire.md`: none makes the host panic, and none that it
//! takes is one that its store cannot hold. A store that fails at a message would be handed it again for ever.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use label_store::{Content, Incoming, LabelStore};

const EXAMPLES: &str = include_str!("../../../docs/reference/wire.md");
const SEED: u64 = 20_261;
const ROUNDS: usize = 4000;

/// What takes numbers to their limits and beyond.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1e308",
    "-0.0",
    "1e-320",
    "255",
    "65536",
    "4294967295",
    "9007199254740991",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
    "null",
    "[[[[]]]]",
];

/// Topic and payload of each example that a rig sends.
fn examples() -> Vec<(&'static str, Vec<u8>)> {
    EXAMPLES
        .split("```json ")
        .skip(1)
        .map(|block| {
            let (topic, rest) = block.split_once('\n').unwrap();
            (topic, rest.split("```").next().unwrap().as_bytes())
        })
        .filter(|(topic, _)| !matches!(*topic, "ack" | "policy"))
        .map(|(topic, json)| (topic, json.to_vec()))
        .collect()
}

/// Evidence has a head with the length of its JSON, and a picture behind it.
fn framed(topic: &str, json: Vec<u8>) -> Vec<u8> {
    if topic != "evidence" {
        return json;
    }
    let mut payload = b"RGE1".to_vec();
    payload.extend((json.len() as u32).to_le_bytes());
    payload.extend(json);
    let pixels = [90; 64];
    jpeg_encoder::Encoder::new(&mut payload, 50)
        .encode(&pixels, 8, 8, jpeg_encoder::ColorType::Luma)
        .unwrap();
    payload
}

/// Another number in the place of one.
fn other_number(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let digits: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at].is_ascii_digit())
        .collect();
    let Some(&from) = random.choice(&digits) else {
        return;
    };
    let numeric = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let to = bytes[from..]
        .iter()
        .position(|byte| !numeric(byte))
        .map_or(bytes.len(), |length| from + length);
    let other = random.choice(NUMBERS).unwrap();
    bytes.splice(from..to, other.bytes());
}

fn spoil(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.usize(0..bytes.len());
    match random.u8(0..10) {
        0 => bytes[at] ^= 1 << random.u8(0..8),
        1 => bytes.truncate(at),
        2 => drop(bytes.splice(at..at, [random.u8(..)])),
        3 => {
            let to = random.usize(at..bytes.len());
            let twice = bytes[at..to].to_vec();
            drop(bytes.splice(at..at, twice));
        }
        4 => {
            let to = random.usize(at..bytes.len().min(at + 40));
            drop(bytes.drain(at..to));
        }
        _ => other_number(bytes, random),
    }
}

fn decode(topic: &str, payload: Vec<u8>) -> Incoming {
    ingest::decode(&format!("rigel/v1/north/rig-07/{topic}"), payload, 1)
}

#[tokio::test]
async fn no_spoilt_message_stops_the_host_or_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("test.sqlite"))
        .await
        .unwrap();
    let mut random = fastrand::Rng::with_seed(SEED);
    let examples = examples();
    let (mut taken, mut refused) = (0, 0);
    let mut batch = Vec::new();
    for round in 0..ROUNDS {
        let (topic, json) = random.choice(&examples).unwrap();
        let mut json = json.clone();
        let mut whole = random.bool().then(|| {
            // Within the JSON, which is then framed as it should be.
            for _ in 0..random.u8(1..4) {
                spoil(&mut json, &mut random);
            }
            framed(topic, json.clone())
        });
        let payload = whole.take().unwrap_or_else(|| {
            let mut payload = framed(topic, json);
            spoil(&mut payload, &mut random);
            payload
        });
        let incoming = decode(topic, payload);
        if matches!(incoming.content, Content::Refused(_)) {
            refused += 1;
        } else {
            taken += 1;
        }
        batch.push(incoming);
        if batch.len() == 20 {
            let told = store.commit(&batch).await;
            assert!(told.is_ok(), "round {round}, seed {SEED}: {told:?}");
            batch.clear();
        }
    }
    assert!(
        taken > 300 && refused > 300,
        "{taken} were taken and {refused} refused: both ways have to be gone"
    );
    store.summary().await.unwrap();
    store.fleet(2).await.unwrap();
}

#[test]
fn json_nested_without_end_is_refused() {
    for depth in [200, 100_000] {
        for open in ["[", "{\"a\":"] {
            let payload = open.repeat(depth).into_bytes();
            let incoming = decode("label", payload);
            assert!(matches!(incoming.content, Content::Refused(_)), "{depth}");
        }
    }
}

#[test]
fn the_earliest_time_that_a_number_holds_is_refused_like_others_that_cannot_be() {
    let mark = |pts_us: i64| {
        let json = format!(
            r#"{{"v":1,"from":{{"rig":"rig-07","boot":3145729,"seq":2}},"clip":1,"event":{{"operator-mark":{{"frame":1,"pts_us":{pts_us},"mono_us":1,"utc_us":1,"clock":"ntp"}}}}}}"#
        );
        decode("clip", json.into_bytes()).content
    };
    assert!(matches!(mark(40_000), Content::Clip { .. }));
    for impossible in [i64::MIN, i64::MIN + 1, i64::MAX] {
        assert!(
            matches!(mark(impossible), Content::Refused(_)),
            "{impossible}"
        );
    }
}
