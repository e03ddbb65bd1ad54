//! Who in one set is who in the other.

use super::{Side, distance, for_frames, iou};
use label_core::{FrameIndex, FrameRange, TrackId};
use std::collections::{BTreeMap, BTreeSet};

/// What stands for the distance between the eyes where only one is true, in pixels.
const ONE_EYE_PX: f64 = 40.0;

/// Tracks of a prediction, each with the true one it is of.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    of: BTreeMap<TrackId, TrackId>,
    /// Frames in which a true track is taken: ends by beginnings.
    taken: BTreeMap<TrackId, BTreeMap<FrameIndex, FrameIndex>>,
}

impl Pairs {
    /// Pairs tracks, those first that agree most: summed over frames, boxes by their overlap, eyes by their nearness as a share of
    /// the distance between the eyes, and events by their overlap. Where nothing agrees, equal numbers are one person. Several
    /// predicted tracks are of one true person where they share no frame: what has no tracks numbers people anew in each picture.
    pub(super) fn of(truth: &Side, predicted: &Side) -> Self {
        let mut agree: BTreeMap<(TrackId, TrackId), f64> = BTreeMap::new();
        let mut add = |told: TrackId, right: TrackId, weight: f64| {
            if weight > 0.0 {
                *agree.entry((told, right)).or_default() += weight;
            }
        };
        for_frames(&truth.boxes, &predicted.boxes, |_, truth, predicted| {
            for told in predicted {
                for right in truth {
                    add(told.track, right.track, iou(told.at, right.at));
                }
            }
        });
        for eye in 0..2 {
            let other: BTreeMap<_, _> = truth.eyes[1 - eye]
                .iter()
                .map(|at| ((at.frame, at.track), at.at))
                .collect();
            for_frames(
                &truth.eyes[eye],
                &predicted.eyes[eye],
                |frame, truth, predicted| {
                    for right in truth {
                        let apart = other
                            .get(&(frame, right.track))
                            .map_or(ONE_EYE_PX, |other| distance(*other, right.at).max(1.0));
                        for told in predicted {
                            let nearness = 1.0 - distance(told.at, right.at) / apart;
                            add(told.track, right.track, nearness);
                        }
                    }
                },
            );
        }
        for right in truth.spans.iter().filter(|span| span.kind.is_event()) {
            for told in predicted
                .spans
                .iter()
                .filter(|span| span.kind == right.kind)
            {
                if let (Some(told_of), Some(right_of)) = (told.track, right.track) {
                    add(
                        told_of,
                        right_of,
                        f64::from(right.frames.overlap(told.frames)),
                    );
                }
            }
        }
        let mut order: Vec<_> = agree.into_iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let (true_tracks, frames_of) = (truth.frames_of_tracks(), predicted.frames_of_tracks());
        let mut pairs = Self::default();
        for ((told, right), _) in order {
            pairs.pair((told, &frames_of[&told]), right);
        }
        for (track, frames) in &frames_of {
            if true_tracks.contains_key(track) {
                pairs.pair((*track, frames), *track);
            }
        }
        pairs
    }

    fn pair(&mut self, (told, frames): (TrackId, &Vec<FrameRange>), right: TrackId) {
        if self.of.contains_key(&told) {
            return;
        }
        let taken = self.taken.entry(right).or_default();
        // Ranges that are taken lie apart: the last that begins before the end tells.
        let is_free = frames.iter().all(|one| {
            let before = taken.range(..=one.end).next_back();
            before.is_none_or(|(_, end)| *end < one.start)
        });
        if is_free {
            taken.extend(frames.iter().map(|one| (one.start, one.end)));
            self.of.insert(told, right);
        }
    }

    /// The number of the truth, or where it does not have them that of the prediction.
    pub(super) fn known_as(&self, told: TrackId) -> TrackId {
        self.truth_of(told).unwrap_or(told)
    }

    /// The true track that this one is of.
    pub(super) fn truth_of(&self, told: TrackId) -> Option<TrackId> {
        self.of.get(&told).copied()
    }
}

impl Side {
    /// The frames in which something is said of each track, as ranges that lie apart.
    fn frames_of_tracks(&self) -> BTreeMap<TrackId, Vec<FrameRange>> {
        let eyes = self.eyes.iter().flatten();
        let eyes = eyes.map(|at| (at.track, at.frame, at.frame));
        let boxes = self.boxes.iter().map(|at| (at.track, at.frame, at.frame));
        let spans = self.spans.iter();
        let spans =
            spans.filter_map(|span| Some((span.track?, span.frames.start, span.frames.end)));
        let all: BTreeSet<_> = boxes.chain(eyes).chain(spans).collect();
        let mut of: BTreeMap<TrackId, Vec<FrameRange>> = BTreeMap::new();
        for (track, start, end) in all {
            let ranges = of.entry(track).or_default();
            match ranges.last_mut() {
                Some(last) if start <= last.end.saturating_add(1) => last.end = last.end.max(end),
                _ => ranges.push(FrameRange::new(start, end)),
            }
        }
        of
    }
}
