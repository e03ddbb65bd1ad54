//! Rigs that are to delete their own recording of what was purged.

use super::{DOING, of_clip};
use crate::database::{Connection, query};
use crate::row::{boot_column, name_column};
use crate::{ClipId, LabelStore, StoreError};
use label_core::BootId;
use label_core::id::Name;
use label_core::wire::{Power, Status};

/// A rig that is there and has not said that it deleted something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPurge {
    /// Its number.
    pub purge: i64,
    /// The rig's site.
    pub site: String,
    /// The clip.
    pub clip: ClipId,
    /// First and last frame; none: all of the clip.
    pub frames: Option<(u32, u32)>,
    /// The run that the rig is in.
    pub boot: BootId,
}

/// A rig told of a segment that was to be gone: its orders of these frames are open again.
pub(crate) async fn ask_again(
    tx: &mut Connection,
    clip: &ClipId,
    frames: (u32, u32),
) -> Result<(), StoreError> {
    of_clip(
        "UPDATE purges SET rig_done = 0 WHERE rig = $1 AND boot = $2 AND clip = $3
           AND (first_frame IS NULL OR (first_frame <= $5 AND last_frame >= $4))",
        clip,
    )
    .bind(i64::from(frames.0))
    .bind(i64::from(frames.1))
    .execute(tx)
    .await
    .map_err(StoreError::database(DOING))?;
    Ok(())
}

impl LabelStore {
    /// What rigs that are there have still to delete: of each rig what it said nothing of, or that longest ago.
    pub async fn open_purges(&self) -> Result<Vec<OpenPurge>, StoreError> {
        let mut connection = self.read("read open purges").await?;
        let rows = query(
            "SELECT p.purge, p.rig, p.boot, p.clip, p.first_frame, p.last_frame, r.site, s.json AS status
             FROM (SELECT purge, rig, boot, clip, first_frame, last_frame,
                    row_number() OVER (PARTITION BY rig ORDER BY coalesce(rig_said_us, 0), purge) AS place
                FROM purges WHERE rig_done = 0) AS p
             JOIN rigs r ON r.rig = p.rig
             JOIN rig_states s ON s.rig = p.rig AND s.topic = 'status'
             WHERE p.place = 1",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read open purges"))?;
        let mut open = Vec::new();
        for row in &rows {
            let status = serde_json::from_str::<Status>(row.get("status")).ok();
            let Some(status) = status.filter(|status| status.state == Power::Online) else {
                continue;
            };
            let number = |column| row.get::<Option<i64>, _>(column).map(|frame| frame as u32);
            open.push(OpenPurge {
                purge: row.get("purge"),
                site: row.get("site"),
                clip: ClipId {
                    rig: name_column(row, "rig")?,
                    boot: boot_column(row, "boot")?,
                    clip: row.get::<i64, _>("clip") as u32,
                },
                frames: number("first_frame").zip(number("last_frame")),
                boot: status.boot,
            });
        }
        Ok(open)
    }

    /// What a rig answered. Where it is not done, the rig is asked again, behind its other purges.
    pub async fn rig_purged(
        &self,
        purge: i64,
        said: &str,
        is_done: bool,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_write(DOING).await?;
        query(
            "UPDATE purges SET rig_done = $2, rig_said = $3, rig_said_us = $4 WHERE purge = $1 AND rig_done = 0",
        )
        .bind(purge)
        .bind(i64::from(is_done))
        .bind(said)
        .bind(now_us)
        .execute(&mut tx)
        .await
        .map_err(StoreError::database(DOING))?;
        tx.commit().await.map_err(StoreError::database(DOING))
    }

    /// Rigs that have still to delete something, and how much that is.
    pub async fn purges_awaited(&self) -> Result<Vec<(Name, u64)>, StoreError> {
        let mut connection = self.read("read open purges").await?;
        query(
            "SELECT rig, count(*) AS open FROM purges WHERE rig_done = 0 GROUP BY rig ORDER BY rig",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read open purges"))?
        .iter()
        .map(|row| Ok((name_column(row, "rig")?, row.get::<i64, _>("open") as u64)))
        .collect()
    }
}
