//! Moments that somebody at a rig marked.

use crate::database::query;
use crate::label::ClipId;
use crate::row::word;
use crate::{LabelStore, StoreError};
use label_core::wire::{ClockState, OperatorMark};
use label_core::{CaptureTime, Seq};
use serde::{Deserialize, Serialize};

/// A press of the rig's button during a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMark {
    /// The message that told it; with the clip its identity.
    pub seq: Seq,
    /// What was told.
    pub mark: OperatorMark,
}

impl LabelStore {
    /// The marks of a clip, in the order of its frames.
    pub async fn operator_marks(&self, clip: &ClipId) -> Result<Vec<StoredMark>, StoreError> {
        let mut connection = self.read("read marks").await?;
        query(
            "SELECT seq, frame, pts_us, mono_us, utc_us, clock FROM operator_marks
             WHERE rig = $1 AND boot = $2 AND clip = $3 ORDER BY frame, seq",
        )
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read marks"))?
        .iter()
        .map(|row| {
            Ok(StoredMark {
                seq: row.get::<i64, _>("seq") as u64,
                mark: OperatorMark {
                    frame: row.get::<i64, _>("frame") as u32,
                    pts_us: CaptureTime(row.get("pts_us")),
                    mono_us: row.get("mono_us"),
                    utc_us: row.get("utc_us"),
                    clock: word::<ClockState>(row.get("clock"), "clock")?,
                },
            })
        })
        .collect()
    }
}
