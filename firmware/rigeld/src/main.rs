//! Rigel on the device: finds the person and the eyes in video and offers labels.
//!
//! `rigeld label` labels files; `rigeld run` is the appliance. Wiring only: what a label is stands in `label-core`, what
//! is seen in `perception`, how it is delivered in `uplink`. The product in one file: [`pipeline`].

mod calibration;
mod label;
mod lines;
mod pipeline;
mod publish;
mod run;
mod stages;
mod summary;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use label_core::wire::ModelRef;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Rigel on the device: candidate labels for driver-monitoring video.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  rigeld label drive.mp4 --out drive.jsonl                one line a label, tracks as keyframes
  rigeld label drive.mp4 --out drive.jsonl --every-frame  tracks expanded to every frame
  rigeld label --stills photos/ --out photos.jsonl        a folder of pictures, each a clip of one frame
  rigeld run --board boards/sim.toml                      the appliance on a clip, publishing over MQTT

Exit codes: 0 labelled (a clip without a face is labelled: with abstentions; of a damaged clip what can be decoded is,
with a warning); 1 it could not be, the message says which file and what to do; 2 wrong arguments.";

#[derive(Subcommand)]
enum Command {
    /// Label a clip, a picture or a folder of pictures into a file
    Label(label::Arguments),
    /// Run as the appliance: label the board's source and publish until the host has everything
    Run(run::Arguments),
}

fn main() -> ExitCode {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let result = match Arguments::parse().command {
        Command::Label(arguments) => label::label(&arguments),
        Command::Run(arguments) => run::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            if let Some(hint) = hint(&error) {
                tracing::info!("what to do: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// What to do about an error, where we know.
fn hint(error: &anyhow::Error) -> Option<&'static str> {
    use capture::CaptureError;
    use perception::ModelError;
    if let Some(error) = error.downcast_ref::<ModelError>() {
        return Some(match error {
            ModelError::Read { .. }
            | ModelError::Digest { .. }
            | ModelError::UnknownRuntime { .. } => {
                "fetch models and runtime with `cargo xtask setup`, or correct the paths under [perception] of the board file"
            }
            ModelError::Library { .. } => {
                "the library is for another processor or needs a newer C library than this system has"
            }
            _ => return None,
        });
    }
    match error.downcast_ref::<CaptureError>()? {
        CaptureError::Open { source, .. } => Some(match source.kind() {
            std::io::ErrorKind::NotFound => "check the path: nothing has this name",
            std::io::ErrorKind::NotADirectory => {
                "--stills wants a folder; leave it out for a clip or one picture"
            }
            _ => "check that you may read it",
        }),
        CaptureError::Empty { .. } => {
            Some("copy or record the file again: nothing was written into it")
        }
        CaptureError::NoPictures { .. } => {
            Some("name the folder that holds the pictures; folders within it are not searched")
        }
        CaptureError::Picture { .. } => {
            Some("check that the file was copied whole and that its name's ending is right")
        }
        CaptureError::NotAContainer { .. } => {
            Some("name the video file itself, such as an mp4, mov, mkv, webm, avi or ts")
        }
        CaptureError::Ffmpeg { .. } => {
            Some("install ffmpeg (apt-get install ffmpeg), or fetch it with `cargo xtask setup`")
        }
        CaptureError::NotAVideo { .. } => Some(
            "check that the file was copied whole; a recording that was cut off before its index was written cannot be decoded",
        ),
        CaptureError::Folder { .. } => Some("rigeld label --stills FOLDER --out FILE.jsonl"),
        _ => None,
    }
}

/// The board file to use: the one named, or `boards/sim.toml` here or above the program.
fn board_path(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let default = Path::new("boards/sim.toml");
    let program = std::env::current_exe().unwrap_or_default();
    let above = program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(default));
    std::iter::once(default.to_owned())
        .chain(above)
        .find(|path| path.is_file())
        .context("no boards/sim.toml here or above the program: name a board file with --board")
}

/// Where ffmpeg may be: on the search path, or fetched beside the project that this program was built in.
fn ffmpeg_candidates() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let fetched = program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(".rigel/bin/ffmpeg"));
    std::iter::once("ffmpeg".into())
        .chain(fetched.filter(|path| path.is_file()))
        .collect()
}

/// A model reference as it travels.
fn model_ref(name: &str, version: &str, sha256: &str) -> Result<ModelRef> {
    let too_long = |what| format!("{what} of model {name:?} is too long for the wire");
    Ok(ModelRef {
        name: name.try_into().ok().with_context(|| too_long("the name"))?,
        version: version
            .try_into()
            .ok()
            .with_context(|| too_long("the version"))?,
        sha256: sha256
            .try_into()
            .ok()
            .with_context(|| too_long("the digest"))?,
    })
}
