//! Datumaro's own format: `annotations/<subset>.json`, for its tools to convert, filter and merge.
//!
//! An item is a picture, named `<clip>/<frame as six digits>`; boxes are x, y, width and height from the top left in pixels. The eyes are points
//! of the label `eyes`, the subject's left one first; an eye that is not told has visibility 0 (absent). Both carry the person's track as
//! `group`, so that a box and its eyes stay together. Attributes are those of COCO.

use crate::clip::{Clip, Standing};
use crate::coco::{NO_PICTURE, attributes, lose_between_pictures, picture_name};
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::{Moment, Place, moments};
use crate::output::Array;
use serde_json::{Value as Json, json};

pub(crate) struct Datumaro;

const PERSON: u8 = 0;
const EYES: u8 = 1;
const REJECTED: u8 = 2;

impl Writer for Datumaro {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        lose_between_pictures(clip, to);
        let abstained = clip
            .labels
            .iter()
            .filter(|label| label.standing == Standing::Abstained);
        to.lose(
            "abstentions of boxes and eyes: left out",
            abstained
                .filter(|label| crate::has_place(label.kind))
                .count() as u64,
        );
        let density = to.density;
        let passed_over = moments(clip, density, |moment| {
            let item = item(clip, moment, to);
            let path = path(to.subset);
            to.output.element(Array::File(&path, OPENING), &item)
        })?;
        to.lose(NO_PICTURE, passed_over);
        Ok(())
    }

    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError> {
        let path = path(to.subset);
        if to.output.is_new(&path) {
            to.output.append(&path, OPENING.as_bytes())?;
        }
        to.output.append(&path, b"\n]}\n")
    }
}

fn path(subset: &str) -> String {
    format!("annotations/{subset}.json")
}

/// Everything before the first item. Media type 2 is a picture.
const OPENING: &str = r#"{"dm_format_version": "1.0", "media_type": 2, "infos": {}, "categories": {
"label": {"label_groups": [], "labels": [
{"name": "person", "parent": "", "attributes": []},
{"name": "eyes", "parent": "", "attributes": []},
{"name": "rejected", "parent": "", "attributes": []}], "attributes": []},
"points": {"items": [{"label_id": 1, "labels": ["left_eye", "right_eye"], "joints": [[1, 2]]}]}},
"items": [
"#;

fn item(clip: &Clip, moment: &Moment<'_>, to: &mut Target<'_>) -> Json {
    let mut annotations = Vec::new();
    for (track, person) in &moment.people {
        let attributes = attributes(*track, person);
        if let Some((_, at)) = person.bbox {
            annotations.push(json!({
                "id": to.next("annotation"), "type": "bbox", "label_id": PERSON, "group": track, "z_order": 0,
                "bbox": [at.x, at.y, at.width, at.height], "attributes": attributes,
            }));
        }
        let eyes = person.eyes().map(|eye| eye.map(|(_, at)| at));
        if eyes.iter().any(Option::is_some) {
            let points: Vec<f64> = eyes
                .iter()
                .flat_map(|eye| eye.map_or([0.0, 0.0], |at| [at.x, at.y]))
                .collect();
            let visibility = eyes.map(|eye| if eye.is_some() { 2 } else { 0 });
            annotations.push(json!({
                "id": to.next("annotation"), "type": "points", "label_id": EYES, "group": track, "z_order": 0,
                "points": points, "visibility": visibility, "attributes": attributes,
            }));
        }
    }
    for (label, place) in &moment.rejected {
        let attributes =
            json!({"kind": label.kind.name(), "cause": label.cause, "label": label.id});
        let number = to.next("annotation");
        annotations.push(match place {
            Place::Box(at) => json!({
                "id": number, "type": "bbox", "label_id": REJECTED, "group": 0, "z_order": 0,
                "bbox": [at.x, at.y, at.width, at.height], "attributes": attributes,
            }),
            Place::Point(at) => json!({
                "id": number, "type": "points", "label_id": REJECTED, "group": 0, "z_order": 0,
                "points": [at.x, at.y], "visibility": [2], "attributes": attributes,
            }),
        });
    }
    to.pictures.push(moment.frame);
    let name = picture_name(clip, moment.frame);
    json!({
        "id": name,
        "annotations": annotations,
        "attr": {"clip": clip.id, "frame": moment.frame, "pts_us": clip.frames.pts_us(moment.frame)},
        "image": {"path": format!("{name}.{}", clip.beside.ending()), "size": [clip.height, clip.width]},
    })
}
