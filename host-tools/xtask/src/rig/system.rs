//! A disk with Debian for arm64 and our package installed on it, as a field engineer would have it: what the service is
//! tested on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::children::run_logged;
use crate::dist::root::{DEBIAN_12, Root};
use crate::dist::{Parts, VERSION};
use crate::install::{digest_of_file, remove};
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;

/// The board whose package is installed; they differ in the board file alone, and the machine gets one of its own.
const BOARD: &str = "rpi4";

/// Room for Debian, the package and an outbox.
const SIZE: &str = "1G";

/// Makes the disk where it is missing, or was made of another Debian or package.
pub(crate) fn disk(project: &Project, to: &Path) -> Result<()> {
    let made = Parts::build(project, BOARD)?.pack(&project.path("target/dist/test"), VERSION)?;
    let debian = DEBIAN_12.tarball(project)?;
    let made_of = format!("{} {}", digest_of_file(&debian)?, made.sha256);
    let marker = to.with_extension("made-of");
    if to.is_file() && std::fs::read_to_string(&marker).is_ok_and(|text| text == made_of) {
        return Ok(());
    }
    let root = Root::unpack(project, &DEBIAN_12, "service-root")?;
    let name = made.package.file_name().context("a package has a name")?;
    let inside = root.path("root").join(name);
    std::fs::copy(&made.package, &inside)
        .with_context(|| format!("cannot copy {}", made.package.display()))?;
    root.run(&format!("dpkg --install /root/{}", name.to_string_lossy()))?;
    remove(&inside)?;
    remove(to)?;
    let bar = Bar::spinner("writing the service's disk");
    let mut make =
        Command::new(programs::find("mkfs.ext4").context("e2fsprogs is installed everywhere")?);
    make.args(["-q", "-d"])
        .arg(root.path("/"))
        .arg(to)
        .arg(SIZE);
    run_logged(
        "mkfs.ext4",
        &mut make,
        &project.fetched("logs/disk.log"),
        &bar,
    )?;
    std::fs::write(&marker, made_of)
        .with_context(|| format!("cannot write {}", marker.display()))?;
    bar.done("written");
    Ok(())
}
