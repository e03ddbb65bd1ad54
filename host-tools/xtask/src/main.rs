//! `cargo xtask`: set-up, demo, test and benchmark of the workspace.
//!
//! Each command fetches what it needs first, by name and version from the package registries, and keeps it in `.rigel/`
//! at the project's root. Nothing here is part of the product: no crate depends on this one.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool speaks to its user"
)]

mod accuracy;
mod api_check;
mod archive;
mod bench;
mod board_file;
mod build;
mod chaos;
mod checks;
mod children;
mod contact_sheet;
mod demo;
mod dist;
mod fuzz;
mod http;
mod install;
mod layout;
mod libclang;
mod licences;
mod manifest;
mod measure;
mod package;
mod page;
mod programs;
mod progress;
mod rig;
mod setup;
mod soak;
mod stress;
mod summary;
mod venv;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::children::Interrupted;
use crate::layout::Project;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Set-up, demo, test and benchmark of Rigel",
    version
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch the pinned runtime, models and demo clip; see to ffmpeg; build the review page
    Setup(setup::Arguments),
    /// Run everything a change has to pass: format, lints, tests, docs, licences, the page
    Test(checks::Arguments),
    /// Kill, cut, fill and delay everything around delivery, and count what arrives
    Chaos(chaos::Arguments),
    /// Try inputs by the million on all that reads strange bytes
    Fuzz(fuzz::Arguments),
    /// Label the demo clip with a rig and a host on this machine, and open the review page
    Demo(demo::Arguments),
    /// Measure Rigel beside Python MediaPipe, or its labels against ground truth
    Bench(bench::Arguments),
    /// Draw fifty labels of one kind on one picture, for a person to judge
    ContactSheet(contact_sheet::Arguments),
    /// Build the package that is installed on a rig
    Dist(dist::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match children::listen_for_interrupts().and_then(|()| run(arguments.command)) {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("interrupted; what was finished is kept, run the command again to go on");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let project = Project::find()?;
    match command {
        Command::Setup(arguments) => setup::run(&project, &arguments),
        Command::Test(arguments) => checks::run(&project, &arguments),
        Command::Chaos(arguments) => chaos::run(&project, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&project, &arguments),
        Command::Demo(arguments) => demo::run(&project, &arguments),
        Command::Bench(arguments) => bench::run(&project, &arguments),
        Command::ContactSheet(arguments) => contact_sheet::run(&project, &arguments),
        Command::Dist(arguments) => dist::run(&project, &arguments),
    }
}
