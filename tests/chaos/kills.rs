//! Processes that die: SIGKILL at random moments, a broker that forgets, a host that is put back by a day.

use crate::truth::Loss;
use crate::world::World;
use crate::{Chaos, Verdict, passed};
use anyhow::{Context, Result};
use end_to_end::{Broker, Program};
use std::time::Duration;

/// More than a run that is killed ever makes.
const ENDLESS: u64 = 1_000_000;
const PACE: [&str; 2] = ["--pace-us", "4000"];

fn start(world: &World, messages: u64) -> Program {
    let mut rig = world.rig(world.broker.port, messages);
    Program::start("rig", rig.args(PACE))
}

/// Rig, broker or host, whichever comes, at moments that the seed chose.
pub(crate) fn at_random_moments(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    let mut random = chaos.random();
    let mut rig = start(&world, ENDLESS);
    world.wait_for_committed(20);
    let mut killed = [0u32; 3];
    for nth in 0..chaos.kills {
        chaos.progress("killed", u64::from(nth), u64::from(chaos.kills));
        std::thread::sleep(Duration::from_millis(random.u64(5..600)));
        let victim = random.usize(0..3);
        killed[victim] += 1;
        match victim {
            0 => {
                world.kill_rig(rig);
                rig = start(&world, ENDLESS);
            }
            1 => {
                world.broker.kill();
                world.broker.restart();
            }
            _ => {
                world.kill_host();
                world.start_host();
            }
        }
    }
    world.kill_rig(rig);
    let rig = start(&world, 300);
    world.finish(rig)?;
    let counted = world.compare(Loss::None)?;
    let [rigs, brokers, hosts] = killed;
    passed(
        counted,
        format!("{rigs} kills of the rig, {brokers} of the broker, {hosts} of the host"),
    )
}

/// The broker had a store on disk, is killed, and comes back without it: retained messages, sessions, queues are gone.
pub(crate) fn broker_forgets(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::with_broker(chaos, Broker::start_keeping)?;
    let rig = start(&world, chaos.scaled(2000));
    let times = chaos.scaled(8).max(2);
    for nth in 0..times {
        chaos.progress("forgot", nth, times);
        let committed = world.committed();
        world.wait_for_committed(committed + 40);
        world.broker.kill();
        world.broker.forget().context("the broker's store")?;
        world.broker.restart();
    }
    world.finish(rig)?;
    passed(
        world.compare(Loss::None)?,
        format!("{times} times the broker came back without its store"),
    )
}

/// The host's database is put back to a copy of yesterday. In between the rig ended a whole run, began another, and
/// deleted what was committed.
pub(crate) fn host_put_back(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    let rig = start(&world, 200);
    world.finish(rig)?;
    let rig = start(&world, ENDLESS);
    world.wait_for_committed(300);
    world.kill_host();
    let copy = world.folder().join("yesterday");
    copy_folder(&world.data(), &copy)?;
    world.start_host();
    // More than a segment of the outbox, so that files are deleted meanwhile.
    let more = chaos.scaled(3000).max(900);
    world.wait_for_committed(300 + more);
    world.kill_rig(rig);
    let rig = start(&world, 200);
    world.finish(rig)?;
    let rig = start(&world, ENDLESS);
    let committed = world.committed();
    world.wait_for_committed(committed + 50);
    world.kill_host();
    std::fs::remove_dir_all(world.data())?;
    std::fs::rename(&copy, world.data())?;
    world.start_host();
    world.wait_for_committed(300 + 50);
    world.kill_rig(rig);
    let rig = start(&world, 200);
    world.finish(rig)?;
    let counted = world.compare(Loss::Declared)?;
    anyhow::ensure!(
        counted.numbers_lost > 0,
        "the rig had deleted nothing: this showed nothing"
    );
    passed(counted, "the host's database put back by a day".to_owned())
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    std::fs::create_dir(to)?;
    for item in std::fs::read_dir(from)? {
        let item = item?;
        if item.file_type()?.is_file() {
            std::fs::copy(item.path(), to.join(item.file_name()))?;
        }
    }
    Ok(())
}
