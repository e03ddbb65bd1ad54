//! A model's raw output, JSON lines or CSV, by a small mapping file (TOML): which field is what, and how places are counted.

use super::coco::text;
use super::gather::{Gathered, Meta, Seen};
use super::guard::{Guard, Text};
use super::{MAX_DEPTH, ReadError, Told, files, names};
use crate::clip::hundredths;
use label_core::kind::LabelScope;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

/// What the fields of a model's output mean. A field of JSON may lie deeper: `pose.left.0`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mapping {
    /// `jsonl` or `csv`.
    pub format: Lines,
    /// Field of the clip: its identity at the desk, or the name of its media. Without it every line is of the clip named like the file.
    pub clip: Option<String>,
    /// Field of the frame, of what is told frame by frame.
    pub frame: Option<String>,
    /// Fields of first and last frame, of what holds for a range.
    pub frames: Option<[String; 2]>,
    /// The number of the first frame.
    #[serde(default)]
    pub first_frame: u32,
    /// Field of the kind, or of a name in `names`.
    pub kind: Option<String>,
    /// The kind of every line.
    pub kind_is: Option<String>,
    /// Field of the person's number; without it everybody is the first.
    pub track: Option<String>,
    /// Fields of a box.
    #[serde(rename = "box")]
    pub box_fields: Option<[String; 4]>,
    /// What the four are.
    #[serde(default)]
    pub box_is: BoxIs,
    /// Fields of a point: x and y.
    pub point: Option<[String; 2]>,
    /// What places are counted in.
    #[serde(default)]
    pub unit: Unit,
    /// Field of a state's value.
    pub value: Option<String>,
    /// Field of the score.
    pub score: Option<String>,
    /// `name@version` of the model.
    pub model: Option<String>,
    /// Names in the output, each with the kind, or `kind=value`, that it stands for.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

/// What lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lines {
    /// An object of JSON each.
    Jsonl,
    /// A row of a table with a header.
    Csv,
}

/// What four numbers of a box are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxIs {
    /// Left, top, width, height.
    #[default]
    CornerSize,
    /// Left, top, right, bottom.
    Corners,
    /// The middle, width, height.
    CentreSize,
}

/// What places are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Pixels of the upright picture.
    #[default]
    Pixels,
    /// Shares of its width and height.
    Share,
    /// Hundredths of these.
    Percent,
}

pub(super) fn read(
    place: &Path,
    mapping: &Mapping,
    to: &mut Gathered<'_>,
) -> Result<(), ReadError> {
    let extension = match mapping.format {
        Lines::Jsonl => "jsonl",
        Lines::Csv => "csv",
    };
    for path in files::some_with_extension(place, extension, "what the mapping describes")? {
        match mapping.format {
            Lines::Csv => super::csv::rows(&path, |row: BTreeMap<String, String>, line| {
                let row = row
                    .into_iter()
                    .map(|(name, word)| (name, Json::String(word)));
                one(&Json::Object(row.collect()), mapping, to, (&path, line))
            })?,
            Lines::Jsonl => {
                let guard = Guard::open(&path, Text::Lines)?;
                for (n, line) in guard.lines().enumerate() {
                    let number = n as u64 + 1;
                    let broken = |trouble: String| ReadError::broken(&path, number, trouble);
                    let line = line.map_err(|error| broken(error.to_string()))?;
                    if line.trim().is_empty() {
                        continue;
                    }
                    let row: Json =
                        serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
                    one(&row, mapping, to, (&path, number))?;
                }
            }
        }
    }
    Ok(())
}

fn field<'j>(row: &'j Json, path: &str) -> Option<&'j Json> {
    if let Some(found) = row.get(path) {
        return Some(found);
    }
    let mut here = row;
    for (depth, name) in path.split('.').enumerate() {
        if depth > MAX_DEPTH as usize {
            return None;
        }
        here = match name.parse::<usize>() {
            Ok(n) if here.is_array() => here.get(n)?,
            _ => here.get(name)?,
        };
    }
    Some(here)
}

fn one(
    row: &Json,
    mapping: &Mapping,
    to: &mut Gathered<'_>,
    (path, line): (&Path, u64),
) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(path, line, trouble);
    let at = (path, Some(line));
    let word = |name: &str| {
        field(row, name)
            .filter(|value| !value.is_null())
            .map(text)
            .filter(|word| !word.is_empty())
    };
    let needed = |name: &str| {
        word(name).ok_or_else(|| broken(format!("the field {name:?} of the mapping is missing")))
    };
    let number = |name: &str| -> Result<f64, ReadError> {
        let word = needed(name)?;
        word.trim()
            .parse()
            .map_err(|_| broken(format!("{name} is {word:?}, no number")))
    };
    let frame = |name: &str| -> Result<FrameIndex, ReadError> {
        let told = number(name)?;
        let frame = told - f64::from(mapping.first_frame);
        if frame >= 0.0 && frame.fract() == 0.0 && frame < f64::from(u32::MAX) {
            Ok(frame as FrameIndex)
        } else {
            Err(broken(format!(
                "{name} is {told}, no frame counted from {}",
                mapping.first_frame
            )))
        }
    };
    let clip = match &mapping.clip {
        Some(name) => needed(name)?,
        None => path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    };
    let told = Told {
        name: clip.rsplit('/').next().map(str::to_owned),
        id: clip,
        ..Told::default()
    };
    let clip = to.clip(&told, at)?;
    let name = match (&mapping.kind_is, &mapping.kind) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) => needed(name)?,
        (None, None) => {
            return Err(broken(
                "the mapping says neither kind nor kind-is".to_owned(),
            ));
        }
    };
    let Some(meaning) = names::meaning(&name, &mapping.names) else {
        to.dropped.note(
            format!("{name:?} is no kind of label here: say in [names] what it stands for"),
            path,
            Some(line),
        );
        return Ok(());
    };
    let kind = meaning.kind;
    let track: Option<TrackId> = match &mapping.track {
        _ if kind.scope() == LabelScope::Scene => None,
        Some(name) => {
            let told = number(name)?;
            if !(0.0..65_535.0).contains(&told) || told.fract() != 0.0 {
                return Err(broken(format!(
                    "{name} is {told}, no number of a person (0 to 65534)"
                )));
            }
            // Many count people from 0.
            Some(told as TrackId + 1)
        }
        None => Some(1),
    };
    let score = mapping.score.as_deref().map(&number).transpose()?;
    let meta = Meta {
        confidence: score,
        model: mapping.model.clone(),
        ..Meta::default()
    };
    if crate::moments::has_place(kind) {
        let frame = frame(mapping.frame.as_deref().ok_or_else(|| {
            broken(format!(
                "{kind} has a place a frame, and the mapping names no field of the frame"
            ))
        })?)?;
        let seen = place(kind, mapping, &clip, to, &number).map_err(|error| {
            error.unwrap_or_else(|| {
                broken(format!(
                    "{kind} has a place, and the mapping names no fields of it"
                ))
            })
        })?;
        return to.seen(&clip, (frame, kind, track), (seen, || meta), ("", at));
    }
    let frames = match (&mapping.frames, &mapping.frame) {
        (Some([first, last]), _) => FrameRange {
            start: frame(first)?,
            end: frame(last)?,
        },
        (None, Some(name)) => {
            let frame = frame(name)?;
            FrameRange::new(frame, frame)
        }
        (None, None) => {
            return Err(broken(
                "the mapping says neither frame nor frames".to_owned(),
            ));
        }
    };
    let says = mapping.value.as_deref().and_then(word).or(meaning.word);
    if names::is_absent(kind, says.as_deref()) {
        return Ok(());
    }
    let value = names::value(kind, says.as_deref(), frames, (None, None, None)).map_err(broken)?;
    if mapping.frames.is_none() {
        let frame = frames.start;
        return to.seen(
            &clip,
            (frame, kind, track),
            (Seen::Says(value), || meta),
            ("", at),
        );
    }
    to.label(&clip, (kind, track, frames), (Some(value), meta), at)
}

type Number<'n> = dyn Fn(&str) -> Result<f64, ReadError> + 'n;

fn place(
    kind: LabelKind,
    mapping: &Mapping,
    clip: &str,
    to: &Gathered<'_>,
    number: &Number<'_>,
) -> Result<Seen, Option<ReadError>> {
    let known = to.known(clip);
    let (width, height) = match mapping.unit {
        Unit::Pixels => (1.0, 1.0),
        Unit::Share => (f64::from(known.width), f64::from(known.height)),
        Unit::Percent => (
            f64::from(known.width) / 100.0,
            f64::from(known.height) / 100.0,
        ),
    };
    match (kind, &mapping.box_fields, &mapping.point) {
        (LabelKind::BboxPerson, Some([a, b, c, d]), _) => {
            let [a, b, c, d] = [
                number(a)? * width,
                number(b)? * height,
                number(c)? * width,
                number(d)? * height,
            ];
            let place = match mapping.box_is {
                BoxIs::CornerSize => [a, b, c, d],
                BoxIs::Corners => [a, b, c - a, d - b],
                BoxIs::CentreSize => [a - c / 2.0, b - d / 2.0, c, d],
            };
            Ok(Seen::Box(place.map(hundredths)))
        }
        (LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye, _, Some([x, y])) => Ok(
            Seen::Point([number(x)? * width, number(y)? * height].map(hundredths)),
        ),
        _ => Err(None),
    }
}
