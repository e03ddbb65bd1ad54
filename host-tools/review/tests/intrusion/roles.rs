//! What one role, person or dead credential may not reach of another's.

use crate::described::{operations, standing};
use crate::desk_of_people::{Desk, Shown};
use axum::http::{Method, StatusCode};
use label_store::{CredentialForm, Role, now_us};
use serde_json::{Value, json};

#[tokio::test]
async fn whoever_shows_nothing_or_something_dead_reaches_nothing() {
    let desk = Desk::new().await;
    let (out, ada) = (desk.sign_in("ann").await, desk.sign_in("ada").await);
    let left = Shown::Cookie(&out);
    desk.ask(Method::DELETE, "/api/session", left, Value::Null)
        .await;
    let before = standing(&desk, &ada).await;
    let unknown = format!("rigel-session={}", "0".repeat(64));
    let token = format!("rgl_{}", "0".repeat(64));
    let session_as_token = ada.split_once('=').unwrap().1;
    for shown in [
        Shown::Nothing,
        left,
        Shown::Cookie(&unknown),
        Shown::Cookie("rigel-session="),
        Shown::Token(&token),
        Shown::Token(""),
        Shown::Token(session_as_token),
    ] {
        for operation in operations() {
            if operation.is_for_all() {
                continue;
            }
            let address = operation.address();
            let answer = desk
                .ask(operation.method.clone(), &address, shown, json!({}))
                .await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{operation:?}");
        }
    }
    assert_eq!(standing(&desk, &ada).await, before);
}

#[tokio::test]
async fn what_leads_and_administrators_decide_a_reviewer_does_not() {
    let desk = Desk::new().await;
    let (ann, ada) = (desk.sign_in("ann").await, desk.sign_in("ada").await);
    let before = standing(&desk, &ada).await;
    let decides = [
        "/api/policy/",
        "/api/calibrations",
        "/api/sampling",
        "/api/disagreements",
        "/api/fleet/",
    ];
    let mut tried = 0;
    for operation in operations() {
        let of_leads = !operation.reads()
            && decides
                .iter()
                .any(|path| operation.template.starts_with(path))
            // Labels that leave the desk; what there is to download too.
            || operation.template.starts_with("/api/exports");
        let of_administrators = ["/api/users", "/api/audit"].contains(&operation.template.as_str());
        if of_leads || of_administrators {
            let address = operation.address();
            let answer = desk
                .ask(
                    operation.method.clone(),
                    &address,
                    Shown::Cookie(&ann),
                    json!({}),
                )
                .await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{operation:?}");
            tried += 1;
        }
    }
    assert!(tried >= 10, "{tried}");
    assert_eq!(standing(&desk, &ada).await, before);
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_at_once_and_so_is_a_locked_account() {
    let desk = Desk::new().await;
    let lea = desk.sign_in("lea").await;
    let (token, digest) = review::new_token().unwrap();
    let ends = (now_us(), now_us() + 60_000_000);
    let form = CredentialForm::Token;
    let added = desk
        .store
        .add_credential(&digest, "lea", form, "script", ends);
    added.await.unwrap();
    let rules = desk.get("/api/policy", Shown::Cookie(&lea)).await.json["rules"].clone();
    let ways = [Shown::Cookie(&lea), Shown::Token(&token)];
    for shown in ways {
        let answer = desk.post("/api/policy/rules", shown, rules.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
    }
    desk.store
        .set_role("lea", Role::Reviewer, "test", now_us())
        .await
        .unwrap();
    for shown in ways {
        let answer = desk.post("/api/policy/rules", shown, rules.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    desk.store
        .set_locked("lea", true, "test", now_us())
        .await
        .unwrap();
    for shown in ways {
        let answer = desk.get("/api/labels", shown).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}
