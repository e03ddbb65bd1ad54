//! The queue over HTTP: every kind, filters, orders, totals.

use crate::desk::Desk;
use axum::http::StatusCode;
use serde_json::{Value, json};

async fn listed(desk: &Desk, query: &str) -> (u64, Vec<Value>) {
    let answer = desk.get(&format!("/api/labels?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}");
    let total = answer.headers["x-total-count"].to_str().unwrap();
    (
        total.parse().unwrap(),
        answer.json().as_array().unwrap().clone(),
    )
}

#[tokio::test]
async fn every_kind_is_listed_with_its_value_as_on_the_wire() {
    let desk = Desk::after_a_drive_with_every_kind().await;
    let (total, all) = listed(&desk, "").await;
    assert_eq!(total as usize, all.len());
    for (kind, field) in [
        ("bbox-person", "boxes"),
        ("keypoint-left-eye", "points"),
        ("wearing-glasses", "flag"),
        ("light-change", "flag"),
        ("alertness", "level"),
        ("blink", "event"),
    ] {
        let (_, labels) = listed(&desk, &format!("kind={kind}")).await;
        assert!(!labels.is_empty(), "{kind}");
        for label in &labels {
            assert_eq!(label["kind"], json!(kind));
            assert!(!label["value"][field].is_null(), "{label}");
            assert_eq!(label["correction"], json!(null));
            assert_eq!(label["made_by"], json!(null));
        }
    }
    let (_, levels) = listed(&desk, "kind=alertness&limit=1").await;
    assert_eq!(levels[0]["signs"]["perclos"], json!(0.02));
    assert_eq!(levels[0]["driver"], json!(true));
    let (_, people) = listed(&desk, "kind=bbox-person&limit=1").await;
    assert_eq!(people[0]["value"]["boxes"][0][0], json!(12), "frame first");
}

#[tokio::test]
async fn filters_narrow_the_queue_and_the_total_follows() {
    let desk = Desk::after_a_drive_with_every_kind().await;
    let (all, _) = listed(&desk, "limit=1").await;
    let (events, _) = listed(&desk, "kind=blink,long-closure").await;
    assert_eq!(events, 12);
    let (sure, labels) = listed(&desk, "confidence_min=0.9").await;
    let (unsure, _) = listed(&desk, "confidence_max=0.89999").await;
    assert_eq!(sure + unsure, all);
    assert!(
        labels
            .iter()
            .all(|label| label["confidence"].as_f64().unwrap() >= 0.9)
    );
    assert_eq!(listed(&desk, "rig=rig-sim").await.0, all);
    assert_eq!(listed(&desk, "rig=rig-07").await.0, 0);
    let (_, first) = listed(&desk, "limit=1").await;
    let model = &first[0]["model"];
    let named = format!(
        "model={}@{}",
        model["name"].as_str().unwrap(),
        model["version"].as_str().unwrap()
    );
    assert_eq!(listed(&desk, &named).await.0, all);
    assert_eq!(listed(&desk, "model=blink-lag@99").await.0, 0);
    // The blink at frame 1302 falls into the shadow from 1200 to 1379.
    let (_, shaded) = listed(&desk, "kind=blink&condition=shadow").await;
    let starts: Vec<_> = shaded
        .iter()
        .map(|label| label["frames"][0].clone())
        .collect();
    assert_eq!(starts, [json!(1302)]);
    assert_eq!(
        shaded[0]["conditions"],
        json!(["glasses", "shadow", "uncovered", "steady-light"])
    );
    let both = listed(&desk, "kind=blink&condition=glasses,shadow").await;
    assert_eq!(both.0, 1);
}

#[tokio::test]
async fn what_a_minute_changes_most_comes_first() {
    let desk = Desk::after_a_drive_with_every_kind().await;
    let (_, labels) = listed(&desk, "order=minutes").await;
    let gains: Vec<_> = labels
        .iter()
        .map(|label| label["gain"].as_f64().unwrap())
        .collect();
    assert!(gains.windows(2).all(|pair| pair[0] >= pair[1]));
    // The glasses of which the rig was not sure: two seconds decide.
    assert_eq!(labels[0]["kind"], json!("wearing-glasses"));
    assert_eq!(labels[0]["track"], json!(3));
}
