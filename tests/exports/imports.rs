//! `rigel import`: what exports wrote comes in again as a source's candidates, once, whole or not at all.

use crate::made::{DRIVE, EMPTY, Fact, PORTRAIT, UNEVEN};
use crate::{Desk, read_by};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;

const FORMATS: [&str; 9] = [
    "csv",
    "coco",
    "cvat",
    "label-studio",
    "yolo",
    "yolo-pose",
    "openlabel",
    "datumaro",
    "elan",
];

/// A label of a source: kind, frames, and its keyframes.
struct Taken {
    clip: &'static str,
    kind: String,
    frames: (u32, u32),
    keys: Vec<(u32, Vec<f64>)>,
}

impl Taken {
    fn place(&self, frame: u32) -> Option<Vec<f64>> {
        let next = self.keys.iter().position(|key| key.0 >= frame);
        let (a, b) = match next {
            None => return self.keys.last().map(|key| key.1.clone()),
            Some(0) => return Some(self.keys[0].1.clone()),
            Some(n) => (&self.keys[n - 1], &self.keys[n]),
        };
        let share = f64::from(frame - a.0) / f64::from(b.0 - a.0);
        Some(
            a.1.iter()
                .zip(&b.1)
                .map(|(a, b)| a + (b - a) * share)
                .collect(),
        )
    }
}

/// The candidates of a source, as a table tells them; clips by how long they are, which tells them apart.
fn taken(desk: &Desk, source: &str) -> Option<Vec<Taken>> {
    let name = format!("out-{source}");
    let folder = desk.export("csv", &name, &["--labels", "candidates", "--rig", source]);
    let read = read_by("tables.py", &folder)?;
    // A set without places has no such table.
    let rows = |table: &str| read[table].as_array().cloned().unwrap_or_default();
    let word = |row: &Json, name: &str| row[name].as_str().unwrap().to_owned();
    let number = |row: &Json, name: &str| word(row, name).parse::<f64>().ok();
    let clips: BTreeMap<String, &'static str> = rows("clips")
        .iter()
        .map(|row| {
            let clip = match word(row, "frames").as_str() {
                "300" => DRIVE,
                "100" => PORTRAIT,
                "60" => UNEVEN,
                _ => EMPTY,
            };
            (word(row, "clip"), clip)
        })
        .collect();
    let mut keys: BTreeMap<String, Vec<(u32, Vec<f64>)>> = BTreeMap::new();
    for row in rows("positions") {
        let place = ["x", "y", "width", "height"];
        let place = place.iter().filter_map(|name| number(&row, name)).collect();
        let frame = number(&row, "frame").unwrap() as u32;
        keys.entry(word(&row, "label"))
            .or_default()
            .push((frame, place));
    }
    let taken = rows("labels")
        .iter()
        .filter(|row| row["standing"] != "abstained")
        .map(|row| {
            assert_eq!(row["standing"], "machine", "a source offers");
            assert_eq!(row["confidence"], "0.5", "nobody can tell yet");
            Taken {
                clip: clips[&word(row, "clip")],
                kind: word(row, "kind"),
                frames: (
                    number(row, "start_frame").unwrap() as u32,
                    number(row, "end_frame").unwrap() as u32,
                ),
                keys: keys.remove(&word(row, "label")).unwrap_or_default(),
            }
        })
        .collect();
    Some(taken)
}

fn path(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn what_any_export_wrote_comes_in_as_candidates_on_the_same_frames_and_places() {
    for format in FORMATS {
        let desk = Desk::made();
        let folder = desk.export(format, format, &["--labels", "both", "--every-frame"]);
        let source = format!("team-{format}");
        let said = desk.says(
            "import",
            &["--format", format, "--source", &source, path(&folder)],
        );
        assert!(said.contains("clip(s) taken"), "{format}: {said}");
        let Some(taken) = taken(&desk, &source) else {
            return;
        };
        let held = |fact: &&Fact| fact.standing != "rejected";
        let (mut places, mut events) = (0, 0);
        for fact in desk.world.facts.iter().filter(held) {
            let kind = fact.kind.name();
            let same: Vec<_> = taken
                .iter()
                .filter(|one| one.clip == fact.clip && one.kind == kind)
                .collect();
            if fact.kind.is_event() && !matches!(format, "yolo" | "yolo-pose") {
                // Formats of pictures tell an event where there is a picture of the person.
                let is_exact = !matches!(format, "coco" | "datumaro");
                let is_there = same.iter().any(|one| one.frames == fact.frames);
                assert!(is_there || !is_exact, "{format}: {kind} {:?}", fact.frames);
                events += u32::from(is_there);
            }
            // YOLO clips boxes to the picture and leaves out pictures of people without one.
            let is_cut = format.starts_with("yolo");
            if kind != "bbox-person" || format == "elan" || is_cut && fact.clip != UNEVEN {
                continue;
            }
            for frame in fact.frames.0..=fact.frames.1 {
                let was = fact.place(frame).unwrap();
                let is_there = same.iter().any(|one| {
                    one.frames.0 <= frame
                        && frame <= one.frames.1
                        && one
                            .place(frame)
                            .is_some_and(|is| crate::near(&is, &was, 0.021))
                });
                assert!(is_there, "{format}: frame {frame} of {}", fact.clip);
                places += 1;
            }
        }
        assert!(places >= 55 || format == "elan", "{format}: {places}");
        assert!(
            events >= 4 || format.starts_with("yolo"),
            "{format}: {events}"
        );
    }
}

#[test]
fn the_same_again_changes_nothing_and_a_dry_run_writes_nothing() {
    let desk = Desk::made();
    let folder = desk.export("cvat", "set", &[]);
    let arguments = ["--format", "cvat", "--source", "team", path(&folder)];
    let said = desk.says("import", &[&arguments[..], &["--dry-run"]].concat());
    assert!(said.contains("would be taken"), "{said}");
    let none = desk.run("csv", "none", &["--labels", "candidates", "--rig", "team"]);
    assert_eq!(none.status.code(), Some(1), "a dry run writes nothing");
    let said = desk.says("import", &arguments);
    assert!(said.contains("3 clip(s) taken"), "{said}");
    assert!(said.contains("labels that a person rejected"), "{said}");
    let first = desk.export("csv", "first", &["--labels", "candidates", "--rig", "team"]);
    let said = desk.says("import", &arguments);
    assert!(
        said.contains("nothing new") && said.contains("3 clip(s) were taken before"),
        "{said}"
    );
    let second = desk.export(
        "csv",
        "second",
        &["--labels", "candidates", "--rig", "team"],
    );
    let rows = |folder: &Path| std::fs::read_to_string(folder.join("labels.csv")).unwrap();
    assert_eq!(rows(&first), rows(&second));
}

#[test]
fn another_version_and_what_is_broken_are_refused_and_nothing_is_taken() {
    let desk = Desk::made();
    let folder = desk.export("csv", "set", &["--labels", "both"]);
    let import = |source: &str| {
        let arguments = ["--format", "csv", "--source", source, path(&folder)];
        let output = desk.rigel("import", &arguments);
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(import("team").0, Some(0));
    let labels = folder.join("labels.csv");
    let text = std::fs::read_to_string(&labels).unwrap();
    std::fs::write(&labels, text.replacen(",40,47,", ",41,47,", 1)).unwrap();
    let (code, said) = import("team");
    assert_eq!(code, Some(1));
    assert!(
        said.contains("another --source") && said.contains(PORTRAIT),
        "{said}"
    );
    // The last line is wrong: what stands before it is not taken either.
    std::fs::write(&labels, format!("{text}{DRIVE},x,blink,1,false,290,300\n")).unwrap();
    let (code, said) = import("broken");
    assert_eq!(code, Some(1));
    assert!(said.contains("labels.csv, line"), "{said}");
    let none = desk.run(
        "csv",
        "none",
        &["--labels", "candidates", "--rig", "broken"],
    );
    assert_eq!(none.status.code(), Some(1), "nothing half-taken");
    // Whose name it is, is known.
    std::fs::write(&labels, text).unwrap();
    let (code, said) = import("rig-1");
    assert_eq!(code, Some(1));
    assert!(said.contains("the name of a rig"), "{said}");
}

#[test]
fn a_models_raw_output_comes_in_by_a_mapping_file() {
    let desk = Desk::made();
    let output = desk.out("out.jsonl");
    let lines = [
        r#"{"video": "portrait.mov", "at": 11, "cls": "human", "who": 0, "det": {"xyxy": [0.1, 0.2, 0.5, 0.9]}, "p": 0.9}"#,
        r#"{"video": "portrait.mov", "at": 12, "cls": "human", "who": 0, "det": {"xyxy": [0.1, 0.2, 0.5, 0.9]}, "p": 0.8}"#,
        r#"{"video": "portrait.mov", "at": 12, "cls": "dog", "who": 1, "det": {"xyxy": [0.1, 0.2, 0.5, 0.9]}, "p": 0.8}"#,
    ];
    std::fs::write(&output, lines.join("\n")).unwrap();
    let mapping = desk.out("model.toml");
    let text = r#"
format = "jsonl"
clip = "video"
frame = "at"
first-frame = 1
kind = "cls"
track = "who"
box = ["det.xyxy.0", "det.xyxy.1", "det.xyxy.2", "det.xyxy.3"]
box-is = "corners"
unit = "share"
score = "p"
model = "detector@2"

[names]
human = "bbox-person"
"#;
    std::fs::write(&mapping, text).unwrap();
    let arguments = [
        "--mapping",
        path(&mapping),
        "--source",
        "detector",
        path(&output),
    ];
    let said = desk.says("import", &arguments);
    assert!(said.contains("1 clip(s) taken, 1 candidates"), "{said}");
    assert!(
        said.contains("\"dog\"") && said.contains("line 3"),
        "{said}"
    );
    let Some(taken) = taken(&desk, "detector") else {
        return;
    };
    assert_eq!((taken[0].clip, taken[0].frames), (PORTRAIT, (10, 11)));
    assert_eq!(taken[0].place(10).unwrap(), [54.0, 192.0, 216.0, 672.0]);
    std::fs::write(
        &output,
        format!("{}\n{{\"video\": \"portrait.mov\"}}\n", lines[0]),
    )
    .unwrap();
    let refused = desk.rigel(
        "import",
        &[
            "--mapping",
            path(&mapping),
            "--source",
            "other",
            path(&output),
        ],
    );
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("out.jsonl, line 2") && said.contains("\"cls\""),
        "{said}"
    );
}
