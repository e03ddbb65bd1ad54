//! The licence of every dependency against the list in `deny.toml`, without cargo-deny, so that the check always runs.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::layout::Project;

#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// Absent for the packages of this workspace.
    source: Option<String>,
}

/// What cargo knows of the workspace and all that it depends on, as far as `T` asks.
pub(crate) fn metadata<T: DeserializeOwned>(project: &Project, options: &[&str]) -> Result<T> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1"])
        .args(options)
        .current_dir(project.root())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata speaks another format")
}

/// Fails with the name of every dependency whose licence the policy does not allow.
pub(crate) fn check(project: &Project) -> Result<()> {
    let text =
        std::fs::read_to_string(project.path("deny.toml")).context("cannot read deny.toml")?;
    let policy: Policy = toml::from_str(&text).context("deny.toml is not as it should be")?;
    let metadata: Metadata = metadata(project, &[])?;
    let foreign: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
        .collect();
    let refused: Vec<String> = foreign
        .iter()
        .filter(|package| !is_allowed(package, &policy.licenses.allow))
        .map(|p| p.describe())
        .collect();
    if !refused.is_empty() {
        bail!(
            "licences that deny.toml does not allow:\n  {}",
            refused.join("\n  ")
        );
    }
    eprintln!(
        "{} dependencies, all under licences that deny.toml allows",
        foreign.len()
    );
    Ok(())
}

fn is_allowed(package: &Package, allowed: &[String]) -> bool {
    package
        .license
        .as_deref()
        .is_some_and(|expression| satisfies(expression, allowed))
}

impl Package {
    fn describe(&self) -> String {
        format!(
            "{} {}: {}",
            self.name,
            self.version,
            self.license.as_deref().unwrap_or("no licence expression")
        )
    }
}

/// Whether an SPDX expression can be satisfied with the allowed licences alone. Older crates write `/` for `OR`.
fn satisfies(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader {
        words: &words,
        allowed,
    };
    reader
        .any()
        .is_some_and(|satisfied| satisfied && reader.words.is_empty())
}

/// Reads `A AND (B OR C WITH exception)` from the left; `None` where it is malformed.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> Option<bool> {
        let mut satisfied = self.all()?;
        while self.take("OR") {
            satisfied |= self.all()?;
        }
        Some(satisfied)
    }

    fn all(&mut self) -> Option<bool> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Some(satisfied)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let satisfied = self.any()?;
            return self.take(")").then_some(satisfied);
        }
        let mut licence = self.next()?.to_owned();
        if self.take("WITH") {
            licence = format!("{licence} WITH {}", self.next()?);
        }
        Some(self.allowed.contains(&licence))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_satisfied_by_what_is_allowed() {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR X) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(satisfies(good, &allowed), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "Apache-2.0",
            "(MIT",
            "MIT OR",
            "",
            "MIT MIT",
        ] {
            assert!(!satisfies(bad, &allowed), "{bad}");
        }
    }
}
