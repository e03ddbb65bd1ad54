//! What the fixture rig makes: every message follows from its seq, so that a test knows what must have arrived.

use label_core::Seq;
use std::path::Path;

/// What a message of the fixture rig is, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The first.
    Opened,
    /// Two candidate blinks and an abstention.
    Labels,
    /// The picture of the batch before.
    Evidence,
}

/// What the fixture rig says with its `seq`-th message; the last message of a finished run is the clip's end instead.
pub const fn message_of(seq: Seq) -> Made {
    match seq {
        1 => Made::Opened,
        _ if seq.is_multiple_of(5) => Made::Evidence,
        _ => Made::Labels,
    }
}

/// Labels and evidence in the first messages of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MadeCounts {
    /// Candidates.
    pub offered: u64,
    /// Abstentions.
    pub abstained: u64,
    /// Evidence messages.
    pub evidence: u64,
}

impl MadeCounts {
    /// Of messages 1 to `last`.
    pub fn upto(last: Seq) -> Self {
        let mut counts = Self::default();
        for seq in 1..=last {
            match message_of(seq) {
                Made::Opened => {}
                Made::Labels => {
                    counts.offered += 2;
                    counts.abstained += 1;
                }
                Made::Evidence => counts.evidence += 1,
            }
        }
        counts
    }

    /// (boot, last seq appended) as the fixture rig wrote it down after each append; absent before the first.
    pub fn journal(path: &Path) -> Option<(u64, Seq)> {
        let text = std::fs::read_to_string(path).ok()?;
        let (boot, seq) = text.trim().split_once(' ')?;
        Some((boot.parse().ok()?, seq.parse().ok()?))
    }
}
