//! A clip frame by frame: who is where, and what holds there.
//!
//! For formats that know pictures and no tracks. Memory is that of the clip's labels, however many frames are asked for.

use crate::clip::{BoxAt, Clip, Label, PointAt, place_at};
use crate::pieces::{Piece, pieces};
use label_core::{FrameIndex, LabelKind, TrackId};
use quality::DeskKind;
use std::collections::{BTreeMap, BTreeSet};

/// Which frames of a clip become pictures of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Density {
    /// Frames of which a box or a point was told: measured, not interpolated.
    Keyframes,
    /// Every frame that a box or a point holds in.
    EveryFrame,
}

/// A frame, and everything that holds in it.
#[derive(Clone, Debug)]
pub struct Moment<'a> {
    /// The frame.
    pub frame: FrameIndex,
    /// The people with a place in it, by track.
    pub people: BTreeMap<TrackId, Person<'a>>,
    /// What is said of the scene.
    pub scene: Vec<&'a Label>,
    /// Boxes and points that a person found wrong, and where they were.
    pub rejected: Vec<(&'a Label, Place)>,
    /// Boxes and points of which nothing is said here, and why.
    pub abstained: Vec<&'a Label>,
}

/// A box or a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// A person.
    Box(BoxAt),
    /// An eye.
    Point(PointAt),
}

/// One person in one frame.
#[derive(Clone, Debug, Default)]
pub struct Person<'a> {
    /// The whole visible person.
    pub bbox: Option<(&'a Label, BoxAt)>,
    /// The subject's left eye.
    pub left: Option<(&'a Label, PointAt)>,
    /// The subject's right eye.
    pub right: Option<(&'a Label, PointAt)>,
    /// States and events that hold, one a kind.
    pub states: Vec<&'a Label>,
}

impl<'a> Person<'a> {
    /// Every label of this person here.
    pub fn labels(&self) -> impl Iterator<Item = &'a Label> {
        let places = [
            self.bbox.map(|(label, _)| label),
            self.left.map(|(label, _)| label),
            self.right.map(|(label, _)| label),
        ];
        places
            .into_iter()
            .flatten()
            .chain(self.states.iter().copied())
    }

    /// The eyes, the left one first.
    pub fn eyes(&self) -> [Option<(&'a Label, PointAt)>; 2] {
        [self.left, self.right]
    }
}

/// Whether labels of this kind have a place in the picture, as a box or a point.
pub fn has_place(kind: impl Into<DeskKind>) -> bool {
    matches!(
        kind.into().offered(),
        Some(LabelKind::BboxPerson | LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye)
    )
}

/// Calls with every frame that is asked for, in order. Says how many were passed over for want of a picture.
pub fn moments<E>(
    clip: &Clip,
    density: Density,
    mut each: impl FnMut(&Moment<'_>) -> Result<(), E>,
) -> Result<u64, E> {
    let pieces = pieces(clip);
    let rejected: Vec<&Label> =
        of_places(clip, |label| label.standing == crate::Standing::Rejected);
    let abstained: Vec<&Label> =
        of_places(clip, |label| label.standing == crate::Standing::Abstained);
    let mut held: Vec<Piece<'_>> = pieces.into_values().flatten().collect();
    held.sort_by_key(|piece| (piece.frames.start, piece.label.track, piece.label.kind));
    let asked = Asked::of(&held, &rejected, density);
    let mut held = Sweep::new(held, |piece: &Piece<'_>| piece.frames);
    let mut rejected = Sweep::new(rejected, |label: &&Label| label.frames);
    let mut abstained = Sweep::new(abstained, |label: &&Label| label.frames);
    let mut passed_over = 0;
    for frame in asked {
        if clip.beside.lacks(frame) {
            passed_over += 1;
            continue;
        }
        let mut moment = Moment {
            frame,
            people: BTreeMap::new(),
            scene: Vec::new(),
            rejected: Vec::new(),
            abstained: abstained.at(frame).copied().collect(),
        };
        let mut states = Vec::new();
        for piece in held.at(frame) {
            let label = piece.label;
            match (label.track, place_of(label, frame)) {
                (Some(track), Some(place)) => {
                    let person: &mut Person<'_> = moment.people.entry(track).or_default();
                    match place {
                        Place::Box(at) => person.bbox = Some((label, at)),
                        Place::Point(at) if label.kind == LabelKind::KeypointLeftEye => {
                            person.left = Some((label, at));
                        }
                        Place::Point(at) => person.right = Some((label, at)),
                    }
                }
                (Some(_), None) => states.push(label),
                (None, _) => moment.scene.push(label),
            }
        }
        for label in states {
            if let Some(person) = label.track.and_then(|track| moment.people.get_mut(&track)) {
                person.states.push(label);
            }
        }
        for label in rejected.at(frame) {
            moment
                .rejected
                .extend(place_of(label, frame).map(|place| (*label, place)));
        }
        each(&moment)?;
    }
    Ok(passed_over)
}

fn of_places(clip: &Clip, wanted: impl Fn(&Label) -> bool) -> Vec<&Label> {
    clip.labels
        .iter()
        .filter(|label| has_place(label.kind) && wanted(label))
        .collect()
}

fn place_of(label: &Label, frame: FrameIndex) -> Option<Place> {
    place_at(label.boxes(), frame)
        .map(Place::Box)
        .or_else(|| place_at(label.points(), frame).map(Place::Point))
}

/// The frames that are asked for, ascending.
enum Asked {
    Some(std::collections::btree_set::IntoIter<FrameIndex>),
    Runs(std::iter::Flatten<std::vec::IntoIter<std::ops::RangeInclusive<FrameIndex>>>),
}

impl Asked {
    fn of(held: &[Piece<'_>], rejected: &[&Label], density: Density) -> Self {
        let held = held.iter().filter(|piece| has_place(piece.label.kind));
        if density == Density::Keyframes {
            let mut frames = BTreeSet::new();
            for piece in held {
                let label = piece.label;
                let keys = label.boxes().iter().map(|key| key.frame);
                let keys = keys.chain(label.points().iter().map(|key| key.frame));
                frames.extend(keys.filter(|frame| piece.frames.contains(*frame)));
            }
            for label in rejected {
                frames.extend(label.boxes().iter().map(|key| key.frame));
                frames.extend(label.points().iter().map(|key| key.frame));
            }
            return Self::Some(frames.into_iter());
        }
        let mut ranges: Vec<_> = held
            .map(|piece| (piece.frames.start, piece.frames.end))
            .collect();
        ranges.extend(
            rejected
                .iter()
                .map(|label| (label.frames.start, label.frames.end)),
        );
        ranges.sort_unstable();
        let mut runs: Vec<std::ops::RangeInclusive<FrameIndex>> = Vec::new();
        for (start, end) in ranges {
            match runs.last_mut() {
                Some(run) if start <= *run.end() => *run = *run.start()..=end.max(*run.end()),
                _ => runs.push(start..=end),
            }
        }
        Self::Runs(runs.into_iter().flatten())
    }
}

impl Iterator for Asked {
    type Item = FrameIndex;

    fn next(&mut self) -> Option<FrameIndex> {
        match self {
            Self::Some(frames) => frames.next(),
            Self::Runs(frames) => frames.next(),
        }
    }
}

/// What holds at frames that only grow.
struct Sweep<T, F> {
    waiting: std::iter::Peekable<std::vec::IntoIter<T>>,
    holding: Vec<T>,
    frames: F,
}

impl<T, F: Fn(&T) -> label_core::FrameRange> Sweep<T, F> {
    /// Of things sorted by their first frame.
    fn new(sorted: Vec<T>, frames: F) -> Self {
        Self {
            waiting: sorted.into_iter().peekable(),
            holding: Vec::new(),
            frames,
        }
    }

    fn at(&mut self, frame: FrameIndex) -> impl Iterator<Item = &T> {
        let Self {
            waiting,
            holding,
            frames,
        } = self;
        while let Some(next) = waiting.next_if(|thing| frames(thing).start <= frame) {
            holding.push(next);
        }
        holding.retain(|thing| frames(thing).end >= frame);
        holding.iter()
    }
}
