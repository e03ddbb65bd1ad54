//! The front by times, without a thread and without sleeping.

use super::*;
use crate::care::Glow;
use crate::{FakeGlass, FakePins, Lights};
use std::sync::{Arc, Mutex};

const MS: Duration = Duration::from_millis(1);

struct Rig {
    glass: FakeGlass,
    pins: FakePins,
    state: Arc<Mutex<PanelState>>,
    machine: Machine<Box<dyn FnMut() -> PanelState>>,
    now: Duration,
    presses: Vec<Press>,
}

impl Rig {
    fn new() -> Self {
        Self::with_snapshot(None)
    }

    fn with_snapshot(snapshot: Option<Snapshot>) -> Self {
        let (glass, pins) = (FakeGlass::default(), FakePins::default());
        let state = Arc::new(Mutex::new(PanelState {
            rig: "bus-7".into(),
            mode: Mode::Recording,
            ..PanelState::default()
        }));
        let asked = Arc::clone(&state);
        let machine = Machine::new(
            Box::new(move || asked.lock().unwrap().clone()) as Box<dyn FnMut() -> PanelState>,
            Some(Display::new(FakeGlass::settings(), glass.open())),
            Some(PinKeeper::new(FakePins::settings(), pins.open())),
            snapshot,
        );
        Self {
            glass,
            pins,
            state,
            machine,
            now: Duration::ZERO,
            presses: Vec::new(),
        }
    }

    fn run(&mut self, ms: u32) {
        let until = self.now + MS * ms;
        while self.now < until {
            let (press, pause) = self.machine.tick(self.now);
            self.presses.extend(press);
            self.now += pause.min(MS * 10);
        }
    }

    fn press(&mut self, ms: u32) {
        self.pins.hold(true);
        self.run(ms);
        self.pins.hold(false);
        self.run(200);
    }

    fn change(&self, change: impl FnOnce(&mut PanelState)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Whether the glass shows this page, wherever it stands by now.
    fn shows(&self, page: Page) -> bool {
        let state = self.state.lock().unwrap();
        self.glass.picture() == Some(draw(&state, page, self.now))
    }

    fn shows_notice(&self, notice: Notice) -> bool {
        let state = self.state.lock().unwrap();
        self.glass.picture() == Some(draw_notice(&state, notice, self.now))
    }
}

#[test]
fn the_glass_follows_the_state_within_a_second() {
    let mut rig = Rig::new();
    rig.run(500);
    assert!(rig.shows(Page::State));
    rig.change(|state| state.fps = Some(29.97));
    assert!(!rig.shows(Page::State));
    rig.run(800);
    assert!(rig.shows(Page::State));
}

#[test]
fn short_presses_turn_through_all_pages_and_a_minute_later_the_first_is_back() {
    let mut rig = Rig::new();
    rig.run(500);
    for page in [
        Page::Delivery,
        Page::Health,
        Page::Camera,
        Page::State,
        Page::Delivery,
    ] {
        rig.press(150);
        rig.run(500);
        assert!(rig.shows(page), "{page:?}");
    }
    rig.run(61_000);
    assert!(rig.shows(Page::State));
    assert_eq!(rig.presses, [Press::Short; 5]);
}

#[test]
fn a_mark_is_confirmed_for_two_seconds_only_when_it_was_made() {
    let mut rig = Rig::new();
    rig.change(|state| state.marks = 6);
    rig.run(500);
    assert!(rig.shows(Page::State), "marks of before are not news");
    rig.press(150);
    assert!(rig.shows(Page::Delivery), "nothing was marked");
    rig.pins.hold(true);
    rig.run(150);
    rig.pins.hold(false);
    rig.run(40);
    rig.change(|state| state.marks = 7);
    rig.run(400);
    assert!(rig.shows_notice(Notice::Marked(7)));
    rig.run(2500);
    assert!(rig.shows(Page::Health), "then the next page");
}

#[test]
fn a_held_button_is_answered_on_the_glass_and_a_very_long_press_told_while_it_is_down() {
    let mut rig = Rig::new();
    rig.run(500);
    rig.pins.hold(true);
    rig.run(300);
    assert!(rig.shows(Page::State), "a tap does not flicker");
    rig.run(4000);
    let shown = rig.glass.picture().unwrap();
    let stop = draw_notice(&rig.state.lock().unwrap(), Notice::Held(MS * 4000), rig.now);
    // All but the bar.
    for y in 0..52 {
        assert!(
            (0..crate::WIDTH).all(|x| shown.is_lit(x, y) == stop.is_lit(x, y)),
            "row {y}"
        );
    }
    assert_eq!(rig.presses, []);
    rig.run(800);
    assert_eq!(rig.presses, [Press::VeryLong]);
    rig.pins.hold(false);
    rig.run(500);
    assert_eq!(rig.presses, [Press::VeryLong]);
}

#[test]
fn a_display_that_goes_away_disturbs_nothing_and_shows_again_when_it_is_back() {
    let mut rig = Rig::new();
    rig.run(500);
    rig.glass.fail(Some(121));
    rig.change(|state| state.fps = Some(25.0));
    rig.run(10_000);
    // After 1, 2, 4 seconds; the one after that is due 8 seconds later.
    assert_eq!(rig.machine.failures(), (4, 0));
    rig.press(150);
    assert_eq!(rig.presses, [Press::Short], "the button works on");
    rig.glass.lose_power();
    rig.run(7000);
    assert!(rig.shows(Page::Delivery));
    assert_eq!(rig.machine.failures(), (4, 0));
}

#[test]
fn pins_that_fail_are_released_and_taken_again() {
    let mut rig = Rig::new();
    rig.run(2000);
    rig.pins.fail(true);
    rig.run(500);
    assert!(rig.pins.are_released());
    assert_eq!(rig.machine.failures(), (0, 1));
    rig.change(|state| state.fps = Some(1.0));
    rig.run(800);
    assert!(rig.shows(Page::State), "the display works on");
    rig.pins.fail(false);
    rig.run(2000);
    assert!(!rig.pins.are_released());
    rig.press(150);
    assert_eq!(rig.presses, [Press::Short]);
}

#[test]
fn the_end_puts_lights_out_gives_pins_back_and_stays_on_the_glass() {
    for (before, after) in [
        (Mode::Recording, Mode::Stopped),
        (Mode::Stopping, Mode::Stopped),
        (Mode::PowerOff, Mode::PowerOff),
        (
            Mode::Fault("disk full".into()),
            Mode::Fault("disk full".into()),
        ),
    ] {
        let mut rig = Rig::new();
        rig.run(500);
        assert_eq!(rig.pins.lights(), Lights::ALL, "lamp test");
        rig.change(|state| state.mode = before);
        rig.machine.end(End::Ordered, rig.now);
        assert_eq!(rig.pins.lights(), Lights::default());
        assert!(rig.pins.are_released());
        rig.change(|state| state.mode = after);
        assert!(rig.shows(Page::State));
    }
}

#[test]
fn a_dark_cabin_dims_the_glass_and_a_press_brightens_it_after_a_rest() {
    let mut rig = Rig::new();
    rig.run(500);
    assert_eq!(rig.glass.contrast(), Glow::DAY.contrast);
    rig.change(|state| state.scene_luma = Some(8.0));
    rig.run(7000);
    assert_eq!(rig.glass.contrast(), Glow::NIGHT.contrast);
    rig.run(300_000);
    assert_eq!(rig.glass.contrast(), Glow::NIGHT_REST.contrast);
    rig.press(150);
    assert_eq!(rig.glass.contrast(), Glow::NIGHT.contrast);
}

#[test]
fn the_snapshot_is_the_state_and_gone_after_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.json");
    let mut rig = Rig::with_snapshot(Some(Snapshot::new(path.clone())));
    rig.run(100);
    let read = || -> PanelState { serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap() };
    assert_eq!(read(), *rig.state.lock().unwrap());
    rig.change(|state| state.outbox_messages = Some(9));
    rig.run(600);
    assert_eq!(read().outbox_messages, Some(9));
    // Unchanged, it is written again now and then.
    std::fs::remove_file(&path).unwrap();
    rig.run(5000);
    assert!(!path.exists());
    rig.run(6000);
    assert!(path.exists());
    rig.machine.end(End::Ordered, rig.now);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
