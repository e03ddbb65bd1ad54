use crate::labeller::tests::{frame, gate};
use crate::labeller::{ClipLabeller, ModelIndexes, PersonFrame, PersonMeasurement};
use crate::scene::SceneFrame;
use crate::wire::{Label, LabelValue};
use crate::{AbstainReason, CaptureTime, LabelKind};
use std::vec::Vec;

/// Labels of 80 s of two people side by side, the second larger, at 25 frames a second.
fn labels_of_two() -> Vec<Label> {
    let mut labeller = ClipLabeller::new(gate(), ModelIndexes::new());
    let mut out = Vec::new();
    for i in 0..2000u32 {
        let larger = |mut frame: PersonFrame| {
            for eye in [&mut frame.left, &mut frame.right].into_iter().flatten() {
                let x = eye.center.x - i as f32 * 0.3;
                eye.center.x = 300.0 + 2.0 * x;
            }
            frame
        };
        let shut = if i % 100 < 4 { 5 } else { 1 };
        let seen = [1, 2].map(|track| PersonMeasurement {
            track,
            frame: match track {
                1 => frame(1, 0),
                _ => larger(frame(shut, i)),
            },
        });
        let at = CaptureTime(i64::from(i) * 40_000);
        labeller.observe(i, at, &seen, &SceneFrame::default(), |label| {
            out.push(label);
        });
    }
    labeller.finish(|label| out.push(label));
    out
}

#[test]
fn the_drivers_labels_are_marked_and_only_the_driver_is_judged_alert_with_what_that_rests_on() {
    let labels = labels_of_two();
    let marked: Vec<&Label> = labels.iter().filter(|label| label.driver).collect();
    assert!(marked.iter().all(|label| label.track == Some(2)));
    let late = |label: &&Label| label.frames.start > 100;
    assert!(
        labels
            .iter()
            .filter(late)
            .all(|label| label.driver == (label.track == Some(2)))
    );
    let alertness: Vec<&Label> = labels
        .iter()
        .filter(|label| label.kind == LabelKind::Alertness)
        .collect();
    for label in &alertness {
        if label.track == Some(1) {
            assert_eq!(label.reason, Some(AbstainReason::Passenger));
            assert!(label.signs.is_none());
        } else {
            assert!(
                matches!(label.value, Some(LabelValue::Level(5))),
                "{label:?}"
            );
            let signs = label.signs.unwrap();
            assert!(signs.seen_s > 45.0 && signs.perclos < 0.01, "{signs:?}");
            assert!(
                (14..=16).contains(&signs.blinks) || signs.seen_s < 59.0,
                "{signs:?}"
            );
        }
    }
    let frames: u32 = alertness
        .iter()
        .filter(|label| label.track == Some(2))
        .map(|label| label.frames.frames())
        .sum();
    assert_eq!(frames, 2000);
}
