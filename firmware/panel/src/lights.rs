//! What the three lights say. `docs/panel.md` has the table for people.

use std::time::Duration;

use crate::pages::Page;
use crate::{Link, Mode, PanelState};

/// All lights are lit so long at the start: a lamp that stays dark then is broken.
pub(crate) const LAMP_TEST: Duration = Duration::from_secs(1);

/// Without a new frame for so long the heart beats differently.
pub(crate) const PULSE_LOST: Duration = Duration::from_secs(3);

/// The recording light flickers so long after a mark.
pub(crate) const MARK_FLICKER: Duration = Duration::from_millis(600);

/// A flash that is seen and does not light up a cabin.
const FLASH_MS: u128 = 100;

/// Which lights are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lights {
    /// The heartbeat light.
    pub heartbeat: bool,
    /// The recording light.
    pub recording: bool,
    /// The fault light.
    pub fault: bool,
}

impl Lights {
    /// All on.
    pub const ALL: Self = Self {
        heartbeat: true,
        recording: true,
        fault: true,
    };
}

/// What the lights need to know besides the state: times, all of one clock that began with the program.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulse {
    /// When the last new frame was labelled.
    pub(crate) frame: Option<Duration>,
    /// When the last moment was marked.
    pub(crate) mark: Option<Duration>,
}

/// The lights at a time.
pub(crate) fn lights(state: &PanelState, pulse: Pulse, now: Duration) -> Lights {
    if now < LAMP_TEST {
        return Lights::ALL;
    }
    match state.mode {
        Mode::Stopped => return Lights::default(),
        // All three, four times a second: do not unplug yet.
        Mode::Stopping | Mode::PowerOff => {
            let on = is_within(now, 250, 0..125);
            return Lights {
                heartbeat: on,
                recording: on,
                fault: on,
            };
        }
        _ => {}
    }
    let lasts = |since: Option<Duration>, span| since.is_some_and(|since| now < since + span);
    let heartbeat = if lasts(pulse.frame, PULSE_LOST) {
        is_within(now, 1000, 0..FLASH_MS)
    } else {
        is_within(now, 2000, 0..FLASH_MS) || is_within(now, 2000, 300..300 + FLASH_MS)
    };
    let recording = match state.mode {
        _ if lasts(pulse.mark, MARK_FLICKER) => is_within(now, 100, 0..50),
        Mode::Recording if state.link == Link::Online => true,
        Mode::Recording => !is_within(now, 2000, 0..300),
        _ => false,
    };
    let fault = match state.mode {
        Mode::Fault(_) => true,
        Mode::NoCamera => is_within(now, 1000, 0..500),
        _ if wants_attention(state) => is_within(now, 3000, 0..FLASH_MS),
        _ => false,
    };
    Lights {
        heartbeat,
        recording,
        fault,
    }
}

fn is_within(now: Duration, period_ms: u128, span_ms: std::ops::Range<u128>) -> bool {
    span_ms.contains(&(now.as_millis() % period_ms))
}

/// Whether a page warns of something that does not pass by itself: no link is usual on the road, and has its own sign.
fn wants_attention(state: &PanelState) -> bool {
    let quiet;
    let state = if state.link == Link::Offline {
        quiet = PanelState {
            link: Link::Unknown,
            ..state.clone()
        };
        &quiet
    } else {
        state
    };
    Page::ALL.into_iter().any(|page| page.warns(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A light over six seconds, ten letters a second: `#` lit.
    fn seen(state: &PanelState, pulse: Pulse, light: fn(Lights) -> bool) -> String {
        (0..60)
            .map(|tenth| {
                let now = Duration::from_mins(1) + Duration::from_millis(tenth * 100 + 10);
                if light(lights(state, pulse, now)) {
                    '#'
                } else {
                    '.'
                }
            })
            .collect()
    }

    fn recording() -> PanelState {
        PanelState {
            mode: Mode::Recording,
            link: Link::Online,
            ..PanelState::default()
        }
    }

    const FRESH: Pulse = Pulse {
        frame: Some(Duration::from_secs(64)),
        mark: None,
    };

    #[test]
    fn the_heart_beats_once_a_second_while_frames_are_labelled_and_twice_in_two_without() {
        let one = "#.........".repeat(6);
        let two = "#..#................".repeat(3);
        assert_eq!(seen(&recording(), FRESH, |lights| lights.heartbeat), one);
        assert_eq!(
            seen(&recording(), Pulse::default(), |lights| lights.heartbeat),
            two
        );
    }

    #[test]
    fn the_recording_light_is_steady_with_a_gap_while_the_host_is_away_and_off_without_a_session() {
        let light: fn(Lights) -> bool = |lights| lights.recording;
        assert_eq!(seen(&recording(), FRESH, light), "#".repeat(60));
        let away = PanelState {
            link: Link::Offline,
            ..recording()
        };
        assert_eq!(seen(&away, FRESH, light), "...#################".repeat(3));
        let ready = PanelState {
            mode: Mode::Ready,
            ..recording()
        };
        assert_eq!(seen(&ready, FRESH, light), ".".repeat(60));
        let marked = Pulse {
            mark: Some(Duration::from_secs(61)),
            ..FRESH
        };
        let now = |ms| Duration::from_secs(61) + Duration::from_millis(ms);
        assert!(lights(&ready, marked, now(110)).recording);
        assert!(!lights(&ready, marked, now(160)).recording);
        assert!(!lights(&ready, marked, now(610)).recording);
    }

    #[test]
    fn the_fault_light_tells_a_fault_a_lost_camera_and_a_warning_apart() {
        let light: fn(Lights) -> bool = |lights| lights.fault;
        let fault = PanelState {
            mode: Mode::Fault("disk".into()),
            ..recording()
        };
        let no_camera = PanelState {
            mode: Mode::NoCamera,
            ..recording()
        };
        let hot = PanelState {
            temperature_c: Some(84.0),
            ..recording()
        };
        let on_the_road = PanelState {
            link: Link::Offline,
            ..recording()
        };
        assert_eq!(seen(&recording(), FRESH, light), ".".repeat(60));
        assert_eq!(seen(&on_the_road, FRESH, light), ".".repeat(60));
        assert_eq!(seen(&fault, FRESH, light), "#".repeat(60));
        assert_eq!(seen(&no_camera, FRESH, light), "#####.....".repeat(6));
        let warning = format!("#{}", ".".repeat(29)).repeat(2);
        assert_eq!(seen(&hot, FRESH, light), warning);
    }

    #[test]
    fn all_lights_are_lit_at_the_start_blink_together_at_the_end_and_are_off_after_it() {
        let mut state = PanelState::default();
        let at =
            |state: &PanelState, ms| lights(state, Pulse::default(), Duration::from_millis(ms));
        assert_eq!(at(&state, 990), Lights::ALL);
        state.mode = Mode::PowerOff;
        assert_eq!(at(&state, 5010), Lights::ALL);
        assert_eq!(at(&state, 5130), Lights::default());
        state.mode = Mode::Stopped;
        assert_eq!(at(&state, 5010), Lights::default());
    }
}
