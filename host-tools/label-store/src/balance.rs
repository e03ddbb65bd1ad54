//! Whether everything made has arrived.

use serde::{Deserialize, Serialize};

/// Labels and evidence, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsByDecision {
    /// Candidates.
    pub offered: u64,
    /// Abstentions.
    pub abstained: u64,
    /// Evidence messages: filmstrips and key pictures.
    pub evidence: u64,
}

/// Labels by where they stand in review.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCounts {
    /// Not judged.
    pub waiting: u64,
    /// Right as they were.
    pub accepted: u64,
    /// Right after a change.
    pub corrected: u64,
    /// Wrong.
    pub rejected: u64,
    /// Made by a person, and standing; no candidates.
    pub created: u64,
}

impl ReviewCounts {
    /// Judged and waiting together: all candidates.
    pub const fn total(self) -> u64 {
        self.waiting + self.accepted + self.corrected + self.rejected
    }
}

/// The verdict on one clip: made = committed, and committed = reviewed + waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Balance {
    /// The rig has not closed the clip, so how much it made is not known yet.
    Open,
    /// All is here.
    Balanced,
    /// The counts differ.
    Unbalanced {
        /// Candidates made less candidates committed.
        offered: i64,
        /// Abstentions made less abstentions committed.
        abstained: i64,
        /// Evidence messages made less those committed.
        evidence: i64,
        /// Frames of the clip less frames in its manifest.
        frames: i64,
    },
}

impl Balance {
    /// Compares what the rig says it made with what is stored.
    pub fn of(
        made: Option<CountsByDecision>,
        committed: CountsByDecision,
        frames: Option<u32>,
        manifest_frames: u64,
    ) -> Self {
        let (Some(made), Some(frames)) = (made, frames) else {
            return Self::Open;
        };
        let difference = |a: u64, b: u64| a as i64 - b as i64;
        let (offered, abstained, evidence, frames) = (
            difference(made.offered, committed.offered),
            difference(made.abstained, committed.abstained),
            difference(made.evidence, committed.evidence),
            difference(u64::from(frames), manifest_frames),
        );
        if (offered, abstained, evidence, frames) == (0, 0, 0, 0) {
            Self::Balanced
        } else {
            Self::Unbalanced {
                offered,
                abstained,
                evidence,
                frames,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_balances_only_when_everything_it_made_is_here() {
        let made = CountsByDecision {
            offered: 3,
            abstained: 2,
            evidence: 1,
        };
        assert_eq!(Balance::of(None, made, None, 10), Balance::Open);
        assert_eq!(
            Balance::of(Some(made), made, Some(10), 10),
            Balance::Balanced
        );
        let short = CountsByDecision { offered: 2, ..made };
        assert_eq!(
            Balance::of(Some(made), short, Some(10), 8),
            Balance::Unbalanced {
                offered: 1,
                abstained: 0,
                evidence: 0,
                frames: 2
            }
        );
    }
}
