//! Lines against lines: how far two curves lie apart.
//!
//! The root mean square symmetric distance (Heimann et al., *Comparison and Evaluation of Methods for Liver Segmentation From
//! CT Datasets*, IEEE Transactions on Medical Imaging 28(8), 2009, there of surfaces): the square root of the mean, over all of
//! both curves by their length, of the squared distance to the nearest point of the other. It asks neither for equal numbers of
//! points nor for one direction, and what one curve has and the other lacks counts. Pixels of the upright source image.

use super::{Counts, Spread, Sum};
use crate::precision::Share;
use serde::Serialize;
use std::collections::BTreeMap;

/// Largest distance that is right, pixels.
pub(crate) const LINE_PX: f64 = 10.0;
/// A curve is looked at in this many places at least.
const PLACES: f64 = 128.0;

/// A line in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// x and y of its corners.
    pub points: Vec<[f64; 2]>,
    /// The last is joined to the first.
    pub is_closed: bool,
}

impl Curve {
    fn sides(&self) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
        let next = self.points.iter().skip(1);
        let first = self.points.first().filter(|_| self.is_closed);
        // Of a single point the side that leads back is all there is.
        let alone = self.points.first().filter(|_| self.points.len() == 1);
        let ends = next.chain(first.or(alone));
        self.points.iter().copied().zip(ends.copied())
    }

    fn length(&self) -> f64 {
        self.sides()
            .map(|(from, to)| super::distance(from, to))
            .sum()
    }

    /// The square of the distance from here to the nearest point.
    fn squared_from(&self, at: [f64; 2]) -> f64 {
        let from_side = |(from, to): ([f64; 2], [f64; 2])| {
            let along = [to[0] - from[0], to[1] - from[1]];
            let length = along[0] * along[0] + along[1] * along[1];
            let share = if length > 0.0 {
                let toward = (at[0] - from[0]) * along[0] + (at[1] - from[1]) * along[1];
                (toward / length).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let foot = [from[0] + share * along[0], from[1] + share * along[1]];
            (at[0] - foot[0]).powi(2) + (at[1] - foot[1]).powi(2)
        };
        self.sides().map(from_side).fold(f64::INFINITY, f64::min)
    }

    /// The sum over the curve, by length, of squared distances to another, and the length. What has no length counts as a
    /// thousandth of a pixel, so that two dots have a distance.
    fn squares_to(&self, other: &Self) -> (f64, f64) {
        let whole = self.length();
        let step = whole / PLACES;
        let (mut sum, mut weight) = (0.0, 0.0);
        for (from, to) in self.sides() {
            let length = super::distance(from, to);
            let parts = if step > 0.0 {
                (length / step).ceil().max(1.0)
            } else {
                1.0
            };
            let each = (length / parts).max(1e-3 / parts);
            for n in 0..parts as u32 {
                // The middle of each part stands for it.
                let share = (f64::from(n) + 0.5) / parts;
                let at = [
                    from[0] + share * (to[0] - from[0]),
                    from[1] + share * (to[1] - from[1]),
                ];
                sum += each * other.squared_from(at);
                weight += each;
            }
        }
        (sum, weight)
    }

    /// How far the two lie apart, pixels; none where one has no point.
    pub fn rmse(&self, other: &Self) -> Option<f64> {
        if self.points.is_empty() || other.points.is_empty() {
            return None;
        }
        let (there, back) = (self.squares_to(other), other.squares_to(self));
        Some(((there.0 + back.0) / (there.1 + back.1)).sqrt())
    }
}

/// How one kind of line compares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineRow {
    /// The kind's name.
    pub kind: &'static str,
    /// Always `lines`: a line in a frame.
    pub unit: &'static str,
    /// So many are true.
    pub truth: u64,
    /// So many were predicted where the truth is known.
    pub predicted: u64,
    /// So many of these are right by the standard.
    pub right: u64,
    /// Clips in which either says something.
    pub clips: u64,
    /// right / predicted.
    pub precision: Option<Share>,
    /// right / truth.
    pub recall: Option<Share>,
    /// right / told by both. The standard asks 0.9.
    pub agreement: Option<Share>,
    /// RMSE of what was told by both, pixels.
    pub error: Option<Spread>,
}

/// Lines of two sets, clip by clip.
#[derive(Debug, Default)]
pub struct LineComparison {
    sums: BTreeMap<&'static str, Sum>,
}

impl LineComparison {
    /// Adds what a clip says of one kind: the true lines and the predicted ones of each frame of which it is known what is
    /// true. Within a frame lines are told one to one, the nearest first, whoever they are of.
    pub fn add(
        &mut self,
        kind: &'static str,
        frames: impl Iterator<Item = (Vec<Curve>, Vec<Curve>)>,
    ) {
        let mut counts = Counts::default();
        let mut errors = Vec::new();
        for (truth, predicted) in frames {
            counts.truth += truth.len() as u64;
            counts.predicted += predicted.len() as u64;
            let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
            for (t, right) in truth.iter().enumerate() {
                let apart = |told: &Curve| told.rmse(right);
                let near = predicted.iter().map(apart).enumerate();
                pairs.extend(near.filter_map(|(p, apart)| Some((apart?, t, p))));
            }
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
            let mut taken = (vec![false; truth.len()], vec![false; predicted.len()]);
            for (apart, t, p) in pairs {
                if !taken.0[t] && !taken.1[p] {
                    (taken.0[t], taken.1[p]) = (true, true);
                    counts.both += 1;
                    counts.right += u64::from(apart <= LINE_PX);
                    errors.push(apart);
                }
            }
        }
        if counts.truth + counts.predicted > 0 {
            let sum = self.sums.entry(kind).or_default();
            sum.add(counts);
            sum.errors.append(&mut errors);
        }
    }

    /// One row a kind that is true somewhere: of a set without such lines nobody knows whether it was looked for them.
    pub fn rows(&self) -> Vec<LineRow> {
        let known = self.sums.iter().filter(|(_, sum)| sum.truth > 0);
        let row = |(kind, sum): (&&'static str, &Sum)| LineRow {
            kind,
            unit: "lines",
            truth: sum.truth,
            predicted: sum.predicted,
            right: sum.right,
            clips: sum.clips,
            precision: sum.precision.share(),
            recall: sum.recall.share(),
            agreement: sum.agreement.share(),
            error: Spread::of(&sum.errors),
        };
        known.map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(is_closed: bool, points: &[[f64; 2]]) -> Curve {
        Curve {
            points: points.to_vec(),
            is_closed,
        }
    }

    fn level(y: f64, x: [f64; 2]) -> Curve {
        curve(false, &[[x[0], y], [x[1], y]])
    }

    fn apart(a: &Curve, b: &Curve) -> f64 {
        let (there, back) = (a.rmse(b).unwrap(), b.rmse(a).unwrap());
        assert!((there - back).abs() < 1e-9, "{there} and {back}");
        there
    }

    #[test]
    fn a_line_beside_another_is_off_by_their_distance() {
        let one = level(50.0, [0.0, 100.0]);
        assert!((apart(&one, &level(53.0, [0.0, 100.0])) - 3.0).abs() < 1e-9);
        assert_eq!(apart(&one, &one), 0.0);
    }

    #[test]
    fn neither_direction_nor_number_of_points_matters() {
        let one = level(50.0, [0.0, 100.0]);
        let other = curve(
            false,
            &[[100.0, 50.0], [60.0, 50.0], [59.0, 50.0], [0.0, 50.0]],
        );
        assert!(apart(&one, &other) < 1e-9);
        let square = curve(true, &[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]]);
        let turned = curve(true, &[[9.0, 9.0], [9.0, 0.0], [0.0, 0.0], [0.0, 9.0]]);
        assert!(apart(&square, &turned) < 1e-9);
    }

    #[test]
    fn half_a_line_is_no_right_line() {
        // Of 100 px the second half is missing: squares of 0 to 50 over 50 px make 50^3 / 3, over 150 px of both curves.
        let by_hand = (50.0_f64.powi(3) / 3.0 / 150.0).sqrt();
        let half = apart(&level(0.0, [0.0, 100.0]), &level(0.0, [0.0, 50.0]));
        assert!((half - by_hand).abs() < 0.01, "{half} not {by_hand}");
        assert!(half > LINE_PX);
    }

    #[test]
    fn a_contour_left_open_lacks_its_last_side() {
        // That side of 10 px lies up to 5 px from its ends: 2 * 5^3 / 3 over the 40 + 30 px of both.
        let by_hand = (2.0 * 5.0_f64.powi(3) / 3.0 / 70.0).sqrt();
        let corners = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]];
        let open = apart(&curve(true, &corners), &curve(false, &corners));
        assert!((open - by_hand).abs() < 0.01, "{open} not {by_hand}");
    }

    #[test]
    fn dots_have_a_distance_and_nothing_has_none() {
        let dot = curve(false, &[[0.0, 0.0]]);
        let far = curve(true, &[[3.0, 4.0], [3.0, 4.0], [3.0, 4.0]]);
        assert!((apart(&dot, &far) - 5.0).abs() < 1e-9);
        assert_eq!(dot.rmse(&curve(false, &[])), None);
    }

    #[test]
    fn ten_pixels_are_right_and_more_are_wrong() {
        let mut lines = LineComparison::default();
        let one = || level(0.0, [0.0, 80.0]);
        let frames = [10.0, 10.001, 2.0].map(|y| (vec![one()], vec![level(y, [0.0, 80.0])]));
        lines.add("outline", frames.into_iter());
        // One is missed, one is told where there is none.
        let more = [(vec![one()], Vec::new()), (Vec::new(), vec![one()])];
        lines.add("outline", more.into_iter());
        lines.add("never true", [(Vec::new(), vec![one()])].into_iter());
        let rows = lines.rows();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.truth, row.predicted, row.right), (4, 4, 2));
        assert_eq!(row.agreement.unwrap().value, 2.0 / 3.0);
        let error = row.error.unwrap();
        assert!((error.median - 10.0).abs() < 1e-9, "{error:?}");
    }

    #[test]
    fn of_two_faces_each_line_is_held_to_the_nearest() {
        let mut lines = LineComparison::default();
        let (left, right) = (level(0.0, [0.0, 50.0]), level(0.0, [300.0, 350.0]));
        let told = vec![level(1.0, [300.0, 350.0]), level(2.0, [0.0, 50.0])];
        lines.add("outline", [(vec![left, right], told)].into_iter());
        let row = &lines.rows()[0];
        assert_eq!((row.right, row.truth), (2, 2));
        assert!(row.error.unwrap().p90 < 2.001);
    }
}
