//! What a card without the package needs to install it at its first boot, without a network.
//!
//! A unit runs a script once: it installs the package that lies beside it and leaves a mark. The mark names the package's
//! bytes, so that another package, put there later, is installed as well, and the same one never again.

use crate::place;
use crate::rig_folder::{FIRST_BOOT, FIRST_BOOT_LINK, FIRST_BOOT_UNIT, RigFile};
use anyhow::{Context, bail};
use std::path::Path;

/// What every Debian package begins with: an archive whose first member says its version.
const PACKAGE_MAGIC: &[u8] = b"!<arch>\ndebian-binary";

/// The script; its arguments are the package's file name and the mark's.
const INSTALL: &str = "\
#!/bin/sh
# Installs the Rigel package that lies beside this script. No network is needed. rigel-first-boot.service runs it at boot until
# it has succeeded once.
set -eu
here=$(dirname \"$0\")
echo \"rigel: installing $1\"
if ! DEBIAN_FRONTEND=noninteractive dpkg --force-confold --install \"$here/$1\"; then
    echo \"rigel: $1 could not be installed; the lines above say why. The next boot tries again.\" >&2
    exit 1
fi
rm -f \"$here\"/installed-*
: >\"$here/$2\"
echo \"rigel: $1 is installed\"
";

/// A file to be, with its text.
pub(crate) struct FirstBootFile {
    pub(crate) file: RigFile,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a package and refuses what is none.
pub(crate) fn read_package(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no name of a file", path.display()))?;
    // It stands in a unit file, where spaces and % would mean something else.
    let plain = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '~'));
    if !plain
        || Path::new(name)
            .extension()
            .is_none_or(|extension| extension != "deb")
    {
        bail!(
            "{} is not named like a Debian package, rigel-firmware_VERSION_arm64.deb",
            path.display()
        );
    }
    let bytes = std::fs::read(path).with_context(|| {
        format!(
            "cannot read the package {}; `cargo xtask dist --board BOARD` makes one",
            path.display()
        )
    })?;
    if !bytes.starts_with(PACKAGE_MAGIC) {
        bail!("{} is no Debian package", path.display());
    }
    Ok((name.to_owned(), bytes))
}

/// The files that install a package at the first boot; the link comes last, since it is what makes the others count.
pub(crate) fn files(package: &str, bytes: Vec<u8>) -> Vec<FirstBootFile> {
    let mark = format!("installed-{}", &place::sha256(&bytes)[..16]);
    let unit = format!(
        "\
# Written by `rigel provision`.

[Unit]
Description=Rigel: install the package that came with the card
ConditionPathExists=!{FIRST_BOOT}/{mark}
After=local-fs.target

[Service]
Type=oneshot
ExecStart=/bin/sh {FIRST_BOOT}/install {package} {mark}
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
"
    );
    vec![
        FirstBootFile {
            file: RigFile::file(&format!("{FIRST_BOOT}/{package}"), 0o644),
            bytes,
        },
        FirstBootFile {
            file: RigFile::file(&format!("{FIRST_BOOT}/install"), 0o755),
            bytes: INSTALL.as_bytes().to_owned(),
        },
        FirstBootFile {
            file: RigFile::file(FIRST_BOOT_UNIT, 0o644),
            bytes: unit.into_bytes(),
        },
        FirstBootFile {
            file: RigFile::link(FIRST_BOOT_LINK, "../rigel-first-boot.service"),
            bytes: Vec::new(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Output};

    /// Runs the script as the unit does, with a `dpkg` that ends with `status`.
    fn run_install(folder: &Path, status: i32) -> Output {
        let bin = folder.join("bin");
        fs::create_dir_all(&bin).unwrap();
        let dpkg = format!(
            "#!/bin/sh\necho \"$@\" >>{}/asked\nexit {status}\n",
            folder.display()
        );
        fs::write(bin.join("dpkg"), dpkg).unwrap();
        fs::set_permissions(bin.join("dpkg"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("install"), INSTALL).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        Command::new("/bin/sh")
            .arg(folder.join("install"))
            .args([
                "rigel-firmware_0.1.0_arm64.deb",
                "installed-0123456789abcdef",
            ])
            .env("PATH", path)
            .output()
            .unwrap()
    }

    #[test]
    fn a_package_is_marked_as_installed_only_when_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("installed-0123456789abcdef");
        fs::write(folder.path().join("installed-old"), "").unwrap();
        let failed = run_install(folder.path(), 1);
        assert_eq!(failed.status.code(), Some(1));
        assert!(!mark.exists() && folder.path().join("installed-old").exists());
        assert!(String::from_utf8_lossy(&failed.stderr).contains("The next boot tries again"));

        assert!(run_install(folder.path(), 0).status.success());
        assert!(mark.exists() && !folder.path().join("installed-old").exists());
        let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
        let package = folder.path().join("rigel-firmware_0.1.0_arm64.deb");
        assert!(
            asked.contains(&format!("--install {}", package.display())),
            "{asked}"
        );
    }

    #[test]
    fn another_package_of_the_same_name_is_installed_again_and_the_same_one_is_not() {
        let unit = |bytes: &[u8]| {
            let files = files("rigel-firmware_0.1.0_arm64.deb", bytes.to_owned());
            let unit = files
                .into_iter()
                .find(|one| one.file.path == FIRST_BOOT_UNIT);
            String::from_utf8(unit.unwrap().bytes).unwrap()
        };
        assert_eq!(unit(b"one"), unit(b"one"));
        assert_ne!(unit(b"one"), unit(b"two"));
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, why) in [
            ("rigel firmware.deb", &b""[..], "not named like"),
            ("rigel-firmware.tar", &b""[..], "not named like"),
            (
                "rigel-firmware.deb",
                &b"PK\x03\x04"[..],
                "no Debian package",
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let error = read_package(&path).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
