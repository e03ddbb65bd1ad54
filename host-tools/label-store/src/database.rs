//! Two engines behind one way to ask: SQLite and Postgres.
//!
//! Statements are written once, in what both understand, with `$1`, `$2` … for values. What they mean differently is
//! evened out here and in `migrations/postgres`: on both, integers are 64 bits and their sum too, and text compares by its
//! bytes. This is not sqlx's `Any`: that one copies every value of every row and knows no truth values on SQLite.

pub(crate) use sqlx::AssertSqlSafe;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{ColumnIndex, Decode, Postgres, SqlSafeStr, SqlStr, Sqlite, Type};
use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;

/// A connection to either engine, within a transaction or not.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    SqliteTransaction(sqlx::Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresTransaction(sqlx::Transaction<'static, Postgres>),
}

enum Engine<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Connection {
    fn engine(&mut self) -> Engine<'_> {
        match self {
            Self::Sqlite(connection) => Engine::Sqlite(connection),
            Self::SqliteTransaction(tx) => Engine::Sqlite(tx),
            Self::Postgres(connection) => Engine::Postgres(connection),
            Self::PostgresTransaction(tx) => Engine::Postgres(tx),
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresTransaction(_))
    }
}

/// A connection that is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Session(pub(crate) Connection);

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// A transaction; dropped without [`Self::commit`] it changes nothing.
#[derive(Debug)]
pub(crate) struct Transaction(pub(crate) Connection);

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.0 {
            Connection::SqliteTransaction(tx) => tx.commit().await,
            Connection::PostgresTransaction(tx) => tx.commit().await,
            Connection::Sqlite(_) | Connection::Postgres(_) => Ok(()),
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// A value for a statement, or nothing of its type.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Integer(Option<i64>),
    Real(Option<f64>),
    Truth(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// What a statement takes.
pub(crate) trait Bind {
    const NOTHING: Value;

    fn value(self) -> Value;
}

macro_rules! bind {
    ($($type:ty => $variant:ident, $from:expr;)*) => {$(
        impl Bind for $type {
            const NOTHING: Value = Value::$variant(None);

            fn value(self) -> Value {
                Value::$variant(Some($from(self)))
            }
        }
    )*};
}

bind! {
    i64 => Integer, i64::from;
    i32 => Integer, i64::from;
    u32 => Integer, i64::from;
    f64 => Real, f64::from;
    bool => Truth, bool::from;
    String => Text, String::from;
    &str => Text, str::to_owned;
    Vec<u8> => Bytes, Vec::from;
    &[u8] => Bytes, <[u8]>::to_vec;
}

impl<T: Bind> Bind for Option<T> {
    const NOTHING: Value = T::NOTHING;

    fn value(self) -> Value {
        self.map_or(T::NOTHING, T::value)
    }
}

impl<T: Bind + Clone> Bind for &T {
    const NOTHING: Value = T::NOTHING;

    fn value(self) -> Value {
        self.clone().value()
    }
}

/// A statement and its values.
#[must_use]
pub(crate) struct Query {
    sql: SqlStr,
    values: Vec<Value>,
}

/// A statement of fixed text.
pub(crate) fn query(sql: impl SqlSafeStr) -> Query {
    Query {
        sql: sql.into_sql_str(),
        values: Vec::new(),
    }
}

type SqliteQuery = sqlx::query::Query<'static, Sqlite, SqliteArguments>;
type PostgresQuery = sqlx::query::Query<'static, Postgres, PgArguments>;
type Rows<'c> = Pin<Box<dyn futures_util::Stream<Item = Result<Row, sqlx::Error>> + Send + 'c>>;

impl Query {
    pub(crate) fn bind(mut self, value: impl Bind) -> Self {
        self.values.push(value.value());
        self
    }

    fn on_sqlite(self) -> SqliteQuery {
        let query = sqlx::query(self.sql);
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Integer(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
                Value::Truth(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            })
    }

    fn on_postgres(self) -> PostgresQuery {
        let query = sqlx::query(self.sql);
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Integer(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
                Value::Truth(value) => query.bind(value),
                Value::Text(value) => query.bind(value.map(without_nul)),
                Value::Bytes(value) => query.bind(value),
            })
    }

    /// Runs it; how many rows it changed.
    ///
    /// What either driver does meanwhile lies on the heap, here and below: it would else be part of every future above, twice.
    pub(crate) async fn execute(self, connection: &mut Connection) -> Result<u64, sqlx::Error> {
        Ok(match connection.engine() {
            Engine::Sqlite(on) => Box::pin(self.on_sqlite().execute(on))
                .await?
                .rows_affected(),
            Engine::Postgres(on) => Box::pin(self.on_postgres().execute(on))
                .await?
                .rows_affected(),
        })
    }

    pub(crate) async fn fetch_all(
        self,
        connection: &mut Connection,
    ) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match connection.engine() {
            Engine::Sqlite(on) => {
                let rows = Box::pin(self.on_sqlite().fetch_all(on)).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Engine::Postgres(on) => {
                let rows = Box::pin(self.on_postgres().fetch_all(on)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(crate) async fn fetch_one(self, connection: &mut Connection) -> Result<Row, sqlx::Error> {
        self.fetch_optional(connection)
            .await?
            .ok_or(sqlx::Error::RowNotFound)
    }

    pub(crate) async fn fetch_optional(
        self,
        connection: &mut Connection,
    ) -> Result<Option<Row>, sqlx::Error> {
        Ok(match connection.engine() {
            Engine::Sqlite(on) => {
                let row = Box::pin(self.on_sqlite().fetch_optional(on)).await?;
                row.map(Row::Sqlite)
            }
            Engine::Postgres(on) => {
                let row = Box::pin(self.on_postgres().fetch_optional(on)).await?;
                row.map(Row::Postgres)
            }
        })
    }

    /// The rows one after the other, of which only a few are held at once.
    pub(crate) fn fetch(self, connection: &mut Connection) -> Rows<'_> {
        use futures_util::TryStreamExt;
        match connection.engine() {
            Engine::Sqlite(on) => Box::pin(self.on_sqlite().fetch(on).map_ok(Row::Sqlite)),
            Engine::Postgres(on) => Box::pin(self.on_postgres().fetch(on).map_ok(Row::Postgres)),
        }
    }
}

/// Postgres keeps no NUL in text, and what strangers write may hold one: such a message must not stop the stream.
fn without_nul(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

/// A row of either engine.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column, by its name or place.
    pub(crate) fn get<'r, T, I>(&'r self, column: I) -> T
    where
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => sqlx::Row::get(row, column),
            Self::Postgres(row) => sqlx::Row::get(row, column),
        }
    }
}

/// A statement put together in pieces.
pub(crate) struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            values: Vec::new(),
        }
    }

    /// Adds text, which must be ours: nothing that anybody typed.
    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a value.
    pub(crate) fn push_bind(&mut self, value: impl Bind) -> &mut Self {
        self.values.push(value.value());
        let _ = write!(self.sql, "${}", self.values.len());
        self
    }

    /// Adds values with commas between them.
    pub(crate) fn push_list(&mut self, values: impl IntoIterator<Item = impl Bind>) -> &mut Self {
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.push(", ");
            }
            self.push_bind(value);
        }
        self
    }

    pub(crate) fn build(self) -> Query {
        Query {
            sql: AssertSqlSafe(self.sql).into_sql_str(),
            values: self.values,
        }
    }
}
