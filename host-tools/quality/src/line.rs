//! A line over some frames, as the desk keeps it: keyframes of points.
//!
//! Points are in pixels of the upright source image, x right, y down, from the top left corner.

use crate::Curve;
use label_core::FrameIndex;
use serde::{Deserialize, Serialize};

/// Most points of one line: the finest face meshes have 40 on an outline.
pub const MAX_LINE_POINTS: usize = 256;

/// Where a line is in a frame: frame, points as x and y.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineKey(pub FrameIndex, pub Vec<[f32; 2]>);

/// Where a line is.
///
/// Between two keyframes each point moves evenly. Where they differ in their number of points, the one with fewer gets as many
/// as the other, at equal lengths along it. Before the first keyframe and after the last the line stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineValue {
    /// The last point is joined to the first.
    pub closed: bool,
    /// In the order of frames.
    pub keys: Vec<LineKey>,
}

impl LineValue {
    /// The line in a frame; none without keyframes.
    pub fn at(&self, frame: FrameIndex) -> Option<Curve> {
        let points = |key: &LineKey| key.1.iter().map(|at| at.map(f64::from)).collect();
        let after = self.keys.partition_point(|key| key.0 < frame);
        let before = after.checked_sub(1).and_then(|n| self.keys.get(n));
        let points: Vec<[f64; 2]> = match (before, self.keys.get(after)) {
            (_, Some(next)) if next.0 == frame => points(next),
            (Some(last), Some(next)) => {
                let share = f64::from(frame - last.0) / f64::from(next.0 - last.0);
                between(&points(last), &points(next), self.closed, share)
            }
            (Some(only), None) | (None, Some(only)) => points(only),
            (None, None) => return None,
        };
        Some(Curve {
            points,
            is_closed: self.closed,
        })
    }
}

/// The points at this share of the way from one line to another.
pub fn between(from: &[[f64; 2]], to: &[[f64; 2]], is_closed: bool, share: f64) -> Vec<[f64; 2]> {
    let count = from.len().max(to.len());
    let from = with_points(from, is_closed, count);
    let to = with_points(to, is_closed, count);
    let mix = |from: f64, to: f64| from + (to - from) * share;
    let mixed = from.iter().zip(&to);
    mixed
        .map(|(from, to)| [mix(from[0], to[0]), mix(from[1], to[1])])
        .collect()
}

/// The same line by so many points, the first where it was, the others at equal lengths along it.
fn with_points(points: &[[f64; 2]], is_closed: bool, count: usize) -> Vec<[f64; 2]> {
    let Some(first) = points.first().filter(|_| points.len() != count) else {
        return points.to_vec();
    };
    let mut corners = points.to_vec();
    corners.extend(is_closed.then_some(*first));
    let apart = |ends: &[[f64; 2]]| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]);
    let whole: f64 = corners.windows(2).map(apart).sum();
    let parts = if is_closed { count } else { count - 1 };
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
        spread.push([
            from[0] + (to[0] - from[0]) * share,
            from[1] + (to[1] - from[1]) * share,
        ]);
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_move_evenly_and_a_line_stands_beyond_its_keys() {
        let line = LineValue {
            closed: false,
            keys: vec![
                LineKey(10, vec![[0.0, 0.0], [10.0, 0.0]]),
                LineKey(14, vec![[0.0, 8.0], [5.0, 8.0], [10.0, 8.0]]),
            ],
        };
        let at = |frame| line.at(frame).unwrap().points;
        assert_eq!(at(3), [[0.0, 0.0], [10.0, 0.0]]);
        assert_eq!(at(11), [[0.0, 2.0], [5.0, 2.0], [10.0, 2.0]]);
        assert_eq!(at(99), [[0.0, 8.0], [5.0, 8.0], [10.0, 8.0]]);
    }
}
