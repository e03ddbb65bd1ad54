//! `cargo xtask bench --soak`: does the appliance hold its memory over a long run?
//!
//! `rigeld run` labels the demo clip from a program that writes its frames at ten times their rate, again and again (ffmpeg 5.0 or later).
//! Of the process alone (not of the program that decodes) the resident memory is read every second; the rig's panel file
//! tells how many frames were labelled. No host listens, so the outbox grows on the disk as it does on the road.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use toml::{Table, Value};

use crate::board_file::absolute_board;
use crate::children::{Running, create_folder, last_lines, pause, with_output_to};
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;

/// Frames after which every buffer has its size: models, filmstrips, the outbox's first files.
const WARM_UP: u64 = 5000;

/// What the resident memory may grow by after that. An outbox that nobody empties is known by a few dozen bytes a message:
/// 100,000 frames make some 15,000 messages.
const MAX_GROWTH_KIB: u64 = 8 * 1024;

/// Without a frame for so long the rig has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Of what the panel is told.
#[derive(Debug, Deserialize)]
struct Panel {
    frames: u64,
}

/// The command.
pub(crate) fn run(project: &Project, frames: u64) -> Result<ExitCode> {
    ensure!(
        frames > WARM_UP,
        "--soak: the first {WARM_UP} frames are warm-up, so more than that are needed"
    );
    let folder = project.fetched("soak");
    let _ = std::fs::remove_dir_all(&folder);
    let runtime = folder.join("run");
    create_folder(&runtime)?;
    let board = folder.join("board.toml");
    std::fs::write(&board, board_text(project, &folder)?)
        .with_context(|| format!("cannot write {}", board.display()))?;
    let log = project.fetched("logs/soak.log");
    let mut command = Command::new(project.path("target/release/rigeld"));
    command
        .arg("run")
        .arg("--board")
        .arg(&board)
        .env("RUNTIME_DIRECTORY", &runtime);
    with_output_to(&mut command, &log)?;
    let mut rig = Running::start("rigeld", &mut command)?;
    let bar = Bar::count("frames", frames);
    let started = Instant::now();
    let (mut before, mut moved) = (0, Instant::now());
    let mut warm_kib = None;
    while before < frames {
        pause()?;
        if let Some(status) = rig.ended()? {
            bail!("rigeld ended with {status}:\n{}", last_lines(&log));
        }
        let labelled = labelled(&runtime.join("panel.json"));
        if labelled > before {
            (before, moved) = (labelled, Instant::now());
        }
        ensure!(
            moved.elapsed() < PATIENCE,
            "no frame was labelled for {PATIENCE:?}:\n{}",
            last_lines(&log)
        );
        bar.set(before.min(frames));
        if before >= WARM_UP && warm_kib.is_none() {
            warm_kib = Some(memory_kib(rig.id(), "VmRSS")?);
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    let warm = warm_kib.context("the warm-up was not seen")?;
    let end = memory_kib(rig.id(), "VmRSS")?;
    let peak = memory_kib(rig.id(), "VmHWM")?;
    rig.stop();
    bar.done("labelled");
    let mib = |kib: u64| kib as f64 / 1024.0;
    println!(
        "{before} frames in {elapsed:.0} s ({:.0} a second)\nresident memory: {:.1} MiB after {WARM_UP} frames, {:.1} MiB at the end, peak {:.1} MiB",
        before as f64 / elapsed,
        mib(warm),
        mib(end),
        mib(peak)
    );
    if end > warm + MAX_GROWTH_KIB {
        println!(
            "FAILED: it grew by {:.1} MiB; {:.0} are allowed",
            mib(end - warm),
            mib(MAX_GROWTH_KIB)
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The simulated rig with the demo clip as its camera.
fn board_text(project: &Project, folder: &Path) -> Result<String> {
    let mut board = absolute_board(&project.path("boards/sim.toml"))?;
    let ffmpeg = programs::find("ffmpeg").unwrap_or_else(|| project.fetched("bin/ffmpeg"));
    let clip = project.fetched("clips/franck.mp4");
    let command: Vec<String> = [
        &ffmpeg.display().to_string(),
        "-nostdin",
        "-v",
        "error",
        "-readrate",
        "10",
        "-stream_loop",
        "-1",
        "-i",
        &clip.display().to_string(),
        "-vf",
        "scale=360:288",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-",
    ]
    .map(str::to_owned)
    .into();
    let mut source: Table = toml::toml! {
        kind = "pipe"
        format = "i420"
        width = 360
        height = 288
        fps = 240.0
        timeout-ms = 5000
    };
    source.insert("command".into(), command.into());
    board.insert("source".into(), Value::Table(source));
    let outbox = folder.join("outbox").display().to_string();
    for (section, key, value) in [
        ("outbox", "dir", Value::String(outbox)),
        // Nobody listens there.
        ("broker", "port", Value::Integer(9)),
    ] {
        board
            .get_mut(section)
            .and_then(Value::as_table_mut)
            .with_context(|| format!("boards/sim.toml has no section [{section}]"))?
            .insert(key.into(), value);
    }
    toml::to_string(&board).context("cannot write a board file")
}

/// Frames labelled so far; 0 while there is no panel file, or half of one.
fn labelled(panel: &Path) -> u64 {
    let text = std::fs::read(panel).unwrap_or_default();
    serde_json::from_slice::<Panel>(&text).map_or(0, |panel| panel.frames)
}

/// A line of the kernel's account of a process.
fn memory_kib(process: u32, name: &str) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("{path} has no {name}"))
}
