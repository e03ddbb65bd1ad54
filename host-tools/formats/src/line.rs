//! Lines drawn on a face, as files of other tools have them: contours of the eyelids, the outline of the face.
//!
//! Points are in pixels of the upright source image, x right, y down, from the top left corner. Rigs offer no lines and the
//! desk keeps none; they are read to measure one set of files against another.

use crate::clip::{PointAt, Standing};
use label_core::{FrameIndex, FrameRange};

/// Most points of one line: the finest face meshes have 40 on an outline.
pub const MAX_LINE_POINTS: usize = 256;

/// What a line follows. Left and right are the subject's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// The edge of both lids of the left eye.
    LeftEyelid,
    /// The edge of both lids of the right eye.
    RightEyelid,
    /// The edge of the face, with the hairline or without.
    FaceOutline,
}

impl LineKind {
    /// Every kind, in the order in which tables show them.
    pub const ALL: [Self; 3] = [Self::LeftEyelid, Self::RightEyelid, Self::FaceOutline];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeftEyelid => "polyline-left-eyelid",
            Self::RightEyelid => "polyline-right-eyelid",
            Self::FaceOutline => "polyline-face-outline",
        }
    }

    /// The kind of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

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
                let count = last.points.len().max(next.points.len());
                let from = self.with_points(&last.points, count);
                let to = self.with_points(&next.points, count);
                let mixed = from.iter().zip(&to).map(|(from, to)| PointAt {
                    x: from.x + (to.x - from.x) * share,
                    y: from.y + (to.y - from.y) * share,
                });
                Some(mixed.collect())
            }
            (Some(only), None) | (None, Some(only)) => Some(only.points.clone()),
            (None, None) => None,
        }
    }

    /// The same line by so many points, the first where it was, the others at equal lengths along it.
    fn with_points(&self, points: &[PointAt], count: usize) -> Vec<PointAt> {
        let Some(first) = points.first().filter(|_| points.len() != count) else {
            return points.to_vec();
        };
        let mut corners = points.to_vec();
        corners.extend(self.is_closed.then_some(*first));
        let apart = |ends: &[PointAt]| (ends[1].x - ends[0].x).hypot(ends[1].y - ends[0].y);
        let whole: f64 = corners.windows(2).map(apart).sum();
        let parts = if self.is_closed { count } else { count - 1 };
        if corners.len() < 2 {
            return vec![*first; count];
        }
        let (mut side, mut passed) = (0, 0.0);
        let mut spread = Vec::with_capacity(count);
        for n in 0..count {
            let wanted = whole * n as f64 / parts as f64;
            while side + 2 < corners.len() && passed + apart(&corners[side..=side + 1]) < wanted {
                passed += apart(&corners[side..=side + 1]);
                side += 1;
            }
            let (from, to) = (corners[side], corners[side + 1]);
            let length = apart(&[from, to]);
            let share = if length > 0.0 {
                ((wanted - passed) / length).clamp(0.0, 1.0)
            } else {
                0.0
            };
            spread.push(PointAt {
                x: from.x + (to.x - from.x) * share,
                y: from.y + (to.y - from.y) * share,
            });
        }
        spread
    }
}
