//! Containers, codecs, pixel formats and sizes: the same pictures give the same labels.

use crate::labels::assert_same_eyes;
use crate::{Bench, LOSSLESS, Part, SAME_PLACE_PX, decoded, has_encoder};
use std::path::Path;

const TWO_SECONDS: Part = Part {
    start_s: 46.5,
    length_s: 2.0,
};

#[test]
fn every_container_gives_the_labels_of_its_pictures() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", TWO_SECONDS, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&reference);
    for (name, encoder) in [
        ("h264.mp4", "libx264"),
        ("mpeg4.mp4", "mpeg4"),
        ("mpeg4.avi", "mpeg4"),
        ("mjpeg.avi", "mjpeg"),
        ("h264.mkv", "libx264"),
        ("mpeg4.mov", "mpeg4"),
        ("mpeg4.ts", "mpeg4"),
        ("vp8.webm", "libvpx"),
    ] {
        if !has_encoder(encoder) {
            println!("skipped: this ffmpeg has no {encoder} for {name}");
            continue;
        }
        let quality: &[&str] = match encoder {
            "libx264" => &["-preset", "veryfast", "-crf", "16"],
            "libvpx" => &["-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"],
            _ => &["-q:v", "2"],
        };
        let clip = bench.clip(
            name,
            TWO_SECONDS,
            "null",
            &[&["-c:v", encoder], quality].concat(),
        );
        let (outcome, labels) = bench.every_frame(&clip);
        let frames = outcome.count("frames");
        assert_eq!(frames, decoded(&clip), "{name}");
        assert_eq!(labels.last_frame(), frames - 1, "{name}");
        assert_same_eyes(&reference, &labels, SAME_PLACE_PX, |at| at);
        assert_eq!(
            labels.events("blink").len(),
            reference.events("blink").len(),
            "{name}"
        );
        assert!(
            !outcome.said.contains("damaged"),
            "{name}: {}",
            outcome.said
        );
    }
}

/// Notes in an mp4 that it is to be turned clockwise by this angle to be seen, as telephones do: in the matrix of its
/// track header (ISO/IEC 14496-12, 8.3.2). Written by hand: what ffmpeg's options for it mean depends on its version.
fn turn(mp4: &Path, clockwise: u32) {
    // From the box's name: 4 bytes of name, 40 of other fields, then a, b, u, c, d, v, x, y, w.
    const MATRIX_AT: usize = 44;
    const ONE: i32 = 0x1_0000;
    let (cos, sin) = match clockwise {
        90 => (0, ONE),
        180 => (-ONE, 0),
        270 => (0, -ONE),
        other => panic!("{other} is no quarter turn"),
    };
    let mut bytes = std::fs::read(mp4).unwrap();
    let header = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
    for (place, value) in [(0, cos), (1, sin), (3, -sin), (4, cos)] {
        let at = header + MATRIX_AT + 4 * place;
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }
    std::fs::write(mp4, bytes).unwrap();
}

#[test]
fn a_clip_turned_by_its_metadata_is_labelled_upright() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", TWO_SECONDS, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&reference);
    let encoding = ["-c:v", "mpeg4", "-q:v", "2"];
    for (clockwise, filters, down) in [
        // Stored lying on its left side, so a quarter turn clockwise rights it.
        (90, "transpose=cclock", 0.0),
        (180, "hflip,vflip", 0.0),
        (270, "transpose=clock", 0.0),
        // Portrait: stored lying, seen standing.
        (90, "pad=360:640:0:176,transpose=cclock", 176.0),
    ] {
        let clip = bench.clip("turned.mp4", TWO_SECONDS, filters, &encoding);
        turn(&clip, clockwise);
        let (_, labels) = bench.every_frame(&clip);
        assert_same_eyes(&reference, &labels, SAME_PLACE_PX, |(x, y)| (x, y + down));
    }
}

#[test]
fn odd_sizes_and_grey_pictures_are_labelled_in_their_own_pixels() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", TWO_SECONDS, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&reference);
    let scale =
        |across: f64, down: f64| move |(x, y): (f64, f64)| (x * across / 360.0, y * down / 288.0);
    for (name, filters, across, down) in [
        ("odd.mkv", "scale=361:287,format=yuv420p", 361.0, 287.0),
        ("odd.avi", "scale=361:287,format=yuvj420p", 361.0, 287.0),
        ("grey.mkv", "format=gray", 360.0, 288.0),
        ("grey-odd.mkv", "scale=359:289,format=gray", 359.0, 289.0),
        ("full-colour.mkv", "format=yuv444p", 360.0, 288.0),
        ("ten-bits.mkv", "format=yuv420p10le", 360.0, 288.0),
    ] {
        let encoding: &[&str] = if name.ends_with("avi") {
            &["-c:v", "mjpeg", "-q:v", "2"]
        } else {
            &LOSSLESS
        };
        let clip = bench.clip(name, TWO_SECONDS, filters, encoding);
        let (outcome, labels) = bench.every_frame(&clip);
        assert_eq!(outcome.count("frames"), decoded(&clip), "{name}");
        assert_same_eyes(&reference, &labels, SAME_PLACE_PX, scale(across, down));
    }
}

#[test]
fn a_clip_whose_size_changes_on_the_way_is_labelled_to_its_end_in_its_first_size() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", TWO_SECONDS, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&reference);
    // Two recordings one after the other: streams of pictures may simply be put together.
    let encoding = ["-c:v", "mjpeg", "-q:v", "2"];
    let half = |start_s| Part {
        start_s,
        length_s: 1.0,
    };
    let first = bench.clip("first.mjpeg", half(46.5), "null", &encoding);
    let second = bench.clip("second.mjpeg", half(47.5), "scale=480:384", &encoding);
    let joined = bench.path("joined.mjpeg");
    let bytes = [first, second].map(|part| std::fs::read(part).unwrap());
    std::fs::write(&joined, bytes.concat()).unwrap();
    let (outcome, labels) = bench.every_frame(&joined);
    assert_eq!(outcome.count("frames"), 48);
    assert!(
        outcome.said.contains("on the picture is 480x384"),
        "{}",
        outcome.said
    );
    assert_same_eyes(&reference, &labels, SAME_PLACE_PX, |at| at);
}
