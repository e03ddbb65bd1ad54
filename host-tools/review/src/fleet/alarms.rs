//! What is wrong with a rig, in words that say what to do.

use super::{MINUTE_US, SECOND_US};
use label_core::wire::{ClockState, Health, Policy};
use label_store::{FleetRig, HealthPoint, Imbalance};
use serde::Serialize;

/// A rig tells how it fares every 10 s; after this long it is missed.
const MISSED_US: i64 = 5 * MINUTE_US;
/// History that alarms look at.
pub(super) const WINDOW_US: i64 = 15 * MINUTE_US;
/// An outbox may hold this many messages without anybody being told: a clip's worth on a slow line.
const OUTBOX_QUIET: u64 = 100;
/// A rig obeys from the next frame and says so in the next health message; later than this it does not.
const OBEYED_WITHIN_US: i64 = 2 * MINUTE_US;

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// Its fixed name.
    pub name: &'static str,
    /// What is wrong, and what to do.
    pub words: String,
}

fn ago(us: i64) -> String {
    match us / SECOND_US {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

fn unbalanced(rig: &FleetRig, imbalance: Imbalance) -> String {
    let mut words = String::new();
    if imbalance.lost > 0 {
        words = format!(
            "{} labels that it made are not here, do not wait on it and were not given up.",
            imbalance.lost
        );
    }
    if imbalance.beyond > 0 {
        let more = format!(
            "{} labels are here that it says it did not make.",
            imbalance.beyond
        );
        words = if words.is_empty() {
            more
        } else {
            format!("{words} {more}")
        };
    }
    match rig.quarantined.0 {
        0 => words + " Compare its clips in the review; the rig's log says what its disk refused.",
        n => format!("{words} They may be in the {n} messages of it in quarantine."),
    }
}

/// What is wrong with a rig, the worst first, in words that say what to do.
pub(super) fn alarms(
    rig: &FleetRig,
    health: Option<&Health>,
    imbalance: Imbalance,
    self_test: Option<&str>,
    asked: Option<(&Policy, i64)>,
    lately: &[HealthPoint],
    now_us: i64,
) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut say = |name, words| alarms.push(Alarm { name, words });
    let link = rig
        .status
        .as_ref()
        .and_then(|(status, _)| status["state"].as_str());
    let silent = now_us - rig.last_seen_us;
    if link != Some("stopped") && silent > MISSED_US {
        say(
            "offline",
            format!(
                "Not heard for {}. Has it power and network? What it made waits on its disk.",
                ago(silent)
            ),
        );
    }
    if let Some(line) = self_test.filter(|line| line.starts_with("failed")) {
        say(
            "self-test",
            format!("Its last check of itself {line}. `rigeld check` on the rig says more."),
        );
    }
    if let (Some(first), Some(last)) = (lately.first(), lately.last())
        && last.outbox_messages > OUTBOX_QUIET
        && last.outbox_messages > first.outbox_messages
    {
        say(
            "outbox",
            format!(
                "{} messages wait on the rig, {} more than {} ago: the line is too slow, or this host takes nothing.",
                last.outbox_messages,
                last.outbox_messages - first.outbox_messages,
                ago(last.heard_us - first.heard_us)
            ),
        );
    }
    if health.is_some_and(|health| health.clock == ClockState::Unsynced) {
        say(
            "clock",
            "Its clock is not set: frames are in order, but dates may be years off. Give it a time server.".to_owned(),
        );
    }
    if imbalance.lost > 0 || imbalance.beyond > 0 {
        say("unbalanced", unbalanced(rig, imbalance));
    }
    if imbalance.hole {
        let runs = rig.runs.iter().filter(|run| run.has_hole).count();
        say(
            "missing",
            format!(
                "It has nothing left to send, and messages below the last one of {runs} of its runs are neither here nor given up. \
                 The rig's log says what became of them."
            ),
        );
    }
    if rig.quarantined.1 > 0 {
        say(
            "quarantine",
            format!(
                "{} of its messages could not be used in the last hour ({} in all). Is this host older than the rig?",
                rig.quarantined.1, rig.quarantined.0
            ),
        );
    }
    if let Some((policy, since_us)) = asked
        && link == Some("online")
        && health.is_some_and(|health| health.policy != Some(policy.revision))
        && now_us - since_us > OBEYED_WITHIN_US
    {
        say(
            "policy",
            format!(
                "It was asked to follow policy {} and says it follows {}.",
                policy.revision,
                health
                    .and_then(|health| health.policy)
                    .map_or("none".to_owned(), |revision| revision.to_string())
            ),
        );
    }
    alarms
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::parse_name;

    fn rig() -> FleetRig {
        FleetRig {
            rig: parse_name("rig-07").unwrap(),
            site: "north".to_owned(),
            first_seen_us: 0,
            last_seen_us: 3600 * SECOND_US,
            status: Some((serde_json::json!({"state": "online"}), 0)),
            birth: None,
            health: None,
            made: 10,
            committed: 10,
            clips: (1, 0),
            sent: 5,
            received: 5,
            offered: 10,
            reviewed: 0,
            quarantined: (0, 0),
            abstained: 0,
            runs: Vec::new(),
        }
    }

    fn point(minute: i64, outbox_messages: u64) -> HealthPoint {
        HealthPoint {
            heard_us: minute * MINUTE_US,
            boot: label_core::BootId::first(1),
            outbox_messages,
            outbox_bytes: 0,
            processed: 0,
            dropped: 0,
            temperature_c: None,
            latency_ms: None,
            disk_free_mib: None,
            clock: ClockState::Ntp,
        }
    }

    fn names(rig: &FleetRig, lately: &[HealthPoint], minutes_later: i64) -> Vec<&'static str> {
        let now = rig.last_seen_us + minutes_later * MINUTE_US;
        alarms(
            rig,
            None,
            Imbalance::default(),
            Some("passed: 9 of 9"),
            None,
            lately,
            now,
        )
        .into_iter()
        .map(|alarm| alarm.name)
        .collect()
    }

    #[test]
    fn a_rig_that_fares_well_raises_nothing_and_one_that_was_stopped_is_not_missed() {
        assert_eq!(names(&rig(), &[], 0), Vec::<&str>::new());
        assert_eq!(names(&rig(), &[], 6), ["offline"]);
        let mut stopped = rig();
        stopped.status = Some((serde_json::json!({"state": "stopped"}), 0));
        assert_eq!(names(&stopped, &[], 600), Vec::<&str>::new());
    }

    #[test]
    fn an_outbox_that_grows_is_told_and_one_that_empties_is_not() {
        assert_eq!(names(&rig(), &[point(0, 40), point(9, 300)], 0), ["outbox"]);
        assert_eq!(
            names(&rig(), &[point(0, 900), point(9, 300)], 0),
            Vec::<&str>::new()
        );
        assert_eq!(
            names(&rig(), &[point(0, 2), point(9, 60)], 0),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn labels_that_are_nowhere_are_told_of_a_rig_that_is_heard_every_second_too() {
        let found = |rig: &FleetRig, imbalance: Imbalance| {
            let now = rig.last_seen_us;
            alarms(rig, None, imbalance, None, None, &[], now)
                .into_iter()
                .map(|alarm| (alarm.name, alarm.words))
                .collect::<Vec<_>>()
        };
        let lost = Imbalance {
            lost: 5,
            ..Imbalance::default()
        };
        let told = found(&rig(), lost);
        assert_eq!(told[0].0, "unbalanced");
        assert!(told[0].1.starts_with("5 labels that it made are not here"));
        let mut quarantined = rig();
        quarantined.quarantined = (2, 0);
        assert!(
            found(&quarantined, lost)[0]
                .1
                .contains("2 messages of it in quarantine")
        );
        let hole = Imbalance {
            hole: true,
            beyond: 1,
            ..Imbalance::default()
        };
        let names: Vec<_> = found(&rig(), hole).into_iter().map(|one| one.0).collect();
        assert_eq!(names, ["unbalanced", "missing"]);
        // Clips that are under way differ, and that says nothing.
        let mut under_way = rig();
        (under_way.committed, under_way.received) = (8, 3);
        assert_eq!(found(&under_way, Imbalance::default()), []);
    }
}
