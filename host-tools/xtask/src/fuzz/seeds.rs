//! First inputs, made of what the project ships: the examples of the message contract, boards, cards. Each target's own
//! documentation says what its first byte chooses.

use std::path::Path;

use anyhow::{Context, Result};

use crate::children::create_folder;
use crate::layout::Project;

/// The smallest picture there is: one grey block.
const JPEG: &[u8] = &[
    0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xff, 0xd9,
];

/// Topics, in the order of `label_core::wire::Topic::ALL`.
const TOPICS: [&str; 13] = [
    "status",
    "birth",
    "health",
    "clip",
    "label",
    "evidence",
    "evicted",
    "ack",
    "policy",
    "cmd/picture",
    "cmd/frames",
    "cmd/purge",
    "reply",
];

/// What the target `wire` reads a topic's message as.
const fn message(topic: usize) -> u8 {
    match topic {
        0..=5 | 12 => topic as u8,
        11 => 16,
        _ => topic as u8 + 1,
    }
}

/// Writes a target's first inputs into a folder.
pub(super) fn write(project: &Project, target: &str, folder: &Path) -> Result<()> {
    create_folder(folder)?;
    for (number, seed) in seeds(project, target)?.into_iter().enumerate() {
        let file = folder.join(format!("{number:03}"));
        std::fs::write(&file, seed).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn seeds(project: &Project, target: &str) -> Result<Vec<Vec<u8>>> {
    Ok(match target {
        "wire" => examples(project)?
            .into_iter()
            .map(|(topic, json)| chosen(message(topic), json.as_bytes()))
            .collect(),
        "ingest" => {
            let each: Vec<_> = examples(project)?
                .into_iter()
                .map(|(topic, json)| framed(topic, json))
                .collect();
            // And all of them, as of one rig.
            let all = each.concat();
            each.into_iter().chain([all]).collect()
        }
        // Records one after the other, with a gap, and twice the same.
        "outbox" => (0..=255)
            .step_by(17)
            .flat_map(|how| {
                [chosen(
                    how,
                    &[0, 2, 1, 9, 0, 0, 228, 2, 1, 9, 0, 0, 255, 1, 0, 0, 1, 1],
                )]
            })
            .collect(),
        "manifest" => vec![manifest(project)?.into_bytes()],
        "board" => files(&project.path("boards"))?,
        _ => {
            let mut out = Vec::new();
            for text in files(&project.path("models/calibration"))? {
                out.push(chosen(0, &text));
            }
            for (at, kind) in label_core::LabelKind::ALL.into_iter().enumerate() {
                for text in files(&project.path("models").join(kind.name()))? {
                    out.push(chosen(1 + 3 * at as u8, &text));
                }
            }
            for text in files(&project.path("models"))? {
                out.push(chosen(2, &text));
            }
            out
        }
    })
}

/// A message as `ingest` reads it.
fn framed(topic: usize, json: String) -> Vec<u8> {
    let payload = match TOPICS[topic] {
        "evidence" => {
            let length = (json.len() as u32).to_le_bytes();
            [b"RGE1", &length[..], json.as_bytes(), JPEG].concat()
        }
        _ => json.into_bytes(),
    };
    let length = (payload.len() as u16).to_le_bytes();
    [&[topic as u8], &length[..], &payload].concat()
}

fn chosen(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], rest].concat()
}

/// Place among [`TOPICS`] and text of each example of the contract.
fn examples(project: &Project) -> Result<Vec<(usize, String)>> {
    let text = read(&project.path("docs/reference/wire.md"))?;
    Ok(blocks(&text, "```json ")
        .filter_map(|block| {
            let (topic, rest) = block.split_once('\n')?;
            Some((
                TOPICS.iter().position(|one| *one == topic)?,
                rest.to_owned(),
            ))
        })
        .collect())
}

/// The example of an index.
fn manifest(project: &Project) -> Result<String> {
    let text = read(&project.path("docs/recording.md"))?;
    let example = text.split("```").find(|block| block.contains("{\"head\""));
    Ok(example
        .context("docs/recording.md shows no index any more")?
        .trim_start()
        .to_owned())
}

fn blocks<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("```")?.0))
}

/// The TOML files right in a folder; none where there is no such folder.
fn files(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            out.push(read(&path)?.into_bytes());
        }
    }
    Ok(out)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
