//! Labels of what is purged, and what people said of them.

use super::{DOING, PurgeReport, of_clip};
use crate::counts::{self, Group, MADE};
use crate::database::{Connection, query};
use crate::track_edits::track_map;
use crate::{ClipId, StoreError};
use label_core::{FrameRange, TrackId};

/// A label of what is purged.
pub(super) struct Chosen {
    seq: i64,
    n: i64,
    kind: String,
    state: Option<String>,
    model: Option<i64>,
    conditions: i64,
    pub(super) frames: FrameRange,
}

/// How many were deleted of what the rig made.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) offered: i64,
    pub(super) abstained: i64,
}

/// The labels of a clip, or of one person of it by the number that the page shows.
pub(super) async fn chosen(
    tx: &mut Connection,
    clip: &ClipId,
    track: Option<TrackId>,
) -> Result<Vec<Chosen>, StoreError> {
    let map = track_map(tx, clip).await?;
    let rows = of_clip(
        "SELECT seq, n, kind, state, model, conditions, track, start_frame, end_frame FROM labels
         WHERE rig = $1 AND boot = $2 AND clip = $3",
        clip,
    )
    .fetch_all(tx)
    .await
    .map_err(StoreError::database(DOING))?;
    let mut found = Vec::new();
    for row in &rows {
        let number = |column| row.get::<i64, _>(column);
        let (start, end) = (number("start_frame") as u32, number("end_frame") as u32);
        let told: Option<i64> = row.get("track");
        let is_chosen = track.is_none_or(|wanted| {
            told.is_some_and(|told| map.edited(told as TrackId, start) == wanted)
        });
        if is_chosen {
            found.push(Chosen {
                seq: number("seq"),
                n: number("n"),
                kind: row.get("kind"),
                state: row.get("state"),
                model: row.get("model"),
                conditions: number("conditions"),
                frames: FrameRange::new(start, end),
            });
        }
    }
    Ok(found)
}

/// What hangs on a label, in an order in which nothing points at what is gone: tables that name the label, those that name what goes
/// with it first.
const OF_A_LABEL: [&str; 5] = [
    "DELETE FROM answers WHERE look IN (SELECT look FROM looks WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4) RETURNING 1",
    "DELETE FROM decisions WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    "DELETE FROM cases WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    "DELETE FROM looks WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    "DELETE FROM verdicts WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4 RETURNING 1",
];

pub(super) async fn drop_labels(
    tx: &mut Connection,
    clip: &ClipId,
    track: Option<TrackId>,
    labels: &[Chosen],
    report: &mut PurgeReport,
) -> Result<Counts, StoreError> {
    let mut gone = Counts::default();
    for label in labels {
        for sql in OF_A_LABEL
            .into_iter()
            .chain(["DELETE FROM labels WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4"])
        {
            let rows = query(sql)
                .bind(clip.rig.as_str())
                .bind(clip.boot.raw() as i64)
                .bind(label.seq)
                .bind(label.n)
                .fetch_all(&mut *tx)
                .await
                .map_err(StoreError::database(DOING))?;
            report.said += rows.len() as u64;
        }
        let is_made = label.seq < 0;
        let group = Group {
            clip,
            kind: &label.kind,
            state: label.state.as_deref().unwrap_or(counts::ABSTAINED),
            model: if is_made {
                MADE
            } else {
                label.model.unwrap_or(0)
            },
            conditions: label.conditions,
        };
        counts::add(tx, &group, -1).await?;
        if is_made {
            report.made += 1;
            continue;
        }
        report.labels += 1;
        match label.state {
            Some(_) => gone.offered += 1,
            None => gone.abstained += 1,
        }
    }
    // Questions about silence name no label. Those of one person name the rig's track.
    for sql in [
        "DELETE FROM answers WHERE look IN (SELECT look FROM looks WHERE rig = $1 AND boot = $2 AND clip = $3 AND seq IS NULL
            AND ($4 IS NULL OR track = $4)) RETURNING 1",
        "DELETE FROM looks WHERE rig = $1 AND boot = $2 AND clip = $3 AND seq IS NULL AND ($4 IS NULL OR track = $4)",
    ] {
        let rows = of_clip(sql, clip)
            .bind(track.map(i64::from))
            .fetch_all(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
        report.said += rows.len() as u64;
    }
    // Tracks that no label names any more.
    of_clip(
        "DELETE FROM clip_tracks WHERE rig = $1 AND boot = $2 AND clip = $3 AND NOT EXISTS
            (SELECT 1 FROM labels l WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 AND l.track = clip_tracks.track)",
        clip,
    )
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?;
    Ok(gone)
}
