//! Whether a well-formed message can be true.

use label_core::kind::LabelScope;
use label_core::wire::{
    Birth, CameraHealth, ClipEvent, ClipMessage, Decision, Evicted, EvidenceHeader, Health, Label,
    LabelBatch, LabelValue, MAX_LABELS, ModelRef, OperatorMark, RecordedSegment, Signs,
};
use label_core::{CaptureTime, FrameIndex, FrameRange, LabelKind, Seq};

/// JSON readers with doubles keep numbers exact up to here; nothing counts further in practice.
const MAX_SEQ: Seq = (1 << 53) - 1;
/// Labels or pictures of one message or one clip: no more are made, and sums of a million such are still numbers.
const MAX_COUNT: u64 = (1 << 31) - 1;
/// Thirty years either way: beyond any clip, and far from overflow.
const MAX_TIME_US: i64 = 1_000_000_000_000_000;
/// The year 2200.
const MAX_UTC_US: i64 = 7_258_118_400_000_000;
/// Larger than any sensor.
const MAX_PIXEL: f32 = 100_000.0;
pub(crate) const MAX_SIDE: u32 = 65_536;
/// Seconds of a minute, lengths in it, and ratios: none comes near.
const MAX_SIGN: f32 = 1000.0;
/// Faster than any camera, frames a second.
const MAX_FPS: f32 = 100_000.0;

/// Why a message cannot be true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {trouble}")]
pub struct Implausible {
    /// The field, as a path.
    pub field: &'static str,
    /// What is wrong with it.
    pub trouble: &'static str,
}

pub(crate) type Check = Result<(), Implausible>;

pub(crate) fn require(holds: bool, field: &'static str, trouble: &'static str) -> Check {
    if holds {
        Ok(())
    } else {
        Err(Implausible { field, trouble })
    }
}

pub(crate) const fn seq_is_possible(seq: Seq) -> bool {
    seq >= 1 && seq <= MAX_SEQ
}

fn plain(text: &str, field: &'static str) -> Check {
    require(
        !text.chars().any(char::is_control),
        field,
        "holds a control character",
    )
}

fn hexadecimal(text: &str, field: &'static str) -> Check {
    require(
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        field,
        "is not lower-case hexadecimal",
    )
}

fn model(model: &ModelRef) -> Check {
    plain(&model.name, "model.name")?;
    plain(&model.version, "model.version")?;
    hexadecimal(&model.sha256, "model.sha256")
}

pub(crate) fn time(time: CaptureTime, field: &'static str) -> Check {
    require(
        time.us().unsigned_abs() <= MAX_TIME_US.unsigned_abs(),
        field,
        "is thirty years away",
    )
}

fn pixels(values: &[f32], field: &'static str) -> Check {
    require(
        values
            .iter()
            .all(|value| value.is_finite() && value.abs() <= MAX_PIXEL),
        field,
        "is not a place in an image",
    )
}

fn probability(value: f32, field: &'static str) -> Check {
    require(
        (0.0..=1.0).contains(&value),
        field,
        "is not between 0 and 1",
    )
}

fn keyframes(frames: impl Iterator<Item = FrameIndex>, range: FrameRange) -> Check {
    let mut before = None;
    for frame in frames {
        require(
            range.contains(frame),
            "value",
            "has a keyframe outside the label's frames",
        )?;
        require(
            before.is_none_or(|before| before < frame),
            "value",
            "has keyframes out of order",
        )?;
        before = Some(frame);
    }
    require(before.is_some(), "value", "has no keyframe")
}

pub(crate) fn clip(message: &ClipMessage) -> Check {
    match &message.event {
        ClipEvent::Opened(opened) => {
            plain(&opened.name, "name")?;
            plain(&opened.codec, "codec")?;
            require(
                (1..=MAX_SIDE).contains(&opened.width) && (1..=MAX_SIDE).contains(&opened.height),
                "width, height",
                "is no size of a picture",
            )?;
            require(
                opened
                    .nominal_fps
                    .is_none_or(|fps| fps > 0.0 && fps <= MAX_FPS),
                "nominal_fps",
                "is no frame rate",
            )?;
            require(
                (0..=MAX_UTC_US).contains(&opened.utc_us),
                "utc_us",
                "is not between 1970 and 2200",
            )
        }
        ClipEvent::Part(part) => {
            let count = part.pts_us.len() as u64;
            require(count > 0, "pts_us", "is empty")?;
            let end = u64::from(part.first) + count;
            require(
                end <= u64::from(FrameIndex::MAX),
                "first",
                "is too large for its frames",
            )?;
            part.pts_us
                .iter()
                .try_for_each(|pts| time(*pts, "pts_us"))?;
            require(
                part.mono_us.is_empty() || part.mono_us.len() == part.pts_us.len(),
                "mono_us",
                "is not as long as pts_us",
            )?;
            let inside = |frame: FrameIndex| u64::from(frame) < end && frame >= part.first;
            require(
                part.repeats.iter().all(|frame| inside(*frame)),
                "repeats",
                "names a frame of another part",
            )?;
            require(
                part.shed.iter().all(|change| inside(change.before)),
                "shed",
                "names a frame of another part",
            )?;
            require(
                part.shed.is_sorted_by_key(|change| change.before),
                "shed",
                "is out of order",
            )
        }
        ClipEvent::OperatorMark(mark) => operator_mark(mark),
        ClipEvent::Recorded(segment) => recorded(segment),
        ClipEvent::Closed(closed) => {
            if let Some(damage) = &closed.damage {
                let unfit = |c: char| c.is_control() && c != '\n' && c != '\t';
                require(
                    !damage.chars().any(unfit),
                    "damage",
                    "holds a control character",
                )?;
            }
            if let Some(digest) = &closed.sha256 {
                hexadecimal(digest, "sha256")?;
            }
            require(
                closed.repeated <= closed.frames,
                "repeated",
                "is more than all frames",
            )?;
            let counts = closed.labels;
            require(
                [counts.offered, counts.abstained, counts.evidence]
                    .into_iter()
                    .all(|count| count <= MAX_COUNT),
                "labels",
                "is not a count",
            )
        }
    }
}

fn recorded(segment: &RecordedSegment) -> Check {
    let (first, last) = segment.frames;
    require(first <= last, "frames", "ends before it begins")?;
    let most = u64::from(last) - u64::from(first) + 1;
    require(
        (1..=most).contains(&u64::from(segment.pictures)),
        "pictures",
        "is not a count of these frames",
    )?;
    require(segment.bytes <= MAX_SEQ, "bytes", "is not a length")?;
    require(segment.sha256.len() == 64, "sha256", "is no digest")?;
    hexadecimal(&segment.sha256, "sha256")
}

fn operator_mark(mark: &OperatorMark) -> Check {
    require(
        mark.frame < FrameIndex::MAX,
        "frame",
        "is no frame of a clip",
    )?;
    time(mark.pts_us, "pts_us")?;
    time(CaptureTime(mark.mono_us), "mono_us")?;
    require(
        (0..=MAX_UTC_US).contains(&mark.utc_us),
        "utc_us",
        "is not between 1970 and 2200",
    )
}

pub(crate) fn batch<const M: usize, const L: usize>(
    batch: &LabelBatch<heapless::Vec<ModelRef, M>, heapless::Vec<Label, L>>,
) -> Check {
    batch.models.iter().try_for_each(model)?;
    for (place, label) in batch.labels.iter().enumerate() {
        require(
            usize::from(label.n) == place,
            "n",
            "is not the label's place in the batch",
        )?;
        require(
            label
                .model
                .is_none_or(|index| usize::from(index) < batch.models.len()),
            "model",
            "is none of the batch's models",
        )?;
        one_label(label)?;
    }
    Ok(())
}

fn one_label(label: &Label) -> Check {
    time(label.pts_us.0, "pts_us")?;
    time(label.pts_us.1, "pts_us")?;
    require(
        label.pts_us.0 <= label.pts_us.1,
        "pts_us",
        "ends before it begins",
    )?;
    require(
        label.raw.is_none_or(f32::is_finite),
        "raw",
        "is not a number",
    )?;
    match label.decision {
        Decision::Abstain => {
            require(
                label.reason.is_some(),
                "reason",
                "is missing: silence must be spoken",
            )?;
            require(label.signs.is_none(), "signs", "stand in an abstention")?;
            require(label.value.is_none(), "value", "stands in an abstention")
        }
        Decision::Candidate => {
            require(label.reason.is_none(), "reason", "stands in a candidate")?;
            require(
                label.track.is_some() || label.kind.scope() == LabelScope::Scene,
                "track",
                "is missing",
            )?;
            let confidence = label.confidence.ok_or(Implausible {
                field: "confidence",
                trouble: "is missing",
            })?;
            probability(confidence.get(), "confidence")?;
            let value = label.value.as_ref().ok_or(Implausible {
                field: "value",
                trouble: "is missing",
            })?;
            if let Some(signs) = &label.signs {
                self::signs(label.kind, signs)?;
            }
            one_value(label.kind, label.frames, value)
        }
    }
}

fn signs(kind: LabelKind, signs: &Signs) -> Check {
    require(
        kind == LabelKind::Alertness,
        "signs",
        "stand in a label of another kind",
    )?;
    probability(signs.perclos, "signs")?;
    let lengths = [signs.seen_s, signs.longest_closure_s];
    let more = [signs.blink_s, signs.blink_ratio].into_iter().flatten();
    require(
        lengths
            .into_iter()
            .chain(more)
            .all(|value| (0.0..=MAX_SIGN).contains(&value)),
        "signs",
        "hold an impossible number",
    )
}

fn one_value(kind: LabelKind, frames: FrameRange, value: &LabelValue) -> Check {
    let fits = match kind {
        LabelKind::BboxPerson => matches!(value, LabelValue::Boxes(_)),
        LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye => {
            matches!(value, LabelValue::Points(_))
        }
        LabelKind::WearingGlasses
        | LabelKind::InShadow
        | LabelKind::FaceOccluded
        | LabelKind::LightChange => matches!(value, LabelValue::Flag(_)),
        LabelKind::Alertness | LabelKind::VideoQuality => matches!(value, LabelValue::Level(_)),
        LabelKind::Blink | LabelKind::LongClosure => matches!(value, LabelValue::Event(_)),
    };
    require(fits, "value", "is not of the label's kind")?;
    match value {
        LabelValue::Boxes(boxes) => {
            keyframes(boxes.iter().map(|key| key.0), frames)?;
            for key in boxes {
                pixels(&[key.1, key.2, key.3, key.4], "value")?;
                require(
                    key.3 >= 0.0 && key.4 >= 0.0,
                    "value",
                    "has a box of negative size",
                )?;
                probability(key.5, "value")?;
            }
            Ok(())
        }
        LabelValue::Points(points) => {
            keyframes(points.iter().map(|key| key.0), frames)?;
            for key in points {
                pixels(&[key.1, key.2], "value")?;
                probability(key.3, "value")?;
            }
            Ok(())
        }
        LabelValue::Flag(_) => Ok(()),
        LabelValue::Level(level) => require((1..=5).contains(level), "value", "is not from 1 to 5"),
        LabelValue::Event(event) => {
            require(
                frames.contains(event.peak),
                "value",
                "has its peak outside the label's frames",
            )?;
            require(
                event.opening.is_finite() && event.opening.abs() <= 100.0,
                "value",
                "has an impossible opening",
            )
        }
    }
}

pub(crate) fn evidence(header: &EvidenceHeader, jpeg: &[u8]) -> Check {
    require(seq_is_possible(header.label.0), "label", "names no message")?;
    require(header.stride >= 1, "stride", "is 0")?;
    let curve = header.left.iter().chain(&header.right).flatten();
    require(
        curve
            .copied()
            .all(|value| value.is_finite() && value.abs() <= 100.0),
        "left, right",
        "holds an impossible opening",
    )?;
    require(
        jpeg.starts_with(&[0xff, 0xd8, 0xff]),
        "picture",
        "is not a JPEG",
    )
}

pub(crate) fn evicted(message: &Evicted) -> Check {
    let (first, last) = message.seqs;
    require(
        seq_is_possible(first) && seq_is_possible(last) && first <= last,
        "seqs",
        "is not a range of messages",
    )?;
    let messages = last - first + 1;
    require(
        message.labels <= MAX_COUNT.min(messages.saturating_mul(MAX_LABELS as u64))
            && message.evidence <= MAX_COUNT.min(messages),
        "labels, evidence",
        "is more than that range holds",
    )
}

pub(crate) fn birth<const M: usize>(message: &Birth<heapless::Vec<ModelRef, M>>) -> Check {
    for (text, field) in [
        (message.hardware.as_str(), "hardware"),
        (message.firmware.as_str(), "firmware"),
        (message.board.as_str(), "board"),
        (message.self_test.as_deref().unwrap_or(""), "self_test"),
    ] {
        plain(text, field)?;
    }
    hexadecimal(&message.board_sha256, "board_sha256")?;
    model(&message.runtime)?;
    message.models.iter().try_for_each(model)
}

pub(crate) fn health(message: &Health) -> Check {
    require(
        message.labels.offered <= MAX_SEQ
            && message.labels.abstained <= MAX_SEQ
            && message.outbox.messages <= MAX_SEQ,
        "labels, outbox",
        "is not a count",
    )?;
    for stage in &message.stages {
        plain(&stage.stage, "stages.stage")?;
        require(
            stage.ms.is_finite() && stage.ms >= 0.0,
            "stages.ms",
            "is not a time",
        )?;
    }
    require(
        message
            .temperature_c
            .is_none_or(|degrees| degrees.abs() <= 1000.0),
        "temperature_c",
        "is no temperature",
    )?;
    require(
        message
            .latency_ms
            .is_none_or(|ms| ms.is_finite() && ms >= 0.0),
        "latency_ms",
        "is not a time",
    )?;
    message.camera.as_ref().map_or(Ok(()), camera)
}

fn camera(camera: &CameraHealth) -> Check {
    plain(&camera.format, "camera.format")?;
    require(
        camera.width <= MAX_SIDE && camera.height <= MAX_SIDE,
        "camera.width, camera.height",
        "is no size of a picture",
    )?;
    require(
        [camera.asked_fps, camera.measured_fps]
            .iter()
            .all(|fps| (0.0..=MAX_FPS).contains(fps)),
        "camera.asked_fps, camera.measured_fps",
        "is no frame rate",
    )?;
    require(
        camera.damaged <= MAX_SEQ,
        "camera.damaged",
        "is not a count",
    )
}
