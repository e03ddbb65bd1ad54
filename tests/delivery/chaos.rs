//! Killing each of the three.

use crate::{Bench, assert_all_here_once};
use end_to_end::{Program, wait_for};

const MESSAGES: u64 = 1200;

#[test]
fn rig_broker_and_host_killed_in_mid_run_and_every_message_is_committed_once() {
    let bench = Bench::new();
    let mut broker = bench.broker();
    let host = bench.host_at(&broker);

    let rig = Program::start("rig", &mut bench.rig(broker.port, MESSAGES));
    bench.wait_for_committed(&host, 100);
    rig.kill();
    let (first_boot, appended) = bench.journal().unwrap();
    assert!(appended < MESSAGES, "killed in mid-run");

    let rig = Program::start("rig", &mut bench.rig(broker.port, MESSAGES));
    wait_for("the second boot to make messages", || {
        bench.journal().filter(|(boot, _)| *boot != first_boot)
    });
    bench.wait_for_committed(&host, 100);
    broker.kill();
    let (_, at_broker_kill) = bench.journal().unwrap();
    assert!(at_broker_kill < MESSAGES, "killed in mid-run");
    broker.restart();

    bench.wait_for_committed(&host, at_broker_kill + 50);
    let (_, at_host_kill) = bench.journal().unwrap();
    assert!(at_host_kill < MESSAGES, "killed in mid-run");
    host.kill();
    let host = bench.host_at(&broker);

    assert!(rig.wait().success(), "the rig saw everything committed");
    let (second_boot, last) = bench.journal().unwrap();
    assert_eq!(last, MESSAGES + 2);
    let summary = bench.summary(&host.database());
    assert_eq!(summary.quarantined, 0);
    assert_all_here_once(&summary, second_boot, last, true);
    // The kill may have come between an append and its entry in the journal.
    let reached = summary.rigs[0].boots[0].watermark;
    assert!(
        (appended..=appended + 1).contains(&reached),
        "{appended} appended before the kill, {reached} committed"
    );
    assert_all_here_once(&summary, first_boot, reached, false);
    // The rig has gone by its broker's word; the host hears the farewell a moment later.
    wait_for("the rig's farewell", || {
        let rig = bench.summary(&host.database()).rigs.remove(0);
        (rig.power.as_deref() == Some("stopped")).then_some(())
    });
    host.stop();
}

#[test]
fn a_host_with_its_embedded_broker_killed_in_mid_run_and_every_message_is_committed_once() {
    let bench = Bench::new();
    let host = bench.host(&["--embedded-broker", "127.0.0.1:0"]);
    let port = host.broker;
    let rig = Program::start("rig", &mut bench.rig(port, MESSAGES));
    bench.wait_for_committed(&host, 200);
    host.kill();
    let host = bench.host(&["--embedded-broker", &format!("127.0.0.1:{port}")]);
    assert!(rig.wait().success(), "the rig saw everything committed");
    let (boot, last) = bench.journal().unwrap();
    let summary = bench.summary(&host.database());
    assert!(summary.is_balanced(), "{summary:?}");
    assert_all_here_once(&summary, boot, last, true);
    host.stop();
}

#[test]
fn a_rig_that_made_everything_before_there_was_a_broker_or_a_host_delivers_it_all() {
    let bench = Bench::new();
    let mut broker = bench.broker();
    broker.kill();
    let mut alone = bench.rig(broker.port, 300);
    let alone = Program::start("rig", alone.args(["--pace-us", "0", "--patience-s", "0"]));
    assert!(!alone.wait().success(), "nobody has committed anything");
    let (boot, last) = bench.journal().unwrap();

    // Broker first, then the rig, then the host: messages that nobody hears are not delivered.
    broker.restart();
    let rig = Program::start("rig", &mut bench.rig(broker.port, 0));
    let host = bench.host_at(&broker);
    assert!(rig.wait().success(), "the rig saw everything committed");
    let summary = bench.summary(&host.database());
    assert!(summary.is_balanced(), "{summary:?}");
    assert_all_here_once(&summary, boot, last, true);
    host.stop();
}

#[test]
fn a_host_whose_store_was_replaced_does_not_wait_for_what_the_rig_has_deleted() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let rig = Program::start("rig", &mut bench.rig(broker.port, MESSAGES));
    bench.wait_for_committed(&host, 200);
    host.kill();
    std::fs::remove_dir_all(bench.dir.path().join("host")).unwrap();
    let host = bench.host_at(&broker);
    assert!(rig.wait().success(), "the rig saw everything committed");
    let (boot, _) = bench.journal().unwrap();
    let summary = bench.summary(&host.database());
    let found = &summary.rigs[0].boots[0];
    assert_eq!(found.boot.raw(), boot);
    assert_eq!(found.watermark, found.highest, "no hole is waited for");
    host.stop();
}
