//! The licences of the crates linked into `rigeld`, with the texts their authors ask to be passed on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::cross::TARGET;
use crate::layout::Project;
use crate::licences;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    /// Absent for the packages of this workspace.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// Absent for what is linked in; `build` and `dev` are not.
    kind: Option<String>,
}

/// One document: every crate with its licence, then every text once, with the crates it came with.
pub(super) fn of_program(project: &Project) -> Result<String> {
    let metadata: Metadata =
        licences::metadata(project, &["--locked", "--filter-platform", TARGET])?;
    let linked = linked_into("rigeld", &metadata)?;
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut document =
        String::from("Crates linked into rigeld, with their licences; the texts follow.\n\n");
    for package in linked.iter().filter(|package| package.source.is_some()) {
        let named = format!("{} {}", package.name, package.version);
        let licence = package.license.as_deref().unwrap_or("see its text");
        let found = texts_of(package.manifest_path.parent().unwrap_or(Path::new("")))?;
        let note = if found.is_empty() {
            " (no text in the crate)"
        } else {
            ""
        };
        writeln!(document, "{named}: {licence}{note}")?;
        for text in found {
            texts.entry(text).or_default().push(named.clone());
        }
    }
    for (text, crates) in texts {
        write!(
            document,
            "\n{}\n{}\n\n{}\n",
            "-".repeat(100),
            crates.join(", "),
            text.trim_end()
        )?;
    }
    Ok(document)
}

/// What ends up in a program: the packages reached over ordinary dependencies, in the order of names.
fn linked_into<'a>(program: &str, metadata: &'a Metadata) -> Result<Vec<&'a Package>> {
    let package_of: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package))
        .collect();
    let links_of: BTreeMap<&str, &[Link]> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.deps.as_slice()))
        .collect();
    let root = metadata
        .packages
        .iter()
        .find(|package| package.name == program && package.source.is_none())
        .with_context(|| format!("the workspace has no package {program}"))?;
    let mut reached = BTreeSet::from([root.id.as_str()]);
    let mut to_follow = vec![root.id.as_str()];
    while let Some(id) = to_follow.pop() {
        for link in links_of.get(id).copied().unwrap_or_default() {
            let linked = link.dep_kinds.iter().any(|one| one.kind.is_none());
            if linked && reached.insert(&link.pkg) {
                to_follow.push(&link.pkg);
            }
        }
    }
    let mut packages: Vec<&Package> = reached
        .into_iter()
        .filter_map(|id| package_of.get(id).copied())
        .collect();
    packages.sort_by_key(|package| (&package.name, &package.version));
    Ok(packages)
}

/// The licence texts and notices that lie in a crate's folder.
fn texts_of(folder: &Path) -> Result<Vec<String>> {
    const NAMES: [&str; 5] = ["licen", "copying", "notice", "unlicense", "copyright"];
    let listing =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        path.is_file() && NAMES.iter().any(|start| name.starts_with(start))
    });
    paths.sort();
    let texts = paths.iter().map(|path| {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_builds_or_tests_the_program_is_not_linked_into_it() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"packages": [
                {"id": "p", "name": "rigeld", "version": "1.0.0", "license": null, "manifest_path": "p/Cargo.toml", "source": null},
                {"id": "a", "name": "a", "version": "1.0.0", "license": "MIT", "manifest_path": "a/Cargo.toml", "source": "registry"},
                {"id": "b", "name": "b", "version": "1.0.0", "license": "MIT", "manifest_path": "b/Cargo.toml", "source": "registry"},
                {"id": "c", "name": "c", "version": "1.0.0", "license": "MIT", "manifest_path": "c/Cargo.toml", "source": "registry"}],
              "resolve": {"nodes": [
                {"id": "p", "deps": [{"pkg": "b", "dep_kinds": [{"kind": null}]}, {"pkg": "c", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "b", "deps": [{"pkg": "a", "dep_kinds": [{"kind": "build"}, {"kind": null}]}]},
                {"id": "a", "deps": []}, {"id": "c", "deps": []}]}}"#,
        )
        .unwrap();
        let names: Vec<&str> = linked_into("rigeld", &metadata)
            .unwrap()
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "rigeld"]);
    }

    #[test]
    fn texts_are_found_by_name_in_any_case() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["LICENSE-MIT", "license.txt", "NOTICE", "README.md"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        assert_eq!(
            texts_of(folder.path()).unwrap(),
            ["LICENSE-MIT", "NOTICE", "license.txt"]
        );
    }
}
