//! The desk: `rigel serve` takes in what rigs send and shows the review page; `rigel user` and `rigel token` say who may use
//! it; `rigel fleet` says how the rigs fare; `rigel purge` deletes people; `rigel export` gives labels to other tools, `rigel import` takes
//! theirs, `rigel quality` says how good they are, and `rigel verify` whether they fit their media; `rigel board`, `rigel provision` and
//! `rigel flash` make rigs, and `rigel revoke` shuts one out.
//!
//! One file a subcommand; this one only reads the command line and starts it.

mod board;
mod broker;
mod broker_place;
mod export;
mod ffmpeg;
mod flash;
mod fleet;
mod import;
mod ingest;
mod people;
mod place;
mod provision;
mod purge;
mod quality;
mod rig_folder;
mod serve;
mod simulate;
mod store_place;
mod verify;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Pre-labels from rigs in, reviewed labels out.
#[derive(Debug, Parser)]
#[command(name = "rigel", version, about, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Takes in what rigs send and serves the review page
    Serve(serve::ServeArguments),
    /// Takes in what rigs send, beside others that do the same
    Ingest(ingest::IngestArguments),
    /// Writes labels into files that other tools read
    Export(export::ExportArguments),
    /// Takes labels that a team has already: a model's, or what is true
    Import(import::ImportArguments),
    /// Tells how good labels are: those of each labeller, or one set against another
    Quality(quality::QualityArguments),
    /// Compares a clip's media with its manifest and its labels
    Verify(verify::VerifyArguments),
    /// Makes accounts for those who review
    User(people::UserArguments),
    /// Makes tokens for scripts
    Token(people::TokenArguments),
    /// Checks board files, which say what a rig is made of
    Board(board::BoardArguments),
    /// Shows the rigs, what is wrong with them, and whether what they made is here
    Fleet(fleet::FleetArguments),
    /// Deletes a clip, or a person of it, here and on its rig
    Purge(purge::PurgeArguments),
    /// Shows labels as they arrive
    Watch(watch::WatchArguments),
    /// Makes a rig's own files: board, certificate, key, first boot
    Provision(provision::ProvisionArguments),
    /// Shuts a rig out: its certificate is not taken any more
    Revoke(provision::RevokeArguments),
    /// Plays many rigs, to try what a desk and a broker bear
    Simulate(simulate::SimulateArguments),
    /// Writes a rig's own files onto a card, or onto a rig over SSH
    Flash(flash::FlashArguments),
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    let outcome = match arguments.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Quality(arguments) => quality::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::User(arguments) => people::run_user(arguments),
        Command::Token(arguments) => people::run_token(arguments),
        Command::Board(arguments) => board::run(&arguments),
        Command::Fleet(arguments) => fleet::run(&arguments),
        Command::Purge(arguments) => purge::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Provision(arguments) => provision::run(&arguments),
        Command::Revoke(arguments) => provision::run_revoke(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Flash(arguments) => flash::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may be filtered; this must be seen.
            let text = format!("error: {error:#}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
            ExitCode::FAILURE
        }
    }
}
