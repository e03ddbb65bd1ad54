//! Confidence is a promise: the probability that a reviewer accepts the label unchanged.

use serde::{Deserialize, Serialize};

/// A calibrated probability in `[0, 1]`. A raw network score is never called confidence.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(f32);

/// Why a number is not a confidence.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{value} is not a probability between 0 and 1")]
pub struct ConfidenceError {
    /// The number offered.
    pub value: f32,
}

impl Confidence {
    /// Refuses NaN and anything outside `[0, 1]`.
    pub fn new(value: f32) -> Result<Self, ConfidenceError> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(ConfidenceError { value })
        }
    }

    /// The probability of these log odds; 0 where they are not a number.
    pub fn from_log_odds(log_odds: f32) -> Self {
        if log_odds.is_nan() {
            return Self(0.0);
        }
        Self((1.0 / (1.0 + libm::expf(-log_odds))).clamp(0.0, 1.0))
    }

    /// This, or the ceiling where it is higher. A ceiling that is no probability leaves none.
    #[must_use]
    pub fn at_most(self, ceiling: f32) -> Self {
        Self(self.0.min(ceiling.clamp(0.0, 1.0)))
    }

    /// The probability.
    pub const fn get(self) -> f32 {
        self.0
    }
}

/// Logistic calibration: probability = ceiling / (1 + exp(-(bias + Σ weight · feature))).
///
/// Platt, "Probabilistic outputs for support vector machines" (1999), with named features instead of one score.
/// Every feature is clamped to the range on which the weights were fitted, so that a strange picture cannot push the
/// probability beyond what was ever seen.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticCalibration<const FEATURES: usize> {
    /// The probability where the features leave no doubt: what they cannot see, such as another person's face, remains.
    pub ceiling: f32,
    /// Log odds with all features at 0.
    pub bias: f32,
    /// One weight a feature.
    pub weights: [f32; FEATURES],
    /// Lowest and highest value of each feature in the fit.
    pub ranges: [(f32, f32); FEATURES],
}

impl<const FEATURES: usize> LogisticCalibration<FEATURES> {
    /// The calibrated probability. A feature that is not a number gives 0: there is no ground for confidence.
    pub fn confidence(&self, features: [f32; FEATURES]) -> Confidence {
        let mut log_odds = self.bias;
        for ((feature, weight), (low, high)) in
            features.into_iter().zip(self.weights).zip(self.ranges)
        {
            if feature.is_nan() {
                return Confidence(0.0);
            }
            log_odds += weight * feature.clamp(low, high);
        }
        Confidence((self.ceiling / (1.0 + libm::expf(-log_odds))).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_percentages_are_refused() {
        assert!(Confidence::new(f32::NAN).is_err());
        assert!(Confidence::new(1.2).is_err());
        assert!(Confidence::new(-0.1).is_err());
        assert_eq!(Confidence::new(0.5).unwrap().get(), 0.5);
    }

    #[test]
    fn a_feature_beyond_the_fitted_range_counts_as_its_edge() {
        let calibration = LogisticCalibration {
            ceiling: 1.0,
            bias: 0.0,
            weights: [1.0],
            ranges: [(-2.0, 2.0)],
        };
        assert_eq!(
            calibration.confidence([50.0]),
            calibration.confidence([2.0])
        );
        assert_eq!(calibration.confidence([f32::NAN]).get(), 0.0);
        assert_eq!(calibration.confidence([0.0]).get(), 0.5);
    }
}
