//! Counting what changed.

use super::clip::{ClipCount, Outcome, Seen};
use crate::database::{Connection, query};
use crate::row::{boot_column, name_column};
use crate::second_look::write_looks;
use crate::{ClipId, LabelStore, StoreError};
use ::quality::{DeskKind, FINE_BINS, Reliability, bin_of_ms};
use label_core::BootId;
use label_core::id::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Verdicts taken into account at a time.
const VERDICTS_AT_ONCE: i64 = 20_000;

/// Clips written in one transaction.
const CLIPS_AT_ONCE: i64 = 16;

/// What a refresh did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Clips counted anew.
    pub clips: u64,
    /// Clips that still wait to be counted.
    pub behind: u64,
}

/// Notes that a clip has to be counted anew.
pub(crate) async fn mark_stale(
    tx: &mut Connection,
    rig: &Name,
    boot: BootId,
    clip: u32,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO quality_stale (rig, boot, clip, mark) VALUES ($1, $2, $3, 1)
         ON CONFLICT (rig, boot, clip) DO UPDATE SET mark = quality_stale.mark + 1",
    )
    .bind(rig.as_str())
    .bind(boot.raw() as i64)
    .bind(i64::from(clip))
    .execute(tx)
    .await
    .map_err(StoreError::database("note that a clip changed"))?;
    Ok(())
}

#[derive(Default)]
struct Cell {
    offered: i64,
    accepted: i64,
    corrected_right: i64,
    corrected_wrong: i64,
    rejected: i64,
    cannot_tell: i64,
    confidence: f64,
    boundary: i64,
}

impl LabelStore {
    /// Counts what changed, for about this long; returns what is left. Cheap where nothing changed.
    pub async fn refresh_quality(&self, budget: Duration) -> Result<Refreshed, StoreError> {
        let until = Instant::now() + budget;
        while self.take_verdicts().await? && Instant::now() < until {}
        let mut refreshed = Refreshed::default();
        loop {
            let stale = self.stale_clips().await?;
            if stale.is_empty() {
                return Ok(refreshed);
            }
            let mut counted = Vec::with_capacity(stale.len());
            for (clip, mark) in stale {
                let count = self.count_clip(&clip).await?;
                counted.push((clip, mark, count));
                if Instant::now() > until {
                    break;
                }
            }
            let mut tx = self.begin_write("count quality").await?;
            for (clip, mark, count) in &counted {
                write_clip(&mut tx, clip, *mark, count).await?;
            }
            tx.commit()
                .await
                .map_err(StoreError::database("count quality"))?;
            refreshed.clips += counted.len() as u64;
            if Instant::now() > until {
                break;
            }
        }
        let mut connection = self.read("count quality").await?;
        let behind: i64 = query("SELECT count(*) FROM quality_stale")
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::database("count quality"))?
            .get(0);
        refreshed.behind = behind as u64;
        Ok(refreshed)
    }

    /// Adds new verdicts to the human seconds and marks their clips; whether there may be more.
    async fn take_verdicts(&self) -> Result<bool, StoreError> {
        const DOING: &str = "take verdicts into account";
        let failed = || StoreError::database(DOING);
        let mut connection = self.read(DOING).await?;
        let from: i64 = query("SELECT upto FROM quality_progress WHERE what = 'verdicts'")
            .fetch_one(&mut connection)
            .await
            .map_err(failed())?
            .get(0);
        let rows = query(
            "SELECT v.verdict, v.rig, v.boot, v.judgement, v.spent_ms, l.kind, l.clip
             FROM verdicts v JOIN labels l ON l.rig = v.rig AND l.boot = v.boot AND l.seq = v.seq AND l.n = v.n
             WHERE v.verdict > $2 ORDER BY v.verdict LIMIT $1",
        )
        .bind(VERDICTS_AT_ONCE)
        .bind(from)
        .fetch_all(&mut connection)
        .await
        .map_err(failed())?;
        drop(connection);
        let Some(last) = rows.last() else {
            return Ok(false);
        };
        let last: i64 = last.get("verdict");
        let mut seconds: BTreeMap<(&str, &str, &str, u32), i64> = BTreeMap::new();
        let mut clips: BTreeSet<(&str, i64, i64)> = BTreeSet::new();
        for row in &rows {
            clips.insert((row.get("rig"), row.get("boot"), row.get("clip")));
            let ms: i64 = row.get("spent_ms");
            let judgement: &str = row.get("judgement");
            if let Some(bin) =
                bin_of_ms(ms as u64).filter(|_| !matches!(judgement, "withdraw" | "restore"))
            {
                *seconds
                    .entry((row.get("rig"), row.get("kind"), judgement, bin))
                    .or_default() += 1;
            }
        }
        let mut tx = self.begin_write(DOING).await?;
        let mine =
            query("UPDATE quality_progress SET upto = $1 WHERE what = 'verdicts' AND upto = $2")
                .bind(last)
                .bind(from)
                .execute(&mut tx)
                .await
                .map_err(failed())?;
        if mine == 0 {
            // Somebody else counted them meanwhile.
            return Ok(true);
        }
        for ((rig, kind, act, bin), times) in seconds {
            add_seconds(&mut tx, rig, kind, act, bin, times).await?;
        }
        for (rig, boot, clip) in clips {
            query(
                "INSERT INTO quality_stale (rig, boot, clip, mark) VALUES ($1, $2, $3, 1)
                 ON CONFLICT (rig, boot, clip) DO UPDATE SET mark = quality_stale.mark + 1",
            )
            .bind(rig)
            .bind(boot)
            .bind(clip)
            .execute(&mut tx)
            .await
            .map_err(failed())?;
        }
        tx.commit().await.map_err(failed())?;
        Ok(rows.len() as i64 == VERDICTS_AT_ONCE)
    }

    async fn stale_clips(&self) -> Result<Vec<(ClipId, i64)>, StoreError> {
        let mut connection = self.read("look for clips that changed").await?;
        query("SELECT rig, boot, clip, mark FROM quality_stale LIMIT $1")
            .bind(CLIPS_AT_ONCE)
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("look for clips that changed"))?
            .iter()
            .map(|row| {
                let clip = ClipId {
                    rig: name_column(row, "rig")?,
                    boot: boot_column(row, "boot")?,
                    clip: row.get::<i64, _>("clip") as u32,
                };
                Ok((clip, row.get("mark")))
            })
            .collect()
    }
}

pub(super) async fn add_seconds(
    tx: &mut Connection,
    rig: &str,
    kind: &str,
    act: &str,
    bin: u32,
    times: i64,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO quality_seconds (rig, kind, act, bin, times) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (kind, act, rig, bin) DO UPDATE SET times = quality_seconds.times + excluded.times",
    )
    .bind(rig)
    .bind(kind)
    .bind(act)
    .bind(i64::from(bin))
    .bind(times)
    .execute(tx)
    .await
    .map_err(StoreError::database("count human seconds"))?;
    Ok(())
}

async fn write_clip(
    tx: &mut Connection,
    clip: &ClipId,
    mark: i64,
    count: &ClipCount,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("count quality");
    let (rig, boot, number) = (
        clip.rig.as_str(),
        clip.boot.raw() as i64,
        i64::from(clip.clip),
    );
    // The update changes nothing; it makes RETURNING give the row whether it is new or not.
    let id: i64 = query(
        "INSERT INTO quality_clips (rig, boot, clip, began_us)
         VALUES ($1, $2, $3, coalesce((SELECT m.received_us FROM clips c
             JOIN messages m ON m.rig = c.rig AND m.boot = c.boot AND m.seq = c.opened_seq
             WHERE c.rig = $1 AND c.boot = $2 AND c.clip = $3), 0))
         ON CONFLICT (rig, boot, clip) DO UPDATE
             SET began_us = CASE WHEN quality_clips.began_us > excluded.began_us
                 THEN quality_clips.began_us ELSE excluded.began_us END RETURNING clip_id",
    )
    .bind(rig)
    .bind(boot)
    .bind(number)
    .fetch_one(&mut *tx)
    .await
    .map_err(failed())?
    .get(0);
    for sql in [
        "DELETE FROM quality_cells WHERE clip_id = $1",
        "DELETE FROM quality_coverage WHERE clip_id = $1",
    ] {
        query(sql)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
    }
    for ((kind, model, seen, bin), cell) in &cells(count) {
        query(
            "INSERT INTO quality_cells (clip_id, rig, kind, model, glasses, light, distance, bin, offered, accepted,
                corrected_right, corrected_wrong, rejected, cannot_tell, confidence, boundary)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(id)
        .bind(rig)
        .bind(kind.name())
        .bind(model)
        .bind(seen.glasses)
        .bind(seen.light)
        .bind(seen.distance)
        .bind(*bin as i64)
        .bind(cell.offered)
        .bind(cell.accepted)
        .bind(cell.corrected_right)
        .bind(cell.corrected_wrong)
        .bind(cell.rejected)
        .bind(cell.cannot_tell)
        .bind(cell.confidence)
        .bind(cell.boundary)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    }
    write_looks(tx, id, rig, &count.looks).await?;
    for ((kind, reason), frames) in &count.coverage {
        query(
            "INSERT INTO quality_coverage (clip_id, rig, kind, reason, frames) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(rig)
        .bind(kind.name())
        .bind(reason)
        .bind(*frames as i64)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    }
    query("DELETE FROM quality_stale WHERE rig = $1 AND boot = $2 AND clip = $3 AND mark = $4")
        .bind(rig)
        .bind(boot)
        .bind(number)
        .bind(mark)
        .execute(tx)
        .await
        .map_err(failed())?;
    Ok(())
}

fn cells(count: &ClipCount) -> BTreeMap<(DeskKind, &str, Seen, usize), Cell> {
    let mut cells: BTreeMap<(DeskKind, &str, Seen, usize), Cell> = BTreeMap::new();
    for one in &count.candidates {
        let bin = Reliability::bin_of(one.confidence, FINE_BINS);
        let cell = cells
            .entry((one.kind, one.model.as_str(), one.seen, bin))
            .or_default();
        cell.offered += 1;
        match one.outcome {
            Outcome::Waiting => {}
            Outcome::Accepted => cell.accepted += 1,
            Outcome::CorrectedRight(moved) => {
                cell.corrected_right += 1;
                cell.boundary += i64::from(moved);
            }
            Outcome::CorrectedWrong => cell.corrected_wrong += 1,
            Outcome::Rejected => cell.rejected += 1,
            Outcome::CannotTell => cell.cannot_tell += 1,
        }
        if one.outcome.right().is_some() {
            cell.confidence += one.confidence;
        }
    }
    cells
}
