//! The folder that an export makes.

use crate::Desk;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

pub(crate) fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn the_manifest_names_every_file_with_its_digest() {
    let desk = Desk::made();
    let files = files_of(&desk.export("coco", "set", &[]));
    let manifest: Json = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files.len(), "all but the manifest itself");
    for file in listed {
        let bytes = &files[file["path"].as_str().unwrap()];
        assert_eq!(file["bytes"], bytes.len());
        let mut digest = String::new();
        for byte in Sha256::digest(bytes) {
            write!(digest, "{byte:02x}").unwrap();
        }
        assert_eq!(file["sha256"], digest);
    }
    assert_eq!(manifest["labels"]["rejected"]["blink"], 1);
    assert!(files.contains_key("loss.md"));
}

#[test]
fn the_same_labels_give_the_same_bytes() {
    let desk = Desk::made();
    for format in [
        "csv",
        "parquet",
        "coco",
        "cvat",
        "label-studio",
        "yolo-pose",
        "openlabel",
        "datumaro",
        "elan",
    ] {
        let more = ["--labels", "both", "--every-frame"];
        let first = files_of(&desk.export(format, &format!("{format}-1"), &more));
        let second = files_of(&desk.export(format, &format!("{format}-2"), &more));
        assert!(first == second, "{format} differs from itself");
    }
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let desk = Desk::made();
    let folder = desk.out("set");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("mine.txt"), "mine").unwrap();
    let output = desk.run("csv", "set", &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("is there already") && said.contains("--out"),
        "{said}"
    );
    assert_eq!(files_of(&folder).len(), 1);
    // Neither is an unfinished one that is not ours.
    let waiting = desk.out("other.unfinished");
    std::fs::create_dir(&waiting).unwrap();
    std::fs::write(waiting.join("mine.txt"), "mine").unwrap();
    let output = desk.run("csv", "other", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(files_of(&waiting).len(), 1);
}

#[test]
fn an_export_of_nothing_fails_and_leaves_nothing() {
    let desk = Desk::made();
    let output = desk.run("coco", "set", &["--model", "nobody@1"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no label matches"), "{said}");
    assert!(!desk.out("set").exists());
    assert!(!desk.out("set.unfinished").exists());
    assert_eq!(desk.run("jpeg", "set", &[]).status.code(), Some(2));
}

#[test]
fn filters_choose_what_the_queue_would_list() {
    let desk = Desk::made();
    let rows = |name: &str, more: &[&str]| {
        let folder = desk.export("csv", name, more);
        let text = std::fs::read_to_string(folder.join("labels.csv")).unwrap();
        text.lines()
            .filter(|line| !line.contains(",abstained,"))
            .count()
            - 1
    };
    let facts = &desk.world.facts;
    let both = ["--labels", "both"];
    assert_eq!(rows("all", &both), facts.len());
    let waiting = facts
        .iter()
        .filter(|fact| fact.standing == "machine")
        .count();
    assert_eq!(
        rows("waiting", &[&both[..], &["--state", "waiting"]].concat()),
        waiting
    );
    let blinks = facts
        .iter()
        .filter(|fact| fact.kind.name() == "blink")
        .count();
    assert_eq!(
        rows("blinks", &[&both[..], &["--kind", "blink"]].concat()),
        blinks
    );
    let told = facts
        .iter()
        .filter(|fact| fact.standing != "created")
        .count();
    assert_eq!(
        rows("sure", &[&both[..], &["--confidence-min", "0.87"]].concat()),
        told
    );
    assert_eq!(
        rows("model", &[&both[..], &["--model", "eyes@1.4"]].concat()),
        told
    );
    let clip = facts
        .iter()
        .filter(|fact| fact.clip == crate::made::PORTRAIT)
        .count();
    assert_eq!(
        rows(
            "clip",
            &[&both[..], &["--clip", crate::made::PORTRAIT]].concat()
        ),
        clip
    );
}
