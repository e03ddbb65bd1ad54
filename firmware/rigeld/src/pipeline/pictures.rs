//! Key pictures: which frames a reviewer is shown.
//!
//! Whether a frame is needed is known only when labels that hold there are told, up to half a minute later. So frames are
//! made smaller and kept for some seconds (four a second, and whenever somebody's box or an eye begins to have a value, a
//! face is covered, or the light moves), and when a label is told that no picture lies in, the last frame kept of it is
//! encoded. Labels come in the order of their ends, and the last frame of one is the likeliest to lie in the next: that is
//! the fewest pictures in which every label has one. A change has its own, at once.
//!
//! Nothing is allocated but where a picture is encoded. Who takes no pictures ([`super::Sink::takes_pictures`]) pays nothing.

mod allowance;

pub(crate) use allowance::picture_budget;

use super::Sink;
use allowance::{Allowance, Need};
use anyhow::{Context, Result};
use capture::FrameInfo;
use label_core::labeller::{MAX_PERSONS, PersonMeasurement};
use label_core::scene::LightGrid;
use label_core::wire::{Label, LabelValue, MAX_PICTURE_BYTES};
use label_core::{
    AbstainReason, CaptureTime, EyeSide, FrameIndex, FrameRange, Gate, LabelKind, Look, TrackId,
};
use perception::{Picture, ReducedFrame};
use std::collections::VecDeque;

/// Frames kept, of up to 460 kB each.
const KEPT: usize = 32;
/// A frame is kept this often, seconds; with [`KEPT`] that reaches back eight.
const KEEP_S: f32 = 0.25;
/// Luma that moved by this much since the last frame kept, as a natural logarithm: less than half of what counts as a
/// change of light between 8 and 92 % of it.
const LIGHT_MOVED: f32 = 0.05;
/// Grey levels added before the logarithm: noise in the dark counts little.
const LIGHT_FLOOR: f32 = 8.0;
/// A face covered again within this time is no news, seconds.
const COVERED_AGAIN_S: f32 = 2.0;
/// Frames of which pictures were sent, remembered: labels reach back half a minute.
const SENT: usize = 64;
/// Pictures encoded in one frame: a label less in time is worth less than a frame lost.
const ENCODED_A_FRAME: usize = 1;
/// JPEG qualities, tried until the picture fits.
const QUALITIES: [u8; 5] = [70, 55, 40, 25, 12];

/// A frame kept.
struct Kept {
    frame: ReducedFrame,
    wanted: Option<Need>,
    /// Something began to have a value here: a label may begin, and end soon.
    begins: bool,
}

/// What of a person had a value in the frame before.
#[derive(Clone, Copy)]
struct Seen {
    track: TrackId,
    /// Box, left eye, right eye.
    offered: [bool; 3],
    covered: bool,
    covered_at: Option<CaptureTime>,
}

/// Chooses, keeps and encodes.
pub(super) struct Pictures {
    is_on: bool,
    kept: VecDeque<Kept>,
    spare: Vec<ReducedFrame>,
    sent: VecDeque<FrameIndex>,
    seen: heapless::Vec<Seen, MAX_PERSONS>,
    last_kept: Option<CaptureTime>,
    light: Option<f32>,
    allowance: Allowance,
    /// Index into [`QUALITIES`] of the last picture.
    quality: usize,
    /// Bytes of the last picture.
    last_bytes: usize,
    jpeg: Vec<u8>,
}

impl Default for Pictures {
    fn default() -> Self {
        Self {
            is_on: false,
            kept: VecDeque::new(),
            spare: Vec::new(),
            sent: VecDeque::with_capacity(SENT),
            seen: heapless::Vec::new(),
            last_kept: None,
            light: None,
            allowance: Allowance::new(picture_budget(None)),
            quality: 0,
            last_bytes: 0,
            jpeg: Vec::new(),
        }
    }
}

impl Pictures {
    /// Another clip begins, of upright frames of this size.
    pub(super) fn begin(&mut self, of: (u32, u32), is_on: bool) {
        self.is_on = is_on;
        self.spare
            .extend(self.kept.drain(..).map(|kept| kept.frame));
        self.sent.clear();
        self.seen.clear();
        (self.last_kept, self.light, self.quality) = (None, None, 0);
        self.allowance.begin_clip();
        if is_on {
            self.kept.reserve(KEPT);
            self.spare.resize_with(KEPT, ReducedFrame::new);
            for frame in &mut self.spare {
                frame.reserve(of);
            }
            self.jpeg.reserve(MAX_PICTURE_BYTES);
        }
    }

    /// Bytes that may be made a minute, from now on.
    pub(super) fn set_budget(&mut self, bytes_a_minute: u32) {
        self.allowance.set(bytes_a_minute);
    }

    /// Looks at the next frame, before its labels are told, and keeps it if it may be needed.
    pub(super) fn look(
        &mut self,
        picture: &Picture<'_>,
        info: &FrameInfo,
        persons: &[PersonMeasurement],
        light: &Result<LightGrid, AbstainReason>,
        gate: &Gate,
    ) {
        if !self.is_on {
            return;
        }
        self.allowance.at(info.at);
        let (begins, is_covered) = self.follow(info.at, persons, gate);
        let light = light.as_ref().ok().map(mean_log);
        let moved = match (light, self.light) {
            (Some(now), Some(before)) => (now - before).abs() >= LIGHT_MOVED,
            (now, before) => now.is_some() != before.is_some(),
        };
        let is_due = self
            .last_kept
            .is_none_or(|last| !(0.0..KEEP_S).contains(&info.at.seconds_since(last)));
        if !(begins || is_covered || moved || is_due) {
            return;
        }
        let Some(mut frame) = self.room(info.at) else {
            return;
        };
        frame.take(picture, info.index, info.at);
        (self.last_kept, self.light) = (Some(info.at), light);
        self.kept.push_back(Kept {
            frame,
            wanted: is_covered.then_some(Need::Change),
            begins,
        });
    }

    /// Work is shed: nothing is kept, and of what was nothing is sent.
    pub(super) fn rest(&mut self) {
        self.spare
            .extend(self.kept.drain(..).map(|kept| kept.frame));
        self.seen.clear();
        (self.last_kept, self.light) = (None, None);
    }

    /// Whether anything of anybody begins to have a value, and whether a face is covered from now on.
    fn follow(
        &mut self,
        at: CaptureTime,
        persons: &[PersonMeasurement],
        gate: &Gate,
    ) -> (bool, bool) {
        let mut now: heapless::Vec<Seen, MAX_PERSONS> = heapless::Vec::new();
        let (mut begins, mut is_covered) = (false, false);
        for person in persons {
            let frame = &person.frame;
            let is_offered = |kind, confidence| gate.admit(kind, confidence).is_ok();
            let eye = |side: EyeSide| {
                let eye = match side {
                    EyeSide::Left => frame.left,
                    EyeSide::Right => frame.right,
                };
                eye.is_ok_and(|eye| is_offered(side.keypoint_kind(), eye.confidence))
            };
            let boxed = frame
                .person
                .is_ok_and(|(_, confidence)| is_offered(LabelKind::BboxPerson, confidence));
            let before = self.seen.iter().find(|seen| seen.track == person.track);
            let was = before.map_or([false; 3], |before| before.offered);
            let mut seen = Seen {
                track: person.track,
                offered: [boxed, eye(EyeSide::Left), eye(EyeSide::Right)],
                covered: match frame.occluded {
                    Look::Seen { probability, .. } => probability > 0.5,
                    _ => before.is_some_and(|before| before.covered),
                },
                covered_at: before.and_then(|before| before.covered_at),
            };
            begins |= seen.offered.iter().zip(was).any(|(is, was)| *is && !was);
            if seen.covered && !before.is_some_and(|before| before.covered) {
                let lately = |last| at.seconds_since(last) < COVERED_AGAIN_S;
                is_covered |= !seen.covered_at.is_some_and(lately);
                seen.covered_at = Some(at);
            }
            let _ = now.push(seen);
        }
        self.seen = now;
        (begins, is_covered)
    }

    /// Memory for a frame; where all is taken, that of the one that is missed least.
    fn room(&mut self, now: CaptureTime) -> Option<ReducedFrame> {
        if let Some(frame) = self.spare.pop() {
            return Some(frame);
        }
        let at = |kept: &Kept| kept.frame.shows().pts_us;
        let may_go = |kept: &Kept| kept.wanted.is_none();
        // The first that is older than all would be at the usual pace, else where they stand densest.
        let place = match self.kept.iter().position(may_go)? {
            first if now.seconds_since(at(&self.kept[first])) >= KEPT as f32 * KEEP_S => first,
            first => (first.max(1)..self.kept.len() - 1)
                .filter(|place| may_go(&self.kept[*place]))
                .min_by_key(|place| {
                    let gap = at(&self.kept[place + 1]).us() - at(&self.kept[place - 1]).us();
                    // What begins is missed more.
                    gap * if self.kept[*place].begins { 4 } else { 1 }
                })
                .unwrap_or(first),
        };
        self.kept.remove(place).map(|kept| kept.frame)
    }

    /// A label is told: sees to it that it has a picture.
    pub(super) fn note(&mut self, label: &Label) {
        let Some(value) = label.value.as_ref().filter(|_| self.is_on) else {
            return;
        };
        if label.kind.is_event() {
            return;
        }
        if label.kind == LabelKind::LightChange && *value == LabelValue::Flag(true) {
            // The light before and the light after.
            let before = label.frames.start.saturating_sub(1);
            self.want_last(FrameRange::new(0, before), Need::Change);
            self.want_last(label.frames, Need::Change);
        } else if !self.sent.iter().any(|frame| label.frames.contains(*frame)) {
            self.want_last(label.frames, Need::Label);
        }
    }

    /// Wants the last frame kept of these, unless one of them is wanted anyway.
    fn want_last(&mut self, frames: FrameRange, need: Need) {
        let holds = |kept: &&mut Kept| frames.contains(kept.frame.shows().frame);
        let mut within = self.kept.iter_mut().filter(holds).rev();
        if need == Need::Label {
            let mut last = None;
            for kept in within {
                if kept.wanted.is_some() {
                    return;
                }
                last = last.or(Some(kept));
            }
            if let Some(kept) = last {
                kept.wanted = Some(need);
            }
        } else if let Some(kept) = within.next() {
            kept.wanted = Some(need);
        }
    }

    /// Encodes and hands over what is wanted: one picture a frame, all at the clip's end. Pictures beyond the budget are
    /// not made.
    pub(super) fn send(&mut self, at_once: AtOnce, sink: &mut dyn Sink) -> Result<()> {
        let most = match at_once {
            AtOnce::Few => ENCODED_A_FRAME,
            AtOnce::All => KEPT,
        };
        for _ in 0..most {
            let Some(place) = self.kept.iter().position(|kept| kept.wanted.is_some()) else {
                break;
            };
            let Some(need) = self.kept[place].wanted.take() else {
                break;
            };
            let frame = self.kept[place].frame.shows().frame;
            if self.sent.contains(&frame) || !self.encode(place, need)? {
                continue;
            }
            self.last_bytes = self.jpeg.len();
            self.allowance.spend(self.last_bytes);
            if self.sent.len() == SENT {
                self.sent.pop_front();
            }
            self.sent.push_back(frame);
            sink.picture(*self.kept[place].frame.shows(), &self.jpeg)?;
        }
        Ok(())
    }

    /// Encodes as well as fits; false where it does not fit at all.
    fn encode(&mut self, place: usize, need: Need) -> Result<bool> {
        let longest = self.allowance.longest(need);
        // Where little of the budget is left, a worse picture would use up even that, and encoding one takes its time.
        if longest == 0 || need == Need::Label && longest < self.last_bytes * 3 / 4 {
            return Ok(false);
        }
        let frame = &self.kept[place].frame;
        // What fitted last fits again, most likely; a better quality is tried where it took little of the room.
        if self.last_bytes < longest / 2 {
            self.quality = self.quality.saturating_sub(1);
        }
        for (place, quality) in QUALITIES.iter().enumerate().skip(self.quality) {
            self.jpeg.clear();
            frame
                .encode(*quality, &mut self.jpeg)
                .context("cannot encode a key picture")?;
            if self.jpeg.len() <= longest {
                self.quality = place;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// How many pictures may be encoded now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtOnce {
    /// Another frame waits.
    Few,
    /// The clip is over.
    All,
}

/// Mean over the cells of the logarithm of luma.
fn mean_log(grid: &LightGrid) -> f32 {
    let cells = grid.cells();
    let sum: f32 = (0..cells.len())
        .map(|cell| (grid.level(cell) + LIGHT_FLOOR).ln())
        .sum();
    sum / cells.len() as f32
}

#[cfg(test)]
mod tests;
