//! The shipped glasses reader on two drawn faces, with numbers from `models/wearing-glasses/parity.py`, which draws the same.

use super::project;
use label_core::Keypoint;
use perception::{
    ColorRange, Eye, Eyes, GlassesReader, GlassesReading, ModelCard, Picture, Runtime,
};

const WIDTH: usize = 320;
const HEIGHT: usize = 240;
const EYES: [(i32, i32); 2] = [(130, 110), (190, 110)];

/// How far the two ways to the numbers may part: they sample the picture with different rounding.
const TOLERANCE: f32 = 0.02;

#[derive(Clone, Copy, PartialEq)]
enum Wearing {
    Nothing,
    Glasses,
}

fn face(wearing: Wearing) -> Vec<u8> {
    let square = |v: i32| v * v;
    let pixel = |x: i32, y: i32| {
        let aside = (x - 160).abs();
        let mut light = 60;
        if square((x - 160) * 100) + square((y - 130) * 75) <= square(7500) {
            light = 165;
        }
        if aside <= 6 && (135..=140).contains(&y) {
            light = 120;
        }
        if aside <= 24 && (170..=174).contains(&y) {
            light = 100;
        }
        for (eye_x, eye_y) in EYES {
            let (dx, dy) = (x - eye_x, y - eye_y);
            if square(dx * 6) + square(dy * 13) <= square(78) {
                light = 215;
            }
            if square(dx) + square(dy) <= 25 {
                light = 40;
            }
            if dx.abs() <= 17 && (88..=92).contains(&y) {
                light = 70;
            }
            let rim = square(22)..=square(25);
            if wearing == Wearing::Glasses && rim.contains(&(square(dx) + square(dy - 3))) {
                light = 30;
            }
        }
        let wire = (107..=109).contains(&y) && (aside <= 6 || (54..=70).contains(&aside));
        if wearing == Wearing::Glasses && wire {
            light = 30;
        }
        light
    };
    (0..HEIGHT as i32)
        .flat_map(|y| (0..WIDTH as i32).map(move |x| (x, y)))
        .map(|(x, y)| pixel(x, y))
        .collect()
}

fn read(wearing: Wearing) -> GlassesReading {
    let library = project().join(".rigel/runtime/libLiteRt.so");
    let runtime = Runtime::load(&library).expect("run `cargo xtask setup`");
    let card = ModelCard::read(&project().join("models"), "glasses-reader").unwrap();
    let files = project().join(".rigel/models");
    let mut reader = GlassesReader::load(&card, &runtime, &files, 1).unwrap();
    let luma = face(wearing);
    let picture = Picture::new(WIDTH, HEIGHT, &luma, None, ColorRange::Full).unwrap();
    let [right, left] = EYES.map(|(x, y)| Eye {
        center: Keypoint::new(x as f32 + 0.5, y as f32 + 0.5),
        openness: 0.25,
        width: 26.0,
    });
    let yaw = 0.0;
    reader.read(&picture, &Eyes { left, right, yaw }).unwrap()
}

#[test]
fn drawn_glasses_are_seen_and_read_as_the_fitting_scripts_read_them() {
    for (wearing, classes, [light, contrast, detail]) in [
        (
            Wearing::Nothing,
            [0.9968, 0.0020, 0.0012],
            [0.6252, 0.1014, 0.0877],
        ),
        (
            Wearing::Glasses,
            [0.0103, 0.8970, 0.0927],
            [0.5781, 0.1642, 0.2168],
        ),
    ] {
        let reading = read(wearing);
        let read = [reading.none, reading.glasses, reading.sunglasses];
        for (read, expected) in read.into_iter().zip(classes) {
            assert!((read - expected).abs() < TOLERANCE, "{reading:?}");
        }
        let crop = reading.crop;
        for (read, expected) in [
            (crop.light, light),
            (crop.contrast, contrast),
            (crop.detail, detail),
        ] {
            assert!((read - expected).abs() < 0.005, "{reading:?}");
        }
        assert!((crop.eye_distance_px - 60.0).abs() < 1e-3);
    }
}
