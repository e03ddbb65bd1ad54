//! Who is let in, with what, and what each may do.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

mod desk_of_people;
#[expect(dead_code, reason = "other tests look at more of the drive")]
mod synthetic_drive;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use desk_of_people::{Desk, PASSWORD, Shown};
use label_store::{CredentialForm, Role, now_us};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn first_label(desk: &Desk, shown: Shown<'_>) -> String {
    let labels = desk.get("/api/labels", shown).await.json;
    labels[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_desk_without_accounts_asks_nobody_who_they_are() {
    let desk = Desk::open().await;
    let who = desk.get("/api/session", Shown::Nothing).await.json;
    assert_eq!(
        who,
        json!({"open": true, "user": "desk", "role": "administrator"})
    );
    let labels = desk.get("/api/labels", Shown::Nothing).await;
    assert_eq!(labels.status, StatusCode::OK);
}

#[tokio::test]
async fn with_accounts_nothing_is_told_to_whoever_has_not_signed_in() {
    let desk = Desk::new().await;
    for path in [
        "/api/summary",
        "/api/clips",
        "/api/labels",
        "/api/labels/rig-07:1:2:0",
        "/api/evidence/rig-07:1:2:0.jpg",
        "/api/pictures?clip=a:1:1",
        "/api/events",
        "/api/users",
        "/api/audit",
        "/api/leases",
        "/api/no-such-thing",
    ] {
        let answer = desk.get(path, Shown::Nothing).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let verdict = json!({"verdict": "accept", "millis": 1});
    let answer = desk
        .post("/api/labels/rig-07:1:2:0/verdicts", Shown::Nothing, verdict)
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.get("/", Shown::Nothing).await.status, StatusCode::OK);
    assert_eq!(
        desk.get("/healthz", Shown::Nothing).await.status,
        StatusCode::OK
    );
    let who = desk.get("/api/session", Shown::Nothing).await.json;
    assert_eq!(who, json!({"open": false, "user": null, "role": null}));
}

#[tokio::test]
async fn whoever_signs_in_is_who_their_verdicts_name_until_they_sign_out() {
    let desk = Desk::new().await;
    let cookie = desk.sign_in("ann").await;
    let ann = Shown::Cookie(&cookie);
    let who = desk.get("/api/session", ann).await.json;
    assert_eq!(
        who,
        json!({"open": false, "user": "ann", "role": "reviewer"})
    );
    let id = first_label(&desk, ann).await;
    let verdict = json!({"verdict": "accept", "millis": 900});
    let judged = desk
        .post(&format!("/api/labels/{id}/verdicts"), ann, verdict)
        .await;
    assert_eq!(judged.status, StatusCode::OK, "{}", judged.json);
    assert_eq!(judged.json["verdicts"][0]["reviewer"], "ann");

    let out = desk
        .ask(Method::DELETE, "/api/session", ann, Value::Null)
        .await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(
        desk.get("/api/labels", ann).await.status,
        StatusCode::UNAUTHORIZED,
        "the cookie is worth nothing afterwards"
    );
}

#[tokio::test]
async fn a_wrong_password_an_unknown_name_and_a_locked_account_are_told_the_same() {
    let desk = Desk::new().await;
    desk.store.set_locked("lea", true, "test", 2).await.unwrap();
    let mut told = Vec::new();
    for (name, password) in [
        ("ann", "another long walk"),
        ("nobody", PASSWORD),
        ("lea", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ] {
        let answer = desk.try_to_sign_in(name, password, Shown::Nothing).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
        told.push(answer.json);
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_says_for_how_long() {
    let desk = Desk::new().await;
    for _ in 0..5 {
        let answer = desk
            .try_to_sign_in("ann", "a wrong password", Shown::Nothing)
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = desk.try_to_sign_in("ann", PASSWORD, Shown::Nothing).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    desk.sign_in("lea").await;
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_never_taken_over() {
    let desk = Desk::new().await;
    let planted = format!("rigel-session={}", "0".repeat(64));
    let answer = desk
        .try_to_sign_in("ann", PASSWORD, Shown::Cookie(&planted))
        .await;
    let given = answer.cookie();
    assert_ne!(given, planted);
    assert_eq!(
        desk.get("/api/labels", Shown::Cookie(&planted))
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    // Signing in again ends the session that was shown.
    let again = desk
        .try_to_sign_in("ann", PASSWORD, Shown::Cookie(&given))
        .await
        .cookie();
    assert_ne!(again, given);
    assert_eq!(
        desk.get("/api/labels", Shown::Cookie(&given)).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        desk.get("/api/labels", Shown::Cookie(&again)).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let desk = Desk::new().await;
    let answer = desk.try_to_sign_in("ann", PASSWORD, Shown::Nothing).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Path"),
        "{cookie}"
    );
    let request = Request::post("/api/session")
        .header(header::HOST, "localhost:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-forwarded-proto", "https")
        .body(Body::from(
            json!({"name": "ann", "password": PASSWORD}).to_string(),
        ))
        .unwrap();
    let response = desk.router.clone().oneshot(request).await.unwrap();
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    // A form on another site, with the browser sending the cookie along after all.
    let request = Request::post("/api/session")
        .header(header::HOST, "localhost:8080")
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(
            json!({"name": "ann", "password": PASSWORD}).to_string(),
        ))
        .unwrap();
    let response = desk.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn each_role_does_what_it_may_and_no_more() {
    let desk = Desk::new().await;
    for (name, status) in [
        ("ann", StatusCode::FORBIDDEN),
        ("lea", StatusCode::FORBIDDEN),
        ("ada", StatusCode::OK),
    ] {
        let cookie = desk.sign_in(name).await;
        for path in ["/api/users", "/api/audit"] {
            let answer = desk.get(path, Shown::Cookie(&cookie)).await;
            assert_eq!(answer.status, status, "{name} {path}");
            assert!(
                !answer.json.to_string().contains("argon2"),
                "hashes stay in the store"
            );
        }
    }
}

#[tokio::test]
async fn a_script_is_let_in_by_its_token_until_that_is_revoked() {
    let desk = Desk::new().await;
    let (token, digest) = review::new_token().unwrap();
    let now = now_us();
    desk.store
        .add_credential(
            &digest,
            "ann",
            CredentialForm::Token,
            "export",
            (now, now + 60_000_000),
        )
        .await
        .unwrap();
    let script = Shown::Token(&token);
    assert_eq!(
        desk.get("/api/summary", script).await.status,
        StatusCode::OK
    );
    let as_cookie = format!("rigel-session={token}");
    assert_eq!(
        desk.get("/api/summary", Shown::Cookie(&as_cookie))
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    let id = desk.store.tokens(now).await.unwrap()[0].id.clone();
    desk.store.revoke_token(&id, "test", now).await.unwrap();
    assert_eq!(
        desk.get("/api/summary", script).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn two_people_never_judge_one_item() {
    let desk = Desk::new().await;
    let (ann, lea) = (desk.sign_in("ann").await, desk.sign_in("lea").await);
    let (ann, lea) = (Shown::Cookie(&ann), Shown::Cookie(&lea));
    let id = first_label(&desk, ann).await;
    let (lease, verdicts) = (
        format!("/api/leases/{id}"),
        format!("/api/labels/{id}/verdicts"),
    );
    let held = desk.post(&lease, ann, Value::Null).await.json;
    assert_eq!(
        (held["item"].as_str(), held["holder"].as_str()),
        (Some(id.as_str()), Some("ann"))
    );
    assert_eq!(
        desk.post(&lease, lea, Value::Null).await.json["holder"],
        "ann"
    );
    assert_eq!(desk.get("/api/leases", lea).await.json[0]["holder"], "ann");
    let verdict = json!({"verdict": "accept", "millis": 1});
    let refused = desk.post(&verdicts, lea, verdict.clone()).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.json["error"], "ann is working on this item");
    let undo = format!("/api/labels/{id}/undo");
    assert_eq!(
        desk.post(&undo, lea, json!({})).await.status,
        StatusCode::CONFLICT
    );
    let stolen = desk.ask(Method::DELETE, &lease, lea, Value::Null).await;
    assert_eq!(stolen.status, StatusCode::NO_CONTENT);
    assert_eq!(
        desk.post(&verdicts, lea, verdict.clone()).await.status,
        StatusCode::CONFLICT,
        "another's lease is not given back"
    );
    desk.ask(Method::DELETE, &lease, ann, Value::Null).await;
    let taken = desk.post(&verdicts, lea, verdict).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.json);
}

#[tokio::test]
async fn nobody_takes_a_track_or_a_batch_from_under_anothers_hands() {
    let desk = Desk::new().await;
    let (ann, lea) = (desk.sign_in("ann").await, desk.sign_in("lea").await);
    let (ann, lea) = (Shown::Cookie(&ann), Shown::Cookie(&lea));
    let labels = desk.get("/api/labels", ann).await.json;
    let (first, second) = (labels[0].clone(), labels[1]["id"].as_str().unwrap());
    let (id, clip) = (
        first["id"].as_str().unwrap(),
        first["clip"].as_str().unwrap(),
    );
    let tracks = format!("/api/clips/{clip}/tracks");
    let split = json!({"do": "split", "track": first["track"], "frame": 600});
    let both = json!({"labels": [id, second], "verdict": "accept", "millis": 10});
    let batch = desk.post("/api/verdicts", lea, both).await.json["batch"].clone();
    let undo = format!("/api/verdicts/{}/undo", batch.as_str().unwrap());

    let lease = format!("/api/leases/{id}");
    desk.post(&lease, ann, Value::Null).await;
    for (path, body) in [
        (&tracks, split.clone()),
        (
            &tracks,
            json!({"do": "extend", "track": first["track"], "kind": "bbox-person", "to": 900}),
        ),
        (&undo, json!({})),
    ] {
        let refused = desk.post(path, lea, body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{path}");
        assert_eq!(refused.json["error"], "ann is working on this item");
    }
    // Ann herself may, and what she said is not taken back behind her.
    let edited = desk.post(&tracks, ann, split.clone()).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.json);
    let back = format!("{tracks}/undo");
    let refused = desk.post(&back, lea, json!({})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    desk.ask(Method::DELETE, &lease, ann, Value::Null).await;
    assert_eq!(
        desk.post(&back, lea, json!({})).await.status,
        StatusCode::OK
    );
    assert_eq!(
        desk.post(&undo, lea, json!({})).await.status,
        StatusCode::OK
    );

    let nowhere = desk
        .post("/api/leases/rig-07:1:4711:0", ann, Value::Null)
        .await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_key_of_anothers_request_is_no_answer_to_ones_own() {
    let desk = Desk::new().await;
    let (ann, lea) = (desk.sign_in("ann").await, desk.sign_in("lea").await);
    let id = first_label(&desk, Shown::Cookie(&ann)).await;
    let path = format!("/api/labels/{id}/verdicts");
    let verdict = json!({"verdict": "accept", "millis": 5, "key": "k1"});
    for (who, status) in [
        (&ann, StatusCode::OK),
        (&ann, StatusCode::OK),
        (&lea, StatusCode::CONFLICT),
    ] {
        let answer = desk.post(&path, Shown::Cookie(who), verdict.clone()).await;
        assert_eq!(answer.status, status, "{}", answer.json);
    }
}

#[tokio::test]
async fn over_what_a_lead_decided_no_reviewer_says_otherwise_and_reviewers_decide_nothing() {
    let desk = Desk::new().await;
    let cookie = desk.sign_in("ann").await;
    let (ann, token) = (Shown::Cookie(&cookie), desk.sign_in("lea").await);
    let lea = Shown::Cookie(&token);
    let label = first_label(&desk, ann).await;
    let sampling = label_store::Sampling::of_all(
        1,
        label_store::Shares {
            other: 1.0,
            ..label_store::Shares::NONE
        },
    );
    desk.store.set_sampling(&sampling, "test", 1).await.unwrap();
    let verdicts = format!("/api/labels/{label}/verdicts");
    let accept = json!({"verdict": "accept", "millis": 900});
    assert_eq!(
        desk.post(&verdicts, ann, accept.clone()).await.status,
        StatusCode::OK
    );
    // The administrator says from scratch that there is nothing; Lea decides that the verdict stands.
    let admin = desk.sign_in("ada").await;
    let asked = desk
        .post("/api/looks/next", Shown::Cookie(&admin), json!({}))
        .await;
    let look = &asked.json["look"]["look"];
    let answered = desk
        .post(
            &format!("/api/looks/{look}/answer"),
            Shown::Cookie(&admin),
            json!({"said": "nothing", "millis": 800}),
        )
        .await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.json);
    // Neither of the two may answer it once more, nor see what the other said through the look.
    let peek = desk.get(&format!("/api/looks/{look}"), lea).await;
    assert_eq!(peek.json["answer"], Value::Null);
    assert_eq!(
        desk.get("/api/disagreements", ann).await.status,
        StatusCode::FORBIDDEN
    );
    let waits = desk.get("/api/disagreements", lea).await.json;
    assert_eq!(
        waits[0]["decidable"], false,
        "Lea has said nothing yet: she could be the third"
    );
    let second = desk.post("/api/looks/next", lea, json!({})).await;
    let second = &second.json["look"]["look"];
    desk.post(
        &format!("/api/looks/{second}/answer"),
        lea,
        json!({"said": "nothing", "millis": 800}),
    )
    .await;
    let hash = review::hash_password(PASSWORD).unwrap();
    desk.store
        .add_user("leo", Role::Lead, &hash, "test", 1)
        .await
        .unwrap();
    let leo = desk.sign_in("leo").await;
    let leo = Shown::Cookie(&leo);
    let open = desk.get("/api/disagreements", leo).await.json;
    let place = open[0]["sides"]
        .as_array()
        .unwrap()
        .iter()
        .position(|side| side["says"] == "here")
        .unwrap();
    let path = format!("/api/disagreements/{label}/decision");
    let body = json!({"side": place, "millis": 900});
    assert_eq!(
        desk.post(&path, ann, body.clone()).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        desk.post(&path, lea, body.clone()).await.status,
        StatusCode::CONFLICT,
        "one of them"
    );
    assert_eq!(desk.post(&path, leo, body).await.status, StatusCode::OK);
    assert_eq!(
        desk.post(&verdicts, ann, accept.clone()).await.status,
        StatusCode::CONFLICT
    );
    let undo = desk
        .post(&format!("/api/labels/{label}/undo"), ann, json!({}))
        .await;
    assert_eq!(undo.status, StatusCode::CONFLICT);
    assert_eq!(
        desk.post(
            "/api/sampling",
            ann,
            json!({"seed": 1, "shares": sampling.shares})
        )
        .await
        .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        desk.post(&verdicts, leo, accept).await.status,
        StatusCode::OK,
        "a lead may"
    );
}
