//! `rigel quality`: one set against another, and every labeller by what reviewers said.

use crate::{Desk, near, read_by};
use serde_json::{Value as Json, json};

fn compared(desk: &Desk, truth: &str, pred: &str) -> Json {
    let said = desk.says("quality", &["--truth", truth, "--pred", pred, "--json"]);
    serde_json::from_str(&said).unwrap()
}

/// True, predicted and right of a kind.
fn counts(told: &Json, kind: &str) -> (u64, u64, u64) {
    let rows = told["kinds"].as_array().unwrap();
    let Some(row) = rows.iter().find(|row| row["kind"] == kind) else {
        panic!("{told} does not tell of {kind}");
    };
    let count = |name: &str| row[name].as_u64().unwrap();
    (count("truth"), count("predicted"), count("right"))
}

#[test]
fn imported_truth_measures_what_rigs_offered() {
    let desk = Desk::made();
    let folder = desk.export("csv", "set", &[]);
    let arguments = [
        "--format",
        "csv",
        "--source",
        "gt",
        "--truth",
        folder.to_str().unwrap(),
    ];
    let said = desk.says("import", &arguments);
    assert!(said.contains("true labels"), "{said}");
    let told = compared(&desk, "truth:gt", "candidates");
    assert_eq!(
        (&told["clips"], &told["only_predicted"]),
        (&json!(3), &json!(1))
    );
    // Six were offered in the three clips; one was rejected, one nobody has looked at, which the truth does not have either.
    assert_eq!(counts(&told, "blink"), (4, 6, 4));
    assert_eq!(counts(&told, "long-closure"), (1, 0, 0));
    // The right eye was offered in a wrong place in one clip of two.
    assert_eq!(counts(&told, "keypoint-right-eye"), (400, 400, 100));
    assert_eq!(counts(&told, "keypoint-left-eye"), (341, 341, 341));
    assert_eq!(counts(&told, "bbox-person"), (455, 455 + 71 + 11, 455));
    assert_eq!(counts(&told, "wearing-glasses"), (300, 300, 300));
    let table = desk.says("quality", &["--truth", "truth:gt", "--pred", "candidates"]);
    assert!(
        table.contains("as COCO counts") && table.contains("[?]"),
        "{table}"
    );
}

#[test]
fn of_the_desks_own_truth_only_what_persons_spoke_of_counts() {
    let desk = Desk::made();
    let told = compared(&desk, "truth", "candidates");
    // The blink that waits is neither right nor wrong.
    assert_eq!(counts(&told, "blink"), (4, 5, 4));
    assert_eq!(counts(&told, "bbox-person"), (455, 455 + 11, 455));
}

#[test]
fn an_export_is_a_set_as_the_store_is() {
    let desk = Desk::made();
    let folder = desk.export("csv", "offered", &["--labels", "candidates"]);
    let file = format!("csv:{}", folder.display());
    let (of_file, of_store) = (
        compared(&desk, "truth", &file),
        compared(&desk, "truth", "candidates"),
    );
    assert_eq!(of_file["kinds"], of_store["kinds"]);
    let nothing = desk.rigel("quality", &["--truth", "truth", "--pred", "coco:/nowhere"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert_eq!(
        desk.rigel("quality", &["--truth", "lies", "--pred", "truth"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn of_kinds_that_the_truth_does_not_mention_nothing_is_said() {
    let desk = Desk::made();
    // As a team's own files are: boxes, and no word of anything else.
    let folder = desk.export("csv", "boxes", &["--kind", "bbox-person"]);
    let file = format!("csv:{}", folder.display());
    let told = compared(&desk, &file, "candidates");
    let rows = told["kinds"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{told}");
    assert_eq!(counts(&told, "bbox-person").0, 455);
    let unspoken = told["unspoken"].as_array().unwrap();
    assert!(unspoken.contains(&json!("blink")), "{told}");
    let table = desk.says("quality", &["--truth", &file, "--pred", "candidates"]);
    assert!(
        table.contains("the truth says nothing: left out"),
        "{table}"
    );
}

#[test]
fn of_a_file_with_candidates_that_nobody_reviewed_these_are_not_true() {
    let desk = Desk::made();
    let folder = desk.export("csv", "both", &["--labels", "both"]);
    let file = format!("csv:{}", folder.display());
    let told = compared(&desk, &file, "candidates");
    // As of the desk's own truth: the blink that waits is neither right nor wrong.
    assert_eq!(counts(&told, "blink"), (4, 5, 4));
}

#[test]
fn every_labeller_has_a_row_by_what_reviewers_said() {
    let desk = Desk::made();
    let rows: Json = serde_json::from_str(&desk.says("quality", &["--json"])).unwrap();
    let row = |rig: &str, kind: &str| {
        let mut rows = rows.as_array().unwrap().iter();
        rows.find(|row| row["rig"] == rig && row["kind"] == kind)
            .unwrap()
            .clone()
    };
    let blinks = row("rig-1", "blink");
    assert_eq!(
        (&blinks["offered"], &blinks["judged"]),
        (&json!(4), &json!(3))
    );
    assert_eq!(blinks["standing"], "cannot-tell");
    let table = desk.says("quality", &["--rig", "rig-1", "--kind", "blink"]);
    assert!(
        table.contains("eyes@1.4") && table.contains("cannot tell"),
        "{table}"
    );
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, most: f64) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64 * most
    }
}

#[test]
fn figures_of_boxes_are_those_of_pycocotools() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let (mut images, mut truth, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for image in 1..=120 {
        images.push(json!({"id": image, "file_name": format!("drive/{image:06}.png"), "width": 1280, "height": 720}));
        for _ in 0..dice.roll(4.0) as u32 {
            let place = [
                dice.roll(900.0),
                dice.roll(400.0),
                20.0 + dice.roll(300.0),
                20.0 + dice.roll(300.0),
            ];
            let annotation = |id: usize, place: [f64; 4]| json!({"id": id, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": place, "area": place[2] * place[3]});
            truth.push(annotation(truth.len() + 1, place));
            // Near, far, twice, or not at all; many of one score.
            for _ in 0..dice.roll(3.0) as u32 {
                let near = place.map(|side| side + dice.roll(24.0) - 12.0);
                let mut one = annotation(told.len() + 1, near);
                one["score"] = json!((dice.roll(10.0)).round() / 10.0);
                told.push(one);
            }
        }
    }
    let categories = json!([{"id": 1, "name": "person"}]);
    for (name, annotations) in [("gt", &truth), ("dt", &told)] {
        let text = json!({"images": images, "annotations": annotations, "categories": categories})
            .to_string();
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("set.json"), text).unwrap();
    }
    let Some(theirs) = read_by("coco_figures.py", folder.path()) else {
        return;
    };
    let desk = Desk {
        folder,
        world: crate::made::World {
            facts: Vec::new(),
            clips: Vec::new(),
            silences: Vec::new(),
        },
    };
    let set = |name: &str| format!("coco:{}", desk.out(name).display());
    let ours = compared(&desk, &set("gt"), &set("dt"));
    let ours = &ours["kinds"][0]["coco"];
    for name in ["ap", "ap50", "ap75", "ap80", "ar"] {
        let (a, b) = (ours[name].as_f64().unwrap(), theirs[name].as_f64().unwrap());
        assert!(near(&[a], &[b], 1e-9), "{name}: {a} here, {b} there");
        assert!(b > 0.05 && b < 0.95, "{name} of {b} shows nothing");
    }
}
