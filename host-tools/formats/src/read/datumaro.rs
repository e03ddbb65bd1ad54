//! Datumaro's own format: `annotations/<subset>.json`. A box and the points of one person share a `group`.

use super::coco::{of_name, person, states, track_of};
use super::gather::{Gathered, Meta, Seen};
use super::{ReadError, Told, files, json, names};
use crate::clip::Standing;
use label_core::{FrameIndex, LabelKind, TrackId};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::HashSet;
use std::path::Path;

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct PointLabels {
    label_id: usize,
    labels: Vec<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    attr: Attr,
    image: Option<Image>,
}

#[derive(Default, Deserialize)]
struct Attr {
    clip: Option<String>,
    frame: Option<FrameIndex>,
}

#[derive(Deserialize)]
struct Image {
    /// Height, then width.
    size: Option<[u32; 2]>,
}

#[derive(Deserialize)]
struct Annotation {
    id: u64,
    #[serde(rename = "type")]
    of: String,
    label_id: Option<usize>,
    #[serde(default)]
    group: u64,
    bbox: Option<[f64; 4]>,
    #[serde(default)]
    points: Vec<f64>,
    #[serde(default)]
    visibility: Vec<u8>,
    #[serde(default)]
    attributes: Map<String, Json>,
}

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let annotations = place.join("annotations");
    let below = if annotations.is_dir() {
        annotations
    } else {
        place.to_owned()
    };
    for path in files::some_with_extension(&below, "json", "Datumaro")? {
        one_file(&path, to)?;
    }
    Ok(())
}

fn one_file(path: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let mut labels = Vec::new();
    json::each(
        path,
        &["categories", "label", "labels"],
        |_, label: Named, _| {
            labels.push(label.name);
            Ok(())
        },
    )?;
    let mut points: Vec<PointLabels> = Vec::new();
    json::each(
        path,
        &["categories", "points", "items"],
        |_, item: PointLabels, _| {
            points.push(item);
            Ok(())
        },
    )?;
    if labels.is_empty() {
        return Err(ReadError::broken(
            path,
            None,
            "this is no set of Datumaro's own format: categories.label.labels is missing",
        ));
    }
    let mut ids = HashSet::new();
    json::each(path, &["items"], |_, item: Item, line| {
        if !ids.insert(item.id.clone()) {
            return Err(ReadError::broken(
                path,
                line,
                format!("item {:?} is there twice", item.id),
            ));
        }
        let at = (path, Some(line));
        let (clip, frame) = match (item.attr.clip, item.attr.frame) {
            (Some(clip), Some(frame)) => (clip, frame),
            _ => of_name(&format!("{}.png", item.id)),
        };
        let told = Told {
            id: clip,
            size: item
                .image
                .and_then(|image| image.size)
                .map(|[height, width]| (width, height)),
            ..Told::default()
        };
        let clip = to.clip(&told, at)?;
        to.picture(&clip, frame, at)?;
        let mut numbers = HashSet::new();
        let mut told_states = HashSet::new();
        for annotation in &item.annotations {
            if annotation.id != 0 && !numbers.insert(annotation.id) {
                return Err(ReadError::broken(
                    path,
                    line,
                    format!(
                        "annotation {} of {:?} is there twice",
                        annotation.id, item.id
                    ),
                ));
            }
            let label = annotation
                .label_id
                .and_then(|id| labels.get(id))
                .map_or("", String::as_str);
            let of_points = points
                .iter()
                .find(|one| Some(one.label_id) == annotation.label_id);
            take(
                annotation,
                (label, of_points),
                (&clip, frame),
                &mut told_states,
                to,
                at,
            )?;
        }
        Ok(())
    })
}

fn take(
    annotation: &Annotation,
    (label, of_points): (&str, Option<&PointLabels>),
    (clip, frame): (&str, FrameIndex),
    told_states: &mut HashSet<TrackId>,
    to: &mut Gathered<'_>,
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    let attributes = &annotation.attributes;
    if label == "rejected" {
        return rejected(annotation, (clip, frame), to, at);
    }
    let numbered = track_of(attributes)
        .or_else(|| TrackId::try_from(annotation.group).ok())
        .filter(|track| *track > 0);
    // Whoever belongs to no group is somebody new in each picture.
    let alone = numbered
        .is_none()
        .then(|| format!("{frame}:{}", annotation.id));
    let track = numbered.unwrap_or_else(|| to.alone(clip, at));
    match (annotation.of.as_str(), annotation.bbox) {
        ("bbox", Some(place))
            if names::meaning(label, &to.reading.names)
                .is_some_and(|one| one.kind == LabelKind::BboxPerson) =>
        {
            let of = (frame, LabelKind::BboxPerson, Some(track));
            person(
                to,
                clip,
                of,
                (Seen::Box(place), "box"),
                (attributes, None, &alone),
                at,
            )?;
        }
        ("points", _) if of_points.is_some() => {
            let points = of_points.map_or(&[][..], |one| &one.labels);
            if !annotation.points.len().is_multiple_of(2) {
                return Err(ReadError::broken(at.0, at.1, "points are x and y"));
            }
            for (n, (name, place)) in points.iter().zip(annotation.points.chunks(2)).enumerate() {
                let kind = names::meaning(name, &to.reading.names).map(|meaning| meaning.kind);
                let what = match kind {
                    Some(LabelKind::KeypointLeftEye) => "left_eye",
                    Some(LabelKind::KeypointRightEye) => "right_eye",
                    _ => {
                        to.dropped.note(
                            format!("point {name:?} is no kind of label here"),
                            at.0,
                            at.1,
                        );
                        continue;
                    }
                };
                if let ([x, y], Some(kind)) = (place, kind)
                    && annotation.visibility.get(n) != Some(&0)
                {
                    let of = (frame, kind, Some(track));
                    person(
                        to,
                        clip,
                        of,
                        (Seen::Point([*x, *y]), what),
                        (attributes, None, &alone),
                        at,
                    )?;
                }
            }
        }
        _ => {
            to.dropped.note(
                format!(
                    "annotations of the type {:?} and the label {label:?}",
                    annotation.of
                ),
                at.0,
                at.1,
            );
            return Ok(());
        }
    }
    // The box and the eyes of one person tell the same states.
    if told_states.insert(track) {
        states(to, clip, (frame, Some(track)), (attributes, &alone), at)?;
    }
    Ok(())
}

fn rejected(
    annotation: &Annotation,
    (clip, frame): (&str, FrameIndex),
    to: &mut Gathered<'_>,
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    let word = |name: &str| {
        annotation
            .attributes
            .get(name)
            .and_then(Json::as_str)
            .map(str::to_owned)
    };
    let kind = word("kind").and_then(|word| LabelKind::from_name(&word));
    let seen = match (annotation.bbox, &annotation.points[..]) {
        (Some(place), _) => Some(Seen::Box(place)),
        (None, [x, y]) => Some(Seen::Point([*x, *y])),
        _ => None,
    };
    let Some((kind, seen)) = kind.zip(seen) else {
        to.dropped
            .note("rejected annotations without a kind or a place", at.0, at.1);
        return Ok(());
    };
    let id = word("label");
    let meta = || Meta {
        id: id.clone(),
        standing: Some(Standing::Rejected),
        cause: word("cause"),
        ..Meta::default()
    };
    let name = id.clone().unwrap_or_default();
    to.seen(clip, (frame, kind, None), (seen, meta), (&name, at))
}
