//! Labels as files tell them, put together clip by clip, and checked: what cannot be true is refused here, for every format.

mod place;
mod runs;

use super::{
    Dropped, MAX_FRAMES, MAX_NEW_FRAMES, MAX_PLACES, ReadClip, ReadError, ReadSet, Reading, names,
};
use crate::clip::{Clip, Label, Model, Standing, Value};
use crate::line::Line;
use label_core::kind::LabelScope;
use label_core::wire::Signs;
use label_core::{AbstainReason, FrameIndex, FrameRange, LabelKind, TrackId};
use place::sound;
use quality::DeskKind;
pub(super) use runs::Seen;
use runs::{Told, mean, runs, value_of};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// How sure a key is of which nobody says it: as likely right as wrong.
pub(super) const UNTOLD: f64 = 0.5;

/// Where something stands in the files.
pub(super) type Spot<'p> = (&'p Path, Option<u64>);

/// What is known of a label beside what it says.
#[derive(Clone, Debug, Default)]
pub(super) struct Meta {
    /// Its identity in the files; what has none is told from its neighbours by frames alone.
    pub(super) id: Option<String>,
    pub(super) standing: Option<Standing>,
    pub(super) driver: bool,
    pub(super) confidence: Option<f64>,
    /// `name@version+digits`.
    pub(super) model: Option<String>,
    pub(super) by: Option<String>,
    pub(super) at_us: Option<i64>,
    pub(super) cause: Option<String>,
    pub(super) reason: Option<AbstainReason>,
    pub(super) signs: Option<Signs>,
}

struct Track {
    meta: Meta,
    frames: Vec<Told>,
}

/// A clip in the making.
pub(super) struct Gathering {
    clip: Clip,
    is_known: bool,
    /// Frames that are told; more are an error.
    told: Option<u32>,
    pictures: Option<BTreeSet<FrameIndex>>,
    lines: Vec<Line>,
    tracks: BTreeMap<(LabelKind, Option<TrackId>, String), Track>,
    next: u64,
    /// The last number of somebody whom no track names.
    alone: TrackId,
    /// There were more of them than there are numbers.
    is_around: bool,
}

/// Everything that was read so far.
pub(super) struct Gathered<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) dropped: Dropped,
    clips: BTreeMap<String, Gathering>,
    /// What files call a clip, and its identity.
    ids: HashMap<String, String>,
    models: HashMap<String, Arc<Model>>,
    places: usize,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Self {
        Self {
            reading,
            dropped: Dropped::default(),
            clips: BTreeMap::new(),
            ids: HashMap::new(),
            models: HashMap::new(),
            places: 0,
        }
    }

    /// The clip that a file speaks of; its identity from here on.
    pub(super) fn clip(&mut self, told: &super::Told, at: Spot<'_>) -> Result<String, ReadError> {
        if let Some(id) = self.ids.get(&told.id) {
            let clip = &self.clips[id].clip;
            if let Some((width, height)) = told.size
                && (width, height) != (clip.width, clip.height)
            {
                let trouble = format!(
                    "a picture of clip {id} is {width} x {height} pixels, others are {} x {}: they are no frames of one clip",
                    clip.width, clip.height
                );
                return Err(ReadError::broken(at.0, at.1, trouble));
            }
            return Ok(id.clone());
        }
        self.one_more(1, at)?;
        let (clip, is_known) = self.reading.clip(told, at)?;
        let id = clip.id.clone();
        self.ids.insert(told.id.clone(), id.clone());
        let count = clip.closed.then_some(clip.frames.count);
        self.clips.entry(id.clone()).or_insert_with(|| Gathering {
            told: count,
            clip,
            is_known,
            pictures: None,
            lines: Vec::new(),
            tracks: BTreeMap::new(),
            next: 1,
            alone: 0,
            is_around: false,
        });
        Ok(id)
    }

    /// The same of formats with a file a clip, which is told of once.
    pub(super) fn only_clip(
        &mut self,
        told: &super::Told,
        at: Spot<'_>,
    ) -> Result<String, ReadError> {
        let before = self.clips.len();
        let id = self.clip(told, at)?;
        if self.clips.len() == before {
            return Err(ReadError::broken(
                at.0,
                at.1,
                format!("clip {id} was told of before"),
            ));
        }
        Ok(id)
    }

    /// A number for somebody whom no track names: another one each time, as long as there are others. Who comes after them has a
    /// number that somebody had in an earlier picture, which is noted.
    pub(super) fn alone(&mut self, id: &str, at: Spot<'_>) -> TrackId {
        let gathering = self.clips.get_mut(id).expect("clips are named by this");
        if gathering.alone == TrackId::MAX {
            gathering.is_around = true;
        }
        if gathering.is_around {
            self.dropped.note(
                format!(
                    "who is who: of somebody without a track, after {} others in the clip; they have the number of one in another picture",
                    TrackId::MAX
                ),
                at.0,
                at.1,
            );
        }
        gathering.alone = gathering.alone.checked_add(1).unwrap_or(1);
        gathering.alone
    }

    /// The clip without its labels.
    pub(super) fn known(&self, id: &str) -> &Clip {
        &self.clips[id].clip
    }

    /// A frame of which there is a picture, whether or not anything is said of it.
    pub(super) fn picture(
        &mut self,
        id: &str,
        frame: FrameIndex,
        at: Spot<'_>,
    ) -> Result<(), ReadError> {
        self.within(id, FrameRange::new(frame, frame), at)?;
        self.one_more(1, at)?;
        let gathering = self.clips.get_mut(id).expect("clips are named by this");
        gathering.pictures.get_or_insert_default().insert(frame);
        Ok(())
    }

    /// Whether the clip has a frame: growing, while nobody has told how many there are.
    fn within(&mut self, id: &str, frames: FrameRange, at: Spot<'_>) -> Result<(), ReadError> {
        let gathering = self.clips.get_mut(id).expect("clips are named by this");
        let broken = |trouble: String| Err(ReadError::broken(at.0, at.1, trouble));
        if frames.start > frames.end {
            return broken(format!(
                "frames {} to {} end before they begin",
                frames.start, frames.end
            ));
        }
        match gathering.told {
            Some(count) if frames.end >= count => broken(format!(
                "frame {} is beyond the clip {id}, which has {count} frames, counted from 0",
                frames.end
            )),
            None if frames.end >= MAX_FRAMES => broken(format!(
                "frame {} is beyond {MAX_FRAMES}, the longest clip",
                frames.end
            )),
            _ => {
                let count = &mut gathering.clip.frames.count;
                *count = (*count).max(frames.end + 1);
                Ok(())
            }
        }
    }

    /// Counts what is kept of the files.
    pub(super) fn one_more(&mut self, count: usize, at: Spot<'_>) -> Result<(), ReadError> {
        self.places += count;
        if self.places > MAX_PLACES {
            return Err(ReadError::broken(
                at.0,
                at.1,
                format!(
                    "the set has more than {MAX_PLACES} clips, pictures, labels and places: divide it"
                ),
            ));
        }
        Ok(())
    }

    /// Takes a label whole.
    pub(super) fn label(
        &mut self,
        clip: &str,
        (kind, track, frames): (impl Into<DeskKind>, Option<TrackId>, FrameRange),
        (value, meta): (Option<Value>, Meta),
        at: Spot<'_>,
    ) -> Result<(), ReadError> {
        self.within(clip, frames, at)?;
        let keys = match &value {
            Some(Value::Boxes(keys)) => {
                for key in keys {
                    sound(&[key.at.x, key.at.y, key.at.width, key.at.height], at)?;
                }
                keys.len()
            }
            Some(Value::Points(keys)) => {
                for key in keys {
                    sound(&[key.at.x, key.at.y], at)?;
                }
                keys.len()
            }
            _ => 0,
        };
        self.one_more(keys + 1, at)?;
        let label = self.made(clip, (kind.into(), track, frames), (value, meta), at)?;
        let gathering = self.clips.get_mut(clip).expect("clips are named by this");
        gathering.clip.labels.push(label);
        Ok(())
    }

    fn made(
        &mut self,
        clip: &str,
        (kind, track, frames): (DeskKind, Option<TrackId>, FrameRange),
        (value, meta): (Option<Value>, Meta),
        at: Spot<'_>,
    ) -> Result<Label, ReadError> {
        let broken = |trouble: String| Err(ReadError::broken(at.0, at.1, trouble));
        if meta
            .confidence
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return broken(format!(
                "a confidence is 0 to 1, not {}",
                meta.confidence.unwrap_or(0.0)
            ));
        }
        let standing = meta.standing.unwrap_or(self.reading.standing);
        match (kind.scope(), track) {
            (LabelScope::Track, None) if standing.is_held() => {
                return broken(format!("{kind} is of a person, and no track is named"));
            }
            (_, Some(0)) => return broken("tracks are numbered from 1".to_owned()),
            _ => {}
        }
        if (standing == Standing::Abstained) != value.is_none() {
            return broken(format!(
                "a label of {kind} that is {} and its value do not go together",
                standing.name()
            ));
        }
        let model = meta.model.map(|word| {
            let model = self.models.entry(word);
            let model = model.or_insert_with_key(|word| Arc::new(names::model(word)));
            Arc::clone(model)
        });
        let gathering = self.clips.get_mut(clip).expect("clips are named by this");
        let number = gathering.next;
        gathering.next += 1;
        Ok(Label {
            id: meta.id.unwrap_or_else(|| number.to_string()),
            kind,
            track: track.filter(|_| kind.scope() == LabelScope::Track),
            driver: meta.driver,
            frames,
            standing,
            value,
            reason: meta.reason,
            cause: meta.cause,
            confidence: meta.confidence,
            model,
            by: meta.by,
            at_us: meta.at_us,
            signs: meta.signs,
        })
    }

    /// Takes what a picture says; what has one identity becomes one label.
    pub(super) fn seen(
        &mut self,
        clip: &str,
        (frame, kind, track): (FrameIndex, LabelKind, Option<TrackId>),
        (seen, meta): (Seen, impl FnOnce() -> Meta),
        (id, at): (&str, Spot<'_>),
    ) -> Result<(), ReadError> {
        self.within(clip, FrameRange::new(frame, frame), at)?;
        self.one_more(1, at)?;
        match &seen {
            Seen::Box(place) => sound(place, at)?,
            Seen::Point(place) => sound(place, at)?,
            Seen::Says(_) | Seen::Nothing => {}
        }
        let gathering = self.clips.get_mut(clip).expect("clips are named by this");
        let meta = meta();
        let confidence = meta.confidence;
        if confidence.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(ReadError::broken(at.0, at.1, "a confidence is 0 to 1"));
        }
        let track = gathering
            .tracks
            .entry((kind, track, id.to_owned()))
            .or_insert_with(|| Track {
                meta,
                frames: Vec::new(),
            });
        if track.frames.last().is_some_and(|last| last.frame == frame) {
            return Err(ReadError::broken(
                at.0,
                at.1,
                format!("{kind} of this track was told in frame {frame} before"),
            ));
        }
        track.frames.push(Told {
            frame,
            seen,
            confidence,
        });
        Ok(())
    }

    /// The clips with their labels in order.
    pub(super) fn finish(mut self) -> Result<ReadSet, ReadError> {
        let ids: Vec<String> = self.clips.keys().cloned().collect();
        for id in &ids {
            let tracks = std::mem::take(&mut self.clips.get_mut(id).expect("it was listed").tracks);
            for ((kind, track, _), mut seen) in tracks {
                seen.frames.sort_by_key(|told| told.frame);
                if let Some(pair) = seen
                    .frames
                    .windows(2)
                    .find(|pair| pair[0].frame == pair[1].frame)
                {
                    let trouble = format!(
                        "{kind} of one track is told twice in frame {}",
                        pair[0].frame
                    );
                    return Err(ReadError::broken(Path::new(id), None, trouble));
                }
                let joined = seen.meta.id.is_some();
                for run in runs(seen.frames, joined) {
                    let frames = FrameRange::new(run[0].frame, run[run.len() - 1].frame);
                    let meta = Meta {
                        confidence: mean(&run),
                        ..seen.meta.clone()
                    };
                    let value =
                        if kind.is_event() && seen.meta.standing.is_none_or(Standing::is_held) {
                            names::value(kind, None, frames, (None, None, None)).ok()
                        } else {
                            value_of(run)
                        };
                    let label = self.made(
                        id,
                        (kind.into(), track, frames),
                        (value, meta),
                        (Path::new(id), None),
                    )?;
                    self.clips
                        .get_mut(id)
                        .expect("it was listed")
                        .clip
                        .labels
                        .push(label);
                }
            }
        }
        let new = self.clips.values().filter(|one| !one.is_known);
        let frames: u64 = new.map(|one| u64::from(one.clip.frames.count)).sum();
        if frames > MAX_NEW_FRAMES {
            let trouble = format!(
                "clips that the desk does not know have {frames} frames, more than {MAX_NEW_FRAMES}: divide the set"
            );
            return Err(ReadError::broken(Path::new("the set"), None, trouble));
        }
        let clips = self.clips.into_values().map(|mut gathering| {
            let clip = &mut gathering.clip;
            clip.labels.sort_by(|a, b| a.order().cmp(&b.order()));
            if !gathering.is_known {
                clip.closed = true;
            }
            ReadClip {
                clip: gathering.clip,
                pictures: gathering.pictures,
                lines: gathering.lines,
                is_known: gathering.is_known,
            }
        });
        Ok(ReadSet {
            clips: clips.collect(),
            dropped: self.dropped,
        })
    }
}
