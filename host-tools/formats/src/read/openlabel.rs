//! ASAM `OpenLABEL` 1.0.0: a JSON file a clip. Frames from 0, intervals closed; **a `bbox` is its centre, width and height**.

use super::gather::{Gathered, Meta, Seen};
use super::{ReadError, Told, files, json, names};
use crate::clip::{Standing, hundredths};
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type", default)]
    of: String,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "type", default)]
    of: String,
    #[serde(default)]
    frame_intervals: Vec<Interval>,
    #[serde(rename = "action_data", default)]
    data: Attributes,
}

#[derive(Clone, Copy, Deserialize)]
struct Interval {
    frame_start: u32,
    frame_end: u32,
}

#[derive(Default, Deserialize)]
struct Attributes {
    #[serde(default)]
    num: Vec<Number>,
    #[serde(default)]
    text: Vec<Word>,
}

#[derive(Deserialize)]
struct Number {
    name: String,
    val: f64,
}

#[derive(Deserialize)]
struct Word {
    name: String,
    val: String,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    objects: BTreeMap<String, ObjectHere>,
}

#[derive(Deserialize)]
struct ObjectHere {
    #[serde(default)]
    object_data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    bbox: Vec<Datum>,
    #[serde(default)]
    point2d: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    name: String,
    val: Vec<f64>,
    #[serde(default)]
    attributes: Attributes,
}

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    for path in files::some_with_extension(place, "json", "OpenLABEL")? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if place.is_dir() && matches!(name.as_str(), "manifest.json" | "loss.json") {
            continue;
        }
        one_file(&path, to)?;
    }
    Ok(())
}

fn told(path: &Path) -> Result<Told, ReadError> {
    let mut told = Told::default();
    let mut is_one = false;
    json::each(path, &["openlabel", "metadata"], |name, value: Json, _| {
        is_one = true;
        if name == Some("name") {
            told.id = super::coco::text(&value);
        }
        Ok(())
    })?;
    if !is_one {
        return Err(ReadError::broken(
            path,
            None,
            "this is no OpenLABEL: openlabel.metadata is missing",
        ));
    }
    if told.id.is_empty() {
        let stem = path.file_stem().unwrap_or_default();
        told.id = stem.to_string_lossy().into_owned();
    }
    json::each(path, &["openlabel", "streams"], |_, stream: Json, _| {
        told.name = stream["uri"]
            .as_str()
            .map(|uri| uri.rsplit('/').next().unwrap_or(uri).to_owned());
        // As an export of ours writes it: `640 x 480 pixels, 30.000000 frames a second`.
        let words: Vec<&str> = stream["description"]
            .as_str()
            .unwrap_or_default()
            .split([' ', ','])
            .collect();
        if let [
            width,
            "x",
            height,
            "pixels",
            "",
            rate,
            "frames",
            "a",
            "second",
        ] = words[..]
        {
            told.size = width.parse().ok().zip(height.parse().ok());
            told.fps = rate.parse().ok();
        }
        Ok(())
    })?;
    json::each(
        path,
        &["openlabel", "frame_intervals"],
        |_, interval: Interval, _| {
            told.frames = told.frames.max(Some(interval.frame_end.saturating_add(1)));
            Ok(())
        },
    )?;
    Ok(told)
}

fn one_file(path: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let told = told(path)?;
    let clip = to.only_clip(&told, (path, None))?;
    let mut people: HashMap<String, (TrackId, bool)> = HashMap::new();
    let (mut taken, mut lowest): (HashSet<TrackId>, TrackId) = (HashSet::new(), 1);
    json::each(
        path,
        &["openlabel", "objects"],
        |id, object: Object, line| {
            let id = id.unwrap_or_default().to_owned();
            let is_person = names::meaning(&object.of, &to.reading.names)
                .is_some_and(|one| one.kind == LabelKind::BboxPerson);
            if !is_person {
                to.dropped.note(
                    format!("objects of the type {:?}", object.of),
                    path,
                    Some(line),
                );
                return Ok(());
            }
            // Numbers of ours begin with 1; of others 0 is somebody too.
            let is_free = |number: &TrackId| !taken.contains(number);
            let number = id
                .parse()
                .ok()
                .filter(|number| *number > 0 && is_free(number));
            let number = number.or_else(|| {
                lowest = (lowest..=TrackId::MAX).find(is_free)?;
                Some(lowest)
            });
            let number = number.ok_or_else(|| {
                ReadError::broken(path, line, format!("more than {} people", TrackId::MAX))
            })?;
            taken.insert(number);
            if people
                .insert(id.clone(), (number, object.of == "driver"))
                .is_some()
            {
                return Err(ReadError::broken(
                    path,
                    line,
                    format!("object {id} is there twice"),
                ));
            }
            Ok(())
        },
    )?;
    let mut seen = HashSet::new();
    json::each(
        path,
        &["openlabel", "frames"],
        |number, frame: Frame, line| {
            let broken = |trouble: String| ReadError::broken(path, line, trouble);
            let number = number.unwrap_or_default();
            let number: FrameIndex = number
                .parse()
                .map_err(|_| broken(format!("{number:?} is no number of a frame")))?;
            if !seen.insert(number) {
                return Err(broken(format!("frame {number} is there twice")));
            }
            for (id, object) in &frame.objects {
                let Some((track, driver)) = people.get(id) else {
                    continue;
                };
                of_person(
                    &clip,
                    (number, *track, *driver),
                    &object.object_data,
                    to,
                    (path, line),
                )?;
            }
            Ok(())
        },
    )?;
    json::each(
        path,
        &["openlabel", "actions"],
        |_, action: Action, line| one_action(&clip, &action, to, (path, line)),
    )
}

fn of_person(
    clip: &str,
    (frame, track, driver): (FrameIndex, TrackId, bool),
    data: &Data,
    to: &mut Gathered<'_>,
    (path, line): (&Path, u64),
) -> Result<(), ReadError> {
    for (datum, is_box) in data
        .bbox
        .iter()
        .map(|one| (one, true))
        .chain(data.point2d.iter().map(|one| (one, false)))
    {
        let meaning = names::meaning(&datum.name, &to.reading.names).map(|meaning| meaning.kind);
        let (kind, seen) = match (meaning, &datum.val[..]) {
            (Some(LabelKind::BboxPerson), [cx, cy, width, height]) if is_box => (
                LabelKind::BboxPerson,
                Seen::Box([
                    hundredths(cx - width / 2.0),
                    hundredths(cy - height / 2.0),
                    *width,
                    *height,
                ]),
            ),
            (Some(kind @ (LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye)), [x, y])
                if !is_box =>
            {
                (kind, Seen::Point([*x, *y]))
            }
            _ => {
                to.dropped
                    .note(format!("object data {:?}", datum.name), path, Some(line));
                continue;
            }
        };
        let meta = meta(&datum.attributes, path, line)?;
        let meta = Meta { driver, ..meta };
        let id = meta.id.clone().unwrap_or_default();
        to.seen(
            clip,
            (frame, kind, Some(track)),
            (seen, || meta),
            (&id, (path, Some(line))),
        )?;
    }
    Ok(())
}

impl Attributes {
    fn word(&self, name: &str) -> Option<&str> {
        let found = self.text.iter().find(|word| word.name == name)?;
        Some(&found.val)
    }

    fn number(&self, name: &str) -> Option<f64> {
        let found = self.num.iter().find(|number| number.name == name)?;
        Some(found.val)
    }
}

fn meta(attributes: &Attributes, path: &Path, line: u64) -> Result<Meta, ReadError> {
    let broken = |trouble: String| ReadError::broken(path, line, trouble);
    let word = |name: &str| attributes.word(name).map(str::to_owned);
    Ok(Meta {
        id: word("label"),
        standing: attributes.word("standing").and_then(names::standing),
        confidence: attributes.number("confidence"),
        model: word("model"),
        by: word("by"),
        cause: word("cause"),
        reason: super::csv::reason(attributes.word("reason"), &broken)?,
        ..Meta::default()
    })
}

fn one_action(
    clip: &str,
    action: &Action,
    to: &mut Gathered<'_>,
    (path, line): (&Path, u64),
) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(path, line, trouble);
    let data = &action.data;
    let Some(meaning) = names::meaning(&action.of, &to.reading.names) else {
        to.dropped.note(
            format!("actions of the type {:?}", action.of),
            path,
            Some(line),
        );
        return Ok(());
    };
    let mut meta = meta(data, path, line)?;
    meta.standing = meaning.standing.or(meta.standing);
    let number = |name: &str| -> Result<Option<u32>, ReadError> {
        let number = data.number(name);
        number
            .map(|number| {
                let whole = number.fract() == 0.0 && (0.0..=4e9).contains(&number);
                if whole {
                    Ok(number as u32)
                } else {
                    Err(broken(format!("{name} is {number}")))
                }
            })
            .transpose()
    };
    let track = number("track")?;
    let track = track
        .map(|track| {
            TrackId::try_from(track)
                .map_err(|_| broken(format!("track {track} is no number of a person")))
        })
        .transpose()?;
    let track = track.or_else(|| meta.id.is_none().then_some(1));
    let kind = meaning.kind;
    if crate::moments::has_place(kind)
        && !matches!(
            meta.standing,
            Some(Standing::Abstained | Standing::Rejected)
        )
    {
        to.dropped.note(
            format!("{kind} as an action: it has no place"),
            path,
            Some(line),
        );
        return Ok(());
    }
    for interval in &action.frame_intervals {
        let frames = FrameRange {
            start: interval.frame_start,
            end: interval.frame_end,
        };
        let value = if meta.standing == Some(Standing::Abstained) {
            None
        } else if crate::moments::has_place(kind) {
            Some(names::nowhere(kind))
        } else {
            let event = (
                data.word("eyes").and_then(names::eyes),
                number("peak")?,
                data.number("opening"),
            );
            Some(names::value(kind, meaning.word.as_deref(), frames, event).map_err(broken)?)
        };
        to.label(
            clip,
            (kind, track, frames),
            (value, meta.clone()),
            (path, Some(line)),
        )?;
    }
    Ok(())
}
