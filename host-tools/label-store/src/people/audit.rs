//! Who did what to accounts and settings. Rows are only ever added.

use crate::database::{Connection, query};
use crate::{LabelStore, StoreError};
use serde::Serialize;

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its number; later entries have greater ones.
    pub entry: i64,
    /// When.
    pub at_us: i64,
    /// Who did it; of an attempt to sign in, the name that was given.
    pub who: String,
    /// What was done.
    pub what: String,
    /// To whom or what.
    pub about: String,
}

impl LabelStore {
    /// Adds a line.
    pub async fn note(
        &self,
        who: &str,
        what: &str,
        about: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        let doing = "write the audit";
        let mut tx = self.begin_write(doing).await?;
        insert(&mut tx, at_us, who, what, about).await?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// The last lines, the latest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let doing = "read the audit";
        let mut connection = self.read(doing).await?;
        let rows =
            query("SELECT entry, at_us, who, what, about FROM audit ORDER BY entry DESC LIMIT $1")
                .bind(i64::from(limit))
                .fetch_all(&mut connection)
                .await
                .map_err(StoreError::database(doing))?;
        Ok(rows
            .iter()
            .map(|row| AuditEntry {
                entry: row.get("entry"),
                at_us: row.get("at_us"),
                who: row.get("who"),
                what: row.get("what"),
                about: row.get("about"),
            })
            .collect())
    }
}

pub(crate) async fn insert(
    connection: &mut Connection,
    at_us: i64,
    who: &str,
    what: &str,
    about: &str,
) -> Result<(), StoreError> {
    query("INSERT INTO audit (at_us, who, what, about) VALUES ($1, $2, $3, $4)")
        .bind(at_us)
        .bind(who)
        .bind(what)
        .bind(about)
        .execute(connection)
        .await
        .map_err(StoreError::database("write the audit"))?;
    Ok(())
}
