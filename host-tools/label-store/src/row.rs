//! From rows to types.

use crate::condition::Condition;
use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::key::{LabelKey, RowKey, row_key};
use crate::label::{
    ClipId, LabelDetail, ReviewState, StoredClip, StoredDecision, StoredLabel, StoredModel,
};
use crate::{LabelStore, StoreError};
use ::quality::DeskKind;
use label_core::id::Name;
use label_core::wire::parse_name;
use label_core::{AbstainReason, BootId, CaptureTime, FrameRange};
use serde::de::DeserializeOwned;

/// Columns that [`label_from_row`] reads, from `labels l LEFT JOIN models m`.
pub(crate) const LABEL_COLUMNS: &str = "l.rig, l.boot, l.seq, l.n, l.clip, l.kind, l.track, l.start_frame,
    l.end_frame, l.start_pts_us, l.end_pts_us, l.decision, l.reason, l.confidence, l.raw, l.value, l.signs, l.driver, l.state,
    l.standing, l.correction, l.conditions, l.gain,
    CASE WHEN l.seq < 0 THEN
        (SELECT v.reviewer FROM verdicts v WHERE v.rig = l.rig AND v.boot = l.boot AND v.seq = l.seq AND v.n = l.n
          ORDER BY v.verdict LIMIT 1) END AS made_by,
    m.name AS model_name, m.version AS model_version, m.sha256 AS model_sha256";

pub(crate) const CLIP_COLUMNS: &str =
    "rig, boot, clip, name, width, height, nominal_fps, utc_us, frames, damage";

pub(crate) fn name_column(row: &Row, column: &'static str) -> Result<Name, StoreError> {
    let text: &str = row.get(column);
    parse_name(text).map_err(|_| StoreError::unreadable(column, text))
}

pub(crate) fn boot_column(row: &Row, column: &'static str) -> Result<BootId, StoreError> {
    let raw: i64 = row.get(column);
    BootId::from_raw(raw as u64).ok_or_else(|| StoreError::unreadable(column, &raw.to_string()))
}

/// Words of fixed spelling are stored as on the wire, without the quotation marks.
pub(crate) fn word<T: DeserializeOwned>(text: &str, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| StoreError::unreadable(column, text))
}

pub(crate) fn label_from_row(row: &Row) -> Result<StoredLabel, StoreError> {
    let rig = name_column(row, "rig")?;
    let boot = boot_column(row, "boot")?;
    let kind: &str = row.get("kind");
    let reason: Option<&str> = row.get("reason");
    let value: Option<&str> = row.get("value");
    let signs: Option<&str> = row.get("signs");
    let state: Option<&str> = row.get("state");
    let correction: Option<&str> = row.get("correction");
    let model_name: Option<String> = row.get("model_name");
    Ok(StoredLabel {
        id: RowKey::of(row).label_key()?,
        clip: ClipId {
            rig,
            boot,
            clip: row.get::<i64, _>("clip") as u32,
        },
        kind: DeskKind::from_name(kind).ok_or_else(|| StoreError::unreadable("kind", kind))?,
        track: row.get::<Option<i64>, _>("track").map(|track| track as u16),
        frames: FrameRange::new(
            row.get::<i64, _>("start_frame") as u32,
            row.get::<i64, _>("end_frame") as u32,
        ),
        pts_us: (
            CaptureTime(row.get("start_pts_us")),
            CaptureTime(row.get("end_pts_us")),
        ),
        decision: word::<StoredDecision>(row.get("decision"), "decision")?,
        reason: reason
            .map(|text| word::<AbstainReason>(text, "reason"))
            .transpose()?,
        confidence: row
            .get::<Option<f64>, _>("confidence")
            .map(|value| value as f32),
        raw: row.get::<Option<f64>, _>("raw").map(|value| value as f32),
        model: model_name.map(|name| StoredModel {
            name,
            version: row.get("model_version"),
            sha256: row.get("model_sha256"),
        }),
        value: value
            .map(|text| {
                serde_json::from_str(text).map_err(|_| StoreError::unreadable("value", text))
            })
            .transpose()?,
        signs: signs
            .map(|text| {
                serde_json::from_str(text).map_err(|_| StoreError::unreadable("signs", text))
            })
            .transpose()?,
        driver: row.get("driver"),
        correction: correction
            .map(|text| {
                serde_json::from_str(text).map_err(|_| StoreError::unreadable("correction", text))
            })
            .transpose()?,
        conditions: Condition::of_bits(row.get("conditions")),
        gain: row.get("gain"),
        standing: row.get("standing"),
        made_by: row.get("made_by"),
        state: state
            .map(|text| {
                ReviewState::from_name(text).ok_or_else(|| StoreError::unreadable("state", text))
            })
            .transpose()?,
    })
}

pub(crate) fn clip_from_row(row: &Row) -> Result<StoredClip, StoreError> {
    let number = |column| row.get::<Option<i64>, _>(column).map(|value| value as u32);
    Ok(StoredClip {
        id: ClipId {
            rig: name_column(row, "rig")?,
            boot: boot_column(row, "boot")?,
            clip: row.get::<i64, _>("clip") as u32,
        },
        name: row.get("name"),
        width: number("width"),
        height: number("height"),
        nominal_fps: row
            .get::<Option<f64>, _>("nominal_fps")
            .map(|value| value as f32),
        utc_us: row.get("utc_us"),
        frames: number("frames"),
        damage: row.get("damage"),
    })
}

pub(crate) async fn clip_columns(
    connection: &mut Connection,
    clip: &ClipId,
) -> Result<StoredClip, StoreError> {
    let sql =
        format!("SELECT {CLIP_COLUMNS} FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3");
    let row = query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_one(connection)
        .await
        .map_err(StoreError::database("read a clip"))?;
    clip_from_row(&row)
}

impl LabelStore {
    /// A label with its clip and verdicts; `None` where there is none of this identity.
    pub async fn label(&self, key: &LabelKey) -> Result<Option<LabelDetail>, StoreError> {
        let mut connection = self.read("read a label").await?;
        let Some(place) = row_key(&mut connection, key).await? else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT {LABEL_COLUMNS},
                (SELECT count(*) FROM evidence e
                  WHERE e.rig = l.rig AND e.boot = l.boot AND e.label_seq = l.seq AND e.label_n = l.n) AS evidence
             FROM labels l LEFT JOIN models m ON m.model = l.model
             WHERE l.rig = $1 AND l.boot = $2 AND l.seq = $3 AND l.n = $4"
        );
        let Some(row) = query(AssertSqlSafe(sql))
            .bind(&place.rig)
            .bind(place.boot)
            .bind(place.seq)
            .bind(place.n)
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database("read a label"))?
        else {
            return Ok(None);
        };
        let mut label = label_from_row(&row)?;
        crate::track_edits::apply(&mut connection, std::iter::once(&mut label)).await?;
        let clip = clip_columns(&mut connection, &label.clip).await?;
        Ok(Some(LabelDetail {
            clip,
            verdicts: crate::history::verdicts_in(&mut connection, &place).await?,
            evidence: row.get::<i64, _>("evidence") as u32,
            label,
        }))
    }
}
