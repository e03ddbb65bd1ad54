//! What a program or library needs of the system it runs on: read from it, compared with what a board's system has, and
//! written as a package's dependencies.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::cross;

/// `2.34`, or `3.4.30`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Version(Vec<u32>);

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        parts
            .map(Self)
            .map_err(|_| format!("{text:?} is no version such as 2.34"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// A board's own system, from `boards/package/systems.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct System {
    pub(crate) name: String,
    glibc: Version,
    glibcxx: Version,
}

/// What one file needs.
#[derive(Debug, PartialEq)]
pub(crate) struct Needs {
    /// The file, as messages call it.
    file: String,
    /// Shared libraries by the name the loader looks for.
    libraries: Vec<String>,
    /// Newest symbol version by family: `GLIBC` → 2.34.
    newest: BTreeMap<String, Version>,
}

impl Needs {
    /// Reads a file's needs with the C tools' `readelf`.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let output = cross::tool("readelf")
            .args(["--wide", "--dynamic", "--version-info"])
            .arg(path)
            .output()
            .context("cannot start readelf of the C tools for the rigs")?;
        if !output.status.success() {
            bail!(
                "{} could not be read: {}",
                path.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let needs = Self::parse(&file, &String::from_utf8_lossy(&output.stdout));
        if needs.libraries.is_empty() {
            bail!("{} names no shared library it needs", path.display());
        }
        Ok(needs)
    }

    fn parse(file: &str, readelf: &str) -> Self {
        let mut needs = Self {
            file: file.to_owned(),
            libraries: Vec::new(),
            newest: BTreeMap::new(),
        };
        // Versions a library defines itself are listed before those it needs of others.
        let mut needed = false;
        for line in readelf.lines() {
            if let Some((_, name)) = line.split_once("(NEEDED)") {
                let name = name.split(['[', ']']).nth(1).unwrap_or_default();
                needs.libraries.push(name.to_owned());
            }
            if line.starts_with("Version ") {
                needed = line.starts_with("Version needs section");
            }
            let Some((_, rest)) = line.split_once("Name: ").filter(|_| needed) else {
                continue;
            };
            let symbol = rest.split_whitespace().next().unwrap_or_default();
            if let Some((family, version)) = symbol.split_once('_')
                && let Ok(version) = Version::try_from(version.to_owned())
            {
                let newest = needs
                    .newest
                    .entry(family.to_owned())
                    .or_insert_with(|| version.clone());
                *newest = version.max(newest.clone());
            }
        }
        needs
    }

    /// The file, as messages call it.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The same of any version: what is there where the file is wanted, and not needed elsewhere.
    pub(crate) fn of_any_version(&self) -> Self {
        Self {
            file: self.file.clone(),
            libraries: self.libraries.clone(),
            newest: BTreeMap::new(),
        }
    }

    /// What of the C library it needs beyond the version in a package's `Depends:`.
    pub(crate) fn beyond(&self, depends: &str) -> Result<Vec<String>> {
        let least = depends
            .split(", ")
            .find_map(|one| one.strip_prefix("libc6 (>= ")?.strip_suffix(')'))
            .with_context(|| format!("`Depends: {depends}` asks for no version of libc6"))?;
        let least = Version::try_from(least.to_owned()).map_err(anyhow::Error::msg)?;
        let needed = self.newest.get("GLIBC").filter(|needed| **needed > least);
        Ok(needed
            .map(|needed| format!("GLIBC_{needed}"))
            .into_iter()
            .collect())
    }

    /// What of it the system lacks, in words; empty where it lacks nothing.
    pub(crate) fn lacking(&self, system: &System) -> Vec<String> {
        let there = [
            ("GLIBC", "C library", &system.glibc),
            ("GLIBCXX", "C++ library", &system.glibcxx),
        ];
        let mut lacking = Vec::new();
        for (family, library, has) in there {
            if let Some(needed) = self.newest.get(family)
                && needed > has
            {
                lacking.push(format!(
                    "{} needs the {library} with {family}_{needed}, and {} has {family}_{has}",
                    self.file, system.name
                ));
            }
        }
        lacking
    }
}

/// Debian's names for what the files need, as `Depends:` wants them.
pub(crate) fn dependencies(all: &[Needs]) -> Result<String> {
    let mut packages: BTreeMap<&str, Option<Version>> = BTreeMap::new();
    for needs in all {
        for library in &needs.libraries {
            let (package, family) = match library.as_str() {
                "libc.so.6"
                | "libm.so.6"
                | "libdl.so.2"
                | "libpthread.so.0"
                | "librt.so.1"
                | "ld-linux-aarch64.so.1" => ("libc6", "GLIBC"),
                "libstdc++.so.6" => ("libstdc++6", "GLIBCXX"),
                "libgcc_s.so.1" => ("libgcc-s1", "GCC"),
                other => bail!(
                    "{} needs {other}, and it is not known here which package brings that: add it to {}",
                    needs.file,
                    file!()
                ),
            };
            let version = needs.newest.get(family).cloned();
            let least = packages.entry(package).or_default();
            *least = version.max(least.take());
        }
    }
    let listed = packages.into_iter().map(|(package, least)| {
        let least = match (package, least) {
            ("libstdc++6", Some(version)) => Some(libstdcxx_package(&version)?.to_owned()),
            (_, version) => version.map(|version| version.to_string()),
        };
        Ok(match least {
            Some(least) => format!("{package} (>= {least})"),
            None => package.to_owned(),
        })
    });
    Ok(listed.collect::<Result<Vec<_>>>()?.join(", "))
}

/// libstdc++6 is numbered by the compiler it comes with, not by its symbols.
fn libstdcxx_package(version: &Version) -> Result<&'static str> {
    const RELEASES: [(&str, &str); 6] = [
        ("3.4.22", "6"),
        ("3.4.25", "8"),
        ("3.4.28", "9"),
        ("3.4.29", "11"),
        ("3.4.30", "12"),
        ("3.4.33", "14"),
    ];
    RELEASES
        .into_iter()
        .find(|(symbols, _)| {
            Version::try_from((*symbols).to_owned()).is_ok_and(|newest| newest >= *version)
        })
        .map(|(_, package)| package)
        .with_context(|| format!("no release of libstdc++6 is known that has GLIBCXX_{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READELF: &str = "
 0x0000000000000001 (NEEDED)             Shared library: [libstdc++.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
Version definition section '.gnu.version_d' contains 2 entries:
  0x001c: Rev: 1  Flags: none  Index: 2  Cnt: 1  Name: GLIBC_9.99
Version needs section '.gnu.version_r' contains 2 entries:
  0x0010: Version: 1  File: libstdc++.so.6  Cnt: 2
  0x0080:   Name: GLIBCXX_3.4.9  Flags: none  Version: 5
  0x0150:   Name: GLIBCXX_3.4.30  Flags: none  Version: 27
  0x0030: Version: 1  File: libc.so.6  Cnt: 3
  0x01d0:   Name: GLIBC_2.34  Flags: none  Version: 19
  0x01d4:   Name: GLIBC_PRIVATE  Flags: none  Version: 20
  0x01a0:   Name: GLIBC_2.4  Flags: none  Version: 3
";

    fn system(glibc: &str) -> System {
        toml::from_str(&format!(
            "name = \"Old OS\"\nglibc = \"{glibc}\"\nglibcxx = \"3.4.30\""
        ))
        .unwrap()
    }

    #[test]
    fn the_newest_version_needed_counts_and_2_34_is_newer_than_2_4() {
        let needs = Needs::parse("rigeld", READELF);
        assert_eq!(needs.libraries, ["libstdc++.so.6", "libc.so.6"]);
        assert_eq!(needs.newest["GLIBC"].to_string(), "2.34");
        assert_eq!(needs.newest["GLIBCXX"].to_string(), "3.4.30");
    }

    #[test]
    fn a_system_with_an_older_library_is_named_with_what_it_lacks() {
        let needs = Needs::parse("rigeld", READELF);
        assert!(needs.lacking(&system("2.36")).is_empty());
        assert_eq!(
            needs.lacking(&system("2.31")),
            ["rigeld needs the C library with GLIBC_2.34, and Old OS has GLIBC_2.31"]
        );
    }

    #[test]
    fn dependencies_carry_the_least_versions_over_all_files() {
        let old = Needs {
            file: "other".to_owned(),
            libraries: vec!["libc.so.6".to_owned(), "libgcc_s.so.1".to_owned()],
            newest: BTreeMap::new(),
        };
        let needs = [old, Needs::parse("rigeld", READELF)];
        assert_eq!(
            dependencies(&needs).unwrap(),
            "libc6 (>= 2.34), libgcc-s1, libstdc++6 (>= 12)"
        );
    }

    #[test]
    fn a_file_that_needs_more_than_its_package_asks_for_is_found() {
        let needs = Needs::parse("rigeld", READELF);
        let beyond = |least: &str| needs.beyond(&format!("libc6 (>= {least}), libgcc-s1"));
        assert_eq!(beyond("2.31").unwrap(), ["GLIBC_2.34"]);
        assert!(beyond("2.34").unwrap().is_empty());
        assert!(needs.beyond("libc6, libgcc-s1").is_err());
    }

    #[test]
    fn what_is_loaded_only_where_it_can_be_asks_for_no_version() {
        let least = Needs {
            file: "rigeld".to_owned(),
            libraries: vec!["libc.so.6".to_owned()],
            newest: BTreeMap::from([("GLIBC".to_owned(), "2.30".to_owned().try_into().unwrap())]),
        };
        let newer = Needs::parse("libLiteRt.so", READELF);
        assert!(newer.lacking(&system("2.31")).len() == 1);
        let needs = [least, newer.of_any_version()];
        assert_eq!(dependencies(&needs).unwrap(), "libc6 (>= 2.30), libstdc++6");
    }

    #[test]
    fn a_library_that_no_package_is_known_for_is_an_error() {
        let needs = Needs {
            file: "rigeld".to_owned(),
            libraries: vec!["libfoo.so.1".to_owned()],
            newest: BTreeMap::new(),
        };
        let error = dependencies(&[needs]).unwrap_err().to_string();
        assert!(error.contains("rigeld needs libfoo.so.1"), "{error}");
    }
}
