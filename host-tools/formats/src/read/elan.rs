//! ELAN: an `.eaf` file a clip. Milliseconds become frames by the clip's own times, or its rate; an annotation ends where the frame after its
//! last one begins.

use super::gather::{Gathered, Meta};
use super::xml::{Node, walk};
use super::{MAX_PLACES, ReadError, Told, files, names};
use crate::clip::{Clip, Standing};
use label_core::kind::LabelScope;
use label_core::{FrameIndex, FrameRange, TrackId};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

pub(super) fn read(place: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    for path in files::some_with_extension(place, "eaf", "ELAN")? {
        one_file(&path, to)?;
    }
    Ok(())
}

struct Said {
    tier: String,
    slots: (String, String),
    text: String,
    line: u64,
}

#[derive(Default)]
struct File {
    clip: Option<String>,
    media: Option<String>,
    slots: BTreeMap<String, i64>,
    said: Vec<Said>,
}

fn one_file(path: &Path, to: &mut Gathered<'_>) -> Result<(), ReadError> {
    let file = parse(path)?;
    let stem = path.file_stem().unwrap_or_default();
    let told = Told {
        id: file
            .clip
            .unwrap_or_else(|| stem.to_string_lossy().into_owned()),
        name: file.media,
        ..Told::default()
    };
    let clip = to.only_clip(&told, (path, None))?;
    let known = to.known(&clip).clone();
    if known.frames.pts_us(0).is_none() && known.frames.nominal_fps.is_none() {
        return Err(ReadError::broken(
            path,
            None,
            format!(
                "ELAN tells times, and nobody knows when the frames of clip {clip} are: say --fps 30"
            ),
        ));
    }
    for said in &file.said {
        let broken = |trouble: String| ReadError::broken(path, said.line, trouble);
        let time = |slot: &str| {
            let time = file.slots.get(slot);
            time.copied()
                .ok_or_else(|| broken(format!("time slot {slot:?} has no time")))
        };
        let frames =
            frames_of(&known, time(&said.slots.0)?, time(&said.slots.1)?).map_err(&broken)?;
        take(&clip, said, frames, to, path)?;
    }
    Ok(())
}

fn parse(path: &Path) -> Result<File, ReadError> {
    let mut file = File::default();
    let (mut tier, mut property) = (String::new(), String::new());
    let mut slots = (String::new(), String::new());
    let mut is_elan = false;
    let mut ids = HashSet::new();
    walk(path, |node, line| {
        let broken = |trouble: String| ReadError::broken(path, line, trouble);
        match node {
            Node::Start(name, attributes) => {
                let word = |name: &str| attributes.get(name).cloned().unwrap_or_default();
                match *name {
                    "ANNOTATION_DOCUMENT" => is_elan = true,
                    "HEADER" if !matches!(word("TIME_UNITS").as_str(), "" | "milliseconds") => {
                        return Err(broken("times are read in milliseconds only".to_owned()));
                    }
                    "MEDIA_DESCRIPTOR" => {
                        let url = word("RELATIVE_MEDIA_URL");
                        let url = if url.is_empty() {
                            word("MEDIA_URL")
                        } else {
                            url
                        };
                        let name = url.strip_prefix("./").unwrap_or(&url);
                        file.media = Some(name.rsplit('/').next().unwrap_or(name).to_owned())
                            .filter(|name| !name.is_empty());
                    }
                    "PROPERTY" => property = word("NAME"),
                    "TIME_SLOT" => {
                        // A slot without a time stands somewhere between its neighbours.
                        if let Some(time) = attributes.get("TIME_VALUE") {
                            let time = time
                                .parse()
                                .map_err(|_| broken(format!("{time:?} is no time")))?;
                            if file.slots.insert(word("TIME_SLOT_ID"), time).is_some() {
                                return Err(broken(format!(
                                    "time slot {} is there twice",
                                    word("TIME_SLOT_ID")
                                )));
                            }
                        }
                    }
                    "TIER" => tier = word("TIER_ID"),
                    "ALIGNABLE_ANNOTATION" => {
                        slots = (word("TIME_SLOT_REF1"), word("TIME_SLOT_REF2"));
                        if !ids.insert(word("ANNOTATION_ID")) {
                            return Err(broken(format!(
                                "annotation {} is there twice",
                                word("ANNOTATION_ID")
                            )));
                        }
                    }
                    "REF_ANNOTATION" => slots = (String::new(), String::new()),
                    _ => {}
                }
            }
            Node::End("PROPERTY", text) if property == "clip" => {
                file.clip = Some((*text).to_owned());
            }
            Node::End("ANNOTATION_VALUE", text) if !slots.0.is_empty() => {
                if file.said.len() + file.slots.len() >= MAX_PLACES {
                    return Err(broken(format!(
                        "more than {MAX_PLACES} annotations and time slots: divide the set"
                    )));
                }
                file.said.push(Said {
                    tier: tier.clone(),
                    slots: slots.clone(),
                    text: (*text).to_owned(),
                    line,
                });
            }
            Node::End(..) => {}
        }
        Ok(())
    })?;
    if is_elan {
        Ok(file)
    } else {
        Err(ReadError::broken(
            path,
            None,
            "this is no ELAN: it has no <ANNOTATION_DOCUMENT>",
        ))
    }
}

/// The frames that are shown from one time to another, milliseconds on the clip's time line.
fn frames_of(clip: &Clip, from_ms: i64, until_ms: i64) -> Result<FrameRange, String> {
    if from_ms < 0 || until_ms <= from_ms {
        return Err(format!("{from_ms} to {until_ms} ms is no time"));
    }
    let frame = |ms: i64| -> FrameIndex {
        let us = ms.saturating_mul(1000);
        let frames = &clip.frames;
        if frames.pts_us(0).is_none() {
            return (us as f64 / 1e6 * frames.rate())
                .round()
                .min(f64::from(u32::MAX - 1)) as u32;
        }
        let near = |frame: &FrameIndex| {
            frames
                .pts_us(*frame)
                .map_or(u64::MAX, |pts| pts.abs_diff(us))
        };
        // Times only grow; the frame after the last begins when that ends.
        let after = frames
            .pts_us
            .partition_point(|pts| pts.is_some_and(|pts| pts < us)) as u32;
        let end = frames
            .count
            .checked_sub(1)
            .and_then(|last| frames.until_us(last));
        if after >= frames.count {
            let last = frames.count.saturating_sub(1);
            let to_end = end.map_or(u64::MAX, |end| end.abs_diff(us));
            return if near(&last) <= to_end {
                last
            } else {
                frames.count
            };
        }
        [after.saturating_sub(1), after]
            .into_iter()
            .min_by_key(near)
            .unwrap_or(after)
    };
    let (start, after) = (frame(from_ms), frame(until_ms));
    // What is shorter than a frame is that frame.
    Ok(FrameRange::new(start, after.max(start + 1) - 1))
}

fn take(
    clip: &str,
    said: &Said,
    frames: FrameRange,
    to: &mut Gathered<'_>,
    path: &Path,
) -> Result<(), ReadError> {
    let broken = |trouble: String| ReadError::broken(path, said.line, trouble);
    let (text, meta) = words(&said.text);
    // A tier is a kind, and a number where there are several people.
    let (tier, number) = match said.tier.rsplit_once(' ') {
        Some((tier, number)) if number.parse::<TrackId>().is_ok() => (tier, number.parse().ok()),
        _ => (said.tier.as_str(), None),
    };
    let names_here = &to.reading.names;
    let by_tier = names::meaning(tier, names_here);
    let Some(meaning) = by_tier.clone().or_else(|| names::meaning(text, names_here)) else {
        to.dropped.note(
            format!("tier {tier:?} is no kind of label here"),
            path,
            Some(said.line),
        );
        return Ok(());
    };
    let kind = meaning.kind;
    let mut meta = meta;
    meta.standing = meaning.standing.or(meta.standing);
    let is_silent = meta.standing == Some(Standing::Abstained);
    if is_silent {
        meta.reason = super::csv::reason(Some(text), &broken)?;
    } else if crate::moments::has_place(kind) {
        to.dropped.note(
            format!("{kind} on a tier: it has no place"),
            path,
            Some(said.line),
        );
        return Ok(());
    }
    let is_ours = meta.standing.is_some();
    let track = number.or_else(|| (!is_ours && kind.scope() == LabelScope::Track).then_some(1));
    let word = (text != kind.name() && by_tier.is_some())
        .then_some(text)
        .or(meaning.word.as_deref());
    let value = if is_silent {
        None
    } else {
        Some(names::value(kind, word, frames, (None, None, None)).map_err(broken)?)
    };
    to.label(
        clip,
        (kind, track, frames),
        (value, meta),
        (path, Some(said.line)),
    )
}

/// `true [confirmed by ann: cause, 0.97]`: what is said, and who says so.
fn words(text: &str) -> (&str, Meta) {
    let plain = (text.trim(), Meta::default());
    let Some((said, by)) = text
        .strip_suffix(']')
        .and_then(|text| text.split_once(" ["))
    else {
        return plain;
    };
    let (standing, rest) = by.split_at(by.find([' ', ':', ',']).unwrap_or(by.len()));
    let Some(standing) = names::standing(standing) else {
        return plain;
    };
    let mut meta = Meta {
        standing: Some(standing),
        ..Meta::default()
    };
    let mut rest = rest;
    if let Some((before, number)) = rest.rsplit_once(", ")
        && let Ok(confidence) = number.parse()
    {
        meta.confidence = Some(confidence);
        rest = before;
    }
    // A cause is one word; a name may hold anything.
    if let Some((before, cause)) = rest.rsplit_once(": ")
        && !cause.contains(' ')
    {
        meta.cause = Some(cause.to_owned());
        rest = before;
    }
    meta.by = rest.strip_prefix(" by ").map(str::to_owned);
    (said, meta)
}
