//! No state, however odd, breaks the layout.

use super::*;
use proptest::prelude::*;

/// Names and messages as they should not be: long, empty, of other scripts, with controls and marks that combine.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\u{202e}desrever\u{0}\n\t".to_owned()),
        Just("W".repeat(300)),
        Just("Zürich-Ö".to_owned()),
        "[a-z0-9-]{1,32}",
        any::<String>(),
    ]
}

fn numbers() -> impl Strategy<Value = Option<f32>> {
    prop_oneof![
        Just(None),
        Just(Some(f32::NAN)),
        Just(Some(f32::INFINITY)),
        (-300.0_f32..300.0).prop_map(Some),
        any::<f32>().prop_map(Some),
    ]
}

fn modes() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::Starting),
        Just(Mode::SelfTest),
        Just(Mode::Ready),
        Just(Mode::Recording),
        Just(Mode::NoCamera),
        texts().prop_map(Mode::Fault),
        Just(Mode::Stopping),
        Just(Mode::PowerOff),
        Just(Mode::Stopped),
    ]
}

fn links() -> impl Strategy<Value = Link> {
    prop_oneof![
        Just(Link::Unknown),
        Just(Link::Online),
        Just(Link::Offline),
        Just(Link::Refused),
    ]
}

fn cameras() -> impl Strategy<Value = Option<CameraState>> {
    let camera = (
        texts(),
        any::<u32>(),
        any::<u32>(),
        numbers(),
        numbers(),
        any::<u64>(),
    );
    proptest::option::of(camera.prop_map(
        |(format, width, height, asked_fps, measured_fps, lost_frames)| CameraState {
            format,
            width,
            height,
            asked_fps,
            measured_fps,
            lost_frames,
        },
    ))
}

fn self_tests() -> impl Strategy<Value = Option<SelfTest>> {
    proptest::option::of(prop_oneof![
        Just(SelfTest::Passed),
        texts().prop_map(SelfTest::Failed),
    ])
}

prop_compose! {
    fn states()(
        (rig, mode, link) in (texts(), modes(), links()),
        (fps, temperature_c) in (numbers(), numbers()),
        (person, eyes) in (any::<Option<bool>>(), any::<[Option<bool>; 2]>()),
        blinks_last_minute in any::<Option<u32>>(),
        (outbox_messages, disk_free_mib) in (any::<Option<u64>>(), any::<Option<u64>>()),
        throttled in any::<Option<bool>>(),
        (clock, shed) in (proptest::option::of(texts()), proptest::option::of(texts())),
        (camera, self_test) in (cameras(), self_tests()),
    ) -> PanelState {
        PanelState {
            rig, mode, fps, person, eyes, blinks_last_minute, link, outbox_messages, disk_free_mib, temperature_c,
            throttled, clock, shed, camera, self_test, ..PanelState::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_state_draws_outside_its_fields_or_one_field_over_another(state in states()) {
        for page in Page::ALL {
            prop_assert_eq!(compose(&state, page).faults(), Vec::<String>::new(), "{:?}", page);
        }
    }

    #[test]
    fn no_notice_draws_outside_its_fields(state in states(), marks in any::<u32>(), ms in 0_u64..20_000) {
        let held = Notice::Held(Duration::from_millis(ms));
        for notice in [Notice::Marked(marks), held] {
            prop_assert_eq!(compose_notice(&state, notice).faults(), Vec::<String>::new(), "{:?}", notice);
        }
    }

    #[test]
    fn the_slow_move_loses_no_dot(state in states(), minutes in 0_u64..100) {
        for page in Page::ALL {
            let still = draw(&state, page, Duration::ZERO);
            let moved = draw(&state, page, Duration::from_mins(minutes));
            prop_assert_eq!(still.lit(), moved.lit());
        }
    }

    #[test]
    fn any_state_survives_being_a_file(state in states()) {
        let text = serde_json::to_string(&state).unwrap();
        let back: PanelState = serde_json::from_str(&text).unwrap();
        // JSON has no odd numbers: they are unknown afterwards, and look the same.
        for page in Page::ALL {
            prop_assert_eq!(draw(&state, page, Duration::ZERO), draw(&back, page, Duration::ZERO));
        }
    }
}

#[test]
fn the_check_of_the_layout_can_fail() {
    let mut canvas = Canvas::new();
    canvas.line(area(0, 0, 40, 9), &ROW, Ink::Lit, "ghj");
    canvas.line(area(30, 0, 200, 10), &ROW, Ink::Lit, "a");
    let faults = canvas.faults();
    assert!(faults[0].contains("dots outside"), "{faults:?}");
    assert!(faults[1].contains("overlaps"), "{faults:?}");
    assert!(faults[2].contains("leaves the page"), "{faults:?}");
}

#[test]
fn titles_end_above_and_large_words_begin_below_the_line_where_modules_change_colour() {
    const LINE: usize = 16;
    let state = PanelState {
        rig: "gjpqy-1".into(),
        ..PanelState::default()
    };
    for minute in 0..8 {
        let uptime = Duration::from_mins(minute);
        let picture = draw(&state, Page::State, uptime);
        let (_, down) = care::shift(uptime);
        for y in TITLE_HEIGHT as usize + down..LINE {
            assert!((0..crate::WIDTH).all(|x| !picture.is_lit(x, y)), "row {y}");
        }
        assert!(LARGE_TOP as usize + down >= LINE);
    }
}

#[test]
fn a_page_that_warns_is_marked_on_every_page() {
    let quiet = PanelState::default();
    let full = PanelState {
        disk_free_mib: Some(100),
        ..PanelState::default()
    };
    for page in [Page::State, Page::Health, Page::Camera] {
        assert_ne!(
            draw(&quiet, page, Duration::ZERO),
            draw(&full, page, Duration::ZERO),
            "{page:?}"
        );
    }
}
