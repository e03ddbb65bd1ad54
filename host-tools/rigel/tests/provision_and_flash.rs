//! `rigel provision` and `rigel flash`, as a field engineer runs them: onto a folder that stands for a card, and over SSH.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "provision_and_flash/card.rs"]
mod card;
#[path = "provision_and_flash/desk.rs"]
mod desk;
#[path = "provision_and_flash/over_ssh.rs"]
mod over_ssh;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A desk's folder with the rigs that it makes, and a folder that stands for a card.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let card = folder.path().join("card");
        fs::create_dir_all(card.join("etc")).unwrap();
        fs::create_dir_all(card.join("usr/lib")).unwrap();
        fs::write(card.join("usr/lib/ld-linux-aarch64.so.1"), "").unwrap();
        fs::write(
            card.join("usr/lib/os-release"),
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n",
        )
        .unwrap();
        Self { folder }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs `rigel` in the desk's folder.
    fn rigel(&self, arguments: &[&str]) -> Output {
        self.rigel_with_path(arguments, &std::env::var("PATH").unwrap())
    }

    fn rigel_with_path(&self, arguments: &[&str], path: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rigel"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .output()
            .unwrap()
    }

    fn provision(&self, more: &[&str]) -> Output {
        let arguments = [
            "provision",
            "rig-7",
            "--site",
            "north",
            "--board",
            "rpi4",
            "--broker",
            "desk.lan",
            "--out",
            "rigs/rig-7",
        ];
        self.rigel(&[&arguments[..], more].concat())
    }

    /// A file that passes for a package; returns its name.
    fn package(&self, name: &str, content: &str) -> String {
        fs::write(
            self.path(name),
            format!("!<arch>\ndebian-binary   {content}"),
        )
        .unwrap();
        name.to_owned()
    }

    fn flash(&self, more: &[&str]) -> Output {
        self.rigel(&[&["flash", "rigs/rig-7"], more].concat())
    }

    fn on_card(&self, path: &str) -> PathBuf {
        self.path("card").join(path.trim_start_matches('/'))
    }
}

/// Standard output of a run that went well.
fn good(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error of a run that did not.
fn bad(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every file below a folder with all that can be seen of it.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, std::time::SystemTime, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let bytes = if about.is_file() {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            if about.is_dir() {
                folders.push(path.clone());
            }
            files.insert(
                path,
                (about.permissions().mode(), about.modified().unwrap(), bytes),
            );
        }
    }
    files
}

/// A private key's text without its first and last line.
fn key_text(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    assert!(lines[0].len() > 20);
    lines[0].to_owned()
}
