//! Exports that people asked for on the page: what of, how far they came, and what became of them.
//!
//! An export is *waiting* until the host begins it, *running* until its archive is whole, then *here*, or *failed* with the reason. One
//! that was running when the host went down is running still, and gone on with. The files themselves are the host's; a row
//! that is gone says that its files are to go.

use crate::database::{AssertSqlSafe, Row, query};
use crate::people::audit_line;
use crate::{LabelStore, StoreError};
use serde::{Deserialize, Serialize};

/// Exports that may wait or run at a time.
const OPEN: i64 = 8;
/// Exports are kept for thirty days …
const KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;
/// … no more than so many …
const KEPT: i64 = 100;
/// … and no more than this of them, the oldest going first; the last stays.
const KEPT_BYTES: i64 = 16 << 30;

/// How an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportState {
    /// Others come first.
    Waiting,
    /// It is being written.
    Running,
    /// It can be downloaded.
    Here,
    /// It could not be written.
    Failed,
}

/// An export and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredExport {
    /// Its number.
    pub export: i64,
    /// Format, selection and subsets.
    pub wish: serde_json::Value,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_us: i64,
    /// How it stands.
    pub state: ExportState,
    /// Labels read so far.
    pub done: u64,
    /// Labels to read, once that is known.
    pub total: Option<u64>,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it was here, or failed.
    pub ended_us: Option<i64>,
    /// The archive, once it is here.
    pub archive: Option<Archive>,
}

/// The file that is downloaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// What is in it, counted.
    pub summary: serde_json::Value,
}

const COLUMNS: &str = "export, wish, asked_by, asked_us, state, done, total, reason, ended_us, bytes, sha256, summary";

fn from_row(row: &Row) -> Result<StoredExport, StoreError> {
    let json = |column: &'static str, text: &str| {
        serde_json::from_str(text).map_err(|_| StoreError::unreadable(column, text))
    };
    let state: String = row.get("state");
    let archive = match row.get::<Option<String>, _>("sha256") {
        Some(sha256) => Some(Archive {
            bytes: row.get::<Option<i64>, _>("bytes").unwrap_or_default() as u64,
            sha256,
            summary: json("exports.summary", &row.get::<String, _>("summary"))?,
        }),
        None => None,
    };
    Ok(StoredExport {
        export: row.get("export"),
        wish: json("exports.wish", &row.get::<String, _>("wish"))?,
        asked_by: row.get("asked_by"),
        asked_us: row.get("asked_us"),
        state: serde_json::from_value(serde_json::Value::from(state.as_str()))
            .map_err(|_| StoreError::unreadable("exports.state", &state))?,
        done: row.get::<i64, _>("done") as u64,
        total: row.get::<Option<i64>, _>("total").map(|total| total as u64),
        reason: row.get("reason"),
        ended_us: row.get("ended_us"),
        archive,
    })
}

impl LabelStore {
    /// Asks for an export that this host is to write.
    pub async fn ask_export(
        &self,
        host: &str,
        wish: &serde_json::Value,
        who: &str,
        now_us: i64,
    ) -> Result<StoredExport, StoreError> {
        let doing = "ask for an export";
        let mut tx = self.begin_write(doing).await?;
        let open: i64 = query(
            "SELECT count(*) FROM exports WHERE host = $1 AND state IN ('waiting', 'running')",
        )
        .bind(host)
        .fetch_one(&mut tx)
        .await
        .map_err(StoreError::database(doing))?
        .get(0);
        if open >= OPEN {
            return Err(StoreError::EnoughExports);
        }
        let sql = format!(
            "INSERT INTO exports (host, wish, asked_by, asked_us, state) VALUES ($1, $2, $3, $4, 'waiting') RETURNING {COLUMNS}"
        );
        let row = query(AssertSqlSafe(sql))
            .bind(host)
            .bind(wish.to_string())
            .bind(who)
            .bind(now_us)
            .fetch_one(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        let stored = from_row(&row)?;
        let about = format!("export {}", stored.export);
        audit_line(&mut tx, now_us, who, "asked for", &about).await?;
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(stored)
    }

    /// All of a host, the latest first.
    pub async fn exports(&self, host: &str) -> Result<Vec<StoredExport>, StoreError> {
        let doing = "read exports";
        let mut connection = self.read(doing).await?;
        let sql = format!("SELECT {COLUMNS} FROM exports WHERE host = $1 ORDER BY export DESC");
        query(AssertSqlSafe(sql))
            .bind(host)
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(doing))?
            .iter()
            .map(from_row)
            .collect()
    }

    /// One of them; `None` where there is none of this number, or no more.
    pub async fn export(&self, export: i64) -> Result<Option<StoredExport>, StoreError> {
        let doing = "read an export";
        let mut connection = self.read(doing).await?;
        let sql = format!("SELECT {COLUMNS} FROM exports WHERE export = $1");
        query(AssertSqlSafe(sql))
            .bind(export)
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database(doing))?
            .as_ref()
            .map(from_row)
            .transpose()
    }

    /// Begins the export that is next, or goes on with the one that a host left when it went down.
    pub async fn next_export(&self, host: &str) -> Result<Option<StoredExport>, StoreError> {
        let doing = "begin an export";
        let mut connection = self.read(doing).await?;
        let next: Option<i64> = query(
            "SELECT export FROM exports WHERE host = $1 AND state IN ('waiting', 'running')
             ORDER BY CASE state WHEN 'running' THEN 0 ELSE 1 END, export LIMIT 1",
        )
        .bind(host)
        .fetch_optional(&mut connection)
        .await
        .map_err(StoreError::database(doing))?
        .map(|row| row.get(0));
        drop(connection);
        let Some(export) = next else {
            return Ok(None);
        };
        let mut tx = self.begin_write(doing).await?;
        query("UPDATE exports SET state = 'running', done = 0 WHERE export = $1")
            .bind(export)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        tx.commit().await.map_err(StoreError::database(doing))?;
        self.export(export).await
    }

    /// Notes how far it came; `false` where somebody deleted it meanwhile.
    pub async fn note_export(
        &self,
        export: i64,
        done: u64,
        total: u64,
    ) -> Result<bool, StoreError> {
        let doing = "note how far an export came";
        let mut tx = self.begin_write(doing).await?;
        let noted = query("UPDATE exports SET done = $2, total = $3 WHERE export = $1")
            .bind(export)
            .bind(done as i64)
            .bind(total as i64)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(noted > 0)
    }

    /// Ends an export: with its archive, or with the reason why there is none.
    pub async fn end_export(
        &self,
        export: i64,
        ended: &Result<Archive, String>,
        now_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "end an export";
        let mut tx = self.begin_write(doing).await?;
        let archive = ended.as_ref().ok();
        query(
            "UPDATE exports SET state = $2, reason = $3, ended_us = $4, bytes = $5, sha256 = $6, summary = $7,
                done = CASE WHEN $3 IS NULL THEN coalesce(total, done) ELSE done END WHERE export = $1",
        )
        .bind(export)
        .bind(if archive.is_some() { "here" } else { "failed" })
        .bind(ended.as_ref().err())
        .bind(now_us)
        .bind(archive.map(|archive| archive.bytes as i64))
        .bind(archive.map(|archive| archive.sha256.as_str()))
        .bind(archive.map(|archive| archive.summary.to_string()))
        .execute(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// Deletes an export, whether or not it was written; `false` where there was none.
    pub async fn delete_export(
        &self,
        export: i64,
        who: &str,
        now_us: i64,
    ) -> Result<bool, StoreError> {
        let doing = "delete an export";
        let mut tx = self.begin_write(doing).await?;
        let deleted = query("DELETE FROM exports WHERE export = $1")
            .bind(export)
            .execute(&mut tx)
            .await
            .map_err(StoreError::database(doing))?;
        if deleted > 0 {
            let about = format!("export {export}");
            audit_line(&mut tx, now_us, who, "deleted", &about).await?;
        }
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(deleted > 0)
    }

    /// Deletes ended exports that are too old, too many or too much.
    pub async fn forget_exports(&self, now_us: i64) -> Result<(), StoreError> {
        let doing = "forget exports";
        let mut tx = self.begin_write(doing).await?;
        query(
            "DELETE FROM exports WHERE export IN (
                SELECT export FROM (
                    SELECT export, ended_us, row_number() OVER latest AS place,
                        sum(coalesce(bytes, 0)) OVER latest AS bytes
                    FROM exports WHERE state IN ('here', 'failed') WINDOW latest AS (PARTITION BY host ORDER BY export DESC)
                ) AS ended WHERE ended_us < $1 OR place > $2 OR (place > 1 AND bytes > $3))",
        )
        .bind(now_us - KEPT_US)
        .bind(KEPT)
        .bind(KEPT_BYTES)
        .execute(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        tx.commit().await.map_err(StoreError::database(doing))
    }
}
