//! The board files that are shipped.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use board::{Access, Board, Hardware, PipeFormat, RecordingEncoder, Source};
use std::path::{Path, PathBuf};

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_shipped_board_is_valid_and_named_like_its_file() {
    let files = shipped();
    assert!(!files.is_empty());
    for path in files {
        let board = Board::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            board.name.as_str(),
            path.file_stem().unwrap().to_str().unwrap()
        );
    }
}

#[test]
fn the_simulated_rig_finds_its_clip_whatever_the_working_directory() {
    let path = shipped()
        .into_iter()
        .find(|path| path.ends_with("sim.toml"))
        .unwrap();
    let Source::Clip { path: clip, .. } = Board::read(&path).unwrap().source else {
        panic!("the simulated rig labels a clip");
    };
    assert_eq!(
        clip,
        path.parent().unwrap().join("../.rigel/clips/franck.mp4")
    );
}

#[test]
fn a_board_says_how_often_people_are_looked_for_and_may_leave_it_out() {
    let path = shipped()
        .into_iter()
        .find(|path| path.ends_with("sim.toml"))
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let cadence = |text: String| {
        let board = Board::parse(&path, text).unwrap_or_else(|error| panic!("{error}"));
        let p = board.perception;
        (p.person_every_ms, p.search_every_ms)
    };
    let given = text
        .replace("person-every-ms = 2000", "person-every-ms = 4000")
        .replace("search-every-ms = 2000", "search-every-ms = 500");
    assert_eq!(cadence(given), (4000, 500));
    let left_out: String = text
        .lines()
        .filter(|line| !line.contains("-every-ms = "))
        .fold(String::new(), |all, line| all + line + "\n");
    assert_eq!(cadence(left_out), (2000, 2000));
}

/// The text with every `# key = value` made to count.
fn with_every_suggestion(text: &str) -> String {
    let is_key = |line: &str| {
        let key = line.split(" = ").next().filter(|key| *key != line);
        key.is_some_and(|key| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
    };
    text.lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if is_key(rest) || rest == "[recording]" => rest,
            _ => line,
        })
        .fold(String::new(), |text, line| text + line + "\n")
}

/// The lines of the commented `[source]`, and the text without either.
fn take_other_source(text: &str) -> Option<(String, String)> {
    let (before, rest) = text.split_once("\n[source]\n")?;
    let (_, rest) = rest.split_once("\n# [source]\n")?;
    let (other, after) = rest.split_once("\n\n")?;
    let other: String = other
        .lines()
        .map(|line| line.trim_start_matches('#').trim_start())
        .fold(String::new(), |text, line| text + line + "\n");
    Some((format!("[source]\n{other}"), format!("{before}\n{after}\n")))
}

#[test]
fn every_suggestion_in_a_shipped_board_is_valid_when_it_is_taken() {
    for path in shipped().iter().filter(|path| !path.ends_with("sim.toml")) {
        let text = std::fs::read_to_string(path).unwrap();
        let (source, rest) = take_other_source(&text).unwrap();
        let camera = text.replace(
            &text[text.find("# A CSI camera").unwrap()..text.find("[perception]").unwrap()],
            "",
        );
        let board = Board::parse(path, with_every_suggestion(&camera))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            board.recording.unwrap().encoder,
            RecordingEncoder::Camera,
            "a camera that sends pictures is shipped"
        );
        let Source::Camera(camera) = board.source else {
            panic!("{}: a USB camera is what is shipped", path.display());
        };
        assert!(camera.exposure_us.is_some() && camera.gain.is_some());
        assert!(camera.anti_flicker.is_some() && camera.infrared_lamp.is_some());

        let board = Board::parse(path, rest + &source).unwrap_or_else(|error| panic!("{error}"));
        let Source::Pipe(pipe) = board.source else {
            panic!("{}: a pipe is what is suggested", path.display());
        };
        let words = pipe.command.join(" ");
        assert!(
            words.contains(&pipe.width.to_string()) && words.contains(&pipe.height.to_string())
        );
        assert_eq!(
            words.contains("format=NV12"),
            pipe.format == PipeFormat::Nv12
        );
        assert_eq!(words.contains("yuv420"), pipe.format == PipeFormat::I420);
    }
}

#[test]
fn rigs_with_pins_name_them_as_their_computer_does() {
    for path in shipped() {
        let board = Board::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let Some(pins) = board.pins else { continue };
        assert_eq!(
            pins.access == Access::Kernel,
            !pins.chip.as_os_str().is_empty()
        );
        // rppal 0.22 looks for the chip from gpiochip0 on and gives up at the first gap; the Pi 5's kernels begin at 11.
        if board.name.as_str() == "rpi5" {
            assert_eq!(pins.chip, Path::new("pinctrl-rp1"));
        }
        if board.hardware != Hardware::RaspberryPi {
            assert_eq!(pins.access, Access::Kernel);
        }
    }
}
