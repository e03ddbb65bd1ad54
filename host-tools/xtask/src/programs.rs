//! Programs of the machine that Rigel or its tests run: the one on the PATH, else the distribution's package when we may
//! install it, else what to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::children::run_logged;
use crate::layout::Project;
use crate::progress::Bar;

/// The program `name`: on the PATH, or among the folders a service's program lies in that are not on every PATH.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// The program `name`, installed as `package` where it is missing and this user may install.
pub(crate) fn find_or_install(project: &Project, name: &str, package: &str) -> Result<PathBuf> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    if !may_install() {
        bail!(
            "{name} is missing, and only root may install it here: sudo apt-get install {package}"
        );
    }
    install(project, &[package])?;
    find(name).with_context(|| format!("apt-get installed {package}, but it brought no {name}"))
}

/// Whether the distribution's packages can be installed by us.
pub(crate) fn may_install() -> bool {
    nix::unistd::geteuid().is_root() && find("apt-get").is_some()
}

/// Installs packages of the distribution.
pub(crate) fn install(project: &Project, packages: &[&str]) -> Result<()> {
    apt_get(
        project,
        packages,
        lists_are_empty(Path::new("/var/lib/apt/lists")),
    )
}

/// Like [`install`], where the lists at hand cannot name the packages yet: a new architecture was added.
pub(crate) fn install_after_update(project: &Project, packages: &[&str]) -> Result<()> {
    apt_get(project, packages, true)
}

fn apt_get(project: &Project, packages: &[&str], update_first: bool) -> Result<()> {
    let bar = Bar::spinner(&format!(
        "installing {} from the distribution",
        packages.join(", ")
    ));
    let log = project.fetched("logs/apt-get.log");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-o", "DPkg::Lock::Timeout=300", "-y"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run_logged("apt-get", &mut command, &log, &bar)
    };
    let wanted = [&["install", "--no-install-recommends"], packages].concat();
    // Lists may be absent (a fresh image), or old and name versions that are no longer served.
    let done = if update_first {
        Err(anyhow::anyhow!("no lists, or old ones"))
    } else {
        apt(&wanted)
    };
    if done.is_err() {
        apt(&["update"])
            .context("the distribution's package lists could not be had: check the network")?;
        apt(&wanted).with_context(|| format!("{} could not be installed", packages.join(", ")))?;
    }
    bar.done("installed");
    Ok(())
}

fn lists_are_empty(folder: &Path) -> bool {
    let listing = std::fs::read_dir(folder).into_iter().flatten().flatten();
    !listing
        .into_iter()
        .any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_count_only_when_they_hold_packages() {
        let folder = tempfile::tempdir().unwrap();
        assert!(lists_are_empty(folder.path()));
        std::fs::write(folder.path().join("lock"), "").unwrap();
        assert!(lists_are_empty(folder.path()));
        std::fs::write(
            folder.path().join("mirror_main_binary-amd64_Packages.lz4"),
            "",
        )
        .unwrap();
        assert!(!lists_are_empty(folder.path()));
    }

    #[test]
    fn a_program_that_does_not_exist_is_not_found() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-here").is_none());
    }
}
