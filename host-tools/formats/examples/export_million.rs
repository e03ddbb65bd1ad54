//! How long each format takes for a million labels, and how much memory:
//! `cargo run --release -p formats --example export_million -- [LABELS]`, or `cargo xtask bench --formats`.
//!
//! Clips are made one at a time, as they would come from the store, and handed to the export; each format runs in a process of
//! its own, so that peak memory is its own.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use formats::{
    BoxAt, Clip, Density, Event, Export, Format, Frames, Key, Label, Model, Plan, PointAt,
    Standing, Value,
};
use label_core::wire::EventEyes;
use label_core::{FrameRange, LabelKind};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// Labels in a clip: half an hour of one person.
const A_CLIP: u64 = 1000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [format, labels] = &arguments[..] {
        let format = Format::ALL.into_iter().find(|one| one.name() == format);
        return one(format.ok_or("no such format")?, labels.parse()?);
    }
    let labels: u64 = arguments
        .first()
        .map_or(Ok(1_000_000), |labels| labels.parse())?;
    println!("clips of {A_CLIP} labels; pictures at keyframes\n");
    println!(
        "{:14} {:>9} {:>9} {:>12} {:>11}",
        "format", "labels", "seconds", "peak memory", "written"
    );
    for format in Format::ALL {
        // It writes every frame: about 27 kB a label.
        let share = if format == Format::OpenLabel { 20 } else { 1 };
        let labels = (labels / share).to_string();
        let status = Command::new(std::env::current_exe()?)
            .args([format.name(), &labels])
            .status()?;
        if !status.success() {
            return Err(format!("{} failed", format.name()).into());
        }
    }
    Ok(())
}

fn one(format: Format, labels: u64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("set");
    let started = Instant::now();
    let plan = Plan {
        format,
        density: Density::Keyframes,
        subsets: vec!["all".to_owned()],
        selection: serde_json::json!({}),
    };
    let mut export = Export::begin(&place, plan)?;
    for number in 0..labels.div_ceil(A_CLIP) {
        export.clip(&clip(number, A_CLIP.min(labels - number * A_CLIP)), "all")?;
    }
    export.finish()?;
    let seconds = started.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak: f64 = peak
        .ok_or("the kernel tells no peak")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    println!(
        "{:14} {labels:>9} {seconds:>9.1} {:>9.0} MB {:>8.0} MB",
        format.name(),
        peak * 1024.0 / 1e6,
        bytes_in(&place)? as f64 / 1e6
    );
    Ok(())
}

fn bytes_in(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            bytes_in(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

/// Mostly positions, of three to four keyframes in four seconds, as rigs tell them.
fn clip(number: u64, labels: u64) -> Clip {
    let model = Arc::new(Model {
        name: "bench".to_owned(),
        version: "1".to_owned(),
        sha256: "5e".repeat(32),
    });
    let last = labels as u32 / 10 * 120 + 240;
    let labels = (0..labels as u32).map(|n| {
        let kind = match n % 10 {
            0 | 3 | 6 => LabelKind::BboxPerson,
            1 | 4 | 7 => LabelKind::KeypointLeftEye,
            2 | 5 | 8 => LabelKind::KeypointRightEye,
            _ => [
                LabelKind::Blink,
                LabelKind::WearingGlasses,
                LabelKind::Alertness,
            ][n as usize / 10 % 3],
        };
        // Three people, one label after the other.
        let track = (n % 10 / 3 + 1).min(3) as u16;
        let start = n / 10 * 120;
        let length = if kind == LabelKind::Blink { 7 } else { 120 };
        let frames = FrameRange::new(start, start + length - 1);
        let keys = [
            frames.start,
            frames.start + 40,
            frames.start + 90,
            frames.end,
        ];
        let shift = f64::from(n % 7);
        let value = match kind {
            LabelKind::BboxPerson => Value::Boxes(
                keys.map(|frame| Key {
                    frame,
                    at: BoxAt {
                        x: 410.25 + shift,
                        y: 90.5,
                        width: 512.75,
                        height: 629.5,
                    },
                    confidence: 0.94,
                })
                .to_vec(),
            ),
            LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye => Value::Points(
                keys.map(|frame| Key {
                    frame,
                    at: PointAt {
                        x: 633.41 + shift,
                        y: 288.07,
                    },
                    confidence: 0.97,
                })
                .to_vec(),
            ),
            LabelKind::Blink => Value::Event(Event {
                eyes: EventEyes::Both,
                peak: start + 3,
                opening: 0.08,
            }),
            LabelKind::Alertness => Value::Level(4),
            _ => Value::Flag(true),
        };
        Label {
            id: format!("rig:1048577:{number}:{n}"),
            kind: kind.into(),
            track: Some(track),
            driver: track == 1,
            frames,
            standing: Standing::Machine,
            value: Some(value),
            reason: None,
            cause: None,
            confidence: Some(0.9375),
            model: Some(Arc::clone(&model)),
            by: None,
            at_us: None,
            signs: None,
        }
    });
    let labels = labels.collect();
    Clip {
        id: format!("rig:1048577:{number}"),
        stem: format!("rig_1048577_{number}"),
        rig: "rig".to_owned(),
        name: Some("drive.mp4".to_owned()),
        width: 1280,
        height: 720,
        codec: None,
        sha256: None,
        utc_us: None,
        clock: None,
        closed: true,
        frames: Frames {
            count: last,
            nominal_fps: Some(30.0),
            pts_us: (0..last)
                .map(|n| Some(i64::from(n) * 100_000 / 3))
                .collect(),
            ..Frames::default()
        },
        beside: formats::Beside::Nothing,
        labels,
    }
}
