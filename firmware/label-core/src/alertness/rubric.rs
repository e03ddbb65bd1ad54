//! From signs to a level, and how clear the case is. `docs/alertness.md` is this file in words, with the sources.

use crate::confidence::{Confidence, LogisticCalibration};
use crate::wire::Signs;

/// Features of the confidence: how clear the level is, share of the minute seen, whether a second sign agrees.
pub const ALERTNESS_FEATURES: usize = 3;

/// From how much of a sign on a level is reached. One sign is enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Border {
    /// Share of the minute with slowly shut eyes.
    pub perclos: f32,
    /// Longest closure, seconds.
    pub closure_s: f32,
    /// Closures of half a second or more.
    pub closures: f32,
    /// How much longer blinks last than the person's usual ones: 0.25 = a quarter longer.
    pub longer_blinks: f32,
    /// Yawns.
    pub yawns: f32,
    /// Nods.
    pub nods: f32,
}

/// Where each level begins, and how sure that makes us.
#[derive(Clone, Debug, PartialEq)]
pub struct Rubric {
    /// From here on the person is not quite alert: level 4.
    pub fading: Border,
    /// Sleepy: level 3.
    pub sleepy: Border,
    /// Fighting sleep: level 2.
    pub fighting: Border,
    /// Eyes shut for this long, in seconds, is sleep: level 1, for as long as they are shut.
    pub asleep_s: f32,
    /// Seconds of the minute in which an eye must have been judged.
    pub least_seen_s: f32,
    /// The eyes are shut where their opening is below this share of the person's own open eye.
    pub shut_share: f32,
    /// Blinks are no slow closures: only eyes shut for at least this long, in seconds, count.
    pub slow_s: f32,
    /// Confidence of a level. There is no truth to fit it on.
    pub confidence: LogisticCalibration<ALERTNESS_FEATURES>,
}

impl Border {
    /// How much of the way to this border the clearest sign has gone: 1 = there.
    fn reached(&self, signs: &Signs) -> f32 {
        let longer = signs.blink_ratio.map_or(0.0, |ratio| ratio - 1.0);
        [
            (signs.perclos, self.perclos),
            (signs.longest_closure_s, self.closure_s),
            (f32::from(signs.closures), self.closures),
            (longer, self.longer_blinks),
            (f32::from(signs.yawns), self.yawns),
            (f32::from(signs.nods), self.nods),
        ]
        .into_iter()
        .map(|(sign, border)| sign / border)
        .fold(0.0, f32::max)
    }
}

impl Rubric {
    /// The level, and how clear it is: the share by which the nearest border is passed, or missed.
    pub fn judge(&self, signs: &Signs, asleep_s: f32) -> (u8, f32) {
        let asleep = asleep_s / self.asleep_s;
        if asleep >= 1.0 {
            return (1, asleep - 1.0);
        }
        let [fading, sleepy, fighting] =
            [&self.fading, &self.sleepy, &self.fighting].map(|border| border.reached(signs));
        if fighting >= 1.0 {
            (2, fighting - 1.0)
        } else if sleepy >= 1.0 {
            (3, (sleepy - 1.0).min(1.0 - fighting))
        } else if fading >= 1.0 {
            (4, (fading - 1.0).min(1.0 - sleepy))
        } else {
            (5, 1.0 - fading.max(sleepy))
        }
    }

    /// How sure a level is that is this clear.
    ///
    /// To a mesh a look down is shut eyes: both read 0.0 to 0.1 of the open eye. So the levels that shut eyes lead to are not
    /// believed on shut eyes alone; blinks that grow long or a yawn must agree.
    pub fn sure(&self, level: u8, clear: f32, signs: &Signs) -> Confidence {
        let apart_from_shut_eyes = Border {
            perclos: f32::INFINITY,
            closure_s: f32::INFINITY,
            closures: f32::INFINITY,
            nods: f32::INFINITY,
            ..self.fading
        };
        let agreed = level > 3 || apart_from_shut_eyes.reached(signs) >= 1.0;
        let second = if agreed { 1.0 } else { 0.0 };
        self.confidence
            .confidence([clear, signs.seen_s / super::MINUTE_S, second])
    }
}
