//! Packages of the distribution that are unpacked beside the machine and not installed on it: kernels and libraries for
//! emulated machines. apt fetches and verifies them; names of kernels move with every security update and are asked for.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::progress::Bar;

/// What a package that only names others depends on, by the beginning of its name: `linux-image-arm64:arm64` depends on
/// the kernel of today.
pub(crate) fn resolve(meta: &str, beginning: &str) -> Result<String> {
    let output = Command::new("apt-cache")
        .args(["depends", "--important", meta])
        .output()
        .context("cannot start apt-cache")?;
    let text = String::from_utf8_lossy(&output.stdout);
    dependency(&text, beginning).with_context(|| {
        format!(
            "the distribution's lists know no {meta}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )
    })
}

fn dependency(depends: &str, beginning: &str) -> Option<String> {
    depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with(beginning))
        .map(str::to_owned)
}

/// Unpacks packages into one folder of their own; what is there of the same versions stays.
pub(crate) fn unpack(project: &Project, packages: &[String], into: &Path) -> Result<()> {
    let kept = project.fetched("machines/packages");
    create_folder(&kept)?;
    let log = project.fetched("logs/apt-download.log");
    let bar = Bar::spinner(&format!("unpacking {}", packages.join(", ")));
    let files = files_of(packages)?;
    let marker = into.join(".packages");
    if std::fs::read_to_string(&marker).is_ok_and(|made_of| made_of == files.join("\n")) {
        bar.done("unchanged, kept");
        return Ok(());
    }
    let mut download = Command::new("apt-get");
    download
        .args(["-o", "APT::Sandbox::User=root", "download"])
        .args(packages)
        .current_dir(&kept);
    run_logged("apt-get", &mut download, &log, &bar)?;
    remove(into)?;
    create_folder(into)?;
    for file in &files {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("-x").arg(kept.join(file)).arg(into);
        run_logged("dpkg-deb", &mut unpack, &log, &bar)?;
    }
    std::fs::write(&marker, files.join("\n"))
        .with_context(|| format!("cannot write {}", marker.display()))?;
    bar.done("unpacked");
    Ok(())
}

/// The file names that apt will give them.
fn files_of(packages: &[String]) -> Result<Vec<String>> {
    let output = Command::new("apt-get")
        .args(["download", "--print-uris"])
        .args(packages)
        .output()
        .context("cannot start apt-get")?;
    if !output.status.success() {
        bail!(
            "apt cannot fetch {}: {}",
            packages.join(", "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    // 'ADDRESS' FILE SIZE DIGEST
    let text = String::from_utf8_lossy(&output.stdout);
    let files: Vec<String> = text
        .lines()
        .filter_map(|line| line.split(' ').nth(1).map(str::to_owned))
        .collect();
    if files.len() != packages.len() {
        bail!("apt names {files:?} for {}", packages.join(", "));
    }
    Ok(files)
}

/// The only folder inside `folder`.
pub(crate) fn only_folder(folder: &Path) -> Result<PathBuf> {
    let mut listing = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .flatten();
    match (listing.next(), listing.next()) {
        (Some(one), None) => Ok(one.path()),
        _ => bail!("{} should hold one folder", folder.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_of_today_is_what_the_named_package_depends_on() {
        let depends = "linux-image-arm64:arm64\n  Depends: linux-image-6.1.0-56-arm64:arm64\n";
        assert_eq!(
            dependency(depends, "linux-image-").as_deref(),
            Some("linux-image-6.1.0-56-arm64:arm64")
        );
        assert_eq!(dependency("", "linux-image-"), None);
    }
}
