//! Blinks and long closures of one person, and the frames in which none could be told.

use super::abstention;
use super::track::rounded;
use crate::blink::{Blink, BlinkDetector, EyeEvent, EyeObservation, LongClosure};
use crate::confidence::Confidence;
use crate::coverage::{FrameVerdict, Run};
use crate::gate::Gate;
use crate::id::TrackId;
use crate::kind::{AbstainReason, LabelKind};
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::{Decision, EventEyes, EventValue, Label, LabelValue};

/// Runs held back. They are few: a run is held for as long as an event may still claim it, about two seconds or as long
/// as eyes stay shut.
const MAX_RUNS: usize = 64;

/// Tells the events of one person.
pub(super) struct EventLabeller {
    track: TrackId,
    model: u8,
    detector: BlinkDetector,
    blinks: Silence,
    closures: Silence,
}

impl EventLabeller {
    pub(super) const fn new(track: TrackId, model: u8) -> Self {
        Self {
            track,
            model,
            detector: BlinkDetector::new(),
            blinks: Silence::new(LabelKind::Blink, track),
            closures: Silence::new(LabelKind::LongClosure, track),
        }
    }

    /// Takes a frame in which the person is in view; `verdict` says whether an eye could be judged.
    pub(super) fn observe(
        &mut self,
        now: Run,
        eyes: EyeObservation,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        for silence in [&mut self.blinks, &mut self.closures] {
            let verdict = gate
                .closed(silence.kind)
                .map_or(now.verdict, FrameVerdict::Abstain);
            silence.observe(Run { verdict, ..now }, tell);
        }
        self.detect(now.frames.end, now.pts.1, eyes, gate, tell);
        for silence in [&mut self.blinks, &mut self.closures] {
            silence.settle(self.detector.settled(silence.kind), tell);
        }
    }

    /// Takes a frame in which the person is out of view. It counts as theirs only if they come back: [`Self::be_silent`].
    pub(super) fn miss(
        &mut self,
        index: FrameIndex,
        at: CaptureTime,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        self.detect(index, at, EyeObservation::NONE, gate, tell);
    }

    /// What was watched in the next frames, or why not.
    pub(super) fn be_silent(&mut self, run: Run, tell: &mut impl FnMut(Label)) {
        self.blinks.observe(run, tell);
        self.closures.observe(run, tell);
    }

    pub(super) fn finish(&mut self, gate: &Gate, tell: &mut impl FnMut(Label)) {
        let Self {
            track,
            model,
            detector,
            blinks,
            closures,
        } = self;
        detector.finish(|event| hear(&event, [blinks, closures], (*track, *model), gate, tell));
        self.blinks.settle(FrameIndex::MAX, tell);
        self.closures.settle(FrameIndex::MAX, tell);
    }

    fn detect(
        &mut self,
        index: FrameIndex,
        at: CaptureTime,
        eyes: EyeObservation,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let Self {
            track,
            model,
            detector,
            blinks,
            closures,
        } = self;
        detector.observe(index, at, eyes, |event| {
            hear(&event, [blinks, closures], (*track, *model), gate, tell);
        });
    }
}

/// Tells an event, and takes its frames out of the silence of its kind; or silences the frames of a cut.
fn hear(
    event: &EyeEvent,
    silences: [&mut Silence; 2],
    (track, model): (TrackId, u8),
    gate: &Gate,
    tell: &mut impl FnMut(Label),
) {
    let (kind, frames, pts, mut from, mut to) = match *event {
        EyeEvent::Cut(cut) => {
            let missing = FrameVerdict::Abstain(AbstainReason::FramesMissing);
            (
                cut.kind,
                cut.frames,
                cut.pts,
                Some(FrameVerdict::Value),
                missing,
            )
        }
        EyeEvent::Blink(blink) => (
            LabelKind::Blink,
            blink.frames,
            blink.pts,
            None,
            FrameVerdict::Value,
        ),
        EyeEvent::LongClosure(closure) => (
            LabelKind::LongClosure,
            closure.frames,
            closure.pts,
            None,
            FrameVerdict::Value,
        ),
    };
    let closed = gate.closed(kind);
    if let Some(reason) = closed {
        // Withdrawn since the event began: nothing is said of its frames either.
        (from, to) = (Some(FrameVerdict::Value), FrameVerdict::Abstain(reason));
    }
    for silence in silences {
        if silence.kind == kind {
            silence.change(frames, pts, from, to, tell);
        }
    }
    if closed.is_none()
        && let Some(label) = event_label(event, track, model, gate)
    {
        tell(label);
    }
}

/// The frames in which a kind of event was not watched for. Runs are held back until no event can claim their frames.
struct Silence {
    kind: LabelKind,
    track: TrackId,
    /// In order, without a hole, neighbours of different verdicts.
    runs: heapless::Vec<Run, MAX_RUNS>,
}

impl Silence {
    const fn new(kind: LabelKind, track: TrackId) -> Self {
        Self {
            kind,
            track,
            runs: heapless::Vec::new(),
        }
    }

    /// Takes the next frames.
    fn observe(&mut self, next: Run, tell: &mut impl FnMut(Label)) {
        if let Some(last) = self.runs.last_mut()
            && last.verdict == next.verdict
        {
            last.frames.end = next.frames.end;
            last.pts.1 = next.pts.1;
            return;
        }
        if self.runs.is_full() {
            self.tell_oldest(tell);
        }
        // Room was made above.
        let _ = self.runs.push(next);
    }

    /// Gives frames another verdict: those that have the verdict `from`, or all.
    fn change(
        &mut self,
        frames: FrameRange,
        pts: (CaptureTime, CaptureTime),
        from: Option<FrameVerdict>,
        to: FrameVerdict,
        tell: &mut impl FnMut(Label),
    ) {
        for run in core::mem::take(&mut self.runs) {
            let meets = run.frames.overlap(frames) > 0;
            if !meets || from.is_some_and(|from| from != run.verdict) {
                self.observe(run, tell);
                continue;
            }
            let (first, last) = (
                run.frames.start.max(frames.start),
                run.frames.end.min(frames.end),
            );
            let first_at = if first == frames.start {
                pts.0
            } else {
                run.pts.0
            };
            let last_at = if last == frames.end { pts.1 } else { run.pts.1 };
            // The frames that stay beside the changed ones get the times of these: they have a value, and nobody reads
            // when a value begins and ends.
            if run.frames.start < first {
                self.observe(
                    Run {
                        frames: FrameRange::new(run.frames.start, first - 1),
                        pts: (run.pts.0, first_at),
                        ..run
                    },
                    tell,
                );
            }
            self.observe(
                Run {
                    frames: FrameRange::new(first, last),
                    pts: (first_at, last_at),
                    verdict: to,
                },
                tell,
            );
            if last < run.frames.end {
                self.observe(
                    Run {
                        frames: FrameRange::new(last + 1, run.frames.end),
                        pts: (last_at, run.pts.1),
                        ..run
                    },
                    tell,
                );
            }
        }
    }

    /// No event claims frames before this one any more.
    fn settle(&mut self, before: FrameIndex, tell: &mut impl FnMut(Label)) {
        // The last run may go on.
        let is_over = before == FrameIndex::MAX;
        while self.runs.len() > usize::from(!is_over)
            && self.runs.first().is_some_and(|run| run.frames.end < before)
        {
            self.tell_oldest(tell);
        }
    }

    fn tell_oldest(&mut self, tell: &mut impl FnMut(Label)) {
        if self.runs.is_empty() {
            return;
        }
        let run = self.runs.remove(0);
        if let FrameVerdict::Abstain(reason) = run.verdict {
            tell(abstention(
                self.kind,
                Some(self.track),
                run.frames,
                run.pts,
                reason,
            ));
        }
    }
}

/// A blink or a long closure as a label, offered or not; `None` for a cut, which is silence.
fn event_label(event: &EyeEvent, track: TrackId, model: u8, gate: &Gate) -> Option<Label> {
    let (kind, frames, pts, value, raw, confidence) = match event {
        EyeEvent::Cut(_) => return None,
        EyeEvent::Blink(blink) => {
            let value = EventValue {
                eyes: blink.eyes(),
                peak: blink.peak,
                opening: rounded(1.0 - blink.depth, 1e3),
            };
            let confidence = gate.blink_calibration.confidence(blink).get();
            let Blink {
                frames, pts, depth, ..
            } = *blink;
            (LabelKind::Blink, frames, pts, value, depth, confidence)
        }
        EyeEvent::LongClosure(LongClosure {
            frames,
            pts,
            peak,
            opening,
            ..
        }) => {
            let value = EventValue {
                eyes: EventEyes::Both,
                peak: *peak,
                opening: rounded(*opening, 1e3),
            };
            let confidence = gate.long_closure_confidence;
            (
                LabelKind::LongClosure,
                *frames,
                *pts,
                value,
                *opening,
                confidence,
            )
        }
    };
    let silent = Label {
        raw: Some(rounded(raw, 1e4)),
        model: Some(model),
        ..abstention(kind, Some(track), frames, pts, AbstainReason::LowConfidence)
    };
    if confidence < gate.of(kind).threshold {
        return Some(silent);
    }
    Some(Label {
        decision: Decision::Candidate,
        reason: None,
        confidence: Confidence::new(rounded(confidence, 1e4)).ok(),
        value: Some(LabelValue::Event(value)),
        ..silent
    })
}
