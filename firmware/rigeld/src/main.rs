//! The program `rigeld`: arguments in, exit code out. What it does stands in the library.

use clap::{Parser, Subcommand};
use rigeld::{check, label, panel, run};
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

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
  rigeld run --board /etc/rigel/board.toml                the appliance on its camera, until it is told to end
  rigeld check --board /etc/rigel/board.toml              prove a rig, item by item
  rigeld panel --png panel.png                            what the panel of the rig that runs here shows

Exit codes: 0 labelled (a clip without a face is labelled: with abstentions; of a damaged clip what can be decoded is,
with a warning); 1 it could not be, the message says which file and what to do; 2 wrong arguments.";

#[derive(Subcommand)]
enum Command {
    /// Label a clip, a picture or a folder of pictures into a file
    Label(label::Arguments),
    /// Run as the appliance: label the board's source and publish until the host has everything
    Run(run::Arguments),
    /// Prove a rig, item by item: models, camera, panel, pins, clock, disk, broker, temperature
    Check(check::Arguments),
    /// Write the panel's picture, of the rig that runs here or of a state in a file
    Panel(panel::Arguments),
}

fn main() -> ExitCode {
    let asked = std::env::var("RUST_LOG").ok();
    let shown: Targets = asked
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false);
    tracing_subscriber::registry()
        .with(lines.with_filter(shown))
        .init();
    let result = match Arguments::parse().command {
        Command::Label(arguments) => label::label(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => return check::check(&arguments),
        Command::Panel(arguments) => panel::panel(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            if let Some(hint) = rigeld::hint(&error) {
                tracing::info!("what to do: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
