//! Retention: pictures and labels go for their age, pictures also for want of room.
//!
//! Age is counted from when a message was here, by this host's clock. What went is noted in `outdated`, so that it is not missed in the
//! balance. Labels go clip by clip, as by [`LabelStore::purge`].

use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::row::{boot_column, name_column};
use crate::{ClipId, LabelStore, PurgeOrder, PurgeRun, PurgedLabels, StoreError};

const DOING: &str = "delete what is too old or too much";
/// Pictures deleted in one transaction: ingest waits no longer than for these.
const AT_ONCE: usize = 256;
/// Pictures found at one look.
const AT_ONE_LOOK: i64 = 8192;
/// Who deleted, on record.
const WHO: &str = "retention";

/// How long what is kept; `None`: for ever, or however much it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Filmstrips and key pictures, microseconds.
    pub pictures_us: Option<i64>,
    /// All of them together, bytes; the oldest go first.
    pub pictures_bytes: Option<u64>,
    /// Labels and what people said of them, microseconds since their run of the rig was heard last.
    pub labels_us: Option<i64>,
}

impl Retention {
    /// Whether anything ever goes.
    pub fn is_for_ever(self) -> bool {
        self == Self::default()
    }
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outdated {
    /// Filmstrips and key pictures.
    pub pictures: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Clips whose labels went.
    pub clips: u64,
}

/// Filmstrips and key pictures with when they came.
const ALL_PICTURES: &str = "
    SELECT 'evidence' AS kept, e.rig, e.boot, e.seq, e.clip, cast(length(e.jpeg) AS BIGINT) AS bytes, m.received_us FROM evidence e
      JOIN messages m ON m.rig = e.rig AND m.boot = e.boot AND m.seq = e.seq
    UNION ALL
    SELECT 'pictures' AS kept, p.rig, p.boot, p.seq, p.clip, cast(length(p.jpeg) AS BIGINT) AS bytes, m.received_us FROM pictures p
      JOIN messages m ON m.rig = p.rig AND m.boot = p.boot AND m.seq = p.seq";

impl LabelStore {
    /// Deletes what is too old or too much, a little at a time.
    pub async fn retire(&self, retention: &Retention, now_us: i64) -> Result<Outdated, StoreError> {
        let mut gone = Outdated::default();
        if let Some(age) = retention.pictures_us {
            while self
                .retire_pictures(now_us - age, u64::MAX, &mut gone)
                .await?
            {}
        }
        if let Some(most) = retention.pictures_bytes {
            loop {
                let held = self.picture_bytes().await?;
                let beyond = held.saturating_sub(most);
                if beyond == 0 || !self.retire_pictures(i64::MAX, beyond, &mut gone).await? {
                    break;
                }
            }
        }
        if let Some(age) = retention.labels_us {
            let mut failed = None;
            for clip in self.clips_before(now_us - age).await? {
                let order = PurgeOrder {
                    clip,
                    track: None,
                    labels: PurgedLabels::Drop,
                };
                // One that fails keeps the others no longer.
                match self.purge(&order, PurgeRun::Real, WHO, now_us).await {
                    Ok(_) => gone.clips += 1,
                    Err(error) => failed = Some(error),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(gone)
    }

    async fn picture_bytes(&self) -> Result<u64, StoreError> {
        let mut connection = self.read(DOING).await?;
        let held: i64 = query(
            "SELECT (SELECT coalesce(sum(cast(length(jpeg) AS BIGINT)), 0) FROM evidence)
                + (SELECT coalesce(sum(cast(length(jpeg) AS BIGINT)), 0) FROM pictures) AS held",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(StoreError::database(DOING))?
        .get("held");
        Ok(held as u64)
    }

    /// The oldest of those that came before, at least `beyond` bytes of them if there are so many; false where none is left.
    async fn retire_pictures(
        &self,
        before_us: i64,
        beyond: u64,
        gone: &mut Outdated,
    ) -> Result<bool, StoreError> {
        // Looked for where nobody waits: it reads of all pictures when they came.
        let mut connection = self.read(DOING).await?;
        let sql = format!(
            "SELECT * FROM ({ALL_PICTURES}) AS kept_pictures WHERE received_us < $1 ORDER BY received_us, seq LIMIT $2"
        );
        let mut rows = query(AssertSqlSafe(sql))
            .bind(before_us)
            .bind(AT_ONE_LOOK)
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        drop(connection);
        let is_more = rows.len() as i64 == AT_ONE_LOOK;
        let mut freed = 0;
        let enough = rows.iter().position(|row| {
            let is_enough = freed >= beyond;
            freed += row.get::<i64, _>("bytes") as u64;
            is_enough
        });
        rows.truncate(enough.unwrap_or(rows.len()));
        for rows in rows.chunks(AT_ONCE) {
            let mut tx = self.begin_write(DOING).await?;
            let mut step = Outdated::default();
            for row in rows {
                if delete(&mut tx, row).await? {
                    step.pictures += 1;
                    step.bytes += row.get::<i64, _>("bytes") as u64;
                }
            }
            tx.commit().await.map_err(StoreError::database(DOING))?;
            gone.pictures += step.pictures;
            gone.bytes += step.bytes;
        }
        Ok(is_more)
    }

    /// Clips of rigs' runs that were heard last before, with labels.
    async fn clips_before(&self, before_us: i64) -> Result<Vec<ClipId>, StoreError> {
        let mut connection = self.read(DOING).await?;
        query(
            "SELECT c.rig, c.boot, c.clip FROM clips c JOIN boots b ON b.rig = c.rig AND b.boot = c.boot
             WHERE b.heard_us < $1
               AND NOT EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = c.rig AND i.boot = c.boot AND i.clip = c.clip)
               AND NOT EXISTS (SELECT 1 FROM purges p WHERE p.rig = c.rig AND p.boot = c.boot AND p.clip = c.clip
                    AND p.track IS NULL AND p.with_labels = 1 AND p.labels_done = 1)",
        )
        .bind(before_us)
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database(DOING))?
        .iter()
        .map(|row| {
            Ok(ClipId {
                rig: name_column(row, "rig")?,
                boot: boot_column(row, "boot")?,
                clip: row.get::<i64, _>("clip") as u32,
            })
        })
        .collect()
    }
}

/// False where somebody else deleted it since it was found.
async fn delete(tx: &mut Connection, row: &Row) -> Result<bool, StoreError> {
    let sql = match row.get("kept") {
        "evidence" => "DELETE FROM evidence WHERE rig = $1 AND boot = $2 AND seq = $3",
        _ => "DELETE FROM pictures WHERE rig = $1 AND boot = $2 AND seq = $3",
    };
    let (rig, boot): (&str, i64) = (row.get("rig"), row.get("boot"));
    let deleted = query(sql)
        .bind(rig)
        .bind(boot)
        .bind(row.get::<i64, _>("seq"))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
    if deleted == 0 {
        return Ok(false);
    }
    query(
        "INSERT INTO outdated (rig, boot, clip, evidence) VALUES ($1, $2, $3, 1)
         ON CONFLICT (rig, boot, clip) DO UPDATE SET evidence = outdated.evidence + 1",
    )
    .bind(rig)
    .bind(boot)
    .bind(row.get::<i64, _>("clip"))
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?;
    Ok(true)
}
