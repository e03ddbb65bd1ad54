//! `rigeld run`: the appliance.
//!
//! Three named threads: capture fills frames, this one labels them, the uplink delivers. A signal ends the capture; what
//! is labelled by then is delivered if the host can be reached within a few seconds, and else stays in the outbox for
//! the next start.

use crate::clock::wall_clock;
use crate::label::{Progress, open_clip, progress_bar};
use crate::pipeline::{self, Control, Order, Pipeline};
use crate::publish::{Live, Publisher};
use crate::summary::Summary;
use anyhow::{Context, Result};
use board::{Board, Source};
use label_core::BootId;
use label_core::wire::{self, Birth, Counters, Health, ModelRef, OutboxState, Shed, WIRE_VERSION};
use perception::Search;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use uplink::{Outbox, OutboxHandle, OutboxLimits, Uplink};

/// After a signal, how long to try to deliver what is left.
const LAST_DELIVERY: Duration = Duration::from_secs(5);

/// How often the wait for the host looks whether a signal came.
const DRAIN_STEP: Duration = Duration::from_millis(250);

/// How often a silent wait says what it waits for.
const WAITING_NOTE: Duration = Duration::from_secs(10);

/// Arguments of `rigeld run`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Board file [default: boards/sim.toml here or above the program]
    #[arg(long)]
    board: Option<PathBuf>,
}

/// Runs until the source ends and the host has everything, or until a signal.
pub fn run(arguments: &Arguments) -> Result<()> {
    let board_path = crate::board_path(arguments.board.as_deref())?;
    let board = Board::read(&board_path)?;
    let stop = stop_on_signals()?;
    let Source::Clip { path, seconds } = &board.source else {
        anyhow::bail!(
            "{} has a live source; this version of rigeld labels sources of kind \"clip\" only",
            board_path.display()
        );
    };
    let source = open_clip(path, *seconds)?;
    let mut pipeline = Pipeline::load(&board)?;
    let outbox = open_outbox(&board)?;
    let live = Arc::new(Mutex::new(Live::default()));
    let uplink = start_uplink(&board, &pipeline, &outbox, &live)?;

    let start = Instant::now();
    let mut publisher = Publisher::new(
        outbox.clone(),
        pipeline.models(),
        Some(path.clone()),
        Arc::clone(&live),
    );
    let bar = progress_bar(source.info().expected_frames, "frames");
    let mut sink = Progress {
        sink: &mut publisher,
        bar: &bar,
    };
    let end = pipeline.label(source, Search::Video, &mut sink, &mut Until(&stop));
    bar.finish_and_clear();
    let elapsed = start.elapsed();
    live.lock().unwrap_or_else(PoisonError::into_inner).stages = pipeline.stages.for_health();
    if let Ok(end) = &end
        && let Some(damage) = &end.damage
    {
        tracing::warn!(
            "{} is damaged; what could be decoded ({} frames) is labelled: {damage}",
            path.display(),
            end.frames
        );
    }

    wait_for_host(&uplink, &stop);
    let left = uplink.stop(if stop.load(Relaxed) {
        LAST_DELIVERY
    } else {
        Duration::from_secs(2)
    });
    let counts = publisher.made();
    let end = end?;
    let (sent, acked) = publisher.delivered();
    let summary = Summary {
        frames: u64::from(end.frames),
        repeated: u64::from(end.repeated),
        tracks: u64::from(end.tracks),
        mesh_looks: pipeline.mesh_looks,
        blinks: publisher.blinks,
        offered: counts.offered,
        abstained: counts.abstained,
        evidence: counts.evidence,
        sent,
        acked,
        ..Summary::default()
    }
    .timed(&pipeline.stages, elapsed);
    if publisher.unwritten() > 0 {
        tracing::error!(
            "{} messages found no room on the disk and are lost: make room for {}",
            publisher.unwritten(),
            board.outbox.dir.display()
        );
    }
    summary.log();
    summary.write(&board.outbox.dir.join("summary.json"))?;
    if left.waiting > 0 {
        tracing::warn!(
            "{} messages are not delivered yet; they stay in {} for the next start",
            left.waiting,
            board.outbox.dir.display()
        );
    }
    end.failure.map_or(Ok(()), |failure| Err(failure.into()))
}

/// Until the flag is set.
struct Until<'a>(&'a AtomicBool);

impl Control for Until<'_> {
    fn next(&mut self, _: &pipeline::Progress<'_>) -> Result<Order> {
        Ok(if self.0.load(Relaxed) {
            Order::End
        } else {
            Order::GoOn
        })
    }
}

fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second one of a kind ends the program as if nobody listened.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))
            .context("cannot listen to signals")?;
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .context("cannot listen to signals")?;
    }
    Ok(stop)
}

fn open_outbox(board: &Board) -> Result<OutboxHandle> {
    let limits = OutboxLimits {
        max_bytes: board.outbox.max_mib << 20,
    };
    let (outbox, report) = Outbox::open(&board.outbox.dir, board.rig.clone(), limits)
        .with_context(|| format!("cannot open the outbox {}", board.outbox.dir.display()))?;
    tracing::info!(
        boot = report.boot.raw(),
        start = report.boot.starts(),
        waiting = report.waiting,
        "outbox {} open",
        board.outbox.dir.display()
    );
    if report.torn_bytes > 0 {
        tracing::warn!(
            "the last start ended in the middle of a message: {} bytes cut off",
            report.torn_bytes
        );
    }
    for path in &report.corrupt {
        tracing::error!("a damaged segment was set aside: {}", path.display());
    }
    for lost in &report.lost {
        tracing::error!(
            boot = lost.boot.raw(),
            "messages {} to {} are lost with it; the host is told",
            lost.first,
            lost.last
        );
    }
    Ok(OutboxHandle::new(outbox))
}

fn start_uplink(
    board: &Board,
    pipeline: &Pipeline,
    outbox: &OutboxHandle,
    live: &Arc<Mutex<Live>>,
) -> Result<Uplink> {
    let config = crate::wiring::uplink_config(board);
    let birth = birth(board, pipeline, outbox.boot())?;
    let (live, rig, boot, started) = (
        Arc::clone(live),
        board.rig.clone(),
        outbox.boot(),
        Instant::now(),
    );
    let health = move || {
        let live = live.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Health {
            v: WIRE_VERSION,
            rig: rig.clone(),
            boot,
            uptime_s: started.elapsed().as_secs(),
            frames: live.frames,
            labels: Counters { ..live.labels },
            outbox: OutboxState::default(),
            stages: live.stages,
            clock: wall_clock().1,
            temperature_c: temperature_c(),
            disk_free_mib: None,
            camera: None,
            shed: Shed::Nothing,
            throttled: None,
            latency_ms: None,
        }
    };
    Uplink::start(config, outbox.clone(), birth, health).context("cannot start the uplink")
}

fn birth(board: &Board, pipeline: &Pipeline, boot: BootId) -> Result<Vec<u8>> {
    let digest = perception::sha256(board.text.as_bytes());
    let birth = Birth::<&[ModelRef]> {
        v: WIRE_VERSION,
        rig: board.rig.clone(),
        boot,
        hardware: std::env::consts::ARCH.try_into().unwrap_or_default(),
        firmware: env!("CARGO_PKG_VERSION").try_into().unwrap_or_default(),
        runtime: pipeline.runtime().clone(),
        models: pipeline.loaded(),
        board: board.name.clone(),
        board_sha256: digest.as_str().try_into().unwrap_or_default(),
        self_test: None,
    };
    let mut bytes = vec![0; wire::MAX_MESSAGE_BYTES];
    let length = wire::encode(&birth, &mut bytes).context("the birth message does not fit")?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Waits until the host has committed everything, for as long as it takes, or until a signal.
fn wait_for_host(uplink: &Uplink, stop: &AtomicBool) {
    let mut noted = Instant::now();
    while !stop.load(Relaxed) {
        let left = uplink.drain(DRAIN_STEP);
        if left.waiting == 0 {
            return;
        }
        if noted.elapsed() >= WAITING_NOTE {
            noted = Instant::now();
            let report = uplink.report();
            tracing::info!(
                "{} messages wait for the host ({:?}{})",
                left.waiting,
                report.state,
                report
                    .last_trouble
                    .map(|error| format!(": {error}"))
                    .unwrap_or_default()
            );
        }
    }
}

/// The hottest sensor that the kernel names.
pub(crate) fn temperature_c() -> Option<f32> {
    let zones = std::fs::read_dir("/sys/class/thermal").ok()?;
    zones
        .filter_map(|zone| std::fs::read_to_string(zone.ok()?.path().join("temp")).ok())
        .filter_map(|text| text.trim().parse::<f32>().ok())
        .map(|thousandths| thousandths / 1000.0)
        .max_by(f32::total_cmp)
}
