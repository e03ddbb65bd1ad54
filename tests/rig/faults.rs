//! What the kernel's virtual camera can do wrong: buffers that never come, damaged ones, an error that ends the stream, and
//! the plug pulled. After each, the counts say what happened, no more and no less.
//!
//! The camera stamps frame `n` with `start + n * period`, so the times in the manifest say how many frames were lost where,
//! whatever the firmware made of it.

use crate::Verdict;
use crate::camera;
use crate::desk::Desk;
use crate::firmware::{self, BoardFile};
use crate::kit::{Arch, Kit};
use crate::machine::Machine;
use crate::witness::{Heard, SeenClip};
use anyhow::{Context, Result, ensure};
use label_core::wire::{CameraHealth, CameraState};
use std::time::Duration;

/// Frames a second: few, so that an emulated processor keeps up and what is lost was lost by the camera.
const FPS: u32 = 5;

/// Between two frames.
const PERIOD_US: i64 = 1_000_000 / FPS as i64;

/// Buffers with the error flag.
const DAMAGED: u64 = 3;

/// Health is told every 10 s.
const HEALTH: Duration = Duration::from_mins(3);

/// All faults, one after the other.
pub(crate) fn survived(kit: &Kit) -> Verdict {
    let desk = Desk::start()?;
    let mut machine = camera::machine(kit, Arch::Amd64, "faults")?;
    let board = BoardFile {
        source: firmware::camera("/dev/video0", "yuyv", (320, 180), FPS),
        ..camera::board("faults", "yuyv", desk.broker.port)
    };
    // Stamps of the end of an exposure lie in the future of the moment at which this camera hands a frame over.
    control(&mut machine, "Timestamp Source", 1)?;
    firmware::write_board(&mut machine, &board.text())?;
    firmware::start(&mut machine, "")?;
    let state = |wanted| move |camera: &CameraHealth| camera.state == wanted;
    told(
        &desk,
        &mut machine,
        "the camera streams",
        firmware::START,
        state(CameraState::Streaming),
    )?;

    control(&mut machine, "Percentage of Dropped Buffers", 40)?;
    desk.witness
        .wait_for("lost frames in the manifest", HEALTH * 2, |heard| {
            heard
                .clips()
                .next()
                .filter(|clip| clip.dropped() >= 5)
                .map(|_| ())
        })?;
    control(&mut machine, "Percentage of Dropped Buffers", 0)?;

    for number in 1..=DAMAGED {
        control(&mut machine, "Inject V4L2_BUF_FLAG_ERROR", 1)?;
        told(&desk, &mut machine, "a damaged frame", HEALTH, |camera| {
            camera.damaged == number
        })?;
    }

    control(&mut machine, "Inject Fatal Streaming Error", 1)?;
    let first = closed(&desk, 0)?;
    let why = reason(&first)?;
    ensure!(why.contains("error"), "closed because of {why:?}");
    told(
        &desk,
        &mut machine,
        "the camera streams again",
        HEALTH,
        |camera| camera.state == CameraState::Streaming && camera.reopened >= 1,
    )?;

    // The driver plugs itself in again when nobody has it open any more: somebody else does, for as long as it is out.
    machine.run("sleep 10000 < /dev/video0 > /dev/null 2>&1 & echo $! > /run/holder")?;
    control(&mut machine, "Disconnect", 1)?;
    let second = closed(&desk, 1)?;
    let unplugged = reason(&second)?;
    ensure!(
        unplugged.contains("unplugged"),
        "closed because of {unplugged:?}"
    );
    told(
        &desk,
        &mut machine,
        "no camera",
        HEALTH,
        state(CameraState::Unplugged),
    )?;
    machine.run("pidof rigeld")?;
    machine.run("kill $(cat /run/holder)")?;
    told(
        &desk,
        &mut machine,
        "the camera streams once more",
        HEALTH,
        |camera| camera.state == CameraState::Streaming && camera.reopened >= 2,
    )?;
    firmware::stop(&mut machine)?;
    let third = closed(&desk, 2)?;

    let lost = count(&first)?;
    ensure!(
        lost >= 5 + DAMAGED as u32,
        "{lost} frames lost, of which {DAMAGED} damaged"
    );
    for clip in [&second, &third] {
        count(clip)?;
    }
    let summary = desk.summary()?;
    ensure!(summary.is_balanced(), "the desk's account: {summary:?}");
    Ok(format!(
        "{lost} of {} frames missing where the kernel's times say so, {DAMAGED} of them damaged; stream error ({why}) and \
         unplugging ({unplugged}) each closed a clip, and the next began by itself",
        first.frames() + u64::from(lost)
    ))
}

fn control(machine: &mut Machine, name: &str, value: i32) -> Result<()> {
    machine.run(&format!("rig-guest control /dev/video0 '{name}' {value}"))?;
    Ok(())
}

/// Waits until health says so of the camera, with the firmware alive.
fn told(
    desk: &Desk,
    machine: &mut Machine,
    what: &str,
    patience: Duration,
    is_so: impl Fn(&CameraHealth) -> bool,
) -> Result<()> {
    desk.heard(machine, what, patience, |heard: &Heard| {
        heard.camera().filter(|camera| is_so(camera)).map(|_| ())
    })
}

/// The clip of this place, once it is closed.
fn closed(desk: &Desk, place: usize) -> Result<SeenClip> {
    desk.witness.wait_for("the clip's end", HEALTH, |heard| {
        let clip = heard.clips().nth(place)?;
        clip.closed.is_some().then(|| clip.clone())
    })
}

fn reason(clip: &SeenClip) -> Result<String> {
    let closed = clip.closed.as_ref().context("it is closed")?;
    let reason = closed
        .damage
        .as_ref()
        .context("the clip was closed without a reason")?;
    Ok(reason.as_str().to_owned())
}

/// How many frames the manifest says are lost, each loss compared with the kernel's times.
fn count(clip: &SeenClip) -> Result<u32> {
    let times = clip.kernel_times()?;
    let lost: Vec<_> = clip.parts.values().flat_map(|part| &part.dropped).collect();
    let by_time: Vec<i64> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0] + PERIOD_US / 2) / PERIOD_US - 1)
        .collect();
    let said: Vec<i64> = (1..=by_time.len() as u32)
        .map(|frame| {
            let here = lost.iter().filter(|one| one.before == frame);
            here.map(|one| i64::from(one.count)).sum()
        })
        .collect();
    ensure!(
        by_time == said,
        "frames missing before each frame: {by_time:?} by the kernel's times, {said:?} in the manifest"
    );
    let closed = clip.closed.as_ref().context("it is closed")?;
    ensure!(u64::from(closed.frames) == clip.frames(), "{closed:?}");
    // What was lost after the last frame that was labelled has no frame to stand before.
    ensure!(
        closed.dropped >= clip.dropped(),
        "{closed:?}, in the manifest {}",
        clip.dropped()
    );
    Ok(clip.dropped())
}
