//! Files that are broken, or made to do harm: each is refused with the file and the line, in bounded memory.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests: a failure here is a failed test"
)]

mod common;
#[path = "hostile/parquet.rs"]
mod tables;

use common::{clips, read_with};
use formats::{Format, ReadError};
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// What reading a set of this one file says.
fn refused(format: Format, name: &str, text: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    let error = read_with(format, folder.path(), &clips())
        .unwrap_err()
        .to_string();
    let file = path.file_name().unwrap().to_str().unwrap();
    assert!(error.contains(file), "{error} does not name {file}");
    error
}

fn coco(images: &str, annotations: &str) -> Vec<u8> {
    format!(
        "{{\"images\": [\n{images}\n],\n\"categories\": [{{\"id\": 1, \"name\": \"person\"}}],\n\"annotations\": [\n{annotations}\n]}}"
    )
    .into_bytes()
}

const IMAGE: &str = r#"{"id": 1, "file_name": "a/000000.png", "width": 640, "height": 480}"#;

#[test]
fn entities_do_not_expand() {
    let bomb = b"<?xml version=\"1.0\"?>\n<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;&x;&x;\">]>\n<annotations>&y;</annotations>";
    for (format, name) in [(Format::Cvat, "a.xml"), (Format::Elan, "a.eaf")] {
        let error = refused(format, name, bomb);
        assert!(
            error.contains("line 2") && error.contains("DOCTYPE"),
            "{error}"
        );
        let error = refused(format, name, b"<annotations>\n&file;</annotations>");
        assert!(
            error.contains("line 2") && error.contains("&file;"),
            "{error}"
        );
    }
}

#[test]
fn archives_are_for_their_owner_to_unpack() {
    for format in [
        Format::Coco,
        Format::Cvat,
        Format::Csv,
        Format::Yolo,
        Format::Elan,
    ] {
        let name = match format {
            Format::Coco => "a.json",
            Format::Cvat => "a.xml",
            Format::Csv => "labels.csv",
            Format::Yolo => "labels/a.txt",
            _ => "a.eaf",
        };
        let error = refused(format, name, b"PK\x03\x04 and the rest");
        assert!(error.contains("unpack it"), "{error}");
    }
}

#[test]
fn deep_nesting_and_long_words_are_refused_where_they_begin() {
    let deep = format!("{{\"images\": [],\n\"more\": {}", "[".repeat(100_000));
    let error = refused(Format::Coco, "a.json", deep.as_bytes());
    assert!(
        error.contains("line 2") && error.contains("deeper than"),
        "{error}"
    );
    let long = format!("{{\"images\": [],\n\"more\": \"{}\"}}", "x".repeat(3 << 20));
    let error = refused(Format::Coco, "a.json", long.as_bytes());
    assert!(
        error.contains("line 2") && error.contains("longer than"),
        "{error}"
    );
    let deep = format!("<annotations>\n{}", "<a>".repeat(1000));
    let error = refused(Format::Cvat, "a.xml", deep.as_bytes());
    assert!(
        error.contains("line 2") && error.contains("deeper than"),
        "{error}"
    );
    let long = format!(
        "clip,kind,start_frame,end_frame\n{},blink,1,2\n",
        "x".repeat(3 << 20)
    );
    let error = refused(Format::Csv, "labels.csv", long.as_bytes());
    assert!(error.contains("longer than"), "{error}");
    // A field of lines is one word too, and a quote that is written twice does not end it.
    let lines = format!(
        "clip,kind,start_frame,end_frame\n\"{}\",blink,1,2\n",
        "x \"\" \n".repeat(1 << 19)
    );
    let error = refused(Format::Csv, "labels.csv", lines.as_bytes());
    assert!(error.contains("longer than"), "{error}");
}

#[test]
fn a_file_too_long_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    // A hole: it takes no room.
    File::create(folder.path().join("a.json"))
        .unwrap()
        .set_len(10 << 30)
        .unwrap();
    let error = read_with(Format::Coco, folder.path(), &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a.json") && error.contains("divide the set"),
        "{error}"
    );
}

/// Bytes that this process held at most.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn what_is_not_wanted_is_passed_over_in_constant_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    let mut file = std::io::BufWriter::new(File::create(&path).unwrap());
    file.write_all(b"{\"licences\": [").unwrap();
    // Nested lists of objects, 16 MB of them.
    let piece =
        br#"{"a": [[[{"b": "some text that nobody asked for", "c": [1.5, 2.5, 3.5, 4.5]}]]]},"#;
    for _ in 0..(16 << 20) / piece.len() {
        file.write_all(piece).unwrap();
    }
    file.write_all(b"0], \"images\": [").unwrap();
    file.write_all(IMAGE.as_bytes()).unwrap();
    file.write_all(b"]}").unwrap();
    file.flush().unwrap();
    let before = peak_bytes();
    let set = read_with(Format::Coco, folder.path(), &[]).unwrap();
    assert_eq!(set.clips.len(), 1);
    let grown = peak_bytes() - before;
    assert!(grown < 4 << 20, "{grown} bytes for nothing");
}

#[test]
fn a_number_of_frames_claims_no_memory_and_many_clips_of_it_are_refused() {
    let image = |n: u32| {
        format!(
            "{{\"id\": {n}, \"file_name\": \"{n}/8388606.png\", \"width\": 640, \"height\": 480}}"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    std::fs::write(&path, coco(&image(1), "")).unwrap();
    let before = peak_bytes();
    let set = read_with(Format::Coco, folder.path(), &[]).unwrap();
    assert_eq!(set.clips[0].clip.frames.count, 8_388_607);
    let grown = peak_bytes() - before;
    assert!(grown < 4 << 20, "{grown} bytes for one picture");
    let images = [1, 2, 3].map(image).join(",\n");
    std::fs::write(&path, coco(&images, "")).unwrap();
    let error = read_with(Format::Coco, folder.path(), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("divide the set"), "{error}");
}

#[test]
fn an_element_of_endless_parts_is_refused_before_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    let annotation = format!(
        "{{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"keypoints\": [{}0]}}",
        "0,".repeat((8 << 20) + 100)
    );
    std::fs::write(&path, coco(IMAGE, &annotation)).unwrap();
    let error = read_with(Format::Coco, folder.path(), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 8388608 parts"), "{error}");
}

#[test]
fn pictures_of_two_sizes_are_no_frames_of_one_clip() {
    let other = r#"{"id": 2, "file_name": "a/000001.png", "width": 1280, "height": 720}"#;
    let images = format!("{IMAGE},\n{other}");
    let error = refused(Format::Coco, "a.json", &coco(&images, ""));
    assert!(
        error.contains("line 3") && error.contains("no frames of one clip"),
        "{error}"
    );
}

#[test]
fn numbers_that_cannot_be_are_refused_with_their_line() {
    for (annotation, why) in [
        (
            r#"{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, -3, 4]}"#,
            "negative size",
        ),
        (
            r#"{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1e300, 2, 3, 4]}"#,
            "no place in a picture",
        ),
        (
            r#"{"id": 1, "image_id": 1, "category_id": 1, "bbox": [NaN, 2, 3, 4]}"#,
            "expected value",
        ),
        (
            r#"{"id": 1, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}"#,
            "no picture",
        ),
        (
            r#"{"id": 1, "image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}"#,
            "no category",
        ),
        (
            r#"{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 7}"#,
            "0 to 1",
        ),
    ] {
        let error = refused(Format::Coco, "a.json", &coco(IMAGE, annotation));
        assert!(error.contains("line 6") && error.contains(why), "{error}");
    }
    for (line, why) in [
        ("0 0.5 0.5 0.1", "4 numbers"),
        ("0 NaN 0.5 0.1 0.1", "no share"),
        ("0 0.5 0.5 -0.1 0.1", "no share"),
        ("7 0.5 0.5 0.1 0.1", "class 7"),
        ("../../etc/passwd", "numbers"),
    ] {
        let text = format!("0 0.5 0.5 0.1 0.1\n{line}\n");
        let error = refused(Format::Yolo, "labels/a/000001.txt", text.as_bytes());
        assert!(error.contains("line 2") && error.contains(why), "{error}");
    }
    let csv = |row: &str| format!("clip,kind,track,start_frame,end_frame,confidence\n{row}\n");
    for (row, why) in [
        ("rig-1:1048577:1,blink,1,7,3,0.5", "end before they begin"),
        (
            "rig-1:1048577:1,blink,1,290,300,0.5",
            "which has 300 frames",
        ),
        ("rig-1:1048577:1,blink,1,1,3,NaN", "0 to 1"),
        ("rig-1:1048577:1,blink,0,1,3,0.5", "numbered from 1"),
        ("rig-1:1048577:1,blink,-4,1,3,0.5", "invalid digit"),
        (
            "rig-1:1048577:1,bbox-person,1,1,3,0.5",
            "no row in positions.csv",
        ),
    ] {
        let error = refused(Format::Csv, "labels.csv", csv(row).as_bytes());
        assert!(error.contains("line 2") && error.contains(why), "{error}");
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    let annotation = r#"{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}"#;
    let twice = coco(IMAGE, &format!("{annotation},\n{annotation}"));
    let error = refused(Format::Coco, "a.json", &twice);
    assert!(
        error.contains("line 7") && error.contains("annotation 1 is there twice"),
        "{error}"
    );
    let error = refused(
        Format::Coco,
        "a.json",
        &coco(&format!("{IMAGE},\n{IMAGE}"), ""),
    );
    assert!(
        error.contains("line 3") && error.contains("picture 1 is there twice"),
        "{error}"
    );
    let error = refused(Format::Coco, "a.json", b"{\"images\": [],\n\"images\": []}");
    assert!(
        error.contains("line 2") && error.contains("twice"),
        "{error}"
    );
    let track = "<track id=\"0\" label=\"person\"><box frame=\"1\" outside=\"0\" keyframe=\"1\" xtl=\"1\" ytl=\"1\" xbr=\"9\" ybr=\"9\"/></track>\n";
    let xml = format!("<annotations>\n{track}{track}</annotations>");
    let error = refused(Format::Cvat, "a.xml", xml.as_bytes());
    assert!(
        error.contains("line 3") && error.contains("twice"),
        "{error}"
    );
    let labels = "clip,label,kind,track,start_frame,end_frame\na,1,blink,1,2,3\na,1,blink,1,5,6\n";
    let error = refused(Format::Csv, "labels.csv", labels.as_bytes());
    assert!(
        error.contains("line 3") && error.contains("twice"),
        "{error}"
    );
}

#[test]
fn a_clip_of_another_length_or_size_is_another_encoding() {
    let xml = "<annotations><meta><task><name>rig-1:1048577:1 x</name><size>299</size></task></meta>\n</annotations>";
    let error = refused(Format::Cvat, "a.xml", xml.as_bytes());
    assert!(
        error.contains("299 frames here and 300 at the desk"),
        "{error}"
    );
    let image =
        r#"{"id": 1, "file_name": "rig-1_1048577_1/000000.png", "width": 1280, "height": 720}"#;
    let error = refused(Format::Coco, "a.json", &coco(image, ""));
    assert!(
        error.contains("line 2") && error.contains("another encoding"),
        "{error}"
    );
    let shape = |frame: &str| {
        format!(
            "<box frame=\"{frame}\" outside=\"0\" keyframe=\"1\" xtl=\"1\" ytl=\"1\" xbr=\"9\" ybr=\"9\"/>"
        )
    };
    let xml = format!(
        "<annotations><meta><task><name>rig-1:1048577:1 x</name><size>300</size></task></meta>\n<track id=\"0\" label=\"person\">\n{}</track></annotations>",
        shape("300")
    );
    let error = refused(Format::Cvat, "a.xml", xml.as_bytes());
    assert!(
        error.contains("line 3") && error.contains("which has 300 frames"),
        "{error}"
    );
    let xml = xml
        .replace("\"300\"", "\"4000000000\"")
        .replace("<size>300</size>", "")
        .replace("rig-1:1048577:1 x", "other");
    let error = refused(Format::Cvat, "a.xml", xml.as_bytes());
    assert!(error.contains("longest clip"), "{error}");
}

#[test]
fn links_and_paths_that_files_name_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    std::fs::write(&secret, "0 0.5 0.5 0.1 0.1\n").unwrap();
    let set = folder.path().join("set");
    std::fs::create_dir_all(set.join("labels/a")).unwrap();
    std::os::unix::fs::symlink(&secret, set.join("labels/a/000000.txt")).unwrap();
    std::os::unix::fs::symlink(folder.path(), set.join("labels/up")).unwrap();
    std::fs::write(
        set.join("data.yaml"),
        "path: ../..\ntrain: ../../secret.txt\nnames:\n  0: person\n",
    )
    .unwrap();
    let error = read_with(Format::Yolo, &set, &[]).unwrap_err();
    assert!(matches!(&error, ReadError::Broken { .. }), "{error}");
    assert!(
        error.to_string().contains("there is no .txt file"),
        "{error}"
    );
    // A name that climbs is a name, and nothing is written under it.
    let image = r#"{"id": 1, "file_name": "../../../etc/000000.png", "width": 640, "height": 480}"#;
    std::fs::write(folder.path().join("a.json"), coco(image, "")).unwrap();
    let set = read_with(Format::Coco, &folder.path().join("a.json"), &[]).unwrap();
    assert_eq!(set.clips[0].clip.stem, "etc");
}

#[test]
fn cut_files_and_other_files_are_no_sets() {
    for (format, name, text) in [
        (Format::Coco, "a.json", &b"{\"images\": [\n{\"id\": 1,"[..]),
        (
            Format::Cvat,
            "a.xml",
            b"<annotations>\n<track id=\"0\" label=\"blink\">",
        ),
        (Format::Cvat, "a.xml", b"<html></html>"),
        (Format::Elan, "a.eaf", b"<annotations></annotations>"),
        (Format::LabelStudio, "a.json", b"[{\"data\": {}}]"),
        (Format::OpenLabel, "a.json", b"{\"openlabel\": {}}"),
        (Format::Datumaro, "a.json", b"{\"items\": []}"),
        (Format::Csv, "labels.csv", b"\xff\xfe\x00"),
    ] {
        let error = refused(format, name, text);
        assert!(error.len() < 300, "{error}");
    }
    let error = read_with(Format::Csv, Path::new("/nowhere"), &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("labels.csv"), "{error}");
}
