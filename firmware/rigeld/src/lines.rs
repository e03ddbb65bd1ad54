//! Labels as JSON lines: one label a line, for files and for other programs.
//!
//! The names of the fields are a promise to scripts. A track is one line with its keyframes, or, with every frame asked
//! for, one line a frame with the interpolated value.

use crate::pipeline::{ClipEnd, Sink};
use anyhow::{Context, Result};
use capture::{FrameInfo, SourceInfo};
use label_core::keyframes::{Measurement, interpolate};
use label_core::wire::{BoxKeyframe, Decision, EventEyes, Label, LabelValue, PointKeyframe, Signs};
use label_core::{CaptureTime, LabelKind};
use perception::Filmstrip;
use serde::Serialize;
use std::io::Write;

/// How tracks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracks {
    /// One line a segment, with keyframes.
    Keyframes,
    /// One line a frame.
    EveryFrame,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) offered: u64,
    pub(crate) abstained: u64,
    pub(crate) blinks: u64,
}

/// Writes labels as lines.
pub(crate) struct Lines<W> {
    out: W,
    tracks: Tracks,
    clip: Option<String>,
    /// Time of every frame, for interpolated lines.
    times: Vec<CaptureTime>,
    pub(crate) counts: Counts,
}

/// One line.
#[derive(Debug, Default, Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    clip: Option<&'a str>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    track: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frames: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pts_us: Option<i64>,
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    bounds: Option<[f64; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyframes: Option<Keyframes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eye: Option<EventEyes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f64>,
    decision: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs: Option<&'a Signs>,
    /// `true`, or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Keyframes<'a> {
    Boxes(&'a [BoxKeyframe]),
    Points(&'a [PointKeyframe]),
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Level(u8),
}

impl<W: Write> Lines<W> {
    pub(crate) fn new(out: W, tracks: Tracks) -> Self {
        Self {
            out,
            tracks,
            clip: None,
            times: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The lines that follow are of this clip and say so.
    pub(crate) fn name_clip(&mut self, name: &str) {
        self.clip = Some(name.to_owned());
    }

    pub(crate) fn into_inner(self) -> W {
        self.out
    }

    fn write(&mut self, label: &Label) -> Result<()> {
        let clip = self.clip.take();
        let line = Line {
            clip: clip.as_deref(),
            kind: label.kind.name(),
            track: label.track,
            confidence: label.confidence.map(|c| shown(c.get(), 1e4)),
            decision: Some(label.decision),
            reason: label.reason.map(label_core::AbstainReason::name),
            signs: label.signs.as_ref(),
            driver: label.driver.then_some(true),
            ..Line::default()
        };
        let result = match (&label.value, self.tracks) {
            (Some(LabelValue::Boxes(keys)), Tracks::EveryFrame) => {
                let keys = keys.iter().map(|k| Measurement {
                    frame: k.0,
                    values: [k.1, k.2, k.3, k.4, k.5],
                });
                self.write_frames(&line, keys, |line, [x, y, w, h, _]| {
                    line.bounds = Some([x, y, w, h].map(|value| shown(value, 100.0)));
                })
            }
            (Some(LabelValue::Points(keys)), Tracks::EveryFrame) => {
                let keys = keys.iter().map(|k| Measurement {
                    frame: k.0,
                    values: [k.1, k.2, k.3],
                });
                self.write_frames(&line, keys, |line, [x, y, _]| {
                    line.point = Some([x, y].map(|value| shown(value, 100.0)));
                })
            }
            (value, _) => {
                let mut line = Line {
                    frames: Some(label.frames.into()),
                    ..line
                };
                match value {
                    Some(LabelValue::Boxes(keys)) => line.keyframes = Some(Keyframes::Boxes(keys)),
                    Some(LabelValue::Points(keys)) => {
                        line.keyframes = Some(Keyframes::Points(keys));
                    }
                    Some(LabelValue::Flag(flag)) => line.value = Some(Value::Flag(*flag)),
                    Some(LabelValue::Level(level)) => line.value = Some(Value::Level(*level)),
                    Some(LabelValue::Event(event)) => line.eye = Some(event.eyes),
                    None => {}
                }
                self.write_line(&line)
            }
        };
        self.clip = clip;
        result
    }

    /// One line for each frame from the first keyframe to the last.
    fn write_frames<const D: usize>(
        &mut self,
        line: &Line<'_>,
        keys: impl Iterator<Item = Measurement<D>> + Clone,
        set: impl Fn(&mut Line<'_>, [f32; D]),
    ) -> Result<()> {
        let mut write = |frame: u32, values: [f32; D]| {
            let mut line = Line {
                clip: line.clip,
                kind: line.kind,
                track: line.track,
                decision: line.decision,
                driver: line.driver,
                frame: Some(frame),
                pts_us: self.times.get(frame as usize).map(|at| at.us()),
                confidence: Some(shown(values[D - 1], 1e3)),
                ..Line::default()
            };
            set(&mut line, values);
            write_line(&mut self.out, &line)
        };
        if let Some(first) = keys.clone().next() {
            write(first.frame, first.values)?;
        }
        for (a, b) in keys.clone().zip(keys.skip(1)) {
            for frame in a.frame + 1..=b.frame {
                write(frame, interpolate(&a, &b, frame))?;
            }
        }
        Ok(())
    }

    fn write_line(&mut self, line: &Line<'_>) -> Result<()> {
        write_line(&mut self.out, line)
    }
}

fn write_line(out: &mut impl Write, line: &Line<'_>) -> Result<()> {
    serde_json::to_writer(&mut *out, line).context("cannot write a label")?;
    out.write_all(b"\n").context("cannot write a label")
}

/// A short decimal: JSON has doubles only, and 0.1 must not become 0.10000000149.
fn shown(value: f32, scale: f64) -> f64 {
    (f64::from(value) * scale).round() / scale
}

impl<W: Write> Sink for Lines<W> {
    fn opened(&mut self, _: &SourceInfo) -> Result<()> {
        self.times.clear();
        Ok(())
    }

    fn frame(&mut self, info: &FrameInfo) -> Result<()> {
        self.times.push(info.at);
        Ok(())
    }

    fn label(&mut self, label: Label, _: Option<&mut Filmstrip>) -> Result<()> {
        match label.decision {
            Decision::Candidate => self.counts.offered += 1,
            Decision::Abstain => self.counts.abstained += 1,
        }
        self.counts.blinks +=
            u64::from(label.kind == LabelKind::Blink && label.decision == Decision::Candidate);
        self.write(&label)
    }

    fn closed(&mut self, _: &ClipEnd) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::EventValue;
    use label_core::{Confidence, FrameRange};

    fn label(kind: LabelKind, frames: (u32, u32), value: LabelValue) -> Label {
        Label {
            n: 0,
            kind,
            track: Some(1),
            frames: FrameRange::new(frames.0, frames.1),
            pts_us: (CaptureTime(0), CaptureTime(0)),
            decision: Decision::Candidate,
            reason: None,
            confidence: Confidence::new(0.93).ok(),
            raw: None,
            model: Some(0),
            value: Some(value),
            signs: None,
            driver: false,
        }
    }

    fn lines(tracks: Tracks, labels: &[Label]) -> String {
        let mut lines = Lines::new(Vec::new(), tracks);
        for index in 0..20u32 {
            let at = CaptureTime(i64::from(index) * 1000);
            lines
                .frame(&FrameInfo {
                    index,
                    at,
                    ..FrameInfo::default()
                })
                .unwrap();
        }
        for label in labels {
            lines.label(label.clone(), None).unwrap();
        }
        String::from_utf8(lines.into_inner()).unwrap()
    }

    fn track() -> Label {
        let keys = [
            PointKeyframe(12, 10.0, 5.0, 0.9),
            PointKeyframe(14, 11.0, 5.5, 0.8),
        ];
        label(
            LabelKind::KeypointLeftEye,
            (12, 14),
            LabelValue::Points(keys.into_iter().collect()),
        )
    }

    #[test]
    fn lines_are_as_scripts_expect_them() {
        let event = EventValue {
            eyes: EventEyes::Both,
            peak: 15,
            opening: 0.1,
        };
        let blink = label(LabelKind::Blink, (12, 18), LabelValue::Event(event));
        assert_eq!(
            lines(Tracks::EveryFrame, &[track(), blink]),
            concat!(
                r#"{"kind":"keypoint-left-eye","track":1,"frame":12,"pts_us":12000,"point":[10.0,5.0],"confidence":0.9,"decision":"candidate"}"#,
                "\n",
                r#"{"kind":"keypoint-left-eye","track":1,"frame":13,"pts_us":13000,"point":[10.5,5.25],"confidence":0.85,"decision":"candidate"}"#,
                "\n",
                r#"{"kind":"keypoint-left-eye","track":1,"frame":14,"pts_us":14000,"point":[11.0,5.5],"confidence":0.8,"decision":"candidate"}"#,
                "\n",
                r#"{"kind":"blink","track":1,"frames":[12,18],"eye":"both","confidence":0.93,"decision":"candidate"}"#,
                "\n",
            )
        );
    }

    #[test]
    fn a_track_is_one_line_with_its_keyframes() {
        assert_eq!(
            lines(Tracks::Keyframes, &[track()]),
            concat!(
                r#"{"kind":"keypoint-left-eye","track":1,"frames":[12,14],"keyframes":[[12,10.0,5.0,0.9],[14,11.0,5.5,0.8]],"#,
                r#""confidence":0.93,"decision":"candidate"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_level_carries_what_it_rests_on_and_the_driver_is_marked() {
        let signs = Signs {
            seen_s: 60.0,
            perclos: 0.0125,
            longest_closure_s: 0.25,
            blinks: 14,
            ..Signs::default()
        };
        let level = Label {
            signs: Some(signs),
            driver: true,
            ..label(LabelKind::Alertness, (0, 19), LabelValue::Level(5))
        };
        assert_eq!(
            lines(Tracks::Keyframes, &[level]),
            concat!(
                r#"{"kind":"alertness","track":1,"frames":[0,19],"value":5,"confidence":0.93,"decision":"candidate","#,
                r#""signs":{"seen_s":60.0,"perclos":0.0125,"longest_closure_s":0.25,"closures":0,"blinks":14,"yawns":0,"nods":0},"#,
                r#""driver":true}"#,
                "\n"
            )
        );
        let point = Label {
            driver: true,
            ..track()
        };
        let every = lines(Tracks::EveryFrame, &[point]);
        assert!(
            every
                .lines()
                .all(|line| line.ends_with(r#""driver":true}"#))
        );
    }
}
