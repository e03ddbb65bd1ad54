//! Lines drawn on a face, as files of other tools have them: contours of the eyelids, the outline of the face.
//!
//! Points are in pixels of the upright source image, x right, y down, from the top left corner. Rigs offer no lines;
//! people draw them at the desk, and other tools' files hold them.

use crate::clip::{Label, PointAt, Standing, Value};
use label_core::{FrameIndex, FrameRange};
use quality::{DeskKind, between};
pub use quality::{LineKind, MAX_LINE_POINTS};

/// Where a line is in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct LineKey {
    /// The frame.
    pub frame: FrameIndex,
    /// Its points, two at least.
    pub points: Vec<PointAt>,
}

/// A line over some frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it follows.
    pub kind: LineKind,
    /// Frames it holds for.
    pub frames: FrameRange,
    /// The last point is joined to the first.
    pub is_closed: bool,
    /// Who stands behind it.
    pub standing: Standing,
    /// Where it is; in the order of frames.
    pub keys: Vec<LineKey>,
}

impl Line {
    /// The line that a label draws; none of other kinds.
    pub fn of(label: &Label) -> Option<Self> {
        let (DeskKind::Line(kind), Some(Value::Line(line))) = (label.kind, &label.value) else {
            return None;
        };
        let key = |key: &quality::LineKey| LineKey {
            frame: key.0,
            points: key
                .1
                .iter()
                .map(|[x, y]| PointAt {
                    x: f64::from(*x),
                    y: f64::from(*y),
                })
                .collect(),
        };
        Some(Self {
            kind,
            frames: label.frames,
            is_closed: line.closed,
            standing: label.standing,
            keys: line.keys.iter().map(key).collect(),
        })
    }

    /// The points in a frame; none in frames it does not hold for.
    ///
    /// Between two keyframes each point moves evenly. Where they differ in their number of points, the one with fewer gets as
    /// many as the other, at equal lengths along it. Before the first keyframe and after the last the line stands.
    pub fn at(&self, frame: FrameIndex) -> Option<Vec<PointAt>> {
        if !self.frames.contains(frame) {
            return None;
        }
        let after = self.keys.partition_point(|key| key.frame < frame);
        let before = after.checked_sub(1).and_then(|n| self.keys.get(n));
        match (before, self.keys.get(after)) {
            (_, Some(next)) if next.frame == frame => Some(next.points.clone()),
            (Some(last), Some(next)) => {
                let share = f64::from(frame - last.frame) / f64::from(next.frame - last.frame);
                let plain = |key: &LineKey| -> Vec<[f64; 2]> {
                    key.points.iter().map(|at| [at.x, at.y]).collect()
                };
                let mixed = between(&plain(last), &plain(next), self.is_closed, share);
                let mixed = mixed.into_iter().map(|[x, y]| PointAt { x, y });
                Some(mixed.collect())
            }
            (Some(only), None) | (None, Some(only)) => Some(only.points.clone()),
            (None, None) => None,
        }
    }
}
