//! The package as systemd runs it: Debian for arm64 with the `.deb` installed, booted, the pipeline hung, the service stopped.

use crate::Verdict;
use crate::desk::Desk;
use crate::firmware::{BOARD, BoardFile, Film, START};
use crate::kit::{Arch, Kit};
use crate::machine::Machine;
use anyhow::{Context, Result, ensure};
use label_store::Balance;
use std::time::Duration;

/// Until systemd has started everything on an emulated processor.
const BOOT: Duration = Duration::from_mins(6);

/// The unit's watchdog waits 20 s; then it takes a start.
const RESTART: Duration = Duration::from_mins(6);

/// Runs the loop that takes our commands, where a login would be.
const CONSOLE: &str = "[Unit]\nDescription=Commands of the test\n\n[Service]\nExecStart=/etc/console\nStandardInput=tty\n\
                       StandardOutput=tty\nStandardError=tty\nTTYPath=/dev/ttyAMA0\n";

/// Boots, hangs the pipeline, sees it started again, stops it in order.
pub(crate) fn lives(kit: &Kit) -> Verdict {
    let desk = Desk::start()?;
    let mut machine = boot(kit, &desk)?;
    let active = |machine: &mut Machine| {
        machine.wait_for("systemctl is-active rigeld", START, |text| {
            (text == "active").then_some(())
        })
    };
    active(&mut machine)?;
    let first = main_process(&mut machine)?;
    labels(&desk, &mut machine, 1)?;

    let health = desk.witness.heard().health.len();
    machine.run(&format!(
        "rig-guest hold {first} rigeld > /run/hold.log 2>&1 &"
    ))?;
    machine.wait_for("cat /run/hold.log", Duration::from_secs(20), |text| {
        text.contains("is held").then_some(())
    })?;
    desk.heard(
        &mut machine,
        "health while the pipeline hangs",
        RESTART,
        |heard| (heard.health.len() > health).then_some(()),
    )?;
    let count = "systemctl show --property NRestarts --value rigeld";
    machine.wait_for(count, RESTART, |text| (text == "1").then_some(()))?;
    active(&mut machine)?;
    let second = main_process(&mut machine)?;
    ensure!(
        second != first,
        "the same process {first} after the restart"
    );
    let result = machine.run("journalctl --no-pager --unit rigeld --grep 'Watchdog timeout'")?;
    let watchdog = result
        .lines()
        .last()
        .context("the journal knows of no time-out")?;
    labels(&desk, &mut machine, 2)?;

    machine.run("systemctl stop rigeld")?;
    let told = desk.stored(&mut machine, "the farewell", RESTART, |summary| {
        let rig = summary.rigs.first()?;
        let last = rig.boots.last()?;
        let flushed = last.watermark == last.highest && rig.power.as_deref() == Some("stopped");
        let clip = summary.clips.last()?;
        (flushed && clip.balance == Balance::Balanced).then_some(last.messages)
    })?;
    let state = machine.run("systemctl show --property Result --value rigeld")?;
    ensure!(
        state == "success",
        "after an ordered stop the unit's result is {state:?}"
    );
    Ok(format!(
        "active after boot; with its pipeline held, health went on and the watchdog did not: {}; started again, labels went on; \
         an ordered stop delivered all {told} messages of the second run",
        watchdog
            .split_once(": ")
            .map_or(watchdog, |(_, words)| words)
    ))
}

fn boot(kit: &Kit, desk: &Desk) -> Result<Machine> {
    let arch = Arch::Arm64;
    let modules = [
        "virtio_pci",
        "virtio_rng",
        "virtio_net",
        "virtio_blk",
        "crc32c_generic",
        "ext4",
    ];
    let mut archive = kit.base(arch, &modules)?;
    let board = BoardFile {
        rig: "service",
        source: Film::source(),
        outbox: "/var/lib/rigel/outbox",
        broker: desk.broker.port,
        more: "",
        hardware: "computer",
    };
    // Laid over Debian before it starts.
    archive.file(&format!("inject{BOARD}"), board.text().as_bytes());
    archive.program("inject/etc/console", include_bytes!("console"));
    let units = "inject/etc/systemd/system";
    archive.file(&format!("{units}/rig-console.service"), CONSOLE.as_bytes());
    archive.link(
        &format!("{units}/multi-user.target.wants/rig-console.service"),
        "../rig-console.service",
    );
    archive.link(
        &format!("{units}/serial-getty@ttyAMA0.service"),
        "/dev/null",
    );
    archive.copy("inject/usr/bin/rig-guest", &kit.file(arch, "rig-guest"))?;
    Film::new(kit)?.add(&mut archive, "inject/");
    let disk = kit.machines.join("service.img");
    let drive = format!(
        "file={},if=none,id=disk,format=raw,snapshot=on",
        disk.display()
    );
    let extra = ["-drive", &drive, "-device", "virtio-blk-pci,drive=disk"];
    let mut machine = kit.boot(arch, "service", archive, &extra)?;
    machine.expect("RIG ready", BOOT)?;
    Ok(machine)
}

fn main_process(machine: &mut Machine) -> Result<String> {
    machine.run("systemctl show --property MainPID --value rigeld")
}

/// Waits for labels of the run of this place.
fn labels(desk: &Desk, machine: &mut Machine, runs: usize) -> Result<()> {
    desk.stored(machine, "labels", START, |summary| {
        let clips = &summary.clips;
        let boots: std::collections::BTreeSet<u64> =
            clips.iter().map(|clip| clip.clip.id.boot.raw()).collect();
        let labelled = clips.last()?.committed.offered > 0;
        (boots.len() == runs && labelled).then_some(())
    })
}
