//! The folder that `rigel provision` makes of a rig and `rigel flash` writes onto it.
//!
//! ```text
//! FOLDER/rig.json       what the rig is, and which files are its own
//! FOLDER/root/…         those files, where they are to lie on the rig
//! FOLDER/../ca/SITE/    the site's authority, and its broker's certificate: never on a rig
//! ```

use crate::place;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Version of `rig.json`.
const VERSION: u32 = 1;

/// Where the parts of a rig lie on it.
pub(crate) const BOARD: &str = "/etc/rigel/board.toml";
pub(crate) const CA: &str = "/etc/rigel/tls/ca.crt";
pub(crate) const CERTIFICATE: &str = "/etc/rigel/tls/rig.crt";
pub(crate) const KEY: &str = "/etc/rigel/tls/rig.key";
pub(crate) const UPDATES: &str = "/etc/rigel/update.crt";
pub(crate) const FIRST_BOOT: &str = "/var/lib/rigel-first-boot";
pub(crate) const FIRST_BOOT_UNIT: &str = "/etc/systemd/system/rigel-first-boot.service";
pub(crate) const FIRST_BOOT_LINK: &str =
    "/etc/systemd/system/multi-user.target.wants/rigel-first-boot.service";

/// Mode of a key.
pub(crate) const SECRET_MODE: u32 = 0o600;

/// What is in `rig.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    version: u32,
    pub(crate) site: String,
    pub(crate) rig: String,
    /// Name of the board file it was begun with.
    pub(crate) board: String,
    pub(crate) broker: String,
    /// SHA-256 of the certificate of the authority that signed the rig's.
    pub(crate) authority: String,
    /// The package that is installed at the first boot.
    pub(crate) package: Option<String>,
    pub(crate) files: Vec<RigFile>,
}

/// A file of a rig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RigFile {
    /// Where it lies on the rig.
    pub(crate) path: String,
    /// Its mode in octal digits; none for a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<String>,
    /// What it points at, for a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
}

impl RigFile {
    pub(crate) fn file(path: &str, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            mode: Some(format!("{mode:04o}")),
            link: None,
        }
    }

    pub(crate) fn link(path: &str, to: &str) -> Self {
        Self {
            path: path.to_owned(),
            mode: None,
            link: Some(to.to_owned()),
        }
    }

    /// Its mode, of a file.
    pub(crate) fn mode_bits(&self) -> Option<u32> {
        u32::from_str_radix(self.mode.as_deref()?, 8).ok()
    }
}

impl Manifest {
    pub(crate) fn new(site: &str, rig: &str) -> Self {
        Self {
            version: VERSION,
            site: site.to_owned(),
            rig: rig.to_owned(),
            board: String::new(),
            broker: String::new(),
            authority: String::new(),
            package: None,
            files: Vec::new(),
        }
    }

    /// The manifest of a folder; `None` where the folder is not there or empty.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = manifest_path(folder);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let has_files = fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
                if has_files {
                    bail!(
                        "{} holds files and no rig.json: it is no folder of `rigel provision`",
                        folder.display()
                    );
                }
                return Ok(None);
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let manifest: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is no rig.json of this version", path.display()))?;
        if manifest.version != VERSION {
            bail!(
                "{} has version {}, and this rigel knows version {VERSION}: use the rigel that made it, or make the folder anew",
                path.display(),
                manifest.version
            );
        }
        for file in &manifest.files {
            let plain = Path::new(&file.path)
                .components()
                .skip(1)
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            if !file.path.starts_with('/')
                || !plain
                || (file.mode_bits().is_none() && file.link.is_none())
            {
                bail!(
                    "{} names a file that cannot be: {}",
                    path.display(),
                    file.path
                );
            }
        }
        Ok(Some(manifest))
    }

    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = manifest_path(folder);
        let text = serde_json::to_string_pretty(self).context("cannot write rig.json")? + "\n";
        place::write_whole(&path, text.as_bytes(), 0o644)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

fn manifest_path(folder: &Path) -> PathBuf {
    folder.join("rig.json")
}

/// Where a file of the rig lies in the folder.
pub(crate) fn in_folder(folder: &Path, on_rig: &str) -> PathBuf {
    folder.join("root").join(on_rig.trim_start_matches('/'))
}
