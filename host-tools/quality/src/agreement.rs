//! Whether two readings of one thing agree, and by how much two shares differ.
//!
//! A *reading* is what somebody said is there, whichever way they said it: by a verdict on a candidate, or from scratch. Two
//! readings agree as the quality standard says of an offered label and its correction: events at temporal `IoU` 0.5, boxes and
//! points in the frames where both have a value, yes, no and levels when equal.

use crate::precision::{MIN_CLIPS, MIN_JUDGED, Share, student};
use crate::{Correction, within_standard};
use label_core::FrameRange;
use label_core::wire::LabelValue;

/// What somebody said of a stretch of frames.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// There is nothing of the kind.
    Nothing,
    /// This is there.
    Here(FrameRange, LabelValue),
    /// Whatever is there, it is not this: a rejected candidate.
    Not(FrameRange, LabelValue),
    /// Nobody can tell, or nothing follows from what was said.
    CannotTell,
}

impl Reading {
    /// Whether both say the same; `None` where one of them cannot tell. The second is taken for the truth where the standard
    /// asks how large the right box is.
    pub fn agrees(&self, with: &Self) -> Option<bool> {
        Some(match (self, with) {
            (Self::CannotTell, _) | (_, Self::CannotTell) => return None,
            (Self::Here(frames, value), Self::Here(right_frames, right)) => {
                same((*frames, value), (*right_frames, right))
            }
            (Self::Here(frames, value), Self::Not(not_frames, not))
            | (Self::Not(not_frames, not), Self::Here(frames, value)) => {
                !same((*frames, value), (*not_frames, not))
            }
            (Self::Here(..), Self::Nothing) | (Self::Nothing, Self::Here(..)) => false,
            (Self::Nothing | Self::Not(..), Self::Nothing | Self::Not(..)) => true,
        })
    }
}

fn same((frames, value): (FrameRange, &LabelValue), right: (FrameRange, &LabelValue)) -> bool {
    // Of an event the frames are the value. Everything else was asked of the same stretch, or of one frame of it.
    let is_event = matches!(value, LabelValue::Event(_));
    let made = Correction {
        frames: is_event.then_some(right.0),
        value: Some(right.1),
    };
    within_standard(frames, value, made)
}

/// A difference of two shares with its 95 % interval: Newcombe's hybrid of the two score intervals (*Statistics in Medicine* 17,
/// 1998, method 10). `None` where one of the shares has no interval.
pub fn difference(first: &Share, second: &Share) -> Option<(f64, f64, f64)> {
    let (a, b) = (first.interval?, second.interval?);
    let d = first.value - second.value;
    let low = ((first.value - a.low).powi(2) + (b.high - second.value).powi(2)).sqrt();
    let high = ((a.high - first.value).powi(2) + (second.value - b.low).powi(2)).sqrt();
    Some((d, d - low, d + high))
}

/// Pairs of readings of yes or no in one clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct YesNo {
    /// Both said yes.
    pub yes: u64,
    /// Both said no.
    pub no: u64,
    /// One said yes, one no.
    pub split: u64,
}

impl YesNo {
    fn plus(self, other: Self) -> Self {
        Self {
            yes: self.yes + other.yes,
            no: self.no + other.no,
            split: self.split + other.split,
        }
    }

    fn less(self, other: Self) -> Self {
        Self {
            yes: self.yes - other.yes,
            no: self.no - other.no,
            split: self.split - other.split,
        }
    }

    /// 1 − (n − 1) o₀₁ / (n₀ n₁); `None` where everybody always said the same word, so that nothing tells agreement from
    /// habit.
    fn alpha(self) -> Option<f64> {
        let split = self.split as f64;
        let (yes, no) = (2.0 * self.yes as f64 + split, 2.0 * self.no as f64 + split);
        (yes > 0.0 && no > 0.0).then(|| 1.0 - (yes + no - 1.0) * split / (yes * no))
    }
}

/// Krippendorff's alpha of yes and no, two readings a thing (*Computing Krippendorff's Alpha-Reliability*, 2011, § B): 1 = always
/// alike, 0 = no more than chance. With the 95 % interval of a jackknife over clips (Efron & Tibshirani, *An Introduction to the
/// Bootstrap*, 1993, ch. 11). `None` under the least of clips and judgements, and where only one word was ever said.
pub fn alpha(clips: &[YesNo]) -> Option<(f64, f64, f64)> {
    let all = clips
        .iter()
        .fold(YesNo::default(), |sum, clip| sum.plus(*clip));
    let n = clips.len();
    if (n as u64) < MIN_CLIPS || all.yes + all.no + all.split < MIN_JUDGED {
        return None;
    }
    let whole = all.alpha()?;
    let without: Vec<f64> = clips
        .iter()
        .map(|clip| all.less(*clip).alpha())
        .collect::<Option<_>>()?;
    let mean = without.iter().sum::<f64>() / n as f64;
    let squares: f64 = without.iter().map(|one| (one - mean).powi(2)).sum();
    let half = student(n as f64 - 1.0) * (squares * (n as f64 - 1.0) / n as f64).sqrt();
    Some((whole, (whole - half).max(-1.0), (whole + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moments;
    use label_core::wire::{BoxKeyframe, EventEyes, EventValue, PointKeyframe};

    fn event(start: u32, end: u32) -> (FrameRange, LabelValue) {
        let value = LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak: start,
            opening: 0.0,
        });
        (FrameRange::new(start, end), value)
    }

    fn here((frames, value): (FrameRange, LabelValue)) -> Reading {
        Reading::Here(frames, value)
    }

    fn not((frames, value): (FrameRange, LabelValue)) -> Reading {
        Reading::Not(frames, value)
    }

    #[test]
    fn events_agree_where_they_share_half_and_a_rejection_agrees_with_anything_else() {
        let blink = || here(event(100, 107));
        assert_eq!(blink().agrees(&here(event(101, 107))), Some(true));
        assert_eq!(blink().agrees(&here(event(106, 120))), Some(false));
        assert_eq!(blink().agrees(&Reading::Nothing), Some(false));
        assert_eq!(not(event(100, 107)).agrees(&Reading::Nothing), Some(true));
        assert_eq!(not(event(100, 107)).agrees(&blink()), Some(false));
        assert_eq!(
            not(event(100, 107)).agrees(&here(event(140, 147))),
            Some(true)
        );
        assert_eq!(Reading::CannotTell.agrees(&blink()), None);
    }

    #[test]
    fn a_point_marked_in_one_frame_is_held_against_the_track_in_that_frame() {
        let rows = [
            PointKeyframe(0, 0.0, 0.0, 0.9),
            PointKeyframe(100, 100.0, 0.0, 0.9),
        ];
        let track = here((
            FrameRange::new(0, 100),
            LabelValue::Points(rows.into_iter().collect()),
        ));
        let at = |x| {
            let row = [PointKeyframe(50, x, 0.0, 1.0)];
            here((
                FrameRange::new(50, 50),
                LabelValue::Points(row.into_iter().collect()),
            ))
        };
        assert_eq!(track.agrees(&at(57.0)), Some(true));
        assert_eq!(track.agrees(&at(59.0)), Some(false));
        let boxed = |w| {
            let row = [BoxKeyframe(50, 0.0, 0.0, w, 200.0, 1.0)];
            here((
                FrameRange::new(50, 50),
                LabelValue::Boxes(row.into_iter().collect()),
            ))
        };
        assert_eq!(boxed(200.0).agrees(&boxed(170.0)), Some(true));
        assert_eq!(boxed(200.0).agrees(&boxed(150.0)), Some(false));
    }

    #[test]
    fn yes_against_a_rejected_yes_is_a_disagreement() {
        let flag = |yes| (FrameRange::new(0, 9), LabelValue::Flag(yes));
        assert_eq!(not(flag(true)).agrees(&here(flag(true))), Some(false));
        assert_eq!(not(flag(true)).agrees(&here(flag(false))), Some(true));
    }

    #[test]
    fn alpha_is_the_one_of_the_books_example() {
        // Krippendorff 2011, § B: ten things, two observers, binary: alpha 0.095.
        let all = YesNo {
            yes: 1,
            no: 5,
            split: 4,
        };
        assert!((all.alpha().unwrap() - 0.095).abs() < 0.001);
    }

    #[test]
    fn always_the_same_word_is_no_agreement_and_few_clips_tell_nothing() {
        let clip = |yes, no, split| YesNo { yes, no, split };
        assert_eq!(alpha(&[clip(10, 0, 0); 6]), None, "only ever yes");
        assert_eq!(alpha(&[clip(10, 10, 0); 4]), None, "four clips");
        let (whole, low, high) = alpha(&[
            clip(5, 4, 1),
            clip(4, 6, 0),
            clip(6, 3, 1),
            clip(5, 5, 0),
            clip(3, 6, 1),
        ])
        .unwrap();
        assert!((0.85..0.93).contains(&whole), "{whole}");
        assert!(low < whole && whole < high && high <= 1.0);
    }

    #[test]
    fn a_difference_beyond_chance_has_an_interval_beyond_nought() {
        let share = |right: u64| {
            let mut moments = Moments::default();
            (0..40).for_each(|_| moments.add(right, 20));
            moments.share().unwrap()
        };
        let (d, low, high) = difference(&share(19), &share(15)).unwrap();
        assert!((d - 0.2).abs() < 1e-9 && low > 0.0 && high < 0.4);
        let (_, low, high) = difference(&share(19), &share(19)).unwrap();
        assert!(low < 0.0 && high > 0.0);
    }
}
