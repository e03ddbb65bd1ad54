//! Board files: one complete TOML a rig says what it is made of and where its labels go.
//!
//! A [`Board`] is checked: names are safe in topics, numbers are in range, paths are absolute or relative to the working
//! directory. Nothing is opened here; whoever uses a path says so if it is not there.

use label_core::id::Name;
use label_core::wire::{NameError, parse_name};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A checked board file.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Name of the board file, for the birth message.
    pub name: Name,
    /// Level of the topics above the rig.
    pub site: Name,
    /// The rig's name.
    pub rig: Name,
    /// Where frames come from.
    pub source: Source,
    /// The models.
    pub perception: Perception,
    /// Where labels wait.
    pub outbox: Outbox,
    /// Where they go.
    pub broker: Broker,
    /// The file's bytes, for the birth message's digest.
    pub text: String,
}

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, tag = "kind")]
pub enum Source {
    /// A clip file, labelled once.
    Clip {
        /// The file.
        path: PathBuf,
        /// How much of it is read.
        seconds: Option<f64>,
    },
}

/// The models.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Perception {
    /// Folder of model cards.
    pub cards: PathBuf,
    /// Folder of model files.
    pub files: PathBuf,
    /// The runtime library.
    pub runtime: PathBuf,
    /// Calibration of confidence.
    pub calibration: PathBuf,
    /// Processor threads of a model run.
    pub threads: u32,
    /// People followed at a time.
    pub max_faces: usize,
    /// Card of the short-range face detector.
    pub short_range: String,
    /// Card of the full-range face detector.
    pub full_range: String,
    /// Card of the face mesh.
    pub mesh: String,
    /// Card of the eye reader.
    pub eye_reader: String,
    /// Card of the person detector.
    pub person: String,
    /// Card of the mask that tightens person boxes.
    pub person_mask: String,
}

/// Where labels wait.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Outbox {
    /// The folder.
    pub dir: PathBuf,
    /// Its largest size.
    pub max_mib: u64,
}

/// The MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A board file as written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawBoard {
    name: String,
    site: String,
    rig: String,
    source: Source,
    perception: Perception,
    outbox: Outbox,
    broker: Broker,
}

/// Why a board file cannot be used. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a board file.
    #[error("{}: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong.
        source: Box<toml::de::Error>,
    },
    /// Values that cannot be; all of them.
    #[error("{}:\n  {}", path.display(), problems.join("\n  "))]
    Values {
        /// The file.
        path: PathBuf,
        /// Field and what is wrong with it.
        problems: Vec<String>,
    },
}

impl Board {
    /// Reads and checks a board file.
    pub fn read(path: &Path) -> Result<Self, BoardError> {
        let text = std::fs::read_to_string(path).map_err(|source| BoardError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, text)
    }

    fn parse(path: &Path, text: String) -> Result<Self, BoardError> {
        let raw: RawBoard = toml::from_str(&text).map_err(|source| BoardError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let mut problems = Vec::new();
        let name = name_or_problem("name", &raw.name, &mut problems);
        let site = name_or_problem("site", &raw.site, &mut problems);
        let rig = name_or_problem("rig", &raw.rig, &mut problems);
        reject_impossible_numbers(&raw, &mut problems);
        if !problems.is_empty() {
            return Err(BoardError::Values {
                path: path.to_owned(),
                problems,
            });
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let beside = |given: &Path| folder.join(given);
        let Source::Clip {
            path: clip,
            seconds,
        } = raw.source;
        let p = raw.perception;
        Ok(Self {
            name,
            site,
            rig,
            source: Source::Clip {
                path: beside(&clip),
                seconds,
            },
            perception: Perception {
                cards: beside(&p.cards),
                files: beside(&p.files),
                runtime: beside(&p.runtime),
                calibration: beside(&p.calibration),
                ..p
            },
            outbox: Outbox {
                dir: beside(&raw.outbox.dir),
                ..raw.outbox
            },
            broker: raw.broker,
            text,
        })
    }
}

fn name_or_problem(field: &str, text: &str, problems: &mut Vec<String>) -> Name {
    parse_name(text).unwrap_or_else(|error: NameError| {
        problems.push(format!("{field} = {text:?}: {error}"));
        Name::new()
    })
}

fn reject_impossible_numbers(raw: &RawBoard, problems: &mut Vec<String>) {
    let mut check = |ok: bool, problem: &str| {
        if !ok {
            problems.push(problem.to_owned());
        }
    };
    let Source::Clip { seconds, .. } = raw.source;
    check(
        seconds.is_none_or(|s| s.is_finite() && s > 0.0),
        "source.seconds: must be more than 0",
    );
    check(
        (1..=8).contains(&raw.perception.threads),
        "perception.threads: must be 1 to 8",
    );
    check(
        (1..=8).contains(&raw.perception.max_faces),
        "perception.max-faces: must be 1 to 8",
    );
    check(
        raw.outbox.max_mib >= 8,
        "outbox.max-mib: must be at least 8",
    );
    check(
        !raw.broker.host.is_empty(),
        "broker.host: must not be empty",
    );
    check(raw.broker.port != 0, "broker.port: must not be 0");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards")
    }

    #[test]
    fn every_shipped_board_is_valid_and_named_like_its_file() {
        let mut seen = 0;
        for entry in std::fs::read_dir(shipped()).unwrap() {
            let path = entry.unwrap().path();
            let board = Board::read(&path).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                board.name.as_str(),
                path.file_stem().unwrap().to_str().unwrap()
            );
            seen += 1;
        }
        assert!(seen > 0);
    }

    #[test]
    fn every_wrong_value_is_told_at_once() {
        let text = std::fs::read_to_string(shipped().join("sim.toml")).unwrap();
        let text = text
            .replace("rig = \"sim-1\"", "rig = \"a/b\"")
            .replace("threads = 1", "threads = 0");
        let error = Board::parse(Path::new("b.toml"), text)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("rig = \"a/b\"") && error.contains("perception.threads"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line_and_the_known_ones() {
        let text = std::fs::read_to_string(shipped().join("sim.toml")).unwrap();
        let error = Board::parse(Path::new("b.toml"), text.replace("max-mib", "max-mb"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line ") && error.contains("max-mb") && error.contains("max-mib"),
            "{error}"
        );
    }
}
