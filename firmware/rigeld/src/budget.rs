//! What to leave out when the rig is hot or late.
//!
//! A policy without clock, files or threads: readings go in, once a second, and what is left out comes out. Work is shed
//! one step at a time and in one order (attributes and key pictures; person boxes; half of the frames;
//! three quarters of the frames), so that the timing of blinks goes last. It comes back one step at a time too, after a
//! longer time, and the longer the oftener it did not last.

use label_core::wire::Shed;
use std::fmt;
use std::time::Duration;

/// Trouble lasts this long before a step is taken: one slow second is none.
const TROUBLE: Duration = Duration::from_secs(5);
/// A step needs this long to show: a processor's temperature follows its load within half a minute.
const SETTLE: Duration = Duration::from_secs(20);
/// The rig is well for this long before a step is taken back.
const WELL: Duration = Duration::from_mins(1);
/// Where a step back brought trouble within this time, the next one waits twice as long, up to [`LONGEST_WELL`].
const RELAPSE: Duration = Duration::from_mins(2);
const LONGEST_WELL: Duration = Duration::from_mins(16);
/// Share of frames lost while the line had no time to spare, from which on it cannot follow.
const LOST_SHARE: f32 = 0.1;
/// A line that waits for frames in less than this share of the time has none to spare.
const SPARE_SHARE: f32 = 0.1;
/// Latency must be below this share of the limit for a step back: the work that returns takes time too.
const IN_TIME_SHARE: f32 = 0.7;

/// When the rig is hot, and when late.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Above this the rig is hot, °C.
    pub hot_c: f32,
    /// Below this it is cool, °C.
    pub cool_c: f32,
    /// A frame labelled later than this after its capture is late, milliseconds.
    pub late_ms: f32,
}

/// How the rig did in the last second or so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// When, on a clock that does not run backwards.
    pub at: Duration,
    /// The hottest sensor; `None` where there is none.
    pub temperature_c: Option<f32>,
    /// Whether the processor is slowed down.
    pub throttled: bool,
    /// Mean time from capture to label, milliseconds; `None` where no frame was labelled.
    pub latency_ms: Option<f32>,
    /// Share of the frames that were lost, those left out on purpose not counted.
    pub lost_share: f32,
    /// Share of the time in which the line waited for frames.
    pub spare_share: f32,
}

/// Why something is left out, or no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// Above the limit.
    Hot {
        /// The hottest sensor.
        temperature_c: f32,
    },
    /// The processor is slowed down.
    Throttled,
    /// Frames are labelled too late.
    Late {
        /// Mean time from capture to label.
        latency_ms: f32,
    },
    /// Frames are lost for want of time.
    Overloaded {
        /// Share of the frames.
        lost_share: f32,
    },
    /// Cool and in time.
    Well,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hot { temperature_c } => write!(f, "{temperature_c:.0} °C is too hot"),
            Self::Throttled => f.write_str("the processor is slowed down"),
            Self::Late { latency_ms } => {
                write!(
                    f,
                    "frames are labelled {latency_ms:.0} ms after their capture"
                )
            }
            Self::Overloaded { lost_share } => {
                write!(
                    f,
                    "{:.0} % of the frames are lost for want of time",
                    lost_share * 100.0
                )
            }
            Self::Well => f.write_str("cool and in time"),
        }
    }
}

/// The policy.
#[derive(Clone, Debug)]
pub struct Budget {
    limits: Limits,
    shed: Shed,
    /// When the last step was taken, down or back.
    stepped: Option<Duration>,
    /// When the last step back was taken.
    came_back: Option<Duration>,
    trouble_since: Option<Duration>,
    well_since: Option<Duration>,
    /// How long the rig must be well for a step back.
    well_for: Duration,
}

impl Budget {
    /// Nothing is left out yet.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            shed: Shed::Nothing,
            stepped: None,
            came_back: None,
            trouble_since: None,
            well_since: None,
            well_for: WELL,
        }
    }

    /// What is left out now.
    pub const fn shed(&self) -> Shed {
        self.shed
    }

    /// Takes a reading; tells a change and its cause.
    pub fn judge(&mut self, reading: &Reading) -> Option<(Shed, Cause)> {
        let now = reading.at;
        if let Some(cause) = self.trouble(reading) {
            self.well_since = None;
            let since = *self.trouble_since.get_or_insert(now);
            let settled = self
                .stepped
                .is_none_or(|at| now.saturating_sub(at) >= SETTLE);
            if now.saturating_sub(since) < TROUBLE || !settled {
                return None;
            }
            let more = more(self.shed)?;
            if self
                .came_back
                .is_some_and(|at| now.saturating_sub(at) < RELAPSE)
            {
                self.well_for = (self.well_for * 2).min(LONGEST_WELL);
            } else if self.shed == Shed::Nothing {
                self.well_for = WELL;
            }
            self.came_back = None;
            return Some(self.step(more, now, cause));
        }
        self.trouble_since = None;
        if !self.is_well(reading) {
            self.well_since = None;
            return None;
        }
        let since = *self.well_since.get_or_insert(now);
        let less = less(self.shed)?;
        if now.saturating_sub(since) < self.well_for {
            return None;
        }
        self.came_back = Some(now);
        Some(self.step(less, now, Cause::Well))
    }

    fn step(&mut self, to: Shed, now: Duration, cause: Cause) -> (Shed, Cause) {
        self.shed = to;
        self.stepped = Some(now);
        (self.trouble_since, self.well_since) = (None, None);
        (to, cause)
    }

    fn trouble(&self, reading: &Reading) -> Option<Cause> {
        let hot = reading.temperature_c.filter(|c| *c > self.limits.hot_c);
        let late = reading.latency_ms.filter(|ms| *ms > self.limits.late_ms);
        if let Some(temperature_c) = hot {
            Some(Cause::Hot { temperature_c })
        } else if reading.throttled {
            Some(Cause::Throttled)
        } else if let Some(latency_ms) = late {
            Some(Cause::Late { latency_ms })
        } else if reading.lost_share > LOST_SHARE && reading.spare_share < SPARE_SHARE {
            let lost_share = reading.lost_share;
            Some(Cause::Overloaded { lost_share })
        } else {
            None
        }
    }

    /// Stricter than the absence of trouble, so that a step back does not bring the trouble back.
    fn is_well(&self, reading: &Reading) -> bool {
        let cool = reading.temperature_c.is_none_or(|c| c < self.limits.cool_c);
        let in_time = reading
            .latency_ms
            .is_some_and(|ms| ms < IN_TIME_SHARE * self.limits.late_ms);
        cool && in_time && reading.spare_share >= SPARE_SHARE
    }
}

const fn more(shed: Shed) -> Option<Shed> {
    match shed {
        Shed::Nothing => Some(Shed::Attributes),
        Shed::Attributes => Some(Shed::PersonBox),
        Shed::PersonBox => Some(Shed::HalfRate),
        Shed::HalfRate => Some(Shed::QuarterRate),
        Shed::QuarterRate => None,
    }
}

const fn less(shed: Shed) -> Option<Shed> {
    match shed {
        Shed::Nothing => None,
        Shed::Attributes => Some(Shed::Nothing),
        Shed::PersonBox => Some(Shed::Attributes),
        Shed::HalfRate => Some(Shed::PersonBox),
        Shed::QuarterRate => Some(Shed::HalfRate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits {
        hot_c: 80.0,
        cool_c: 70.0,
        late_ms: 200.0,
    };

    const FINE: Reading = Reading {
        at: Duration::ZERO,
        temperature_c: Some(60.0),
        throttled: false,
        latency_ms: Some(40.0),
        lost_share: 0.0,
        spare_share: 0.5,
    };

    const HOT: Reading = Reading {
        temperature_c: Some(81.0),
        ..FINE
    };

    /// Feeds one reading a second; the changes with the second they came in.
    fn changes(
        budget: &mut Budget,
        seconds: std::ops::Range<u64>,
        reading: impl Fn(u64, Shed) -> Reading,
    ) -> Vec<(u64, Shed)> {
        seconds
            .filter_map(|second| {
                let at = Duration::from_secs(second);
                let reading = Reading {
                    at,
                    ..reading(second, budget.shed())
                };
                budget.judge(&reading).map(|(shed, _)| (second, shed))
            })
            .collect()
    }

    #[test]
    fn heat_sheds_attributes_then_person_boxes_then_half_the_frames_then_three_quarters_and_coolness_takes_each_back()
     {
        let mut budget = Budget::new(LIMITS);
        assert_eq!(
            changes(&mut budget, 0..300, |_, _| HOT),
            [
                (5, Shed::Attributes),
                (25, Shed::PersonBox),
                (45, Shed::HalfRate),
                (65, Shed::QuarterRate)
            ]
        );
        assert_eq!(
            changes(&mut budget, 300..700, |_, _| FINE),
            [
                (360, Shed::HalfRate),
                (421, Shed::PersonBox),
                (482, Shed::Attributes),
                (543, Shed::Nothing)
            ]
        );
    }

    #[test]
    fn a_hot_moment_sheds_nothing_and_between_cool_and_hot_nothing_changes() {
        let mut budget = Budget::new(LIMITS);
        let now_and_then = |second, _| if second % 8 < 4 { HOT } else { FINE };
        assert_eq!(changes(&mut budget, 0..96, now_and_then), []);
        assert_eq!(
            changes(&mut budget, 100..107, |_, _| HOT),
            [(105, Shed::Attributes)]
        );
        let between = Reading {
            temperature_c: Some(75.0),
            ..FINE
        };
        assert_eq!(changes(&mut budget, 107..2000, |_, _| between), []);
    }

    #[test]
    fn frames_that_a_camera_loses_while_the_line_has_time_to_spare_shed_nothing() {
        let lossy = Reading {
            lost_share: 0.5,
            ..FINE
        };
        let mut budget = Budget::new(LIMITS);
        assert_eq!(changes(&mut budget, 0..100, |_, _| lossy), []);
        let overloaded = Reading {
            spare_share: 0.01,
            ..lossy
        };
        assert_eq!(
            changes(&mut budget, 100..110, |_, _| overloaded),
            [(105, Shed::Attributes)]
        );
    }

    #[test]
    fn a_rig_that_is_late_whenever_it_does_all_tries_that_less_and_less_often() {
        let late_with_everything = |_, shed| match shed {
            Shed::Nothing => Reading {
                latency_ms: Some(300.0),
                ..FINE
            },
            _ => FINE,
        };
        let mut budget = Budget::new(LIMITS);
        let tried: Vec<u64> = changes(&mut budget, 0..7200, late_with_everything)
            .into_iter()
            .filter(|(_, shed)| *shed == Shed::Nothing)
            .map(|(second, _)| second)
            .collect();
        let waits: Vec<u64> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(waits[..3].is_sorted() && waits[0] > 120, "{waits:?}");
        assert!((960..1000).contains(waits.last().unwrap()), "{waits:?}");
    }

    #[test]
    fn while_no_frame_comes_nothing_is_shed_and_nothing_taken_back() {
        let mut budget = Budget::new(LIMITS);
        assert_eq!(changes(&mut budget, 0..10, |_, _| HOT).len(), 1);
        let silent = Reading {
            latency_ms: None,
            spare_share: 1.0,
            ..FINE
        };
        assert_eq!(changes(&mut budget, 10..500, |_, _| silent), []);
    }

    proptest! {
        #[test]
        fn steps_are_single_and_never_closer_than_their_times(readings in prop::collection::vec((50f32..95.0, any::<bool>(), 0f32..400.0, 0f32..1.0, 0f32..1.0), 1..2000)) {
            let mut budget = Budget::new(LIMITS);
            let (mut before, mut last) = (Shed::Nothing, None::<u64>);
            for (second, (temperature, throttled, latency, lost_share, spare_share)) in (0u64..).zip(readings) {
                let reading = Reading {
                    at: Duration::from_secs(second),
                    temperature_c: Some(temperature),
                    throttled,
                    latency_ms: Some(latency),
                    lost_share,
                    spare_share,
                };
                if let Some((shed, _)) = budget.judge(&reading) {
                    prop_assert!(more(before) == Some(shed) || less(before) == Some(shed));
                    prop_assert!(last.is_none_or(|last| second - last >= 20));
                    (before, last) = (shed, Some(second));
                }
                prop_assert_eq!(before, budget.shed());
            }
        }
    }
}
