//! `cargo xtask fuzz`: coverage-guided fuzzing of all that reads strange bytes. The targets are the crate `tests/fuzz`,
//! which `cargo fuzz` builds; what it found before is tried again first.

mod seeds;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::children::{Running, create_folder, run_logged};
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;
use crate::setup::{self, Purpose};

/// The tool, from the crates' registry.
const CARGO_FUZZ: (&str, &str) = ("cargo-fuzz", "0.13.2");

/// The targets, and what each reads.
const TARGETS: [(&str, &str); 6] = [
    (
        "wire",
        "the message contract, read as the host does and written as the rig does",
    ),
    ("ingest", "a stranger's message, up to the store"),
    ("outbox", "the outbox's files"),
    ("manifest", "the index of a recording"),
    ("board", "board files"),
    ("models", "model cards, labeller cards, calibration"),
];

/// Inputs are no longer than this: the largest message that is not a picture is 96 KiB, and all that is decided is decided in
/// less.
const MOST_BYTES: u32 = 16 * 1024;

/// Arguments of `fuzz`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask fuzz                        every target for ten minutes
  cargo xtask fuzz wire --minutes 60      one of them for an hour
  cargo xtask fuzz --list                 their names, and what they read

An input that breaks something is written to .rigel/fuzz/<target>/found, and the exit code is not zero. Give that file to
`cargo xtask fuzz TARGET --input FILE` to see it again. What leads further is kept in .rigel/fuzz/<target>/corpus.")]
pub(crate) struct Arguments {
    /// Minutes a target
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Tries this one input and ends
    #[arg(long, value_name = "FILE")]
    input: Option<std::path::PathBuf>,
    /// Names the targets, and ends
    #[arg(long)]
    list: bool,
    /// What to fuzz [default: every target]
    targets: Vec<String>,
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    if arguments.list {
        for (name, what) in TARGETS {
            println!("{name:<10} {what}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = wanted(&arguments.targets)?;
    ensure!(
        arguments.input.is_none() || wanted.len() == 1,
        "--input goes with one target: which of {} reads it?",
        names()
    );
    setup::prepare(project, Purpose::Test)?;
    programs::find_or_install(project, "g++", "g++")?;
    let tool = tool(project)?;
    let mut broken = Vec::new();
    for target in wanted {
        let work = project.fetched(&format!("fuzz/{target}"));
        let outcome = match &arguments.input {
            Some(input) => one(project, &tool, target, &work, input),
            None => fuzz(project, &tool, target, &work, arguments.minutes),
        };
        if let Err(error) = outcome {
            eprintln!("{target}: {error:#}");
            broken.push(target);
        }
    }
    if broken.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("something was found by {}", broken.join(", "))
}

fn names() -> String {
    TARGETS.map(|(name, _)| name).join(", ")
}

fn wanted(asked: &[String]) -> Result<Vec<&'static str>> {
    let all = TARGETS.map(|(name, _)| name);
    if let Some(unknown) = asked.iter().find(|name| !all.contains(&name.as_str())) {
        bail!("there is no target {unknown:?}; there are {}", names());
    }
    let is_wanted = |name: &&str| asked.is_empty() || asked.iter().any(|one| one == name);
    Ok(all.into_iter().filter(is_wanted).collect())
}

/// `cargo fuzz`, built once.
fn tool(project: &Project) -> Result<std::path::PathBuf> {
    let (name, version) = CARGO_FUZZ;
    let root = project.fetched(&format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.is_file() {
        let bar = Bar::spinner(&format!("building {name} {version}"));
        let mut command = Command::new("nice");
        command
            .args(["cargo", "install", name, "--locked", "--version", version])
            .arg("--root")
            .arg(&root);
        run_logged(
            "cargo install",
            &mut command,
            &project.fetched("logs/cargo-fuzz.log"),
            &bar,
        )?;
        bar.done("built");
    }
    Ok(program)
}

/// `cargo fuzz run`, with no sanitizer: they need another compiler than the project's, and unsafe code is confined to the
/// model runtime's interface.
fn command(project: &Project, tool: &Path, target: &str) -> Command {
    let mut command = Command::new(tool);
    command
        .args([
            "fuzz",
            "run",
            "--sanitizer",
            "none",
            "--fuzz-dir",
            "tests/fuzz",
        ])
        .arg("--target-dir")
        .arg(project.path("target/fuzz"))
        .arg(target)
        .current_dir(project.root())
        .env("PATH", setup::path_for_children(project));
    // Files that are made and synced a thousand times a second belong in memory.
    if Path::new("/dev/shm").is_dir() {
        command.env("TMPDIR", "/dev/shm");
    }
    command
}

fn fuzz(project: &Project, tool: &Path, target: &str, work: &Path, minutes: u64) -> Result<()> {
    let (corpus, first, found) = (work.join("corpus"), work.join("seeds"), work.join("found"));
    create_folder(&corpus)?;
    seeds::write(project, target, &first)?;
    create_folder(&found)?;
    let log = project.fetched(&format!("logs/fuzz-{target}.log"));
    let seconds = Duration::from_mins(minutes).as_secs();
    let mut command = command(project, tool, target);
    command
        .args([&corpus, &first, &found])
        .args(["--", "-print_final_stats=1", "-timeout=20"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MOST_BYTES}"))
        .arg(format!("-artifact_prefix={}/", found.display()));
    let bar = Bar::spinner(&format!("fuzzing {target} for {minutes} minutes"));
    run_logged("cargo fuzz", &mut command, &log, &bar)
        .with_context(|| format!("what it found is in {}", found.display()))?;
    bar.done(&statistics(&log).unwrap_or_default());
    Ok(())
}

/// Inputs tried, and what covers most, as libFuzzer tells them at the end.
fn statistics(log: &Path) -> Option<String> {
    let text = std::fs::read_to_string(log).ok()?;
    let tried = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
    let covered = text
        .lines()
        .rev()
        .find_map(|line| line.split_once(" cov: ")?.1.split_once(' '))?
        .0;
    Some(format!(
        "{} inputs, {covered} places reached, nothing found",
        tried.trim()
    ))
}

fn one(project: &Project, tool: &Path, target: &str, work: &Path, input: &Path) -> Result<()> {
    create_folder(work)?;
    let input = input
        .canonicalize()
        .with_context(|| format!("cannot read {}", input.display()))?;
    let mut command = command(project, tool, target);
    command.arg(input);
    let status = Running::start("cargo fuzz", &mut command)?.wait_with(|| ())?;
    ensure!(status.success(), "it breaks: what it says is above");
    Ok(())
}
