//! Average precision of boxes as COCO defines it and `pycocotools` counts it, so that the numbers are the same.
//!
//! A prediction, the surest first, takes the true box it overlaps most, of those still free; precision is made to fall only, read at
//! 101 recalls and averaged (Lin et al., *Microsoft COCO*, ECCV 2014; `COCOeval.evaluate` and `accumulate`). At most 100 predictions a frame
//! count, as there.

use super::{At, iou};
use serde::Serialize;

/// How many overlaps a match is asked for.
const THRESHOLDS: usize = 10;
/// Predictions of one frame that count.
const MOST: usize = 100;

/// The overlaps: 0.5, 0.55 … 0.95, as `numpy.linspace` makes them.
fn threshold(n: usize) -> f64 {
    let step = (0.95 - 0.5) / 9.0;
    if n == THRESHOLDS - 1 {
        0.95
    } else {
        n as f64 * step + 0.5
    }
}

/// COCO's figures for boxes, any size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AveragePrecision {
    /// Mean over overlaps from 0.5 to 0.95.
    pub ap: f64,
    /// At overlap 0.5.
    pub ap50: f64,
    /// At overlap 0.75.
    pub ap75: f64,
    /// At overlap 0.8, which the standard asks.
    pub ap80: f64,
    /// Greatest recall, mean over overlaps from 0.5 to 0.95.
    pub ar: f64,
}

/// Every prediction with its score, and at which overlaps it found a true box: a bit each.
#[derive(Debug, Default)]
pub(super) struct Detections {
    found: Vec<(f64, u16)>,
    truth: u64,
}

impl Detections {
    /// Adds a frame.
    pub(super) fn add(&mut self, truth: &[At<4>], predicted: &[At<4>]) {
        self.truth += truth.len() as u64;
        let mut order: Vec<&At<4>> = predicted.iter().collect();
        // A stable sort, as theirs.
        order.sort_by(|a, b| b.score.total_cmp(&a.score));
        order.truncate(MOST);
        let overlaps: Vec<Vec<f64>> = order
            .iter()
            .map(|told| truth.iter().map(|right| iou(told.at, right.at)).collect())
            .collect();
        let mut bits = vec![0_u16; order.len()];
        for n in 0..THRESHOLDS {
            let mut taken = vec![false; truth.len()];
            for (place, overlaps) in overlaps.iter().enumerate() {
                let mut best = threshold(n).min(1.0 - 1e-10);
                let mut chosen = None;
                for (t, overlap) in overlaps.iter().enumerate() {
                    // Of equals the later, as there.
                    if !taken[t] && *overlap >= best {
                        best = *overlap;
                        chosen = Some(t);
                    }
                }
                if let Some(t) = chosen {
                    taken[t] = true;
                    bits[place] |= 1 << n;
                }
            }
        }
        self.found
            .extend(order.iter().map(|told| told.score).zip(bits));
    }

    /// The figures; `None` where nothing is true.
    pub(super) fn average_precision(&self) -> Option<AveragePrecision> {
        if self.truth == 0 {
            return None;
        }
        let mut order = self.found.clone();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let each: Vec<(f64, f64)> = (0..THRESHOLDS).map(|n| self.at(&order, n)).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| each.iter().map(of).sum::<f64>() / 10.0;
        Some(AveragePrecision {
            ap: mean(|one| one.0),
            ap50: each[0].0,
            ap75: each[5].0,
            ap80: each[6].0,
            ar: mean(|one| one.1),
        })
    }

    /// Average precision and greatest recall at one overlap.
    fn at(&self, order: &[(f64, u16)], n: usize) -> (f64, f64) {
        let truth = self.truth as f64;
        let mut right = 0.0;
        let mut recalls = Vec::with_capacity(order.len());
        let mut precisions = Vec::with_capacity(order.len());
        for (place, (_, bits)) in order.iter().enumerate() {
            right += f64::from(bits >> n & 1);
            recalls.push(right / truth);
            precisions.push(right / ((place + 1) as f64 + f64::EPSILON));
        }
        for place in (1..precisions.len()).rev() {
            if precisions[place] > precisions[place - 1] {
                precisions[place - 1] = precisions[place];
            }
        }
        let read = |recall: f64| {
            let place = recalls.partition_point(|one| *one < recall);
            precisions.get(place).copied().unwrap_or(0.0)
        };
        let sum: f64 = (0..=100)
            .map(|n| if n == 100 { 1.0 } else { f64::from(n) * 0.01 })
            .map(read)
            .sum();
        (sum / 101.0, recalls.last().copied().unwrap_or(0.0))
    }
}
