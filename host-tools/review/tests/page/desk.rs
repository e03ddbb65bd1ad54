//! A desk for a test: a host on a store that the test looks into, and the words to ask page and store with.

use crate::browser::Browser;
use crate::synthetic_drive::Rig;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use label_core::LabelKind;
use label_store::{Judgement, LabelKey, LabelStore, QueueFilter, QueueItem, ReviewState, Verdict};
use quality::DeskKind;
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Everything given so far has reached the host.
pub(crate) const SAVED: &str = r#"document.querySelector('main[data-unsaved="0"]') !== null"#;

/// Which page a host serves.
#[derive(Clone, Copy)]
pub(crate) enum Version {
    This,
    /// This one in the folder `desk`, as behind a proxy that takes the folder's name away.
    InFolder,
    /// Its front door names another script, as a later build's does.
    Later,
}

/// A host that can be taken away in the middle of things: its runtime ends with every connection it serves.
pub(crate) struct Host {
    runtime: Runtime,
    pub(crate) address: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Host {
    pub(crate) fn start(database: &Path, listen: SocketAddr) -> Self {
        Self::serve(database, listen, Version::This)
    }

    pub(crate) fn serve(database: &Path, listen: SocketAddr, version: Version) -> Self {
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = watch::channel(false);
        let (say, hear) = std::sync::mpsc::channel();
        let database = database.to_owned();
        runtime.spawn(async move {
            let store = LabelStore::open(&database).await.unwrap();
            let listener = TcpListener::bind(listen).await.unwrap();
            let listen = listener.local_addr().unwrap();
            let serving = stopped.clone();
            let options = review::Options {
                listen,
                names: Vec::new(),
                exports: review::ExportPlace::default(),
                stop: stopped,
                numbers: review::Numbers::default(),
            };
            say.send(listen).unwrap();
            let page = review::router(store, options);
            let page = match version {
                Version::This => page,
                Version::InFolder => Router::new().nest_service("/desk", page),
                Version::Later => Router::new()
                    .route("/", get(|| async { Html(LATER_DOOR) }))
                    .fallback_service(page),
            };
            review::serve(listener, page, serving).await;
        });
        Self {
            runtime,
            address: hear.recv().unwrap(),
            _stop: stop,
        }
    }

    pub(crate) fn vanish(self) {
        self.runtime.shutdown_background();
    }
}

const LATER_DOOR: &str = r#"<!doctype html><title>a later version</title><script type="module" src="/assets/index-later.js"></script>"#;

/// A store with a drive, a host on it and a browser before it.
pub(crate) struct Desk {
    pub(crate) store: LabelStore,
    pub(crate) page: Browser,
    /// None while it is away.
    host: Option<Host>,
    address: SocketAddr,
    folder: TempDir,
}

impl Desk {
    /// Labels of every kind, one of these groups in the queue.
    pub(crate) async fn open(group: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("labels.db");
        let store = LabelStore::open(&database).await.unwrap();
        Rig::drive_with_every_kind(&store).await;
        let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
        let page = Browser::open(&format!("http://{}/", host.address)).await;
        page.click_button(group).await;
        Self {
            store,
            page,
            address: host.address,
            host: Some(host),
            folder,
        }
    }

    /// The host goes, in the middle of things.
    pub(crate) fn lose_host(&mut self) {
        self.host.take().unwrap().vanish();
    }

    /// A host comes back at the same address.
    pub(crate) fn find_host(&mut self, version: Version) {
        let database = self.folder.path().join("labels.db");
        self.host = Some(Host::serve(&database, self.address, version));
    }

    /// Shows the label of the queue that begins at a frame.
    pub(crate) async fn show(&self, kind: impl Into<DeskKind>, first_frame: u32) -> LabelKey {
        let key = label_of(&self.store, kind, first_frame).await.label.id;
        let text = label_store::label_key_text(&key);
        let go = format!("location.hash = '#/review/{}'", text.replace(':', "%3A"));
        self.page.ask(&go).await;
        let id = format!("document.querySelector('.facts .id')?.textContent === '{text}'");
        self.page.until(&id).await;
        key
    }

    /// The history of a label, once everything given so far has reached the host.
    pub(crate) async fn said_of(&self, label: &LabelKey) -> Vec<Verdict> {
        self.page.until(SAVED).await;
        self.store.verdicts(label).await.unwrap()
    }

    pub(crate) async fn close(self) {
        self.page.close().await;
        if let Some(host) = self.host {
            host.vanish();
        }
    }
}

pub(crate) async fn label_of(
    store: &LabelStore,
    kind: impl Into<DeskKind>,
    first_frame: u32,
) -> QueueItem {
    let filter = QueueFilter {
        kinds: vec![kind.into()],
        ..QueueFilter::default()
    };
    let queue = store.queue(&filter).await.unwrap();
    queue
        .items
        .into_iter()
        .find(|item| item.label.frames.start == first_frame)
        .unwrap()
}

pub(crate) async fn label_at(
    store: &LabelStore,
    first_frame: u32,
) -> (LabelKey, Option<ReviewState>) {
    let events = QueueFilter {
        kinds: vec![LabelKind::Blink.into(), LabelKind::LongClosure.into()],
        ..QueueFilter::default()
    };
    let queue = store.queue(&events).await.unwrap();
    let item = queue
        .items
        .into_iter()
        .find(|item| item.label.frames.start == first_frame)
        .unwrap();
    (item.label.id, item.label.state)
}

pub(crate) async fn history(store: &LabelStore, first_frame: u32) -> Vec<Verdict> {
    let (id, _) = label_at(store, first_frame).await;
    store.verdicts(&id).await.unwrap()
}

pub(crate) fn said(history: &[Verdict]) -> Vec<(Judgement, Option<&str>)> {
    history
        .iter()
        .map(|verdict| (verdict.judgement, verdict.cause.as_deref()))
        .collect()
}

pub(crate) fn shows(frames: &str) -> String {
    format!("document.querySelector('#item-title')?.textContent.endsWith('frames {frames}')")
}

pub(crate) fn filmstrip_is_drawn() -> String {
    "document.querySelector('.film img')?.naturalWidth > 0".to_owned()
}
