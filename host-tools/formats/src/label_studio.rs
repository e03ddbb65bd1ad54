//! Label Studio: `tasks_<subset>.json` with a task a clip, and `config.xml`, the labelling interface that they fit.
//!
//! Frames are 1-based and ranges inclusive: our frame n is theirs n + 1. Boxes are percent of the picture's width and height, from the top left.
//! Each region of a track is enabled from its first keyframe on; `enabled: false` ends it, in its last frame. A point is a square of 16 pixels around it (8
//! pixels is what a point may be off), since the video interface knows rectangles alone: its centre is the point. States are ranges on the
//! time line, one label a value (`wearing-glasses=true`).
//!
//! What waits for review goes into one prediction (of several only one is shown), what persons stand behind into one annotation. Rejected and
//! abstained ranges are labels of their own on the time line, in the annotation and in the prediction. Provenance is in each region's `meta`.
//! Label Studio computes times from a constant rate, so clips whose frames come unevenly are shifted there; the loss report counts them.

use crate::clip::{BoxAt, Clip, Key, Label, PointAt, Standing};
use crate::cvat::{lose_beside_labels, of_standing};
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::has_place;
use crate::output::Array;
use crate::pieces::{Piece, pieces};
use crate::xml::escaped;
use label_core::LabelKind;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

pub(crate) struct LabelStudio;

/// What the tally knows of names of labels by.
const BOX: &str = "label studio box ";
const EVENT: &str = "label studio event ";

/// Half of the square that stands for a point, in pixels.
const AROUND: f64 = 8.0;

impl Writer for LabelStudio {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        lose_beside_labels(clip, to);
        if !clip.frames.is_steady() {
            to.lose("clips whose frames come unevenly: Label Studio shows their labels beside the right moment", 1);
        }
        let mut of_persons = Vec::new();
        let mut of_machines = Vec::new();
        for ((_, kind), pieces) in &pieces(clip) {
            for piece in pieces {
                let name = match piece.label.state_word() {
                    Some(word) => format!("{kind}={word}"),
                    None => kind.name().to_owned(),
                };
                let region = region(clip, piece, &name, to);
                if piece.label.standing.is_reviewed() {
                    of_persons.push(region);
                } else {
                    of_machines.push(region);
                }
            }
        }
        for (standing, list) in [
            (Standing::Rejected, &mut of_persons),
            (Standing::Abstained, &mut of_machines),
        ] {
            for ((_, kind), pieces) in &of_standing(clip, standing) {
                for piece in pieces {
                    let name = format!("{}:{kind}", standing.name());
                    list.push(timeline(piece, &name, to));
                }
            }
            if standing == Standing::Rejected {
                let places = clip
                    .labels
                    .iter()
                    .filter(|label| label.standing == standing && has_place(label.kind));
                to.lose(
                    "places of rejected boxes and eyes: only their frames are kept",
                    places.count() as u64,
                );
            }
        }
        let mut task = json!({
            "data": {
                "video": clip.media().unwrap_or(&clip.stem),
                "fps": clip.frames.rate(),
                "clip": clip.id,
                "frames": clip.frames.count,
            }
        });
        if !of_persons.is_empty() {
            task["annotations"] = json!([{"result": of_persons}]);
        }
        if !of_machines.is_empty() {
            task["predictions"] = json!([{"model_version": "rigel", "result": of_machines}]);
        }
        let path = path(to.subset);
        to.output.element(Array::File(&path, "[\n"), &task)
    }

    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError> {
        let path = path(to.subset);
        if to.output.is_new(&path) {
            to.output.append(&path, b"[")?;
        }
        to.output.append(&path, b"\n]\n")?;
        let mut config = String::from("<View>\n  <Labels name=\"box\" toName=\"video\">\n");
        // Writing to a String cannot fail.
        for name in to.numbered(BOX) {
            let _ = writeln!(config, "    <Label value=\"{}\"/>", escaped(&name));
        }
        config.push_str("  </Labels>\n  <Video name=\"video\" value=\"$video\" frameRate=\"$fps\" timelineHeight=\"120\"/>\n  <VideoRectangle name=\"region\" toName=\"video\"/>\n");
        config.push_str("  <TimelineLabels name=\"events\" toName=\"video\">\n");
        for name in to.numbered(EVENT) {
            let _ = writeln!(config, "    <Label value=\"{}\"/>", escaped(&name));
        }
        config.push_str("  </TimelineLabels>\n</View>\n");
        to.output.whole("config.xml", config.as_bytes())
    }
}

fn path(subset: &str) -> String {
    format!("tasks_{subset}.json")
}

fn region(clip: &Clip, piece: &Piece<'_>, name: &str, to: &mut Target<'_>) -> Json {
    if !has_place(piece.label.kind) {
        return timeline(piece, name, to);
    }
    to.next(&format!("{BOX}{name}"));
    let around = |at: PointAt| BoxAt {
        x: at.x - AROUND,
        y: at.y - AROUND,
        width: 2.0 * AROUND,
        height: 2.0 * AROUND,
    };
    let keys: Vec<Key<BoxAt>> = if piece.label.kind == LabelKind::BboxPerson {
        piece.boxes()
    } else {
        let points = piece.points().into_iter();
        points
            .map(|key| Key {
                frame: key.frame,
                at: around(key.at),
                confidence: key.confidence,
            })
            .collect()
    };
    let (width, height, rate) = (
        f64::from(clip.width),
        f64::from(clip.height),
        clip.frames.rate(),
    );
    let percent = |value: f64, whole: f64| (1e8 * value / whole).round() / 1e6;
    let sequence: Vec<Json> = keys
        .iter()
        .map(|key| {
            json!({
                "frame": key.frame + 1,
                "time": (1e6 * f64::from(key.frame + 1) / rate).round() / 1e6,
                "enabled": key.frame < piece.frames.end,
                "rotation": 0,
                "x": percent(key.at.x, width),
                "y": percent(key.at.y, height),
                "width": percent(key.at.width, width),
                "height": percent(key.at.height, height),
            })
        })
        .collect();
    let duration = (1e6 * f64::from(clip.frames.count) / rate).round() / 1e6;
    let mut region = json!({
        "id": id(piece),
        "from_name": "region",
        "to_name": "video",
        "type": "videorectangle",
        "value": {"framesCount": clip.frames.count, "duration": duration, "labels": [name], "sequence": sequence},
    });
    add_provenance(&mut region, piece.label);
    region
}

fn timeline(piece: &Piece<'_>, name: &str, to: &mut Target<'_>) -> Json {
    to.next(&format!("{EVENT}{name}"));
    let range = json!({"start": piece.frames.start + 1, "end": piece.frames.end + 1});
    let mut region = json!({
        "id": id(piece),
        "from_name": "events",
        "to_name": "video",
        "type": "timelinelabels",
        "value": {"ranges": [range], "timelinelabels": [name]},
    });
    add_provenance(&mut region, piece.label);
    region
}

/// A label that is cut has several regions.
fn id(piece: &Piece<'_>) -> String {
    format!(
        "{}_{}",
        piece.label.id.replace(':', "_"),
        piece.frames.start
    )
}

fn add_provenance(region: &mut Json, label: &Label) {
    region["origin"] = json!(match label.standing {
        Standing::Machine | Standing::Abstained => "prediction",
        Standing::Created => "manual",
        Standing::Confirmed | Standing::Corrected | Standing::Rejected => "prediction-changed",
    });
    if let Some(confidence) = label.confidence {
        region["score"] = json!(confidence);
    }
    let mut words = vec![format!("{} {}", label.standing.name(), label.id)];
    words.extend(label.track.map(|track| {
        format!(
            "track {track}{}",
            if label.driver { ", driver" } else { "" }
        )
    }));
    words.extend(
        label
            .model
            .as_ref()
            .map(|model| format!("model {}", model.word())),
    );
    words.extend(label.by.as_ref().map(|by| format!("by {by}")));
    words.extend(label.cause.as_ref().map(|cause| format!("cause {cause}")));
    words.extend(label.reason.map(|reason| format!("reason {reason}")));
    region["meta"] = json!({"text": words});
}
