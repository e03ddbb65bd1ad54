//! `cargo xtask chaos`: delivery while everything around it breaks. The scenarios are the program `chaos` of the package
//! `end-to-end`, which this builds and starts; `docs/chaos.md` says what they do.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::build;
use crate::children::{Running, create_folder};
use crate::layout::Project;
use crate::setup::{self, Purpose};

/// Arguments of `chaos`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask chaos                       every scenario in its full form
  cargo xtask chaos --short               as `cargo xtask test` runs it
  cargo xtask chaos kills --seed 42       one of them, with the choices of an earlier run
  cargo xtask chaos --list                their names

Each scenario prints labels made and committed. What the programs themselves say goes to .rigel/chaos/programs.txt.
The exit code is zero only if nothing failed; what this machine does not permit is named and counted as not run.")]
pub(crate) struct Arguments {
    /// The form that is a part of `cargo xtask test`
    #[arg(long)]
    short: bool,
    /// Makes the choices of an earlier run again [default: drawn, and printed]
    #[arg(long)]
    seed: Option<u64>,
    /// Names the scenarios, and ends
    #[arg(long)]
    list: bool,
    /// What to run [default: every scenario of the form]
    scenarios: Vec<String>,
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    setup::prepare(project, Purpose::Test)?;
    build::everything(project)?;
    let mut more: Vec<String> = Vec::new();
    if arguments.short {
        more.extend(["--form", "short"].map(str::to_owned));
    }
    if let Some(seed) = arguments.seed {
        more.extend(["--seed".to_owned(), seed.to_string()]);
    }
    if arguments.list {
        more.push("--list".to_owned());
    }
    more.extend(arguments.scenarios.iter().cloned());
    start(project, &more)?;
    Ok(ExitCode::SUCCESS)
}

/// The form that is a part of `cargo xtask test`, with what was built there.
pub(crate) fn short(project: &Project) -> Result<()> {
    start(project, &["--form".to_owned(), "short".to_owned()])
}

fn start(project: &Project, arguments: &[String]) -> Result<()> {
    let folder = project.fetched("chaos");
    create_folder(&folder)?;
    let said = folder.join("programs.txt");
    let said_to =
        std::fs::File::create(&said).with_context(|| format!("cannot write {}", said.display()))?;
    let mut command = Command::new(project.path("target/debug/chaos"));
    command
        .args(arguments)
        .current_dir(project.root())
        .env("PATH", setup::path_for_children(project))
        .env(build::BUILT.0, build::BUILT.1)
        .stderr(said_to);
    let status = Running::start("chaos", &mut command)?.wait_with(|| ())?;
    if !status.success() {
        bail!(
            "chaos ended with {status}; what broker, host and rig said is in {}",
            said.display()
        );
    }
    Ok(())
}
