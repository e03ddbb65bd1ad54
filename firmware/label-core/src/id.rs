//! Who made a label: rig, boot, sequence.

use serde::{Deserialize, Serialize};

/// Longest rig or site name in bytes.
pub const MAX_NAME_BYTES: usize = 48;

/// A rig or site name: it is a level of an MQTT topic.
pub type Name = heapless::String<MAX_NAME_BYTES>;

/// Identifies one run of the firmware.
///
/// Above the low 20 bits stands a random number drawn when the outbox was created, below them a counter of starts:
/// later runs of one outbox compare greater, and a rig whose card was wiped does not repeat the numbers it used
/// before. At most 52 bits are used, so that JSON readers with doubles keep it exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(u64);

impl BootId {
    const COUNTER_BITS: u32 = 20;
    const MAX: u64 = (1 << 52) - 1;

    /// The first run of an outbox created with this random number.
    pub const fn first(random: u32) -> Self {
        Self(((random as u64) << Self::COUNTER_BITS) | 1)
    }

    /// A stored or received number; `None` where it cannot be one.
    pub const fn from_raw(raw: u64) -> Option<Self> {
        if raw == 0 || raw > Self::MAX {
            None
        } else {
            Some(Self(raw))
        }
    }

    /// The number as stored and sent.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The run after this one; `None` after a million starts of one outbox.
    pub const fn next(self) -> Option<Self> {
        let next = self.0 + 1;
        if next & ((1 << Self::COUNTER_BITS) - 1) == 0 {
            None
        } else {
            Some(Self(next))
        }
    }

    /// How many times this outbox was started, this run included.
    pub const fn starts(self) -> u32 {
        (self.0 & ((1 << Self::COUNTER_BITS) - 1)) as u32
    }
}

/// Position of a message in its boot: 1, 2, 3 … without gaps.
pub type Seq = u64;

/// A person in a clip: 1, 2, 3 …
pub type TrackId = u16;

/// A label's identity: the message that carries it and its place in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LabelId {
    /// The rig.
    pub rig: Name,
    /// The run of its firmware.
    pub boot: BootId,
    /// The message.
    pub seq: Seq,
    /// The label's place in the message, from 0.
    pub n: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_boots_compare_greater_and_fit_a_double() {
        let first = BootId::first(u32::MAX);
        let second = first.next().unwrap();
        assert!(second > first);
        assert_eq!((first.starts(), second.starts()), (1, 2));
        assert!(second.raw() < 1 << 53);
        assert_eq!(BootId::from_raw(second.raw()), Some(second));
        assert_eq!(BootId::from_raw(0), None);
    }
}
