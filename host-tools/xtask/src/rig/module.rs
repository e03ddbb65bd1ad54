//! Building what is written in C: a module of ours for the kernel that a machine boots, and a library to preload there.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;

/// Builds `tests/rig/c/NAME.c` as a shared library for this machine's architecture into `to`.
pub(crate) fn build_library(project: &Project, name: &str, to: &Path) -> Result<()> {
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
        .arg(to)
        .arg(project.path(&format!("tests/rig/c/{name}.c")));
    let log = project.fetched("logs/library.log");
    run_logged("gcc", &mut gcc, &log, &Bar::hidden())
}

/// Builds `tests/rig/c/NAME.c` for this version of the kernel, for this machine's architecture, into `to`.
pub(crate) fn build(project: &Project, name: &str, version: &str, to: &Path) -> Result<()> {
    let headers = format!("linux-headers-{version}");
    let tree = Path::new("/usr/src").join(&headers);
    if !tree.is_dir() {
        programs::install(project, &[&headers])?;
    }
    let bar = Bar::spinner(&format!("building {name} for Linux {version}"));
    let folder = project.fetched("machines/module");
    remove(&folder)?;
    create_folder(&folder)?;
    let source = project.path(&format!("tests/rig/c/{name}.c"));
    std::fs::copy(&source, folder.join(format!("{name}.c")))
        .with_context(|| format!("cannot copy {}", source.display()))?;
    let makefile = folder.join("Makefile");
    std::fs::write(&makefile, format!("obj-m := {name}.o\n"))
        .with_context(|| format!("cannot write {}", makefile.display()))?;
    let mut make = Command::new("make");
    make.arg("-C")
        .arg(&tree)
        .arg(format!("M={}", folder.display()))
        .arg("modules");
    run_logged("make", &mut make, &project.fetched("logs/module.log"), &bar)?;
    super::put(&folder.join(format!("{name}.ko")), to)?;
    bar.done("built");
    Ok(())
}
