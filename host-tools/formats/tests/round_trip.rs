//! What an export wrote is read again, and written again: the same bytes, in every format.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests: a failure here is a failed test"
)]

mod common;

use common::{clips, read_with, write};
use formats::{Density, Format, Standing, Value, place_at};
use label_core::LabelKind;

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
