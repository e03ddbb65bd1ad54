//! What a reviewer sees.

use crate::database::query;
use crate::{LabelKey, LabelStore, StoreError};
use label_core::wire::EvidenceHeader;

/// A filmstrip with its curve.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvidence {
    /// Curve, columns, tile size.
    pub header: EvidenceHeader,
    /// The picture: two rows, the subject's right eye above the left, one column a frame.
    pub jpeg: Vec<u8>,
}

impl LabelStore {
    /// The evidence of a label, in the order in which the rig made it; empty where none came.
    pub async fn evidence(&self, label: &LabelKey) -> Result<Vec<StoredEvidence>, StoreError> {
        // Evidence comes from rigs, for what rigs told.
        let LabelKey::Rig(label) = label else {
            return Ok(Vec::new());
        };
        let mut connection = self.read("read evidence").await?;
        query(
            "SELECT header, jpeg FROM evidence WHERE rig = $1 AND boot = $2 AND label_seq = $3 AND label_n = $4
             ORDER BY seq",
        )
        .bind(label.rig.as_str())
        .bind(label.boot.raw() as i64)
        .bind(label.seq as i64)
        .bind(i64::from(label.n))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read evidence"))?
        .iter()
        .map(|row| {
            let header: &str = row.get(0);
            Ok(StoredEvidence {
                header: serde_json::from_str(header)
                    .map_err(|_| StoreError::unreadable("evidence.header", header))?,
                jpeg: row.get(1),
            })
        })
        .collect()
    }
}
