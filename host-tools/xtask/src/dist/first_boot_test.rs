//! A card's way from the desk to its first boot: provisioned, flashed, and the package installed by what was flashed, in an
//! emulated Debian for arm64.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::Made;
use super::root::{DEBIAN_12, Root};
use crate::build;
use crate::children::{create_folder, shown};
use crate::install::remove;
use crate::layout::Project;
use crate::progress::seconds;

/// The unit that the card is flashed with.
const UNIT: &str = "/etc/systemd/system/rigel-first-boot.service";

/// Goes that way; the error tells what a field engineer would find wrong.
pub(crate) fn run(project: &Project, made: &Made) -> Result<()> {
    let begun = Instant::now();
    build::everything(project)?;
    let desk = project.path("target/dist/desk");
    remove(&desk)?;
    create_folder(&desk)?;
    let root = Root::unpack(project, &DEBIAN_12, "first-boot-test")?;
    let rigel = |arguments: &[&std::ffi::OsStr]| {
        let mut rigel = Command::new(project.path("target/debug/rigel"));
        said(rigel.args(arguments).current_dir(&desk))
    };
    let package = made.package.as_os_str();
    let provision =
        "provision rig-7 --site north --board rpi4 --broker desk.lan --out rigs/rig-7 --package";
    let mut arguments: Vec<&std::ffi::OsStr> = provision.split(' ').map(AsRef::as_ref).collect();
    arguments.push(package);
    rigel(&arguments)?;

    let card = root.path("/");
    let flash = |more: &str| {
        let mut arguments: Vec<&std::ffi::OsStr> =
            ["flash", "rigs/rig-7", "--to"].map(AsRef::as_ref).to_vec();
        arguments.push(card.as_os_str());
        arguments.extend(
            more.split_whitespace()
                .map(AsRef::<std::ffi::OsStr>::as_ref),
        );
        rigel(&arguments)
    };
    flash("--apply")?;
    let warnings = root.run(&format!("systemd-analyze verify {UNIT}"))?;
    ensure!(warnings.is_empty(), "systemd about {UNIT}:\n{warnings}");
    // What the service manager would run.
    root.run(&format!("$(sed -n 's/^ExecStart=//p' {UNIT})"))?;
    let status = root.run("dpkg-query --show --showformat='${Status}' rigel-firmware")?;
    ensure!(
        status == "install ok installed",
        "after the first boot the package is {status:?}"
    );
    root.run(
        "setpriv --reuid=rigel --regid=rigel --init-groups cat /etc/rigel/tls/rig.key >/dev/null",
    )
    .context("rigeld cannot read the key that came with the card")?;
    root.run("grep -q '^rig = \"rig-7\"' /etc/rigel/board.toml")
        .context("the package took the place of the rig's own board file")?;
    let mark = root.run(&format!("sed -n 's/^ConditionPathExists=!//p' {UNIT}"))?;
    ensure!(
        root.path(&mark).exists(),
        "without {mark} the next boot would install the package again"
    );
    // The package has given the key to its group, and that is as it is to be.
    let again = flash("")?;
    ensure!(
        again.contains("Nothing to do"),
        "after the first boot, flashing the same again would change:\n{again}"
    );
    remove(&desk)?;
    eprintln!(
        "provisioned, flashed and installed at the first boot ({})",
        seconds(begun.elapsed())
    );
    Ok(())
}

/// What a program prints, or an error with what it says.
fn said(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", Path::new(command.get_program()).display()))?;
    if !output.status.success() {
        bail!(
            "`{}` failed:\n{}",
            shown(command),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
