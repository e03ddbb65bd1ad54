//! Clocks that are wrong, jump, and begin anew.

use crate::truth::Loss;
use crate::world::World;
use crate::{Chaos, Verdict, passed};
use anyhow::Result;
use end_to_end::Program;
use std::process::Command;

const SECOND: i64 = 1_000_000;
const YEAR: i64 = 365 * 24 * 3600 * SECOND;
/// 2026-01-01.
const NOW: i64 = 1_767_225_600 * SECOND;

/// (what the clock shows, by how much it jumps in mid-clip)
const CLOCKS: [(i64, i64); 8] = [
    (5 * SECOND, 0),
    (5 * SECOND, NOW),
    (NOW, YEAR),
    (NOW, -YEAR),
    (NOW, SECOND),
    (NOW, -SECOND),
    // Within a leap second that is smeared, stepped or ignored a clock is up to a second off: as above, at midnight.
    (NOW - SECOND, SECOND),
    (NOW - SECOND, -SECOND),
];

/// Monotonic clocks of successive starts, seconds ahead of the machine's: each begins before the last ended.
const UPTIMES: [u64; 3] = [365 * 24 * 3600, 3600, 0];

/// A run for each wrong clock, then starts whose monotonic clock begins anew (time namespaces).
pub(crate) fn wrong(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::apart(chaos)?;
    for (utc, jump) in CLOCKS {
        let mut rig = world.rig(world.broker.port, 60);
        rig.args(["--utc-us", &utc.to_string()])
            .args(["--jump-us", &jump.to_string()]);
        let rig = Program::start("rig", &mut rig);
        world.finish(rig)?;
    }
    for ahead in UPTIMES {
        let plain = world.rig(world.broker.port, 60);
        let mut rig = Command::new("unshare");
        rig.args(["--time", "--monotonic", &ahead.to_string()])
            .args(["--boottime", &ahead.to_string()])
            .arg(plain.get_program())
            .args(plain.get_args());
        let rig = Program::start("rig", &mut rig);
        world.finish(rig)?;
    }
    passed(
        world.compare(Loss::None)?,
        format!(
            "{} clocks (1970, a year and a second off in mid-clip, both ways), {} starts of the monotonic clock",
            CLOCKS.len(),
            UPTIMES.len()
        ),
    )
}
