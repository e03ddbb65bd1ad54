//! The demo's board file: `boards/sim.toml` with its own clip, broker and outbox.

use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// What the demo sets; all else is as the shipped board says.
#[derive(Debug)]
pub(crate) struct DemoBoard<'a> {
    pub(crate) clip: &'a Path,
    /// How much of the clip is labelled, in seconds.
    pub(crate) seconds: u32,
    pub(crate) broker_port: u16,
    pub(crate) outbox: &'a Path,
}

/// The text of the demo's board file, made from the shipped one at `sim`.
pub(crate) fn for_demo(sim: &Path, demo: &DemoBoard) -> Result<String> {
    let mut board = absolute_board(sim)?;
    let path = |path: &Path| Value::String(path.display().to_string());
    let settings = [
        ("source", "path", path(demo.clip)),
        ("source", "seconds", Value::Float(demo.seconds.into())),
        ("broker", "host", Value::String("127.0.0.1".to_owned())),
        ("broker", "port", Value::Integer(demo.broker_port.into())),
        ("outbox", "dir", path(demo.outbox)),
    ];
    for (section, key, value) in settings {
        let Some(place) = board.get_mut(section).and_then(Value::as_table_mut) else {
            bail!("{} has no section [{section}]", sim.display());
        };
        place.insert(key.to_owned(), value);
    }
    toml::to_string(&board).context("cannot write a board file")
}

/// The shipped board, with paths that hold wherever the file is put.
pub(crate) fn absolute_board(sim: &Path) -> Result<Table> {
    let text =
        std::fs::read_to_string(sim).with_context(|| format!("cannot read {}", sim.display()))?;
    let mut board: Table = text
        .parse()
        .with_context(|| format!("{} is no TOML", sim.display()))?;
    let folder = sim.parent().context("a board file lies in a folder")?;
    for (_, value) in &mut board {
        make_paths_absolute(value, folder);
    }
    Ok(board)
}

/// A string that starts with `./` or `../` is a path: nothing else in a board file does.
fn make_paths_absolute(value: &mut Value, folder: &Path) {
    match value {
        Value::String(text) if text.starts_with("./") || text.starts_with("../") => {
            *text = folder.join(&*text).display().to_string();
        }
        Value::Table(table) => table
            .iter_mut()
            .for_each(|(_, one)| make_paths_absolute(one, folder)),
        Value::Array(all) => all
            .iter_mut()
            .for_each(|one| make_paths_absolute(one, folder)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Project;

    #[test]
    fn the_demo_board_is_the_shipped_one_with_its_own_clip_broker_and_outbox() {
        let sim = Project::find().unwrap().path("boards/sim.toml");
        let demo = DemoBoard {
            clip: Path::new("/c.mp4"),
            seconds: 60,
            broker_port: 4711,
            outbox: Path::new("/out"),
        };
        let board: Table = for_demo(&sim, &demo).unwrap().parse().unwrap();
        let shipped: Table = std::fs::read_to_string(&sim).unwrap().parse().unwrap();
        assert_eq!(board["source"]["path"].as_str(), Some("/c.mp4"));
        assert_eq!(board["source"]["seconds"].as_float(), Some(60.0));
        assert_eq!(board["broker"]["port"].as_integer(), Some(4711));
        assert_eq!(board["outbox"]["dir"].as_str(), Some("/out"));
        assert_eq!(board["name"], shipped["name"]);
        let models = Path::new(board["perception"]["files"].as_str().unwrap());
        assert!(
            models.is_absolute(),
            "{models:?} would be looked for beside the demo's board"
        );
        assert_eq!(
            board.keys().collect::<Vec<_>>(),
            shipped.keys().collect::<Vec<_>>()
        );
    }
}
