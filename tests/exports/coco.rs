//! COCO, as pycocotools reads it.

use crate::made::{AWKWARD, DRIVE, Fact, UNEVEN};
use crate::{Desk, assert_same, near, read_by};
use label_core::LabelKind;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

fn stem(clip: &str) -> String {
    clip.replace(':', "_")
}

/// Where somebody is: track, and of the box and both eyes the place.
type Places = BTreeMap<(u16, LabelKind), Vec<f64>>;

/// What the pictures of a set are, and who is where in them.
fn expected(facts: &[&Fact], every_frame: bool) -> BTreeMap<(String, u32), Places> {
    let mut pictures: BTreeMap<(String, u32), Places> = BTreeMap::new();
    for fact in facts
        .iter()
        .filter(|fact| fact.place(fact.frames.0).is_some())
    {
        let frames: BTreeSet<u32> = if every_frame {
            (fact.frames.0..=fact.frames.1).collect()
        } else {
            fact.keyframes().into_iter().collect()
        };
        for frame in frames {
            pictures.entry((fact.clip.to_owned(), frame)).or_default();
        }
    }
    for ((clip, frame), places) in &mut pictures {
        for fact in facts
            .iter()
            .filter(|fact| fact.clip == clip && fact.standing != "rejected")
        {
            if (fact.frames.0..=fact.frames.1).contains(frame)
                && let (Some(place), Some(track)) = (fact.place(*frame), fact.track)
            {
                places.insert((track, fact.kind), place);
            }
        }
    }
    pictures
}

fn compare(read: &Json, expected: &BTreeMap<(String, u32), Places>, with_eyes: bool) {
    let images: Vec<_> = read["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(Json::to_string)
        .collect();
    let names = expected
        .keys()
        .map(|(clip, frame)| Json::from(format!("{}/{frame:06}.png", stem(clip))).to_string());
    assert_same(images, names.collect());
    let mut places: BTreeMap<(String, u32), Places> = BTreeMap::new();
    for annotation in read["annotations"].as_array().unwrap() {
        let at = (
            annotation["clip"].as_str().unwrap().to_owned(),
            annotation["frame"].as_u64().unwrap() as u32,
        );
        let track = annotation["track"].as_u64().unwrap() as u16;
        let numbers = |value: &Json| -> Vec<f64> {
            value
                .as_array()
                .unwrap()
                .iter()
                .map(|n| n.as_f64().unwrap())
                .collect()
        };
        let here = places.entry(at).or_default();
        if annotation["category"] == "person" {
            here.insert((track, LabelKind::BboxPerson), numbers(&annotation["bbox"]));
        }
        if !with_eyes {
            continue;
        }
        let kinds = [LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye];
        for (kind, eye) in kinds
            .into_iter()
            .zip(numbers(&annotation["keypoints"]).chunks(3))
        {
            if eye[2] > 0.0 {
                here.insert((track, kind), eye[..2].to_vec());
            }
        }
    }
    let mut compared = 0;
    for (picture, expected) in expected {
        let wanted: Vec<_> = expected
            .iter()
            .filter(|((_, kind), _)| with_eyes || *kind == LabelKind::BboxPerson)
            .collect();
        let read = places.remove(picture).unwrap_or_default();
        assert_eq!(
            read.len(),
            wanted.len(),
            "{picture:?}: {read:?} for {wanted:?}"
        );
        for (key, place) in wanted {
            assert!(
                near(&read[key], place, 0.006),
                "{picture:?} {key:?}: {:?} for {place:?}",
                read[key]
            );
            compared += 1;
        }
    }
    assert!(places.is_empty(), "{places:?}");
    assert!(compared > 0);
}

#[test]
fn pycocotools_reads_every_box_and_eye_where_the_store_has_it() {
    let desk = Desk::made();
    for (labels, every_frame) in [("truth", true), ("truth", false), ("both", true)] {
        let name = format!("{labels}-{every_frame}");
        let more: &[&str] = if every_frame {
            &["--labels", labels, "--every-frame"]
        } else {
            &["--labels", labels]
        };
        let folder = desk.export("coco", &name, more);
        let facts = &desk.world.facts;
        let chosen: Vec<_> = facts
            .iter()
            .filter(|fact| labels == "both" || fact.standing != "machine")
            .collect();
        let expected = expected(&chosen, every_frame);
        let Some(read) = read_by("coco.py", &folder) else {
            return;
        };
        compare(&read["person_keypoints_all"], &expected, true);
        compare(&read["instances_all"], &expected, false);
    }
}

#[test]
fn somebody_whose_box_is_not_told_is_no_person_to_a_detector() {
    let desk = Desk::made();
    let folder = desk.export("coco", "set", &["--every-frame"]);
    let Some(read) = read_by("coco.py", &folder) else {
        return;
    };
    let annotations = read["person_keypoints_all"]["annotations"]
        .as_array()
        .unwrap();
    let eyes: Vec<_> = annotations
        .iter()
        .filter(|one| one["category"] == "eyes")
        .collect();
    assert_eq!(eyes.len(), 41, "frames 60 to 100 of the second person");
    for one in eyes {
        assert_eq!(
            (&one["clip"], &one["track"]),
            (&Json::from(DRIVE), &Json::from(2))
        );
        let bbox: Vec<f64> = serde_json::from_value(one["bbox"].clone()).unwrap();
        assert!(
            near(&bbox[2..], &[16.0, 16.0], 1e-9),
            "8 pixels on all sides of one eye"
        );
    }
}

#[test]
fn what_was_rejected_is_beside_the_annotations_and_its_pictures_are_in_the_set() {
    let desk = Desk::made();
    let folder = desk.export("coco", "set", &["--rig", "rig-1", "--every-frame"]);
    let text = std::fs::read(folder.join("annotations/person_keypoints_all.json")).unwrap();
    let coco: Json = serde_json::from_slice(&text).unwrap();
    let rejected = coco["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 11, "frames 10 to 20");
    assert_eq!(rejected[0]["cause"], "not-a-person");
    assert_eq!(
        rejected[0]["place"],
        serde_json::json!([600.0, 400.0, 30.0, 60.0])
    );
    let image = coco["images"]
        .as_array()
        .unwrap()
        .iter()
        .find(|image| image["frame"] == 70);
    let image = image.unwrap();
    assert_eq!(
        image["abstained"],
        serde_json::json!(["2:keypoint-right-eye:eye-turned-away"])
    );
    assert_eq!(image["scene"]["video_quality"], 3);
    let annotation = coco["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["image_id"] == image["id"]);
    let attributes = &annotation.unwrap()["attributes"];
    assert_eq!(attributes["wearing_glasses"], true);
    assert_eq!(attributes["right_eye_provenance"], "corrected");
    assert_eq!(
        attributes["box_model"],
        format!("eyes@1.4+{}", "5e".repeat(6))
    );
}

#[test]
fn a_split_by_rig_keeps_rigs_whole_and_the_manifest_tells_the_seed() {
    let desk = Desk::made();
    let split = ["--split", "train=60,val=20,test=20", "--seed", "11"];
    let folder = desk.export("coco", "set", &split);
    let text = std::fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Json = serde_json::from_slice(&text).unwrap();
    assert_eq!(manifest["plan"]["selection"]["split"]["seed"], 11);
    let Some(read) = read_by("coco.py", &folder) else {
        return;
    };
    let mut subsets_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (subset, set) in read.as_object().unwrap() {
        for one in set["annotations"].as_array().unwrap() {
            let rig = one["clip"].as_str().unwrap().split(':').next().unwrap();
            let name = subset.rsplit('_').next().unwrap().to_owned();
            subsets_of.entry(rig.to_owned()).or_default().insert(name);
        }
    }
    assert_eq!(subsets_of.len(), 3, "{subsets_of:?}");
    assert!(
        subsets_of.values().all(|subsets| subsets.len() == 1),
        "{subsets_of:?}"
    );
    let listed = manifest["clip_list"].as_array().unwrap();
    assert_eq!(listed.len(), 4, "the empty clip is in it too");
    for clip in listed {
        let rig = clip["clip"].as_str().unwrap().split(':').next().unwrap();
        if let Some(subsets) = subsets_of.get(rig) {
            assert!(subsets.contains(clip["subset"].as_str().unwrap()));
        }
    }
    assert_eq!(listed[0]["name"], AWKWARD);
    assert!(listed.iter().any(|clip| clip["clip"] == UNEVEN));
}
