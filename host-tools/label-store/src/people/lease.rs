//! Who works on which item, so that two people never do.

use crate::database::{Connection, query};
use crate::key::{LabelKey, RowKey, label_key_text, parse_label_key, row_key};
use crate::track_edits::TrackMap;
use crate::verdict::Asked;
use crate::{ClipId, LabelStore, StoreError};
use label_core::TrackId;
use serde::Serialize;

/// Somebody works on an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// The label, by its name.
    pub item: String,
    /// Who.
    pub holder: String,
    /// When it ends unless it is renewed.
    pub until_us: i64,
}

impl LabelStore {
    /// Takes or renews the lease of an item until `until_us`; whoever holds it afterwards, which is somebody else where
    /// they were first.
    pub async fn lease(
        &self,
        item: &str,
        holder: &str,
        (now_us, until_us): (i64, i64),
    ) -> Result<Lease, StoreError> {
        let doing = "lease an item";
        let mut tx = self.begin_write(doing).await?;
        query("DELETE FROM leases WHERE until_us <= $1")
            .bind(now_us)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        query(
            "INSERT INTO leases (item, holder, until_us) VALUES ($1, $2, $3)
             ON CONFLICT (item) DO UPDATE SET until_us = excluded.until_us WHERE leases.holder = excluded.holder",
        )
        .bind(item)
        .bind(holder)
        .bind(until_us)
        .execute(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        let row = query("SELECT item, holder, until_us FROM leases WHERE item = $1")
            .bind(item)
            .fetch_one(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        let lease = Lease {
            item: row.get("item"),
            holder: row.get("holder"),
            until_us: row.get("until_us"),
        };
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(lease)
    }

    /// Gives an item back, where `holder` has it.
    pub async fn release(&self, item: &str, holder: &str) -> Result<(), StoreError> {
        let doing = "give an item back";
        let mut tx = self.begin_write(doing).await?;
        query("DELETE FROM leases WHERE item = $1 AND holder = $2")
            .bind(item)
            .bind(holder)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// What is being worked on now.
    pub async fn leases(&self, now_us: i64) -> Result<Vec<Lease>, StoreError> {
        let doing = "read leases";
        let mut connection = self.read(doing).await?;
        let rows =
            query("SELECT item, holder, until_us FROM leases WHERE until_us > $1 ORDER BY item")
                .bind(now_us)
                .fetch_all(&mut connection)
                .await
                .map_err(StoreError::database(doing))?;
        Ok(rows
            .iter()
            .map(|row| Lease {
                item: row.get("item"),
                holder: row.get("holder"),
                until_us: row.get("until_us"),
            })
            .collect())
    }
}

/// An error where somebody else works on one of these labels. It is asked within the transaction that judges them: a lease taken
/// a moment earlier counts.
pub(crate) async fn not_held(
    tx: &mut Connection,
    labels: &[LabelKey],
    asked: &Asked,
) -> Result<(), StoreError> {
    let held = held_by_others(tx, asked).await?;
    if held.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = labels.iter().map(label_key_text).collect();
    free(held.into_iter().find(|(item, _)| names.contains(item)))
}

/// An error where somebody else works on a label of these tracks, by the numbers that are seen: an edit would take the label from
/// under their hands. Without tracks those of the whole clip count: who takes an edit back does not name them.
pub(crate) async fn tracks_not_held(
    tx: &mut Connection,
    clip: &ClipId,
    map: &TrackMap,
    tracks: Option<&[TrackId]>,
    asked: &Asked,
) -> Result<(), StoreError> {
    for held in held_by_others(tx, asked).await? {
        let Some(label) = parse_label_key(&held.0) else {
            continue;
        };
        let Some(place) = row_key(tx, &label).await? else {
            continue;
        };
        let Some((track, first_frame)) = track_in(tx, clip, &place).await? else {
            continue;
        };
        let track = map.edited(track, first_frame);
        if tracks.is_none_or(|tracks| tracks.contains(&track)) {
            return free(Some(held));
        }
    }
    Ok(())
}

/// Track as the rig numbered it and first frame of a label, where it is one of this clip's and a person's.
async fn track_in(
    tx: &mut Connection,
    clip: &ClipId,
    place: &RowKey,
) -> Result<Option<(TrackId, u32)>, StoreError> {
    let row = query(
        "SELECT track, start_frame FROM labels
         WHERE rig = $1 AND boot = $2 AND clip = $3 AND seq = $4 AND n = $5 AND track IS NOT NULL",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .bind(place.seq)
    .bind(place.n)
    .fetch_optional(tx)
    .await
    .map_err(StoreError::database("look up a held label"))?;
    Ok(row.map(|row| (row.get::<i64, _>(0) as TrackId, row.get::<i64, _>(1) as u32)))
}

/// Items that others hold, with who holds them.
async fn held_by_others(
    tx: &mut Connection,
    asked: &Asked,
) -> Result<Vec<(String, String)>, StoreError> {
    Ok(
        query("SELECT item, holder FROM leases WHERE holder <> $1 AND until_us > $2 ORDER BY item")
            .bind(&asked.reviewer)
            .bind(asked.at_us)
            .fetch_all(tx)
            .await
            .map_err(StoreError::database("read leases"))?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect(),
    )
}

fn free(held: Option<(String, String)>) -> Result<(), StoreError> {
    match held {
        Some((_, holder)) => Err(StoreError::Held(holder)),
        None => Ok(()),
    }
}
