//! The review page and its HTTP API: what a person needs to turn candidates into ground truth.
//!
//! [`router`] serves both. The page is written in TypeScript (`web/`), built by npm and embedded in the binary; it has
//! no other way to the store than the API, which `docs/reference/http.md` describes. Nothing here decides what a
//! verdict means: that is `label-store`'s.
//!
//! Terms: a *label* is what a rig offers or a person made; *evidence* is the filmstrip and openness curve of a blink;
//! frames are 0-based and ranges inclusive; times are microseconds on the clip's own time line.

mod address;
mod api;
mod assets;
mod changes;
mod error;
mod exports;
mod fleet;
mod guard;
mod keeper;
mod label_view;
mod made;
mod metrics;
mod openapi;
mod people;
mod policy;
mod quality;
mod queue;
mod request;
mod requests;
mod reviewer;
mod rig_view;
mod second_look;
mod serve;
mod value;
mod verdicts;
mod view;

pub use exports::{ExportPlace, Labels, Selection, Subsets, Wish, archive_name, parse_people};
pub use fleet::{Alarm, RigBalance, RigHealth, RigPolicy, RigReport, report as fleet_report};
pub use keeper::keep;
pub use metrics::{HostNumbers, Numbers};
pub use people::{PasswordError, hash_password, new_token};
pub use serve::serve;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use label_store::LabelStore;
use std::net::SocketAddr;
use std::sync::Arc;

/// Longest request body in bytes: 500 labels judged at once, each named in up to 100 bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How the page is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address that is listened on. Requests must name it, or this machine's loopback, as their host.
    pub listen: SocketAddr,
    /// Other names under which the host may be asked for, without port.
    pub names: Vec<String>,
    /// Where the archives of exports lie.
    pub exports: ExportPlace,
    /// Becomes true when the host shuts down: event streams end, which would otherwise hold it up.
    pub stop: tokio::sync::watch::Receiver<bool>,
    /// What the process around the page knows, for `/metrics`.
    pub numbers: Numbers,
}

/// What every handler can reach.
struct Desk {
    store: LabelStore,
    changes: changes::Changes,
    door: people::Door,
    numbers: Numbers,
    exports: ExportPlace,
}

/// The page at `/`, the API below `/api`, `/metrics` and `/healthz`.
pub fn router(store: LabelStore, options: Options) -> Router {
    let guard = guard::Guard::new(options.listen, options.names);
    let desk = Arc::new(Desk {
        changes: changes::Changes::new(store.clone(), options.stop),
        door: people::Door::new(),
        numbers: options.numbers,
        exports: options.exports,
        store,
    });
    Router::new()
        .route("/healthz", get(api::health))
        .route("/metrics", get(metrics::metrics))
        .route("/api/openapi.json", get(openapi::describe))
        .route("/api/summary", get(api::summary))
        .route("/api/clips", get(api::clips))
        .route("/api/labels", get(queue::labels))
        .route("/api/labels/{id}", get(api::label))
        .route("/api/labels/{id}/verdicts", post(verdicts::judge))
        .route("/api/labels/{id}/undo", post(verdicts::undo))
        .route("/api/labels/{id}/redo", post(verdicts::redo))
        .route("/api/verdicts", post(verdicts::judge_many))
        .route("/api/verdicts/{batch}/undo", post(verdicts::undo_many))
        .route("/api/verdicts/{batch}/redo", post(verdicts::redo_many))
        .route("/api/clips/{clip}/labels", post(made::make))
        .route(
            "/api/clips/{clip}/tracks",
            get(made::tracks).post(made::edit_tracks),
        )
        .route("/api/clips/{clip}/tracks/undo", post(made::undo_tracks))
        .route("/api/clips/{clip}/tracks/redo", post(made::redo_tracks))
        .route("/api/curve", get(made::curve))
        .route("/api/evidence/{file}", get(api::evidence))
        .route("/api/pictures", get(api::pictures))
        .route("/api/pictures/{file}", get(api::picture))
        .route("/api/coverage", get(api::coverage))
        .route("/api/marks", get(api::marks))
        .route("/api/quality", get(quality::quality))
        .route("/api/events", get(api::events))
        .route(
            "/api/session",
            get(people::who_am_i)
                .post(people::sign_in)
                .delete(people::sign_out),
        )
        .route("/api/users", get(people::users))
        .route("/api/audit", get(people::audit))
        .route("/api/leases", get(people::leases))
        .route(
            "/api/leases/{id}",
            post(people::lease).delete(people::give_back),
        )
        .merge(policy::routes())
        .merge(fleet::routes())
        .merge(requests::routes())
        .merge(exports::routes())
        .merge(second_look::routes())
        .fallback(get(assets::serve))
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(middleware::from_fn(serve::body_in_time))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&desk),
            people::admit,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::new(guard),
            guard::check,
        ))
        .with_state(desk)
}
