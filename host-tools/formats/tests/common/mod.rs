//! Clips with everything that formats disagree about, and files as strangers write them.

use formats::{
    BoxAt, Clip, Density, Event, Export, Format, Frames, Key, Label, Model, Plan, PointAt,
    ReadError, ReadSet, Reading, Standing, Value, read,
};
use label_core::wire::EventEyes;
use label_core::{AbstainReason, FrameRange, LabelKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub fn boxes(keys: &[(u32, f64, f64, f64, f64)]) -> Value {
    let key = |k: &(u32, f64, f64, f64, f64)| Key {
        frame: k.0,
        at: BoxAt {
            x: k.1,
            y: k.2,
            width: k.3,
            height: k.4,
        },
        confidence: 0.875,
    };
    Value::Boxes(keys.iter().map(key).collect())
}

pub fn points(keys: &[(u32, f64, f64)]) -> Value {
    let key = |k: &(u32, f64, f64)| Key {
        frame: k.0,
        at: PointAt { x: k.1, y: k.2 },
        confidence: 0.875,
    };
    Value::Points(keys.iter().map(key).collect())
}

fn clip(id: &str, name: &str, (size, fps, count): ((u32, u32), f64, u32)) -> Clip {
    let pts = |n: u32| Some((f64::from(n) * 1e6 / fps).round() as i64);
    Clip {
        id: id.to_owned(),
        stem: id.replace(':', "_"),
        rig: id.split(':').next().unwrap().to_owned(),
        name: Some(name.to_owned()),
        width: size.0,
        height: size.1,
        codec: Some("h264".to_owned()),
        sha256: None,
        utc_us: Some(1_760_000_000_000_000),
        clock: Some("ntp".to_owned()),
        closed: true,
        frames: Frames {
            count,
            nominal_fps: Some(f64::from(fps as f32)),
            pts_us: (0..count).map(pts).collect(),
            ..Frames::default()
        },
        beside: formats::Beside::Nothing,
        labels: Vec::new(),
    }
}

impl Made {
    fn say(
        &mut self,
        kind: LabelKind,
        track: u16,
        frames: (u32, u32),
        standing: Standing,
        value: Value,
    ) {
        let n = self.0.labels.len();
        let is_judged = standing.is_reviewed() || standing == Standing::Rejected;
        self.0.labels.push(Label {
            id: format!("{}:{n}", self.0.id),
            kind: kind.into(),
            track: Some(track).filter(|track| *track > 0),
            driver: track == 1,
            frames: FrameRange::new(frames.0, frames.1),
            standing,
            value: Some(value),
            reason: None,
            cause: (standing == Standing::Rejected).then(|| "look-down".to_owned()),
            confidence: Some(0.875),
            model: Some(Arc::new(Model {
                name: "eyes".to_owned(),
                version: "1.4".to_owned(),
                sha256: "5e".repeat(32),
            })),
            by: is_judged.then(|| "Zoë \"Z\" O'Neil, <z@x>".to_owned()),
            at_us: is_judged.then_some(1_760_000_000_000_000),
            signs: None,
        });
    }
}

pub struct Made(pub Clip);

/// Portrait and landscape, odd rates, tracks from the first frame to the last, several people, gaps, silence, awkward names.
pub fn clips() -> Vec<Clip> {
    use LabelKind::{
        Alertness, BboxPerson, Blink, FaceOccluded, KeypointLeftEye, KeypointRightEye, LightChange,
        LongClosure, VideoQuality, WearingGlasses,
    };
    let event = |peak| {
        Value::Event(Event {
            eyes: EventEyes::Both,
            peak,
            opening: 0.0625,
        })
    };
    let mut drive = Made(clip(
        "rig-1:1048577:1",
        "A \"quoted\" <näme> & 'más', 車.mp4",
        ((640, 480), 30.0, 300),
    ));
    let first = boxes(&[
        (0, 10.25, 20.5, 200.0, 300.75),
        (127, 40.0, 20.0, 200.0, 300.0),
    ]);
    drive.say(BboxPerson, 1, (0, 127), Standing::Confirmed, first);
    let next = boxes(&[
        (128, 40.5, 20.0, 200.0, 300.0),
        (299, 100.13, 30.0, 220.0, 320.0),
    ]);
    drive.say(BboxPerson, 1, (128, 299), Standing::Corrected, next);
    let left = points(&[(0, 150.11, 90.22), (150, 160.0, 95.0), (299, 170.33, 92.44)]);
    drive.say(KeypointLeftEye, 1, (0, 299), Standing::Confirmed, left);
    let right = points(&[(0, 110.5, 91.5), (299, 130.5, 93.5)]);
    drive.say(KeypointRightEye, 1, (0, 299), Standing::Machine, right);
    let other = boxes(&[
        (50, 400.0, 100.0, 120.0, 250.0),
        (120, 380.0, 110.0, 130.0, 260.0),
    ]);
    drive.say(BboxPerson, 2, (50, 120), Standing::Machine, other);
    let nobody = boxes(&[
        (10, 600.0, 400.0, 30.0, 60.0),
        (20, 600.0, 400.0, 30.0, 60.0),
    ]);
    drive.say(BboxPerson, 3, (10, 20), Standing::Rejected, nobody);
    drive.say(Blink, 1, (0, 6), Standing::Confirmed, event(3));
    drive.say(Blink, 1, (150, 156), Standing::Rejected, event(152));
    drive.say(Blink, 1, (293, 299), Standing::Created, event(296));
    drive.say(LongClosure, 1, (200, 230), Standing::Created, event(210));
    drive.say(
        WearingGlasses,
        1,
        (0, 299),
        Standing::Confirmed,
        Value::Flag(true),
    );
    drive.say(
        FaceOccluded,
        1,
        (100, 149),
        Standing::Confirmed,
        Value::Flag(false),
    );
    drive.say(Alertness, 1, (0, 149), Standing::Confirmed, Value::Level(4));
    drive.say(
        LightChange,
        0,
        (30, 31),
        Standing::Machine,
        Value::Flag(true),
    );
    drive.say(
        VideoQuality,
        0,
        (0, 299),
        Standing::Confirmed,
        Value::Level(3),
    );
    let mut silence = drive.0.labels[8].clone();
    "rig-1:1048577:99".clone_into(&mut silence.id);
    (silence.kind, silence.track, silence.standing) =
        (Alertness.into(), Some(2), Standing::Abstained);
    silence.frames = FrameRange::new(50, 120);
    (silence.value, silence.confidence, silence.model) = (None, None, None);
    (silence.by, silence.at_us, silence.driver) = (None, None, false);
    silence.reason = Some(AbstainReason::Passenger);
    drive.0.labels.push(silence);

    let mut portrait = Made(clip(
        "rig-2:2097154:1",
        "portrait.mov",
        ((540, 960), 30000.0 / 1001.0, 100),
    ));
    let inside = boxes(&[
        (0, 20.0, 100.0, 300.0, 700.0),
        (99, 30.0, 80.0, 300.5, 800.0),
    ]);
    portrait.say(BboxPerson, 7, (0, 99), Standing::Confirmed, inside);
    let eye = points(&[(0, 120.25, 200.75), (99, 300.5, 190.0)]);
    portrait.say(KeypointRightEye, 7, (0, 99), Standing::Confirmed, eye);
    portrait.say(Blink, 7, (40, 47), Standing::Confirmed, event(43));

    let mut uneven = Made(clip(
        "rig.3_x:3145731:1",
        "usb camera",
        ((1280, 720), 15.0, 60),
    ));
    for time in uneven.0.frames.pts_us.iter_mut().skip(20).flatten() {
        *time += 1_234_567;
    }
    let before = boxes(&[
        (0, 500.0, 100.0, 300.0, 600.0),
        (19, 510.0, 100.0, 300.0, 600.0),
    ]);
    uneven.say(BboxPerson, 1, (0, 19), Standing::Confirmed, before);
    let after = boxes(&[
        (25, 520.0, 110.0, 300.0, 600.0),
        (59, 530.0, 100.0, 310.0, 610.0),
    ]);
    uneven.say(BboxPerson, 1, (25, 59), Standing::Confirmed, after);
    uneven.say(Blink, 1, (18, 24), Standing::Confirmed, event(21));

    let mut clips = vec![drive.0, portrait.0, uneven.0];
    for clip in &mut clips {
        clip.labels.sort_by(|a, b| a.order().cmp(&b.order()));
    }
    clips
}

pub fn write(
    format: Format,
    density: Density,
    clips: &[Clip],
    place: &Path,
) -> BTreeMap<String, Vec<u8>> {
    let plan = Plan {
        format,
        density,
        subsets: vec!["all".to_owned()],
        selection: serde_json::json!({}),
    };
    let mut export = Export::begin(place, plan).unwrap();
    for clip in clips {
        export.clip(clip, "all").unwrap();
    }
    export.finish().unwrap();
    let mut files = files_of(place);
    // What these say follows from the others, or from what was lost.
    for beside in ["manifest.json", "loss.json", "loss.md"] {
        files.remove(beside);
    }
    files
}

fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Reads with a desk that knows these clips by identity and by the name of their files.
pub fn read_with(format: Format, place: &Path, known: &[Clip]) -> Result<ReadSet, ReadError> {
    let by_name = |name: &str| {
        let found = known
            .iter()
            .find(|clip| clip.id == name || clip.stem == name)?;
        let mut clip = found.clone();
        clip.labels.clear();
        Some(clip)
    };
    let reading = Reading {
        known: &by_name,
        size: Some((640, 480)),
        fps: Some(30.0),
        names: BTreeMap::new(),
        standing: Standing::Machine,
    };
    read(format, place, &reading)
}
