//! CSV, as Python's own reader reads it, and Parquet, as pyarrow does.

use crate::made::{AWKWARD, REVIEWER};
use crate::{Desk, assert_same, read_by};
use serde_json::Value as Json;

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

/// A cell as CSV writes it; moments are numbers of microseconds there.
fn word(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn parquet_has_the_labels_and_places_of_the_store_with_types() {
    let desk = Desk::made();
    let folder = desk.export("parquet", "set", &["--labels", "both"]);
    let Some(read) = read_by("columns.py", &folder) else {
        return;
    };
    for (table, column, of_type) in [
        ("clips", "utc", "timestamp[us, tz=UTC]"),
        ("clips", "fps", "double"),
        ("clips", "closed", "bool"),
        ("labels", "start_frame", "int64"),
        ("labels", "start_pts_us", "int64"),
        ("labels", "confidence", "double"),
        ("labels", "flag", "bool"),
        ("labels", "at", "timestamp[us, tz=UTC]"),
        ("labels", "standing", "string"),
        ("positions", "frame", "int64"),
        ("positions", "x", "double"),
    ] {
        assert_eq!(read["types"][table][column], of_type, "{table}.{column}");
    }
    let labels = read["tables"]["labels"].as_array().unwrap();
    let line = |row: &Json, columns: &[&str]| {
        let words: Vec<_> = columns.iter().map(|name| word(&row[name])).collect();
        words.join(" ")
    };
    let columns = [
        "clip",
        "kind",
        "track",
        "start_frame",
        "end_frame",
        "standing",
        "flag",
        "level",
    ];
    let read_labels = labels.iter().map(|row| line(row, &columns));
    let facts = desk.world.facts.iter().map(|fact| {
        use label_core::wire::LabelValue::{Flag, Level};
        let (flag, level) = match fact.value {
            Flag(flag) => (flag.to_string(), String::new()),
            Level(level) => (String::new(), level.to_string()),
            _ => Default::default(),
        };
        let track = fact.track.map_or(String::new(), |track| track.to_string());
        let (start, end) = fact.frames;
        format!(
            "{} {} {track} {start} {end} {} {flag} {level}",
            fact.clip, fact.kind, fact.standing
        )
    });
    let silences = desk.world.silences.iter();
    let silences = silences.map(|(clip, kind, track, (start, end), _)| {
        let track = track.map_or(String::new(), |track| track.to_string());
        format!("{clip} {kind} {track} {start} {end} abstained  ")
    });
    assert_same(read_labels.collect(), facts.chain(silences).collect());
    // Places, to the hundredth of a pixel in which they travel.
    let place = |clip: &str, kind: &str, frame: &str, at: &[f64]| {
        let at: Vec<_> = at.iter().map(|part| format!("{part:.2}")).collect();
        format!("{clip} {kind} {frame} {}", at.join(" "))
    };
    let rows = read["tables"]["positions"].as_array().unwrap();
    let read_places = rows.iter().map(|row| {
        let at = ["x", "y", "width", "height"].map(|name| row[name].as_f64());
        let at: Vec<_> = at.into_iter().flatten().collect();
        place(
            &word(&row["clip"]),
            &word(&row["kind"]),
            &word(&row["frame"]),
            &at,
        )
    });
    let places = desk.world.facts.iter().flat_map(|fact| {
        fact.keyframes().into_iter().map(move |frame| {
            let at = fact.place(frame).unwrap();
            place(fact.clip, fact.kind.name(), &frame.to_string(), &at)
        })
    });
    assert_same(read_places.collect(), places.collect());
}

#[test]
fn parquet_says_in_every_cell_what_csv_says() {
    let desk = Desk::made();
    let csv = desk.export("csv", "csv", &["--labels", "both"]);
    let parquet = desk.export("parquet", "parquet", &["--labels", "both"]);
    let (Some(csv), Some(parquet)) = (read_by("tables.py", &csv), read_by("columns.py", &parquet))
    else {
        return;
    };
    let mut cells = 0;
    for table in ["clips", "labels", "positions"] {
        let (rows, typed) = (&csv[table], &parquet["tables"][table]);
        let (rows, typed) = (rows.as_array().unwrap(), typed.as_array().unwrap());
        assert_eq!(rows.len(), typed.len(), "{table}");
        for (row, typed) in rows.iter().zip(typed) {
            for (name, cell) in row.as_object().unwrap() {
                let column = match name.as_str() {
                    "utc_us" => "utc",
                    "at_us" => "at",
                    other => other,
                };
                let told = typed
                    .get(column)
                    .unwrap_or_else(|| panic!("{table} has no {column}"));
                let same = match (cell.as_str().unwrap().parse::<f64>(), told.as_f64()) {
                    (Ok(one), Some(other)) => one == other,
                    _ => cell.as_str().unwrap() == word(told),
                };
                assert!(same, "{table}.{name}: {cell} in CSV, {told} in Parquet");
                cells += 1;
            }
        }
    }
    assert!(
        cells > 500,
        "a comparison of nothing shows nothing: {cells}"
    );
}
