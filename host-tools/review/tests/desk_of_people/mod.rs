//! A desk with people: accounts of each role, and requests that show who asks. Without a network.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

use crate::synthetic_drive::Rig;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use label_store::{LabelStore, Role};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "a long walk in the rain";

pub(crate) struct Desk {
    pub(crate) router: Router,
    pub(crate) store: LabelStore,
    _stop: watch::Sender<bool>,
    _folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    /// The cookie as a browser would send it back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.headers[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// What a request shows.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    Nothing,
    Cookie(&'a str),
    Token(&'a str),
}

impl Desk {
    /// A desk with a drive, and accounts for Ann, who reviews, and Lea, who leads.
    pub(crate) async fn new() -> Self {
        let desk = Self::open().await;
        let hash = review::hash_password(PASSWORD).unwrap();
        for (name, role) in [
            ("ann", Role::Reviewer),
            ("lea", Role::Lead),
            ("ada", Role::Administrator),
        ] {
            let made = desk.store.add_user(name, role, &hash, "test", 1).await;
            made.unwrap();
        }
        desk
    }

    /// The same without accounts.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LabelStore::open(&folder.path().join("labels.db"))
            .await
            .unwrap();
        Rig::drive(&store).await;
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

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        shown: Shown<'_>,
        body: Value,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost:8080")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/json");
        let request = match shown {
            Shown::Nothing => request,
            Shown::Cookie(cookie) => request.header(header::COOKIE, cookie),
            Shown::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        };
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn get(&self, path: &str, shown: Shown<'_>) -> Answer {
        self.ask(Method::GET, path, shown, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, shown: Shown<'_>, body: Value) -> Answer {
        self.ask(Method::POST, path, shown, body).await
    }

    pub(crate) async fn try_to_sign_in(
        &self,
        name: &str,
        password: &str,
        shown: Shown<'_>,
    ) -> Answer {
        let body = json!({"name": name, "password": password});
        self.post("/api/session", shown, body).await
    }

    pub(crate) async fn sign_in(&self, name: &str) -> String {
        let answer = self.try_to_sign_in(name, PASSWORD, Shown::Nothing).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        answer.cookie()
    }
}
