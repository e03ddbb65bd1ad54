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
use crate::dist::root::DEBIAN_12;
use crate::layout::Project;
use crate::progress::Bar;
use crate::{build, programs, setup};

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

/// Installs what machines are built with and run by, and the rigs' compiler.
pub(crate) fn install(project: &Project) -> Result<()> {
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
    // This makes arm64 known to apt.
    cross::prepare(project)
}

/// A processor that machines are emulated with, as Debian names it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Processor {
    Amd64,
    Arm64,
}

impl Processor {
    const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// Builds our programs for both processors.
pub(crate) fn build_programs(project: &Project) -> Result<()> {
    let _lock = setup::lock(project)?;
    cross::programs_for(project, &[cross::TARGET, cross::PC])?;
    cross::runtimes(project).map(|_| ())
}

/// Fetches Debian's kernels, with the libraries to boot with.
pub(crate) fn fetch_kernels(project: &Project) -> Result<()> {
    unpack(project, Processor::Amd64.name())?;
    unpack(project, Processor::Arm64.name())
}

/// Makes the whole Debian that rigs have.
pub(crate) fn make_debian(project: &Project) -> Result<()> {
    DEBIAN_12.tarball(project).map(|_| ())
}

/// Makes the disk that the service is tested on.
pub(crate) fn make_disk(project: &Project) -> Result<()> {
    system::disk(project, &project.fetched("machines/service.img"))
}

/// Lays out what machines with this processor are made of.
pub(crate) fn lay_out(project: &Project, processor: Processor) -> Result<()> {
    let ours = match processor {
        Processor::Amd64 => Programs {
            folder: cross::built(project, cross::PC),
            runtime: project.fetched("runtime/libLiteRt.so"),
            strip: "strip",
        },
        Processor::Arm64 => {
            let _lock = setup::lock(project)?;
            Programs {
                folder: cross::built(project, cross::TARGET),
                runtime: cross::runtimes(project)?.newer,
                strip: "aarch64-linux-gnu-strip",
            }
        }
    };
    let version = put_together(project, processor.name(), &ours)?;
    if processor == Processor::Amd64 {
        let module = project.fetched("machines/amd64/glass_bus.ko");
        module::build(project, "glass_bus", &version, &module)?;
        let library = project.fetched("machines/amd64/no_sync.so");
        module::build_library(project, "no_sync", &library)?;
    }
    Ok(())
}

/// Our programs for one architecture.
struct Programs {
    folder: PathBuf,
    runtime: PathBuf,
    strip: &'static str,
}

/// Unpacks Debian's parts for one architecture.
fn unpack(project: &Project, arch: &str) -> Result<()> {
    let folder = project.fetched("machines").join(arch);
    create_folder(&folder)?;
    let kernel = packages::resolve(&format!("linux-image-{arch}:{arch}"), "linux-image-")?;
    let kernel = kernel.split(':').next().unwrap_or_default();
    packages::unpack(
        project,
        &[format!("{kernel}:{arch}")],
        &folder.join("kernel"),
    )?;
    let system = SYSTEM.map(|package| format!("{package}:{arch}"));
    packages::unpack(project, &system, &folder.join("system"))
}

/// Adds our programs to Debian's parts for one architecture; the kernel's version.
fn put_together(project: &Project, arch: &str, ours: &Programs) -> Result<String> {
    let folder = project.fetched("machines").join(arch);
    let place = folder.join("kernel");
    let modules = packages::only_folder(&place.join("lib/modules"))?;
    let version = modules.file_name().context("a folder has a name")?;
    let version = version.to_string_lossy().into_owned();
    if !modules.join("modules.dep").is_file() {
        let mut depmod = Command::new(programs::find("depmod").context("kmod is installed")?);
        depmod.arg("-b").arg(&place).arg(&version);
        let log = project.fetched("logs/depmod.log");
        run_logged("depmod", &mut depmod, &log, &Bar::hidden())?;
    }
    for name in build::FIRMWARE {
        // As the package has it: an emulated machine reads every byte of its file system at boot.
        let mut strip = Command::new(ours.strip);
        strip.arg("-o").arg(folder.join(name));
        strip.arg(ours.folder.join(name));
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

/// Something that is tested in machines.
pub(crate) struct Scenario {
    /// By which the program knows it.
    pub(crate) name: &'static str,
    /// Whose machines it starts.
    pub(crate) processors: &'static [Processor],
    /// It boots the disk with the package installed, and with it the watchdog, which is the only clock that does not wait for
    /// minutes: this one goes before the others.
    pub(crate) needs_disk: bool,
}

const fn scenario(name: &'static str, processors: &'static [Processor]) -> Scenario {
    Scenario {
        name,
        processors,
        needs_disk: false,
    }
}

/// All of them, those that take longest first. A test of the program holds this list complete.
pub(crate) const SCENARIOS: [Scenario; 10] = {
    const PC: &[Processor] = &[Processor::Amd64];
    const RIG: &[Processor] = &[Processor::Arm64];
    [
        scenario("camera arm64", RIG),
        scenario("power cuts", PC),
        scenario("camera amd64", PC),
        scenario("camera faults", PC),
        Scenario {
            name: "service",
            processors: RIG,
            needs_disk: true,
        },
        scenario("labels alike", &[Processor::Amd64, Processor::Arm64]),
        scenario("display", PC),
        scenario("pins of a Pi", RIG),
        scenario("pins and button", RIG),
        scenario("power cuts without syncs", PC),
    ]
};

impl Scenario {
    /// Runs it; what it says is shown when it has ended, since another may run beside it.
    pub(crate) fn run(&self, project: &Project) -> Result<()> {
        let mut command = Command::new("nice");
        command
            .arg(if self.needs_disk { "-0" } else { "-5" })
            .arg(project.path("target/debug/emulated-rig"))
            .arg("--machines")
            .arg(project.fetched("machines"))
            .arg("--project")
            .arg(project.root())
            .arg(self.name)
            .current_dir(project.root())
            .env("PATH", setup::path_for_children(project))
            .env(build::BUILT.0, build::BUILT.1);
        let log = project.fetched(&format!("machines/logs/{}.txt", self.name));
        run_logged(self.name, &mut command, &log, &Bar::hidden())?;
        let said = std::fs::read_to_string(&log)
            .with_context(|| format!("cannot read {}", log.display()))?;
        eprint!("{said}");
        Ok(())
    }
}
