//! A signed bundle with the firmware, for `rigel-update install` on a rig that has the package.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::deb::source_date;
use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;

/// What of the package a bundle brings: all that the service runs. Units and rules come with the package alone.
const FIRMWARE: [&str; 3] = ["usr/bin/rigeld", "usr/lib/rigel", "usr/share/rigel"];

/// Who signs.
#[derive(Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) cert: &'a Path,
    pub(crate) key: &'a Path,
}

/// What is signed, packed: one version's firmware.
#[derive(Debug)]
pub(crate) struct Content {
    folder: PathBuf,
    version: String,
}

impl Content {
    /// Packs the firmware of what lies in `stage`.
    pub(super) fn pack(project: &Project, stage: &Path, version: &str) -> Result<Self> {
        programs::find_or_install(project, "xz", "xz-utils")?;
        let bar = Bar::spinner("packing the firmware");
        let folder = project.path("target/rig/bundle");
        remove(&folder)?;
        create_folder(&folder)?;
        let version_file = folder.join("version");
        write(&version_file, &format!("{version}\n"))?;
        let mut tar = Command::new("tar");
        tar.args(["--create", "--xz", "--sort=name", "--format=gnu"])
            .args(["--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{}", source_date(project)?))
            .arg("--file")
            .arg(folder.join("firmware.tar.xz"))
            .arg("--directory")
            .arg(&folder)
            .arg("version")
            .arg("--directory")
            .arg(stage)
            .args(FIRMWARE)
            // More threads cut the data into other pieces.
            .env("XZ_OPT", "--threads=1");
        run_logged("tar", &mut tar, &project.fetched("logs/bundle.log"), &bar)?;
        remove(&version_file)?;
        bar.done("packed");
        Ok(Self {
            folder,
            version: version.to_owned(),
        })
    }

    /// Signs it for rigs of `board`, into `out`.
    pub(super) fn sign(
        &self,
        project: &Project,
        board: &str,
        signer: &Signer,
        out: &Path,
    ) -> Result<PathBuf> {
        for path in [signer.cert, signer.key] {
            if !path.is_file() {
                bail!("there is no file {}", path.display());
            }
        }
        for (program, package) in [("rauc", "rauc"), ("mksquashfs", "squashfs-tools")] {
            programs::find_or_install(project, program, package)?;
        }
        let bar = Bar::spinner("signing");
        let version = &self.version;
        // `plain`: the signature is over every byte, and is checked before one of them is used, on any kernel.
        let manifest = format!(
            "[update]\ncompatible=rigel-{board}\nversion={version}\n\n[bundle]\nformat=plain\n\n\
             [image.firmware]\nfilename=firmware.tar.xz\n"
        );
        write(&self.folder.join("manifest.raucm"), &manifest)?;
        create_folder(out)?;
        let bundle = out.join(format!("rigel-firmware_{version}_{board}.raucb"));
        // rauc never replaces one.
        remove(&bundle)?;
        let mut rauc = Command::new("rauc");
        rauc.arg("bundle")
            .arg("--cert")
            .arg(signer.cert)
            .arg("--key")
            .arg(signer.key)
            .arg(&self.folder)
            .arg(&bundle);
        run_logged("rauc", &mut rauc, &project.fetched("logs/bundle.log"), &bar)?;
        bar.done("signed");
        Ok(bundle)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
