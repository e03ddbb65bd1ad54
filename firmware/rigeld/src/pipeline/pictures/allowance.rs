//! How many bytes of key pictures may be made.
//!
//! A bucket that fills by itself: what fits it at once and what flows into it within a minute are together the budget of a
//! minute, so that no minute ever has more. A part of it is kept for pictures of changes.

use label_core::CaptureTime;
use label_core::wire::{MAX_PICTURE_BYTES, Policy};

/// Bytes a minute where the desk says nothing.
pub(crate) const DEFAULT_BYTES_A_MINUTE: u32 = 1024 * 1024;

/// The budget under a policy.
pub(crate) fn picture_budget(policy: Option<&Policy>) -> u32 {
    policy
        .and_then(|policy| policy.picture_bytes_a_minute)
        .unwrap_or(DEFAULT_BYTES_A_MINUTE)
}

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// A label that has none.
    Label,
    /// A change: of light, or a face that is covered from now on.
    Change,
}

/// A quarter of a minute's budget, or one picture of the largest size, but never more than half.
fn most_at_once(budget: u32) -> f64 {
    let all = f64::from(budget);
    (all / 4.0).max(MAX_PICTURE_BYTES as f64).min(all / 2.0)
}

/// Bytes that may be spent, in whole bytes and microseconds.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    /// A minute's budget.
    budget: u32,
    /// Most that is there at once.
    most: f64,
    left: f64,
    last: Option<CaptureTime>,
}

impl Allowance {
    pub(super) fn new(budget: u32) -> Self {
        let most = most_at_once(budget);
        Self {
            budget,
            most,
            left: most,
            last: None,
        }
    }

    /// Another budget from now on. The same share as before is left of what may be made at once.
    pub(super) fn set(&mut self, budget: u32) {
        let share = if self.most > 0.0 {
            self.left / self.most
        } else {
            1.0
        };
        self.budget = budget;
        self.most = most_at_once(budget);
        self.left = share * self.most;
    }

    /// Another clip begins, whose times have nothing to do with those before.
    pub(super) fn begin_clip(&mut self) {
        self.last = None;
    }

    /// Time goes on.
    pub(super) fn at(&mut self, now: CaptureTime) {
        let passed_s = self.last.map_or(0.0, |last| now.seconds_since(last));
        self.last = Some(now);
        let a_second = (f64::from(self.budget) - self.most) / 60.0;
        self.left = (self.left + a_second * f64::from(passed_s.max(0.0))).min(self.most);
    }

    /// Longest picture that may be made now; 0 where none may.
    pub(super) fn longest(&self, need: Need) -> usize {
        let kept = match need {
            Need::Label => self.most / 4.0,
            Need::Change => 0.0,
        };
        // One that uses up everything there ever is may be made too.
        let left = if self.left >= self.most {
            self.left
        } else {
            self.left - kept
        };
        (left.max(0.0) as usize).min(MAX_PICTURE_BYTES)
    }

    pub(super) fn spend(&mut self, bytes: usize) {
        self.left -= bytes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_budget_of_nothing_allows_nothing() {
        let mut allowance = Allowance::new(0);
        for second in 0..200 {
            allowance.at(CaptureTime(second * 1_000_000));
            assert_eq!(allowance.longest(Need::Change), 0);
        }
    }

    #[test]
    fn a_larger_budget_holds_at_once() {
        let mut allowance = Allowance::new(100_000);
        allowance.set(10_000_000);
        assert!(allowance.longest(Need::Label) >= 40_000);
        allowance.set(0);
        assert_eq!(allowance.longest(Need::Change), 0);
    }

    #[test]
    fn routine_pictures_leave_room_for_a_change() {
        let mut allowance = Allowance::new(400_000);
        allowance.at(CaptureTime(0));
        while allowance.longest(Need::Label) >= 20_000 {
            allowance.spend(20_000);
        }
        assert!(allowance.longest(Need::Change) >= 20_000);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_its_budget_however_hard_it_is_asked(
            budget in 0u32..2_000_000,
            asked in prop::collection::vec((0i64..3_000_000, 1000usize..60_000, any::<bool>()), 1..400),
        ) {
            let mut allowance = Allowance::new(budget);
            let (mut now, mut spent) = (0, Vec::new());
            for (pause, bytes, change) in asked {
                now += pause;
                allowance.at(CaptureTime(now));
                let need = if change { Need::Change } else { Need::Label };
                let bytes = bytes.min(allowance.longest(need));
                allowance.spend(bytes);
                spent.push((now, bytes));
                let minute: usize = spent
                    .iter()
                    .filter(|(at, _)| now - at <= 60_000_000)
                    .map(|(_, bytes)| bytes)
                    .sum();
                // The bucket counts in fractions of a byte.
                prop_assert!(minute <= budget as usize + 1, "{} of {}", minute, budget);
            }
        }
    }
}
