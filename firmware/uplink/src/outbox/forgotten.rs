//! A host that has less than it once had: its store was replaced, or put back to a copy.

use super::evict::Run;
use super::{Outbox, numbers};
use crate::UplinkError;
use label_core::wire::Ack;
use label_core::{BootId, Seq};
use std::collections::BTreeMap;

/// Boots of which it is remembered how far the host was, though nothing of them is left here: so many starts may lie
/// between a copy of the host's store and the day it is put back.
const BOOTS_REMEMBERED: usize = 64;

/// Boots an acknowledgement can tell; where it tells fewer, it tells all that the host knows.
fn most_told() -> usize {
    let ack = Ack {
        v: 0,
        session: 0,
        boots: heapless::Vec::new(),
    };
    ack.boots.capacity()
}

/// (boot, up to where the host has it, up to where it once had it)
type Behind = (BootId, Seq, Seq);

impl Outbox {
    /// A session of the host begins, and this is up to where it has the boots heard last. Of what it once had and has
    /// no more, that which still lies here is sent again (a cursor has to be rewound), and the rest is declared lost, so
    /// that the host does not wait for it. Whether there is anything to be sent again.
    pub fn host_has(&mut self, told: &[(BootId, Seq)]) -> Result<bool, UplinkError> {
        let (mut lost, mut back) = (Vec::new(), self.watermarks.clone());
        let mut again = false;
        for (boot, has, had) in self.behind(told) {
            let mut here: Vec<Seq> = self
                .lanes
                .iter()
                .flat_map(BTreeMap::values)
                .filter(|segment| segment.boot == boot)
                .flat_map(|segment| segment.above(has))
                .map(|entry| entry.seq)
                .filter(|seq| *seq <= had)
                .collect();
            here.sort_unstable();
            let mut reached = has;
            for seq in here.iter().copied().chain([had.saturating_add(1)]) {
                if seq > reached + 1 {
                    lost.push((boot, unknown(reached + 1, seq - 1)));
                }
                reached = seq;
            }
            if let Some(first) = here.first() {
                back.insert(boot, first - 1);
                again = true;
            }
        }
        // Where the disk refuses any of it, the host's next word finds everything as it was.
        if again {
            numbers::write_watermarks(&self.dir, &back)?;
        }
        for (boot, run) in lost {
            self.declare(boot, run)?;
        }
        self.watermarks = back;
        Ok(again)
    }

    fn behind(&self, told: &[(BootId, Seq)]) -> Vec<Behind> {
        let newest = told.iter().map(|(boot, _)| *boot).max();
        let has = |boot: BootId| {
            let told_of = told.iter().find(|(known, _)| *known == boot);
            match told_of {
                Some((_, watermark)) => Some(*watermark),
                // It may know more boots than it tells, but none that began later.
                None if told.len() >= most_told() && Some(boot) < newest => None,
                None => Some(0),
            }
        };
        self.watermarks
            .iter()
            .filter_map(|(boot, had)| Some((*boot, has(*boot)?, *had)))
            .filter(|(_, has, had)| has < had)
            .collect()
    }

    /// Forgets how far the host was with the oldest boots of which nothing is left.
    pub(super) fn forget_old_boots(&mut self) {
        let gone: Vec<BootId> = self
            .watermarks
            .keys()
            .copied()
            .filter(|boot| {
                let mut segments = self.lanes.iter().flat_map(BTreeMap::values);
                !segments.any(|segment| segment.boot == *boot)
            })
            .collect();
        let old = gone.len().saturating_sub(BOOTS_REMEMBERED);
        for boot in &gone[..old] {
            self.watermarks.remove(boot);
        }
    }
}

/// How many labels were in them is not known any more.
const fn unknown(first: Seq, last: Seq) -> Run {
    Run {
        first,
        last,
        labels: 0,
        evidence: 0,
    }
}
