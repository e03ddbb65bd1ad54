//! `rigel board check`: what a board file says, or all that is wrong with it.

use anyhow::{Context, bail};
use board::{Board, Camera, Hardware, Pipe, RecordingEncoder, SessionStart, Source, Word};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct BoardArguments {
    #[command(subcommand)]
    command: BoardCommand,
}

#[derive(Debug, Subcommand)]
enum BoardCommand {
    /// Says what the rig of a board file will be, or everything that is wrong with the file
    #[command(after_help = "\
Examples:
  rigel board check boards/rpi4.toml     before it goes onto a rig
  rigel board check boards/*.toml        all of them

Nothing is opened but the files themselves; `rigeld check` on the rig tries its camera, display and pins.
Each problem stands on a line of its own: FILE:LINE:COLUMN: KEY: what is wrong; allowed: what would be right.
Ends with 0 where every file is good and with 1 where one is not.")]
    Check {
        /// Board files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

pub(crate) fn run(arguments: &BoardArguments) -> anyhow::Result<()> {
    let BoardCommand::Check { files } = &arguments.command;
    let mut wrong = Vec::new();
    for file in files {
        let text = match Board::read(file) {
            Ok(board) => format!("{}: good\n{}", file.display(), summary(&board)),
            Err(error) => {
                wrong.push(format!("{:#}", anyhow::Error::new(error)));
                continue;
            }
        };
        std::io::stdout()
            .write_all(text.as_bytes())
            .context("cannot write to standard output")?;
    }
    match wrong.len() {
        0 => Ok(()),
        1 if files.len() == 1 => bail!("{}", wrong.join("")),
        count => bail!(
            "{count} of {} board files cannot be used\n{}",
            files.len(),
            wrong.join("\n")
        ),
    }
}

/// What the rig will be, for a person.
pub(crate) fn summary(board: &Board) -> String {
    let mut text = String::new();
    let mut line = |what: &str, is: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {what:<8} {is}");
    };
    let hardware = match board.hardware {
        Hardware::RaspberryPi => "a Raspberry Pi",
        Hardware::Jetson => "a Jetson",
        Hardware::Computer => "a computer",
    };
    line(
        "rig",
        format!(
            "{} at {}, {hardware} ({})",
            board.rig, board.site, board.name
        ),
    );
    match &board.source {
        Source::Clip { path, seconds } => line(
            "source",
            match seconds {
                Some(seconds) => format!("clip {}, its first {seconds} s", path.display()),
                None => format!("clip {}", path.display()),
            },
        ),
        Source::Camera(camera) => line("source", camera_line(camera)),
        Source::Pipe(pipe) => line("source", pipe_line(pipe)),
    }
    let p = &board.perception;
    line(
        "models",
        format!(
            "from {}, {} on {}",
            p.cards.display(),
            counted(p.max_faces as u64, "person", "people"),
            counted(u64::from(p.threads), "thread", "threads")
        ),
    );
    line(
        "budget",
        format!(
            "less above {} °C or later than {} ms, more again below {} °C",
            board.budget.hot_c, board.budget.late_ms, board.budget.cool_c
        ),
    );
    line(
        "session",
        match board.session.start {
            SessionStart::AtBoot => "from the start on".to_owned(),
            SessionStart::ByButton => "from a long press of the button on".to_owned(),
        },
    );
    line(
        "outbox",
        format!(
            "{}, {} MiB at most",
            board.outbox.dir.display(),
            board.outbox.max_mib
        ),
    );
    line(
        "records",
        board
            .recording
            .as_ref()
            .map_or("nothing".to_owned(), |recording| {
                format!(
                    "{}, pictures of {}, segments of {} s, {} MiB and {} h at most",
                    recording.dir.display(),
                    match recording.encoder {
                        RecordingEncoder::Camera => "the camera",
                        RecordingEncoder::Ffmpeg => "ffmpeg",
                    },
                    recording.segment_s,
                    recording.max_mib,
                    recording.keep_hours
                )
            }),
    );
    let protected = match &board.broker.tls {
        Some(tls) => format!("TLS as {}", tls.cert.display()),
        None => "in the clear".to_owned(),
    };
    line(
        "broker",
        format!("{}:{}, {protected}", board.broker.host, board.broker.port),
    );
    line(
        "display",
        board.panel.as_ref().map_or("none".to_owned(), |panel| {
            format!(
                "{} at {:#04x}, by {}{}",
                panel.bus.display(),
                panel.address,
                panel.access.word(),
                if panel.upside_down {
                    ", upside down"
                } else {
                    ""
                }
            )
        }),
    );
    line(
        "pins",
        board.pins.as_ref().map_or("none".to_owned(), |pins| {
            let chip = if pins.chip.as_os_str().is_empty() {
                String::new()
            } else {
                format!(" on {}", pins.chip.display())
            };
            format!(
                "heartbeat {}, recording {}, fault {}, button {} (pressed: {}), by {}{chip}",
                pins.heartbeat,
                pins.recording,
                pins.fault,
                pins.button,
                if pins.button_active_low {
                    "low"
                } else {
                    "high"
                },
                pins.access.word()
            )
        }),
    );
    text
}

fn camera_line(camera: &Camera) -> String {
    let formats: Vec<&str> = camera.formats.iter().map(|format| format.word()).collect();
    let exposure = match camera.exposure_us {
        Some(exposure) => format!("{exposure} µs of exposure"),
        None => "automatic exposure".to_owned(),
    };
    format!(
        "camera {}, {}x{} at {} frames/s, {}, {exposure}",
        camera.device.display(),
        camera.width,
        camera.height,
        camera.fps,
        formats.join(" or else ")
    )
}

fn pipe_line(pipe: &Pipe) -> String {
    format!(
        "{} writes {}x{} at {} frames/s as {}",
        pipe.command.first().map_or("", String::as_str),
        pipe.width,
        pipe.height,
        pipe.fps,
        pipe.format.word()
    )
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
