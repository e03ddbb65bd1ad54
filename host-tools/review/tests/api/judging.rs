//! Verdicts over HTTP: given, corrected, taken back and brought back, one and many.

use crate::desk::Desk;
use axum::http::StatusCode;
use serde_json::{Value, json};

const ACCEPT: &str = r#"{"verdict":"accept","millis":1200}"#;

#[tokio::test]
async fn a_verdict_is_recorded_replaced_and_taken_back() {
    let desk = Desk::after_a_drive().await;
    let id = desk.label_ids().await.remove(0);
    let verdicts = format!("/api/labels/{id}/verdicts");
    let undo = format!("/api/labels/{id}/undo");
    let accepted = desk.post(&verdicts, ACCEPT).await;
    assert_eq!(accepted.status, StatusCode::OK);
    assert_eq!(accepted.json()["state"], json!("accepted"));
    let rejected = desk
        .post(
            &verdicts,
            r#"{"verdict":"reject","cause":"wrong-time","millis":800}"#,
        )
        .await;
    assert_eq!(rejected.json()["state"], json!("rejected"));
    assert_eq!(rejected.json()["cause"], json!("wrong-time"));
    assert_eq!(
        desk.post(&undo, "{}").await.json()["state"],
        json!("accepted")
    );
    let waiting = desk.post(&undo, "{}").await.json();
    assert_eq!(
        (&waiting["state"], &waiting["cause"]),
        (&json!("waiting"), &json!(null))
    );
    let nothing = desk.post(&undo, "{}").await;
    assert_eq!(nothing.status, StatusCode::CONFLICT);
    let history = desk.get(&format!("/api/labels/{id}")).await.json();
    let said: Vec<_> = history["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| verdict["judgement"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(said, ["accept", "reject", "withdraw", "withdraw"]);
    assert_eq!(history["verdicts"][0]["spent_ms"], json!(1200));
}

#[tokio::test]
async fn a_verdict_sent_twice_with_one_key_counts_once() {
    let desk = Desk::after_a_drive().await;
    let id = desk.label_ids().await.remove(0);
    let verdicts = format!("/api/labels/{id}/verdicts");
    let body = r#"{"verdict":"accept","millis":1200,"key":"k1"}"#;
    for _ in 0..2 {
        assert_eq!(desk.post(&verdicts, body).await.status, StatusCode::OK);
    }
    let history = desk.get(&format!("/api/labels/{id}")).await.json();
    assert_eq!(history["verdicts"].as_array().unwrap().len(), 1);
    let undo = format!("/api/labels/{id}/undo");
    for _ in 0..2 {
        let answer = desk.post(&undo, r#"{"key":"k2"}"#).await;
        assert_eq!(answer.json()["state"], json!("waiting"));
    }
}

#[tokio::test]
async fn bad_verdicts_are_refused_in_words() {
    let desk = Desk::after_a_drive().await;
    let id = desk.label_ids().await.remove(0);
    let path = format!("/api/labels/{id}/verdicts");
    for (body, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("{", StatusCode::BAD_REQUEST),
        ("[]", StatusCode::UNPROCESSABLE_ENTITY),
        // The fields in their order are no verdict.
        (
            r#"["accept",null,null,1,null]"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"correct","correction":[[112,119],null],"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        // Nothing that is not understood is dropped.
        (
            r#"{"verdict":"correct","correction":{"value":{"event":{"eyes":"both","peak":115,"opening":0.1,"depth":3}}},"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("{}", StatusCode::UNPROCESSABLE_ENTITY),
        (
            r#"{"verdict":"maybe","millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (r#"{"verdict":"accept"}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (
            r#"{"verdict":"accept","millis":-1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"accept","millis":99999999999}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"reject","millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"reject","cause":"ugly","millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"accept","cause":"duplicate","millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"accept","millis":1,"reviewer":"me"}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"accept","millis":1,"key":"a b"}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"correct","millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"correct","correction":{},"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"correct","correction":{"frames":[9,4]},"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"correct","correction":{"frames":[112,1800]},"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"correct","correction":{"value":{"flag":true}},"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"verdict":"accept","correction":{"frames":[112,118]},"millis":1}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let answer = desk.post(&path, body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(!answer.error().is_empty());
    }
    let too_long = format!(
        r#"{{"verdict":"accept","millis":1,"key":"{}"}}"#,
        "x".repeat(70_000)
    );
    assert_eq!(
        desk.post(&path, &too_long).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let history = desk.get(&format!("/api/labels/{id}")).await.json();
    assert_eq!(history["verdicts"], json!([]));
}

#[tokio::test]
async fn redo_brings_back_what_undo_took() {
    let desk = Desk::after_a_drive().await;
    let id = desk.label_ids().await.remove(0);
    let at = |verb: &str| format!("/api/labels/{id}/{verb}");
    desk.post(&at("verdicts"), ACCEPT).await;
    desk.post(&at("undo"), "{}").await;
    for _ in 0..2 {
        let answer = desk.post(&at("redo"), r#"{"key":"r1"}"#).await;
        assert_eq!(answer.json()["state"], json!("accepted"));
    }
    let nothing = desk.post(&at("redo"), "{}").await;
    assert_eq!(nothing.status, StatusCode::CONFLICT);
    let history = desk.get(&format!("/api/labels/{id}")).await.json();
    assert_eq!(history["verdicts"].as_array().unwrap().len(), 3);
    assert_eq!(history["verdicts"][2]["judgement"], json!("restore"));
}

#[tokio::test]
async fn a_correction_stands_beside_what_the_rig_said() {
    let desk = Desk::after_a_drive_with_every_kind().await;
    let found = desk
        .get("/api/labels?kind=bbox-person&order=doubt&limit=2")
        .await
        .json();
    let narrow = &found[1];
    assert_eq!(narrow["frames"], json!([372, 491]));
    let value = json!({"boxes": [[372, 10.5, 20.0, 300.0, 640.0, 1.0], [491, 14.0, 22.0, 300.0, 640.0, 1.0]]});
    let body = json!({"verdict": "correct", "correction": {"value": value}, "millis": 21_000, "key": "c1"});
    let id = narrow["id"].as_str().unwrap();
    let answer = desk
        .post(&format!("/api/labels/{id}/verdicts"), &body.to_string())
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let corrected = answer.json();
    assert_eq!(corrected["state"], json!("corrected"));
    assert_eq!(corrected["value"], narrow["value"], "what the rig said");
    assert_eq!(corrected["correction"], json!({"value": value}));
    assert_eq!(
        corrected["verdicts"][0]["correction"],
        json!({"value": value})
    );
    let undone = desk
        .post(&format!("/api/labels/{id}/undo"), "{}")
        .await
        .json();
    assert_eq!(undone["correction"], json!(null));
    let many: Vec<_> = (372..=500)
        .map(|frame| json!([frame, 1, 1, 9, 9, 1]))
        .collect();
    let body = json!({"verdict": "correct", "correction": {"value": {"boxes": many}}, "millis": 1});
    let answer = desk
        .post(&format!("/api/labels/{id}/verdicts"), &body.to_string())
        .await;
    assert_eq!(
        answer.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "129 keyframes"
    );
}

#[tokio::test]
async fn alike_labels_are_judged_at_once_and_taken_back_at_once() {
    let desk = Desk::after_a_drive().await;
    let ids = desk.label_ids().await;
    let body = json!({"labels": ids[2..6], "verdict": "reject", "cause": "wrong-time", "millis": 4000, "key": "b1"});
    let mut batch = Value::Null;
    for _ in 0..2 {
        let answer = desk.post("/api/verdicts", &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK);
        let told = answer.json();
        let labels = told["labels"].as_array().unwrap().clone();
        assert_eq!(labels.len(), 4);
        for (label, id) in labels.iter().zip(&ids[2..6]) {
            assert_eq!(
                (&label["id"], &label["state"]),
                (&json!(id), &json!("rejected"))
            );
        }
        batch = told["batch"].clone();
    }
    let batch = batch.as_str().unwrap();
    let total = async |state: &str| {
        let answer = desk
            .get(&format!("/api/labels?state={state}&limit=1"))
            .await;
        answer.headers["x-total-count"].to_str().unwrap().to_owned()
    };
    assert_eq!(total("rejected").await, "4");
    let undo = format!("/api/verdicts/{batch}/undo");
    for _ in 0..2 {
        let answer = desk.post(&undo, r#"{"key":"b2"}"#).await;
        assert_eq!(answer.json()["labels"][3]["state"], json!("waiting"));
    }
    assert_eq!(total("rejected").await, "0");
    let redone = desk
        .post(&format!("/api/verdicts/{batch}/redo"), "{}")
        .await;
    assert_eq!(redone.json()["labels"][0]["state"], json!("rejected"));
    assert_eq!(total("rejected").await, "4");

    for (path, body, status) in [
        (
            "/api/verdicts/999/undo",
            "{}".to_owned(),
            StatusCode::NOT_FOUND,
        ),
        (
            "/api/verdicts/x/undo",
            "{}".to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "/api/verdicts",
            json!({"labels": [ids[0], "nonsense"], "verdict": "accept", "millis": 1}).to_string(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "/api/verdicts",
            json!({"labels": [ids[0], "rig-sim:7340033:4711:0"], "verdict": "accept", "millis": 1})
                .to_string(),
            StatusCode::NOT_FOUND,
        ),
        (
            "/api/verdicts",
            json!({"labels": [], "verdict": "accept", "millis": 1}).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "/api/verdicts",
            json!({"labels": vec![ids[0].clone(); 501], "verdict": "accept", "millis": 1})
                .to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "/api/verdicts",
            json!({"labels": [ids[0]], "verdict": "correct", "millis": 1}).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let answer = desk.post(path, &body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(!answer.error().is_empty());
    }
    assert_eq!(total("accepted").await, "0", "all or nothing");
}

#[tokio::test]
async fn a_key_outlives_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let body = r#"{"verdict":"accept","millis":1200,"key":"k1"}"#;
    let mut label = None;
    for _ in 0..2 {
        let store = label_store::LabelStore::open(&database).await.unwrap();
        let desk = Desk::over(store, None);
        if label.is_none() {
            crate::synthetic_drive::Rig::drive(&desk.store).await;
            label = Some(desk.label_ids().await.remove(0));
        }
        let id = label.as_ref().unwrap();
        let answer = desk.post(&format!("/api/labels/{id}/verdicts"), body).await;
        assert_eq!(answer.json()["verdicts"].as_array().unwrap().len(), 1);
        desk.store.close().await;
    }
}
