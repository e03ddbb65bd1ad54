//! Several ingesters on one broker and one Postgres store.

use crate::on_request::{on_disk, start};
use crate::verify::recording_board;
use crate::{Bench, assert_all_here_once};
use end_to_end::{Broker, Postgres, Program, wait_for};
use label_core::wire::parse_name;
use label_store::{ClipId, LabelStore, RequestState, Summary, Wanted, now_us};
use std::path::PathBuf;
use std::process::Command;

const MESSAGES: u64 = 1200;
const KILLS: u64 = 4;

struct SharedStore<'a> {
    bench: &'a Bench,
    address: String,
    store: LabelStore,
}

impl<'a> SharedStore<'a> {
    fn new(bench: &'a Bench, server: &Postgres) -> Self {
        let address = server.database();
        let opened = bench.runtime.block_on(LabelStore::open_postgres(&address));
        Self {
            bench,
            store: opened.unwrap(),
            address,
        }
    }

    fn ingest(&self, broker: u16, log: &str) -> (Program, PathBuf) {
        let log = self.bench.dir.path().join(log);
        let mut command = Command::new(&self.bench.rigel);
        command
            .arg("ingest")
            .args(["--broker", &format!("127.0.0.1:{broker}")])
            .env("RIGEL_STORE", &self.address)
            .stderr(std::fs::File::create(&log).unwrap());
        let program = Program::start("ingest", &mut command);
        wait_for("the ingester to subscribe", || {
            std::fs::read_to_string(&log)
                .unwrap()
                .contains("subscribed")
                .then_some(())
        });
        (program, log)
    }

    fn summary(&self) -> Summary {
        let summary = self.bench.runtime.block_on(self.store.summary());
        summary.unwrap()
    }

    fn committed(&self) -> u64 {
        let summary = self.summary();
        let boots = summary.rigs.iter().flat_map(|rig| &rig.boots);
        boots.map(|boot| boot.messages).sum()
    }

    fn wait_for_committed(&self, messages: u64) {
        wait_for(&format!("{messages} messages"), || {
            (self.committed() >= messages).then_some(())
        });
    }
}

#[test]
fn an_ingester_killed_again_and_again_loses_and_doubles_nothing_of_a_rig_whose_messages_are_spread()
{
    let bench = Bench::new();
    let broker = bench.broker();
    let server = Postgres::start();
    let desk = SharedStore::new(&bench, &server);
    let (steady, log) = desk.ingest(broker.port, "steady.log");
    let rig = Program::start("rig", &mut bench.rig(broker.port, MESSAGES));
    for kill in 0..KILLS {
        let (mortal, _) = desk.ingest(broker.port, "mortal.log");
        desk.wait_for_committed((kill + 1) * 100);
        mortal.kill();
    }
    let (mortal, _) = desk.ingest(broker.port, "mortal.log");
    assert!(rig.wait().success(), "the rig saw everything committed");
    let (boot, last) = bench.journal().unwrap();
    let summary = desk.summary();
    assert!(summary.is_balanced(), "{summary:?}");
    assert_all_here_once(&summary, boot, last, true);
    assert!(mortal.terminate().success());
    assert!(steady.terminate().success());
    // "… stopped committed=700 duplicates=3 quarantined=0"
    let said = std::fs::read_to_string(&log).unwrap();
    let alone: u64 = said
        .rsplit_once("committed")
        .and_then(|(_, rest)| {
            let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
            digits.split_whitespace().next()?.parse().ok()
        })
        .unwrap_or_else(|| panic!("no count in {said}"));
    assert!(
        (1..last).contains(&alone),
        "{alone} of {last} came through one ingester: the messages were not spread"
    );
}

#[test]
fn a_store_that_only_listens_is_sent_everything_beside_the_one_that_rigs_obey() {
    let bench = Bench::new();
    let (broker, onlookers) = Broker::start_with_onlookers(bench.dir.path());
    let server = Postgres::start();
    // On one server, as a copy for a trial lies beside what it was made from.
    let obeyed = SharedStore::new(&bench, &server);
    let trial = SharedStore::new(&bench, &server);
    let programs = [
        obeyed.ingest(broker.port, "first.log").0,
        obeyed.ingest(broker.port, "second.log").0,
        trial.ingest(onlookers, "trial.log").0,
        trial.ingest(onlookers, "trial-too.log").0,
    ];
    let rig = Program::start("rig", &mut bench.rig(broker.port, MESSAGES / 2));
    assert!(rig.wait().success(), "the rig saw everything committed");
    let (boot, last) = bench.journal().unwrap();
    // Of the one that rigs do not hear of they do not know how far it is.
    trial.wait_for_committed(last);
    for store in [obeyed, trial] {
        let summary = store.summary();
        assert!(summary.is_balanced(), "{summary:?}");
        assert_all_here_once(&summary, boot, last, true);
    }
    for program in programs {
        assert!(program.terminate().success());
    }
}

#[test]
fn a_database_that_dies_in_mid_run_loses_nothing_of_what_it_said_it_had() {
    let bench = Bench::new();
    let broker = bench.broker();
    let server = Postgres::start();
    let desk = SharedStore::new(&bench, &server);
    let (first, _) = desk.ingest(broker.port, "first.log");
    let (second, _) = desk.ingest(broker.port, "second.log");
    let rig = Program::start("rig", &mut bench.rig(broker.port, MESSAGES));
    desk.wait_for_committed(200);
    server.halt();
    server.resume();
    assert!(rig.wait().success(), "the rig saw everything committed");
    let (boot, last) = bench.journal().unwrap();
    let summary = desk.summary();
    assert!(summary.is_balanced(), "{summary:?}");
    assert_all_here_once(&summary, boot, last, true);
    assert!(first.terminate().success());
    assert!(second.terminate().success());
}

#[test]
fn frames_asked_for_arrive_whole_though_the_ingester_that_asked_dies_on_the_way() {
    let bench = Bench::new();
    let broker = bench.broker();
    let server = Postgres::start();
    let desk = SharedStore::new(&bench, &server);
    let (asker, _) = desk.ingest(broker.port, "asker.log");
    let (board, folder) = recording_board(&bench, broker.port);
    let rig = start(&board);
    let name = parse_name("sim-1").unwrap();
    let clip = wait_for("a recording of a hundred frames", || {
        let boot = desk.summary().rigs.first()?.boots.first()?.boot;
        let (rig, clip) = (name.clone(), 1);
        let clip = ClipId { rig, boot, clip };
        let segments = bench.runtime.block_on(desk.store.recorded_segments(&clip));
        (segments.unwrap().last()?.frames.1 >= 100).then_some(clip)
    });
    let wanted = Wanted::Frames(clip, (5, 95));
    let asked = desk.store.ask(&name, &wanted, None, "ann", now_us());
    let request = bench.runtime.block_on(asked).unwrap().request;
    let standing = || {
        let stored = bench.runtime.block_on(desk.store.request(request));
        let stored = stored.unwrap().unwrap();
        assert_ne!(stored.state, RequestState::Refused, "{:?}", stored.reason);
        stored
    };
    wait_for("the first part", || (standing().have > 0).then_some(()));
    let (other, _) = desk.ingest(broker.port, "other.log");
    asker.kill();
    let before = standing();
    assert_eq!(before.state, RequestState::Arriving, "it takes a while");
    let here = wait_for("the rest", || {
        let now = standing();
        assert!(now.have >= before.have, "nothing is asked for twice");
        (now.state == RequestState::Here).then_some(now)
    });
    let disk = on_disk(&folder);
    let wanted: Vec<_> = disk.range(5..=95).map(|(frame, _)| *frame).collect();
    let came: Vec<_> = here.pictures.iter().map(|(frame, _)| *frame).collect();
    assert!(wanted.len() > 80 && came == wanted, "{came:?}");
    for frame in came {
        let picture = bench
            .runtime
            .block_on(desk.store.requested_picture(request, frame));
        assert_eq!(picture.unwrap().as_ref(), Some(&disk[&frame].1), "{frame}");
    }
    assert!(rig.terminate().success());
    assert!(other.terminate().success());
}

#[test]
fn a_file_is_not_shared_and_a_password_not_taken_where_others_can_read_it() {
    let bench = Bench::new();
    let refused = |arguments: &[&str]| {
        let output = Command::new(&bench.rigel)
            .args(["ingest", "--broker", "127.0.0.1:1"])
            .args(arguments)
            .env_remove("RIGEL_STORE")
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&[]).contains("RIGEL_STORE"));
    let said = refused(&["--store", "postgres://rigel:secret@127.0.0.1:1/rigel"]);
    assert!(said.contains("on the command line"), "{said}");
    let serve = Command::new(&bench.rigel)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(bench.dir.path().join("desk"))
        .env("RIGEL_STORE", "postgres://rigel@127.0.0.1:1/rigel")
        .output()
        .unwrap();
    let said = String::from_utf8(serve.stderr).unwrap();
    assert!(
        !serve.status.success() && said.contains("--broker"),
        "{said}"
    );
}
