//! The panel's pictures, dot for dot: two rows of dots a line. Where one changes, look at it with `rigeld panel --png`.

use std::time::Duration;

use panel::{
    CameraState, Link, Mode, Notice, Page, PanelState, Picture, SelfTest, draw, draw_notice,
};

fn state() -> PanelState {
    PanelState {
        rig: "bus-7".into(),
        mode: Mode::Recording,
        frames: 54_000,
        fps: Some(29.97),
        person: Some(true),
        eyes: [Some(true); 2],
        blinks_last_minute: Some(17),
        marks: 2,
        link: Link::Online,
        outbox_messages: Some(12),
        disk_free_mib: Some(23_040),
        temperature_c: Some(61.5),
        throttled: Some(false),
        clock: Some("ntp".into()),
        shed: None,
        camera: Some(CameraState {
            format: "MJPG".into(),
            width: 1280,
            height: 720,
            asked_fps: Some(30.0),
            measured_fps: Some(29.97),
            lost_frames: 3,
        }),
        self_test: Some(SelfTest::Passed),
        scene_luma: Some(92.0),
    }
}

fn shown(state: &PanelState, page: Page) -> Picture {
    draw(state, page, Duration::ZERO)
}

#[test]
fn a_rig_that_records() {
    insta::assert_snapshot!(shown(&state(), Page::State));
}

#[test]
fn a_rig_that_has_just_been_switched_on() {
    insta::assert_snapshot!(shown(&PanelState::default(), Page::State));
}

#[test]
fn a_rig_that_is_ready_and_sees_nobody() {
    let state = PanelState {
        mode: Mode::Ready,
        person: Some(false),
        eyes: [Some(false); 2],
        blinks_last_minute: Some(0),
        ..state()
    };
    insta::assert_snapshot!(shown(&state, Page::State));
}

#[test]
fn a_rig_whose_camera_is_away() {
    let state = PanelState {
        mode: Mode::NoCamera,
        ..state()
    };
    insta::assert_snapshot!(shown(&state, Page::State));
}

#[test]
fn a_rig_with_a_fault_and_a_name_that_is_too_long() {
    let state = PanelState {
        rig: "north-depot-bus-0117".into(),
        mode: Mode::Fault("no model: see journalctl -u rigeld".into()),
        ..state()
    };
    insta::assert_snapshot!(shown(&state, Page::State));
}

#[test]
fn a_rig_that_delivers() {
    insta::assert_snapshot!(shown(&state(), Page::Delivery));
}

#[test]
fn a_rig_whose_labels_wait_on_a_disk_that_is_nearly_full() {
    let state = PanelState {
        link: Link::Offline,
        outbox_messages: Some(123_456),
        disk_free_mib: Some(200),
        ..state()
    };
    insta::assert_snapshot!(shown(&state, Page::Delivery));
}

#[test]
fn a_rig_in_good_health() {
    insta::assert_snapshot!(shown(&state(), Page::Health));
}

#[test]
fn a_rig_in_bad_health() {
    let state = PanelState {
        temperature_c: Some(84.2),
        throttled: Some(true),
        clock: Some("unsynced".into()),
        shed: Some("half rate".into()),
        self_test: Some(SelfTest::Failed("clock, broker".into())),
        ..state()
    };
    insta::assert_snapshot!(shown(&state, Page::Health));
}

#[test]
fn a_camera_that_gives_fewer_frames_than_asked() {
    let mut state = state();
    if let Some(camera) = &mut state.camera {
        camera.measured_fps = Some(15.0);
    }
    insta::assert_snapshot!(shown(&state, Page::Camera));
}

#[test]
fn a_mark_is_confirmed() {
    let notice = Notice::Marked(3);
    insta::assert_snapshot!(draw_notice(&state(), notice, Duration::ZERO));
}

#[test]
fn a_button_held_for_three_seconds() {
    let notice = Notice::Held(Duration::from_secs(3));
    insta::assert_snapshot!(draw_notice(&state(), notice, Duration::ZERO));
}

#[test]
fn the_picture_stands_elsewhere_after_four_minutes() {
    insta::assert_snapshot!(draw(&state(), Page::State, Duration::from_mins(4)));
}

#[test]
fn the_bytes_are_in_the_order_in_which_the_display_takes_them() {
    let mut picture = Picture::default();
    picture.set(0, 0, true);
    picture.set(127, 7, true);
    picture.set(5, 8, true);
    picture.set(5, 15, true);
    picture.set(127, 63, true);
    let bytes = picture.ssd1306_bytes();
    assert_eq!(bytes[0], 0x01);
    assert_eq!(bytes[127], 0x80);
    assert_eq!(bytes[128 + 5], 0x81);
    assert_eq!(bytes[1023], 0x80);
    assert_eq!(picture.lit(), 5);
    assert_eq!(Picture::from_ssd1306_bytes(bytes), picture);
}

#[test]
fn a_png_shows_each_dot_as_a_square() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("panel.png");
    let picture = shown(&state(), Page::State);
    picture.write_png(&path, 3).expect("writable");
    let file = std::io::BufReader::new(std::fs::File::open(&path).expect("written"));
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
    let frame = reader.next_frame(&mut pixels).expect("a picture");
    assert_eq!((frame.width, frame.height), (384, 192));
    for (index, pixel) in pixels.iter().enumerate() {
        let (x, y) = (index % 384, index / 384);
        assert_eq!(*pixel == 255, picture.is_lit(x / 3, y / 3), "{x} {y}");
    }
    let error = picture
        .write_png(&folder.path().join("away/panel.png"), 1)
        .expect_err("no such folder");
    assert!(
        error
            .to_string()
            .ends_with("away/panel.png: No such file or directory")
    );
}
