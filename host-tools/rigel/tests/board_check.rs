//! `rigel board check`, as a field engineer runs it.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Run in the project's folder, so that paths are short.
fn check(files: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rigel"))
        .args(["board", "check"])
        .args(files)
        .current_dir(project())
        .output()
        .unwrap()
}

#[test]
fn a_right_board_file_ends_with_0_and_says_what_the_rig_will_be() {
    let output = check(&[
        "boards/sim.toml",
        "boards/rpi4.toml",
        "boards/rpi5.toml",
        "boards/jetson-orin-nano.toml",
    ]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

#[test]
fn a_wrong_board_file_ends_with_1_and_all_its_problems_on_standard_error() {
    let output = check(&["firmware/board/tests/wrong.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    let places = text
        .lines()
        .filter(|line| line.contains("firmware/board/tests/wrong.toml:"));
    // The first line counts them, the others tell them.
    let count = places.skip(1).count();
    assert!(count > 12, "{text}");
    let head = format!("error: firmware/board/tests/wrong.toml: {count} problems");
    assert!(text.starts_with(&head), "{text}");
}

#[test]
fn one_wrong_file_does_not_hide_the_others() {
    let output = check(&[
        "boards/sim.toml",
        "boards/none.toml",
        "firmware/board/tests/wrong.toml",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("boards/sim.toml: good")
    );
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("2 of 3 board files"), "{text}");
    assert!(
        text.contains("cannot read the board file boards/none.toml: No such file"),
        "{text}"
    );
    assert!(text.contains("wrong.toml:3:8: site: "), "{text}");
}
