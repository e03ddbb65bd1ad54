//! The same formats the other way: what a team has already becomes clips with labels.
//!
//! Files are strangers' work. Nothing is followed that a file names: what is read lies in the folder that was given, links are
//! left alone, and an archive is to be unpacked by its owner. XML has no document type, so nothing expands. Files are read as a stream
//! within the limits below, so memory is that of the labels, and what cannot be true ends the reading with the file and the line.
//! What is sound and has no kind here is left out, counted, with the first places where it stood.
//!
//! Frames are 0-based indexes of decoded frames, ranges inclusive; pixels are of the upright source image. Formats that count otherwise are
//! turned back here, each in the module of its name.

mod coco;
mod csv;
mod cvat;
mod datumaro;
mod elan;
mod files;
mod gather;
mod guard;
mod json;
mod label_studio;
mod names;
mod openlabel;
mod parquet;
mod raw;
mod xml;
mod yolo;

use crate::clip::{Clip, Frames, Standing};
use crate::format::Format;
use crate::line::Line;
use gather::Gathered;
use label_core::FrameIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use raw::Mapping;

/// Longest file, bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 30;
/// Longest word: a text of JSON, a tag or a text of XML, a line of a table; bytes.
pub(crate) const MAX_WORD_BYTES: u64 = 1 << 20;
/// Deepest nesting of JSON and XML.
pub(crate) const MAX_DEPTH: u32 = 48;
/// Most parts of one element of JSON that is kept: pictures and annotations of COCO, tasks of Label Studio, frames of `OpenLABEL`.
pub(crate) const MAX_PARTS: u64 = 1 << 23;
/// Reasons told apart of what was left out; beyond them there is one of all.
const MAX_REASONS: usize = 1000;
/// Most clips, pictures, labels and places in one set.
pub(crate) const MAX_PLACES: usize = 5_000_000;
/// Most frames of a clip: a day and a half at 60 frames a second.
pub(crate) const MAX_FRAMES: u32 = 1 << 23;
/// Most frames of all clips of a set that nobody knows: 77 hours at 60 frames a second.
pub(crate) const MAX_NEW_FRAMES: u64 = 1 << 24;
/// Most files of a set.
pub(crate) const MAX_FILES: usize = 2_000_000;

/// Why a set could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A file could not be opened or read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file says what cannot be true, or is not of its format.
    #[error("{}{}: {trouble}", path.display(), line.map_or(String::new(), |line| format!(", line {line}")))]
    Broken {
        /// Which.
        path: PathBuf,
        /// Where in it, from 1: the line, or the row of a table without lines.
        line: Option<u64>,
        /// What is wrong, and what to do.
        trouble: String,
    },
}

impl ReadError {
    pub(crate) fn broken(
        path: &Path,
        line: impl Into<Option<u64>>,
        trouble: impl std::fmt::Display,
    ) -> Self {
        Self::Broken {
            path: path.to_owned(),
            line: line.into(),
            trouble: trouble.to_string(),
        }
    }
}

/// A clip that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadClip {
    /// The clip with its labels.
    pub clip: Clip,
    /// Of formats of pictures: the frames that there are pictures of. Of others nothing is said.
    pub pictures: Option<BTreeSet<FrameIndex>>,
    /// Lines, of formats that are read for them, in the order of the file.
    pub lines: Vec<Line>,
    /// The clip is one that was known before.
    pub is_known: bool,
}

/// What was left out, and where it stood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dropped {
    whys: BTreeMap<String, (u64, Vec<String>)>,
}

impl Dropped {
    /// Letters of a reason.
    const LONGEST: usize = 300;
    /// Places told for each reason.
    const TOLD: usize = 3;

    pub(crate) fn note(&mut self, why: impl Into<String>, path: &Path, line: Option<u64>) {
        let why = why.into();
        let is_told = self.whys.len() < MAX_REASONS || self.whys.contains_key(&why);
        let why = if is_told {
            // A name may be a megabyte long.
            why.chars().take(Self::LONGEST).collect()
        } else {
            "other reasons, more than are told apart".to_owned()
        };
        let (count, places) = self.whys.entry(why).or_default();
        *count += 1;
        if places.len() < Self::TOLD {
            let line = line.map_or(String::new(), |line| format!(", line {line}"));
            places.push(format!("{}{line}", path.display()));
        }
    }

    /// Why, how often, and the first places.
    pub fn reasons(&self) -> impl Iterator<Item = (&str, u64, &[String])> {
        let reasons = self.whys.iter();
        reasons.map(|(why, (count, places))| (why.as_str(), *count, places.as_slice()))
    }
}

/// A set that was read.
#[derive(Debug, Default)]
pub struct ReadSet {
    /// Its clips, in the order of their names.
    pub clips: Vec<ReadClip>,
    /// What has no place here.
    pub dropped: Dropped,
}

/// What a set does not tell itself.
pub struct Reading<'a> {
    /// A clip by its identity, by its file's name without extension, or by the name of its media; without labels.
    pub known: &'a dyn Fn(&str) -> Option<Clip>,
    /// Width and height of clips that neither the set nor the store tells, pixels.
    pub size: Option<(u32, u32)>,
    /// Their frames a second.
    pub fps: Option<f64>,
    /// Names in the files, each with the kind, or `kind=value`, that it stands for; besides those that are known anyway.
    pub names: BTreeMap<String, String>,
    /// Who stands behind what says nothing of it.
    pub standing: Standing,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// Reads a set: a folder, or the one file that it is made of.
pub fn read(format: Format, place: &Path, reading: &Reading<'_>) -> Result<ReadSet, ReadError> {
    let mut gathered = Gathered::new(reading);
    match format {
        Format::Csv => csv::read(place, csv::Tables::Csv, &mut gathered),
        Format::Parquet => csv::read(place, csv::Tables::Parquet, &mut gathered),
        Format::Coco => coco::read(place, &mut gathered),
        Format::Cvat => cvat::read(place, &mut gathered),
        Format::LabelStudio => label_studio::read(place, &mut gathered),
        Format::Yolo | Format::YoloPose => yolo::read(place, &mut gathered),
        Format::OpenLabel => openlabel::read(place, &mut gathered),
        Format::Datumaro => datumaro::read(place, &mut gathered),
        Format::Elan => elan::read(place, &mut gathered),
    }?;
    gathered.finish()
}

/// Reads a model's raw output, JSON lines or CSV, as the mapping says.
pub fn read_raw(
    place: &Path,
    reading: &Reading<'_>,
    mapping: &Mapping,
) -> Result<ReadSet, ReadError> {
    let mut gathered = Gathered::new(reading);
    raw::read(place, mapping, &mut gathered)?;
    gathered.finish()
}

/// What a file tells of its clip.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Its identity, or what stands for it.
    pub(crate) id: String,
    /// Name of the media.
    pub(crate) name: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) fps: Option<f64>,
    pub(crate) frames: Option<u32>,
}

impl Reading<'_> {
    /// The clip that a file speaks of, without labels, and whether it was known.
    fn clip(&self, told: &Told, at: (&Path, Option<u64>)) -> Result<(Clip, bool), ReadError> {
        let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
        let names = [Some(told.id.as_str()), told.name.as_deref()];
        if let Some(known) = names
            .into_iter()
            .flatten()
            .find_map(|name| (self.known)(name))
        {
            if let Some((width, height)) = told.size
                && (width, height) != (known.width, known.height)
            {
                return Err(broken(format!(
                    "clip {} is {width} x {height} pixels here and {} x {} at the desk: this is of another encoding",
                    told.id, known.width, known.height
                )));
            }
            if let Some(frames) = told.frames
                && known.closed
                && frames != known.frames.count
            {
                return Err(broken(format!(
                    "clip {} has {frames} frames here and {} at the desk: this is of another encoding",
                    told.id, known.frames.count
                )));
            }
            return Ok((known, true));
        }
        let (width, height) = told.size.or(self.size).ok_or_else(|| {
            broken(format!(
                "nobody knows how large the pictures of clip {} are: the desk has no clip of that name; say --size 1280x720",
                told.id
            ))
        })?;
        let is_size = |side| (1..=65_536).contains(&side);
        if !(is_size(width) && is_size(height)) {
            return Err(broken(format!(
                "{width} x {height} is no size of a picture"
            )));
        }
        let fps = told.fps.or(self.fps);
        if let Some(fps) = fps
            && !(fps.is_finite() && fps > 0.0 && fps <= 1000.0)
        {
            return Err(broken(format!("{fps} is no rate of frames a second")));
        }
        let count = told.frames.unwrap_or(0);
        if count > MAX_FRAMES {
            return Err(broken(format!("{count} frames are more than {MAX_FRAMES}")));
        }
        let clip = Clip {
            id: told.id.clone(),
            stem: stem(&told.id),
            rig: told.id.split(':').next().unwrap_or_default().to_owned(),
            name: told.name.clone(),
            width,
            height,
            codec: None,
            sha256: None,
            utc_us: None,
            clock: None,
            closed: told.frames.is_some(),
            frames: Frames {
                count,
                nominal_fps: fps,
                ..Frames::default()
            },
            beside: crate::Beside::Nothing,
            labels: Vec::new(),
        };
        Ok((clip, false))
    }
}

/// A name that any file system takes.
fn stem(id: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    let mut stem: String = id
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .take(150)
        .collect();
    if stem.is_empty() || stem.starts_with('.') {
        stem.insert(0, '_');
    }
    stem
}
