//! Whether what a rig made is here, waits on the rig, or was given up by it and is on record as such.
//!
//! A clip is *settled* when the message that closed it and every number below is here or was given up: a rig closes a clip after the last
//! of its labels, so nothing of it is under way any more. Of the run in progress the rig also tells, with every health message, how many
//! labels it has made and how many messages wait; where none wait, all of them must be here. Nothing here rests on how long something took.

use crate::StoreError;
use crate::database::{Connection, query};
use crate::row::{boot_column, name_column};
use label_core::BootId;
use label_core::id::Name;
use label_core::wire::{Health, MAX_LABELS};
use std::collections::BTreeMap;

/// One run of a rig, as far as its labels are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunBalance {
    /// The run.
    pub boot: BootId,
    /// Whether a number below the highest is neither here nor given up.
    pub has_hole: bool,
    /// When the message of the highest number came; null where that was only spoken of.
    pub last_us: Option<i64>,
    /// Labels of it that are here, of open clips too.
    pub committed: u64,
    /// Labels of it that were deleted here on order.
    pub purged: u64,
    /// Labels that the rig gave up for want of room and that are not here after all.
    pub given_up: u64,
    /// Messages that it gave up without knowing what was in them, and that are not here: their heads were lost with them, or it had
    /// deleted them before the store was put back to a copy.
    pub given_up_unseen: u64,
    /// Evidence messages that it gave up likewise.
    pub given_up_evidence: u64,
    /// Labels of settled clips that were made and are not here, before what was given up is taken off.
    pub short: u64,
    /// Labels of settled clips that are here beyond those that were made.
    pub beyond: u64,
}

/// What does not add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imbalance {
    /// Labels that were made, were not given up, wait nowhere, and are not here.
    pub lost: u64,
    /// Labels that are here and that the rig says it did not make.
    pub beyond: u64,
    /// Whether messages are missing here that the rig does not have any more.
    pub hole: bool,
}

impl Imbalance {
    /// Whether everything adds up.
    pub const fn is_none(self) -> bool {
        self.lost == 0 && self.beyond == 0 && !self.hole
    }
}

impl RunBalance {
    fn lost(&self, health: Option<&Health>) -> u64 {
        // A rig counts a label when it gave it to the outbox, before it looks how many wait there.
        let said = health
            .filter(|health| health.boot == self.boot && health.outbox.messages == 0)
            .map_or(0, |health| health.labels.offered + health.labels.abstained);
        let short = self
            .short
            .max(said.saturating_sub(self.committed + self.purged));
        let unseen = self.given_up_unseen.saturating_mul(MAX_LABELS as u64);
        short.saturating_sub(self.given_up.saturating_add(unseen))
    }
}

/// What does not add up of a rig, by its runs and the health message it sent last, with the time at which that was heard.
pub fn imbalance(runs: &[RunBalance], health: Option<(&Health, i64)>) -> Imbalance {
    let mut found = Imbalance::default();
    for run in runs {
        found.lost += run.lost(health.map(|(health, _)| health));
        found.beyond += run.beyond;
        // Numbers are sent in their order: one that is missing may still be under way until the rig says that nothing waits.
        found.hole |= run.has_hole
            && health.is_some_and(|(health, heard_us)| {
                health.outbox.messages == 0 && run.last_us.is_none_or(|last_us| last_us < heard_us)
            });
    }
    found
}

/// The runs of every rig.
pub(super) async fn runs(
    tx: &mut Connection,
) -> Result<BTreeMap<Name, Vec<RunBalance>>, StoreError> {
    let failed = || StoreError::database("compare what was made");
    let mut found: BTreeMap<Name, Vec<RunBalance>> = BTreeMap::new();
    for row in &query(
        "SELECT b.rig, b.boot, b.watermark < b.highest AS hole,
            (SELECT m.received_us FROM messages m WHERE m.rig = b.rig AND m.boot = b.boot AND m.seq = b.highest) AS last_us,
            (SELECT coalesce(sum(t.labels), 0) FROM label_totals t
              WHERE t.rig = b.rig AND t.boot = b.boot AND t.model >= 0) AS committed,
            (SELECT coalesce(sum(CASE WHEN labels > here THEN labels - here ELSE 0 END), 0) FROM
                (SELECT e.labels, (SELECT count(*) FROM labels l
                    WHERE l.rig = e.rig AND l.boot = e.boot AND l.seq BETWEEN e.first_seq AND e.last_seq) AS here
                 FROM evictions e WHERE e.rig = b.rig AND e.boot = b.boot AND e.labels > 0) AS known) AS given_up,
            (SELECT coalesce(sum(CASE WHEN numbers - here > 1000000 THEN 1000000 ELSE numbers - here END), 0) FROM
                (SELECT e.last_seq - e.first_seq + 1 AS numbers, (SELECT count(*) FROM messages m
                    WHERE m.rig = e.rig AND m.boot = e.boot AND m.seq BETWEEN e.first_seq AND e.last_seq) AS here
                 FROM evictions e WHERE e.rig = b.rig AND e.boot = b.boot AND e.labels = 0 AND e.evidence = 0) AS unseen) AS given_up_unseen,
            (SELECT coalesce(sum(p.offered + p.abstained), 0) FROM purges p WHERE p.rig = b.rig AND p.boot = b.boot) AS purged,
            (SELECT coalesce(sum(e.evidence), 0) FROM evictions e WHERE e.rig = b.rig AND e.boot = b.boot) AS given_up_evidence
         FROM boots b ORDER BY b.rig, b.boot",
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(failed())?
    {
        let count = |column| row.get::<i64, _>(column) as u64;
        found
            .entry(name_column(row, "rig")?)
            .or_default()
            .push(RunBalance {
                boot: boot_column(row, "boot")?,
                has_hole: row.get("hole"),
                last_us: row.get("last_us"),
                committed: count("committed"),
                purged: count("purged"),
                given_up: count("given_up"),
                given_up_unseen: count("given_up_unseen"),
                given_up_evidence: count("given_up_evidence"),
                short: 0,
                beyond: 0,
            });
    }
    for row in &query(
        "SELECT rig, boot, made - committed AS short FROM
            (SELECT c.rig, c.boot, c.offered + c.abstained -
                (SELECT coalesce(sum(p.offered + p.abstained), 0) FROM purges p
                  WHERE p.rig = c.rig AND p.boot = c.boot AND p.clip = c.clip) AS made,
                (SELECT coalesce(sum(t.labels), 0) FROM label_totals t
                  WHERE t.rig = c.rig AND t.boot = c.boot AND t.clip = c.clip AND t.model >= 0) AS committed
             FROM clips c JOIN boots b ON b.rig = c.rig AND b.boot = c.boot
             WHERE c.closed_seq <= b.watermark) AS settled
         WHERE made <> committed",
    )
    .fetch_all(tx)
    .await
    .map_err(failed())?
    {
        let (rig, boot) = (name_column(row, "rig")?, boot_column(row, "boot")?);
        let runs = found.get_mut(&rig).into_iter().flatten();
        for run in runs.filter(|run| run.boot == boot) {
            let short: i64 = row.get("short");
            run.short += short.max(0).unsigned_abs();
            run.beyond += short.min(0).unsigned_abs();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::{ClockState, Counters, FrameCounters, OutboxState, Shed, WIRE_VERSION};

    fn run() -> RunBalance {
        RunBalance {
            boot: BootId::first(3),
            has_hole: false,
            last_us: Some(10),
            committed: 40,
            purged: 0,
            given_up: 0,
            given_up_unseen: 0,
            given_up_evidence: 0,
            short: 0,
            beyond: 0,
        }
    }

    fn health(made: u64, waiting: u64) -> Health {
        Health {
            v: WIRE_VERSION,
            rig: "rig".try_into().unwrap(),
            boot: BootId::first(3),
            uptime_s: 60,
            frames: FrameCounters::default(),
            labels: Counters {
                offered: made,
                ..Counters::default()
            },
            outbox: OutboxState {
                messages: waiting,
                bytes: 0,
            },
            stages: heapless::Vec::new(),
            clock: ClockState::Ntp,
            temperature_c: None,
            disk_free_mib: None,
            camera: None,
            shed: Shed::Nothing,
            throttled: None,
            latency_ms: None,
            policy: None,
            picture_bytes_a_minute: None,
            quiet: heapless::Vec::new(),
            scene: None,
            recording: None,
            commands: None,
        }
    }

    #[test]
    fn what_waits_on_the_rig_or_was_given_up_is_no_imbalance_and_the_rest_is() {
        let lost = |run: &RunBalance, health: &Health| {
            imbalance(std::slice::from_ref(run), Some((health, 20))).lost
        };
        assert_eq!(lost(&run(), &health(40, 0)), 0);
        assert_eq!(lost(&run(), &health(45, 2)), 0, "two messages wait");
        assert_eq!(lost(&run(), &health(45, 0)), 5, "and here none do");
        let mut evicted = run();
        evicted.given_up = 3;
        assert_eq!(lost(&evicted, &health(45, 0)), 2);
        let mut unseen = run();
        unseen.given_up_unseen = 1;
        assert_eq!(
            lost(&unseen, &health(45, 0)),
            0,
            "a message holds eight at most"
        );
        assert_eq!(lost(&unseen, &health(49, 0)), 1);
        // Another run's health says nothing of this one.
        let mut other = health(45, 0);
        other.boot = BootId::first(4);
        assert_eq!(lost(&run(), &other), 0);
    }

    #[test]
    fn a_clip_that_is_short_is_told_even_while_the_rig_makes_more_and_one_does_not_make_up_for_another()
     {
        let mut short = run();
        (short.short, short.beyond) = (4, 4);
        let found = imbalance(&[run(), short], Some((&health(40, 9), 20)));
        assert_eq!((found.lost, found.beyond), (4, 4));
        assert!(!found.is_none());
    }

    #[test]
    fn a_hole_counts_once_the_rig_says_that_nothing_waits_any_more() {
        let mut hole = run();
        hole.has_hole = true;
        let told = |health: Option<(&Health, i64)>| imbalance(&[hole.clone()], health).hole;
        assert!(!told(None), "a rig that is away has it on its disk");
        assert!(!told(Some((&health(40, 1), 20))));
        assert!(!told(Some((&health(40, 0), 5))), "said before it was sent");
        assert!(told(Some((&health(40, 0), 20))));
    }
}
