//! Recorded segments of a clip against its manifest and against what the rig told of them.

use super::file::sha256;
use super::{Known, Report};
use anyhow::{Context, Result};
use label_core::wire::{IndexLine, RecordedFrame};
use label_store::{ClipId, StoredSegment};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

pub(super) fn compare(
    known: &Known,
    clip: &ClipId,
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    let (mut missing, mut wrong) = (Vec::new(), Vec::new());
    let (mut segments, mut pictures, mut last) = (0, 0, None);
    for told in &known.segments {
        let name = segment_name(clip, told.segment);
        let base = folder.join(&name);
        if !base.with_extension("jsonl").is_file() || !base.with_extension("mjpeg").is_file() {
            missing.push(format!(
                "{name} (frames {} to {})",
                told.frames.0, told.frames.1
            ));
            continue;
        }
        let mut amiss = |what: String| wrong.push(format!("{name}: {what}"));
        let frames = match index(&base.with_extension("jsonl")) {
            Ok(frames) => frames,
            Err(error) => {
                amiss(format!("its index cannot be read: {error:#}"));
                continue;
            }
        };
        let digest = sha256(&base.with_extension("mjpeg"))?;
        if digest != told.sha256 {
            amiss(format!(
                "its SHA-256 is {digest}, the rig told {}",
                told.sha256
            ));
        }
        for trouble in each_picture(&base.with_extension("mjpeg"), &frames, told, known)? {
            amiss(trouble);
        }
        for frame in &frames {
            if last.is_some_and(|last| frame.frame <= last) {
                amiss(format!(
                    "frame {} comes after frame {}",
                    frame.frame,
                    last.unwrap_or_default()
                ));
            }
            last = Some(frame.frame);
        }
        segments += 1;
        pictures += frames.len();
    }
    if known.segments.is_empty() {
        wrong.push("the rig told of no recording of this clip".to_owned());
    }
    if wrong.is_empty() {
        let labelled = known.record.pts_us.len();
        report.agrees(format!(
            "{segments} segments hold {pictures} pictures of {labelled} frames, each under its own frame and time"
        ));
    }
    report.differs("the recording", &wrong);
    report.missing("segments that are not in the folder", &missing);
    Ok(())
}

/// The name of a segment's files, without extension.
pub(crate) fn segment_name(clip: &ClipId, segment: u32) -> String {
    format!("{:016}-{:06}-{segment:06}", clip.boot.raw(), clip.clip)
}

/// What a segment's index has.
pub(crate) fn index(path: &Path) -> Result<Vec<RecordedFrame>> {
    let text = std::fs::read_to_string(path)?;
    let mut frames = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = serde_json::from_str(line).with_context(|| format!("line {}", at + 1))?;
        if let IndexLine::Frame(frame) = line {
            frames.push(frame);
        }
    }
    Ok(frames)
}

/// What is wrong with the pictures of a segment, one by one.
fn each_picture(
    media: &Path,
    frames: &[RecordedFrame],
    told: &StoredSegment,
    known: &Known,
) -> Result<Vec<String>> {
    let mut file = File::open(media)?;
    let length = file.metadata()?.len();
    let (mut wrong, mut at, mut picture) = (Vec::new(), 0, Vec::new());
    if length != told.bytes {
        wrong.push(format!(
            "it is {length} bytes long, the rig told {}",
            told.bytes
        ));
    }
    if frames.len() != told.pictures as usize {
        wrong.push(format!(
            "it has {} pictures, the rig told {}",
            frames.len(),
            told.pictures
        ));
    }
    for frame in frames {
        let number = frame.frame;
        let end = frame.offset.saturating_add(u64::from(frame.bytes));
        if frame.offset != at || end > length {
            wrong.push(format!(
                "the picture of frame {number} is not where its index has it"
            ));
        } else {
            picture.resize(frame.bytes as usize, 0);
            file.seek(SeekFrom::Start(frame.offset))?;
            file.read_exact(&mut picture)?;
            if crc32fast::hash(&picture) != frame.crc32 {
                wrong.push(format!("the picture of frame {number} is damaged"));
            }
        }
        at = end;
        match known.record.pts_us.get(number as usize) {
            None => wrong.push(format!("frame {number} is beyond the clip")),
            Some(Some(time)) if *time != frame.pts_us.us() => wrong.push(format!(
                "frame {number} is of {} µs, the manifest says {time} µs",
                frame.pts_us.us()
            )),
            Some(_) => {}
        }
    }
    Ok(wrong)
}
