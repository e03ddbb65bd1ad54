//! A Debian for the rigs' processor in a folder, entered with `chroot`: every program in it runs under emulation.
//!
//! Each is made once (minutes) and kept as a tarball in `.rigel/machines`; emulated machines boot the newer one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;

/// A release of Debian.
#[derive(Debug)]
pub(crate) struct Debian {
    /// Its tarball's file name, without ending.
    name: &'static str,
    suite: &'static str,
    /// What it holds beside Debian's essential packages.
    packages: &'static str,
    updates: Updates,
}

/// Whether a release has security updates.
#[derive(Debug, PartialEq)]
enum Updates {
    Served,
    /// No longer: the release alone is taken, from where this machine takes its own.
    Ended,
}

/// What rigs have: what our package depends on, and what a machine boots with.
pub(crate) const DEBIAN_12: Debian = Debian {
    name: "debian-arm64",
    suite: "bookworm",
    packages: "systemd,systemd-sysv,udev,dbus,kmod,iproute2,e2fsprogs,libstdc++6,rauc,squashfs-tools,xz-utils",
    updates: Updates::Served,
};

/// The oldest that rigs may have, with the C library of `JetPack` 5 and Raspberry Pi OS 11: what our package depends on.
pub(crate) const DEBIAN_11: Debian = Debian {
    name: "debian-11-arm64",
    suite: "bullseye",
    packages: "systemd,systemd-sysv,udev,libstdc++6",
    updates: Updates::Ended,
};

/// Documents are left out, but for our own, which the package's test looks at.
const OPTIONS: [&str; 4] = [
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/doc/rigel-firmware/*",
];
/// How the kernel is told to run arm64 programs: ELF, 64 bit, little-endian, program or library, by its machine. `F` opens the
/// emulator now, so that it need not lie inside the root. It stays until the machine restarts, as the distribution's would.
const EMULATOR: &str = r":rigel-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:";
const BINFMT: &str = "/proc/sys/fs/binfmt_misc";
/// The Raspberry Pi 4's. QEMU 7.2's own default has instructions that no board has, and with them the runtime's 8-bit kernels
/// give nonsense: the person detector sees 64 people in each frame of the golden clip.
const PROCESSOR: &str = "cortex-a72";
/// No command inside takes longer, also on a busy machine.
const PATIENCE_SECONDS: &str = "600";

/// Enters a root ($0) and runs a script ($1). The model runtime asks /sys for the processors; this machine's own answers are
/// about another kind, and end it with a fault.
const ENTER: &str = r#"
mount -t tmpfs tmpfs "$0/sys"
mkdir -p "$0/sys/devices/system/cpu"
for list in possible present; do echo 0-3 >"$0/sys/devices/system/cpu/$list"; done
exec chroot "$0" /bin/sh -c "exec 2>&1; $1"
"#;

/// An unpacked root; removed with this value.
#[derive(Debug)]
pub(crate) struct Root {
    folder: PathBuf,
}

impl Root {
    /// Unpacks a fresh one as `.rigel/machines/NAME`.
    pub(crate) fn unpack(project: &Project, debian: &Debian, name: &str) -> Result<Self> {
        let tarball = debian.tarball(project)?;
        let folder = project.fetched("machines").join(name);
        remove(&folder)?;
        create_folder(&folder)?;
        let root = Self { folder };
        let mut command = Command::new("tar");
        command
            .args(["--extract", "--numeric-owner", "--preserve-permissions"])
            .arg("--file")
            .arg(&tarball)
            .arg("--directory")
            .arg(&root.folder);
        let bar = Bar::spinner("unpacking Debian for arm64");
        let log = project.fetched("logs/root.log");
        run_logged("tar", &mut command, &log, &bar)?;
        bar.done("unpacked");
        Ok(root)
    }

    /// A path inside, as seen from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside.trim_start_matches('/'))
    }

    /// Runs a shell script inside; what it prints on both outputs, or an error with it where the script fails.
    pub(crate) fn run(&self, script: &str) -> Result<String> {
        let (good, output) = self.ask(script)?;
        if !good {
            bail!("in the emulated root `{script}` failed:\n{output}");
        }
        Ok(output)
    }

    /// Runs a shell script inside; whether it succeeded, and what it printed on both outputs.
    pub(crate) fn ask(&self, script: &str) -> Result<(bool, String)> {
        // Processes and mounts of its own: nothing that a package starts or mounts outlives the script.
        let output = Command::new("timeout")
            .args(["--kill-after=10", PATIENCE_SECONDS])
            .args(["unshare", "--mount", "--pid", "--fork", "--kill-child"])
            .arg(format!("--mount-proc={}", self.path("proc").display()))
            .args(["/bin/sh", "-euc", ENTER])
            .arg(&self.folder)
            .arg(script)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("QEMU_CPU", PROCESSOR)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .context("cannot start unshare (util-linux)")?;
        let said = [output.stdout, output.stderr].concat();
        Ok((
            output.status.success(),
            String::from_utf8_lossy(&said).trim_end().to_owned(),
        ))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.folder) {
            eprintln!("{error:#}");
        }
    }
}

impl Debian {
    /// The packed root, made where it is missing or was made of something else.
    pub(crate) fn tarball(&self, project: &Project) -> Result<PathBuf> {
        if !programs::may_install() {
            bail!(
                "an emulated root is unpacked, entered and emulated by root alone: run this as root on Debian 12"
            );
        }
        programs::find_or_install(project, "qemu-aarch64-static", "qemu-user-static")?;
        for (program, package) in [("arch-test", "arch-test"), ("mmdebstrap", "mmdebstrap")] {
            programs::find_or_install(project, program, package)?;
        }
        emulate()?;
        let tarball = project.fetched(&format!("machines/{}.tar", self.name));
        let recipe = tarball.with_extension("recipe");
        let wanted = format!("{} {}", self.packages, OPTIONS.join(" "));
        if tarball.is_file()
            && std::fs::read_to_string(&recipe).is_ok_and(|made_by| made_by == wanted)
        {
            return Ok(tarball);
        }
        create_folder(&project.fetched("machines"))?;
        let partial = tarball.with_extension("part.tar");
        let bar = Bar::spinner(&format!(
            "making a Debian ({}) for arm64 (minutes, once)",
            self.suite
        ));
        let mut command = Command::new("mmdebstrap");
        command
            .args(["--variant=essential", "--architectures=arm64"])
            .arg(format!("--include={}", self.packages))
            .args(OPTIONS.map(|option| format!("--dpkgopt={option}")))
            .arg(self.suite)
            .arg(&partial);
        if self.updates == Updates::Ended {
            command.arg(format!("deb {} {} main", own_mirror()?, self.suite));
        }
        let log = project.fetched(&format!("logs/{}.log", self.name));
        run_logged("mmdebstrap", &mut command, &log, &bar)?;
        std::fs::rename(&partial, &tarball)
            .with_context(|| format!("cannot rename to {}", tarball.display()))?;
        std::fs::write(&recipe, wanted)
            .with_context(|| format!("cannot write {}", recipe.display()))?;
        bar.done("made");
        Ok(tarball)
    }
}

/// Where this machine's own Debian comes from.
fn own_mirror() -> Result<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(SITE)"])
        .args(["Created-By: Packages", "Codename: bookworm"])
        .output()
        .context("cannot start apt-get")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let site = text.lines().next().map(str::to_owned);
    site.context(
        "apt's lists name no Debian 12 (bookworm): run this on Debian 12, after apt-get update",
    )
}

/// Lets the kernel run the rigs' programs with the emulator, where it does not yet.
fn emulate() -> Result<()> {
    let works = || {
        Command::new("arch-test")
            .arg("arm64")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if works() {
        return Ok(());
    }
    let register = Path::new(BINFMT).join("register");
    if !register.exists() {
        let status = Command::new("mount")
            .args(["-t", "binfmt_misc", "binfmt_misc", BINFMT])
            .status()
            .context("cannot start mount")?;
        if !status.success() {
            bail!("this kernel cannot be told to run other processors' programs (binfmt_misc)");
        }
    }
    let emulator = programs::find("qemu-aarch64-static").context("installed above")?;
    let line = format!("{EMULATOR}{}:F", emulator.display());
    std::fs::write(&register, line)
        .with_context(|| format!("cannot write to {}", register.display()))?;
    if !works() {
        bail!("arm64 programs still do not run here, though {BINFMT} knows their emulator");
    }
    Ok(())
}
