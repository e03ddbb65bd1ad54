//! Labels that a person makes: what the machine missed, and tracks that go on where it lost them.
//!
//! Such a label is a row of `labels` with a number of its own, begun by a verdict `create`. It is corrected and rejected
//! as any other; undo takes back the creation too.

use crate::condition::{self, Touched};
use crate::correction::Bounds;
use crate::counts::{self, Group};
use crate::database::{AssertSqlSafe, Connection, query};
use crate::judge::{self, correction_text};
use crate::key::{LabelKey, RowKey};
use crate::people::tracks_not_held;
use crate::request_key::{self, Taken};
use crate::row::{LABEL_COLUMNS, label_from_row};
use crate::track_edits::{self, require_clip, rig_track};
use crate::verdict::{Asked, Correction, Judgement, Verdict};
use crate::{ClipId, LabelStore, ReviewState, StoreError, StoredLabel};
use ::quality::{DeskKind, DeskValue, LineKey, LineValue};
use label_core::kind::LabelScope;
use label_core::wire::{BoxKeyframe, LabelValue, PointKeyframe};
use label_core::{FrameIndex, FrameRange, TrackId};

/// A label to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLabel {
    /// Its kind.
    pub kind: DeskKind,
    /// The person, by the number that is seen; absent for the scene.
    pub track: Option<TrackId>,
    /// Frames it holds for.
    pub frames: FrameRange,
    /// What holds there.
    pub value: DeskValue,
    /// How long it took.
    pub spent_ms: u64,
}

impl LabelStore {
    /// Makes a label.
    pub async fn make_label(
        &self,
        clip: &ClipId,
        new: &NewLabel,
        asked: &Asked,
    ) -> Result<LabelKey, StoreError> {
        let mut tx = self.begin_write("make a label").await?;
        let made = make_in(&mut tx, clip, new, asked).await?;
        tx.commit()
            .await
            .map_err(StoreError::database("make a label"))?;
        Ok(made)
    }

    /// Makes a label that carries a track's last value of this kind on to this frame, or its first value back to it.
    pub async fn extend_track(
        &self,
        clip: &ClipId,
        (track, kind): (TrackId, impl Into<DeskKind>),
        to: FrameIndex,
        spent_ms: u64,
        asked: &Asked,
    ) -> Result<LabelKey, StoreError> {
        let kind = kind.into();
        let refuse = |why| Err(StoreError::Verdict(why));
        if kind.is_event() || kind.scope() != LabelScope::Track {
            return refuse("blinks, closures and what is said of the scene are made, not extended");
        }
        let request = format!("extend {clip:?} {track} {kind} {to}");
        let mut tx = self.begin_write("extend a track").await?;
        require_clip(&mut tx, clip).await?;
        if let Taken::Before(Some(number)) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(LabelKey::Desk(number as u64));
        }
        let map = track_edits::track_map(&mut tx, clip).await?;
        tracks_not_held(&mut tx, clip, &map, Some(&[track]), asked).await?;
        let on_track: Vec<_> = labels_of(&mut tx, clip, kind)
            .await?
            .into_iter()
            .filter(|label| label.track == Some(track))
            .collect();
        let first = on_track.iter().min_by_key(|label| seen(label).start);
        let last = on_track.iter().max_by_key(|label| seen(label).end);
        let (Some(first), Some(last)) = (first, last) else {
            return refuse("the track has no label of this kind to go on from");
        };
        let (start, end) = (seen(first).start, seen(last).end);
        let (from, frames) = if to > end {
            (last, FrameRange::new(end + 1, to))
        } else if to < start {
            (first, FrameRange::new(to, start - 1))
        } else {
            return refuse("the track reaches this frame already");
        };
        let value = from
            .correction
            .as_ref()
            .and_then(|right| right.value.as_ref())
            .or(from.value.as_ref());
        let Some(value) = value.and_then(|value| held(value, frames, to > end)) else {
            return refuse("the track's nearest label has no value to go on from");
        };
        let new = NewLabel {
            kind,
            track: Some(track),
            frames,
            value,
            spent_ms,
        };
        // The request is the extension's: it has the key.
        let without_key = Asked {
            key: None,
            ..asked.clone()
        };
        let made = make_in(&mut tx, clip, &new, &without_key).await?;
        if let LabelKey::Desk(number) = made {
            request_key::answered(&mut tx, asked, number as i64).await?;
        }
        tx.commit()
            .await
            .map_err(StoreError::database("extend a track"))?;
        Ok(made)
    }
}

/// The frames of a label as they stand.
fn seen(label: &StoredLabel) -> FrameRange {
    label
        .correction
        .as_ref()
        .and_then(|right| right.frames)
        .unwrap_or(label.frames)
}

/// A value that stands still over these frames: the last of another, or its first.
fn held(value: &DeskValue, frames: FrameRange, forth: bool) -> Option<DeskValue> {
    fn end_of<T>(keys: &[T], forth: bool) -> Option<&T> {
        if forth { keys.last() } else { keys.first() }
    }
    let mut ends = vec![frames.start];
    ends.extend((frames.end > frames.start).then_some(frames.end));
    let value = match value {
        DeskValue::Offered(value) => value,
        DeskValue::Line { line } => {
            let points = &end_of(&line.keys, forth)?.1;
            let at = |frame| LineKey(frame, points.clone());
            return Some(DeskValue::from(LineValue {
                closed: line.closed,
                keys: ends.into_iter().map(at).collect(),
            }));
        }
    };
    Some(DeskValue::Offered(match value {
        LabelValue::Boxes(keys) => {
            let key = end_of(keys, forth)?;
            let at = |frame| BoxKeyframe(frame, key.1, key.2, key.3, key.4, key.5);
            LabelValue::Boxes(ends.into_iter().map(at).collect())
        }
        LabelValue::Points(keys) => {
            let key = end_of(keys, forth)?;
            let at = |frame| PointKeyframe(frame, key.1, key.2, key.3);
            LabelValue::Points(ends.into_iter().map(at).collect())
        }
        LabelValue::Flag(flag) => LabelValue::Flag(*flag),
        LabelValue::Level(level) => LabelValue::Level(*level),
        LabelValue::Event(_) => return None,
    }))
}

/// The labels of a kind that stand or wait, on the tracks that they are seen on.
async fn labels_of(
    tx: &mut Connection,
    clip: &ClipId,
    kind: DeskKind,
) -> Result<Vec<StoredLabel>, StoreError> {
    let sql = format!(
        "SELECT {LABEL_COLUMNS} FROM labels l LEFT JOIN models m ON m.model = l.model
         WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 AND l.kind = $4
           AND l.state IN ('waiting', 'accepted', 'corrected', 'created')"
    );
    let mut labels = query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .bind(kind.name())
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database("read a track"))?
        .iter()
        .map(label_from_row)
        .collect::<Result<Vec<_>, _>>()?;
    track_edits::apply(tx, labels.iter_mut()).await?;
    Ok(labels)
}

pub(crate) async fn make_in(
    tx: &mut Connection,
    clip: &ClipId,
    new: &NewLabel,
    asked: &Asked,
) -> Result<LabelKey, StoreError> {
    let value = Correction {
        frames: Some(new.frames),
        value: Some(new.value.clone()),
    };
    let request = format!(
        "make {clip:?} {} {:?} {:?}",
        new.kind,
        new.track,
        correction_text(Some(&value))
    );
    if let Taken::Before(Some(number)) = request_key::take(tx, asked, &request).await? {
        return Ok(LabelKey::Desk(number as u64));
    }
    match (new.kind.scope(), new.track) {
        (LabelScope::Track, None | Some(0)) => {
            return Err(StoreError::Verdict("a label of this kind names a track"));
        }
        (LabelScope::Scene, Some(_)) => {
            return Err(StoreError::Verdict(
                "what is said of the scene has no track",
            ));
        }
        _ => {}
    }
    require_clip(tx, clip).await?;
    let clip_frames = query("SELECT frames FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3")
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_one(&mut *tx)
        .await
        .map_err(StoreError::database("look up a clip"))?
        .get::<Option<i64>, _>(0);
    let bounds = Bounds {
        kind: new.kind,
        frames: new.frames,
        clip_frames: clip_frames.map(|frames| frames as u32),
    };
    bounds.check(&value)?;
    let times = (
        time_of(tx, clip, new.frames.start).await?,
        time_of(tx, clip, new.frames.end).await?,
    );
    let track = match new.track {
        Some(track) => Some(rig_track(tx, clip, track, new.frames.start).await?),
        None => None,
    };
    let place = insert(tx, clip, new, track, times).await?;
    if let Some(track) = track {
        counts::note_track(tx, clip, track).await?;
    }
    let verdict = Verdict {
        verdict: 0,
        label: place.label_key()?,
        judgement: Judgement::Create,
        cause: None,
        correction: None,
        reviewer: asked.reviewer.clone(),
        at_us: asked.at_us,
        spent_ms: new.spent_ms,
        replaces: None,
        batch: None,
    };
    let standing = judge::insert(tx, &place, &verdict).await?;
    query("UPDATE labels SET standing = $2 WHERE seq = $1 AND seq < 0")
        .bind(place.seq)
        .bind(standing)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("make a label"))?;
    let group = Group {
        clip,
        kind: new.kind.name(),
        state: ReviewState::Created.name(),
        model: counts::MADE,
        conditions: 0,
    };
    counts::add(tx, &group, 1).await?;
    condition::refresh(tx, clip, Touched::Message(place.seq)).await?;
    if condition::is_condition(new.kind) {
        condition::refresh(tx, clip, Touched::Frames(new.frames)).await?;
    }
    request_key::answered(tx, asked, -place.seq).await?;
    Ok(verdict.label)
}

async fn insert(
    tx: &mut Connection,
    clip: &ClipId,
    new: &NewLabel,
    track: Option<TrackId>,
    times: (i64, i64),
) -> Result<RowKey, StoreError> {
    let value = serde_json::to_string(&new.value).expect("plain numbers always encode");
    let row = query(
        "INSERT INTO labels (rig, boot, seq, n, clip, kind, track, start_frame, end_frame, start_pts_us, end_pts_us,
            decision, value, driver, state)
         VALUES ($1, $2, (SELECT coalesce(min(seq), 0) - 1 FROM labels WHERE seq < 0), 0, $3, $4, $5, $6, $7, $8, $9,
            'made', $10,
            EXISTS (SELECT 1 FROM labels d WHERE d.rig = $1 AND d.boot = $2 AND d.clip = $3 AND d.track = $5 AND d.driver
                AND d.start_frame <= $7 AND d.end_frame >= $6),
            'created')
         RETURNING rig, boot, seq, n",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .bind(new.kind.name())
    .bind(track.map(i64::from))
    .bind(i64::from(new.frames.start))
    .bind(i64::from(new.frames.end))
    .bind(times.0)
    .bind(times.1)
    .bind(value)
    .fetch_one(tx)
    .await
    .map_err(StoreError::database("make a label"))?;
    Ok(RowKey::of(&row))
}

/// When a frame was shown, by the clip's manifest.
async fn time_of(tx: &mut Connection, clip: &ClipId, frame: FrameIndex) -> Result<i64, StoreError> {
    let unknown = StoreError::Verdict("the times of these frames have not come from the rig yet");
    let row = query(
        "SELECT first_frame, pts_us FROM manifest_parts
         WHERE rig = $1 AND boot = $2 AND clip = $3 AND first_frame <= $4 AND first_frame + frames > $4
         ORDER BY seq LIMIT 1",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .bind(i64::from(frame))
    .fetch_optional(tx)
    .await
    .map_err(StoreError::database("read a manifest"))?;
    let Some(row) = row else {
        return Err(unknown);
    };
    let text: &str = row.get("pts_us");
    let times: Vec<i64> = serde_json::from_str(text)
        .map_err(|_| StoreError::unreadable("manifest_parts.pts_us", text))?;
    let place = usize::try_from(i64::from(frame) - row.get::<i64, _>("first_frame")).ok();
    place
        .and_then(|place| times.get(place).copied())
        .ok_or(unknown)
}
