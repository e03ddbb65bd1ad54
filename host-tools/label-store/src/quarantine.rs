//! What came and could not be taken as it was.

use crate::database::{Connection, query};
use crate::incoming::NamedMessage;
use crate::store::lock_shared_rows;
use crate::{LabelStore, RefusalReason, StoreError};
use label_core::wire::MAX_EVIDENCE_BYTES;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Most rows kept; beyond that the oldest nameless rows make room, so that a flood of rubbish cannot fill the disk.
pub const MAX_QUARANTINED: i64 = 10_000;

/// How much is kept of a message that has no name: enough to see what it was.
const PREFIX_BYTES: usize = 4096;

/// One message kept aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineEntry {
    /// Its number.
    pub entry: i64,
    /// The topic it came on.
    pub topic: String,
    /// The class of trouble: a [`RefusalReason::name`].
    pub reason: String,
    /// The trouble in words.
    pub detail: String,
    /// Length of the message in bytes.
    pub bytes: u64,
    /// The message itself where it has a name, else its first bytes.
    pub payload: Vec<u8>,
    /// How often the same bytes came.
    pub times: u64,
    /// When they came first.
    pub first_us: i64,
    /// When they came last.
    pub last_us: i64,
}

/// A message on its way into quarantine.
pub(crate) struct Quarantined<'a> {
    pub(crate) topic: &'a str,
    pub(crate) reason: RefusalReason,
    pub(crate) detail: &'a str,
    pub(crate) named: Option<&'a NamedMessage>,
    pub(crate) payload: &'a [u8],
    pub(crate) at_us: i64,
}

pub(crate) async fn insert(
    connection: &mut Connection,
    message: &Quarantined<'_>,
) -> Result<(), StoreError> {
    // A refused message that counts as received exists nowhere else from now on; a conflicting one is not wanted.
    let keep = match message.named {
        Some(_) if message.reason != RefusalReason::Conflict => MAX_EVIDENCE_BYTES,
        _ => PREFIX_BYTES,
    };
    let topic: String = message.topic.chars().take(256).collect();
    let detail: String = message.detail.chars().take(500).collect();
    lock_shared_rows(connection).await?;
    query(
        "INSERT INTO quarantine (topic, reason, detail, rig, boot, seq, sha256, bytes, payload, times, first_us, last_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)
         ON CONFLICT (topic, sha256) DO UPDATE SET times = quarantine.times + 1, last_us = excluded.last_us",
    )
    .bind(topic)
    .bind(message.reason.name())
    .bind(detail)
    .bind(message.named.map(|named| named.rig.as_str()))
    .bind(message.named.map(|named| named.boot.raw() as i64))
    .bind(message.named.map(|named| named.seq as i64))
    .bind(Sha256::digest(message.payload).to_vec())
    .bind(message.payload.len() as i64)
    .bind(&message.payload[..message.payload.len().min(keep)])
    .bind(message.at_us)
    .execute(&mut *connection)
    .await
    .map_err(StoreError::database("keep a message aside"))?;
    query(
        "DELETE FROM quarantine
         WHERE (rig IS NULL OR reason = 'conflict') AND entry <= (SELECT max(entry) FROM quarantine) - $1",
    )
    .bind(MAX_QUARANTINED)
    .execute(connection)
    .await
    .map_err(StoreError::database("trim the quarantine"))?;
    Ok(())
}

impl LabelStore {
    /// What lies in quarantine, the latest first.
    pub async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineEntry>, StoreError> {
        let mut connection = self.read("read the quarantine").await?;
        let rows = query(
            "SELECT entry, topic, reason, detail, bytes, payload, times, first_us, last_us
             FROM quarantine ORDER BY last_us DESC, entry DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read the quarantine"))?;
        Ok(rows
            .iter()
            .map(|row| QuarantineEntry {
                entry: row.get("entry"),
                topic: row.get("topic"),
                reason: row.get("reason"),
                detail: row.get("detail"),
                bytes: row.get::<i64, _>("bytes") as u64,
                payload: row.get("payload"),
                times: row.get::<i64, _>("times") as u64,
                first_us: row.get("first_us"),
                last_us: row.get("last_us"),
            })
            .collect())
    }
}
