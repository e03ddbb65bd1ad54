//! `rigeld run`: the appliance.
//!
//! Named threads: `capture` fills frames, the main one labels them, `uplink` delivers, `panel` shows and takes presses,
//! `machine` reads temperature and disk, `signals` and `watchdog` speak to whoever started us. From a clip labels are made
//! once; from a camera for as long as a session is on, whatever the camera does: each time it is back a new clip begins.
//!
//! The end is always the same: capture stops, what was seen is labelled, the clip is closed, the outbox synced and, for
//! five seconds at most, delivered; the host is told, the panel says so, pins are let go.

mod attendant;
mod front;
mod signals;
mod source;

pub use signals::Signals;

use crate::budget::Limits;
use crate::check::kept::SelfTest;
use crate::label::{Progress, progress_bar};
use crate::live::LiveHandle;
use crate::machine::{Sensors, Watch};
use crate::pipeline::{ClipEnd, Pipeline};
use crate::publish::{Publisher, shortened};
use crate::record::{Recorder, Segments};
use crate::summary::Summary;
use crate::{check, commands, service, wiring};
use anyhow::{Context, Result};
use attendant::Attendant;
use board::{Board, SessionStart, Source};
use capture::{CaptureError, FrameSource};
use label_core::BootId;
use label_core::wire::{self, Birth, ModelRef, WIRE_VERSION};
use panel::{Mode, Press};
use perception::Search;
use source::Backoff;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
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
    let board = Board::read(&crate::board_path(arguments.board.as_deref())?)?;
    let surroundings = Surroundings {
        signals: Signals::listen()?,
        presses: None,
        runtime: std::env::var_os("RUNTIME_DIRECTORY")
            .and_then(|folders| std::env::split_paths(&folders).next()),
    };
    run_board(&board, surroundings)
}

/// What a running board meets besides its own parts.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Who asks for the end.
    pub signals: Signals,
    /// Presses of the button, where the board has none of its own.
    pub presses: Option<Receiver<Press>>,
    /// Folder of run-time state: the panel's state, and the request to switch the computer off.
    pub runtime: Option<PathBuf>,
}

/// Runs this board.
pub fn run_board(board: &Board, surroundings: Surroundings) -> Result<()> {
    let begun = Instant::now();
    let Surroundings {
        signals,
        presses,
        runtime,
    } = surroundings;
    front::withdraw_power_off(runtime.as_deref());
    service::status("opening models and outbox");
    let live = LiveHandle::default();
    live.lock().self_test = match check::kept::last(board) {
        SelfTest::Passed(_) => Some(panel::SelfTest::Passed),
        SelfTest::Failed(text) => Some(panel::SelfTest::Failed(text)),
        SelfTest::NotRun(_) => None,
    };
    // Dropped at the end of this function, or where a panic passes through it: pins are let go.
    let (front, presses) = front::start(board, &live, presses, runtime.as_deref());
    let _machine = {
        let live = live.clone();
        Watch::start(Sensors::new(&board.outbox.dir), move |machine| {
            live.lock().machine = machine;
        })
    };
    let result = label_source(board, begun, &live, &signals, presses);
    match &result {
        Ok(Ended::Done) => live.lock().mode = Mode::Stopped,
        Ok(Ended::PowerOff) => {}
        Err(_) => live.lock().mode = Mode::Fault("see journalctl -u rigeld".to_owned()),
    }
    if let Some(front) = front {
        front.stop();
    }
    match result? {
        Ended::Done => Ok(()),
        Ended::PowerOff => front::ask_for_power_off(runtime.as_deref()),
    }
}

/// What is to be done at the end.
enum Ended {
    Done,
    PowerOff,
}

/// Opens everything, labels, and closes everything.
fn label_source(
    board: &Board,
    begun: Instant,
    live: &LiveHandle,
    signals: &Signals,
    presses: Receiver<Press>,
) -> Result<Ended> {
    let at_boot = board.session.start == SessionStart::AtBoot;
    let is_live = source::is_live(&board.source);
    // A clip that cannot be read is told before models are loaded; a camera wakes up while they are.
    let mut opened = Opening::Not;
    if !is_live {
        opened = Opening::Done(Ok(wiring::open_source(&board.source)?));
    } else if at_boot {
        opened = Opening::start(board.source.clone())?;
    }
    let mut pipeline = Pipeline::load(board)?;
    let outbox = open_outbox(board)?;
    let birth = birth(board, &pipeline, outbox.boot())?;
    let config = wiring::uplink_config(board);
    let health = live.for_health(&board.rig, outbox.boot());
    let mut uplink =
        Uplink::start(config, outbox.clone(), birth, health).context("cannot start the uplink")?;
    let media = match &board.source {
        Source::Clip { path, .. } => Some(path.clone()),
        _ => None,
    };
    let mut publisher = Publisher::new(outbox, pipeline.models(), media, live.clone(), begun);
    if let Some(settings) = wiring::recording_settings(board) {
        let (rig, boot) = (board.rig.clone(), uplink.outbox().boot());
        publisher.record_with(Recorder::start(&settings, rig, boot, live));
    }
    if let Some(commands) = uplink.take_commands() {
        let segments = board
            .recording
            .as_ref()
            .map(|recording| Segments::new(&recording.dir, Arc::clone(&live.lock().purged)));
        publisher.answer_pictures(commands::serve(commands, uplink.outbox().boot(), segments)?);
    }
    let mut attendant = Attendant::new(
        live.clone(),
        signals.clone(),
        presses,
        &uplink,
        source::longest_wait(&board.source),
    );
    if !at_boot {
        attendant.wait_for_button();
    }
    attendant.ready();
    tracing::info!("ready after {} ms", begun.elapsed().as_millis());

    let labelling = Instant::now();
    let mut totals = Summary::default();
    let failure = if is_live {
        attendant.watch_camera(Limits {
            hot_c: board.budget.hot_c,
            cool_c: board.budget.cool_c,
            late_ms: board.budget.late_ms as f32,
        });
        let mut line = Line {
            pipeline: &mut pipeline,
            publisher: &mut publisher,
            totals: &mut totals,
        };
        label_live(board, opened, &mut line, &mut attendant)?;
        None
    } else {
        let end = label_clip(opened, &mut pipeline, &mut publisher, &mut attendant)?;
        add(&mut totals, &end);
        end.failure
    };
    let elapsed = labelling.elapsed();
    publisher.finish_recording()?;
    if !is_live {
        wait_for_host(&uplink, &mut attendant)?;
    }
    let over = attendant.is_over();
    let powers_off = attendant.powers_off();
    drop(attendant);
    deliver_last(uplink, signals, over, board);
    tell(
        &board.outbox.dir,
        totals,
        &pipeline,
        &mut publisher,
        elapsed,
    )?;
    match failure {
        Some(failure) => Err(failure.into()),
        None if powers_off => Ok(Ended::PowerOff),
        None => Ok(Ended::Done),
    }
}

/// What labels.
struct Line<'a> {
    pipeline: &'a mut Pipeline,
    publisher: &'a mut Publisher,
    totals: &'a mut Summary,
}

/// A source on its way.
enum Opening {
    Not,
    Under(JoinHandle<Result<Box<dyn FrameSource>, CaptureError>>),
    Done(Result<Box<dyn FrameSource>, CaptureError>),
}

impl Opening {
    fn start(source: Source) -> Result<Self> {
        std::thread::Builder::new()
            .name("opening".into())
            .spawn(move || wiring::open_source(&source))
            .map(Self::Under)
            .context("cannot start a thread to open the source")
    }

    /// The source, opened now if it is not on its way.
    fn take(&mut self, source: &Source) -> Result<Result<Box<dyn FrameSource>, CaptureError>> {
        Ok(match std::mem::replace(self, Self::Not) {
            Self::Not => wiring::open_source(source),
            Self::Under(thread) => thread
                .join()
                .ok()
                .context("the thread that opened the source panicked; the log has its words")?,
            Self::Done(opened) => opened,
        })
    }
}

/// Labels whatever comes, for as long as a session is on; returns when the program is to end.
fn label_live(
    board: &Board,
    mut opened: Opening,
    line: &mut Line<'_>,
    attendant: &mut Attendant<'_>,
) -> Result<()> {
    let mut backoff = Backoff::new();
    while !attendant.is_over() {
        if !attendant.session_is_on() {
            opened = Opening::Not;
            backoff = Backoff::new();
            attendant.off();
            attendant.pause(WAITING_NOTE)?;
            continue;
        }
        attendant.opening(&source::name(&board.source));
        match opened.take(&board.source)? {
            Ok(source) => {
                attendant.reopened();
                let opened_at = Instant::now();
                let end = line
                    .pipeline
                    .label(source, Search::Video, line.publisher, attendant)?;
                attendant.closed(&end);
                add(line.totals, &end);
                if end.frames > 0 {
                    backoff.was_there(opened_at.elapsed());
                }
                match &end.failure {
                    Some(error) => attendant.in_trouble(error),
                    // Asked to, by a signal or the button.
                    None if attendant.is_over() || !attendant.session_is_on() => continue,
                    None => {}
                }
            }
            Err(error) => attendant.in_trouble(&error),
        }
        attendant.pause(backoff.take())?;
    }
    Ok(())
}

/// Labels a clip once.
fn label_clip(
    mut opened: Opening,
    pipeline: &mut Pipeline,
    publisher: &mut Publisher,
    attendant: &mut Attendant<'_>,
) -> Result<ClipEnd> {
    while !attendant.session_is_on() && !attendant.is_over() {
        attendant.off();
        attendant.pause(WAITING_NOTE)?;
    }
    let Opening::Done(Ok(source)) = std::mem::replace(&mut opened, Opening::Not) else {
        anyhow::bail!("the clip is not open");
    };
    let (name, expected) = (source.info().name.clone(), source.info().expected_frames);
    let bar = progress_bar(expected, "frames");
    let mut sink = Progress {
        sink: publisher,
        bar: &bar,
    };
    let end = pipeline.label(source, Search::Video, &mut sink, attendant);
    bar.finish_and_clear();
    let end = end?;
    attendant.closed(&end);
    if let Some(damage) = &end.damage {
        tracing::warn!(
            "{name} is damaged; what could be decoded ({} frames) is labelled: {damage}",
            end.frames
        );
    }
    Ok(end)
}

fn add(totals: &mut Summary, end: &ClipEnd) {
    totals.clips += u64::from(end.frames > 0);
    totals.frames += u64::from(end.frames);
    totals.repeated += u64::from(end.repeated);
    totals.dropped += u64::from(end.dropped);
    totals.tracks += u64::from(end.tracks);
}

/// The run in numbers, once everything is at its end.
fn tell(
    outbox: &Path,
    totals: Summary,
    pipeline: &Pipeline,
    publisher: &mut Publisher,
    elapsed: Duration,
) -> Result<()> {
    let counts = publisher.made();
    let (sent, acked) = publisher.delivered();
    let (pictures, picture_bytes) = publisher.pictures();
    let summary = Summary {
        mesh_looks: pipeline.mesh_looks,
        blinks: publisher.blinks,
        offered: counts.offered,
        abstained: counts.abstained,
        evidence: counts.evidence,
        pictures,
        picture_bytes,
        first_label_ms: publisher.first_label_ms(),
        sent,
        acked,
        ..totals
    }
    .timed(&pipeline.stages, elapsed);
    if publisher.unwritten() > 0 {
        tracing::error!(
            "{} messages could not be written to the disk and are lost: make room for {}, and see that it can be written",
            publisher.unwritten(),
            outbox.display()
        );
    }
    summary.log();
    summary.write(&outbox.join("summary.json"))
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
        self_test: Some(shortened(check::kept::last(board).text())),
    };
    let mut bytes = vec![0; wire::MAX_MESSAGE_BYTES];
    let length = wire::encode(&birth, &mut bytes).context("the birth message does not fit")?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Waits until the host has committed everything, for as long as it takes, or until a signal.
fn wait_for_host(uplink: &Uplink, attendant: &mut Attendant<'_>) -> Result<()> {
    let mut noted = Instant::now();
    while !attendant.is_over() {
        let left = uplink.drain(DRAIN_STEP);
        if left.waiting == 0 {
            break;
        }
        // Looks after signals, the button and the watchdog.
        attendant.pause(Duration::ZERO)?;
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
    Ok(())
}

/// Delivers what can be delivered in a few seconds, says `stopped` and closes the outbox.
fn deliver_last(uplink: Uplink, signals: &Signals, over: bool, board: &Board) {
    let until = Instant::now() + LAST_DELIVERY;
    while over && !signals.hurried() && Instant::now() < until {
        if uplink.drain(DRAIN_STEP).waiting == 0 {
            break;
        }
    }
    let left = uplink.stop(if over {
        Duration::ZERO
    } else {
        Duration::from_secs(2)
    });
    if left.waiting > 0 {
        tracing::warn!(
            "{} messages are not delivered yet; they stay in {} for the next start",
            left.waiting,
            board.outbox.dir.display()
        );
    }
}
