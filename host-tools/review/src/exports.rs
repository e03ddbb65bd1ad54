//! `/api/exports`: exports that are asked for on the page, written by the host, and downloaded.
//!
//! Here they are only asked for, listed and given out; the host's binary writes them (`rigel serve`), as it does for the
//! command line. An archive lies in the folder that [`crate::Options`] names, under its number.

mod people;
mod wish;

use crate::Desk;
use crate::error::ApiError;
use crate::people::Visitor;
use crate::request::{Body, read};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream;
use label_store::{ExportState, Role, StoredExport, now_us};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

pub use people::parse as parse_people;
pub use wish::{Labels, Selection, Subsets, Wish};

/// Bytes that are read at a time of what is downloaded.
const PIECE: usize = 1 << 18;

pub(crate) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/api/exports", get(all).post(ask))
        .route("/api/exports/{export}", get(one).delete(delete))
        .route("/api/exports/{export}/labels.zip", get(download))
}

/// Where the archives of exports lie, and whose they are: several hosts may share a store, and each has its own files.
#[derive(Clone, Debug, Default)]
pub struct ExportPlace {
    /// The folder, which need not exist.
    pub folder: PathBuf,
    /// The host, in a word that stays with the folder.
    pub host: String,
}

/// The name of an archive in its folder.
pub fn archive_name(export: i64) -> String {
    format!("{export}.zip")
}

/// An export as the page shows it.
#[derive(Serialize)]
pub(crate) struct ExportView {
    export: i64,
    wish: serde_json::Value,
    /// Divided by person; who they are is not told again.
    by_person: bool,
    asked_by: String,
    asked_us: i64,
    state: ExportState,
    done: u64,
    total: Option<u64>,
    reason: Option<String>,
    ended_us: Option<i64>,
    bytes: Option<u64>,
    sha256: Option<String>,
    summary: Option<serde_json::Value>,
}

impl From<StoredExport> for ExportView {
    fn from(stored: StoredExport) -> Self {
        let mut wish = stored.wish;
        let people = wish.as_object_mut().and_then(|wish| wish.remove("people"));
        let (bytes, sha256, summary) = match stored.archive {
            Some(archive) => (
                Some(archive.bytes),
                Some(archive.sha256),
                Some(archive.summary),
            ),
            None => (None, None, None),
        };
        Self {
            export: stored.export,
            wish,
            by_person: people.is_some(),
            asked_by: stored.asked_by,
            asked_us: stored.asked_us,
            state: stored.state,
            done: stored.done,
            total: stored.total,
            reason: stored.reason,
            ended_us: stored.ended_us,
            bytes,
            sha256,
            summary,
        }
    }
}

fn number(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound("such export"))
}

async fn all(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
) -> Result<Json<Vec<ExportView>>, ApiError> {
    visitor.needs(Role::Lead)?;
    let found = desk.store.exports(&desk.exports.host).await?;
    Ok(Json(found.into_iter().map(ExportView::from).collect()))
}

async fn ask(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    body: Body<Wish>,
) -> Result<Response, ApiError> {
    visitor.needs(Role::Lead)?;
    let wish = read(body)?;
    wish.selection().map_err(ApiError::Verdict)?;
    let wish = serde_json::to_value(&wish).expect("text and numbers always encode");
    let stored = desk
        .store
        .ask_export(&desk.exports.host, &wish, &visitor.name, now_us())
        .await?;
    Ok((StatusCode::ACCEPTED, Json(ExportView::from(stored))).into_response())
}

async fn found(desk: &Desk, export: &str) -> Result<StoredExport, ApiError> {
    let found = desk.store.export(number(export)?).await?;
    found.ok_or(ApiError::NotFound("such export"))
}

async fn one(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(export): Path<String>,
) -> Result<Json<ExportView>, ApiError> {
    visitor.needs(Role::Lead)?;
    Ok(Json(found(&desk, &export).await?.into()))
}

/// Deletes it, or stops it where it is not written yet. Its files go within moments.
async fn delete(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(export): Path<String>,
) -> Result<StatusCode, ApiError> {
    visitor.needs(Role::Lead)?;
    let deleted = desk
        .store
        .delete_export(number(&export)?, &visitor.name, now_us())
        .await?;
    if deleted {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("such export"))
    }
}

async fn download(
    State(desk): State<Arc<Desk>>,
    visitor: Visitor,
    Path(export): Path<String>,
) -> Result<Response, ApiError> {
    visitor.needs(Role::Lead)?;
    let stored = found(&desk, &export).await?;
    let missing = || ApiError::NotFound("archive of this export");
    if stored.state != ExportState::Here {
        return Err(missing());
    }
    let path: PathBuf = desk.exports.folder.join(archive_name(stored.export));
    let opened = tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok::<_, std::io::Error>((file, length))
    });
    let (file, length) = opened
        .await
        .map_err(std::io::Error::other)
        .and_then(|opened| opened)
        .map_err(|error| {
            tracing::warn!(export = stored.export, %error, "cannot open an export");
            missing()
        })?;
    let about = format!("export {}", stored.export);
    desk.store
        .note(&visitor.name, "downloaded", &about, now_us())
        .await?;
    let word =
        serde_json::from_value::<Wish>(stored.wish).map_or("labels", |wish| wish.format_word());
    let name = format!("rigel-{word}-{}.zip", stored.export);
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    let pieces = stream::try_unfold(file, |mut file| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let count = file.read(&mut piece)?;
            piece.truncate(count);
            Ok::<_, std::io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(std::io::Error::other)??;
        Ok::<_, std::io::Error>((!piece.is_empty()).then_some((piece, file)))
    });
    Ok((headers, axum::body::Body::from_stream(pieces)).into_response())
}
