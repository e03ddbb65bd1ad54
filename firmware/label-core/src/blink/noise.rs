//! How noisy the openness signal is.

use heapless::Vec;

/// Residuals held.
const CAPACITY: usize = 128;

/// Fewer residuals than this say nothing.
const MIN_RESIDUALS: usize = 16;

/// Median of the distance of each value from the mean of its neighbours. Blinks are few among the frames, so the median
/// does not see them.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    /// The last two values of each eye, newest first.
    last: [[Option<f32>; 2]; 2],
    residuals: Vec<f32, CAPACITY>,
    oldest: usize,
}

impl Noise {
    pub(super) const fn new() -> Self {
        Self {
            last: [[None; 2]; 2],
            residuals: Vec::new(),
            oldest: 0,
        }
    }

    pub(super) fn observe(&mut self, openness: [Option<f32>; 2]) {
        for (last, value) in self.last.iter_mut().zip(openness) {
            let Some(value) = value else {
                *last = [None; 2];
                continue;
            };
            // A repeated picture carries nothing new.
            if last[0] == Some(value) {
                continue;
            }
            if let [Some(newer), Some(older)] = *last {
                let residual = (newer - f32::midpoint(value, older)).abs();
                if let Err(residual) = self.residuals.push(residual) {
                    self.residuals[self.oldest] = residual;
                    self.oldest = (self.oldest + 1) % CAPACITY;
                }
            }
            *last = [Some(value), last[0]];
        }
    }

    /// Standard deviation of one value, in openness.
    pub(super) fn deviation(&self) -> f32 {
        if self.residuals.len() < MIN_RESIDUALS {
            return 0.0;
        }
        let mut sorted = self.residuals.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        // 1.4826: median to deviation of a normal variable; the residual has sqrt(1.5) of the value's deviation.
        sorted[sorted.len() / 2] * (1.4826 / 1.2247)
    }
}
