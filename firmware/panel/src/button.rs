//! The button: from a bouncing level to presses, by times alone.

use std::time::Duration;

/// A level counts once it has stood this long. Tactile switches bounce for up to about 5 ms, worn ones for 20 ms; a quick
/// tap lasts 50 ms at least.
pub(crate) const DEBOUNCE: Duration = Duration::from_millis(30);

/// From here on a press is long. People tap for under 0.3 s; nobody means a second by accident.
pub const LONG: Duration = Duration::from_secs(1);

/// From here on a press is very long: too long to be made in a pocket, short enough to wait for.
pub const VERY_LONG: Duration = Duration::from_secs(5);

/// What a person did with the button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Under 1 s, told when the button is let go: marks the moment.
    Short,
    /// 1 s to 5 s, told when the button is let go: starts or stops a session.
    Long,
    /// 5 s, told while the button is still down: switches off.
    VeryLong,
}

/// The button as a state machine. Times are of any clock that does not run backwards.
#[derive(Clone, Debug, Default)]
pub struct Button {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing was seen yet, or the level at the start was "down": a button that is stuck, or held since before the
    /// program ran, presses nothing until it was up once.
    #[default]
    Unproven,
    Up,
    /// Down, but not for long enough to count.
    GoingDown {
        since: Duration,
    },
    Down {
        since: Duration,
    },
    /// Up, but not for long enough to count.
    GoingUp {
        since: Duration,
        up_at: Duration,
    },
    /// Very long has been told; nothing more until it is up.
    Told,
}

impl Button {
    /// Takes the level at a time; tells a press when there is one.
    pub fn update(&mut self, down: bool, now: Duration) -> Option<Press> {
        let (state, press) = match (self.state, down) {
            (State::Unproven, true) => (State::Unproven, None),
            (State::Unproven | State::Up | State::GoingDown { .. } | State::Told, false) => {
                (State::Up, None)
            }
            (State::Up, true) => (State::GoingDown { since: now }, None),
            (State::GoingDown { since }, true) if now.saturating_sub(since) >= DEBOUNCE => {
                (State::Down { since }, None)
            }
            (State::Down { since }, true) if now.saturating_sub(since) >= VERY_LONG => {
                (State::Told, Some(Press::VeryLong))
            }
            (State::Down { since }, false) => (State::GoingUp { since, up_at: now }, None),
            (State::GoingUp { since, .. }, true) => (State::Down { since }, None),
            (State::GoingUp { since, up_at }, false) if now.saturating_sub(up_at) >= DEBOUNCE => {
                let press = if up_at.saturating_sub(since) >= LONG {
                    Press::Long
                } else {
                    Press::Short
                };
                (State::Up, Some(press))
            }
            (state, _) => (state, None),
        };
        self.state = state;
        press
    }

    /// How long the button has been down, while it is.
    pub fn held(&self, now: Duration) -> Option<Duration> {
        match self.state {
            State::Down { since } => Some(now.saturating_sub(since)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads the button every 10 ms; `times` are when the level changes, beginning from up. Tells presses with the time
    /// at which they are told.
    fn presses(times: &[u64], until: u64) -> Vec<(Press, u64)> {
        let mut button = Button::default();
        let mut told = Vec::new();
        for now in (0..until).step_by(10) {
            let down = times.iter().filter(|time| **time <= now).count() % 2 == 1;
            if let Some(press) = button.update(down, Duration::from_millis(now)) {
                told.push((press, now));
            }
        }
        told
    }

    #[test]
    fn a_tap_is_short_and_told_when_it_is_over() {
        assert_eq!(presses(&[100, 250], 9000), [(Press::Short, 280)]);
        assert_eq!(presses(&[100, 1090], 9000), [(Press::Short, 1120)]);
    }

    #[test]
    fn a_second_makes_it_long_and_told_when_it_is_over() {
        assert_eq!(presses(&[100, 1100], 9000), [(Press::Long, 1130)]);
        assert_eq!(presses(&[100, 5090], 9000), [(Press::Long, 5120)]);
    }

    #[test]
    fn five_seconds_make_it_very_long_and_told_while_it_is_down() {
        assert_eq!(presses(&[100, 8000], 9000), [(Press::VeryLong, 5100)]);
        assert_eq!(presses(&[100, 5200], 9000), [(Press::VeryLong, 5100)]);
    }

    #[test]
    fn a_bouncing_switch_presses_once() {
        let bouncing = [100, 110, 120, 130, 140, 300, 310, 320, 330, 340];
        assert_eq!(presses(&bouncing, 9000), [(Press::Short, 370)]);
    }

    #[test]
    fn a_spark_of_a_few_milliseconds_presses_nothing() {
        assert_eq!(presses(&[100, 120, 500, 510], 9000), []);
    }

    #[test]
    fn a_gap_of_a_few_milliseconds_does_not_cut_a_press_in_two() {
        assert_eq!(presses(&[100, 700, 720, 1500], 9000), [(Press::Long, 1530)]);
    }

    #[test]
    fn a_button_that_is_stuck_from_the_start_presses_nothing_until_it_was_up() {
        assert_eq!(presses(&[0, 20_000], 30_000), []);
        assert_eq!(
            presses(&[0, 20_000, 21_000, 21_100], 30_000),
            [(Press::Short, 21_130)]
        );
    }

    #[test]
    fn how_long_it_is_held_is_known_while_it_is() {
        let mut button = Button::default();
        let ms = Duration::from_millis;
        button.update(false, ms(0));
        button.update(true, ms(100));
        assert_eq!(button.held(ms(110)), None);
        button.update(true, ms(130));
        assert_eq!(button.held(ms(1100)), Some(ms(1000)));
        button.update(false, ms(1200));
        assert_eq!(button.held(ms(1200)), None);
    }

    proptest! {
        #[test]
        fn presses_are_never_more_than_times_the_button_went_down(
            gaps in proptest::collection::vec(10_u64..7000, 0..12)
        ) {
            let mut time = 10;
            let times: Vec<u64> = gaps.iter().map(|gap| { time += gap; time }).collect();
            let told = presses(&times, time + 10_000);
            prop_assert!(told.len() <= times.len().div_ceil(2));
        }
    }
}
