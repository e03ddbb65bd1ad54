//! How alert a person is, from eyes, mouth and head: 1 (asleep) to 5 (alert).
//!
//! # Terms
//!
//! * *opening*: openness of the eyes judged as a share of the person's own open eye (`level`), which is followed for
//!   minutes and which neither sleep nor drooping lids lower. 1 = as open as usual.
//! * *shut*: an opening below [`Rubric::shut_share`]. The classical PERCLOS (Wierwille 1994; Dinges and Grace 1998) counts
//!   eyes closed by 80 % or more as people rate them; no mesh reads a shut eye as 80 % closed, so the share is one that
//!   this mesh reads when eyes are shut.
//! * *slowly shut*: shut for [`Rubric::slow_s`] or longer. PERCLOS is about droops, not blinks.
//! * *step*: [`STEP_S`] of frames. A judgement is made at the end of each, of the [`MINUTE_S`] that end with it, and holds for
//!   the step, and for steps before it that could not be judged in their time though the eyes were seen.
//! * *signs*: what a judgement rests on. They travel with the label.
//!
//! # Silence
//!
//! Of fewer than [`Rubric::least_seen_s`] seconds of eyes seen in the minute nothing is said, nor of steps in which the eyes
//! were hidden for more than half of the time; the reason is what hid them most, or `low-confidence`.
//!
//! `docs/alertness.md` holds the rubric and its sources. All state is bounded; times are arguments.

mod face;
mod level;
mod rubric;
mod step;

pub use rubric::{ALERTNESS_FEATURES, Border, Rubric};

use crate::kind::AbstainReason;
use crate::labeller::FaceMotion;
use crate::reading::{Reading, Span, Verdict};
use crate::time::CaptureTime;
use crate::wire::Signs;
use face::{Nods, Yawns};
use heapless::Deque;
use level::OpenLevel;
use step::Step;

/// Length of what is judged.
pub const MINUTE_S: f32 = 60.0;
/// A judgement is made this often.
pub const STEP_S: f32 = 5.0;
/// Steps of a minute, and some to spare: what ends a silence makes short ones.
const STEPS: usize = 24;
/// Frames further apart than this, in seconds, leave time in which nothing was seen ([`crate::blink::MISSING_US`]).
const MISSING_S: f32 = crate::blink::MISSING_US as f32 * 1e-6;
/// Re-openings no longer than this do not end a closure; as for long closures.
const REOPEN_S: f32 = 0.10;
/// Closures from here on count as such.
const CLOSURE_S: f32 = 0.50;
/// Blinks told before the person's usual length is known, and those that then decide it most.
const USUAL_BLINKS: u16 = 15;
const USUAL_MOST: u16 = 100;
/// Blinks of the minute, at least, for their mean length to say anything.
const LEAST_BLINKS: u16 = 5;

/// What was seen of one person in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlertnessFrame {
    /// Openness of the left and the right eye, or why neither can be judged.
    pub eyes: Result<[Option<f32>; 2], AbstainReason>,
    /// Mouth and head, where they were looked at.
    pub motion: Option<FaceMotion>,
}

/// The level of some frames with its signs, or why there is none.
pub type Judged = Verdict<(u8, Signs)>;

/// Shut eyes: since when, and when last.
#[derive(Clone, Copy, Debug)]
struct Shut {
    from: CaptureTime,
    last: CaptureTime,
}

/// Judges the alertness of one person.
pub struct Alertness {
    levels: [OpenLevel; 2],
    last: Option<CaptureTime>,
    shut: Option<Shut>,
    yawns: Yawns,
    nods: Nods,
    /// Mean length of the person's blinks, seconds, and how many were told.
    usual_blink: (f32, u16),
    step: Option<Step>,
    /// The steps before it that lie in the minute.
    minute: Deque<Step, STEPS>,
    /// Of these, the last so many wait for a judgement.
    waiting: usize,
}

impl Default for Alertness {
    fn default() -> Self {
        Self::new()
    }
}

impl Alertness {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self {
            levels: [OpenLevel::new(), OpenLevel::new()],
            last: None,
            shut: None,
            yawns: Yawns::default(),
            nods: Nods::default(),
            usual_blink: (0.0, 0),
            step: None,
            minute: Deque::new(),
            waiting: 0,
        }
    }

    /// Takes the next frame; `decided` gets every frame exactly once, in order.
    pub fn observe(
        &mut self,
        frame: Span,
        seen: &AlertnessFrame,
        rubric: &Rubric,
        decided: &mut impl FnMut(Span, Judged),
    ) {
        let at = frame.pts.0;
        if self
            .step
            .as_ref()
            .is_some_and(|step| at.seconds_since(step.span.pts.0) >= STEP_S)
        {
            self.end_step(rubric, decided);
        }
        let since = self
            .last
            .replace(at)
            .map_or(0.0, |last| at.seconds_since(last));
        let step = self.step.get_or_insert_with(|| Step::new(frame));
        step.span.frames.end = frame.frames.end;
        step.span.pts.1 = frame.pts.1;
        if let Some(motion) = seen.motion {
            step.yawns += u16::from(self.yawns.observe(at, motion.mouth_opening));
            step.nods += u16::from(self.nods.observe(at, motion.pitch));
        }
        let hidden = match seen.eyes {
            Err(reason) => Some(reason),
            Ok(_) if since > MISSING_S => Some(AbstainReason::FramesMissing),
            Ok(_) => None,
        };
        if let Some(reason) = hidden {
            step.hide(reason, since);
            self.shut = None;
        }
        if let Ok(eyes) = seen.eyes {
            let seconds = if hidden.is_some() { 0.0 } else { since };
            self.follow(at, eyes, seconds, rubric);
        }
    }

    /// Takes frames in which the person was out of view.
    pub fn be_silent(
        &mut self,
        frames: Span,
        reason: AbstainReason,
        rubric: &Rubric,
        decided: &mut impl FnMut(Span, Judged),
    ) {
        self.shut = None;
        if self.step.is_some() {
            self.end_step(rubric, decided);
        }
        let mut step = Step::new(frames);
        step.hide(reason, frames.seconds().max(1e-3));
        self.step = Some(step);
        self.end_step(rubric, decided);
        self.last = Some(frames.pts.1);
    }

    /// A blink of the person was told; it lasted this long.
    pub fn hear_blink(&mut self, seconds: f32) {
        let (mean, count) = &mut self.usual_blink;
        *count = (*count + 1).min(USUAL_MOST);
        *mean += (seconds - *mean) / f32::from(*count);
        if let Some(step) = &mut self.step {
            step.blinks += 1;
            step.blinks_s += seconds;
        }
    }

    /// No frame follows.
    pub fn finish(&mut self, rubric: &Rubric, decided: &mut impl FnMut(Span, Judged)) {
        if self.step.is_some() {
            self.end_step(rubric, decided);
        }
        while self.waiting > 0 {
            self.give_up(decided);
        }
    }

    /// Takes eyes that were seen for so long since the frame before.
    fn follow(&mut self, at: CaptureTime, eyes: [Option<f32>; 2], seconds: f32, rubric: &Rubric) {
        let (mut sum, mut count) = (0.0, 0.0f32);
        for (level, openness) in self.levels.iter_mut().zip(eyes) {
            if let Some(openness) = openness.filter(|openness| openness.is_finite()) {
                sum += (openness / level.get()).max(0.0);
                count += 1.0;
                level.observe(openness, seconds);
            }
        }
        if count == 0.0 {
            return;
        }
        let opening = sum / count;
        let Some(step) = &mut self.step else { return };
        step.seen_s += seconds;
        if opening >= rubric.shut_share {
            if self
                .shut
                .is_some_and(|shut| at.seconds_since(shut.last) > REOPEN_S)
            {
                self.shut = None;
            }
            return;
        }
        let shut = self.shut.get_or_insert(Shut { from: at, last: at });
        let before = shut.last.seconds_since(shut.from);
        shut.last = at;
        let now = at.seconds_since(shut.from);
        step.longest_s = step.longest_s.max(now);
        // The seconds before the closure was slow count once it is.
        if now >= rubric.slow_s {
            let new = if before >= rubric.slow_s {
                now - before
            } else {
                now
            };
            step.shut_s += new;
        }
        if now >= CLOSURE_S && before < CLOSURE_S {
            step.closures += 1;
        }
    }

    fn end_step(&mut self, rubric: &Rubric, decided: &mut impl FnMut(Span, Judged)) {
        let Some(step) = self.step.take() else {
            return;
        };
        // Steps of a long silence are longer than others: what is older than a minute goes, as does what there is no room for.
        let end = step.span.pts.1;
        while self.minute.is_full()
            || self
                .minute
                .front()
                .is_some_and(|old| end.seconds_since(old.span.pts.0) > MINUTE_S)
        {
            if self.waiting == self.minute.len() {
                self.give_up(decided);
            }
            self.minute.pop_front();
        }
        // Room was made above.
        let _ = self.minute.push_back(step);
        self.waiting += 1;
        self.judge(rubric, decided);
    }

    /// Judges the minute, if enough of it was seen, and with it the steps that wait for a judgement.
    fn judge(&mut self, rubric: &Rubric, decided: &mut impl FnMut(Span, Judged)) {
        let usual = (self.usual_blink.1 >= USUAL_BLINKS).then_some(self.usual_blink.0);
        let signs = step::signs(self.minute.iter(), usual, LEAST_BLINKS);
        if signs.seen_s < rubric.least_seen_s {
            return;
        }
        let judged = self.minute.len() - self.waiting;
        for step in self.minute.iter().skip(judged) {
            let verdict = step.hidden().map_or_else(
                || {
                    let (level, clear) = rubric.judge(&signs, step.longest_s);
                    Ok(Reading {
                        value: (level, signs.rounded()),
                        confidence: rubric.sure(level, clear, &signs),
                        raw: signs.perclos,
                    })
                },
                Err,
            );
            decided(step.span, verdict);
        }
        self.waiting = 0;
    }

    /// No judgement can come for the oldest step that waits for one.
    fn give_up(&mut self, decided: &mut impl FnMut(Span, Judged)) {
        let place = self.minute.len() - self.waiting;
        if let Some(step) = self.minute.iter().nth(place) {
            let reason = step.hidden().unwrap_or(AbstainReason::LowConfidence);
            decided(step.span, Err(reason));
            self.waiting -= 1;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
