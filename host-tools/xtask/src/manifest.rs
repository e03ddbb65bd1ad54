//! What is to be fetched: `assets.toml` beside this crate and one card a model in `models/`.
//!
//! The firmware reads the same cards for what it needs of them (`perception`); both readers refuse unknown fields.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::install::digest_of_file;
use crate::layout::Project;
use crate::package::{Package, Registry};

/// A model's card, as written in `models/NAME.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ModelCard {
    pub(crate) name: String,
    version: String,
    pub(crate) file: String,
    bytes: u64,
    sha256: String,
    what: String,
    good_at: String,
    bad_at: String,
    pub(crate) licence: String,
    pub(crate) origin: String,
    source: Source,
    second_source: Option<Source>,
    input: Input,
    output: Vec<Output>,
}

/// A member of a package.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Source {
    pub(crate) package: String,
    /// Which of a package's wheels, where it has several: `cp311-manylinux_2_27_x86_64`.
    pub(crate) wheel: Option<String>,
    pub(crate) member: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Input {
    /// Pictures a run; one where it is left out.
    batch: Option<u32>,
    width: u32,
    height: u32,
    channels: u32,
    layout: Layout,
    element: Element,
    range: [f64; 2],
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Layout {
    Nhwc,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Element {
    F32,
    U8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Output {
    name: String,
    shape: Vec<u32>,
}

/// `assets.toml`, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawAssets {
    package: Vec<Package>,
    file: Vec<RawFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawFile {
    name: String,
    arch: Option<String>,
    /// Fetched only when something asks for it by name.
    #[serde(default)]
    fallback: bool,
    #[serde(default)]
    executable: bool,
    path: String,
    bytes: u64,
    sha256: String,
    what: String,
    licence: String,
    origin: String,
    source: Source,
    second_source: Option<Source>,
}

/// One file to have under `.rigel/`, whatever kind of thing it is.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// Relative to `.rigel/`.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) executable: bool,
    /// In the order to try.
    pub(crate) sources: Vec<Source>,
}

/// The model runtime for systems whose C library is too old for the other one.
pub(crate) const OLDER_RUNTIME: &str = "older-runtime";

/// Everything pinned, for this machine.
#[derive(Debug)]
pub(crate) struct Pinned {
    /// Needed on every machine.
    pub(crate) files: Vec<Wanted>,
    /// Needed where the machine lacks something.
    pub(crate) fallbacks: Vec<Wanted>,
    pub(crate) packages: Vec<Package>,
}

impl Pinned {
    /// The file of this name that is fetched only when it is asked for.
    pub(crate) fn fallback(&self, name: &str) -> Result<Wanted> {
        let found = self.fallbacks.iter().find(|one| one.name == name);
        found.cloned().with_context(|| {
            format!("host-tools/xtask/assets.toml pins no {name} for this processor")
        })
    }

    /// Reads the assets list and every model card; `arch` is the machine's, as Rust names it.
    pub(crate) fn read(project: &Project, arch: &str) -> Result<Self> {
        let list = project.path("host-tools/xtask/assets.toml");
        let raw: RawAssets = parse(&list)?;
        let mut pinned = Self {
            files: Vec::new(),
            fallbacks: Vec::new(),
            packages: raw.package,
        };
        let known_archs: Vec<&str> = raw
            .file
            .iter()
            .filter_map(|file| file.arch.as_deref())
            .collect();
        if !known_archs.contains(&arch) {
            bail!(
                "no model runtime is pinned for {arch} in {}; there are: {}",
                list.display(),
                known_archs.join(", ")
            );
        }
        let mut trouble = Vec::new();
        for file in raw.file {
            let told = [&file.what, &file.licence, &file.origin];
            let problems = check_wanted(
                &file.sha256,
                file.bytes,
                &told,
                &file.source,
                file.second_source.as_ref(),
                &pinned.packages,
            );
            trouble.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{}: {}: {problem}", list.display(), file.name)),
            );
            let here = file.arch.as_deref().is_none_or(|needed| needed == arch);
            let wanted = Wanted {
                name: file.name,
                path: file.path,
                bytes: file.bytes,
                sha256: file.sha256,
                executable: file.executable,
                sources: std::iter::once(file.source)
                    .chain(file.second_source)
                    .collect(),
            };
            match (here, file.fallback) {
                (true, true) => pinned.fallbacks.push(wanted),
                (true, false) => pinned.files.push(wanted),
                (false, _) => {}
            }
        }
        for (path, card) in read_cards(project)? {
            let mut problems = card.problems(&path, &pinned.packages);
            if card.source.is_ours() {
                problems.extend(card.problem_of_our_file(project));
            } else {
                pinned.files.push(card.wanted());
            }
            trouble.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{}: {problem}", path.display())),
            );
        }
        if trouble.is_empty() {
            Ok(pinned)
        } else {
            bail!("{}", trouble.join("\n"))
        }
    }
}

/// Our own fitted numbers lie beside the cards and are committed, not fetched.
const CALIBRATION: &str = "calibration.toml";

/// Every card in `models/`, with its path, in the order of names.
pub(crate) fn read_cards(project: &Project) -> Result<Vec<(std::path::PathBuf, ModelCard)>> {
    let folder = project.path("models");
    let listing =
        std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = listing
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    paths.retain(|path| !path.ends_with(CALIBRATION));
    paths.sort();
    paths
        .into_iter()
        .map(|path| Ok((path.clone(), parse(&path)?)))
        .collect()
}

/// Package of a model that we fitted and that is committed, below `models/`.
const OURS: &str = "repository";

impl Source {
    fn is_ours(&self) -> bool {
        self.package == OURS
    }
}

impl ModelCard {
    /// The file of a model of our own, below `models/`; none for one that is fetched.
    pub(crate) fn committed_file(&self) -> Option<&str> {
        self.source.is_ours().then_some(self.source.member.as_str())
    }

    /// What is wrong with the committed file of a model of our own.
    fn problem_of_our_file(&self, project: &Project) -> Option<String> {
        let path = project.path("models").join(&self.source.member);
        match digest_of_file(&path) {
            Ok(digest) if digest == self.sha256 => None,
            Ok(digest) => Some(format!(
                "{} has sha256 {digest}, not the one written here",
                path.display()
            )),
            Err(error) => Some(format!("{error:#}")),
        }
    }

    fn wanted(self) -> Wanted {
        Wanted {
            name: self.name,
            path: format!("models/{}", self.file),
            bytes: self.bytes,
            sha256: self.sha256,
            executable: false,
            sources: std::iter::once(self.source)
                .chain(self.second_source)
                .collect(),
        }
    }

    fn problems(&self, path: &Path, packages: &[Package]) -> Vec<String> {
        let told = [
            &self.version,
            &self.what,
            &self.good_at,
            &self.bad_at,
            &self.licence,
            &self.origin,
        ];
        let mut problems = check_wanted(
            &self.sha256,
            self.bytes,
            &told,
            &self.source,
            self.second_source.as_ref(),
            packages,
        );
        let mut reject = |wrong: bool, what: &str| {
            if wrong {
                problems.push(what.to_owned());
            }
        };
        reject(
            path.file_stem()
                .is_none_or(|stem| stem != self.name.as_str()),
            "name must be the card's file name",
        );
        reject(self.file.contains('/'), "file must be a plain file name");
        let input = &self.input;
        reject(
            input.width * input.height * input.channels * input.batch.unwrap_or(1) == 0,
            "an input dimension is zero",
        );
        reject(
            input.range[0] >= input.range[1],
            "range must go from low to high",
        );
        let bytes_as_they_are = input.element == Element::F32 || input.range == [0.0, 255.0];
        reject(
            !bytes_as_they_are,
            "a u8 input takes pixels as they are: range = [0, 255]",
        );
        reject(input.layout != Layout::Nhwc, "only nhwc is known");
        reject(self.output.is_empty(), "no output is listed");
        for output in &self.output {
            let empty =
                output.name.is_empty() || output.shape.is_empty() || output.shape.contains(&0);
            reject(empty, "an output needs a name and a shape without zeros");
        }
        problems
    }
}

fn check_wanted(
    sha256: &str,
    bytes: u64,
    told: &[&String],
    source: &Source,
    second: Option<&Source>,
    packages: &[Package],
) -> Vec<String> {
    let mut problems = Vec::new();
    if sha256.len() != 64
        || !sha256
            .bytes()
            .all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
    {
        problems.push("sha256 must be 64 lower-case hexadecimal digits".to_owned());
    }
    if bytes == 0 {
        problems.push("bytes must not be zero".to_owned());
    }
    if told.iter().any(|text| text.trim().is_empty()) {
        problems.push("a text is empty".to_owned());
    }
    for source in std::iter::once(source).chain(second) {
        if source.is_ours() {
            continue;
        }
        if Registry::split(&source.package).is_none() {
            problems.push(format!(
                "package {:?} must read pypi:NAME==VERSION or npm:NAME@VERSION",
                source.package
            ));
        } else if find_package(packages, source).is_none() {
            problems.push(format!(
                "package {:?} is not listed in host-tools/xtask/assets.toml with its sha256",
                source.package
            ));
        }
    }
    problems
}

/// The listed package a source means: the first that fits where it does not say which wheel.
pub(crate) fn find_package<'a>(packages: &'a [Package], source: &Source) -> Option<&'a Package> {
    packages.iter().find(|one| {
        one.id == source.package && (source.wheel.is_none() || one.wheel == source.wheel)
    })
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not as it should be", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_card_and_the_assets_list_are_sound_on_both_kinds_of_host() {
        let project = Project::find().unwrap();
        for arch in ["x86_64", "aarch64"] {
            let pinned = Pinned::read(&project, arch).unwrap();
            let names: Vec<&str> = pinned
                .files
                .iter()
                .map(|wanted| wanted.name.as_str())
                .collect();
            assert_eq!(
                names
                    .iter()
                    .filter(|name| **name == "litert-runtime")
                    .count(),
                1,
                "{arch}: {names:?}"
            );
            for needed in [
                "demo-clip",
                "face-detection-short-range",
                "face-detection-full-range",
                "face-landmark",
            ] {
                assert!(
                    names.contains(&needed),
                    "{arch}: {needed} is missing from {names:?}"
                );
            }
            for needed in ["ffmpeg", OLDER_RUNTIME] {
                pinned.fallback(needed).expect(arch);
            }
        }
    }

    #[test]
    fn an_unknown_machine_is_told_which_are_known() {
        let error = Pinned::read(&Project::find().unwrap(), "riscv64").unwrap_err();
        assert!(format!("{error}").contains("x86_64") && format!("{error}").contains("riscv64"));
    }

    #[test]
    fn everything_fetched_is_in_the_third_party_notices() {
        let project = Project::find().unwrap();
        let notices = std::fs::read_to_string(project.path("docs/third-party-notices.md")).unwrap();
        let pinned = Pinned::read(&project, "x86_64").unwrap();
        for wanted in pinned.files.iter().chain(&pinned.fallbacks) {
            let file = wanted.path.rsplit('/').next().unwrap();
            assert!(
                notices.contains(file),
                "docs/third-party-notices.md has no row for {file}"
            );
        }
    }

    fn shipped_card() -> String {
        std::fs::read_to_string(Project::find().unwrap().path("models/face-landmark.toml")).unwrap()
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_place() {
        let error = toml::from_str::<ModelCard>(&format!("colour = \"red\"\n{}", shipped_card()))
            .unwrap_err();
        assert!(
            error.to_string().contains("colour") && error.to_string().contains("line 1"),
            "{error}"
        );
    }

    #[test]
    fn every_problem_of_a_card_is_reported_at_once() {
        let text = shipped_card()
            .replace("sha256 = \"1055", "sha256 = \"XX55")
            .replace("bytes = 1242398", "bytes = 0");
        let text = text
            .replace("range = [0.0, 1.0]", "range = [1.0, 0.0]")
            .replace("mediapipe==0.10.21", "mediapipe==9.9.9");
        let card: ModelCard = toml::from_str(&text).unwrap();
        let problems = card
            .problems(Path::new("models/other.toml"), &[])
            .join("\n");
        for part in ["sha256", "bytes", "low to high", "9.9.9", "file name"] {
            assert!(problems.contains(part), "{part} is not in:\n{problems}");
        }
    }
}
