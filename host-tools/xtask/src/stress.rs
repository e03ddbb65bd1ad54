//! `cargo xtask bench --stress`: the development data made worse, and how often labels are sure of themselves and wrong.
//!
//! Each clip and still is changed by ffmpeg, once a condition, and kept in `.rigel/stress`; truth is changed alike by
//! `ruler/truth.py`. All conditions are synthetic: near-infrared is a look (grey, flat), not a recording.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accuracy::pictures::{self, Picture};
use crate::accuracy::{self, judge};
use crate::children::{create_folder, run_logged};
use crate::install::remove;
use crate::layout::Project;
use crate::programs;
use crate::progress::Bar;

/// A way to make a picture worse.
struct Condition {
    name: &'static str,
    /// What ffmpeg does to it. `WIDTH` and `HEIGHT` stand for half of the picture's size, `SHADE` for the place of the
    /// shade's edge, `FPS` for the clip's rate.
    filter: &'static str,
}

impl Condition {
    /// Whether what is drawn depends on where the face is in the picture as it is.
    fn needs_faces(&self) -> bool {
        self.filter.contains(SHADE)
    }
}

/// In a filter: the place of the shade's edge.
const SHADE: &str = "SHADE";

/// In the order they are shown; the first is for comparison, and tells where faces are.
const CONDITIONS: [Condition; 11] = [
    Condition {
        name: "as-is",
        filter: "null",
    },
    Condition {
        name: "gamma-0.4",
        filter: "lutrgb=r=gammaval(0.4):g=gammaval(0.4):b=gammaval(0.4)",
    },
    Condition {
        name: "gamma-2.5",
        filter: "lutrgb=r=gammaval(2.5):g=gammaval(2.5):b=gammaval(2.5)",
    },
    Condition {
        name: "blur",
        filter: "gblur=sigma=2",
    },
    // All that is left of the middle of the face has a third of its light.
    Condition {
        name: "half-shade",
        filter: "split[lit][dark];[dark]crop=SHADE:ih:0:0,lutrgb=r=val*0.35:g=val*0.35:b=val*0.35[shade];[lit][shade]overlay=0:0",
    },
    Condition {
        name: "jpeg-15",
        filter: "null",
    },
    Condition {
        name: "half-size",
        filter: "scale=WIDTH:HEIGHT:flags=area",
    },
    Condition {
        name: "mirrored",
        filter: "hflip",
    },
    Condition {
        name: "15-fps",
        filter: "select=gt(floor((n+1)*15/FPS)\\,floor(n*15/FPS))",
    },
    // The filter's strength is the deviation times the square root of 3: 4 in brightness, 2 in colour.
    Condition {
        name: "dark-noise",
        filter: "lutrgb=r=val*0.2:g=val*0.2:b=val*0.2,format=yuv420p,noise=all_seed=1:c0s=7:c0f=t:c1s=3:c1f=t:c2s=3:c2f=t",
    },
    Condition {
        name: "near-infrared",
        filter: "format=gray,lut=c0=60+val*0.5,format=yuv420p",
    },
];

/// Clips no faster than this keep their frames in `15-fps`; `truth.py` has the same number.
const THINNED_FROM_FPS: f64 = 18.0;
/// A set of so few pictures is taken whole: every one has its own place or person.
const SMALL_SET: usize = 6;
/// ffmpeg's scale of JPEG quality for what libjpeg calls 15.
const JPEG_15: &str = "27";

/// Arguments of `bench --stress`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Take every Nth clip and still of a set, and small sets whole
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), requires = "stress")]
    sample: u32,
    /// Take only the first N frames of each clip
    #[arg(long, value_name = "N", requires = "stress")]
    frames: Option<u32>,
    /// Only this set; may be given more than once
    #[arg(long, value_name = "NAME", requires = "stress", value_parser = pictures::SETS)]
    set: Vec<String>,
    /// Only this condition; may be given more than once
    #[arg(long, value_name = "NAME", requires = "stress", value_parser = CONDITIONS.map(|condition| condition.name))]
    condition: Vec<String>,
}

/// What the judge needs to change truth: of each picture width, height and frames a second (0: a still).
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sizes {
    frames: Option<u32>,
    clips: BTreeMap<String, (u32, u32, f64)>,
}

/// Makes what is missing, labels all of it, and prints a table a question.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let data = accuracy::development_data(project)?;
    let folder = project.fetched("stress");
    create_folder(&folder)?;
    let (mut all, absent) = pictures::found_in(&data)?;
    all.retain(|picture| arguments.set.is_empty() || arguments.set.contains(&picture.set));
    let pictures = sampled(&all, arguments.sample);
    let sizes = sizes_of(project, &pictures, arguments.frames, &folder)?;
    let wanted = |condition: &&Condition| {
        arguments.condition.is_empty() || arguments.condition.iter().any(|c| c == condition.name)
    };
    let conditions: Vec<&Condition> = CONDITIONS.iter().filter(wanted).collect();
    let faces = folder.join(CONDITIONS[0].name).join("pred");
    let are_known = pictures
        .iter()
        .all(|picture| faces.join(format!("{}.jsonl", picture.name())).is_file());
    let mut failures = Vec::new();
    for condition in in_order(&conditions, are_known) {
        let place = folder.join(condition.name);
        let made = make_all(project, condition, &pictures, &sizes, &place)?;
        let predictions = place.join("pred");
        remove(&predictions)?;
        create_folder(&predictions)?;
        let bar = Bar::count(
            &format!("labelling {}", condition.name),
            pictures::steps(&made),
        );
        failures.extend(pictures::label_all(project, &made, &predictions, &bar)?);
        bar.done("labelled");
    }
    let mut words: Vec<&OsStr> = vec!["stress".as_ref()];
    words.extend(
        conditions
            .iter()
            .map(|condition| OsStr::new(condition.name)),
    );
    words.extend(["--folder".as_ref(), folder.as_os_str()]);
    println!("{}", judge(project, &data, &words)?.trim_end());
    if !absent.is_empty() {
        println!("\nnot found: {}", absent.join(", "));
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

/// The conditions to label: the pictures as they are come first where one asks for the faces in them and these are not known.
fn in_order<'a>(wanted: &[&'a Condition], faces_are_known: bool) -> Vec<&'a Condition> {
    let as_is = &CONDITIONS[0];
    let asks = wanted.iter().any(|condition| condition.needs_faces());
    let has_them = faces_are_known || wanted.iter().any(|condition| condition.name == as_is.name);
    let first = (asks && !has_them).then_some(as_is);
    first.into_iter().chain(wanted.iter().copied()).collect()
}

/// Every `step`th picture of each set; a small set whole.
fn sampled(all: &[Picture], step: u32) -> Vec<Picture> {
    let in_set = |set: &str| all.iter().filter(|picture| picture.set == set).count();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let taken = all.iter().filter(|picture| {
        let count = seen.entry(&picture.set).or_default();
        *count += 1;
        (*count - 1).is_multiple_of(step) || in_set(&picture.set) <= SMALL_SET
    });
    taken.cloned().collect()
}

/// Looks at what was not looked at before.
fn sizes_of(
    project: &Project,
    pictures: &[Picture],
    frames: Option<u32>,
    folder: &Path,
) -> Result<Sizes> {
    let path = folder.join("sizes.json");
    let known: Sizes = std::fs::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let mut sizes = Sizes {
        frames,
        ..Sizes::default()
    };
    let bar = Bar::count("looking at the pictures", pictures.len() as u64);
    for picture in pictures {
        let name = picture.name();
        let size = match known.clips.get(&name) {
            Some(size) => *size,
            None => size_of(project, &picture.path)?,
        };
        sizes.clips.insert(name, size);
        bar.advance();
    }
    bar.done(&format!("{} pictures", pictures.len()));
    let text = serde_json::to_vec_pretty(&sizes).context("sizes are plain numbers")?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(sizes)
}

fn ffmpeg(project: &Project) -> PathBuf {
    programs::find("ffmpeg").unwrap_or_else(|| project.fetched("bin/ffmpeg"))
}

/// Width, height and rate, as ffmpeg tells them of a file it is asked to do nothing with.
fn size_of(project: &Project, path: &Path) -> Result<(u32, u32, f64)> {
    let mut command = Command::new(ffmpeg(project));
    let output = command
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(path)
        .output()
        .context("cannot start ffmpeg")?;
    let told = String::from_utf8_lossy(&output.stderr);
    size_in(&told).with_context(|| format!("ffmpeg finds no picture in {}", path.display()))
}

/// `Stream #0:0: Video: h264 (High), yuv420p, 320x240 [SAR 1:1 DAR 4:3], 30 fps, 30 tbr`.
fn size_in(told: &str) -> Option<(u32, u32, f64)> {
    let line = told.lines().find(|line| line.contains("Video:"))?;
    let mut words = line.split([' ', ',']);
    let size = words.find_map(|word| {
        let (width, height) = word.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    })?;
    let rate = line
        .split(", ")
        .find_map(|part| part.strip_suffix(" fps")?.parse().ok());
    Some((size.0, size.1, rate.unwrap_or(0.0)))
}

/// The pictures under a condition, made where they are not there.
fn make_all(
    project: &Project,
    condition: &Condition,
    pictures: &[Picture],
    sizes: &Sizes,
    place: &Path,
) -> Result<Vec<Picture>> {
    let mut recipe = format!("{} frames {:?}\n", condition.filter, sizes.frames);
    if condition.needs_faces() {
        recipe += "at the middle of the faces found as they are\n";
    }
    let note = place.join("made-with");
    if std::fs::read_to_string(&note).ok().as_deref() != Some(&recipe) {
        remove(place)?;
        create_folder(place)?;
        std::fs::write(&note, &recipe)
            .with_context(|| format!("cannot write {}", note.display()))?;
    }
    // A still has no rate.
    let pictures: Vec<&Picture> = pictures
        .iter()
        .filter(|picture| condition.name != "15-fps" || !picture.is_still())
        .collect();
    let bar = Bar::count(&format!("making {}", condition.name), pictures.len() as u64);
    let mut made = Vec::new();
    for picture in pictures {
        made.push(make(project, condition, picture, sizes, place)?);
        bar.advance();
    }
    bar.done("made");
    Ok(made)
}

fn make(
    project: &Project,
    condition: &Condition,
    picture: &Picture,
    sizes: &Sizes,
    place: &Path,
) -> Result<Picture> {
    let folder = place.join(&picture.set);
    create_folder(&folder)?;
    let stem = picture
        .path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let as_jpegs = condition.name == "jpeg-15";
    let ending = match (picture.is_still(), as_jpegs) {
        (true, _) => "jpg",
        (false, true) => "mkv",
        (false, false) => "mp4",
    };
    let made = Picture {
        set: picture.set.clone(),
        path: folder.join(format!("{stem}.{ending}")),
    };
    if made.path.is_file() {
        return Ok(made);
    }
    let size = sizes.clips[&picture.name()];
    let filter = filter_of(condition, size, &|| {
        middle_of_face(&place.with_file_name("as-is").join("pred"), &picture.name())
    });
    let unfinished = folder.join(format!("unfinished.{ending}"));
    let mut command = Command::new(ffmpeg(project));
    command
        .args(["-nostdin", "-y", "-v", "error", "-i"])
        .arg(&picture.path)
        .args(["-an", "-map", "0:v:0", "-filter_complex", &filter]);
    if picture.is_still() {
        command.args(["-frames:v", "1", "-update", "1"]);
        command.args(["-q:v", if as_jpegs { JPEG_15 } else { "1" }]);
    } else {
        command.args(["-fps_mode", "passthrough"]);
        if let Some(frames) = sizes.frames {
            command.args(["-frames:v", &frames.to_string()]);
        }
        if as_jpegs {
            command.args(["-c:v", "mjpeg", "-q:v", JPEG_15]);
        } else {
            command.args(["-c:v", "libx264", "-preset", "ultrafast", "-crf", "14"]);
            command.args(["-pix_fmt", "yuv420p"]);
        }
    }
    command.arg(&unfinished);
    let log = project.fetched("logs/stress.log");
    run_logged("ffmpeg", &mut command, &log, &Bar::hidden())?;
    std::fs::rename(&unfinished, &made.path)
        .with_context(|| format!("cannot rename to {}", made.path.display()))?;
    Ok(made)
}

/// The condition's filter for one picture.
fn filter_of(
    condition: &Condition,
    (width, height, fps): (u32, u32, f64),
    middle: &dyn Fn() -> Option<f64>,
) -> String {
    if condition.name == "15-fps" && fps <= THINNED_FROM_FPS {
        return "null".into();
    }
    let half = |side: u32| (side / 4 * 2).max(2).to_string();
    let mut filter = condition
        .filter
        .replace("WIDTH", &half(width))
        .replace("HEIGHT", &half(height))
        .replace("FPS", &fps.to_string());
    if condition.needs_faces() {
        let x = middle().unwrap_or(f64::from(width) / 2.0);
        let edge = (x / 2.0).round() as u32 * 2;
        filter = filter.replace(SHADE, &edge.clamp(2, width.max(4) - 2).to_string());
    }
    filter
}

/// The median middle between offered eyes, in pixels from the left.
fn middle_of_face(predictions: &Path, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(predictions.join(format!("{name}.jsonl"))).ok()?;
    median_middle(&text)
}

/// Of faces with both eyes offered; a line a label.
fn median_middle(labels: &str) -> Option<f64> {
    let mut eyes: BTreeMap<(u64, u64), Vec<f64>> = BTreeMap::new();
    for line in labels.lines() {
        let Ok(label) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let is_eye = |kind: &str| kind.starts_with("keypoint-");
        if label["kind"].as_str().is_some_and(is_eye)
            && let (Some(frame), Some(track), Some(x)) = (
                label["frame"].as_u64(),
                label["track"].as_u64(),
                label["point"][0].as_f64(),
            )
        {
            eyes.entry((frame, track)).or_default().push(x);
        }
    }
    let middle = |pair: &Vec<f64>| match pair[..] {
        [one, other] => Some(f64::midpoint(one, other)),
        _ => None,
    };
    let mut places: Vec<f64> = eyes.values().filter_map(middle).collect();
    places.sort_by(f64::total_cmp);
    places.get(places.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(name: &str, size: (u32, u32, f64), middle: Option<f64>) -> String {
        let condition = CONDITIONS.iter().find(|c| c.name == name).unwrap();
        filter_of(condition, size, &|| middle)
    }

    #[test]
    fn a_filter_fits_the_picture() {
        let size = (853, 480, 29.97);
        assert_eq!(filter("half-size", size, None), "scale=426:240:flags=area");
        assert!(filter("half-shade", size, Some(301.0)).contains("crop=302:ih"));
        assert!(filter("half-shade", size, None).contains("crop=426:ih"));
        assert!(filter("15-fps", size, None).contains("n*15/29.97"));
        assert_eq!(filter("15-fps", (320, 240, 17.08), None), "null");
    }

    #[test]
    fn faces_are_looked_for_before_a_shade_is_drawn_on_them() {
        let named = |name: &str| CONDITIONS.iter().find(|c| c.name == name).unwrap();
        let order = |wanted: &[&str], known| -> Vec<&str> {
            let wanted: Vec<_> = wanted.iter().map(|name| named(name)).collect();
            let order = in_order(&wanted, known);
            order.into_iter().map(|condition| condition.name).collect()
        };
        assert_eq!(order(&["half-shade"], false), ["as-is", "half-shade"]);
        assert_eq!(order(&["half-shade"], true), ["half-shade"]);
        let both = ["as-is", "blur", "half-shade"];
        assert_eq!(order(&both, false), both);
        assert_eq!(order(&["blur"], false), ["blur"]);
    }

    #[test]
    fn half_of_a_face_is_shaded_and_not_all_of_it_up_to_an_eye() {
        let eye = |side: &str, frame: u32, x: u32| {
            format!(
                "{{\"kind\":\"keypoint-{side}-eye\",\"track\":1,\"frame\":{frame},\"point\":[{x},50]}}\n"
            )
        };
        let seen = |frame, left, right| eye("left", frame, left) + &eye("right", frame, right);
        assert_eq!(median_middle(&seen(0, 60, 20)), Some(40.0));
        let clip = seen(0, 60, 20) + &seen(1, 62, 22) + &seen(2, 90, 50) + &eye("left", 3, 300);
        assert_eq!(median_middle(&clip), Some(42.0));
        assert_eq!(median_middle(&eye("left", 0, 60)), None);
    }

    #[test]
    fn ffmpegs_words_give_size_and_rate() {
        let told = "Input #0, avi, from 'a.avi':\n  Duration: 00:01:00.01, start: 0.0\n  \
            Stream #0:0: Video: mpeg4 (Simple Profile) (XVID / 0x44495658), yuv420p, 640x480 [SAR 1:1 DAR 4:3], 455 kb/s, 17.08 fps, 17.08 tbr\n";
        assert_eq!(size_in(told), Some((640, 480, 17.08)));
        let still =
            "  Stream #0:0: Video: mjpeg (Baseline), yuvj420p(pc), 533x800 [SAR 1:1], 25 fps\n";
        assert_eq!(size_in(still), Some((533, 800, 25.0)));
        assert_eq!(size_in("no such file\n"), None);
    }

    #[test]
    fn a_sample_takes_from_every_set() {
        let picture = |set: &str, file: &str| Picture {
            set: set.into(),
            path: file.into(),
        };
        let mut all: Vec<Picture> = (0..9).map(|n| picture("a", &format!("{n}.mp4"))).collect();
        all.extend([picture("b", "0.mp4"), picture("b", "1.mp4")]);
        let names: Vec<String> = sampled(&all, 4).iter().map(Picture::name).collect();
        assert_eq!(names, ["a__0", "a__4", "a__8", "b__0", "b__1"]);
    }
}
