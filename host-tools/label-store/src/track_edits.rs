//! What persons say of tracks: one that is two people is split, two that are one person are merged.
//!
//! The rig's labels keep the track that the rig gave them. Edits are rows that are only added, and are applied, in the
//! order in which they were made, whenever labels are read: a label belongs to the track that its first frame leads to.
//! Undo takes back the last edit of the clip that stands; since it is always the last, the others keep their meaning.

use crate::database::{Connection, query};
use crate::judge::Step;
use crate::people::tracks_not_held;
use crate::request_key::{self, Taken};
use crate::verdict::Asked;
use crate::{ClipId, LabelStore, StoreError};
use label_core::{FrameIndex, FrameRange, TrackId};
use std::collections::{BTreeMap, HashMap};

/// A change of tracks, in numbers as they are seen before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackEdit {
    /// From this frame on it is somebody else, who gets a number of their own.
    Split {
        /// The track.
        track: TrackId,
        /// The first frame of somebody else.
        frame: FrameIndex,
    },
    /// Both are one person, and keep the second number.
    Merge {
        /// The track that ends.
        track: TrackId,
        /// The track that goes on.
        into: TrackId,
    },
}

/// An edit on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEdit {
    /// Its number.
    pub edit: i64,
    /// What was said.
    pub said: TrackEdit,
    /// The track that labels went to.
    pub into: TrackId,
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
    /// It was not taken back.
    pub stands: bool,
}

/// A track of a clip, as edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// Its number.
    pub track: TrackId,
    /// From its first label's first frame to the last frame of any.
    pub frames: FrameRange,
    /// Candidates and labels that persons made.
    pub labels: u32,
    /// Some of them are the driver's.
    pub driver: bool,
}

/// Where the edits that stand lead the tracks of a clip.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrackMap {
    /// The edit, and the track that labels go to.
    edits: Vec<(TrackEdit, TrackId)>,
}

impl TrackMap {
    /// The track of a label that the rig gave this one.
    pub(crate) fn edited(&self, track: TrackId, first_frame: FrameIndex) -> TrackId {
        self.edits
            .iter()
            .fold(track, |now, (edit, into)| match edit {
                TrackEdit::Split { track, frame } if *track == now && first_frame >= *frame => {
                    *into
                }
                TrackEdit::Merge { track, .. } if *track == now => *into,
                _ => now,
            })
    }
}

/// Every edit of a clip, oldest first, and what redo would bring back.
struct History {
    edits: Vec<StoredEdit>,
    /// Numbers of edits that were taken back, the last first to come again.
    undone: Vec<i64>,
}

impl History {
    async fn of(connection: &mut Connection, clip: &ClipId) -> Result<Self, StoreError> {
        let rows = query(
            "SELECT edit, verb, track, into_track, frame, reviewer, at_us, replaces FROM track_edits
             WHERE rig = $1 AND boot = $2 AND clip = $3 ORDER BY edit",
        )
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_all(connection)
        .await
        .map_err(StoreError::database("read edits of tracks"))?;
        let mut history = Self {
            edits: Vec::new(),
            undone: Vec::new(),
        };
        for row in &rows {
            let number = |column| row.get::<Option<i64>, _>(column).unwrap_or(0);
            let stand = |edits: &mut Vec<StoredEdit>, stands| {
                let named = number("replaces");
                if let Some(edit) = edits.iter_mut().find(|edit| edit.edit == named) {
                    edit.stands = stands;
                }
                named
            };
            let track = number("track") as TrackId;
            let into = number("into_track") as TrackId;
            let said = match row.get("verb") {
                "split" => TrackEdit::Split {
                    track,
                    frame: number("frame") as FrameIndex,
                },
                "merge" => TrackEdit::Merge { track, into },
                "withdraw" => {
                    let named = stand(&mut history.edits, false);
                    history.undone.push(named);
                    continue;
                }
                _ => {
                    stand(&mut history.edits, true);
                    history.undone.pop();
                    continue;
                }
            };
            history.undone.clear();
            history.edits.push(StoredEdit {
                edit: row.get("edit"),
                said,
                into,
                reviewer: row.get("reviewer"),
                at_us: row.get("at_us"),
                stands: true,
            });
        }
        Ok(history)
    }

    fn map(&self) -> TrackMap {
        TrackMap {
            edits: self
                .edits
                .iter()
                .filter(|edit| edit.stands)
                .map(|edit| (edit.said, edit.into))
                .collect(),
        }
    }
}

/// Where the tracks of a clip lead.
pub(crate) async fn track_map(
    connection: &mut Connection,
    clip: &ClipId,
) -> Result<TrackMap, StoreError> {
    Ok(History::of(connection, clip).await?.map())
}

/// Gives labels the tracks that they are seen on.
pub(crate) async fn apply<'a>(
    connection: &mut Connection,
    labels: impl Iterator<Item = &'a mut crate::StoredLabel>,
) -> Result<(), StoreError> {
    let edited: Vec<(String, i64, i64)> = query("SELECT DISTINCT rig, boot, clip FROM track_edits")
        .fetch_all(&mut *connection)
        .await
        .map_err(StoreError::database("read edits of tracks"))?
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    if edited.is_empty() {
        return Ok(());
    }
    let mut maps: HashMap<ClipId, TrackMap> = HashMap::new();
    for label in labels {
        let Some(track) = label.track else {
            continue;
        };
        let clip = &label.clip;
        let is_edited = edited.iter().any(|(rig, boot, number)| {
            clip.rig == rig.as_str()
                && clip.boot.raw() as i64 == *boot
                && i64::from(clip.clip) == *number
        });
        if !is_edited {
            continue;
        }
        if !maps.contains_key(clip) {
            let map = track_map(connection, clip).await?;
            maps.insert(clip.clone(), map);
        }
        label.track = Some(maps[clip].edited(track, label.frames.start));
    }
    Ok(())
}

/// What tracks there are, as the rig numbered them: of each label the track, its frames, and whether it is the driver's.
type Rows = Vec<(TrackId, FrameRange, bool)>;

async fn rows_of(connection: &mut Connection, clip: &ClipId) -> Result<Rows, StoreError> {
    Ok(query(
        "SELECT track, start_frame, end_frame, driver FROM labels
         WHERE rig = $1 AND boot = $2 AND clip = $3 AND track IS NOT NULL AND state IS NOT NULL AND state <> 'removed'",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("read tracks"))?
    .iter()
    .map(|row| {
        let number = |column| row.get::<i64, _>(column) as u32;
        (
            number("track") as TrackId,
            FrameRange::new(number("start_frame"), number("end_frame")),
            row.get("driver"),
        )
    })
    .collect())
}

/// The number that the rig gave the track that is seen as this one in this frame; the number itself where there is none,
/// since then it is somebody whom the rig did not see.
pub(crate) async fn rig_track(
    connection: &mut Connection,
    clip: &ClipId,
    track: TrackId,
    frame: FrameIndex,
) -> Result<TrackId, StoreError> {
    let map = track_map(connection, clip).await?;
    let rows = rows_of(connection, clip).await?;
    let told = || rows.iter().map(|row| row.0);
    if told().any(|told| told == track) && map.edited(track, frame) == track {
        return Ok(track);
    }
    Ok(told()
        .find(|told| map.edited(*told, frame) == track)
        .unwrap_or(track))
}

pub(crate) async fn require_clip(
    connection: &mut Connection,
    clip: &ClipId,
) -> Result<(), StoreError> {
    query("SELECT 1 FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3")
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_optional(connection)
        .await
        .map_err(StoreError::database("look up a clip"))?
        .map(|_| ())
        .ok_or_else(|| StoreError::NoSuchClip(clip.clone()))
}

impl LabelStore {
    /// The tracks of a clip as edited, by number, and every edit, oldest first.
    pub async fn tracks(&self, clip: &ClipId) -> Result<(Vec<Track>, Vec<StoredEdit>), StoreError> {
        let mut connection = self.read("read tracks").await?;
        require_clip(&mut connection, clip).await?;
        let history = History::of(&mut connection, clip).await?;
        let map = history.map();
        let mut tracks: BTreeMap<TrackId, Track> = BTreeMap::new();
        for (told, frames, driver) in rows_of(&mut connection, clip).await? {
            let number = map.edited(told, frames.start);
            let track = tracks.entry(number).or_insert(Track {
                track: number,
                frames,
                labels: 0,
                driver: false,
            });
            track.labels += 1;
            track.driver |= driver;
            track.frames = FrameRange::new(
                track.frames.start.min(frames.start),
                track.frames.end.max(frames.end),
            );
        }
        Ok((tracks.into_values().collect(), history.edits))
    }

    /// Splits or merges tracks.
    pub async fn edit_tracks(
        &self,
        clip: &ClipId,
        edit: TrackEdit,
        spent_ms: u64,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        let refuse = |why| Err(StoreError::Verdict(why));
        let request = format!("{edit:?} {clip:?}");
        let mut tx = self.begin_write("edit tracks").await?;
        require_clip(&mut tx, clip).await?;
        if let Taken::Before(_) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(());
        }
        let history = History::of(&mut tx, clip).await?;
        let map = history.map();
        let touched = match edit {
            TrackEdit::Split { track, .. } => vec![track],
            TrackEdit::Merge { track, into } => vec![track, into],
        };
        tracks_not_held(&mut tx, clip, &map, Some(&touched), asked).await?;
        let rows = rows_of(&mut tx, clip).await?;
        // Of each label the track that it is seen on, and its first frame.
        let seen: Vec<(TrackId, FrameIndex)> = rows
            .iter()
            .map(|(told, frames, _)| (map.edited(*told, frames.start), frames.start))
            .collect();
        let is_seen = |track: TrackId| seen.iter().any(|(on, _)| *on == track);
        let row = match edit {
            TrackEdit::Split { track, frame } => {
                let on_track = || seen.iter().filter(|(on, _)| *on == track);
                if !on_track().any(|(_, start)| *start < frame)
                    || !on_track().any(|(_, start)| *start >= frame)
                {
                    return refuse("a split leaves labels on both sides of its frame");
                }
                let used = rows.iter().map(|row| row.0);
                let given = history.edits.iter().map(|edit| edit.into);
                let last = used.chain(given).max().unwrap_or(0);
                let Some(new) = last.checked_add(1) else {
                    return refuse("there are no more numbers for tracks in this clip");
                };
                ("split", track, new, Some(frame))
            }
            TrackEdit::Merge { track, into } => {
                if track == into {
                    return refuse("a track is merged into another one");
                }
                if !is_seen(track) || !is_seen(into) {
                    return refuse("there is no such track in this clip");
                }
                ("merge", track, into, None)
            }
        };
        insert(&mut tx, clip, row, spent_ms, None, asked).await?;
        tx.commit()
            .await
            .map_err(StoreError::database("edit tracks"))
    }

    /// Takes back the last edit of a clip that stands, or brings back the one taken back last.
    pub async fn step_tracks(
        &self,
        clip: &ClipId,
        step: Step,
        asked: &Asked,
    ) -> Result<(), StoreError> {
        let request = format!("{step:?} tracks of {clip:?}");
        let mut tx = self.begin_write("edit tracks").await?;
        require_clip(&mut tx, clip).await?;
        if let Taken::Before(_) = request_key::take(&mut tx, asked, &request).await? {
            return Ok(());
        }
        let history = History::of(&mut tx, clip).await?;
        tracks_not_held(&mut tx, clip, &history.map(), None, asked).await?;
        let (verb, named) = match step {
            Step::Undo => (
                "withdraw",
                history
                    .edits
                    .iter()
                    .rfind(|edit| edit.stands)
                    .map(|edit| edit.edit),
            ),
            Step::Redo => ("restore", history.undone.last().copied()),
        };
        let Some(named) = named else {
            return Err(StoreError::NoEdit(clip.clone()));
        };
        let row = (verb, 0, 0, None);
        insert(&mut tx, clip, row, 0, Some(named), asked).await?;
        tx.commit()
            .await
            .map_err(StoreError::database("edit tracks"))
    }
}

async fn insert(
    tx: &mut Connection,
    clip: &ClipId,
    (verb, track, into, frame): (&str, TrackId, TrackId, Option<FrameIndex>),
    spent_ms: u64,
    replaces: Option<i64>,
    asked: &Asked,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO track_edits (rig, boot, clip, verb, track, into_track, frame, reviewer, at_us, spent_ms, replaces)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .bind(verb)
    .bind((track > 0).then_some(i64::from(track)))
    .bind((into > 0).then_some(i64::from(into)))
    .bind(frame.map(i64::from))
    .bind(&asked.reviewer)
    .bind(asked.at_us)
    .bind(spent_ms as i64)
    .bind(replaces)
    .execute(tx)
    .await
    .map_err(StoreError::database("edit tracks"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_followed_in_the_order_in_which_they_were_made() {
        let split = |track, frame, into| (TrackEdit::Split { track, frame }, into);
        let merge = |track, into| (TrackEdit::Merge { track, into }, into);
        let map = TrackMap {
            edits: vec![split(1, 100, 3), merge(2, 1), split(1, 200, 4)],
        };
        for (track, frame, expected) in [
            (1, 50, 1),
            (1, 150, 3),
            (1, 250, 3),
            (2, 150, 1),
            (2, 250, 4),
        ] {
            assert_eq!(map.edited(track, frame), expected, "{track} from {frame}");
        }
    }
}
