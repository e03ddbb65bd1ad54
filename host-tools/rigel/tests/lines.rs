//! Polylines of two sets of files, as somebody with annotations from CVAT measures them.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::path::Path;
use std::process::{Command, Output};

/// A set of one clip of 20 frames with one contour of a left eye, moved down by so many pixels.
fn set(folder: &Path, down: u32) -> String {
    std::fs::create_dir(folder).unwrap();
    let shape = |frame: u32, right: u32| {
        let (top, bottom) = (100 + down, 110 + down);
        let (left, right) = (100 + right, 140 + right);
        format!(
            "<polygon frame=\"{frame}\" outside=\"0\" keyframe=\"1\" points=\"{left},{top};{right},{top};{right},{bottom};{left},{bottom}\"/>"
        )
    };
    let xml = format!(
        "<annotations><meta><task><name>a.mp4</name><size>20</size><original_size><width>640</width><height>480</height></original_size></task></meta>\n<track id=\"0\" label=\"polyline-left-eyelid\">\n{}\n{}\n</track></annotations>",
        shape(0, 0),
        shape(10, 40)
    );
    std::fs::write(folder.join("a.xml"), xml).unwrap();
    format!("cvat:{}", folder.display())
}

fn rigel(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rigel"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn contours_of_two_sets_are_held_to_the_standard_frame_by_frame() {
    let folder = tempfile::tempdir().unwrap();
    let truth = set(&folder.path().join("truth"), 0);
    for (down, right) in [(0, 20), (4, 20), (60, 0)] {
        let pred = set(&folder.path().join(format!("down-{down}")), down);
        let told = said(&rigel(
            folder.path(),
            &["quality", "--truth", &truth, "--pred", &pred, "--json"],
        ));
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let row = &told["lines"][0];
        assert_eq!(row["kind"], "polyline-left-eyelid", "{told}");
        let counts = ["truth", "predicted", "right"].map(|name| row[name].as_u64().unwrap());
        assert_eq!(counts, [20, 20, right], "{down}: {told}");
        assert_eq!(row["agreement"]["value"], right as f64 / 20.0);
    }
    let pred = format!("cvat:{}", folder.path().join("down-0").display());
    let table = said(&rigel(
        folder.path(),
        &["quality", "--truth", &truth, "--pred", &pred],
    ));
    let row = table
        .lines()
        .find(|line| line.starts_with("polyline-left-eyelid"))
        .unwrap();
    assert!(
        row.contains("100.0 %") && row.contains("0.00, 0.00 px"),
        "{row}"
    );
}

#[test]
fn an_import_says_that_it_leaves_lines_out() {
    let folder = tempfile::tempdir().unwrap();
    set(&folder.path().join("lines"), 0);
    let output = rigel(
        folder.path(),
        &["import", "--format", "cvat", "--source", "team", "lines"],
    );
    // There is nothing else in the set.
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("left out, 1: polylines"), "{told}");
}
