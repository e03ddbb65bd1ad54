//! A rig without a camera or models, for delivery tests: it makes messages by rule ([`end_to_end::message_of`]) with the
//! real encoders, and sends them with the real outbox and uplink.
//!
//! After each append it writes down how far it is ([`Journal`]). What the outbox has no room for is lost and counted as
//! made, as a real rig does. It ends with 0 once the host has committed everything.

use anyhow::{Context, bail};
use clap::Parser;
use end_to_end::{CLIP, Journal, Made, MadeCounts, encode_message, message_of, model};
use label_core::wire::{
    self, Birth, ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState, Counters,
    FrameCounters, Health, LabelCounts, ManifestPart, Origin, OutboxState, Shed, Topic,
    WIRE_VERSION, parse_name,
};
use label_core::{CaptureTime, Seq};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use uplink::{Outbox, OutboxHandle, OutboxLimits, Tls, Uplink, UplinkConfig, UplinkError};

/// A rig for delivery tests
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder of the outbox
    #[arg(long)]
    outbox: PathBuf,
    /// Where to write down how far it is [default: `journal` in the outbox's folder]
    #[arg(long)]
    journal: Option<PathBuf>,
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
    /// A broker silent for one and a half times this many seconds is gone
    #[arg(long, default_value_t = 15)]
    keep_alive_s: u64,
    /// Bytes that the outbox may hold
    #[arg(long, default_value_t = OutboxLimits::default().max_bytes)]
    max_bytes: u64,
    /// What the rig's clock shows: microseconds since 1970
    #[arg(long, default_value_t = 0)]
    utc_us: i64,
    /// By how much its clock jumps in the middle of the clip
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    jump_us: i64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (host, port) = arguments
        .broker
        .split_once(':')
        .context("the broker is given as HOST:PORT")?;
    let (outbox, _) = Outbox::open(
        &arguments.outbox,
        parse_name("fixture")?,
        OutboxLimits {
            max_bytes: arguments.max_bytes,
        },
    )?;
    let outbox = OutboxHandle::new(outbox);
    let config = UplinkConfig {
        stall: Duration::from_secs(1),
        keep_alive: Duration::from_secs(arguments.keep_alive_s),
        tls: arguments.tls.as_ref().map(|folder| Tls {
            ca: folder.join("ca.crt"),
            cert: folder.join("rig.crt"),
            key: folder.join("rig.key"),
        }),
        ..UplinkConfig::new(parse_name("bench")?, host.to_owned(), port.parse()?)
    };
    let uplink = Uplink::start(config, outbox.clone(), birth(&outbox)?, health(&outbox))?;
    let mut run = Run {
        journal_at: arguments
            .journal
            .clone()
            .unwrap_or_else(|| arguments.outbox.join("journal")),
        journal: Journal {
            boot: outbox.boot().raw(),
            ..Journal::default()
        },
        made: MadeCounts::default(),
        outbox,
    };
    for nth in 0..arguments.messages {
        if nth == arguments.messages / 2 && arguments.jump_us != 0 {
            run.mark(arguments.utc_us + arguments.jump_us)?;
        }
        run.make_next(arguments.utc_us)?;
        std::thread::sleep(Duration::from_micros(arguments.pace_us));
    }
    if arguments.messages > 0 {
        run.close(Duration::from_secs(arguments.patience_s))?;
    }
    let drained = uplink.stop(Duration::from_secs(arguments.patience_s));
    if drained.waiting > 0 {
        bail!("{} messages were not committed in time", drained.waiting);
    }
    Ok(())
}

/// A run and what it has made.
struct Run {
    outbox: OutboxHandle,
    journal_at: PathBuf,
    journal: Journal,
    made: MadeCounts,
}

impl Run {
    fn make_next(&mut self, utc_us: i64) -> anyhow::Result<()> {
        let made = message_of(self.outbox.counters().messages + 1);
        let appended = match made {
            Made::Opened => self.append_clip(opened(utc_us)?),
            Made::Labels => self.append_made(Topic::Label, 3),
            Made::Evidence => self.append_made(Topic::Evidence, 0),
        };
        self.made.add(made);
        match appended {
            Ok(seq) => self.journal.last = seq,
            Err(UplinkError::DiskFull { .. } | UplinkError::Io { .. }) => {
                self.journal.refused += 1;
                self.journal.lost.add(made);
            }
            Err(error) => return Err(error.into()),
        }
        self.note()
    }

    fn append_made(&self, topic: Topic, labels: u16) -> Result<Seq, UplinkError> {
        self.outbox.append(topic, labels, |seq, into| {
            encode_message(topic, &self.origin(seq), into)
        })
    }

    fn append_clip(&self, event: ClipEvent) -> Result<Seq, UplinkError> {
        self.outbox.append(Topic::Clip, 0, |seq, into| {
            let message = ClipMessage {
                v: WIRE_VERSION,
                from: self.origin(seq),
                clip: CLIP,
                event,
            };
            wire::encode(&message, into)
        })
    }

    fn origin(&self, seq: Seq) -> Origin {
        Origin {
            rig: self.outbox.rig().clone(),
            boot: self.outbox.boot(),
            seq,
        }
    }

    fn note(&self) -> anyhow::Result<()> {
        self.journal
            .write(&self.journal_at)
            .with_context(|| format!("cannot write {}", self.journal_at.display()))
    }

    /// A mark tells the time by the clock as it is now.
    fn mark(&mut self, utc_us: i64) -> anyhow::Result<()> {
        self.journal.last = self.append_clip(ClipEvent::OperatorMark(wire::OperatorMark {
            frame: 50,
            pts_us: CaptureTime(2_000_000),
            mono_us: 2_000_000,
            utc_us,
            clock: ClockState::Rtc,
        }))?;
        self.note()
    }

    /// The manifest and the end; the counts are what was made, what the outbox refused included. A clip's end finds room
    /// sooner or later.
    fn close(&mut self, patience: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        let part = ManifestPart {
            first: 0,
            pts_us: (0..100).map(|frame| CaptureTime(frame * 40_000)).collect(),
            mono_us: heapless::Vec::new(),
            repeats: heapless::Vec::new(),
            dropped: heapless::Vec::new(),
            shed: heapless::Vec::new(),
        };
        let closed = ClipClosed {
            frames: 100,
            repeated: 0,
            dropped: 0,
            sha256: None,
            damage: None,
            labels: LabelCounts {
                offered: self.made.offered,
                abstained: self.made.abstained,
                evidence: self.made.evidence,
            },
        };
        for event in [ClipEvent::Part(part), ClipEvent::Closed(closed)] {
            self.journal.last = loop {
                match self.append_clip(event.clone()) {
                    Err(UplinkError::DiskFull { .. } | UplinkError::Io { .. })
                        if Instant::now() < deadline =>
                    {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    outcome => break outcome?,
                }
            };
            self.note()?;
        }
        Ok(())
    }
}

fn opened(utc_us: i64) -> anyhow::Result<ClipEvent> {
    let text = |_| anyhow::anyhow!("the name is too long");
    Ok(ClipEvent::Opened(ClipOpened {
        name: "fixture.mp4".try_into().map_err(text)?,
        width: 640,
        height: 480,
        nominal_fps: Some(25.0),
        codec: "h264".try_into().map_err(text)?,
        mono_us: 0,
        utc_us,
        clock: ClockState::Unsynced,
    }))
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
        recording: None,
        commands: None,
    }
}
