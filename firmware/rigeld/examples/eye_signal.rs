//! Writes what is measured of eyes in every frame, for the fits in `models/`:
//! `cargo run --release -p rigeld --example eye_signal -- BOARD OUT CLIP...`.
//!
//! One file a clip in the folder OUT, named after the clip's folder and file; a clip that has its file is left out. A line a
//! frame and person, and a line a blink as the rig tells it.

use anyhow::{Context, Result};
use board::Board;
use capture::{ClipSource, Ffmpeg, FrameInfo, SourceInfo, StillSource};
use label_core::labeller::PersonMeasurement;
use label_core::wire::Label;
use label_core::{AbstainReason, LabelKind, Look};
use perception::{Filmstrip, Search};
use rigeld::pipeline::{ClipEnd, Pipeline, Sink, ToTheEnd};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

struct Signal {
    out: BufWriter<File>,
    failure: Option<std::io::Error>,
}

impl Signal {
    fn line(&mut self, line: &serde_json::Value) {
        if let Err(error) = writeln!(self.out, "{line}") {
            self.failure.get_or_insert(error);
        }
    }
}

impl Sink for Signal {
    fn opened(&mut self, _info: &SourceInfo) -> Result<()> {
        Ok(())
    }

    fn measured(&mut self, info: &FrameInfo, persons: &[PersonMeasurement]) {
        for person in persons {
            let frame = &person.frame;
            let eye = |eye: Result<label_core::labeller::EyeMeasurement, AbstainReason>| {
                eye.ok()
                    .map(|eye| json!([eye.openness, eye.center.x, eye.center.y]))
            };
            let l = frame.legibility;
            let looked = |look: Look| match look {
                Look::Seen { raw, probability } => Some([raw, probability]),
                _ => None,
            };
            self.line(&json!({
                "frame": info.index, "us": info.at.us(), "track": person.track,
                "left": eye(frame.left), "right": eye(frame.right), "yaw": frame.yaw, "presence": frame.face_score,
                "legibility": [l.disagreement, l.contrast, l.grain], "sides": frame.sides,
                "occluded": looked(frame.occluded), "glasses": looked(frame.glasses), "shadow": looked(frame.shadow),
                "mouth": frame.motion.map(|motion| motion.mouth_opening),
            }));
        }
    }

    fn frame(&mut self, _info: &FrameInfo) -> Result<()> {
        Ok(())
    }

    fn label(&mut self, label: Label, _strip: Option<&mut Filmstrip>) -> Result<()> {
        if label.kind == LabelKind::Blink && label.raw.is_some() {
            self.line(&json!({
                "blink": [label.frames.start, label.frames.end], "track": label.track,
                "depth": label.raw, "confidence": label.confidence.map(label_core::Confidence::get),
            }));
        }
        Ok(())
    }

    fn closed(&mut self, _clip: &ClipEnd) -> Result<()> {
        Ok(())
    }
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).map(PathBuf::from);
    let (Some(board), Some(folder)) = (words.next(), words.next()) else {
        anyhow::bail!("name a board file, a folder to write into, and clips");
    };
    let board = Board::read(&board)?;
    let mut pipeline = Pipeline::load(&board)?;
    let ffmpeg = Ffmpeg::find(&["ffmpeg".into()])?;
    std::fs::create_dir_all(&folder)?;
    for clip in words {
        write(&mut pipeline, &ffmpeg, &folder, &clip)
            .with_context(|| format!("cannot read the eyes of {}", clip.display()))?;
    }
    Ok(())
}

fn write(pipeline: &mut Pipeline, ffmpeg: &Ffmpeg, folder: &Path, clip: &Path) -> Result<()> {
    let set = clip.parent().and_then(Path::file_name).unwrap_or_default();
    let stem = clip.file_stem().context("it has no name")?;
    let out = folder.join(format!(
        "{}__{}.jsonl",
        set.to_string_lossy(),
        stem.to_string_lossy()
    ));
    if out.is_file() {
        return Ok(());
    }
    let unfinished = out.with_extension("part");
    let mut sink = Signal {
        out: BufWriter::new(File::create(&unfinished)?),
        failure: None,
    };
    if StillSource::is_picture(clip) {
        let source = Box::new(StillSource::open(clip)?);
        pipeline.label(source, Search::Still, &mut sink, &mut ToTheEnd)?;
    } else {
        let source = Box::new(ClipSource::open(clip, ffmpeg, None)?);
        pipeline.label(source, Search::Video, &mut sink, &mut ToTheEnd)?;
    }
    sink.failure.map_or(Ok(()), Err)?;
    sink.out.flush()?;
    std::fs::rename(&unfinished, &out)?;
    Ok(())
}
