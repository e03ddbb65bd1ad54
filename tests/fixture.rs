//! What the fixture rig makes: every message follows from its seq, so that a test knows what must have arrived.

mod messages;

pub use messages::{CLIP, encode_message, labels, model, picture};

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
            counts.add(message_of(seq));
        }
        counts
    }

    /// Counts one message more.
    pub const fn add(&mut self, made: Made) {
        match made {
            Made::Opened => {}
            Made::Labels => {
                self.offered += 2;
                self.abstained += 1;
            }
            Made::Evidence => self.evidence += 1,
        }
    }

    /// (boot, last seq appended) as the fixture rig wrote it down after each append; absent before the first.
    pub fn journal(path: &Path) -> Option<(u64, Seq)> {
        let journal = Journal::read(path)?;
        Some((journal.boot, journal.last))
    }
}

/// What the fixture rig has written down of its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The run.
    pub boot: u64,
    /// The last number that the outbox gave.
    pub last: Seq,
    /// Messages that the outbox would not take, and what was in them.
    pub refused: u64,
    /// Labels and evidence in them.
    pub lost: MadeCounts,
}

impl Journal {
    /// Reads it; absent before the first message.
    pub fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            boot: next()?,
            last: next()?,
            refused: next()?,
            lost: MadeCounts {
                offered: next()?,
                abstained: next()?,
                evidence: next()?,
            },
        })
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let partial = path.with_extension("partial");
        let Self {
            boot,
            last,
            refused,
            lost,
        } = self;
        let (offered, abstained, evidence) = (lost.offered, lost.abstained, lost.evidence);
        let text = format!("{boot} {last} {refused} {offered} {abstained} {evidence}\n");
        std::fs::write(&partial, text)?;
        std::fs::rename(&partial, path)
    }
}
