//! Files that are written whole or not at all.
//!
//! A file is staged beside its place, synced, and renamed there: who looks sees the old one or the new one, also after a
//! power cut.

use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that waits beside its place; it goes away unless it is put there.
#[derive(Debug)]
pub(crate) struct Staged {
    waits: Option<PathBuf>,
    place: PathBuf,
}

impl Staged {
    /// Writes a file beside its place. Nobody but the owner can read it until it has its mode.
    pub(crate) fn file(
        place: &Path,
        bytes: &[u8],
        mode: u32,
        group: Option<u32>,
    ) -> io::Result<Self> {
        let staged = Self::beside(place)?;
        let waits = staged.path();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(waits)?;
        file.write_all(bytes)?;
        if group.is_some() {
            std::os::unix::fs::chown(waits, None, group)?;
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        Ok(staged)
    }

    /// Makes a symbolic link beside its place.
    pub(crate) fn link(place: &Path, to: &str) -> io::Result<Self> {
        let staged = Self::beside(place)?;
        std::os::unix::fs::symlink(to, staged.path())?;
        Ok(staged)
    }

    fn beside(place: &Path) -> io::Result<Self> {
        let waits = waiting_name(place);
        // What an interrupted run left there.
        match fs::remove_file(&waits) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            waits: Some(waits),
            place: place.to_owned(),
        })
    }

    fn path(&self) -> &Path {
        self.waits.as_deref().unwrap_or(&self.place)
    }

    /// Puts it in its place.
    pub(crate) fn put(mut self) -> io::Result<()> {
        fs::rename(self.path(), &self.place)?;
        self.waits = None;
        sync_folder(&self.place)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(waits) = &self.waits {
            // It may never have been made.
            let _ = fs::remove_file(waits);
        }
    }
}

/// Where a file waits before it is put in its place.
pub(crate) fn waiting_name(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.rigel-new"))
}

fn sync_folder(of: &Path) -> io::Result<()> {
    match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(place: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    Staged::file(place, bytes, mode, None)?.put()
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Two digits a byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_put_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("board.toml");
        fs::write(&place, "old").unwrap();
        let staged = Staged::file(&place, b"new", 0o644, None).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "old");
        drop(staged);
        assert_eq!(fs::read_to_string(&place).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("rig.key");
        fs::write(waiting_name(&place), "half").unwrap();
        write_whole(&place, b"whole", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "whole");
        assert_eq!(
            fs::metadata(&place).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
