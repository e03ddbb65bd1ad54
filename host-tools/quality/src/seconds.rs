//! Human seconds: what an item costs a reviewer, from how long it was in front of them.

use serde::{Deserialize, Serialize};

/// Longer than this is somebody who went away: counted aside, in no median.
pub const ABSENT_MS: u64 = 5 * 60 * 1000;

/// Shorter than this nobody read anything: a script, or a key held down. Counted aside likewise.
pub const LEAST_MS: u64 = 100;

/// A bin is this much longer than the one before.
const STEP: f64 = 1.05;

/// The bin of a time that counts, `None` for absences and for what was no reading.
pub fn bin_of_ms(ms: u64) -> Option<u32> {
    (LEAST_MS..=ABSENT_MS)
        .contains(&ms)
        .then(|| ((ms as f64 / LEAST_MS as f64).ln() / STEP.ln()) as u32)
}

/// The middle of a bin in seconds.
fn seconds_of(bin: u32) -> f64 {
    LEAST_MS as f64 / 1000.0 * STEP.powf(f64::from(bin) + 0.5)
}

/// Times by bins of 5 %, so that a median of a million costs no more than one of ten.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecondsHistogram {
    /// (bin, how many), in the order of bins.
    pub bins: Vec<(u32, u64)>,
}

/// Median seconds with a 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// How many.
    pub count: u64,
    /// The median, seconds; within 2.5 % of the exact one.
    pub median: f64,
    /// Interval of the median; `None` under six.
    pub interval: Option<(f64, f64)>,
    /// Mean of what counted, seconds: what sums are reckoned with.
    pub mean: f64,
}

impl SecondsHistogram {
    /// `None` where there is nothing.
    pub fn spent(&self) -> Option<Spent> {
        let count: u64 = self.bins.iter().map(|(_, count)| count).sum();
        if count == 0 {
            return None;
        }
        let n = count as f64;
        let total: f64 = self
            .bins
            .iter()
            .map(|(bin, count)| seconds_of(*bin) * *count as f64)
            .sum();
        // Order statistics (Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2).
        let half = 1.96 * n.sqrt() / 2.0;
        let interval = (count >= 6).then(|| {
            let (low, high) = ((n / 2.0 - half).floor(), (n / 2.0 + half).ceil());
            (self.at_rank(low.max(0.0)), self.at_rank(high.min(n - 1.0)))
        });
        Some(Spent {
            count,
            median: self.at_rank(((n - 1.0) / 2.0).floor()),
            interval,
            mean: total / n,
        })
    }

    fn at_rank(&self, rank: f64) -> f64 {
        let mut before = 0;
        for (bin, count) in &self.bins {
            before += count;
            if before as f64 > rank {
                return seconds_of(*bin);
            }
        }
        self.bins.last().map_or(0.0, |(bin, _)| seconds_of(*bin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: &[u64]) -> Option<Spent> {
        let mut bins: Vec<u32> = times.iter().filter_map(|ms| bin_of_ms(*ms)).collect();
        bins.sort_unstable();
        let mut histogram = SecondsHistogram::default();
        for bin in bins {
            match histogram.bins.last_mut() {
                Some((last, count)) if *last == bin => *count += 1,
                _ => histogram.bins.push((bin, 1)),
            }
        }
        histogram.spent()
    }

    #[test]
    fn an_hour_away_from_the_desk_changes_no_median() {
        let spent = of(&[2000, 2100, 1900, 2000, 2050, 1950, 3_600_000]).unwrap();
        assert_eq!(spent.count, 6);
        assert!((spent.median / 2.0 - 1.0).abs() < 0.03, "{spent:?}");
        let (low, high) = spent.interval.unwrap();
        assert!(low <= spent.median && spent.median <= high);
    }

    #[test]
    fn what_no_person_can_read_is_no_time() {
        assert_eq!(of(&[0, 3, 99]), None);
        assert_eq!(of(&[100]).unwrap().interval, None);
    }
}
