//! What the desk asks a rig for while it labels: recorded frames and a picture now, through a broker that dies, and beside
//! questions that mean no good.

use crate::Bench;
use crate::FIXTURE;
use crate::verify::recording_board;
use end_to_end::{Host, Program, binary, wait_for};
use label_core::BootId;
use label_core::wire::{
    Answer, IndexLine, RecordedFrame, RefusedBecause, Reply, parse_name, split_reply,
};
use label_store::{
    ClipId, LabelStore, PurgeOrder, PurgeRun, PurgedLabels, RequestState, StoredRequest, Wanted,
    now_us,
};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
use rumqttc::v5::{Client, Event, MqttOptions};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

pub(crate) fn start(board: &Path) -> Program {
    let mut run = Command::new(binary("rigeld", FIXTURE));
    run.arg("run").arg("--board").arg(board);
    Program::start("rigeld", &mut run)
}

/// The rig's boot once it has recorded so many frames of its first clip.
fn recorded(bench: &Bench, host: &Host, frames: u32) -> BootId {
    let rig = parse_name("sim-1").unwrap();
    wait_for("a recording", || {
        let boot = bench
            .summary(&host.database())
            .rigs
            .first()?
            .boots
            .first()?
            .boot;
        let clip = ClipId {
            rig: rig.clone(),
            boot,
            clip: 1,
        };
        let segments = with_store(bench, host, async |store| {
            store.recorded_segments(&clip).await.unwrap()
        });
        (segments.last()?.frames.1 >= frames).then_some(boot)
    })
}

fn with_store<T>(bench: &Bench, host: &Host, act: impl AsyncFnOnce(&LabelStore) -> T) -> T {
    bench.runtime.block_on(async {
        let store = LabelStore::open(&host.database()).await.unwrap();
        let done = act(&store).await;
        store.close().await;
        done
    })
}

fn ask(bench: &Bench, host: &Host, wanted: &Wanted) -> i64 {
    let rig = parse_name("sim-1").unwrap();
    with_store(bench, host, async |store| {
        let asked = store.ask(&rig, wanted, None, "ann", now_us()).await;
        asked.unwrap().request
    })
}

fn standing(bench: &Bench, host: &Host, request: i64) -> StoredRequest {
    with_store(bench, host, async |store| {
        store.request(request).await.unwrap().unwrap()
    })
}

fn wait_until(
    bench: &Bench,
    host: &Host,
    request: i64,
    holds: impl Fn(&StoredRequest) -> bool,
) -> StoredRequest {
    wait_for("the request", || {
        let stored = standing(bench, host, request);
        assert!(
            stored.state != RequestState::Refused || holds(&stored),
            "refused: {:?}",
            stored.reason
        );
        holds(&stored).then_some(stored)
    })
}

/// What lies on the rig's disk, by frame.
pub(crate) fn on_disk(folder: &Path) -> BTreeMap<u32, (RecordedFrame, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "jsonl") {
            continue;
        }
        let media = std::fs::read(path.with_extension("mjpeg")).unwrap();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if let IndexLine::Frame(line) = serde_json::from_str(line).unwrap() {
                let jpeg = media[line.offset as usize..][..line.bytes as usize].to_vec();
                found.insert(line.frame, (line, jpeg));
            }
        }
    }
    found
}

#[test]
fn frames_asked_for_while_the_rig_labels_arrive_whole_though_the_broker_dies_on_the_way() {
    let bench = Bench::new();
    let mut broker = bench.broker();
    let host = bench.host_at(&broker);
    let (board, folder) = recording_board(&bench, broker.port);
    let rig = start(&board);
    let boot = recorded(&bench, &host, 100);
    let clip = ClipId {
        rig: parse_name("sim-1").unwrap(),
        boot,
        clip: 1,
    };
    let request = ask(&bench, &host, &Wanted::Frames(clip, (5, 95)));
    let before = wait_until(&bench, &host, request, |stored| stored.have > 0);
    assert_eq!(before.state, RequestState::Arriving, "it takes a while");
    broker.kill();
    let stopped = standing(&bench, &host, request);
    broker.restart();
    let here = wait_until(&bench, &host, request, |stored| {
        assert!(stored.have >= stopped.have, "nothing is asked for twice");
        stored.state == RequestState::Here
    });
    let disk = on_disk(&folder);
    let wanted: Vec<_> = disk.range(5..=95).collect();
    assert!(wanted.len() > 80, "{}", wanted.len());
    let frames: Vec<_> = here.pictures.iter().map(|(frame, _)| *frame).collect();
    assert_eq!(
        frames,
        wanted.iter().map(|(frame, _)| **frame).collect::<Vec<_>>()
    );
    for ((frame, (line, jpeg)), (_, at)) in wanted.iter().zip(&here.pictures) {
        assert_eq!(line.pts_us.us(), *at);
        let arrived = with_store(&bench, &host, async |store| {
            store.requested_picture(request, **frame).await.unwrap()
        });
        assert_eq!(arrived.as_ref(), Some(jpeg), "frame {frame}");
    }

    // A picture now is a picture of the clip in progress.
    let request = ask(&bench, &host, &Wanted::Picture);
    let here = wait_until(&bench, &host, request, |stored| {
        stored.state == RequestState::Here
    });
    let frame = here.pictures[0].0;
    assert!(frame > 95, "{frame}");
    let jpeg = with_store(&bench, &host, async |store| {
        store.requested_picture(request, frame).await.unwrap()
    });
    let shown = image::load_from_memory(&jpeg.unwrap()).unwrap();
    assert_eq!((shown.width(), shown.height()), (360, 288));

    // Labels went on meanwhile, and all of them are here.
    assert!(rig.terminate().success());
    wait_for("every message", || {
        let summary = bench.summary(&host.database());
        let boot = summary.rigs[0].boots[0].clone();
        (boot.watermark == boot.highest && summary.clips[0].clip.frames.is_some()).then_some(())
    });
    let summary = bench.summary(&host.database());
    assert_eq!(summary.clips[0].balance, label_store::Balance::Balanced);
    assert_eq!(summary.quarantined, 0);
    host.stop();
}

/// Names of what lies in the rig's folder of this run's first clip.
fn of_run(folder: &Path, boot: BootId) -> Vec<String> {
    let start = format!("{:016}-000001-", boot.raw());
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(&start))
        .collect()
}

#[test]
fn a_clip_that_is_purged_while_its_rig_is_away_goes_from_the_rigs_disk_when_it_is_back() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let (board, folder) = recording_board(&bench, broker.port);
    let rig = start(&board);
    let boot = recorded(&bench, &host, 100);
    assert!(rig.terminate().success());
    assert!(of_run(&folder, boot).len() >= 4);
    let clip = ClipId {
        rig: parse_name("sim-1").unwrap(),
        boot,
        clip: 1,
    };
    let order = PurgeOrder {
        clip: clip.clone(),
        track: None,
        labels: PurgedLabels::Keep,
    };
    with_store(&bench, &host, async |store| {
        let done = store.purge(&order, PurgeRun::Real, "ann", now_us()).await;
        assert!(done.unwrap().segments.unwrap() >= 2);
        assert_eq!(store.purges_awaited().await.unwrap().len(), 1);
    });
    let rig = start(&board);
    wait_for("the rig's word", || {
        with_store(&bench, &host, async |store| {
            store.purges_awaited().await.unwrap().is_empty()
        })
        .then_some(())
    });
    assert_eq!(of_run(&folder, boot), [""; 0]);
    // The rig records on, and what it tells of the deleted at its start is no news.
    let again = wait_for("a new recording", || {
        let runs = &bench.summary(&host.database()).rigs[0].boots;
        let now = runs.iter().map(|run| run.boot).max()?;
        (now != boot && of_run(&folder, now).len() >= 4).then_some(now)
    });
    assert!(again > boot);
    let told = with_store(&bench, &host, async |store| {
        store.recorded_segments(&clip).await.unwrap()
    });
    assert_eq!(told, []);
    assert!(rig.terminate().success());
    host.stop();
}

/// Asks as somebody who knows the topics, and hears what is answered.
struct Asker {
    client: Client,
    answers: mpsc::Receiver<(Vec<u8>, Answer)>,
}

const REPLY: &str = "rigel/v1/demo/sim-1/reply";

impl Asker {
    fn new(port: u16) -> Self {
        let (client, mut connection) =
            Client::new(MqttOptions::new("asker", "127.0.0.1", port), 64);
        client.subscribe(REPLY, QoS::AtLeastOnce).unwrap();
        let (tell, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for event in connection.iter() {
                let Ok(Event::Incoming(Packet::Publish(publish))) = event else {
                    if event.is_err() {
                        return;
                    }
                    continue;
                };
                let (header, _) = split_reply(&publish.payload).unwrap();
                let reply: Reply = serde_json::from_slice(header).unwrap();
                let said = publish.properties.unwrap();
                let correlation = said.correlation_data.unwrap().to_vec();
                if tell.send((correlation, reply.answer)).is_err() {
                    return;
                }
            }
        });
        Self { client, answers }
    }

    fn ask(&self, command: &str, correlation: &[u8], payload: &[u8], respond: &str) {
        let properties = PublishProperties {
            response_topic: Some(respond.to_owned()),
            correlation_data: Some(correlation.to_vec().into()),
            ..PublishProperties::default()
        };
        let topic = format!("rigel/v1/demo/sim-1/cmd/{command}");
        self.client
            .publish_with_properties(topic, QoS::AtLeastOnce, false, payload.to_vec(), properties)
            .unwrap();
    }

    fn refusal(&self, command: &str, correlation: &[u8], payload: &[u8]) -> RefusedBecause {
        self.ask(command, correlation, payload, REPLY);
        let answered = self.answers.recv_timeout(Duration::from_secs(30)).unwrap();
        match answered {
            (repeated, Answer::Refused(because)) if repeated == correlation => because,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn questions_that_mean_no_good_are_refused_with_a_reason_and_labelling_goes_on() {
    let bench = Bench::new();
    let broker = bench.broker();
    let host = bench.host_at(&broker);
    let (board, _) = recording_board(&bench, broker.port);
    let rig = start(&board);
    let boot = recorded(&bench, &host, 20).raw();
    let asker = Asker::new(broker.port);
    let frames = |boot: u64, first: u32, last: u32, offset: u64| {
        format!(
            r#"{{"v":1,"boot":{boot},"of":[{boot},1],"frames":[{first},{last}],"offset":{offset}}}"#
        )
        .into_bytes()
    };
    for (correlation, payload, because) in [
        (b"a", frames(boot + 1, 1, 2, 0), RefusedBecause::OtherBoot),
        (b"b", frames(boot, 2, 1, 0), RefusedBecause::Malformed),
        (b"c", frames(boot, 0, 300, 0), RefusedBecause::TooMuch),
        (b"d", frames(boot, 0, u32::MAX, 0), RefusedBecause::TooMuch),
        (b"e", frames(boot, 1, 2, 1 << 40), RefusedBecause::Malformed),
        (
            b"f",
            frames(boot, 900_000, 900_001, 0),
            RefusedBecause::NotRecorded,
        ),
        (b"a", frames(boot, 1, 2, 0), RefusedBecause::Replayed),
        (b"g", vec![b' '; 10_000], RefusedBecause::TooLong),
        (b"h", b"[[[[[[[[".to_vec(), RefusedBecause::Malformed),
        (b"i", br#"{"v":2}"#.to_vec(), RefusedBecause::Version),
    ] {
        assert_eq!(asker.refusal("frames", correlation, &payload), because);
    }
    // The answer would go to another's topic: it goes nowhere.
    asker.ask(
        "frames",
        b"j",
        &frames(boot, 1, 2, 0),
        "rigel/v1/demo/sim-2/label",
    );
    assert_eq!(
        asker.refusal("picture", b"k", b"{}"),
        RefusedBecause::Malformed
    );

    // What the host asks is still answered, and no label was lost.
    let request = ask(&bench, &host, &Wanted::Picture);
    wait_until(&bench, &host, request, |stored| {
        stored.state == RequestState::Here
    });
    assert!(rig.terminate().success());
    wait_for("every message", || {
        let boot = bench.summary(&host.database()).rigs[0].boots[0].clone();
        (boot.watermark == boot.highest).then_some(())
    });
    host.stop();
}
