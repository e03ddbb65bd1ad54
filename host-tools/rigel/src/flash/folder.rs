//! A root file system that is mounted here: a card in a reader.

use super::plan::{Content, Plan, System, There, Wanted};
use crate::place::{self, Staged};
use crate::rig_folder::KEY;
use anyhow::{Context, bail};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Mode of the folder of keys, where it is made.
pub(crate) const KEY_FOLDER_MODE: u32 = 0o750;

/// Refuses what is no root file system of a rig.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let real = fs::canonicalize(root).with_context(|| {
        format!(
            "cannot open {}: mount the card's second partition there first",
            root.display()
        )
    })?;
    if real == Path::new("/") {
        bail!(
            "{} is this machine's own system: for a rig that runs, use --ssh user@host",
            root.display()
        );
    }
    if root.join("etc").is_dir() {
        return Ok(());
    }
    if root.join("cmdline.txt").exists() || root.join("config.txt").exists() {
        bail!(
            "{} is a Raspberry Pi's boot partition: mount the second, larger one, and give that",
            root.display()
        );
    }
    bail!(
        "{} is no root file system: it has no etc/. `lsblk -f` shows the card's partitions; the one to mount is ext4",
        root.display()
    );
}

pub(crate) fn system(root: &Path) -> System {
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    // `etc/os-release` points there, at times from the root on, which is not this machine's.
    let release = text("usr/lib/os-release");
    let name = release
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map(|name| name.trim_matches('"').to_owned());
    let group = text("etc/group").lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == "rigel").then_some(())?;
        fields.nth(1)?.parse().ok()
    });
    let board = text("etc/rigel/board.toml");
    let in_board = |key: &str| {
        let line = board
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{key} = \"")[..]))?;
        Some(line.split('"').next()?.to_owned())
    };
    System {
        name,
        site: in_board("site"),
        rig: in_board("rig"),
        group,
        arm64: [
            "lib/ld-linux-aarch64.so.1",
            "usr/lib/ld-linux-aarch64.so.1",
            "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
        ]
        .iter()
        .any(|path| root.join(path).symlink_metadata().is_ok()),
        firmware: root.join("usr/bin/rigeld").exists(),
    }
}

/// What lies where the wanted files are to be.
pub(crate) fn look(root: &Path, wanted: &[Wanted]) -> anyhow::Result<Vec<There>> {
    wanted.iter().map(|one| look_at(root, &one.path)).collect()
}

fn look_at(root: &Path, path: &str) -> anyhow::Result<There> {
    let place = place_in(root, path)?;
    let hint = || format!("cannot read {}{}", place.display(), as_root());
    let about = match fs::symlink_metadata(&place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(There::Nothing),
        about => about.with_context(hint)?,
    };
    if about.is_symlink() {
        let to = fs::read_link(&place).with_context(hint)?;
        return Ok(There::Link {
            to: to.to_string_lossy().into_owned(),
        });
    }
    if !about.is_file() {
        return Ok(There::Other("a folder or a device".to_owned()));
    }
    Ok(There::File {
        mode: about.mode() & 0o7777,
        group: about.gid(),
        sha256: place::sha256(&fs::read(&place).with_context(hint)?),
    })
}

/// The place of a file below the root. A link on the way may lead out of the card, so that none is followed.
fn place_in(root: &Path, path: &str) -> anyhow::Result<PathBuf> {
    let mut place = root.to_owned();
    let mut parts = Path::new(path.trim_start_matches('/'))
        .components()
        .peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        let on_the_way = parts.peek().is_some();
        if on_the_way && place.is_symlink() {
            bail!(
                "{} is a link, which may lead out of the card: write {path} by hand, or use --ssh on the running rig",
                place.display()
            );
        }
    }
    Ok(place)
}

/// Writes what changes: first all of it beside its place, then each into it.
pub(crate) fn apply(root: &Path, plan: &Plan) -> anyhow::Result<()> {
    let mut staged = Vec::new();
    for step in plan.changes() {
        let place = place_in(root, &step.wanted.path)?;
        let context = || {
            format!(
                "cannot write {}{}; nothing is changed",
                place.display(),
                as_root()
            )
        };
        make_parents(root, &step.wanted.path, plan.group).with_context(context)?;
        let one = match &step.wanted.content {
            Content::File { bytes, mode, .. } => Staged::file(&place, bytes, *mode, step.group),
            Content::Link { to } => Staged::link(&place, to),
        };
        staged.push((place.clone(), one.with_context(context)?));
    }
    for (place, one) in staged {
        one.put().with_context(|| {
            format!("cannot put {} in its place; run it again", place.display())
        })?;
    }
    Ok(())
}

/// Makes the folders of a file; the folder of keys is for the service's group.
fn make_parents(root: &Path, path: &str, group: Option<u32>) -> std::io::Result<()> {
    let parent = Path::new(path.trim_start_matches('/')).parent();
    let mut folder = root.to_owned();
    for part in parent.into_iter().flat_map(Path::components) {
        folder.push(part);
        let is_of_keys = Some(folder.as_path()) == root.join(KEY.trim_start_matches('/')).parent();
        let mode = if is_of_keys { KEY_FOLDER_MODE } else { 0o755 };
        match fs::DirBuilder::new().mode(mode).create(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) if is_of_keys && group.is_some() => {
                std::os::unix::fs::chown(&folder, None, group)?;
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// What to do where the system says no.
fn as_root() -> &'static str {
    " (a card's files belong to root: run it with sudo)"
}
