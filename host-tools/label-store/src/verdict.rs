//! What reviewers said. Rows are only ever added.

use crate::label::ReviewState;
use crate::{LabelStore, StoreError};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelId};
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// What a verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// Right as it is.
    Accept,
    /// Right after the change given.
    Correct,
    /// Wrong, for the cause given.
    Reject,
    /// The verdict it replaces no longer holds; the one before that does again.
    Withdraw,
}

impl Judgement {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Correct => "correct",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }

    /// The judgement of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Accept, Self::Correct, Self::Reject, Self::Withdraw]
            .into_iter()
            .find(|judgement| judgement.name() == name)
    }

    const fn state(self) -> ReviewState {
        match self {
            Self::Accept => ReviewState::Accepted,
            Self::Correct => ReviewState::Corrected,
            Self::Reject => ReviewState::Rejected,
            Self::Withdraw => ReviewState::Waiting,
        }
    }
}

/// The label as it should have been; what is absent was right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// The right frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<FrameRange>,
    /// The right value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<LabelValue>,
}

/// A verdict to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVerdict {
    /// What it says; not [`Judgement::Withdraw`], which [`LabelStore::undo`] writes.
    pub judgement: Judgement,
    /// Why it was rejected or corrected: a short word of the project's list. Required for a rejection.
    pub cause: Option<String>,
    /// Required for a correction, absent otherwise.
    pub correction: Option<Correction>,
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
    /// How long the item was in front of the reviewer.
    pub spent_ms: u64,
}

/// A recorded verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Its number; later verdicts have greater ones.
    pub verdict: i64,
    /// The label judged.
    pub label: LabelId,
    /// What it says.
    pub judgement: Judgement,
    /// Why.
    pub cause: Option<String>,
    /// The label as it should have been.
    pub correction: Option<Correction>,
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
    /// How long the item was in front of the reviewer.
    pub spent_ms: u64,
    /// The verdict that held before; for a withdrawal, the one it takes back.
    pub replaces: Option<i64>,
}

const MAX_TEXT: usize = 200;

impl NewVerdict {
    fn check(&self) -> Result<(), StoreError> {
        let refuse = |why| Err(StoreError::Verdict(why));
        if self.reviewer.trim().is_empty() || self.reviewer.len() > MAX_TEXT {
            return refuse("the reviewer's name is empty or longer than 200 bytes");
        }
        if self
            .cause
            .as_ref()
            .is_some_and(|cause| cause.len() > MAX_TEXT)
        {
            return refuse("the cause is longer than 200 bytes");
        }
        match self.judgement {
            Judgement::Withdraw => refuse("a withdrawal is written by undo"),
            Judgement::Reject if self.cause.as_ref().is_none_or(|c| c.trim().is_empty()) => {
                refuse("a rejection names its cause")
            }
            Judgement::Correct if self.correction.is_none() => {
                refuse("a correction says what would have been right")
            }
            Judgement::Accept | Judgement::Reject if self.correction.is_some() => {
                refuse("only a correction carries a correction")
            }
            _ => Ok(()),
        }
    }
}

impl LabelStore {
    /// Records a verdict; it replaces the one that stands, if any, and that one stays on record.
    pub async fn record_verdict(
        &self,
        label: &LabelId,
        new: NewVerdict,
    ) -> Result<Verdict, StoreError> {
        new.check()?;
        let mut tx = self.begin_write("record a verdict").await?;
        require_candidate(&mut tx, label).await?;
        let standing = standing(&verdicts_in(&mut tx, label).await?).map(|verdict| verdict.verdict);
        let state = new.judgement.state();
        let verdict = insert(&mut tx, label, new, standing).await?;
        set_state(&mut tx, label, state).await?;
        tx.commit()
            .await
            .map_err(StoreError::database("record a verdict"))?;
        Ok(verdict)
    }

    /// Withdraws the verdict that stands, so that the one before it (or none) stands again. `None` where none stood.
    pub async fn undo(
        &self,
        label: &LabelId,
        reviewer: &str,
        at_us: i64,
    ) -> Result<Option<Verdict>, StoreError> {
        let mut tx = self.begin_write("undo a verdict").await?;
        require_candidate(&mut tx, label).await?;
        let all = verdicts_in(&mut tx, label).await?;
        let Some(taken_back) = standing(&all) else {
            return Ok(None);
        };
        let state = taken_back
            .replaces
            .and_then(|before| all.iter().find(|verdict| verdict.verdict == before))
            .map_or(ReviewState::Waiting, |verdict| verdict.judgement.state());
        let withdrawal = NewVerdict {
            judgement: Judgement::Withdraw,
            cause: None,
            correction: None,
            reviewer: reviewer.to_owned(),
            at_us,
            spent_ms: 0,
        };
        let verdict = insert(&mut tx, label, withdrawal, Some(taken_back.verdict)).await?;
        set_state(&mut tx, label, state).await?;
        tx.commit()
            .await
            .map_err(StoreError::database("undo a verdict"))?;
        Ok(Some(verdict))
    }

    /// Every verdict on a label, oldest first.
    pub async fn verdicts(&self, label: &LabelId) -> Result<Vec<Verdict>, StoreError> {
        let mut connection = self.read("read verdicts").await?;
        verdicts_in(&mut connection, label).await
    }
}

/// The verdict that holds: the last one, or after a withdrawal the one that the withdrawn verdict had replaced.
fn standing(all: &[Verdict]) -> Option<&Verdict> {
    let by_number = |number: i64| all.iter().find(|verdict| verdict.verdict == number);
    let last = all.last()?;
    if last.judgement != Judgement::Withdraw {
        return Some(last);
    }
    by_number(last.replaces?)?.replaces.and_then(by_number)
}

async fn require_candidate(
    connection: &mut sqlx::SqliteConnection,
    label: &LabelId,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT decision FROM labels WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    )
    .bind(label.rig.as_str())
    .bind(label.boot.raw() as i64)
    .bind(label.seq as i64)
    .bind(i64::from(label.n))
    .fetch_optional(connection)
    .await
    .map_err(StoreError::database("look up a label"))?;
    match row {
        None => Err(StoreError::NoSuchLabel(label.clone())),
        Some(row) if row.get::<&str, _>(0) == "candidate" => Ok(()),
        Some(_) => Err(StoreError::NotACandidate(label.clone())),
    }
}

async fn insert(
    connection: &mut sqlx::SqliteConnection,
    label: &LabelId,
    new: NewVerdict,
    replaces: Option<i64>,
) -> Result<Verdict, StoreError> {
    let correction = new
        .correction
        .as_ref()
        .map(|correction| serde_json::to_string(correction).expect("plain numbers always encode"));
    let verdict = sqlx::query(
        "INSERT INTO verdicts (rig, boot, seq, n, judgement, cause, correction, reviewer, at_us, spent_ms, replaces)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING verdict",
    )
    .bind(label.rig.as_str())
    .bind(label.boot.raw() as i64)
    .bind(label.seq as i64)
    .bind(i64::from(label.n))
    .bind(new.judgement.name())
    .bind(new.cause.as_deref())
    .bind(correction)
    .bind(new.reviewer.as_str())
    .bind(new.at_us)
    .bind(i64::try_from(new.spent_ms).unwrap_or(i64::MAX))
    .bind(replaces)
    .fetch_one(connection)
    .await
    .map_err(StoreError::database("record a verdict"))?
    .get(0);
    Ok(Verdict {
        verdict,
        label: label.clone(),
        judgement: new.judgement,
        cause: new.cause,
        correction: new.correction,
        reviewer: new.reviewer,
        at_us: new.at_us,
        spent_ms: new.spent_ms,
        replaces,
    })
}

async fn set_state(
    connection: &mut sqlx::SqliteConnection,
    label: &LabelId,
    state: ReviewState,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE labels SET state = $5 WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    )
    .bind(label.rig.as_str())
    .bind(label.boot.raw() as i64)
    .bind(label.seq as i64)
    .bind(i64::from(label.n))
    .bind(state.name())
    .execute(connection)
    .await
    .map_err(StoreError::database("record a verdict"))?;
    Ok(())
}

pub(crate) async fn verdicts_in(
    connection: &mut sqlx::SqliteConnection,
    label: &LabelId,
) -> Result<Vec<Verdict>, StoreError> {
    sqlx::query(
        "SELECT verdict, judgement, cause, correction, reviewer, at_us, spent_ms, replaces FROM verdicts
         WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4 ORDER BY verdict",
    )
    .bind(label.rig.as_str())
    .bind(label.boot.raw() as i64)
    .bind(label.seq as i64)
    .bind(i64::from(label.n))
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("read verdicts"))?
    .iter()
    .map(|row| {
        let judgement: &str = row.get("judgement");
        let correction: Option<&str> = row.get("correction");
        Ok(Verdict {
            verdict: row.get("verdict"),
            label: label.clone(),
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
        })
    })
    .collect()
}
