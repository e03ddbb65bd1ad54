//! `cargo xtask test`: everything a change has to pass, one named step after the other.
//!
//! All steps build the development profile with the default features, in one target folder: clippy and the documentation
//! share checked dependencies, the tests share built ones.

mod steps;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::children::{Running, shown};
use crate::dist::{older_system_test, package_test};
use crate::layout::Project;
use crate::setup::{self, Purpose};
use crate::{api_check, build, chaos, licences, page, programs, rig};
use rig::Processor::{Amd64, Arm64};
use steps::Step;

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

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    let only = arguments.only.as_deref();
    let (steps, lanes) = if arguments.rig {
        (rig_steps(project), RIG_LANES)
    } else {
        (own_steps(project), 1)
    };
    let steps = steps::chosen(steps, |name| only.is_none_or(|text| name.contains(text)));
    if steps.is_empty() {
        bail!("no step's name holds {:?}", only.unwrap_or_default());
    }
    let ended = steps::run(&steps, lanes)?;
    println!("\n{}", steps::closing(&ended, started.elapsed()));
    Ok(if steps::all_passed(&ended) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const SET_UP: &str = "set-up";
const BUILD: &str = "build";

/// One after the other: each of cargo's steps keeps every core busy.
fn own_steps(project: &Project) -> Vec<Step<'_>> {
    let cargo = |name, after: &[&'static str], arguments: &'static [&'static str]| {
        Step::new(name, after, move || run_cargo(project, arguments, &[]))
    };
    let tests: &[&str] = if programs::find("cargo-nextest").is_some() {
        &["nextest", "run", "--workspace"]
    } else {
        &["test", "--workspace", "--lib", "--bins", "--tests"]
    };
    let mut steps = vec![
        Step::new(SET_UP, &[], || setup::prepare(project, Purpose::Test)),
        cargo("format", &[SET_UP], &["fmt", "--all", "--check"]),
        cargo(
            "clippy",
            &[SET_UP],
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ),
        Step::new("docs", &[SET_UP], || {
            run_cargo(
                project,
                &["doc", "--no-deps", "--workspace"],
                &[("RUSTDOCFLAGS", "-D warnings")],
            )
        }),
        Step::new("licences", &[SET_UP], || licences::check(project)),
        // The end-to-end tests start the programs, which building the tests alone would not make.
        Step::new(BUILD, &[SET_UP], || build::everything(project)),
        Step::new("tests", &[BUILD], move || {
            run_cargo(project, tests, &[build::BUILT])
        }),
        Step::new("chaos, short", &[BUILD], || chaos::short(project)),
        Step::new("API", &[BUILD], || api_check::run(project)),
        cargo("doc tests", &[BUILD], &["test", "--workspace", "--doc"]),
        Step::new("page tests", &[SET_UP], || test_page(project)),
    ];
    if programs::find("cargo-deny").is_some() {
        steps.push(cargo(
            "policy (cargo-deny)",
            &[SET_UP],
            &["deny", "check", "licenses", "bans", "sources"],
        ));
    } else {
        eprintln!(
            "cargo-deny is not installed: licences are checked here, bans and sources are not (cargo install cargo-deny)"
        );
    }
    steps
}

/// More than most machines have cores: what is fetched and unpacked waits for the network and the disk, and emulated rigs now
/// and then for their camera and their clock.
const RIG_LANES: usize = 4;

/// What needs emulated machines, root and the rigs' compiler. Of what may begin, what takes longest, or lets most others
/// begin, comes first.
fn rig_steps(project: &Project) -> Vec<Step<'_>> {
    const INSTALL: &str = "programs";
    const SCENARIOS: &str = "build scenarios";
    const PROGRAMS: &str = "build for rigs";
    const DEBIAN: &str = "Debian for rigs";
    const KERNELS: &str = "kernels";
    const RIGS: &str = "rigs' parts";
    const PCS: &str = "PC's parts";
    const DISK: &str = "service's disk";
    let mut steps = vec![
        Step::new(SET_UP, &[], || setup::prepare(project, Purpose::Test)),
        Step::new(INSTALL, &[SET_UP], || rig::install(project)),
        // Which `cargo xtask test` has built already, where it went before.
        Step::new(SCENARIOS, &[INSTALL], || build::everything(project)),
        Step::new(PROGRAMS, &[SCENARIOS], || rig::build_programs(project)),
        Step::new(DEBIAN, &[INSTALL], || rig::make_debian(project)),
        Step::new(KERNELS, &[INSTALL], || rig::fetch_kernels(project)),
        Step::new(DISK, &[PROGRAMS, DEBIAN], || rig::make_disk(project)),
        Step::new(RIGS, &[PROGRAMS, KERNELS], || rig::lay_out(project, Arm64)),
        Step::new(PCS, &[PROGRAMS, KERNELS], || rig::lay_out(project, Amd64)),
        // Both pack into one folder.
        Step::new("package", &[DISK], || package_test::run(project)),
        Step::new("package on older systems", &[PROGRAMS], || {
            older_system_test::run(project)
        }),
    ];
    for scenario in &rig::SCENARIOS {
        let mut after: Vec<&str> = scenario
            .processors
            .iter()
            .map(|processor| match processor {
                Amd64 => PCS,
                Arm64 => RIGS,
            })
            .collect();
        if scenario.needs_disk {
            after.push(DISK);
        }
        steps.push(Step::new(scenario.name, &after, || scenario.run(project)));
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
