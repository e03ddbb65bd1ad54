//! One of the rigs, and what all of them counted.

use super::stream::{Stream, name_of};
use anyhow::Result;
use label_core::Seq;
use label_core::wire::{
    Birth, ClockState, Counters, FrameCounters, Health, ModelRef, Origin, OutboxState, Shed,
    WIRE_VERSION,
};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uplink::{LinkReport, Outbox, OutboxHandle, OutboxLimits, Uplink, UplinkConfig};

/// A rig that says a stream.
pub(super) struct Rig {
    stream: Arc<Stream>,
    outbox: OutboxHandle,
    uplink: Uplink,
    /// When the next message is made.
    due: Instant,
    made: u64,
    /// Made and not committed: number, labels in it, and when.
    open: VecDeque<(Seq, u16, Instant)>,
}

impl Rig {
    /// Opens its outbox and lets it connect.
    pub(super) fn start(
        number: u32,
        stream: &Arc<Stream>,
        config: &UplinkConfig,
        folder: &Path,
    ) -> Result<Self> {
        let name = name_of(&format!("sim-{number}"));
        let folder = folder.join(name.as_str());
        let (outbox, _) = Outbox::open(folder, name, OutboxLimits::default())?;
        let outbox = OutboxHandle::new(outbox);
        let uplink = Uplink::start(
            config.clone(),
            outbox.clone(),
            birth(&outbox),
            health(&outbox),
        )?;
        Ok(Self {
            stream: Arc::clone(stream),
            outbox,
            uplink,
            due: Instant::now(),
            made: 0,
            open: VecDeque::new(),
        })
    }

    /// Says when the first message is made.
    pub(super) const fn begin(&mut self, at: Instant) {
        self.due = at;
    }

    /// Makes what is due by now.
    pub(super) fn make_due(&mut self, every: Duration) -> Result<()> {
        while self.due <= Instant::now() {
            self.due += every;
            let said = self.stream.said(self.made);
            let seq = self.outbox.append(said.topic, said.labels, |seq, into| {
                let from = Origin {
                    rig: self.outbox.rig().clone(),
                    boot: self.outbox.boot(),
                    seq,
                };
                self.stream.encode(self.made, from, into)
            })?;
            self.made += 1;
            self.open.push_back((seq, said.labels, Instant::now()));
        }
        Ok(())
    }

    /// Looks what was committed since.
    pub(super) fn look(&mut self, tally: &mut Tally) {
        if self.open.is_empty() {
            return;
        }
        let (reached, now) = (self.outbox.counters().acked, Instant::now());
        while let Some((seq, labels, made)) = self.open.front().copied() {
            if seq > reached {
                break;
            }
            self.open.pop_front();
            tally.labels += u64::from(labels);
            tally.waits.push(now - made);
        }
    }

    /// Whether anything is not committed.
    pub(super) fn waits(&self) -> bool {
        !self.open.is_empty()
    }

    /// How its link fares.
    pub(super) fn report(&self) -> LinkReport {
        self.uplink.report()
    }

    /// Adds what it did; how many messages were not committed.
    pub(super) fn count(&self, tally: &mut Tally) -> u64 {
        let report = self.uplink.report();
        tally.rigs += 1;
        tally.made += self.made;
        tally.sent += report.sent;
        tally.refused += report.refused + report.unheard;
        tally.connects += report.connects;
        self.open.len() as u64
    }

    /// Tells it to end; dropping it waits until it has.
    pub(super) fn begin_stop(&self) {
        self.uplink.begin_stop();
    }
}

/// What all rigs did.
#[derive(Default)]
pub(super) struct Tally {
    rigs: u64,
    made: u64,
    labels: u64,
    sent: u64,
    refused: u64,
    connects: u64,
    waits: Vec<Duration>,
}

impl Tally {
    /// Messages committed so far.
    pub(super) fn committed(&self) -> usize {
        self.waits.len()
    }

    /// In words: `at_the_end` messages were committed after `made_for`, in which all were made, the rest after `all_for`.
    pub(super) fn told(
        mut self,
        made_for: Duration,
        at_the_end: usize,
        all_for: Duration,
    ) -> String {
        self.waits.sort_unstable();
        let share = |percent: usize| {
            let place = (self.waits.len() * percent / 100).min(self.waits.len().saturating_sub(1));
            let wait = self.waits.get(place).map(Duration::as_millis);
            wait.map_or_else(|| "-".to_owned(), |ms| ms.to_string())
        };
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "made {} messages in {:.1} s; committed {at_the_end} by then ({:.0} a second), {} after {:.1} s, with {} labels",
            self.made,
            made_for.as_secs_f64(),
            at_the_end as f64 / made_for.as_secs_f64(),
            self.waits.len(),
            all_for.as_secs_f64(),
            self.labels
        );
        let _ = writeln!(
            text,
            "made to committed, ms: median {}, 95 % {}, 99 % {}, most {}",
            share(50),
            share(95),
            share(99),
            share(100)
        );
        let _ = write!(
            text,
            "sent again {}, not taken {}, connected again {}",
            self.sent.saturating_sub(self.made),
            self.refused,
            self.connects.saturating_sub(self.rigs)
        );
        text
    }
}

fn model() -> ModelRef {
    ModelRef {
        name: "simulated".try_into().unwrap_or_default(),
        version: "1".try_into().unwrap_or_default(),
        sha256: "00".try_into().unwrap_or_default(),
    }
}

fn birth(outbox: &OutboxHandle) -> Vec<u8> {
    let birth = Birth {
        v: WIRE_VERSION,
        rig: outbox.rig().clone(),
        boot: outbox.boot(),
        hardware: "simulated".try_into().unwrap_or_default(),
        firmware: env!("CARGO_PKG_VERSION").try_into().unwrap_or_default(),
        runtime: model(),
        models: [model()],
        board: "simulated".try_into().unwrap_or_default(),
        board_sha256: "00".try_into().unwrap_or_default(),
        self_test: None,
    };
    serde_json::to_vec(&birth).expect("names and numbers always encode")
}

/// Alive, and nothing else: there is no camera behind it.
fn health(outbox: &OutboxHandle) -> impl FnMut() -> Health + Send + 'static {
    let (rig, boot) = (outbox.rig().clone(), outbox.boot());
    let began = Instant::now();
    move || Health {
        v: WIRE_VERSION,
        rig: rig.clone(),
        boot,
        uptime_s: began.elapsed().as_secs(),
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
