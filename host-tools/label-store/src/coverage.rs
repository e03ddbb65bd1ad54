//! What a rig did not look at.

use crate::database::{AssertSqlSafe, query};
use crate::label::{ClipId, StoredLabel};
use crate::row::{LABEL_COLUMNS, label_from_row};
use crate::{LabelStore, StoreError, track_edits};
use ::quality::DeskKind;

impl LabelStore {
    /// The abstentions of a clip, of one kind or of all, in time order. Frames of a kind that lie neither in one of them
    /// nor in a candidate were looked at.
    pub async fn abstentions(
        &self,
        clip: &ClipId,
        kind: Option<DeskKind>,
    ) -> Result<Vec<StoredLabel>, StoreError> {
        let sql = format!(
            "SELECT {LABEL_COLUMNS} FROM labels l LEFT JOIN models m ON m.model = l.model
             WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 AND l.decision = 'abstain' AND ($4 IS NULL OR l.kind = $4)
             ORDER BY l.start_frame, l.kind, l.seq, l.n"
        );
        let mut connection = self.read("read abstentions").await?;
        let mut labels = query(AssertSqlSafe(sql))
            .bind(clip.rig.as_str())
            .bind(clip.boot.raw() as i64)
            .bind(i64::from(clip.clip))
            .bind(kind.map(DeskKind::name))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("read abstentions"))?
            .iter()
            .map(label_from_row)
            .collect::<Result<Vec<_>, _>>()?;
        track_edits::apply(&mut connection, labels.iter_mut()).await?;
        Ok(labels)
    }
}
