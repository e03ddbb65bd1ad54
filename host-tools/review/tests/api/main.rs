//! The HTTP API over a real store: what it answers, and what it refuses.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

mod desk;
#[path = "../synthetic_drive/lines.rs"]
mod drawn_lines;
mod exports;
mod judging;
mod lines;
mod missed;
mod openapi;
mod queue;
mod refused;
mod second_look;
#[path = "../synthetic_drive/mod.rs"]
mod synthetic_drive;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use desk::{Answer, Desk};
use futures_util::StreamExt;
use label_core::wire::{CameraState, Shed};
use serde_json::json;
use synthetic_drive::{EVENTS, MARKS, Rig};
use tower::ServiceExt;

const ACCEPT: &str = r#"{"verdict":"accept","millis":1200}"#;

#[tokio::test]
async fn an_empty_store_is_served_as_such() {
    let desk = Desk::empty().await;
    assert_eq!(desk.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(desk.get("/api/clips").await.json(), json!([]));
    assert_eq!(desk.get("/api/labels").await.json(), json!([]));
    let summary = desk.get("/api/summary").await.json();
    assert_eq!(summary["balanced"], json!(false));
    assert_eq!(summary["made"], json!(0));
}

#[tokio::test]
async fn a_drive_is_counted_and_balances() {
    let desk = Desk::after_a_drive().await;
    let summary = desk.get("/api/summary").await.json();
    for (count, expected) in [
        ("made", 16),
        ("committed", 16),
        ("offered", 12),
        ("abstained", 4),
        ("blinks", 11),
        ("evidence", 12),
        ("frames", 1800),
        ("open_clips", 0),
    ] {
        assert_eq!(summary[count], json!(expected), "{count}");
    }
    assert_eq!(summary["balanced"], json!(true));
    assert_eq!(summary["rigs"][0]["link"], json!("online"));
    assert_eq!(
        summary["messages"]["sent"],
        summary["messages"]["committed"]
    );
    let clips = desk.get("/api/clips").await.json();
    assert_eq!(clips[0]["name"], json!("synthetic-drive.mp4"));
    assert_eq!(clips[0]["balance"], json!("balanced"));
    assert_eq!(clips[0]["events"], json!(12));
}

#[tokio::test]
async fn the_queue_is_in_time_order_and_can_be_filtered() {
    let desk = Desk::after_a_drive().await;
    let all = desk.get("/api/labels").await.json();
    assert_eq!(all.as_array().unwrap().len(), EVENTS.len());
    assert_eq!(all[0]["frames"], json!([112, 118]));
    assert_eq!(all[0]["state"], json!("waiting"));
    assert_eq!(all[0]["has_evidence"], json!(true));
    assert_eq!(all[0]["event"]["eyes"], json!("both"));
    let clip = all[0]["clip"].as_str().unwrap();
    let number = |answer: Answer| answer.json().as_array().unwrap().len();
    let of_clip = format!("/api/labels?clip={clip}");
    assert_eq!(number(desk.get(&of_clip).await), 12);
    assert_eq!(
        number(desk.get(&format!("{of_clip}&kind=long-closure")).await),
        1
    );
    assert_eq!(
        number(desk.get(&format!("{of_clip}&state=accepted")).await),
        0
    );
    assert_eq!(number(desk.get("/api/labels?limit=5&offset=10").await), 2);
    let doubtful = desk.get("/api/labels?order=doubt&limit=1").await.json();
    assert_eq!(doubtful[0]["frames"], json!([311, 315]));
}

#[tokio::test]
async fn evidence_is_a_picture_and_its_curve() {
    let desk = Desk::after_a_drive().await;
    let ids = desk.label_ids().await;
    let picture = desk.get(&format!("/api/evidence/{}.jpg", ids[0])).await;
    assert_eq!(picture.headers[header::CONTENT_TYPE], "image/jpeg");
    assert_eq!(picture.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(picture.body[..2], [0xff, 0xd8]);
    let curve = desk
        .get(&format!("/api/evidence/{}.json", ids[4]))
        .await
        .json();
    assert_eq!(curve["frames"], json!([495, 515]));
    assert_eq!(curve["columns"].as_array().unwrap().len(), 21);
    assert!(curve["right"][0].is_null(), "not looked at is not zero");
    assert!(curve["left"][0].is_number());
}

#[tokio::test]
async fn every_label_that_is_offered_has_a_key_picture_within_its_frames() {
    let desk = Desk::empty().await;
    Rig::drive_with_every_kind(&desk.store).await;
    let summary = desk.get("/api/summary").await.json();
    assert_eq!(summary["balanced"], json!(true));
    assert_eq!(summary["kinds"].as_array().unwrap().len(), 11);
    let clips = desk.get("/api/clips").await.json();
    let clip = clips[0]["id"].as_str().unwrap();
    let of_clip = format!("/api/pictures?clip={clip}");
    let pictures = desk.get(&of_clip).await.json();
    let pictures = pictures.as_array().unwrap();
    assert_eq!(clips[0]["pictures"], json!(pictures.len()));
    assert_eq!(summary["pictures"], json!(pictures.len()));
    let frames: Vec<_> = pictures
        .iter()
        .map(|picture| picture["frame"].as_u64().unwrap())
        .collect();
    assert!(frames.is_sorted());
    let mut looked_at = 0;
    for seq in 1..=summary["messages"]["sent"].as_u64().unwrap() {
        for n in 0..8 {
            let id = format!("rig-sim:7340033:{seq}:{n}");
            let label = desk.get(&format!("/api/labels/{id}")).await;
            if label.status != StatusCode::OK {
                break;
            }
            let label = label.json();
            if label["state"].is_null() || !label["event"].is_null() {
                continue;
            }
            let [from, to] = [0, 1].map(|end| label["frames"][end].as_u64().unwrap());
            let shown = frames.iter().any(|frame| (from..=to).contains(frame));
            assert!(shown, "no picture of {label}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 100, "{looked_at}");

    let first = &pictures[0];
    assert_eq!(first["size"], json!([640, 360]));
    assert_eq!(first["of"], json!([1280, 720]));
    let path = format!("/api/pictures/{}.jpg", first["id"].as_str().unwrap());
    let picture = desk.get(&path).await;
    assert_eq!(picture.headers[header::CONTENT_TYPE], "image/jpeg");
    assert_eq!(picture.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(picture.body[..2], [0xff, 0xd8]);
    for (path, status) in [
        ("/api/pictures", StatusCode::BAD_REQUEST),
        ("/api/pictures?clip=rig-sim", StatusCode::BAD_REQUEST),
        ("/api/pictures/rig-sim:7340033:1", StatusCode::NOT_FOUND),
        ("/api/pictures/rig-sim:7340033:1.jpg", StatusCode::NOT_FOUND),
        ("/api/pictures/rig-sim.jpg", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(desk.get(path).await.status, status, "{path}");
    }
    let other = desk.get("/api/pictures?clip=rig-sim:7340033:9").await;
    assert_eq!(other.json(), json!([]));
}

#[tokio::test]
async fn what_was_not_looked_at_is_told_with_its_reason() {
    let desk = Desk::after_a_drive().await;
    let clips = desk.get("/api/clips").await.json();
    let clip = clips[0]["id"].as_str().unwrap();
    let silences = desk
        .get(&format!("/api/coverage?clip={clip}&kind=blink"))
        .await
        .json();
    assert_eq!(
        silences[1],
        json!({"kind": "blink", "track": 1, "frames": [540, 603], "reason": "eye-turned-away"})
    );
    let other = desk
        .get(&format!("/api/coverage?clip={clip}&kind=alertness"))
        .await;
    assert_eq!(other.json(), json!([]));
}

#[tokio::test]
async fn moments_marked_at_the_rig_are_listed_and_counted() {
    let desk = Desk::after_a_drive().await;
    let clips = desk.get("/api/clips").await.json();
    assert_eq!(clips[0]["marks"], json!(2));
    let clip = clips[0]["id"].as_str().unwrap();
    let marks = desk.get(&format!("/api/marks?clip={clip}")).await.json();
    assert_eq!(marks.as_array().unwrap().len(), MARKS.len());
    assert_eq!(
        marks[0],
        json!({"frame": 370, "pts_us": 12_333_210, "utc_us": 1_700_000_012_333_210_i64, "clock": "ntp"})
    );
    let other = desk.get("/api/marks?clip=rig-sim:7340033:9").await;
    assert_eq!(other.json(), json!([]));
    assert_eq!(desk.get("/api/marks").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_rig_is_shown_as_it_fares_in_this_run() {
    let desk = Desk::empty().await;
    let mut rig = Rig::online(&desk.store).await;
    let of_rig = async || desk.get("/api/summary").await.json()["rigs"][0].clone();
    assert_eq!(of_rig().await["health"], json!(null));
    assert_eq!(of_rig().await["self_test"], json!(null));
    rig.be_born("failed: camera").await;
    rig.fare(Shed::HalfRate, CameraState::Unplugged).await;
    let told = of_rig().await;
    assert_eq!(told["self_test"], json!("failed: camera"));
    assert_eq!(told["health"]["shed"], json!("half-rate"));
    assert_eq!(told["health"]["temperature_c"], json!(84.0));
    assert_eq!(told["health"]["camera"]["state"], json!("unplugged"));

    // After a restart, what the run before told of itself is over.
    rig.boot = rig.boot.next().unwrap();
    rig.be_born("passed: 9 of 9").await;
    assert_eq!(of_rig().await["health"], json!(null));
    assert_eq!(of_rig().await["self_test"], json!("passed: 9 of 9"));
    rig.fare(Shed::Nothing, CameraState::Streaming).await;
    assert_eq!(of_rig().await["health"]["shed"], json!("nothing"));
}

#[tokio::test]
async fn an_abstention_cannot_be_judged() {
    let desk = Desk::after_a_drive().await;
    // The batch before the marks and the end.
    let newest = desk
        .store
        .summary()
        .await
        .unwrap()
        .rigs
        .remove(0)
        .boots
        .remove(0)
        .highest;
    let abstention = newest - 1 - MARKS.len() as u64;
    let abstention = format!("/api/labels/rig-sim:7340033:{abstention}:0");
    assert_eq!(desk.get(&abstention).await.json()["state"], json!(null));
    let answer = desk.post(&format!("{abstention}/verdicts"), ACCEPT).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_drive_is_told_in_numbers_that_prometheus_reads() {
    let desk = Desk::after_a_drive().await;
    let answer = desk.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = String::from_utf8(answer.body).unwrap();
    let mut named = std::collections::BTreeSet::new();
    for line in text.lines() {
        let line = match line.strip_prefix("# TYPE ") {
            Some(form) => {
                let (name, form) = form.split_once(' ').unwrap();
                assert!(named.insert(name.to_owned()), "{name} is told twice");
                assert_eq!(form == "counter", name.ends_with("_total"), "{line}");
                continue;
            }
            None if line.starts_with("# HELP ") => continue,
            None => line,
        };
        let (what, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
        assert!(named.contains(what.split('{').next().unwrap()), "{line}");
    }
    for line in [
        "rigel_rig_labels_committed{rig=\"rig-sim\",decision=\"offered\"} 12",
        "rigel_rig_labels_committed{rig=\"rig-sim\",decision=\"abstained\"} 4",
        "rigel_rig_labels_unaccounted{rig=\"rig-sim\",sort=\"lost\"} 0",
        "rigel_candidates{kind=\"blink\",state=\"waiting\"} 11",
        "rigel_rig_online{rig=\"rig-sim\"} 1",
        "rigel_rig_clips{rig=\"rig-sim\",state=\"closed\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // Nobody tells of a process where there is none around the page.
    assert!(!named.contains("rigel_ingest_subscribed"));
}

#[tokio::test]
async fn an_open_page_hears_of_changes_and_is_let_go_when_the_host_stops() {
    let desk = Desk::after_a_drive().await;
    let request = Request::get("/api/events")
        .header(header::HOST, "localhost:8080")
        .body(Body::empty())
        .unwrap();
    let response = desk.router.clone().oneshot(request).await.unwrap();
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    let mut events = response.into_body().into_data_stream();
    let listening = tokio::spawn(async move {
        let first = events.next().await.unwrap().unwrap();
        (String::from_utf8(first.to_vec()).unwrap(), events)
    });
    // The store is first looked at some time after the page came: verdicts go on until one of them is noticed.
    let id = desk.label_ids().await.remove(0);
    let path = format!("/api/labels/{id}/verdicts");
    while !listening.is_finished() {
        desk.post(&path, ACCEPT).await;
        tokio::task::yield_now().await;
    }
    let (heard, mut events) = listening.await.unwrap();
    assert!(heard.starts_with("event: change\n"), "{heard:?}");
    desk.stop.send(true).unwrap();
    while let Some(part) = events.next().await {
        part.unwrap();
    }
}

#[test]
fn every_address_is_described_in_the_reference() {
    let read = |path: &str| {
        std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let reference = read("../../docs/reference/http.md");
    let source = read("src/lib.rs");
    let routes: Vec<_> = source
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1))
        .collect();
    assert!(routes.len() > 8);
    for route in routes {
        let described = route.replace("{file}", "{id}.jpg");
        assert!(reference.contains(&described), "{described}");
    }
}
