//! Opening, and the two ways in: reading and writing.

use crate::StoreError;
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, SqlitePool, Transaction};
use std::path::Path;
use std::time::Duration;

/// One desk's memory. Cheap to clone; clones share the database.
#[derive(Clone, Debug)]
pub struct LabelStore {
    /// SQLite has one writer at a time: one connection, so that writers queue here and never see "database is locked".
    writer: SqlitePool,
    readers: SqlitePool,
}

const READERS: u32 = 4;

impl LabelStore {
    /// Opens the database file, creating it and bringing its tables up to date as needed.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL, NORMAL may lose the last commits in a power cut; rigs forget what we said we have committed.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        bring_up_to_date(&options)
            .await
            .map_err(|source| StoreError::Migrate {
                path: path.to_owned(),
                source,
            })?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // SQLite ends a transaction by itself where the disk is full, and the driver goes on believing in it: such a
            // connection would refuse every later one.
            .after_release(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(options.clone())
            .await
            .map_err(open_error)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(open_error)?;
        Ok(Self { writer, readers })
    }

    /// Waits for running statements and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) async fn begin_write(
        &self,
        doing: &'static str,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::database(doing))
    }

    /// What is read in it was all there at one moment.
    pub(crate) async fn begin_read(
        &self,
        doing: &'static str,
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers
            .begin()
            .await
            .map_err(StoreError::database(doing))
    }

    pub(crate) async fn read(
        &self,
        doing: &'static str,
    ) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers
            .acquire()
            .await
            .map_err(StoreError::database(doing))
    }
}

/// A table whose checks change is made anew, and its rows are pointed at by others meanwhile: SQLite wants foreign keys
/// off for that, which it allows only outside a transaction. So the tables have a connection of their own, and what
/// points nowhere afterwards is found before anybody uses it.
async fn bring_up_to_date(options: &SqliteConnectOptions) -> Result<(), MigrateError> {
    let mut connection = options.clone().foreign_keys(false).connect().await?;
    // The number of the last change to any table's form.
    let form = "PRAGMA schema_version";
    let before: i64 = sqlx::query(form).fetch_one(&mut connection).await?.get(0);
    sqlx::migrate!("migrations/sqlite")
        .run_direct(None, &mut connection, false)
        .await?;
    let after: i64 = sqlx::query(form).fetch_one(&mut connection).await?.get(0);
    let mut astray = None;
    if before != after {
        astray = sqlx::query("PRAGMA foreign_key_check")
            .fetch_optional(&mut connection)
            .await?;
    }
    connection.close().await?;
    match astray {
        Some(row) => Err(MigrateError::Execute(sqlx::Error::Protocol(format!(
            "a row of {} points at nothing in {}",
            row.get::<String, _>(0),
            row.get::<String, _>(2)
        )))),
        None => Ok(()),
    }
}
