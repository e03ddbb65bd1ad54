//! A rig's own board file: a shipped one with the rig's names and its broker, and every comment kept.

use crate::rig_folder::{BOARD, CA, CERTIFICATE, KEY};
use anyhow::{Context, bail};
use board::Board;
use std::path::Path;
use toml_edit::{DocumentMut, Item, Table, Value};

/// Boards of rigs that this program carries.
const SHIPPED: [(&str, &str); 3] = [
    ("rpi4", include_str!("../../../../boards/rpi4.toml")),
    ("rpi5", include_str!("../../../../boards/rpi5.toml")),
    (
        "jetson-orin-nano",
        include_str!("../../../../boards/jetson-orin-nano.toml"),
    ),
];

/// What the rig's own board file says that the shipped one does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    pub(crate) site: &'a str,
    pub(crate) rig: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

/// The text of a board: a shipped one by its name, or a file.
pub(crate) fn find(board: &str) -> anyhow::Result<String> {
    if let Some((_, text)) = SHIPPED.iter().find(|(name, _)| *name == board) {
        return Ok((*text).to_owned());
    }
    if board.contains('/') || Path::new(board).extension().is_some() {
        return std::fs::read_to_string(board)
            .with_context(|| format!("cannot read the board file {board}"));
    }
    let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
    bail!(
        "there is no board {board:?}; boards: {}, or a board file of yours by its path",
        names.join(", ")
    )
}

/// The name that a board's text gives itself.
pub(crate) fn name_of(text: &str) -> Option<String> {
    let document: DocumentMut = text.parse().ok()?;
    Some(document.get("name")?.as_str()?.to_owned())
}

/// Fills in what is the rig's own, and checks the whole. `from` is told in what is wrong.
pub(crate) fn fill_in(text: &str, from: &Path, own: Own<'_>) -> anyhow::Result<String> {
    // What is wrong is told of the text as its author knows it.
    let board = Board::parse(from, text.to_owned())?;
    let live = !matches!(board.source, board::Source::Clip { .. });
    if !live {
        bail!(
            "{}: a rig has a camera, and this board labels a clip",
            from.display()
        );
    }
    let mut document: DocumentMut = text
        .parse()
        .with_context(|| format!("{} is no TOML", from.display()))?;
    set(document.as_table_mut(), "site", own.site.into())?;
    set(document.as_table_mut(), "rig", own.rig.into())?;
    let broker = document
        .get_mut("broker")
        .and_then(Item::as_table_mut)
        .with_context(|| format!("{}: write [broker] as a table of its own", from.display()))?;
    set(broker, "host", own.host.into())?;
    set(broker, "port", i64::from(own.port).into())?;
    if !broker.contains_key("tls") {
        broker.insert("tls", Item::Table(Table::new()));
    }
    let tls = broker
        .get_mut("tls")
        .and_then(Item::as_table_like_mut)
        .with_context(|| format!("{}: broker.tls is no table", from.display()))?;
    for (key, path) in [("ca", CA), ("cert", CERTIFICATE), ("key", KEY)] {
        tls.insert(key, toml_edit::value(path));
    }
    let text = document.to_string();
    Board::parse(Path::new(BOARD), text.clone()).context("the rig's board file would be wrong")?;
    Ok(text)
}

/// Sets a value and keeps the comment behind it.
fn set(table: &mut Table, key: &str, mut value: Value) -> anyhow::Result<()> {
    let old = table
        .get_mut(key)
        .and_then(Item::as_value_mut)
        .with_context(|| format!("the board has no {key}"))?;
    *value.decor_mut() = old.decor().clone();
    *old = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Own<'_> = Own {
        site: "north",
        rig: "rig-7",
        host: "desk.lan",
        port: 8883,
    };

    fn shipped_files() -> Vec<std::path::PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards");
        let files = std::fs::read_dir(folder).unwrap();
        files
            .map(|file| file.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .collect()
    }

    #[test]
    fn every_shipped_board_of_a_rig_can_be_provisioned_by_its_name() {
        for path in shipped_files()
            .iter()
            .filter(|path| !path.ends_with("sim.toml"))
        {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let text = find(name).unwrap();
            assert_eq!(text, std::fs::read_to_string(path).unwrap());
            let board = Board::parse(path, fill_in(&text, path, OWN).unwrap()).unwrap();
            assert_eq!(
                (board.site.as_str(), board.rig.as_str()),
                ("north", "rig-7")
            );
            assert_eq!(
                (board.broker.host.as_str(), board.broker.port),
                ("desk.lan", 8883)
            );
            assert_eq!(board.broker.tls.unwrap().key, Path::new(KEY));
        }
    }

    fn only_in<'a>(here: &'a str, there: &str) -> Vec<&'a str> {
        let lines: Vec<&str> = there.lines().collect();
        here.lines().filter(|line| !lines.contains(line)).collect()
    }

    #[test]
    fn a_rig_s_board_differs_from_the_shipped_one_in_nothing_but_what_is_its_own() {
        let text = find("rpi4").unwrap();
        let own = fill_in(&text, Path::new("rpi4.toml"), OWN).unwrap();
        let (removed, added) = (only_in(&text, &own), only_in(&own, &text));
        assert_eq!(
            removed,
            [
                "site = \"site\"",
                "rig = \"rig\"",
                "host = \"127.0.0.1\"",
                "port = 1883"
            ]
        );
        assert_eq!(
            added,
            [
                "site = \"north\"",
                "rig = \"rig-7\"",
                "host = \"desk.lan\"",
                "port = 8883",
                "[broker.tls]",
                "ca = \"/etc/rigel/tls/ca.crt\"",
                "cert = \"/etc/rigel/tls/rig.crt\"",
                "key = \"/etc/rigel/tls/rig.key\"",
            ]
        );
        // And filling in what is filled in changes nothing.
        assert_eq!(fill_in(&own, Path::new("rpi4.toml"), OWN).unwrap(), own);
    }

    #[test]
    fn a_simulated_rig_is_not_provisioned() {
        let sim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards/sim.toml");
        let text = find(sim.to_str().unwrap()).unwrap();
        let error = fill_in(&text, &sim, OWN).unwrap_err().to_string();
        assert!(error.contains("labels a clip"), "{error}");
        let error = find("rpi3").unwrap_err().to_string();
        assert!(error.contains("rpi4, rpi5, jetson-orin-nano"), "{error}");
    }
}
