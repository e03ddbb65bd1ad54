//! `cargo xtask bench`: Rigel beside the peer a user would otherwise pick, and Rigel against ground truth.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::children::{Running, create_folder, run_logged, shown};
use crate::layout::Project;
use crate::measure::{self, Cost};
use crate::programs;
use crate::progress::Bar;
use crate::setup::{self, Purpose};
use crate::summary::RigSummary;
use crate::{accuracy, build, soak, stress, venv};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask bench                       speed: Rigel and MediaPipe in turn on the first 60 s of the demo clip
  cargo xtask bench --clip drive.mp4      the same on a clip of your own, whole
  cargo xtask bench --soak                memory of a live rig over 100,000 frames
  cargo xtask bench --accuracy            labels against the ground truth in ../shared/data
  cargo xtask bench --stress --sample 4   the same data made dark, blurred, small ..., a quarter of it
  cargo xtask bench --review              how quickly the desk answers with a million candidates
  cargo xtask bench --formats             how long an export of a million labels takes in each format, and its memory

Run it on an otherwise idle machine; the spread of the rounds is printed beside each figure.")]
pub(crate) struct Arguments {
    /// Score labels against ground truth instead of measuring speed
    #[arg(long)]
    accuracy: bool,
    /// Count labels that are sure and wrong on ground truth made dark, blurred, small, shaded ...
    #[arg(long, conflicts_with_all = ["accuracy", "soak", "clip"])]
    stress: bool,
    /// Fill a store with so many candidates and measure how quickly the desk answers [default: 1000000]
    #[arg(long, value_name = "CANDIDATES", num_args = 0..=1, default_missing_value = "1000000", conflicts_with_all = ["accuracy", "stress", "soak", "clip"])]
    review: Option<u64>,
    /// Export so many labels in each format [default: 1000000]
    #[arg(long, value_name = "LABELS", num_args = 0..=1, default_missing_value = "1000000", conflicts_with_all = ["accuracy", "stress", "soak", "clip", "review"])]
    formats: Option<u64>,
    #[command(flatten)]
    stressing: stress::Arguments,
    /// Watch the appliance's memory over a long run instead [default: 100000 frames]
    #[arg(long, value_name = "FRAMES", num_args = 0..=1, default_missing_value = "100000", conflicts_with_all = ["accuracy", "clip"])]
    soak: Option<u64>,
    /// Measure on this clip, whole, instead of the demo clip's first 60 s
    #[arg(long, value_name = "FILE", conflicts_with = "accuracy")]
    clip: Option<PathBuf>,
    /// How often each is run, in turn
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// How much of the demo clip is used, in seconds.
pub(crate) const DEMO_SECONDS: u32 = 60;

/// The peer's account of one run.
#[derive(Debug, Clone, Copy, Deserialize)]
struct PeerSummary {
    frames: u64,
    faces: u64,
    seconds: f64,
    processor_seconds: f64,
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    if let Some(candidates) = arguments.review {
        // Its page is part of it.
        setup::prepare(project, Purpose::Demo)?;
        return million(project, ("review", "million"), candidates);
    }
    if let Some(labels) = arguments.formats {
        return million(project, ("formats", "export_million"), labels);
    }
    setup::prepare(project, Purpose::Bench)?;
    build::release(project, &["rigeld"])?;
    if arguments.accuracy {
        return accuracy::run(project);
    }
    if arguments.stress {
        return stress::run(project, &arguments.stressing);
    }
    if let Some(frames) = arguments.soak {
        return soak::run(project, frames);
    }
    let peer = venv::PEER
        .ensure(project)
        .context("the peer cannot run on this machine")?;
    let folder = project.fetched("bench");
    create_folder(&folder)?;
    let clip = match &arguments.clip {
        Some(clip) => clip
            .canonicalize()
            .with_context(|| format!("cannot find {}", clip.display()))?,
        None => first_minute(project, &folder)?,
    };
    let bar = Bar::count("rounds", u64::from(2 * arguments.rounds));
    let (mut rigel_rounds, mut peer_rounds) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        rigel_rounds.push(run_rigel(project, &clip, &folder)?);
        bar.advance();
        peer_rounds.push(run_peer(project, &peer, &clip, &folder)?);
        bar.advance();
    }
    bar.done("measured");
    report(&clip, &rigel_rounds, &peer_rounds)
}

/// What a crate does with so many labels, by one of its examples.
fn million(project: &Project, (package, example): (&str, &str), labels: u64) -> Result<ExitCode> {
    let mut command = Command::new("cargo");
    command
        .args(["run", "--release", "--package", package])
        .args(["--example", example, "--"])
        .arg(labels.to_string())
        .current_dir(project.root());
    let status = Running::start("cargo", &mut command)?.wait_with(|| ())?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(&command));
    }
    Ok(ExitCode::SUCCESS)
}

/// The demo clip's first minute, cut without encoding it again.
fn first_minute(project: &Project, folder: &Path) -> Result<PathBuf> {
    let cut = folder.join("first-minute.mp4");
    let ffmpeg = programs::find("ffmpeg").unwrap_or_else(|| project.fetched("bin/ffmpeg"));
    let mut command = Command::new(ffmpeg);
    command
        .args([
            "-nostdin",
            "-y",
            "-v",
            "error",
            "-t",
            &DEMO_SECONDS.to_string(),
            "-i",
        ])
        .arg(project.fetched("clips/franck.mp4"));
    command.args(["-c", "copy", "-an"]).arg(&cut);
    let bar = Bar::spinner("cutting the demo clip");
    run_logged(
        "ffmpeg",
        &mut command,
        &project.fetched("logs/cut.log"),
        &bar,
    )?;
    Ok(cut)
}

fn run_rigel(project: &Project, clip: &Path, folder: &Path) -> Result<(Cost, RigSummary)> {
    let summary = folder.join("rigel-summary.json");
    let mut command = Command::new(project.path("target/release/rigeld"));
    command
        .current_dir(project.root())
        .env("PATH", setup::path_for_children(project));
    command
        .arg("label")
        .arg(clip)
        .arg("--out")
        .arg(folder.join("rigel.jsonl"))
        .arg("--summary")
        .arg(&summary);
    let cost = measure::run(
        "rigeld",
        &mut command,
        &project.fetched("logs/bench-rigel.log"),
    )?;
    Ok((cost, RigSummary::read(&summary)?))
}

fn run_peer(
    project: &Project,
    python: &Path,
    clip: &Path,
    folder: &Path,
) -> Result<(Cost, PeerSummary)> {
    let summary = folder.join("peer-summary.json");
    let mut command = Command::new(python);
    command
        .arg(project.path("host-tools/xtask/peer/face_mesh.py"))
        .arg(clip);
    command
        .arg("--out")
        .arg(folder.join("peer.csv"))
        .arg("--summary")
        .arg(&summary);
    let cost = measure::run(
        "the peer",
        &mut command,
        &project.fetched("logs/bench-peer.log"),
    )?;
    let text =
        std::fs::read(&summary).with_context(|| format!("cannot read {}", summary.display()))?;
    Ok((
        cost,
        serde_json::from_slice(&text)
            .context("the peer's summary is not as its script writes it")?,
    ))
}

fn report(
    clip: &Path,
    rigel: &[(Cost, RigSummary)],
    peer: &[(Cost, PeerSummary)],
) -> Result<ExitCode> {
    let (frames, peer_frames) = (rigel[0].1.frames, peer[0].1.frames);
    if frames == 0 || peer_frames == 0 {
        bail!(
            "{}: Rigel saw {frames} frames and the peer {peer_frames}",
            clip.display()
        );
    }
    println!(
        "clip: {}, {frames} frames (the peer: {peer_frames}, a face in {}), {} rounds in turn",
        clip.display(),
        peer[0].1.faces,
        rigel.len()
    );
    println!("each figure: median [least .. most]\n");
    let per_frame = |cost: Cost, frames: u64| 1e3 * cost.processor_seconds / frames as f64;
    let ours: Vec<f64> = rigel
        .iter()
        .map(|(cost, seen)| per_frame(*cost, seen.frames))
        .collect();
    let theirs: Vec<f64> = peer
        .iter()
        .map(|(cost, seen)| per_frame(*cost, seen.frames))
        .collect();
    let warm: Vec<f64> = peer
        .iter()
        .map(|(_, seen)| 1e3 * seen.processor_seconds / seen.frames as f64)
        .collect();
    let line = |name: &str, unit: &str, ours: &[f64], theirs: &[f64]| {
        println!("{name:38} {:28} {:28} {unit}", spread(ours), spread(theirs));
    };
    println!(
        "{:38} {:28} {:28}",
        "", "Rigel", "MediaPipe Face Mesh (Python)"
    );
    line("processor time a frame", "ms", &ours, &theirs);
    line("  without the peer's start-up", "ms", &ours, &warm);
    let rates: Vec<f64> = rigel
        .iter()
        .map(|(cost, seen)| seen.frames as f64 / cost.wall_seconds)
        .collect();
    let peer_rates: Vec<f64> = peer
        .iter()
        .map(|(cost, seen)| seen.frames as f64 / cost.wall_seconds)
        .collect();
    line("frames a second, whole program", "", &rates, &peer_rates);
    let inner: Vec<f64> = rigel
        .iter()
        .map(|(_, seen)| seen.frames as f64 / seen.seconds.max(f64::MIN_POSITIVE))
        .collect();
    let peer_inner: Vec<f64> = peer
        .iter()
        .map(|(_, seen)| seen.frames as f64 / seen.seconds)
        .collect();
    line("frames a second, after start-up", "", &inner, &peer_inner);
    let megabytes = |cost: &Cost| cost.peak_memory_bytes as f64 / 1e6;
    let memory: Vec<f64> = rigel.iter().map(|(cost, _)| megabytes(cost)).collect();
    let peer_memory: Vec<f64> = peer.iter().map(|(cost, _)| megabytes(cost)).collect();
    line(
        "peak memory, with all it started",
        "MB",
        &memory,
        &peer_memory,
    );
    let ratios = |theirs: &[f64]| {
        ours.iter()
            .zip(theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect::<Vec<f64>>()
    };
    println!(
        "\nprocessor time, Rigel / peer:                        {}",
        spread(&ratios(&theirs))
    );
    println!(
        "processor time, Rigel / peer without its start-up:   {}",
        spread(&ratios(&warm))
    );
    let shares: Vec<f64> = rigel
        .iter()
        .filter_map(|(_, seen)| seen.own_share())
        .map(|share| 100.0 * share)
        .collect();
    if !shares.is_empty() {
        println!(
            "Rigel's time outside models and decoding, by clock:  {} %",
            spread(&shares)
        );
        // The decoder works beside us, so by the clock it hardly shows; its processor time does.
        let work =
            |(cost, seen): &(Cost, RigSummary)| 100.0 * seen.own_seconds() / cost.processor_seconds;
        let shares: Vec<f64> = rigel.iter().map(work).collect();
        println!(
            "  of the processor time, the decoder's included:     {} %",
            spread(&shares)
        );
        println!("\nRigel's stages, ms a frame (last round):");
        let (_, last) = &rigel[rigel.len() - 1];
        for (stage, ms) in &last.stages_ms {
            println!("  {stage:12} {ms:8.3}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `median [least .. most]`.
fn spread(values: &[f64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    format!(
        "{median:.3} [{:.3} .. {:.3}]",
        sorted[0],
        sorted[sorted.len() - 1]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_shows_median_and_ends() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), "2.000 [1.000 .. 3.000]");
        assert_eq!(spread(&[4.0, 1.0]), "2.500 [1.000 .. 4.000]");
    }
}
