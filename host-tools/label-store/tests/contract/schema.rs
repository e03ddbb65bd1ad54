//! The two folders of migrations come to the same tables.

use crate::server;
use label_store::LabelStore;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The last of the migrations that `postgres/0012_first.sql` sums up.
const SUMMED_UP: &str = "0012";

fn files(engine: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(engine);
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| &name[..4] > SUMMED_UP)
        .collect()
}

#[test]
fn every_later_migration_is_written_for_both_engines() {
    assert_eq!(files("sqlite"), files("postgres"));
}

/// (table, column) and what it holds: type, whether it may be null.
type Columns = BTreeMap<(String, String), (String, bool)>;

async fn of_sqlite(path: &Path) -> Columns {
    let address = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    let rows = sqlx::query(
        "SELECT t.name AS tab, c.name AS col, c.type AS typ, c.\"notnull\" = 0 AND c.pk = 0 AS nullable
         FROM sqlite_master t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '_sqlx%'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            let kind = match row.get::<&str, _>("typ") {
                "INTEGER" => "BIGINT",
                "BLOB" => "BYTEA",
                other => other,
            };
            let place = (row.get("tab"), row.get("col"));
            (place, (kind.to_owned(), row.get("nullable")))
        })
        .collect()
}

async fn of_postgres(address: &str) -> Columns {
    let mut connection = PgConnection::connect(address).await.unwrap();
    let rows = sqlx::query(
        "SELECT table_name::text AS tab, column_name::text AS col, upper(data_type)::text AS typ,
            is_nullable = 'YES' AS nullable, coalesce(collation_name::text, 'C') AS collation_name
         FROM information_schema.columns WHERE table_schema = 'rigel' AND table_name NOT LIKE '\\_sqlx%'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            let place: (String, String) = (row.get("tab"), row.get("col"));
            let collation: &str = row.get("collation_name");
            assert_eq!(collation, "C", "{place:?}: TEXT COLLATE \"C\"");
            (place, (row.get("typ"), row.get("nullable")))
        })
        .collect()
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sqlite");
    LabelStore::open(&path).await.unwrap().close().await;
    let server = server::Postgres::start();
    let address = server.database();
    let store = LabelStore::open_postgres(&address).await.unwrap();
    store.close().await;
    let (sqlite, postgres) = (of_sqlite(&path).await, of_postgres(&address).await);
    for place in sqlite.keys().chain(postgres.keys()) {
        assert_eq!(sqlite.get(place), postgres.get(place), "{place:?}");
    }
    assert!(sqlite.len() > 200);
}
