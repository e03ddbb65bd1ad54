//! The package on the oldest system that rigs may have: an emulated Debian 11 for arm64, whose C library is that of Raspberry Pi
//! OS 11 and `JetPack` 5.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::needs::Needs;
use super::package_test::install;
use super::root::{DEBIAN_11, Root};
use super::{Parts, VERSION};
use crate::layout::Project;
use crate::progress::seconds;

/// A board that may have so old a system. Not the other test's: both lay out a tree named by the board.
const BOARD: &str = "jetson-orin-nano";

/// Installs it and labels the golden clip there; the error tells what a field engineer would find wrong.
pub(crate) fn run(project: &Project) -> Result<()> {
    let parts = Parts::build(project, BOARD)?;
    let made = parts.pack(&project.path("target/dist/older-test"), VERSION)?;
    let root = Root::unpack(project, &DEBIAN_11, "older-system-test")?;
    let name = made.package.file_name().context("a package has a name")?;
    std::fs::copy(&made.package, root.path("root").join(name))
        .with_context(|| format!("cannot copy {}", made.package.display()))?;
    install(&root, &made)?;
    let changed = root.run("dpkg --verify rigel-firmware")?;
    ensure!(
        changed.is_empty(),
        "files differ from the package's:\n{changed}"
    );
    starts_with_what_the_package_asks_for(&root, &made.depends)?;
    measures(&root)
}

/// What program and older runtime ask the C library for is no newer than what the package depends on: read from the files as
/// they were installed.
fn starts_with_what_the_package_asks_for(root: &Root, depends: &str) -> Result<()> {
    for path in ["usr/bin/rigeld", "usr/lib/rigel/libLiteRt-older.so"] {
        let beyond = Needs::of(&root.path(path))?.beyond(depends)?;
        ensure!(
            beyond.is_empty(),
            "the package says `Depends: {depends}`, and {path} needs more: {}",
            beyond.join(", ")
        );
    }
    Ok(())
}

/// As the service's user; on a processor of the Jetson's kind.
fn measures(root: &Root) -> Result<()> {
    let begun = Instant::now();
    let said = root.run(
        "cd /tmp; export QEMU_CPU=cortex-a76; setpriv --reuid=rigel --regid=rigel --init-groups \
         rigeld check --only board models golden --board /etc/rigel/board.toml",
    )?;
    ensure!(
        said.contains("litert 2.1.0") && said.contains("passed: 3 of 3"),
        "rigeld check on an older system said:\n{said}"
    );
    let library = root.run("ldd --version | head -n 1")?;
    eprintln!(
        "{library}\n{said}\nchecked under emulation ({})",
        seconds(begun.elapsed())
    );
    Ok(())
}
