//! A rig without a camera or models, for delivery tests: it makes messages by rule ([`end_to_end::message_of`]) with the
//! real encoders, and sends them with the real outbox and uplink.
//!
//! After each append it writes `<boot> <seq>` to `journal` in its outbox folder. It ends with 0 once the host has
//! committed everything.

use anyhow::{Context, bail};
use clap::Parser;
use end_to_end::{Made, MadeCounts, message_of};
use label_core::wire::{
    self, Birth, ClipClosed, ClipEvent, ClipMessage, ClipNumber, ClipOpened, ClockState, Counters,
    Decision, EventEyes, EventValue, EvidenceHeader, FrameCounters, Health, Label, LabelBatch,
    LabelCounts, LabelValue, ManifestPart, ModelRef, Origin, OutboxState, Shed, Topic,
    WIRE_VERSION, parse_name,
};
use label_core::{AbstainReason, CaptureTime, Confidence, FrameRange, LabelKind, Seq};
use std::path::PathBuf;
use std::time::Duration;
use uplink::{Outbox, OutboxHandle, OutboxLimits, Tls, Uplink, UplinkConfig};

/// A rig for delivery tests
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder of the outbox
    #[arg(long)]
    outbox: PathBuf,
    /// Address of the broker
    #[arg(long)]
    broker: String,
    /// Folder with ca.crt, rig.crt and rig.key, which protect the connection
    #[arg(long)]
    tls: Option<PathBuf>,
    /// Messages to make before the clip is closed; 0 = only deliver what is there
    #[arg(long)]
    messages: u64,
    /// Microseconds between two messages
    #[arg(long, default_value_t = 2000)]
    pace_us: u64,
    /// Seconds to wait for the host at the end
    #[arg(long, default_value_t = 60)]
    patience_s: u64,
}

const CLIP: ClipNumber = 1;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (host, port) = arguments
        .broker
        .split_once(':')
        .context("the broker is given as HOST:PORT")?;
    let (outbox, _) = Outbox::open(
        &arguments.outbox,
        parse_name("fixture")?,
        OutboxLimits::default(),
    )?;
    let outbox = OutboxHandle::new(outbox);
    let config = UplinkConfig {
        stall: Duration::from_secs(1),
        tls: arguments.tls.as_ref().map(|folder| Tls {
            ca: folder.join("ca.crt"),
            cert: folder.join("rig.crt"),
            key: folder.join("rig.key"),
        }),
        ..UplinkConfig::new(parse_name("bench")?, host.to_owned(), port.parse()?)
    };
    let uplink = Uplink::start(config, outbox.clone(), birth(&outbox)?, health(&outbox))?;
    let journal = arguments.outbox.join("journal");
    let partial = arguments.outbox.join("journal.partial");
    let note = |seq: Seq| {
        std::fs::write(&partial, format!("{} {seq}\n", outbox.boot().raw()))
            .and_then(|()| std::fs::rename(&partial, &journal))
            .context("cannot write the journal")
    };
    for _ in 0..arguments.messages {
        note(make_next(&outbox)?)?;
        std::thread::sleep(Duration::from_micros(arguments.pace_us));
    }
    if arguments.messages > 0 {
        note(close(&outbox, arguments.messages)?)?;
    }
    let drained = uplink.stop(Duration::from_secs(arguments.patience_s));
    if drained.waiting > 0 {
        bail!("{} messages were not committed in time", drained.waiting);
    }
    Ok(())
}

fn origin(outbox: &OutboxHandle, seq: Seq) -> Origin {
    Origin {
        rig: outbox.rig().clone(),
        boot: outbox.boot(),
        seq,
    }
}

fn make_next(outbox: &OutboxHandle) -> anyhow::Result<Seq> {
    let next = outbox.counters().messages + 1;
    let seq = match message_of(next) {
        Made::Opened => append_clip(outbox, opened()?)?,
        Made::Labels => outbox.append(Topic::Label, 3, |seq, into| {
            let labels = [label(seq, 0), label(seq, 1), silence(seq)];
            let models = [model()];
            wire::encode(
                &LabelBatch::new(origin(outbox, seq), CLIP, &models[..], &labels[..]),
                into,
            )
        })?,
        Made::Evidence => outbox.append(Topic::Evidence, 0, |seq, into| {
            // As large as a real filmstrip.
            let mut picture = vec![seq as u8; 12_000];
            picture[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
            uplink::encode_evidence(&evidence(outbox, seq), &picture, into)
        })?,
    };
    Ok(seq)
}

fn append_clip(outbox: &OutboxHandle, event: ClipEvent) -> anyhow::Result<Seq> {
    Ok(outbox.append(Topic::Clip, 0, |seq, into| {
        let message = ClipMessage {
            v: WIRE_VERSION,
            from: origin(outbox, seq),
            clip: CLIP,
            event,
        };
        wire::encode(&message, into)
    })?)
}

/// The manifest and the end; the counts are what the rule says.
fn close(outbox: &OutboxHandle, messages: u64) -> anyhow::Result<Seq> {
    let part = ManifestPart {
        first: 0,
        pts_us: (0..100).map(|frame| CaptureTime(frame * 40_000)).collect(),
        mono_us: heapless::Vec::new(),
        repeats: heapless::Vec::new(),
        dropped: heapless::Vec::new(),
        shed: heapless::Vec::new(),
    };
    append_clip(outbox, ClipEvent::Part(part))?;
    let made = MadeCounts::upto(messages);
    let closed = ClipClosed {
        frames: 100,
        repeated: 0,
        dropped: 0,
        sha256: None,
        damage: None,
        labels: LabelCounts {
            offered: made.offered,
            abstained: made.abstained,
            evidence: made.evidence,
        },
    };
    append_clip(outbox, ClipEvent::Closed(closed))
}

fn opened() -> anyhow::Result<ClipEvent> {
    let text = |_| anyhow::anyhow!("the name is too long");
    Ok(ClipEvent::Opened(ClipOpened {
        name: "fixture.mp4".try_into().map_err(text)?,
        width: 640,
        height: 480,
        nominal_fps: Some(25.0),
        codec: "h264".try_into().map_err(text)?,
        mono_us: 0,
        utc_us: 0,
        clock: ClockState::Unsynced,
    }))
}

fn model() -> ModelRef {
    ModelRef {
        name: heapless::String::try_from("fixture").unwrap_or_default(),
        version: heapless::String::try_from("1").unwrap_or_default(),
        sha256: heapless::String::try_from("f1").unwrap_or_default(),
    }
}

fn label(seq: Seq, n: u16) -> Label {
    let start = seq as u32 * 10 + u32::from(n) * 5;
    Label {
        n,
        kind: LabelKind::Blink,
        track: Some(1),
        frames: FrameRange::new(start, start + 4),
        pts_us: (CaptureTime(0), CaptureTime(160_000)),
        decision: Decision::Candidate,
        reason: None,
        confidence: Confidence::new(0.9).ok(),
        raw: Some(1.5),
        model: Some(0),
        value: Some(LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak: start + 2,
            opening: 0.2,
        })),
        signs: None,
        driver: false,
    }
}

fn silence(seq: Seq) -> Label {
    Label {
        kind: LabelKind::WearingGlasses,
        decision: Decision::Abstain,
        reason: Some(AbstainReason::NoLabeller),
        confidence: None,
        raw: None,
        model: None,
        value: None,
        ..label(seq, 2)
    }
}

fn evidence(outbox: &OutboxHandle, seq: Seq) -> EvidenceHeader {
    let start = (seq as u32 - 1) * 10;
    EvidenceHeader {
        v: WIRE_VERSION,
        from: origin(outbox, seq),
        clip: CLIP,
        label: (seq - 1, 0),
        kind: LabelKind::Blink,
        track: 1,
        frames: FrameRange::new(start, start + 4),
        stride: 1,
        left: core::iter::repeat_n(Some(0.5), 5).collect(),
        right: core::iter::repeat_n(Some(0.5), 5).collect(),
        columns: (start..start + 5).collect(),
        tile: (64, 40),
    }
}

fn birth(outbox: &OutboxHandle) -> anyhow::Result<Vec<u8>> {
    let text = |_| anyhow::anyhow!("a text is too long");
    let models = [model()];
    let birth = Birth {
        v: WIRE_VERSION,
        rig: outbox.rig().clone(),
        boot: outbox.boot(),
        hardware: "none".try_into().map_err(text)?,
        firmware: "0.1.0".try_into().map_err(text)?,
        runtime: model(),
        models: &models[..],
        board: "fixture".try_into().map_err(text)?,
        board_sha256: "f2".try_into().map_err(text)?,
        self_test: None,
    };
    Ok(serde_json::to_vec(&birth)?)
}

fn health(outbox: &OutboxHandle) -> impl FnMut() -> Health + Send + 'static {
    let (rig, boot) = (outbox.rig().clone(), outbox.boot());
    move || Health {
        v: WIRE_VERSION,
        rig: rig.clone(),
        boot,
        uptime_s: 0,
        frames: FrameCounters::default(),
        labels: Counters::default(),
        outbox: OutboxState::default(),
        stages: heapless::Vec::new(),
        clock: ClockState::Unsynced,
        temperature_c: None,
        disk_free_mib: None,
        camera: None,
        shed: Shed::Nothing,
        throttled: None,
        latency_ms: None,
        policy: None,
        picture_bytes_a_minute: None,
        quiet: heapless::Vec::new(),
        scene: None,
    }
}
