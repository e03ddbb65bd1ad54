//! What a camera can do and how it does: for whoever stands beside a rig whose camera gives trouble.
//!
//! ```text
//! cargo run --release -p capture --example camera -- /dev/video0 --format mjpeg --size 1280x720 --fps 30 --frames 90
//! ```
//!
//! It lists what the camera offers, says what would be chosen for these settings, and prints each frame's time, the frames
//! lost before it and its mean brightness. After an error that may pass it opens the camera again, as a rig does.

#![expect(clippy::print_stdout, reason = "a tool speaks to its user")]

use anyhow::{Context, Result, bail};
use capture::{AntiFlicker, CameraSettings, CameraSource, FrameBuffer, FrameSource, PixelFormat};
use clap::Parser;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Shows what a camera offers, what is chosen, and the times of its frames
#[derive(Parser)]
struct Arguments {
    /// The device, such as /dev/video0 or a path in /dev/v4l/by-id
    device: PathBuf,
    /// Formats that may be used, the one liked best first: mjpeg, i420, nv12, yuyv, grey
    #[arg(
        long = "format",
        value_delimiter = ',',
        default_value = "mjpeg,nv12,yuyv,grey"
    )]
    formats: Vec<String>,
    /// Width and height
    #[arg(long, default_value = "1280x720")]
    size: String,
    /// Frames a second
    #[arg(long, default_value_t = 30.0)]
    fps: f32,
    /// How many frames to show
    #[arg(long, default_value_t = 30)]
    frames: u32,
    /// Exposure in microseconds; left out, the camera chooses
    #[arg(long)]
    exposure_us: Option<u32>,
    /// Gain; left out, the camera chooses
    #[arg(long)]
    gain: Option<i32>,
    /// Mains frequency to guard against: 50 or 60
    #[arg(long)]
    anti_flicker: Option<u32>,
    /// Longest wait for a frame, in milliseconds
    #[arg(long, default_value_t = 2000)]
    timeout_ms: u64,
    /// Work this long on each frame while the camera goes on, in milliseconds
    #[arg(long, default_value_t = 0)]
    slow_ms: u64,
    /// Write the last frame's luma here, as a PGM picture
    #[arg(long)]
    save: Option<PathBuf>,
    /// How often to open the camera again after an error that may pass
    #[arg(long, default_value_t = 0)]
    reopen: u32,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_target(false)
        .with_ansi(std::io::stdout().is_terminal())
        .init();
    let settings = settings(&arguments)?;
    let (offers, controls) = CameraSource::offers(&settings)?;
    let (known, other): (Vec<_>, Vec<_>) = offers
        .iter()
        .partition(|offer| PixelFormat::of_fourcc(offer.fourcc).is_some());
    println!(
        "offers, and {} in formats that Rigel does not read:",
        other.len()
    );
    for offer in known {
        println!("  {offer}");
    }
    println!("controls:");
    for control in &controls {
        let (low, high) = (control.minimum, control.maximum);
        println!("  {:#010x} {} ({low} to {high})", control.id, control.name);
    }
    let mut opened = 0;
    loop {
        match show(&settings, &arguments) {
            Ok(()) => return Ok(()),
            Err(error) => {
                let passing = error
                    .downcast_ref::<capture::CaptureError>()
                    .is_some_and(capture::CaptureError::is_passing);
                println!("error: {error:#} (may pass: {passing})");
                if !passing || opened == arguments.reopen {
                    bail!("no more frames");
                }
            }
        }
        opened += 1;
        std::thread::sleep(Duration::from_millis(500));
        println!("opening it again, for the {opened}. time");
    }
}

fn show(settings: &CameraSettings, arguments: &Arguments) -> Result<()> {
    let mut source = CameraSource::open(settings)?;
    println!("plan: {:?}", source.plan());
    let mut frame = FrameBuffer::default();
    for _ in 0..arguments.frames {
        source.next_into(&mut frame)?;
        let info = frame.info;
        let mean = frame
            .luma()
            .iter()
            .map(|luma| u64::from(*luma))
            .sum::<u64>()
            / frame.luma().len() as u64;
        println!(
            "frame {:4} at {:9} us, {} lost before it, {}x{}, mean luma {mean}",
            info.index, info.at.0, info.dropped_before, frame.width, frame.height
        );
        let until = Instant::now() + Duration::from_millis(arguments.slow_ms);
        while Instant::now() < until {
            source.keep_up();
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    println!(
        "condition: {:?}",
        source.condition().context("a camera has one")?
    );
    if let Some(path) = &arguments.save {
        let mut picture = format!("P5 {} {} 255\n", frame.width, frame.height).into_bytes();
        picture.extend_from_slice(frame.luma());
        std::fs::write(path, picture)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn settings(arguments: &Arguments) -> Result<CameraSettings> {
    let (width, height) = arguments
        .size
        .split_once('x')
        .context("--size is WIDTHxHEIGHT")?;
    let format = |name: &String| {
        let found = PixelFormat::ALL.into_iter().find(|one| one.name() == name);
        found.with_context(|| format!("{name:?} is no format: mjpeg, i420, nv12, yuyv, grey"))
    };
    Ok(CameraSettings {
        device: arguments.device.clone(),
        formats: arguments
            .formats
            .iter()
            .map(format)
            .collect::<Result<_>>()?,
        width: width.parse().context("--size is WIDTHxHEIGHT")?,
        height: height.parse().context("--size is WIDTHxHEIGHT")?,
        fps: arguments.fps,
        exposure_us: arguments.exposure_us,
        gain: arguments.gain,
        anti_flicker: match arguments.anti_flicker {
            None => None,
            Some(0) => Some(AntiFlicker::Off),
            Some(50) => Some(AntiFlicker::Hz50),
            Some(60) => Some(AntiFlicker::Hz60),
            Some(other) => bail!("--anti-flicker {other}: 50, 60, or 0 for none"),
        },
        infrared_lamp: None,
        timeout: Duration::from_millis(arguments.timeout_ms),
    })
}
