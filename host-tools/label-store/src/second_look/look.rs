//! What is to be looked at, and by whom.

use super::LookSort;
use super::answer::{StoredAnswer, standing_answer};
use super::reading::against;
use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::key::{LabelKey, RowKey};
use crate::row::{boot_column, clip_columns, name_column};
use crate::{ClipId, LabelStore, StoreError, StoredClip, track_edits};
use ::quality::Reading;
use label_core::{FrameRange, LabelKind, TrackId};

/// Something to be looked at a second time.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Its number.
    pub look: i64,
    /// Why.
    pub sort: LookSort,
    /// The name that the rule was asked of.
    pub item: String,
    /// The rule that drew it; none of [`LookSort::Second`].
    pub rule: Option<i64>,
    /// The clip.
    pub clip: ClipId,
    /// The label looked at; absent where nothing was said at all.
    pub label: Option<LabelKey>,
    /// The kind.
    pub kind: LabelKind,
    /// The person, by the number that is seen; absent for the scene.
    pub track: Option<TrackId>,
    /// The frames that are asked about.
    pub frames: FrameRange,
    /// The verdict that it is held against.
    pub about: Option<i64>,
    /// An answer stands, or none is wanted any more.
    pub done: bool,
}

impl Look {
    /// The name under which it is held by whoever works on it: the label's, so that nobody judges it meanwhile.
    pub fn lease(&self) -> String {
        match &self.label {
            Some(label) => crate::label_key_text(label),
            None => format!("look:{}", self.look),
        }
    }
}

/// A look with its clip and the answer that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct LookDetail {
    /// The look.
    pub look: Look,
    /// Its clip.
    pub clip: StoredClip,
    /// The answer that stands.
    pub answer: Option<StoredAnswer>,
    /// What the answer is held against: nobody is to see it who has not answered.
    pub against: Option<Reading>,
}

impl LookDetail {
    /// Whether the answer says the same; `None` where there is nothing to hold it against, or one of the two cannot tell.
    pub fn agrees(&self) -> Option<bool> {
        self.against
            .as_ref()?
            .agrees(&self.answer.as_ref()?.reading)
    }
}

pub(super) const COLUMNS: &str = "l.look, l.sort, l.item, l.rule, l.rig, l.boot, l.clip, l.seq, l.n, l.kind, l.track, l.start_frame, l.end_frame,
    l.about, l.done";

pub(super) fn from_row(row: &Row) -> Result<Look, StoreError> {
    let (sort, kind): (&str, &str) = (row.get("sort"), row.get("kind"));
    let seq: Option<i64> = row.get("seq");
    Ok(Look {
        look: row.get("look"),
        sort: LookSort::from_name(sort)
            .ok_or_else(|| StoreError::unreadable("looks.sort", sort))?,
        item: row.get("item"),
        rule: row.get("rule"),
        clip: ClipId {
            rig: name_column(row, "rig")?,
            boot: boot_column(row, "boot")?,
            clip: row.get::<i64, _>("clip") as u32,
        },
        label: seq.map(|_| RowKey::of(row).label_key()).transpose()?,
        kind: LabelKind::from_name(kind).ok_or_else(|| StoreError::unreadable("kind", kind))?,
        track: row.get::<Option<i64>, _>("track").map(|track| track as u16),
        frames: FrameRange::new(
            row.get::<i64, _>("start_frame") as u32,
            row.get::<i64, _>("end_frame") as u32,
        ),
        about: row.get("about"),
        done: row.get::<i64, _>("done") != 0,
    })
}

/// What may be asked of `$1` at `$2`. Whoever judged a thing is not asked as another, and silence is shown only where there is a
/// picture of it.
const DUE: &str = "l.done = 0 AND l.due_us <= $2 AND (l.asked_of IS NULL OR l.asked_of = $1)
    AND (l.sort NOT IN ('other', 'second') OR NOT (
        EXISTS (SELECT 1 FROM verdicts v WHERE v.rig = l.rig AND v.boot = l.boot AND v.seq = l.seq AND v.n = l.n
            AND v.reviewer = $1)
        OR EXISTS (SELECT 1 FROM looks m JOIN answers a ON a.look = m.look
            WHERE m.rig = l.rig AND m.boot = l.boot AND m.seq = l.seq AND m.n = l.n AND a.reviewer = $1)))
    AND (l.sort <> 'silence' OR EXISTS (SELECT 1 FROM pictures p
        WHERE p.rig = l.rig AND p.boot = l.boot AND p.clip = l.clip AND p.frame BETWEEN l.start_frame AND l.end_frame))
    AND NOT EXISTS (SELECT 1 FROM leases h WHERE h.holder <> $1 AND h.until_us > $2
        AND h.item = CASE WHEN l.seq IS NULL THEN 'look:' || l.look
            ELSE l.rig || ':' || l.boot || ':' || l.seq || ':' || l.n END)";

/// The look of this number.
pub(super) async fn find(connection: &mut Connection, number: i64) -> Result<Look, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM looks l WHERE l.look = $1");
    let row = query(AssertSqlSafe(sql))
        .bind(number)
        .fetch_optional(&mut *connection)
        .await
        .map_err(StoreError::database("read a second look"))?
        .ok_or(StoreError::NoSuchLook(number))?;
    seen(connection, from_row(&row)?).await
}

/// With the track that is seen.
async fn seen(connection: &mut Connection, look: Look) -> Result<Look, StoreError> {
    let Some(track) = look.track else {
        return Ok(look);
    };
    let map = track_edits::track_map(connection, &look.clip).await?;
    Ok(Look {
        track: Some(map.edited(track, look.frames.start)),
        ..look
    })
}

/// Whether this look may be asked of somebody now.
pub(super) async fn is_due(
    connection: &mut Connection,
    number: i64,
    who: &str,
    now_us: i64,
) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM looks l WHERE l.look = $3 AND {DUE}");
    let found = query(AssertSqlSafe(sql))
        .bind(who)
        .bind(now_us)
        .bind(number)
        .fetch_optional(connection)
        .await
        .map_err(StoreError::database("read a second look"))?;
    Ok(found.is_some())
}

impl LabelStore {
    /// How many looks may be asked of somebody now, and the first: disagreements before what was drawn, that in the order of the
    /// draw.
    pub async fn next_look(
        &self,
        who: &str,
        now_us: i64,
    ) -> Result<(u64, Option<Look>), StoreError> {
        const DOING: &str = "look for second looks";
        let mut connection = self.read(DOING).await?;
        let sql = format!("SELECT count(*) FROM looks l WHERE {DUE}");
        let due: i64 = query(AssertSqlSafe(sql))
            .bind(who)
            .bind(now_us)
            .fetch_one(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?
            .get(0);
        let sql = format!("SELECT {COLUMNS} FROM looks l WHERE {DUE} ORDER BY l.place LIMIT 1");
        let row = query(AssertSqlSafe(sql))
            .bind(who)
            .bind(now_us)
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let first = match row {
            Some(row) => Some(seen(&mut connection, from_row(&row)?).await?),
            None => None,
        };
        Ok((due as u64, first))
    }

    /// A look with its clip and the answer that stands.
    pub async fn look(&self, number: i64) -> Result<LookDetail, StoreError> {
        let mut connection = self.read("read a second look").await?;
        let look = find(&mut connection, number).await?;
        let clip = clip_columns(&mut connection, &look.clip).await?;
        let answer = standing_answer(&mut connection, number).await?;
        drop(connection);
        let against = match &look.label {
            Some(label) => self.label(label).await?.and_then(|detail| {
                let found = |number| {
                    let verdicts = &detail.verdicts;
                    verdicts.iter().find(|verdict| verdict.verdict == number)
                };
                against(&look, &detail.label, found)
            }),
            None => None,
        };
        Ok(LookDetail {
            look,
            clip,
            answer,
            against,
        })
    }

    /// What was drawn and what follows from disagreements, the latest first, with the answers that stand.
    pub async fn looks(&self, limit: u32) -> Result<Vec<(Look, Option<StoredAnswer>)>, StoreError> {
        const DOING: &str = "read second looks";
        let mut connection = self.read(DOING).await?;
        let sql = format!("SELECT {COLUMNS} FROM looks l ORDER BY l.look DESC LIMIT $1");
        let rows = query(AssertSqlSafe(sql))
            .bind(i64::from(limit))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?;
        let mut looks = Vec::with_capacity(rows.len());
        for row in &rows {
            let look = seen(&mut connection, from_row(row)?).await?;
            let answer = standing_answer(&mut connection, look.look).await?;
            looks.push((look, answer));
        }
        Ok(looks)
    }
}
