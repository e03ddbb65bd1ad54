//! Putting down what the rule draws, in the transaction of what it is drawn from.

use super::rule::{SampleRule, digest_of};
use super::{FORGOTTEN_AFTER_US, LookSort, rule_in_force};
use crate::database::{Connection, query};
use crate::key::RowKey;
use crate::{ClipId, StoreError};
use label_core::kind::LabelScope;
use label_core::{AbstainReason, FrameRange, LabelKind, TrackId};
use std::collections::BTreeMap;

/// Frames of a window in which no event was offered.
const WINDOW: u32 = 128;

/// A look to be put down.
struct Drawn<'a> {
    sort: LookSort,
    item: String,
    rule: &'a SampleRule,
    clip: &'a ClipId,
    label: Option<&'a RowKey>,
    kind: LabelKind,
    track: Option<i64>,
    frames: FrameRange,
    asked_of: Option<&'a str>,
    about: Option<i64>,
    due_us: i64,
}

impl Drawn<'_> {
    async fn insert(&self, tx: &mut Connection) -> Result<(), StoreError> {
        let digest = digest_of(self.rule.sampling.seed, self.sort, &self.item);
        // Said again after it was taken back: the look is of what is said now, unless it was answered.
        query(
            "INSERT INTO looks (sort, item, rule, place, rig, boot, clip, seq, n, kind, track, start_frame, end_frame, asked_of,
                about, due_us)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             ON CONFLICT (sort, item) DO UPDATE SET asked_of = excluded.asked_of, about = excluded.about,
                due_us = excluded.due_us, done = 0
             WHERE NOT EXISTS (SELECT 1 FROM answers a WHERE a.look = looks.look)",
        )
        .bind(self.sort.name())
        .bind(&self.item)
        .bind(self.rule.entry)
        .bind((digest >> 1) as i64)
        .bind(self.clip.rig.as_str())
        .bind(self.clip.boot.raw() as i64)
        .bind(i64::from(self.clip.clip))
        .bind(self.label.map(|label| label.seq))
        .bind(self.label.map(|label| label.n))
        .bind(self.kind.name())
        .bind(self.track)
        .bind(i64::from(self.frames.start))
        .bind(i64::from(self.frames.end))
        .bind(self.asked_of)
        .bind(self.about)
        .bind(self.due_us)
        .execute(tx)
        .await
        .map_err(StoreError::database("draw a second look"))?;
        Ok(())
    }
}

/// The name of a label, as the rule is asked of it.
fn item_of(label: &RowKey) -> String {
    format!("{}:{}:{}:{}", label.rig, label.boot, label.seq, label.n)
}

/// The frames asked about: of an event some more on both sides, so that its place within them tells nothing.
fn asked_frames(kind: LabelKind, frames: FrameRange, digest: u64) -> FrameRange {
    if !kind.is_event() {
        return frames;
    }
    let more = |byte: u32| 2 + ((digest >> (8 * byte)) & 0xff) as u32 % 7;
    FrameRange::new(
        frames.start.saturating_sub(more(0)),
        frames.end.saturating_add(more(1)),
    )
}

/// A label as a rig told it, on its way into the store.
pub(crate) struct Told<'a> {
    pub(crate) clip: &'a ClipId,
    pub(crate) place: RowKey,
    pub(crate) kind: LabelKind,
    pub(crate) track: Option<TrackId>,
    pub(crate) frames: FrameRange,
    /// Why there is no value; `None` of a candidate.
    pub(crate) silent: Option<AbstainReason>,
    pub(crate) is_candidate: bool,
}

/// Whether a person may find what the rig did not: with these the frames are not there, or nobody looks for it.
const fn may_be_missed(reason: AbstainReason) -> bool {
    !matches!(
        reason,
        AbstainReason::FramesMissing | AbstainReason::Passenger | AbstainReason::NoLabeller
    )
}

/// Draws a label or not; whether it is to be answered before anybody sees it.
pub(crate) async fn draw_label(
    tx: &mut Connection,
    rule: Option<&SampleRule>,
    told: &Told<'_>,
) -> Result<bool, StoreError> {
    let Some(rule) = rule else {
        return Ok(false);
    };
    let sort = if told.is_candidate {
        LookSort::Blind
    } else {
        LookSort::Silence
    };
    let item = item_of(&told.place);
    // Whose eye it is must be known; a person may be missed where nobody was seen.
    let somebody = told.track.is_some()
        || told.kind.scope() == LabelScope::Scene
        || told.kind == LabelKind::BboxPerson;
    let wanted = told.is_candidate || (somebody && told.silent.is_some_and(may_be_missed));
    if !wanted || !rule.sampling.draws(sort, told.kind, &item) {
        return Ok(false);
    }
    let digest = digest_of(rule.sampling.seed, sort, &item);
    let frames = if told.is_candidate {
        asked_frames(told.kind, told.frames, digest)
    } else {
        told.frames
    };
    let drawn = Drawn {
        sort,
        item,
        rule,
        clip: told.clip,
        label: Some(&told.place),
        kind: told.kind,
        track: told.track.map(i64::from),
        frames,
        asked_of: None,
        about: None,
        due_us: 0,
    };
    drawn.insert(tx).await?;
    Ok(told.is_candidate)
}

/// Draws from the windows of a closed clip in which a person was in view and no event was told, nor why none could be.
pub(crate) async fn draw_windows(tx: &mut Connection, clip: &ClipId) -> Result<(), StoreError> {
    let Some(rule) = rule_in_force(tx).await? else {
        return Ok(());
    };
    let failed = || StoreError::database("draw from a clip's silence");
    let rows = query(
        "SELECT kind, track, start_frame, end_frame FROM labels
         WHERE rig = $1 AND boot = $2 AND clip = $3 AND track IS NOT NULL AND seq > 0",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .fetch_all(&mut *tx)
    .await
    .map_err(failed())?;
    let mut told: BTreeMap<i64, Vec<(&str, FrameRange)>> = BTreeMap::new();
    for row in &rows {
        let frame = |column| row.get::<i64, _>(column) as u32;
        let frames = FrameRange::new(frame("start_frame"), frame("end_frame"));
        let of_track = told.entry(row.get("track")).or_default();
        of_track.push((row.get("kind"), frames));
    }
    for (track, of_track) in told {
        let first = of_track.iter().map(|(_, frames)| frames.start).min();
        let last = of_track.iter().map(|(_, frames)| frames.end).max();
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        for kind in LabelKind::ALL.into_iter().filter(|kind| kind.is_event()) {
            for start in (first.next_multiple_of(WINDOW)..=last).step_by(WINDOW as usize) {
                let frames = FrameRange::new(start, start + WINDOW - 1);
                let spoken = of_track
                    .iter()
                    .any(|(of, there)| *of == kind.name() && there.overlap(frames) > 0);
                let item = format!(
                    "{}:{}:{}:{kind}:{track}:{start}",
                    clip.rig,
                    clip.boot.raw(),
                    clip.clip
                );
                let drawn = rule.sampling.draws(LookSort::Silence, kind, &item);
                if frames.end > last || spoken || !drawn {
                    continue;
                }
                let drawn = Drawn {
                    sort: LookSort::Silence,
                    item,
                    rule: &rule,
                    clip,
                    label: None,
                    kind,
                    track: Some(track),
                    frames,
                    asked_of: None,
                    about: None,
                    due_us: 0,
                };
                drawn.insert(tx).await?;
            }
        }
    }
    Ok(())
}

/// A first verdict on a candidate.
pub(crate) struct FirstVerdict<'a> {
    pub(crate) clip: &'a ClipId,
    pub(crate) place: &'a RowKey,
    pub(crate) kind: LabelKind,
    pub(crate) frames: FrameRange,
    pub(crate) verdict: i64,
    pub(crate) reviewer: &'a str,
    pub(crate) at_us: i64,
}

/// Draws a judged candidate to be shown again, to whoever judged it and to somebody else.
pub(crate) async fn draw_again(
    tx: &mut Connection,
    first: &FirstVerdict<'_>,
) -> Result<(), StoreError> {
    let Some(rule) = rule_in_force(tx).await? else {
        return Ok(());
    };
    let item = item_of(first.place);
    for (sort, asked_of, due_us) in [
        (
            LookSort::Own,
            Some(first.reviewer),
            first.at_us + FORGOTTEN_AFTER_US,
        ),
        (LookSort::Other, None, first.at_us),
    ] {
        if !rule.sampling.draws(sort, first.kind, &item) {
            continue;
        }
        let track: Option<i64> =
            query("SELECT track FROM labels WHERE rig = $1 AND boot = $2 AND seq = $3 AND n = $4")
                .bind(&first.place.rig)
                .bind(first.place.boot)
                .bind(first.place.seq)
                .bind(first.place.n)
                .fetch_one(&mut *tx)
                .await
                .map_err(StoreError::database("draw a second look"))?
                .get(0);
        let digest = digest_of(rule.sampling.seed, sort, &item);
        let drawn = Drawn {
            sort,
            rule: &rule,
            clip: first.clip,
            label: Some(first.place),
            kind: first.kind,
            track,
            frames: asked_frames(first.kind, first.frames, digest),
            asked_of,
            about: Some(first.verdict),
            due_us,
            item: item.clone(),
        };
        drawn.insert(tx).await?;
    }
    Ok(())
}
