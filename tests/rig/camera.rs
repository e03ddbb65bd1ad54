//! The kernel's virtual camera, in three formats.

use crate::Verdict;
use crate::desk::Desk;
use crate::firmware::{self, BoardFile};
use crate::kit::{Arch, Kit};
use crate::machine::Machine;
use crate::witness::SeenClip;
use anyhow::{Context, Result, ensure};
use label_store::{Balance, ClipSummary};
use std::time::Duration;

/// One webcam-like input, no television and no radio.
const VIVID: &str = "vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0";

/// Until a machine has booted.
pub(crate) const BOOT: Duration = Duration::from_mins(4);

/// Labelled frames that are waited for in each format, seconds each: a picture without a face is searched by every detector.
/// Those under way when the firmware is asked to end come on top.
const FRAMES: u64 = 1;

/// Boots a machine with a camera, a network and the firmware.
pub(crate) fn machine(kit: &Kit, arch: Arch, name: &str) -> Result<Machine> {
    let mut archive = kit.base(arch, &["virtio_pci", "virtio_rng", "virtio_net", VIVID])?;
    kit.add_firmware(&mut archive, arch)?;
    let mut machine = kit.boot(arch, name, archive, &[])?;
    machine.expect("RIG ready", BOOT)?;
    Ok(machine)
}

/// The board of a machine with a camera.
pub(crate) fn board<'a>(rig: &'a str, format: &str, broker: u16) -> BoardFile<'a> {
    BoardFile {
        rig,
        source: firmware::camera("/dev/video0", format, (320, 180), 10),
        outbox: "/run/outbox",
        broker,
        more: "",
        hardware: "computer",
    }
}

/// Captures in three formats, delivers to the desk, and looks at what is stored there.
pub(crate) fn formats(kit: &Kit, arch: Arch) -> Verdict {
    let desk = Desk::start()?;
    let mut machine = machine(kit, arch, &format!("camera-{}", arch.name()))?;
    let rig = format!("camera-{}", arch.name());
    let mut told = Vec::new();
    for (number, format) in ["yuyv", "nv12", "grey"].into_iter().enumerate() {
        let text = board(&rig, format, desk.broker.port).text();
        firmware::write_board(&mut machine, &text)?;
        firmware::start(&mut machine, "")?;
        let before = desk.witness.heard().health.len();
        desk.heard(&mut machine, "frames", firmware::START, |heard| {
            let health = heard.health.get(before..)?.last()?;
            (health.frames.processed >= FRAMES).then_some(())
        })?;
        firmware::stop(&mut machine)?;
        let clip = desk.stored(&mut machine, "the clip's end", firmware::START, |summary| {
            let clip = summary.clips.get(number)?;
            clip.made.is_some().then(|| clip.clone())
        })?;
        let seen = desk
            .witness
            .wait_for("the clip's end", firmware::START, |heard| {
                heard
                    .clips()
                    .nth(number)
                    .filter(|clip| clip.closed.is_some())
                    .cloned()
            })?;
        check(&clip, &seen, format)?;
        told.push(format!("{format} {} frames", clip.manifest_frames));
    }
    Ok(told.join(", "))
}

fn check(clip: &ClipSummary, seen: &SeenClip, format: &str) -> Result<()> {
    let opened = seen.opened.as_ref().context("the clip was opened")?;
    ensure!(opened.codec.eq_ignore_ascii_case(format), "{opened:?}");
    ensure!((opened.width, opened.height) == (320, 180), "{opened:?}");
    ensure!(clip.balance == Balance::Balanced, "{clip:?}");
    ensure!(clip.manifest_frames > FRAMES, "{clip:?}");
    ensure!(clip.manifest_frames == seen.frames(), "{clip:?} {seen:?}");
    let times = seen.kernel_times()?;
    ensure!(times.len() as u64 == clip.manifest_frames, "{times:?}");
    Ok(())
}
