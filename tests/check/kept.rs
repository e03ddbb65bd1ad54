//! What a check leaves behind, and what it leaves alone.

use super::Bench;
use std::fs;
use uplink::{Outbox, OutboxLimits};

#[test]
fn a_whole_check_is_kept_for_the_birth_message_and_a_part_of_one_is_not() {
    let bench = Bench::new();
    let kept = bench.path(".rigel/rig/check.json");
    bench.check(&["--only", "board", "clock"]);
    assert!(!kept.exists());
    assert_eq!(bench.check(&[]).code, Some(0));
    let kept = fs::read_to_string(kept).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["failed"], serde_json::json!([]), "{kept}");
    let left: Vec<_> = fs::read_dir(bench.path(".rigel/rig"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        left,
        ["check.json"],
        "nothing else stays in the outbox's folder"
    );
}

#[test]
fn a_running_rigs_camera_is_left_alone() {
    let bench = Bench::new();
    bench.replace_block(
        "[source]",
        "[source]\nkind = \"camera\"\ndevice = \"/dev/video-of-nobody\"\nformats = [\"mjpeg\"]\nwidth = 640\nheight = 480\nfps = 30.0\ntimeout-ms = 2000",
    );
    let rig = label_core::wire::parse_name("sim-1").unwrap();
    let (running, _) =
        Outbox::open(bench.path(".rigel/rig"), rig, OutboxLimits::default()).unwrap();
    let outcome = bench.check(&["--only", "camera", "disk"]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.with("skipped"), ["camera"]);
    let said = outcome.item("camera")["said"].as_str().unwrap();
    assert!(
        said.contains("in use by the running rigel") && said.contains("systemctl stop rigeld"),
        "{said}"
    );
    drop(running);
    let outcome = bench.check(&["--only", "camera"]);
    assert_eq!(outcome.with("failed"), ["camera"], "{}", outcome.said);
}
