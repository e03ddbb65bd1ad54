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
