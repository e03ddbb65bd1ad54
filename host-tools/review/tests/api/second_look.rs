//! Second looks over HTTP: before somebody answers, nothing tells what the rig said.

use crate::desk::Desk;
use crate::synthetic_drive::Rig;
use axum::http::StatusCode;
use label_core::LabelKind;
use label_core::wire::LabelValue;
use label_store::{DeskValue, LabelKey, Sampling, Shares, StoredLabel, label_key_text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn desk(shares: Shares) -> Desk {
    let desk = Desk::empty().await;
    let sampling = Sampling::of_all(3, shares);
    desk.store.set_sampling(&sampling, "lea", 1).await.unwrap();
    Rig::drive_with_every_kind(&desk.store).await;
    desk
}

const ALL_BLIND: Shares = Shares {
    blind: 1.0,
    ..Shares::NONE
};

/// What the rig offered, by the number of the look.
async fn offered(desk: &Desk) -> Vec<(i64, StoredLabel)> {
    let mut offered = Vec::new();
    for (look, _) in desk.store.looks(1000).await.unwrap() {
        let label = desk
            .store
            .label(&look.label.unwrap())
            .await
            .unwrap()
            .unwrap();
        offered.push((look.look, label.label));
    }
    offered
}

/// What the rig said of a label, as numbers that would stand in JSON.
fn tells(label: &StoredLabel) -> Vec<String> {
    let mut words = vec![
        format!(":{}", label.confidence.unwrap()),
        label.model.as_ref().unwrap().sha256.clone(),
    ];
    match label.value.as_ref().and_then(DeskValue::offered).unwrap() {
        LabelValue::Boxes(keys) => words.push(format!("{},{}", keys[0].1, keys[0].2)),
        LabelValue::Points(keys) => words.push(format!("{},{}", keys[0].1, keys[0].2)),
        LabelValue::Event(_) => {
            words.push(format!("[{},{}]", label.frames.start, label.frames.end));
        }
        LabelValue::Flag(_) | LabelValue::Level(_) => {}
    }
    words
}

#[tokio::test]
async fn before_the_answer_no_address_carries_a_hint_of_a_blind_candidate() {
    let desk = desk(ALL_BLIND).await;
    let offered = offered(&desk).await;
    assert!(offered.len() > 100);
    let clip = "rig-sim:7340033:1";
    let listed = desk.get("/api/labels").await;
    assert_eq!(listed.json(), json!([]));
    assert_eq!(listed.headers["x-total-count"], "0");
    for filter in [
        "confidence_min=0.9",
        "order=doubt",
        "condition=glasses",
        "state=waiting",
    ] {
        let answer = desk.get(&format!("/api/labels?{filter}")).await;
        assert_eq!(answer.headers["x-total-count"], "0", "{filter}");
    }
    let blind = desk.get("/api/labels?state=blind").await;
    assert_eq!(blind.status, StatusCode::BAD_REQUEST);
    assert_eq!(desk.get("/api/live").await.json()["latest"], json!([]));
    let curve = desk
        .get(&format!("/api/curve?clip={clip}&track=1&frames=0,1799"))
        .await
        .json();
    let told = curve["left"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| !one.is_null());
    assert!(!told, "a whole filmstrip's curve ends beside its event");

    let mut beside = BTreeSet::new();
    for (number, label) in &offered {
        let id = label_key_text(&label.id);
        let path = format!("/api/labels/{id}");
        for path in [
            path.clone(),
            format!("/api/evidence/{id}.json"),
            format!("/api/evidence/{id}.jpg"),
        ] {
            let answer = desk.get(&path).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
            assert!(answer.error().contains("from scratch"));
        }
        let accept = r#"{"verdict":"accept","millis":900}"#;
        let judged = desk.post(&format!("{path}/verdicts"), accept).await;
        assert_eq!(judged.status, StatusCode::CONFLICT);
        let look = desk.get(&format!("/api/looks/{number}")).await;
        let mut text = String::from_utf8(look.body.clone()).unwrap();
        if label.kind.is_event() {
            let strip = desk.get(&format!("/api/looks/{number}/strip")).await;
            let columns = strip.json()["columns"].as_array().unwrap().clone();
            let (first, last) = (
                columns[0].as_u64().unwrap(),
                columns.last().unwrap().as_u64().unwrap(),
            );
            beside.insert(u64::from(label.frames.start) - first);
            beside.insert(last.saturating_sub(u64::from(label.frames.end)));
            text.push_str(&String::from_utf8(strip.body).unwrap());
            let picture = desk.get(&format!("/api/looks/{number}/strip.jpg")).await;
            assert_eq!(picture.status, StatusCode::OK);
        }
        assert!(!text.contains(&id), "the label's name leads to it");
        for word in tells(label) {
            assert!(!text.contains(&word), "{word} in {text}");
        }
        assert_eq!(look.json()["answer"], Value::Null);
    }
    assert!(
        beside.len() > 4,
        "events lie anywhere in their strips: {beside:?}"
    );
}

async fn next(desk: &Desk) -> Value {
    desk.post("/api/looks/next", "{}").await.json()
}

async fn look_at(desk: &Desk, kind: LabelKind) -> (i64, StoredLabel) {
    let offered = offered(desk).await;
    offered
        .into_iter()
        .find(|(_, label)| label.kind == kind)
        .unwrap()
}

#[tokio::test]
async fn an_answer_shows_what_the_rig_said_and_the_label_waits_for_its_verdict() {
    let desk = desk(ALL_BLIND).await;
    let first = next(&desk).await;
    assert!(first["due"].as_u64().unwrap() > 100);
    assert_eq!(first["alone"], true);
    let (number, label) = look_at(&desk, LabelKind::WearingGlasses).await;
    let path = format!("/api/looks/{number}");
    let nothing = desk
        .post(
            &format!("{path}/answer"),
            r#"{"said":"nothing","millis":800}"#,
        )
        .await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let Some(DeskValue::Offered(LabelValue::Flag(flag))) = label.value else {
        panic!("glasses are yes or no");
    };
    let body =
        json!({"said": "here", "reading": {"value": {"flag": !flag}}, "millis": 800, "key": "k-1"});
    for _ in 0..2 {
        let answered = desk
            .post(&format!("{path}/answer"), &body.to_string())
            .await;
        assert_eq!(answered.status, StatusCode::OK, "{:?}", answered.json());
        let answer = &answered.json()["answer"];
        assert_eq!(
            (&answer["sort"], &answer["agrees"]),
            (&json!("blind"), &json!(false))
        );
        assert_eq!(answer["against"]["value"], json!({"flag": flag}));
        assert_eq!(answer["against"]["state"], "waiting");
        assert_eq!(answer["label"], label_key_text(&label.id));
    }
    let accept = r#"{"verdict":"accept","millis":900}"#;
    let judged = desk
        .post(
            &format!("/api/labels/{}/verdicts", label_key_text(&label.id)),
            accept,
        )
        .await;
    assert_eq!(judged.json()["state"], "accepted");
    let undone = desk.post(&format!("{path}/undo"), "{}").await;
    assert_eq!(undone.json()["answer"], Value::Null);
    let again = desk.post(&format!("{path}/undo"), "{}").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn silence_that_was_none_becomes_a_label_of_whoever_said_so() {
    let desk = desk(Shares {
        silence: 1.0,
        ..Shares::NONE
    })
    .await;
    let asked = next(&desk).await;
    let look = &asked["look"];
    assert_eq!(look["answer"], Value::Null);
    let looks = desk.get("/api/looks").await.json();
    let person = looks
        .as_array()
        .unwrap()
        .iter()
        .find(|look| look["kind"] == "keypoint-left-eye" && look["frames"][0] == 980)
        .unwrap();
    let path = format!("/api/looks/{}/answer", person["look"]);
    let body = json!({"said": "here", "reading": {"value": {"points": [[1000, 600.0, 300.0, 1.0]]}}, "millis": 2000});
    let answered = desk.post(&path, &body.to_string()).await.json();
    let made = answered["answer"]["made"].as_str().unwrap();
    let label = desk.get(&format!("/api/labels/{made}")).await.json();
    assert_eq!(
        (&label["state"], &label["frames"]),
        (&json!("created"), &json!([1000, 1000]))
    );
    assert!(matches!(
        label_store::parse_label_key(made),
        Some(LabelKey::Desk(_))
    ));
}

#[tokio::test]
async fn the_rule_is_set_by_name_and_stays_on_record() {
    let desk = Desk::after_a_drive().await;
    let none = desk.get("/api/sampling").await.json();
    assert_eq!((&none["rules"], &none["due"]), (&json!([]), &json!(0)));
    let shares = json!({"blind": 0.05, "silence": 0, "self": 0, "other": 0.5});
    let by_kind: serde_json::Map<_, _> = LabelKind::ALL
        .iter()
        .map(|kind| (kind.name().to_owned(), shares.clone()))
        .collect();
    let body = json!({"seed": 12, "shares": by_kind});
    let set = desk.post("/api/sampling", &body.to_string()).await;
    assert_eq!(set.status, StatusCode::OK);
    let rule = &set.json()["rules"][0];
    assert_eq!(
        (&rule["seed"], &rule["version"], &rule["decided_by"]),
        (&json!(12), &json!(1), &json!("desk"))
    );
    let mut wrong = body.clone();
    wrong["shares"]["blink"]["blind"] = json!(1.5);
    let wrong = desk.post("/api/sampling", &wrong.to_string()).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let look = desk.get("/api/looks/12").await;
    assert_eq!(look.status, StatusCode::NOT_FOUND);
}

/// On a desk without accounts everybody is one person: nobody can be asked but a lead, who is the same.
#[tokio::test]
async fn a_disagreement_with_oneself_is_shown_without_names_and_decided_and_taken_back() {
    let desk = desk(ALL_BLIND).await;
    let (number, label) = look_at(&desk, LabelKind::Blink).await;
    let answer = r#"{"said":"nothing","millis":800}"#;
    desk.post(&format!("/api/looks/{number}/answer"), answer)
        .await;
    let id = label_key_text(&label.id);
    assert_eq!(
        desk.get("/api/disagreements").await.json(),
        json!([]),
        "nothing stands yet"
    );
    let accept = r#"{"verdict":"accept","millis":900}"#;
    desk.post(&format!("/api/labels/{id}/verdicts"), accept)
        .await;
    let open = desk.get("/api/disagreements").await.json();
    let case = &open[0];
    assert_eq!(
        (&case["label"], &case["decidable"]),
        (&json!(id), &json!(true))
    );
    let says: Vec<_> = case["sides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|side| side["says"].as_str().unwrap())
        .collect();
    assert_eq!(says.len(), 2);
    assert!(
        case["sides"]
            .as_array()
            .unwrap()
            .iter()
            .all(|side| side["reviewer"].is_null())
    );
    let nothing = says.iter().position(|said| *said == "nothing").unwrap();

    let path = format!("/api/disagreements/{id}/decision");
    let beyond = desk.post(&path, r#"{"side":2,"millis":5}"#).await;
    assert_eq!(beyond.status, StatusCode::CONFLICT);
    let body = json!({"side": nothing, "millis": 5000, "key": "d-1"});
    for _ in 0..2 {
        let decided = desk.post(&path, &body.to_string()).await;
        assert_eq!(decided.status, StatusCode::OK, "{:?}", decided.json());
        let case = &decided.json()[0];
        assert_eq!(
            (&case["state"], &case["decision"]["choice"]),
            (&json!("decided"), &json!("dissent"))
        );
        assert_eq!(case["sides"][0]["reviewer"], "desk");
    }
    let stands = desk.get(&format!("/api/labels/{id}")).await.json();
    assert_eq!(
        (&stands["state"], &stands["cause"]),
        (&json!("rejected"), &json!("wrong-value"))
    );
    let undone = desk
        .post(&format!("/api/disagreements/{id}/undo"), "{}")
        .await;
    assert_eq!(undone.json()[0]["decision"], Value::Null);
    let stands = desk.get(&format!("/api/labels/{id}")).await.json();
    assert_eq!(stands["state"], "accepted");
    let nowhere = desk
        .post("/api/disagreements/rig-sim:7340033:1:0/undo", "{}")
        .await;
    assert_eq!(nowhere.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn agreement_says_what_was_asked_and_what_cannot_be_told_yet() {
    let desk = desk(ALL_BLIND).await;
    let (number, _) = look_at(&desk, LabelKind::WearingGlasses).await;
    let body = r#"{"said":"here","reading":{"value":{"flag":true}},"millis":800}"#;
    desk.post(&format!("/api/looks/{number}/answer"), body)
        .await;
    let told = desk.get("/api/agreement").await.json();
    assert_eq!((&told["alone"], &told["behind"]), (&json!(true), &json!(0)));
    let glasses = &told["kinds"][0];
    assert_eq!(glasses["kind"], "wearing-glasses");
    assert_eq!(
        (&glasses["blind"]["told"], &glasses["blind"]["share"]["low"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(
        (&glasses["politeness"], &glasses["self"]),
        (&Value::Null, &Value::Null)
    );
    let of_none = desk.get("/api/agreement?rig=nobody").await.json();
    assert_eq!(of_none["kinds"], json!([]));
    let wrong = desk.get("/api/agreement?rig=a%2Fb").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}
