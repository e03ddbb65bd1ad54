//! Changes of light: the sun, a tunnel, a bridge, a lamp, the camera's exposure.
//!
//! A change of light multiplies the whole picture and keeps its pattern; whatever moves in the picture changes a part of
//! it, and other cells in other directions. So two [`LightGrid`]s are compared cell by cell in the logarithm, over five
//! spans of time up to [`LAG_S`], and a logistic calibration says how probably the light changed between them. Where it
//! did, the frames in which it went from 8 to 92 % of the change are marked with that probability. A frame is decided once
//! it can take part in no further comparison, and cannot be joined to a later change either.
//!
//! What counts, and what is left to the camera: luma that changes by [`LEAST_CHANGE`] or more within two seconds. A slower
//! change, or one less than half as strong, is none. The frames of a change are those that differ from the frame before by a
//! part of it.
//!
//! Of some frames neither is said: those of a change that is fainter than counts, but not by half, those up to half a second before
//! a change, and those after any for as long as the light still moves by more than lamps flicker within the longest span. A ramp begins
//! gently and fades out; where it begins and ends, two people say differently.

use super::grid::{GRID_CELLS, LightGrid};
use crate::confidence::{Confidence, LogisticCalibration};
use crate::kind::AbstainReason;
use crate::reading::{Reading, Span, Verdict};
use crate::time::{CaptureTime, FrameIndex};

/// How sure a look at the light makes us.
#[derive(Clone, Debug, PartialEq)]
pub struct LightCalibration {
    /// From how light grids differ to the probability that the light changed between them.
    pub changed: LogisticCalibration<LIGHT_FEATURES>,
    /// The most that is promised where nothing changed.
    pub surest_none: f32,
}

impl LightCalibration {
    /// Whether two grids differ as by a change of light, however faint it is.
    fn is_of_light(&self, difference: &LightDifference) -> bool {
        let [_, alike, opposed, pattern] = difference.features();
        let strong = self.changed.ranges[0].1;
        let features = [strong, alike, opposed, pattern];
        self.changed.confidence(features).get() > 0.5
    }
}

/// Natural logarithm of the change of luma that is worth a label: 15 %, or about 0.45 stops of light.
pub const LEAST_CHANGE: f32 = 0.14;

/// How long a frame takes part in comparisons.
pub const LAG_S: f32 = 2.2;

/// Features of a comparison.
pub const LIGHT_FEATURES: usize = 4;

/// Frames held at most: [`LAG_S`] at 58 frames a second. At more the lag is shorter.
const CAPACITY: usize = 128;

/// Spans of time over which light is compared, and by how much a span may be missed.
const SPANS_S: [f32; 5] = [0.13, 0.27, 0.53, 1.07, 2.13];
const SPAN_SLACK: f32 = 1.5;

/// Two changes this near each other are one: the shadow of a bridge is an entry and an exit.
const JOIN_S: f32 = 0.5;

/// Units of a logarithm's integer.
const LOG_STEPS: f32 = 2048.0;
/// Grey levels added before the logarithm: noise in the dark counts little.
const FLOOR: f32 = 8.0;
/// A cell this bright in both frames is blown out and says nothing.
const BLOWN: f32 = 246.0;
/// Least cells that a comparison needs.
const LEAST_CELLS: usize = GRID_CELLS / 3;
/// A mean level below this is no light.
const DARK: f32 = 4.0;
/// A cell that changes by less than this changes neither way.
const FAINTEST: f32 = 0.03;
/// Marks less probable than this are not made.
const LEAST_MARK: f32 = 0.02;
/// A change lasts from this share of it to one less this …
const EDGE_SHARE: f32 = 0.08;
/// … but what departs by less than this is the flicker of lamps: cameras at 30 frames a second show 0.015 of it. It is nothing,
/// whatever else holds, which saves the rest of a comparison.
const FLICKER: f32 = 0.025;
/// A change of light of this much and less than [`LEAST_CHANGE`] is neither a change nor none.
const FAINT: f32 = LEAST_CHANGE / 2.0;

/// How two grids differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightDifference {
    /// Median over the cells of the logarithm of later over earlier luma.
    pub change: f32,
    /// Share of the cells that change alike: in the same direction, by half the median or more.
    pub alike: f32,
    /// Share that changes the other way.
    pub opposed: f32,
    /// Correlation of the two patterns where they change alike: what covers the scene brings a pattern of its own.
    pub pattern: f32,
}

impl LightDifference {
    /// The numbers that the calibration is fitted on.
    pub fn features(&self) -> [f32; LIGHT_FEATURES] {
        [
            libm::logf(self.change.abs() + 0.01),
            self.alike,
            self.opposed,
            self.pattern,
        ]
    }
}

/// One frame that is not decided yet.
#[derive(Clone, Copy)]
struct Held {
    frame: FrameIndex,
    at: CaptureTime,
    logs: [i16; GRID_CELLS],
    sight: Sight,
    /// Whether it lies after a frame and up to another that were compared.
    is_compared: bool,
    /// That the light changes; of a frame that no comparison marks what always remains.
    probability: f32,
    change: f32,
    /// Whether it is part of a change of light of [`FAINT`] and more.
    is_faint: bool,
    /// The most that the light changes from it on, within the longest span: the picture's middle cell, logarithm.
    ahead: f32,
}

/// Whether a frame can be compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Clear,
    Dark,
    Blown,
}

const EMPTY: Held = Held {
    frame: 0,
    at: CaptureTime(0),
    logs: [0; GRID_CELLS],
    sight: Sight::Clear,
    is_compared: false,
    probability: 0.0,
    change: 0.0,
    is_faint: false,
    ahead: 0.0,
};

/// Finds changes of light in successive frames.
#[derive(Clone)]
pub struct LightChangeDetector {
    /// A ring: `count` frames from `first` on.
    held: [Held; CAPACITY],
    first: usize,
    count: usize,
    /// Whether the light still moved in the frame that was decided last.
    is_moving: bool,
}

impl Default for LightChangeDetector {
    fn default() -> Self {
        Self::new()
    }
}

impl LightChangeDetector {
    /// A clip of which nothing is known yet.
    #[expect(
        clippy::large_stack_arrays,
        reason = "40 kB, made once a clip and boxed with the labeller that holds it"
    )]
    pub const fn new() -> Self {
        Self {
            held: [EMPTY; CAPACITY],
            first: 0,
            count: 0,
            is_moving: false,
        }
    }

    /// Takes the next frame; tells those that are certain now, in order: the light changes or does not, and as raw score
    /// the natural logarithm of the strongest change that the frame is part of.
    pub fn observe(
        &mut self,
        frame: FrameIndex,
        at: CaptureTime,
        grid: &LightGrid,
        calibration: &LightCalibration,
        decided: &mut impl FnMut(Span, Verdict<bool>),
    ) {
        while self.count > 0
            && (self.count == CAPACITY || at.seconds_since(self.at(0).at) > LAG_S + JOIN_S)
        {
            self.decide_first(decided);
        }
        let place = (self.first + self.count) % CAPACITY;
        self.held[place] = Held {
            probability: 1.0 - calibration.surest_none,
            ..held(frame, at, grid)
        };
        self.count += 1;
        for span in SPANS_S {
            if let Some(earlier) = self.earlier(at, span) {
                self.compare(earlier, calibration);
            }
        }
    }

    /// Takes the next frame, of which the light was not measured.
    pub fn be_silent(
        &mut self,
        frame: Span,
        reason: AbstainReason,
        decided: &mut impl FnMut(Span, Verdict<bool>),
    ) {
        self.finish(decided);
        decided(frame, Err(reason));
    }

    /// The clip is over: tells the frames that are left.
    pub fn finish(&mut self, decided: &mut impl FnMut(Span, Verdict<bool>)) {
        while self.count > 0 {
            self.decide_first(decided);
        }
        self.is_moving = false;
    }

    /// Every comparison that the newest frame takes part in, for fits: span in seconds and difference.
    pub fn differences(&self) -> impl Iterator<Item = (f32, LightDifference)> + '_ {
        SPANS_S.into_iter().filter_map(|span| {
            let newest = self.at(self.count.checked_sub(1)?);
            let earlier = self.earlier(newest.at, span)?;
            let (difference, _) = difference(&self.at(earlier).logs, &newest.logs)?;
            Some((span, difference))
        })
    }

    fn at(&self, place: usize) -> &Held {
        &self.held[(self.first + place) % CAPACITY]
    }

    /// The latest frame that lies at least `span` before `now`, unless it lies much farther back.
    fn earlier(&self, now: CaptureTime, span: f32) -> Option<usize> {
        let place = (0..self.count.saturating_sub(1))
            .rev()
            .find(|place| now.seconds_since(self.at(*place).at) >= span * 0.98)?;
        let far = now.seconds_since(self.at(place).at) > span * SPAN_SLACK;
        // At few frames a second the shortest span is a frame.
        (!far || place + 2 == self.count).then_some(place)
    }

    /// Compares the newest frame with an earlier one and marks what changed in between.
    fn compare(&mut self, earlier: usize, calibration: &LightCalibration) {
        let newest = self.count - 1;
        let (before, after) = (self.at(earlier), self.at(newest));
        if before.sight == Sight::Blown && after.sight == Sight::Blown {
            return;
        }
        let Some((difference, alike)) = difference(&before.logs, &after.logs) else {
            return;
        };
        for place in earlier + 1..=newest {
            self.held[(self.first + place) % CAPACITY].is_compared = true;
        }
        let moved = difference.change.abs();
        // People who move change the picture's middle cell, too, but some cells the other way.
        let is_of_light = moved >= FLICKER && calibration.is_of_light(&difference);
        if is_of_light {
            let from = &mut self.held[(self.first + earlier) % CAPACITY];
            from.ahead = from.ahead.max(moved);
        }
        let probability = calibration.changed.confidence(difference.features()).get();
        let is_faint = moved >= FAINT && is_of_light;
        if probability < LEAST_MARK && !is_faint {
            return;
        }
        let (before, after) = (self.at(earlier).logs, self.at(newest).logs);
        // Mean share of the change that the cells have behind them; each is held to about 0 to 1, since what moves in the
        // picture would count many times over.
        let share = |place: usize| {
            let now = &self.at(place).logs;
            let (mut sum, mut count) = (0.0, 0.0f32);
            for cell in (0..GRID_CELLS).filter(|cell| alike[*cell]) {
                let so_far = f32::from(now[cell] - before[cell]);
                sum += (so_far / f32::from(after[cell] - before[cell])).clamp(-0.2, 1.2);
                count += 1.0;
            }
            sum / count.max(1.0)
        };
        let edge = EDGE_SHARE.max(FLICKER / moved).min(0.5);
        let between = earlier + 1..newest;
        let start = between
            .clone()
            .find(|place| share(*place) > edge)
            .unwrap_or(newest);
        let end = between
            .rev()
            .find(|place| share(*place) < 1.0 - edge)
            .map_or(earlier + 1, |place| place + 1);
        let (start, end) = (start.min(end), start.max(end));
        for place in start..=end {
            let held = &mut self.held[(self.first + place) % CAPACITY];
            held.is_faint |= is_faint;
            if probability > held.probability {
                held.probability = probability;
                held.change = difference.change;
            }
        }
    }

    /// Tells the oldest frame.
    fn decide_first(&mut self, decided: &mut impl FnMut(Span, Verdict<bool>)) {
        let oldest = *self.at(0);
        let changes = oldest.probability > 0.5;
        let still_moves = self.is_moving && oldest.ahead >= FLICKER;
        self.is_moving = changes || oldest.is_faint || still_moves;
        let soon = (1..self.count)
            .take_while(|place| self.at(*place).at.seconds_since(oldest.at) <= JOIN_S)
            .find(|place| self.at(*place).probability > 0.5);
        // Between two changes that are near each other: as if the light went on changing.
        if changes && let Some(next) = soon {
            let probability = oldest.probability.min(self.at(next).probability);
            for place in 1..next {
                let held = &mut self.held[(self.first + place) % CAPACITY];
                held.probability = held.probability.max(probability);
                held.change = oldest.change;
            }
        }
        let reading = |value, probability| {
            let confidence =
                Confidence::new(probability).map_err(|_| AbstainReason::LowConfidence)?;
            Ok(Reading {
                value,
                confidence,
                raw: oldest.change,
            })
        };
        let verdict = match oldest.sight {
            _ if changes => reading(true, oldest.probability),
            Sight::Dark => Err(AbstainReason::TooDark),
            Sight::Blown => Err(AbstainReason::LowConfidence),
            // A still, or a clip's first frame: there is nothing before it that it could differ from.
            Sight::Clear if !oldest.is_compared => Err(AbstainReason::LowConfidence),
            Sight::Clear if self.is_moving || soon.is_some() => Err(AbstainReason::LowConfidence),
            Sight::Clear => reading(false, 1.0 - oldest.probability),
        };
        decided(Span::frame(oldest.frame, oldest.at), verdict);
        self.first = (self.first + 1) % CAPACITY;
        self.count -= 1;
    }
}

fn held(frame: FrameIndex, at: CaptureTime, grid: &LightGrid) -> Held {
    let blown = (0..GRID_CELLS)
        .filter(|cell| grid.level(*cell) > BLOWN)
        .count();
    let sight = if grid.mean() < DARK {
        Sight::Dark
    } else if GRID_CELLS - blown < LEAST_CELLS {
        Sight::Blown
    } else {
        Sight::Clear
    };
    Held {
        frame,
        at,
        logs: grid
            .cells()
            .map(|cell| log_steps(f32::from(cell) / f32::from(LightGrid::STEPS))),
        sight,
        is_compared: false,
        probability: 0.0,
        change: 0.0,
        is_faint: false,
        ahead: 0.0,
    }
}

/// Natural logarithm of a grey level, in [`LOG_STEPS`], 0 for white.
fn log_steps(level: f32) -> i16 {
    libm::roundf(libm::logf((level + FLOOR) / (255.0 + FLOOR)) * LOG_STEPS) as i16
}

/// How two frames differ, and which cells change alike; `None` where too few cells can be compared.
fn difference(
    before: &[i16; GRID_CELLS],
    after: &[i16; GRID_CELLS],
) -> Option<(LightDifference, [bool; GRID_CELLS])> {
    let blown = log_steps(BLOWN);
    let seen = |cell: usize| before[cell] <= blown || after[cell] <= blown;
    let mut changes = [0i16; GRID_CELLS];
    let mut count = 0;
    for cell in (0..GRID_CELLS).filter(|cell| seen(*cell)) {
        changes[count] = after[cell] - before[cell];
        count += 1;
    }
    if count < LEAST_CELLS {
        return None;
    }
    let (_, median, _) = changes[..count].select_nth_unstable(count / 2);
    let median = f32::from(*median) / LOG_STEPS;
    let mut alike = [false; GRID_CELLS];
    let mut found = LightDifference {
        change: median,
        alike: 0.0,
        opposed: 0.0,
        pattern: 1.0,
    };
    if median.abs() < FLICKER {
        return Some((found, alike));
    }
    let sign = median.signum();
    let of = |cell: usize| f32::from(after[cell] - before[cell]) / LOG_STEPS * sign;
    let (mut alike_count, mut opposed) = (0u32, 0u32);
    for cell in (0..GRID_CELLS).filter(|cell| seen(*cell)) {
        if of(cell) >= 0.5 * median.abs() {
            alike[cell] = true;
            alike_count += 1;
        } else if of(cell) < -FAINTEST {
            opposed += 1;
        }
    }
    found.alike = alike_count as f32 / count as f32;
    found.opposed = opposed as f32 / count as f32;
    found.pattern = correlation(before, after, &alike);
    Some((found, alike))
}

/// Correlation of two patterns of light in some cells; 1 for two even ones.
fn correlation(
    before: &[i16; GRID_CELLS],
    after: &[i16; GRID_CELLS],
    within: &[bool; GRID_CELLS],
) -> f32 {
    /// Deviation below which a pattern is even, in the logarithm.
    const EVEN: f32 = 0.03;
    let cells = || (0..GRID_CELLS).filter(|cell| within[*cell]);
    let count = cells().count().max(1) as f32;
    let mean = |logs: &[i16; GRID_CELLS]| {
        cells().map(|cell| i32::from(logs[cell])).sum::<i32>() as f32 / count
    };
    let (mean_before, mean_after) = (mean(before), mean(after));
    let (mut both, mut first, mut second) = (0.0, 0.0, 0.0);
    for cell in cells() {
        let before = f32::from(before[cell]) - mean_before;
        let after = f32::from(after[cell]) - mean_after;
        both += before * after;
        first += before * before;
        second += after * after;
    }
    let even = (EVEN * LOG_STEPS) * (EVEN * LOG_STEPS) * count;
    (both + even) / libm::sqrtf((first + even) * (second + even))
}

#[cfg(test)]
mod tests;
