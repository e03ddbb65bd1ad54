//! What the front does, by times alone: the thread around it only waits.

use std::time::Duration;

use crate::care::Dimmer;
use crate::display::Display;
use crate::glass::Shown;
use crate::lights::{Pulse, lights};
use crate::pages::{Notice, Page, draw, draw_notice};
use crate::pins::PinKeeper;
use crate::snapshot::Snapshot;
use crate::{Button, Mode, PanelState, Picture, Press};

/// How often the state is asked for, and the glass drawn anew.
const REFRESH: Duration = Duration::from_millis(500);

/// How often the button is read: three times while its level settles.
const BUTTON_TICK: Duration = Duration::from_millis(10);

/// From here on a press is answered on the glass: long enough for a tap not to make it flicker.
const ANSWERED: Duration = Duration::from_millis(400);

/// So long after a press the state is asked for out of turn.
const FOLLOW_UP: Duration = Duration::from_millis(50);

/// So long a mark is confirmed.
const CONFIRMED: Duration = Duration::from_secs(2);

/// So long after the last press the first page is back.
const BACK_AFTER: Duration = Duration::from_mins(1);

/// Steps that bring any picture onto the glass: its bands, and one that switches on.
const STEPS: usize = 16;

/// The front without its thread.
pub(crate) struct Machine<S> {
    state_of: S,
    state: PanelState,
    asked: Option<Duration>,
    knows_state: bool,
    display: Option<Display>,
    pins: Option<PinKeeper>,
    snapshot: Option<Snapshot>,
    button: Button,
    page: Page,
    pressed: Duration,
    pulse: Pulse,
    dimmer: Dimmer,
    picture: Picture,
    /// Whether the picture is of an older state.
    outdated: bool,
    held: bool,
}

impl<S: FnMut() -> PanelState> Machine<S> {
    pub(crate) fn new(
        state_of: S,
        display: Option<Display>,
        pins: Option<PinKeeper>,
        snapshot: Option<Snapshot>,
    ) -> Self {
        Self {
            state_of,
            state: PanelState::default(),
            asked: None,
            knows_state: false,
            display,
            pins,
            snapshot,
            button: Button::default(),
            page: Page::default(),
            pressed: Duration::ZERO,
            pulse: Pulse::default(),
            dimmer: Dimmer::default(),
            picture: Picture::default(),
            outdated: true,
            held: false,
        }
    }

    /// How often display and pins failed.
    pub(crate) fn failures(&self) -> (u64, u64) {
        (
            self.display.as_ref().map_or(0, Display::failures),
            self.pins.as_ref().map_or(0, PinKeeper::failures),
        )
    }

    /// Does what is due. Tells a press, and how long nothing will be due.
    pub(crate) fn tick(&mut self, now: Duration) -> (Option<Press>, Duration) {
        if self.asked.is_none_or(|asked| now >= asked + REFRESH) {
            self.ask(now);
        }
        let press = self.serve_pins(now);
        if press == Some(Press::Short) {
            self.page = self.page.next();
        }
        if press.is_some() {
            self.pressed = now;
            self.outdated = true;
            // What the press led to is shown soon, not at the next turn.
            self.asked = (now + FOLLOW_UP).checked_sub(REFRESH);
            if let Some(display) = &mut self.display {
                display.refresh_now();
            }
        }
        if now >= self.pressed + BACK_AFTER {
            self.page = Page::default();
        }
        let shown = self.serve_display(now);
        let pause = if self.pins.is_some() || shown == Shown::Partly {
            BUTTON_TICK
        } else {
            REFRESH
        };
        (press, pause)
    }

    fn ask(&mut self, now: Duration) {
        let state = (self.state_of)();
        if state.frames != self.state.frames {
            self.pulse.frame = Some(now);
        }
        if state.marks > self.state.marks && self.knows_state {
            self.pulse.mark = Some(now);
        }
        self.asked = Some(now);
        self.knows_state = true;
        self.outdated = true;
        self.state = state;
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.update(&self.state, now);
        }
    }

    fn serve_pins(&mut self, now: Duration) -> Option<Press> {
        let wanted = lights(&self.state, self.pulse, now);
        let down = self.pins.as_mut()?.step(wanted, now)?;
        let press = self.button.update(down, now);
        let held = self.held(now).is_some();
        self.outdated |= std::mem::replace(&mut self.held, held) != held;
        press
    }

    /// How long the button has been held, once that is answered.
    fn held(&self, now: Duration) -> Option<Duration> {
        self.button.held(now).filter(|held| *held >= ANSWERED)
    }

    fn picture(&self, now: Duration) -> Picture {
        let confirms = self.pulse.mark.is_some_and(|mark| now < mark + CONFIRMED);
        match self.held(now) {
            Some(held) => draw_notice(&self.state, Notice::Held(held), now),
            None if confirms => draw_notice(&self.state, Notice::Marked(self.state.marks), now),
            None => draw(&self.state, self.page, now),
        }
    }

    fn serve_display(&mut self, now: Duration) -> Shown {
        if self.display.is_some() && std::mem::take(&mut self.outdated) {
            self.picture = self.picture(now);
        }
        let Some(display) = &mut self.display else {
            return Shown::All;
        };
        let luma = self.state.scene_luma;
        let glow = self.dimmer.glow(luma, self.pressed, now);
        display.step(&self.picture, glow, now)
    }

    /// The end: puts the lights out and gives the pins back, then leaves on the glass what a person should know.
    pub(crate) fn end(&mut self, end: End, now: Duration) {
        self.pins = None;
        self.snapshot = None;
        self.state.mode = match end {
            End::Ordered => match (self.state_of)().mode {
                lasting @ (Mode::Fault(_) | Mode::PowerOff) => lasting,
                _ => Mode::Stopped,
            },
            End::Crash(what) => Mode::Fault(what.into()),
        };
        if let Some(display) = &mut self.display {
            let picture = draw(&self.state, Page::State, now);
            let glow = self.dimmer.glow(self.state.scene_luma, self.pressed, now);
            for _ in 0..STEPS {
                if display.step(&picture, glow, now) == Shown::All {
                    break;
                }
            }
        }
    }
}

/// Why the front ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is told to.
    Ordered,
    /// Something panicked: this, for a person.
    Crash(&'static str),
}

#[cfg(test)]
mod tests;
