//! What machines are made of, as `cargo xtask test --rig` lays it out: for each architecture a folder with Debian's kernel
//! and system libraries, unpacked, and the release build of the firmware.

use crate::initramfs::Initramfs;
use crate::machine::{Machine, qemu};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The processor of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arch {
    Amd64,
    Arm64,
}

impl Arch {
    /// As Debian calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The folder of its libraries, and its loader's path.
    const fn libraries(self) -> (&'static str, &'static str) {
        match self {
            Self::Amd64 => ("x86_64-linux-gnu", "lib64/ld-linux-x86-64.so.2"),
            Self::Arm64 => ("aarch64-linux-gnu", "lib/ld-linux-aarch64.so.1"),
        }
    }
}

/// Everything fetched and built.
#[derive(Clone, Debug)]
pub(crate) struct Kit {
    /// One folder an architecture.
    pub(crate) machines: PathBuf,
    /// The checkout.
    pub(crate) project: PathBuf,
    /// Where serial lines are kept.
    pub(crate) logs: PathBuf,
}

impl Kit {
    /// A file of an architecture's folder.
    pub(crate) fn file(&self, arch: Arch, name: &str) -> PathBuf {
        self.machines.join(arch.name()).join(name)
    }

    /// The kernel's version, from the only folder of modules there is.
    fn kernel(&self, arch: Arch) -> Result<(String, PathBuf)> {
        let modules = self.file(arch, "kernel/lib/modules");
        let version = std::fs::read_dir(&modules)
            .ok()
            .and_then(|mut listing| listing.next()?.ok()?.file_name().into_string().ok())
            .with_context(|| format!("no kernel in {}", modules.display()))?;
        let folder = modules.join(&version);
        Ok((version, folder))
    }

    /// What every machine has: busybox, the system's libraries, modules that are loaded in this order at boot.
    ///
    /// A module may be followed by options: `vivid n_devs=1`.
    pub(crate) fn base(&self, arch: Arch, modules: &[&str]) -> Result<Initramfs> {
        let mut archive = Initramfs::default();
        archive.console();
        archive.copy("bin/busybox", &self.file(arch, "system/bin/busybox"))?;
        archive.link("bin/sh", "busybox");
        archive.program("init", include_bytes!("init"));
        archive.program("etc/console", include_bytes!("console"));
        archive.file(
            "etc/profile",
            b"export PATH=/bin:/sbin:/usr/bin RUST_BACKTRACE=1\n",
        );
        self.load(&mut archive, arch, modules)?;
        Ok(archive)
    }

    /// The firmware with its runtime, models and libraries, and the helper for tests.
    pub(crate) fn add_firmware(&self, archive: &mut Initramfs, arch: Arch) -> Result<()> {
        let (folder, loader) = arch.libraries();
        for library in [
            "libc.so.6",
            "libm.so.6",
            "libdl.so.2",
            "librt.so.1",
            "libpthread.so.0",
            "libgcc_s.so.1",
            "libstdc++.so.6",
        ] {
            let lies = ["lib", "usr/lib"]
                .map(|lib| self.file(arch, &format!("system/{lib}/{folder}/{library}")));
            let found = lies.iter().find(|path| path.is_file());
            let found = found.with_context(|| {
                format!("{library} is not among the packages of {}", arch.name())
            })?;
            archive.copy(&format!("lib/{folder}/{library}"), found)?;
        }
        let ld = Path::new(loader).file_name().context("a file")?;
        let ld = self.file(arch, &format!("system/lib/{folder}/{}", ld.display()));
        archive.copy(loader, &ld)?;
        archive.copy("bin/rigeld", &self.file(arch, "rigeld"))?;
        archive.copy("bin/rig-guest", &self.file(arch, "rig-guest"))?;
        archive.copy(
            "usr/lib/rigel/libLiteRt.so",
            &self.file(arch, "libLiteRt.so"),
        )?;
        archive.copy_folder("usr/share/rigel/models", &self.project.join("models"))?;
        archive.copy_folder(
            "usr/share/rigel/models/files",
            &self.project.join(".rigel/models"),
        )?;
        Ok(())
    }

    fn load(&self, archive: &mut Initramfs, arch: Arch, modules: &[&str]) -> Result<()> {
        let (_, folder) = self.kernel(arch)?;
        let list = std::fs::read_to_string(folder.join("modules.dep"))
            .with_context(|| format!("no list of modules in {}", folder.display()))?;
        let mut lines = String::new();
        let mut loaded: Vec<&str> = Vec::new();
        for wanted in modules {
            let (name, options) = wanted.split_once(' ').unwrap_or((wanted, ""));
            for path in in_order(&list, name)? {
                if loaded.contains(&path) {
                    continue;
                }
                loaded.push(path);
                let file = path.rsplit('/').next().unwrap_or(path);
                archive.copy(&format!("lib/modules/{file}"), &folder.join(path))?;
                let options = if module_name(path) == name {
                    options
                } else {
                    ""
                };
                writeln!(lines, "{file} {options}")?;
            }
        }
        archive.file("etc/modules", lines.as_bytes());
        Ok(())
    }

    /// Boots a machine of this architecture with that file system, and a network through which it reaches this machine's
    /// loopback as 10.0.2.2. `extra` goes to QEMU.
    pub(crate) fn boot(
        &self,
        arch: Arch,
        name: &str,
        archive: Initramfs,
        extra: &[&str],
    ) -> Result<Machine> {
        let (mut command, console) = match arch {
            Arch::Amd64 => {
                let mut command = qemu("qemu-system-x86_64");
                command.args(["-machine", "q35", "-cpu", "max"]);
                (command, "ttyS0")
            }
            Arch::Arm64 => {
                let mut command = qemu("qemu-system-aarch64");
                command.args(["-machine", "virt", "-cpu", "cortex-a72"]);
                (command, "ttyAMA0")
            }
        };
        command.args(["-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024"]);
        command.args(["-netdev", "user,id=net"]);
        command.args(["-device", "virtio-net-pci,netdev=net,romfile="]);
        command.args(["-device", "virtio-rng-pci", "-nodefaults"]);
        self.start(
            arch,
            name,
            archive,
            command,
            // Programs may look at registers that a driver uses: lights are read there. And the kernel for a PC tries its
            // timer against the processor's speed, which panics where this machine is busy.
            &format!("console={console} iomem=relaxed no_timer_check"),
            extra,
        )
    }

    /// Boots the emulated Raspberry Pi 3 B: real pins and I2C controllers of the Pi's kind, no network.
    pub(crate) fn boot_pi(&self, name: &str, archive: Initramfs) -> Result<Machine> {
        let (version, _) = self.kernel(Arch::Arm64)?;
        let tree = self.file(
            Arch::Arm64,
            &format!("kernel/usr/lib/linux-image-{version}/broadcom/bcm2837-rpi-3-b.dtb"),
        );
        let mut command = qemu("qemu-system-aarch64");
        command.args(["-machine", "raspi3b", "-dtb"]).arg(tree);
        // The second serial port: the first belongs to Bluetooth on this board. rppal reaches the pins through /dev/mem:
        // this kernel has no /dev/gpiomem.
        command.args(["-serial", "null"]);
        let options = "console=ttyS1,115200 iomem=relaxed";
        self.start(Arch::Arm64, name, archive, command, options, &[])
    }

    fn start(
        &self,
        arch: Arch,
        name: &str,
        archive: Initramfs,
        mut command: Command,
        options: &str,
        extra: &[&str],
    ) -> Result<Machine> {
        let (version, _) = self.kernel(arch)?;
        let initrd = self.logs.join(format!("{name}.cpio"));
        archive.write(&initrd)?;
        command
            .arg("-kernel")
            .arg(self.file(arch, &format!("kernel/boot/vmlinuz-{version}")))
            .arg("-initrd")
            .arg(&initrd)
            .args(["-append", &format!("quiet panic=-1 {options}")])
            .args([
                "-nographic",
                "-monitor",
                "none",
                "-serial",
                "stdio",
                "-no-reboot",
            ])
            .args(extra);
        Machine::start(command, &self.logs.join(format!("{name}.log")))
    }
}

/// The name of a module by its file: the kernel writes `-` and `_` alike.
fn module_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.trim_end_matches(".ko").replace('-', "_")
}

/// A module's file and those it needs, in the order in which they can be loaded.
fn in_order<'a>(list: &'a str, name: &str) -> Result<Vec<&'a str>> {
    let line = list.lines().find_map(|line| {
        let (path, needs) = line.split_once(':')?;
        (module_name(path) == name.replace('-', "_")).then_some((path, needs))
    });
    let Some((path, needs)) = line else {
        bail!("the kernel has no module {name}");
    };
    // Listed as the last to load first.
    let needs = needs.split_whitespace().rev();
    Ok(needs.chain(std::iter::once(path)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_is_loaded_before_it() {
        let list = "kernel/a/one.ko: kernel/b/two-x.ko kernel/three.ko\nkernel/b/two-x.ko: kernel/three.ko\nkernel/three.ko:\n";
        assert_eq!(
            in_order(list, "one").unwrap(),
            ["kernel/three.ko", "kernel/b/two-x.ko", "kernel/a/one.ko"]
        );
        assert_eq!(in_order(list, "two_x").unwrap().len(), 2);
        assert!(in_order(list, "four").is_err());
    }
}
