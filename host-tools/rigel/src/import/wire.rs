//! A clip that was read, as the messages that a rig would have sent of it.

use anyhow::{Context, Result, bail};
use formats::{BoxAt, Clip, Frames, Key, Label, PointAt, Standing, Value, has_place, place_at};
use label_core::id::Name;
use label_core::wire::{
    BoxKeyframe, ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState, Decision, EventValue,
    Label as WireLabel, LabelBatch, LabelCounts, LabelValue, MAX_KEYFRAMES, MAX_LABELS,
    MAX_PART_FRAMES, ManifestPart, ModelRef, Origin, PointKeyframe, WIRE_VERSION,
};
use label_core::{AbstainReason, CaptureTime, Confidence, FrameIndex, FrameRange};
use label_store::{ClipId, Incoming, NewLabel};
use serde::Serialize;

/// Where sources send from: they have no site.
pub(super) const SITE: &str = "import";
/// A key that the two beside it draw to this many pixels says nothing more.
const SAME_PX: f64 = 0.005;
/// Keys that are looked at at once for that.
const WINDOW: usize = 128;

/// What becomes of a candidate of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gate {
    /// The desk withdrew the kind of this source.
    pub(super) is_withdrawn: bool,
    /// Least confidence that is offered.
    pub(super) threshold: f64,
    /// What makes a confidence of a score; none while too few were judged.
    pub(super) calibration: Option<quality::Platt>,
}

/// What nobody can tell yet is as likely right as wrong.
const UNTOLD: f64 = 0.5;

impl Gate {
    fn confidence(&self, score: Option<f64>) -> f64 {
        match (self.calibration, score) {
            (Some(platt), Some(score)) => platt.probability(log_odds(score)),
            _ => UNTOLD,
        }
    }
}

/// Log odds of a score, kept finite.
pub(super) fn log_odds(score: f64) -> f64 {
    let p = score.clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}

/// The messages of a clip, in their order.
pub(super) struct Sender<'a> {
    pub(super) id: &'a ClipId,
    pub(super) at_us: i64,
    pub(super) seq: u64,
    pub(super) messages: Vec<Incoming>,
}

impl Sender<'_> {
    fn origin(&mut self) -> Origin {
        self.seq += 1;
        Origin {
            rig: self.id.rig.clone(),
            boot: self.id.boot,
            seq: self.seq,
        }
    }

    fn send(&mut self, leaf: &str, message: &impl Serialize) {
        let payload = serde_json::to_vec(message).expect("numbers and text always encode");
        let topic = format!("rigel/v1/{SITE}/{}/{leaf}", self.id.rig);
        self.messages
            .push(ingest::decode(&topic, payload, self.at_us));
    }

    fn clip(&mut self, event: ClipEvent) {
        let message = ClipMessage {
            v: WIRE_VERSION,
            from: self.origin(),
            clip: self.id.clip,
            event,
        };
        self.send("clip", &message);
    }

    /// The clip's beginning and its frames.
    pub(super) fn open(&mut self, clip: &Clip) {
        let name = clip.name.as_deref().unwrap_or(&clip.id);
        self.clip(ClipEvent::Opened(ClipOpened {
            name: cut(&plain(name)),
            width: clip.width,
            height: clip.height,
            nominal_fps: clip.frames.nominal_fps.map(|fps| fps as f32),
            codec: cut(&plain(clip.codec.as_deref().unwrap_or("import"))),
            mono_us: 0,
            utc_us: clip.utc_us.unwrap_or(0),
            clock: ClockState::Unsynced,
        }));
        let frames: Vec<FrameIndex> = (0..clip.frames.count).collect();
        for part in frames.chunks(MAX_PART_FRAMES) {
            let first = part.first().copied().unwrap_or(0);
            let last = part.last().copied().unwrap_or(0);
            let within = |frame: FrameIndex| (first..=last).contains(&frame);
            let repeats = clip.frames.repeats.iter().copied().filter(|f| within(*f));
            self.clip(ClipEvent::Part(ManifestPart {
                first,
                pts_us: part
                    .iter()
                    .map(|frame| time(&clip.frames, *frame))
                    .collect(),
                mono_us: heapless::Vec::new(),
                repeats: repeats.collect(),
                dropped: heapless::Vec::new(),
                shed: heapless::Vec::new(),
            }));
        }
    }

    /// Candidates and abstentions; the numbers of each.
    pub(super) fn labels(&mut self, labels: Vec<(WireLabel, ModelRef)>) -> LabelCounts {
        let mut counts = LabelCounts::default();
        let mut labels = labels.into_iter().peekable();
        while labels.peek().is_some() {
            let mut models: Vec<ModelRef> = Vec::new();
            let mut batch: Vec<WireLabel> = Vec::new();
            for (mut label, model) in labels.by_ref().take(MAX_LABELS) {
                let known = models.iter().position(|one| *one == model);
                let place = known.unwrap_or_else(|| {
                    models.push(model);
                    models.len() - 1
                });
                label.n = batch.len() as u16;
                label.model = Some(place as u8);
                match label.decision {
                    Decision::Candidate => counts.offered += 1,
                    Decision::Abstain => counts.abstained += 1,
                }
                batch.push(label);
            }
            let from = self.origin();
            let message = LabelBatch::new(from, self.id.clip, models, batch);
            self.send("label", &message);
        }
        counts
    }

    /// The clip's end.
    pub(super) fn close(&mut self, clip: &Clip, labels: LabelCounts) {
        self.clip(ClipEvent::Closed(ClipClosed {
            frames: clip.frames.count,
            repeated: clip.frames.repeats.len() as u32,
            dropped: 0,
            sha256: clip
                .sha256
                .as_deref()
                .and_then(|digits| digits.try_into().ok()),
            damage: None,
            labels,
        }));
    }
}

/// As much of a text as has room.
fn cut<const N: usize>(text: &str) -> heapless::String<N> {
    let mut short = heapless::String::new();
    for letter in text.chars() {
        if short.push(letter).is_err() {
            break;
        }
    }
    short
}

/// Without control characters, which no name holds.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// When a frame is shown: as the clip's rig told it, else by the rate.
fn time(frames: &Frames, frame: FrameIndex) -> CaptureTime {
    let by_rate = || (f64::from(frame) * 1e6 / frames.rate()).round() as i64;
    CaptureTime(frames.pts_us(frame).unwrap_or_else(by_rate))
}

/// A label as candidates and abstentions: several where it has more keyframes than travel in one.
pub(super) fn candidates(
    clip: &Clip,
    label: &Label,
    source: &Name,
    gate: &Gate,
) -> Result<Vec<(WireLabel, ModelRef)>> {
    let silent = if label.standing == Standing::Abstained {
        Some(label.reason.unwrap_or(AbstainReason::LowConfidence))
    } else if gate.is_withdrawn {
        Some(AbstainReason::Demoted)
    } else if gate.confidence(label.confidence) < gate.threshold {
        Some(AbstainReason::LowConfidence)
    } else {
        None
    };
    let kind = label.kind.offered().context("no rig tells lines")?;
    let model = model(label, source);
    let confidence = gate.confidence(label.confidence);
    let one = |frames: FrameRange, value: Option<LabelValue>| -> Result<(WireLabel, ModelRef)> {
        let confidence = Confidence::new(confidence as f32).context("a confidence is 0 to 1")?;
        let wire = WireLabel {
            n: 0,
            kind,
            track: label.track,
            frames,
            pts_us: (
                time(&clip.frames, frames.start),
                time(&clip.frames, frames.end),
            ),
            decision: if value.is_some() {
                Decision::Candidate
            } else {
                Decision::Abstain
            },
            reason: if value.is_some() { None } else { silent },
            confidence: Some(confidence).filter(|_| value.is_some()),
            raw: label
                .confidence
                .map(|score| score as f32)
                .filter(|_| value.is_some()),
            model: Some(0),
            signs: label.signs.filter(|_| value.is_some()),
            driver: label.driver,
            value,
        };
        Ok((wire, model.clone()))
    };
    if silent.is_some() {
        return Ok(vec![one(label.frames, None)?]);
    }
    let Some(value) = &label.value else {
        bail!(
            "{} of frame {} says nothing",
            label.kind,
            label.frames.start
        );
    };
    values(value, label.frames, Some(confidence))
        .into_iter()
        .map(|(frames, value)| one(frames, Some(value)))
        .collect()
}

/// A label as a person makes it.
pub(super) fn made(label: &Label) -> Vec<NewLabel> {
    let Some(value) = &label.value else {
        return Vec::new();
    };
    let new = |(frames, value): (FrameRange, LabelValue)| NewLabel {
        kind: label.kind,
        track: label.track,
        frames,
        value: value.into(),
        spent_ms: 0,
    };
    values(value, label.frames, None)
        .into_iter()
        .map(new)
        .collect()
}

fn model(label: &Label, source: &Name) -> ModelRef {
    match label.model.as_deref() {
        Some(model) => ModelRef {
            name: cut(&plain(&model.name)),
            version: cut(&plain(&model.version)),
            sha256: cut(&model.sha256.to_ascii_lowercase()),
        },
        None => ModelRef {
            name: cut(source),
            version: cut("imported"),
            sha256: heapless::String::new(),
        },
    }
}

/// The value as it travels; of a track with many keyframes in runs that follow each other.
fn values(
    value: &Value,
    frames: FrameRange,
    confidence: Option<f64>,
) -> Vec<(FrameRange, LabelValue)> {
    let sure = |key: f64| confidence.unwrap_or(key) as f32;
    match value {
        Value::Boxes(keys) => runs(keys, frames)
            .into_iter()
            .map(|(frames, keys)| {
                let key = |key: &Key<BoxAt>| {
                    let at = key.at;
                    let [x, y, w, h] = [at.x, at.y, at.width, at.height].map(|v| v as f32);
                    BoxKeyframe(key.frame, x, y, w, h, sure(key.confidence))
                };
                (frames, LabelValue::Boxes(keys.iter().map(key).collect()))
            })
            .collect(),
        Value::Points(keys) => runs(keys, frames)
            .into_iter()
            .map(|(frames, keys)| {
                let key = |key: &Key<PointAt>| {
                    let [x, y] = [key.at.x, key.at.y].map(|v| v as f32);
                    PointKeyframe(key.frame, x, y, sure(key.confidence))
                };
                (frames, LabelValue::Points(keys.iter().map(key).collect()))
            })
            .collect(),
        Value::Flag(flag) => vec![(frames, LabelValue::Flag(*flag))],
        Value::Level(level) => vec![(frames, LabelValue::Level(*level))],
        Value::Event(event) => {
            let value = EventValue {
                eyes: event.eyes,
                peak: event.peak.clamp(frames.start, frames.end),
                opening: event.opening as f32,
            };
            vec![(frames, LabelValue::Event(value))]
        }
        // They do not travel.
        Value::Line(_) => Vec::new(),
    }
}

/// A place whose difference from another can be told.
trait Apart: formats::Between {
    fn apart(self, other: Self) -> f64;
}

impl Apart for BoxAt {
    fn apart(self, other: Self) -> f64 {
        let sides = [
            self.x - other.x,
            self.y - other.y,
            self.width - other.width,
            self.height - other.height,
        ];
        sides.into_iter().map(f64::abs).fold(0.0, f64::max)
    }
}

impl Apart for PointAt {
    fn apart(self, other: Self) -> f64 {
        (self.x - other.x).abs().max((self.y - other.y).abs())
    }
}

/// Runs of at most as many keys as travel in one label, each with a key in its last frame where another follows.
fn runs<P: Apart>(keys: &[Key<P>], frames: FrameRange) -> Vec<(FrameRange, Vec<Key<P>>)> {
    let thin = thinned(keys);
    let mut runs = Vec::new();
    let mut start = frames.start;
    let mut chunks = thin.chunks(MAX_KEYFRAMES - 1).peekable();
    while let Some(chunk) = chunks.next() {
        let mut run = chunk.to_vec();
        let end = chunks
            .peek()
            .and_then(|next| next.first())
            .map_or(frames.end, |next| next.frame - 1);
        if let (Some(last), Some(_), Some(at)) = (run.last(), chunks.peek(), place_at(&thin, end))
            && last.frame < end
        {
            let confidence = last.confidence;
            run.push(Key {
                frame: end,
                at,
                confidence,
            });
        }
        runs.push((FrameRange::new(start, end), run));
        start = end + 1;
    }
    runs
}

/// Without keys that say nothing more: a format that has a place in every frame gives one in every frame.
fn thinned<P: Apart>(keys: &[Key<P>]) -> Vec<Key<P>> {
    let mut kept: Vec<Key<P>> = Vec::new();
    let mut from = 0;
    kept.extend(keys.first());
    while from + 1 < keys.len() {
        let mut to = from + 1;
        while to + 1 < keys.len() && to + 1 - from < WINDOW {
            let ends = [keys[from], keys[to + 1]];
            let drawn = keys[from + 1..=to].iter().all(|key| {
                place_at(&ends, key.frame).is_some_and(|at| at.apart(key.at) <= SAME_PX)
            });
            if !drawn {
                break;
            }
            to += 1;
        }
        kept.push(keys[to]);
        from = to;
    }
    kept
}

/// Whether labels of this kind can be brought: their value is complete.
pub(super) fn is_whole(label: &Label) -> bool {
    match &label.value {
        Some(Value::Boxes(keys)) => !keys.is_empty(),
        Some(Value::Points(keys)) => !keys.is_empty(),
        Some(_) => !has_place(label.kind),
        None => label.standing == Standing::Abstained,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(frame: FrameIndex, x: f64) -> Key<PointAt> {
        Key {
            frame,
            at: PointAt { x, y: 0.0 },
            confidence: 0.5,
        }
    }

    #[test]
    fn a_long_track_travels_as_labels_that_follow_each_other_and_draw_the_same() {
        // A bend at every third frame, so that no key can go.
        let keys: Vec<_> = (0..900)
            .map(|n| key(n * 3, f64::from(n % 2) * 40.0))
            .collect();
        let frames = FrameRange::new(0, 2697);
        let runs = runs(&keys, frames);
        assert_eq!((runs[0].0.start, runs.last().unwrap().0.end), (0, 2697));
        for pair in runs.windows(2) {
            assert_eq!(pair[0].0.end + 1, pair[1].0.start);
        }
        for (range, run) in &runs {
            assert!(run.len() <= MAX_KEYFRAMES);
            for frame in range.start..=range.end {
                let (was, is) = (
                    place_at(&keys, frame).unwrap(),
                    place_at(run, frame).unwrap(),
                );
                assert!(was.apart(is) < 0.011, "frame {frame}: {was:?}, {is:?}");
            }
        }
    }

    #[test]
    fn keys_that_say_nothing_more_are_left_out() {
        let straight: Vec<_> = (0..100).map(|n| key(n, f64::from(n) * 0.5)).collect();
        let kept: Vec<_> = thinned(&straight).iter().map(|key| key.frame).collect();
        assert_eq!(kept, [0, 99]);
    }
}
