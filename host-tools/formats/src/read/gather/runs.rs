//! What is told frame by frame, as labels: frames that belong together become one.

use super::UNTOLD;
use crate::clip::{BoxAt, Key, PointAt, Value};
use label_core::FrameIndex;

/// What a label says in one frame of a format of pictures.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::read) enum Seen {
    Box([f64; 4]),
    Point([f64; 2]),
    Says(Value),
    Nothing,
}

/// What is told of one frame.
pub(super) struct Told {
    pub(super) frame: FrameIndex,
    pub(super) seen: Seen,
    pub(super) confidence: Option<f64>,
}

/// What has an identity is one; of the rest only frames that follow each other and say the same belong together.
pub(super) fn runs(frames: Vec<Told>, joined: bool) -> Vec<Vec<Told>> {
    let mut runs: Vec<Vec<Told>> = Vec::new();
    for told in frames {
        let says_same = |before: &Seen| match (before, &told.seen) {
            (Seen::Says(Value::Event(_)), Seen::Says(Value::Event(_))) => true,
            (Seen::Says(a), Seen::Says(b)) => a == b,
            _ => true,
        };
        let before = runs.last().and_then(|run| run.last());
        let goes_on = before.is_some_and(|before| {
            joined || (before.frame + 1 == told.frame && says_same(&before.seen))
        });
        match runs.last_mut() {
            Some(run) if goes_on => run.push(told),
            _ => runs.push(vec![told]),
        }
    }
    runs
}

/// How sure all of a run is; none where nobody says it.
pub(super) fn mean(run: &[Told]) -> Option<f64> {
    let first = run.first()?.confidence?;
    if run.iter().all(|told| told.confidence == Some(first)) {
        return Some(first);
    }
    let told = run.iter().filter_map(|told| told.confidence);
    let (sum, count) = told.fold((0.0, 0.0), |(sum, count), one| (sum + one, count + 1.0));
    Some(sum / count)
}

pub(super) fn value_of(run: Vec<Told>) -> Option<Value> {
    let mut boxes = Vec::new();
    let mut points = Vec::new();
    for told in run {
        let (frame, confidence) = (told.frame, told.confidence.unwrap_or(UNTOLD));
        match told.seen {
            Seen::Box([x, y, width, height]) => boxes.push(Key {
                frame,
                at: BoxAt {
                    x,
                    y,
                    width,
                    height,
                },
                confidence,
            }),
            Seen::Point([x, y]) => points.push(Key {
                frame,
                at: PointAt { x, y },
                confidence,
            }),
            Seen::Says(value) => return Some(value),
            Seen::Nothing => return None,
        }
    }
    Some(if points.is_empty() {
        Value::Boxes(boxes)
    } else {
        Value::Points(points)
    })
}
