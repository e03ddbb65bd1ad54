//! From single looks at a picture's quality to one level a frame.
//!
//! Each factor of a look (sharpness, noise, …) measures a score; its level is the score rounded, and how probable each
//! level is follows from how far such scores are off: the proportional-odds model ("Regression models for ordinal
//! data", J. R. Stat. Soc. B 42, 1980). The worst factor decides, so a picture is at least of a level where every factor is. What is told
//! of a frame is the mean over the looks in a window around it: a border between two levels is said at low confidence,
//! and a verdict comes half a window after its frame.

use crate::confidence::Confidence;
use crate::kind::AbstainReason;
use crate::reading::{Reading, Span, Verdict};
use crate::time::CaptureTime;
use heapless::Deque;

/// Levels: 1 is useless, 5 is good.
pub const LEVELS: usize = 5;

/// Length of the window, and how long a look speaks for frames where there is no other.
const WINDOW_S: f32 = 2.0;

/// Looks and frames kept; the oldest are forgotten or decided first.
const MAX_LOOKS: usize = 32;
const MAX_PENDING: usize = 128;

/// A level that is followed gives way to one that is this much more probable.
const CLEARLY: f32 = 0.1;

/// One look at the quality of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum QualityLook {
    /// Not in this frame: the looks before and after it speak for it.
    #[default]
    NotLooked,
    /// It was measured.
    Seen {
        /// How probable each level is, from 1 (useless) to 5 (good).
        levels: [f32; LEVELS],
        /// Score of the worst factor, 1 to 5 and a little beyond.
        score: f32,
    },
    /// It was not measured, and why.
    Cannot(AbstainReason),
}

/// How probable each level is, from 1 up, where the worst of several factors decides: each with its score and how far such
/// scores are off (scale of the logistic distribution).
pub fn level_probabilities(factors: impl Iterator<Item = (f32, f32)>) -> [f32; LEVELS] {
    let mut at_least = [1.0f32; LEVELS + 1];
    at_least[LEVELS] = 0.0;
    for (score, spread) in factors {
        for (place, at_least) in at_least[1..LEVELS].iter_mut().enumerate() {
            let border = place as f32 + 1.5;
            *at_least *= 1.0 / (1.0 + libm::expf((border - score) / spread.max(1e-3)));
        }
    }
    core::array::from_fn(|place| at_least[place] - at_least[place + 1])
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: CaptureTime,
    found: Result<([f32; LEVELS], f32), AbstainReason>,
}

/// Joins looks into verdicts. Every frame is told exactly once, in order.
#[derive(Clone, Debug, Default)]
pub struct QualityFilter {
    looks: Deque<Seen, MAX_LOOKS>,
    pending: Deque<Span, MAX_PENDING>,
    standing: Option<usize>,
}

impl QualityFilter {
    /// A filter that has seen nothing.
    pub const fn new() -> Self {
        Self {
            looks: Deque::new(),
            pending: Deque::new(),
            standing: None,
        }
    }

    /// Takes the next frame; tells those that no later look can speak for.
    pub fn observe(
        &mut self,
        frame: Span,
        look: QualityLook,
        decided: &mut impl FnMut(Span, Verdict<u8>),
    ) {
        let found = match look {
            QualityLook::NotLooked => None,
            QualityLook::Seen { levels, score }
                if score.is_finite() && levels.iter().all(|level| level.is_finite()) =>
            {
                Some(Ok((levels, score)))
            }
            QualityLook::Seen { .. } => Some(Err(AbstainReason::LowConfidence)),
            QualityLook::Cannot(reason) => Some(Err(reason)),
        };
        if let Some(found) = found {
            if self.looks.is_full() {
                self.looks.pop_front();
            }
            let at = frame.pts.0;
            let _ = self.looks.push_back(Seen { at, found });
        }
        if self.pending.is_full() {
            self.decide_oldest(decided);
        }
        let _ = self.pending.push_back(frame);
        while let Some(oldest) = self.pending.front()
            && frame.pts.1.seconds_since(oldest.pts.0) >= WINDOW_S / 2.0
        {
            self.decide_oldest(decided);
        }
    }

    /// No frame follows.
    pub fn finish(&mut self, decided: &mut impl FnMut(Span, Verdict<u8>)) {
        while !self.pending.is_empty() {
            self.decide_oldest(decided);
        }
        self.looks.clear();
        self.standing = None;
    }

    fn decide_oldest(&mut self, decided: &mut impl FnMut(Span, Verdict<u8>)) {
        let Some(frame) = self.pending.pop_front() else {
            return;
        };
        let at = frame.pts.0;
        while let Some(look) = self.looks.front()
            && at.seconds_since(look.at) > WINDOW_S / 2.0
        {
            self.looks.pop_front();
        }
        let mut sums = [0.0f32; LEVELS];
        let (mut count, mut score_sum) = (0.0f32, 0.0);
        let mut nearest: Option<(f32, AbstainReason)> = None;
        for look in &self.looks {
            let away = look.at.seconds_since(at).abs();
            match look.found {
                _ if away > WINDOW_S / 2.0 => {}
                Ok((levels, score)) => {
                    count += 1.0;
                    score_sum += score;
                    for (sum, level) in sums.iter_mut().zip(levels) {
                        *sum += level;
                    }
                }
                Err(reason) => {
                    if nearest.is_none_or(|(distance, _)| away < distance) {
                        nearest = Some((away, reason));
                    }
                }
            }
        }
        if count == 0.0 {
            self.standing = None;
            let reason = nearest.map_or(AbstainReason::LowConfidence, |(_, reason)| reason);
            decided(frame, Err(reason));
            return;
        }
        let most = (0..LEVELS)
            .max_by(|a, b| sums[*a].total_cmp(&sums[*b]))
            .unwrap_or(0);
        let place = match self.standing {
            Some(standing) if sums[most] - sums[standing] < CLEARLY * count => standing,
            _ => most,
        };
        self.standing = Some(place);
        let verdict = Confidence::new((sums[place] / count).clamp(0.0, 1.0))
            .map(|confidence| Reading {
                value: place as u8 + 1,
                confidence,
                raw: score_sum / count,
            })
            .map_err(|_| AbstainReason::LowConfidence);
        decided(frame, verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn verdicts(looks: &[QualityLook]) -> Vec<(Span, Verdict<u8>)> {
        let (mut filter, mut out) = (QualityFilter::new(), Vec::new());
        for (look, i) in looks.iter().zip(0u32..) {
            let frame = Span::frame(i, CaptureTime(i64::from(i) * 50_000));
            filter.observe(frame, *look, &mut |span, verdict| out.push((span, verdict)));
        }
        filter.finish(&mut |span, verdict| out.push((span, verdict)));
        out
    }

    fn seen(score: f32) -> QualityLook {
        QualityLook::Seen {
            levels: level_probabilities([(score, 0.1)].into_iter()),
            score,
        }
    }

    #[test]
    fn probabilities_sum_to_one_and_favour_the_nearest_level() {
        for score in [0.5, 1.0, 2.2, 3.5, 4.9, 5.6] {
            let levels = level_probabilities([(score, 0.2)].into_iter());
            assert!((levels.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let most = (0..LEVELS)
                .max_by(|a, b| levels[*a].total_cmp(&levels[*b]))
                .unwrap();
            assert!((most as f32 + 1.0 - score.clamp(1.0, 5.0)).abs() <= 0.51);
        }
    }

    #[test]
    fn the_worst_factor_decides() {
        let levels = level_probabilities([(5.0, 0.1), (2.0, 0.1), (4.0, 0.1)].into_iter());
        assert!(levels[1] > 0.95, "{levels:?}");
    }

    #[test]
    fn a_score_on_a_border_is_told_at_low_confidence_and_one_off_it_is_sure() {
        let on = verdicts(&[seen(3.5); 60])[30].1.unwrap();
        assert!(on.confidence.get() < 0.6);
        let off = verdicts(&[seen(3.0); 60])[30].1.unwrap();
        assert_eq!(off.value, 3);
        assert!(off.confidence.get() > 0.95);
    }

    #[test]
    fn a_single_look_off_the_others_changes_no_level() {
        let mut looks = [seen(4.0); 80];
        looks[40] = seen(2.0);
        assert!(
            verdicts(&looks)
                .iter()
                .all(|(_, verdict)| verdict.unwrap().value == 4)
        );
    }

    #[test]
    fn frames_that_no_look_speaks_for_say_why() {
        let mut looks = [QualityLook::NotLooked; 80];
        looks[5] = seen(4.0);
        looks[70] = QualityLook::Cannot(AbstainReason::Shed);
        let verdicts = verdicts(&looks);
        assert_eq!(verdicts[20].1.unwrap().value, 4);
        assert_eq!(verdicts[40].1.err(), Some(AbstainReason::LowConfidence));
        assert_eq!(verdicts[75].1.err(), Some(AbstainReason::Shed));
    }

    proptest! {
        #[test]
        fn every_frame_is_told_once_in_order(
            scores in prop::collection::vec(prop::option::of(0.0f32..6.0), 1..300),
        ) {
            let looks: Vec<_> = scores.iter().map(|score| score.map_or(QualityLook::NotLooked, seen)).collect();
            let verdicts = verdicts(&looks);
            prop_assert_eq!(verdicts.len(), looks.len());
            for ((span, _), i) in verdicts.iter().zip(0..) {
                prop_assert_eq!(span.frames.start, i);
            }
        }
    }
}
