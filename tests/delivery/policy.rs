//! The desk's policy: a rig obeys it, says so, and remembers it where there is no network.

use crate::appliance::{board, labels, records};
use crate::pictures::picture;
use crate::{Bench, FIXTURE};
use end_to_end::{Program, binary, wait_for};
use label_core::wire::{Decision, Label, Topic};
use label_core::{AbstainReason, LabelKind};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event, MqttOptions};
use std::process::Command;

const POLICY: &[u8] = br#"{"v":1,"revision":7,"kinds":[
 {"kind":"blink","mode":"abstain"},
 {"kind":"keypoint-left-eye","mode":"offer","threshold":1.0}],"picture_bytes_a_minute":60000}"#;

/// Labels of the demo clip, in which one person blinks with both eyes in view.
fn assert_obeyed(labels: &[Label]) {
    let of = |kind| labels.iter().filter(move |label| label.kind == kind);
    let offered = |kind| {
        of(kind)
            .filter(|label| label.decision == Decision::Candidate)
            .count()
    };
    assert_eq!(offered(LabelKind::Blink), 0);
    let demoted: u32 = of(LabelKind::Blink)
        .filter(|label| label.reason == Some(AbstainReason::Demoted))
        .map(|label| label.frames.frames())
        .sum();
    assert!(demoted > 600, "{demoted} of 720 frames");
    assert_eq!(offered(LabelKind::KeypointLeftEye), 0);
    assert!(
        of(LabelKind::KeypointLeftEye)
            .any(|label| label.reason == Some(AbstainReason::LowConfidence))
    );
    assert!(
        offered(LabelKind::KeypointRightEye) > 0,
        "not named, not touched"
    );
    assert!(offered(LabelKind::BboxPerson) > 0, "not named, not touched");
}

#[test]
fn a_withdrawn_kind_is_silence_with_its_reason_and_stays_so_without_a_network() {
    let bench = Bench::new();
    let mut broker = bench.broker();
    let board = board(&bench, broker.port);
    let (client, mut connection) =
        Client::new(MqttOptions::new("desk", "127.0.0.1", broker.port), 16);
    client
        .publish(
            "rigel/v1/bench/sim-1/policy",
            QoS::AtLeastOnce,
            true,
            POLICY,
        )
        .unwrap();
    client
        .publish("rigel/v1/demo/sim-1/policy", QoS::AtLeastOnce, true, POLICY)
        .unwrap();
    client
        .subscribe("rigel/v1/+/sim-1/health", QoS::AtMostOnce)
        .unwrap();
    let (told, echoes) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for event in connection.iter().map_while(Result::ok) {
            if let Event::Incoming(Packet::Publish(publish)) = event {
                let health: serde_json::Value = serde_json::from_slice(&publish.payload).unwrap();
                if told.send(health).is_err() {
                    return;
                }
            }
        }
    });
    let rigeld = binary("rigeld", FIXTURE);
    let run = || {
        Program::start(
            "rigeld",
            Command::new(&rigeld).arg("run").arg("--board").arg(&board),
        )
    };
    // Nobody commits anything, so everything stays in the outbox to be looked at. A clip's last labels are told when it
    // is over.
    let all_of_boot = |place: usize| {
        wait_for("the clip's end in the outbox", || {
            let records = records(&bench);
            let mut boots: Vec<_> = records.iter().map(|record| record.boot).collect();
            boots.dedup();
            let boot = *boots.get(place)?;
            let mine: Vec<_> = records
                .into_iter()
                .filter(|record| record.boot == boot)
                .collect();
            let closed = mine.iter().any(|record| {
                record.topic == Topic::Clip
                    && String::from_utf8_lossy(&record.payload).contains("\"closed\"")
            });
            closed.then(|| {
                let labels: Vec<Label> = mine
                    .iter()
                    .filter(|record| record.topic == Topic::Label)
                    .flat_map(labels)
                    .collect();
                let sizes = mine.iter().filter_map(picture).map(|(_, jpeg)| jpeg.len());
                (labels, sizes.collect::<Vec<usize>>())
            })
        })
    };
    let rig = run();
    all_of_boot(0);
    wait_for("the policy's echo", || {
        let health = echoes.try_recv().ok()?;
        (health["policy"] == 7 && health["picture_bytes_a_minute"] == 60_000).then_some(())
    });
    rig.kill();
    broker.kill();
    let rig = run();
    let (second, pictures) = all_of_boot(1);
    rig.kill();
    assert_obeyed(&second);
    // Half a minute of the clip, so no minute could have more.
    let bytes: usize = pictures.iter().sum();
    assert!(!pictures.is_empty() && bytes <= 60_000, "{pictures:?}");
}
