//! The threshold that costs people least.
//!
//! A candidate that is offered costs what judging it costs: accept, correct or reject. One that is held back costs what making
//! the label by hand costs, if there is a label to be made at all. Below the break-even confidence the machine is dearer than
//! silence.

use crate::platt::{Platt, Point};
use serde::{Deserialize, Serialize};

/// Bins in which candidates are counted for the choice.
pub const FINE_BINS: usize = 20;

/// Mean human seconds of each act.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Accepting what is right.
    pub accept: f64,
    /// Putting right what is nearly right.
    pub correct: f64,
    /// Rejecting what is not there.
    pub reject: f64,
    /// Making a label where the machine is silent.
    pub create: f64,
}

/// Candidates of one fine bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CostBin {
    /// Offered, judged or not.
    pub offered: u64,
    /// Accepted as they were.
    pub accepted: u64,
    /// Corrected, however far.
    pub corrected: u64,
    /// Rejected for another cause than that nobody can tell.
    pub rejected: u64,
}

/// What a threshold costs, and the best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdChoice {
    /// (threshold, expected human seconds for the candidates that were offered), lowest first.
    pub curve: Vec<(f64, f64)>,
    /// The cheapest threshold; of several equal ones the lowest.
    pub best: f64,
    /// Seconds at the best, and with everything offered as it was.
    pub seconds: f64,
    /// Seconds with everything offered.
    pub seconds_all: f64,
    /// The probability of being right at which offering and silence cost the same.
    pub break_even: f64,
    /// The share accepted as a curve of confidence.
    pub accepted: Platt,
}

impl ThresholdChoice {
    /// The share that would be accepted at this confidence.
    pub fn accepted_at(&self, confidence: f64) -> f64 {
        let p = confidence.clamp(0.001, 0.999);
        self.accepted.probability((p / (1.0 - p)).ln())
    }
}

/// The choice among bin edges. `every_frame`: a label of this kind must be given for every frame, so that silence is always made
/// up by hand; of events only those that happened are.
///
/// `None` where nothing was judged.
pub fn choose_threshold(
    bins: &[CostBin; FINE_BINS],
    costs: Costs,
    every_frame: bool,
) -> Option<ThresholdChoice> {
    let total = |of: fn(&CostBin) -> u64| bins.iter().map(of).sum::<u64>() as f64;
    let (accepted, corrected, rejected) = (
        total(|bin| bin.accepted),
        total(|bin| bin.corrected),
        total(|bin| bin.rejected),
    );
    if accepted + corrected + rejected <= 0.0 {
        return None;
    }
    // Of what was not accepted, the share that was there and had to be put right; one of each is assumed before any is seen.
    let there = (corrected + 1.0) / (corrected + rejected + 2.0);
    let offer = |p: f64| {
        p * costs.accept + (1.0 - p) * (there * costs.correct + (1.0 - there) * costs.reject)
    };
    let silence = |p: f64| {
        let exists = if every_frame {
            1.0
        } else {
            p + (1.0 - p) * there
        };
        exists * costs.create
    };
    // The share accepted as a curve of confidence, not bin by bin: a bin with three verdicts must not decide.
    let fit = accepted_curve(bins);
    let mut curve = Vec::with_capacity(FINE_BINS + 1);
    for edge in 0..=FINE_BINS {
        let seconds = bins
            .iter()
            .enumerate()
            .map(|(at, bin)| {
                let p = fit.probability(middle(at));
                bin.offered as f64 * if at >= edge { offer(p) } else { silence(p) }
            })
            .sum::<f64>();
        curve.push((edge as f64 / FINE_BINS as f64, seconds));
    }
    let best = curve
        .iter()
        .copied()
        .reduce(|best, next| if next.1 < best.1 - 1e-9 { next } else { best })?;
    let break_even = (0..=1000)
        .map(|thousandth| f64::from(thousandth) / 1000.0)
        .find(|p| offer(*p) <= silence(*p))
        .unwrap_or(1.0);
    Some(ThresholdChoice {
        seconds: best.1,
        seconds_all: curve[0].1,
        best: best.0,
        break_even,
        accepted: fit,
        curve,
    })
}

/// Log odds in the middle of a bin.
fn middle(bin: usize) -> f64 {
    let p = (bin as f64 + 0.5) / FINE_BINS as f64;
    (p / (1.0 - p)).ln()
}

fn accepted_curve(bins: &[CostBin; FINE_BINS]) -> Platt {
    let mut points = Vec::new();
    // Beyond a thousand a bin the fit does not move; the share is kept.
    for (at, bin) in bins.iter().enumerate() {
        let judged = bin.accepted + bin.corrected + bin.rejected;
        let kept = judged.min(1000);
        let right = (bin.accepted * kept)
            .checked_div(judged)
            .unwrap_or_default();
        points.extend((0..kept).map(|place| Point {
            clip: 0,
            log_odds: middle(at),
            right: place < right,
        }));
    }
    Platt::fit(&points)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs {
        accept: 2.0,
        correct: 10.0,
        reject: 3.0,
        create: 12.0,
    };

    /// Every bin as right as it says.
    fn honest(judged: u64) -> [CostBin; FINE_BINS] {
        std::array::from_fn(|at| {
            let accepted = judged * (2 * at as u64 + 1) / (2 * FINE_BINS as u64);
            CostBin {
                offered: judged,
                accepted,
                corrected: 0,
                rejected: judged - accepted,
            }
        })
    }

    #[test]
    fn an_event_is_offered_from_where_rejecting_is_cheaper_than_finding_it_by_hand() {
        let choice = choose_threshold(&honest(200), COSTS, false).unwrap();
        // p · 2 + (1 − p) · 3 = p · 12 → p = 3 / 13; corrections are assumed almost never.
        assert!((choice.break_even - 3.0 / 13.0).abs() < 0.01, "{choice:?}");
        assert!((choice.best - 0.25).abs() < 0.06, "{choice:?}");
        assert!(choice.seconds < choice.seconds_all);
        assert_eq!(choice.curve.len(), FINE_BINS + 1);
    }

    #[test]
    fn dear_rejections_raise_the_threshold_and_dear_creation_lowers_it() {
        let best = |costs| choose_threshold(&honest(200), costs, false).unwrap().best;
        assert!(
            best(Costs {
                reject: 9.0,
                ..COSTS
            }) > best(COSTS)
        );
        assert!(
            best(Costs {
                create: 60.0,
                ..COSTS
            }) < best(COSTS)
        );
    }

    #[test]
    fn without_verdicts_there_is_no_choice() {
        assert_eq!(
            choose_threshold(&[CostBin::default(); FINE_BINS], COSTS, true),
            None
        );
    }
}
