//! The person's own open eye, over minutes.

/// Openness is counted in steps of this size …
const STEP: f32 = 0.01;
/// … up to 0.64: nobody's eye is open further.
const STEPS: usize = 64;
/// The share of the counted time in which an eye is less open than its level.
const SHARE: f32 = 0.80;
/// Half of what is known is forgotten in this time, seconds: lids that droop for some minutes do not become the level.
const HALF_LIFE_S: f32 = 300.0;
/// Openness lower than this share of the level counts for little …
const LOWERED_SHARE: f32 = 0.60;
/// … namely this: ten minutes of sleep weigh as one.
const LOWERED_WEIGHT: f32 = 0.10;
/// Before anything is known: the median person, for so many seconds.
const FIRST_LEVEL: f32 = 0.24;
const FIRST_S: f32 = 2.0;
/// Lowest open level believed of anybody.
const LEAST_LEVEL: f32 = 0.14;

/// How open one eye is when it is open.
#[derive(Clone, Debug)]
pub(super) struct OpenLevel {
    /// Seconds spent at each openness, the older the fewer.
    seconds: [f32; STEPS],
    level: f32,
    /// Seconds since the level was last worked out.
    age_s: f32,
}

impl OpenLevel {
    pub(super) fn new() -> Self {
        let mut seconds = [0.0; STEPS];
        seconds[(FIRST_LEVEL / STEP) as usize] = FIRST_S;
        Self {
            seconds,
            level: FIRST_LEVEL,
            age_s: 0.0,
        }
    }

    pub(super) fn get(&self) -> f32 {
        self.level
    }

    /// The eye was this open for so long.
    pub(super) fn observe(&mut self, openness: f32, seconds: f32) {
        let lowered = openness < LOWERED_SHARE * self.level;
        let weight = if lowered { LOWERED_WEIGHT } else { 1.0 };
        let step = (openness.max(0.0) / STEP) as usize;
        self.seconds[step.min(STEPS - 1)] += weight * seconds;
        self.age_s += seconds;
        if self.age_s >= 1.0 {
            self.work_out();
        }
    }

    fn work_out(&mut self) {
        let keep = libm::exp2f(-self.age_s / HALF_LIFE_S);
        self.age_s = 0.0;
        let mut total = 0.0;
        for seconds in &mut self.seconds {
            *seconds *= keep;
            total += *seconds;
        }
        let mut below = 0.0;
        for (step, seconds) in self.seconds.iter().enumerate() {
            let wanted = SHARE * total - below;
            if *seconds >= wanted && *seconds > 0.0 {
                let within = (wanted / seconds).clamp(0.0, 1.0);
                self.level = ((step as f32 + within) * STEP).max(LEAST_LEVEL);
                return;
            }
            below += seconds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(parts: &[(f32, f32)]) -> f32 {
        let mut level = OpenLevel::new();
        for (openness, seconds) in parts {
            for _ in 0..(seconds * 10.0) as u32 {
                level.observe(*openness, 0.1);
            }
        }
        level.get()
    }

    #[test]
    fn it_is_the_persons_own_within_half_a_minute() {
        for openness in [0.18, 0.25, 0.34] {
            let found = after(&[(openness, 30.0)]);
            assert!((found - openness).abs() < 0.015, "{found} for {openness}");
        }
    }

    #[test]
    fn neither_sleep_nor_drooping_lids_become_the_level() {
        let asleep = after(&[(0.30, 120.0), (0.02, 600.0)]);
        assert!(asleep > 0.28, "{asleep}");
        let drooping = after(&[(0.30, 120.0), (0.20, 120.0)]);
        assert!(drooping > 0.28, "{drooping}");
    }
}
