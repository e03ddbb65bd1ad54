//! Are the models the right ones, and do they give the right numbers here?

use super::golden::{self, Expected};
use super::{Finding, Loaded, Rig};
use crate::pipeline::Pipeline;
use anyhow::Result;
use board::Board;
use perception::{ModelCard, ModelError};
use std::sync::PoisonError;

/// Where a file of the package is wrong.
const REINSTALL: &str = "install the package again (sudo apt-get install --reinstall rigel-firmware); in a checkout: cargo xtask setup";

/// Every card and every file, then everything loaded.
pub(super) fn check_files(rig: &Rig) -> Finding {
    let (finding, loaded) = match load(&rig.board) {
        Ok((finding, pipeline)) => (finding, Loaded::Ready(pipeline)),
        Err(finding) => (finding, Loaded::Failed),
    };
    *rig.pipeline.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
    finding
}

fn load(board: &Board) -> Result<(Finding, Box<Pipeline>), Finding> {
    let cards = card_names(board);
    let problems: Vec<_> = cards
        .iter()
        .filter_map(|card| problem_of(board, card, &cards).err())
        .collect();
    if !problems.is_empty() {
        return Err(Finding::failed(problems.join("; "), REINSTALL));
    }
    let pipeline = Pipeline::load(board).map_err(|error| {
        let to_do = crate::hint(&error).map_or_else(
            || REINSTALL.to_owned(),
            |hint| format!("{hint}; or {REINSTALL}"),
        );
        Finding::failed(format!("{error:#}"), to_do)
    })?;
    let runtime = pipeline.runtime();
    let said = format!(
        "{} models and {} {} are those that the cards describe",
        cards.len(),
        runtime.name,
        runtime.version
    );
    let finding = Finding::passed(said).with("parts", golden::parts(&pipeline));
    Ok((finding, Box::new(pipeline)))
}

fn card_names(board: &Board) -> [&str; 7] {
    let p = &board.perception;
    [
        crate::glasses::MODEL,
        &p.short_range,
        &p.full_range,
        &p.mesh,
        &p.eye_reader,
        &p.person,
        &p.person_mask,
    ]
}

/// What is wrong with a model's card or file. A file that is another model's is told as that.
fn problem_of(board: &Board, name: &str, names: &[&str]) -> Result<(), String> {
    let p = &board.perception;
    let told = |error: ModelError| format!("{:#}", anyhow::Error::new(error));
    let card = ModelCard::read(&p.cards, name).map_err(told)?;
    match card.verify(&p.files) {
        Ok(_) => Ok(()),
        Err(ModelError::Digest { path, found, .. }) => {
            let owner = names
                .iter()
                .filter_map(|name| ModelCard::read(&p.cards, name).ok())
                .find(|other| other.sha256 == found);
            Err(match owner {
                Some(other) => format!(
                    "{}: holds the model {}, not {name}",
                    path.display(),
                    other.name
                ),
                None => format!(
                    "{}: not the file that the card {name} describes (SHA-256 {found})",
                    path.display()
                ),
            })
        }
        Err(error) => Err(told(error)),
    }
}

/// The golden clip against the stored numbers.
pub(super) fn check_numbers(rig: &Rig) -> Finding {
    let loaded = std::mem::take(&mut *rig.pipeline.lock().unwrap_or_else(PoisonError::into_inner));
    let mut pipeline = match loaded {
        Loaded::Ready(pipeline) => pipeline,
        Loaded::Failed => return Finding::skipped("needs the models"),
        Loaded::NotYet => match load(&rig.board) {
            Ok((_, pipeline)) => pipeline,
            Err(finding) => return finding,
        },
    };
    compare(rig, &mut pipeline).unwrap_or_else(|error| {
        Finding::failed(
            format!("{error:#}"),
            crate::hint(&error).unwrap_or(REINSTALL),
        )
    })
}

fn compare(rig: &Rig, pipeline: &mut Pipeline) -> Result<Finding> {
    let folder = &rig.board.perception.golden;
    let expected = Expected::read(folder)?;
    let measured = golden::measure(pipeline, folder, &expected)?;
    let comparison = expected.compare(&measured);
    let others = expected.other_parts(&golden::parts(pipeline));
    let finding = if comparison.problems.is_empty() {
        Finding::passed(format!(
            "{} frames at {:.1} ms, {} blinks; eyes within {:.2} px of the stored numbers, openness within {:.3}, person within {:.1} px{}",
            measured.frames.len(),
            measured.ms_a_frame,
            measured.blinks.len(),
            comparison.eye_px.worst,
            comparison.openness.worst,
            comparison.person_px.worst,
            if others.is_empty() {
                String::new()
            } else {
                format!(", which were made with another {}", others.join(", "))
            }
        ))
    } else {
        Finding::failed(comparison.problems.join("; "), advice(&others))
    };
    let ms = (measured.ms_a_frame * 100.0).round() / 100.0;
    Ok(finding
        .with("frames", measured.frames.len())
        .with("ms_a_frame", ms)
        .with("differences", &comparison))
}

/// Numbers are off: because of other parts, or although all are the same.
fn advice(others: &[String]) -> String {
    if others.is_empty() {
        return format!(
            "the files are right and the numbers are not: {REINSTALL}; if that does not help, this processor or its memory computes wrongly"
        );
    }
    format!(
        "the stored numbers were made with another {}: {REINSTALL}; a board with models of its own needs a golden folder of its own (models/golden/README.md)",
        others.join(", ")
    )
}
