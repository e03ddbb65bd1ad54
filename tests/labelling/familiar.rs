//! Faces unlike those of the fits: labels go on, and none is told surely.

use crate::labels::Labels;
use crate::{Bench, LOSSLESS, Part};

const TWO_SECONDS: Part = Part {
    start_s: 46.5,
    length_s: 2.0,
};

/// The ceiling of `[familiar]` in the shipped calibration.
const CEILING: f64 = 0.89;

/// What is told of a face.
const KINDS: [&str; 4] = [
    "keypoint-left-eye",
    "keypoint-right-eye",
    "wearing-glasses",
    "face-occluded",
];

/// The surest label of this kind; `None` where none is offered.
fn surest(labels: &Labels, kind: &str) -> Option<f64> {
    let of = labels
        .lines()
        .iter()
        .filter(|line| line["kind"] == kind && line["decision"] == "candidate");
    of.filter_map(|line| line["confidence"].as_f64())
        .max_by(f64::total_cmp)
}

#[test]
fn of_a_face_in_a_dark_noisy_picture_nothing_is_told_surely() {
    let bench = Bench::new();
    let labels = |name: &str, filters: &str| {
        let clip = bench.clip(name, TWO_SECONDS, filters, &LOSSLESS);
        bench.every_frame(&clip).1
    };
    let clear = labels("clear.mkv", "null");
    let dark = "lutrgb=r=val*0.2:g=val*0.2:b=val*0.2,format=yuv420p,noise=all_seed=1:c0s=7:c0f=t";
    let dark = labels("dark.mkv", dark);
    for kind in KINDS {
        let sure = surest(&clear, kind);
        assert!(sure > Some(0.9), "{kind} of the clear face: {sure:?}");
        let unsure = surest(&dark, kind);
        assert!(
            unsure.is_none_or(|confidence| confidence <= CEILING),
            "{kind} of the dark face: {unsure:?}"
        );
    }
    for kind in ["keypoint-left-eye", "keypoint-right-eye"] {
        let given = dark.points(kind).len();
        assert!(given >= 40, "{kind}: given in {given} of 48 frames");
    }
}
