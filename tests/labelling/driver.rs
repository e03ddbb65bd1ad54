//! Several people: one drives, and stays the driver.

use crate::{Bench, LOSSLESS, Part};
use std::collections::BTreeSet;

/// The same man twice, side by side: from the begin on the left, and from the fourth second on the right, half as large again.
const LATER_AND_LARGER: &str = "split[a][b];[a]scale=240:192,pad=360:288:60:60:gray[left];\
    [b]tpad=start_duration=4:color=gray[right];[left][right]hstack=shortest=1";

#[test]
fn a_larger_face_that_comes_later_does_not_become_the_driver() {
    let bench = Bench::new();
    let part = Part {
        start_s: 46.0,
        length_s: 12.0,
    };
    let clip = bench.clip("two.mkv", part, LATER_AND_LARGER, &LOSSLESS);
    let outcome = bench.label(&clip, &[]);
    let labels = outcome.labels();
    let left_and_right = [1u64, 2].map(|track| {
        labels
            .lines()
            .iter()
            .filter(|line| line["track"] == track)
            .collect::<Vec<_>>()
    });
    assert!(
        left_and_right.iter().all(|lines| !lines.is_empty()),
        "two people: {:?}",
        outcome.summary
    );
    let drivers: BTreeSet<u64> = labels
        .lines()
        .iter()
        .filter(|line| line["driver"] == true)
        .filter_map(|line| line["track"].as_u64())
        .collect();
    assert_eq!(drivers, BTreeSet::from([1]), "the first is the driver");
    let late = |frames: &serde_json::Value| frames[0].as_u64().unwrap() > 72;
    for line in left_and_right[0]
        .iter()
        .filter(|line| late(&line["frames"]))
    {
        assert_eq!(line["driver"], true, "{line}");
    }
    let alertness: Vec<_> = left_and_right[1]
        .iter()
        .filter(|line| line["kind"] == "alertness")
        .map(|line| line["reason"].as_str())
        .collect();
    assert_eq!(alertness, [Some("passenger")]);
}
