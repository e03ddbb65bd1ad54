//! Recording verdicts, one or many at once, taking them back and bringing them back.

use crate::condition::{self, Touched};
use crate::correction::Bounds;
use crate::counts::{self, Group};
use crate::database::{Connection, query};
use crate::history::{History, state_under, verdicts_in};
use crate::key::{LabelKey, RowKey, label_key_text, row_key};
use crate::label::ReviewState;
use crate::people::not_held;
use crate::request_key::{self, Taken};
use crate::row::{boot_column, name_column};
use crate::second_look::{FirstVerdict, draw_again, not_decided, reconsider};
use crate::verdict::{Asked, Correction, Judgement, NewVerdict, Verdict};
use crate::{ClipId, LabelStore, StoreError};
use ::quality::DeskKind;
use label_core::FrameRange;

/// Most labels judged at once.
pub const MAX_BATCH: usize = 500;

/// Back or forth among what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The verdict that stands is withdrawn.
    Undo,
    /// The verdict withdrawn last is restored.
    Redo,
}

impl LabelStore {
    /// Records a verdict; it replaces the one that stands, if any, and that one stays on record.
    pub async fn record_verdict(
        &self,
        label: &LabelKey,
        new: &NewVerdict,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        let request = request_text("judge", std::slice::from_ref(label), new);
        let mut tx = self.begin_write("record a verdict").await?;
        if let Taken::New = request_key::take(&mut tx, asked, &request).await? {
            not_held(&mut tx, std::slice::from_ref(label), asked).await?;
            judge_one(&mut tx, label, new, asked, None).await?;
        }
        tx.commit()
            .await
            .map_err(StoreError::database("record a verdict"))
    }

    /// Records one verdict on many labels, or on none of them. The time spent is shared out among them. Returns the
    /// number of the batch.
    pub async fn record_verdicts(
        &self,
        labels: &[LabelKey],
        new: &NewVerdict,
        asked: &Asked,
    ) -> Result<i64, StoreError> {
        if labels.is_empty() || labels.len() > MAX_BATCH {
            return Err(StoreError::Verdict("1 to 500 labels are judged at once"));
        }
        let distinct: std::collections::BTreeSet<_> = labels.iter().collect();
        if distinct.len() < labels.len() {
            return Err(StoreError::Verdict("a label is named twice"));
        }
        let request = request_text("judge at once", labels, new);
        let mut tx = self.begin_write("record verdicts").await?;
        if let Taken::Before(batch) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(batch.unwrap_or(0));
        }
        not_held(&mut tx, labels, asked).await?;
        let mut batch = None;
        let count = labels.len() as u64;
        for (place, label) in labels.iter().enumerate() {
            let rest = u64::from((place as u64) < new.spent_ms % count);
            let share = NewVerdict {
                spent_ms: new.spent_ms / count + rest,
                ..new.clone()
            };
            let verdict = judge_one(&mut tx, label, &share, asked, batch).await?;
            if batch.is_none() {
                query("UPDATE verdicts SET batch = verdict WHERE verdict = $1")
                    .bind(verdict)
                    .execute(&mut tx)
                    .await
                    .map_err(StoreError::database("record verdicts"))?;
                batch = Some(verdict);
            }
        }
        let batch = batch.expect("there is at least one label");
        request_key::answered(&mut tx, asked, batch).await?;
        tx.commit()
            .await
            .map_err(StoreError::database("record verdicts"))?;
        Ok(batch)
    }

    /// Takes back the verdict that stands, so that the one before it (or none) stands again; or brings back the one
    /// that was taken back last, as long as nothing else was said since.
    pub async fn step(
        &self,
        label: &LabelKey,
        step: Step,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        let request = format!("{step:?} {}", label_key_text(label));
        let mut tx = self.begin_write("undo or redo a verdict").await?;
        if let Taken::New = request_key::take(&mut tx, asked, &request).await? {
            not_held(&mut tx, std::slice::from_ref(label), asked).await?;
            let judged = Judged::find(&mut tx, label).await?;
            step_one(&mut tx, &judged, step, asked, None).await?;
        }
        tx.commit()
            .await
            .map_err(StoreError::database("undo or redo a verdict"))
    }

    /// The same for verdicts that were given at once: all of them, or none where something else was said of one of
    /// them since. Returns the labels.
    pub async fn step_batch(
        &self,
        batch: i64,
        step: Step,
        asked: &Asked,
    ) -> Result<Vec<LabelKey>, StoreError> {
        let request = format!("{step:?} batch {batch}");
        let mut tx = self.begin_write("undo or redo verdicts").await?;
        let taken = request_key::take(&mut tx, asked, &request).await?;
        let labels = labels_of(&mut tx, batch).await?;
        if let Taken::New = taken {
            not_held(&mut tx, &labels, asked).await?;
            for label in &labels {
                not_decided(&mut tx, label).await?;
                let judged = Judged::find(&mut tx, label).await?;
                step_one(&mut tx, &judged, step, asked, Some(batch)).await?;
            }
        }
        tx.commit()
            .await
            .map_err(StoreError::database("undo or redo verdicts"))?;
        Ok(labels)
    }
}

async fn labels_of(connection: &mut Connection, batch: i64) -> Result<Vec<LabelKey>, StoreError> {
    let labels: Vec<LabelKey> = query(
        "SELECT rig, boot, seq, n FROM verdicts
         WHERE batch = $1 AND judgement NOT IN ('withdraw', 'restore') ORDER BY verdict",
    )
    .bind(batch)
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("read a batch of verdicts"))?
    .iter()
    .map(|row| RowKey::of(row).label_key())
    .collect::<Result<_, _>>()?;
    if labels.is_empty() {
        return Err(StoreError::NoSuchBatch(batch));
    }
    Ok(labels)
}

fn request_text(verb: &str, labels: &[LabelKey], new: &NewVerdict) -> String {
    let labels: Vec<_> = labels.iter().map(label_key_text).collect();
    let correction = correction_text(new.correction.as_deref());
    format!(
        "{verb} {} {} {:?} {correction:?}",
        labels.join(" "),
        new.judgement.name(),
        new.cause
    )
}

pub(crate) fn correction_text(correction: Option<&Correction>) -> Option<String> {
    correction.map(|right| serde_json::to_string(right).expect("plain numbers always encode"))
}

/// A label about to be judged.
pub(crate) struct Judged {
    label: LabelKey,
    place: RowKey,
    clip: ClipId,
    kind: DeskKind,
    frames: FrameRange,
    clip_frames: Option<u32>,
    state: ReviewState,
    made: bool,
    model: i64,
    conditions: i64,
    correction: Option<Correction>,
}

impl Judged {
    /// A label that may be judged: nobody judges what is answered blind.
    pub(crate) async fn find(tx: &mut Connection, label: &LabelKey) -> Result<Self, StoreError> {
        let judged = Self::find_blind(tx, label).await?;
        if judged.state == ReviewState::Blind {
            return Err(StoreError::Blind(label.clone()));
        }
        Ok(judged)
    }

    pub(crate) async fn find_blind(
        tx: &mut Connection,
        label: &LabelKey,
    ) -> Result<Self, StoreError> {
        let missing = || StoreError::NoSuchLabel(label.clone());
        let place = row_key(tx, label).await?.ok_or_else(missing)?;
        let row = query(
            "SELECT l.rig, l.boot, l.clip, l.kind, l.start_frame, l.end_frame, l.state, l.decision, l.model,
                l.conditions, l.correction, c.frames
             FROM labels l JOIN clips c ON c.rig = l.rig AND c.boot = l.boot AND c.clip = l.clip
             WHERE l.rig = $1 AND l.boot = $2 AND l.seq = $3 AND l.n = $4",
        )
        .bind(&place.rig)
        .bind(place.boot)
        .bind(place.seq)
        .bind(place.n)
        .fetch_optional(tx)
        .await
        .map_err(StoreError::database("look up a label"))?
        .ok_or_else(missing)?;
        let kind: &str = row.get("kind");
        let state = row
            .get::<Option<&str>, _>("state")
            .and_then(ReviewState::from_name)
            .ok_or_else(|| StoreError::NotACandidate(label.clone()))?;
        let made = row.get::<&str, _>("decision") == "made";
        Ok(Self {
            label: label.clone(),
            clip: ClipId {
                rig: name_column(&row, "rig")?,
                boot: boot_column(&row, "boot")?,
                clip: row.get::<i64, _>("clip") as u32,
            },
            kind: DeskKind::from_name(kind).ok_or_else(|| StoreError::unreadable("kind", kind))?,
            frames: FrameRange::new(
                row.get::<i64, _>("start_frame") as u32,
                row.get::<i64, _>("end_frame") as u32,
            ),
            clip_frames: row
                .get::<Option<i64>, _>("frames")
                .map(|frames| frames as u32),
            state,
            made,
            model: match row.get::<Option<i64>, _>("model") {
                _ if made => counts::MADE,
                model => model.unwrap_or(0),
            },
            conditions: row.get("conditions"),
            correction: row
                .get::<Option<&str>, _>("correction")
                .and_then(|text| serde_json::from_str(text).ok()),
            place,
        })
    }

    pub(crate) const fn kind(&self) -> DeskKind {
        self.kind
    }

    pub(crate) const fn place(&self) -> &RowKey {
        &self.place
    }

    pub(crate) const fn state(&self) -> ReviewState {
        self.state
    }

    const fn unjudged(&self) -> ReviewState {
        if self.made {
            ReviewState::Removed
        } else {
            ReviewState::Waiting
        }
    }
}

pub(crate) async fn judge_one(
    tx: &mut Connection,
    label: &LabelKey,
    new: &NewVerdict,
    asked: &Asked,
    batch: Option<i64>,
) -> Result<i64, StoreError> {
    new.check()?;
    let judged = Judged::find(tx, label).await?;
    if new.judgement == Judgement::Reject && new.cause.is_none() && !judged.made {
        return Err(StoreError::Verdict("a rejection names its cause"));
    }
    if judged.state == ReviewState::Removed {
        return Err(StoreError::Removed(label.clone()));
    }
    if let Some(correction) = &new.correction {
        let bounds = Bounds {
            kind: judged.kind,
            frames: judged.frames,
            clip_frames: judged.clip_frames,
        };
        bounds.check(correction)?;
    }
    let all = verdicts_in(tx, &judged.place).await?;
    let replaces = History::of(&all).standing().map(|verdict| verdict.verdict);
    let verdict = Verdict {
        verdict: 0,
        label: label.clone(),
        judgement: new.judgement,
        cause: new.cause.clone(),
        correction: new.correction.clone(),
        reviewer: asked.reviewer.clone(),
        at_us: asked.at_us,
        spent_ms: new.spent_ms,
        replaces,
        batch,
    };
    let number = insert(tx, &judged.place, &verdict).await?;
    let standing = Verdict {
        verdict: number,
        ..verdict
    };
    let state = state_under(Some(&standing), judged.unjudged());
    set_state(tx, &judged, state, Some(&standing)).await?;
    if judged.state == ReviewState::Waiting
        && let Some(kind) = judged.kind.offered()
    {
        let first = FirstVerdict {
            clip: &judged.clip,
            place: &judged.place,
            kind,
            frames: judged.frames,
            verdict: number,
            reviewer: &asked.reviewer,
            at_us: asked.at_us,
        };
        draw_again(tx, &first).await?;
    }
    reconsider(tx, &judged.place, asked.at_us).await?;
    Ok(number)
}

pub(crate) async fn step_one(
    tx: &mut Connection,
    judged: &Judged,
    step: Step,
    asked: &Asked,
    batch: Option<i64>,
) -> Result<(), StoreError> {
    let all = verdicts_in(tx, &judged.place).await?;
    let history = History::of(&all);
    let (judgement, named, standing) = match step {
        Step::Undo => (Judgement::Withdraw, history.standing(), history.before()),
        Step::Redo => (
            Judgement::Restore,
            history.taken_back(),
            history.taken_back(),
        ),
    };
    let Some(named) = named else {
        return Err(match step {
            Step::Undo => StoreError::NothingToUndo(judged.label.clone()),
            Step::Redo => StoreError::NothingToRedo(judged.label.clone()),
        });
    };
    if batch.is_some() && named.batch != batch {
        return Err(StoreError::SaidSince(judged.label.clone()));
    }
    let verdict = Verdict {
        verdict: 0,
        label: judged.label.clone(),
        judgement,
        cause: None,
        correction: None,
        reviewer: asked.reviewer.clone(),
        at_us: asked.at_us,
        spent_ms: 0,
        replaces: Some(named.verdict),
        batch,
    };
    insert(tx, &judged.place, &verdict).await?;
    let state = state_under(standing, judged.unjudged());
    set_state(tx, judged, state, standing).await?;
    reconsider(tx, &judged.place, asked.at_us).await
}

pub(crate) async fn insert(
    tx: &mut Connection,
    place: &RowKey,
    verdict: &Verdict,
) -> Result<i64, StoreError> {
    Ok(query(
        "INSERT INTO verdicts (rig, boot, seq, n, judgement, cause, correction, reviewer, at_us, spent_ms, replaces,
            batch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING verdict",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .bind(verdict.judgement.name())
    .bind(verdict.cause.as_deref())
    .bind(correction_text(verdict.correction.as_deref()))
    .bind(verdict.reviewer.as_str())
    .bind(verdict.at_us)
    .bind(i64::try_from(verdict.spent_ms).unwrap_or(i64::MAX))
    .bind(verdict.replaces)
    .bind(verdict.batch)
    .fetch_one(tx)
    .await
    .map_err(StoreError::database("record a verdict"))?
    .get(0))
}

/// What verdicts derive: state, the verdict that stands, its correction, and what others were seen under.
pub(crate) async fn set_state(
    tx: &mut Connection,
    judged: &Judged,
    state: ReviewState,
    standing: Option<&Verdict>,
) -> Result<(), StoreError> {
    let correction = standing.and_then(|verdict| verdict.correction.as_deref());
    query(
        "UPDATE labels SET state = $5, standing = $6, correction = $7
         WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    )
    .bind(&judged.place.rig)
    .bind(judged.place.boot)
    .bind(judged.place.seq)
    .bind(judged.place.n)
    .bind(state.name())
    .bind(standing.map(|verdict| verdict.verdict))
    .bind(correction_text(correction))
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("record a verdict"))?;
    let group = Group {
        clip: &judged.clip,
        kind: judged.kind.name(),
        state: judged.state.name(),
        model: judged.model,
        conditions: judged.conditions,
    };
    if state != judged.state {
        counts::add(tx, &group, -1).await?;
        let now = Group {
            state: state.name(),
            ..group
        };
        counts::add(tx, &now, 1).await?;
    }
    if condition::is_condition(judged.kind) {
        let mut touched = judged.frames;
        for frames in [judged.correction.as_ref(), correction]
            .into_iter()
            .filter_map(|right| right?.frames)
        {
            touched = FrameRange::new(touched.start.min(frames.start), touched.end.max(frames.end));
        }
        condition::refresh(tx, &judged.clip, Touched::Frames(touched)).await?;
    }
    Ok(())
}
