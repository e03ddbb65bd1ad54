//! Exports as those meet them who read them: `rigel export` writes, and each format's own maintained reader, in Python, says
//! what it read. That is compared with what is true of the store, label by label and frame by frame.
//!
//! The readers are packages of exact versions in `.rigel/venv-readers`, which `cargo xtask setup --for test` makes.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::large_futures,
    clippy::large_enum_variant,
    reason = "helpers of tests: a failure here is a failed test, a skipped one says so, and labels are large"
)]

#[path = "../../host-tools/review/tests/browser/mod.rs"]
#[expect(dead_code, reason = "the page's own tests do more with it")]
mod browser;
mod coco;
mod folder;
mod imports;
mod made;
mod measures;
mod media;
mod page;
mod pictures;
mod tables;
mod video;

use made::World;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A store, and what is true of it.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) world: World,
}

impl Desk {
    pub(crate) fn made() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let world = runtime.block_on(made::fill(folder.path()));
        Self { folder, world }
    }

    /// The same for whoever waits anyway.
    pub(crate) async fn made_now() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = made::fill(folder.path()).await;
        Self { folder, world }
    }

    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A subcommand of `rigel` on this desk, whatever becomes of it.
    pub(crate) fn rigel(&self, command: &str, more: &[&str]) -> Output {
        let rigel = end_to_end::binary("rigel", env!("CARGO_BIN_EXE_fixture-rig"));
        Command::new(rigel)
            .args([command, "--data"])
            .arg(self.folder.path())
            .args(more)
            .output()
            .unwrap()
    }

    /// The same, which has to succeed; what it says.
    pub(crate) fn says(&self, command: &str, more: &[&str]) -> String {
        let output = self.rigel(command, more);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// `rigel export`, whatever becomes of it.
    pub(crate) fn run(&self, format: &str, name: &str, more: &[&str]) -> Output {
        let rigel = end_to_end::binary("rigel", env!("CARGO_BIN_EXE_fixture-rig"));
        Command::new(rigel)
            .args(["export", "--data"])
            .arg(self.folder.path())
            .args(["--format", format, "--out"])
            .arg(self.out(name))
            .args(more)
            .output()
            .unwrap()
    }

    /// `rigel export`, which has to succeed. Returns the folder.
    pub(crate) fn export(&self, format: &str, name: &str, more: &[&str]) -> PathBuf {
        let output = self.run(format, name, more);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.out(name)
    }
}

/// What the reader of a format says it read; `None`, said aloud, where the readers are not there. `cargo xtask test` has
/// always made them.
pub(crate) fn read_by(script: &str, folder: &Path) -> Option<Json> {
    let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let python = project.join(".rigel/venv-readers/bin/python");
    if !python.exists() {
        assert!(
            std::env::var_os("RIGEL_BUILT").is_none(),
            "{} is missing",
            python.display()
        );
        eprintln!(
            "skipped: the readers are not there; `cargo xtask setup --for test` makes {}",
            python.display()
        );
        return None;
    }
    let output = Command::new(python)
        .arg("-W")
        .arg("ignore")
        .arg(project.join("tests/exports/readers").join(script))
        .arg(folder)
        // Some readers keep settings in the home folder.
        .env("HOME", folder.parent().unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script} could not read {}: {}",
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Two lists of the same things, in any order; the first differences are shown.
pub(crate) fn assert_same(mut read: Vec<String>, mut expected: Vec<String>) {
    read.sort();
    expected.sort();
    let missing: Vec<_> = expected
        .iter()
        .filter(|one| read.binary_search(one).is_err())
        .collect();
    let surplus: Vec<_> = read
        .iter()
        .filter(|one| expected.binary_search(one).is_err())
        .collect();
    assert!(
        missing.is_empty() && surplus.is_empty() && read.len() == expected.len(),
        "{} read, {} expected; missing {:#?}; surplus {:#?}",
        read.len(),
        expected.len(),
        &missing[..missing.len().min(5)],
        &surplus[..surplus.len().min(5)]
    );
    assert!(
        !expected.is_empty(),
        "a comparison of nothing shows nothing"
    );
}

/// Whether numbers agree; formats round, and say to what.
pub(crate) fn near(read: &[f64], expected: &[f64], tolerance: f64) -> bool {
    read.len() == expected.len()
        && read
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() <= tolerance)
}
