//! The router over a real store, for tests.

use crate::openapi;
use crate::synthetic_drive::Rig;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use label_store::LabelStore;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

/// A host over a store of its own, asked without a network.
pub(crate) struct Desk {
    pub(crate) router: Router,
    pub(crate) store: LabelStore,
    pub(crate) stop: watch::Sender<bool>,
    /// Where archives of exports lie.
    pub(crate) exports: review::ExportPlace,
    _folder: Option<TempDir>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

impl Desk {
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = LabelStore::open(&folder.path().join("labels.db"))
            .await
            .unwrap();
        Self::over(store, Some(folder))
    }

    /// A host over this store; the folder lives as long.
    pub(crate) fn over(store: LabelStore, folder: Option<TempDir>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let exports = folder
            .as_ref()
            .map(|folder| review::ExportPlace {
                folder: folder.path().join("exports"),
                host: String::new(),
            })
            .unwrap_or_default();
        let options = review::Options {
            listen: "127.0.0.1:8080".parse().unwrap(),
            names: Vec::new(),
            exports: exports.clone(),
            stop: stopped,
            numbers: review::Numbers::default(),
        };
        Self {
            router: review::router(store.clone(), options),
            exports,
            store,
            stop,
            _folder: folder,
        }
    }

    pub(crate) async fn after_a_drive() -> Self {
        let desk = Self::empty().await;
        Rig::drive(&desk.store).await;
        desk
    }

    pub(crate) async fn after_a_drive_with_every_kind() -> Self {
        let desk = Self::empty().await;
        Rig::drive_with_every_kind(&desk.store).await;
        desk
    }

    pub(crate) async fn ask(&self, request: axum::http::request::Builder, body: &str) -> Answer {
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, answered) = response.into_parts();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(answered, usize::MAX).await.unwrap().to_vec(),
        };
        openapi::hold(&method, &path, body, &answer);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(
            Request::get(path).header(header::HOST, "localhost:8080"),
            "",
        )
        .await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(from_the_page(path), body).await
    }

    pub(crate) async fn label_ids(&self) -> Vec<String> {
        self.get("/api/labels")
            .await
            .json()
            .as_array()
            .unwrap()
            .iter()
            .map(|label| label["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A `POST` as a browser sends it from our own page.
pub(crate) fn from_the_page(path: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header(header::HOST, "localhost:8080")
        .header(header::ORIGIN, "http://localhost:8080")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/json")
}
