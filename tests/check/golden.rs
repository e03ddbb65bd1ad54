//! The golden clip notices what a digest cannot: the right files, used wrongly.

use super::Bench;
use std::fs;

#[test]
fn a_card_that_feeds_a_model_other_colours_is_found_by_the_numbers() {
    let bench = Bench::new();
    // The mesh wants 0 to 1.
    bench.edit(
        "models/face-landmarks-v2.toml",
        "range = [0.0, 1.0]",
        "range = [-1.0, 1.0]",
    );
    let outcome = bench.check(&[]);
    outcome.fails_alone(
        "golden",
        "eyes off by",
        "the files are right and the numbers are not",
    );
    assert_eq!(outcome.item("models")["verdict"], "passed");
}

#[test]
fn another_calibration_is_found_and_named() {
    let bench = Bench::new();
    let path = bench.path("models/calibration/base.toml");
    let text = fs::read_to_string(&path).unwrap();
    let ceiling = text
        .split("[blink]")
        .nth(1)
        .unwrap()
        .lines()
        .find(|line| line.starts_with("ceiling"))
        .unwrap();
    fs::write(&path, text.replacen(ceiling, "ceiling = 0.9", 1)).unwrap();
    bench.check(&["--only", "models", "golden"]).fails_alone(
        "golden",
        "confidence 0.",
        "made with another calibration-base",
    );
}

#[test]
fn another_mesh_in_the_board_file_is_found_and_named() {
    let bench = Bench::new();
    bench.edit(
        "boards/sim.toml",
        "\"face-landmarks-v2\"",
        "\"face-landmark\"",
    );
    bench.check(&["--only", "models", "golden"]).fails_alone(
        "golden",
        "openness off by",
        "made with another face-landmark",
    );
}

#[test]
fn a_clip_that_was_changed_is_not_measured() {
    let bench = Bench::new();
    let path = bench.path("models/golden/clip.mjpeg");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(1_000_000);
    fs::write(&path, bytes).unwrap();
    bench.check(&["--only", "golden"]).fails_alone(
        "golden",
        "clip.mjpeg: SHA-256 is",
        "install the package again",
    );
}

#[test]
fn the_runtime_for_older_systems_gives_the_stored_numbers() {
    let bench = Bench::new();
    bench.edit("boards/sim.toml", "libLiteRt.so", "libLiteRt-older.so");
    let outcome = bench.check(&["--only", "models", "golden"]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.with("passed"), ["models", "golden"]);
    let said = outcome.item("models")["said"].as_str().unwrap();
    let older = ["tensorflow-lite 2.9.0", "litert 2.1.0"];
    assert!(older.iter().any(|name| said.contains(name)), "{said}");
}

#[test]
fn a_runtime_that_is_no_known_release_is_not_loaded() {
    let bench = Bench::new();
    bench.edit(
        "boards/sim.toml",
        "../.rigel/runtime/libLiteRt.so",
        "../models/golden/clip.mjpeg",
    );
    bench.check(&["--only", "models", "golden"]).fails_alone(
        "models",
        "clip.mjpeg: not a known release of LiteRT",
        "cargo xtask setup",
    );
}
