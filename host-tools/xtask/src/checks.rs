//! `cargo xtask test`: everything a change has to pass, one named step after the other.
//!
//! All steps build the development profile with the default features, in one target folder: clippy and the documentation
//! share checked dependencies, the tests share built ones.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::children::{Interrupted, Running, check_interrupted, shown};
use crate::dist::package_test;
use crate::layout::Project;
use crate::progress::seconds;
use crate::setup::{self, Purpose};
use crate::{licences, page, programs, rig};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask test                  everything, as CI runs it
  cargo xtask test --only clippy    one step, by a part of its name; see the list at the end of a whole run
  cargo xtask test --rig            the rig's program and package in emulated machines
  cargo xtask test --rig --only pi  one of them

Needs nothing but what `cargo xtask setup --for test` fetches, which it does first. A failing step does not keep the
others from running; the exit code is zero only if all passed.")]
pub(crate) struct Arguments {
    /// Run only steps whose name holds this text (set-up always runs)
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Test the rig instead, in emulated machines (as root on Debian 12)
    #[arg(long)]
    rig: bool,
}

/// How a step ended.
#[derive(Debug, PartialEq)]
enum Outcome {
    Passed,
    Failed(String),
    /// Not run, with the reason.
    Skipped(String),
}

struct Step<'a> {
    name: &'static str,
    /// Pointless when this earlier step has failed.
    after: Option<&'static str>,
    run: Box<dyn Fn() -> Result<()> + 'a>,
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let only = arguments.only.as_deref();
    let steps = if arguments.rig {
        rig_steps(project)
    } else {
        steps(project)
    };
    let wanted = |name: &str| only.is_none_or(|text| name.contains(text));
    let needed: Vec<&str> = steps
        .iter()
        .filter(|step| wanted(step.name))
        .filter_map(|step| step.after)
        .collect();
    let steps: Vec<Step> = steps
        .into_iter()
        .filter(|step| wanted(step.name) || step.name == SET_UP || needed.contains(&step.name))
        .collect();
    if steps.len() == 1 {
        bail!("no step's name holds {:?}", only.unwrap_or_default());
    }
    let mut ended: Vec<(&str, Outcome, Duration)> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        check_interrupted()?;
        eprintln!("\n=== [{}/{}] {}", index + 1, steps.len(), step.name);
        let begun = Instant::now();
        let broken = step.after.filter(|earlier| {
            ended
                .iter()
                .any(|(name, outcome, _)| name == earlier && *outcome != Outcome::Passed)
        });
        let outcome = match broken {
            Some(earlier) => Outcome::Skipped(format!("{earlier} did not pass")),
            None => match (step.run)() {
                Ok(()) => Outcome::Passed,
                Err(error) if error.is::<Interrupted>() => return Err(error),
                Err(error) => Outcome::Failed(format!("{error:#}")),
            },
        };
        eprintln!(
            "=== {}: {} ({})",
            step.name,
            outcome.describe(),
            seconds(begun.elapsed())
        );
        ended.push((step.name, outcome, begun.elapsed()));
    }
    println!("\n{}", closing(&ended, started.elapsed()));
    let good = ended
        .iter()
        .all(|(_, outcome, _)| *outcome == Outcome::Passed);
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const SET_UP: &str = "set-up";
const BUILD: &str = "build";
const MACHINES: &str = "machines' parts";

fn steps(project: &Project) -> Vec<Step<'_>> {
    let step = |name, after, run: Box<dyn Fn() -> Result<()>>| Step { name, after, run };
    let cargo = |arguments: &'static [&'static str]| {
        Box::new(move || run_cargo(project, arguments, &[])) as Box<dyn Fn() -> Result<()>>
    };
    let mut steps = vec![
        step(
            SET_UP,
            None,
            Box::new(|| setup::prepare(project, Purpose::Test)),
        ),
        step("format", None, cargo(&["fmt", "--all", "--check"])),
        step(
            "clippy",
            None,
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
        ),
        step(
            "docs",
            None,
            Box::new(|| {
                run_cargo(
                    project,
                    &["doc", "--no-deps", "--workspace"],
                    &[("RUSTDOCFLAGS", "-D warnings")],
                )
            }),
        ),
        step("licences", None, Box::new(|| licences::check(project))),
        // The end-to-end tests start the programs, which building the tests alone would not make.
        step(
            BUILD,
            None,
            cargo(&["build", "--workspace", "--all-targets"]),
        ),
    ];
    let tests: &[&str] = if programs::find("cargo-nextest").is_some() {
        &["nextest", "run", "--workspace"]
    } else {
        &["test", "--workspace", "--lib", "--bins", "--tests"]
    };
    steps.push(step("tests", Some(BUILD), cargo(tests)));
    steps.push(step(
        "doc tests",
        Some(BUILD),
        cargo(&["test", "--workspace", "--doc"]),
    ));
    steps.push(step("page tests", None, Box::new(|| test_page(project))));
    if programs::find("cargo-deny").is_some() {
        steps.push(step(
            "policy (cargo-deny)",
            None,
            cargo(&["deny", "check", "licenses", "bans", "sources"]),
        ));
    } else {
        eprintln!(
            "cargo-deny is not installed: licences are checked here, bans and sources are not (cargo install cargo-deny)"
        );
    }
    steps
}

/// What needs emulated machines, root and the rigs' compiler.
fn rig_steps<'a>(project: &'a Project) -> Vec<Step<'a>> {
    let step = |name, after, run: Box<dyn Fn() -> Result<()> + 'a>| Step { name, after, run };
    let mut steps = vec![
        step(
            SET_UP,
            None,
            Box::new(|| setup::prepare(project, Purpose::Test)),
        ),
        step("package", None, Box::new(|| package_test::run(project))),
        step(MACHINES, None, Box::new(|| rig::prepare(project))),
    ];
    for name in rig::SCENARIOS {
        let run = move || pass(project, &mut rig::command(project, name));
        steps.push(step(name, Some(MACHINES), Box::new(run)));
    }
    steps
}

fn run_cargo(project: &Project, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(arguments).envs(environment.iter().copied());
    pass(project, &mut command)
}

fn test_page(project: &Project) -> Result<()> {
    page::install_packages(project)?;
    pass(project, page::npm(project).arg("test"))
}

/// Runs a command with its output shown; an unsuccessful end is an error.
fn pass(project: &Project, command: &mut Command) -> Result<()> {
    if command.get_current_dir().is_none() {
        command.current_dir(project.root());
    }
    command.env("PATH", setup::path_for_children(project));
    let name = command.get_program().to_string_lossy().into_owned();
    let status = Running::start(&name, command)?
        .wait_with(|| ())
        .with_context(|| shown(command))?;
    if status.success() {
        Ok(())
    } else {
        bail!("`{}` ended with {status}", shown(command))
    }
}

impl Outcome {
    fn describe(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Failed(why) => format!("FAILED: {why}"),
            Self::Skipped(why) => format!("skipped: {why}"),
        }
    }
}

/// The list of steps, and the counts alone on the last line.
fn closing(ended: &[(&str, Outcome, Duration)], total: Duration) -> String {
    let mut lines: Vec<String> = ended
        .iter()
        .map(|(name, outcome, time)| {
            format!("{name:22} {:>12}  {}", seconds(*time), outcome.describe())
        })
        .collect();
    lines.push(format!("{:22} {:>12}", "together", seconds(total)));
    let count = |wanted: fn(&Outcome) -> bool| {
        ended
            .iter()
            .filter(|(_, outcome, _)| wanted(outcome))
            .count()
    };
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let passed = ended.len() - failed - skipped;
    let rest = if skipped > 0 {
        format!(", {skipped} skipped")
    } else {
        String::new()
    };
    lines.push(format!("{passed} passed, {failed} failed{rest}"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_and_nothing_else() {
        let second = Duration::from_secs(1);
        let ended = [
            ("a", Outcome::Passed, second),
            ("b", Outcome::Failed("why".to_owned()), second),
        ];
        assert_eq!(
            closing(&ended, second).lines().last(),
            Some("1 passed, 1 failed")
        );
        let ended = [
            ("a", Outcome::Passed, second),
            ("b", Outcome::Skipped("why".to_owned()), second),
        ];
        assert_eq!(
            closing(&ended, second).lines().last(),
            Some("1 passed, 0 failed, 1 skipped")
        );
    }
}
