//! Refitting confidence on verdicts.
//!
//! What a rig called p becomes σ(slope · z + offset), where z are the log odds behind p. Platt (1999) with the prior that the
//! rig was right: slope 1 and offset 0 are pulled towards, so that ten verdicts change little and a thousand decide.

use serde::{Deserialize, Serialize};

/// Weight of the prior, in squared units of slope and offset.
const PRIOR: f64 = 1.0;

/// One judged label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The clip; equal numbers are left out together.
    pub clip: u64,
    /// Log odds that the rig gave it.
    pub log_odds: f64,
    /// Whether it was right.
    pub right: bool,
}

/// What log odds should have been.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    /// Below 1 the rig was too sure of differences.
    pub slope: f64,
    /// Below 0 it promised too much.
    pub offset: f64,
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Platt {
    /// The rig's own numbers.
    pub const UNCHANGED: Self = Self {
        slope: 1.0,
        offset: 0.0,
    };

    /// The probability for what the rig gave these log odds.
    pub fn probability(self, log_odds: f64) -> f64 {
        logistic(self.slope * log_odds + self.offset)
    }

    fn loss(self, points: &[Point]) -> f64 {
        let prior = PRIOR / 2.0 * ((self.slope - 1.0).powi(2) + self.offset.powi(2));
        points
            .iter()
            .map(|point| {
                let z = self.slope * point.log_odds + self.offset;
                // ln(1 + e^-z) without overflow, of what is against the point.
                let z = if point.right { z } else { -z };
                (-z.abs()).exp().ln_1p() + (-z).max(0.0)
            })
            .sum::<f64>()
            + prior
    }

    /// The most likely one: Newton's method on the penalised likelihood, which has one maximum.
    pub fn fit(points: &[Point]) -> Self {
        let mut fit = Self::UNCHANGED;
        for _ in 0..100 {
            let (mut ga, mut gb) = (PRIOR * (fit.slope - 1.0), PRIOR * fit.offset);
            let (mut haa, mut hab, mut hbb) = (PRIOR, 0.0, PRIOR);
            for point in points {
                let p = fit.probability(point.log_odds);
                let error = p - f64::from(u8::from(point.right));
                let w = p * (1.0 - p);
                ga += error * point.log_odds;
                gb += error;
                haa += w * point.log_odds * point.log_odds;
                hab += w * point.log_odds;
                hbb += w;
            }
            let determinant = haa * hbb - hab * hab;
            let (da, db) = (
                (hbb * ga - hab * gb) / determinant,
                (haa * gb - hab * ga) / determinant,
            );
            if da.abs().max(db.abs()) < 1e-9 {
                break;
            }
            // A whole step may overshoot where the curve is flat: the penalised loss must fall.
            let loss = fit.loss(points);
            let mut cut = 1.0;
            let next = loop {
                let next = Self {
                    slope: fit.slope - cut * da,
                    offset: fit.offset - cut * db,
                };
                if next.loss(points) <= loss || cut < 1e-6 {
                    break next;
                }
                cut /= 2.0;
            };
            fit = next;
        }
        // Confidence must not turn round: then it tells nothing, and the share alone is left.
        if fit.slope < 0.0 {
            fit.slope = 0.0;
            let right = points.iter().filter(|point| point.right).count() as f64;
            let share = (right + 1.0) / (points.len() as f64 + 2.0);
            fit.offset = (share / (1.0 - share)).ln();
        }
        fit
    }
}

/// Calibration error over ten bins: as the rig promised, and as the fit would have, each clip by a fit without it (at most
/// twenty folds of clips).
pub fn cross_validated(points: &[Point]) -> (f64, f64) {
    const FOLDS: u64 = 20;
    let mut clips: Vec<u64> = points.iter().map(|point| point.clip).collect();
    clips.sort_unstable();
    clips.dedup();
    let fold = |point: &Point| clips.binary_search(&point.clip).unwrap_or(0) as u64 % FOLDS;
    let mut refitted = Vec::with_capacity(points.len());
    for held_out in 0..FOLDS.min(clips.len() as u64) {
        let rest: Vec<Point> = points
            .iter()
            .filter(|point| fold(point) != held_out)
            .copied()
            .collect();
        let fit = Platt::fit(&rest);
        refitted.extend(
            points
                .iter()
                .filter(|point| fold(point) == held_out)
                .map(|point| (fit.probability(point.log_odds), point.right)),
        );
    }
    let before = points
        .iter()
        .map(|point| (logistic(point.log_odds), point.right));
    (error(before), error(refitted.into_iter()))
}

fn error(promises: impl Iterator<Item = (f64, bool)>) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    let mut all = 0.0;
    for (p, right) in promises {
        let bin = &mut bins[crate::Reliability::bin_of(p, 10)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(right));
        all += 1.0;
    }
    bins.iter().map(|(p, y)| (p - y).abs()).sum::<f64>() / f64::max(all, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels whose true log odds are 0.5 z − 1.
    fn overconfident(count: u64) -> Vec<Point> {
        (0..count)
            .map(|i| {
                let log_odds = (i % 41) as f64 / 5.0 - 3.0;
                let truth = logistic(0.5 * log_odds - 1.0);
                // Evenly spread instead of random: the share right at each z is the truth.
                let place = ((i / 41) as f64 + 0.5) / (count as f64 / 41.0).ceil();
                Point {
                    clip: i / 200,
                    log_odds,
                    right: place < truth,
                }
            })
            .collect()
    }

    #[test]
    fn a_rig_that_promised_too_much_is_found_out() {
        let fit = Platt::fit(&overconfident(8200));
        assert!(
            (fit.slope - 0.5).abs() < 0.03 && (fit.offset + 1.0).abs() < 0.05,
            "{fit:?}"
        );
        let (before, after) = cross_validated(&overconfident(8200));
        assert!(before > 0.15 && after < 0.5 * before, "{before} {after}");
    }

    #[test]
    fn a_handful_of_verdicts_changes_little_and_none_nothing() {
        assert_eq!(Platt::fit(&[]), Platt::UNCHANGED);
        let two = [Point {
            clip: 1,
            log_odds: 2.0,
            right: true,
        }; 2];
        let fit = Platt::fit(&two);
        assert!(
            (fit.slope - 1.0).abs() < 0.3 && fit.offset.abs() < 0.2,
            "{fit:?}"
        );
    }

    #[test]
    fn a_confidence_that_points_the_wrong_way_is_replaced_by_the_share() {
        let points: Vec<Point> = (0..200)
            .map(|i| Point {
                clip: i,
                log_odds: if i % 2 == 0 { 3.0 } else { -3.0 },
                right: i % 2 == 1,
            })
            .collect();
        let fit = Platt::fit(&points);
        assert_eq!(fit.slope, 0.0);
        assert!((fit.probability(3.0) - 0.5).abs() < 0.01);
    }
}
