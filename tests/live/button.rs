//! The button, and what it starts, marks and ends. There are no pins here: presses come over the channel that the panel's
//! thread would send them on.

use crate::Rig;
use board::{Board, SessionStart};
use end_to_end::wait_for;
use panel::Press;
use rigeld::run::{Signals, Surroundings, run_board};
use std::sync::mpsc::channel;

#[test]
fn a_long_press_starts_and_ends_a_session_a_short_one_marks_and_a_very_long_one_switches_off() {
    let rig = Rig::new();
    let mut board = Board::read(&rig.board()).unwrap();
    // A board file says so only where it names pins.
    board.session.start = SessionStart::ByButton;
    let (press, presses) = channel();
    let surroundings = Surroundings {
        signals: Signals::default(),
        presses: Some(presses),
        runtime: Some(rig.runtime()),
    };
    let appliance = std::thread::spawn(move || run_board(&board, surroundings));
    let shows = |what: &str, look: &dyn Fn(&serde_json::Value) -> bool| {
        wait_for(what, || rig.panel().filter(|state| look(state)))
    };
    shows("a rig that is ready", &|state| state["mode"] == "ready");
    // Without a session there is nothing to mark, and no camera that would be open.
    press.send(Press::Short).unwrap();
    press.send(Press::Long).unwrap();
    shows("a session with somebody in view", &|state| {
        state["mode"] == "recording" && state["person"] == true
    });
    press.send(Press::Short).unwrap();
    let marked = shows("the mark", &|state| state["marks"] == 1);
    press.send(Press::Long).unwrap();
    let ready = shows("a rig that is ready again", &|state| {
        state["mode"] == "ready"
    });
    assert!(marked["frames"].as_u64() <= ready["frames"].as_u64());
    assert_eq!(
        ready["person"],
        serde_json::Value::Null,
        "nobody is looked at"
    );
    press.send(Press::Long).unwrap();
    shows("another session", &|state| state["mode"] == "recording");
    press.send(Press::VeryLong).unwrap();
    appliance.join().unwrap().unwrap();

    assert!(
        rig.runtime().join("poweroff").exists(),
        "the request to switch off"
    );
    let clips = rig.clips();
    assert_eq!(clips.len(), 2);
    let [first, second] = [&clips[0], &clips[1]];
    let (frames, _) = first.frames_and_drops();
    second.frames_and_drops();
    assert_eq!((first.marks.len(), second.marks.len()), (1, 0));
    assert!(first.marks[0].frame < frames);
    let opened = first.opened.as_ref().unwrap();
    assert!(first.marks[0].mono_us > opened.mono_us);
    assert_eq!(
        (&first.closed().damage, &second.closed().damage),
        (&None, &None)
    );
}
