//! A share of judged labels with an interval, the clip being the unit of chance.
//!
//! Labels of one clip share a face, a light and a camera, so they are right or wrong together: 200 verdicts on two clips say
//! little more than two. The share is the ratio of two sums over clips, its variance the ratio estimator's (Cochran, *Sampling
//! Techniques*, 3rd ed. 1977, eq. 3.34, without the finite-population factor), and the interval Wilson's with the effective
//! number of judgements (Korn & Graubard, *Survey Methodology* 24, 1998: effective size, corrected for degrees of freedom;
//! Dean & Pagano, *J. Survey Statistics and Methodology* 3, 2015: with Wilson's interval it covers best).

use serde::{Deserialize, Serialize};

/// Below this many clips there is no interval: their spread cannot be told.
pub const MIN_CLIPS: u64 = 5;

/// Below this many judgements there is no interval either.
pub const MIN_JUDGED: u64 = 20;

/// Correlation of two labels of a clip that is assumed at least: few clips estimate it badly, and where none or all are
/// right not at all.
const LEAST_CORRELATION: f64 = 0.05;

/// Of the normal distribution, for 95 %.
const Z: f64 = 1.959_964;

/// Sums over clips: `m` judged and `a` right of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Clips with at least one judged label.
    pub clips: u64,
    /// Σ a.
    pub right: f64,
    /// Σ m.
    pub judged: f64,
    /// Σ a².
    pub right_right: f64,
    /// Σ a·m.
    pub right_judged: f64,
    /// Σ m².
    pub judged_judged: f64,
}

/// 95 % interval of a share, and how many independent judgements it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Effective number of judgements.
    pub effective: f64,
}

/// A share, and its interval where the data give one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// right / judged.
    pub value: f64,
    /// `None` = cannot tell yet.
    pub interval: Option<Interval>,
}

impl Moments {
    /// Adds one clip.
    pub fn add(&mut self, right: u64, judged: u64) {
        if judged == 0 {
            return;
        }
        let (a, m) = (right as f64, judged as f64);
        self.clips += 1;
        self.right += a;
        self.judged += m;
        self.right_right += a * a;
        self.right_judged += a * m;
        self.judged_judged += m * m;
    }

    /// The share; `None` where nothing was judged.
    pub fn share(&self) -> Option<Share> {
        (self.judged > 0.0).then(|| Share {
            value: self.right / self.judged,
            interval: self.interval(),
        })
    }

    fn interval(&self) -> Option<Interval> {
        if self.clips < MIN_CLIPS || self.judged < MIN_JUDGED as f64 {
            return None;
        }
        let (n, m) = (self.clips as f64, self.judged);
        let p = self.right / m;
        let squares = self.right_right - 2.0 * p * self.right_judged + p * p * self.judged_judged;
        // Variance of the ratio, and what it would be were every judgement its own clip.
        let variance = squares.max(0.0) * n / ((n - 1.0) * m * m);
        let binomial = p * (1.0 - p) / m;
        let seen = if binomial > 0.0 {
            variance / binomial
        } else {
            1.0
        };
        // Kish's design effect at the least correlation; the mean cluster size weighted by size covers uneven clips.
        let assumed = 1.0 + (self.judged_judged / m - 1.0) * LEAST_CORRELATION;
        let effect = seen.max(assumed).max(1.0);
        let effective = m / effect * (Z / student(n - 1.0)).powi(2);
        let (low, high) = wilson(p, effective);
        Some(Interval {
            low,
            high,
            effective,
        })
    }
}

/// Wilson's score interval (*J. American Statistical Association* 22, 1927).
fn wilson(p: f64, n: f64) -> (f64, f64) {
    let zz = Z * Z / n;
    let middle = (p + zz / 2.0) / (1.0 + zz);
    let half = Z / (1.0 + zz) * (p * (1.0 - p) / n + zz / (4.0 * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// Student's t for 95 % by the normal's expansion (Abramowitz & Stegun 26.7.5); within 1 % from four degrees of freedom on.
pub(crate) fn student(df: f64) -> f64 {
    let z = Z;
    z + (z.powi(3) + z) / (4.0 * df)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * df * df)
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * df.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(clips: &[(u64, u64)]) -> Moments {
        let mut moments = Moments::default();
        for (right, judged) in clips {
            moments.add(*right, *judged);
        }
        moments
    }

    #[test]
    fn few_clips_give_a_share_and_no_interval() {
        let share = of(&[(90, 100), (80, 100)]).share().unwrap();
        assert_eq!((share.value, share.interval), (0.85, None));
        assert_eq!(of(&[]).share(), None);
        assert_eq!(
            of(&[(0, 0)]).clips,
            0,
            "a clip without verdicts says nothing"
        );
    }

    #[test]
    fn labels_that_fail_together_are_worth_fewer_than_labels_that_fail_alone() {
        let together = of(&[(20, 20), (20, 20), (20, 20), (0, 20), (20, 20)]);
        let alone = of(&[(16, 20); 5]);
        let width = |moments: Moments| {
            let interval = moments.share().unwrap().interval.unwrap();
            (interval.high - interval.low, interval.effective)
        };
        assert_eq!(together.right, alone.right);
        assert!(width(together).0 > 1.5 * width(alone).0);
        assert!(width(together).1 < 10.0, "hardly more than the clips");
    }

    #[test]
    fn a_clean_sheet_is_not_certainty_and_one_more_error_never_raises_the_floor() {
        let clean = of(&[(20, 20); 6]).share().unwrap().interval.unwrap();
        assert!(
            clean.low > 0.85 && clean.low < 0.97 && clean.high > 0.999,
            "{clean:?}"
        );
        let one = of(&[(19, 20), (20, 20), (20, 20), (20, 20), (20, 20), (20, 20)]);
        assert!(one.share().unwrap().interval.unwrap().low < clean.low);
    }

    #[test]
    fn the_interval_covers_the_truth_as_often_as_it_says() {
        // Clips draw their own rate around 0.85 (intra-clip correlation about 0.1); 12 clips of 15 labels, 2000 times.
        let mut state = 1_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut covered = 0;
        for _ in 0..2000 {
            let mut moments = Moments::default();
            for _ in 0..12 {
                // Two equally likely rates of mean 0.85 and variance 0.1 · 0.85 · 0.15.
                let rate = if uniform() < 0.5 {
                    0.85 + 0.113
                } else {
                    0.85 - 0.113
                };
                moments.add((0..15).filter(|_| uniform() < rate).count() as u64, 15);
            }
            let interval = moments.share().unwrap().interval.unwrap();
            covered += i32::from(interval.low <= 0.85 && 0.85 <= interval.high);
        }
        assert!((1860..=1990).contains(&covered), "{covered} of 2000");
    }

    #[test]
    fn students_quantile_is_the_tables() {
        for (df, t) in [(4.0, 2.776), (9.0, 2.262), (29.0, 2.045)] {
            assert!(
                (student(df) / t - 1.0).abs() < 0.01,
                "{df}: {}",
                student(df)
            );
        }
    }
}
