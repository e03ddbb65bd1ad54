//! Putting pinned files in their place under `.rigel/`: checked by sha256, complete or not there at all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::archive;
use crate::children::{check_interrupted, create_folder};
use crate::layout::Project;
use crate::manifest::{Wanted, find_package};
use crate::package::Package;

/// Room kept free beyond what is fetched, in bytes.
const SPARE_ROOM: u64 = 64 << 20;

/// What was done about one file.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It was there and good; nothing was asked of the network.
    Kept,
    /// Fetched from this package.
    Fetched(String),
}

/// Sees to it that every wanted file is in place. `fetch` brings an archive into a folder and returns its path.
///
/// One file's failure does not keep the others from being installed; the error tells of all that failed.
pub(crate) fn install(
    project: &Project,
    wanted: &[Wanted],
    packages: &[Package],
    fetch: &mut dyn FnMut(&Package, &Path) -> Result<PathBuf>,
) -> Result<Vec<Outcome>> {
    let mut missing = Vec::new();
    for one in wanted {
        if !is_good(&project.fetched(&one.path), &one.sha256)? {
            missing.push(one);
        }
    }
    check_room(project, &missing, packages)?;
    let downloads = project.fetched("downloads");
    create_folder(&downloads)?;
    let mut archives = BTreeMap::new();
    let mut outcomes = Vec::new();
    let mut failures = Vec::new();
    for one in wanted {
        check_interrupted()?;
        if !missing.iter().any(|gone| std::ptr::eq(*gone, one)) {
            outcomes.push(Outcome::Kept);
            continue;
        }
        match install_one(project, one, packages, &downloads, &mut archives, fetch) {
            Ok(package) => outcomes.push(Outcome::Fetched(package)),
            Err(error) if error.is::<crate::children::Interrupted>() => return Err(error),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    if !failures.is_empty() {
        bail!(
            "{}\n{} of {} files are in place and stay",
            failures.join("\n"),
            outcomes.len(),
            wanted.len()
        );
    }
    // Everything taken out of them is in place, so the archives are only weight.
    remove(&downloads)?;
    Ok(outcomes)
}

type Archives = BTreeMap<String, Result<PathBuf, String>>;

fn install_one(
    project: &Project,
    wanted: &Wanted,
    packages: &[Package],
    downloads: &Path,
    archives: &mut Archives,
    fetch: &mut dyn FnMut(&Package, &Path) -> Result<PathBuf>,
) -> Result<String> {
    let mut tried = Vec::new();
    for source in &wanted.sources {
        let package = find_package(packages, source).context("checked when the list was read")?;
        let key = package.file_name();
        if !archives.contains_key(&key) {
            let fetched = fetch(package, downloads);
            check_interrupted()?;
            archives.insert(key.clone(), fetched.map_err(|error| format!("{error:#}")));
        }
        let taken = match archives.get_mut(&key).expect("put there above") {
            Ok(path) => {
                take(project, wanted, path, &source.member).map_err(|error| format!("{error:#}"))
            }
            Err(error) => Err(std::mem::replace(error, "failed as above".to_owned())),
        };
        match taken {
            Ok(()) => return Ok(source.package.clone()),
            Err(error) => tried.push(format!("  from {}: {error}", source.package)),
        }
    }
    bail!(
        "{} ({}) could not be had:\n{}",
        wanted.name,
        wanted.path,
        tried.join("\n")
    )
}

fn take(project: &Project, wanted: &Wanted, archive: &Path, member: &str) -> Result<()> {
    let bytes = archive::read_member(archive, member)?;
    let digest = hexadecimal(&Sha256::digest(&bytes));
    if digest != wanted.sha256 {
        bail!(
            "{member} has sha256 {digest}, but {} is pinned: it was not installed",
            wanted.sha256
        );
    }
    let mode = if wanted.executable { 0o755 } else { 0o644 };
    put(&project.fetched(&wanted.path), &bytes, mode)
}

/// Writes a file so that it is there complete or not at all, also after a power cut.
fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let folder = path.parent().context("a fetched file lies in a folder")?;
    create_folder(folder)?;
    let partial = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn is_good(path: &Path, sha256: &str) -> Result<bool> {
    Ok(path.is_file() && digest_of_file(path)? == sha256)
}

fn check_room(project: &Project, missing: &[&Wanted], packages: &[Package]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut archives: Vec<&Package> = missing
        .iter()
        .filter_map(|one| find_package(packages, one.sources.first()?))
        .collect();
    archives.sort_by_key(|package| package.file_name());
    archives.dedup_by_key(|package| package.file_name());
    // An archive lies there twice for a moment: in the client's temporary folder and where the client puts it.
    let archived: u64 = archives.iter().map(|package| 2 * package.bytes).sum();
    let needed = archived + missing.iter().map(|one| one.bytes).sum::<u64>() + SPARE_ROOM;
    let folder = project.fetched("");
    create_folder(&folder)?;
    let disk = nix::sys::statvfs::statvfs(&folder)
        .with_context(|| format!("cannot see how much room {} has", folder.display()))?;
    let free = disk.blocks_available() * disk.fragment_size();
    if free < needed {
        bail!(
            "{} needs {} MB of room, and its disk has {} MB: free some and run the command again",
            folder.display(),
            needed >> 20,
            free >> 20
        );
    }
    Ok(())
}

/// The sha256 of a file, as 64 hexadecimal digits.
pub(crate) fn digest_of_file(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let mut digest = Sha256::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(hexadecimal(&digest.finalize())),
                count => digest.update(&piece[..count]),
            }
        }
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Removes a file or folder; that it is gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tests::zip_of;
    use crate::manifest::Source;

    fn source(package: &str) -> Source {
        Source {
            package: package.to_owned(),
            wheel: None,
            member: "m.tflite".to_owned(),
        }
    }

    fn package(name: &str) -> Package {
        Package {
            id: name.to_owned(),
            wheel: None,
            bytes: 10,
            sha256: String::new(),
        }
    }

    fn wanted(content: &[u8], sources: &[&str]) -> Wanted {
        Wanted {
            name: "mesh".to_owned(),
            path: "models/m.tflite".to_owned(),
            bytes: content.len() as u64,
            sha256: hexadecimal(&Sha256::digest(content)),
            executable: false,
            sources: sources.iter().map(|name| source(name)).collect(),
        }
    }

    /// A registry in which each package holds the bytes given for it; others cannot be reached.
    fn registry(
        holds: &'static [(&'static str, &'static [u8])],
    ) -> impl FnMut(&Package, &Path) -> Result<PathBuf> {
        move |package, folder| {
            let (_, bytes) = holds
                .iter()
                .find(|(name, _)| *name == package.id)
                .context("no network")?;
            let path = folder.join(package.file_name());
            std::fs::write(&path, zip_of("m.tflite", bytes))?;
            Ok(path)
        }
    }

    #[test]
    fn a_file_with_the_wrong_hash_is_not_installed_and_the_error_says_which_and_from_where() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::at(folder.path());
        let packages = [package("pypi:a==1")];
        let error = install(
            &project,
            &[wanted(b"good", &["pypi:a==1"])],
            &packages,
            &mut registry(&[("pypi:a==1", b"evil")]),
        );
        let text = format!("{:#}", error.unwrap_err());
        assert!(
            text.contains("mesh") && text.contains("pypi:a==1") && text.contains("is pinned"),
            "{text}"
        );
        assert!(!project.fetched("models/m.tflite").exists());
    }

    #[test]
    fn the_second_source_serves_when_the_first_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::at(folder.path());
        let packages = [package("pypi:a==1"), package("npm:b@2")];
        let one = [wanted(b"good", &["pypi:a==1", "npm:b@2"])];
        let outcomes = install(
            &project,
            &one,
            &packages,
            &mut registry(&[("npm:b@2", b"good")]),
        )
        .unwrap();
        assert_eq!(outcomes, [Outcome::Fetched("npm:b@2".to_owned())]);
        assert_eq!(
            std::fs::read(project.fetched("models/m.tflite")).unwrap(),
            b"good"
        );
    }

    #[test]
    fn when_all_sources_fail_each_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let packages = [package("pypi:a==1"), package("npm:b@2")];
        let one = [wanted(b"good", &["pypi:a==1", "npm:b@2"])];
        let error = install(
            &Project::at(folder.path()),
            &one,
            &packages,
            &mut registry(&[]),
        )
        .unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("from pypi:a==1: no network")
                && text.contains("from npm:b@2: no network"),
            "{text}"
        );
    }

    #[test]
    fn good_files_are_kept_without_asking_anyone_and_damaged_ones_are_fetched_again() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::at(folder.path());
        let packages = [package("pypi:a==1")];
        let one = [wanted(b"good", &["pypi:a==1"])];
        put(&project.fetched("models/m.tflite"), b"good", 0o644).unwrap();
        assert_eq!(
            install(&project, &one, &packages, &mut registry(&[])).unwrap(),
            [Outcome::Kept]
        );
        std::fs::write(project.fetched("models/m.tflite"), b"torn").unwrap();
        let outcomes = install(
            &project,
            &one,
            &packages,
            &mut registry(&[("pypi:a==1", b"good")]),
        )
        .unwrap();
        assert_eq!(outcomes, [Outcome::Fetched("pypi:a==1".to_owned())]);
        assert_eq!(
            std::fs::read(project.fetched("models/m.tflite")).unwrap(),
            b"good"
        );
    }

    #[test]
    fn one_failure_does_not_keep_the_others_away() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::at(folder.path());
        let packages = [package("pypi:a==1"), package("npm:b@2")];
        let mut other = wanted(b"fine", &["npm:b@2"]);
        other.path = "models/n.tflite".to_owned();
        let both = [wanted(b"good", &["pypi:a==1"]), other];
        install(
            &project,
            &both,
            &packages,
            &mut registry(&[("npm:b@2", b"fine")]),
        )
        .unwrap_err();
        assert!(project.fetched("models/n.tflite").is_file());
    }

    #[test]
    fn too_little_room_is_said_before_anything_is_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let mut huge = package("pypi:a==1");
        huge.bytes = 1 << 60;
        let error = install(
            &Project::at(folder.path()),
            &[wanted(b"good", &["pypi:a==1"])],
            &[huge],
            &mut |_, _| panic!("fetched"),
        );
        assert!(format!("{:#}", error.unwrap_err()).contains("free some"));
    }
}
