//! Lines over HTTP: made, put right, refused, and found by their kind.

use crate::desk::Desk;
use crate::drawn_lines::draw_lines;
use axum::http::StatusCode;
use label_store::label_key_text;
use serde_json::{Value, json};

const CLIP: &str = "rig-sim:7340033:1";

fn line(closed: bool, keys: &Value) -> Value {
    json!({"line": {"closed": closed, "keys": keys}})
}

#[tokio::test]
async fn a_line_is_made_found_by_its_kind_put_right_and_taken_back() {
    let desk = Desk::after_a_drive().await;
    let drawn = line(
        true,
        &json!([
            [112, [[10.5, 20.0], [30.25, 20.0], [20.0, 28.0]]],
            [118, [[12.5, 20.0], [32.25, 20.0], [22.0, 28.0]]]
        ]),
    );
    let body = json!({"kind": "polyline-left-eyelid", "track": 1, "frames": [110, 120], "value": drawn, "millis": 9000});
    let path = format!("/api/clips/{CLIP}/labels");
    let made = desk.post(&path, &body.to_string()).await;
    assert_eq!(made.status, StatusCode::OK);
    let made = made.json();
    assert_eq!((&made["kind"], &made["value"]), (&body["kind"], &drawn));
    let found = desk
        .get("/api/labels?kind=polyline-left-eyelid,polyline-face-outline")
        .await
        .json();
    assert_eq!(
        (found.as_array().unwrap().len(), &found[0]["id"]),
        (1, &made["id"])
    );
    let right = line(false, &json!([[115, [[10.5, 20.0], [30.25, 20.0]]]]));
    let verdict = json!({"verdict": "correct", "correction": {"value": right}, "millis": 900});
    let id = made["id"].as_str().unwrap();
    let judged = desk
        .post(&format!("/api/labels/{id}/verdicts"), &verdict.to_string())
        .await
        .json();
    assert_eq!(judged["correction"], json!({"value": right}));
    for state in ["created", "removed"] {
        let answer = desk.post(&format!("/api/labels/{id}/undo"), "{}").await;
        assert_eq!(answer.json()["state"], json!(state));
    }
}

#[tokio::test]
async fn what_can_be_no_line_is_refused_in_words() {
    let desk = Desk::after_a_drive().await;
    let path = format!("/api/clips/{CLIP}/labels");
    let two = json!([[1.0, 2.0], [3.0, 4.0]]);
    let many: Vec<[f64; 2]> = (0..257).map(|n| [f64::from(n), 1.0]).collect();
    let keys: Vec<Value> = (0..129).map(|frame| json!([frame, two])).collect();
    for (value, why) in [
        (line(false, &json!([])), "no keyframe"),
        (line(false, &json!(keys)), "128 keyframes"),
        (line(true, &json!([[5, two]])), "3 at least"),
        (line(false, &json!([[5, [[1.0, 2.0]]]])), "2 to 256"),
        (line(false, &json!([[5, many]])), "2 to 256"),
        (line(false, &json!([[5, two], [5, two]])), "one a frame"),
        (line(false, &json!([[500, two]])), "outside the frames"),
        (
            line(false, &json!([[5, [[1.0, 2.0], [1e9, 4.0]]]])),
            "finite",
        ),
        (json!({"flag": true}), "not one of this kind"),
        (
            json!({"line": {"closed": true, "keys": [], "smooth": 1}}),
            "smooth",
        ),
        (json!({"line": [true, []]}), "object"),
    ] {
        let body = json!({"kind": "polyline-face-outline", "track": 1, "frames": [0, 200], "value": value, "millis": 1});
        let answer = desk.post(&path, &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
        assert!(
            answer.error().contains(why),
            "{} tells of {why}",
            answer.error()
        );
    }
    let of_scene = json!({"kind": "polyline-face-outline", "frames": [0, 9], "value": line(false, &json!([[5, two]])), "millis": 1});
    let answer = desk.post(&path, &of_scene.to_string()).await;
    assert!(
        answer.error().contains("names a track"),
        "{}",
        answer.error()
    );
    let blink = json!({"kind": "blink", "track": 1, "frames": [0, 9], "value": line(false, &json!([[5, two]])), "millis": 1});
    let answer = desk.post(&path, &blink.to_string()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn no_rig_is_asked_for_lines() {
    let desk = Desk::after_a_drive_with_every_kind().await;
    let [lids, _] = draw_lines(&desk.store).await;
    let label = desk
        .get(&format!("/api/labels/{}", label_key_text(&lids)))
        .await;
    assert_eq!(
        label.json()["value"]["line"]["keys"][0][1]
            .as_array()
            .unwrap()
            .len(),
        12
    );
    let step = json!({"rig": "rig-sim", "kind": "polyline-left-eyelid", "action": "demote", "words": "none"});
    let refused = desk.post("/api/policy/steps", &step.to_string()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let quality = desk.get("/api/quality?kind=polyline-left-eyelid").await;
    assert_eq!(quality.status, StatusCode::OK);
}
