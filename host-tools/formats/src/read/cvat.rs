//! CVAT for video 1.1: an XML file a clip. Only shapes of `keyframe="1"` count, as in CVAT; a track holds from its first one to the frame
//! before the one marked `outside`, or to the clip's end.

mod line;

use super::gather::{Gathered, Meta};
use super::xml::{Node, walk};
use super::{MAX_PLACES, ReadError, Told, files, names};
use crate::clip::{BoxAt, Key, PointAt, Standing, Value, hundredths};
use crate::moments::has_place;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

type Attributes = BTreeMap<String, String>;

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    for path in files::some_with_extension(place, "xml", "CVAT for video 1.1")? {
        one_file(&path, to)?;
    }
    Ok(())
}

/// A shape of a track.
struct Shape {
    frame: FrameIndex,
    is_outside: bool,
    place: Option<[f64; 4]>,
    drawn: Option<line::Drawn>,
    attributes: Attributes,
    line: u64,
}

#[derive(Default)]
struct File {
    told: Told,
    clip: Option<String>,
    within: Vec<String>,
    label: String,
    id: String,
    shapes: Vec<Shape>,
    attribute: String,
    ids: HashSet<String>,
    is_video: bool,
}

fn one_file(path: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let mut file = File::default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    file.told.id = stem.into_owned();
    walk(path, |node, line| {
        match node {
            Node::Start(name, attributes) => {
                file.start(name, attributes, to, (path, line))?;
                file.within.push((*name).to_owned());
            }
            Node::End(name, text) => {
                file.within.pop();
                file.end(name, text, to, (path, line))?;
            }
        }
        Ok(())
    })?;
    if !file.is_video {
        return Err(ReadError::broken(
            path,
            None,
            "this is no CVAT for video 1.1: it has no <annotations>",
        ));
    }
    if file.clip.is_none() {
        to.only_clip(&file.told, (path, None))?;
    }
    Ok(())
}

fn number<T: std::str::FromStr>(
    attributes: &Attributes,
    name: &str,
    at: (&Path, u64),
) -> Result<T, ReadError> {
    let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
    let text = attributes
        .get(name)
        .ok_or_else(|| broken(format!("the attribute {name} is missing")))?;
    text.trim()
        .parse()
        .map_err(|_| broken(format!("{name}={text:?} is no such number")))
}

impl File {
    fn is_in(&self, name: &str) -> bool {
        self.within.last().is_some_and(|one| one == name)
    }

    fn start(
        &mut self,
        name: &str,
        attributes: &Attributes,
        to: &mut Gathered<'_>,
        at: (&Path, u64),
    ) -> Result<(), ReadError> {
        let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
        match name {
            "annotations" => self.is_video = true,
            "image" if self.is_in("annotations") => {
                return Err(broken(
                    "this is CVAT for images: export the task as \"CVAT for video 1.1\"".to_owned(),
                ));
            }
            "track" if self.is_in("annotations") => {
                self.id = attributes.get("id").cloned().unwrap_or_default();
                if !self.ids.insert(self.id.clone()) {
                    return Err(broken(format!("track {} is there twice", self.id)));
                }
                self.label = attributes.get("label").cloned().unwrap_or_default();
                self.shapes.clear();
                if self.clip.is_none() {
                    self.clip = Some(to.only_clip(&self.told, (at.0, Some(at.1)))?);
                }
            }
            "box" | "points" | "polyline" | "polygon" | "ellipse" | "cuboid" | "mask"
            | "skeleton"
                if self.is_in("track") =>
            {
                let is_key = attributes
                    .get("keyframe")
                    .ok_or_else(|| broken("the attribute keyframe is missing".to_owned()))?;
                if is_key != "1" {
                    return Ok(());
                }
                let shape = Shape {
                    frame: number(attributes, "frame", at)?,
                    is_outside: attributes.get("outside").is_some_and(|word| word == "1"),
                    place: place(name, attributes, at)?,
                    drawn: match names::line_kind(&self.label, &to.reading.names) {
                        Some(_) => line::drawn(name, attributes, to, at)?,
                        None => None,
                    },
                    attributes: Attributes::new(),
                    line: at.1,
                };
                if self
                    .shapes
                    .last()
                    .is_some_and(|last| last.frame >= shape.frame)
                {
                    return Err(broken(format!(
                        "frame {} comes twice or after a later one of its track",
                        shape.frame
                    )));
                }
                if attributes
                    .get("rotation")
                    .is_some_and(|turn| turn.parse() != Ok(0.0))
                {
                    return Err(broken(
                        "boxes that are turned have no place here: set the rotation to 0"
                            .to_owned(),
                    ));
                }
                if self.shapes.len() >= MAX_PLACES {
                    return Err(broken(format!(
                        "a track has more than {MAX_PLACES} shapes: divide the set"
                    )));
                }
                self.shapes.push(shape);
            }
            "attribute" => self.attribute = attributes.get("name").cloned().unwrap_or_default(),
            _ => {}
        }
        Ok(())
    }

    fn end(
        &mut self,
        name: &str,
        text: &str,
        to: &mut Gathered<'_>,
        at: (&Path, u64),
    ) -> Result<(), ReadError> {
        let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
        let count = |text: &str| {
            text.trim()
                .parse()
                .map_err(|_| broken(format!("<{name}> is {text:?}, no such number")))
        };
        match name {
            "name" if self.is_in("task") || self.is_in("job") => {
                let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
                if first.split(':').count() == 3 {
                    first.clone_into(&mut self.told.id);
                    self.told.name = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
                } else if !text.is_empty() {
                    self.told.name = Some(text.to_owned());
                }
            }
            "source" if self.is_in("task") || self.is_in("job") => {
                self.told.name = Some(text.to_owned());
            }
            "size" if self.is_in("task") || self.is_in("job") => {
                self.told.frames = Some(count(text)?);
            }
            "width" if self.is_in("original_size") => self.told.size = Some((count(text)?, 0)),
            "height" if self.is_in("original_size") => {
                let width = self.told.size.map_or(0, |size| size.0);
                self.told.size = Some((width, count(text)?));
            }
            "attribute" if self.within.iter().any(|one| one == "track") => {
                if let Some(shape) = self.shapes.last_mut() {
                    shape
                        .attributes
                        .insert(std::mem::take(&mut self.attribute), text.to_owned());
                }
            }
            "track" => return self.track(to, at),
            _ => {}
        }
        Ok(())
    }

    /// Hands over a track: a label for each run of frames with one identity.
    fn track(&mut self, to: &mut Gathered<'_>, at: (&Path, u64)) -> Result<(), ReadError> {
        let Some(clip) = self.clip.clone() else {
            return Ok(());
        };
        let line = names::line_kind(&self.label, &to.reading.names);
        let meaning = names::meaning(&self.label, &to.reading.names);
        if line.is_none() && meaning.is_none() {
            to.dropped.note(
                format!("label {:?} is no kind of label here", self.label),
                at.0,
                Some(at.1),
            );
            return Ok(());
        }
        let shapes = std::mem::take(&mut self.shapes);
        if shapes.is_empty() {
            to.dropped
                .note("tracks without a keyframe", at.0, Some(at.1));
            return Ok(());
        }
        let last = to.known(&clip).frames.count.max(1) - 1;
        let mut run: Vec<&Shape> = Vec::new();
        for (n, shape) in shapes.iter().enumerate() {
            if shape.is_outside {
                continue;
            }
            run.push(shape);
            let next = shapes.get(n + 1);
            let id = |shape: &Shape| shape.attributes.get("id").cloned();
            if next.is_some_and(|next| !next.is_outside && id(next) == id(shape)) {
                continue;
            }
            let end = next.map_or(last.max(shape.frame), |next| next.frame - 1);
            let frames = FrameRange::new(run[0].frame, end);
            if let Some(kind) = line {
                line::take(&clip, kind, (frames, &run), to, at.0)?;
            } else if let Some(meaning) = &meaning {
                self.run(&clip, meaning, (frames, &run), to, at.0)?;
            }
            run.clear();
        }
        Ok(())
    }

    fn run(
        &self,
        clip: &str,
        meaning: &names::Meaning,
        (frames, run): (FrameRange, &[&Shape]),
        to: &mut Gathered<'_>,
        path: &Path,
    ) -> Result<(), ReadError> {
        let first = run[0];
        let broken = |trouble: String| ReadError::broken(path, first.line, trouble);
        let word = |name: &str| first.attributes.get(name).filter(|word| !word.is_empty());
        let parsed = |name: &str| -> Result<Option<f64>, ReadError> {
            let number = word(name).map(|text| {
                text.parse()
                    .map_err(|_| broken(format!("{name}={text:?} is no number")))
            });
            number.transpose()
        };
        let standing = match word("standing") {
            Some(word) => Some(
                names::standing(word)
                    .ok_or_else(|| broken(format!("{word:?} is no standing of a label")))?,
            ),
            None => meaning.standing,
        };
        let kind = meaning.kind;
        let meta = Meta {
            id: word("id").cloned(),
            standing,
            driver: word("driver").is_some_and(|word| word == "true") || self.label == "driver",
            confidence: parsed("confidence")?,
            model: word("model").cloned(),
            by: word("by").cloned(),
            cause: word("cause").cloned(),
            reason: super::csv::reason(word("reason").map(String::as_str), &broken)?,
            ..Meta::default()
        };
        let value = if standing == Some(Standing::Abstained) {
            None
        } else if has_place(kind) {
            Some(track_value(kind, run, meta.confidence).map_err(broken)?)
        } else {
            let value = word("value")
                .map(String::as_str)
                .or(meaning.word.as_deref());
            let peak = parsed("peak")?.map(|peak| peak as u32);
            let event = (
                word("eyes").and_then(|word| names::eyes(word)),
                peak,
                parsed("opening")?,
            );
            Some(names::value(kind, value, frames, event).map_err(broken)?)
        };
        // Without a track of ours everybody is the track that CVAT numbered; it counts from 0.
        let track: Option<TrackId> = if word("id").is_some() {
            word("track")
                .map(|word| {
                    word.parse()
                        .map_err(|_| broken(format!("track {word:?} is no number")))
                })
                .transpose()?
        } else if let Some(word) = word("track") {
            Some(
                word.parse()
                    .map_err(|_| broken(format!("track {word:?} is no number")))?,
            )
        } else {
            let number: u16 = self
                .id
                .parse()
                .map_err(|_| broken(format!("track {:?} is no number", self.id)))?;
            number.checked_add(1)
        };
        to.label(
            clip,
            (kind, track, frames),
            (value, meta),
            (path, Some(first.line)),
        )
    }
}

fn track_value(kind: LabelKind, run: &[&Shape], confidence: Option<f64>) -> Result<Value, String> {
    let confidence = confidence.unwrap_or(super::gather::UNTOLD);
    let missing = || {
        format!(
            "{kind} is drawn as a shape that has no such place: boxes for people, one point for an eye"
        )
    };
    let mut boxes = Vec::new();
    let mut points = Vec::new();
    for shape in run {
        let [x, y, width, height] = shape.place.ok_or_else(missing)?;
        let is_point = width.is_nan();
        if is_point == (kind == LabelKind::BboxPerson) {
            return Err(missing());
        }
        if is_point {
            points.push(Key {
                frame: shape.frame,
                at: PointAt { x, y },
                confidence,
            });
        } else {
            boxes.push(Key {
                frame: shape.frame,
                at: BoxAt {
                    x,
                    y,
                    width,
                    height,
                },
                confidence,
            });
        }
    }
    Ok(if points.is_empty() {
        Value::Boxes(boxes)
    } else {
        Value::Points(points)
    })
}

/// Corner and size; of a single point the size is not a number. Nothing of shapes that have no such place.
fn place(
    name: &str,
    attributes: &Attributes,
    at: (&Path, u64),
) -> Result<Option<[f64; 4]>, ReadError> {
    let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
    let finite = |value: f64| {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(broken(format!("{value} is no place in a picture")))
        }
    };
    match name {
        "box" => {
            let side = |name| finite(number(attributes, name, at)?);
            let (left, top, right, bottom) =
                (side("xtl")?, side("ytl")?, side("xbr")?, side("ybr")?);
            Ok(Some([
                left,
                top,
                hundredths(right - left),
                hundredths(bottom - top),
            ]))
        }
        "points" => {
            let text = attributes
                .get("points")
                .ok_or_else(|| broken("the attribute points is missing".to_owned()))?;
            let Some((x, y)) = text
                .split_once(',')
                .filter(|(_, y)| !y.contains([';', ',']))
            else {
                return Ok(None);
            };
            let number = |text: &str| {
                text.trim()
                    .parse()
                    .map_err(|_| broken(format!("points={text:?} is no place")))
            };
            Ok(Some([
                finite(number(x)?)?,
                finite(number(y)?)?,
                f64::NAN,
                f64::NAN,
            ]))
        }
        _ => Ok(None),
    }
}
