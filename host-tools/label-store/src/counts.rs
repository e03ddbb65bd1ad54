//! How many labels there are of each sort: the queue's totals, and where it has to look.
//!
//! `label_totals`, and `label_counts` by conditions too, follow `labels` in the transaction that changes them.

use crate::database::{Connection, query};
use crate::{ClipId, StoreError};
use label_core::TrackId;

/// Labels that count together.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    pub(crate) clip: &'a ClipId,
    pub(crate) kind: &'a str,
    /// Or [`ABSTAINED`].
    pub(crate) state: &'a str,
    /// 0 where there is none, [`MADE`] where a person made the label.
    pub(crate) model: i64,
    pub(crate) conditions: i64,
}

/// Stands for the model of labels that a person made.
pub(crate) const MADE: i64 = -1;

/// Stands for the state of abstentions, which have none.
pub(crate) const ABSTAINED: &str = "abstained";

/// Counts labels that came into a group, or left it.
pub(crate) async fn add(
    tx: &mut Connection,
    group: &Group<'_>,
    labels: i64,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO label_totals (rig, boot, clip, kind, state, model, labels) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (rig, boot, clip, kind, state, model)
         DO UPDATE SET labels = label_totals.labels + excluded.labels",
    )
    .bind(group.clip.rig.as_str())
    .bind(group.clip.boot.raw() as i64)
    .bind(i64::from(group.clip.clip))
    .bind(group.kind)
    .bind(group.state)
    .bind(group.model)
    .bind(labels)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("count labels"))?;
    count_seen(tx, group, labels).await
}

/// Counts a label that is now seen under other conditions.
pub(crate) async fn see_anew(
    tx: &mut Connection,
    before: &Group<'_>,
    conditions: i64,
) -> Result<(), StoreError> {
    count_seen(tx, before, -1).await?;
    let now = Group {
        conditions,
        ..*before
    };
    count_seen(tx, &now, 1).await
}

async fn count_seen(tx: &mut Connection, group: &Group<'_>, labels: i64) -> Result<(), StoreError> {
    query(
        "INSERT INTO label_counts (rig, boot, clip, kind, state, model, conditions, labels)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (rig, boot, clip, kind, state, model, conditions)
         DO UPDATE SET labels = label_counts.labels + excluded.labels",
    )
    .bind(group.clip.rig.as_str())
    .bind(group.clip.boot.raw() as i64)
    .bind(i64::from(group.clip.clip))
    .bind(group.kind)
    .bind(group.state)
    .bind(group.model)
    .bind(group.conditions)
    .bind(labels)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("count labels"))?;
    if labels < 0 {
        // Groups that labels only pass through would outnumber the others.
        query(
            "DELETE FROM label_counts WHERE rig = $1 AND boot = $2 AND clip = $3 AND kind = $4 AND state = $5
                AND model = $6 AND conditions = $7 AND labels = 0",
        )
        .bind(group.clip.rig.as_str())
        .bind(group.clip.boot.raw() as i64)
        .bind(i64::from(group.clip.clip))
        .bind(group.kind)
        .bind(group.state)
        .bind(group.model)
        .bind(group.conditions)
        .execute(tx)
        .await
        .map_err(StoreError::database("count labels"))?;
    }
    Ok(())
}

/// Notes that a label of the clip names this track.
pub(crate) async fn note_track(
    tx: &mut Connection,
    clip: &ClipId,
    track: TrackId,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO clip_tracks (rig, boot, clip, track) VALUES ($1, $2, $3, $4)
         ON CONFLICT (rig, boot, clip, track) DO NOTHING",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .bind(i64::from(track))
    .execute(tx)
    .await
    .map_err(StoreError::database("note a track"))?;
    Ok(())
}
