//! From the store's rows to the neutral clip of `formats`.

use anyhow::Result;
use formats::{BoxAt, Clip, Event, Frames, Key, Label, Model, PointAt, Standing, Value};
use label_core::wire::LabelValue;
use label_store::{
    ClipId, ClipRecord, LabelRecord, QueueFilter, ReviewState, Snapshot, StoredDecision,
    clip_id_text, label_key_text,
};
use quality::DeskValue;
use review::Labels;
use std::collections::HashMap;
use std::sync::Arc;

/// What became of a clip.
pub(crate) enum Chosen {
    /// It is to be exported.
    Clip(Box<Clip>),
    /// Nothing in it was asked for.
    Nothing,
    /// Its size is not known.
    NotOpened,
}

pub(crate) async fn read(
    snapshot: &mut Snapshot,
    id: &ClipId,
    filter: &QueueFilter,
    labels: Labels,
) -> Result<Chosen> {
    let record = snapshot.clip(id).await?;
    let (Some(width), Some(height)) = (record.clip.width, record.clip.height) else {
        return Ok(Chosen::NotOpened);
    };
    let mut models = Models::default();
    let mut taken = Vec::new();
    snapshot
        .labels(id, filter, |record| {
            taken.extend(label(record, labels, &mut models));
        })
        .await?;
    if filter.chooses_labels()
        && !taken
            .iter()
            .any(|label| label.standing != Standing::Abstained)
    {
        return Ok(Chosen::Nothing);
    }
    taken.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(Chosen::Clip(Box::new(clip(record, (width, height), taken))))
}

/// The clip alone; none whose size its rig has not told.
pub(crate) fn without_labels(record: ClipRecord) -> Option<Clip> {
    let size = record.clip.width.zip(record.clip.height)?;
    Some(clip(record, size, Vec::new()))
}

fn clip(record: ClipRecord, (width, height): (u32, u32), labels: Vec<Label>) -> Clip {
    let clip = record.clip;
    // Of a clip that is still open, as many as anything was told of.
    let told = labels
        .iter()
        .map(|label| label.frames.end + 1)
        .max()
        .unwrap_or(0);
    let count = clip
        .frames
        .unwrap_or_else(|| told.max(record.pts_us.len() as u32));
    let mut pts_us = record.pts_us;
    pts_us.resize(count as usize, None);
    let rig = clip.id.rig.as_str();
    Clip {
        id: clip_id_text(&clip.id),
        stem: format!("{rig}_{}_{}", clip.id.boot.raw(), clip.id.clip),
        rig: rig.to_owned(),
        name: clip.name,
        width,
        height,
        codec: record.codec,
        sha256: record.sha256,
        utc_us: clip.utc_us,
        clock: record.clock,
        closed: record.closed,
        frames: Frames {
            count,
            nominal_fps: clip.nominal_fps.map(f64::from),
            pts_us,
            repeats: record.repeats,
            dropped: record
                .dropped
                .iter()
                .map(|gap| (gap.before, gap.count))
                .collect(),
        },
        beside: formats::Beside::Nothing,
        labels,
    }
}

/// Models are few and labels many.
#[derive(Default)]
struct Models(HashMap<(String, String, String), Arc<Model>>);

/// The label as asked for; `None` where it is not among those asked for.
fn label(record: LabelRecord, asked: Labels, models: &mut Models) -> Option<Label> {
    let LabelRecord {
        label,
        cause,
        reviewer,
        at_us,
    } = record;
    let as_offered = asked == Labels::Candidates;
    let is_made = label.decision == StoredDecision::Made;
    let is_left_out = match label.state {
        // What is to be answered from scratch is shown to nobody before, in files neither.
        Some(ReviewState::Removed | ReviewState::Blind) => true,
        Some(_) if as_offered => is_made,
        Some(ReviewState::Waiting) => asked == Labels::Truth,
        Some(ReviewState::Rejected) => is_made,
        _ => false,
    };
    if is_left_out {
        return None;
    }
    let standing = match label.state {
        None => Standing::Abstained,
        Some(ReviewState::Rejected) if !as_offered => Standing::Rejected,
        // Who accepts or corrects what another person made does not make a machine of them.
        Some(_) if is_made => Standing::Created,
        Some(ReviewState::Accepted) if !as_offered => Standing::Confirmed,
        Some(ReviewState::Corrected) if !as_offered => Standing::Corrected,
        Some(_) => Standing::Machine,
    };
    let right = label.correction.filter(|_| !as_offered);
    let frames = right.as_ref().and_then(|right| right.frames);
    let value = right.and_then(|right| right.value).or(label.value);
    let judged = standing.is_reviewed() || standing == Standing::Rejected;
    Some(Label {
        id: label_key_text(&label.id),
        kind: label.kind,
        track: label.track,
        driver: label.driver,
        frames: frames.unwrap_or(label.frames),
        standing,
        value: value.as_ref().map(neutral),
        reason: label.reason,
        cause: cause.filter(|_| judged),
        confidence: label.confidence.map(|share| round(share, 1e4)),
        model: label.model.map(|model| {
            let key = (
                model.name.clone(),
                model.version.clone(),
                model.sha256.clone(),
            );
            let model = || {
                Arc::new(Model {
                    name: model.name,
                    version: model.version,
                    sha256: model.sha256,
                })
            };
            Arc::clone(models.0.entry(key).or_insert_with(model))
        }),
        by: reviewer.filter(|_| judged),
        at_us: at_us.filter(|_| judged),
        signs: label.signs,
    })
}

/// 32-bit numbers were rounded to so much when they were told; the rest is noise of their form.
fn round(value: f32, scale: f64) -> f64 {
    (f64::from(value) * scale).round() / scale
}

fn neutral(value: &DeskValue) -> Value {
    let pixel = |value| round(value, 100.0);
    let value = match value {
        DeskValue::Offered(value) => value,
        DeskValue::Line { line } => return Value::Line(line.clone()),
    };
    match value {
        LabelValue::Boxes(keys) => Value::Boxes(
            keys.iter()
                .map(|key| Key {
                    frame: key.0,
                    at: BoxAt {
                        x: pixel(key.1),
                        y: pixel(key.2),
                        width: pixel(key.3),
                        height: pixel(key.4),
                    },
                    confidence: round(key.5, 1e4),
                })
                .collect(),
        ),
        LabelValue::Points(keys) => Value::Points(
            keys.iter()
                .map(|key| Key {
                    frame: key.0,
                    at: PointAt {
                        x: pixel(key.1),
                        y: pixel(key.2),
                    },
                    confidence: round(key.3, 1e4),
                })
                .collect(),
        ),
        LabelValue::Flag(flag) => Value::Flag(*flag),
        LabelValue::Level(level) => Value::Level(*level),
        LabelValue::Event(event) => Value::Event(Event {
            eyes: event.eyes,
            peak: event.peak,
            opening: round(event.opening, 1e4),
        }),
    }
}
