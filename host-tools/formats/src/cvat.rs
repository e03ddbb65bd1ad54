//! CVAT for video 1.1: a file a clip, `<clip>.xml`, and `labels.json`, from which the task's labels are made.
//!
//! Frames are 0-based; a track ends with a keyframe marked `outside` in the first frame where it is *not* seen, which is left out
//! after the clip's last frame. Corners in pixels, two decimals. CVAT's importer stores shapes of `keyframe="1"` alone, interpolates
//! between them as Rigel does, demands the attribute `keyframe` of each, and drops `source` and everything it has no attribute for;
//! so provenance is in attributes, and so is the identity.
//!
//! Boxes are tracks of rectangles, eyes tracks of points, one a person. What only has a time (states and events) is a track of a
//! rectangle that stands still: around the eyes for an event, on the person for a state, on the whole picture where neither is known
//! or the scene is meant. It tells when, not where.

use crate::clip::{BoxAt, Clip, Key, Label, PointAt, Standing, place_at};
use crate::coco::around;
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::has_place;
use crate::pieces::{Piece, one_a_frame, pieces};
use crate::table::eyes_word;
use crate::xml::escaped;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use quality::DeskKind;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

pub(crate) struct Cvat;

/// What the tally knows of names of labels by.
const NAMED: &str = "cvat label ";

impl Writer for Cvat {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        let tracks = tracks(clip);
        let names: BTreeSet<&str> = tracks.iter().map(|track| track.name.as_str()).collect();
        for name in &names {
            to.next(&format!("{NAMED}{name}"));
        }
        let mut text = head(clip, &names);
        for (id, track) in tracks.iter().enumerate() {
            track.write(id, clip, &mut text);
        }
        text.push_str("</annotations>\n");
        lose_beside_labels(clip, to);
        to.output
            .whole(&place(to.subset, clip, "xml"), text.as_bytes())
    }

    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError> {
        let labels: Vec<Json> = to.numbered(NAMED).iter().map(|name| spec(name)).collect();
        let text = serde_json::to_vec_pretty(&labels).expect("text and numbers always encode");
        to.output.whole("labels.json", &text)
    }
}

/// Notes what formats of labels alone have no place for.
pub(crate) fn lose_beside_labels(clip: &Clip, to: &mut Target<'_>) {
    let frames = &clip.frames;
    to.lose("repeated frames: not marked", frames.repeats.len() as u64);
    let dropped: u64 = frames
        .dropped
        .iter()
        .map(|(_, count)| u64::from(*count))
        .sum();
    to.lose(
        "frames that were lost before they were counted: not told",
        dropped,
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
    let keys = clip
        .labels
        .iter()
        .map(|label| label.boxes().len() + label.points().len());
    to.lose(
        "confidences of single keyframes: only the label's is kept",
        keys.sum::<usize>() as u64,
    );
}

/// Where a file of one clip lies: in a folder of its subset, where there are several.
pub(crate) fn place(subset: &str, clip: &Clip, extension: &str) -> String {
    format!("{subset}/{}.{extension}", clip.stem)
}

/// A track as CVAT has it.
struct Track {
    name: String,
    pieces: Vec<Drawn>,
}

/// A run of frames with one set of attributes.
struct Drawn {
    frames: FrameRange,
    shapes: Vec<(FrameIndex, Shape)>,
    attributes: Vec<(&'static str, String)>,
    source: &'static str,
}

#[derive(Clone, Copy)]
enum Shape {
    Box(BoxAt),
    Point(PointAt),
}

impl Shape {
    const fn element(self) -> &'static str {
        match self {
            Self::Box(_) => "box",
            Self::Point(_) => "points",
        }
    }

    fn corners(self) -> String {
        match self {
            Self::Box(at) => format!(
                "xtl=\"{:.2}\" ytl=\"{:.2}\" xbr=\"{:.2}\" ybr=\"{:.2}\"",
                at.x,
                at.y,
                at.x + at.width,
                at.y + at.height
            ),
            Self::Point(at) => format!("points=\"{:.2},{:.2}\"", at.x, at.y),
        }
    }
}

fn tracks(clip: &Clip) -> Vec<Track> {
    let held = pieces(clip);
    let mut tracks = Vec::new();
    for ((_, kind), pieces) in &held {
        if has_place(*kind) {
            tracks.push(Track {
                name: kind.name().to_owned(),
                pieces: pieces.iter().map(drawn).collect(),
            });
            continue;
        }
        for piece in pieces {
            tracks.push(Track {
                name: kind.name().to_owned(),
                pieces: vec![still(clip, piece, &held)],
            });
        }
    }
    for (standing, prefix) in [
        (Standing::Rejected, "rejected"),
        (Standing::Abstained, "abstained"),
    ] {
        for label in clip
            .labels
            .iter()
            .filter(|label| label.standing == standing)
        {
            let piece = Piece {
                label,
                frames: label.frames,
            };
            let has_shape = !label.boxes().is_empty() || !label.points().is_empty();
            tracks.push(Track {
                name: format!("{prefix}-{}", label.kind),
                pieces: vec![if has_shape {
                    drawn(&piece)
                } else {
                    still(clip, &piece, &held)
                }],
            });
        }
    }
    tracks
}

fn drawn(piece: &Piece<'_>) -> Drawn {
    let boxes = piece
        .boxes()
        .into_iter()
        .map(|Key { frame, at, .. }| (frame, Shape::Box(at)));
    let points = piece.points().into_iter();
    let points = points.map(|Key { frame, at, .. }| (frame, Shape::Point(at)));
    Drawn {
        frames: piece.frames,
        shapes: boxes.chain(points).collect(),
        attributes: attributes(piece.label),
        source: source(piece.label),
    }
}

type Held<'a> = BTreeMap<(Option<TrackId>, DeskKind), Vec<Piece<'a>>>;

/// A rectangle that stands still for what has no place of its own.
fn still(clip: &Clip, piece: &Piece<'_>, held: &Held<'_>) -> Drawn {
    let frame = piece.frames.start;
    let at = |kind: LabelKind| {
        let track = piece.label.track?;
        let pieces = held.get(&(Some(track), kind.into()))?;
        let here = pieces.iter().find(|piece| piece.frames.contains(frame))?;
        Some(here.label)
    };
    let eye = |kind| place_at(at(kind)?.points(), frame);
    let person = || place_at(at(LabelKind::BboxPerson)?.boxes(), frame);
    let eyes = || {
        around([
            eye(LabelKind::KeypointLeftEye),
            eye(LabelKind::KeypointRightEye),
        ])
    };
    let found = if piece.label.kind.is_event() {
        eyes().or_else(person)
    } else {
        person()
    };
    let whole = BoxAt {
        x: 0.0,
        y: 0.0,
        width: f64::from(clip.width),
        height: f64::from(clip.height),
    };
    Drawn {
        frames: piece.frames,
        shapes: vec![(frame, Shape::Box(found.unwrap_or(whole)))],
        attributes: attributes(piece.label),
        source: source(piece.label),
    }
}

/// What CVAT knows of a shape's origin. Its importer writes "file" over it.
const fn source(label: &Label) -> &'static str {
    match label.standing {
        Standing::Created | Standing::Corrected => "manual",
        _ => "auto",
    }
}

fn attributes(label: &Label) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("id", label.id.clone()),
        (
            "track",
            label.track.map_or(String::new(), |track| track.to_string()),
        ),
        ("standing", label.standing.name().to_owned()),
        ("driver", label.driver.to_string()),
    ];
    let event = match label.value {
        Some(crate::Value::Event(event)) => Some(event),
        _ => None,
    };
    let more = [
        (
            "confidence",
            label.confidence.map(|share| share.to_string()),
        ),
        ("model", label.model.as_ref().map(|model| model.word())),
        ("by", label.by.clone()),
        ("value", label.state_word()),
        ("eyes", event.map(|event| eyes_word(event.eyes).to_owned())),
        ("peak", event.map(|event| event.peak.to_string())),
        ("opening", event.map(|event| event.opening.to_string())),
        ("cause", label.cause.clone()),
        (
            "reason",
            label.reason.map(|reason| reason.name().to_owned()),
        ),
    ];
    all.extend(
        more.into_iter()
            .map(|(name, value)| (name, value.unwrap_or_default())),
    );
    all
}

/// Names of the attributes, each text that may change from frame to frame: CVAT refuses attributes that a task's label
/// does not have.
const ATTRIBUTES: [&str; 13] = [
    "id",
    "track",
    "standing",
    "driver",
    "confidence",
    "model",
    "by",
    "value",
    "eyes",
    "peak",
    "opening",
    "cause",
    "reason",
];

/// The label of a task, for the constructor's raw text.
fn spec(name: &str) -> Json {
    let attributes: Vec<Json> = ATTRIBUTES
        .iter()
        .map(|attribute| {
            json!({"name": attribute, "mutable": true, "input_type": "text", "default_value": "", "values": [""]})
        })
        .collect();
    let shape = if name.contains("keypoint") && !name.starts_with("abstained") {
        "points"
    } else {
        "rectangle"
    };
    json!({"name": name, "type": shape, "attributes": attributes})
}

fn head(clip: &Clip, names: &BTreeSet<&str>) -> String {
    let count = clip.frames.count;
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n<version>1.1</version>\n<meta>\n<task>\n",
    );
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<name>{} {}</name>\n<size>{count}</size>\n<mode>interpolation</mode>\n<overlap>0</overlap>\n<flipped>False</flipped>",
        escaped(&clip.id),
        escaped(clip.name.as_deref().unwrap_or_default()),
    );
    text.push_str("<labels>\n");
    for name in names {
        let _ = writeln!(text, "<label><name>{name}</name><attributes>");
        for attribute in ATTRIBUTES {
            let _ = writeln!(
                text,
                "<attribute><name>{attribute}</name><mutable>True</mutable><input_type>text</input_type>\
                 <default_value></default_value><values></values></attribute>"
            );
        }
        text.push_str("</attributes></label>\n");
    }
    let _ = writeln!(
        text,
        "</labels>\n<segments><segment><id>1</id><start>0</start><stop>{}</stop><url></url></segment></segments>\n\
         <original_size><width>{}</width><height>{}</height></original_size>\n</task>\n</meta>",
        count.saturating_sub(1),
        clip.width,
        clip.height
    );
    text
}

impl Track {
    fn write(&self, id: usize, clip: &Clip, text: &mut String) {
        let source = self.pieces.first().map_or("auto", |piece| piece.source);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<track id=\"{id}\" label=\"{}\" source=\"{source}\">",
            self.name
        );
        for (n, piece) in self.pieces.iter().enumerate() {
            for (frame, shape) in &piece.shapes {
                write_shape(text, (*frame, *shape), 0, &piece.attributes);
            }
            let after = piece.frames.end.saturating_add(1);
            let goes_on = self
                .pieces
                .get(n + 1)
                .is_some_and(|next| next.frames.start == after);
            if let Some((_, shape)) = piece.shapes.last()
                && !goes_on
                && after < clip.frames.count
            {
                write_shape(text, (after, *shape), 1, &piece.attributes);
            }
        }
        text.push_str("</track>\n");
    }
}

fn write_shape(
    text: &mut String,
    (frame, shape): (FrameIndex, Shape),
    outside: u8,
    attributes: &[(&'static str, String)],
) {
    let element = shape.element();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "<{element} frame=\"{frame}\" outside=\"{outside}\" occluded=\"0\" keyframe=\"1\" {} z_order=\"0\">",
        shape.corners()
    );
    for (name, value) in attributes {
        let _ = writeln!(
            text,
            "<attribute name=\"{name}\">{}</attribute>",
            escaped(value)
        );
    }
    let _ = writeln!(text, "</{element}>");
}

/// Labels of one kind and standing on one track, cut so that none overlap.
pub(crate) fn of_standing(
    clip: &Clip,
    standing: Standing,
) -> BTreeMap<(Option<TrackId>, DeskKind), Vec<Piece<'_>>> {
    let mut of: BTreeMap<_, Vec<&Label>> = BTreeMap::new();
    for label in clip
        .labels
        .iter()
        .filter(|label| label.standing == standing)
    {
        of.entry((label.track, label.kind)).or_default().push(label);
    }
    of.into_iter()
        .map(|(key, labels)| (key, one_a_frame(labels)))
        .collect()
}
