//! ASAM `OpenLABEL` 1.0.0: a file a clip, `<clip>.json`.
//!
//! Frames are 0-based, intervals closed, as ours. **A `bbox` is its centre, width and height**, in pixels. Every frame in which something is told
//! carries it: readers of `OpenLABEL` do not interpolate. Types take the names of the Driver Monitoring Dataset's ontology where it has one
//! (`driver`, `blinks/blinking`); `passenger`, `eyes_closed_long`, `light_change`, `video_quality` and the states are ours.
//!
//! A person is an object, an event an action, a state of a person or the scene an action of type `<kind>/<value>`; what was rejected is an action of type
//! `rejected/<kind>`, silence one of type `abstained/<kind>`. Provenance is in the action's data, and of boxes and points in their attributes. Whether a
//! person wrote or a machine, DMD's `annotated` does not tell apart; `standing` does.

use crate::clip::{Clip, Label, Standing, hundredths};
use crate::cvat::{of_standing, place};
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::{Density, Moment, has_place, moments};
use crate::pieces::{Piece, pieces};
use crate::table::eyes_word;
use label_core::{FrameRange, LabelKind, TrackId};
use quality::DeskKind;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

pub(crate) struct OpenLabel;

const STREAM: &str = "camera";

impl Writer for OpenLabel {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        let rejected = clip
            .labels
            .iter()
            .filter(|label| label.standing == Standing::Rejected && has_place(label.kind));
        to.lose(
            "places of rejected boxes and eyes: only their frames are kept",
            rejected.count() as u64,
        );
        let signs = clip
            .labels
            .iter()
            .filter(|label| label.signs.is_some())
            .count();
        to.lose(
            "what a level of alertness rests on (signs): left out",
            signs as u64,
        );
        let held = pieces(clip);
        let mut actions = Map::new();
        for ((_, kind), pieces) in held.iter().filter(|((_, kind), _)| !has_place(*kind)) {
            for piece in pieces {
                let number = actions.len();
                actions.insert(
                    number.to_string(),
                    action(piece, &action_type(piece.label), *kind),
                );
            }
        }
        for standing in [Standing::Rejected, Standing::Abstained] {
            for ((_, kind), pieces) in &of_standing(clip, standing) {
                for piece in pieces {
                    let number = actions.len();
                    let of_type = format!("{}/{kind}", standing.name());
                    actions.insert(number.to_string(), action(piece, &of_type, *kind));
                }
            }
        }
        let mut objects = objects(clip, &held);
        objects.retain(|_, object| object["frame_intervals"] != json!([]));
        let whole = FrameRange::new(0, clip.frames.count.saturating_sub(1));
        let uri = match clip.beside.film() {
            Some(film) => format!("../{film}"),
            None => clip.name.clone().unwrap_or_else(|| clip.stem.clone()),
        };
        let mut openlabel = json!({
            "metadata": {
                "schema_version": "1.0.0",
                "name": clip.id,
                "annotator": "Rigel",
                "comment": "standing: machine (unreviewed), confirmed, corrected or created by a person, rejected, abstained",
            },
            "ontologies": {"0": "https://dmd.vicomtech.org"},
            "coordinate_systems": {STREAM: {"type": "sensor_cs", "parent": "", "children": []}},
            "streams": {STREAM: {
                "type": "camera",
                "uri": uri,
                "description": format!("{} x {} pixels, {:.6} frames a second", clip.width, clip.height, clip.frames.rate()),
            }},
        });
        if clip.frames.count > 0 {
            openlabel["frame_intervals"] = json!([interval(whole)]);
        }
        for (name, map) in [("objects", objects), ("actions", actions)] {
            if !map.is_empty() {
                openlabel[name] = Json::Object(map);
            }
        }
        let head = openlabel.to_string();
        to.output.streamed(&place(to.subset, clip, "json"), |file| {
            // Without the brace that ends it: frames follow, one by one, since half an hour of them would be a gigabyte of memory.
            write!(file, "{{\"openlabel\":{}", &head[..head.len() - 1])?;
            let mut opening = ",\"frames\":{";
            moments(clip, Density::EveryFrame, |moment| -> std::io::Result<()> {
                write!(file, "{opening}\"{}\":", moment.frame)?;
                opening = ",";
                serde_json::to_writer(&mut *file, &frame(clip, moment))
                    .map_err(std::io::Error::from)
            })?;
            file.write_all(if opening == "," { b"}}}" } else { b"}}" })
        })
    }

    fn end(&self, _: &mut Target<'_>) -> Result<(), FormatError> {
        Ok(())
    }
}

fn interval(frames: FrameRange) -> Json {
    json!({"frame_start": frames.start, "frame_end": frames.end})
}

/// DMD's name where it has one.
fn action_type(label: &Label) -> String {
    let name = label.kind.name();
    match (label.kind.offered(), label.state_word()) {
        (Some(LabelKind::Blink), _) => "blinks/blinking".to_owned(),
        (Some(LabelKind::LongClosure), _) => "eyes_closed_long".to_owned(),
        (_, Some(word)) => format!("{}/{word}", name.replace('-', "_")),
        (_, None) => name.replace('-', "_"),
    }
}

fn action(piece: &Piece<'_>, of_type: &str, kind: DeskKind) -> Json {
    let label = piece.label;
    let (mut num, mut text) = (Vec::new(), Vec::new());
    provenance(label, &mut num, &mut text);
    text.push(json!({"name": "kind", "val": kind.name()}));
    if let Some(track) = label.track {
        num.push(json!({"name": "track", "val": track}));
    }
    if let Some(crate::Value::Event(event)) = label.value {
        num.push(json!({"name": "peak", "val": event.peak}));
        num.push(json!({"name": "opening", "val": event.opening}));
        text.push(json!({"name": "eyes", "val": eyes_word(event.eyes)}));
    }
    let name = match label.track {
        Some(track) => format!("{kind} {track}"),
        None => kind.name().to_owned(),
    };
    json!({
        "name": name,
        "type": of_type,
        "ontology_uid": "0",
        "frame_intervals": [interval(piece.frames)],
        "action_data": {"num": num, "text": text},
    })
}

fn provenance(label: &Label, num: &mut Vec<Json>, text: &mut Vec<Json>) {
    if let Some(confidence) = label.confidence {
        num.push(json!({"name": "confidence", "val": confidence}));
    }
    let words = [
        ("standing", Some(label.standing.name().to_owned())),
        ("label", Some(label.id.clone())),
        ("model", label.model.as_ref().map(|model| model.word())),
        ("by", label.by.clone()),
        ("cause", label.cause.clone()),
        (
            "reason",
            label.reason.map(|reason| reason.name().to_owned()),
        ),
    ];
    for (name, word) in words {
        text.extend(word.map(|word| json!({"name": name, "val": word})));
    }
}

/// A person a track, with what is pointed at in the frames.
fn objects(
    clip: &Clip,
    held: &BTreeMap<(Option<TrackId>, DeskKind), Vec<Piece<'_>>>,
) -> Map<String, Json> {
    let mut objects = Map::new();
    for ((track, kind), pieces) in held {
        let Some(track) = track.filter(|_| has_place(*kind)) else {
            continue;
        };
        let is_driver = clip
            .labels
            .iter()
            .any(|label| label.track == Some(track) && label.driver);
        let of_type = if is_driver { "driver" } else { "passenger" };
        let object = objects.entry(track.to_string()).or_insert_with(|| {
            json!({
                "name": format!("person {track}"),
                "type": of_type,
                "ontology_uid": "0",
                "coordinate_system": STREAM,
                "frame_intervals": [],
                "object_data_pointers": {},
            })
        });
        let intervals: Vec<Json> = pieces.iter().map(|piece| interval(piece.frames)).collect();
        let (name, shape) = data_name(*kind);
        object["object_data_pointers"][name] = json!({"type": shape, "frame_intervals": intervals});
        let mut ranges: Vec<FrameRange> = object["frame_intervals"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| FrameRange::new(number(one, "frame_start"), number(one, "frame_end")))
            .chain(pieces.iter().map(|piece| piece.frames))
            .collect();
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        let mut joined: Vec<FrameRange> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(1) => {
                    last.end = last.end.max(range.end);
                }
                _ => joined.push(range),
            }
        }
        object["frame_intervals"] = joined.into_iter().map(interval).collect();
    }
    objects
}

fn number(interval: &Json, name: &str) -> u32 {
    interval[name].as_u64().unwrap_or(0) as u32
}

const fn data_name(kind: DeskKind) -> (&'static str, &'static str) {
    match kind.offered() {
        Some(LabelKind::KeypointLeftEye) => ("left_eye", "point2d"),
        Some(LabelKind::KeypointRightEye) => ("right_eye", "point2d"),
        _ => ("person", "bbox"),
    }
}

fn frame(clip: &Clip, moment: &Moment<'_>) -> Json {
    let mut objects = Map::new();
    for (track, person) in &moment.people {
        let mut data = Map::new();
        if let Some((label, at)) = person.bbox {
            let centre = [
                hundredths_of_half(at.x, at.width),
                hundredths_of_half(at.y, at.height),
                at.width,
                at.height,
            ];
            data.insert("bbox".into(), json!([datum("person", &centre, label)]));
        }
        let eyes = [("left_eye", person.left), ("right_eye", person.right)];
        let points: Vec<Json> = eyes
            .into_iter()
            .filter_map(|(name, eye)| {
                let (label, at) = eye?;
                Some(datum(name, &[at.x, at.y], label))
            })
            .collect();
        if !points.is_empty() {
            data.insert("point2d".into(), json!(points));
        }
        if !data.is_empty() {
            objects.insert(track.to_string(), json!({"object_data": data}));
        }
    }
    let mut properties = Map::new();
    if let Some(pts_us) = clip.frames.pts_us(moment.frame) {
        // Seconds on the clip's own time line.
        properties.insert(
            "timestamp".into(),
            json!(format!("{:.6}", pts_us as f64 / 1e6)),
        );
    }
    json!({"frame_properties": properties, "objects": objects})
}

/// The middle of a side, to the two hundredths of a pixel that halving needs.
fn hundredths_of_half(from: f64, length: f64) -> f64 {
    hundredths((from + length / 2.0) * 10.0) / 10.0
}

fn datum(name: &str, val: &[f64], label: &Label) -> Json {
    let (mut num, mut text) = (Vec::new(), Vec::new());
    provenance(label, &mut num, &mut text);
    json!({"name": name, "val": val, "attributes": {"num": num, "text": text}})
}
