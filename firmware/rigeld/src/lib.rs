//! Rigel on the device: finds the person and the eyes in video and offers labels.
//!
//! Wiring only: what a label is stands in `label-core`, what is seen in `perception`, how it is delivered in `uplink`. The
//! product in one file: [`pipeline`]. Each subcommand of the program is a module: [`label`] labels files, [`run`] is the
//! appliance, [`check`] proves a rig, [`mod@panel`] draws its panel.

pub mod budget;
mod calibration;
pub mod check;
mod clock;
pub mod commands;
mod familiar;
#[cfg(fuzzing)]
pub mod fuzzing;
mod glasses;
mod hint;
pub mod label;
mod labeller_card;
mod lines;
pub mod live;
mod machine;
mod occlusion;
pub mod panel;
pub mod pipeline;
pub mod publish;
pub mod quality;
pub mod record;
mod rubric;
pub mod run;
mod service;
pub mod stages;
mod summary;
mod wiring;

pub use hint::hint;

use anyhow::{Context, Result};
use label_core::wire::ModelRef;
use std::path::{Path, PathBuf};

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
