//! How many labels there are of each sort: the queue's totals, and where it has to look.
//!
//! `label_counts` follows `labels` in the transaction that changes them.

use crate::{ClipId, StoreError};
use sqlx::SqliteConnection;

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
    tx: &mut SqliteConnection,
    group: &Group<'_>,
    labels: i64,
) -> Result<(), StoreError> {
    sqlx::query(
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
    .execute(tx)
    .await
    .map_err(StoreError::database("count labels"))?;
    Ok(())
}
