//! The golden clip: do the models give the numbers here that they gave where the numbers were stored?
//!
//! The clip goes through the same line as a camera's frames. Compared is what was measured in each frame (eyes, openness,
//! person box) and the blinks that were told. Numbers differ a little between processors: a network's sums are added up in
//! another order, and where a rule has a threshold a frame may fall on its other side. So the tolerances stand in the file:
//! the largest difference of a single frame and the mean of all. The mean is the sharper of the two: a model fed with the
//! wrong colours is wrong everywhere, a frame on the other side of a threshold is one of many.

use crate::pipeline::{ClipEnd, Pipeline, Sink, ToTheEnd};
use anyhow::{Context, Result, ensure};
use capture::{FrameInfo, SourceInfo};
use label_core::labeller::{EyeMeasurement, PersonMeasurement};
use label_core::wire::{Label, LabelValue};
use label_core::{AbstainReason, LabelKind};
use perception::{Filmstrip, Search};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The stored numbers' file in the golden folder.
pub const EXPECTED: &str = "expected.json";

/// The stored numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// File name of the clip, in the same folder.
    pub clip: String,
    /// Digest of the clip.
    pub sha256: String,
    /// What they were made with: runtime, models and calibration by name and digest, to say what differs where numbers do.
    pub made_with: Vec<Part>,
    /// How far off a number may be.
    pub tolerance: Tolerance,
    /// One blink a line.
    pub blinks: Vec<Blink>,
    /// One frame a line.
    pub frames: Vec<Seen>,
}

/// A part of what numbers were made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its file's digest.
    pub sha256: String,
}

/// How far off a number may be: in any frame, and in the mean over all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// Distance of an eye's centre, pixels.
    pub eye_px: Limit,
    /// Openness.
    pub openness: Limit,
    /// Edges of the person box, pixels.
    pub person_px: Limit,
    /// First and last frame of a blink, frames.
    pub blink_frames: u32,
    /// Confidence of a blink.
    pub blink_confidence: f32,
}

/// The largest difference, and the largest mean difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// In any frame.
    pub worst: f32,
    /// In the mean over all.
    pub mean: f32,
}

/// A blink as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blink {
    /// First frame.
    pub first: u32,
    /// Last frame.
    pub last: u32,
    /// How sure.
    pub confidence: f32,
}

/// What was measured of the one person in a frame. `None` where nothing was, or nobody was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// How many people.
    pub people: usize,
    /// The subject's left eye: centre (pixels) and openness.
    pub left: Option<[f32; 3]>,
    /// The subject's right eye.
    pub right: Option<[f32; 3]>,
    /// The person: x, y, width, height (pixels).
    pub person: Option<[f32; 4]>,
}

/// What the golden clip gave on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Frame by frame.
    pub frames: Vec<Seen>,
    /// In the order of their ends.
    pub blinks: Vec<Blink>,
    /// Milliseconds that a frame took in the models and all around them, decoding left out.
    pub ms_a_frame: f64,
}

/// How far this machine's numbers are from the stored ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Of eyes, pixels.
    pub eye_px: Limit,
    /// Of openness.
    pub openness: Limit,
    /// Of the person box's edges, pixels.
    pub person_px: Limit,
    /// What is beyond the tolerances, in words; empty where all is well.
    #[serde(skip)]
    pub problems: Vec<String>,
}

impl Expected {
    /// Reads the stored numbers of a golden folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(EXPECTED);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the stored numbers {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}: not the numbers of a golden clip", path.display()))
    }

    /// Writes them, so that a difference shows by line.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(EXPECTED);
        std::fs::write(&path, self.text()?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(&self) -> Result<String> {
        let rows = |rows: Vec<serde_json::Result<String>>| -> serde_json::Result<String> {
            let rows: Vec<_> = rows.into_iter().collect::<Result<_, _>>()?;
            Ok(format!("[\n    {}\n  ]", rows.join(",\n    ")))
        };
        let fields = [
            ("clip", serde_json::to_string(&self.clip)?),
            ("sha256", serde_json::to_string(&self.sha256)?),
            (
                "made_with",
                rows(self.made_with.iter().map(serde_json::to_string).collect())?,
            ),
            ("tolerance", serde_json::to_string(&self.tolerance)?),
            (
                "blinks",
                rows(self.blinks.iter().map(serde_json::to_string).collect())?,
            ),
            (
                "frames",
                rows(self.frames.iter().map(serde_json::to_string).collect())?,
            ),
        ];
        let fields = fields.map(|(name, value)| format!("  \"{name}\": {value}"));
        Ok(format!("{{\n{}\n}}\n", fields.join(",\n")))
    }

    /// Which parts differ from those the numbers were made with.
    pub fn other_parts(&self, parts: &[Part]) -> Vec<String> {
        let known = |part: &Part| self.made_with.contains(part);
        parts
            .iter()
            .filter(|part| !known(part) && !part.name.starts_with("litert"))
            .map(|part| part.name.clone())
            .collect()
    }

    /// Compares what was measured with what is stored.
    pub fn compare(&self, measured: &Measured) -> Comparison {
        let mut result = Comparison::default();
        let (stored, found) = (&self.frames, &measured.frames);
        if stored.len() != found.len() {
            result.problems.push(format!(
                "{} frames instead of {}",
                found.len(),
                stored.len()
            ));
            return result;
        }
        let (mut crowd, mut crowded) = (None, 0);
        let (mut eyes, mut openness, mut boxes) = <(Spread, Spread, Spread)>::default();
        for (index, (stored, found)) in stored.iter().zip(found).enumerate() {
            if stored.people != found.people {
                crowd.get_or_insert((index, found.people, stored.people));
                crowded += 1;
            }
            for (stored, found) in [(stored.left, found.left), (stored.right, found.right)] {
                match (stored, found) {
                    (Some(a), Some(b)) => {
                        eyes.add(index, (a[0] - b[0]).hypot(a[1] - b[1]));
                        openness.add(index, (a[2] - b[2]).abs());
                    }
                    (None, None) => {}
                    _ => eyes.unpaired += 1,
                }
            }
            match (stored.person, found.person) {
                (Some(a), Some(b)) => {
                    let edges = |[x, y, w, h]: [f32; 4]| [x, y, x + w, y + h];
                    for (a, b) in edges(a).into_iter().zip(edges(b)) {
                        boxes.add(index, (a - b).abs());
                    }
                }
                (None, None) => {}
                _ => boxes.unpaired += 1,
            }
        }
        if let Some((frame, found, stored)) = crowd {
            result.problems.push(format!(
                "{found} people in frame {frame} instead of {stored}, and another number than stored in {crowded} frames in all"
            ));
        }
        let limits = self.tolerance;
        result.eye_px = eyes.judge("eyes", " px", limits.eye_px, &mut result.problems);
        result.openness = openness.judge("openness", "", limits.openness, &mut result.problems);
        result.person_px = boxes.judge(
            "the person box",
            " px",
            limits.person_px,
            &mut result.problems,
        );
        self.compare_blinks(&measured.blinks, &mut result.problems);
        result
    }

    fn compare_blinks(&self, found: &[Blink], problems: &mut Vec<String>) {
        let limits = self.tolerance;
        let same = self.blinks.len() == found.len()
            && self.blinks.iter().zip(found).all(|(a, b)| {
                a.first.abs_diff(b.first) <= limits.blink_frames
                    && a.last.abs_diff(b.last) <= limits.blink_frames
            });
        if !same {
            problems.push(format!(
                "blinks in frames {} instead of {}",
                ranges(found),
                ranges(&self.blinks)
            ));
            return;
        }
        for (stored, found) in self.blinks.iter().zip(found) {
            if (stored.confidence - found.confidence).abs() > limits.blink_confidence {
                problems.push(format!(
                    "confidence {:.3} of the blink in frame {} instead of {:.3}",
                    found.confidence, stored.first, stored.confidence
                ));
            }
        }
    }
}

fn ranges(blinks: &[Blink]) -> String {
    if blinks.is_empty() {
        return "none".to_owned();
    }
    let ranges: Vec<_> = blinks
        .iter()
        .map(|blink| format!("{}-{}", blink.first, blink.last))
        .collect();
    ranges.join(", ")
}

/// Differences of one kind.
#[derive(Default)]
struct Spread {
    sum: f64,
    count: u32,
    worst: f32,
    worst_frame: usize,
    /// There here and not stored, or the other way round.
    unpaired: u32,
}

impl Spread {
    fn add(&mut self, frame: usize, off: f32) {
        self.sum += f64::from(off);
        self.count += 1;
        if off > self.worst || off.is_nan() {
            (self.worst, self.worst_frame) = (off, frame);
        }
    }

    fn judge(&self, what: &str, unit: &str, limit: Limit, problems: &mut Vec<String>) -> Limit {
        let mean = (self.sum / f64::from(self.count.max(1))) as f32;
        if self.unpaired > 0 {
            problems.push(format!(
                "{what}: seen in one and not in the other {} times",
                self.unpaired
            ));
        }
        let beyond = |off: f32, limit: f32| off.is_nan() || off > limit;
        if beyond(self.worst, limit.worst) {
            problems.push(format!(
                "{what} off by {:.3}{unit} in frame {} ({} is allowed)",
                self.worst, self.worst_frame, limit.worst
            ));
        }
        if beyond(mean, limit.mean) {
            problems.push(format!(
                "{what} off by {mean:.3}{unit} in the mean ({} is allowed)",
                limit.mean
            ));
        }
        Limit {
            worst: self.worst,
            mean,
        }
    }
}

/// Runs the golden clip through the line.
pub fn measure(pipeline: &mut Pipeline, folder: &Path, expected: &Expected) -> Result<Measured> {
    let path = folder.join(&expected.clip);
    let found = perception::file_sha256(&path).context("cannot read the golden clip")?;
    ensure!(
        found == expected.sha256,
        "{}: SHA-256 is {found}, {EXPECTED} says {}",
        path.display(),
        expected.sha256
    );
    measure_clip(pipeline, &path)
}

/// Runs a clip through a line that was loaded for it, and keeps what was measured.
pub fn measure_clip(pipeline: &mut Pipeline, path: &Path) -> Result<Measured> {
    let source = crate::label::open_clip(path, None)?;
    let mut taken = Taken {
        frames: Vec::new(),
        blinks: Vec::new(),
    };
    let end = pipeline.label(source, Search::Video, &mut taken, &mut ToTheEnd)?;
    if let Some(failure) = end.failure {
        return Err(failure.into());
    }
    ensure!(end.frames > 0, "{}: no frames in it", path.display());
    Ok(Measured {
        frames: taken.frames,
        blinks: taken.blinks,
        ms_a_frame: pipeline
            .stages
            .ms_a_frame()
            .filter(|(stage, _)| *stage != "decode")
            .map(|(_, ms)| ms)
            .sum(),
    })
}

/// What the line was made with.
pub fn parts(pipeline: &Pipeline) -> Vec<Part> {
    std::iter::once(pipeline.runtime())
        .chain(pipeline.loaded())
        .map(|model| Part {
            name: model.name.to_string(),
            sha256: model.sha256.to_string(),
        })
        .collect()
}

struct Taken {
    frames: Vec<Seen>,
    blinks: Vec<Blink>,
}

impl Sink for Taken {
    fn opened(&mut self, _info: &SourceInfo) -> Result<()> {
        Ok(())
    }

    fn measured(&mut self, _: &FrameInfo, persons: &[PersonMeasurement]) {
        let eye = |eye: Result<EyeMeasurement, AbstainReason>| {
            eye.ok().map(|eye| {
                [eye.center.x, eye.center.y, eye.openness].map(|value| rounded(value, 1e4))
            })
        };
        let first = persons.first().map(|person| person.frame);
        self.frames.push(Seen {
            people: persons.len(),
            left: first.and_then(|frame| eye(frame.left)),
            right: first.and_then(|frame| eye(frame.right)),
            person: first.and_then(|frame| {
                let (bounds, _) = frame.person.ok()?;
                Some(
                    [bounds.x, bounds.y, bounds.width, bounds.height]
                        .map(|value| rounded(value, 100.0)),
                )
            }),
        });
    }

    fn frame(&mut self, _info: &FrameInfo) -> Result<()> {
        Ok(())
    }

    fn label(&mut self, label: Label, _strip: Option<&mut Filmstrip>) -> Result<()> {
        if let (LabelKind::Blink, Some(LabelValue::Event(_)), Some(confidence)) =
            (label.kind, &label.value, label.confidence)
        {
            self.blinks.push(Blink {
                first: label.frames.start,
                last: label.frames.end,
                confidence: rounded(confidence.get(), 1e4),
            });
        }
        Ok(())
    }

    fn closed(&mut self, _clip: &ClipEnd) -> Result<()> {
        Ok(())
    }
}

/// Enough digits to compare, few enough to read.
fn rounded(value: f32, steps: f64) -> f32 {
    ((f64::from(value) * steps).round() / steps) as f32
}

#[cfg(test)]
mod tests;
