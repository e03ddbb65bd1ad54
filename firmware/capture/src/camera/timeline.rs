//! Times and losses of a live source, from the kernel's numbers.

use label_core::CaptureTime;
use std::collections::VecDeque;

/// The measured rate is that of the last frames within this time.
const WINDOW_US: i64 = 4_000_000;

/// Most frames remembered for it: 4 s at 240 frames a second.
const MOST: usize = 960;

/// Shorter than this nothing is measured.
const LEAST_US: i64 = 900_000;

/// Larger jumps of a driver's numbers are taken for a count that began anew.
const LARGEST_GAP: u32 = 1 << 20;

/// Keeps count of a stream's frames.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    first_us: Option<i64>,
    last_us: i64,
    last_number: Option<u32>,
    /// Times of the last frames that came, lost ones not among them.
    recent: VecDeque<i64>,
    /// Lost since the frame that was delivered last.
    pending: u32,
    /// Lost so far.
    pub(crate) dropped: u64,
    /// Damaged so far.
    pub(crate) damaged: u64,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            recent: VecDeque::with_capacity(MOST),
            ..Self::default()
        }
    }

    /// A frame came from the driver, whole or not: its time in microseconds and its number, where the driver counts.
    /// Answers its time, which never runs backwards.
    pub(crate) fn observe(&mut self, us: i64, number: Option<u32>) -> i64 {
        let us = if self.first_us.is_some() {
            us.max(self.last_us)
        } else {
            us
        };
        self.last_us = us;
        if let (Some(number), Some(last)) = (number, self.last_number) {
            let gap = number.wrapping_sub(last).wrapping_sub(1);
            if gap < LARGEST_GAP {
                self.lose(gap);
            }
        }
        self.last_number = number;
        if self.recent.len() == MOST {
            self.recent.pop_front();
        }
        self.recent.push_back(us);
        while self.recent.front().is_some_and(|old| us - old > WINDOW_US) {
            self.recent.pop_front();
        }
        us
    }

    fn lose(&mut self, frames: u32) {
        self.dropped += u64::from(frames);
        self.pending = self.pending.saturating_add(frames);
    }

    /// A frame that came was given back unread.
    pub(crate) fn give_back(&mut self) {
        self.lose(1);
    }

    /// A frame that came was damaged.
    pub(crate) fn damage(&mut self) {
        self.damaged += 1;
        self.pending = self.pending.saturating_add(1);
    }

    /// A frame of this time is delivered: its presentation time, and how many were lost before it. What was lost before the
    /// first is nobody's loss.
    pub(crate) fn deliver(&mut self, us: i64) -> (CaptureTime, u32) {
        let lost = std::mem::take(&mut self.pending);
        let Some(first) = self.first_us else {
            self.first_us = Some(us);
            return (CaptureTime(0), 0);
        };
        (CaptureTime(us - first), lost)
    }

    /// What was wrong so far, in a sentence.
    pub(crate) fn damage_so_far(&self) -> Option<String> {
        (self.damaged > 0).then(|| {
            let damaged = self.damaged;
            format!("{damaged} frames came damaged and were left out")
        })
    }

    /// Time between the first and the last of the frames that the rate is measured from.
    fn span_us(&self) -> i64 {
        let ends = self.recent.front().zip(self.recent.back());
        ends.map_or(0, |(first, last)| last - first)
    }

    /// Frames a second over the last seconds.
    pub(crate) fn fps(&self) -> Option<f32> {
        let span = self.span_us();
        (span >= LEAST_US).then(|| ((self.recent.len() - 1) as f64 * 1e6 / span as f64) as f32)
    }
}

/// Says once when a source's rate is not the one it promised.
#[derive(Debug, Default)]
pub(crate) struct RateWatch {
    told: bool,
}

/// A promised rate is kept within this share.
const RATE_SLACK: f32 = 0.15;

/// A camera's first second may be slow: its exposure settles.
const SETTLED_US: i64 = 3_000_000;

impl RateWatch {
    /// Compares; a rate that is not known is not off.
    pub(crate) fn check(&mut self, name: &str, promised: f32, timeline: &Timeline) {
        if self.told || promised <= 0.0 || timeline.span_us() < SETTLED_US {
            return;
        }
        let Some(measured) = timeline.fps() else {
            return;
        };
        if (measured - promised).abs() > RATE_SLACK * promised {
            self.told = true;
            tracing::warn!(
                "{name} promised {promised} frames a second and gives {measured:.1}: in the dark cameras expose longer than a frame \
                 (set exposure-us), a busy USB bus loses frames, and a program may write frames of another size"
            );
        }
    }
}

/// Microseconds of the machine's monotonic clock, the one that the kernel stamps frames with.
pub(crate) fn monotonic_us() -> i64 {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000 + time.tv_nsec() / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of these times and numbers, each delivered.
    fn deliver(timeline: &mut Timeline, frames: &[(i64, u32)]) -> Vec<(i64, u32)> {
        frames
            .iter()
            .map(|(us, number)| {
                let us = timeline.observe(*us, Some(*number));
                let (at, lost) = timeline.deliver(us);
                (at.0, lost)
            })
            .collect()
    }

    #[test]
    fn time_begins_with_the_first_frame_and_gaps_in_the_numbers_are_losses() {
        let mut timeline = Timeline::new();
        assert_eq!(
            deliver(
                &mut timeline,
                &[(5_000_000, 3), (5_033_333, 4), (5_133_333, 7)]
            ),
            [(0, 0), (33_333, 0), (133_333, 2)]
        );
        assert_eq!(timeline.dropped, 2);
    }

    #[test]
    fn what_is_given_back_or_damaged_is_told_with_the_next_frame_and_counted_once() {
        let mut timeline = Timeline::new();
        deliver(&mut timeline, &[(0, 0)]);
        timeline.observe(10, Some(1));
        timeline.give_back();
        timeline.observe(20, Some(2));
        timeline.damage();
        assert_eq!(deliver(&mut timeline, &[(40, 4)]), [(40, 3)]);
        assert_eq!((timeline.dropped, timeline.damaged), (2, 1));
        assert_eq!(deliver(&mut timeline, &[(50, 5)]), [(50, 0)]);
    }

    #[test]
    fn a_driver_that_does_not_count_or_begins_anew_or_wraps_loses_nothing() {
        let mut timeline = Timeline::new();
        let told = deliver(
            &mut timeline,
            &[(0, 0), (10, 0), (20, u32::MAX), (30, 0), (40, 1), (50, 0)],
        );
        assert!(told.iter().all(|(_, lost)| *lost == 0), "{told:?}");
    }

    #[test]
    fn time_never_runs_backwards() {
        let mut timeline = Timeline::new();
        assert_eq!(
            deliver(&mut timeline, &[(100, 0), (90, 1), (130, 2)]),
            [(0, 0), (0, 0), (30, 0)]
        );
    }

    #[test]
    fn the_measured_rate_is_that_of_the_last_seconds_whatever_was_promised() {
        let mut timeline = Timeline::new();
        for frame in 0..20 {
            timeline.observe(frame * 33_333, None);
        }
        assert_eq!(timeline.fps(), None, "two thirds of a second are too few");
        for frame in 20..200 {
            timeline.observe(frame * 33_333, None);
        }
        assert!((timeline.fps().unwrap() - 30.0).abs() < 0.1);
        let start = 200 * 33_333;
        for frame in 0..100 {
            timeline.observe(start + frame * 100_000, None);
        }
        assert!(
            (timeline.fps().unwrap() - 10.0).abs() < 0.1,
            "in the dark it fell to 10"
        );
    }
}
