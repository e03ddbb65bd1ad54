//! Who works on which item, so that two people never do.

use crate::{LabelStore, StoreError};
use serde::Serialize;
use sqlx::Row;

/// Somebody works on an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// The label, by its name.
    pub item: String,
    /// Who.
    pub holder: String,
    /// When it ends unless it is renewed.
    pub until_us: i64,
}

impl LabelStore {
    /// Takes or renews the lease of an item until `until_us`; whoever holds it afterwards, which is somebody else where
    /// they were first.
    pub async fn lease(
        &self,
        item: &str,
        holder: &str,
        (now_us, until_us): (i64, i64),
    ) -> Result<Lease, StoreError> {
        let doing = "lease an item";
        let mut tx = self.begin_write(doing).await?;
        sqlx::query("DELETE FROM leases WHERE until_us <= $1")
            .bind(now_us)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(doing))?;
        sqlx::query(
            "INSERT INTO leases (item, holder, until_us) VALUES ($1, $2, $3)
             ON CONFLICT (item) DO UPDATE SET until_us = excluded.until_us WHERE leases.holder = excluded.holder",
        )
        .bind(item)
        .bind(holder)
        .bind(until_us)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database(doing))?;
        let row = sqlx::query("SELECT item, holder, until_us FROM leases WHERE item = $1")
            .bind(item)
            .fetch_one(&mut *tx)
            .await
            .map_err(StoreError::database(doing))?;
        let lease = Lease {
            item: row.get("item"),
            holder: row.get("holder"),
            until_us: row.get("until_us"),
        };
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(lease)
    }

    /// Gives an item back, where `holder` has it.
    pub async fn release(&self, item: &str, holder: &str) -> Result<(), StoreError> {
        let doing = "give an item back";
        let mut tx = self.begin_write(doing).await?;
        sqlx::query("DELETE FROM leases WHERE item = $1 AND holder = $2")
            .bind(item)
            .bind(holder)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(doing))?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// What is being worked on now.
    pub async fn leases(&self, now_us: i64) -> Result<Vec<Lease>, StoreError> {
        let doing = "read leases";
        let mut connection = self.read(doing).await?;
        let rows = sqlx::query(
            "SELECT item, holder, until_us FROM leases WHERE until_us > $1 ORDER BY item",
        )
        .bind(now_us)
        .fetch_all(&mut *connection)
        .await
        .map_err(StoreError::database(doing))?;
        Ok(rows
            .iter()
            .map(|row| Lease {
                item: row.get("item"),
                holder: row.get("holder"),
                until_us: row.get("until_us"),
            })
            .collect())
    }
}
