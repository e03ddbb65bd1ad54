//! COCO: `person_keypoints_*.json` where there are any, else every JSON file of the folder. Pictures are told by `clip` and `frame` where
//! an export of ours wrote them, else by their file name: `<clip>/<frame>.png`, or a still of its own.

use super::gather::{Gathered, Meta, Seen};
use super::{ReadError, Told, files, json, names};
use crate::clip::Standing;
use crate::moments::has_place;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
    clip: Option<String>,
    frame: Option<FrameIndex>,
    #[serde(default)]
    scene: Map<String, Json>,
    #[serde(default)]
    abstained: Vec<String>,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
    #[serde(default)]
    keypoints: Vec<String>,
}

#[derive(Deserialize)]
struct Annotation {
    id: u64,
    image_id: u64,
    category_id: u64,
    #[serde(default)]
    iscrowd: u8,
    bbox: Option<[f64; 4]>,
    #[serde(default)]
    keypoints: Vec<f64>,
    score: Option<f64>,
    track_id: Option<TrackId>,
    #[serde(default)]
    attributes: Map<String, Json>,
}

#[derive(Deserialize)]
struct Rejected {
    image_id: u64,
    kind: LabelKind,
    track: Option<TrackId>,
    place: Vec<f64>,
    cause: Option<String>,
    label: String,
}

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let all = files::some_with_extension(place, "json", "COCO")?;
    let named = |path: &PathBuf, beginning: &str| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(beginning)
    };
    let with_eyes = all.iter().any(|path| named(path, "person_keypoints"));
    let of_export = all.iter().any(|path| named(path, "manifest.json"));
    for path in &all {
        // `instances` tells what `person_keypoints` tells, without the eyes.
        let is_other = with_eyes && !named(path, "person_keypoints")
            || of_export && (named(path, "manifest") || named(path, "loss"));
        if !is_other {
            one_file(path, to)?;
        }
    }
    Ok(())
}

/// Clip and frame of a picture's name: `drive/000120.png`, or a still.
pub(super) fn of_name(name: &str) -> (String, FrameIndex) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let whole = || (name.rsplit('/').next().unwrap_or(name).to_owned(), 0);
    let Some((folder, frame)) = stem.rsplit_once('/') else {
        return whole();
    };
    let clip = folder.rsplit('/').next().unwrap_or(folder);
    match frame.parse() {
        Ok(frame) if !clip.is_empty() => (clip.to_owned(), frame),
        _ => whole(),
    }
}

fn one_file(path: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let mut images: HashMap<u64, (String, FrameIndex)> = HashMap::new();
    json::each(path, &["images"], |_, image: Image, line| {
        let at = (path, Some(line));
        let (clip, frame) = match (image.clip, image.frame) {
            (Some(clip), Some(frame)) => (clip, frame),
            _ => of_name(&image.file_name),
        };
        let told = Told {
            id: clip,
            size: Some((image.width, image.height)),
            ..Told::default()
        };
        let clip = to.clip(&told, at)?;
        to.picture(&clip, frame, at)?;
        for (word, says) in &image.scene {
            let Some(meaning) = names::meaning(word, &to.reading.names) else {
                to.dropped.note(
                    format!("{word:?} of a picture is no kind of label here"),
                    path,
                    Some(line),
                );
                continue;
            };
            let says = names::value(
                meaning.kind,
                Some(&text(says)),
                FrameRange::new(frame, frame),
                (None, None, None),
            )
            .map_err(|trouble| ReadError::broken(path, line, trouble))?;
            to.seen(
                &clip,
                (frame, meaning.kind, None),
                (Seen::Says(says), Meta::default),
                ("scene", at),
            )?;
        }
        for silence in &image.abstained {
            let mut words = silence.splitn(3, ':');
            let (track, kind, reason) = (words.next(), words.next(), words.next());
            let kind = kind.and_then(LabelKind::from_name);
            let kind = kind.ok_or_else(|| {
                ReadError::broken(path, line, format!("{silence:?} is no silence"))
            })?;
            let broken = |trouble: String| ReadError::broken(path, line, trouble);
            let meta = Meta {
                standing: Some(Standing::Abstained),
                reason: super::csv::reason(reason, &broken)?,
                ..Meta::default()
            };
            let track = track.and_then(|track| track.parse().ok());
            to.seen(
                &clip,
                (frame, kind, track),
                (Seen::Nothing, || meta),
                (silence, at),
            )?;
        }
        if images.insert(image.id, (clip, frame)).is_some() {
            return Err(ReadError::broken(
                path,
                line,
                format!("picture {} is there twice", image.id),
            ));
        }
        Ok(())
    })?;
    if images.is_empty() {
        to.dropped.note("a file without pictures", path, None);
    }
    let mut categories: HashMap<u64, Category> = HashMap::new();
    json::each(path, &["categories"], |_, category: Category, line| {
        let id = category.id;
        if categories.insert(id, category).is_some() {
            return Err(ReadError::broken(
                path,
                line,
                format!("category {id} is there twice"),
            ));
        }
        Ok(())
    })?;
    let mut ids = HashSet::new();
    json::each(path, &["annotations"], |_, annotation: Annotation, line| {
        if !ids.insert(annotation.id) {
            return Err(ReadError::broken(
                path,
                line,
                format!("annotation {} is there twice", annotation.id),
            ));
        }
        let missing = |what: &str| {
            ReadError::broken(
                path,
                line,
                format!("the file has no {what} of this annotation"),
            )
        };
        let (clip, frame) = images
            .get(&annotation.image_id)
            .ok_or_else(|| missing("picture"))?;
        let category = categories
            .get(&annotation.category_id)
            .ok_or_else(|| missing("category"))?;
        take(
            &annotation,
            category,
            (clip, *frame),
            to,
            (path, Some(line)),
        )
    })?;
    json::each(path, &["rejected"], |_, rejected: Rejected, line| {
        let missing = || ReadError::broken(path, line, "the file has no picture of this rejection");
        let (clip, frame) = images.get(&rejected.image_id).ok_or_else(missing)?;
        let seen = match rejected.place[..] {
            [x, y, width, height] => Seen::Box([x, y, width, height]),
            [x, y] => Seen::Point([x, y]),
            _ => return Err(ReadError::broken(path, line, "a place is 2 or 4 numbers")),
        };
        let meta = || Meta {
            id: Some(rejected.label.clone()),
            standing: Some(Standing::Rejected),
            cause: rejected.cause.clone(),
            ..Meta::default()
        };
        let of = (*frame, rejected.kind, rejected.track);
        to.seen(
            clip,
            of,
            (seen, meta),
            (&rejected.label, (path, Some(line))),
        )
    })
}

/// A value of JSON as a word.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn take(
    annotation: &Annotation,
    category: &Category,
    (clip, frame): (&str, FrameIndex),
    to: &mut Gathered<'_>,
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    if annotation.iscrowd != 0 {
        to.dropped
            .note("crowds: nobody in them has a box of their own", at.0, at.1);
        return Ok(());
    }
    let attributes = &annotation.attributes;
    let track = annotation.track_id.or_else(|| track_of(attributes));
    let only_eyes = category.name == "eyes" && !category.keypoints.is_empty();
    let meaning = names::meaning(&category.name, &to.reading.names);
    let is_person = meaning.is_some_and(|meaning| meaning.kind == LabelKind::BboxPerson);
    if !only_eyes && !is_person {
        to.dropped.note(
            format!("category {:?} is no kind of label here", category.name),
            at.0,
            at.1,
        );
        return Ok(());
    }
    // Whoever has no track is somebody new in each picture.
    let (track, alone) = match track {
        Some(track) => (Some(track), None),
        None => (Some(to.alone(clip, at)), Some(annotation.id.to_string())),
    };
    let confidence = annotation.score;
    if let Some([x, y, width, height]) = annotation.bbox.filter(|_| is_person) {
        let seen = Seen::Box([x, y, width, height]);
        person(
            to,
            clip,
            (frame, LabelKind::BboxPerson, track),
            (seen, "box"),
            (attributes, confidence, &alone),
            at,
        )?;
    }
    for (name, three) in category
        .keypoints
        .iter()
        .zip(annotation.keypoints.chunks(3))
    {
        let Some(meaning) = names::meaning(name, &to.reading.names).filter(|one| {
            matches!(
                one.kind,
                LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye
            )
        }) else {
            to.dropped.note(
                format!("key point {name:?} is no kind of label here"),
                at.0,
                at.1,
            );
            continue;
        };
        match three {
            [_, _, seen] if *seen == 0.0 => {}
            [x, y, _] => {
                let what = if meaning.kind == LabelKind::KeypointLeftEye {
                    "left_eye"
                } else {
                    "right_eye"
                };
                let seen = Seen::Point([*x, *y]);
                person(
                    to,
                    clip,
                    (frame, meaning.kind, track),
                    (seen, what),
                    (attributes, confidence, &alone),
                    at,
                )?;
            }
            _ => {
                return Err(ReadError::broken(
                    at.0,
                    at.1,
                    "key points are x, y and visibility",
                ));
            }
        }
    }
    states(to, clip, (frame, track), (attributes, &alone), at)
}

/// The track that attributes name.
pub(super) fn track_of(attributes: &Map<String, Json>) -> Option<TrackId> {
    TrackId::try_from(attributes.get("track_id")?.as_u64()?).ok()
}

type Of = (FrameIndex, LabelKind, Option<TrackId>);

/// What one kind says of a person in a picture.
pub(super) fn person(
    to: &mut Gathered<'_>,
    clip: &str,
    of: Of,
    (seen, what): (Seen, &str),
    (attributes, confidence, alone): (&Map<String, Json>, Option<f64>, &Option<String>),
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    let meta = provenance(attributes, what, confidence);
    let id = meta
        .id
        .clone()
        .or_else(|| alone.clone())
        .unwrap_or_default();
    to.seen(clip, of, (seen, || meta), (&id, at))
}

fn provenance(attributes: &Map<String, Json>, what: &str, confidence: Option<f64>) -> Meta {
    let word = |name: &str| {
        let value = attributes.get(&format!("{what}_{name}"))?;
        Some(text(value))
    };
    let number = attributes
        .get(&format!("{what}_confidence"))
        .and_then(Json::as_f64);
    Meta {
        id: word("label"),
        standing: word("provenance").and_then(|word| names::standing(&word)),
        driver: attributes
            .get("driver")
            .and_then(Json::as_bool)
            .unwrap_or(false),
        confidence: number.or(confidence),
        model: word("model"),
        by: word("by"),
        ..Meta::default()
    }
}

/// States and events, which pictures tell as attributes.
pub(super) fn states(
    to: &mut Gathered<'_>,
    clip: &str,
    (frame, track): (FrameIndex, Option<TrackId>),
    (attributes, alone): (&Map<String, Json>, &Option<String>),
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    for kind in LabelKind::ALL.into_iter().filter(|kind| !has_place(*kind)) {
        let word = crate::coco::word(kind.into());
        let Some(says) = attributes.get(&word) else {
            continue;
        };
        let says = text(says);
        if names::is_absent(kind, Some(&says)) {
            continue;
        }
        let frames = FrameRange::new(frame, frame);
        let says = names::value(kind, Some(&says), frames, (None, None, None))
            .map_err(|trouble| ReadError::broken(at.0, at.1, trouble))?;
        person(
            to,
            clip,
            (frame, kind, track),
            (Seen::Says(says), &word),
            (attributes, None, alone),
            at,
        )?;
    }
    Ok(())
}
