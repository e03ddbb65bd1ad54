//! CSV, as Python's own reader reads it.

use crate::made::{AWKWARD, REVIEWER};
use crate::{Desk, assert_same, read_by};

#[test]
fn every_label_is_a_row_with_its_provenance() {
    let desk = Desk::made();
    let folder = desk.export("csv", "set", &["--labels", "both"]);
    let Some(read) = read_by("tables.py", &folder) else {
        return;
    };
    let rows = read["labels"].as_array().unwrap();
    let read_labels = rows.iter().map(|row| {
        let word = |name: &str| row[name].as_str().unwrap().to_owned();
        format!(
            "{} {} {} {}-{} {}{}{}",
            word("clip"),
            word("kind"),
            word("track"),
            word("start_frame"),
            word("end_frame"),
            word("standing"),
            word("flag"),
            word("level"),
        )
    });
    let facts = desk.world.facts.iter().map(|fact| {
        use label_core::wire::LabelValue::{Flag, Level};
        let value = match fact.value {
            Flag(flag) => flag.to_string(),
            Level(level) => level.to_string(),
            _ => String::new(),
        };
        let track = fact.track.map_or(String::new(), |track| track.to_string());
        let (start, end) = fact.frames;
        format!(
            "{} {} {track} {start}-{end} {}{value}",
            fact.clip, fact.kind, fact.standing
        )
    });
    let silences = desk
        .world
        .silences
        .iter()
        .map(|(clip, kind, track, (start, end), _)| {
            let track = track.map_or(String::new(), |track| track.to_string());
            format!("{clip} {kind} {track} {start}-{end} abstained")
        });
    assert_same(read_labels.collect(), facts.chain(silences).collect());
    let judged = rows
        .iter()
        .find(|row| row["standing"] == "corrected")
        .unwrap();
    assert_eq!(
        (&judged["by"], &judged["model"]),
        (&REVIEWER.into(), &"eyes".into())
    );
    assert_eq!(read["clips"][0]["name"], AWKWARD);
    let positions = read["positions"].as_array().unwrap().len();
    let keyframes: usize = desk
        .world
        .facts
        .iter()
        .map(|fact| fact.keyframes().len())
        .sum();
    assert_eq!(positions, keyframes);
}

#[test]
fn candidates_are_told_as_they_were_offered_whatever_was_said_since() {
    let desk = Desk::made();
    let folder = desk.export("csv", "set", &["--labels", "candidates", "--kind", "blink"]);
    let Some(read) = read_by("tables.py", &folder) else {
        return;
    };
    let rows = read["labels"].as_array().unwrap();
    let frames = rows
        .iter()
        .filter(|row| row["standing"] != "abstained")
        .map(|row| {
            assert_eq!(
                (&row["standing"], &row["by"]),
                (&"machine".into(), &"".into())
            );
            format!(
                "{} {}",
                row["start_frame"].as_str().unwrap(),
                row["end_frame"].as_str().unwrap()
            )
        });
    let offered = ["0 6", "150 156", "292 298", "70 76", "40 47", "18 24"];
    assert_same(frames.collect(), offered.map(str::to_owned).to_vec());
}
