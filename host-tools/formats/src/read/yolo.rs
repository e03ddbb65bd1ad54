//! YOLO and YOLO-pose: a text file a picture, a line an object; what stands first is the **centre**, all as shares of the picture.
//!
//! Label files are found by looking below `labels`, never by a list or a path that a file names. A sixth number (or a twelfth of a pose) is the
//! score, as predictions have it.

use super::gather::{Gathered, Meta, Seen};
use super::guard::{Guard, Text};
use super::{ReadError, Told, files, names};
use crate::clip::hundredths;
use label_core::LabelKind;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

/// Numbers of a line: class and box; with a score; with two eyes; with both.
const LENGTHS: [usize; 4] = [5, 6, 11, 12];
/// Most people in a picture.
const MAX_LINES: usize = 10_000;

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let labels = place.join("labels");
    let below = if labels.is_dir() {
        labels
    } else {
        place.to_owned()
    };
    let classes = classes(&place.join("data.yaml"))?;
    let files = files::some_with_extension(&below, "txt", "YOLO")?;
    for path in files {
        let name = path
            .strip_prefix(&below)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        let name = if name.is_empty() {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        } else {
            name
        };
        let (clip, frame) = super::coco::of_name(&name);
        // A still goes by its name without what its label file adds.
        let clip = clip
            .strip_suffix(".txt")
            .map_or(clip.clone(), str::to_owned);
        let told = Told {
            id: clip,
            ..Told::default()
        };
        let at = (path.as_path(), None);
        let clip = to.clip(&told, at)?;
        to.picture(&clip, frame, at)?;
        lines(&path, |line, number| {
            one_line(line, (&clip, frame), &classes, to, (&path, number))
        })?;
    }
    Ok(())
}

fn lines(
    path: &Path,
    mut take: impl FnMut(&str, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let guard = Guard::open(path, Text::Lines)?;
    for (n, line) in guard.lines().enumerate() {
        let line = line.map_err(|error| ReadError::broken(path, n as u64 + 1, error))?;
        if n >= MAX_LINES {
            return Err(ReadError::broken(
                path,
                n as u64 + 1,
                format!("more than {MAX_LINES} lines"),
            ));
        }
        if !line.trim().is_empty() {
            take(&line, n as u64 + 1)?;
        }
    }
    Ok(())
}

/// Names of classes, from the plain forms that `data.yaml` has: `0: person` a line, or a list in brackets.
fn classes(path: &Path) -> Result<BTreeMap<u32, String>, ReadError> {
    let mut classes = BTreeMap::new();
    if !path.is_file() {
        classes.insert(0, "person".to_owned());
        return Ok(classes);
    }
    let mut within = false;
    lines(path, |line, _| {
        let bare = line.trim();
        let name = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        if let Some(rest) = bare.strip_prefix("names:") {
            within = true;
            let list = rest.trim().trim_start_matches('[').trim_end_matches(']');
            if !list.is_empty() {
                classes.extend((0..).zip(list.split(',').map(name)));
            }
        } else if within && let Some((number, rest)) = bare.split_once(':') {
            match number.trim().parse() {
                Ok(number) => {
                    classes.insert(number, name(rest));
                }
                Err(_) => within = false,
            }
        } else if within && let Some(rest) = bare.strip_prefix("- ") {
            classes.insert(classes.len() as u32, name(rest));
        }
        Ok(())
    })?;
    Ok(classes)
}

fn one_line(
    line: &str,
    (clip, frame): (&str, u32),
    classes: &BTreeMap<u32, String>,
    to: &mut Gathered<'_>,
    (path, number): (&Path, u64),
) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(path, number, trouble);
    let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
    let numbers =
        numbers.map_err(|_| broken("a line is numbers: class, centre, size".to_owned()))?;
    if !LENGTHS.contains(&numbers.len()) {
        return Err(broken(format!(
            "{} numbers: a box has 5 (class, centre, size), a pose of two eyes 11, and one more each where there is a score",
            numbers.len()
        )));
    }
    if let Some(wrong) = numbers[1..]
        .iter()
        .find(|value| !(value.is_finite() && (0.0..=2.0).contains(*value)))
    {
        return Err(broken(format!(
            "{wrong} is no share of a picture (nor a visibility of 0 to 2)"
        )));
    }
    let class = numbers[0];
    let name = classes
        .get(&(class as u32))
        .filter(|_| class >= 0.0 && class.fract() == 0.0);
    let name = name.ok_or_else(|| broken(format!("class {class} has no name in data.yaml")))?;
    if names::meaning(name, &to.reading.names)
        .is_none_or(|meaning| meaning.kind != LabelKind::BboxPerson)
    {
        to.dropped.note(
            format!("class {name:?} is no kind of label here"),
            path,
            Some(number),
        );
        return Ok(());
    }
    let (width, height) = (
        f64::from(to.known(clip).width),
        f64::from(to.known(clip).height),
    );
    let [cx, cy, w, h] = [
        numbers[1] * width,
        numbers[2] * height,
        numbers[3] * width,
        numbers[4] * height,
    ];
    let place = [
        hundredths(cx - w / 2.0),
        hundredths(cy - h / 2.0),
        hundredths(w),
        hundredths(h),
    ];
    // Who is in which line says nothing of who was there a frame before.
    let id = format!("{frame}:{number}");
    let at = (path, Some(number));
    let track = Some(to.alone(clip, at));
    let score = matches!(numbers.len(), 6 | 12).then(|| numbers[numbers.len() - 1]);
    let meta = || Meta {
        confidence: score,
        ..Meta::default()
    };
    to.seen(
        clip,
        (frame, LabelKind::BboxPerson, track),
        (Seen::Box(place), meta),
        (&id, at),
    )?;
    if numbers.len() >= 11 {
        for (kind, eye) in [LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye]
            .into_iter()
            .zip(numbers[5..11].chunks(3))
        {
            if let [x, y, seen] = eye
                && *seen > 0.0
            {
                let place = [hundredths(x * width), hundredths(y * height)];
                to.seen(
                    clip,
                    (frame, kind, track),
                    (Seen::Point(place), meta),
                    (&id, at),
                )?;
            }
        }
    }
    Ok(())
}
