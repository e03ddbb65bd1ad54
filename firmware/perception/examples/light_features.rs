//! Prints what is measured of the light, one JSON line a picture, for the scripts that fit `in-shadow`, `light-change` and
//! `video-quality`: `light_features CARDS MODELS RUNTIME face|grid`.
//!
//! Pictures come on standard input: a line `still|frame WIDTH HEIGHT MICROSECONDS`, then the planes of a 4:2:0 picture in
//! full range. Each still is searched for faces anew; frames belong to one clip up to the next still.

#![expect(clippy::unwrap_used, reason = "a tool for fits: a mistake ends it")]

use label_core::CaptureTime;
use perception::{
    ColorRange, EyeReader, FaceDetector, FaceDetectorKind, FaceMesh, FaceModels, FaceShade,
    FaceTracker, ModelCard, Novelty, Picture, Runtime, SceneLook, Search, TrackedFace, light_grid,
};
use std::io::{BufRead, Read, Write};
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cards, models, runtime, what] = arguments.as_slice() else {
        panic!("light_features CARDS MODELS RUNTIME face|grid");
    };
    let mut faces = (what == "face").then(|| tracker(cards, models, runtime));
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let (mut head, mut pixels) = (String::new(), Vec::new());
    while {
        head.clear();
        input.read_line(&mut head).unwrap() > 0
    } {
        let words: Vec<&str> = head.split_whitespace().collect();
        let [kind, width, height, us] = words.as_slice() else {
            panic!("{head:?} is no head of a picture");
        };
        let (width, height): (usize, usize) = (width.parse().unwrap(), height.parse().unwrap());
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        pixels.resize(width * height + 2 * chroma, 0);
        input.read_exact(&mut pixels).unwrap();
        let (luma, rest) = pixels.split_at(width * height);
        let planes = Some(rest.split_at(chroma));
        let picture = Picture::new(width, height, luma, planes, ColorRange::Full).unwrap();
        let largest = faces.as_mut().and_then(|faces| {
            let search = if *kind == "still" {
                faces.reset();
                Search::Still
            } else {
                Search::Video
            };
            let at = CaptureTime(us.parse().unwrap());
            faces.observe(&picture, at, search, Novelty::New).unwrap();
            let area = |face: &&TrackedFace| face.bounds.width * face.bounds.height;
            faces
                .faces()
                .iter()
                .max_by(|a, b| area(a).total_cmp(&area(b)))
        });
        let line = if what == "grid" {
            serde_json::json!({ "grid": light_grid(&picture).cells().as_slice() })
        } else {
            line(&picture, largest)
        };
        writeln!(output, "{line}").unwrap();
        output.flush().unwrap();
    }
}

fn line(picture: &Picture<'_>, face: Option<&TrackedFace>) -> serde_json::Value {
    let look = SceneLook::read(picture, face);
    let shade = face.map(|face| match FaceShade::read(picture, face) {
        Ok(shade) => serde_json::json!({
            "features": shade.features(), "sides": shade.sides, "evenness": shade.evenness,
            "backlight": shade.backlight, "highlight": shade.highlight, "level": shade.level,
        }),
        Err(why) => serde_json::json!(format!("{why:?}")),
    });
    let of_face = face.map(|face| {
        let b = face.bounds;
        let points = [face.eyes.right.center, face.eyes.left.center].map(|eye| [eye.x, eye.y]);
        let points_of = |indexes: &[usize]| -> Vec<[f32; 2]> {
            indexes
                .iter()
                .map(|index| face.mesh.landmarks[*index])
                .map(|point| [point.x, point.y])
                .collect()
        };
        serde_json::json!({
            "box": [b.x, b.y, b.width, b.height],
            "yaw": face.eyes.yaw,
            "eyes": points,
            // Forehead, between the brows, nose tip, chin: the face's middle line.
            "middle": points_of(&[10, 168, 4, 152]),
        })
    });
    serde_json::json!({
        "light": look.light(), "contrast": look.contrast(),
        "dark_share": look.dark_share(), "bright_share": look.bright_share(),
        "tones": look.tones(), "fine_detail": look.fine_detail(), "step_share": look.step_share(),
        "noise": look.noise(), "blockiness": look.blockiness(), "chroma": look.chroma(),
        "eye_distance": look.eye_distance(), "face": of_face, "shade": shade,
    })
}

fn tracker(cards: &str, models: &str, runtime: &str) -> FaceTracker {
    let runtime = Runtime::load(Path::new(runtime)).unwrap();
    let (cards, models) = (Path::new(cards), Path::new(models));
    let card = |name: &str| ModelCard::read(cards, name).unwrap();
    let detector =
        |kind, name: &str| FaceDetector::load(kind, &card(name), &runtime, models, 1).unwrap();
    let found = FaceModels {
        short_range: detector(FaceDetectorKind::ShortRange, "face-detection-short-range"),
        full_range: detector(FaceDetectorKind::FullRange, "face-detection-full-range"),
        mesh: FaceMesh::load(&card("face-landmarks-v2"), &runtime, models, 1).unwrap(),
        reader: EyeReader::load(&card("eye-reader"), &runtime, models, 1).unwrap(),
    };
    FaceTracker::new(found, 2)
}
