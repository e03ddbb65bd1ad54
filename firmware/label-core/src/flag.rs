//! From single looks at a yes-or-no attribute to one verdict a frame.
//!
//! A look tells little: a hand passes, a lens glares. The log odds of all looks in a window around a frame are averaged,
//! not summed, since looks at one face an instant apart are hardly independent. The window is centred, so a verdict comes
//! half a window after its frame and a change is told at the frame where it happened. A value that does not last is no
//! change: its frames stay with the value around them, at the confidence that the looks leave for that.

use crate::confidence::Confidence;
use crate::kind::AbstainReason;
use crate::reading::{Look, Reading, Span, Verdict};
use crate::time::CaptureTime;
use heapless::Deque;

/// Frames that wait for the looks after them: 2.5 s at 60 frames a second. Where there are more, the oldest is decided
/// early.
const MAX_PENDING: usize = 160;

/// Looks kept; the oldest are forgotten first.
const MAX_LOOKS: usize = 64;

/// Largest log odds that a look counts for: 0.999 to 0.001. Nothing is known more surely from a picture.
const MAX_LOG_ODDS: f32 = 6.9;

/// How an attribute moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlagTiming {
    /// Length of the window in seconds.
    pub window_s: f32,
    /// A value that holds for less than this, in seconds, is no change.
    pub shortest_s: f32,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: CaptureTime,
    /// Log odds and raw score, or why there are none.
    found: Result<(f32, f32), AbstainReason>,
}

/// Frames of one value that may yet prove too few.
#[derive(Clone, Copy, Debug)]
struct Trial {
    span: Span,
    log_odds: f32,
    raw: f32,
    frames: f32,
}

/// Joins looks into verdicts. Every frame is told exactly once, in order.
#[derive(Clone, Debug)]
pub struct FlagFilter {
    timing: FlagTiming,
    looks: Deque<Seen, MAX_LOOKS>,
    pending: Deque<Span, MAX_PENDING>,
    standing: Option<bool>,
    trial: Option<Trial>,
}

impl FlagFilter {
    /// A filter that has seen nothing.
    pub const fn new(timing: FlagTiming) -> Self {
        Self {
            timing,
            looks: Deque::new(),
            pending: Deque::new(),
            standing: None,
            trial: None,
        }
    }

    /// Takes the next frame.
    pub fn observe(
        &mut self,
        frame: Span,
        look: Look,
        decided: &mut impl FnMut(Span, Verdict<bool>),
    ) {
        let found = match look {
            Look::NotLooked => None,
            Look::Seen { probability, raw } if probability.is_finite() => {
                Some(Ok((log_odds(probability), raw)))
            }
            Look::Seen { .. } => Some(Err(AbstainReason::LowConfidence)),
            Look::Cannot(reason) => Some(Err(reason)),
        };
        if let Some(found) = found {
            if self.looks.is_full() {
                self.looks.pop_front();
            }
            // Room was made above.
            let _ = self.looks.push_back(Seen {
                at: frame.pts.1,
                found,
            });
        }
        if self.pending.is_full() {
            self.decide_oldest(decided);
        }
        // Room was made above.
        let _ = self.pending.push_back(frame);
        while let Some(oldest) = self.pending.front()
            && frame.pts.1.seconds_since(oldest.pts.0) >= self.timing.window_s / 2.0
        {
            self.decide_oldest(decided);
        }
    }

    /// Takes the next frames, in which nothing could be looked at.
    pub fn be_silent(
        &mut self,
        span: Span,
        reason: AbstainReason,
        decided: &mut impl FnMut(Span, Verdict<bool>),
    ) {
        self.finish(decided);
        decided(span, Err(reason));
    }

    /// No frame follows, or none that these looks speak for.
    pub fn finish(&mut self, decided: &mut impl FnMut(Span, Verdict<bool>)) {
        while !self.pending.is_empty() {
            self.decide_oldest(decided);
        }
        self.tell_trial(None, decided);
        self.looks.clear();
        self.standing = None;
    }

    fn decide_oldest(&mut self, decided: &mut impl FnMut(Span, Verdict<bool>)) {
        let Some(frame) = self.pending.pop_front() else {
            return;
        };
        let half = self.timing.window_s / 2.0;
        let at = frame.pts.0;
        while let Some(look) = self.looks.front()
            && at.seconds_since(look.at) > half
        {
            self.looks.pop_front();
        }
        let (mut count, mut sum, mut raw_sum) = (0.0, 0.0, 0.0);
        let mut nearest: Option<(f32, AbstainReason)> = None;
        for look in &self.looks {
            let away = look.at.seconds_since(at).abs();
            match look.found {
                _ if away > half => {}
                Ok((log_odds, raw)) => {
                    count += 1.0;
                    sum += log_odds;
                    raw_sum += raw;
                }
                Err(reason) => {
                    if nearest.is_none_or(|(distance, _)| away < distance) {
                        nearest = Some((away, reason));
                    }
                }
            }
        }
        if count > 0.0 {
            self.settle(frame, sum / count, raw_sum / count, decided);
        } else {
            self.tell_trial(None, decided);
            self.standing = None;
            let reason = nearest.map_or(AbstainReason::LowConfidence, |(_, reason)| reason);
            decided(frame, Err(reason));
        }
    }

    /// Decides a frame of known log odds.
    fn settle(
        &mut self,
        frame: Span,
        log_odds: f32,
        raw: f32,
        decided: &mut impl FnMut(Span, Verdict<bool>),
    ) {
        let value = log_odds > 0.0;
        match self.standing {
            Some(standing) if standing != value => {
                let trial = self.trial.get_or_insert(Trial {
                    span: frame,
                    log_odds: 0.0,
                    raw: 0.0,
                    frames: 0.0,
                });
                trial.span.extend(frame);
                trial.log_odds += log_odds;
                trial.raw += raw;
                trial.frames += 1.0;
                if trial.span.seconds() >= self.timing.shortest_s {
                    self.tell_trial(None, decided);
                    self.standing = Some(value);
                }
            }
            standing => {
                self.tell_trial(standing, decided);
                self.standing = Some(value);
                decided(frame, Ok(reading(value, log_odds, raw)));
            }
        }
    }

    /// Tells the frames on trial: as the value that they joined, or as their own.
    fn tell_trial(&mut self, joined: Option<bool>, decided: &mut impl FnMut(Span, Verdict<bool>)) {
        if let Some(trial) = self.trial.take() {
            let (log_odds, raw) = (trial.log_odds / trial.frames, trial.raw / trial.frames);
            let value = joined.unwrap_or(log_odds > 0.0);
            decided(trial.span, Ok(reading(value, log_odds, raw)));
        }
    }
}

fn log_odds(probability: f32) -> f32 {
    let p = probability.clamp(1e-4, 1.0 - 1e-4);
    libm::logf(p / (1.0 - p)).clamp(-MAX_LOG_ODDS, MAX_LOG_ODDS)
}

fn reading(value: bool, log_odds: f32, raw: f32) -> Reading<bool> {
    let signed = if value { log_odds } else { -log_odds };
    Reading {
        value,
        confidence: Confidence::from_log_odds(signed),
        raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const TIMING: FlagTiming = FlagTiming {
        window_s: 1.0,
        shortest_s: 0.5,
    };

    fn seen(probability: f32) -> Look {
        Look::Seen {
            probability,
            raw: probability,
        }
    }

    /// Verdicts of frames at 20 a second.
    fn verdicts(looks: &[Look]) -> Vec<(Span, Verdict<bool>)> {
        let (mut filter, mut out) = (FlagFilter::new(TIMING), Vec::new());
        for (look, i) in looks.iter().zip(0u32..) {
            let frame = Span::frame(i, CaptureTime(i64::from(i) * 50_000));
            filter.observe(frame, *look, &mut |span, verdict| out.push((span, verdict)));
        }
        filter.finish(&mut |span, verdict| out.push((span, verdict)));
        out
    }

    fn values(looks: &[Look]) -> Vec<Option<bool>> {
        verdicts(looks)
            .into_iter()
            .flat_map(|(span, verdict)| {
                let value = verdict.ok().map(|reading| reading.value);
                std::iter::repeat_n(value, span.frames.frames() as usize)
            })
            .collect()
    }

    #[test]
    fn a_change_is_told_at_its_own_frame_and_a_single_wrong_look_is_none() {
        let mut looks = [seen(0.05); 100];
        looks[40..].fill(seen(0.95));
        looks[20] = seen(0.99);
        let values = values(&looks);
        assert_eq!(values.len(), 100);
        let change = values.iter().position(|v| *v == Some(true)).unwrap();
        assert!((39..=41).contains(&change), "{change}");
        assert!(values[change..].iter().all(|v| *v == Some(true)));
    }

    #[test]
    fn what_lasts_too_short_stays_with_its_surroundings_at_low_confidence() {
        let mut looks = [seen(0.05); 100];
        looks[40..52].fill(seen(0.93));
        let verdicts = verdicts(&looks);
        assert!(verdicts.iter().all(|(_, verdict)| !verdict.unwrap().value));
        let at_47 = verdicts.iter().find(|(span, _)| span.frames.contains(46));
        assert!(at_47.unwrap().1.unwrap().confidence.get() < 0.5);
    }

    #[test]
    fn one_look_speaks_for_a_still_and_for_the_frames_around_it() {
        assert_eq!(values(&[seen(0.9)]), [Some(true)]);
        let mut looks = [Look::NotLooked; 40];
        looks[20] = seen(0.9);
        let values = values(&looks);
        assert_eq!(values[20 - 10], Some(true));
        assert_eq!(values[20 + 10], Some(true));
        assert_eq!((values[5], values[35]), (None, None));
    }

    #[test]
    fn where_nothing_was_seen_the_nearest_reason_is_given() {
        let mut looks = [Look::NotLooked; 40];
        looks[10] = Look::Cannot(AbstainReason::TooDark);
        looks[25] = Look::Cannot(AbstainReason::Blurred);
        let reasons: Vec<_> = verdicts(&looks)
            .into_iter()
            .map(|(_, verdict)| verdict.err())
            .collect();
        assert_eq!(reasons[12], Some(AbstainReason::TooDark));
        assert_eq!(reasons[24], Some(AbstainReason::Blurred));
        assert_eq!(reasons[39], Some(AbstainReason::LowConfidence));
        assert_eq!(
            values(&[seen(f32::NAN)]),
            [None],
            "a number that is none is no ground"
        );
    }

    fn look() -> impl Strategy<Value = Look> {
        prop_oneof![
            3 => Just(Look::NotLooked),
            3 => (0.0f32..=1.0).prop_map(seen),
            1 => Just(Look::Cannot(AbstainReason::TooSmall)),
        ]
    }

    proptest! {
        #[test]
        fn every_frame_is_told_once_in_order_with_a_probability(
            looks in prop::collection::vec(look(), 1..400),
            step in 10_000i64..120_000,
            silent_after in 0usize..400,
        ) {
            let (mut filter, mut out) = (FlagFilter::new(TIMING), Vec::new());
            let (mut index, mut at) = (0, 0);
            for (i, look) in looks.iter().enumerate() {
                let frame = Span::frame(index, CaptureTime(at));
                filter.observe(frame, *look, &mut |span, verdict| out.push((span, verdict)));
                (index, at) = (index + 1, at + step);
                if i == silent_after {
                    let mut gap = Span::frame(index, CaptureTime(at));
                    gap.extend(Span::frame(index + 1, CaptureTime(at + step)));
                    filter.be_silent(gap, AbstainReason::NoPerson, &mut |span, verdict| out.push((span, verdict)));
                    (index, at) = (index + 2, at + 2 * step);
                }
            }
            filter.finish(&mut |span, verdict| out.push((span, verdict)));
            let mut next = 0;
            for (span, verdict) in out {
                prop_assert_eq!(span.frames.start, next);
                prop_assert_eq!(span.pts.0.us(), i64::from(span.frames.start) * step);
                prop_assert_eq!(span.pts.1.us(), i64::from(span.frames.end) * step);
                if let Ok(reading) = verdict {
                    prop_assert!((0.0..=1.0).contains(&reading.confidence.get()));
                }
                next = span.frames.end + 1;
            }
            prop_assert_eq!(next, index);
        }
    }
}
