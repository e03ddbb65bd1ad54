//! Whether confidence keeps its promise: the calibration curve from verdicts.

use crate::precision::{Moments, Share};
use serde::{Deserialize, Serialize};

/// Bins of confidence, equally wide.
pub const BINS: usize = 10;

/// One bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Right and judged, by clip.
    pub moments: Moments,
    /// Σ confidence of the judged.
    pub confidence: f64,
}

/// The curve, and how far it lies from the promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Mean confidence and share right of every bin that has judgements, lowest first; each with how many.
    pub curve: Vec<(f64, Share, u64)>,
    /// Expected calibration error: Σ judged / all · |mean confidence − share right| (Naeini, Cooper & Hauskrecht, AAAI 2015).
    pub error: f64,
    /// Mean confidence less share right of all together: positive where more is promised than kept.
    pub overpromise: f64,
}

impl Reliability {
    /// `None` where nothing was judged.
    pub fn of(bins: &[Bin; BINS]) -> Option<Self> {
        let judged: f64 = bins.iter().map(|bin| bin.moments.judged).sum();
        if judged <= 0.0 {
            return None;
        }
        let mut curve = Vec::new();
        let (mut error, mut overpromise) = (0.0, 0.0);
        for bin in bins {
            let Some(share) = bin.moments.share() else {
                continue;
            };
            let mean = bin.confidence / bin.moments.judged;
            let weight = bin.moments.judged / judged;
            error += weight * (mean - share.value).abs();
            overpromise += weight * (mean - share.value);
            curve.push((mean, share, bin.moments.judged as u64));
        }
        Some(Self {
            curve,
            error,
            overpromise,
        })
    }

    /// The bin of a confidence.
    pub fn bin_of(confidence: f64, bins: usize) -> usize {
        ((confidence * bins as f64) as usize).min(bins - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_promise_has_no_error_and_a_broken_one_its_gap() {
        let mut bins = [Bin::default(); BINS];
        bins[9].moments.add(95, 100);
        bins[9].confidence = 95.0;
        let kept = Reliability::of(&bins).unwrap();
        assert!(kept.error < 1e-9);
        bins[6].moments.add(20, 100);
        bins[6].confidence = 65.0;
        let broken = Reliability::of(&bins).unwrap();
        assert!((broken.error - 0.225).abs() < 1e-9 && (broken.overpromise - 0.225).abs() < 1e-9);
        assert_eq!(broken.curve.len(), 2, "empty bins say nothing");
        assert_eq!(Reliability::of(&[Bin::default(); BINS]), None);
    }

    #[test]
    fn certainty_falls_into_the_last_bin() {
        assert_eq!(Reliability::bin_of(1.0, 10), 9);
        assert_eq!(Reliability::bin_of(0.0, 10), 0);
        assert_eq!(Reliability::bin_of(0.95, 20), 19);
    }
}
