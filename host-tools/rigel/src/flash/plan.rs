//! What is to change on a rig: its own files, held against what lies there.

use crate::place;
use crate::rig_folder::{self, Manifest, RigFile, SECRET_MODE};
use anyhow::{Context, bail};
use std::fmt::Write as _;
use std::path::Path;

/// Mode of the rig's key where the service's group is known: the service reads it and nobody else.
const KEY_FOR_GROUP: u32 = 0o640;

/// A file as it is to be.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Its path on the rig.
    pub(crate) path: String,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    File {
        bytes: Vec<u8>,
        sha256: String,
        mode: u32,
        secret: bool,
    },
    Link {
        to: String,
    },
}

/// A file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum There {
    Nothing,
    File {
        mode: u32,
        group: u32,
        sha256: String,
    },
    Link {
        to: String,
    },
    /// Something that is not to be written over, in a word.
    Other(String),
}

/// What is known of the root file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct System {
    /// Its name, from `os-release`.
    pub(crate) name: Option<String>,
    /// The site and the rig that its board file names.
    pub(crate) site: Option<String>,
    pub(crate) rig: Option<String>,
    /// Number of the service's group; `None` before the package is there.
    pub(crate) group: Option<u32>,
    /// Whether it runs 64-bit ARM programs.
    pub(crate) arm64: bool,
    /// Whether `rigeld` is there.
    pub(crate) firmware: bool,
}

/// What happens to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Change,
    Keep,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) wanted: Wanted,
    pub(crate) there: There,
    pub(crate) action: Action,
    /// The group it gets, for the key.
    pub(crate) group: Option<u32>,
}

/// All of it, in the order in which it is put in place.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The service's group, which the folder of keys gets.
    pub(crate) group: Option<u32>,
}

/// Reads a rig's files from its folder.
pub(crate) fn wanted(folder: &Path, manifest: &Manifest) -> anyhow::Result<Vec<Wanted>> {
    manifest
        .files
        .iter()
        .map(|file| read(folder, file))
        .collect()
}

fn read(folder: &Path, file: &RigFile) -> anyhow::Result<Wanted> {
    let content = match (&file.link, file.mode_bits()) {
        (Some(to), _) => Content::Link { to: to.clone() },
        (None, Some(mode)) => {
            let path = rig_folder::in_folder(folder, &file.path);
            let bytes = std::fs::read(&path).with_context(|| {
                format!(
                    "cannot read {}: run `rigel provision` again for this folder",
                    path.display()
                )
            })?;
            Content::File {
                sha256: place::sha256(&bytes),
                bytes,
                mode,
                secret: mode == SECRET_MODE,
            }
        }
        (None, None) => bail!("{} names neither a mode nor a link", file.path),
    };
    Ok(Wanted {
        path: file.path.clone(),
        content,
    })
}

impl Plan {
    /// Holds what is wanted against what is there.
    pub(crate) fn new(
        wanted: Vec<Wanted>,
        there: Vec<There>,
        system: &System,
    ) -> anyhow::Result<Self> {
        let mut steps = Vec::new();
        for (mut wanted, there) in wanted.into_iter().zip(there) {
            let mut group = None;
            if let Content::File {
                mode, secret: true, ..
            } = &mut wanted.content
                && system.group.is_some()
            {
                (*mode, group) = (KEY_FOR_GROUP, system.group);
            }
            let action = match (&wanted.content, &there) {
                (_, There::Other(what)) => bail!(
                    "{} is {what} there, and a file is to be in its place: move it away first",
                    wanted.path
                ),
                (_, There::Nothing) => Action::Create,
                (
                    Content::File { sha256, mode, .. },
                    There::File {
                        sha256: old,
                        mode: old_mode,
                        group: old_group,
                        ..
                    },
                ) if sha256 == old
                    && mode == old_mode
                    && group.is_none_or(|group| group == *old_group) =>
                {
                    Action::Keep
                }
                (Content::Link { to }, There::Link { to: old }) if to == old => Action::Keep,
                _ => Action::Change,
            };
            steps.push(Step {
                wanted,
                there,
                action,
                group,
            });
        }
        Ok(Self {
            steps,
            group: system.group,
        })
    }

    /// What is to be written.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::Keep)
    }

    pub(crate) fn count(&self, action: Action) -> usize {
        self.steps
            .iter()
            .filter(|step| step.action == action)
            .count()
    }

    /// The table that is shown before anything is written. It never shows what a key is made of, not even its digest.
    pub(crate) fn table(&self) -> String {
        let rows: Vec<[String; 5]> = self.steps.iter().map(Step::row).collect();
        let head = ["", "mode", "size", "sha-256", "path"].map(str::to_owned);
        let mut widths = [0; 5];
        for row in rows.iter().chain([&head]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for row in [&head].into_iter().chain(&rows) {
            let [action, mode, size, digest, path] = row;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {action:<0$}  {mode:<1$}  {size:>2$}  {digest:<3$}  {path}",
                widths[0], widths[1], widths[2], widths[3]
            );
        }
        text
    }
}

impl Step {
    fn row(&self) -> [String; 5] {
        let action = match self.action {
            Action::Create => "create",
            Action::Change => "change",
            Action::Keep => "keep",
        };
        let (mode, size, digest) = match &self.wanted.content {
            Content::Link { to } => {
                let digest = match &self.there {
                    There::Link { to: old } => changed(old, to),
                    _ => format!("→ {to}"),
                };
                ("link".to_owned(), String::new(), digest)
            }
            Content::File {
                bytes,
                sha256,
                mode,
                secret,
            } => {
                let (old_mode, old_digest) = match &self.there {
                    There::File { mode, sha256, .. } => (format!("{mode:04o}"), short(sha256)),
                    There::Link { .. } => ("link".to_owned(), "link".to_owned()),
                    _ => (String::new(), String::new()),
                };
                let digest = match (*secret, &self.there) {
                    (true, There::File { sha256: old, .. }) if old == sha256 => "secret, the same",
                    (true, There::Nothing) => "secret",
                    (true, _) => "secret, another",
                    (false, _) => &changed(&old_digest, &short(sha256)),
                };
                (
                    changed(&old_mode, &format!("{mode:04o}")),
                    readable(bytes.len() as u64),
                    digest.to_owned(),
                )
            }
        };
        [
            action.to_owned(),
            mode,
            size,
            digest,
            self.wanted.path.clone(),
        ]
    }
}

fn changed(old: &str, new: &str) -> String {
    if old.is_empty() || old == new {
        new.to_owned()
    } else {
        format!("{old} → {new}")
    }
}

fn short(sha256: &str) -> String {
    sha256.chars().take(8).collect()
}

/// A size for a person.
fn readable(bytes: u64) -> String {
    if bytes < 1000 {
        format!("{bytes} B")
    } else if bytes < 1_000_000 {
        format!("{:.1} kB", bytes as f64 / 1e3)
    } else {
        format!("{:.1} MB", bytes as f64 / 1e6)
    }
}
