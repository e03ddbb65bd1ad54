//! Whether a value that a person gave can be true.

use crate::StoreError;
use crate::verdict::Correction;
use ::quality::{DeskKind, DeskValue, LineKey, LineValue, MAX_LINE_POINTS};
use label_core::wire::{LabelValue, MAX_KEYFRAMES};
use label_core::{FrameRange, LabelKind};

/// No picture is this large: what lies further out is a slip.
const MAX_PIXELS: f32 = 100_000.0;

/// What a label's value must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) kind: DeskKind,
    /// The frames it holds for, where the person does not say others.
    pub(crate) frames: FrameRange,
    /// Frames of the clip, once it is closed.
    pub(crate) clip_frames: Option<u32>,
}

impl Bounds {
    pub(crate) fn check(&self, given: &Correction) -> Result<(), StoreError> {
        let refuse = |why| Err(StoreError::Verdict(why));
        if given.frames.is_none() && given.value.is_none() {
            return refuse("a correction gives frames, a value, or both");
        }
        let frames = given.frames.unwrap_or(self.frames);
        if self.clip_frames.is_some_and(|all| frames.end >= all) {
            return refuse("the frames reach beyond the clip");
        }
        match &given.value {
            Some(value) => self.check_value(value, frames),
            None if self.is_track() => refuse(
                "the frames of boxes, points and lines change with their keyframes: give both",
            ),
            None => Ok(()),
        }
    }

    const fn is_track(&self) -> bool {
        matches!(
            self.kind,
            DeskKind::Line(_)
                | DeskKind::Offered(
                    LabelKind::BboxPerson
                        | LabelKind::KeypointLeftEye
                        | LabelKind::KeypointRightEye
                )
        )
    }

    fn check_value(&self, value: &DeskValue, frames: FrameRange) -> Result<(), StoreError> {
        match (self.kind, value) {
            (DeskKind::Offered(kind), DeskValue::Offered(value)) => {
                check_offered(kind, value, frames)
            }
            (DeskKind::Line(_), DeskValue::Line { line }) => check_line(line, frames),
            _ => Err(StoreError::Verdict(OTHER_KIND)),
        }
    }
}

const OTHER_KIND: &str = "the value is not one of this kind";

fn check_line(line: &LineValue, frames: FrameRange) -> Result<(), StoreError> {
    let refuse = |why| Err(StoreError::Verdict(why));
    if line.keys.len() > MAX_KEYFRAMES {
        return refuse("a line has 128 keyframes at most");
    }
    check_frames(line.keys.iter().map(|key| key.0), frames)?;
    let least = if line.closed { 3 } else { 2 };
    let counted = |LineKey(_, points): &LineKey| (least..=MAX_LINE_POINTS).contains(&points.len());
    if !line.keys.iter().all(counted) {
        return refuse(
            "a line has 2 to 256 points in a keyframe, and 3 at least where it is closed",
        );
    }
    let mut points = line.keys.iter().flat_map(|key| &key.1);
    if !points.all(|point| within(point)) {
        return refuse("a point of a line is finite");
    }
    Ok(())
}

fn check_offered(
    kind: LabelKind,
    value: &LabelValue,
    frames: FrameRange,
) -> Result<(), StoreError> {
    let refuse = |why| Err(StoreError::Verdict(why));
    match (kind, value) {
        (LabelKind::BboxPerson, LabelValue::Boxes(boxes)) => {
            check_frames(boxes.iter().map(|key| key.0), frames)?;
            let sound = boxes.iter().all(|key| {
                within(&[key.1, key.2]) && within(&[key.3, key.4]) && key.3 > 0.0 && key.4 > 0.0
            });
            if !sound {
                return refuse("a box has finite corners, and a width and height above 0");
            }
            check_confidence(boxes.iter().map(|key| key.5))
        }
        (LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye, LabelValue::Points(points)) => {
            check_frames(points.iter().map(|key| key.0), frames)?;
            if !points.iter().all(|key| within(&[key.1, key.2])) {
                return refuse("a point is finite");
            }
            check_confidence(points.iter().map(|key| key.3))
        }
        (
            LabelKind::WearingGlasses
            | LabelKind::InShadow
            | LabelKind::FaceOccluded
            | LabelKind::LightChange,
            LabelValue::Flag(_),
        ) => Ok(()),
        (LabelKind::Alertness | LabelKind::VideoQuality, LabelValue::Level(level)) => {
            if (1..=5).contains(level) {
                Ok(())
            } else {
                refuse("a level is 1 to 5")
            }
        }
        (LabelKind::Blink | LabelKind::LongClosure, LabelValue::Event(event)) => {
            if !frames.contains(event.peak) {
                return refuse("the peak lies within the frames");
            }
            // A share of the open eye: what is far beyond one is no opening.
            if !(0.0..100.0).contains(&event.opening) {
                return refuse("an opening is 0 or more, and less than 100");
            }
            Ok(())
        }
        _ => refuse(OTHER_KIND),
    }
}

fn within(numbers: &[f32]) -> bool {
    numbers
        .iter()
        .all(|number| number.is_finite() && number.abs() <= MAX_PIXELS)
}

fn check_frames(
    keyframes: impl Iterator<Item = u32>,
    frames: FrameRange,
) -> Result<(), StoreError> {
    let mut last = None;
    for frame in keyframes {
        if !frames.contains(frame) {
            return Err(StoreError::Verdict("a keyframe lies outside the frames"));
        }
        if last.is_some_and(|last| last >= frame) {
            return Err(StoreError::Verdict(
                "keyframes follow each other, one a frame at most",
            ));
        }
        last = Some(frame);
    }
    if last.is_none() {
        return Err(StoreError::Verdict("there is no keyframe"));
    }
    Ok(())
}

fn check_confidence(mut confidences: impl Iterator<Item = f32>) -> Result<(), StoreError> {
    if confidences.all(|confidence| (0.0..=1.0).contains(&confidence)) {
        Ok(())
    } else {
        Err(StoreError::Verdict("a confidence is 0 to 1"))
    }
}
