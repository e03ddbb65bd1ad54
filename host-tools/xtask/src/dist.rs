//! `cargo xtask dist`: what is installed on a rig, built for its processor and checked against its system.

mod bundle;
pub(crate) mod cross;
mod deb;
mod first_boot_test;
mod needs;
mod notices;
pub(crate) mod older_system_test;
pub(crate) mod package_test;
pub(crate) mod root;
mod update_test;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::install::digest_of_file;
use crate::layout::Project;
use crate::setup;

use bundle::Signer;
use cross::Runtimes;
use needs::{Needs, System};

/// Arguments of `dist`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask dist --board rpi5        target/dist/rpi5/rigel-firmware_VERSION_arm64.deb
  cargo xtask dist --board rpi5 --bundle --cert update.crt --key update.key
                                       and target/dist/rpi5/rigel-firmware_VERSION_rpi5.raucb, see docs/updates.md
  scp target/dist/rpi5/*.deb rig: && ssh rig sudo apt-get install ./rigel-firmware_*.deb

Builds for 64-bit Arm on Debian 12; as root it installs the compiler it needs, else it says what to install.")]
pub(crate) struct Arguments {
    /// The board it is for, a file in boards/: rpi4, rpi5, jetson-orin-nano
    #[arg(long, value_name = "NAME")]
    board: String,
    /// Folder to put it in [default: target/dist/BOARD]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make a signed bundle too, for updating rigs that have the package
    #[arg(long, requires = "cert", requires = "key")]
    bundle: bool,
    /// Certificate that rigs have as /etc/rigel/update.crt, or one signed by it (PEM)
    #[arg(long, value_name = "FILE", requires = "bundle")]
    cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "bundle")]
    key: Option<PathBuf>,
}

/// A package that was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The `.deb`.
    pub(crate) package: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) installed_kib: u64,
    pub(crate) depends: String,
    pub(crate) sha256: String,
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| project.path(&format!("target/dist/{}", arguments.board)));
    let parts = Parts::build(project, &arguments.board)?;
    let made = parts.pack(&out, VERSION)?;
    println!("{}", project.shown(&made.package));
    println!("  for        {}", arguments.board);
    for (system, runtime) in &parts.systems {
        println!("  on         {}, with {runtime}", system.name);
    }
    println!(
        "  size       {:.1} MB, installed {:.1} MB",
        made.bytes as f64 / 1e6,
        made.installed_kib as f64 * 1024.0 / 1e6
    );
    println!("  depends    {}", made.depends);
    println!("  sha256     {}", made.sha256);
    if let (Some(cert), Some(key)) = (&arguments.cert, &arguments.key) {
        let signer = Signer { cert, key };
        let content = parts.content(VERSION)?;
        let bundle = content.sign(project, &arguments.board, &signer, &out)?;
        println!("{}", project.shown(&bundle));
        println!(
            "  size       {:.1} MB",
            bundle.metadata()?.len() as f64 / 1e6
        );
        println!("  sha256     {}", digest_of_file(&bundle)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// The workspace's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a board's packages are made of: built, fetched, and found to start on each of the board's systems.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    project: &'a Project,
    board: String,
    /// Each with the file name of the model runtime that it loads.
    systems: Vec<(System, String)>,
    program: PathBuf,
    runtimes: Runtimes,
    depends: String,
}

impl<'a> Parts<'a> {
    /// Builds and checks.
    pub(crate) fn build(project: &'a Project, board: &str) -> Result<Self> {
        let systems = systems_of(project, board)?;
        let (program, runtimes) = {
            let _lock = setup::lock(project)?;
            let program = cross::programs(project)?.join("rigeld");
            (program, cross::runtimes(project)?)
        };
        let needed = Needs::of(&program)?;
        let newer = Needs::of(&runtimes.newer)?;
        let older = Needs::of(&runtimes.older)?;
        let systems: Result<Vec<_>> = systems
            .into_iter()
            .map(|system| {
                let runtime = runtime_on(&system, board, &needed, [&newer, &older])?;
                Ok((system, runtime))
            })
            .collect();
        let systems = systems?;
        let depends = needs::dependencies(&[needed, older, newer.of_any_version()])?;
        Ok(Self {
            project,
            board: board.to_owned(),
            systems,
            program,
            runtimes,
            depends,
        })
    }

    /// Packs them into `out`.
    pub(crate) fn pack(&self, out: &Path, version: &str) -> Result<Made> {
        let built = self.tree(version).build(out)?;
        let size = built.package.metadata();
        let size = size.with_context(|| format!("cannot read {}", built.package.display()))?;
        Ok(Made {
            bytes: size.len(),
            sha256: digest_of_file(&built.package)?,
            package: built.package,
            installed_kib: built.installed_kib,
            depends: self.depends.clone(),
        })
    }
}

impl Parts<'_> {
    /// The firmware of what [`Self::pack`] laid out last, to be signed.
    pub(crate) fn content(&self, version: &str) -> Result<bundle::Content> {
        bundle::Content::pack(self.project, &self.tree(version).stage(), version)
    }

    fn tree<'b>(&'b self, version: &'b str) -> deb::Tree<'b> {
        deb::Tree {
            project: self.project,
            board: &self.board,
            version,
            program: &self.program,
            runtimes: &self.runtimes,
            depends: &self.depends,
        }
    }
}

/// The runtime that is loaded on a system, by its file's name; the error says what the system lacks for the program, or for
/// either runtime.
fn runtime_on(
    system: &System,
    board: &str,
    program: &Needs,
    runtimes: [&Needs; 2],
) -> Result<String> {
    let mut lacking = program.lacking(system);
    if lacking.is_empty() {
        for runtime in runtimes {
            let lacks = runtime.lacking(system);
            if lacks.is_empty() {
                return Ok(runtime.file().to_owned());
            }
            lacking.extend(lacks);
        }
    }
    bail!(
        "a package for {board} would not start there:\n  {}\n\
         Correct what boards/package/systems.toml says of the system, or take it out",
        lacking.join("\n  ")
    )
}

/// What the systems that a board may have bring; the boards known are those of `boards/package/systems.toml`.
fn systems_of(project: &Project, board: &str) -> Result<Vec<System>> {
    let path = project.path("boards/package/systems.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let mut systems: BTreeMap<String, Vec<System>> =
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let known: Vec<String> = systems.keys().cloned().collect();
    systems.remove(board).with_context(|| {
        format!(
            "no package is made for a board {board:?}; there are: {}",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_that_a_package_is_made_for_has_a_board_file_and_the_others_are_refused_by_name()
    {
        let project = Project::find().unwrap();
        let error = systems_of(&project, "rpi9").unwrap_err().to_string();
        assert!(
            error.contains("\"rpi9\"") && error.contains("rpi4, rpi5"),
            "{error}"
        );
        for board in ["rpi4", "rpi5", "jetson-orin-nano"] {
            assert!(!systems_of(&project, board).unwrap().is_empty());
        }
    }
}
