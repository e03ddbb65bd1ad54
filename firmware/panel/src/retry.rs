//! Trying again after failures, less and less often, for ever.

use std::time::Duration;

/// The first pause: a loose plug is back within seconds.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest pause: who plugs a display in waits no longer for it.
const LONGEST: Duration = Duration::from_mins(1);

/// When to try next.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pause: Duration,
    next: Duration,
    failing: bool,
}

/// Whether a failure is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    First,
    Again,
}

impl Retry {
    pub(crate) fn new() -> Self {
        Self {
            pause: SHORTEST,
            next: Duration::ZERO,
            failing: false,
        }
    }

    pub(crate) fn is_due(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// It failed: is that news? The next try is due after a pause twice as long as the last.
    pub(crate) fn failed(&mut self, now: Duration) -> News {
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST);
        if std::mem::replace(&mut self.failing, true) {
            News::Again
        } else {
            News::First
        }
    }

    /// It worked: did it fail before?
    pub(crate) fn worked(&mut self) -> bool {
        self.pause = SHORTEST;
        std::mem::take(&mut self.failing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute_and_only_the_first_failure_is_news() {
        let mut retry = Retry::new();
        let mut now = Duration::ZERO;
        let mut pauses = Vec::new();
        assert!(retry.is_due(now));
        for turn in 0..9 {
            let news = retry.failed(now);
            assert_eq!(news == News::First, turn == 0);
            let before = now;
            while !retry.is_due(now) {
                now += Duration::from_millis(500);
            }
            pauses.push(now.saturating_sub(before).as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(retry.worked());
        assert!(!retry.worked());
        assert_eq!(retry.failed(now), News::First);
    }
}
