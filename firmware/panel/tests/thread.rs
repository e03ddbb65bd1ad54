//! The front with its thread.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use panel::{
    FakeGlass, FakePins, Front, FrontSettings, Lights, Mode, Page, PanelState, Press, draw,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn settings() -> FrontSettings {
    FrontSettings {
        display: Some(FakeGlass::settings()),
        pins: Some(FakePins::settings()),
        snapshot: None,
    }
}

fn recording() -> PanelState {
    PanelState {
        rig: "bus-7".into(),
        mode: Mode::Recording,
        ..PanelState::default()
    }
}

fn shows(glass: &FakeGlass, mode: Mode) -> bool {
    let state = PanelState {
        mode,
        ..recording()
    };
    glass.picture() == Some(draw(&state, Page::State, Duration::ZERO))
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
}

#[test]
fn presses_come_over_the_channel_and_stopping_releases_the_pins() {
    let (glass, pins) = (FakeGlass::default(), FakePins::default());
    let (front, presses) =
        Front::start_with(settings(), glass.open(), pins.open(), recording).unwrap();
    wait_until(|| shows(&glass, Mode::Recording));
    pins.hold(true);
    let before = pins.reads();
    // Long enough to count, and what it is called depends on how busy this machine is.
    wait_until(|| pins.reads() > before + 10);
    pins.hold(false);
    assert!(matches!(
        presses.recv_timeout(PATIENCE).unwrap(),
        Press::Short | Press::Long
    ));
    front.stop();
    assert_eq!(pins.lights(), Lights::default());
    assert!(pins.are_released());
    assert!(shows(&glass, Mode::Stopped));
    assert!(presses.recv().is_err());
}

#[test]
fn a_panic_in_what_makes_the_state_releases_the_pins_and_is_told_on_the_glass() {
    let (glass, pins) = (FakeGlass::default(), FakePins::default());
    let mut asked = 0;
    let state = move || {
        asked += 1;
        assert!(asked < 3, "made to fail");
        recording()
    };
    let (front, presses) = Front::start_with(settings(), glass.open(), pins.open(), state).unwrap();
    assert_eq!(
        presses.recv_timeout(PATIENCE),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    front.stop();
    assert!(pins.are_released());
    let told = Mode::Fault("panel failed: see journalctl -u rigeld".into());
    assert!(shows(&glass, told));
}

#[test]
fn a_panic_of_the_program_releases_the_pins_and_is_told_on_the_glass() {
    let (glass, pins) = (FakeGlass::default(), FakePins::default());
    let (bus, lines) = (glass.open(), pins.open());
    let seen = glass.clone();
    let program = std::thread::spawn(move || {
        let _front = Front::start_with(settings(), bus, lines, recording).unwrap();
        wait_until(|| shows(&seen, Mode::Recording));
        panic!("made to crash");
    });
    assert!(program.join().is_err());
    assert!(pins.are_released());
    let told = Mode::Fault("rigeld crashed: see journalctl -u rigeld".into());
    assert!(shows(&glass, told));
}

#[test]
fn a_rig_without_display_and_pins_runs_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let settings = FrontSettings {
        display: Some(panel::DisplaySettings {
            bus: folder.path().join("i2c-1"),
            ..FakeGlass::settings()
        }),
        pins: Some(panel::PinSettings {
            chip: folder.path().join("gpiochip0"),
            ..FakePins::settings()
        }),
        snapshot: None,
    };
    let (front, _presses) = Front::start(settings, recording).unwrap();
    wait_until(|| front.failures().display > 0 && front.failures().pins > 0);
    front.stop();
}
