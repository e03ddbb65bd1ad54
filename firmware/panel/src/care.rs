//! What keeps an OLED readable for years and out of a driver's eyes at night: the picture moves, and dims.

use std::time::Duration;

/// The picture moves by up to so many dots right and down.
pub(crate) const MAX_SHIFT: usize = 2;

/// The picture stands this long in one place. Burn-in is a matter of hundreds of hours, and a move must not catch the eye.
const STAND: Duration = Duration::from_mins(1);

/// Where the picture stands, one after the other: round the centre, one dot at a time, so that no move is a jump. Text
/// strokes are one or two dots wide: over the round every dot of a stroke rests for at least three of eight minutes.
const PLACES: [(usize, usize); 8] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (2, 1),
    (2, 2),
    (1, 2),
    (0, 2),
    (0, 1),
];

/// How far right and down the picture stands after `uptime`.
pub(crate) fn shift(uptime: Duration) -> (usize, usize) {
    let step = uptime.as_secs() / STAND.as_secs();
    PLACES[(step % PLACES.len() as u64) as usize]
}

/// How bright the glass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glow {
    /// Current through a lit dot, in 256ths of the module's largest: light follows it nearly in proportion.
    pub(crate) contrast: u8,
    /// How long dots are charged before they are lit: 1 dims further, all above 2 is as 2.
    pub(crate) precharge: u8,
}

impl Glow {
    /// By day, somebody is looking: what makers of 0.96 inch modules recommend.
    pub(crate) const DAY: Self = Self::new(0xcf, 2);
    /// By day, left alone: a third of the current, and readable indoors still. A maker of such modules states 21,000 h to
    /// half the brightness at 140 cd/m², and up to 30,000 h at less (Display Elektronik, DEP 096032B-W).
    pub(crate) const DAY_REST: Self = Self::new(0x40, 2);
    /// In the dark, somebody is looking.
    pub(crate) const NIGHT: Self = Self::new(0x10, 1);
    /// In the dark, left alone: the least the module can do, so that nothing glares at a driver.
    pub(crate) const NIGHT_REST: Self = Self::new(0x00, 1);

    const fn new(contrast: u8, precharge: u8) -> Self {
        Self {
            contrast,
            precharge,
        }
    }
}

/// So long after a press the glass is left alone.
const REST_AFTER: Duration = Duration::from_mins(5);

/// Below this mean luma it is dark. A lit cabin by day has 60 to 150; a camera without lamp at night under 20.
const DARK_BELOW: f32 = 30.0;
/// Above this it is light again: far enough apart that a street's lamps change nothing.
const LIGHT_ABOVE: f32 = 50.0;
/// A change of light counts once it has lasted so long: not every bridge.
const LASTS: Duration = Duration::from_secs(5);

/// Decides how bright the glass is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dimmer {
    dark: bool,
    /// Since when the light has been other than `dark` says.
    since: Option<Duration>,
}

impl Dimmer {
    /// How bright the glass is at `now`, with the last press at `pressed`. Without a luma it stays as it was.
    pub(crate) fn glow(&mut self, luma: Option<f32>, pressed: Duration, now: Duration) -> Glow {
        let changes = luma.is_some_and(|luma| {
            if self.dark {
                luma > LIGHT_ABOVE
            } else {
                luma < DARK_BELOW
            }
        });
        self.since = if changes {
            self.since.or(Some(now))
        } else {
            None
        };
        if self.since.is_some_and(|since| now >= since + LASTS) {
            self.dark = !self.dark;
            self.since = None;
        }
        let rests = now.saturating_sub(pressed) >= REST_AFTER;
        match (self.dark, rests) {
            (false, false) => Glow::DAY,
            (false, true) => Glow::DAY_REST,
            (true, false) => Glow::NIGHT,
            (true, true) => Glow::NIGHT_REST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_picture_moves_by_one_dot_a_minute_and_comes_round() {
        let places: Vec<_> = (0..9).map(|minute| shift(SECOND * 60 * minute)).collect();
        assert_eq!(places[0], places[8]);
        for pair in places.windows(2) {
            let across = pair[0].0.abs_diff(pair[1].0);
            let down = pair[0].1.abs_diff(pair[1].1);
            assert_eq!(across + down, 1);
            assert!(pair[0].0 <= MAX_SHIFT && pair[0].1 <= MAX_SHIFT);
        }
    }

    #[test]
    fn the_panel_dims_when_it_is_left_alone_and_is_bright_after_a_press() {
        let mut dimmer = Dimmer::default();
        let press = SECOND * 100;
        assert_eq!(dimmer.glow(None, press, press + SECOND), Glow::DAY);
        assert_eq!(dimmer.glow(None, press, press + SECOND * 299), Glow::DAY);
        assert_eq!(
            dimmer.glow(None, press, press + SECOND * 300),
            Glow::DAY_REST
        );
        let press = SECOND * 500;
        assert_eq!(dimmer.glow(None, press, press), Glow::DAY);
    }

    #[test]
    fn the_panel_is_dim_at_night_and_a_bridge_does_not_make_night() {
        let mut dimmer = Dimmer::default();
        let mut at =
            |luma: f32, second: u32| dimmer.glow(Some(luma), Duration::ZERO, SECOND * second);
        assert_eq!(at(90.0, 0), Glow::DAY);
        assert_eq!(at(10.0, 1), Glow::DAY);
        assert_eq!(at(90.0, 3), Glow::DAY);
        assert_eq!(at(10.0, 4), Glow::DAY);
        assert_eq!(at(10.0, 9), Glow::NIGHT);
        // A street's lamps.
        assert_eq!(at(45.0, 30), Glow::NIGHT);
        assert_eq!(at(60.0, 31), Glow::NIGHT);
        assert_eq!(at(60.0, 36), Glow::DAY);
        assert_eq!(at(10.0, 320), Glow::DAY_REST);
        assert_eq!(at(10.0, 326), Glow::NIGHT_REST);
    }
}
