//! Label Studio's tasks: `*.json` with a list of tasks. Frames are counted **from 1**, boxes in **percent**.

use super::gather::{Gathered, Meta};
use super::{ReadError, Told, files, json, names};
use crate::clip::{BoxAt, Key, PointAt, Standing, Value, hundredths};
use label_core::kind::LabelScope;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;

#[derive(Deserialize)]
struct Task {
    data: Data,
    #[serde(default)]
    annotations: Vec<Results>,
    #[serde(default)]
    predictions: Vec<Results>,
}

#[derive(Deserialize)]
struct Data {
    video: String,
    fps: Option<f64>,
    clip: Option<String>,
    clip_id: Option<String>,
    frames: Option<u32>,
}

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    result: Vec<Region>,
    #[serde(default)]
    was_cancelled: bool,
    model_version: Option<String>,
}

#[derive(Deserialize)]
struct Region {
    id: Option<String>,
    #[serde(rename = "type")]
    of: String,
    score: Option<f64>,
    #[serde(default)]
    value: RegionValue,
    #[serde(default)]
    meta: RegionMeta,
}

#[derive(Default, Deserialize)]
struct RegionMeta {
    #[serde(default)]
    text: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegionValue {
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    timelinelabels: Vec<String>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    sequence: Vec<Step>,
    frames_count: Option<u32>,
}

#[derive(Deserialize)]
struct Range {
    start: u32,
    end: u32,
}

#[derive(Deserialize)]
struct Step {
    frame: u32,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    rotation: f64,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

const fn yes() -> bool {
    true
}

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    for path in files::some_with_extension(place, "json", "Label Studio")? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if place.is_dir() && matches!(name.as_str(), "manifest.json" | "loss.json") {
            continue;
        }
        json::each(&path, &[], |_, task: Task, line| {
            one_task(task, to, (&path, Some(line)))
        })?;
    }
    Ok(())
}

fn one_task(task: Task, to: &mut Gathered<'_>, at: (&Path, Option<u64>)) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
    let file = task
        .data
        .video
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let results = || task.annotations.iter().chain(&task.predictions);
    let counted = results()
        .flat_map(|one| &one.result)
        .find_map(|region| region.value.frames_count);
    let told = Told {
        id: task
            .data
            .clip
            .or(task.data.clip_id)
            .unwrap_or_else(|| file.clone()),
        name: Some(file),
        size: None,
        fps: task.data.fps,
        frames: task.data.frames.or(counted),
    };
    let clip = to.only_clip(&told, at)?;
    let names_here = to.reading.names.clone();
    let is_person = |region: &&Region| {
        let name = region.value.labels.first();
        let meaning = name.and_then(|name| names::meaning(name, &names_here));
        region.of == "videorectangle"
            && meaning.is_some_and(|meaning| meaning.kind == LabelKind::BboxPerson)
    };
    let is_alone = results().all(|one| one.result.iter().filter(is_person).count() <= 1);
    let mut ids_before = HashSet::new();
    for (is_prediction, one) in task
        .annotations
        .iter()
        .map(|one| (false, one))
        .chain(task.predictions.iter().map(|one| (true, one)))
    {
        if one.was_cancelled {
            to.dropped.note("annotations that were skipped", at.0, at.1);
            continue;
        }
        let (mut ids, mut people) = (HashSet::new(), 0);
        for region in &one.result {
            let person = if is_person(&region) {
                people += 1;
                Some(people)
            } else {
                is_alone.then_some(1)
            };
            if let Some(id) = &region.id {
                if !ids.insert(id.clone()) {
                    return Err(broken(format!("region {id} is there twice")));
                }
                // Label Studio copies a prediction's regions into the annotation that begins with it.
                if ids_before.contains(id) {
                    to.dropped
                        .note("regions that an annotation has as well", at.0, at.1);
                    continue;
                }
            }
            let model = one.model_version.as_deref().filter(|_| is_prediction);
            take(&clip, (region, person), (is_prediction, model), to, at)?;
        }
        ids_before.extend(ids);
    }
    Ok(())
}

/// What regions of ours say in words.
fn provenance(
    region: &Region,
    (is_prediction, model): (bool, Option<&str>),
) -> (Meta, Option<TrackId>) {
    let mut meta = Meta {
        confidence: region.score,
        model: model.filter(|model| *model != "rigel").map(str::to_owned),
        ..Meta::default()
    };
    let mut track = None;
    let words = &region.meta.text;
    if let Some((standing, id)) = words.first().and_then(|words| words.split_once(' '))
        && let Some(standing) = names::standing(standing)
    {
        meta.standing = Some(standing);
        meta.id = Some(id.to_owned());
    } else if !is_prediction {
        // In Label Studio an annotation is a person's.
        meta.standing = Some(Standing::Created);
    }
    for words in words {
        if let Some(rest) = words.strip_prefix("track ") {
            let (number, driver) = rest
                .split_once(", driver")
                .map_or((rest, false), |(number, _)| (number, true));
            track = number.parse().ok();
            meta.driver = driver;
        } else if let Some(rest) = words.strip_prefix("model ") {
            meta.model = Some(rest.to_owned());
        } else if let Some(rest) = words.strip_prefix("by ") {
            meta.by = Some(rest.to_owned());
        } else if let Some(rest) = words.strip_prefix("cause ") {
            meta.cause = Some(rest.to_owned());
        } else if let Some(rest) = words.strip_prefix("reason ") {
            meta.reason = serde_json::from_value(serde_json::Value::String(rest.to_owned())).ok();
        }
    }
    (meta, track)
}

fn take(
    clip: &str,
    (region, person): (&Region, Option<TrackId>),
    from: (bool, Option<&str>),
    to: &mut Gathered<'_>,
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
    let names_here = match region.of.as_str() {
        "videorectangle" => &region.value.labels,
        "timelinelabels" => &region.value.timelinelabels,
        other => {
            to.dropped
                .note(format!("regions of the type {other:?}"), at.0, at.1);
            return Ok(());
        }
    };
    let Some(name) = names_here.first() else {
        to.dropped.note("regions without a label", at.0, at.1);
        return Ok(());
    };
    let Some(meaning) = names::meaning(name, &to.reading.names) else {
        to.dropped.note(
            format!("label {name:?} is no kind of label here"),
            at.0,
            at.1,
        );
        return Ok(());
    };
    let (mut meta, track) = provenance(region, from);
    meta.standing = meaning.standing.or(meta.standing);
    let kind = meaning.kind;
    let is_place = crate::moments::has_place(kind);
    // Where nobody numbers people, every box is somebody, and of whom the rest is shows only where there is one.
    let track = track.or(person.filter(|_| meta.id.is_none()));
    if track.is_none() && meta.id.is_none() && kind.scope() == LabelScope::Track {
        to.dropped.note(
            format!("{kind} of one of several people, and nothing tells of whom"),
            at.0,
            at.1,
        );
        return Ok(());
    }
    if region.of == "timelinelabels" {
        let is_silent = meta.standing == Some(Standing::Abstained);
        let is_rejected = meta.standing == Some(Standing::Rejected);
        if is_place && !is_silent && !is_rejected {
            to.dropped.note(
                format!("{kind} on the time line: it has no place there"),
                at.0,
                at.1,
            );
            return Ok(());
        }
        for range in &region.value.ranges {
            let from_one = |frame: u32| {
                frame
                    .checked_sub(1)
                    .ok_or_else(|| broken("frames are counted from 1 here".to_owned()))
            };
            let frames = FrameRange {
                start: from_one(range.start)?,
                end: from_one(range.end)?,
            };
            let value = if is_silent {
                None
            } else if is_place {
                Some(super::names::nowhere(kind))
            } else {
                Some(
                    names::value(kind, meaning.word.as_deref(), frames, (None, None, None))
                        .map_err(broken)?,
                )
            };
            to.label(clip, (kind, track, frames), (value, meta.clone()), at)?;
        }
        return Ok(());
    }
    if !is_place {
        to.dropped
            .note(format!("{kind} as a box: it has no place"), at.0, at.1);
        return Ok(());
    }
    boxes(clip, region, (kind, track), &meta, to, at)
}

fn boxes(
    clip: &str,
    region: &Region,
    (kind, track): (LabelKind, Option<TrackId>),
    meta: &Meta,
    to: &mut Gathered<'_>,
    at: (&Path, Option<u64>),
) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
    let (width, height) = (
        f64::from(to.known(clip).width),
        f64::from(to.known(clip).height),
    );
    let last = to.known(clip).frames.count.max(1) - 1;
    let mut run: Vec<(FrameIndex, [f64; 4])> = Vec::new();
    let mut before = 0;
    for (n, step) in region.value.sequence.iter().enumerate() {
        if step.frame <= before {
            return Err(broken(format!(
                "frame {} of a region comes after frame {before}; they are counted from 1",
                step.frame
            )));
        }
        before = step.frame;
        if step.rotation != 0.0 {
            return Err(broken(
                "boxes that are turned have no place here: set the rotation to 0".to_owned(),
            ));
        }
        let pixels = |percent: f64, whole: f64| hundredths(percent * whole / 100.0);
        let place = [
            pixels(step.x, width),
            pixels(step.y, height),
            pixels(step.width, width),
            pixels(step.height, height),
        ];
        if place.iter().any(|value| !value.is_finite()) || place[2] < 0.0 || place[3] < 0.0 {
            return Err(broken(
                "a box of a region has no size that can be".to_owned(),
            ));
        }
        run.push((step.frame - 1, place));
        let is_last = n + 1 == region.value.sequence.len();
        if step.enabled && !is_last {
            continue;
        }
        let end = if step.enabled {
            last.max(step.frame - 1)
        } else {
            step.frame - 1
        };
        let frames = FrameRange::new(run[0].0, end);
        let confidence = meta.confidence.unwrap_or(super::gather::UNTOLD);
        let value = if kind == LabelKind::BboxPerson {
            let key = |(frame, [x, y, width, height]): (FrameIndex, [f64; 4])| Key {
                frame,
                at: BoxAt {
                    x,
                    y,
                    width,
                    height,
                },
                confidence,
            };
            Value::Boxes(run.drain(..).map(key).collect())
        } else {
            let middle = |(frame, [x, y, width, height]): (FrameIndex, [f64; 4])| Key {
                frame,
                at: PointAt {
                    x: hundredths(x + width / 2.0),
                    y: hundredths(y + height / 2.0),
                },
                confidence,
            };
            Value::Points(run.drain(..).map(middle).collect())
        };
        to.label(clip, (kind, track, frames), (Some(value), meta.clone()), at)?;
    }
    Ok(())
}
