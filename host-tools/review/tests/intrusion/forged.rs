//! Requests that another site makes the reviewer's browser send.

use crate::described::{operations, standing};
use crate::desk_of_people::{Desk, Shown};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

#[tokio::test]
async fn nothing_that_changes_anything_is_taken_from_another_site() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada").await;
    let before = standing(&desk, &ada).await;
    for operation in operations() {
        if operation.reads() {
            continue;
        }
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "https://evil.example"),
            ("origin", "http://localhost:8080.evil.example"),
            ("origin", "null"),
        ] {
            for form in ["application/json", "text/plain"] {
                let request = Request::builder()
                    .method(operation.method.clone())
                    .uri(operation.address())
                    .header(header::HOST, "localhost:8080")
                    .header(header::COOKIE, &ada)
                    .header(header::CONTENT_TYPE, form)
                    // What a proxy may be made to pass on is not believed.
                    .header("x-forwarded-host", "evil.example")
                    .header(name, value)
                    .body(Body::from("{}"))
                    .unwrap();
                let answer = desk.router.clone().oneshot(request).await.unwrap();
                let told = format!("{operation:?} {name}: {value}");
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{told}");
                assert!(!answer.headers().contains_key(header::SET_COOKIE), "{told}");
            }
        }
    }
    // She is still signed in, too.
    assert_eq!(standing(&desk, &ada).await, before);
}

#[tokio::test]
async fn to_look_at_something_changes_nothing() {
    let desk = Desk::new().await;
    let ada = desk.sign_in("ada").await;
    let before = standing(&desk, &ada).await;
    for operation in operations() {
        if operation.reads() {
            let answer = desk.get(&operation.address(), Shown::Cookie(&ada)).await;
            assert!(!answer.status.is_server_error(), "{operation:?}");
            let also = desk
                .ask(
                    axum::http::Method::HEAD,
                    &operation.address(),
                    Shown::Cookie(&ada),
                    Value::Null,
                )
                .await;
            assert_eq!(also.status, answer.status, "HEAD of {operation:?}");
        }
    }
    assert_eq!(standing(&desk, &ada).await, before);
}
