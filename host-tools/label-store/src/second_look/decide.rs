//! What leads decide, and how they take it back.

use super::case::{Choice, DECIDABLE, offered, reconsider, sides, standing_decision};
use crate::database::{AssertSqlSafe, Connection, query};
use crate::history::{History, verdicts_in};
use crate::judge::{self, Judged};
use crate::key::{RowKey, label_key_text, row_key};
use crate::people::not_held;
use crate::request_key::{self, Taken};
use crate::verdict::{Asked, Correction, Judgement, NewVerdict};
use crate::{LabelKey, LabelStore, Step, StoreError};
use ::quality::{DeskKind, Reading};
use label_core::LabelKind;
use label_core::wire::LabelValue;
use std::collections::BTreeSet;

impl LabelStore {
    /// Of these labels those that a lead decided over.
    pub async fn decided_among(&self, labels: &[LabelKey]) -> Result<Vec<LabelKey>, StoreError> {
        const DOING: &str = "read decisions";
        let mut connection = self.read(DOING).await?;
        let decided: BTreeSet<LabelKey> =
            query("SELECT rig, boot, seq, n FROM cases WHERE state = 'decided'")
                .fetch_all(&mut connection)
                .await
                .map_err(StoreError::database(DOING))?
                .iter()
                .map(|row| RowKey::of(row).label_key())
                .collect::<Result<_, _>>()?;
        Ok(labels
            .iter()
            .filter(|label| decided.contains(label))
            .cloned()
            .collect())
    }

    /// Decides a disagreement. Whoever is one of those who disagree does not, unless nobody has an account.
    pub async fn decide(
        &self,
        label: &LabelKey,
        choice: Choice,
        spent_ms: u64,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        // What is decided on is large: it stays off the stack.
        Box::pin(self.decide_in(label, choice, spent_ms, asked)).await
    }

    async fn decide_in(
        &self,
        label: &LabelKey,
        choice: Choice,
        spent_ms: u64,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        const DOING: &str = "decide a disagreement";
        let request = format!("decide {} {}", label_key_text(label), choice.name());
        let mut tx = self.begin_write(DOING).await?;
        if let Taken::Before(_) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(());
        }
        not_held(&mut tx, std::slice::from_ref(label), asked).await?;
        let place = self.open_case(&mut tx, label).await?;
        let sides = Box::pin(sides(&mut tx, &place)).await?;
        let people: i64 = query("SELECT count(*) FROM users")
            .fetch_one(&mut tx)
            .await
            .map_err(StoreError::database(DOING))?
            .get(0);
        let involved = sides.iter().any(|side| side.reviewer == asked.reviewer);
        if involved && people > 0 {
            return Err(StoreError::Involved);
        }
        let reading = match choice {
            Choice::CannotTell => Reading::CannotTell,
            _ => {
                sides
                    .into_iter()
                    .find(|side| side.choice == choice)
                    .ok_or(StoreError::NoCase(label.clone()))?
                    .reading
            }
        };
        let judged = Judged::find(&mut tx, label).await?;
        let stood = History::of(&verdicts_in(&mut tx, &place).await?)
            .standing()
            .map(|verdict| verdict.verdict);
        let decision: i64 =
            insert(&mut tx, &place, choice.name(), stood, spent_ms, None, asked).await?;
        if choice != Choice::Verdict {
            let (frames, value) = offered(&mut tx, &place).await?;
            let Some(value) = value else {
                return Err(StoreError::NotACandidate(label.clone()));
            };
            let rigs = Reading::Here(frames, value);
            let new = verdict_of(judged.kind(), &rigs, &reading, spent_ms);
            let made = judge::judge_one(&mut tx, label, &new, asked, None).await?;
            query("UPDATE decisions SET made = $2 WHERE decision = $1")
                .bind(decision)
                .bind(made)
                .execute(&mut tx)
                .await
                .map_err(StoreError::database(DOING))?;
        }
        reconsider(&mut tx, &place, asked.at_us).await?;
        tx.commit().await.map_err(StoreError::database(DOING))
    }

    /// A label on which a lead may decide.
    async fn open_case(&self, tx: &mut Connection, label: &LabelKey) -> Result<RowKey, StoreError> {
        let none = || StoreError::NoCase(label.clone());
        let place = row_key(tx, label).await?.ok_or_else(none)?;
        let sql = format!(
            "SELECT 1 FROM cases c WHERE c.rig = $1 AND c.boot = $2 AND c.seq = $3 AND c.n = $4 AND {DECIDABLE}"
        );
        query(AssertSqlSafe(sql))
            .bind(&place.rig)
            .bind(place.boot)
            .bind(place.seq)
            .bind(place.n)
            .fetch_optional(tx)
            .await
            .map_err(StoreError::database("read a disagreement"))?
            .ok_or_else(none)?;
        Ok(place)
    }

    /// Takes a decision back, with the verdict that it gave: the disagreement is open again.
    pub async fn undo_decision(&self, label: &LabelKey, asked: &Asked) -> Result<(), StoreError> {
        const DOING: &str = "take back a decision";
        let request = format!("undo decision {}", label_key_text(label));
        let mut tx = self.begin_write(DOING).await?;
        if let Taken::Before(_) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(());
        }
        not_held(&mut tx, std::slice::from_ref(label), asked).await?;
        let none = || StoreError::NoCase(label.clone());
        let place = row_key(&mut tx, label).await?.ok_or_else(none)?;
        let decision = standing_decision(&mut tx, &place).await?.ok_or_else(none)?;
        insert(
            &mut tx,
            &place,
            "withdraw",
            None,
            0,
            Some(decision.decision),
            asked,
        )
        .await?;
        if let Some(made) = decision.made {
            let judged = Judged::find(&mut tx, label).await?;
            let all = verdicts_in(&mut tx, &place).await?;
            if History::of(&all).standing().map(|verdict| verdict.verdict) != Some(made) {
                return Err(StoreError::SaidSince(label.clone()));
            }
            judge::step_one(&mut tx, &judged, Step::Undo, asked, None).await?;
        }
        reconsider(&mut tx, &place, asked.at_us).await?;
        tx.commit().await.map_err(StoreError::database(DOING))
    }
}

/// The verdict that says what a reading says.
fn verdict_of(kind: DeskKind, rigs: &Reading, reading: &Reading, spent_ms: u64) -> NewVerdict {
    let reject = |cause: &str| (Judgement::Reject, Some(cause.to_owned()), None);
    let correct = |right| (Judgement::Correct, None, Some(Box::new(right)));
    let (judgement, cause, correction) = match (rigs, reading) {
        (_, Reading::CannotTell) => reject("cannot-tell"),
        (_, Reading::Nothing | Reading::Not(..)) if kind == LabelKind::BboxPerson => {
            reject("not-a-person")
        }
        (_, Reading::Nothing | Reading::Not(..)) => reject("wrong-value"),
        (Reading::Here(frames, LabelValue::Event(event)), Reading::Here(right, _)) => {
            if frames == right {
                (Judgement::Accept, None, None)
            } else {
                let mut event = *event;
                event.peak = event.peak.clamp(right.start, right.end);
                correct(Correction {
                    frames: Some(*right),
                    value: Some(LabelValue::Event(event).into()),
                })
            }
        }
        _ if rigs.agrees(reading) == Some(true) => (Judgement::Accept, None, None),
        // One frame of a track is no correction of it: whoever corrects it does so in the queue.
        (_, Reading::Here(_, LabelValue::Boxes(_) | LabelValue::Points(_))) => {
            reject("wrong-place")
        }
        (_, Reading::Here(_, value)) => correct(Correction {
            frames: None,
            value: Some(value.clone().into()),
        }),
    };
    NewVerdict {
        judgement,
        cause,
        correction,
        spent_ms,
    }
}

async fn insert(
    tx: &mut Connection,
    place: &RowKey,
    choice: &str,
    stood: Option<i64>,
    spent_ms: u64,
    replaces: Option<i64>,
    asked: &Asked,
) -> Result<i64, StoreError> {
    Ok(query(
        "INSERT INTO decisions (rig, boot, seq, n, choice, stood, reviewer, at_us, spent_ms, replaces)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING decision",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .bind(choice)
    .bind(stood)
    .bind(&asked.reviewer)
    .bind(asked.at_us)
    .bind(i64::try_from(spent_ms).unwrap_or(i64::MAX))
    .bind(replaces)
    .fetch_one(tx)
    .await
    .map_err(StoreError::database("decide a disagreement"))?
    .get(0))
}
