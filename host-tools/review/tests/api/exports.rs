//! Asking for exports, and downloading what the host wrote.

use crate::desk::{Desk, from_the_page};
use axum::http::{Request, StatusCode, header};
use label_store::{Archive, now_us};
use serde_json::json;

const WISH: &str =
    r#"{"format":"csv","labels":"both","filter":{"kind":"blink,alertness","state":"waiting"}}"#;

async fn delete(desk: &Desk, path: &str) -> StatusCode {
    let request = Request::delete(path)
        .header(header::HOST, "localhost:8080")
        .header("sec-fetch-site", "same-origin");
    desk.ask(request, "").await.status
}

#[tokio::test]
async fn an_export_is_asked_for_listed_downloaded_once_it_is_here_and_deleted() {
    let desk = Desk::empty().await;
    let asked = desk.post("/api/exports", WISH).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    let asked = asked.json();
    assert_eq!(
        (&asked["state"], &asked["asked_by"]),
        (&json!("waiting"), &json!("desk"))
    );
    assert_eq!(asked["wish"]["filter"]["kind"], "blink,alertness");
    assert_eq!(desk.get("/api/exports").await.json(), json!([asked]));
    let early = desk.get("/api/exports/1/labels.zip").await;
    assert_eq!(early.status, StatusCode::NOT_FOUND);

    // As the host does it.
    desk.store.next_export("").await.unwrap().unwrap();
    assert!(desk.store.note_export(1, 30, 120).await.unwrap());
    let running = desk.get("/api/exports/1").await.json();
    assert_eq!(
        (&running["state"], &running["done"], &running["total"]),
        (&json!("running"), &json!(30), &json!(120))
    );
    let folder = desk.exports.folder.clone();
    std::fs::create_dir(&folder).unwrap();
    let bytes: Vec<u8> = (0..600_000_u32).map(|n| n as u8).collect();
    std::fs::write(folder.join("1.zip"), &bytes).unwrap();
    let archive = Archive {
        bytes: bytes.len() as u64,
        sha256: "5e".repeat(32),
        summary: json!({"clips": 1, "labels": {"machine": 12}, "lost": {}, "told": []}),
    };
    let ended = Ok(archive);
    desk.store.end_export(1, &ended, now_us()).await.unwrap();
    let here = desk.get("/api/exports/1").await.json();
    assert_eq!(
        (&here["state"], &here["summary"]["clips"]),
        (&json!("here"), &json!(1))
    );
    let got = desk.get("/api/exports/1/labels.zip").await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.headers[header::CONTENT_LENGTH], "600000");
    let name = got.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(name, "attachment; filename=\"rigel-csv-1.zip\"");
    assert!(got.body == bytes);
    let audit = desk.store.audit(5).await.unwrap();
    assert!(
        audit.iter().any(|line| line.what == "downloaded"),
        "{audit:?}"
    );

    assert_eq!(
        delete(&desk, "/api/exports/1").await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(delete(&desk, "/api/exports/1").await, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/api/exports").await.json(), json!([]));
}

#[tokio::test]
async fn what_cannot_be_exported_is_refused_before_it_is_tried() {
    let desk = Desk::empty().await;
    for (wish, why) in [
        (r#"{"format":"jpeg"}"#, "a format is one of csv, parquet"),
        (
            r#"{"format":"csv","filter":{"kind":"wink"}}"#,
            "a kind is one of",
        ),
        (r#"{"format":"csv","filter":{"order":"doubt"}}"#, "no order"),
        (
            r#"{"format":"csv","split":"train=80"}"#,
            "at least two subsets",
        ),
        (r#"{"format":"csv","people":"a,b"}"#, "into which subsets"),
        (
            r#"{"format":"csv","split":"a=1,b=1","people":"rig:1:1"}"#,
            "line 1: write `clip,person`",
        ),
    ] {
        let answer = desk.post("/api/exports", wish).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wish}");
        assert!(answer.error().contains(why), "{wish}: {}", answer.error());
    }
    assert_eq!(desk.get("/api/exports").await.json(), json!([]));
    for path in [
        "/api/exports/x",
        "/api/exports/9",
        "/api/exports/9/labels.zip",
    ] {
        assert_eq!(desk.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn no_more_than_eight_wait_and_who_is_in_which_clip_is_told_to_nobody() {
    let desk = Desk::empty().await;
    let of_people =
        r#"{"format":"csv","split":"a=1,b=1","seed":7,"people":"rig:1:1,Ann\nrig:1:2,Bob"}"#;
    let asked = desk.post("/api/exports", of_people).await;
    assert!(
        !String::from_utf8(asked.body.clone())
            .unwrap()
            .contains("Ann")
    );
    assert_eq!(asked.json()["by_person"], json!(true));
    for _ in 1..8 {
        let answer = desk.ask(from_the_page("/api/exports"), WISH).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    let ninth = desk.post("/api/exports", WISH).await;
    assert_eq!(ninth.status, StatusCode::CONFLICT);
    assert!(ninth.error().contains("enough exports wait"));
}
