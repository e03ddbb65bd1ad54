//! A link that is down, breaks in the middle of a packet, or is dead and does not say so.

use crate::proxy::Proxy;
use crate::truth::Loss;
use crate::world::World;
use crate::{Chaos, Form, Verdict, passed};
use anyhow::{Result, ensure};
use end_to_end::{Program, wait_for_at_most};
use std::time::Duration;

/// Messages a second of a rig that labels: 100,000 frames at 24 a second made about 15,000.
const MESSAGES_A_SECOND: f64 = 3.6;
const HOURS: f64 = 10.0;
const LONG: Duration = Duration::from_mins(5);

/// A rig makes the messages of ten hours while nobody answers, and delivers them when somebody does.
pub(crate) fn down(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    let proxy = Proxy::start(world.broker.port, chaos.random())?;
    let hours = match chaos.form {
        Form::Full => HOURS,
        Form::Short => HOURS / 100.0,
    };
    let messages = (hours * 3600.0 * MESSAGES_A_SECOND) as u64;
    proxy.refuse();
    let mut rig = world.rig(proxy.port, messages);
    let rig = Program::start("rig", rig.args(["--pace-us", "0"]));
    wait_for_at_most(LONG, "the rig to make everything", || {
        let journal = world.journal()?;
        let share = journal.last * 10 / messages;
        chaos.progress("made while the link was down", share, 10);
        (journal.last >= messages).then_some(())
    });
    ensure!(
        world.committed() == 0,
        "something passed a link that was down"
    );
    proxy.pass();
    world.finish(rig)?;
    passed(
        world.compare(Loss::None)?,
        format!("the link was down for {hours} hours' worth of messages"),
    )
}

/// Connections are reset after a number of bytes that the seed chooses, most often in the middle of a packet.
pub(crate) fn reset(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    let proxy = Proxy::start(world.broker.port, chaos.random())?;
    let times = chaos.scaled(100) as u32;
    proxy.reset(times);
    let mut rig = world.rig(proxy.port, chaos.scaled(3000).max(600));
    let rig = Program::start("rig", &mut rig);
    wait_for_at_most(LONG, "the connections to be broken", || {
        chaos.progress(
            "connections broken",
            u64::from(proxy.broken()),
            u64::from(times),
        );
        (proxy.broken() >= times).then_some(())
    });
    world.finish(rig)?;
    passed(
        world.compare(Loss::None)?,
        format!("{times} connections reset after 1 to 40,000 bytes"),
    )
}

/// The connection is dead and neither end knows: first the rig's, then the desk's.
pub(crate) fn half_open(chaos: &Chaos) -> Result<Verdict> {
    let mut world = World::new(chaos)?;
    let proxy = Proxy::start(world.broker.port, chaos.random())?;
    let times = chaos.scaled(5).max(1);
    let mut rig = world.rig(proxy.port, 1_000_000);
    let rig = Program::start(
        "rig",
        rig.args(["--pace-us", "10000", "--keep-alive-s", "5"]),
    );
    for nth in 0..times {
        chaos.progress("dead connections of the rig", nth, times);
        world.wait_for_committed(world.committed() + 30);
        let begun = proxy.begun();
        proxy.fall_silent();
        wait_for_at_most(LONG, "the rig to connect anew", || {
            (proxy.begun() > begun).then_some(())
        });
    }
    world.wait_for_committed(world.committed() + 30);
    let mut told = format!("{times} dead connections of the rig (keep-alive 5 s)");
    if chaos.form == Form::Full {
        let desks = Proxy::start(world.broker.port, chaos.random())?;
        world.kill_host();
        world.start_host_through(desks.port);
        world.wait_for_committed(world.committed() + 30);
        let begun = desks.begun();
        desks.fall_silent();
        wait_for_at_most(LONG, "the desk to connect anew", || {
            (desks.begun() > begun).then_some(())
        });
        told += ", one of the desk (keep-alive 15 s)";
    }
    world.wait_for_committed(world.committed() + 30);
    world.kill_rig(rig);
    let rig = Program::start("rig", &mut world.rig(proxy.port, 100));
    world.finish(rig)?;
    passed(world.compare(Loss::None)?, told)
}
