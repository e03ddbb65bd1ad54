//! The demo's board file: `boards/sim.toml` with its own clip, broker and state.

use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// What the demo sets; all else is as the shipped board says.
#[derive(Debug)]
pub(crate) struct DemoBoard<'a> {
    pub(crate) clip: &'a Path,
    /// How much of the clip is labelled.
    pub(crate) seconds: u32,
    pub(crate) broker_port: u16,
    pub(crate) state: &'a Path,
}

/// The text of the demo's board file, made from the shipped one at `sim`.
pub(crate) fn for_demo(sim: &Path, demo: &DemoBoard) -> Result<String> {
    let text =
        std::fs::read_to_string(sim).with_context(|| format!("cannot read {}", sim.display()))?;
    let mut board: Table = text
        .parse()
        .with_context(|| format!("{} is no TOML", sim.display()))?;
    let path = |path: &Path| Value::String(path.display().to_string());
    let settings = [
        (["capture", "clip"], path(demo.clip)),
        (["capture", "seconds"], Value::Integer(demo.seconds.into())),
        (["uplink", "port"], Value::Integer(demo.broker_port.into())),
        (["storage", "folder"], path(demo.state)),
    ];
    for ([section, key], value) in settings {
        let Some(place) = board.get_mut(section).and_then(Value::as_table_mut) else {
            bail!("{} has no section [{section}]", sim.display());
        };
        place.insert(key.to_owned(), value);
    }
    toml::to_string(&board).context("cannot write a board file")
}
