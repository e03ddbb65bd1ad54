//! Python environments for tools that need packages: one a purpose, made from a file of exact versions, made again when
//! that file changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::children::run_logged;
use crate::install::{digest_of_file, remove};
use crate::layout::Project;
use crate::package::{Registry, advise};
use crate::programs;
use crate::progress::Bar;

/// What an environment is for.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The folder is `.rigel/venv-<purpose>`.
    pub(crate) purpose: &'static str,
    /// Relative to this crate.
    pub(crate) requirements: &'static str,
    /// The minor versions of Python 3 that all its packages have wheels for, first choice last.
    pub(crate) python: std::ops::RangeInclusive<u32>,
    /// The machines they have wheels for, as Rust names them.
    pub(crate) archs: &'static [&'static str],
}

/// The ruler of `bench --accuracy`.
pub(crate) const RULER: Environment = Environment {
    purpose: "ruler",
    requirements: "ruler/requirements.txt",
    python: 10..=14,
    archs: &["x86_64", "aarch64"],
};
/// The peer of `bench`.
pub(crate) const PEER: Environment = Environment {
    purpose: "peer",
    requirements: "peer/requirements.txt",
    python: 9..=12,
    archs: &["x86_64"],
};
/// Schemathesis, for the step of `test` that holds the API to its description.
pub(crate) const API_CHECK: Environment = Environment {
    purpose: "api-check",
    requirements: "api-check/requirements.txt",
    python: 11..=14,
    archs: &["x86_64", "aarch64"],
};

/// Zig, which links rigs' programs against an older C library than this machine's, for `dist`.
pub(crate) const LINKER: Environment = Environment {
    purpose: "linker",
    requirements: "linker/requirements.txt",
    python: 9..=14,
    archs: &["x86_64"],
};

/// The readers of exports, for `test`.
pub(crate) const READERS: Environment = Environment {
    purpose: "readers",
    requirements: "readers/requirements.txt",
    python: 11..=13,
    archs: &["x86_64"],
};

impl Environment {
    /// Whether its packages have wheels for this machine.
    pub(crate) fn is_for_this_machine(&self) -> bool {
        self.archs.contains(&std::env::consts::ARCH)
    }

    /// The environment's interpreter, making the environment first where needed.
    pub(crate) fn ensure(&self, project: &Project) -> Result<PathBuf> {
        let folder = project.fetched(&format!("venv-{}", self.purpose));
        let requirements = project.path("host-tools/xtask").join(self.requirements);
        let digest = digest_of_file(&requirements)?;
        let marker = folder.join("made-from");
        let python = folder.join("bin/python");
        if python.exists() && std::fs::read_to_string(&marker).is_ok_and(|made| made == digest) {
            return Ok(python);
        }
        if !self.is_for_this_machine() {
            bail!(
                "the {} has no wheels for {}, only for {}",
                self.purpose,
                std::env::consts::ARCH,
                self.archs.join(", ")
            );
        }
        let base = self.find_python()?;
        remove(&folder)?;
        let bar = Bar::spinner(&format!(
            "making the Python environment for the {}",
            self.purpose
        ));
        let log = project.fetched(&format!("logs/venv-{}.log", self.purpose));
        make(project, &base, &folder, &log, &bar)?;
        let mut pip = Command::new(&python);
        pip.args([
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--only-binary=:all:",
            "--progress-bar=off",
            "--disable-pip-version-check",
            "-r",
        ]);
        run_logged("pip", pip.arg(&requirements), &log, &bar)
            .map_err(|error| advise(error, Registry::Pypi))?;
        std::fs::write(&marker, digest)
            .with_context(|| format!("cannot write {}", marker.display()))?;
        bar.done("made");
        Ok(python)
    }

    fn find_python(&self) -> Result<PathBuf> {
        let named = self
            .python
            .clone()
            .rev()
            .map(|minor| format!("python3.{minor}"));
        let mut seen = Vec::new();
        for name in std::iter::once("python3".to_owned()).chain(named) {
            let Some(path) = programs::find(&name) else {
                continue;
            };
            match minor_version(&path) {
                Some(minor) if self.python.contains(&minor) => return Ok(path),
                Some(minor) => seen.push(format!("3.{minor}")),
                None => {}
            }
        }
        let (low, high) = (self.python.start(), self.python.end());
        let found = if seen.is_empty() {
            "none".to_owned()
        } else {
            seen.join(", ")
        };
        bail!(
            "the {} needs Python 3.{low} to 3.{high}, for which its packages have wheels; found: {found}",
            self.purpose
        )
    }
}

fn make(project: &Project, base: &Path, folder: &Path, log: &Path, bar: &Bar) -> Result<()> {
    let venv = || {
        run_logged(
            "python3",
            Command::new(base).args(["-m", "venv"]).arg(folder),
            log,
            bar,
        )
    };
    let Err(error) = venv() else { return Ok(()) };
    // Debian splits the module off; its own message names the package.
    if !format!("{error:#}").contains("ensurepip") {
        return Err(error);
    }
    if !programs::may_install() {
        return Err(
            error.context("Python's venv module is missing: sudo apt-get install python3-venv")
        );
    }
    remove(folder)?;
    programs::install(project, &["python3-venv"])?;
    venv()
}

fn minor_version(python: &Path) -> Option<u32> {
    // A shim may answer for a version that is not there: then it fails, and does not count.
    let output = Command::new(python)
        .args(["-c", "import sys; print(*sys.version_info[:2])"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix("3 ")?.parse().ok()
}
