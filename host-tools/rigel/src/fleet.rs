//! `rigel fleet`: the rigs, what is wrong with them, and whether what they made is here.

use crate::store_place::StorePlace;
use anyhow::{Context, bail};
use clap::Args;
use label_store::now_us;
use review::RigReport;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel fleet                                           this machine's desk
  rigel fleet --data /srv/rigel --rig rig-07            one rig, with its models
  rigel fleet --json | jq '.[] | select(.alarms != [])' for programs: what GET /api/fleet answers

MADE and COMMITTED are labels of closed clips; LOST are labels that were made, do not wait on the rig, were not given up by it and are not here, which
is an alarm. Clips in progress and labels that wait on a rig make the two differ and are none. Reads the desk's folder beside the running
`rigel serve`; it changes nothing.

Exit codes: 0 told, 1 not (the message says why), 2 wrong arguments.")]
pub(crate) struct FleetArguments {
    #[command(flatten)]
    place: StorePlace,
    /// This rig only, with its models
    #[arg(long, value_name = "NAME")]
    rig: Option<String>,
    /// For programs: an array with an object a rig
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &FleetArguments) -> anyhow::Result<()> {
    let now = now_us();
    let mut rigs = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = arguments.place.open_existing().await?;
            let rigs = review::fleet_report(&store, now).await;
            store.close().await;
            anyhow::Ok(rigs?)
        })?;
    if let Some(wanted) = &arguments.rig {
        rigs.retain(|rig| rig.rig == *wanted);
        if rigs.is_empty() {
            bail!(
                "no rig {wanted:?} was heard here; `rigel fleet` without --rig lists those that were"
            );
        }
    }
    let text = if arguments.json {
        serde_json::to_string_pretty(&rigs).context("cannot write the rigs as JSON")? + "\n"
    } else {
        told(&rigs, arguments.rig.is_some(), now)
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever read us has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to the standard output"),
    }
}

const HEAD: [&str; 12] = [
    "RIG",
    "LINK",
    "HEARD",
    "OUTBOX",
    "CLOCK",
    "DEG C",
    "MADE",
    "COMMITTED",
    "LOST",
    "GIVEN UP",
    "WAITING",
    "POLICY",
];

fn ago(us: i64) -> String {
    match us.max(0) / 1_000_000 {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

fn row(rig: &RigReport, now_us: i64) -> [String; 12] {
    let (health, balance) = (rig.health.as_ref(), &rig.balance);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let clock = health.and_then(|health| serde_json::to_value(health.clock).ok());
    [
        rig.rig.clone(),
        rig.link.clone(),
        ago(now_us - rig.last_seen_us),
        or_dash(health.map(|health| health.outbox.messages.to_string())),
        or_dash(clock.and_then(|word| word.as_str().map(str::to_owned))),
        or_dash(
            health
                .and_then(|health| health.temperature_c)
                .map(|degrees| format!("{degrees:.0}")),
        ),
        balance.made.to_string(),
        balance.committed.to_string(),
        balance.imbalance.lost.to_string(),
        balance.given_up.to_string(),
        balance.waiting.to_string(),
        match &rig.policy {
            None => "own files".to_owned(),
            Some(policy) if policy.obeyed == Some(policy.asked.revision) => {
                format!("{} obeyed", policy.asked.revision)
            }
            Some(policy) => format!("{} asked", policy.asked.revision),
        },
    ]
}

/// The table, and under it what is wrong, in words.
fn told(rigs: &[RigReport], with_models: bool, now_us: i64) -> String {
    if rigs.is_empty() {
        return "no rig has been heard yet\n".to_owned();
    }
    let rows: Vec<_> = std::iter::once(HEAD.map(str::to_owned))
        .chain(rigs.iter().map(|rig| row(rig, now_us)))
        .collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|at| {
            rows.iter()
                .map(|row| row[at].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    // Writing into a String cannot fail.
    for row in &rows {
        let cells: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    for rig in rigs {
        for alarm in &rig.alarms {
            let _ = writeln!(text, "! {} {}: {}", rig.rig, alarm.name, alarm.words);
        }
        if with_models {
            let made_of = [&rig.hardware, &rig.firmware, &rig.board];
            let made_of: Vec<_> = made_of.into_iter().flatten().map(String::as_str).collect();
            let _ = writeln!(text, "{}: {}", rig.rig, made_of.join(", "));
            for model in &rig.models {
                let _ = writeln!(text, "  {} {} {}", model.name, model.version, model.sha256);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use review::{Alarm, RigBalance};

    fn rig(name: &str) -> RigReport {
        RigReport {
            rig: name.to_owned(),
            site: "north".to_owned(),
            link: "online".to_owned(),
            first_seen_us: 0,
            last_seen_us: 0,
            alarms: Vec::new(),
            hardware: Some("Raspberry Pi 5".to_owned()),
            firmware: Some("0.1.0".to_owned()),
            board: None,
            models: Vec::new(),
            self_test: None,
            health: None,
            policy: None,
            balance: RigBalance {
                made: 120,
                committed: 115,
                clips: 2,
                open_clips: 0,
                sent: 9,
                received: 9,
                offered: 80,
                abstained: 35,
                reviewed: 20,
                waiting: 60,
                given_up: 0,
                given_up_evidence: 0,
                imbalance: label_store::Imbalance {
                    lost: 5,
                    ..label_store::Imbalance::default()
                },
                quarantined: 0,
            },
        }
    }

    #[test]
    fn the_table_lines_up_and_what_is_wrong_stands_below_it_in_words() {
        let mut second = rig("rig-with-a-long-name");
        second.alarms.push(Alarm {
            name: "unbalanced",
            words: "5 labels that it made are not here.".to_owned(),
        });
        let text = told(&[rig("rig-07"), second], false, 300_000_000);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        let column = lines[0].find("COMMITTED").unwrap();
        for line in &lines[1..3] {
            assert!(line[column..].starts_with("115        5"), "{text}");
            assert!(line.contains("online  5 min"), "{text}");
        }
        assert_eq!(
            lines[3],
            "! rig-with-a-long-name unbalanced: 5 labels that it made are not here."
        );
        assert_eq!(told(&[], false, 0), "no rig has been heard yet\n");
    }
}
