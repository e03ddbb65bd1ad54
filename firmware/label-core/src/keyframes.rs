//! Tracks as keyframes: the fewest measured frames whose linear interpolation stays within a stated error of what was
//! measured in **every** frame.
//!
//! Interpolation is linear in the frame index, as annotation tools do it. Keyframes are measured frames, never
//! invented positions. Within one segment the result is optimal: a shortest path over "frame i joins frame j"
//! edges, where an edge exists when every measurement between lies within the tolerance (Imai and Iri, "Polygonal
//! approximations of a curve", 1988). The feasible slopes from one frame form an interval per dimension that only
//! shrinks, so all edges of a segment of n frames are found in O(n²) steps at most.

use crate::time::FrameIndex;

/// Most frames in one segment; a longer track travels as several.
///
/// As many as a label holds keyframes ([`crate::wire::MAX_KEYFRAMES`]), so that even noise that needs every frame fits.
pub const MAX_SEGMENT_FRAMES: usize = crate::wire::MAX_KEYFRAMES;

/// One measurement of `DIMENSIONS` numbers at a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement<const DIMENSIONS: usize> {
    /// Frame of the measurement.
    pub frame: FrameIndex,
    /// Measured numbers, in the units of the tolerance.
    pub values: [f32; DIMENSIONS],
}

/// Why a measurement was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The segment holds [`MAX_SEGMENT_FRAMES`]; compress it first.
    #[error("the segment is full")]
    Full,
    /// Frames of one segment follow each other without gaps.
    #[error("frame {frame} does not follow frame {last}")]
    NotNext {
        /// Last frame held.
        last: FrameIndex,
        /// Frame offered.
        frame: FrameIndex,
    },
    /// A value is not a finite number.
    #[error("frame {frame} holds a value that is not finite")]
    NotFinite {
        /// Frame offered.
        frame: FrameIndex,
    },
}

/// A gap-free run of measurements, and its compression.
pub struct Segment<const DIMENSIONS: usize> {
    tolerance: [f32; DIMENSIONS],
    measured: heapless::Vec<Measurement<DIMENSIONS>, MAX_SEGMENT_FRAMES>,
}

impl<const DIMENSIONS: usize> Segment<DIMENSIONS> {
    /// An empty segment with the largest allowed error of each dimension.
    pub const fn new(tolerance: [f32; DIMENSIONS]) -> Self {
        Self {
            tolerance,
            measured: heapless::Vec::new(),
        }
    }

    /// Adds the next frame's measurement.
    pub fn push(&mut self, measurement: Measurement<DIMENSIONS>) -> Result<(), SegmentError> {
        let frame = measurement.frame;
        if !measurement.values.iter().all(|value| value.is_finite()) {
            return Err(SegmentError::NotFinite { frame });
        }
        if let Some(last) = self.measured.last().map(|m| m.frame)
            && last.checked_add(1) != Some(frame)
        {
            return Err(SegmentError::NotNext { last, frame });
        }
        self.measured
            .push(measurement)
            .map_err(|_| SegmentError::Full)
    }

    /// The measurements held.
    pub fn measured(&self) -> &[Measurement<DIMENSIONS>] {
        &self.measured
    }

    /// Whether another frame would not fit.
    pub fn is_full(&self) -> bool {
        self.measured.is_full()
    }

    /// Forgets the measurements, to begin the next segment.
    pub fn clear(&mut self) {
        self.measured.clear();
    }

    /// Hands each keyframe to `emit`, first and last frame included, and returns how many there were.
    pub fn compress(&self, mut emit: impl FnMut(&Measurement<DIMENSIONS>)) -> usize {
        const NONE: u16 = u16::MAX;
        let n = self.measured.len();
        if n == 0 {
            return 0;
        }
        // steps[i]: fewest edges from frame i to the last frame; next[i]: where the best path goes.
        let mut steps = [NONE; MAX_SEGMENT_FRAMES];
        let mut next = [NONE; MAX_SEGMENT_FRAMES];
        steps[n - 1] = 0;
        for i in (0..n - 1).rev() {
            self.reachable_from(i, |j| {
                let through = steps[j] + 1;
                // `<=` prefers the farther frame among equals: longer straight runs are easier to correct.
                if steps[i] == NONE || through <= steps[i] {
                    steps[i] = through;
                    next[i] = j as u16;
                }
            });
        }
        let (mut at, mut count) = (0usize, 1);
        emit(&self.measured[0]);
        while at != n - 1 {
            at = usize::from(next[at]);
            emit(&self.measured[at]);
            count += 1;
        }
        count
    }

    /// Calls `visit` with every later frame that a straight line from frame `i` reaches within the tolerance of all
    /// frames between. The next frame always is one.
    fn reachable_from(&self, i: usize, mut visit: impl FnMut(usize)) {
        let origin = self.measured[i].values;
        let mut low = [f32::NEG_INFINITY; DIMENSIONS];
        let mut high = [f32::INFINITY; DIMENSIONS];
        for j in i + 1..self.measured.len() {
            let distance = (j - i) as f32;
            let values = self.measured[j].values;
            let mut fits = true;
            for d in 0..DIMENSIONS {
                let slope = (values[d] - origin[d]) / distance;
                fits &= slope >= low[d] && slope <= high[d];
            }
            if fits {
                visit(j);
            }
            let mut open = true;
            for d in 0..DIMENSIONS {
                let rise = values[d] - origin[d];
                low[d] = low[d].max((rise - self.tolerance[d]) / distance);
                high[d] = high[d].min((rise + self.tolerance[d]) / distance);
                open &= low[d] <= high[d];
            }
            if !open {
                return;
            }
        }
    }
}

/// The value at `frame` on the straight line between two keyframes.
pub fn interpolate<const DIMENSIONS: usize>(
    a: &Measurement<DIMENSIONS>,
    b: &Measurement<DIMENSIONS>,
    frame: FrameIndex,
) -> [f32; DIMENSIONS] {
    if a.frame == b.frame {
        return a.values;
    }
    let t = (frame as f32 - a.frame as f32) / (b.frame as f32 - a.frame as f32);
    core::array::from_fn(|d| a.values[d] + t * (b.values[d] - a.values[d]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn segment(tolerance: f32, rows: &[[f32; 2]]) -> Segment<2> {
        let mut segment = Segment::new([tolerance; 2]);
        for (frame, values) in rows.iter().enumerate() {
            segment
                .push(Measurement {
                    frame: frame as u32 + 7,
                    values: *values,
                })
                .unwrap();
        }
        segment
    }

    fn keyframes(segment: &Segment<2>) -> Vec<Measurement<2>> {
        let mut out = Vec::new();
        let count = segment.compress(|keyframe| out.push(*keyframe));
        assert_eq!(count, out.len());
        out
    }

    fn worst_error(segment: &Segment<2>, keys: &[Measurement<2>]) -> f32 {
        let mut worst = 0f32;
        for m in segment.measured() {
            let pair = keys
                .windows(2)
                .find(|w| m.frame >= w[0].frame && m.frame <= w[1].frame);
            let shown = pair.map_or(keys[0].values, |w| interpolate(&w[0], &w[1], m.frame));
            for (shown, measured) in shown.iter().zip(m.values) {
                worst = worst.max((shown - measured).abs());
            }
        }
        worst
    }

    /// Fewest keyframes by trying every subset.
    fn fewest(segment: &Segment<2>, tolerance: f32) -> usize {
        let m = segment.measured();
        let inner = m.len().saturating_sub(2);
        (0..1u32 << inner)
            .filter_map(|mask| {
                let keys: Vec<_> = m
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| *i == 0 || *i == m.len() - 1 || mask >> (i - 1) & 1 == 1)
                    .map(|(_, m)| *m)
                    .collect();
                (worst_error(segment, &keys) <= tolerance).then_some(keys.len())
            })
            .min()
            .unwrap()
    }

    proptest! {
        #[test]
        fn interpolation_stays_within_the_tolerance_in_every_frame(
            steps in prop::collection::vec((-4.0f32..4.0, -4.0f32..4.0), 1..MAX_SEGMENT_FRAMES),
            tolerance in 0.05f32..6.0,
        ) {
            let mut at = [300.0f32, 200.0];
            let rows: Vec<_> = steps.iter().map(|(dx, dy)| { at = [at[0] + dx, at[1] + dy]; at }).collect();
            let segment = segment(tolerance, &rows);
            // 1e-3 px: rounding of f32 at the size of pictures.
            prop_assert!(worst_error(&segment, &keyframes(&segment)) <= tolerance + 1e-3);
        }

        #[test]
        fn no_smaller_set_of_frames_would_do(
            rows in prop::collection::vec((0.0f32..8.0, 0.0f32..8.0), 2..10), tolerance in 0.2f32..4.0,
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(x, y)| [x, y]).collect();
            let segment = segment(tolerance, &rows);
            prop_assert!(keyframes(&segment).len() <= fewest(&segment, tolerance - 1e-4));
        }
    }

    #[test]
    fn a_straight_move_needs_two_keyframes_and_one_frame_needs_one() {
        let rows: Vec<_> = (0..100)
            .map(|i| [i as f32 * 1.5, 50.0 - i as f32])
            .collect();
        assert_eq!(keyframes(&segment(0.01, &rows)).len(), 2);
        assert_eq!(keyframes(&segment(1.0, &rows[..1])).len(), 1);
    }

    #[test]
    fn gaps_and_nan_are_refused() {
        let mut segment = Segment::new([1.0]);
        segment
            .push(Measurement {
                frame: 3,
                values: [0.0],
            })
            .unwrap();
        assert_eq!(
            segment.push(Measurement {
                frame: 5,
                values: [0.0]
            }),
            Err(SegmentError::NotNext { last: 3, frame: 5 })
        );
        assert_eq!(
            segment.push(Measurement {
                frame: 4,
                values: [f32::NAN]
            }),
            Err(SegmentError::NotFinite { frame: 4 })
        );
    }
}
