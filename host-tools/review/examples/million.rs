//! How quickly the desk answers with a million candidates in its store:
//! `cargo run --release -p review --example million -- [CANDIDATES] [FOLDER]`, or `cargo xtask bench --review`.
//!
//! Labels are committed as ingest commits them, a tenth is judged, and each request goes through the host's own router,
//! so that what is measured is the handler, the store and the JSON. A store already in the folder is used again.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use label_core::wire::{
    BoxKeyframe, Decision, EventEyes, EventValue, Label, LabelBatch, LabelValue, ModelRef, Origin,
    PointKeyframe, parse_name,
};
use label_core::{BootId, CaptureTime, Confidence, FrameRange, LabelKind};
use label_store::{
    Asked, Content, Incoming, Judgement, LabelStore, NewVerdict, QueueFilter, QueueOrder, now_us,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tower::ServiceExt;

type Failure = Box<dyn std::error::Error>;

const RIGS: u64 = 20;
const CLIPS: u64 = 50;
const BATCH: u64 = 8;
/// Messages in one transaction.
const MESSAGES: usize = 1024;
/// How often each request is made.
const ROUNDS: usize = 40;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let candidates: u64 = match arguments.next() {
        Some(text) => text.parse()?,
        None => 1_000_000,
    };
    let own = tempfile::tempdir()?;
    let folder = arguments
        .next()
        .map_or_else(|| own.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("million.sqlite");
    let store = LabelStore::open(&file).await?;
    let mut there = store.queue(&QueueFilter::default()).await?.total;
    if there == 0 {
        let started = Instant::now();
        Box::pin(fill(&store, candidates)).await?;
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "committed in {seconds:.0} s: {:.0} labels a second",
            candidates as f64 / seconds
        );
        judge_some(&store, candidates / 10).await?;
        there = store.queue(&QueueFilter::default()).await?.total;
    }
    let bytes = std::fs::metadata(&file)?.len();
    println!("{there} candidates, {:.0} MB\n", bytes as f64 / 1e6);
    let (_stop, stop) = tokio::sync::watch::channel(false);
    let options = review::Options {
        listen: "127.0.0.1:8080".parse()?,
        names: Vec::new(),
        exports: review::ExportPlace::default(),
        stop,
        numbers: review::Numbers::default(),
    };
    measure(&Host(review::router(store, options))).await
}

/// A generator of numbers that differ, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Kinds as they come: mostly positions.
const KINDS: [LabelKind; 20] = {
    use LabelKind::{
        Alertness, BboxPerson, Blink, FaceOccluded, InShadow, KeypointLeftEye, KeypointRightEye,
        LightChange, LongClosure, VideoQuality, WearingGlasses,
    };
    [
        BboxPerson,
        KeypointLeftEye,
        KeypointRightEye,
        Blink,
        BboxPerson,
        KeypointLeftEye,
        KeypointRightEye,
        Alertness,
        BboxPerson,
        KeypointLeftEye,
        KeypointRightEye,
        Blink,
        WearingGlasses,
        InShadow,
        FaceOccluded,
        LightChange,
        VideoQuality,
        Blink,
        Alertness,
        LongClosure,
    ]
};

fn value(kind: LabelKind, frames: FrameRange, numbers: &mut Numbers) -> LabelValue {
    let keys = |numbers: &mut Numbers| {
        let inner = numbers.below(6) as u32;
        (0..=inner + 1)
            .map(move |key| frames.start + (frames.end - frames.start) * key / (inner + 1))
    };
    match kind {
        LabelKind::BboxPerson => LabelValue::Boxes(
            keys(numbers)
                .map(|frame| BoxKeyframe(frame, 410.25, 90.5, 512.75, 629.5, 0.94))
                .collect(),
        ),
        LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye => LabelValue::Points(
            keys(numbers)
                .map(|frame| PointKeyframe(frame, 633.41, 288.07, 0.97))
                .collect(),
        ),
        LabelKind::Alertness | LabelKind::VideoQuality => {
            LabelValue::Level(1 + numbers.below(5) as u8)
        }
        LabelKind::Blink | LabelKind::LongClosure => LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak: frames.start.midpoint(frames.end),
            opening: 0.08,
        }),
        _ => LabelValue::Flag(numbers.below(4) == 0),
    }
}

fn length(kind: LabelKind) -> u32 {
    match kind {
        LabelKind::BboxPerson | LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye => 119,
        LabelKind::Blink => 7,
        LabelKind::LongClosure => 20,
        LabelKind::Alertness => 149,
        // One follows the other: twenty labels, 18 frames apart, between two of a kind.
        _ => 359,
    }
}

async fn fill(store: &LabelStore, candidates: u64) -> Result<(), Failure> {
    let mut numbers = Numbers(7);
    let site = parse_name("bench")?;
    let a_clip = candidates / (RIGS * CLIPS);
    let mut messages = Vec::with_capacity(MESSAGES);
    for rig in 0..RIGS {
        let name = parse_name(&format!("rig-{rig:02}"))?;
        let boot = BootId::first(rig as u32 + 1);
        let mut seq = 0;
        for clip in 0..CLIPS {
            for first in (0..a_clip).step_by(BATCH as usize) {
                seq += 1;
                let mut labels = heapless::Vec::new();
                for n in 0..BATCH.min(a_clip - first) {
                    let kind = KINDS[((first + n) % KINDS.len() as u64) as usize];
                    let start = (first + n) as u32 * 18 + numbers.below(18) as u32;
                    let frames = FrameRange::new(start, start + length(kind));
                    let scene = matches!(kind, LabelKind::LightChange | LabelKind::VideoQuality);
                    let time = |frame: u32| CaptureTime(i64::from(frame) * 33_333);
                    let label = Label {
                        n: n as u16,
                        kind,
                        track: (!scene).then_some(1),
                        frames,
                        pts_us: (time(frames.start), time(frames.end)),
                        decision: Decision::Candidate,
                        reason: None,
                        confidence: Some(Confidence::new(0.5 + numbers.below(5000) as f32 / 1e4)?),
                        raw: Some(1.5),
                        model: Some(0),
                        value: Some(value(kind, frames, &mut numbers)),
                        signs: None,
                        driver: true,
                    };
                    labels
                        .push(label)
                        .map_err(|_| "too many labels for a message")?;
                }
                let model = ModelRef {
                    name: "bench".try_into()?,
                    version: if clip % 5 == 0 { "2" } else { "1" }.try_into()?,
                    sha256: "5e5e".try_into()?,
                };
                let models = heapless::Vec::from_slice(&[model])?;
                let from = Origin {
                    rig: name.clone(),
                    boot,
                    seq,
                };
                messages.push(Incoming {
                    topic: format!("rigel/v1/bench/{name}/label"),
                    received_us: now_us(),
                    payload: format!("{rig} {seq}").into_bytes(),
                    content: Content::Labels {
                        site: site.clone(),
                        batch: Box::new(LabelBatch::new(from, clip as u32 + 1, models, labels)),
                    },
                });
                if messages.len() == MESSAGES {
                    store.commit(&messages).await?;
                    messages.clear();
                }
            }
        }
    }
    store.commit(&messages).await?;
    Ok(())
}

async fn judge_some(store: &LabelStore, count: u64) -> Result<(), Failure> {
    for round in 0..count / 500 {
        let page = store
            .queue(&QueueFilter {
                state: Some(label_store::ReviewState::Waiting),
                order: if round % 2 == 0 {
                    QueueOrder::Time
                } else {
                    QueueOrder::Minutes
                },
                limit: 500,
                ..QueueFilter::default()
            })
            .await?;
        let labels: Vec<_> = page.items.into_iter().map(|item| item.label.id).collect();
        let rejects = round % 5 == 0;
        let new = NewVerdict {
            judgement: if rejects {
                Judgement::Reject
            } else {
                Judgement::Accept
            },
            cause: rejects.then(|| "wrong-value".to_owned()),
            correction: None,
            spent_ms: 1_500_000,
        };
        let asked = Asked {
            reviewer: "bench".to_owned(),
            at_us: now_us(),
            key: None,
        };
        store.record_verdicts(&labels, &new, &asked).await?;
    }
    Ok(())
}

struct Host(axum::Router);

impl Host {
    async fn ask(&self, path: &str, body: Option<String>) -> Result<(Duration, Vec<u8>), Failure> {
        let request = match body {
            None => Request::get(path).body(Body::empty())?,
            Some(body) => Request::post(path)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body))?,
        };
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(header::HOST, "localhost".parse()?);
        let started = Instant::now();
        let response = self
            .0
            .clone()
            .oneshot(Request::from_parts(parts, body))
            .await?;
        let status = response.status();
        let answer = to_bytes(response.into_body(), usize::MAX).await?.to_vec();
        let took = started.elapsed();
        if status != StatusCode::OK {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok((took, answer))
    }
}

fn report(name: &str, mut took: Vec<Duration>) {
    took.sort();
    let at =
        |share: f64| took[((took.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!("{name:74} {:8.1} {:8.1} {:8.1}", at(0.5), at(0.95), at(1.0));
}

async fn measure(host: &Host) -> Result<(), Failure> {
    println!(
        "{:74} {:>8} {:>8} {:>8}",
        "milliseconds", "median", "95 %", "most"
    );
    let mut pages = Vec::new();
    for query in [
        "state=waiting&order=minutes",
        "state=waiting&order=doubt",
        "state=waiting&order=time",
        "order=time",
        "order=minutes",
        "order=minutes&offset=20000",
        "order=time&offset=100000",
        "state=waiting&order=minutes&kind=blink,long-closure",
        "state=waiting&order=minutes&kind=video-quality",
        "state=waiting&order=minutes&rig=rig-13",
        "state=waiting&order=time&rig=rig-13",
        "state=waiting&order=minutes&rig=rig-13&kind=blink&condition=glasses",
        "state=waiting&order=minutes&model=bench@2",
        "state=waiting&order=minutes&condition=glasses,shadow",
        "state=waiting&order=doubt&confidence_min=0.9",
        "state=waiting&order=time&confidence_min=0.9",
        "state=waiting&order=time&confidence_min=0.7001&confidence_max=0.7002",
        "state=waiting&order=minutes&confidence_min=0.99&condition=occluded",
        "state=rejected&order=time&kind=alertness",
        "clip=rig-13:14680065:20&order=time",
        "clip=rig-13:14680065:20&order=minutes&kind=bbox-person",
    ] {
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            took.push(
                host.ask(&format!("/api/labels?{query}&limit=100"), None)
                    .await?
                    .0,
            );
        }
        pages.extend(took.clone());
        report(query, took);
    }
    report("every page of the queue", pages);
    println!();
    let first = "/api/labels?state=waiting&order=minutes&limit=100";
    let mut took = [(); 5].map(|()| Vec::new());
    for round in 0..ROUNDS * 5 {
        let (_, page) = host.ask(first, None).await?;
        let page: Vec<serde_json::Value> = serde_json::from_slice(&page)?;
        let id = page[round % 100]["id"]
            .as_str()
            .ok_or("a label has an id")?
            .to_owned();
        let verdict = format!(
            r#"{{"verdict":"accept","millis":900,"key":"v{round}-{}"}}"#,
            now_us()
        );
        took[0].push(
            host.ask(&format!("/api/labels/{id}/verdicts"), Some(verdict))
                .await?
                .0,
        );
        took[1].push(host.ask(&format!("/api/labels/{id}"), None).await?.0);
        took[2].push(
            host.ask(&format!("/api/labels/{id}/undo"), Some("{}".to_owned()))
                .await?
                .0,
        );
        if round % 10 == 0 {
            let ids: Vec<_> = page.iter().map(|label| label["id"].clone()).collect();
            let body = serde_json::json!({"labels": ids, "verdict": "accept", "millis": 1000});
            let (time, answer) = host.ask("/api/verdicts", Some(body.to_string())).await?;
            took[3].push(time);
            let answer: serde_json::Value = serde_json::from_slice(&answer)?;
            let batch = answer["batch"].as_str().ok_or("a batch has a number")?;
            let undo = format!("/api/verdicts/{batch}/undo");
            took[4].push(host.ask(&undo, Some("{}".to_owned())).await?.0);
        }
    }
    let names = [
        "a verdict",
        "a label with its history",
        "undo",
        "100 verdicts at once",
        "undo of 100",
    ];
    for (name, took) in names.into_iter().zip(took) {
        report(name, took);
    }
    for path in ["/api/summary", "/api/clips"] {
        let mut took = Vec::new();
        for _ in 0..ROUNDS / 4 {
            took.push(host.ask(path, None).await?.0);
        }
        report(path, took);
    }
    Ok(())
}
