//! What an export wrote is read again, and written again: the same bytes, in every format.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests: a failure here is a failed test"
)]

mod common;

use common::{clips, read_with, write};
use formats::{Density, Format, ReadSet, Standing, Value, place_at};
use label_core::LabelKind;
use std::collections::BTreeSet;

/// Names of files whose bytes differ, with the first line that does.
fn differences(
    first: &std::collections::BTreeMap<String, Vec<u8>>,
    second: &std::collections::BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let mut told = Vec::new();
    for (name, bytes) in first {
        let Some(other) = second.get(name) else {
            told.push(format!("{name} is missing"));
            continue;
        };
        let (text, other) = (
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(other),
        );
        if text != other {
            let pair = text.lines().zip(other.lines()).find(|(a, b)| a != b);
            told.push(format!("{name}: {pair:#?}"));
        }
    }
    told.extend(
        second
            .keys()
            .filter(|name| !first.contains_key(*name))
            .cloned(),
    );
    told
}

fn comes_back(format: Format, density: Density) {
    let folder = tempfile::tempdir().unwrap();
    let clips = clips();
    let first = write(format, density, &clips, &folder.path().join("first"));
    let set = read_with(format, &folder.path().join("first"), &clips).unwrap();
    assert_eq!(set.dropped.reasons().count(), 0, "{:?}", set.dropped);
    let again: Vec<_> = set.clips.into_iter().map(|read| read.clip).collect();
    assert!(again.iter().any(|clip| !clip.labels.is_empty()));
    let second = write(format, density, &again, &folder.path().join("second"));
    let differences = differences(&first, &second);
    assert!(
        differences.is_empty(),
        "{}: {differences:#?}",
        format.name()
    );
}

#[test]
fn tables_come_back_as_they_were() {
    comes_back(Format::Csv, Density::Keyframes);
    comes_back(Format::Parquet, Density::Keyframes);
}

#[test]
fn coco_comes_back_as_it_was() {
    comes_back(Format::Coco, Density::Keyframes);
    comes_back(Format::Coco, Density::EveryFrame);
}

#[test]
fn cvat_comes_back_as_it_was() {
    comes_back(Format::Cvat, Density::Keyframes);
}

#[test]
fn label_studio_comes_back_as_it_was() {
    comes_back(Format::LabelStudio, Density::Keyframes);
}

#[test]
fn yolo_comes_back_as_it_was() {
    comes_back(Format::Yolo, Density::Keyframes);
    comes_back(Format::YoloPose, Density::EveryFrame);
}

#[test]
fn openlabel_comes_back_as_it_was() {
    comes_back(Format::OpenLabel, Density::Keyframes);
}

#[test]
fn datumaro_comes_back_as_it_was() {
    comes_back(Format::Datumaro, Density::Keyframes);
    comes_back(Format::Datumaro, Density::EveryFrame);
}

#[test]
fn elan_comes_back_as_it_was() {
    comes_back(Format::Elan, Density::Keyframes);
}

#[test]
fn every_place_is_within_a_hundredth_of_a_pixel_and_every_event_on_its_frames() {
    let clips = clips();
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("set");
        write(format, Density::EveryFrame, &clips, &place);
        let set = read_with(format, &place, &clips).unwrap();
        let mut places = 0;
        for clip in &clips {
            let Some(read) = set.clips.iter().find(|read| read.clip.id == clip.id) else {
                panic!("{} does not have {}", format.name(), clip.id);
            };
            for label in clip.labels.iter().filter(|label| label.standing.is_held()) {
                let same_kind =
                    |other: &&formats::Label| other.kind == label.kind && other.standing.is_held();
                let others: Vec<_> = read.clip.labels.iter().filter(same_kind).collect();
                if let Some(Value::Event(_)) = label.value {
                    let is_there = others.iter().any(|other| other.frames == label.frames);
                    let holds = matches!(
                        format,
                        Format::Csv
                            | Format::Parquet
                            | Format::Cvat
                            | Format::LabelStudio
                            | Format::OpenLabel
                            | Format::Elan
                    );
                    assert!(
                        is_there || !holds,
                        "{} of {} in {}",
                        label.kind,
                        clip.id,
                        format.name()
                    );
                }
                if label.kind != LabelKind::BboxPerson || format == Format::Elan {
                    continue;
                }
                for frame in label.frames.start..=label.frames.end {
                    let was = place_at(label.boxes(), frame).unwrap();
                    let near = others.iter().any(|other| {
                        other.frames.contains(frame)
                            && place_at(other.boxes(), frame).is_some_and(|at| {
                                let apart = [
                                    at.x - was.x,
                                    at.y - was.y,
                                    at.width - was.width,
                                    at.height - was.height,
                                ];
                                apart.iter().all(|apart| apart.abs() < 0.0151)
                            })
                    });
                    assert!(near, "frame {frame} of {} in {}", clip.id, format.name());
                    places += 1;
                }
            }
        }
        assert!(
            places > 400 || format == Format::Elan,
            "{}: {places}",
            format.name()
        );
    }
}

#[test]
fn who_stands_behind_a_label_comes_back_where_the_format_holds_it() {
    let clips = clips();
    for format in [
        Format::Csv,
        Format::Parquet,
        Format::Cvat,
        Format::OpenLabel,
        Format::LabelStudio,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("set");
        write(format, Density::Keyframes, &clips, &place);
        let set = read_with(format, &place, &clips).unwrap();
        let drive = set
            .clips
            .iter()
            .find(|read| read.clip.id == clips[0].id)
            .unwrap();
        let of = |standing: Standing| {
            drive
                .clip
                .labels
                .iter()
                .find(|label| label.standing == standing)
        };
        let judged = of(Standing::Rejected).unwrap();
        assert_eq!(
            judged.cause.as_deref(),
            Some("look-down"),
            "{}",
            format.name()
        );
        assert_eq!(
            judged.by,
            clips[0].labels.iter().find_map(|label| label.by.clone()),
            "{}",
            format.name()
        );
        let silent = of(Standing::Abstained).unwrap();
        assert_eq!(
            silent.reason.map(label_core::AbstainReason::name),
            Some("passenger")
        );
    }
}

/// What is read of one file that is not ours.
fn read_one(format: Format, name: &str, text: &str) -> ReadSet {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    read_with(format, folder.path(), &[]).unwrap()
}

#[test]
fn where_an_attribute_says_false_there_is_no_blink() {
    let of = |frame: u32, says: &str| {
        let image = format!(
            r#"{{"id": {frame}, "file_name": "a/{frame}.png", "width": 640, "height": 480}}"#
        );
        let annotation = format!(
            r#"{{"id": {frame}, "image_id": {frame}, "category_id": 1, "bbox": [1, 2, 30, 40], "track_id": 1, "attributes": {{"blink": {says}}}}}"#
        );
        (image, annotation)
    };
    let said = ["false", "true", "true", "0", "\"no\""];
    let (images, annotations): (Vec<_>, Vec<_>) =
        (0..).zip(said).map(|(frame, says)| of(frame, says)).unzip();
    let text = format!(
        r#"{{"images": [{}], "categories": [{{"id": 1, "name": "person"}}], "annotations": [{}]}}"#,
        images.join(","),
        annotations.join(",")
    );
    let set = read_one(Format::Coco, "a.json", &text);
    let labels = &set.clips[0].clip.labels;
    let blinks: Vec<_> = labels
        .iter()
        .filter(|label| label.kind == LabelKind::Blink)
        .map(|label| (label.frames.start, label.frames.end))
        .collect();
    assert_eq!(blinks, [(1, 2)]);
}

#[test]
fn a_still_goes_by_its_name_and_who_is_in_a_line_is_somebody_new() {
    let set = read_one(Format::Yolo, "labels/img1.txt", "0 0.5 0.5 0.1 0.1\n");
    assert_eq!(set.clips[0].clip.id, "img1");
    let folder = tempfile::tempdir().unwrap();
    for frame in 0..3 {
        let path = folder.path().join(format!("labels/a/{frame:06}.txt"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "0 0.5 0.5 0.1 0.1\n0 0.2 0.5 0.1 0.1\n").unwrap();
    }
    let set = read_with(Format::Yolo, folder.path(), &[]).unwrap();
    let labels = set.clips[0].clip.labels.iter();
    let people: BTreeSet<_> = labels.map(|label| label.track).collect();
    assert_eq!(people.len(), 6);
}

#[test]
fn two_people_of_others_stay_two() {
    let region = |id: &str, label: &str, x: u32| {
        format!(
            r#"{{"id": "{id}", "type": "videorectangle", "value": {{"labels": ["{label}"], "framesCount": 9, "sequence": [{{"frame": 1, "enabled": true, "x": {x}, "y": 1, "width": 20, "height": 40}}]}}}}"#
        )
    };
    let people = [region("p", "person", 1), region("q", "person", 50)].join(",");
    let blink = r#"{"id": "b", "type": "timelinelabels", "value": {"timelinelabels": ["blink"], "ranges": [{"start": 2, "end": 4}]}}"#;
    let text = format!(
        r#"[{{"data": {{"video": "a.mp4"}}, "annotations": [{{"result": [{people}, {blink}]}}], "predictions": [{{"result": [{people}]}}]}}]"#
    );
    let set = read_one(Format::LabelStudio, "tasks.json", &text);
    let tracks = |set: &ReadSet| -> Vec<_> {
        let labels = set.clips[0].clip.labels.iter();
        labels.map(|label| (label.kind, label.track)).collect()
    };
    let person = LabelKind::BboxPerson.into();
    assert_eq!(tracks(&set), [(person, Some(1)), (person, Some(2))]);
    let why: Vec<_> = set.dropped.reasons().map(|(why, ..)| why).collect();
    assert!(
        why.iter().any(|why| why.contains("nothing tells of whom")),
        "{why:?}"
    );

    let text = r#"{"openlabel": {"metadata": {"schema_version": "1.0.0", "name": "a"},
        "objects": {"2": {"name": "x", "type": "person"}, "0": {"name": "y", "type": "person"}},
        "frames": {"0": {"objects": {
            "2": {"object_data": {"bbox": [{"name": "person", "val": [100, 100, 20, 40]}]}},
            "0": {"object_data": {"bbox": [{"name": "person", "val": [300, 100, 20, 40]}]}}}}}}}"#;
    let set = read_one(Format::OpenLabel, "a.json", text);
    let mut found = tracks(&set);
    found.sort_unstable();
    assert_eq!(found, [(person, Some(1)), (person, Some(2))]);

    // However far apart their annotations are numbered: there are 65,535 numbers of tracks.
    let text = r#"{"images": [{"id": 1, "file_name": "a/000000.png", "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [100, 100, 20, 40]},
            {"id": 65536, "image_id": 1, "category_id": 1, "bbox": [300, 100, 20, 40]}]}"#;
    let set = read_one(Format::Coco, "a.json", text);
    let mut found = tracks(&set);
    found.sort_unstable();
    assert_eq!(found, [(person, Some(1)), (person, Some(2))]);
}
