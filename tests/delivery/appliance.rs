//! The same with the real appliance: `rigeld run` on the demo clip.

use crate::{Bench, FIXTURE};
use end_to_end::{Program, binary, wait_for};
use label_core::BootId;
use label_core::wire::{
    Decision, Label, LabelBatch, MAX_LABELS, MAX_MODELS, ModelRef, Topic, parse_name,
};
use label_store::{Balance, BootSummary, ClipSummary, Summary};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use uplink::{Cursor, Outbox, OutboxLimits, Record};

pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The shipped board with other paths, a shorter clip and this broker.
pub(crate) fn board(bench: &Bench, port: u16) -> PathBuf {
    let project = project();
    let fetched = [
        ".rigel/clips/franck.mp4",
        ".rigel/runtime/libLiteRt.so",
        ".rigel/models",
    ];
    for needed in fetched {
        assert!(
            project.join(needed).exists(),
            "{needed} is not there: run `cargo xtask setup`"
        );
    }
    let shipped = std::fs::read_to_string(project.join("boards/sim.toml")).unwrap();
    let absolute = format!("\"{}/", project.display());
    let text: String = shipped
        .replace("\"../", &absolute)
        .lines()
        .map(|line| match line.split('=').next().unwrap().trim() {
            "seconds" => "seconds = 30.0\n".to_owned(),
            "dir" => format!("dir = \"{}\"\n", bench.outbox().display()),
            "port" => format!("port = {port}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let board = bench.dir.path().join("board.toml");
    std::fs::write(&board, text).unwrap();
    board
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Made {
    messages: u64,
    offered: u64,
    abstained: u64,
    evidence: u64,
}

/// Every record of an outbox, read from a copy: opening it would begin another boot.
pub(crate) fn records(bench: &Bench) -> Vec<Record> {
    if !bench.outbox().is_dir() {
        return Vec::new();
    }
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(bench.outbox())
        .arg(copy.path().join("outbox"))
        .status();
    assert!(copied.unwrap().success());
    let (mut outbox, report) = Outbox::open(
        copy.path().join("outbox"),
        parse_name("sim-1").unwrap(),
        OutboxLimits::default(),
    )
    .unwrap();
    assert_eq!((report.corrupt, report.lost), (vec![], vec![]));
    let mut cursor = Cursor::default();
    std::iter::from_fn(|| outbox.next(&mut cursor).unwrap()).collect()
}

/// The labels of a record of the label topic.
pub(crate) fn labels(record: &Record) -> heapless::Vec<Label, MAX_LABELS> {
    let batch: LabelBatch<heapless::Vec<ModelRef, MAX_MODELS>, heapless::Vec<Label, MAX_LABELS>> =
        serde_json::from_slice(&record.payload).unwrap();
    batch.labels
}

/// What lies in an outbox, by boot.
fn made(bench: &Bench) -> BTreeMap<BootId, Made> {
    let mut made: BTreeMap<BootId, Made> = BTreeMap::new();
    for record in records(bench) {
        let made = made.entry(record.boot).or_default();
        made.messages += 1;
        match record.topic {
            Topic::Evidence => made.evidence += 1,
            Topic::Label => {
                for label in &labels(&record) {
                    match label.decision {
                        Decision::Candidate => made.offered += 1,
                        Decision::Abstain => made.abstained += 1,
                    }
                }
            }
            _ => {}
        }
    }
    made
}

fn boots(summary: &Summary) -> Vec<BootSummary> {
    let rig = summary.rigs.first();
    rig.map(|rig| rig.boots.clone()).unwrap_or_default()
}

fn committed(clip: &ClipSummary, messages: u64) -> Made {
    Made {
        messages,
        offered: clip.committed.offered,
        abstained: clip.committed.abstained,
        evidence: clip.committed.evidence,
    }
}

#[test]
fn the_appliance_its_broker_and_its_host_killed_in_mid_run_and_every_label_is_committed_once() {
    let bench = Bench::new();
    let mut broker = bench.broker();
    let board = board(&bench, broker.port);
    let rigeld = binary("rigeld", FIXTURE);
    let run = || {
        Program::start(
            "rigeld",
            Command::new(&rigeld).arg("run").arg("--board").arg(&board),
        )
    };
    let host = bench.host_at(&broker);
    let wait_for_messages = |database: &Path, boot: usize, messages: u64| {
        wait_for(&format!("{messages} messages of boot {boot}"), || {
            let known = boots(&bench.summary(database));
            known
                .get(boot)
                .filter(|boot| boot.messages >= messages)
                .map(|_| ())
        });
    };
    let database = host.database();

    let rig = run();
    wait_for_messages(&database, 0, 5);
    rig.kill();
    let at_kill = made(&bench);
    let rig = run();
    wait_for_messages(&database, 1, 5);
    broker.kill();
    broker.restart();
    wait_for_messages(&database, 1, 10);
    host.kill();
    let host = bench.host_at(&broker);
    assert!(rig.wait().success(), "rigeld saw everything committed");

    let summary = bench.summary(&database);
    assert_eq!(summary.quarantined, 0);
    let boots = boots(&summary);
    assert_eq!((boots.len(), summary.clips.len()), (2, 2));
    for boot in &boots {
        assert_eq!(
            (boot.watermark, boot.highest),
            (boot.messages, boot.messages),
            "every number once: {boot:?}"
        );
        assert_eq!((boot.labels_lost, boot.evidence_lost), (0, 0));
    }
    let [killed, finished] = &summary.clips[..] else {
        panic!("two clips")
    };
    assert_eq!(
        at_kill.into_values().collect::<Vec<_>>(),
        [committed(killed, boots[0].messages)],
        "made before the kill = committed"
    );
    assert_eq!(
        killed.balance,
        Balance::Open,
        "the killed run never closed its clip"
    );
    assert_eq!(finished.balance, Balance::Balanced);
    assert!(finished.blinks > 0 && finished.committed.evidence > 0);
    host.stop();
}
