//! A site as `rigel provision` sets it up, with mosquitto as it is shipped; and what a rig in the wrong hands can do there.

use crate::{Bench, FIXTURE};
use end_to_end::{Broker, Host, Program, free_port, rig_command, wait_for};
use label_core::wire::Topic;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use uplink::Tls;

/// Delivery tests' own rig, and another one of its site.
const GOOD: &str = "fixture";
const THIEF: &str = "thief";

/// Two rigs, a broker and a desk, all with what `rigel provision` made.
struct Site {
    bench: Bench,
    port: u16,
    broker: Broker,
}

impl Site {
    fn new() -> Self {
        let bench = Bench::new();
        let port = free_port();
        let site = bench.dir.path();
        for rig in [GOOD, THIEF] {
            provision(&bench.rigel, site, rig, port, &[]);
        }
        let folder = site.join("rigs/ca/bench/broker-127.0.0.1");
        let broker = Broker::start_shipped(site, &folder, port);
        Self {
            bench,
            port,
            broker,
        }
    }

    fn tls_folder(&self, rig: &str) -> PathBuf {
        tls_folder(self.bench.dir.path(), rig)
    }

    fn desk(&self) -> Host {
        let file = |name: &str| {
            let folder = self.bench.dir.path().join("rigs/ca/bench/desk");
            folder.join(name).display().to_string()
        };
        self.bench.host(&[
            "--broker",
            &format!("127.0.0.1:{}", self.port),
            "--tls-ca",
            &file("ca.crt"),
            "--tls-cert",
            &file("desk.crt"),
            "--tls-key",
            &file("desk.key"),
        ])
    }

    /// The good rig makes messages, and sees them committed.
    fn deliver(&self, messages: u64) {
        let mut rig = rig_command(FIXTURE, &self.bench.outbox(), self.port, messages);
        rig.arg("--tls").arg(self.tls_folder(GOOD));
        let ended = Program::start("rig", &mut rig).wait();
        assert!(ended.success(), "the rig saw everything committed");
    }

    /// Somebody with the files of this folder.
    fn visitor(&self, folder: &Path) -> Visitor<'_> {
        let tls = Tls {
            ca: folder.join("ca.crt"),
            cert: folder.join("rig.crt"),
            key: folder.join("rig.key"),
        };
        let mut options = MqttOptions::new("visitor", "127.0.0.1", self.port);
        options.set_transport(tls.transport().unwrap());
        let (client, events) = AsyncClient::new(options, 16);
        Visitor {
            site: self,
            tls,
            client,
            events,
            heard: Vec::new(),
        }
    }

    fn revoke(&self, more: &[&str]) {
        let mut command = Command::new(&self.bench.rigel);
        command
            .args(["revoke", THIEF, "--site", "bench", "--ca", "rigs/ca"])
            .args(more)
            .current_dir(self.bench.dir.path());
        assert!(command.status().unwrap().success());
    }
}

fn provision(rigel: &Path, folder: &Path, rig: &str, port: u16, more: &[&str]) {
    let mut command = Command::new(rigel);
    command
        .args(["provision", rig, "--site", "bench", "--board", "rpi4"])
        .args(["--broker", &format!("127.0.0.1:{port}")])
        .args(["--out", &format!("rigs/{rig}")])
        .args(more)
        .current_dir(folder);
    assert!(command.status().unwrap().success(), "{rig} is provisioned");
}

fn tls_folder(folder: &Path, rig: &str) -> PathBuf {
    folder.join(format!("rigs/{rig}/root/etc/rigel/tls"))
}

/// A client of the broker that keeps to no rule.
struct Visitor<'a> {
    site: &'a Site,
    tls: Tls,
    client: AsyncClient,
    events: EventLoop,
    /// Topics of what it was sent.
    heard: Vec<String>,
}

impl Visitor<'_> {
    fn next(&mut self) -> Result<Packet, ConnectionError> {
        let events = &mut self.events;
        loop {
            let event = self.site.bench.runtime.block_on(events.poll())?;
            let Event::Incoming(packet) = event else {
                continue;
            };
            if let Packet::Publish(publish) = &packet {
                self.heard
                    .push(String::from_utf8_lossy(&publish.topic).into_owned());
            }
            return Ok(packet);
        }
    }

    /// Whether the broker lets it in, else why not.
    fn enter(&mut self) -> Result<(), String> {
        match self.next() {
            Ok(Packet::ConnAck(_)) => Ok(()),
            Ok(other) => panic!("{other:?} before an answer to the connection"),
            Err(error) => Err(self
                .tls
                .explain("127.0.0.1", &error)
                .unwrap_or_else(|| error.to_string())),
        }
    }

    /// The broker's answer to a message.
    fn publish(&mut self, topic: &str, retained: bool) -> PubAckReason {
        let message = r#"{"v":1}"#;
        self.client
            .try_publish(topic, QoS::AtLeastOnce, retained, message)
            .unwrap();
        loop {
            if let Packet::PubAck(answer) = self.next().unwrap() {
                return answer.reason;
            }
        }
    }

    fn subscribe(&mut self, filter: &str) {
        self.client.try_subscribe(filter, QoS::AtLeastOnce).unwrap();
        while !matches!(self.next().unwrap(), Packet::SubAck(_)) {}
    }

    /// Everything that the broker had for it before now: it answers in order.
    fn heard(&mut self) -> &[String] {
        assert!(is_let_pass(
            self.publish(&topic(THIEF, Topic::Health), false)
        ));
        &self.heard
    }
}

fn is_let_pass(answer: PubAckReason) -> bool {
    matches!(
        answer,
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers
    )
}

fn topic(rig: &str, topic: Topic) -> String {
    format!("rigel/v1/bench/{rig}/{}", topic.leaf())
}

#[test]
fn a_stolen_rig_forges_no_message_of_another_nor_of_the_desk_and_reads_its_own_branch_alone() {
    let site = Site::new();
    let desk = site.desk();
    site.deliver(50);
    let mut thief = site.visitor(&site.tls_folder(THIEF));
    thief.enter().unwrap();
    for leaf in Topic::ALL {
        let forged = thief.publish(&topic(GOOD, leaf), true);
        assert_eq!(forged, PubAckReason::NotAuthorized, "{leaf:?} of another");
        let own = thief.publish(&topic(THIEF, leaf), false);
        assert_eq!(is_let_pass(own), leaf.is_from_rig(), "{leaf:?}: {own:?}");
    }
    for elsewhere in [
        "rigel/v1/other/thief/label",
        "rigel/v1/bench/new/label",
        "$SYS/x",
    ] {
        assert!(!is_let_pass(thief.publish(elsewhere, false)), "{elsewhere}");
    }
    for filter in [
        "#",
        "rigel/v1/bench/fixture/#",
        "$share/x/rigel/v1/+/+/label",
    ] {
        thief.subscribe(filter);
    }
    // Acknowledgements and policies of the other rig among it, retained and new.
    site.deliver(20);
    for heard in thief.heard() {
        assert!(heard.starts_with("rigel/v1/bench/thief/"), "read {heard}");
    }
    let known = site.bench.summary(&desk.database());
    let rigs: Vec<&str> = known.rigs.iter().map(|rig| rig.rig.as_str()).collect();
    assert_eq!(rigs, [GOOD], "what was forged reached the store");
    desk.stop();
}

#[test]
fn a_revoked_rig_is_let_in_no_more_and_with_a_new_key_it_is_again() {
    let mut site = Site::new();
    let desk = site.desk();
    let own = site.tls_folder(THIEF);
    site.visitor(&own).enter().unwrap();

    site.revoke(&[]);
    site.broker.kill();
    site.broker.restart();
    let said = site.visitor(&own).enter().unwrap_err();
    assert!(
        said.starts_with("the broker says that") && said.contains("rig.crt was withdrawn"),
        "{said}"
    );
    site.deliver(10);

    // No certificate for its name by accident.
    let folder = site.bench.dir.path();
    let mut again = Command::new(&site.bench.rigel);
    again
        .args(["provision", THIEF, "--site", "bench", "--board", "rpi4"])
        .args(["--broker", "127.0.0.1", "--out", "rigs/thief"])
        .current_dir(folder);
    let refused = again.output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("--new-key"),
        "{said}"
    );

    provision(&site.bench.rigel, folder, THIEF, site.port, &["--new-key"]);
    site.visitor(&own).enter().unwrap();
    desk.stop();
}

#[test]
fn a_rotated_key_is_good_beside_the_old_one_until_the_old_one_is_withdrawn() {
    let mut site = Site::new();
    let (own, old) = (site.tls_folder(THIEF), site.bench.dir.path().join("old"));
    std::fs::create_dir(&old).unwrap();
    for name in ["ca.crt", "rig.crt", "rig.key"] {
        std::fs::copy(own.join(name), old.join(name)).unwrap();
    }
    let folder = site.bench.dir.path();
    provision(&site.bench.rigel, folder, THIEF, site.port, &["--new-key"]);
    site.visitor(&old).enter().unwrap();
    site.visitor(&own).enter().unwrap();

    site.revoke(&["--but-newest"]);
    site.broker.kill();
    site.broker.restart();
    assert!(site.visitor(&old).enter().is_err());
    site.visitor(&own).enter().unwrap();
}

#[test]
fn a_message_beyond_all_measure_costs_its_sender_the_connection_and_nobody_else_anything() {
    let site = Site::new();
    let desk = site.desk();
    // MQTT 3.1.1: the broker's limit is told to newer clients alone, and theirs keep to it.
    let folder = site.tls_folder(THIEF);
    let tls = Tls {
        ca: folder.join("ca.crt"),
        cert: folder.join("rig.crt"),
        key: folder.join("rig.key"),
    };
    let mut options = rumqttc::MqttOptions::new("thief", "127.0.0.1", site.port);
    options.set_transport(tls.transport().unwrap());
    let size = 100 * 1024 * 1024;
    options.set_max_packet_size(size, 2 * size);
    let (client, mut events) = rumqttc::AsyncClient::new(options, 16);
    client
        .try_publish(
            topic(THIEF, Topic::Label),
            rumqttc::QoS::AtLeastOnce,
            false,
            vec![b'x'; size],
        )
        .unwrap();
    wait_for("the connection to end", || {
        let event = site.bench.runtime.block_on(events.poll());
        let is_answered = matches!(
            event,
            Ok(rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)))
        );
        assert!(!is_answered, "it was taken");
        event.is_err().then_some(())
    });
    site.deliver(20);
    desk.stop();
}
