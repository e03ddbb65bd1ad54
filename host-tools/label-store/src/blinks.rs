//! The queue of blinks.

use crate::label::{ClipId, ReviewState, StoredLabel};
use crate::row::{LABEL_COLUMNS, label_from_row};
use crate::{LabelStore, StoreError};
use label_core::LabelKind;
use label_core::id::Name;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row};

/// In what order the queue comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueOrder {
    /// Clip by clip, as they happened.
    #[default]
    Time,
    /// The least certain first.
    Doubt,
}

/// Which blinks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlinkFilter {
    /// Of this rig only.
    pub rig: Option<Name>,
    /// Of this clip only.
    pub clip: Option<ClipId>,
    /// [`LabelKind::Blink`] or [`LabelKind::LongClosure`]; both where absent.
    pub kind: Option<LabelKind>,
    /// In this state only; all states where absent.
    pub state: Option<ReviewState>,
    /// In what order.
    pub order: QueueOrder,
    /// Leave out this many from the start.
    pub offset: u32,
    /// Give at most this many.
    pub limit: u32,
}

impl Default for BlinkFilter {
    fn default() -> Self {
        Self {
            rig: None,
            clip: None,
            kind: None,
            state: None,
            order: QueueOrder::Time,
            offset: 0,
            limit: 1000,
        }
    }
}

/// One blink or long closure of the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlinkItem {
    /// The label.
    pub label: StoredLabel,
    /// Name of its clip, once known.
    pub clip_name: Option<String>,
    /// Evidence messages that came for it; 0 = there is nothing to look at yet.
    pub evidence: u32,
}

impl LabelStore {
    /// Candidate blinks and long closures, with whether there is evidence to judge them by.
    pub async fn blinks(&self, filter: &BlinkFilter) -> Result<Vec<BlinkItem>, StoreError> {
        let order = match filter.order {
            QueueOrder::Time => "l.rig, l.boot, l.clip, l.start_frame, l.seq, l.n",
            QueueOrder::Doubt => "l.confidence, l.rig, l.boot, l.clip, l.start_frame, l.seq, l.n",
        };
        // Only constants are pasted in; what a caller says is bound.
        let sql = format!(
            "SELECT {LABEL_COLUMNS}, c.name AS clip_name,
                (SELECT count(*) FROM evidence e
                  WHERE e.rig = l.rig AND e.boot = l.boot AND e.label_seq = l.seq AND e.label_n = l.n) AS evidence
             FROM labels l
             JOIN clips c ON c.rig = l.rig AND c.boot = l.boot AND c.clip = l.clip
             LEFT JOIN models m ON m.model = l.model
             WHERE l.kind IN ('blink', 'long-closure') AND l.decision = 'candidate'
               AND ($1 IS NULL OR l.rig = $1)
               AND ($2 IS NULL OR l.boot = $2)
               AND ($3 IS NULL OR l.clip = $3)
               AND ($4 IS NULL OR l.kind = $4)
               AND ($5 IS NULL OR l.state = $5)
             ORDER BY {order} LIMIT $6 OFFSET $7"
        );
        let clip = filter.clip.as_ref();
        let rig = clip.map(|clip| &clip.rig).or(filter.rig.as_ref());
        let mut connection = self.read("read the queue of blinks").await?;
        sqlx::query(AssertSqlSafe(sql))
            .bind(rig.map(Name::as_str))
            .bind(clip.map(|clip| clip.boot.raw() as i64))
            .bind(clip.map(|clip| i64::from(clip.clip)))
            .bind(filter.kind.map(LabelKind::name))
            .bind(filter.state.map(ReviewState::name))
            .bind(i64::from(filter.limit))
            .bind(i64::from(filter.offset))
            .fetch_all(&mut *connection)
            .await
            .map_err(StoreError::database("read the queue of blinks"))?
            .iter()
            .map(|row| {
                Ok(BlinkItem {
                    label: label_from_row(row)?,
                    clip_name: row.get("clip_name"),
                    evidence: row.get::<i64, _>("evidence") as u32,
                })
            })
            .collect()
    }
}
