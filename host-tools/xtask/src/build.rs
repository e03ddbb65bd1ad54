//! Release builds of our programs, with cargo's own progress.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::children::{Running, shown};
use crate::layout::Project;
use crate::progress::seconds;

/// Builds the programs of these packages into `target/release`.
pub(crate) fn release(project: &Project, packages: &[&str]) -> Result<()> {
    build(project, "release", &["--release"], packages)
}

/// Builds the programs of these packages into `target/debug`.
pub(crate) fn development(project: &Project, packages: &[&str]) -> Result<()> {
    build(project, "development", &[], packages)
}

fn build(project: &Project, profile: &str, options: &[&str], packages: &[&str]) -> Result<()> {
    let started = Instant::now();
    let mut command = Command::new("cargo");
    command
        .arg("build")
        .args(options)
        .current_dir(project.root());
    for package in packages {
        command.args(["--package", package]);
    }
    let status = Running::start("cargo", &mut command)?.wait_with(|| ())?;
    if !status.success() {
        bail!(
            "`{}` ended with {status}; what the compiler says is above",
            shown(&command)
        );
    }
    eprintln!(
        "{profile} build of {}: done ({})",
        packages.join(", "),
        seconds(started.elapsed())
    );
    Ok(())
}
