//! `cargo xtask contact-sheet`: fifty labels of one kind in one picture, so that a person can judge them in a minute.
//!
//! `ruler/cases.py` chooses: labels known to be wrong first, then labels spread by confidence. Here their frames are
//! fetched with ffmpeg and drawn: crops for attributes, strips for events, boxes and points over the picture (ours yellow,
//! truth blue). A text beside the picture tells the clip, frames and confidence of each.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use label_core::LabelKind;
use serde::Deserialize;

use crate::accuracy::{self, pictures, pictures::Picture};
use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::progress::Bar;
use crate::setup::{self, Purpose};
use crate::{build, programs, venv};

mod sheet;

/// Arguments of `contact-sheet`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask contact-sheet --kind blink                     the development data's, those known to be wrong first
  cargo xtask contact-sheet --kind in-shadow --from clips/   of clips and pictures of your own

Faces are personal data: the sheets stay in .rigel/contact-sheets.")]
pub(crate) struct Arguments {
    /// Kind of label, as in files of labels
    #[arg(long, value_parser = LabelKind::ALL.map(LabelKind::name))]
    kind: String,
    /// Folder of clips and pictures [default: the development data]
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// Label again also what was labelled before
    #[arg(long)]
    fresh: bool,
    /// How many labels at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    most: u32,
}

/// A label to be shown, as `cases.py` writes it; coordinates are pixels of the source.
#[derive(Debug, Clone, Deserialize)]
struct Case {
    name: String,
    frames: Vec<u32>,
    event: (u32, u32),
    crop: Option<[f32; 4]>,
    title: String,
    wrong: bool,
    what: String,
    boxes: Vec<[f32; 4]>,
    points: Vec<[f32; 2]>,
    true_boxes: Vec<[f32; 4]>,
    true_points: Vec<[f32; 2]>,
}

/// Pictures by clip and frame.
type Frames = BTreeMap<(String, u32), RgbImage>;

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    setup::prepare(project, Purpose::Bench)?;
    let (pictures, data, predictions) = if let Some(folder) = &arguments.from {
        let labels = project.fetched("contact-sheets/pred");
        remove(&labels)?;
        (pictures_in(folder)?, None, labels)
    } else {
        let data = accuracy::development_data(project)?;
        let (pictures, _) = pictures::found_in(&data)?;
        (pictures, Some(data), accuracy::predictions(project))
    };
    let is_labelled = std::fs::read_dir(&predictions).is_ok_and(|mut files| files.next().is_some());
    if arguments.fresh || !is_labelled {
        build::release(project, &["rigeld"])?;
        remove(&predictions)?;
        create_folder(&predictions)?;
        let bar = Bar::count("labelling", pictures::steps(&pictures));
        let failures = pictures::label_all(project, &pictures, &predictions, &bar)?;
        bar.done(&format!(
            "{} pictures, {} failures",
            pictures.len(),
            failures.len()
        ));
        for failure in &failures {
            eprintln!("failed: {failure}");
        }
    }
    let cases = chosen(project, arguments, data.as_deref(), &predictions)?;
    if cases.is_empty() {
        println!("no label of the kind {} was offered", arguments.kind);
        return Ok(ExitCode::SUCCESS);
    }
    let frames = fetched(project, &cases, &pictures)?;
    let folder = project.fetched("contact-sheets");
    create_folder(&folder)?;
    let path = folder.join(format!("{}.png", arguments.kind));
    sheet::drawn(&cases, &frames)
        .save(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let index = path.with_extension("txt");
    std::fs::write(&index, index_of(&cases))
        .with_context(|| format!("cannot write {}", index.display()))?;
    println!(
        "{} labels, {} known to be wrong: {} and {}",
        cases.len(),
        cases.iter().filter(|case| case.wrong).count(),
        project.shown(&path),
        project.shown(&index)
    );
    Ok(ExitCode::SUCCESS)
}

/// Everything in a folder; its name stands for the set.
fn pictures_in(folder: &Path) -> Result<Vec<Picture>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found: Vec<Picture> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .map(|path| Picture {
            set: "own".into(),
            path,
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn chosen(
    project: &Project,
    arguments: &Arguments,
    data: Option<&Path>,
    predictions: &Path,
) -> Result<Vec<Case>> {
    let most = arguments.most.to_string();
    let mut words: Vec<&OsStr> = vec![arguments.kind.as_ref(), "--most".as_ref(), most.as_ref()];
    words.extend(["--pred".as_ref(), predictions.as_os_str()]);
    if let Some(data) = data {
        words.extend(["--data".as_ref(), data.as_os_str()]);
    }
    let mut command = Command::new(venv::RULER.ensure(project)?);
    command
        .arg(project.path("host-tools/xtask/ruler/cases.py"))
        .args(words);
    let told = accuracy::output_of(&mut command)?;
    told.lines()
        .map(|line| serde_json::from_str(line).context("a case is not as expected"))
        .collect()
}

/// The frames that cases need, a run of ffmpeg a clip.
fn fetched(project: &Project, cases: &[Case], pictures: &[Picture]) -> Result<Frames> {
    let mut wanted: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for case in cases {
        wanted.entry(&case.name).or_default().extend(&case.frames);
    }
    let folder = project.fetched("contact-sheets/frames");
    let bar = Bar::count("fetching frames", wanted.len() as u64);
    let mut frames = Frames::new();
    for (name, numbers) in wanted {
        let picture = pictures.iter().find(|picture| picture.name() == name);
        let picture = picture.with_context(|| format!("there are labels of {name}, no clip"))?;
        remove(&folder)?;
        create_folder(&folder)?;
        let terms: Vec<String> = numbers.iter().map(|n| format!("eq(n\\,{n})")).collect();
        let mut command =
            Command::new(programs::find("ffmpeg").unwrap_or_else(|| project.fetched("bin/ffmpeg")));
        command
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(&picture.path)
            .args(["-vf", &format!("select={}", terms.join("+"))])
            .args(["-fps_mode", "passthrough", "-q:v", "2"])
            // The rest of the clip need not be decoded.
            .args(["-frames:v", &numbers.len().to_string()])
            .arg(folder.join("%d.jpg"));
        let log = project.fetched("logs/contact-sheet.log");
        run_logged("ffmpeg", &mut command, &log, &Bar::hidden())?;
        for (place, number) in numbers.into_iter().enumerate() {
            let path = folder.join(format!("{}.jpg", place + 1));
            // A margin may reach beyond the clip's end.
            if path.is_file() {
                let image = image::open(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                frames.insert((name.to_owned(), number), image.to_rgb8());
            }
        }
        bar.advance();
    }
    ensure!(!frames.is_empty(), "ffmpeg gave no frame of any clip");
    bar.done(&format!("{} frames", frames.len()));
    Ok(frames)
}

/// A line a case, numbered as on the sheet.
fn index_of(cases: &[Case]) -> String {
    let mut text = String::new();
    for (number, case) in cases.iter().enumerate() {
        let _ = writeln!(
            text,
            "{:3}  {:30}  {}  {}",
            number + 1,
            case.title,
            case.name,
            case.what
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn every_kind_of_label_can_be_drawn_and_another_word_is_answered_with_all_of_them() {
        for kind in LabelKind::ALL.map(LabelKind::name) {
            let asked = Command::try_parse_from(["contact-sheet", "--kind", kind]);
            assert_eq!(asked.unwrap().arguments.kind, kind);
        }
        let refused = Command::try_parse_from(["contact-sheet", "--kind", "winking"]);
        let told = refused.unwrap_err().to_string();
        for kind in LabelKind::ALL.map(LabelKind::name) {
            assert!(told.contains(kind), "{kind} is missing:\n{told}");
        }
    }
}
