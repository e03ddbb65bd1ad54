//! The review page: its scripts are bundled by npm, and again only when something they are made from has changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::children::{create_folder, run_logged};
use crate::install::hexadecimal;
use crate::layout::Project;
use crate::package::{Registry, advise};
use crate::programs;
use crate::progress::Bar;

/// The page's folder in the checkout.
const FOLDER: &str = "host-tools/review/web";
/// What npm makes or fetches; everything else in the folder is an input.
const MADE: [&str; 2] = ["node_modules", "dist"];

/// What [`build`] did.
#[derive(Debug, PartialEq)]
pub(crate) enum Built {
    /// The inputs have not changed since the last build.
    Kept,
    /// Built now.
    Now,
}

/// Installs the page's pinned packages and bundles it, where needed.
pub(crate) fn build(project: &Project) -> Result<Built> {
    let web = project.path(FOLDER);
    let inputs = digest_of_inputs(&web)?;
    let marker = project.fetched("page.inputs");
    if web.join("dist").is_dir()
        && std::fs::read_to_string(&marker).is_ok_and(|built| built == inputs)
    {
        return Ok(Built::Kept);
    }
    install_packages(project)?;
    let bar = Bar::spinner("building the review page");
    run_logged(
        "npm",
        npm(project).args(["run", "build"]),
        &project.fetched("logs/page-build.log"),
        &bar,
    )?;
    create_folder(&project.fetched(""))?;
    std::fs::write(&marker, inputs)
        .with_context(|| format!("cannot write {}", marker.display()))?;
    bar.done("built");
    Ok(Built::Now)
}

/// Fetches the packages of the page's lock file, where they are not there already.
pub(crate) fn install_packages(project: &Project) -> Result<()> {
    let web = project.path(FOLDER);
    if programs::find("npm").is_none() {
        if !programs::may_install() {
            anyhow::bail!(
                "npm is missing, and the review page is built with it: sudo apt-get install nodejs npm"
            );
        }
        programs::install(project, &["nodejs", "npm"])?;
    }
    check_node(&web)?;
    let lock = std::fs::read(web.join("package-lock.json"))
        .with_context(|| format!("cannot read {FOLDER}/package-lock.json"))?;
    let lock = hexadecimal(&Sha256::digest(&lock));
    let marker = web.join("node_modules/.installed-lock");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    let bar = Bar::spinner("fetching the review page's packages");
    let log = project.fetched("logs/page-packages.log");
    run_logged(
        "npm",
        npm(project).args(["ci", "--no-audit", "--no-fund"]),
        &log,
        &bar,
    )
    .map_err(|error| advise(error, Registry::Npm))?;
    create_folder(&web.join("node_modules"))?;
    std::fs::write(&marker, lock).with_context(|| format!("cannot write {}", marker.display()))?;
    bar.done("fetched, hashes as in the lock file");
    Ok(())
}

/// An old Node fails deep inside the bundler, with words that do not name the cause.
fn check_node(web: &Path) -> Result<()> {
    let path = web.join("package.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let package: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    let needed = package["engines"]["node"]
        .as_str()
        .unwrap_or_default()
        .trim_start_matches(">=");
    let output = Command::new("node")
        .arg("--version")
        .output()
        .context("node is missing, and the review page is built with it")?;
    let found = String::from_utf8_lossy(&output.stdout)
        .trim()
        .trim_start_matches('v')
        .to_owned();
    if version(&found) < version(needed) {
        anyhow::bail!(
            "Node {found} is too old to build the review page: it needs {needed} or newer, first on the PATH"
        );
    }
    Ok(())
}

/// The numbers of `20.19.2`, for comparing.
fn version(text: &str) -> Vec<u32> {
    text.split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

/// npm, working on the page.
pub(crate) fn npm(project: &Project) -> Command {
    let mut command = Command::new("npm");
    command
        .arg("--prefix")
        .arg(project.path(FOLDER))
        .current_dir(project.path(FOLDER));
    command
}

fn digest_of_inputs(web: &Path) -> Result<String> {
    let mut files = Vec::new();
    list_inputs(web, &mut files).with_context(|| format!("cannot list {}", web.display()))?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let bytes =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        digest.update(
            file.strip_prefix(web)
                .unwrap_or(&file)
                .to_string_lossy()
                .as_bytes(),
        );
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(hexadecimal(&digest.finalize()))
}

fn list_inputs(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if !MADE.iter().any(|made| entry.file_name() == *made) {
                list_inputs(&entry.path(), files)?;
            }
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(version("20.9.0") < version("20.19"));
        assert!(version("20.19.0") >= version("20.19"));
        assert!(version("22.1.0") > version("20.19"));
    }

    #[test]
    fn the_digest_follows_inputs_and_not_what_npm_made() {
        let folder = tempfile::tempdir().unwrap();
        let web = folder.path();
        std::fs::create_dir_all(web.join("src")).unwrap();
        std::fs::write(web.join("src/page.ts"), "one").unwrap();
        let first = digest_of_inputs(web).unwrap();
        std::fs::create_dir_all(web.join("node_modules/x")).unwrap();
        std::fs::write(web.join("node_modules/x/y.js"), "fetched").unwrap();
        assert_eq!(digest_of_inputs(web).unwrap(), first);
        std::fs::write(web.join("src/page.ts"), "two").unwrap();
        assert_ne!(digest_of_inputs(web).unwrap(), first);
    }
}
