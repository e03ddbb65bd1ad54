//! The host against the unexpected.

use crate::Bench;
use end_to_end::{Program, free_port, wait_for};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{Client, MqttOptions};
use std::net::TcpListener;
use std::process::Command;

#[test]
fn rubbish_on_the_wire_is_kept_aside_and_the_stream_goes_on() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let rig = Program::start("rig", &mut bench.rig(broker.port, 600));
    bench.wait_for_committed(&host, 50);
    let (client, mut connection) =
        Client::new(MqttOptions::new("rubbish", "127.0.0.1", broker.port), 16);
    let rubbish: [(&str, Vec<u8>); 5] = [
        ("rigel/v1/bench/fixture/label", b"{\"v\":1".to_vec()),
        ("rigel/v1/bench/fixture/label", vec![b' '; 200_000]),
        ("rigel/v1/bench/fixture/evidence", vec![0xff; 1000]),
        (
            "rigel/v1/bench/other/label",
            br#"{"v":1,"from":{"rig":"fixture","boot":1,"seq":1},"clip":1,"models":[],"labels":[]}"#
                .to_vec(),
        ),
        ("rigel/v1/bench/fixture/status", b"\x00\x01".to_vec()),
    ];
    let kinds = rubbish.len() as u64;
    for (topic, payload) in rubbish {
        client
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .unwrap();
    }
    std::thread::spawn(move || connection.iter().all(|event| event.is_ok()));
    wait_for("the rubbish to be kept aside", || {
        (bench.summary(&host.database()).quarantined == kinds).then_some(())
    });
    assert!(rig.wait().success(), "the rig saw everything committed");
    let summary = bench.summary(&host.database());
    let (boot, last) = bench.journal().unwrap();
    crate::assert_all_here_once(&summary, boot, last, true);
    assert_eq!(summary.rigs.len(), 1, "no rig but the real one is known");
    host.stop();
}

fn refused(bench: &Bench, arguments: &[&str]) -> String {
    let output = Command::new(&bench.rigel)
        .arg("serve")
        .arg("--data")
        .arg(bench.dir.path().join("host"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let bench = Bench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = taken.local_addr().unwrap().port();
    let said = refused(&bench, &["--listen", &address]);
    assert!(
        said.contains(&format!("port {port} is taken")) && said.contains("--listen"),
        "{said}"
    );
    let said = refused(
        &bench,
        &["--listen", "127.0.0.1:0", "--embedded-broker", &address],
    );
    assert!(
        said.contains(&format!("port {port} is taken")) && said.contains("--embedded-broker"),
        "{said}"
    );
}

#[test]
fn a_second_host_on_the_same_data_is_refused() {
    let bench = Bench::new();
    let host = bench.host(&["--embedded-broker", "127.0.0.1:0"]);
    let said = refused(&bench, &["--listen", "127.0.0.1:0"]);
    assert!(said.contains("another rigel serve"), "{said}");
    host.stop();
}

#[test]
fn the_embedded_broker_serves_this_machine_only() {
    let bench = Bench::new();
    let said = refused(
        &bench,
        &["--listen", "127.0.0.1:0", "--embedded-broker", "0.0.0.0:0"],
    );
    assert!(said.contains("no access control"), "{said}");
}

#[test]
fn a_host_without_its_broker_waits_for_it_and_stops_when_told() {
    let bench = Bench::new();
    let nobody = free_port();
    let host = bench.host(&["--broker", &format!("127.0.0.1:{nobody}")]);
    host.stop();
}
