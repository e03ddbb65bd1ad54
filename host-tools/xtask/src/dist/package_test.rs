//! What the package does to a system: installed, upgraded, removed and purged in an emulated Debian for arm64.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::root::{DEBIAN_12, Root};
use super::{Made, Parts, VERSION, cross, first_boot_test, update_test};
use crate::layout::Project;
use crate::progress::seconds;

/// The board whose package is tested; they differ in the board file alone.
pub(super) const BOARD: &str = "rpi4";
/// Sorts after the version being tested, so that it is an upgrade.
const NEXT: &str = "+next";

/// Paths that any package with a user and a service leaves behind in Debian.
const LEFT_BY_DEBIAN: [&str; 8] = [
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/.pwd.lock",
    "/var/lib/dpkg/",
    "/var/log/",
    "/var/cache/ldconfig/",
];

/// Builds the package and puts it through its life; the error tells what a field engineer would find wrong.
pub(crate) fn run(project: &Project) -> Result<()> {
    let parts = Parts::build(project, BOARD)?;
    let out = project.path("target/dist/test");
    let first = parts.pack(&out, VERSION)?;
    let packed = parts.tree(VERSION).stage().join("usr/bin/rigeld");
    cross::names_no_folder_of_here(project, &packed)?;
    let second = parts.pack(&out, &format!("{VERSION}{NEXT}"))?;
    let root = Root::unpack(project, &DEBIAN_12, "package-test")?;
    let before = paths(&root)?;
    for made in [&first, &second] {
        let name = made.package.file_name().context("a package has a name")?;
        std::fs::copy(&made.package, root.path("root").join(name))
            .with_context(|| format!("cannot copy {}", made.package.display()))?;
    }
    installs(&root, &first)?;
    labels(&root)?;
    update_test::run(project, &parts, &root)?;
    keeps_on_upgrade(&root, &second)?;
    update_test::gives_way_to_the_package(&root)?;
    removes(&root)?;
    purges(&root, &before)?;
    first_boot_test::run(project, &first)?;
    eprintln!(
        "package: {:.1} MB, installed {:.1} MB; depends on {}",
        first.bytes as f64 / 1e6,
        first.installed_kib as f64 * 1024.0 / 1e6,
        first.depends
    );
    Ok(())
}

pub(super) fn install(root: &Root, made: &Made) -> Result<()> {
    let name = made.package.file_name().context("a package has a name")?;
    let begun = Instant::now();
    root.run(&format!("dpkg --install /root/{}", name.to_string_lossy()))?;
    let version =
        root.run("dpkg-query --show --showformat='${Status} ${Version}' rigel-firmware")?;
    ensure!(
        version.starts_with("install ok installed"),
        "after its installation the package is {version:?}"
    );
    eprintln!(
        "{} ({})",
        version.replace("install ok installed", "installed"),
        seconds(begun.elapsed())
    );
    Ok(())
}

fn installs(root: &Root, made: &Made) -> Result<()> {
    // A key that came with the card, before there was a group to give it to.
    root.run(
        "install -d -m 0750 /etc/rigel/tls && install -m 0600 /dev/null /etc/rigel/tls/rig.key",
    )?;
    install(root, made)?;
    let changed = root.run("dpkg --verify rigel-firmware")?;
    ensure!(
        changed.is_empty(),
        "files differ from the package's:\n{changed}"
    );
    let groups = root.run("id --groups --name rigel")?;
    for group in ["rigel", "video", "gpio", "i2c"] {
        ensure!(
            groups.split_whitespace().any(|one| one == group),
            "the user rigel is not in group {group}, only in: {groups}"
        );
    }
    root.run(&format!(
        "cmp /etc/rigel/board.toml /usr/share/rigel/boards/{BOARD}.toml"
    ))?;
    let keys = root.run("stat --format='%a %U %G' /etc/rigel/tls")?;
    ensure!(keys == "750 root rigel", "/etc/rigel/tls is {keys}");
    let key = root.run("stat --format='%a %U %G' /etc/rigel/tls/rig.key")?;
    ensure!(key == "640 root rigel", "/etc/rigel/tls/rig.key is {key}");
    for unit in ["rigeld.service", "rigel-poweroff.path"] {
        let link = format!("/etc/systemd/system/multi-user.target.wants/{unit}");
        root.run(&format!("test -L {link}"))
            .with_context(|| format!("{unit} will not start at boot"))?;
    }
    let warnings = root.run(
        "systemd-analyze verify /lib/systemd/system/rigeld.service /lib/systemd/system/rigel-poweroff.path",
    )?;
    ensure!(warnings.is_empty(), "systemd about the units:\n{warnings}");
    Ok(())
}

fn labels(root: &Root) -> Result<()> {
    let begun = Instant::now();
    let version = root.run("rigeld --version")?;
    ensure!(
        version == format!("rigeld {VERSION}"),
        "rigeld --version says {version:?}"
    );
    eprintln!(
        "rigeld starts under emulation ({})",
        seconds(begun.elapsed())
    );
    let begun = Instant::now();
    // As the service's user, which must be able to read all it needs. On the Raspberry Pi 5's processor, whose kind the Jetson's
    // is; the Raspberry Pi 4's runs the check of the updates.
    let said = root.run(
        "cd /tmp; export QEMU_CPU=cortex-a76; setpriv --reuid=rigel --regid=rigel --init-groups \
         rigeld label /usr/share/rigel/models/golden/clip.mjpeg --out /tmp/golden.jsonl --board /etc/rigel/board.toml",
    )?;
    let lines = root.run("grep --count '\"decision\":\"candidate\"' /tmp/golden.jsonl")?;
    let blinks = root.run("grep --count '\"kind\":\"blink\".*candidate' /tmp/golden.jsonl")?;
    ensure!(
        blinks != "0",
        "no blink was found in the golden clip; rigeld said:\n{said}"
    );
    eprintln!(
        "the golden clip under emulation: {lines} candidates, {blinks} blinks ({})",
        seconds(begun.elapsed())
    );
    Ok(())
}

fn keeps_on_upgrade(root: &Root, made: &Made) -> Result<()> {
    // What the field engineer and the service have done by now.
    root.run(
        "echo '# site 7' >> /etc/rigel/board.toml; echo key > /etc/rigel/tls/rig.key; \
         install -d -o rigel -g rigel -m 0750 /var/lib/rigel /var/lib/rigel/outbox; echo labels > /var/lib/rigel/outbox/1",
    )?;
    install(root, made)?;
    kept(root, "an upgrade")?;
    let version = root.run("dpkg-query --show --showformat='${Version}' rigel-firmware")?;
    ensure!(version.ends_with(NEXT), "the upgrade left {version}");
    Ok(())
}

fn kept(root: &Root, what: &str) -> Result<()> {
    root.run(
        "grep -q '# site 7' /etc/rigel/board.toml && grep -q key /etc/rigel/tls/rig.key && grep -q labels /var/lib/rigel/outbox/1",
    )
    .with_context(|| format!("{what} did not leave board file, key and outbox as they were"))?;
    Ok(())
}

fn removes(root: &Root) -> Result<()> {
    root.run("dpkg --remove rigel-firmware")?;
    kept(root, "removing the package")?;
    let left = root.run("ls -d /usr/bin/rigeld /usr/lib/rigel /usr/share/rigel /lib/systemd/system/rigel* 2>/dev/null || true")?;
    ensure!(left.is_empty(), "removing the package left:\n{left}");
    Ok(())
}

fn purges(root: &Root, before: &BTreeSet<PathBuf>) -> Result<()> {
    root.run("dpkg --purge rigel-firmware; rm /root/rigel-firmware_*.deb /root/*.raucb")?;
    let after = paths(root)?;
    let stray: Vec<String> = after
        .difference(before)
        .map(|path| path.display().to_string())
        .filter(|path| !LEFT_BY_DEBIAN.iter().any(|known| path.starts_with(known)))
        .collect();
    ensure!(
        stray.is_empty(),
        "purging the package left:\n{}",
        stray.join("\n")
    );
    let lost: Vec<String> = before
        .difference(&after)
        .map(|path| path.display().to_string())
        .collect();
    ensure!(
        lost.is_empty(),
        "purging the package took away:\n{}",
        lost.join("\n")
    );
    Ok(())
}

/// Every path of the root.
fn paths(root: &Root) -> Result<BTreeSet<PathBuf>> {
    let listed = root.run("find / -xdev -not -path '/proc/*' -not -path '/run/*' -not -path '/sys/*' -not -path '/tmp/*'")?;
    Ok(listed.lines().map(PathBuf::from).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// Runs the script of the service's restarts with a `sleep` that only says how long.
    fn pause(folder: &Path, step: &str, result: &str) -> String {
        use std::os::unix::fs::PermissionsExt;
        let sleep = folder.join("sleep");
        std::fs::write(&sleep, "#!/bin/sh\necho slept $1\n").unwrap();
        std::fs::set_permissions(&sleep, std::fs::Permissions::from_mode(0o755)).unwrap();
        let script = Project::find()
            .unwrap()
            .path("boards/package/restart-pause");
        let path = format!("{}:/usr/bin:/bin", folder.display());
        let output = Command::new("sh")
            .arg(script)
            .arg(step)
            .env("PATH", path)
            .env("RUNTIME_DIRECTORY", folder)
            .env("SERVICE_RESULT", result)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn each_failure_in_a_row_waits_longer_and_an_orderly_stop_forgets_them() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let waits: Vec<String> = (0..10)
            .map(|_| {
                let said = pause(folder, "before-start", "");
                pause(folder, "after-stop", "watchdog");
                let slept = said.lines().find_map(|line| line.strip_prefix("slept "));
                slept.unwrap_or("0").to_owned()
            })
            .collect();
        assert_eq!(
            waits,
            ["0", "0", "2", "4", "8", "16", "32", "60", "60", "60"]
        );
        pause(folder, "after-stop", "success");
        assert_eq!(pause(folder, "before-start", ""), "");
    }

    #[test]
    fn a_pause_ends_without_a_failure_when_the_service_is_stopped() {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;
        use std::io::BufRead;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("failures"), "9").unwrap();
        let script = Project::find()
            .unwrap()
            .path("boards/package/restart-pause");
        let mut waiting = Command::new("sh")
            .arg(script)
            .arg("before-start")
            .env("RUNTIME_DIRECTORY", folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut output = std::io::BufReader::new(waiting.stdout.take().unwrap());
        output.read_line(&mut said).unwrap();
        assert!(said.contains("waiting 60 s"), "{said}");
        kill(Pid::from_raw(waiting.id().cast_signed()), Signal::SIGTERM).unwrap();
        let status = waiting.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    #[test]
    fn a_failure_after_a_long_run_starts_the_count_anew() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for _ in 0..5 {
            pause(folder, "before-start", "");
            pause(folder, "after-stop", "exit-code");
        }
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: i64 = uptime.split('.').next().unwrap().parse().unwrap();
        std::fs::write(folder.join("begun"), (uptime - 3600).to_string()).unwrap();
        pause(folder, "after-stop", "exit-code");
        assert_eq!(pause(folder, "before-start", ""), "");
    }
}
