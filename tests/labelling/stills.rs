//! Folders of pictures, and single ones.

use crate::labels::distance;
use crate::{Bench, LOSSLESS, Part};

const ONE_SECOND: Part = Part {
    start_s: 46.5,
    length_s: 1.0,
};

#[test]
fn a_broken_picture_is_named_and_costs_the_others_nothing() {
    let bench = Bench::new();
    let folder = bench.path("photos");
    std::fs::create_dir(&folder).unwrap();
    let one = ["-frames:v", "1", "-update", "1"];
    bench.clip("photos/first.png", ONE_SECOND, "null", &one);
    bench.clip(
        "photos/later.jpg",
        ONE_SECOND,
        "select=gte(n\\,10)",
        &[&one[..], &["-q:v", "2"]].concat(),
    );
    let whole = std::fs::read(folder.join("later.jpg")).unwrap();
    std::fs::write(folder.join("broken.jpg"), &whole[..200]).unwrap();
    std::fs::write(folder.join("note.txt"), "not looked at").unwrap();

    let outcome = bench.label(&folder, &["--stills", "--every-frame"]);
    assert!(!outcome.succeeded, "{}", outcome.said);
    assert!(outcome.said.contains("broken.jpg"), "{}", outcome.said);
    assert!(outcome.said.contains("1 of 3 pictures"), "{}", outcome.said);
    let labels = outcome.written();
    assert!(
        labels
            .lines()
            .iter()
            .all(|line| line["clip"] == "first" || line["clip"] == "later"),
        "each line carries the name of its picture"
    );

    let clip = bench.clip("clip.mkv", ONE_SECOND, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&clip);
    for kind in ["keypoint-left-eye", "keypoint-right-eye"] {
        let expected = reference.points(kind);
        for (name, frame) in [("first", 0), ("later", 10)] {
            let found = labels.of_clip(name).points(kind);
            let apart = distance(expected[&frame], found[&0]);
            assert!(apart <= 3.0, "{kind} of {name}: {apart:.2} px apart");
        }
    }
}

#[test]
fn one_picture_is_a_clip_of_one_frame() {
    let bench = Bench::new();
    let one = ["-frames:v", "1", "-update", "1"];
    for name in ["picture.png", "picture.jpg", "picture.bmp"] {
        let picture = bench.clip(name, ONE_SECOND, "null", &one);
        let (outcome, labels) = bench.every_frame(&picture);
        assert_eq!(outcome.count("frames"), 1, "{name}");
        assert_eq!(labels.points("keypoint-left-eye").len(), 1, "{name}");
        assert_eq!(labels.events("blink"), [], "{name}");
    }
}
