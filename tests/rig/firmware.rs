//! The appliance inside a machine: its board file, its start, its end, and what it says.

use crate::initramfs::Initramfs;
use crate::kit::Kit;
use crate::machine::Machine;
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

/// Until an emulated processor has loaded every model.
pub(crate) const START: Duration = Duration::from_mins(5);

/// Where the board file lies in a machine.
pub(crate) const BOARD: &str = "/etc/rigel/board.toml";

/// What board files of machines differ in.
#[derive(Clone, Debug)]
pub(crate) struct BoardFile<'a> {
    pub(crate) rig: &'a str,
    /// The body of `[source]`.
    pub(crate) source: String,
    /// Where labels wait.
    pub(crate) outbox: &'a str,
    /// The broker's port on this machine.
    pub(crate) broker: u16,
    /// More sections: `[panel]`, `[pins]`.
    pub(crate) more: &'a str,
    pub(crate) hardware: &'a str,
}

impl BoardFile<'_> {
    /// The file. An emulated processor is late all the time, and shedding has tests of its own: these boards never shed. And it
    /// takes seconds for a person's box: these boards measure it once a minute and not at each frame.
    pub(crate) fn text(&self) -> String {
        let Self {
            rig,
            source,
            outbox,
            broker,
            more,
            hardware,
        } = self;
        format!(
            r#"name = "{rig}"
site = "emulated"
rig = "{rig}"
hardware = "{hardware}"

[source]
{source}

[perception]
cards = "/usr/share/rigel/models"
files = "/usr/share/rigel/models/files"
runtime = "/usr/lib/rigel/libLiteRt.so"
calibration = "/usr/share/rigel/models/calibration/base.toml"
golden = "/usr/share/rigel/models/golden"
threads = 1
max-faces = 1
person-every-ms = 60000
short-range = "face-detection-short-range"
full-range = "face-detection-full-range"
mesh = "face-landmarks-v2"
eye-reader = "eye-reader"
person = "person-detector"
person-mask = "person-mask"

[budget]
hot-c = 90.0
cool-c = 85.0
late-ms = 10000

[session]
start = "at-boot"

[outbox]
dir = "{outbox}"
max-mib = 64

[broker]
host = "10.0.2.2"
port = {broker}
{more}"#
        )
    }
}

/// The body of `[source]` for a camera.
pub(crate) fn camera(device: &str, format: &str, (width, height): (u32, u32), fps: u32) -> String {
    format!(
        "kind = \"camera\"\ndevice = \"{device}\"\nformats = [\"{format}\"]\nwidth = {width}\nheight = {height}\n\
         fps = {fps}\ntimeout-ms = 5000"
    )
}

/// What plays the golden clip for ever, at the pace of a slow camera: frames come from a program as they do from those of
/// camera makers.
#[derive(Debug)]
pub(crate) struct Film {
    frames: Vec<u8>,
}

impl Film {
    const SIZE: (u32, u32) = (320, 240);
    const FRAME_BYTES: u32 = Self::SIZE.0 * Self::SIZE.1 * 3 / 2;
    /// An emulated processor labels few frames a second.
    const FPS: u32 = 4;

    /// Decodes it here: the machine has no decoder.
    pub(crate) fn new(kit: &Kit) -> Result<Self> {
        let (width, height) = Self::SIZE;
        let output = Command::new("ffmpeg")
            .args(["-v", "error", "-i"])
            .arg(kit.project.join("models/golden/clip.mjpeg"))
            .args([
                "-vf",
                &format!("scale={width}:{height}"),
                "-pix_fmt",
                "yuv420p",
            ])
            .args(["-f", "rawvideo", "-"])
            .output()
            .context("cannot start ffmpeg")?;
        ensure!(
            output.status.success() && !output.stdout.is_empty(),
            "ffmpeg cannot decode the golden clip: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Self {
            frames: output.stdout,
        })
    }

    /// Puts film and projector into a machine's file system, below a folder that ends with `/` or is empty.
    pub(crate) fn add(&self, archive: &mut Initramfs, below: &str) {
        let count = self.frames.len() / Self::FRAME_BYTES as usize;
        archive.file(&format!("{below}usr/share/film.i420"), &self.frames);
        archive.program(
            &format!("{below}usr/bin/film"),
            format!(
                "#!/bin/sh\nwhile :; do\n  n=0\n  while [ $n -lt {count} ]; do\n    \
                 dd if=/usr/share/film.i420 bs={} skip=$n count=1 2> /dev/null || exit\n    sleep {}\n    \
                 n=$((n + 1))\n  done\ndone\n",
                Self::FRAME_BYTES,
                1.0 / f64::from(Self::FPS)
            )
            .as_bytes(),
        );
    }

    /// The body of `[source]`.
    pub(crate) fn source() -> String {
        let (width, height) = Self::SIZE;
        format!(
            "kind = \"pipe\"\ncommand = [\"/usr/bin/film\"]\nformat = \"i420\"\nwidth = {width}\nheight = {height}\n\
             fps = {}\ntimeout-ms = 20000",
            Self::FPS
        )
    }
}

/// Writes a board file inside the machine.
pub(crate) fn write_board(machine: &mut Machine, text: &str) -> Result<()> {
    // The serial line takes short lines only.
    let mut at = ">";
    machine.run("mkdir -p /etc/rigel")?;
    for lines in text.lines().collect::<Vec<_>>().chunks(12) {
        let quoted = lines.iter().try_fold(String::new(), |mut all, line| {
            write!(all, " '{line}'").map(|()| all)
        })?;
        machine.run(&format!("printf '%s\\n'{quoted} {at} {BOARD}"))?;
        at = ">>";
    }
    Ok(())
}

/// Starts the appliance in the background; its log goes to the console.
pub(crate) fn start(machine: &mut Machine, environment: &str) -> Result<()> {
    machine.run(&format!(
        "rm -f /run/ended; mkdir -p /run/rigel; (env RUNTIME_DIRECTORY=/run/rigel {environment} rigeld run --board {BOARD}; \
         s=$?; echo $s > /run/ended; echo RIG firmware ended $s) > /dev/console 2>&1 &"
    ))?;
    machine.wait_for("pidof rigeld", START, |_| Some(()))
}

/// Waits until it has labelled so many frames, by the state that it keeps for its panel; how many it has.
pub(crate) fn frames(machine: &mut Machine, at_least: u64) -> Result<u64> {
    let look = "[ ! -e /run/ended ] || echo ended; cat /run/rigel/panel.json";
    let frames = machine.wait_for(look, START, |text| {
        if text.starts_with("ended") {
            return Some(None);
        }
        let state: serde_json::Value = serde_json::from_str(text).ok()?;
        let frames = state["frames"].as_u64()?;
        (frames >= at_least).then_some(Some(frames))
    })?;
    frames.with_context(|| format!("the firmware ended; see {}", machine.log().display()))
}

/// Asks it to end, and how it ended.
pub(crate) fn stop(machine: &mut Machine) -> Result<()> {
    machine.run("kill -TERM $(pidof rigeld)")?;
    let status = ended(machine, START)?;
    ensure!(
        status == 0,
        "the firmware ended with {status} after SIGTERM"
    );
    Ok(())
}

/// Waits for its end: the exit status.
pub(crate) fn ended(machine: &mut Machine, patience: Duration) -> Result<i32> {
    let line = machine.expect("RIG firmware ended", patience)?;
    let text = line.rsplit(' ').next().unwrap_or_default();
    text.trim().parse().context("an exit status")
}
