//! Fetching one package archive from its registry with the registry's own client, so that mirrors, proxies and
//! certificates are the user's own settings and no address is written down here.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::children::{Failed, create_folder, run_logged_with};
use crate::install::{digest_of_file, remove};
use crate::progress::Bar;

/// Which client fetches a package.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Registry {
    /// `pip download`
    Pypi,
    /// `npm pack`
    Npm,
}

impl Registry {
    /// `pypi:NAME==VERSION` or `npm:NAME@VERSION` as (registry, name with version as the client wants it).
    pub(crate) fn split(package: &str) -> Option<(Self, &str)> {
        let (registry, spec) = package.split_once(':')?;
        let (registry, between) = match registry {
            "pypi" => (Self::Pypi, "=="),
            "npm" => (Self::Npm, "@"),
            _ => return None,
        };
        let (name, version) = spec.rsplit_once(between)?;
        (!name.is_empty() && !version.is_empty()).then_some((registry, spec))
    }
}

/// One archive with its pin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Package {
    /// `pypi:NAME==VERSION` or `npm:NAME@VERSION`.
    #[serde(rename = "package")]
    pub(crate) id: String,
    /// Python version and platform of a wheel that is not for all: `cp311-manylinux_2_27_x86_64`.
    pub(crate) wheel: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Package {
    /// A file name for the archive, one per package and wheel.
    pub(crate) fn file_name(&self) -> String {
        let name = self.id.clone() + "-" + self.wheel.as_deref().unwrap_or("any");
        name.chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._-".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect()
    }
}

/// Brings an archive into `folder` and returns its path; a good one already there is taken as it is.
pub(crate) fn fetch(package: &Package, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(package.file_name());
    if path.is_file() && digest_of_file(&path)? == package.sha256 {
        return Ok(path);
    }
    let (registry, spec) =
        Registry::split(&package.id).context("checked when the list was read")?;
    let partial = folder.join(format!("{}.part", package.file_name()));
    remove(&partial)?;
    let scratch = partial.join("scratch");
    create_folder(&scratch)?;
    let mut command = match registry {
        Registry::Pypi => pip_download(spec, package.wheel.as_deref(), &partial)?,
        Registry::Npm => npm_pack(spec, &partial, &scratch),
    };
    // Both clients stream into a temporary folder; given ours, its size is the progress.
    command.env("TMPDIR", &scratch);
    let bar = Bar::bytes(spec, package.bytes);
    let log = folder
        .with_file_name("logs")
        .join(format!("{}.log", package.file_name()));
    let ran = run_logged_with(spec, &mut command, &log, || {
        bar.set(size_of_folder(&partial).min(package.bytes));
    });
    ran.map_err(|error| advise(error, registry))?;
    let archive = find_archive(&partial)
        .with_context(|| format!("{spec}: the client succeeded but left no archive"))?;
    let digest = digest_of_file(&archive)?;
    if digest != package.sha256 {
        let bytes = archive.metadata()?.len();
        remove(&partial)?;
        bail!(
            "{spec} came with sha256 {digest} and {bytes} bytes, but {} and {} bytes are pinned: it was not installed. \
             A proxy or mirror may have changed it; try another network, or compare the pin in host-tools/xtask/assets.toml",
            package.sha256,
            package.bytes
        );
    }
    std::fs::rename(&archive, &path)
        .with_context(|| format!("cannot rename into {}", path.display()))?;
    remove(&partial)?;
    bar.done("fetched, sha256 as pinned");
    Ok(path)
}

fn pip_download(spec: &str, wheel: Option<&str>, into: &Path) -> Result<Command> {
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--progress-bar=off",
    ]);
    command
        .args(["--disable-pip-version-check", "--retries=2", "--dest"])
        .arg(into);
    if let Some(wheel) = wheel {
        let (python, platform) = wheel
            .split_once('-')
            .with_context(|| format!("wheel {wheel:?} must read cp311-PLATFORM"))?;
        command.args([
            "--python-version",
            python.trim_start_matches("cp"),
            "--platform",
            platform,
        ]);
    }
    command.arg(spec);
    Ok(command)
}

fn npm_pack(spec: &str, into: &Path, cache: &Path) -> Command {
    let mut command = Command::new("npm");
    command.args([
        "pack",
        "--loglevel=error",
        "--fetch-retries=2",
        "--fetch-retry-mintimeout=1000",
        "--fetch-retry-maxtimeout=5000",
    ]);
    command
        .arg("--cache")
        .arg(cache)
        .arg("--pack-destination")
        .arg(into)
        .arg(spec);
    command
}

/// Says what to do next, by what the client said.
pub(crate) fn advise(error: anyhow::Error, registry: Registry) -> anyhow::Error {
    let (program, package) = match registry {
        Registry::Pypi => ("pip", "python3-pip"),
        Registry::Npm => ("npm", "npm"),
    };
    let failed = error.downcast_ref::<Failed>();
    let said = failed.map_or_else(|| format!("{error:#}"), Failed::output);
    let known = |cause: Cause| {
        match cause {
        Cause::Missing => format!(
            "{program} is missing: install it (on Debian or Ubuntu: apt-get install {package}) and run the command again"
        ),
        Cause::NoRoom => "the disk is full: free some room and run the command again".to_owned(),
        Cause::NotAllowed => "a folder may not be written: does .rigel belong to another user, after a run as root perhaps?".to_owned(),
        Cause::Unreachable => format!(
            "the registry could not be reached: check the network, and {program}'s proxy or mirror settings, and run the command again"
        ),
    }
    };
    match (cause_of(&said), failed) {
        (Some(cause), Some(failed)) => anyhow::anyhow!("{} ({})", known(cause), failed.in_short()),
        (Some(cause), None) => error.context(known(cause)),
        (None, _) => error,
    }
}

/// Why a client fails, as far as it can be told from its words.
#[derive(Debug, PartialEq)]
enum Cause {
    Missing,
    NoRoom,
    NotAllowed,
    Unreachable,
}

fn cause_of(said: &str) -> Option<Cause> {
    let signs = [
        (
            Cause::Missing,
            &["No module named pip", "(os error 2)"] as &[&str],
        ),
        (Cause::NoRoom, &["No space left", "ENOSPC"]),
        (Cause::NotAllowed, &["Permission denied", "EACCES"]),
        (
            Cause::Unreachable,
            &[
                "NewConnectionError",
                "NameResolutionError",
                "name resolution",
                "Network is unreachable",
                "ProxyError",
                "Max retries exceeded",
                "timed out",
                "ENOTFOUND",
                "EAI_AGAIN",
                "ECONNREFUSED",
                "ECONNRESET",
                "ETIMEDOUT",
                "ENETUNREACH",
            ],
        ),
    ];
    signs
        .into_iter()
        .find(|(_, signs)| signs.iter().any(|sign| said.contains(sign)))
        .map(|(cause, _)| cause)
}

fn find_archive(folder: &Path) -> Option<PathBuf> {
    let mut paths = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| {
        path.extension()
            .is_some_and(|extension| extension == "whl" || extension == "tgz")
    })
}

fn size_of_folder(folder: &Path) -> u64 {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return 0;
    };
    // Files come and go while the client works: what cannot be read counts nothing.
    listing
        .flatten()
        .map(|entry| {
            entry.metadata().map_or(0, |seen| {
                if seen.is_dir() {
                    size_of_folder(&entry.path())
                } else {
                    seen.len()
                }
            })
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_names_keep_scopes_and_need_a_version() {
        assert_eq!(
            Registry::split("pypi:numpy==2.2.6"),
            Some((Registry::Pypi, "numpy==2.2.6"))
        );
        assert_eq!(
            Registry::split("npm:@a/b@1.2"),
            Some((Registry::Npm, "@a/b@1.2"))
        );
        for wrong in ["numpy==1", "pypi:numpy", "pypi:==1", "npm:@a/b", "ftp:a@1"] {
            assert_eq!(Registry::split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_cause_follows_from_what_the_client_said() {
        assert_eq!(
            cause_of("Temporary failure in name resolution"),
            Some(Cause::Unreachable)
        );
        assert_eq!(
            cause_of("npm error code EAI_AGAIN"),
            Some(Cause::Unreachable)
        );
        assert_eq!(
            cause_of("OSError: [Errno 28] No space left on device"),
            Some(Cause::NoRoom)
        );
        assert_eq!(
            cause_of("/usr/bin/python3: No module named pip"),
            Some(Cause::Missing)
        );
        assert_eq!(cause_of("ERROR: No matching distribution found"), None);
    }

    #[test]
    fn a_client_that_cannot_be_reached_is_told_in_one_line_and_another_failure_in_full() {
        let folder = tempfile::tempdir().unwrap();
        let told = |script: &str| {
            let mut command = Command::new("sh");
            let log = folder.path().join("log");
            let failed =
                run_logged_with("sh", command.args(["-c", script]), &log, || ()).unwrap_err();
            format!("{:#}", advise(failed, Registry::Pypi))
        };
        let unreachable = told("printf 'a\\nProxyError\\n'; exit 1");
        assert!(
            unreachable.contains("check the network") && !unreachable.contains('\n'),
            "{unreachable}"
        );
        assert!(told("echo the plain reason; exit 1").ends_with("the plain reason"));
    }
}
