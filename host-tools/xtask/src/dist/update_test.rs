//! Updates from signed bundles, in an emulated Debian for arm64: refused, on trial, kept, gone back from.
//!
//! Nothing starts the service here, so each of its starts is played: the `ExecStartPre=` lines of the unit that were installed,
//! in their order, as their prefixes say. What systemd does with the same lines is seen in an emulated machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::bundle::Signer;
use super::package_test::BOARD;
use super::root::Root;
use super::{Parts, VERSION};
use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::programs;
use crate::progress::{Bar, seconds};

/// Version of the bundles.
const NEXT: &str = "9.9.9";

/// Puts the installed package through its updates. `parts` has packed its tree last.
pub(super) fn run(project: &Project, parts: &Parts, root: &Root) -> Result<()> {
    let begun = Instant::now();
    let bundles = Bundles::make(project, parts, root)?;
    board_without_devices(project, root)?;

    refuses(root, "no certificate", "good")?;
    std::fs::copy(&bundles.certificate, root.path("etc/rigel/update.crt"))?;
    for (why, name) in [
        ("another key", "foreign"),
        ("a changed byte", "tampered"),
        ("a torn end", "torn"),
        ("another board", "other-board"),
    ] {
        refuses(root, why, name)?;
    }

    installs(root, "bad")?;
    let said = start(root)?;
    runs(root, VERSION, "package").with_context(|| format!("after a failed check:\n{said}"))?;
    ensure!(
        said.contains("going back"),
        "nothing was said about going back:\n{said}"
    );

    installs(root, "good")?;
    // The power goes in the middle of the check, twice.
    for _ in 0..2 {
        let said = root.run("rigel-update select")?;
        ensure!(said.contains("trying 9.9.9 in slot a"), "{said}");
    }
    root.run("rigel-update select")?;
    runs(root, VERSION, "package").context("after two trials that the power cut short")?;

    installs(root, "good")?;
    let said = start(root)?;
    runs(root, NEXT, "a").with_context(|| format!("after a check that passed:\n{said}"))?;
    start(root)?;
    runs(root, NEXT, "a").context("after the start that followed")?;

    root.run("rigel-update back")?;
    start(root)?;
    runs(root, VERSION, "package").context("after `rigel-update back`")?;
    root.run("rigel-update back")?;
    start(root)?;
    runs(root, NEXT, "a").context("after `rigel-update back` from going back")?;
    eprintln!(
        "updates: 5 bundles refused, a bad one gone back from, a good one kept ({})",
        seconds(begun.elapsed())
    );
    Ok(())
}

/// Once a newer package was installed, it runs.
pub(super) fn gives_way_to_the_package(root: &Root) -> Result<()> {
    root.run("rigel-update select")?;
    let said = root.run("rigel-update status")?;
    ensure!(
        said.ends_with("(package)"),
        "after the upgrade of the package `rigel-update status` says:\n{said}"
    );
    Ok(())
}

struct Bundles {
    certificate: PathBuf,
}

impl Bundles {
    fn make(project: &Project, parts: &Parts, root: &Root) -> Result<Self> {
        let folder = project.path("target/rig/update-test");
        remove(&folder)?;
        create_folder(&folder)?;
        let (certificate, key) = self_signed(project, &folder, "rigel")?;
        let (other_certificate, other_key) = self_signed(project, &folder, "other")?;
        let ours = Signer {
            cert: &certificate,
            key: &key,
        };
        let theirs = Signer {
            cert: &other_certificate,
            key: &other_key,
        };
        let place = |from: &Path, name: &str| {
            let to = root.path(&format!("root/{name}.raucb"));
            std::fs::rename(from, &to).with_context(|| format!("cannot move to {}", to.display()))
        };
        let content = parts.content(NEXT)?;
        let foreign = content.sign(project, BOARD, &theirs, &folder)?;
        place(&foreign, "foreign")?;
        let other = content.sign(project, "other", &ours, &folder)?;
        place(&other, "other-board")?;
        let good = content.sign(project, BOARD, &ours, &folder)?;
        let bytes = std::fs::read(&good)?;
        std::fs::write(root.path("root/torn.raucb"), &bytes[..bytes.len() * 2 / 3])?;
        let mut tampered = bytes;
        let middle = tampered.len() / 2;
        tampered[middle] ^= 1;
        std::fs::write(root.path("root/tampered.raucb"), tampered)?;
        place(&good, "good")?;
        // Signed in good faith, but one of its models is not the one that its card describes.
        let model = parts
            .tree(NEXT)
            .stage()
            .join("usr/share/rigel/models/eye-reader/eye_reader.tflite");
        let sound = std::fs::read(&model)?;
        std::fs::write(&model, b"not a model")?;
        let bad = parts.content(NEXT);
        std::fs::write(&model, sound)?;
        place(&bad?.sign(project, BOARD, &ours, &folder)?, "bad")?;
        Ok(Self { certificate })
    }
}

/// A certificate with its key, as docs/updates.md makes them.
fn self_signed(project: &Project, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
    programs::find_or_install(project, "openssl", "openssl")?;
    let certificate = folder.join(format!("{name}.crt"));
    let key = folder.join(format!("{name}.key"));
    let mut command = Command::new("openssl");
    command
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
        ])
        .args(["-subj", &format!("/CN={name} updates")])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate);
    run_logged(
        "openssl",
        &mut command,
        &folder.join("openssl.log"),
        &Bar::hidden(),
    )?;
    Ok((certificate, key))
}

/// A board file for a root that has no devices: the simulated rig's, with the package's paths.
fn board_without_devices(project: &Project, root: &Root) -> Result<()> {
    let text = std::fs::read_to_string(project.path("boards/sim.toml"))
        .context("cannot read boards/sim.toml")?;
    let models = "/usr/share/rigel/models";
    let text = text
        .replace(
            "../.rigel/clips/franck.mp4",
            &format!("{models}/golden/clip.mjpeg"),
        )
        .replace("../.rigel/models", &format!("{models}/files"))
        .replace("../.rigel/runtime", "/usr/lib/rigel")
        .replace("../.rigel/rig", "/var/lib/rigel/outbox")
        .replace("../models", models);
    std::fs::write(root.path("etc/rigel/board.toml"), text)?;
    root.run("install -d -o rigel -g rigel /run/rigel /var/lib/rigel /var/lib/rigel/outbox")?;
    Ok(())
}

fn refuses(root: &Root, why: &str, name: &str) -> Result<()> {
    let (accepted, said) = root.ask(&format!("rigel-update install /root/{name}.raucb"))?;
    ensure!(
        !accepted && said.contains("rigel-update: "),
        "a bundle with {why} was not refused:\n{said}"
    );
    runs(root, VERSION, "package")?;
    let left = root.run("ls /var/lib/rigel-update 2>/dev/null || true")?;
    ensure!(
        left.lines().all(|name| name == "rauc.log"),
        "refusing a bundle with {why} left:\n{left}"
    );
    Ok(())
}

fn installs(root: &Root, name: &str) -> Result<()> {
    let said = root.run(&format!("rigel-update install /root/{name}.raucb"))?;
    ensure!(said.contains("on trial: 9.9.9"), "{said}");
    Ok(())
}

fn runs(root: &Root, version: &str, slot: &str) -> Result<()> {
    let said = root.run("rigel-update status")?;
    ensure!(
        said.starts_with(&format!("rigel-update: runs {version} ({slot})")),
        "{version} should run, from {slot}; `rigel-update status` says:\n{said}"
    );
    let links = root.run("readlink /run/rigel-firmware || true")?;
    let expected = match slot {
        "package" => String::new(),
        slot => format!("/var/lib/rigel-update/{slot}"),
    };
    ensure!(
        links == expected || said.contains("on trial"),
        "{slot} should run, and the service's firmware is {links:?}"
    );
    Ok(())
}

/// A start of the service up to its main program: what the unit has run before it.
fn start(root: &Root) -> Result<String> {
    let unit = std::fs::read_to_string(root.path("lib/systemd/system/rigeld.service"))
        .context("the unit is not installed")?;
    let mut said = Vec::new();
    for line in unit.lines() {
        let Some(command) = line.strip_prefix("ExecStartPre=") else {
            continue;
        };
        let program = command.trim_start_matches(['+', '-']);
        let prefixes = &command[..command.len() - program.len()];
        let (good, output) = if prefixes.contains('+') {
            root.ask(program)?
        } else {
            root.ask(&confined(program))?
        };
        said.push(output);
        ensure!(
            good || prefixes.contains('-'),
            "{program} failed:\n{}",
            said.join("\n")
        );
    }
    Ok(said.join("\n"))
}

/// A command as the service runs it: as its user, with the chosen firmware over the package's.
fn confined(program: &str) -> String {
    let bind = "for path in usr/bin/rigeld usr/lib/rigel usr/share/rigel; do \
                [ ! -e /run/rigel-firmware/$path ] || mount --bind /run/rigel-firmware/$path /$path; done";
    format!(
        "export RUNTIME_DIRECTORY=/run/rigel; {bind}; setpriv --reuid=rigel --regid=rigel --init-groups {program}"
    )
}
