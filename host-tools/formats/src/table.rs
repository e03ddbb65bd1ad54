//! CSV: three tables as RFC 4180 has them, in UTF-8, each with a header.
//!
//! `labels.csv` has a row a label, `positions.csv` a row a keyframe of a box or a point, `clips.csv` a row a clip. Everything
//! is as Rigel counts it: frames from 0, ranges inclusive, pixels from the top left. Nothing is lost.

use crate::clip::{Clip, Label, Value};
use crate::error::FormatError;
use crate::format::{Target, Writer};
use label_core::wire::EventEyes;
use serde::Serialize;

pub(crate) struct Tables;

#[derive(Serialize)]
struct ClipRow<'a> {
    clip: &'a str,
    subset: &'a str,
    rig: &'a str,
    name: Option<&'a str>,
    frames: u32,
    closed: bool,
    width: u32,
    height: u32,
    fps: f64,
    steady: bool,
    repeats: usize,
    dropped: u64,
    utc_us: Option<i64>,
    clock: Option<&'a str>,
    codec: Option<&'a str>,
    media_sha256: Option<&'a str>,
}

/// A label as a row; Parquet has the same columns.
#[derive(Serialize)]
pub(crate) struct LabelRow<'a> {
    pub(crate) clip: &'a str,
    pub(crate) label: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) track: Option<u16>,
    pub(crate) driver: bool,
    pub(crate) start_frame: u32,
    pub(crate) end_frame: u32,
    pub(crate) start_pts_us: Option<i64>,
    pub(crate) end_pts_us: Option<i64>,
    pub(crate) standing: &'a str,
    pub(crate) flag: Option<bool>,
    pub(crate) level: Option<u8>,
    pub(crate) eyes: Option<&'a str>,
    pub(crate) peak_frame: Option<u32>,
    pub(crate) opening: Option<f64>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) cause: Option<&'a str>,
    pub(crate) confidence: Option<f64>,
    pub(crate) model: Option<&'a str>,
    pub(crate) model_version: Option<&'a str>,
    pub(crate) model_sha256: Option<&'a str>,
    pub(crate) by: Option<&'a str>,
    pub(crate) at_us: Option<i64>,
    /// What a level of alertness rests on, as JSON.
    pub(crate) signs: Option<String>,
}

impl<'a> LabelRow<'a> {
    pub(crate) fn of(clip: &'a Clip, label: &'a Label) -> Self {
        let event = match &label.value {
            Some(Value::Event(event)) => Some(event),
            _ => None,
        };
        let model = label.model.as_deref();
        Self {
            clip: &clip.id,
            label: &label.id,
            kind: label.kind.name(),
            track: label.track,
            driver: label.driver,
            start_frame: label.frames.start,
            end_frame: label.frames.end,
            start_pts_us: clip.frames.pts_us(label.frames.start),
            end_pts_us: clip.frames.pts_us(label.frames.end),
            standing: label.standing.name(),
            flag: match label.value {
                Some(Value::Flag(flag)) => Some(flag),
                _ => None,
            },
            level: match label.value {
                Some(Value::Level(level)) => Some(level),
                _ => None,
            },
            eyes: event.map(|event| eyes_word(event.eyes)),
            peak_frame: event.map(|event| event.peak),
            opening: event.map(|event| event.opening),
            reason: label.reason.map(label_core::AbstainReason::name),
            cause: label.cause.as_deref(),
            confidence: label.confidence,
            model: model.map(|model| model.name.as_str()),
            model_version: model.map(|model| model.version.as_str()),
            model_sha256: model.map(|model| model.sha256.as_str()),
            by: label.by.as_deref(),
            at_us: label.at_us,
            signs: label
                .signs
                .map(|signs| serde_json::to_string(&signs).expect("plain numbers always encode")),
        }
    }
}

pub(crate) const fn eyes_word(eyes: EventEyes) -> &'static str {
    match eyes {
        EventEyes::Both => "both",
        EventEyes::Left => "left",
        EventEyes::Right => "right",
    }
}

/// A keyframe as a row.
#[derive(Serialize)]
pub(crate) struct PositionRow<'a> {
    pub(crate) clip: &'a str,
    pub(crate) label: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) track: Option<u16>,
    pub(crate) frame: u32,
    pub(crate) pts_us: Option<i64>,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: Option<f64>,
    pub(crate) height: Option<f64>,
    pub(crate) confidence: f64,
    pub(crate) standing: &'a str,
}

/// The keyframes of a label as rows.
pub(crate) fn positions<'a>(
    clip: &'a Clip,
    label: &'a Label,
) -> impl Iterator<Item = PositionRow<'a>> {
    let row = move |frame, (x, y), size: Option<(f64, f64)>, confidence| PositionRow {
        clip: &clip.id,
        label: &label.id,
        kind: label.kind.name(),
        track: label.track,
        frame,
        pts_us: clip.frames.pts_us(frame),
        x,
        y,
        width: size.map(|size| size.0),
        height: size.map(|size| size.1),
        confidence,
        standing: label.standing.name(),
    };
    let boxes = label.boxes().iter().map(move |key| {
        let size = Some((key.at.width, key.at.height));
        row(key.frame, (key.at.x, key.at.y), size, key.confidence)
    });
    let points = label.points().iter();
    boxes.chain(points.map(move |key| row(key.frame, (key.at.x, key.at.y), None, key.confidence)))
}

impl Writer for Tables {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        append_rows(clip, to, Kept::AsFiles)
    }

    fn end(&self, _: &mut Target<'_>) -> Result<(), FormatError> {
        Ok(())
    }
}

/// What becomes of the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// They are the export.
    AsFiles,
    /// Something else will be made of them: they have no header.
    AsParts,
}

/// Appends the rows of a clip to `clips.csv`, `labels.csv` and `positions.csv`.
pub(crate) fn append_rows(clip: &Clip, to: &mut Target<'_>, kept: Kept) -> Result<(), FormatError> {
    let frames = &clip.frames;
    let row = ClipRow {
        clip: &clip.id,
        subset: to.subset,
        rig: &clip.rig,
        name: clip.name.as_deref(),
        frames: frames.count,
        closed: clip.closed,
        width: clip.width,
        height: clip.height,
        fps: frames.rate(),
        steady: frames.is_steady(),
        repeats: frames.repeats.len(),
        dropped: frames
            .dropped
            .iter()
            .map(|(_, count)| u64::from(*count))
            .sum(),
        utc_us: clip.utc_us,
        clock: clip.clock.as_deref(),
        codec: clip.codec.as_deref(),
        media_sha256: clip.sha256.as_deref(),
    };
    append(to, (kept, "clips.csv"), std::iter::once(row))?;
    append(
        to,
        (kept, "labels.csv"),
        clip.labels.iter().map(|label| LabelRow::of(clip, label)),
    )?;
    let rows = clip.labels.iter().flat_map(|label| positions(clip, label));
    append(to, (kept, "positions.csv"), rows)
}

fn append<T: Serialize>(
    to: &mut Target<'_>,
    (kept, path): (Kept, &str),
    rows: impl Iterator<Item = T>,
) -> Result<(), FormatError> {
    let is_new = kept == Kept::AsFiles && to.output.is_new(path);
    let mut table = csv::WriterBuilder::new()
        .has_headers(is_new)
        .from_writer(Vec::new());
    for row in rows {
        table
            .serialize(row)
            .expect("rows are flat, and memory takes what it is given");
    }
    let text = table.into_inner().expect("memory takes what it is given");
    if text.is_empty() {
        return Ok(());
    }
    match kept {
        Kept::AsFiles => to.output.append(path, &text),
        Kept::AsParts => to.output.append_part(path, &text),
    }
}
