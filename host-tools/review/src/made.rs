//! What a person adds: labels that the machine missed, and edits of tracks; and the curve to see by where they belong.

use crate::Desk;
use crate::address::clip_id;
use crate::error::ApiError;
use crate::label_view::LabelDetailView;
use crate::request::{Body, kind, read, understood};
use crate::reviewer::Reviewer;
use crate::value::ValueBody;
use crate::verdicts::{StepBody, asked, checked_millis, detail, frames};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use label_core::{FrameIndex, FrameRange, TrackId};
use label_store::{
    ClipId, Curve, LabelKey, NewLabel, Step, StoredEdit, Track, TrackEdit, label_key_text,
};
use quality::DeskKind;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

/// Body of `POST /api/clips/{clip}/labels`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelBody {
    kind: DeskKind,
    track: Option<TrackId>,
    frames: (FrameIndex, FrameIndex),
    value: ValueBody,
    millis: u64,
    key: Option<String>,
}

pub(crate) async fn make(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(clip): Path<String>,
    body: Body<LabelBody>,
) -> Answer<LabelDetailView> {
    let (clip, body) = (clip_id(&clip)?, read(body)?);
    let new = Box::new(NewLabel {
        kind: body.kind,
        track: body.track,
        frames: frames(body.frames)?,
        value: body.value.into(),
        spent_ms: checked_millis(body.millis)?,
    });
    let asked = asked(reviewer, body.key)?;
    let made = desk.store.make_label(&clip, &new, &asked).await?;
    detail(&desk, &made).await
}

/// Body of `POST /api/clips/{clip}/tracks`.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum TracksBody {
    Split {
        track: TrackId,
        frame: FrameIndex,
        #[serde(default)]
        millis: u64,
        key: Option<String>,
    },
    Merge {
        track: TrackId,
        into: TrackId,
        #[serde(default)]
        millis: u64,
        key: Option<String>,
    },
    Extend {
        track: TrackId,
        kind: String,
        to: FrameIndex,
        #[serde(default)]
        millis: u64,
        key: Option<String>,
    },
}

/// The tracks of a clip and what was said of them.
#[derive(Serialize)]
pub(crate) struct TracksView {
    tracks: Vec<TrackView>,
    edits: Vec<EditView>,
    /// The label that an extension made.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

#[derive(Serialize)]
struct TrackView {
    track: TrackId,
    frames: FrameRange,
    labels: u32,
    driver: bool,
}

#[derive(Serialize)]
struct EditView {
    edit: i64,
    #[serde(rename = "do")]
    verb: &'static str,
    track: TrackId,
    into: TrackId,
    frame: Option<FrameIndex>,
    reviewer: String,
    at_us: i64,
    stands: bool,
}

impl From<Track> for TrackView {
    fn from(track: Track) -> Self {
        Self {
            track: track.track,
            frames: track.frames,
            labels: track.labels,
            driver: track.driver,
        }
    }
}

impl From<StoredEdit> for EditView {
    fn from(edit: StoredEdit) -> Self {
        let (verb, track, frame) = match edit.said {
            TrackEdit::Split { track, frame } => ("split", track, Some(frame)),
            TrackEdit::Merge { track, .. } => ("merge", track, None),
        };
        Self {
            edit: edit.edit,
            verb,
            track,
            into: edit.into,
            frame,
            reviewer: edit.reviewer,
            at_us: edit.at_us,
            stands: edit.stands,
        }
    }
}

pub(crate) async fn tracks(
    State(desk): State<Arc<Desk>>,
    Path(clip): Path<String>,
) -> Answer<TracksView> {
    view(&desk, &clip_id(&clip)?, None).await
}

async fn view(desk: &Desk, clip: &ClipId, label: Option<LabelKey>) -> Answer<TracksView> {
    let (tracks, edits) = desk.store.tracks(clip).await?;
    Ok(Json(TracksView {
        tracks: tracks.into_iter().map(TrackView::from).collect(),
        edits: edits.into_iter().map(EditView::from).collect(),
        label: label.as_ref().map(label_key_text),
    }))
}

pub(crate) async fn edit_tracks(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(clip): Path<String>,
    body: Body<TracksBody>,
) -> Answer<TracksView> {
    let clip = clip_id(&clip)?;
    let (edit, millis, key) = match read(body)? {
        TracksBody::Split {
            track,
            frame,
            millis,
            key,
        } => (TrackEdit::Split { track, frame }, millis, key),
        TracksBody::Merge {
            track,
            into,
            millis,
            key,
        } => (TrackEdit::Merge { track, into }, millis, key),
        TracksBody::Extend {
            track,
            kind: name,
            to,
            millis,
            key,
        } => {
            let (of, millis) = ((track, kind(&name)?), checked_millis(millis)?);
            let asked = asked(reviewer, key)?;
            let made = desk
                .store
                .extend_track(&clip, of, to, millis, &asked)
                .await?;
            return view(&desk, &clip, Some(made)).await;
        }
    };
    let (millis, asked) = (checked_millis(millis)?, asked(reviewer, key)?);
    desk.store.edit_tracks(&clip, edit, millis, &asked).await?;
    view(&desk, &clip, None).await
}

pub(crate) async fn undo_tracks(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(clip): Path<String>,
    body: Body<StepBody>,
) -> Answer<TracksView> {
    step(&desk, reviewer, &clip, body, Step::Undo).await
}

pub(crate) async fn redo_tracks(
    State(desk): State<Arc<Desk>>,
    reviewer: Reviewer,
    Path(clip): Path<String>,
    body: Body<StepBody>,
) -> Answer<TracksView> {
    step(&desk, reviewer, &clip, body, Step::Redo).await
}

async fn step(
    desk: &Desk,
    reviewer: Reviewer,
    clip: &str,
    body: Body<StepBody>,
    step: Step,
) -> Answer<TracksView> {
    let clip = clip_id(clip)?;
    let asked = asked(reviewer, read(body)?.key)?;
    desk.store.step_tracks(&clip, step, &asked).await?;
    view(desk, &clip, None).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CurveQuery {
    clip: String,
    track: TrackId,
    frames: String,
}

/// Openness of both eyes.
#[derive(Serialize)]
pub(crate) struct CurveView {
    frames: FrameRange,
    stride: u32,
    left: Vec<Option<f32>>,
    right: Vec<Option<f32>>,
}

impl From<Curve> for CurveView {
    fn from(curve: Curve) -> Self {
        Self {
            frames: curve.frames,
            stride: 1,
            left: curve.left,
            right: curve.right,
        }
    }
}

pub(crate) async fn curve(
    State(desk): State<Arc<Desk>>,
    query: Result<Query<CurveQuery>, QueryRejection>,
) -> Answer<CurveView> {
    let query = understood(query)?;
    let range = query
        .frames
        .split_once(',')
        .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)))
        .ok_or_else(|| ApiError::Query("frames are first,last".to_owned()))?;
    let range = frames(range)?;
    let clip = clip_id(&query.clip)?;
    Ok(Json(
        desk.store.curve(&clip, query.track, range).await?.into(),
    ))
}
