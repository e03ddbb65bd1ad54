//! Builds of our programs, with cargo's own progress.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::children::{Running, shown};
use crate::layout::Project;
use crate::progress::seconds;

/// What runs on a rig, and what stands beside it in an emulated one.
pub(crate) const FIRMWARE: [&str; 2] = ["rigeld", "rig-guest"];

/// Builds the programs of these packages into `target/release`.
pub(crate) fn release(project: &Project, packages: &[&str]) -> Result<()> {
    build(project, "release", &["--release"], packages)
}

/// Tells tests that [`everything`] was built, so that they need not ask cargo for their programs.
pub(crate) const BUILT: (&str, &str) = ("RIGEL_BUILT", "1");

/// Builds everything into `target/debug`. Whatever needs a part of it builds it whole: parts alone are another choice of
/// features, so cargo would build most of it twice.
pub(crate) fn everything(project: &Project) -> Result<()> {
    build(
        project,
        "development",
        &["--workspace", "--all-targets"],
        &[],
    )
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
        if packages.is_empty() {
            "everything".to_owned()
        } else {
            packages.join(", ")
        },
        seconds(started.elapsed())
    );
    Ok(())
}
