//! What arrives of a request: parts are committed one by one, what is whole is compared and cut into pictures.

use super::{listing, one};
use crate::database::{Connection, Row, query};
use crate::purge::is_purged;
use crate::row::name_column;
use crate::{ClipId, LabelStore, StoreError};
use label_core::wire::{AskedPicture, Chunk, MAX_ASKED_BYTES, MAX_PICTURE_BYTES};
use label_core::{BootId, CaptureTime};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Stands in the place of a refusal's reason while a request is open that was begun anew.
const ANEW: &str = "anew";

impl LabelStore {
    /// The rig does not give it.
    pub async fn refuse_request(
        &self,
        request: i64,
        reason: &str,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "note a refusal";
        let mut tx = self.begin_write(doing).await?;
        refuse(&mut tx, request, reason, now_us).await?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// A picture that was asked for came.
    pub async fn take_picture(
        &self,
        request: i64,
        (boot, shows): (BootId, &AskedPicture),
        jpeg: &[u8],
        now_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "store a requested picture";
        let mut tx = self.begin_write(doing).await?;
        let Some(row) = one(&mut tx, request).await?.filter(is_open) else {
            return Ok(());
        };
        // Frames were asked for, and this is something else.
        let is_other = row.get::<Option<i64>, _>("first_frame").is_some();
        let of = ClipId {
            rig: name_column(&row, "rig")?,
            boot,
            clip: shows.clip,
        };
        if is_other || jpeg.len() > MAX_PICTURE_BYTES || !is_jpeg(jpeg) {
            refuse(&mut tx, request, "damaged", now_us).await?;
        } else if is_purged(&mut tx, &of, (shows.picture.frame, shows.picture.frame)).await? {
            refuse(&mut tx, request, "purged", now_us).await?;
        } else {
            // So that it goes when its clip is purged.
            query("UPDATE requests SET boot = $2, clip = $3 WHERE request = $1")
                .bind(request)
                .bind(boot.raw() as i64)
                .bind(i64::from(shows.clip))
                .execute(&mut tx)
                .await
                .map_err(StoreError::database(doing))?;
            let picture = (shows.picture.frame, shows.picture.pts_us, jpeg.len() as u32);
            insert_picture(&mut tx, request, picture, jpeg).await?;
            finish(&mut tx, request, &[picture], jpeg.len() as u64, now_us).await?;
        }
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// A part of the frames that were asked for came, of which the question was: from byte `asked_from` on. Only the one that is
    /// lacking is taken; a rig that answers anything else, or begins another whole a second time, is not asked again: the next
    /// question goes out as soon as an answer is here. What another program took in since the question was asked stands.
    pub async fn take_part(
        &self,
        (request, asked_from): (i64, u64),
        chunk: &Chunk,
        part: &[u8],
        now_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "store a part of a request";
        let mut tx = self.begin_write(doing).await?;
        let Some(row) = one(&mut tx, request).await?.filter(is_open) else {
            return Ok(());
        };
        let have = row.get::<i64, _>("have") as u64;
        let known: (Option<i64>, Option<String>) = (row.get("bytes"), row.get("sha256"));
        if have != asked_from {
            return Ok(());
        }
        if part.is_empty() || chunk.bytes > MAX_ASKED_BYTES || chunk.offset != have {
            refuse(&mut tx, request, "damaged", now_us).await?;
            return tx.commit().await.map_err(StoreError::database(doing));
        }
        if have == 0 {
            let listed: u64 = chunk
                .pictures
                .iter()
                .map(|(_, _, bytes)| u64::from(*bytes))
                .sum();
            let wanted = (
                row.get::<Option<i64>, _>("first_frame"),
                row.get::<Option<i64>, _>("last_frame"),
            );
            let within = chunk.pictures.iter().all(|(frame, _, _)| {
                let frame = Some(i64::from(*frame));
                wanted.0 <= frame && frame <= wanted.1
            });
            let ascends = chunk.pictures.windows(2).all(|pair| pair[0].0 < pair[1].0);
            if listed != chunk.bytes || !within || !ascends {
                refuse(&mut tx, request, "damaged", now_us).await?;
                return tx.commit().await.map_err(StoreError::database(doing));
            }
            query(
                "UPDATE requests SET state = 'arriving', bytes = $2, sha256 = $3, pictures = $4 WHERE request = $1",
            )
            .bind(request)
            .bind(chunk.bytes as i64)
            .bind(chunk.sha256.as_str())
            .bind(serde_json::to_string(&chunk.pictures).expect("numbers always encode"))
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        } else if known.0 != Some(chunk.bytes as i64)
            || known.1.as_deref() != Some(chunk.sha256.as_str())
        {
            // What the rig has changed since: a part of another whole is of no use.
            if row.get::<Option<&str>, _>("reason") == Some(ANEW) {
                refuse(&mut tx, request, "damaged", now_us).await?;
            } else {
                begin_anew(&mut tx, request).await?;
            }
            return tx.commit().await.map_err(StoreError::database(doing));
        }
        if have + part.len() as u64 > chunk.bytes {
            refuse(&mut tx, request, "damaged", now_us).await?;
            return tx.commit().await.map_err(StoreError::database(doing));
        }
        query("INSERT INTO request_parts (request, begins, part) VALUES ($1, $2, $3)")
            .bind(request)
            .bind(have as i64)
            .bind(part)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        query("UPDATE requests SET have = $2 WHERE request = $1")
            .bind(request)
            .bind((have + part.len() as u64) as i64)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        if have + part.len() as u64 == chunk.bytes {
            assemble(&mut tx, request, now_us).await?;
        }
        tx.commit().await.map_err(StoreError::database(doing))
    }
}

fn is_open(row: &Row) -> bool {
    matches!(row.get::<&str, _>("state"), "asked" | "arriving")
}

fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff])
}

pub(super) async fn run(
    tx: &mut Connection,
    sql: &'static str,
    request: i64,
) -> Result<(), StoreError> {
    query(sql)
        .bind(request)
        .execute(tx)
        .await
        .map_err(StoreError::database("change a request"))?;
    Ok(())
}

async fn begin_anew(tx: &mut Connection, request: i64) -> Result<(), StoreError> {
    run(tx, "DELETE FROM request_parts WHERE request = $1", request).await?;
    query(
        "UPDATE requests SET have = 0, bytes = NULL, sha256 = NULL, pictures = NULL, state = 'asked', reason = $2
         WHERE request = $1",
    )
    .bind(request)
    .bind(ANEW)
    .execute(tx)
    .await
    .map_err(StoreError::database("begin a request anew"))?;
    Ok(())
}

async fn refuse(
    tx: &mut Connection,
    request: i64,
    reason: &str,
    now_us: i64,
) -> Result<(), StoreError> {
    run(tx, "DELETE FROM request_parts WHERE request = $1", request).await?;
    query(
        "UPDATE requests SET state = 'refused', reason = $2, ended_us = $3
         WHERE request = $1 AND state IN ('asked', 'arriving')",
    )
    .bind(request)
    .bind(reason)
    .bind(now_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("note a refusal"))?;
    Ok(())
}

async fn insert_picture(
    tx: &mut Connection,
    request: i64,
    (frame, at, _): (u32, CaptureTime, u32),
    jpeg: &[u8],
) -> Result<(), StoreError> {
    query(
        "INSERT INTO request_pictures (request, frame, pts_us, jpeg) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request, frame) DO NOTHING",
    )
    .bind(request)
    .bind(i64::from(frame))
    .bind(at.us())
    .bind(jpeg)
    .execute(tx)
    .await
    .map_err(StoreError::database("store a requested picture"))?;
    Ok(())
}

async fn finish(
    tx: &mut Connection,
    request: i64,
    pictures: &[(u32, CaptureTime, u32)],
    bytes: u64,
    now_us: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE requests SET state = 'here', bytes = $2, have = $2, pictures = $3, ended_us = $4
         WHERE request = $1 AND state IN ('asked', 'arriving')",
    )
    .bind(request)
    .bind(bytes as i64)
    .bind(serde_json::to_string(pictures).expect("numbers always encode"))
    .bind(now_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("end a request"))?;
    Ok(())
}

/// All parts are here: cut into pictures, if they are what the rig told.
async fn assemble(tx: &mut Connection, request: i64, now_us: i64) -> Result<(), StoreError> {
    let Some(row) = one(tx, request).await? else {
        return Ok(());
    };
    let parts = query("SELECT part FROM request_parts WHERE request = $1 ORDER BY begins")
        .bind(request)
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database("read what arrived"))?;
    let whole: Vec<u8> = parts
        .iter()
        .flat_map(|row| row.get::<&[u8], _>("part"))
        .copied()
        .collect();
    let digest = Sha256::digest(&whole)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
    if row.get::<Option<&str>, _>("sha256") != Some(digest.as_str()) {
        return refuse(tx, request, "damaged", now_us).await;
    }
    let (pictures, mut at) = (listing(&row)?, 0);
    for picture in &pictures {
        let ends = at + picture.2 as usize;
        let jpeg = whole.get(at..ends).filter(|jpeg| is_jpeg(jpeg));
        let Some(jpeg) = jpeg else {
            return refuse(tx, request, "damaged", now_us).await;
        };
        insert_picture(tx, request, *picture, jpeg).await?;
        at = ends;
    }
    run(tx, "DELETE FROM request_parts WHERE request = $1", request).await?;
    finish(tx, request, &pictures, whole.len() as u64, now_us).await
}
