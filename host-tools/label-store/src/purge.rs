//! Deleting a clip, or a person of it, on somebody's order: pictures always, labels where that is asked for too.
//!
//! The messages' names and digests stay, so that the rig may forget them and replay is harmless; what they brought goes. A row of `purges`
//! stays as well: what arrives late is not kept, what was deleted is not missed in the balance, and the rig is asked to delete its
//! own recording until it has said that it did. [`LabelStore::leave_no_trace`] then takes what was deleted out of the file.

mod labels;
mod late;
mod pictures;
mod rig;
mod trace;

pub(crate) use late::purged;
pub use rig::OpenPurge;
pub(crate) use rig::ask_again;

use crate::database::{Connection, Query, query};
use crate::quality::mark_stale;
use crate::{ClipId, LabelStore, StoreError, clip_id_text};
use label_core::TrackId;
use serde::Serialize;

const DOING: &str = "purge";

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeOrder {
    /// The clip.
    pub clip: ClipId,
    /// Only this person of it, by the number that the page shows.
    pub track: Option<TrackId>,
    /// What becomes of labels.
    pub labels: PurgedLabels,
}

/// What becomes of the labels of what is purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgedLabels {
    /// They stay, with what people said of them.
    Keep,
    /// They go, with what people said of them.
    Drop,
}

/// Whether it is done, or only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeRun {
    /// Nothing changes.
    Dry,
    /// It is done.
    Real,
}

/// What was deleted, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurgeReport {
    /// First and last frame of which no picture is kept; null: of all.
    pub frames: Option<(u32, u32)>,
    /// Filmstrips.
    pub filmstrips: u64,
    /// Key pictures.
    pub pictures: u64,
    /// Requests to the rig, with what arrived of them.
    pub requests: u64,
    /// Messages in quarantine.
    pub quarantined: u64,
    /// Bytes of all these.
    pub bytes: u64,
    /// Candidates and abstentions.
    pub labels: u64,
    /// Labels that people made.
    pub made: u64,
    /// Verdicts and answers to second looks.
    pub said: u64,
    /// Imported clips of the same media whose labels go, too.
    pub imported: Vec<String>,
    /// Segments of its recording that the rig told of and is asked to delete; null where it is no rig's clip.
    pub segments: Option<u64>,
}

impl LabelStore {
    /// Deletes it, or counts what would be deleted.
    ///
    /// Pictures go in one transaction, labels a few hundred at a time, and at last the audit has its line. What a kill left in between
    /// is gone on with when the same is ordered again; until then [`LabelStore::unfinished_purges`] tells of it.
    pub async fn purge(
        &self,
        order: &PurgeOrder,
        run: PurgeRun,
        who: &str,
        now_us: i64,
    ) -> Result<PurgeReport, StoreError> {
        let mut tx = self.begin_write(DOING).await?;
        let mut report = PurgeReport::default();
        let mut orders = vec![order.clone()];
        if order.track.is_none() && order.labels == PurgedLabels::Drop {
            for source in imports_of(&mut tx, &order.clip).await? {
                report.imported.push(clip_id_text(&source));
                orders.push(PurgeOrder {
                    clip: source,
                    ..order.clone()
                });
            }
        }
        let mut begun = Vec::new();
        for order in &orders {
            begun.push(begin(&mut tx, order, who, now_us, &mut report).await?);
        }
        if run == PurgeRun::Dry {
            drop(tx);
            if order.labels == PurgedLabels::Drop {
                let mut reading = self.begin_read(DOING).await?;
                for order in &orders {
                    labels::count(&mut reading, &order.clip, order.track, &mut report).await?;
                }
            }
            return Ok(report);
        }
        if order.labels == PurgedLabels::Drop {
            tx.commit().await.map_err(StoreError::database(DOING))?;
            for (order, purge) in orders.iter().zip(&begun) {
                self.purge_labels(order, *purge, &mut report).await?;
            }
            tx = self.begin_write(DOING).await?;
            for (order, purge) in orders.iter().zip(&begun) {
                labels::drop_rest(&mut tx, &order.clip, order.track, &mut report).await?;
                let done = query("UPDATE purges SET labels_done = 1 WHERE purge = $1");
                let done = done.bind(*purge).execute(&mut tx).await;
                done.map_err(StoreError::database(DOING))?;
                mark_stale(&mut tx, &order.clip.rig, order.clip.boot, order.clip.clip).await?;
            }
        }
        let labels = match order.labels {
            PurgedLabels::Keep => "",
            PurgedLabels::Drop => " with labels",
        };
        let person = order
            .track
            .map_or_else(String::new, |track| format!(", person {track}"));
        let about = format!("{}{person}{labels}", clip_id_text(&order.clip));
        crate::people::audit_line(&mut tx, now_us, who, "purged", &about).await?;
        tx.commit().await.map_err(StoreError::database(DOING))?;
        Ok(report)
    }

    /// Deletes labels until none is left, and notes with each step how many those were.
    async fn purge_labels(
        &self,
        order: &PurgeOrder,
        purge: i64,
        report: &mut PurgeReport,
    ) -> Result<(), StoreError> {
        let failed = || StoreError::database(DOING);
        loop {
            let mut reading = self.begin_read(DOING).await?;
            let left = labels::chosen(&mut reading, &order.clip, order.track).await?;
            drop(reading);
            if left.is_empty() {
                return Ok(());
            }
            for some in left.chunks(labels::AT_ONCE) {
                let mut tx = self.begin_write(DOING).await?;
                let gone = labels::drop_labels(&mut tx, &order.clip, some, report).await?;
                query(
                    "UPDATE purges SET offered = offered + $2, abstained = abstained + $3 WHERE purge = $1",
                )
                .bind(purge)
                .bind(gone.offered)
                .bind(gone.abstained)
                .execute(&mut tx)
                .await
                .map_err(failed())?;
                tx.commit().await.map_err(failed())?;
            }
        }
    }

    /// What was ordered and is not done, since the program that did it came to its end: clips, and the person where it was one.
    pub async fn unfinished_purges(&self) -> Result<Vec<(ClipId, Option<TrackId>)>, StoreError> {
        let doing = "read unfinished purges";
        let mut connection = self.read(doing).await?;
        query("SELECT rig, boot, clip, track FROM purges WHERE labels_done = 0 ORDER BY purge")
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(doing))?
            .iter()
            .map(|row| {
                let clip = ClipId {
                    rig: crate::row::name_column(row, "rig")?,
                    boot: crate::row::boot_column(row, "boot")?,
                    clip: row.get::<i64, _>("clip") as u32,
                };
                let track = row.get::<Option<i64>, _>("track");
                Ok((clip, track.map(|track| track as TrackId)))
            })
            .collect()
    }
}

/// A statement about a clip; what else it needs is bound behind.
fn of_clip(sql: &'static str, clip: &ClipId) -> Query {
    query(sql)
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
}

/// The frames of which no picture of this person is kept since they were purged.
async fn ordered_before(tx: &mut Connection, order: &PurgeOrder) -> Result<(u32, u32), StoreError> {
    let row = of_clip(
        "SELECT min(first_frame) AS first_frame, max(last_frame) AS last_frame FROM purges
         WHERE rig = $1 AND boot = $2 AND clip = $3 AND track = $4",
        &order.clip,
    )
    .bind(order.track.map(i64::from))
    .fetch_one(tx)
    .await
    .map_err(StoreError::database(DOING))?;
    let frame = |column| row.get::<Option<i64>, _>(column).map(|frame| frame as u32);
    frame("first_frame")
        .zip(frame("last_frame"))
        .ok_or(StoreError::Purge("no label of the clip is of this person"))
}

/// First and last frame of which no picture of this person is kept.
async fn frames_of_person(
    tx: &mut Connection,
    order: &PurgeOrder,
) -> Result<(u32, u32), StoreError> {
    let labels = labels::chosen(tx, &order.clip, order.track).await?;
    let ends = labels.iter().map(|label| label.frames);
    let first = ends.clone().map(|frames| frames.start).min();
    let last = ends.map(|frames| frames.end).max();
    match first.zip(last) {
        Some(frames) => Ok(frames),
        // Ordered before: what is left then is to write the file anew.
        None => ordered_before(tx, order).await,
    }
}

/// The same order, where its labels are not all deleted: its number and frames.
async fn unfinished(
    tx: &mut Connection,
    order: &PurgeOrder,
) -> Result<Option<(i64, Option<(u32, u32)>)>, StoreError> {
    let row = of_clip(
        "SELECT purge, first_frame, last_frame FROM purges
         WHERE rig = $1 AND boot = $2 AND clip = $3 AND labels_done = 0
           AND (track = $4 OR (track IS NULL AND $4 IS NULL)) ORDER BY purge LIMIT 1",
        &order.clip,
    )
    .bind(order.track.map(i64::from))
    .fetch_optional(tx)
    .await
    .map_err(StoreError::database(DOING))?;
    Ok(row.map(|row| {
        let frame = |column| row.get::<Option<i64>, _>(column).map(|frame| frame as u32);
        let frames = frame("first_frame").zip(frame("last_frame"));
        (row.get("purge"), frames)
    }))
}

/// Deletes pictures, and notes the order, so that nothing of it is kept from now on; its number.
async fn begin(
    tx: &mut Connection,
    order: &PurgeOrder,
    who: &str,
    now_us: i64,
    report: &mut PurgeReport,
) -> Result<i64, StoreError> {
    let clip = &order.clip;
    let row = of_clip(
        "SELECT closed_seq, EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = $1 AND i.boot = $2 AND i.clip = $3) AS imported
         FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3",
        clip,
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?
    .ok_or_else(|| StoreError::NoSuchClip(clip.clone()))?;
    let is_open = row.get::<Option<i64>, _>("closed_seq").is_none();
    let is_rigs = !row.get::<bool, _>("imported");
    if order.track.is_some() && is_open && is_rigs {
        return Err(StoreError::Purge(
            "the clip is not closed, so the rig may tell more of this person: purge them when it is, or the whole clip now",
        ));
    }
    let drops = order.labels == PurgedLabels::Drop;
    let before = if drops {
        unfinished(tx, order).await?
    } else {
        None
    };
    let frames = match (before, order.track) {
        (Some((_, frames)), _) => frames,
        (None, None) => None,
        (None, Some(_)) => Some(frames_of_person(tx, order).await?),
    };
    if order.track.is_some() {
        report.frames = frames;
    }
    let evidence = pictures::delete(tx, order, frames, report).await?;
    if is_rigs {
        let segments = of_clip(
            "DELETE FROM recorded_segments WHERE rig = $1 AND boot = $2 AND clip = $3
               AND ($4 IS NULL OR (first_frame <= $5 AND last_frame >= $4))",
            clip,
        )
        .bind(frames.map(|frames| i64::from(frames.0)))
        .bind(frames.map(|frames| i64::from(frames.1)))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
        report.segments = Some(report.segments.unwrap_or(0) + segments);
    }
    mark_stale(tx, &clip.rig, clip.boot, clip.clip).await?;
    if let Some((purge, _)) = before {
        let more = query("UPDATE purges SET evidence = evidence + $2 WHERE purge = $1");
        let more = more.bind(purge).bind(evidence as i64).execute(tx).await;
        more.map_err(StoreError::database(DOING))?;
        return Ok(purge);
    }
    let row = of_clip(
        "INSERT INTO purges (rig, boot, clip, track, first_frame, last_frame, with_labels, evidence, rig_done, labels_done, at_us,
            purged_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING purge",
        clip,
    )
    .bind(order.track.map(i64::from))
    .bind(frames.map(|frames| i64::from(frames.0)))
    .bind(frames.map(|frames| i64::from(frames.1)))
    .bind(i64::from(drops))
    .bind(evidence as i64)
    .bind(i64::from(!is_rigs))
    .bind(i64::from(!drops))
    .bind(now_us)
    .bind(who)
    .fetch_one(tx)
    .await
    .map_err(StoreError::database(DOING))?;
    Ok(row.get("purge"))
}

async fn imports_of(tx: &mut Connection, clip: &ClipId) -> Result<Vec<ClipId>, StoreError> {
    of_clip(
        "SELECT source, boot, clip FROM imported_clips WHERE of_rig = $1 AND of_boot = $2 AND of_clip = $3",
        clip,
    )
    .fetch_all(tx)
    .await
    .map_err(StoreError::database(DOING))?
    .iter()
    .map(|row| {
        Ok(ClipId {
            rig: crate::row::name_column(row, "source")?,
            boot: crate::row::boot_column(row, "boot")?,
            clip: row.get::<i64, _>("clip") as u32,
        })
    })
    .collect()
}

/// Whether pictures of some of these frames were deleted on order, so that nobody may ask for them again.
pub(crate) async fn is_purged(
    tx: &mut Connection,
    clip: &ClipId,
    frames: (u32, u32),
) -> Result<bool, StoreError> {
    Ok(of_clip(
        "SELECT 1 FROM purges WHERE rig = $1 AND boot = $2 AND clip = $3
           AND (first_frame IS NULL OR (first_frame <= $5 AND last_frame >= $4))",
        clip,
    )
    .bind(i64::from(frames.0))
    .bind(i64::from(frames.1))
    .fetch_optional(tx)
    .await
    .map_err(StoreError::database("look for what was purged"))?
    .is_some())
}
