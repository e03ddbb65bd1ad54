//! What the kernel's virtual camera can do wrong: buffers that never come, damaged ones, an error that ends the stream, and
//! the plug pulled. After each, the counts say what happened, no more and no less.
//!
//! The camera stamps frame `n` with `start + n * period`, so the times in the manifest say how many frames were lost where,
//! whatever the firmware made of it.

use crate::Verdict;
use crate::camera::{self, VIVID};
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
    told(
        &desk,
        &mut machine,
        "the camera streams again",
        HEALTH,
        |camera| camera.state == CameraState::Streaming && camera.reopened >= 1,
    )?;

    control(&mut machine, "Disconnect", 1)?;
    let second = closed(&desk, 1)?;
    let unplugged = reason(&second)?;
    told(
        &desk,
        &mut machine,
        "no camera",
        HEALTH,
        state(CameraState::Unplugged),
    )?;
    machine.run("pidof rigeld")?;
    machine.run("rmmod vivid")?;
    let options = VIVID.trim_start_matches("vivid ");
    machine.run(&format!("insmod /lib/modules/vivid.ko {options}"))?;
    told(
        &desk,
        &mut machine,
        "the camera streams once more",
        HEALTH * 2,
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
    for (index, pair) in times.windows(2).enumerate() {
        let before = index as u32 + 1;
        let missing = (pair[1] - pair[0] + PERIOD_US / 2) / PERIOD_US - 1;
        let said: u32 = lost
            .iter()
            .filter(|one| one.before == before)
            .map(|one| one.count)
            .sum();
        ensure!(
            i64::from(said) == missing,
            "before frame {before} the kernel's times miss {missing} frames, the manifest {said}"
        );
    }
    let closed = clip.closed.as_ref().context("it is closed")?;
    ensure!(u64::from(closed.frames) == clip.frames(), "{closed:?}");
    ensure!(
        closed.dropped == clip.dropped(),
        "{closed:?}, in the manifest {}",
        clip.dropped()
    );
    Ok(clip.dropped())
}
