//! Disagreements: where an answer from scratch differs from the verdict that stands, somebody who said nothing of the label yet is
//! asked; if they do not agree with the verdict either, a lead decides. The verdict stands until then.

use super::LookSort;
use super::answer::{StoredAnswer, standing_answer};
use super::look::{self, Look};
use super::reading::reading_under;
use crate::database::{AssertSqlSafe, Connection, query};
use crate::history::{History, verdicts_in};
use crate::key::{RowKey, label_key_text, row_key};
use crate::verdict::Verdict;
use crate::{LabelKey, LabelStore, StoreError, StoredLabel};
use ::quality::Reading;
use label_core::wire::LabelValue;
use serde::{Deserialize, Serialize};

/// Where a disagreement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseState {
    /// A third person is asked.
    Second,
    /// A lead decides.
    Lead,
    /// The third person agreed with the verdict.
    Settled,
    /// A lead decided.
    Decided,
    /// Nobody disagrees any more.
    Void,
}

impl CaseState {
    const ALL: [Self; 5] = [
        Self::Second,
        Self::Lead,
        Self::Settled,
        Self::Decided,
        Self::Void,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Lead => "lead",
            Self::Settled => "settled",
            Self::Decided => "decided",
            Self::Void => "void",
        }
    }
}

/// Whose word a lead takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The verdict that stands.
    Verdict,
    /// The answer that differs from it.
    Dissent,
    /// The third person's.
    Second,
    /// Nobody can tell.
    CannotTell,
}

impl Choice {
    const ALL: [Self; 4] = [Self::Verdict, Self::Dissent, Self::Second, Self::CannotTell];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Dissent => "dissent",
            Self::Second => "second",
            Self::CannotTell => "cannot-tell",
        }
    }
}

/// What one of them said.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Which.
    pub choice: Choice,
    /// What.
    pub reading: Reading,
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
}

/// What a lead decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Its number.
    pub decision: i64,
    /// Whose word was taken.
    pub choice: Choice,
    /// Who decided.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
    /// The verdict that stood before.
    pub stood: Option<i64>,
    /// The verdict that the decision gave; absent where that one stands on.
    pub made: Option<i64>,
}

/// A disagreement.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The label.
    pub label: StoredLabel,
    /// Where it stands.
    pub state: CaseState,
    /// A lead may decide: also where nobody is left who could be asked.
    pub decidable: bool,
    /// Who said what, in an order that tells nothing.
    pub sides: Vec<Side>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// Since when.
    pub opened_us: i64,
}

/// Cases told at once.
const CASES_TOLD: i64 = 200;

/// What is known of a label on which people may disagree.
struct Matter {
    standing: Option<(Verdict, Reading)>,
    /// The first answer that differs from the verdict.
    dissent: Option<(Look, StoredAnswer)>,
    second: Option<StoredAnswer>,
}

async fn looks_of(tx: &mut Connection, place: &RowKey) -> Result<Vec<Look>, StoreError> {
    let sql = format!(
        "SELECT {} FROM looks l WHERE l.rig = $1 AND l.boot = $2 AND l.seq = $3 AND l.n = $4 AND l.sort <> 'silence'
         ORDER BY l.look",
        look::COLUMNS
    );
    query(AssertSqlSafe(sql))
        .bind(&place.rig)
        .bind(place.boot)
        .bind(place.seq)
        .bind(place.n)
        .fetch_all(tx)
        .await
        .map_err(StoreError::database("read second looks"))?
        .iter()
        .map(look::from_row)
        .collect()
}

/// Frames and value as the rig told them.
pub(super) async fn offered(
    tx: &mut Connection,
    place: &RowKey,
) -> Result<(label_core::FrameRange, Option<LabelValue>), StoreError> {
    let row = query(
        "SELECT start_frame, end_frame, value FROM labels WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .fetch_one(tx)
    .await
    .map_err(StoreError::database("look up a label"))?;
    let text: Option<&str> = row.get("value");
    let value = text
        .map(|text| serde_json::from_str(text).map_err(|_| StoreError::unreadable("value", text)))
        .transpose()?;
    let frame = |column| row.get::<i64, _>(column) as u32;
    Ok((
        label_core::FrameRange::new(frame("start_frame"), frame("end_frame")),
        value,
    ))
}

async fn matter(
    tx: &mut Connection,
    place: &RowKey,
    looks: &[Look],
    decided: Option<&Decision>,
) -> Result<Matter, StoreError> {
    let (frames, value) = offered(tx, place).await?;
    let all = verdicts_in(tx, place).await?;
    // Of what was decided, that which stood before: that is what they disagreed on.
    let stood = match decided {
        Some(decision) => all
            .iter()
            .find(|verdict| Some(verdict.verdict) == decision.stood),
        None => History::of(&all).standing(),
    };
    let standing = stood.map(|verdict| {
        (
            verdict.clone(),
            reading_under(frames, value.as_ref(), verdict),
        )
    });
    let (mut dissent, mut second) = (None, None);
    for look in looks {
        let Some(answer) = standing_answer(tx, look.look).await? else {
            continue;
        };
        if look.sort == LookSort::Second {
            second = Some(answer);
        } else if dissent.is_none()
            && let Some((_, reading)) = &standing
            && reading.agrees(&answer.reading) == Some(false)
        {
            dissent = Some((look.clone(), answer));
        }
    }
    Ok(Matter {
        standing,
        dissent,
        second,
    })
}

/// Looks anew where a label stands, after a verdict, an answer or a decision, given or taken back.
pub(crate) async fn reconsider(
    tx: &mut Connection,
    place: &RowKey,
    at_us: i64,
) -> Result<(), StoreError> {
    let looks = looks_of(tx, place).await?;
    if looks.is_empty() {
        return Ok(());
    }
    // Few labels have looks, and what is weighed is large: it stays off the stack of every verdict.
    Box::pin(weigh(tx, place, &looks, at_us)).await
}

async fn weigh(
    tx: &mut Connection,
    place: &RowKey,
    looks: &[Look],
    at_us: i64,
) -> Result<(), StoreError> {
    follow_verdicts(tx, place, looks).await?;
    if standing_decision(tx, place).await?.is_some() {
        return set_state(tx, place, CaseState::Decided, at_us).await;
    }
    let matter = matter(tx, place, looks, None).await?;
    let (Some((_, stands)), Some((look, answer))) = (&matter.standing, &matter.dissent) else {
        withdraw_second(tx, place).await?;
        return set_state(tx, place, CaseState::Void, at_us).await;
    };
    let state = match &matter.second {
        None => CaseState::Second,
        Some(second) if stands.agrees(&second.reading) == Some(true) => CaseState::Settled,
        Some(_) => CaseState::Lead,
    };
    query(
        "INSERT INTO cases (rig, boot, seq, n, state, dissent, opened_us, changed_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT (rig, boot, seq, n) DO UPDATE SET state = excluded.state, dissent = excluded.dissent,
            changed_us = excluded.changed_us",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .bind(state.name())
    .bind(look.look)
    .bind(at_us)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("note a disagreement"))?;
    if state == CaseState::Second {
        ask_second(tx, place, look, &answer.reading, at_us).await?;
    }
    Ok(())
}

/// A look that is held against a verdict is not wanted while that verdict is taken back.
async fn follow_verdicts(
    tx: &mut Connection,
    place: &RowKey,
    looks: &[Look],
) -> Result<(), StoreError> {
    let held: Vec<&Look> = looks.iter().filter(|look| look.about.is_some()).collect();
    if held.is_empty() {
        return Ok(());
    }
    let all = verdicts_in(tx, place).await?;
    let history = History::of(&all);
    for look in held {
        let holds = look.about.is_some_and(|about| history.holds(about));
        query(
            "UPDATE looks SET done = $2 WHERE look = $1
               AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.look = looks.look)",
        )
        .bind(look.look)
        .bind(i64::from(!holds))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("note a disagreement"))?;
    }
    Ok(())
}

async fn set_state(
    tx: &mut Connection,
    place: &RowKey,
    state: CaseState,
    at_us: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE cases SET state = $5, changed_us = $6 WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4 AND state <> $5",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .bind(state.name())
    .bind(at_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("note a disagreement"))?;
    Ok(())
}

/// Before everything that was drawn: such numbers no digest gives.
const FIRST_PLACE: i64 = i64::MIN / 2;

async fn ask_second(
    tx: &mut Connection,
    place: &RowKey,
    dissent: &Look,
    reading: &Reading,
    at_us: i64,
) -> Result<(), StoreError> {
    // A box or point is asked for in the same frame, so that the two can be held against each other.
    let frames = match reading {
        Reading::Here(frames, LabelValue::Boxes(_) | LabelValue::Points(_)) => *frames,
        _ => dissent.frames,
    };
    let item = label_key_text(&place.label_key()?);
    query(
        "INSERT INTO looks (sort, item, place, rig, boot, clip, seq, n, kind, track, start_frame, end_frame, due_us)
         SELECT 'second', $2, $3, rig, boot, clip, seq, n, kind, track, $4, $5, $6 FROM looks WHERE look = $1
         ON CONFLICT (sort, item) DO UPDATE SET start_frame = excluded.start_frame, end_frame = excluded.end_frame, done = 0",
    )
    .bind(dissent.look)
    .bind(item)
    .bind(FIRST_PLACE + at_us)
    .bind(i64::from(frames.start))
    .bind(i64::from(frames.end))
    .bind(at_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("ask for a second opinion"))?;
    Ok(())
}

async fn withdraw_second(tx: &mut Connection, place: &RowKey) -> Result<(), StoreError> {
    query(
        "UPDATE looks SET done = 1 WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4 AND sort = 'second'",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .execute(tx)
    .await
    .map_err(StoreError::database("ask for a second opinion"))?;
    Ok(())
}

pub(super) async fn standing_decision(
    tx: &mut Connection,
    place: &RowKey,
) -> Result<Option<Decision>, StoreError> {
    let row = query(
        "SELECT decision, choice, stood, made, reviewer, at_us FROM decisions
         WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4 ORDER BY decision DESC LIMIT 1",
    )
    .bind(&place.rig)
    .bind(place.boot)
    .bind(place.seq)
    .bind(place.n)
    .fetch_optional(tx)
    .await
    .map_err(StoreError::database("read a decision"))?;
    Ok(row.and_then(|row| {
        let choice: &str = row.get("choice");
        Some(Decision {
            decision: row.get("decision"),
            choice: Choice::ALL.into_iter().find(|of| of.name() == choice)?,
            reviewer: row.get("reviewer"),
            at_us: row.get("at_us"),
            stood: row.get("stood"),
            made: row.get("made"),
        })
    }))
}

/// An error where a lead decided over a label: what was said at once is not taken back at once then.
pub(crate) async fn not_decided(tx: &mut Connection, label: &LabelKey) -> Result<(), StoreError> {
    let Some(place) = row_key(tx, label).await? else {
        return Ok(());
    };
    match standing_decision(tx, &place).await? {
        Some(_) => Err(StoreError::Decided(label.clone())),
        None => Ok(()),
    }
}

/// Whether a lead may decide. Where nobody is left to be asked, a lead need not wait for them.
pub(super) const DECIDABLE: &str = "(c.state = 'lead' OR (c.state = 'second' AND NOT EXISTS (
    SELECT 1 FROM users u WHERE u.locked = 0
        AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.rig = c.rig AND v.boot = c.boot AND v.seq = c.seq AND v.n = c.n
            AND v.reviewer = u.name)
        AND NOT EXISTS (SELECT 1 FROM looks m JOIN answers a ON a.look = m.look
            WHERE m.rig = c.rig AND m.boot = c.boot AND m.seq = c.seq AND m.n = c.n AND a.reviewer = u.name))))";

pub(super) async fn sides(tx: &mut Connection, place: &RowKey) -> Result<Vec<Side>, StoreError> {
    let looks = looks_of(tx, place).await?;
    let decided = standing_decision(tx, place).await?;
    let matter = matter(tx, place, &looks, decided.as_ref()).await?;
    let of = |choice, answer: StoredAnswer| Side {
        choice,
        reading: answer.reading,
        reviewer: answer.reviewer,
        at_us: answer.at_us,
    };
    let verdict = matter.standing.map(|(verdict, reading)| Side {
        choice: Choice::Verdict,
        reading,
        reviewer: verdict.reviewer,
        at_us: verdict.at_us,
    });
    let dissent = matter
        .dissent
        .map(|(_, answer)| of(Choice::Dissent, answer));
    let second = matter.second.map(|answer| of(Choice::Second, answer));
    let mut sides: Vec<Side> = verdict.into_iter().chain(dissent).chain(second).collect();
    let item = label_key_text(&place.label_key()?);
    sides.sort_by_key(|side| {
        super::rule::digest_of(
            0,
            LookSort::Second,
            &format!("{item}:{}", side.choice.name()),
        )
    });
    Ok(sides)
}

impl LabelStore {
    /// Disagreements that are open or were decided, the open ones first.
    pub async fn cases(&self) -> Result<Vec<Case>, StoreError> {
        const DOING: &str = "read disagreements";
        let mut connection = self.read(DOING).await?;
        let sql = format!(
            "SELECT c.rig, c.boot, c.seq, c.n, c.state, c.opened_us, ({DECIDABLE}) AS decidable
             FROM cases c WHERE c.state IN ('second', 'lead', 'decided')
             ORDER BY CASE c.state WHEN 'lead' THEN 0 WHEN 'second' THEN 1 ELSE 2 END, c.opened_us LIMIT $1"
        );
        let rows = query(AssertSqlSafe(sql))
            .bind(CASES_TOLD)
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let mut cases = Vec::with_capacity(rows.len());
        for row in &rows {
            let place = RowKey::of(row);
            let state: &str = row.get("state");
            let decision = standing_decision(&mut connection, &place).await?;
            let sides = Box::pin(sides(&mut connection, &place)).await?;
            let Some(detail) = self.label(&place.label_key()?).await? else {
                continue;
            };
            cases.push(Case {
                label: detail.label,
                state: CaseState::ALL
                    .into_iter()
                    .find(|of| of.name() == state)
                    .ok_or_else(|| StoreError::unreadable("cases.state", state))?,
                decidable: row.get("decidable"),
                sides,
                decision,
                opened_us: row.get("opened_us"),
            });
        }
        Ok(cases)
    }
}
