//! A link that loses packets and takes its time: two network namespaces, and between them a wire of our own that drops
//! and delays whole IP packets, so that TCP itself has to cope.
//!
//! The wire is two TUN devices and the threads that carry between them. `tc netem` would do the same, where a kernel has
//! it; this needs TUN alone, and draws its losses from the seed.

use crate::truth::Loss;
use crate::world::{World, ip};
use crate::{Chaos, Form, Verdict, passed};
use anyhow::{Context, Result, ensure};
use end_to_end::{Program, wait_for_at_most};
use nix::sched::{CloneFlags, unshare};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

const DESK: &str = "10.99.0.1";
const RIG: &str = "10.99.0.2";
/// Longer than a packet.
const MTU: usize = 2048;
/// What a round may take before the link gets better.
const ROUND: Duration = Duration::from_mins(1);

/// Packets lost of a thousand, milliseconds of delay each way, messages made meanwhile.
type Weather = (u32, u64, u64);

const FULL: [Weather; 8] = [
    (10, 50, 400),
    (50, 50, 300),
    (100, 50, 200),
    (200, 50, 100),
    (300, 50, 50),
    (500, 50, 20),
    (0, 2000, 100),
    (50, 2000, 30),
];
const SHORT: [Weather; 1] = [(100, 20, 60)];

/// What the wire does now.
#[derive(Default)]
struct Wire {
    lost_per_mille: AtomicU32,
    delay_ms: AtomicU64,
    carried: AtomicU64,
    dropped: AtomicU64,
}

pub(crate) fn run(chaos: &Chaos) -> Result<Verdict> {
    let here = device(DESK)?;
    // A thread has a network of its own if it asks for one, and so has what it starts.
    let (to_rigs, rigs) = mpsc::channel();
    let (answer, answered) = mpsc::channel();
    let keeper = std::thread::spawn(move || -> Result<()> {
        unshare(CloneFlags::CLONE_NEWNET).context("cannot have a second network")?;
        ip(&["link", "set", "lo", "up"])?;
        answer.send(device(RIG))?;
        while let Ok((mut command, done)) = rigs.recv() {
            let done: mpsc::Sender<Program> = done;
            done.send(Program::start("rig", &mut command))?;
        }
        Ok(())
    });
    let there = answered.recv().context("no second network")??;
    let start = |command: Command| -> Result<Program> {
        let (done, started) = mpsc::channel();
        to_rigs.send((command, done))?;
        Ok(started.recv()?)
    };
    let wire = Arc::new(Wire::default());
    let mut random = chaos.random();
    carry(&here, &there, &wire, random.fork());
    carry(&there, &here, &wire, random.fork());

    let mut world = World::apart(chaos)?;
    let rounds: &[Weather] = match chaos.form {
        Form::Full => &FULL,
        Form::Short => &SHORT,
    };
    let mut told = Vec::new();
    for (lost, delay, messages) in rounds {
        wire.lost_per_mille.store(*lost, Ordering::Relaxed);
        wire.delay_ms.store(*delay, Ordering::Relaxed);
        let before = world.committed();
        let begun = Instant::now();
        let mut command = world.rig_at(DESK, world.broker.port, *messages);
        command.args(["--pace-us", "1000"]);
        let rig = start(command)?;
        let mut seconds = None;
        wait_for_at_most(ROUND * 2, "the round", || {
            if seconds.is_none() && world.committed() - before >= messages + 2 {
                seconds = Some(begun.elapsed().as_secs_f64());
            }
            (seconds.is_some() || begun.elapsed() > ROUND).then_some(())
        });
        let committed = world.committed() - before;
        // Better weather, so that the rig can say goodbye.
        wire.lost_per_mille.store(0, Ordering::Relaxed);
        wire.delay_ms.store(0, Ordering::Relaxed);
        world.finish(rig)?;
        let text = match seconds {
            Some(seconds) => format!("all {committed} in {seconds:.0} s"),
            None => format!("{committed} of {} in 60 s, the rest after it", messages + 2),
        };
        let text = format!("{} % lost, {delay} ms: {text}", f64::from(*lost) / 10.0);
        println!("    {text}");
        told.push(text);
    }
    let (carried, dropped) = (
        wire.carried.load(Ordering::Relaxed),
        wire.dropped.load(Ordering::Relaxed),
    );
    ensure!(dropped > 0, "the wire lost nothing: this showed nothing");
    drop(to_rigs);
    let _ = keeper.join();
    passed(
        world.compare(Loss::None)?,
        format!(
            "{dropped} of {} packets lost ({})",
            carried + dropped,
            told.join("; ")
        ),
    )
}

fn device(address: &str) -> Result<Arc<SyncDevice>> {
    let device = DeviceBuilder::new()
        .name("wire")
        .layer(Layer::L3)
        .build_sync()
        .context("cannot make a TUN device")?;
    ip(&["addr", "add", &format!("{address}/24"), "dev", "wire"])?;
    ip(&["link", "set", "wire", "up"])?;
    Ok(Arc::new(device))
}

/// Two threads that live as long as the program: one takes packets and draws their fate, the other waits for their time.
fn carry(
    from: &Arc<SyncDevice>,
    to: &Arc<SyncDevice>,
    wire: &Arc<Wire>,
    mut random: fastrand::Rng,
) {
    let (from, to, wire) = (Arc::clone(from), Arc::clone(to), Arc::clone(wire));
    let (later, due) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        for (at, packet) in due {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            // A device that is down loses the packet, as wires do.
            let _ = to.send(&packet);
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; MTU];
        while let Ok(length) = from.recv(&mut buffer) {
            if random.u32(0..1000) < wire.lost_per_mille.load(Ordering::Relaxed) {
                wire.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            wire.carried.fetch_add(1, Ordering::Relaxed);
            let delay = Duration::from_millis(wire.delay_ms.load(Ordering::Relaxed));
            let packet = (Instant::now() + delay, buffer[..length].to_vec());
            if later.send(packet).is_err() {
                return;
            }
        }
    });
}
