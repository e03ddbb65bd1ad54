//! The Debian package: a staged tree with fixed times and modes, packed by `dpkg-deb`. The same commit gives the same bytes.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use flate2::{Compression, GzBuilder};

use super::cross::{self, Runtimes};
use super::notices;
use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::manifest::{ModelCard, read_cards};
use crate::programs;
use crate::progress::Bar;

/// Files of `boards/package/` and where on the rig they go.
const PACKAGED: [(&str, &str, u32); 10] = [
    ("rigeld.service", "lib/systemd/system/rigeld.service", 0o644),
    (
        "rigel-poweroff.path",
        "lib/systemd/system/rigel-poweroff.path",
        0o644,
    ),
    (
        "rigel-poweroff.service",
        "lib/systemd/system/rigel-poweroff.service",
        0o644,
    ),
    ("60-rigel.rules", "lib/udev/rules.d/60-rigel.rules", 0o644),
    ("rigel.sysusers", "usr/lib/sysusers.d/rigel.conf", 0o644),
    (
        "rigel.modules-load",
        "usr/lib/modules-load.d/rigel.conf",
        0o644,
    ),
    ("restart-pause", "usr/lib/rigel/restart-pause", 0o755),
    ("rigel-update", "usr/sbin/rigel-update", 0o755),
    ("update.conf", "usr/share/rigel/update.conf", 0o644),
    (
        "lintian-overrides",
        "usr/share/lintian/overrides/rigel-firmware",
        0o644,
    ),
];
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];
const DOCS: &str = "usr/share/doc/rigel-firmware";

/// What goes into a package.
pub(super) struct Tree<'a> {
    pub(super) project: &'a Project,
    pub(super) board: &'a str,
    pub(super) version: &'a str,
    /// As built, with its line tables.
    pub(super) program: &'a Path,
    pub(super) runtimes: &'a Runtimes,
    pub(super) depends: &'a str,
}

/// A package that was packed.
pub(super) struct Built {
    pub(super) package: PathBuf,
    pub(super) installed_kib: u64,
}

impl Tree<'_> {
    /// Stages the tree and packs it into `out`.
    pub(super) fn build(&self, out: &Path) -> Result<Built> {
        let stage = self.stage();
        remove(&stage)?;
        create_folder(&stage)?;
        create_folder(out)?;
        self.stage_files(&stage)?;
        self.stage_docs(&stage)?;
        let installed_kib = kib_of(&files_below(&stage)?)?;
        self.stage_control(&stage, installed_kib)?;
        let made_at = source_date(self.project)?;
        settle(
            &stage,
            SystemTime::UNIX_EPOCH + Duration::from_secs(made_at),
        )?;
        let package = out.join(format!("rigel-firmware_{}_arm64.deb", self.version));
        let packer = programs::find_or_install(self.project, "dpkg-deb", "dpkg")?;
        let bar = Bar::spinner("packing");
        let mut command = Command::new(packer);
        command
            .args(["--root-owner-group", "-Zxz", "--build"])
            .arg(&stage)
            .arg(&package)
            .env("SOURCE_DATE_EPOCH", made_at.to_string())
            // More threads cut the data into other pieces.
            .env("DPKG_DEB_THREADS_MAX", "1");
        run_logged(
            "dpkg-deb",
            &mut command,
            &self.project.fetched("logs/dpkg-deb.log"),
            &bar,
        )?;
        bar.done("packed");
        Ok(Built {
            package,
            installed_kib,
        })
    }

    /// Where the tree is laid out; it stays for the bundle.
    pub(super) fn stage(&self) -> PathBuf {
        self.project.path(&format!("target/rig/deb/{}", self.board))
    }

    fn stage_files(&self, stage: &Path) -> Result<()> {
        let program = stage.join("usr/bin/rigeld");
        copy(self.program, &program, 0o755)?;
        strip(&program)?;
        for runtime in [&self.runtimes.newer, &self.runtimes.older] {
            let name = runtime.file_name().context("a library has a name")?;
            copy(runtime, &stage.join("usr/lib/rigel").join(name), 0o644)?;
        }
        for (from, to, mode) in PACKAGED {
            let text = self.read_packaging(from)?.replace("@BOARD@", self.board);
            put(&stage.join(to), text.as_bytes(), mode)?;
        }
        let boards = self.board_files()?;
        for path in &boards {
            let name = path.file_name().context("a board file has a name")?;
            copy(
                path,
                &stage.join("usr/share/rigel/boards").join(name),
                0o644,
            )?;
        }
        let models = stage.join("usr/share/rigel/models");
        for (path, card) in self.cards_used(&boards)? {
            let name = path.file_name().context("a card has a name")?;
            copy(&path, &models.join(name), 0o644)?;
            let (from, below) = self.model_file(&card);
            copy(&from, &models.join(below), 0o644)?;
        }
        for folder in ["calibration", "golden"] {
            let from = self.project.path("models").join(folder);
            for path in files_of(&from)?.iter().filter(|path| is_for_rigs(path)) {
                let name = path.strip_prefix(self.project.path("models"))?;
                copy(path, &models.join(name), 0o644)?;
            }
        }
        for path in files_of(&self.project.path("models"))? {
            if path.ends_with("card.toml") {
                let name = path.strip_prefix(self.project.path("models"))?;
                copy(&path, &models.join(name), 0o644)?;
            }
        }
        Ok(())
    }

    fn stage_docs(&self, stage: &Path) -> Result<()> {
        let docs = stage.join(DOCS);
        let template = self.read_packaging("copyright")?;
        let cards: Vec<ModelCard> = self
            .cards_used(&self.board_files()?)?
            .into_iter()
            .map(|(_, card)| card)
            .collect();
        let stanzas = cards.iter().map(|card| {
            let (_, below) = self.model_file(card);
            format!(
                "Files: usr/share/rigel/models/{below}\nCopyright: {}\nLicense: {}\n\n",
                card.origin, card.licence
            )
        });
        let copyright = template.replace("@MODELS@\n", &stanzas.collect::<String>());
        put(&docs.join("copyright"), copyright.as_bytes(), 0o644)?;
        let notices = notices::of_program(self.project)?;
        let notices_path = docs.join("third-party-licences.txt.gz");
        put(&notices_path, &zipped(notices.as_bytes())?, 0o644)?;
        let changes =
            std::fs::read(self.project.path("CHANGELOG.md")).context("cannot read CHANGELOG.md")?;
        put(&docs.join("NEWS.md.gz"), &zipped(&changes)?, 0o644)?;
        let entry = format!(
            "rigel-firmware ({}) stable; urgency=medium\n\n  * What changed is told in NEWS.md.gz.\n\n -- {}  {}\n",
            self.version,
            self.maintainer()?,
            mail_date(source_date(self.project)?)?
        );
        put(
            &docs.join("changelog.gz"),
            &zipped(entry.as_bytes())?,
            0o644,
        )
    }

    fn stage_control(&self, stage: &Path, installed_kib: u64) -> Result<()> {
        let folder = stage.join("DEBIAN");
        let filled = |name: &str| -> Result<String> {
            Ok(self
                .read_packaging(name)?
                .replace("@VERSION@", self.version)
                .replace("@BOARD@", self.board)
                .replace("@DEPENDS@", self.depends)
                .replace("@INSTALLED_SIZE@", &installed_kib.to_string()))
        };
        let sums = sums(stage)?;
        put(
            &folder.join("control"),
            filled("control")?.as_bytes(),
            0o644,
        )?;
        put(&folder.join("md5sums"), sums.as_bytes(), 0o644)?;
        for script in SCRIPTS {
            put(&folder.join(script), filled(script)?.as_bytes(), 0o755)?;
        }
        Ok(())
    }

    fn packaging(&self, name: &str) -> PathBuf {
        self.project.path("boards/package").join(name)
    }

    fn read_packaging(&self, name: &str) -> Result<String> {
        let path = self.packaging(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    fn maintainer(&self) -> Result<String> {
        let control = self.read_packaging("control")?;
        let line = control
            .lines()
            .find_map(|line| line.strip_prefix("Maintainer: "));
        Ok(line
            .context("boards/package/control names no Maintainer")?
            .to_owned())
    }

    /// Every rig's board file; the simulated one belongs to a checkout.
    fn board_files(&self) -> Result<Vec<PathBuf>> {
        let mut paths = files_of(&self.project.path("boards"))?;
        paths.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
                && path.parent() == Some(&self.project.path("boards"))
                && !path.ends_with("sim.toml")
        });
        if !paths.iter().any(|path| {
            path.file_stem()
                .is_some_and(|stem| stem == std::ffi::OsStr::new(self.board))
        }) {
            bail!("there is no board file boards/{}.toml", self.board);
        }
        Ok(paths)
    }

    /// The cards that a board file names, so that no rig carries a model it never runs.
    fn cards_used(&self, boards: &[PathBuf]) -> Result<Vec<(PathBuf, ModelCard)>> {
        let mut named = Vec::new();
        for path in boards {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let board: toml::Table =
                toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
            let perception = board.get("perception").and_then(toml::Value::as_table);
            let values = perception.into_iter().flat_map(toml::Table::values);
            named.extend(values.filter_map(toml::Value::as_str).map(str::to_owned));
        }
        let mut cards = read_cards(self.project)?;
        // Our own models belong to labeller cards, which no board names.
        cards.retain(|(_, card)| named.contains(&card.name) || card.committed_file().is_some());
        if cards.is_empty() {
            bail!("no board file names a model card under [perception]");
        }
        Ok(cards)
    }

    /// Where a model's file lies here, and below the rig's models.
    fn model_file(&self, card: &ModelCard) -> (PathBuf, String) {
        match card.committed_file() {
            Some(member) => (self.project.path("models").join(member), member.to_owned()),
            None => (
                self.project.fetched(&format!("models/{}", card.file)),
                format!("files/{}", card.file),
            ),
        }
    }
}

/// Scripts that made a file, and what explains it to developers, stay at home.
fn is_for_rigs(path: &Path) -> bool {
    path.extension()
        .is_none_or(|extension| !["py", "txt", "md"].map(AsRef::as_ref).contains(&extension))
}

fn strip(program: &Path) -> Result<()> {
    let status = cross::tool("strip")
        .args([
            "--strip-unneeded",
            "--remove-section=.comment",
            "--remove-section=.note",
        ])
        .arg(program)
        .status()
        .context("cannot start strip of the C tools for the rigs")?;
    if !status.success() {
        bail!("strip {} ended with {status}", program.display());
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    put(to, &bytes, mode)
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    create_folder(path.parent().context("a staged file lies in a folder")?)?;
    let write = || -> std::io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Gzipped as Debian wants documents: best, without a name or time.
fn zipped(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish().context("cannot compress in memory")
}

/// Every file in a folder and those within it, in the order of names; none where there is no such folder.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        collect(folder, &mut found)?;
    }
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    let listing =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in listing {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        }
        into.push(path);
    }
    Ok(())
}

/// What of a stage is installed: all but the package's own control files.
fn files_below(stage: &Path) -> Result<Vec<PathBuf>> {
    let mut files = files_of(stage)?;
    files.retain(|path| !path.starts_with(stage.join("DEBIAN")));
    Ok(files)
}

fn kib_of(files: &[PathBuf]) -> Result<u64> {
    let mut kib = 0;
    for path in files {
        kib += path.metadata()?.len().div_ceil(1024);
    }
    Ok(kib)
}

/// `dpkg --verify` on the rig compares with these.
fn sums(stage: &Path) -> Result<String> {
    let files = files_below(stage)?;
    let names = files
        .iter()
        .filter_map(|path| path.strip_prefix(stage).ok());
    let output = Command::new("md5sum")
        .arg("--")
        .args(names)
        .current_dir(stage)
        .output()
        .context("cannot start md5sum")?;
    if !output.status.success() {
        bail!("md5sum: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("md5sum speaks no UTF-8")
}

/// Gives everything staged one time, and folders the mode they have on the rig, whatever the user's mask is.
fn settle(stage: &Path, at: SystemTime) -> Result<()> {
    let mut paths = vec![stage.to_owned()];
    collect(stage, &mut paths)?;
    for path in paths {
        if path.is_dir() {
            std::fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        }
        let stamp = || File::open(&path)?.set_modified(at);
        stamp().with_context(|| format!("cannot set the time of {}", path.display()))?;
    }
    Ok(())
}

/// Seconds since 1970 that the package says it was made at: the commit's, so that a second build gives the same bytes.
pub(super) fn source_date(project: &Project) -> Result<u64> {
    let text = if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        set
    } else {
        let output = Command::new("git")
            .args(["log", "-1", "--format=%ct"])
            .current_dir(project.root())
            .output();
        let output = output.ok().filter(|output| output.status.success());
        let output = output.context(
            "this is no git checkout: set SOURCE_DATE_EPOCH to the time of this version, in seconds since 1970",
        )?;
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    text.trim()
        .parse()
        .with_context(|| format!("SOURCE_DATE_EPOCH is {:?}, not seconds", text.trim()))
}

/// The time as Debian's change logs write it.
fn mail_date(seconds: u64) -> Result<String> {
    let output = Command::new("date")
        .args(["--utc", "--rfc-email", "--date", &format!("@{seconds}")])
        .output()
        .context("cannot start date")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_change_logs_write_it() {
        assert_eq!(mail_date(0).unwrap(), "Thu, 01 Jan 1970 00:00:00 +0000");
    }

    #[test]
    fn the_same_text_zipped_twice_is_the_same_bytes() {
        assert_eq!(zipped(b"text").unwrap(), zipped(b"text").unwrap());
    }

    #[test]
    fn what_made_a_file_is_not_packaged_with_it() {
        assert!(is_for_rigs(Path::new("models/calibration/base.toml")));
        assert!(!is_for_rigs(Path::new("models/calibration/fit_blink.py")));
    }
}
