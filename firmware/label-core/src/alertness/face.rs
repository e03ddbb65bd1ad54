//! Yawns and nods, from looks at mouth and head that come some times a second.

use crate::time::CaptureTime;

/// Looks further apart than this, in seconds, tell nothing of what lay between them.
const LOOK_S: f32 = 1.2;

/// A yawn: the mouth is open at least this far all the while …
const OPEN_MOUTH: f32 = 0.40;
/// … and this far at its widest: words and songs stay below, mostly.
const WIDE_MOUTH: f32 = 0.60;
/// … for this long. Yawns last 4 to 7 s, of which the mouth is wide open for about half (Provine 1986; Barbizet 1958).
const YAWN_S: (f32, f32) = (1.5, 8.0);
/// Looks during a yawn, at least: two lone looks at an open mouth may be two words.
const YAWN_LOOKS: u16 = 5;

/// A nod: the head sinks at least so many degrees below where it was held …
const NOD_DEGREES: f32 = 12.0;
/// … within this time …
const DROP_S: f32 = 0.8;
/// … and comes back to less than this share of it …
const BACK_SHARE: f32 = 0.4;
/// … within this time. A slower look down is a look down.
const BACK_S: f32 = 2.0;
/// How quickly "where it was held" follows, as a time constant in seconds.
const HELD_S: f32 = 5.0;

/// An open mouth.
#[derive(Clone, Copy, Debug)]
struct Gape {
    from: CaptureTime,
    last: CaptureTime,
    widest: f32,
    looks: u16,
}

/// Counts yawns.
#[derive(Clone, Debug, Default)]
pub(super) struct Yawns {
    gape: Option<Gape>,
}

impl Yawns {
    /// Takes a look at the mouth; says whether a yawn ended.
    pub(super) fn observe(&mut self, at: CaptureTime, opening: f32) -> bool {
        if let Some(gape) = &mut self.gape
            && opening >= OPEN_MOUTH
            && at.seconds_since(gape.last) <= LOOK_S
        {
            gape.last = at;
            gape.widest = gape.widest.max(opening);
            gape.looks = gape.looks.saturating_add(1);
            return false;
        }
        let ended = self.gape.take();
        if opening >= OPEN_MOUTH {
            self.gape = Some(Gape {
                from: at,
                last: at,
                widest: opening,
                looks: 1,
            });
        }
        ended.is_some_and(|gape| {
            let seconds = gape.last.seconds_since(gape.from);
            (YAWN_S.0..=YAWN_S.1).contains(&seconds)
                && gape.widest >= WIDE_MOUTH
                && gape.looks >= YAWN_LOOKS
        })
    }
}

/// A head on its way down.
#[derive(Clone, Copy, Debug)]
struct Drop {
    /// When it was last held up.
    from: CaptureTime,
    deepest: f32,
}

/// Counts nods.
#[derive(Clone, Debug, Default)]
pub(super) struct Nods {
    last: Option<CaptureTime>,
    /// Pitch at which the head is held.
    held: f32,
    /// When it was last held there.
    up: CaptureTime,
    drop: Option<Drop>,
}

impl Nods {
    /// Takes a look at the head, degrees downwards; says whether a nod ended.
    pub(super) fn observe(&mut self, at: CaptureTime, pitch: f32) -> bool {
        let since = self
            .last
            .replace(at)
            .map_or(f32::INFINITY, |last| at.seconds_since(last));
        if since > LOOK_S {
            (self.held, self.up, self.drop) = (pitch, at, None);
            return false;
        }
        let low = pitch - self.held;
        if let Some(drop) = &mut self.drop {
            let late = at.seconds_since(drop.from) > BACK_S;
            if late || low <= BACK_SHARE * drop.deepest {
                // What took longer is how the head is held now.
                self.held = if late { pitch } else { self.held };
                (self.drop, self.up) = (None, at);
                return !late;
            }
            drop.deepest = drop.deepest.max(low);
            return false;
        }
        if low < BACK_SHARE * NOD_DEGREES {
            self.up = at;
        } else if low >= NOD_DEGREES && at.seconds_since(self.up) <= DROP_S {
            self.drop = Some(Drop {
                from: self.up,
                deepest: low,
            });
            return false;
        }
        self.held += (1.0 - libm::expf(-since / HELD_S)) * low;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: i64) -> CaptureTime {
        CaptureTime(ms * 1000)
    }

    /// Yawns counted in looks every `step` milliseconds at a mouth of this course.
    fn yawns(step: i64, mouth: impl Fn(f32) -> f32) -> usize {
        let mut yawns = Yawns::default();
        (0..20_000 / step)
            .filter(|i| yawns.observe(ms(i * step), mouth((i * step) as f32 * 1e-3)))
            .count()
    }

    #[test]
    fn a_mouth_held_wide_for_some_seconds_is_a_yawn_and_words_and_laughs_are_none() {
        for step in [40, 100, 250] {
            let yawn = |t: f32| if (4.0..8.0).contains(&t) { 0.8 } else { 0.05 };
            assert_eq!(yawns(step, yawn), 1, "every {step} ms");
            let short = |t: f32| if (4.0..5.0).contains(&t) { 0.8 } else { 0.05 };
            assert_eq!(yawns(step, short), 0);
            let half = |t: f32| if (4.0..8.0).contains(&t) { 0.5 } else { 0.05 };
            assert_eq!(yawns(step, half), 0);
            let gape = |t: f32| if (2.0..16.0).contains(&t) { 0.8 } else { 0.05 };
            assert_eq!(yawns(step, gape), 0);
            // Syllables, five a second.
            let speech = |t: f32| 0.35 + 0.35 * (t * 31.4).sin();
            assert_eq!(yawns(step, speech), 0);
        }
    }

    /// Nods counted in looks every 100 ms.
    fn nods(pitch: impl Fn(f32) -> f32) -> usize {
        let mut nods = Nods::default();
        (0..200)
            .filter(|i| nods.observe(ms(i * 100), pitch(*i as f32 * 0.1)))
            .count()
    }

    #[test]
    fn a_head_that_sinks_and_jerks_back_is_a_nod_and_a_look_down_is_none() {
        let sink = |from: f32, length: f32| {
            move |t: f32| {
                if (from..from + length).contains(&t) {
                    25.0
                } else {
                    3.0
                }
            }
        };
        assert_eq!(nods(sink(8.0, 0.8)), 1);
        assert_eq!(nods(sink(8.0, 5.0)), 0);
        // Slowly down and slowly up.
        assert_eq!(nods(|t| 20.0 * (0.5 * t).sin()), 0);
        // A yes: quick and small.
        assert_eq!(nods(|t| 4.0 * (9.0 * t).sin()), 0);
    }
}
