//! Who in one set is who in the other.

use super::{Side, distance, for_frames, iou};
use label_core::TrackId;
use std::collections::BTreeMap;

/// What stands for the distance between the eyes where only one is true, in pixels.
const ONE_EYE_PX: f64 = 40.0;

/// Tracks of a prediction, each with the true one it is of.
#[derive(Debug, Default)]
pub(super) struct Pairs(BTreeMap<TrackId, TrackId>);

impl Pairs {
    /// Pairs tracks one to one, those first that agree most: summed over frames, boxes by their overlap, eyes by their nearness as
    /// a share of the distance between the eyes, and events by their overlap. Where nothing agrees, equal numbers are one person.
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
        let mut pairs = Self::default();
        for ((told, right), _) in order {
            pairs.pair(told, right);
        }
        for track in predicted.tracks() {
            if truth.tracks().any(|right| right == track) {
                pairs.pair(track, track);
            }
        }
        pairs
    }

    fn pair(&mut self, told: TrackId, right: TrackId) {
        let is_taken = self.0.values().any(|one| *one == right);
        if !is_taken {
            self.0.entry(told).or_insert(right);
        }
    }

    /// The number of the truth, or where it does not have them that of the prediction.
    pub(super) fn known_as(&self, told: TrackId) -> TrackId {
        self.truth_of(told).unwrap_or(told)
    }

    /// The true track that this one is of.
    pub(super) fn truth_of(&self, told: TrackId) -> Option<TrackId> {
        self.0.get(&told).copied()
    }
}

impl Side {
    fn tracks(&self) -> impl Iterator<Item = TrackId> {
        let eyes = self.eyes.iter().flatten().map(|at| at.track);
        let boxes = self.boxes.iter().map(|at| at.track);
        let spans = self.spans.iter().filter_map(|span| span.track);
        let mut all: Vec<_> = boxes.chain(eyes).chain(spans).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter()
    }
}
