//! COCO: `annotations/person_keypoints_<subset>.json` with the eyes as key points, and `annotations/instances_<subset>.json`
//! for detection.
//!
//! A picture is a frame, named `<clip>/<frame as six digits>.png` after its 0-based index. `bbox` is x, y, width and height from
//! the top left corner in pixels; visibility is 2 for an eye that is told and 0 (x = y = 0) for one that is not, since Rigel
//! tells no eye that it cannot see. `left_eye` is the subject's left.
//!
//! COCO wants a box of every annotation. Eyes of somebody whose box is not told are therefore of the category `eyes`: their
//! box is that of the points, widened on all sides by half the distance between the eyes, or by 8 pixels where there is one
//! eye only (8 pixels is what a point may be off). Nobody who detects people meets them: `instances` has people alone.
//!
//! What COCO has no place for stands in fields of our own, which readers keep or pass over: of a picture the clip, frame, time
//! and scene, and of which kinds nothing is said in it; of an annotation its provenance. Boxes and points that a person found
//! wrong stand in a list `rejected` beside `annotations`, never among them.

use crate::clip::{BoxAt, Clip, Label, PointAt, hundredths};
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::{Moment, Person, Place, has_place, moments};
use crate::output::Array;
use label_core::TrackId;
use quality::DeskKind;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

pub(crate) struct Coco;

/// Categories.
const PERSON: u8 = 1;
const EYES: u8 = 2;

/// By how much a box of one eye is widened, in pixels.
const ONE_EYE: f64 = 8.0;

#[derive(Serialize)]
struct Image<'a> {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
    clip: &'a str,
    frame: u32,
    pts_us: Option<i64>,
    /// Shows the same picture as the frame before.
    repeat: bool,
    scene: Map<String, Json>,
    /// `track:kind:reason` of boxes and points of which nothing is said here: somebody may be there.
    abstained: Vec<String>,
}

#[derive(Serialize)]
struct Annotation {
    id: u64,
    image_id: u64,
    category_id: u8,
    iscrowd: u8,
    bbox: [f64; 4],
    area: f64,
    segmentation: [u8; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    keypoints: Option<[f64; 6]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_keypoints: Option<u8>,
    /// Of what nobody has reviewed; COCO's results carry it, its truth does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    attributes: Map<String, Json>,
}

#[derive(Serialize)]
struct Rejected<'a> {
    image_id: u64,
    kind: &'a str,
    track: Option<TrackId>,
    /// x, y, width, height; or x, y.
    place: Vec<f64>,
    cause: Option<&'a str>,
    label: &'a str,
}

impl Writer for Coco {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        lose_between_pictures(clip, to);
        let density = to.density;
        let passed_over = moments(clip, density, |moment| picture(clip, moment, to))?;
        to.lose(NO_PICTURE, passed_over);
        Ok(())
    }

    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError> {
        let subset = to.subset;
        for (kind, categories) in [
            (
                KEYPOINTS,
                json!([
                    category(PERSON, "person", true),
                    category(EYES, "eyes", true)
                ]),
            ),
            (INSTANCES, json!([category(PERSON, "person", false)])),
        ] {
            let path = path(kind, subset);
            if to.output.is_new(&path) {
                to.output.append(&path, OPENING.as_bytes())?;
            }
            to.output.append(&path, b"\n],\n\"images\": [\n")?;
            to.output.absorb(&path, &part("images", subset))?;
            to.output.append(&path, b"\n],\n\"rejected\": [\n")?;
            to.output.absorb(&path, &part("rejected", subset))?;
            let end = format!(
                "\n],\n\"categories\": {categories},\n\"licenses\": [],\n\"info\": {}\n}}\n",
                json!({"description": format!("Rigel labels, subset {subset}"), "version": "1.0"})
            );
            to.output.append(&path, end.as_bytes())?;
        }
        Ok(())
    }
}

/// Notes what has a time and no place in a format of pictures.
pub(crate) fn lose_between_pictures(clip: &Clip, to: &mut Target<'_>) {
    for label in clip.labels.iter().filter(|label| !has_place(label.kind)) {
        let what = match label.standing {
            crate::Standing::Rejected => {
                "rejected states and events: left out, a picture cannot say what is not so"
            }
            crate::Standing::Abstained => "abstentions of states and events: left out",
            _ => "states and events: only their value in the pictures is kept, as an attribute",
        };
        to.lose(what, 1);
    }
}

const KEYPOINTS: &str = "person_keypoints";
const INSTANCES: &str = "instances";
const OPENING: &str = "{\n\"annotations\": [\n";

fn path(kind: &str, subset: &str) -> String {
    format!("annotations/{kind}_{subset}.json")
}

fn part(list: &str, subset: &str) -> String {
    format!("coco.{list}.{subset}")
}

fn category(id: u8, name: &str, with_eyes: bool) -> Json {
    let mut category = json!({"id": id, "name": name, "supercategory": "person"});
    if with_eyes {
        category["keypoints"] = json!(["left_eye", "right_eye"]);
        category["skeleton"] = json!([[1, 2]]);
    }
    category
}

/// What is lost where the media lack pictures.
pub(crate) const NO_PICTURE: &str = "frames of which there is no picture: left out";

/// The name of a frame's picture, without extension.
pub(crate) fn picture_name(clip: &Clip, frame: u32) -> String {
    format!("{}/{frame:06}", clip.stem)
}

fn picture(clip: &Clip, moment: &Moment<'_>, to: &mut Target<'_>) -> Result<(), FormatError> {
    let image_id = to.next("image");
    to.pictures.push(moment.frame);
    let mut scene = Map::new();
    for label in &moment.scene {
        scene.insert(word(label.kind), state(label));
    }
    let image = Image {
        id: image_id,
        file_name: format!(
            "{}.{}",
            picture_name(clip, moment.frame),
            clip.beside.ending()
        ),
        width: clip.width,
        height: clip.height,
        clip: &clip.id,
        frame: moment.frame,
        pts_us: clip.frames.pts_us(moment.frame),
        repeat: clip.frames.is_repeat(moment.frame),
        scene,
        abstained: moment
            .abstained
            .iter()
            .map(|label| silence(label))
            .collect(),
    };
    let subset = to.subset;
    to.output
        .element(Array::Part(&part("images", subset), ""), &image)?;
    for (track, person) in &moment.people {
        let Some(mut annotation) = annotation(image_id, person) else {
            continue;
        };
        annotation.attributes = attributes(*track, person);
        annotation.id = to.next("keypoints");
        let array = path(KEYPOINTS, subset);
        to.output
            .element(Array::File(&array, OPENING), &annotation)?;
        if person.bbox.is_some() {
            annotation.id = to.next("instances");
            (annotation.keypoints, annotation.num_keypoints) = (None, None);
            let array = path(INSTANCES, subset);
            to.output
                .element(Array::File(&array, OPENING), &annotation)?;
        }
    }
    for (label, place) in &moment.rejected {
        let rejected = Rejected {
            image_id,
            kind: label.kind.name(),
            track: label.track,
            place: match place {
                Place::Box(at) => vec![at.x, at.y, at.width, at.height],
                Place::Point(at) => vec![at.x, at.y],
            },
            cause: label.cause.as_deref(),
            label: &label.id,
        };
        to.output
            .element(Array::Part(&part("rejected", subset), ""), &rejected)?;
    }
    Ok(())
}

fn annotation(image_id: u64, person: &Person<'_>) -> Option<Annotation> {
    let eyes = person.eyes().map(|eye| eye.map(|(_, at)| at));
    let (category_id, place) = match person.bbox {
        Some((_, at)) => (PERSON, at),
        None => (EYES, around(eyes)?),
    };
    let mut keypoints = [0.0; 6];
    for (three, eye) in keypoints.chunks_exact_mut(3).zip(eyes) {
        if let Some(at) = eye {
            three.copy_from_slice(&[at.x, at.y, 2.0]);
        }
    }
    let waits = |label: &Label| label.standing == crate::Standing::Machine;
    let score = person
        .bbox
        .into_iter()
        .map(|(label, _)| label)
        .chain(person.eyes().into_iter().flatten().map(|(label, _)| label))
        .next()
        .filter(|label| waits(label))
        .and_then(|label| label.confidence);
    Some(Annotation {
        id: 0,
        image_id,
        category_id,
        iscrowd: 0,
        bbox: [place.x, place.y, place.width, place.height],
        area: hundredths(place.width * place.height),
        segmentation: [],
        keypoints: Some(keypoints),
        num_keypoints: Some(eyes.iter().flatten().count() as u8),
        score,
        attributes: Map::new(),
    })
}

/// A box that eyes lie in, where no box of the person is known.
pub(crate) fn around(eyes: [Option<PointAt>; 2]) -> Option<BoxAt> {
    let (a, b, margin) = match eyes {
        [Some(a), Some(b)] => (a, b, (a.x - b.x).hypot(a.y - b.y) / 2.0),
        [Some(one), None] | [None, Some(one)] => (one, one, ONE_EYE),
        [None, None] => return None,
    };
    Some(BoxAt {
        x: hundredths(a.x.min(b.x) - margin),
        y: hundredths(a.y.min(b.y) - margin),
        width: hundredths((a.x - b.x).abs() + 2.0 * margin),
        height: hundredths((a.y - b.y).abs() + 2.0 * margin),
    })
}

/// What is known of a person beside the places, flat, since some readers keep only that.
pub(crate) fn attributes(track: TrackId, person: &Person<'_>) -> Map<String, Json> {
    let mut all = Map::new();
    all.insert("track_id".into(), json!(track));
    all.insert(
        "driver".into(),
        json!(person.labels().any(|label| label.driver)),
    );
    let places = [
        ("box", person.bbox.map(|(label, _)| label)),
        ("left_eye", person.left.map(|(label, _)| label)),
        ("right_eye", person.right.map(|(label, _)| label)),
    ];
    for (what, label) in places {
        let Some(label) = label else { continue };
        provenance(&mut all, what, label);
    }
    for label in &person.states {
        let what = word(label.kind);
        all.insert(what.clone(), state(label));
        provenance(&mut all, &what, label);
    }
    all
}

fn provenance(all: &mut Map<String, Json>, what: &str, label: &Label) {
    all.insert(format!("{what}_provenance"), json!(label.standing.name()));
    all.insert(format!("{what}_label"), json!(label.id));
    if let Some(confidence) = label.confidence {
        all.insert(format!("{what}_confidence"), json!(confidence));
    }
    if let Some(model) = &label.model {
        all.insert(format!("{what}_model"), json!(model.word()));
    }
    if let Some(by) = &label.by {
        all.insert(format!("{what}_by"), json!(by));
    }
}

/// The name of a kind where a hyphen is not usual.
pub(crate) fn word(kind: DeskKind) -> String {
    kind.name().replace('-', "_")
}

/// What a state or an event says of a frame that it holds in.
pub(crate) fn state(label: &Label) -> Json {
    match label.value {
        Some(crate::Value::Level(level)) => json!(level),
        Some(crate::Value::Flag(flag)) => json!(flag),
        _ => json!(true),
    }
}

fn silence(label: &Label) -> String {
    let track = label
        .track
        .map_or("-".to_owned(), |track| track.to_string());
    let reason = label.reason.map_or("", label_core::AbstainReason::name);
    format!("{track}:{}:{reason}", label.kind)
}
