//! Every frame and kind is spoken of: by a value or by a reason.

use crate::labels::{ATTRIBUTES, PER_FRAME, SCENE, frames};
use crate::{BLINKING, Bench, LOSSLESS, decoded, ffmpeg, run};

#[test]
fn every_frame_of_a_person_has_a_value_or_a_reason_of_every_kind() {
    let bench = Bench::new();
    let clip = bench.clip("clip.mkv", BLINKING, "null", &LOSSLESS);
    let (outcome, labels) = bench.every_frame(&clip);
    let count = outcome.count("frames");
    assert_eq!(count, decoded(&clip));
    assert_eq!(outcome.count("tracks"), 1);
    for kind in PER_FRAME.iter().chain(&ATTRIBUTES) {
        let covered = labels.covered(kind, Some(1), count);
        assert!(
            covered.iter().all(|times| *times == 1),
            "{kind}: {covered:?}"
        );
    }
    for kind in SCENE {
        let covered = labels.covered(kind, None, count);
        assert!(
            covered.iter().all(|times| *times == 1),
            "{kind}: {covered:?}"
        );
    }
    for line in labels.lines() {
        let kind = line["kind"].as_str().unwrap();
        if matches!(kind, "wearing-glasses" | "face-occluded") {
            assert_eq!(
                (&line["decision"], &line["value"]),
                (&"candidate".into(), &false.into()),
                "{line}"
            );
        } else if kind == "alertness" {
            // Four seconds are no ground for it.
            assert_eq!(
                (&line["decision"], &line["reason"]),
                (&"abstain".into(), &"low-confidence".into()),
                "{line}"
            );
        } else if ATTRIBUTES.contains(&kind) || SCENE.contains(&kind) {
            let is_value = line["decision"] == "candidate" && !line["value"].is_null();
            let is_reason = line["decision"] == "abstain" && line["reason"].is_string();
            assert!(is_value || is_reason, "{line}");
        }
    }
    assert!(labels.points("keypoint-left-eye").len() as u64 * 10 >= count * 9);
}

#[test]
fn a_clip_with_nobody_in_it_has_labels_of_the_scene_and_reasons_alone() {
    let bench = Bench::new();
    for (name, source) in [
        ("colour.mkv", "color=c=gray:s=320x240:r=25:d=2"),
        ("bars.mkv", "testsrc2=s=320x240:r=25:d=2"),
    ] {
        let clip = bench.path(name);
        run(ffmpeg()
            .args(["-f", "lavfi", "-i", source])
            .args(LOSSLESS)
            .arg(&clip));
        let (outcome, labels) = bench.every_frame(&clip);
        assert_eq!(outcome.count("frames"), 50);
        assert_eq!(outcome.count("tracks"), 0);
        for line in labels.lines() {
            let kind = line["kind"].as_str().unwrap();
            if SCENE.contains(&kind) {
                continue;
            }
            assert_eq!(
                (line["decision"].as_str(), line["reason"].as_str()),
                (Some("abstain"), Some("no-person")),
                "{name}: {line}"
            );
            assert_eq!(frames(line), (0, 49), "{name}: {line}");
        }
        for kind in PER_FRAME
            .iter()
            .chain(&ATTRIBUTES)
            .chain(&SCENE)
            .chain(&["blink", "long-closure"])
        {
            let covered = labels.covered(kind, None, 50);
            assert!(
                covered.iter().all(|times| *times == 1),
                "{name}: {kind}: {covered:?}"
            );
        }
    }
}
