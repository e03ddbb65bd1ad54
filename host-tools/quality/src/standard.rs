//! The quality standard: how far a label may be from what a reviewer made of it and still count as right.

use crate::compare::LINE_PX;
use crate::{DeskValue, LineValue};
use label_core::keyframes::{Measurement, interpolate};
use label_core::wire::LabelValue;
use label_core::{BoundingBox, FrameRange, Keypoint};

/// A box whose shorter side is below this many pixels is held to the laxer overlap.
const SMALL_PX: f32 = 100.0;
const IOU: f32 = 0.8;
const IOU_SMALL: f32 = 0.65;
const POINT_PX: f32 = 8.0;
/// Share of a track's frames that must be in place.
const SHARE: f32 = 0.9;
const TEMPORAL_IOU: f32 = 0.5;
/// A line is compared in so many frames at most, evenly spread: two of 256 points take about a third of a millisecond a frame.
const LINE_FRAMES: u32 = 500;

/// What a reviewer changed; what is absent was right.
#[derive(Clone, Copy, Debug, Default)]
pub struct Correction<'a> {
    /// The right frames.
    pub frames: Option<FrameRange>,
    /// The right value.
    pub value: Option<&'a LabelValue>,
}

/// Whether what was offered is within the standard of what it was corrected to: boxes at `IoU` 0.8 (0.65 where the right one is
/// under 100 px), points within 8 px, both in 90 % of the frames; yes, no and levels equal; frames at temporal `IoU` 0.5.
///
/// Frames are compared where both have a value; a range that was changed must besides overlap by half.
pub fn within_standard(frames: FrameRange, value: &LabelValue, correction: Correction<'_>) -> bool {
    let right_frames = correction.frames.unwrap_or(frames);
    if frames.iou(right_frames) < TEMPORAL_IOU {
        return false;
    }
    let Some(right) = correction.value else {
        return true;
    };
    match (value, right) {
        (LabelValue::Boxes(offered), LabelValue::Boxes(right)) => {
            let offered: Vec<_> = offered
                .iter()
                .map(|k| key(k.0, [k.1, k.2, k.3, k.4]))
                .collect();
            let right: Vec<_> = right
                .iter()
                .map(|k| key(k.0, [k.1, k.2, k.3, k.4]))
                .collect();
            enough(&offered, &right, |a, b| {
                let [a, b] = [a, b].map(|[x, y, w, h]| BoundingBox::new(x, y, w, h));
                let least = if b.width.min(b.height) < SMALL_PX {
                    IOU_SMALL
                } else {
                    IOU
                };
                a.iou(b) >= least
            })
        }
        (LabelValue::Points(offered), LabelValue::Points(right)) => {
            let offered: Vec<_> = offered.iter().map(|k| key(k.0, [k.1, k.2])).collect();
            let right: Vec<_> = right.iter().map(|k| key(k.0, [k.1, k.2])).collect();
            enough(&offered, &right, |a, b| {
                Keypoint::new(a[0], a[1]).distance(Keypoint::new(b[0], b[1])) <= POINT_PX
            })
        }
        (LabelValue::Flag(offered), LabelValue::Flag(right)) => offered == right,
        (LabelValue::Level(offered), LabelValue::Level(right)) => offered == right,
        // Of an event the frames are the value.
        (LabelValue::Event(_), LabelValue::Event(_)) => true,
        _ => false,
    }
}

/// The same of what the desk keeps: besides, lines with an RMSE of 10 px at most in 90 % of the frames of both. What was changed is
/// told by its right frames and value; what is absent was right.
pub fn correction_within_standard(
    frames: FrameRange,
    value: &DeskValue,
    (right_frames, right): (Option<FrameRange>, Option<&DeskValue>),
) -> bool {
    match (value, right) {
        (DeskValue::Offered(value), None | Some(DeskValue::Offered(_))) => {
            let made = Correction {
                frames: right_frames,
                value: right.and_then(DeskValue::offered),
            };
            within_standard(frames, value, made)
        }
        (DeskValue::Line { line }, None | Some(DeskValue::Line { .. })) => {
            let right_frames = right_frames.unwrap_or(frames);
            let right = match right {
                Some(DeskValue::Line { line }) => line,
                _ => line,
            };
            let both = FrameRange {
                start: frames.start.max(right_frames.start),
                end: frames.end.min(right_frames.end),
            };
            frames.iou(right_frames) >= TEMPORAL_IOU && enough_of_lines(both, line, right)
        }
        _ => false,
    }
}

/// Whether at least 90 % of these frames are in place.
fn enough_of_lines(both: FrameRange, offered: &LineValue, right: &LineValue) -> bool {
    let step = both.frames().div_ceil(LINE_FRAMES).max(1);
    let (mut frames, mut good) = (0_u32, 0_u32);
    for frame in (both.start..=both.end).step_by(step as usize) {
        let apart = offered
            .at(frame)
            .zip(right.at(frame))
            .and_then(|(offered, right)| offered.rmse(&right));
        frames += 1;
        good += u32::from(apart.is_some_and(|apart| apart <= LINE_PX));
    }
    frames > 0 && good as f32 >= SHARE * frames as f32
}

fn key<const N: usize>(frame: u32, values: [f32; N]) -> Measurement<N> {
    Measurement { frame, values }
}

/// Whether at least 90 % of the frames that both tracks cover are in place.
fn enough<const N: usize>(
    offered: &[Measurement<N>],
    right: &[Measurement<N>],
    in_place: impl Fn([f32; N], [f32; N]) -> bool,
) -> bool {
    let (Some(first), Some(last)) = (offered.first(), offered.last()) else {
        return false;
    };
    let (mut frames, mut good) = (0_u32, 0_u32);
    for frame in first.frame..=last.frame {
        if let (Some(a), Some(b)) = (at(offered, frame), at(right, frame)) {
            frames += 1;
            good += u32::from(in_place(a, b));
        }
    }
    frames > 0 && good as f32 >= SHARE * frames as f32
}

/// The value at a frame; `None` outside the keyframes.
fn at<const N: usize>(keyframes: &[Measurement<N>], frame: u32) -> Option<[f32; N]> {
    let after = keyframes.partition_point(|key| key.frame < frame);
    let b = keyframes.get(after)?;
    if b.frame == frame {
        return Some(b.values);
    }
    let a = keyframes.get(after.checked_sub(1)?)?;
    Some(interpolate(a, b, frame))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LineKey;
    use label_core::wire::{BoxKeyframe, EventEyes, EventValue, PointKeyframe};

    const RANGE: FrameRange = FrameRange { start: 0, end: 9 };

    fn points(rows: &[(u32, f32, f32)]) -> LabelValue {
        LabelValue::Points(
            rows.iter()
                .map(|(frame, x, y)| PointKeyframe(*frame, *x, *y, 0.9))
                .collect(),
        )
    }

    fn boxes(x: f32, side: f32) -> LabelValue {
        LabelValue::Boxes(
            [0, 9]
                .iter()
                .map(|frame| BoxKeyframe(*frame, x, 0.0, side, side, 0.9))
                .collect(),
        )
    }

    fn to(value: &LabelValue) -> Correction<'_> {
        Correction {
            frames: None,
            value: Some(value),
        }
    }

    #[test]
    fn a_point_may_be_eight_pixels_off_in_nine_frames_of_ten() {
        let offered = points(&[(0, 100.0, 50.0), (9, 100.0, 50.0)]);
        let near = points(&[(0, 107.0, 50.0), (9, 107.0, 50.0)]);
        assert!(within_standard(RANGE, &offered, to(&near)));
        let drifts = points(&[(0, 100.0, 50.0), (9, 116.0, 50.0)]);
        assert!(
            !within_standard(RANGE, &offered, to(&drifts)),
            "half of it is off"
        );
        let last = points(&[(0, 100.0, 50.0), (8, 100.0, 50.0), (9, 160.0, 50.0)]);
        assert!(
            within_standard(RANGE, &offered, to(&last)),
            "one frame of ten"
        );
    }

    #[test]
    fn a_small_box_is_held_to_less() {
        // Shifted by 15 %: IoU 0.74.
        assert!(within_standard(
            RANGE,
            &boxes(0.0, 80.0),
            to(&boxes(12.0, 80.0))
        ));
        assert!(!within_standard(
            RANGE,
            &boxes(0.0, 200.0),
            to(&boxes(30.0, 200.0))
        ));
    }

    #[test]
    fn a_line_may_be_ten_pixels_off_in_nine_frames_of_ten() {
        let line = |keys: &[(u32, f32)]| {
            let key = |(frame, y): &(u32, f32)| LineKey(*frame, vec![[0.0, *y], [300.0, *y]]);
            DeskValue::from(LineValue {
                closed: false,
                keys: keys.iter().map(key).collect(),
            })
        };
        let offered = line(&[(0, 50.0)]);
        let right = |right: &DeskValue, frames: Option<FrameRange>| {
            correction_within_standard(RANGE, &offered, (frames, Some(right)))
        };
        assert!(right(&line(&[(0, 59.5)]), None));
        assert!(!right(&line(&[(0, 60.5)]), None));
        assert!(
            right(&line(&[(8, 50.0), (9, 90.0)]), None),
            "one frame of ten"
        );
        assert!(
            !right(&line(&[(0, 50.0), (9, 90.0)]), None),
            "most of it is off"
        );
        assert!(!right(&line(&[(0, 50.0)]), Some(FrameRange::new(7, 16))));
        assert!(
            !right(&LabelValue::Flag(true).into(), None),
            "another kind of value"
        );
        assert!(correction_within_standard(RANGE, &offered, (None, None)));
    }

    #[test]
    fn an_event_must_overlap_by_half() {
        let event = LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak: 3,
            opening: 0.1,
        });
        let moved = |start, end| Correction {
            frames: Some(FrameRange::new(start, end)),
            value: None,
        };
        assert!(within_standard(RANGE, &event, moved(1, 10)));
        assert!(!within_standard(RANGE, &event, moved(7, 16)));
    }

    #[test]
    fn yes_is_not_no_and_three_is_not_four() {
        let equal = |a, b| within_standard(RANGE, a, to(b));
        assert!(equal(&LabelValue::Flag(true), &LabelValue::Flag(true)));
        assert!(!equal(&LabelValue::Flag(true), &LabelValue::Flag(false)));
        assert!(!equal(&LabelValue::Level(3), &LabelValue::Level(4)));
        assert!(
            !equal(&LabelValue::Level(3), &LabelValue::Flag(true)),
            "another kind of value"
        );
    }
}
