//! Media beside an export: picture n of what lies there is frame n of what the rig labelled, told by what is seen in it.

mod films;

use crate::Desk;
use crate::folder::files_of;
use crate::made::{Filmed, World, fill_with};
use films::{Seen, alike, film, of_file, of_png, recording, sha256, turn};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(crate) const STEADY: &str = "rig-1:1048577:1";
const UNEVEN: &str = "rig-2:2097154:1";
const TURNED: &str = "rig-3:3145731:1";
const RECORDED: &str = "rig-4:4194308:1";

/// A desk with these clips.
fn desk(films: &[Filmed]) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(fill_with(folder.path(), films));
    let world = World {
        facts: Vec::new(),
        clips: Vec::new(),
        silences: Vec::new(),
    };
    Desk { folder, world }
}

/// What a rig tells of a file that it labelled.
fn filmed(id: &'static str, name: &str, fps: f64, path: &Path) -> (Filmed, Vec<Seen>) {
    let seen = of_file(path);
    let film = Filmed {
        id,
        name: name.to_owned(),
        size: seen[0].size,
        pts_us: seen.iter().map(|frame| frame.pts_us).collect(),
        fps,
        sha256: Some(sha256(path)),
        recorded: Vec::new(),
    };
    (film, seen)
}

/// Three files in a folder: steady; uneven, with repeats, told out of order; portrait by its metadata, 29.97 a second and of odd sides.
fn three(media: &Path) -> Vec<(Filmed, Vec<Seen>)> {
    std::fs::create_dir_all(media.join("rig-2")).unwrap();
    let steady = media.join("steady.mp4");
    film(&steady, (160, 96), "30", 60, ("N*3000", |frame| frame));
    let uneven = media.join("rig-2/uneven.mp4");
    let gap = "N*3000+gte(N\\,20)*111111+gte(N\\,33)*700*(N-33)";
    film(
        &uneven,
        (160, 96),
        "30",
        50,
        (gap, |frame| match frame {
            10..=12 => 10,
            other => other,
        }),
    );
    let turned = media.join("turned.mp4");
    film(
        &turned,
        (162, 98),
        "30000/1001",
        40,
        ("N*3003", |frame| frame),
    );
    turn(&turned, 98);
    vec![
        filmed(STEADY, "steady.mp4", 30.0, &steady),
        filmed(UNEVEN, "uneven.mp4", 30.0, &uneven),
        filmed(TURNED, "turned.mp4", 30000.0 / 1001.0, &turned),
    ]
}

/// The names of pictures in a COCO file, by clip.
fn named(folder: &Path) -> Vec<(String, u32, String)> {
    let path = folder.join("annotations/person_keypoints_all.json");
    let set: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let images = set["images"].as_array().unwrap().iter();
    images
        .map(|image| {
            let text = |key: &str| image[key].as_str().unwrap().to_owned();
            let frame = image["frame"].as_u64().unwrap() as u32;
            (text("clip"), frame, text("file_name"))
        })
        .collect()
}

#[test]
fn each_picture_of_a_set_is_the_frame_that_its_name_says() {
    let media = tempfile::tempdir().unwrap();
    let (films, seen): (Vec<_>, Vec<_>) = three(media.path()).into_iter().unzip();
    assert_eq!(films[2].size, (98, 162), "upright");
    let desk = desk(&films);
    let root = media.path().display().to_string();
    let set = desk.export("coco", "set", &["--media", &root, "--every-frame"]);
    let names = named(&set);
    assert_eq!(names.len(), 150);
    for (clip, frame, name) in &names {
        let at = films.iter().position(|film| film.id == clip).unwrap();
        let picture = of_png(&set.join("images/all").join(name));
        alike(&picture, &seen[at], *frame, clip);
    }
    let pictures = |folder: &Path| -> BTreeSet<String> {
        let files = files_of(folder).into_keys();
        files.filter(|name| name.starts_with("images/")).collect()
    };
    assert_eq!(pictures(&set).len(), names.len());
    let manifest = std::fs::read_to_string(set.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"path\":\"images/all/rig-2_2097154_1/000033.png\""));
    assert!(manifest.contains("\"made\":\"decoded\""), "{manifest}");

    // The others name the same pictures, at keyframes.
    let yolo = desk.export("yolo", "yolo", &["--media", &root]);
    let list = std::fs::read_to_string(yolo.join("all.txt")).unwrap();
    let listed: BTreeSet<_> = list.lines().map(|line| line[2..].to_owned()).collect();
    assert_eq!((listed.len(), &listed), (6, &pictures(&yolo)));
    let Some(read) = crate::read_by("yolo.py", &yolo) else {
        return;
    };
    assert_eq!(read.as_object().unwrap().len(), 6);
    let set = desk.export("datumaro", "items", &["--media", &root]);
    assert_eq!(pictures(&set), listed);
    let read = crate::read_by("items.py", &set).unwrap();
    assert_eq!(read.as_object().unwrap().len(), 6);
}

#[test]
fn frame_n_of_a_film_beside_labels_is_frame_n_of_the_clip() {
    let media = tempfile::tempdir().unwrap();
    let (films, seen): (Vec<_>, Vec<_>) = three(media.path()).into_iter().unzip();
    let desk = desk(&films);
    let root = media.path().display().to_string();
    let set = desk.export("cvat", "cvat", &["--media", &root]);
    // What keeps to its rate is copied.
    let steady = set.join("media/rig-1_1048577_1.mp4");
    assert_eq!(sha256(&steady), films[0].sha256.clone().unwrap());
    for (at, stem, rate) in [
        (1, "rig-2_2097154_1", None),
        (2, "rig-3_3145731_1", Some(30000.0 / 1001.0)),
    ] {
        let film = of_file(&set.join(format!("media/{stem}.mp4")));
        assert_eq!(film.len(), seen[at].len());
        for (frame, picture) in (0..).zip(&film) {
            alike(picture, &seen[at], frame, stem);
            if let Some(rate) = rate {
                let due = f64::from(frame) * 1e6 / rate;
                assert!((picture.pts_us as f64 - due).abs() < 2.0, "{picture:?}");
            }
        }
        let steps: Vec<_> = film
            .windows(2)
            .map(|pair| pair[1].pts_us - pair[0].pts_us)
            .collect();
        let (least, most) = (steps.iter().min().unwrap(), steps.iter().max().unwrap());
        assert!(most - least <= 1, "{least} to {most} µs");
    }
    // The same again gives the same bytes.
    let again = desk.export("cvat", "again", &["--media", &root]);
    assert_eq!(files_of(&set), files_of(&again));

    // Tools that go by time are told that of the film, and say in the loss report that it is not the camera's.
    let set = desk.export("elan", "elan", &["--media", &root]);
    let text = std::fs::read_to_string(set.join("all/rig-2_2097154_1.eaf")).unwrap();
    assert!(
        text.contains("RELATIVE_MEDIA_URL=\"./../media/rig-2_2097154_1.mp4\""),
        "{text}"
    );
    let film = of_file(&set.join("media/rig-2_2097154_1.mp4"));
    let blink = format!("TIME_VALUE=\"{}\"", (film[4].pts_us + 500) / 1000);
    assert!(text.contains(&blink), "{blink} in {text}");
    let loss = std::fs::read_to_string(set.join("loss.md")).unwrap();
    assert!(
        loss.contains("times are those of the film beside the labels"),
        "{loss}"
    );
    let set = desk.export("label-studio", "tasks", &["--media", &root]);
    let tasks = std::fs::read_to_string(set.join("tasks_all.json")).unwrap();
    assert!(
        tasks.contains("\"video\":\"media/rig-1_1048577_1.mp4\""),
        "{tasks}"
    );
    let loss = std::fs::read_to_string(set.join("loss.md")).unwrap();
    assert!(!loss.contains("beside the right moment"), "{loss}");
}

#[test]
fn recorded_pictures_are_copied_to_the_byte_and_frames_without_one_are_left_out_or_grey() {
    let media = tempfile::tempdir().unwrap();
    let folder = media.path().join("rig-4");
    // 0 to 19 without 7 and 8, 20 to 29 whose segment is not there, 30 to 39.
    let (recorded, jpegs) = recording(&folder, RECORDED, (160, 96), &[7, 8]);
    let pts_us = (0..40)
        .map(|frame| frame * 41_000 + frame % 3 * 900)
        .collect();
    let clip = Filmed {
        id: RECORDED,
        name: "../../etc/passwd".to_owned(),
        size: (160, 96),
        pts_us,
        fps: 24.0,
        sha256: None,
        recorded,
    };
    let desk = desk(&[clip]);
    let root = media.path().display().to_string();
    let lost = folder.join("0000000004194308-000001-000001.mjpeg");
    std::fs::remove_file(lost).unwrap();
    let has_none = |frame: u32| [7, 8].contains(&frame) || (20..30).contains(&frame);

    let set = desk.export("coco", "set", &["--media", &root, "--every-frame"]);
    let names = named(&set);
    let frames: Vec<u32> = names.iter().map(|(_, frame, _)| *frame).collect();
    let expected: Vec<u32> = (0..40).filter(|frame| !has_none(*frame)).collect();
    assert_eq!(frames, expected);
    for (_, frame, name) in &names {
        assert_eq!(name.rsplit('.').next(), Some("jpg"));
        let bytes = std::fs::read(set.join("images/all").join(name)).unwrap();
        assert!(bytes == jpegs[*frame as usize], "frame {frame}");
    }
    let loss = std::fs::read_to_string(set.join("loss.md")).unwrap();
    assert!(
        loss.contains("| frames of which there is no picture: left out | 12 |"),
        "{loss}"
    );

    for (format, ending) in [("cvat", "mov"), ("label-studio", "mp4")] {
        let set = desk.export(format, format, &["--media", &root]);
        let film = of_file(&set.join(format!("media/rig-4_4194308_1.{ending}")));
        let codes: Vec<_> = film.iter().map(Seen::code).collect();
        let expected: Vec<_> = (0..40)
            .map(|frame| (!has_none(frame)).then_some(frame))
            .collect();
        assert_eq!(codes, expected, "{format}");
        let loss = std::fs::read_to_string(set.join("loss.md")).unwrap();
        assert!(loss.contains("grey in the film | 12 |"), "{loss}");
    }
}

#[test]
fn pictures_larger_than_the_labels_count_are_made_smaller() {
    let media = tempfile::tempdir().unwrap();
    let (recorded, _) = recording(media.path(), RECORDED, (320, 192), &[]);
    let clip = Filmed {
        id: RECORDED,
        name: "usb camera".to_owned(),
        size: (160, 96),
        pts_us: (0..40).map(|frame| frame * 41_000).collect(),
        fps: 24.0,
        sha256: None,
        recorded,
    };
    let desk = desk(&[clip]);
    let root = media.path().display().to_string();
    let set = desk.export("coco", "set", &["--media", &root]);
    for (_, frame, name) in named(&set) {
        assert_eq!(name.rsplit('.').next(), Some("png"));
        let picture = of_png(&set.join("images/all").join(name));
        assert_eq!((picture.size, picture.code()), ((160, 96), Some(frame)));
    }
}

#[test]
fn media_that_differ_are_missing_or_lead_elsewhere_end_the_export_before_it_begins() {
    let media = tempfile::tempdir().unwrap();
    let inside = media.path().join("inside");
    let (mut films, _): (Vec<_>, Vec<_>) = three(&inside).into_iter().unzip();
    std::fs::copy(inside.join("steady.mp4"), media.path().join("steady.mp4")).unwrap();
    films[0].name = "../steady.mp4".to_owned();
    std::os::unix::fs::symlink(inside.join("turned.mp4"), inside.join("link.mp4")).unwrap();
    films[2].name = "link.mp4".to_owned();
    let of_link = films.remove(2);
    let desk = desk(&[films.remove(0), films.remove(0), of_link]);
    let refused = |name: &str, place: &Path, more: &[&str]| {
        let place = place.display().to_string();
        let output = desk.run("coco", name, &[&["--media", place.as_str()], more].concat());
        assert!(!output.status.success());
        assert!(!desk.out(name).exists());
        assert!(!desk.out(&format!("{name}.unfinished")).exists());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused("a", &inside, &[]);
    let both = format!("holds no media of 2 clip(s): {STEADY}, {TURNED}");
    assert!(said.contains(&both), "{said}");
    let said = refused("b", &inside.join("steady.mp4"), &[]);
    assert!(
        said.contains("is one file, and 3 clips are chosen"),
        "{said}"
    );
    let said = refused("e", &inside.join("nowhere"), &[]);
    assert!(
        said.contains("cannot read") && said.contains("nowhere"),
        "{said}"
    );
    // Another file, named by its path.
    let said = refused("c", &inside.join("turned.mp4"), &["--clip", UNEVEN]);
    assert!(said.contains("is not what the rig labelled"), "{said}");
    let uneven = inside.join("rig-2/uneven.mp4");
    let mut bytes = std::fs::read(&uneven).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&uneven, bytes).unwrap();
    let said = refused("d", &inside, &["--clip", UNEVEN]);
    assert!(
        said.contains("nothing is written, since the media differ"),
        "{said}"
    );
}

/// A file system of some megabytes; `None` where this user may not mount any.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=3m", "small"]);
        let mounted = mount.arg(disk.0.path()).output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(disk)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .output();
    }
}

#[test]
fn a_full_disk_says_what_to_do_and_the_same_command_goes_on() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let media = tempfile::tempdir().unwrap();
    let (films, _): (Vec<_>, Vec<_>) = three(media.path()).into_iter().unzip();
    let desk = desk(&films);
    let root = media.path().display().to_string();
    let ballast = disk.0.path().join("ballast");
    for (format, ballast_bytes) in [("coco", 2_800_000), ("cvat", 3_080_000)] {
        std::fs::write(&ballast, vec![1; ballast_bytes]).unwrap();
        let out = disk.0.path().join(format);
        let export = |out: &Path| {
            let out = out.display().to_string();
            let more = ["--out", &out, "--media", &root, "--every-frame"];
            desk.rigel("export", &[&["--format", format], &more[..]].concat())
        };
        let output = export(&out);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{format}");
        assert!(
            said.contains("is full: make room there"),
            "{format}: {said}"
        );
        assert!(!out.exists());
        std::fs::remove_file(&ballast).unwrap();
        let output = export(&out);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let elsewhere: PathBuf = desk.out(format);
        assert!(export(&elsewhere).status.success());
        assert_eq!(files_of(&out), files_of(&elsewhere), "{format}");
        std::fs::remove_dir_all(&out).unwrap();
    }
}
