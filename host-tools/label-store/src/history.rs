//! What stands after all that was said of a label.

use crate::database::{Connection, Row, query};
use crate::key::{LabelKey, RowKey, row_key};
use crate::label::ReviewState;
use crate::verdict::{Judgement, Verdict};
use crate::{ClipId, LabelStore, StoreError};
use std::collections::HashMap;

/// The verdicts on one label, sorted into those that hold and those that were taken back.
pub(crate) struct History<'a> {
    /// Each replaced the one before it; the last stands.
    done: Vec<&'a Verdict>,
    /// Taken back, the last first to come again.
    undone: Vec<&'a Verdict>,
}

impl<'a> History<'a> {
    /// From every verdict on a label, oldest first.
    pub(crate) fn of(all: &'a [Verdict]) -> Self {
        let mut history = Self {
            done: Vec::new(),
            undone: Vec::new(),
        };
        for verdict in all {
            match verdict.judgement {
                Judgement::Withdraw => history.undone.extend(history.done.pop()),
                Judgement::Restore => history.done.extend(history.undone.pop()),
                _ => {
                    history.done.push(verdict);
                    history.undone.clear();
                }
            }
        }
        history
    }

    /// The verdict that stands.
    pub(crate) fn standing(&self) -> Option<&'a Verdict> {
        self.done.last().copied()
    }

    /// Whether a verdict holds, standing or replaced: it was not taken back.
    pub(crate) fn holds(&self, verdict: i64) -> bool {
        self.done.iter().any(|done| done.verdict == verdict)
    }

    /// The verdict that stood before it.
    pub(crate) fn before(&self) -> Option<&'a Verdict> {
        self.done.iter().rev().nth(1).copied()
    }

    /// The verdict that redo would bring back.
    pub(crate) fn taken_back(&self) -> Option<&'a Verdict> {
        self.undone.last().copied()
    }
}

/// The state of a label on which this verdict stands; `unjudged` where none does.
pub(crate) fn state_under(standing: Option<&Verdict>, unjudged: ReviewState) -> ReviewState {
    match standing.map(|verdict| verdict.judgement) {
        Some(Judgement::Create) => ReviewState::Created,
        Some(Judgement::Accept) => ReviewState::Accepted,
        Some(Judgement::Correct) => ReviewState::Corrected,
        Some(Judgement::Reject) => ReviewState::Rejected,
        Some(Judgement::Withdraw | Judgement::Restore) | None => unjudged,
    }
}

impl LabelStore {
    /// Every verdict on a label, oldest first.
    pub async fn verdicts(&self, label: &LabelKey) -> Result<Vec<Verdict>, StoreError> {
        let mut connection = self.read("read verdicts").await?;
        match row_key(&mut connection, label).await? {
            Some(place) => verdicts_in(&mut connection, &place).await,
            None => Ok(Vec::new()),
        }
    }
}

pub(crate) async fn verdicts_in(
    connection: &mut Connection,
    place: &RowKey,
) -> Result<Vec<Verdict>, StoreError> {
    query(
        "SELECT verdict, rig, boot, seq, n, judgement, cause, correction, reviewer, at_us, spent_ms, replaces, batch FROM verdicts
         WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4 ORDER BY verdict",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("read verdicts"))?
    .iter()
    .map(from_row)
    .collect()
}

/// The verdicts that second looks of a clip are held against, by number.
pub(crate) async fn verdicts_looked_at(
    connection: &mut Connection,
    clip: &ClipId,
) -> Result<HashMap<i64, Verdict>, StoreError> {
    query(
        "SELECT v.verdict, v.rig, v.boot, v.seq, v.n, v.judgement, v.cause, v.correction, v.reviewer, v.at_us, v.spent_ms,
            v.replaces, v.batch
         FROM looks l JOIN verdicts v ON v.verdict = l.about
         WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("read verdicts"))?
    .iter()
    .map(|row| Ok((row.get("verdict"), from_row(row)?)))
    .collect()
}

fn from_row(row: &Row) -> Result<Verdict, StoreError> {
    let judgement: &str = row.get("judgement");
    let correction: Option<&str> = row.get("correction");
    Ok(Verdict {
        verdict: row.get("verdict"),
        label: RowKey::of(row).label_key()?,
        judgement: Judgement::from_name(judgement)
            .ok_or_else(|| StoreError::unreadable("verdicts.judgement", judgement))?,
        cause: row.get("cause"),
        correction: correction
            .map(|text| {
                serde_json::from_str(text)
                    .map_err(|_| StoreError::unreadable("verdicts.correction", text))
            })
            .transpose()?,
        reviewer: row.get("reviewer"),
        at_us: row.get("at_us"),
        spent_ms: row.get::<i64, _>("spent_ms") as u64,
        replaces: row.get("replaces"),
        batch: row.get("batch"),
    })
}
