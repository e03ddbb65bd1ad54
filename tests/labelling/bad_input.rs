//! What cannot be labelled is refused by name, with what to do, in good time, and leaves nothing that looks like labels.

use crate::{Bench, Outcome, Part, decoded, ffmpeg, run};
use std::path::{Path, PathBuf};

const SHORT: Part = Part {
    start_s: 0.0,
    length_s: 3.0,
};

const LIGHT: [&str; 4] = ["-c:v", "mpeg4", "-q:v", "3"];

/// The first 60 % of a file's bytes.
fn cut(whole: &Path) -> PathBuf {
    let bytes = std::fs::read(whole).unwrap();
    let path = whole.with_file_name(format!(
        "cut-{}",
        whole.file_name().unwrap().to_string_lossy()
    ));
    std::fs::write(&path, &bytes[..bytes.len() * 6 / 10]).unwrap();
    path
}

fn file(bench: &Bench, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = bench.path(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Failed, with an error that names the file and says one of these words of what to do, and without output.
fn assert_refused(outcome: &Outcome, named: &str, advice: &str) {
    let Outcome { said, out, .. } = outcome;
    assert!(!outcome.succeeded, "{named} was accepted: {said}");
    assert!(said.contains(named), "{named} is not named: {said}");
    assert!(said.contains(advice), "no {advice:?} for {named}: {said}");
    assert!(!out.is_file(), "{named} left {}", out.display());
    assert!(outcome.summary.is_null(), "{named} left a summary");
    let partial = out.with_file_name(format!(
        "{}.partial",
        out.file_name().unwrap().to_string_lossy()
    ));
    assert!(!partial.exists(), "{named} left {}", partial.display());
}

#[test]
fn of_a_clip_cut_off_after_its_index_what_can_be_decoded_is_labelled_and_the_damage_told() {
    let bench = Bench::new();
    let encoding = [&LIGHT[..], &["-movflags", "+faststart"]].concat();
    let whole = bench.clip("whole.mp4", SHORT, "null", &encoding);
    let cut = cut(&whole);
    let (outcome, labels) = bench.every_frame(&cut);
    let frames = outcome.count("frames");
    assert!(frames >= 20 && frames < decoded(&whole), "{frames} frames");
    assert!(
        outcome.said.contains("cut-whole.mp4 is damaged"),
        "{}",
        outcome.said
    );
    assert_eq!(labels.last_frame(), frames - 1);
    assert!(!labels.points("keypoint-left-eye").is_empty());
}

#[test]
fn a_clip_cut_off_before_its_index_is_refused() {
    let bench = Bench::new();
    let whole = bench.clip("whole.mp4", SHORT, "null", &LIGHT);
    let outcome = bench.label(&cut(&whole), &[]);
    assert_refused(&outcome, "cut-whole.mp4", "copied whole");
}

#[test]
fn what_is_no_video_is_refused_whatever_its_name() {
    let bench = Bench::new();
    // A linear congruential generator: bytes that are nothing, and the same in every run.
    let mut state = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(100_000)
    .collect();
    for (name, bytes, advice) in [
        ("empty.mp4", &b""[..], "0 bytes"),
        ("noise.mp4", &noise, "copied whole"),
        ("noise.avi", &noise, "what to do"),
        ("text.mp4", b"not a clip at all\n", "copied whole"),
        ("text.mkv", b"not a clip at all\n", "what to do"),
        ("text.jpg", b"not a picture\n", "copied whole"),
    ] {
        let outcome = bench.label(&file(&bench, name, bytes), &[]);
        assert_refused(&outcome, name, advice);
    }
}

#[test]
fn a_path_that_is_not_what_it_should_be_is_refused() {
    let bench = Bench::new();
    let missing = bench.path("missing.mp4");
    assert_refused(&bench.label(&missing, &[]), "missing.mp4", "check the path");
    assert_refused(
        &bench.label(&missing, &["--stills"]),
        "missing.mp4",
        "check the path",
    );
    let folder = bench.path("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("note.txt"), "no picture").unwrap();
    assert_refused(&bench.label(&folder, &[]), "folder", "--stills");
    assert_refused(&bench.label(&folder, &["--stills"]), "folder", ".jpg");
    let text = file(&bench, "text.mp4", "text");
    assert_refused(
        &bench.label(&text, &["--stills"]),
        "text.mp4",
        "leave it out",
    );
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_work() {
    let bench = Bench::new();
    let clip = bench.clip("clip.mp4", SHORT, "null", &LIGHT);
    let no_folder = file(&bench, "no-folder", "a file where a folder should be");
    for out in [
        bench.path("none").join("labels.jsonl"),
        no_folder.join("labels.jsonl"),
    ] {
        let outcome = bench.label_into(&out, &clip, &[]);
        assert_refused(&outcome, "labels.jsonl", "its folder must exist");
    }
    let folder = bench.path("folder");
    std::fs::create_dir(&folder).unwrap();
    let outcome = bench.label_into(&folder, &clip, &[]);
    assert_refused(&outcome, "folder", "name a file in it");
}

#[test]
fn a_clip_is_never_overwritten_with_its_labels() {
    let bench = Bench::new();
    let clip = bench.clip("clip.mp4", SHORT, "null", &LIGHT);
    let recorded = std::fs::read(&clip).unwrap();
    let link = bench.path("link.mp4");
    std::os::unix::fs::symlink(&clip, &link).unwrap();
    for out in [&clip, &link] {
        let outcome = bench.label_into(out, &clip, &[]);
        assert!(!outcome.succeeded, "{}", outcome.said);
        assert!(
            outcome.said.contains("is the clip itself"),
            "{}",
            outcome.said
        );
        assert_eq!(std::fs::read(&clip).unwrap(), recorded);
    }
}

#[test]
fn a_recording_of_sound_alone_is_refused() {
    let bench = Bench::new();
    let sound = bench.path("sound.mp4");
    run(ffmpeg()
        .args(["-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac"])
        .arg(&sound));
    let outcome = bench.label(&sound, &[]);
    assert_refused(&outcome, "sound.mp4", "no video track");
}

#[test]
fn a_playlist_is_not_followed_to_other_files() {
    let bench = Bench::new();
    let other = bench.clip("other.ts", SHORT, "null", &LIGHT);
    let playlist = |entry: &str| {
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{entry}\n#EXT-X-ENDLIST\n")
    };
    let concatenation = |entry: &str| format!("ffconcat version 1.0\nfile '{entry}'\n");
    let whole_path = other.to_string_lossy();
    for (name, text) in [
        ("near.m3u8", playlist("other.ts")),
        ("far.m3u8", playlist(&whole_path)),
        ("disguised.mp4", playlist(&whole_path)),
        ("list.txt", concatenation("other.ts")),
        ("list.mkv", concatenation("other.ts")),
    ] {
        let outcome = bench.label(&file(&bench, name, text), &[]);
        assert_refused(&outcome, name, "name the video file itself");
    }
}
