//! The rig's disk: full, read-only, slow, and an outbox at its own limit. The file system is one of the scenario's own,
//! in a namespace of its own.

use crate::truth::Loss;
use crate::world::World;
use crate::{Chaos, Verdict, passed};
use anyhow::{Context, Result, ensure};
use end_to_end::{Program, wait_for_at_most};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_mins(2);

fn mount(arguments: &[&str], place: &Path) -> Result<()> {
    run("mount", arguments, place)
}

fn run(program: &str, arguments: &[&str], place: &Path) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .arg(place)
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    ensure!(
        status.success(),
        "`{program} {} {}` failed",
        arguments.join(" "),
        place.display()
    );
    Ok(())
}

fn wait_for_made(world: &World, messages: u64) {
    wait_for_at_most(LONG, "the rig to make messages", || {
        let journal = world.journal()?;
        (journal.last + journal.refused >= messages).then_some(())
    });
}

/// No broker, and three megabytes: the rig goes on, counts what finds no room, and goes on writing when there is room.
pub(crate) fn full(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::apart(chaos)?;
    std::fs::create_dir(world.outbox())?;
    mount(&["-t", "tmpfs", "-o", "size=3m", "tmpfs"], &world.outbox())?;
    world.broker.kill();
    let messages = chaos.scaled(6000).max(2500);
    let mut rig = world.rig(world.broker.port, messages);
    let rig = Program::start("rig", rig.args(["--pace-us", "2000"]));
    wait_for_at_most(LONG, "the disk to be full", || {
        let journal = world.journal()?;
        // Pictures find no room before labels do.
        let labels = journal.lost.offered + journal.lost.abstained;
        (journal.refused >= 100 && labels > 0).then_some(())
    });
    world.broker.restart();
    world.finish(rig)?;
    let counted = world.compare(Loss::None)?;
    ensure!(counted.refused > 0, "the disk was never full");
    passed(
        counted,
        "3 MB for the outbox, and no broker until it was full".to_owned(),
    )
}

/// Every path of the outbox becomes read-only in the middle of a run, and writable again.
pub(crate) fn read_only(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::apart(chaos)?;
    std::fs::create_dir(world.outbox())?;
    mount(&["-t", "tmpfs", "-o", "size=64m", "tmpfs"], &world.outbox())?;
    let mut rig = world.rig(world.broker.port, chaos.scaled(3000).max(1500));
    let rig = Program::start(
        "rig",
        // Small segments, so that a new one is needed soon: what is open for writing stays so.
        rig.args(["--pace-us", "2000", "--max-bytes", "600000"]),
    );
    // The same folder once more, where nobody has anything open: what is written to cannot be made read-only.
    let refusing = world.folder().join("refusing");
    std::fs::create_dir(&refusing)?;
    mount(
        &["--bind", &world.outbox().display().to_string()],
        &refusing,
    )?;
    mount(&["-o", "remount,bind,ro"], &refusing)?;
    let times = chaos.scaled(20).max(2);
    for nth in 0..times {
        chaos.progress("times read-only", nth, times);
        let begun = world.journal().map_or(0, |journal| journal.refused);
        mount(
            &["--bind", &refusing.display().to_string()],
            &world.outbox(),
        )?;
        wait_for_at_most(LONG, "the disk to refuse", || {
            let journal = world.journal()?;
            (journal.refused > begun + 5).then_some(())
        });
        run("umount", &["--lazy"], &world.outbox())?;
        let made = world.journal().map_or(0, |journal| journal.last);
        wait_for_at_most(LONG, "the rig to write again", || {
            (world.journal()?.last > made + 20).then_some(())
        });
    }
    world.finish(rig)?;
    let counted = world.compare(Loss::Declared)?;
    let refused = world.journal().map_or(0, |journal| journal.refused);
    ensure!(refused > 0, "the disk refused nothing");
    passed(
        counted,
        format!("{times} times read-only, {refused} messages refused"),
    )
}

/// The outbox is at its own limit: the oldest goes, and each number that goes is declared.
pub(crate) fn at_its_limit(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    world.broker.kill();
    let messages = chaos.scaled(10_000).max(1500);
    let mut rig = world.rig(world.broker.port, messages);
    let rig = Program::start(
        "rig",
        rig.args(["--pace-us", "0", "--max-bytes", "1000000"]),
    );
    wait_for_made(&world, messages);
    world.broker.restart();
    world.finish(rig)?;
    let counted = world.compare(Loss::Declared)?;
    ensure!(counted.numbers_lost > 0, "nothing had to be given up");
    passed(
        counted,
        "1 MB for the outbox, and no broker until all was made".to_owned(),
    )
}

/// Each sync of the disk takes 0.4 s longer: what makes labels does not wait for it. Watching a program's calls costs time by
/// itself, so the same is measured without the delay.
pub(crate) fn slow(chaos: &Chaos) -> Result<Verdict> {
    let Some(strace) = strace() else {
        return Ok(Verdict::NotRun(
            "a slow disk is made with strace, which is not installed (apt-get install strace)"
                .to_owned(),
        ));
    };
    let mut world = World::new(chaos)?;
    let messages = chaos.scaled(5000).max(1000);
    let mut took = [Duration::ZERO; 2];
    for (took, delay) in took.iter_mut().zip(["", ":delay_exit=400000"]) {
        let plain = world.rig(world.broker.port, messages);
        let mut rig = Command::new(&strace);
        rig.args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"])
            .args(["-e", "trace=fsync,fdatasync"]);
        if !delay.is_empty() {
            rig.args(["-e", &format!("inject=fsync,fdatasync{delay}")]);
        }
        rig.arg(plain.get_program())
            .args(plain.get_args())
            .args(["--pace-us", "1000"]);
        let before = world.journal().map_or(0, |journal| journal.boot);
        let begun = Instant::now();
        let rig = Program::start("rig", &mut rig);
        wait_for_at_most(LONG, "the rig to make messages", || {
            let journal = world.journal()?;
            (journal.boot != before && journal.last >= messages).then_some(())
        });
        *took = begun.elapsed();
        world.finish(rig)?;
    }
    let [quick, slow] = took;
    // Appends that waited would take a second for each fifth of a second of labels. The start syncs a few times.
    ensure!(
        slow < quick + quick / 2 + Duration::from_secs(4),
        "{messages} messages took {slow:.1?}, and {quick:.1?} on a quick disk: they waited for it"
    );
    passed(
        world.compare(Loss::None)?,
        format!(
            "0.4 s more for each sync; {messages} messages were made in {:.1} s, and in {:.1} s without",
            slow.as_secs_f64(),
            quick.as_secs_f64()
        ),
    )
}

fn strace() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("strace"))
        .find(|program| program.is_file())
}
