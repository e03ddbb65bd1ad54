//! Answers from scratch: given once a look, taken back, and what follows from them.

use super::case::reconsider;
use super::look::{find, is_due};
use super::{Look, LookSort};
use crate::correction::Bounds;
use crate::database::{Connection, Row, query};
use crate::judge::{self, Judged};
use crate::label::ReviewState;
use crate::make::{NewLabel, make_in};
use crate::request_key::{self, Taken};
use crate::verdict::{Asked, Correction};
use crate::{ClipId, LabelKey, LabelStore, Step, StoreError};
use ::quality::{DeskValue, Reading};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind, TrackId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What somebody says of frames that they are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// This is there.
    Here,
    /// There is nothing of the kind. Not of yes, no and levels, which are always something.
    Nothing,
    /// The pictures do not show enough.
    CannotTell,
}

impl Said {
    const fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Nothing => "nothing",
            Self::CannotTell => "cannot-tell",
        }
    }
}

/// An answer to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAnswer {
    /// What is said.
    pub said: Said,
    /// Where and what, of [`Said::Here`]: of an event its frames, of a box or point a keyframe for each frame marked.
    pub reading: Option<Correction>,
    /// How long the item was in front of the reviewer.
    pub spent_ms: u64,
}

/// A recorded answer.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// Its number.
    pub answer: i64,
    /// What it says.
    pub reading: Reading,
    /// What it says in a word.
    pub said: Said,
    /// The label that it made: of silence that was none.
    pub made: Option<LabelKey>,
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
}

/// The answer that stands, if one does.
pub(super) async fn standing_answer(
    connection: &mut Connection,
    look: i64,
) -> Result<Option<StoredAnswer>, StoreError> {
    let row = query(
        "SELECT answer, said, reading, made, reviewer, at_us FROM answers WHERE look = $1 ORDER BY answer DESC LIMIT 1",
    )
    .bind(look)
    .fetch_optional(connection)
    .await
    .map_err(StoreError::database("read an answer"))?;
    match row {
        Some(row) => from_row(&row),
        None => Ok(None),
    }
}

/// The answers that stand to the looks of a clip, by look.
pub(super) async fn standing_answers(
    connection: &mut Connection,
    clip: &ClipId,
) -> Result<HashMap<i64, StoredAnswer>, StoreError> {
    let rows = query(
        "SELECT a.look, a.answer, a.said, a.reading, a.made, a.reviewer, a.at_us FROM looks l JOIN answers a ON a.look = l.look
         WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3
           AND a.answer = (SELECT max(b.answer) FROM answers b WHERE b.look = l.look)",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("read answers"))?;
    let mut standing = HashMap::with_capacity(rows.len());
    for row in &rows {
        if let Some(answer) = from_row(row)? {
            standing.insert(row.get("look"), answer);
        }
    }
    Ok(standing)
}

/// The last that was said to a look; `None` where that took back what was said before.
fn from_row(row: &Row) -> Result<Option<StoredAnswer>, StoreError> {
    let (said, text): (&str, Option<&str>) = (row.get("said"), row.get("reading"));
    let (said, reading) = match (said, text) {
        ("withdraw", _) => return Ok(None),
        ("nothing", _) => (Said::Nothing, Reading::Nothing),
        ("cannot-tell", _) => (Said::CannotTell, Reading::CannotTell),
        (_, text) => {
            let text = text.unwrap_or_default();
            let unreadable = || StoreError::unreadable("answers.reading", text);
            let given: Correction = serde_json::from_str(text).map_err(|_| unreadable())?;
            let (Some(frames), Some(DeskValue::Offered(value))) = (given.frames, given.value)
            else {
                return Err(unreadable());
            };
            (Said::Here, Reading::Here(frames, value))
        }
    };
    Ok(Some(StoredAnswer {
        answer: row.get("answer"),
        reading,
        said,
        made: row
            .get::<Option<i64>, _>("made")
            .map(|number| LabelKey::Desk(number as u64)),
        reviewer: row.get("reviewer"),
        at_us: row.get("at_us"),
    }))
}

/// What is always something: nothing cannot be said of it.
pub(super) const fn is_state(kind: LabelKind) -> bool {
    matches!(
        kind,
        LabelKind::WearingGlasses
            | LabelKind::InShadow
            | LabelKind::FaceOccluded
            | LabelKind::LightChange
            | LabelKind::Alertness
            | LabelKind::VideoQuality
    )
}

/// Frames and value of what is said to be there, checked.
fn checked(
    look: &Look,
    clip_frames: Option<u32>,
    new: &NewAnswer,
) -> Result<Option<Correction>, StoreError> {
    let refuse = |why| Err(StoreError::Verdict(why));
    let given = match (new.said, &new.reading) {
        (Said::Here, Some(given)) => given,
        (Said::Here, None) => return refuse("say what is there: frames, value, or both"),
        (_, Some(_)) => return refuse("only what is there has frames and a value"),
        (Said::Nothing, None) if is_state(look.kind) => {
            return refuse("this is always something: say which, or that nobody can tell");
        }
        (_, None) => return Ok(None),
    };
    let Some(value) = &given.value else {
        return refuse("say which value is there");
    };
    let DeskValue::Offered(offered) = value else {
        return refuse("of lines there are no second looks");
    };
    let frames = match offered {
        LabelValue::Event(_) => given.frames,
        LabelValue::Boxes(keys) => hull(keys.iter().map(|key| key.0)),
        LabelValue::Points(keys) => hull(keys.iter().map(|key| key.0)),
        LabelValue::Flag(_) | LabelValue::Level(_) => Some(look.frames),
    };
    let Some(frames) = frames else {
        return refuse("say in which frames it is");
    };
    if frames.overlap(look.frames) == 0 {
        return refuse("these are not the frames that were asked about");
    }
    let reading = Correction {
        frames: Some(frames),
        value: Some(value.clone()),
    };
    let bounds = Bounds {
        kind: look.kind.into(),
        frames,
        clip_frames,
    };
    bounds.check(&reading)?;
    Ok(Some(reading))
}

fn hull(mut frames: impl Iterator<Item = u32>) -> Option<FrameRange> {
    let first = frames.next()?;
    Some(FrameRange::new(
        first,
        frames.last().unwrap_or(first).max(first),
    ))
}

impl LabelStore {
    /// Records an answer. A blind candidate is from then on one of the queue; of silence that was none a label is made.
    pub async fn answer_look(
        &self,
        number: i64,
        new: &NewAnswer,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record an answer";
        let request = format!("answer {number} {:?} {:?}", new.said, new.reading);
        let mut tx = self.begin_write(DOING).await?;
        if let Taken::Before(_) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(());
        }
        let look = find(&mut tx, number).await?;
        if !is_due(&mut tx, number, &asked.reviewer, asked.at_us).await? {
            return Err(StoreError::NotAsked);
        }
        let clip = crate::row::clip_columns(&mut tx, &look.clip).await?;
        let reading = checked(&look, clip.frames, new)?;
        let made = match (&reading, look.sort) {
            (Some(reading), LookSort::Silence) => {
                Some(make_missed(&mut tx, &look, reading, new.spent_ms, asked).await?)
            }
            _ => None,
        };
        let text = reading
            .as_ref()
            .map(|reading| serde_json::to_string(reading).expect("plain numbers always encode"));
        insert(
            &mut tx,
            number,
            new.said.name(),
            text.as_deref(),
            made,
            new.spent_ms,
            None,
            asked,
        )
        .await?;
        set_done(&mut tx, number, true).await?;
        after(&mut tx, &look, asked).await?;
        tx.commit().await.map_err(StoreError::database(DOING))
    }

    /// Takes back one's own answer. A blind candidate stays seen, and its look without an answer: nobody can answer it blind any
    /// more. The label that an answer made is taken away with it.
    pub async fn undo_answer(&self, number: i64, asked: &Asked) -> Result<(), StoreError> {
        const DOING: &str = "take back an answer";
        let request = format!("undo answer {number}");
        let mut tx = self.begin_write(DOING).await?;
        if let Taken::Before(_) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(());
        }
        let look = find(&mut tx, number).await?;
        let Some(standing) = standing_answer(&mut tx, number).await? else {
            return Err(StoreError::NoAnswer(number));
        };
        if standing.reviewer != asked.reviewer {
            return Err(StoreError::NotAsked);
        }
        if let Some(made) = &standing.made {
            let judged = Judged::find(&mut tx, made).await?;
            if judged.state() != ReviewState::Created {
                return Err(StoreError::SaidSince(made.clone()));
            }
            judge::step_one(&mut tx, &judged, Step::Undo, asked, None).await?;
        }
        insert(
            &mut tx,
            number,
            "withdraw",
            None,
            None,
            0,
            Some(standing.answer),
            asked,
        )
        .await?;
        let again = !matches!(look.sort, LookSort::Blind | LookSort::Own);
        set_done(&mut tx, number, !again).await?;
        after(&mut tx, &look, asked).await?;
        tx.commit().await.map_err(StoreError::database(DOING))
    }
}

/// What follows from an answer, given or taken back.
async fn after(tx: &mut Connection, look: &Look, asked: &Asked) -> Result<(), StoreError> {
    crate::quality::mark_stale(tx, &look.clip.rig, look.clip.boot, look.clip.clip).await?;
    let Some(label) = look
        .label
        .as_ref()
        .filter(|_| look.sort != LookSort::Silence)
    else {
        return Ok(());
    };
    let judged = Judged::find_blind(tx, label).await?;
    if judged.state() == ReviewState::Blind {
        judge::set_state(tx, &judged, ReviewState::Waiting, None).await?;
    }
    reconsider(tx, judged.place(), asked.at_us).await
}

async fn make_missed(
    tx: &mut Connection,
    look: &Look,
    reading: &Correction,
    spent_ms: u64,
    asked: &Asked,
) -> Result<i64, StoreError> {
    let (Some(frames), Some(value)) = (reading.frames, reading.value.clone()) else {
        return Err(StoreError::Verdict("say which value is there"));
    };
    let of_person = look.kind.scope() == label_core::kind::LabelScope::Track;
    let track = match look.track {
        None if of_person => Some(new_track(tx, look).await?),
        track => track,
    };
    let new = NewLabel {
        kind: look.kind.into(),
        track,
        frames,
        value,
        spent_ms,
    };
    // The request is the answer's: it has the key.
    let without_key = Asked {
        key: None,
        ..asked.clone()
    };
    match make_in(tx, &look.clip, &new, &without_key).await? {
        LabelKey::Desk(number) => Ok(number as i64),
        LabelKey::Rig(_) => Err(StoreError::Verdict("a rig did not make this label")),
    }
}

/// A number that no track of the clip has: somebody whom the rig did not see.
async fn new_track(tx: &mut Connection, look: &Look) -> Result<TrackId, StoreError> {
    let clip = &look.clip;
    let last: i64 = query(
        "SELECT coalesce(max(track), 0) FROM (
            SELECT track FROM clip_tracks WHERE rig = $1 AND boot = $2 AND clip = $3
            UNION ALL SELECT into_track FROM track_edits WHERE rig = $1 AND boot = $2 AND clip = $3) AS used",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .fetch_one(tx)
    .await
    .map_err(StoreError::database("look for a free track"))?
    .get(0);
    TrackId::try_from(last + 1)
        .map_err(|_| StoreError::Verdict("there are no more numbers for tracks in this clip"))
}

#[expect(clippy::too_many_arguments, reason = "one a column")]
async fn insert(
    tx: &mut Connection,
    look: i64,
    said: &str,
    reading: Option<&str>,
    made: Option<i64>,
    spent_ms: u64,
    replaces: Option<i64>,
    asked: &Asked,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO answers (look, said, reading, made, reviewer, at_us, spent_ms, replaces)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(look)
    .bind(said)
    .bind(reading)
    .bind(made)
    .bind(&asked.reviewer)
    .bind(asked.at_us)
    .bind(i64::try_from(spent_ms).unwrap_or(i64::MAX))
    .bind(replaces)
    .execute(tx)
    .await
    .map_err(StoreError::database("record an answer"))?;
    Ok(())
}

async fn set_done(tx: &mut Connection, look: i64, done: bool) -> Result<(), StoreError> {
    query("UPDATE looks SET done = $2 WHERE look = $1")
        .bind(look)
        .bind(i64::from(done))
        .execute(tx)
        .await
        .map_err(StoreError::database("record an answer"))?;
    Ok(())
}
