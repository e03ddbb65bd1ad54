//! Taking what was deleted out of the files of the database.

use super::DOING;
use crate::database::{AssertSqlSafe, Connection, query};
use crate::{LabelStore, StoreError};
use std::time::{Duration, Instant};

/// Tables of which rows are purged.
const SHOWING: [&str; 8] = [
    "evidence",
    "pictures",
    "request_parts",
    "request_pictures",
    "quarantine",
    "labels",
    "verdicts",
    "answers",
];

/// Where a table is in use on Postgres, everybody who comes later waits behind us: so much at a time, …
const IN_THE_WAY_MS: u64 = 300;
/// … and then they go first for this long.
const ASIDE_S: f64 = 1.0;
/// What Postgres says when such a wait is over.
const LOCK_NOT_AVAILABLE: &str = "55P03";

impl LabelStore {
    /// Writes the files anew without what was deleted. What of them still has it, because somebody went on reading what was there
    /// before for longer than `patience`: none, if all of it is gone. To be done again then.
    pub async fn leave_no_trace(
        &self,
        patience: Duration,
    ) -> Result<Vec<&'static str>, StoreError> {
        let mut connection = self.writer(DOING).await?;
        if connection.is_postgres() {
            return postgres(&mut connection, patience).await;
        }
        let failed = || StoreError::database("write the file anew without what was deleted");
        // Deleting has overwritten what it deleted (`secure_delete`); what moved within its pages before that has left copies.
        query("VACUUM")
            .execute(&mut connection)
            .await
            .map_err(failed())?;
        // SQLite itself waits for readers.
        wait_for_others(&mut connection, patience).await?;
        let done = query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut connection)
            .await
            .map_err(failed());
        wait_for_others(&mut connection, crate::store::PATIENCE).await?;
        Ok(match done?.get::<i64, _>(0) {
            0 => Vec::new(),
            _ => vec!["the log beside the file"],
        })
    }
}

async fn wait_for_others(
    connection: &mut Connection,
    patience: Duration,
) -> Result<(), StoreError> {
    let sql = format!("PRAGMA busy_timeout = {}", patience.as_millis());
    query(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map_err(StoreError::database(DOING))?;
    Ok(())
}

async fn postgres(
    connection: &mut Connection,
    patience: Duration,
) -> Result<Vec<&'static str>, StoreError> {
    let until = Instant::now() + patience;
    let mut left = SHOWING.to_vec();
    // A table that is written anew keeps the rows that a transaction from before the deleting may still see.
    let mark = transaction_now(connection).await?;
    while reads_from_before(connection, &mark).await? {
        if Instant::now() >= until {
            return Ok(left);
        }
        stand_aside(connection).await?;
    }
    set_lock_timeout(connection, IN_THE_WAY_MS).await?;
    let written = loop {
        let tried = try_each(connection, &mut left).await;
        if tried.is_err() || left.is_empty() || Instant::now() >= until {
            break tried;
        }
        stand_aside(connection).await?;
    };
    // The connection goes back to where others take it from.
    set_lock_timeout(connection, 0).await?;
    written.map(|()| left)
}

/// The number of a transaction that begins now, which has ended when this returns.
async fn transaction_now(connection: &mut Connection) -> Result<String, StoreError> {
    Ok(query("SELECT pg_current_xact_id()::text")
        .fetch_one(connection)
        .await
        .map_err(StoreError::database(DOING))?
        .get(0))
}

async fn reads_from_before(connection: &mut Connection, mark: &str) -> Result<bool, StoreError> {
    Ok(query(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
              AND age(backend_xmin) >= age(($1::text)::xid8::xid))",
    )
    .bind(mark)
    .fetch_one(connection)
    .await
    .map_err(StoreError::database(DOING))?
    .get(0))
}

async fn set_lock_timeout(connection: &mut Connection, ms: u64) -> Result<(), StoreError> {
    let sql = format!("SET lock_timeout = {ms}");
    query(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map_err(StoreError::database(DOING))?;
    Ok(())
}

async fn stand_aside(connection: &mut Connection) -> Result<(), StoreError> {
    query("SELECT pg_sleep($1)")
        .bind(ASIDE_S)
        .execute(connection)
        .await
        .map_err(StoreError::database(DOING))?;
    Ok(())
}

/// Writes every table anew that nobody uses.
async fn try_each(
    connection: &mut Connection,
    left: &mut Vec<&'static str>,
) -> Result<(), StoreError> {
    for table in std::mem::take(left) {
        let sql = format!("VACUUM (FULL) {table}");
        match query(AssertSqlSafe(sql)).execute(connection).await {
            Ok(_) => {}
            Err(error) if is_in_use(&error) => left.push(table),
            Err(error) => return Err(StoreError::database(DOING)(error)),
        }
    }
    Ok(())
}

fn is_in_use(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}
