//! Tables as an export writes them, of CSV and of Parquet: `labels` is enough for what has no place, `clips` tells of clips that the desk does
//! not have.

use super::gather::{Gathered, Meta};
use super::guard::{Guard, Text};
use super::{ReadError, Told, names, parquet};
use crate::clip::{BoxAt, Key, PointAt, Standing, Value};
use crate::moments::has_place;
use label_core::{AbstainReason, FrameRange, LabelKind, TrackId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
struct ClipRow {
    clip: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    frames: Option<u32>,
    #[serde(default)]
    width: Option<u32>,
    #[serde(default)]
    height: Option<u32>,
    #[serde(default)]
    fps: Option<f64>,
}

#[derive(Deserialize)]
struct LabelRow {
    clip: String,
    #[serde(default)]
    label: Option<String>,
    kind: String,
    #[serde(default)]
    track: Option<TrackId>,
    #[serde(default)]
    driver: Option<bool>,
    start_frame: u32,
    end_frame: u32,
    #[serde(default)]
    standing: Option<String>,
    #[serde(default)]
    flag: Option<String>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    eyes: Option<String>,
    #[serde(default)]
    peak_frame: Option<u32>,
    #[serde(default)]
    opening: Option<f64>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    cause: Option<String>,
    #[serde(default)]
    confidence: Option<f64>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    model_version: Option<String>,
    #[serde(default)]
    model_sha256: Option<String>,
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    at_us: Option<i64>,
    #[serde(default)]
    signs: Option<String>,
}

#[derive(Deserialize)]
struct PositionRow {
    clip: String,
    label: String,
    frame: u32,
    x: f64,
    y: f64,
    #[serde(default)]
    width: Option<f64>,
    #[serde(default)]
    height: Option<f64>,
    #[serde(default)]
    confidence: Option<f64>,
}

/// Frame, place, confidence.
type Place = (u32, [f64; 4], Option<f64>);

/// How the tables are written.
#[derive(Clone, Copy)]
pub(super) enum Tables {
    Csv,
    Parquet,
}

impl Tables {
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Calls with each row of this table and its line or number.
    fn rows<T: DeserializeOwned>(
        self,
        path: &Path,
        table: &str,
        take: impl FnMut(T, u64) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        match self {
            Self::Csv => rows(path, take),
            Self::Parquet => parquet::rows(path, table, take),
        }
    }
}

pub(super) fn read(place: &Path, tables: Tables, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let ending = tables.ending();
    let folder = if place.is_dir() {
        place
    } else {
        place.parent().unwrap_or(Path::new("."))
    };
    let clips = folder.join(format!("clips.{ending}"));
    if clips.is_file() {
        tables.rows(&clips, "clips", |row: ClipRow, line| {
            let told = Told {
                id: row.clip,
                name: row.name,
                size: row.width.zip(row.height),
                fps: row.fps,
                frames: row.frames,
            };
            to.only_clip(&told, (&clips, Some(line))).map(|_| ())
        })?;
    }
    let mut places: HashMap<(String, String), Vec<Place>> = HashMap::new();
    let positions = folder.join(format!("positions.{ending}"));
    if positions.is_file() {
        let mut count = 0;
        tables.rows(&positions, "positions", |row: PositionRow, line| {
            count += 1;
            if count > super::MAX_PLACES {
                let trouble = format!("more than {} places: divide the set", super::MAX_PLACES);
                return Err(ReadError::broken(&positions, line, trouble));
            }
            let size = [row.width.unwrap_or(0.0), row.height.unwrap_or(0.0)];
            let at = [row.x, row.y, size[0], size[1]];
            let of = places.entry((row.clip, row.label)).or_default();
            if of.last().is_some_and(|(last, ..)| *last >= row.frame) {
                let trouble = format!(
                    "frame {} comes twice or after a later one of its label",
                    row.frame
                );
                return Err(ReadError::broken(&positions, line, trouble));
            }
            of.push((row.frame, at, row.confidence));
            Ok(())
        })?;
    }
    let labels = folder.join(format!("labels.{ending}"));
    let mut seen = std::collections::HashSet::new();
    tables.rows(&labels, "labels", |row: LabelRow, line| {
        let at = (labels.as_path(), Some(line));
        let broken = |trouble: String| ReadError::broken(&labels, line, trouble);
        let told = Told {
            id: row.clip.clone(),
            ..Told::default()
        };
        let clip = to.clip(&told, at)?;
        if let Some(label) = &row.label
            && !seen.insert((clip.clone(), label.clone()))
        {
            return Err(broken(format!("label {label} of this clip is there twice")));
        }
        let Some(meaning) = names::meaning(&row.kind, &to.reading.names) else {
            to.dropped.note(
                format!("{:?} is no kind of label here", row.kind),
                &labels,
                Some(line),
            );
            return Ok(());
        };
        let kind = meaning.kind;
        let frames = FrameRange {
            start: row.start_frame,
            end: row.end_frame,
        };
        let standing = match row.standing.as_deref() {
            None => meaning.standing,
            Some(word) => {
                let standing = names::standing(word);
                Some(
                    standing
                        .ok_or_else(|| broken(format!("{word:?} is no standing of a label")))?,
                )
            }
        };
        let reason = reason(row.reason.as_deref(), &broken)?;
        let value = if standing == Some(Standing::Abstained) {
            None
        } else if has_place(kind) {
            let key = (row.clip.clone(), row.label.clone().unwrap_or_default());
            let keys = places.remove(&key).unwrap_or_default();
            if keys.is_empty() {
                return Err(broken(format!("{kind} has no row in positions.{ending}")));
            }
            Some(track(kind, &keys, frames, &broken)?)
        } else {
            let word = row
                .flag
                .as_deref()
                .or(row.level.as_deref())
                .or(meaning.word.as_deref());
            let eyes = row.eyes.as_deref().and_then(names::eyes);
            let event = (eyes, row.peak_frame, row.opening);
            Some(names::value(kind, word, frames, event).map_err(&broken)?)
        };
        let model = row.model.map(|name| {
            let version = row.model_version.unwrap_or_default();
            format!("{name}@{version}+{}", row.model_sha256.unwrap_or_default())
        });
        let signs = row
            .signs
            .map(|text| {
                serde_json::from_str(&text).map_err(|error| broken(format!("signs: {error}")))
            })
            .transpose()?;
        let meta = Meta {
            id: row.label,
            standing,
            driver: row.driver.unwrap_or(false),
            confidence: row.confidence,
            model,
            by: row.by,
            at_us: row.at_us,
            cause: row.cause,
            reason,
            signs,
        };
        to.label(&clip, (kind, row.track, frames), (value, meta), at)
    })?;
    if let Some((clip, label)) = places.keys().min() {
        return Err(ReadError::broken(
            &positions,
            None,
            format!("places of label {label} of clip {clip}, which labels.{ending} does not have"),
        ));
    }
    Ok(())
}

/// The reason of this name.
pub(super) fn reason(
    word: Option<&str>,
    broken: &dyn Fn(String) -> ReadError,
) -> Result<Option<AbstainReason>, ReadError> {
    let Some(word) = word.filter(|word| !word.is_empty()) else {
        return Ok(None);
    };
    let found = serde_json::from_value(serde_json::Value::String(word.to_owned()));
    let found = found.map_err(|_| broken(format!("{word:?} is no reason for silence")))?;
    Ok(Some(found))
}

fn track(
    kind: LabelKind,
    keys: &[Place],
    frames: FrameRange,
    broken: &dyn Fn(String) -> ReadError,
) -> Result<Value, ReadError> {
    if let Some((frame, ..)) = keys.iter().find(|(frame, ..)| !frames.contains(*frame)) {
        return Err(broken(format!(
            "a place in frame {frame} lies outside the label"
        )));
    }
    let confidence = |told: Option<f64>| -> Result<f64, ReadError> {
        let told = told.unwrap_or(super::gather::UNTOLD);
        if (0.0..=1.0).contains(&told) {
            Ok(told)
        } else {
            Err(broken(format!("a confidence is 0 to 1, not {told}")))
        }
    };
    Ok(if kind == LabelKind::BboxPerson {
        let keys = keys.iter().map(|(frame, [x, y, width, height], told)| {
            Ok(Key {
                frame: *frame,
                at: BoxAt {
                    x: *x,
                    y: *y,
                    width: *width,
                    height: *height,
                },
                confidence: confidence(*told)?,
            })
        });
        Value::Boxes(keys.collect::<Result<_, ReadError>>()?)
    } else {
        let keys = keys.iter().map(|(frame, [x, y, ..], told)| {
            Ok(Key {
                frame: *frame,
                at: PointAt { x: *x, y: *y },
                confidence: confidence(*told)?,
            })
        });
        Value::Points(keys.collect::<Result<_, ReadError>>()?)
    })
}

/// Calls with each row and its line.
pub(super) fn rows<T: DeserializeOwned>(
    path: &Path,
    mut take: impl FnMut(T, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let guard = Guard::open(path, Text::Table)?;
    let mut table = ::csv::Reader::from_reader(guard);
    let broken = |error: &::csv::Error| {
        let line = error.position().map(::csv::Position::line);
        let words = match error.kind() {
            ::csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
            ::csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => {
                format!("{len} fields, where the header has {expected_len}")
            }
            _ => error.to_string(),
        };
        ReadError::broken(path, line, words)
    };
    let header = table.headers().map_err(|error| broken(&error))?.clone();
    let mut row = ::csv::StringRecord::new();
    while table
        .read_record(&mut row)
        .map_err(|error| broken(&error))?
    {
        let line = row.position().map_or(0, ::csv::Position::line);
        let read = row.deserialize(Some(&header)).map_err(|error| {
            let words = match error.kind() {
                ::csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
                _ => error.to_string(),
            };
            ReadError::broken(path, line, words)
        })?;
        take(read, line)?;
    }
    Ok(())
}
