//! The pages and notices, drawn.
//!
//! A page uses 126 by 62 dots; the rest is room for the slow move against burn-in. Many modules are yellow in the upper 16 rows
//! and blue below: titles end above that line and the large word begins below it, wherever the picture stands.
//!
//! How large is readable: on a 0.96 inch module a dot is 0.17 mm. The large word's letters are 18 dots (3 mm) high, 17
//! minutes of arc at 60 cm, where 16 is the least that is recommended for reading at a glance. Values are 9 dots high: to
//! be read from a hand's breadth nearer. Captions of five dots are for who does not know the panel yet.

use std::time::Duration;

use embedded_graphics::mono_font::MonoFont;
use embedded_graphics::mono_font::iso_8859_1::{FONT_4X6, FONT_6X10, FONT_7X13_BOLD};
use embedded_graphics::prelude::{DrawTarget, Pixel, Point};

use crate::canvas::{Canvas, Ink, PAGE_HEIGHT, PAGE_WIDTH, area};
use crate::icons::{EYE, Icon, LARGE, NO_EYE, NOBODY, PERSON};
use crate::state::{HOT_C, LOW_DISK_MIB};
use crate::words::{UNKNOWN, count, decimal, space, wrap};
use crate::{CameraState, LONG, Link, Mode, PanelState, Picture, SelfTest, VERY_LONG, care};

/// Above the line at which two-coloured modules change colour.
const TITLE_HEIGHT: u32 = 13;
/// Where the large icon and word begin.
const LARGE_TOP: i32 = 16;
/// Where details begin.
const DETAIL_TOP: i32 = 42;

const TITLE: MonoFont<'_> = FONT_7X13_BOLD;
const VALUE: MonoFont<'_> = FONT_7X13_BOLD;
const ROW: MonoFont<'_> = FONT_6X10;
const CAPTION: MonoFont<'_> = FONT_4X6;

const ROW_HEIGHT: u32 = ROW.character_size.height;

/// A page of the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// What the rig is doing, and what it sees.
    #[default]
    State,
    /// Whether labels reach the host.
    Delivery,
    /// Whether the rig is well.
    Health,
    /// What the camera gives.
    Camera,
}

impl Page {
    /// All pages, in the order in which they are turned.
    pub const ALL: [Self; 4] = [Self::State, Self::Delivery, Self::Health, Self::Camera];

    /// The page a short press turns to.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::State => Self::Delivery,
            Self::Delivery => Self::Health,
            Self::Health => Self::Camera,
            Self::Camera => Self::State,
        }
    }

    /// Whether something on this page wants a person's eye.
    pub(crate) fn warns(self, state: &PanelState) -> bool {
        match self {
            Self::State => matches!(state.mode, Mode::NoCamera | Mode::Fault(_)),
            Self::Delivery => {
                matches!(state.link, Link::Offline | Link::Refused) || state.warns_of_disk()
            }
            Self::Health => {
                state.warns_of_heat()
                    || state.warns_of_clock()
                    || state.shed.is_some()
                    || state.warns_of_self_test()
            }
            Self::Camera => state.camera.as_ref().is_some_and(CameraState::is_slow),
        }
    }
}

/// What covers a page for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A moment was marked; it is the how manieth since the start.
    Marked(u32),
    /// The button has been down for so long.
    Held(Duration),
}

/// A page as the glass shows it after `uptime`.
pub fn draw(state: &PanelState, page: Page, uptime: Duration) -> Picture {
    settle(compose(state, page), uptime)
}

/// A notice as the glass shows it after `uptime`.
pub fn draw_notice(state: &PanelState, notice: Notice, uptime: Duration) -> Picture {
    settle(compose_notice(state, notice), uptime)
}

fn settle(canvas: Canvas, uptime: Duration) -> Picture {
    let (right, down) = care::shift(uptime);
    canvas.into_picture().shifted(right, down)
}

fn compose(state: &PanelState, page: Page) -> Canvas {
    let mut canvas = Canvas::new();
    match page {
        Page::State => state_page(&mut canvas, state),
        Page::Delivery => delivery_page(&mut canvas, state),
        Page::Health => health_page(&mut canvas, state),
        Page::Camera => camera_page(&mut canvas, state.camera.as_ref()),
    }
    page_marks(&mut canvas, state, page);
    canvas
}

fn compose_notice(state: &PanelState, notice: Notice) -> Canvas {
    let mut canvas = Canvas::new();
    match notice {
        Notice::Marked(marks) => {
            title(&mut canvas, &state.rig);
            large(&mut canvas, Icon::Flag, "MARKED");
            let which = format!("moment {}", count(Some(u64::from(marks)), 6));
            canvas.line(
                area(0, DETAIL_TOP, PAGE_WIDTH, 13),
                &VALUE,
                Ink::Lit,
                &which,
            );
        }
        Notice::Held(held) => held_notice(&mut canvas, state, held),
    }
    canvas
}

fn held_notice(canvas: &mut Canvas, state: &PanelState, held: Duration) {
    let (icon, word) = (Icon::from(&state.mode), word(&state.mode));
    // What letting go would do now: icon, word; and what holding on will do.
    let (let_go, icon, word, hold_on) = if held >= VERY_LONG {
        ("let go", Icon::Power, "OFF", "switching off")
    } else if held >= LONG {
        match state.mode {
            Mode::Ready => ("let go now:", Icon::Disc, "RECORD", "hold on: switch off"),
            Mode::Recording => ("let go now:", Icon::Square, "STOP", "hold on: switch off"),
            _ => ("start or stop", icon, word, "hold on: switch off"),
        }
    } else {
        match state.mode {
            Mode::Ready => (state.rig.as_str(), icon, word, "hold on: record"),
            Mode::Recording => (state.rig.as_str(), icon, word, "hold on: stop"),
            _ => (state.rig.as_str(), icon, word, "hold on"),
        }
    };
    title(canvas, let_go);
    large(canvas, icon, word);
    canvas.line(
        area(0, DETAIL_TOP, PAGE_WIDTH, ROW_HEIGHT),
        &ROW,
        Ink::Lit,
        hold_on,
    );
    let share = held.as_secs_f32() / VERY_LONG.as_secs_f32();
    let width = (share.clamp(0.0, 1.0) * PAGE_WIDTH as f32) as u32;
    canvas
        .field(area(0, PAGE_HEIGHT as i32 - 8, PAGE_WIDTH, 8))
        .fill(width);
}

/// The word for a mode: seven letters at most, so that it can be large.
fn word(mode: &Mode) -> &'static str {
    match mode {
        Mode::Starting => "START",
        Mode::SelfTest => "TESTING",
        Mode::Ready => "READY",
        Mode::Recording => "REC",
        Mode::NoCamera => "NO CAM",
        Mode::Fault(_) => "FAULT",
        Mode::Stopping => "WAIT",
        Mode::PowerOff => "OFF",
        Mode::Stopped => "STOPPED",
    }
}

fn title(canvas: &mut Canvas, text: &str) {
    let width = PAGE_WIDTH - MARKS_WIDTH - 3;
    canvas.line(area(0, 0, width, TITLE_HEIGHT), &TITLE, Ink::Lit, text);
}

/// Width of the marks that say which page this is.
const MARKS_WIDTH: u32 = Page::ALL.len() as u32 * 8;

/// One mark a page: a filled square for this one, a hollow one for others, an exclamation mark in a page that warns.
fn page_marks(canvas: &mut Canvas, state: &PanelState, page: Page) {
    let left = (PAGE_WIDTH - MARKS_WIDTH) as i32;
    for (index, other) in (0..).zip(Page::ALL) {
        let mut mark = canvas.field(area(left + index * 8, 2, 8, 9));
        let current = other == page;
        let mut dot = |x: i32, y: i32| {
            let Ok(()) = mark.draw_iter([Pixel(
                Point::new(x, y),
                embedded_graphics::pixelcolor::BinaryColor::On,
            )]);
        };
        if other.warns(state) {
            for y in (0..6).chain(7..9) {
                dot(3, y);
                dot(4, y);
            }
            if current {
                for x in 1..7 {
                    dot(x, 8);
                }
            }
        } else {
            for y in 2..7 {
                for x in 1..6 {
                    if current || [1, 5].contains(&x) || [2, 6].contains(&y) {
                        dot(x, y);
                    }
                }
            }
        }
    }
}

/// The large icon and word.
fn large(canvas: &mut Canvas, icon: Icon, word: &str) {
    icon.draw(&mut canvas.field(area(0, LARGE_TOP, LARGE, LARGE)));
    let width = PAGE_WIDTH - LARGE - 2;
    let mut field = canvas.field(area(LARGE as i32 + 2, LARGE_TOP, width, LARGE));
    crate::large::write(&mut field, word);
}

fn state_page(canvas: &mut Canvas, state: &PanelState) {
    title(canvas, &state.rig);
    large(canvas, Icon::from(&state.mode), word(&state.mode));
    let message = match &state.mode {
        Mode::Ready | Mode::Recording => return seen(canvas, state),
        Mode::Starting => "opening models and outbox",
        Mode::SelfTest => "a minute, please",
        Mode::NoCamera => "no pictures come: see to the camera's cable",
        Mode::Fault(what) => what,
        Mode::Stopping => "delivering what waits",
        Mode::PowerOff => "wait for the board's own light to go out",
        Mode::Stopped => "the program has ended",
    };
    rows(canvas, message);
}

/// Two lines of small text below the large word.
fn rows(canvas: &mut Canvas, text: &str) {
    let columns = PAGE_WIDTH / ROW.character_size.width;
    for (row, line) in (0..).zip(wrap(text, columns as usize, 2)) {
        let top = DETAIL_TOP + row * 10;
        canvas.line(area(0, top, PAGE_WIDTH, ROW_HEIGHT), &ROW, Ink::Lit, &line);
    }
}

/// What is seen: frames a second, a person, eyes, blinks.
fn seen(canvas: &mut Canvas, state: &PanelState) {
    let value = |canvas: &mut Canvas, x, width, text: &str, caption: &str| {
        canvas.line(area(x, DETAIL_TOP, width, 13), &VALUE, Ink::Lit, text);
        canvas.line(
            area(x, DETAIL_TOP + 14, width, 6),
            &CAPTION,
            Ink::Lit,
            caption,
        );
    };
    value(canvas, 0, 36, &decimal(state.fps), "fps");
    let blinks = count(state.blinks_last_minute.map(u64::from), 3);
    value(canvas, 97, 29, &blinks, "blinks");

    let mut person = canvas.field(area(40, DETAIL_TOP, 13, 20));
    match state.person {
        Some(true) => PERSON.draw(Point::zero(), &mut person),
        Some(false) => NOBODY.draw(Point::zero(), &mut person),
        None => person.text(Point::zero(), &VALUE, Ink::Lit, "-"),
    }
    // As the camera sees them: the subject's right eye is on the left.
    let [left, right] = state.eyes;
    for (x, eye, caption) in [(57, right, "R"), (76, left, "L")] {
        let mut field = canvas.field(area(x, DETAIL_TOP, 16, 20));
        match eye {
            Some(true) => EYE.draw(Point::new(0, 2), &mut field),
            Some(false) => NO_EYE.draw(Point::new(0, 2), &mut field),
            None => field.text(Point::new(1, 0), &VALUE, Ink::Lit, UNKNOWN),
        }
        field.text(Point::new(6, 14), &CAPTION, Ink::Lit, caption);
    }
}

fn delivery_page(canvas: &mut Canvas, state: &PanelState) {
    title(canvas, "delivery");
    let word = match state.link {
        Link::Unknown => UNKNOWN,
        Link::Online => "ONLINE",
        Link::Offline => "OFFLINE",
        Link::Refused => "REFUSED",
    };
    large(canvas, Icon::from(state.link), word);
    let waiting = count(state.outbox_messages, 6);
    row(canvas, DETAIL_TOP, 9, "waiting", Ink::Lit, &waiting);
    let ink = ink(state.warns_of_disk());
    row(
        canvas,
        DETAIL_TOP + 10,
        9,
        "disk free",
        ink,
        &space(state.disk_free_mib),
    );
}

fn health_page(canvas: &mut Canvas, state: &PanelState) {
    title(canvas, "health");
    let unknown = || UNKNOWN.to_owned();
    let celsius = state.celsius();
    let temperature = match (celsius, state.throttled) {
        (None, None) => unknown(),
        (_, Some(true)) => format!("{}\u{b0} slow", decimal(celsius)),
        (celsius, _) => format!("{}\u{b0}C", decimal(celsius)),
    };
    let test = match &state.self_test {
        None => unknown(),
        Some(SelfTest::Passed) => "passed".into(),
        Some(SelfTest::Failed(what)) => what.clone(),
    };
    let shed = state.shed.clone().unwrap_or_else(|| "nothing".into());
    let lines = [
        ("temp", state.warns_of_heat(), temperature),
        (
            "clock",
            state.warns_of_clock(),
            state.clock.clone().unwrap_or_else(unknown),
        ),
        ("shed", state.shed.is_some(), shed),
        ("test", state.warns_of_self_test(), test),
    ];
    for (index, (name, warns, value)) in (0..).zip(lines) {
        row(
            canvas,
            LARGE_TOP + 2 + index * 11,
            5,
            name,
            ink(warns),
            &value,
        );
    }
}

fn camera_page(canvas: &mut Canvas, camera: Option<&CameraState>) {
    title(canvas, "camera");
    let value = |text: fn(&CameraState) -> String| camera.map_or_else(|| UNKNOWN.into(), text);
    let rate = value(|camera| {
        let (measured, asked) = (decimal(camera.measured_fps), decimal(camera.asked_fps));
        format!("{measured} of {asked}")
    });
    let lines = [
        ("format", value(|camera| camera.format.clone())),
        (
            "size",
            value(|camera| format!("{}x{}", camera.width, camera.height)),
        ),
        ("rate", rate),
        ("lost", value(|camera| count(Some(camera.lost_frames), 6))),
    ];
    for (index, (name, value)) in (0..).zip(lines) {
        let slow = name == "rate" && camera.is_some_and(CameraState::is_slow);
        row(
            canvas,
            LARGE_TOP + 2 + index * 11,
            6,
            name,
            ink(slow),
            &value,
        );
    }
}

fn ink(warns: bool) -> Ink {
    if warns { Ink::Reversed } else { Ink::Lit }
}

/// A name of up to `letters` and its value, on a line.
fn row(canvas: &mut Canvas, top: i32, letters: u32, name: &str, ink: Ink, value: &str) {
    let width = (letters + 1) * ROW.character_size.width;
    canvas.line(area(0, top, width, ROW_HEIGHT), &ROW, Ink::Lit, name);
    let value_area = area(width as i32, top, PAGE_WIDTH - width, ROW_HEIGHT);
    canvas.line(value_area, &ROW, ink, value);
}

impl PanelState {
    fn warns_of_disk(&self) -> bool {
        self.disk_free_mib.is_some_and(|free| free < LOW_DISK_MIB)
    }

    fn warns_of_heat(&self) -> bool {
        self.throttled == Some(true) || self.celsius().is_some_and(|celsius| celsius >= HOT_C)
    }

    fn celsius(&self) -> Option<f32> {
        self.temperature_c.filter(|celsius| celsius.is_finite())
    }

    fn warns_of_clock(&self) -> bool {
        self.clock.as_deref() == Some("unsynced")
    }

    fn warns_of_self_test(&self) -> bool {
        matches!(self.self_test, Some(SelfTest::Failed(_)))
    }
}

#[cfg(test)]
mod tests;
