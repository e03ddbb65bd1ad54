//! The highest seq up to which everything is here.

use crate::commit::Watermark;
use crate::database::{Connection, Statement, query};
use crate::row::boot_column;
use crate::{LabelStore, StoreError};
use label_core::id::Name;
use label_core::{BootId, Seq};

/// Moves the watermark of a boot as far as stored messages and evicted ranges reach, and returns it.
///
/// It costs what it advances, not what is stored: each step looks for the next gap by index.
pub(crate) async fn advance(
    connection: &mut Connection,
    rig: &str,
    boot: i64,
) -> Result<Seq, StoreError> {
    let failed = || StoreError::database("advance a watermark");
    let before: i64 = query("SELECT watermark FROM boots WHERE rig = $1 AND boot = $2")
        .bind(rig)
        .bind(boot)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed())?
        .get(0);
    let mut reached = before;
    loop {
        let evicted: Option<i64> = query(
            "SELECT max(last_seq) FROM evictions
             WHERE rig = $1 AND boot = $2 AND first_seq <= $3 + 1 AND last_seq > $3",
        )
        .bind(rig)
        .bind(boot)
        .bind(reached)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed())?
        .get(0);
        if let Some(last) = evicted {
            reached = last;
            continue;
        }
        // The first message from here on that has no successor; nothing at all if the very next one is missing.
        let run: Option<i64> = query(
            "SELECT m.seq FROM messages m
             WHERE m.rig = $1 AND m.boot = $2 AND m.seq > $3
               AND EXISTS (SELECT 1 FROM messages f WHERE f.rig = $1 AND f.boot = $2 AND f.seq = $3 + 1)
               AND NOT EXISTS (SELECT 1 FROM messages s WHERE s.rig = $1 AND s.boot = $2 AND s.seq = m.seq + 1)
             ORDER BY m.seq LIMIT 1",
        )
        .bind(rig)
        .bind(boot)
        .bind(reached)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed())?
        .map(|row| row.get(0));
        match run {
            Some(last) => reached = last,
            None => break,
        }
    }
    if reached > before {
        query("UPDATE boots SET watermark = $3 WHERE rig = $1 AND boot = $2")
            .bind(rig)
            .bind(boot)
            .bind(reached)
            .execute(connection)
            .await
            .map_err(failed())?;
    }
    Ok(reached as Seq)
}

/// Puts a boot behind all that were heard before, whatever the clock says: after it jumped back, a boot that is heard now
/// would else not be among those that are told, and its rig would wait for ever.
pub(crate) async fn heard_last(
    connection: &mut Connection,
    rig: &str,
    boot: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE boots SET heard_us = (SELECT max(b.heard_us) FROM boots b WHERE b.rig = $1) + 1
         WHERE rig = $1 AND boot = $2
           AND heard_us < (SELECT max(b.heard_us) FROM boots b WHERE b.rig = $1)",
    )
    .bind(rig)
    .bind(boot)
    .execute(connection)
    .await
    .map_err(StoreError::database("note a boot"))?;
    Ok(())
}

impl LabelStore {
    /// The watermarks of the boots of a rig that were heard last, at most `limit`, the latest heard first.
    pub async fn watermarks(
        &self,
        rig: &Name,
        limit: u32,
    ) -> Result<Vec<(BootId, Seq)>, StoreError> {
        let mut connection = self.read("read watermarks").await?;
        query(
            "SELECT boot, watermark FROM boots WHERE rig = $1 ORDER BY heard_us DESC, boot DESC LIMIT $2",
        )
        .bind(rig.as_str())
        .bind(i64::from(limit))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read watermarks"))?
        .iter()
        .map(|row| Ok((boot_column(row, "boot")?, row.get::<i64, _>("watermark") as Seq)))
        .collect()
    }

    /// The watermark of one boot of each of these rigs, where it is known.
    pub async fn watermarks_of(
        &self,
        boots: &[(&Name, BootId)],
    ) -> Result<Vec<Option<Seq>>, StoreError> {
        const DOING: &str = "read watermarks";
        let mut connection = self.read(DOING).await?;
        let mut found = Vec::with_capacity(boots.len());
        for boots in boots.chunks(1000) {
            let mut sql = Statement::new("SELECT b.watermark FROM (VALUES ");
            for (place, (rig, boot)) in boots.iter().enumerate() {
                sql.push(if place == 0 { "(" } else { ", (" });
                sql.push_bind(rig.as_str()).push(", ");
                sql.push_list([boot.raw() as i64, place as i64]).push(")");
            }
            sql.push(
                ") k LEFT JOIN boots b ON b.rig = k.column1 AND b.boot = k.column2 ORDER BY k.column3",
            );
            let rows = sql.build().fetch_all(&mut connection).await;
            for row in rows.map_err(StoreError::database(DOING))? {
                found.push(row.get::<Option<i64>, _>(0).map(|seq| seq as Seq));
            }
        }
        Ok(found)
    }

    /// Every rig heard so far, with its site.
    pub async fn rigs(&self) -> Result<Vec<Watermark>, StoreError> {
        let mut connection = self.read("read the rigs").await?;
        let rows = query(
            "SELECT rig, site FROM rigs r
             WHERE NOT EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = r.rig
                   AND NOT EXISTS (SELECT 1 FROM rig_states s WHERE s.rig = i.source)) ORDER BY rig",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read the rigs"))?;
        drop(connection);
        let mut rigs = Vec::with_capacity(rows.len());
        for row in &rows {
            let rig = crate::row::name_column(row, "rig")?;
            rigs.push(Watermark {
                site: crate::row::name_column(row, "site")?,
                boots: self
                    .watermarks(&rig, crate::commit::BOOTS_TOLD as u32)
                    .await?,
                rig,
            });
        }
        Ok(rigs)
    }
}
