//! One value a frame: labels of one kind and track, cut where they overlap.
//!
//! What persons stand behind goes before what machines offer, and the later word before the earlier.

use crate::clip::{Between, BoxAt, Clip, Key, Label, PointAt, place_at};
use label_core::{FrameIndex, FrameRange, TrackId};
use quality::DeskKind;
use std::collections::BTreeMap;

/// The part of a label that holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece<'a> {
    /// The label.
    pub label: &'a Label,
    /// Where it holds; within the label's frames.
    pub frames: FrameRange,
}

impl Piece<'_> {
    /// The boxes that draw this piece, its first and last frame among them.
    pub fn boxes(&self) -> Vec<Key<BoxAt>> {
        cut(self.label.boxes(), self.frames)
    }

    /// The points that draw this piece, its first and last frame among them.
    pub fn points(&self) -> Vec<Key<PointAt>> {
        cut(self.label.points(), self.frames)
    }
}

fn cut<P: Between>(keys: &[Key<P>], frames: FrameRange) -> Vec<Key<P>> {
    let mut inside: Vec<Key<P>> = Vec::with_capacity(keys.len() + 2);
    let end = |frame| {
        let nearest = keys.partition_point(|key| key.frame <= frame).max(1) - 1;
        Some(Key {
            frame,
            at: place_at(keys, frame)?,
            confidence: keys[nearest].confidence,
        })
    };
    inside.extend(end(frames.start));
    let between = |key: &&Key<P>| key.frame > frames.start && key.frame < frames.end;
    inside.extend(keys.iter().filter(between));
    if frames.end > frames.start {
        inside.extend(end(frames.end));
    }
    inside
}

/// The pieces of every kind and track that a clip holds values of, each list in time order.
pub fn pieces(clip: &Clip) -> BTreeMap<(Option<TrackId>, DeskKind), Vec<Piece<'_>>> {
    let mut of: BTreeMap<_, Vec<&Label>> = BTreeMap::new();
    for label in clip.labels.iter().filter(|label| label.standing.is_held()) {
        of.entry((label.track, label.kind)).or_default().push(label);
    }
    of.into_iter()
        .map(|(key, labels)| (key, one_a_frame(labels)))
        .collect()
}

/// Cuts labels so that no two hold in one frame.
pub fn one_a_frame(mut labels: Vec<&Label>) -> Vec<Piece<'_>> {
    let rank = |label: &Label| (label.standing.is_reviewed(), label.at_us);
    labels.sort_by(|a, b| {
        rank(b)
            .cmp(&rank(a))
            .then_with(|| a.order().cmp(&b.order()))
    });
    let mut taken: BTreeMap<FrameIndex, Piece<'_>> = BTreeMap::new();
    for label in labels {
        let mut free = Vec::new();
        let mut from = Some(label.frames.start);
        let before = taken.range(..label.frames.start).next_back();
        let within = taken.range(label.frames.start..=label.frames.end);
        for (_, piece) in before.into_iter().chain(within) {
            let Some(start) = from.filter(|start| piece.frames.end >= *start) else {
                continue;
            };
            if piece.frames.start > start {
                free.push(FrameRange::new(start, piece.frames.start - 1));
            }
            from = piece.frames.end.checked_add(1);
        }
        if let Some(start) = from.filter(|start| *start <= label.frames.end) {
            free.push(FrameRange::new(start, label.frames.end));
        }
        taken.extend(
            free.into_iter()
                .map(|frames| (frames.start, Piece { label, frames })),
        );
    }
    taken.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Standing, Value};
    use label_core::LabelKind;

    fn label(id: &str, start: u32, end: u32, standing: Standing, at_us: i64) -> Label {
        Label {
            id: id.to_owned(),
            kind: LabelKind::KeypointLeftEye.into(),
            track: Some(1),
            driver: false,
            frames: FrameRange::new(start, end),
            standing,
            value: Some(Value::Points(vec![
                Key {
                    frame: start,
                    at: PointAt { x: 0.0, y: 0.0 },
                    confidence: 0.5,
                },
                Key {
                    frame: end,
                    at: PointAt { x: 10.0, y: 0.0 },
                    confidence: 0.9,
                },
            ])),
            reason: None,
            cause: None,
            confidence: None,
            model: None,
            by: None,
            at_us: Some(at_us),
            signs: None,
        }
    }

    #[test]
    fn what_persons_say_goes_before_what_machines_offer_and_the_later_before_the_earlier() {
        let offered = label("offered", 0, 100, Standing::Machine, 0);
        let early = label("early", 40, 60, Standing::Created, 1);
        let late = label("late", 50, 55, Standing::Confirmed, 2);
        let held: Vec<_> = one_a_frame(vec![&offered, &early, &late])
            .iter()
            .map(|piece| {
                (
                    piece.label.id.as_str(),
                    piece.frames.start,
                    piece.frames.end,
                )
            })
            .collect();
        assert_eq!(
            held,
            [
                ("offered", 0, 39),
                ("early", 40, 49),
                ("late", 50, 55),
                ("early", 56, 60),
                ("offered", 61, 100)
            ]
        );
    }

    #[test]
    fn a_cut_track_is_drawn_as_the_whole_one_was() {
        let offered = label("offered", 0, 100, Standing::Machine, 0);
        let made = label("made", 0, 49, Standing::Created, 1);
        let pieces = one_a_frame(vec![&offered, &made]);
        let points = pieces[1].points();
        let drawn: Vec<_> = points.iter().map(|key| (key.frame, key.at.x)).collect();
        assert_eq!(drawn, [(50, 5.0), (100, 10.0)]);
    }
}
