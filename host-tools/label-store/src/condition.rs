//! What a label was seen under: glasses, shadow, a covered face, a change of light.
//!
//! A label is seen under the flags that overlap it in its clip, as offered or as corrected, but not rejected ones; flags
//! of a person count for that person's track as the rig numbered it, those of the scene for every label. Derived where
//! labels are stored and where a flag is judged, in the same transaction, since flags come later than what they hold for.

use crate::counts::{self, Group};
use crate::database::{AssertSqlSafe, Connection, Query, Row, query};
use crate::key::RowKey;
use crate::verdict::Correction;
use crate::{ClipId, StoreError};
use ::quality::{DeskKind, DeskValue};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind};

/// One way in which labels differ in what they were seen under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Clear or dark glasses.
    Glasses,
    /// No glasses.
    BareEyes,
    /// A shadow on the face.
    Shadow,
    /// None.
    NoShadow,
    /// Something covers the face.
    Occluded,
    /// Nothing does.
    Uncovered,
    /// The light changes.
    LightChange,
    /// It does not.
    SteadyLight,
}

impl Condition {
    /// Every condition, in the order of its bits.
    pub const ALL: [Self; 8] = [
        Self::Glasses,
        Self::BareEyes,
        Self::Shadow,
        Self::NoShadow,
        Self::Occluded,
        Self::Uncovered,
        Self::LightChange,
        Self::SteadyLight,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Glasses => "glasses",
            Self::BareEyes => "bare-eyes",
            Self::Shadow => "shadow",
            Self::NoShadow => "no-shadow",
            Self::Occluded => "occluded",
            Self::Uncovered => "uncovered",
            Self::LightChange => "light-change",
            Self::SteadyLight => "steady-light",
        }
    }

    /// The condition of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|condition| condition.name() == name)
    }

    pub(crate) const fn bit(self) -> i64 {
        1 << self as u32
    }

    pub(crate) fn of_bits(bits: i64) -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|condition| bits & condition.bit() != 0)
            .collect()
    }

    const fn told_by(kind: LabelKind, flag: bool) -> Option<Self> {
        Some(match (kind, flag) {
            (LabelKind::WearingGlasses, true) => Self::Glasses,
            (LabelKind::WearingGlasses, false) => Self::BareEyes,
            (LabelKind::InShadow, true) => Self::Shadow,
            (LabelKind::InShadow, false) => Self::NoShadow,
            (LabelKind::FaceOccluded, true) => Self::Occluded,
            (LabelKind::FaceOccluded, false) => Self::Uncovered,
            (LabelKind::LightChange, true) => Self::LightChange,
            (LabelKind::LightChange, false) => Self::SteadyLight,
            _ => return None,
        })
    }
}

/// Whether labels of this kind are conditions of others.
pub(crate) const fn is_condition(kind: DeskKind) -> bool {
    matches!(kind, DeskKind::Offered(kind) if Condition::told_by(kind, true).is_some())
}

/// Longest label in frames that is looked for by its first frame; a longer one holds for others up to here. Rigs cut
/// tracks at 128 frames and states at 30 s.
const MAX_FRAMES: u32 = 16_384;

/// What a change of labels may have touched.
pub(crate) enum Touched {
    /// The labels of this message.
    Message(i64),
    /// Every label that overlaps these frames.
    Frames(FrameRange),
}

struct Flag {
    bit: i64,
    track: Option<i64>,
    frames: FrameRange,
}

const LIVE: &str = "'blind', 'waiting', 'accepted', 'corrected', 'rejected', 'created'";

/// Looks anew what labels of a clip are seen under.
pub(crate) async fn refresh(
    tx: &mut Connection,
    clip: &ClipId,
    touched: Touched,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("look at what labels are seen under");
    let rows = match touched {
        Touched::Message(seq) => query(
            "SELECT rig, boot, seq, n, kind, track, start_frame, end_frame, state, model, conditions
             FROM labels WHERE rig = $1 AND boot = $2 AND seq = $3 AND state IS NOT NULL",
        )
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(seq)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed())?,
        Touched::Frames(frames) => {
            let kinds = DeskKind::ALL.map(|kind| format!("'{}'", kind.name())).join(", ");
            let sql = format!(
                "SELECT rig, boot, seq, n, kind, track, start_frame, end_frame, state, model, conditions
                 FROM labels WHERE rig = $1 AND boot = $2 AND clip = $3 AND kind IN ({kinds}) AND state IN ({LIVE})
                   AND start_frame BETWEEN $4 AND $5 AND end_frame >= $6"
            );
            overlapping(sql, clip, frames).fetch_all(&mut *tx).await.map_err(failed())?
        }
    };
    let hull = rows
        .iter()
        .map(frames_of)
        .reduce(|a, b| FrameRange::new(a.start.min(b.start), a.end.max(b.end)));
    let Some(hull) = hull else {
        return Ok(());
    };
    let flags = flags(tx, clip, hull).await?;
    for row in &rows {
        let (frames, track) = (frames_of(row), row.get::<Option<i64>, _>("track"));
        let bits = flags
            .iter()
            .filter(|flag| flag.track.is_none() || flag.track == track)
            .filter(|flag| flag.frames.overlap(frames) > 0)
            .fold(0, |bits, flag| bits | flag.bit);
        let before: i64 = row.get("conditions");
        if bits == before {
            continue;
        }
        let key = RowKey::of(row);
        query(
            "UPDATE labels SET conditions = $5 WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4",
        )
        .bind(&key.rig)
        .bind(key.boot)
        .bind(key.seq)
        .bind(key.n)
        .bind(bits)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        let group = Group {
            clip,
            kind: row.get("kind"),
            state: row.get("state"),
            model: match row.get::<Option<i64>, _>("model") {
                _ if key.seq < 0 => counts::MADE,
                model => model.unwrap_or(0),
            },
            conditions: before,
        };
        counts::see_anew(tx, &group, bits).await?;
    }
    Ok(())
}

async fn flags(
    tx: &mut Connection,
    clip: &ClipId,
    frames: FrameRange,
) -> Result<Vec<Flag>, StoreError> {
    let sql = "SELECT kind, track, start_frame, end_frame, value, correction FROM labels
         WHERE rig = $1 AND boot = $2 AND clip = $3
           AND kind IN ('wearing-glasses', 'in-shadow', 'face-occluded', 'light-change')
           AND state IN ('waiting', 'accepted', 'corrected', 'created')
           AND start_frame BETWEEN $4 AND $5 AND end_frame >= $6";
    let rows = overlapping(sql.to_owned(), clip, frames)
        .fetch_all(tx)
        .await
        .map_err(StoreError::database("look at what labels are seen under"))?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let correction = row
                .get::<Option<&str>, _>("correction")
                .and_then(|text| serde_json::from_str::<Correction>(text).ok());
            let value = match correction.as_ref().and_then(|right| right.value.clone()) {
                Some(value) => Some(value),
                None => row
                    .get::<Option<&str>, _>("value")
                    .and_then(|text| serde_json::from_str(text).ok()),
            };
            let Some(DeskValue::Offered(LabelValue::Flag(flag))) = value else {
                return None;
            };
            Some(Flag {
                bit: Condition::told_by(LabelKind::from_name(row.get("kind"))?, flag)?.bit(),
                track: row.get("track"),
                frames: correction
                    .and_then(|right| right.frames)
                    .unwrap_or_else(|| frames_of(row)),
            })
        })
        .collect())
}

/// Binds a clip and the bounds of a search by first frame.
fn overlapping(sql: String, clip: &ClipId, frames: FrameRange) -> Query {
    query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .bind(i64::from(frames.start.saturating_sub(MAX_FRAMES)))
        .bind(i64::from(frames.end))
        .bind(i64::from(frames.start))
}

fn frames_of(row: &Row) -> FrameRange {
    FrameRange::new(
        row.get::<i64, _>("start_frame") as u32,
        row.get::<i64, _>("end_frame") as u32,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_has_a_bit_and_a_name_of_its_own() {
        let all = Condition::ALL
            .map(Condition::bit)
            .iter()
            .fold(0, |bits, bit| bits | bit);
        assert_eq!(all, 255);
        for condition in Condition::ALL {
            assert_eq!(Condition::from_name(condition.name()), Some(condition));
            assert_eq!(Condition::of_bits(condition.bit()), [condition]);
        }
    }
}
