//! What is refused: identities that lead elsewhere, queries that mean nothing, other sites, and what nobody is to learn.

use crate::ACCEPT;
use crate::desk::Desk;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn hostile_ids_lead_nowhere() {
    let desk = Desk::after_a_drive().await;
    for id in [
        "x",
        "..%2F..%2Fetc%2Fpasswd",
        "rig-sim:7340033:10:0'%20OR%201=1--",
        "%3Cscript%3E:1:1:1",
        "rig-sim:0:1:0",
        "rig-sim:7340033:99999999999999999999:0",
        "rig-sim:7340033:9223372036854775808:0",
        "rig-sim:7340033:10:70000",
        "%00:1:1:1",
    ] {
        let label = desk.get(&format!("/api/labels/{id}")).await;
        assert_eq!(label.status, StatusCode::BAD_REQUEST, "{id}");
        let evidence = desk.get(&format!("/api/evidence/{id}.jpg")).await;
        assert_eq!(evidence.status, StatusCode::BAD_REQUEST, "{id}");
        let verdict = desk
            .post(&format!("/api/labels/{id}/verdicts"), ACCEPT)
            .await;
        assert_eq!(verdict.status, StatusCode::BAD_REQUEST, "{id}");
    }
    let unknown = "rig-sim:7340033:4711:0";
    for path in [
        format!("/api/labels/{unknown}"),
        format!("/api/evidence/{unknown}.json"),
        "/api/evidence/no-form".to_owned(),
        "/api/nothing".to_owned(),
        "/../Cargo.toml".to_owned(),
    ] {
        assert_eq!(
            desk.get(&path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let verdict = desk
        .post(&format!("/api/labels/{unknown}/verdicts"), ACCEPT)
        .await;
    assert_eq!(verdict.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn queries_that_are_not_understood_say_so() {
    let desk = Desk::after_a_drive().await;
    for path in [
        "/api/labels?clip=nonsense",
        "/api/labels?state=lost",
        "/api/labels?kind=sneeze",
        "/api/labels?kind=blink,sneeze",
        "/api/labels?rig=a/b",
        "/api/labels?condition=rain",
        "/api/labels?confidence_min=1.5",
        "/api/labels?confidence_max=NaN",
        "/api/labels?model=blink-lag",
        "/api/labels?order=best",
        "/api/labels?offset=100001",
        "/api/labels?limit=many",
        "/api/labels?limit=5001",
        "/api/labels?kind=",
        "/api/labels?kind=blink,",
        "/api/fleet/rig-sim/history?hours=169",
        "/api/labels?sort=up",
        "/api/coverage",
        "/api/coverage?clip=rig-sim:7340033:1&kind=x",
    ] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(!answer.error().is_empty(), "{path}");
    }
    let answer = desk.post("/api/summary", "{}").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn verdicts_from_another_site_are_refused() {
    let desk = Desk::after_a_drive().await;
    let id = desk.label_ids().await.remove(0);
    let path = format!("/api/labels/{id}/verdicts");
    let json_post = || {
        Request::post(&path)
            .header(header::HOST, "localhost:8080")
            .header(header::CONTENT_TYPE, "application/json")
    };
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:9999"),
    ] {
        let answer = desk.ask(json_post().header(header, value), ACCEPT).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{header}: {value}");
    }
    // What a form of another site could send without asking first.
    for form in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = Request::post(&path)
            .header(header::HOST, "localhost:8080")
            .header(header::CONTENT_TYPE, form);
        let answer = desk.ask(request, ACCEPT).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{form}");
    }
    let label = desk.get(&format!("/api/labels/{id}")).await.json();
    assert_eq!(label["state"], json!("waiting"));
    // A program on this machine is no browser.
    assert_eq!(desk.ask(json_post(), ACCEPT).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_name_bent_to_this_machine_is_not_answered_to() {
    let desk = Desk::after_a_drive().await;
    for host in ["evil.example", "localhost.evil.example:8080", "10.1.2.3"] {
        for path in ["/", "/api/summary"] {
            let answer = desk
                .ask(Request::get(path).header(header::HOST, host), "")
                .await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
    }
    let nameless = desk.ask(Request::get("/api/summary"), "").await;
    assert_eq!(nameless.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let desk = Desk::after_a_drive().await;
    for path in ["/", "/api/summary", "/api/nothing", "/favicon.svg"] {
        let answer = desk.get(path).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(
            !answer
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        );
    }
    assert_eq!(
        desk.get("/api/summary").await.headers[header::CACHE_CONTROL],
        "no-store"
    );
}

#[tokio::test]
async fn trouble_of_the_database_is_not_told_to_the_world() {
    let desk = Desk::after_a_drive().await;
    desk.store.close().await;
    let answer = desk.get("/api/summary").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer.error(),
        "the label store is in trouble; the host's log says more"
    );
    assert_eq!(
        desk.get("/healthz").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}
