//! Opening, and the ways in: reading, writing, and taking in what rigs sent.

use crate::StoreError;
use crate::database::{Connection, Session, Transaction, query};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, PgConnection, PgPool, Row, SqlitePool};
use std::path::Path;
use std::time::Duration;

/// One desk's memory. Cheap to clone; clones share the database.
#[derive(Clone, Debug)]
pub struct LabelStore(Engine);

#[derive(Clone, Debug)]
enum Engine {
    Sqlite {
        /// SQLite has one writer at a time: one connection, so that writers queue here and never see "database is locked".
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

const READERS: u32 = 4;
/// How long another program may keep the database to itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Rigs whose messages one program takes into Postgres at the same time.
pub(crate) const RIGS_AT_ONCE: usize = 8;

/// Connections of one program to Postgres: those, and as many for the page.
const POSTGRES_CONNECTIONS: u32 = 16;

/// Locks of one kind in Postgres, which knows them by two numbers; the first says that they are ours ("RIGL").
const LOCKS: i32 = 0x5249_474c;
/// Held in common by those who take in messages, and alone by whoever else writes.
const WHOLE_STORE: i32 = 0;
/// Held by whoever adds to what several rigs share: models, the quarantine.
const SHARED_ROWS: i32 = 1;
/// Held while tables are brought up to date.
const TABLES: i32 = 2;
/// Held by the one program that asks rigs for what people want.
const ASKER: i32 = 3;

impl LabelStore {
    /// Opens the database file, creating it and bringing its tables up to date as needed.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let open_error = |source| StoreError::Open {
            store: path.display().to_string(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With WAL, NORMAL may lose the last commits in a power cut; rigs forget what we said we have committed.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is overwritten: it was somebody's face.
            .pragma("secure_delete", "ON")
            .busy_timeout(PATIENCE);
        bring_up_to_date(&options)
            .await
            .map_err(|source| StoreError::Migrate {
                store: path.display().to_string(),
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
        Ok(Self(Engine::Sqlite { writer, readers }))
    }

    /// Opens a Postgres database, which must exist, and brings its tables up to date. They lie in the schema `rigel`.
    ///
    /// `url` is `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; what it leaves out comes from libpq's variables
    /// (`PGPASSWORD`, `PGHOST` …) and the password file. Neither it nor the password appears in errors.
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        // What is wrong with an address is told without the address: a password may stand in it.
        let options: PgConnectOptions =
            url.parse()
                .map_err(|source: sqlx::Error| StoreError::Open {
                    store: "of the address given".to_owned(),
                    source,
                })?;
        let store = format!(
            "{} on {}:{}",
            options.get_database().unwrap_or(options.get_username()),
            options.get_host(),
            options.get_port()
        );
        let options = options
            .application_name("rigel")
            // The schema's own functions come before the built-in ones: see migrations/postgres.
            .options([
                ("search_path", "rigel,pg_catalog"),
                ("synchronous_commit", "on"),
                // Each statement sees what was committed when it began, whatever this server does of itself.
                ("default_transaction_isolation", "read committed"),
                // A program that is stopped in the middle of writing (Ctrl-Z) lets go of its locks.
                ("idle_in_transaction_session_timeout", "60s"),
                // A machine that is gone without a word keeps its locks for half a minute, not for two hours.
                ("tcp_keepalives_idle", "10"),
                ("tcp_keepalives_interval", "5"),
                ("tcp_keepalives_count", "4"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open {
                store: store.clone(),
                source,
            })?;
        bring_postgres_up_to_date(&pool)
            .await
            .map_err(|source| StoreError::Migrate { store, source })?;
        Ok(Self(Engine::Postgres(pool)))
    }

    /// Whether several programs may take messages into it at once.
    pub const fn is_shared(&self) -> bool {
        matches!(self.0, Engine::Postgres(_))
    }

    /// Which life of a shared database this is: another number after the server was started anew, went over to another
    /// machine, or got its tables back from a copy, and so may know less than before. `None` where nobody shares it.
    pub async fn life(&self) -> Result<Option<u32>, StoreError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let mut connection = self.read("see which database it is").await?;
        let number: i64 = query(
            "SELECT hashtextextended(concat(extract(epoch FROM pg_postmaster_start_time()), ' ', 'boots'::regclass::oid), 0)",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(StoreError::database("see which database it is"))?
        .get(0);
        Ok(Some(number as u32))
    }

    /// A name for those who share this database, which no other database has, not even a copy of it on the same server; a replica that
    /// takes over keeps it. `None` where nobody shares it.
    pub async fn group(&self) -> Result<Option<String>, StoreError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let doing = "see which database it is";
        let number: i64 = query(
            "SELECT hashtextextended(concat(s.system_identifier, ' ', d.oid), 0)
             FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()",
        )
        .fetch_one(&mut *self.read(doing).await?)
        .await
        .map_err(StoreError::database(doing))?
        .get(0);
        Ok(Some(format!("rigel-{number:016x}")))
    }

    /// Bytes of the database with its indexes, as its server tells; `None` of a file, which whoever opened it can look at.
    pub async fn shared_bytes(&self) -> Result<Option<u64>, StoreError> {
        if !self.is_shared() {
            return Ok(None);
        }
        let doing = "ask for the size of the database";
        let bytes: i64 = query("SELECT pg_database_size(current_database())")
            .fetch_one(&mut *self.read(doing).await?)
            .await
            .map_err(StoreError::database(doing))?
            .get(0);
        Ok(Some(bytes.unsigned_abs()))
    }

    /// Waits for running statements and closes the files or connections.
    pub async fn close(&self) {
        match &self.0 {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }

    /// Nobody else writes until it ends.
    pub(crate) async fn begin_write(&self, doing: &'static str) -> Result<Transaction, StoreError> {
        let failed = || StoreError::database(doing);
        match &self.0 {
            Engine::Sqlite { writer, .. } => {
                let tx = writer.begin_with("BEGIN IMMEDIATE").await;
                let tx = tx.map_err(failed())?;
                Ok(Transaction(Connection::SqliteTransaction(tx)))
            }
            Engine::Postgres(pool) => {
                let tx = pool.begin().await.map_err(failed())?;
                let mut tx = Transaction(Connection::PostgresTransaction(tx));
                lock(&mut tx, WHOLE_STORE).await.map_err(failed())?;
                Ok(tx)
            }
        }
    }

    /// Nobody else writes of this rig until it ends; of other rigs messages may be taken in meanwhile, where the engine can.
    pub(crate) async fn begin_intake(
        &self,
        doing: &'static str,
        rig: Option<&str>,
    ) -> Result<Transaction, StoreError> {
        let Engine::Postgres(pool) = &self.0 else {
            return self.begin_write(doing).await;
        };
        let failed = || StoreError::database(doing);
        let tx = pool.begin().await.map_err(failed())?;
        let mut tx = Transaction(Connection::PostgresTransaction(tx));
        // Always in this order, and the shared rows last: nobody waits for somebody who waits for them. Two statements, as
        // each sees what was committed when it began.
        query("SELECT pg_advisory_xact_lock_shared($1::int4, $2::int4)")
            .bind(LOCKS)
            .bind(WHOLE_STORE)
            .execute(&mut tx)
            .await
            .map_err(failed())?;
        if let Some(rig) = rig {
            lock_rig(&mut tx, rig).await.map_err(failed())?;
        }
        Ok(tx)
    }

    /// Nobody else writes under this name until it ends; everybody else may write meanwhile, where the engine can. Nothing is to
    /// be waited for in it.
    pub(crate) async fn begin_import(
        &self,
        doing: &'static str,
        source: &str,
    ) -> Result<Transaction, StoreError> {
        let Engine::Postgres(pool) = &self.0 else {
            return self.begin_write(doing).await;
        };
        let failed = || StoreError::database(doing);
        let tx = pool.begin().await.map_err(failed())?;
        let mut tx = Transaction(Connection::PostgresTransaction(tx));
        lock_rig(&mut tx, source).await.map_err(failed())?;
        Ok(tx)
    }

    /// For statements that no transaction may hold.
    pub(crate) async fn writer(&self, doing: &'static str) -> Result<Session, StoreError> {
        let failed = || StoreError::database(doing);
        Ok(Session(match &self.0 {
            Engine::Sqlite { writer, .. } => {
                Connection::Sqlite(writer.acquire().await.map_err(failed())?)
            }
            Engine::Postgres(pool) => Connection::Postgres(pool.acquire().await.map_err(failed())?),
        }))
    }

    /// What is read in it was all there at one moment.
    pub(crate) async fn begin_read(&self, doing: &'static str) -> Result<Transaction, StoreError> {
        Ok(Transaction(match &self.0 {
            Engine::Sqlite { readers, .. } => Connection::SqliteTransaction(
                readers.begin().await.map_err(StoreError::database(doing))?,
            ),
            Engine::Postgres(pool) => Connection::PostgresTransaction(
                // Who reads locks nobody out, and may think for long.
                pool.begin_with(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0",
                )
                    .await
                    .map_err(StoreError::database(doing))?,
            ),
        }))
    }

    /// A connection that alone asks rigs as long as it lives; `None` where another does, and on SQLite.
    pub(crate) async fn try_lock_for_session(&self) -> Result<Option<PgConnection>, sqlx::Error> {
        let Engine::Postgres(pool) = &self.0 else {
            return Ok(None);
        };
        let mut connection = pool.acquire().await?;
        let is_ours: bool = sqlx::query("SELECT pg_try_advisory_lock($1, $2)")
            .bind(LOCKS)
            .bind(ASKER)
            .fetch_one(&mut *connection)
            .await?
            .get(0);
        // Not one of the pool's: the pool would go on with it, and the lock with the pool.
        Ok(is_ours.then(|| connection.detach()))
    }

    pub(crate) async fn read(&self, doing: &'static str) -> Result<Session, StoreError> {
        Ok(Session(match &self.0 {
            Engine::Sqlite { readers, .. } => Connection::Sqlite(
                readers
                    .acquire()
                    .await
                    .map_err(StoreError::database(doing))?,
            ),
            Engine::Postgres(pool) => {
                Connection::Postgres(pool.acquire().await.map_err(StoreError::database(doing))?)
            }
        }))
    }
}

/// Until the transaction's end, and alone.
async fn lock(connection: &mut Connection, what: i32) -> Result<(), sqlx::Error> {
    query("SELECT pg_advisory_xact_lock($1::int4, $2::int4)")
        .bind(LOCKS)
        .bind(what)
        .execute(connection)
        .await?;
    Ok(())
}

/// Names of two rigs may fall together: they wait for each other, and nothing else happens.
async fn lock_rig(connection: &mut Connection, rig: &str) -> Result<(), sqlx::Error> {
    query("SELECT pg_advisory_xact_lock(hashtextextended($1, 1380533068))")
        .bind(rig)
        .execute(connection)
        .await?;
    Ok(())
}

/// Before anything is added to models or quarantine while messages of other rigs are taken in. What was committed before is
/// seen after it.
pub(crate) async fn lock_shared_rows(connection: &mut Connection) -> Result<(), StoreError> {
    if connection.is_postgres() {
        lock(connection, SHARED_ROWS)
            .await
            .map_err(StoreError::database("wait for another writer"))?;
    }
    Ok(())
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

/// Several programs may start at once: one of them does it, the others wait.
async fn bring_postgres_up_to_date(pool: &PgPool) -> Result<(), MigrateError> {
    let mut connection = pool.acquire().await?;
    sqlx::query("SELECT pg_advisory_lock($1, $2)")
        .bind(LOCKS)
        .bind(TABLES)
        .execute(&mut *connection)
        .await?;
    // Asked for even where it is there, it takes a right on the whole database.
    let is_missing: bool = sqlx::query("SELECT to_regnamespace('rigel') IS NULL")
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    if is_missing {
        sqlx::query("CREATE SCHEMA rigel")
            .execute(&mut *connection)
            .await?;
    }
    sqlx::migrate!("migrations/postgres")
        .run(&mut *connection)
        .await?;
    // With the connection the lock ends, however this function does.
    connection.close().await?;
    Ok(())
}
