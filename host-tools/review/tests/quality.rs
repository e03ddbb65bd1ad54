//! Quality over the API: who is good, who is not, and what cannot be told yet.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

mod synthetic_fleet;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use label_store::LabelStore;
use serde_json::Value;
use synthetic_fleet::{CLIPS, RIGS, drive};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

struct Desk {
    router: Router,
    store: LabelStore,
    _stop: watch::Sender<bool>,
    _folder: TempDir,
}

impl Desk {
    async fn with_a_fleet() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LabelStore::open(&folder.path().join("labels.db"))
            .await
            .unwrap();
        drive(&store).await;
        while store
            .refresh_quality(std::time::Duration::from_mins(1))
            .await
            .unwrap()
            .behind
            > 0
        {}
        let (stop, stopped) = watch::channel(false);
        let options = review::Options {
            listen: "127.0.0.1:8080".parse().unwrap(),
            names: Vec::new(),
            exports: review::ExportPlace::default(),
            stop: stopped,
            numbers: review::Numbers::default(),
        };
        Self {
            router: review::router(store.clone(), options),
            store,
            _stop: stop,
            _folder: folder,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Request::get(path), "").await
    }

    async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        self.ask(
            Request::post(path).header(header::CONTENT_TYPE, "application/json"),
            body,
        )
        .await
    }

    async fn ask(&self, request: axum::http::request::Builder, body: &str) -> (StatusCode, Value) {
        let request = request
            .header(header::HOST, "localhost:8080")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

#[tokio::test]
async fn a_rig_whose_blinks_are_wrong_stands_below_the_line_and_the_others_clear_it() {
    let desk = Desk::with_a_fleet().await;
    let (status, answer) = desk.get("/api/quality?kind=blink&by=rig").await;
    assert_eq!(status, StatusCode::OK);
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len(), RIGS.len());
    for row in rows {
        let expected = if row["rig"] == "rig-east" {
            "below"
        } else {
            "clears"
        };
        assert_eq!(row["standing"], expected, "{row}");
        assert_eq!(row["clips"], CLIPS);
        let precision = &row["precision"];
        assert!(precision["low"].as_f64() < precision["value"].as_f64());
        let judged = row["judged"].as_u64().unwrap();
        let of_curve: u64 = row["calibration"]["curve"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| point["judged"].as_u64().unwrap())
            .sum();
        assert_eq!(judged, of_curve, "every judged label is on the curve");
    }
    assert_eq!(answer["behind"], 0);
}

#[tokio::test]
async fn too_few_clips_give_a_share_without_an_interval() {
    let desk = Desk::with_a_fleet().await;
    let (_, answer) = desk
        .get("/api/quality?kind=blink&rig=rig-north&glasses=glasses&distance=near")
        .await;
    let row = &answer["rows"][0];
    assert!(row["clips"].as_u64().unwrap() < 5, "{row}");
    assert_eq!(row["standing"], "cannot-tell");
    assert!(row["precision"]["value"].is_f64() && row["precision"]["low"].is_null());
}

#[tokio::test]
async fn coverage_and_seconds_stand_beside_precision() {
    let desk = Desk::with_a_fleet().await;
    let (_, answer) = desk
        .get("/api/quality?kind=keypoint-left-eye&rig=rig-north")
        .await;
    let coverage = &answer["coverage"][0];
    // 120 of every 150 frames have a value.
    assert_eq!(coverage["value"], 12 * 120 * CLIPS);
    assert_eq!(coverage["silent"]["eye-turned-away"], 12 * 30 * CLIPS);
    let accept = answer["seconds"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["act"] == "accept")
        .unwrap();
    let median = accept["median"].as_f64().unwrap();
    assert!(
        (0.9..2.4).contains(&median) && accept["low"].as_f64().unwrap() <= median,
        "{accept}"
    );
}

#[tokio::test]
async fn a_question_that_is_not_understood_is_told_what_is() {
    let desk = Desk::with_a_fleet().await;
    for (path, hint) in [
        ("/api/quality?by=colour", "rig, glasses, light, distance"),
        ("/api/quality?kind=nose", "bbox-person"),
        ("/api/quality?rig=a/b", "letters"),
        ("/api/quality?foo=1", "foo"),
    ] {
        let (status, answer) = desk.get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        assert!(
            answer["error"].as_str().unwrap().contains(hint),
            "{path}: {answer}"
        );
    }
}

const DEMOTE: &str = "rig-east:blink:demote";

#[tokio::test]
async fn a_bad_kind_is_withdrawn_by_a_lead_and_the_step_can_be_taken_back() {
    let desk = Desk::with_a_fleet().await;
    let (_, policy) = desk.get("/api/policy").await;
    let ids: Vec<_> = policy["proposals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&DEMOTE), "{ids:?}");
    assert!(
        !ids.iter().any(|id| id.starts_with("rig-north:blink")),
        "{ids:?}"
    );
    let approve = format!("/api/policy/proposals/{DEMOTE}/approve");
    let (status, policy) = desk.post(&approve, "{}").await;
    assert_eq!(status, StatusCode::OK, "{policy}");
    assert_eq!(
        policy["rigs"][0]["asked"]["kinds"],
        serde_json::json!([{"kind": "blink", "mode": "abstain"}])
    );
    assert_eq!(policy["standings"][0]["mode"], "withdrawn");
    let (status, answer) = desk.post(&approve, "{}").await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    let step = policy["steps"][0]["step"].as_i64().unwrap();
    let (_, policy) = desk
        .post(&format!("/api/policy/steps/{step}/revert"), "{}")
        .await;
    assert_eq!(policy["rigs"][0]["asked"]["kinds"], serde_json::json!([]));
    assert_eq!(
        policy["rigs"][0]["asked"]["revision"],
        step + 1,
        "rigs hear of that too"
    );
    assert_eq!(
        policy["steps"].as_array().unwrap().len(),
        2,
        "nothing was overwritten"
    );
}

#[tokio::test]
async fn a_declined_proposal_stays_away_until_there_is_more_to_go_by() {
    let desk = Desk::with_a_fleet().await;
    let (status, policy) = desk
        .post(&format!("/api/policy/proposals/{DEMOTE}/decline"), "{}")
        .await;
    assert_eq!(status, StatusCode::OK, "{policy}");
    let proposals = policy["proposals"].as_array().unwrap();
    assert!(proposals.iter().all(|one| one["id"] != DEMOTE), "{policy}");
    assert_eq!(
        policy["rigs"].as_array().unwrap().len(),
        0,
        "no rig is told of it"
    );
}

#[tokio::test]
async fn with_leave_the_desk_acts_by_itself_once_a_day() {
    let desk = Desk::with_a_fleet().await;
    let (_, policy) = desk.get("/api/policy").await;
    let mut rules = policy["rules"].clone();
    assert_eq!(
        desk.store
            .carry_out_proposals(label_store::now_us())
            .await
            .unwrap(),
        0,
        "not without leave"
    );
    rules["automatic"] = true.into();
    desk.post("/api/policy/rules", &rules.to_string()).await;
    let now = label_store::now_us();
    let first = desk.store.carry_out_proposals(now).await.unwrap();
    assert!(first > 0);
    let (_, policy) = desk.get("/api/policy").await;
    let step = policy["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["rig"] == "rig-east" && step["kind"] == "blink")
        .unwrap()
        .clone();
    assert_eq!(
        (step["word"].as_str(), step["automatic"].as_bool()),
        (Some("demote"), Some(true))
    );
    desk.post(&format!("/api/policy/steps/{}/revert", step["step"]), "{}")
        .await;
    assert_eq!(
        desk.store.carry_out_proposals(now + 1).await.unwrap(),
        0,
        "it had its step of the day"
    );
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_in_words() {
    let desk = Desk::with_a_fleet().await;
    let (_, policy) = desk.get("/api/policy").await;
    let mut rules = policy["rules"].clone();
    rules["min_clips"] = 1.into();
    for (path, body, hint) in [
        ("/api/policy/rules", rules.to_string(), "5 clips"),
        (
            "/api/policy/steps",
            r#"{"rig":"rig-west","kind":"blink","action":"demote","words":"x"}"#.to_owned(),
            "no such rig",
        ),
        (
            "/api/policy/steps",
            r#"{"rig":"rig-east","kind":"blink","action":"threshold","threshold":7,"words":"x"}"#
                .to_owned(),
            "between 0 and 1",
        ),
        (
            "/api/policy/steps",
            r#"{"rig":"rig-east","kind":"blink","action":"demote","words":" "}"#.to_owned(),
            "says why",
        ),
        (
            "/api/policy/steps/99/revert",
            "{}".to_owned(),
            "no such step",
        ),
        (
            "/api/calibrations",
            r#"{"text":"name = 1"}"#.to_owned(),
            "base.toml",
        ),
        ("/api/calibrations/00/fit", "{}".to_owned(), "hand it in"),
    ] {
        let (status, answer) = desk.post(path, &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {answer}");
        assert!(
            answer["error"].as_str().unwrap().contains(hint),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn the_fleet_says_in_words_what_to_look_at() {
    let desk = Desk::with_a_fleet().await;
    let (status, fleet) = desk.get("/api/fleet").await;
    assert_eq!(status, StatusCode::OK);
    let names: Vec<Vec<&str>> = fleet
        .as_array()
        .unwrap()
        .iter()
        .map(|rig| {
            rig["alarms"]
                .as_array()
                .unwrap()
                .iter()
                .map(|alarm| alarm["name"].as_str().unwrap())
                .collect()
        })
        .collect();
    // By name: east has a failed self-test and no clock.
    assert_eq!(names[0], ["self-test", "clock"], "{fleet}");
    assert_eq!(names[1], Vec::<&str>::new());
    let (_, history) = desk.get("/api/fleet/rig-east/history?hours=1").await;
    assert_eq!(history[0]["clock"], "unsynced");
}

#[tokio::test]
async fn what_arrives_is_live_by_rig_and_kind() {
    let desk = Desk::with_a_fleet().await;
    let (_, live) = desk.get("/api/live").await;
    let blinks = live["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["rig"] == "rig-north" && one["kind"] == "blink")
        .unwrap()
        .clone();
    assert_eq!(blinks["offered"], 12 * 2 * CLIPS);
    let latest = live["latest"].as_array().unwrap();
    assert_eq!(latest.len(), 40);
    assert_eq!(
        latest.last().unwrap()["rig"],
        "rig-east",
        "it reported last"
    );
}
