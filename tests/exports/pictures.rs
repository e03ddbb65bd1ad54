//! Formats of pictures beside COCO: YOLO and Datumaro.

use crate::made::Fact;
use crate::{Desk, assert_same, near, read_by};
use label_core::LabelKind;
use serde_json::Value as Json;

fn picture(clip: &str, frame: u32) -> String {
    format!("{}/{frame:06}", clip.replace(':', "_"))
}

fn at<'a>(
    facts: &'a [&Fact],
    kind: LabelKind,
    clip: &str,
    track: u16,
    frame: u32,
) -> Option<(&'a Fact, Vec<f64>)> {
    let fact = facts.iter().find(|fact| {
        fact.kind == kind
            && fact.clip == clip
            && fact.track == Some(track)
            && (fact.frames.0..=fact.frames.1).contains(&frame)
    })?;
    Some((fact, fact.place(frame)?))
}

#[test]
fn yolo_has_every_box_as_shares_of_the_picture_and_the_eyes_of_a_pose() {
    let desk = Desk::made();
    let facts: Vec<_> = desk
        .world
        .facts
        .iter()
        .filter(|fact| !["rejected", "machine"].contains(&fact.standing))
        .collect();
    for (format, columns) in [("yolo", 5), ("yolo-pose", 11)] {
        let folder = desk.export(format, format, &["--every-frame"]);
        let Some(read) = read_by("yolo.py", &folder) else {
            return;
        };
        let mut expected_names = Vec::new();
        let mut compared = 0;
        for clip in &desk.world.clips {
            let (width, height) = (f64::from(clip.size.0), f64::from(clip.size.1));
            for frame in 0..clip.pts_us.len() as u32 {
                // Of two people in this clip one has no box in these frames: they would count as background.
                let boxless = at(&facts, LabelKind::KeypointLeftEye, clip.id, 2, frame).is_some();
                let people: Vec<_> = [1, 7]
                    .into_iter()
                    .filter_map(|track| {
                        Some((
                            track,
                            at(&facts, LabelKind::BboxPerson, clip.id, track, frame)?.1,
                        ))
                    })
                    .collect();
                if boxless || people.is_empty() {
                    continue;
                }
                let name = format!("./images/all/{}.png", picture(clip.id, frame));
                let rows = read[&name].as_array().unwrap();
                assert_eq!(rows.len(), people.len(), "{name}");
                for (row, (track, place)) in rows.iter().zip(&people) {
                    let row: Vec<f64> = serde_json::from_value(row.clone()).unwrap();
                    assert_eq!(row.len(), columns);
                    let (left, right) = (place[0].max(0.0), (place[0] + place[2]).min(width));
                    let (top, bottom) = (place[1].max(0.0), (place[1] + place[3]).min(height));
                    let read = [
                        row[1] * width,
                        row[2] * height,
                        row[3] * width,
                        row[4] * height,
                    ];
                    let expected = [
                        f64::midpoint(left, right),
                        f64::midpoint(top, bottom),
                        right - left,
                        bottom - top,
                    ];
                    assert!(
                        near(&read, &expected, 0.012),
                        "{name}: {read:?} for {expected:?}"
                    );
                    let kinds = [LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye];
                    for (eye, kind) in row[5..].chunks(3).zip(kinds) {
                        match at(&facts, kind, clip.id, *track, frame) {
                            Some((_, place)) => {
                                assert!(near(
                                    &[eye[0] * width, eye[1] * height, eye[2]],
                                    &[place[0], place[1], 2.0],
                                    0.012
                                ));
                            }
                            None => assert_eq!(eye, [0.0, 0.0, 0.0]),
                        }
                    }
                    compared += 1;
                }
                expected_names.push(name);
            }
        }
        let names = read.as_object().unwrap().keys().cloned().collect();
        assert_same(names, expected_names);
        assert!(compared > 300);
    }
}

#[test]
fn datumaro_reads_every_box_and_both_eyes_of_every_picture() {
    let desk = Desk::made();
    let folder = desk.export("datumaro", "set", &["--labels", "both", "--every-frame"]);
    let Some(read) = read_by("items.py", &folder) else {
        return;
    };
    let facts: Vec<_> = desk
        .world
        .facts
        .iter()
        .filter(|fact| fact.standing != "rejected")
        .collect();
    let mut compared = 0;
    for clip in &desk.world.clips {
        for frame in 0..clip.pts_us.len() as u32 {
            let nothing = Json::Array(Vec::new());
            let objects = read
                .get(picture(clip.id, frame))
                .unwrap_or(&nothing)
                .as_array()
                .unwrap();
            let mut expected = 0;
            for track in [1, 2, 7] {
                let of = |name: &str| objects.iter().find(|one| one[0] == name && one[1] == track);
                let numbers =
                    |value: &Json| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
                if let Some((_, place)) = at(&facts, LabelKind::BboxPerson, clip.id, track, frame) {
                    assert!(
                        near(&numbers(&of("person").unwrap()[2]), &place, 0.0151),
                        "{place:?}"
                    );
                    expected += 1;
                }
                let eyes = [LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye]
                    .map(|kind| at(&facts, kind, clip.id, track, frame));
                if eyes.iter().all(Option::is_none) {
                    continue;
                }
                let read = of("eyes").unwrap();
                for (n, eye) in eyes.iter().enumerate() {
                    let place = eye
                        .as_ref()
                        .map_or(vec![0.0, 0.0], |(_, place)| place.clone());
                    assert!(
                        near(&numbers(&read[2])[2 * n..2 * n + 2], &place, 0.0151),
                        "{read} for {place:?}"
                    );
                    assert_eq!(read[3][n], if eye.is_some() { 2 } else { 0 });
                }
                expected += 1;
            }
            let people = objects.iter().filter(|one| one[0] != "rejected").count();
            assert_eq!(people, expected, "{} {frame}", clip.id);
            compared += expected;
        }
    }
    assert!(compared > 700);
    let rejected = &read[picture(crate::made::DRIVE, 15)];
    assert!(
        rejected
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one[0] == "rejected")
    );
}
