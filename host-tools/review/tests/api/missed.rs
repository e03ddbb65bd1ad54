//! What a person adds over HTTP: labels, edits of tracks; and the curve.

use crate::desk::Desk;
use axum::http::StatusCode;
use serde_json::{Value, json};

const CLIP: &str = "rig-sim:7340033:1";

#[tokio::test]
async fn what_the_machine_missed_can_be_added_and_taken_back() {
    let desk = Desk::after_a_drive().await;
    let path = format!("/api/clips/{CLIP}/labels");
    let body = json!({
        "kind": "blink", "track": 1, "frames": [1500, 1506],
        "value": {"event": {"eyes": "both", "peak": 1503, "opening": 0.1}},
        "millis": 6000, "key": "m1",
    });
    let mut made = Value::Null;
    for _ in 0..2 {
        let answer = desk.post(&path, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK);
        made = answer.json();
    }
    assert_eq!(made["id"], json!("desk:1"));
    assert_eq!(
        (&made["state"], &made["made_by"]),
        (&json!("created"), &json!("desk"))
    );
    assert_eq!(made["pts_us"], json!([1500 * 33_333, 1506 * 33_333]));
    assert_eq!(made["verdicts"][0]["spent_ms"], json!(6000));
    assert!(desk.label_ids().await.contains(&"desk:1".to_owned()));
    let summary = desk.get("/api/summary").await.json();
    assert_eq!(summary["review"]["created"], json!(1));
    assert_eq!(summary["balanced"], json!(true));
    let edit = json!({"verdict": "correct", "correction": {"frames": [1499, 1507]}, "millis": 900});
    let edited = desk
        .post("/api/labels/desk:1/verdicts", &edit.to_string())
        .await;
    assert_eq!(edited.json()["correction"], json!({"frames": [1499, 1507]}));
    for state in ["created", "removed"] {
        let answer = desk.post("/api/labels/desk:1/undo", "{}").await;
        assert_eq!(answer.json()["state"], json!(state));
    }
    assert!(!desk.label_ids().await.contains(&"desk:1".to_owned()));
    let redone = desk.post("/api/labels/desk:1/redo", "{}").await;
    assert_eq!(redone.json()["state"], json!("created"));
    for (clip, body, status) in [
        (
            CLIP,
            json!({"kind": "sneeze", "frames": [1, 2], "value": {"flag": true}, "millis": 1}),
            422,
        ),
        (
            CLIP,
            json!({"kind": "blink", "track": 1, "frames": [9, 2], "value": {"flag": true}, "millis": 1}),
            422,
        ),
        (
            CLIP,
            json!({"kind": "alertness", "track": 1, "frames": [1, 2], "value": {"level": 6}, "millis": 1}),
            422,
        ),
        (
            "rig-sim:7340033:9",
            json!({"kind": "alertness", "track": 1, "frames": [1, 2], "value": {"level": 3}, "millis": 1}),
            404,
        ),
        ("nonsense", body.clone(), 400),
    ] {
        let answer = desk
            .post(&format!("/api/clips/{clip}/labels"), &body.to_string())
            .await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        assert!(!answer.error().is_empty());
    }
}

#[tokio::test]
async fn a_person_found_again_under_another_number_is_made_one() {
    let desk = Desk::after_a_drive_with_every_kind().await;
    let path = format!("/api/clips/{CLIP}/tracks");
    let numbers = |view: &Value| -> Vec<u64> {
        let tracks = view["tracks"].as_array().unwrap();
        tracks
            .iter()
            .map(|track| track["track"].as_u64().unwrap())
            .collect()
    };
    let before = desk.get(&path).await.json();
    assert_eq!(numbers(&before), [1, 2, 3, 4]);
    assert_eq!(before["tracks"][0]["driver"], json!(true));
    let merge = r#"{"do":"merge","track":3,"into":2,"millis":2000,"key":"t1"}"#;
    for _ in 0..2 {
        let merged = desk.post(&path, merge).await.json();
        assert_eq!(numbers(&merged), [1, 2, 4]);
        assert_eq!(merged["tracks"][1]["frames"], json!([600, 1499]));
        assert_eq!(merged["edits"].as_array().unwrap().len(), 1);
    }
    let labels = desk.get("/api/labels?kind=wearing-glasses").await.json();
    let on: Vec<_> = labels
        .as_array()
        .unwrap()
        .iter()
        .map(|label| label["track"].as_u64())
        .collect();
    assert!(!on.contains(&Some(3)));
    let undone = desk.post(&format!("{path}/undo"), "{}").await.json();
    assert_eq!(numbers(&undone), [1, 2, 3, 4]);
    assert_eq!(undone["edits"][0]["stands"], json!(false));
    let redone = desk.post(&format!("{path}/redo"), "{}").await.json();
    assert_eq!(numbers(&redone), [1, 2, 4]);
    let split = r#"{"do":"split","track":1,"frame":900}"#;
    assert_eq!(numbers(&desk.post(&path, split).await.json()), [1, 2, 4, 5]);
    let extend = r#"{"do":"extend","track":2,"kind":"bbox-person","to":1520}"#;
    let extended = desk.post(&path, extend).await.json();
    let made = desk
        .get(&format!(
            "/api/labels/{}",
            extended["label"].as_str().unwrap()
        ))
        .await;
    assert_eq!(made.json()["frames"], json!([1500, 1520]));
    for (body, status) in [
        (r#"{"do":"split","track":9,"frame":900}"#, 422),
        (r#"{"do":"merge","track":1,"into":1}"#, 422),
        (r#"{"do":"join","track":1,"into":2}"#, 422),
        (r#"{"do":"extend","track":1,"kind":"sneeze","to":5}"#, 400),
    ] {
        assert_eq!(
            desk.post(&path, body).await.status.as_u16(),
            status,
            "{body}"
        );
    }
    let nowhere = desk.get("/api/clips/rig-sim:7340033:9/tracks").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_curve_of_a_track_is_joined_over_its_events() {
    let desk = Desk::after_a_drive().await;
    let curve = desk
        .get(&format!("/api/curve?clip={CLIP}&track=1&frames=100,220"))
        .await
        .json();
    assert_eq!(curve["frames"], json!([100, 220]));
    assert_eq!(curve["stride"], json!(1));
    let left = curve["left"].as_array().unwrap();
    assert_eq!(left.len(), 121);
    assert!(left[0].is_null(), "nothing was told of frame 100");
    let shut = left[14].as_f64().unwrap();
    assert!(shut < 0.2, "frame 114 lies in the blink from 112: {shut}");
    assert!(left[105].is_number(), "frame 205 lies in the next");
    for query in [
        "clip=nonsense&track=1&frames=1,2",
        "clip=rig-sim:7340033:1&track=1&frames=2",
        "clip=rig-sim:7340033:1&frames=1,2",
    ] {
        let answer = desk.get(&format!("/api/curve?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    for frames in ["0,20000", "2,1"] {
        let answer = desk
            .get(&format!("/api/curve?clip={CLIP}&track=1&frames={frames}"))
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{frames}");
    }
}
