//! Power cuts: QEMU is killed while a machine labels and publishes, its outbox on a disk. What a rig has sent must have been
//! on the disk before, and what was on the disk must reach the host once, after the power is back.
//!
//! This loses what the machine's kernel had not written yet, as a cut does. A disk that lies about its own cache is not
//! emulated. The control is the same with a firmware whose syncs do nothing, and it must be found out.

use crate::Verdict;
use crate::camera::BOOT;
use crate::desk::Desk;
use crate::firmware::{self, BoardFile, Film};
use crate::kit::{Arch, Kit};
use crate::machine::Machine;
use anyhow::{Context, Result, ensure};
use label_core::Seq;
use label_core::wire::parse_name;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use uplink::{Cursor, Outbox, OutboxLimits};

const RIG: &str = "cut";

/// How often the power goes.
const CUTS: u32 = 3;

/// Messages heard of a run before its power goes, more by one each time, so that cuts fall at different places.
const MESSAGES: Seq = 8;

/// Until that many were heard.
const LABELLING: Duration = Duration::from_mins(5);

/// What becomes of it when the firmware asks for its files to be on the disk.
#[derive(Clone, Copy)]
enum Syncs {
    Work,
    DoNothing,
}

/// Kills machines, and counts.
pub(crate) fn survived(kit: &Kit) -> Verdict {
    let mut desk = Desk::start()?;
    let disk = desk.folder().join("disk.img");
    format(&disk)?;
    let mut told = Vec::new();
    // Nobody commits anything for now: whatever is heard has to lie on the disk.
    desk.close();
    for cut in 0..CUTS {
        let (heard, kept) = one_cut(kit, &desk, &disk, MESSAGES + Seq::from(cut), Syncs::Work)?;
        ensure!(
            kept >= heard,
            "cut {cut}: message {heard} was heard, but the disk ends with {kept}"
        );
        told.push(format!("{heard} heard, {kept} on the disk"));
    }
    desk.open();
    let last = deliver(kit, &desk, &disk)?;
    Ok(format!(
        "cuts: {}; after them {last} messages arrived, each once",
        told.join(", ")
    ))
}

/// The control: with a firmware that syncs nothing, what was heard has to be missing on the disk.
pub(crate) fn found_out(kit: &Kit) -> Verdict {
    let mut desk = Desk::start()?;
    let disk = desk.folder().join("disk.img");
    format(&disk)?;
    desk.close();
    let (heard, kept) = one_cut(kit, &desk, &disk, MESSAGES, Syncs::DoNothing)?;
    ensure!(
        kept < heard,
        "{kept} of {heard} messages were on the disk: `power cuts` would find no loss"
    );
    Ok(format!(
        "of {heard} messages heard {kept} were left, as it should be"
    ))
}

/// Boots, labels until the run has `messages`, pulls the plug: the run's highest number heard, and on the disk.
fn one_cut(kit: &Kit, desk: &Desk, disk: &Path, messages: Seq, syncs: Syncs) -> Result<(Seq, Seq)> {
    let known: Vec<u64> = desk.witness.heard().highest.keys().copied().collect();
    let mut machine = boot(kit, desk, disk, syncs)?;
    let boot = desk.heard(&mut machine, "messages of this run", LABELLING, |heard| {
        let new = heard.highest.iter().find(|(boot, _)| !known.contains(boot));
        new.filter(|(_, seq)| **seq >= messages)
            .map(|(boot, _)| *boot)
    })?;
    machine.cut()?;
    let heard = desk.witness.heard().highest[&boot];
    Ok((heard, on_disk(disk, boot)?))
}

/// Boots with the host listening until it has all there was.
fn deliver(kit: &Kit, desk: &Desk, disk: &Path) -> Result<u64> {
    let mut kept = Vec::new();
    for boot in desk.witness.heard().highest.keys() {
        kept.push((*boot, on_disk(disk, *boot)?));
    }
    let mut machine = boot(kit, desk, disk, Syncs::Work)?;
    let messages = desk.stored(
        &mut machine,
        "everything from the disk",
        LABELLING,
        |summary| {
            let rig = summary.rigs.first()?;
            let mut messages = 0;
            for (boot, last) in &kept {
                let found = rig.boots.iter().find(|found| found.boot.raw() == *boot)?;
                if (found.watermark, found.highest) != (*last, *last) {
                    return None;
                }
                messages += found.messages;
            }
            Some(messages)
        },
    )?;
    firmware::stop(&mut machine)?;
    let expected: u64 = kept.iter().map(|(_, last)| last).sum();
    ensure!(
        messages == expected,
        "{expected} messages were on the disk, {messages} are stored"
    );
    let summary = desk.summary()?;
    ensure!(
        summary.quarantined == 0,
        "the host could not use all: {summary:?}"
    );
    for boot in &summary.rigs[0].boots {
        ensure!((boot.labels_lost, boot.evidence_lost) == (0, 0), "{boot:?}");
    }
    Ok(messages)
}

fn boot(kit: &Kit, desk: &Desk, disk: &Path, syncs: Syncs) -> Result<Machine> {
    let arch = Arch::Amd64;
    let modules = [
        "virtio_pci",
        "virtio_rng",
        "virtio_net",
        "virtio_blk",
        "crc32c_generic",
        "ext4",
    ];
    let mut archive = kit.base(arch, &modules)?;
    kit.add_firmware(&mut archive, arch)?;
    Film::new(kit)?.add(&mut archive, "");
    archive.copy("lib/no_sync.so", &kit.file(arch, "no_sync.so"))?;
    let drive = format!("file={},if=none,id=disk,format=raw", disk.display());
    let extra = ["-drive", &drive, "-device", "virtio-blk-pci,drive=disk"];
    let (log, environment) = match syncs {
        Syncs::Work => ("powercut", ""),
        Syncs::DoNothing => ("powercut-without-syncs", "LD_PRELOAD=/lib/no_sync.so"),
    };
    let mut machine = kit.boot(arch, log, archive, &extra)?;
    machine.expect("RIG ready", BOOT)?;
    // What a program does not sync stays in memory for longer than any of this takes.
    machine.run("echo 60000 > /proc/sys/vm/dirty_expire_centisecs")?;
    machine.run("mount -t ext4 -o commit=600 /dev/vda /mnt")?;
    let board = BoardFile {
        rig: RIG,
        source: Film::source(),
        outbox: "/mnt/outbox",
        broker: desk.broker.port,
        more: "",
        hardware: "computer",
    };
    firmware::write_board(&mut machine, &board.text())?;
    firmware::start(&mut machine, environment)?;
    Ok(machine)
}

fn format(disk: &Path) -> Result<()> {
    std::fs::File::create(disk)
        .and_then(|file| file.set_len(128 << 20))
        .with_context(|| format!("cannot write {}", disk.display()))?;
    done("mkfs.ext4", &["-q"], disk)
}

/// The last number of a run that the disk holds, read from a copy of it: the machine's next boot finds it untouched.
fn on_disk(disk: &Path, boot: u64) -> Result<Seq> {
    let copy = tempfile::tempdir()?;
    let image = copy.path().join("disk.img");
    std::fs::copy(disk, &image).context("cannot copy a disk")?;
    // Replays the journal, as mounting does.
    done("e2fsck", &["-fp"], &image)?;
    let folder = copy.path().join("files");
    std::fs::create_dir(&folder)?;
    let request = format!("rdump /outbox {}", folder.display());
    done("debugfs", &["-R", &request], &image)?;
    let outbox = folder.join("outbox");
    if !outbox.is_dir() {
        return Ok(0);
    }
    let rig = parse_name(RIG).context("a name")?;
    let (mut outbox, report) = Outbox::open(&outbox, rig, OutboxLimits::default())?;
    ensure!(
        report.corrupt.is_empty() && report.lost.is_empty(),
        "the cut damaged the outbox: {report:?}"
    );
    // Labels are read before evidence, whatever their numbers.
    let mut numbers = BTreeSet::new();
    let mut cursor = Cursor::default();
    while let Some(record) = outbox.next(&mut cursor)? {
        if record.boot.raw() == boot {
            ensure!(numbers.insert(record.seq), "two messages {}", record.seq);
        }
    }
    let last = numbers.last().copied().unwrap_or(0);
    ensure!(
        numbers.len() as u64 == last,
        "of {last} messages the disk has {numbers:?}"
    );
    Ok(last)
}

/// Runs a program of e2fsprogs on an image. They end with 1 where they mended something, which is what they were asked for.
fn done(program: &str, arguments: &[&str], image: &Path) -> Result<()> {
    let output = Command::new(program)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .args(arguments)
        .arg(image)
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "{program} ended with {}: {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
