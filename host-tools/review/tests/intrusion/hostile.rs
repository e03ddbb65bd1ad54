//! Text that would be something else if anybody took it for more than text.

use crate::described::operations;
use crate::desk_of_people::{Answer, Desk, Shown};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::fmt::Write as _;

const TEXTS: [&str; 12] = [
    "' OR '1'='1",
    "'; DROP TABLE labels; --",
    "1); DELETE FROM verdicts; --",
    "x' UNION SELECT password FROM users --",
    "\\'; UPDATE users SET role = 'administrator'; --",
    "%",
    "\0",
    "../../../../etc/passwd",
    "..\\..\\x",
    "a\r\nX-Injected: yes\r\n\r\n<html>",
    "<script>window.owned = true</script>",
    "\u{202e}\u{1d54f}\u{feff}",
];

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02x}").unwrap();
        encoded
    })
}

fn nothing_came_of_it(answer: &Answer, told: &str) {
    assert!(
        !answer.status.is_server_error(),
        "{told}: {}",
        answer.status
    );
    assert!(!answer.headers.contains_key("x-injected"), "{told}");
    let body = answer.json.to_string();
    for secret in ["argon2", "root:x", "sqlite"] {
        assert!(!body.contains(secret), "{told}: {body}");
    }
}

async fn labels(desk: &Desk, ada: Shown<'_>) -> usize {
    let all = desk.get("/api/labels", ada).await.json;
    all.as_array().unwrap().len()
}

#[tokio::test]
async fn no_address_reaches_the_database_the_disk_or_the_answers_head() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada").await;
    let ada = Shown::Cookie(&ada);
    let before = labels(&desk, ada).await;
    let long = "A".repeat(5000);
    for operation in operations() {
        if operation.template == "/api/session" {
            continue;
        }
        for text in TEXTS.into_iter().chain([long.as_str()]) {
            let text = encoded(text);
            let mut addresses: Vec<String> = operation
                .query
                .iter()
                .map(|name| format!("{}?{name}={text}", operation.address()))
                .collect();
            if operation.has_names() {
                addresses.push(operation.with(&text));
                addresses.push(operation.with(&format!("rig-sim:7340033:10:{text}")));
                addresses.push(operation.with(&format!("{text}:7340033:10:0")));
            }
            for address in addresses {
                let method = operation.method.clone();
                let answer = desk.ask(method, &address, ada, json!({})).await;
                nothing_came_of_it(&answer, &format!("{operation:?} {address}"));
                let named_nothing = address.contains('?') || answer.status.is_client_error();
                assert!(named_nothing, "{address}: {}", answer.status);
            }
        }
    }
    assert_eq!(labels(&desk, ada).await, before);
    let users = desk.get("/api/users", ada).await.json;
    assert_eq!(users.as_array().unwrap().len(), 3);
}

/// Sound bodies, each of which says something of its own.
fn bodies() -> Vec<(&'static str, Value)> {
    let blink = json!({"event": {"eyes": "both", "peak": 1503, "opening": 0.1}});
    vec![
        (
            "/api/labels/rig-sim:7340033:10:0/verdicts",
            json!({"verdict": "correct", "cause": "wrong-time", "correction": {"value": blink.clone()}, "millis": 1, "key": "k"}),
        ),
        ("/api/labels/rig-sim:7340033:10:0/undo", json!({"key": "k"})),
        (
            "/api/verdicts",
            json!({"labels": ["rig-sim:7340033:10:0"], "verdict": "reject", "cause": "duplicate", "millis": 1, "key": "k"}),
        ),
        (
            "/api/clips/rig-sim:7340033:1/labels",
            json!({"kind": "blink", "track": 1, "frames": [1500, 1506], "value": blink, "millis": 1, "key": "k"}),
        ),
        (
            "/api/clips/rig-sim:7340033:1/tracks",
            json!({"do": "extend", "track": 1, "kind": "blink", "to": 9, "key": "k"}),
        ),
        (
            "/api/policy/steps",
            json!({"rig": "rig-sim", "kind": "blink", "action": "demote", "words": "seen to fail"}),
        ),
        ("/api/calibrations", json!({"text": "name = \"x\""})),
        (
            "/api/session",
            json!({"name": "nobody", "password": "a long walk"}),
        ),
    ]
}

/// The body with each of its texts replaced, one at a time.
fn with_each_text_replaced(body: &Value, by: &str) -> Vec<Value> {
    match body {
        Value::String(_) => vec![Value::from(by)],
        Value::Array(items) => (0..items.len())
            .flat_map(|place| {
                with_each_text_replaced(&items[place], by)
                    .into_iter()
                    .map(move |new| {
                        let mut items = items.clone();
                        items[place] = new;
                        Value::Array(items)
                    })
            })
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| {
                with_each_text_replaced(field, by)
                    .into_iter()
                    .map(move |new| {
                        let mut fields = fields.clone();
                        fields.insert(name.clone(), new);
                        Value::Object(fields)
                    })
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn no_body_reaches_further_than_its_words() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada").await;
    let ada = Shown::Cookie(&ada);
    let before = labels(&desk, ada).await;
    let mut kept = Vec::new();
    for (path, body) in bodies() {
        for text in TEXTS {
            let wrong = with_each_text_replaced(&body, text);
            assert!(!wrong.is_empty());
            for body in wrong {
                let answer = desk.post(path, ada, body.clone()).await;
                nothing_came_of_it(&answer, &format!("{path} {body}"));
                if answer.status == StatusCode::OK {
                    // Why a step was taken is anybody's to write, and comes back as it was written.
                    assert_eq!(path, "/api/policy/steps", "{body}");
                    kept.push(text.trim().to_owned());
                    assert_eq!(answer.json["steps"][0]["words"], text.trim());
                    let step = answer.json["steps"][0]["step"].to_string();
                    desk.post(&format!("/api/policy/steps/{step}/revert"), ada, json!({}))
                        .await;
                }
            }
        }
    }
    assert!(kept.len() > 5, "{kept:?}");
    assert_eq!(labels(&desk, ada).await, before);
    assert_eq!(desk.store.users().await.unwrap().len(), 3);
}
