//! Segments of pictures that rigs recorded and keep.

use crate::commit::ensure_boot;
use crate::database::{Connection, Row, query};
use crate::incoming::Incoming;
use crate::purge::{ask_again, is_purged};
use crate::write::ensure_clip;
use crate::{ClipId, LabelStore, StoreError};
use label_core::id::Name;
use label_core::wire::{ClipNumber, RecordedSegment};
use serde::Serialize;

/// A segment as its rig told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredSegment {
    /// Number within the clip.
    pub segment: u32,
    /// First and last frame of which it has a picture.
    pub frames: (u32, u32),
    /// Pictures in it.
    pub pictures: u32,
    /// Length of its media file.
    pub bytes: u64,
    /// Digest of its media file.
    pub sha256: String,
    /// Whether a power cut ended it.
    pub torn: bool,
}

/// A segment is of the boot that it names, which may be an earlier one than that of the message.
pub(crate) async fn store_segment(
    tx: &mut Connection,
    (site, rig): (&Name, &Name),
    clip: ClipNumber,
    segment: &RecordedSegment,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    ensure_boot(tx, site, rig, segment.boot, incoming).await?;
    ensure_clip(tx, rig, segment.boot, clip).await?;
    let of = ClipId {
        rig: rig.clone(),
        boot: segment.boot,
        clip,
    };
    if is_purged(tx, &of, segment.frames).await? {
        // Recorded while the rig deleted the rest, or after it: it is asked once more.
        return ask_again(tx, &of, segment.frames).await;
    }
    query(
        "INSERT INTO recorded_segments (rig, boot, clip, segment, first_frame, last_frame, pictures, bytes, sha256, torn)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (rig, boot, clip, segment) DO UPDATE SET first_frame = excluded.first_frame,
            last_frame = excluded.last_frame, pictures = excluded.pictures, bytes = excluded.bytes,
            sha256 = excluded.sha256, torn = excluded.torn",
    )
    .bind(rig.as_str())
    .bind(segment.boot.raw() as i64)
    .bind(i64::from(clip))
    .bind(i64::from(segment.segment))
    .bind(i64::from(segment.frames.0))
    .bind(i64::from(segment.frames.1))
    .bind(i64::from(segment.pictures))
    .bind(segment.bytes as i64)
    .bind(segment.sha256.as_str())
    .bind(i64::from(segment.torn))
    .execute(tx)
    .await
    .map_err(StoreError::database("store a recorded segment"))?;
    Ok(())
}

impl LabelStore {
    /// What a rig told of its recording of a clip, in order.
    pub async fn recorded_segments(&self, clip: &ClipId) -> Result<Vec<StoredSegment>, StoreError> {
        let mut connection = self.read("read recorded segments").await?;
        let rows = query(
            "SELECT segment, first_frame, last_frame, pictures, bytes, sha256, torn FROM recorded_segments
             WHERE rig = $1 AND boot = $2 AND clip = $3 ORDER BY segment",
        )
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read recorded segments"))?;
        let number = |row: &Row, column: &str| row.get::<i64, _>(column);
        let segments = rows.iter().map(|row| StoredSegment {
            segment: number(row, "segment") as u32,
            frames: (
                number(row, "first_frame") as u32,
                number(row, "last_frame") as u32,
            ),
            pictures: number(row, "pictures") as u32,
            bytes: number(row, "bytes") as u64,
            sha256: row.get("sha256"),
            torn: number(row, "torn") != 0,
        });
        Ok(segments.collect())
    }
}
