//! `cargo xtask test --rig`: what emulated machines are made of. The machines themselves, and what is tested in them, are
//! the program `emulated-rig` of the package `end-to-end`, which this starts.
//!
//! ```text
//! .rigel/machines/packages/            the distribution's packages, kept
//! .rigel/machines/{amd64,arm64}/       kernel/  system/  rigeld  rig-guest  libLiteRt.so  glass_bus.ko  no_sync.so
//! .rigel/machines/logs/                each machine's serial line
//! ```

mod module;
mod packages;
mod system;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::children::{create_folder, run_logged};
use crate::dist::cross;
use crate::layout::Project;
use crate::progress::Bar;
use crate::{build, programs};

/// What machines are built with and run by: program, package.
const PROGRAMS: [(&str, &str); 8] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("qemu-system-aarch64", "qemu-system-arm"),
    ("qemu-aarch64-static", "qemu-user-static"),
    ("depmod", "kmod"),
    ("setpriv", "util-linux"),
    ("gcc", "gcc"),
    ("make", "make"),
    ("debugfs", "e2fsprogs"),
];

/// The system of each machine, beside its kernel.
const SYSTEM: [&str; 4] = ["busybox-static", "libc6", "libstdc++6", "libgcc-s1"];

/// Fetches, builds and lays out.
pub(crate) fn prepare(project: &Project) -> Result<()> {
    if !programs::may_install() {
        bail!(
            "emulated machines are made of Debian's packages, which only root can have apt fetch for another \
             architecture: run this as root on Debian 12"
        );
    }
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| programs::find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        programs::install(project, &missing)?;
    }
    // First, since this makes arm64 known to apt.
    let arm64 = Programs {
        rigeld: cross::program(project, "rigeld")?,
        guest: cross::program(project, "rig-guest")?,
        runtime: cross::runtime(project)?,
        strip: "aarch64-linux-gnu-strip",
    };
    build::release(project, &["rigeld"])?;
    build::release(project, &["rig-guest"])?;
    let amd64 = Programs {
        rigeld: project.path("target/release/rigeld"),
        guest: project.path("target/release/rig-guest"),
        runtime: project.fetched("runtime/libLiteRt.so"),
        strip: "strip",
    };
    let version = lay_out(project, "amd64", &amd64)?;
    let module = project.fetched("machines/amd64/glass_bus.ko");
    module::build(project, "glass_bus", &version, &module)?;
    module::build_library(
        project,
        "no_sync",
        &project.fetched("machines/amd64/no_sync.so"),
    )?;
    lay_out(project, "arm64", &arm64)?;
    system::disk(project, &project.fetched("machines/service.img"))
}

/// Our programs for one architecture.
struct Programs {
    rigeld: PathBuf,
    guest: PathBuf,
    runtime: PathBuf,
    strip: &'static str,
}

/// Lays out one architecture; the kernel's version.
fn lay_out(project: &Project, arch: &str, ours: &Programs) -> Result<String> {
    let folder = project.fetched("machines").join(arch);
    create_folder(&folder)?;
    let kernel = packages::resolve(&format!("linux-image-{arch}:{arch}"), "linux-image-")?;
    let kernel = kernel.split(':').next().unwrap_or_default();
    let place = folder.join("kernel");
    packages::unpack(project, &[format!("{kernel}:{arch}")], &place)?;
    let modules = packages::only_folder(&place.join("lib/modules"))?;
    let version = modules.file_name().context("a folder has a name")?;
    let version = version.to_string_lossy().into_owned();
    if !modules.join("modules.dep").is_file() {
        let mut depmod = Command::new(programs::find("depmod").context("kmod is installed")?);
        depmod.arg("-b").arg(&place).arg(&version);
        let log = project.fetched("logs/depmod.log");
        run_logged("depmod", &mut depmod, &log, &Bar::hidden())?;
    }
    let system = SYSTEM.map(|package| format!("{package}:{arch}"));
    packages::unpack(project, &system, &folder.join("system"))?;
    for (program, name) in [(&ours.rigeld, "rigeld"), (&ours.guest, "rig-guest")] {
        // As the package has it: an emulated machine reads every byte of its file system at boot.
        let mut strip = Command::new(ours.strip);
        strip.arg("-o").arg(folder.join(name)).arg(program);
        let log = project.fetched("logs/strip.log");
        run_logged("strip", &mut strip, &log, &Bar::hidden())?;
    }
    put(&ours.runtime, &folder.join("libLiteRt.so"))?;
    Ok(version)
}

fn put(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// What is tested in machines, by the names that the program knows. A test of the program holds this list complete.
pub(crate) const SCENARIOS: [&str; 9] = [
    "labels alike",
    "camera amd64",
    "camera arm64",
    "camera faults",
    "pins of a Pi",
    "pins and button",
    "display",
    "service",
    "power cuts",
];

/// Runs one of [`SCENARIOS`].
pub(crate) fn command(project: &Project, scenario: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["run", "--quiet", "--package", "end-to-end"])
        .args(["--bin", "emulated-rig", "--", "--machines"])
        .arg(project.fetched("machines"))
        .arg("--project")
        .arg(project.root())
        .arg(scenario);
    command
}
