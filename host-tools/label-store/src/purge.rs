//! Deleting a clip, or a person of it, on somebody's order: pictures always, labels where that is asked for too.
//!
//! The messages' names and digests stay, so that the rig may forget them and replay is harmless; what they brought goes. A row of `purges`
//! stays as well: what arrives late is not kept, what was deleted is not missed in the balance, and the rig is asked to delete its
//! own recording until it has said that it did. [`LabelStore::leave_no_trace`] then takes what was deleted out of the file.

mod labels;
mod late;
mod rig;
mod trace;

pub(crate) use late::purged;
pub use rig::OpenPurge;
pub(crate) use rig::ask_again;

use crate::database::{AssertSqlSafe, Connection, Query, query};
use crate::quality::mark_stale;
use crate::track_edits::track_map;
use crate::{ClipId, LabelStore, StoreError, clip_id_text};
use label_core::TrackId;
use label_core::wire::split_evidence;
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
    pub async fn purge(
        &self,
        order: &PurgeOrder,
        run: PurgeRun,
        who: &str,
        now_us: i64,
    ) -> Result<PurgeReport, StoreError> {
        let mut tx = self.begin_write(DOING).await?;
        let mut report = PurgeReport::default();
        one_clip(&mut tx, order, who, now_us, &mut report).await?;
        if order.track.is_none() && order.labels == PurgedLabels::Drop {
            for source in imports_of(&mut tx, &order.clip).await? {
                report.imported.push(clip_id_text(&source));
                let order = PurgeOrder {
                    clip: source,
                    ..order.clone()
                };
                one_clip(&mut tx, &order, who, now_us, &mut report).await?;
            }
        }
        if run == PurgeRun::Real {
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
        }
        Ok(report)
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

async fn one_clip(
    tx: &mut Connection,
    order: &PurgeOrder,
    who: &str,
    now_us: i64,
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
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
    let labels = labels::chosen(tx, clip, order.track).await?;
    if order.track.is_some() {
        let ends = labels.iter().map(|label| label.frames);
        let first = ends.clone().map(|frames| frames.start).min();
        let last = ends.map(|frames| frames.end).max();
        report.frames = match first.zip(last) {
            // Ordered before: what is left then is to write the file anew.
            None => Some(ordered_before(tx, order).await?),
            frames => frames,
        };
    }
    let frames = report.frames.filter(|_| order.track.is_some());
    let evidence = pictures(tx, order, frames, report).await?;
    let mut gone = labels::Counts::default();
    if order.labels == PurgedLabels::Drop {
        gone = labels::drop_labels(tx, clip, order.track, &labels, report).await?;
    }
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
    of_clip(
        "INSERT INTO purges (rig, boot, clip, track, first_frame, last_frame, with_labels, offered, abstained, evidence,
            rig_done, at_us, purged_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        clip,
    )
    .bind(order.track.map(i64::from))
    .bind(frames.map(|frames| i64::from(frames.0)))
    .bind(frames.map(|frames| i64::from(frames.1)))
    .bind(i64::from(order.labels == PurgedLabels::Drop))
    .bind(gone.offered)
    .bind(gone.abstained)
    .bind(evidence as i64)
    .bind(i64::from(!is_rigs))
    .bind(now_us)
    .bind(who)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?;
    mark_stale(tx, &clip.rig, clip.boot, clip.clip).await
}

/// Deletes every picture of what is purged; tells how many evidence messages that were.
async fn pictures(
    tx: &mut Connection,
    order: &PurgeOrder,
    frames: Option<(u32, u32)>,
    report: &mut PurgeReport,
) -> Result<u64, StoreError> {
    let clip = &order.clip;
    let map = track_map(tx, clip).await?;
    let mut strips = 0;
    for row in &of_clip(
        "SELECT seq, header, cast(length(jpeg) AS BIGINT) AS bytes FROM evidence WHERE rig = $1 AND boot = $2 AND clip = $3",
        clip,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?
    {
        if !late::is_of(order.track, &map, row.get("header")) {
            continue;
        }
        query("DELETE FROM evidence WHERE rig = $1 AND boot = $2 AND seq = $3")
            .bind(clip.rig.as_str())
            .bind(clip.boot.raw() as i64)
            .bind(row.get::<i64, _>("seq"))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
        strips += 1;
        report.bytes += row.get::<i64, _>("bytes") as u64;
    }
    report.filmstrips += strips;
    let within = |frame: &str| {
        format!(
            "rig = $1 AND boot = $2 AND clip = $3 AND ($4 IS NULL OR {frame} BETWEEN $4 AND $5)"
        )
    };
    let (first, last) = (
        frames.map(|frames| i64::from(frames.0)),
        frames.map(|frames| i64::from(frames.1)),
    );
    let sql = format!(
        "DELETE FROM pictures WHERE {} RETURNING cast(length(jpeg) AS BIGINT) AS bytes",
        within("frame")
    );
    let gone = query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .bind(first)
        .bind(last)
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
    report.pictures += gone.len() as u64;
    report.bytes += gone
        .iter()
        .map(|row| row.get::<i64, _>("bytes") as u64)
        .sum::<u64>();
    requests(tx, clip, (first, last), report).await?;
    quarantined(tx, clip, report).await?;
    Ok(strips + gone.len() as u64)
}

async fn requests(
    tx: &mut Connection,
    clip: &ClipId,
    (first, last): (Option<i64>, Option<i64>),
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
    // A picture that came before it was noted of which clip it is may be of this one.
    let requests = of_clip(
        "SELECT request, have FROM requests WHERE rig = $1 AND (boot = $2 OR boot IS NULL) AND (clip = $3 OR (clip IS NULL AND state = 'here'))
            AND ($4 IS NULL OR first_frame IS NULL OR (first_frame <= $5 AND last_frame >= $4))",
        clip,
    )
    .bind(first)
    .bind(last)
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?;
    for row in &requests {
        report.bytes += row.get::<i64, _>("have") as u64;
        crate::requests::remove(tx, row.get("request")).await?;
    }
    report.requests += requests.len() as u64;
    Ok(())
}

/// What was set aside of the clip, or of its run where nobody can read of which clip it is.
async fn quarantined(
    tx: &mut Connection,
    clip: &ClipId,
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
    let entries = query("SELECT entry, payload FROM quarantine WHERE rig = $1 AND boot = $2")
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
    for row in &entries {
        let payload: &[u8] = row.get("payload");
        let header = split_evidence(payload).map_or(payload, |(header, _)| header);
        let said = serde_json::from_slice::<serde_json::Value>(header).ok();
        let of = said.and_then(|said| said["clip"].as_u64());
        if of.is_some_and(|of| of != u64::from(clip.clip)) {
            continue;
        }
        report.bytes += payload.len() as u64;
        report.quarantined += 1;
        query("DELETE FROM quarantine WHERE entry = $1")
            .bind(row.get::<i64, _>("entry"))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
    }
    Ok(())
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
