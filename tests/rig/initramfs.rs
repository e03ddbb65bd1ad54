//! The file system that a machine boots from: a cpio archive in the kernel's `newc` form, written here so that no root and
//! no staging folder are needed. It is not compressed: an emulated processor unpacks slowly.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
const CONSOLE: u32 = 0o020_600;

/// An archive being written.
#[derive(Debug, Default)]
pub(crate) struct Initramfs {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    entries: u32,
}

impl Initramfs {
    /// A file that is read.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) {
        self.put(path, FILE, content);
    }

    /// A file that is run.
    pub(crate) fn program(&mut self, path: &str, content: &[u8]) {
        self.put(path, PROGRAM, content);
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) {
        self.put(path, LINK, target.as_bytes());
    }

    /// `/dev/console`: without it the first program has nowhere to speak.
    pub(crate) fn console(&mut self) {
        self.folders_above("dev/console");
        self.entry("dev/console", CONSOLE, (5, 1), b"");
    }

    /// A file of this machine, as a program where it is one here.
    pub(crate) fn copy(&mut self, path: &str, from: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let read = || -> std::io::Result<(Vec<u8>, u32)> {
            Ok((std::fs::read(from)?, from.metadata()?.permissions().mode()))
        };
        let (content, mode) = read().with_context(|| format!("cannot read {}", from.display()))?;
        if mode & 0o100 == 0 {
            self.file(path, &content);
        } else {
            self.program(path, &content);
        }
        Ok(())
    }

    /// A folder of this machine with everything in it; links are followed.
    pub(crate) fn copy_folder(&mut self, path: &str, from: &Path) -> Result<()> {
        let listing =
            std::fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?;
        for entry in listing {
            let entry = entry.with_context(|| format!("cannot list {}", from.display()))?;
            let inner = format!("{path}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                self.copy_folder(&inner, &entry.path())?;
            } else {
                self.copy(&inner, &entry.path())?;
            }
        }
        Ok(())
    }

    /// Writes the archive.
    pub(crate) fn write(mut self, to: &Path) -> Result<()> {
        self.entry("TRAILER!!!", 0, (0, 0), b"");
        std::fs::File::create(to)
            .and_then(|mut file| file.write_all(&self.bytes))
            .with_context(|| format!("cannot write {}", to.display()))
    }

    fn put(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.folders_above(path);
        self.entry(path, mode, (0, 0), content);
    }

    fn folders_above(&mut self, path: &str) {
        for (end, _) in path.match_indices('/') {
            if self.folders.insert(path[..end].to_owned()) {
                self.entry(&path[..end], FOLDER, (0, 0), b"");
            }
        }
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.entries += 1;
        let links = if mode == FOLDER { 2 } else { 1 };
        let fields = [
            self.entries,
            mode,
            0,
            0,
            links,
            0,
            content.len() as u32,
            0,
            0,
            device.0,
            device.1,
            path.len() as u32 + 1,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes
                .extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(content);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_one_that_others_can_read() {
        let mut archive = Initramfs::default();
        archive.console();
        archive.file("etc/a/words", b"three");
        archive.program("bin/run", b"#!/bin/sh\n");
        archive.link("bin/sh", "busybox");
        let expected = [
            "dev",
            "dev/console",
            "etc",
            "etc/a",
            "etc/a/words",
            "bin",
            "bin/run",
            "bin/sh",
            "TRAILER!!!",
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        archive.write(&path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let mut at = 0;
        let mut names = Vec::new();
        while at < bytes.len() {
            assert_eq!(&bytes[at..at + 6], b"070701");
            let field = |number: usize| {
                let start = at + 6 + 8 * number;
                usize::from_str_radix(std::str::from_utf8(&bytes[start..start + 8]).unwrap(), 16)
                    .unwrap()
            };
            let (size, name) = (field(6), field(11));
            let name_at = at + 110;
            names.push(String::from_utf8(bytes[name_at..name_at + name - 1].to_vec()).unwrap());
            let content = (name_at + name).next_multiple_of(4);
            if names.last().unwrap() == "etc/a/words" {
                assert_eq!(&bytes[content..content + size], b"three");
            }
            at = (content + size).next_multiple_of(4);
        }
        assert_eq!(names, expected);
    }
}
