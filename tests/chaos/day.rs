//! A day of labels: what stays in memory, and what is left in the outbox.

use crate::truth::Loss;
use crate::world::World;
use crate::{Chaos, Verdict, passed};
use anyhow::{Context, Result, ensure};
use end_to_end::{Program, wait_for_at_most};
use std::time::Duration;

/// Messages of a rig that labels for 24 hours, at 3.6 a second.
const MESSAGES: u64 = 311_000;
/// After this share of them every buffer has its size.
const WARM: u64 = 10;
/// What either may grow by after that, in KiB.
const MAX_GROWTH: u64 = 16 * 1024;
const LONG: Duration = Duration::from_mins(30);

/// Makes and delivers them as fast as the desk commits, and reads the memory of both.
pub(crate) fn of_labels(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    let messages = chaos.scaled(MESSAGES);
    let mut rig = world.rig(world.broker.port, messages);
    let rig = Program::start("rig", rig.args(["--pace-us", "1200"]));
    let desk = world.host_id().context("the desk runs")?;
    let memory = || -> Option<[u64; 2]> { Some([resident(rig.id())?, resident(desk)?]) };
    let mut read: Vec<(u64, [u64; 2])> = Vec::new();
    wait_for_at_most(LONG, "a day of messages", || {
        let committed = world.committed();
        let tenth = committed * 20 / messages;
        if read.last().is_none_or(|(last, _)| *last < tenth) {
            let now = memory()?;
            let [of_rig, of_desk] = now.map(|kib| kib as f64 / 1024.0);
            println!(
                "    {:.1} hours: rig {of_rig:.1} MiB, desk {of_desk:.1} MiB",
                committed as f64 / messages as f64 * 24.0
            );
            read.push((tenth, now));
        }
        std::thread::sleep(Duration::from_millis(200));
        (committed >= messages).then_some(())
    });
    world.finish(rig)?;
    let left = segments(&world.outbox())?;
    let (_, warm) = read
        .iter()
        .find(|(at, _)| *at >= 20 / WARM)
        .context("the warm-up was not seen")?;
    let (_, end) = read.last().context("memory was read")?;
    for (name, warm, end) in [("rig", warm[0], end[0]), ("desk", warm[1], end[1])] {
        ensure!(
            end <= warm + MAX_GROWTH,
            "the {name} grew from {warm} to {end} KiB of resident memory"
        );
    }
    ensure!(left <= 3, "{left} files are left in the outbox");
    passed(
        world.compare(Loss::None)?,
        format!(
            "24 hours' worth of messages; resident memory after a tenth and at the end: rig {} and {} KiB, desk {} and {} KiB; nothing waits in the outbox",
            warm[0], end[0], warm[1], end[1]
        ),
    )
}

fn resident(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Files of messages; the last of each lane stays until the next start.
fn segments(outbox: &std::path::Path) -> Result<usize> {
    let mut files = 0;
    for lane in ["notices", "labels", "evidence"] {
        files += std::fs::read_dir(outbox.join(lane))?.count();
    }
    Ok(files)
}
