//! The formats by name, and an export from its first clip to its last.

use crate::beside::{Beside, Wanted};
use crate::clip::{Clip, Label};
use crate::error::FormatError;
use crate::loss::Loss;
use crate::moments::Density;
use crate::output::{Array, Listed, Output, hex};
use crate::{coco, cvat, datumaro, elan, label_studio, openlabel, parquet, table, yolo};
use quality::DeskKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// The part that lists which media are wanted.
const MEDIA: &str = "media";

/// A format that others read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Tables as text.
    Csv,
    /// The same tables with types.
    Parquet,
    /// COCO key points and detection.
    Coco,
    /// CVAT for video 1.1.
    Cvat,
    /// Label Studio's tasks.
    LabelStudio,
    /// YOLO detection.
    Yolo,
    /// YOLO with key points.
    YoloPose,
    /// ASAM `OpenLABEL` 1.0.0.
    #[serde(rename = "openlabel")]
    OpenLabel,
    /// Datumaro's own format.
    Datumaro,
    /// ELAN.
    Elan,
}

impl Format {
    /// Every format, in the order in which lists show them.
    pub const ALL: [Self; 10] = [
        Self::Csv,
        Self::Parquet,
        Self::Coco,
        Self::Cvat,
        Self::LabelStudio,
        Self::Yolo,
        Self::YoloPose,
        Self::OpenLabel,
        Self::Datumaro,
        Self::Elan,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Coco => "coco",
            Self::Cvat => "cvat",
            Self::LabelStudio => "label-studio",
            Self::Yolo => "yolo",
            Self::YoloPose => "yolo-pose",
            Self::OpenLabel => "openlabel",
            Self::Datumaro => "datumaro",
            Self::Elan => "elan",
        }
    }

    /// Whether it has a place for lines.
    pub const fn holds_lines(self) -> bool {
        false
    }

    const fn writer(self) -> &'static dyn Writer {
        match self {
            Self::Csv => &table::Tables,
            Self::Parquet => &parquet::Parquet,
            Self::Coco => &coco::Coco,
            Self::Cvat => &cvat::Cvat,
            Self::LabelStudio => &label_studio::LabelStudio,
            Self::Yolo => &yolo::Yolo::Detect,
            Self::YoloPose => &yolo::Yolo::Pose,
            Self::OpenLabel => &openlabel::OpenLabel,
            Self::Datumaro => &datumaro::Datumaro,
            Self::Elan => &elan::Elan,
        }
    }
}

/// What a format is made of. It keeps nothing itself: what it counts is in the tally, what it writes in the output.
pub(crate) trait Writer {
    /// Writes a clip.
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError>;

    /// Writes what comes after the last clip, for each subset.
    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError>;
}

/// Where a writer writes.
pub(crate) struct Target<'a> {
    pub(crate) output: &'a mut Output,
    pub(crate) tally: &'a mut Tally,
    /// Which pictures there are to be.
    pub(crate) density: Density,
    format: Format,
    /// The subset that the clip, or the end, is of.
    pub(crate) subset: &'a str,
    /// Frames whose pictures the files name.
    pub(crate) pictures: Vec<label_core::FrameIndex>,
}

impl Target<'_> {
    /// The next number of a sequence, from 1.
    pub(crate) fn next(&mut self, sequence: &str) -> u64 {
        let last = self.tally.numbers.entry(sequence.to_owned()).or_default();
        *last += 1;
        *last
    }

    /// What sequences of this beginning were counted, without it.
    pub(crate) fn numbered(&self, beginning: &str) -> Vec<String> {
        let names = self.tally.numbers.keys();
        names
            .filter_map(|name| Some(name.strip_prefix(beginning)?.to_owned()))
            .collect()
    }

    /// Whether the format's tool goes by the time of the film beside the labels, which is not the camera's.
    fn is_of_film(&self, clip: &Clip) -> bool {
        self.format.is_by_time() && clip.beside.film().is_some() && !clip.frames.is_steady()
    }

    pub(crate) fn lose(&mut self, what: &str, times: u64) {
        self.tally.loss.note(what, times);
    }
}

/// What is counted while writing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tally {
    /// Last numbers given.
    numbers: BTreeMap<String, u64>,
    loss: Loss,
    /// Labels handed over, by standing and kind.
    labels: BTreeMap<String, BTreeMap<String, u64>>,
    clips: u64,
}

/// What is exported, apart from its labels.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Into which format.
    pub format: Format,
    /// Which pictures there are to be; only formats of pictures heed it.
    pub density: Density,
    /// The subsets, in order of their names; a set that is not divided has one.
    pub subsets: Vec<String>,
    /// How labels were chosen, and clips were divided, for the manifest.
    pub selection: serde_json::Value,
}

/// An export in the making.
pub struct Export {
    plan: Plan,
    writer: &'static dyn Writer,
    selection: String,
    output: Output,
    tally: Tally,
    digest: Sha256,
    /// Clips handed over, and clips that an earlier run had written.
    clips: u64,
    earlier: Option<(u64, String)>,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Clips.
    pub clips: u64,
    /// Labels that were handed over, by standing.
    pub labels: BTreeMap<String, u64>,
    /// What the format could not hold.
    pub loss: Loss,
}

impl Export {
    /// Begins an export, or goes on with one of the same plan that was broken off.
    pub fn begin(place: &Path, plan: Plan) -> Result<Self, FormatError> {
        let selection = serde_json::to_string(&plan).expect("text and numbers always encode");
        let (output, earlier) = Output::open::<Tally>(place, &selection)?;
        let (earlier, tally) = match earlier {
            Some(earlier) => (Some((earlier.clips, earlier.digest)), earlier.tally),
            None => (None, Tally::default()),
        };
        Ok(Self {
            writer: plan.format.writer(),
            plan,
            selection,
            output,
            tally,
            digest: Sha256::new(),
            clips: 0,
            earlier,
        })
    }

    /// How many clips an earlier run had written. They are to be handed over all the same, to see that they are as they
    /// were.
    pub fn resumed(&self) -> Option<u64> {
        self.earlier.as_ref().map(|(clips, _)| *clips)
    }

    /// Writes the next clip, into this subset.
    pub fn clip(&mut self, clip: &Clip, subset: &str) -> Result<(), FormatError> {
        serde_json::to_writer(Hashed(&mut self.digest), &(clip, subset))
            .expect("text and numbers always encode");
        self.clips += 1;
        if let Some((clips, digest)) = &self.earlier
            && self.clips <= *clips
        {
            if self.clips == *clips && hex(&self.digest.clone().finalize()) != *digest {
                return Err(self.output.changed());
            }
            return Ok(());
        }
        self.tally.clips += 1;
        for label in &clip.labels {
            let standing = label.standing.name().to_owned();
            let kinds = self.tally.labels.entry(standing).or_default();
            *kinds.entry(label.kind.name().to_owned()).or_default() += 1;
        }
        let listed = ListedClip::of(clip, subset);
        self.output
            .element(Array::Part("manifest.clips", ""), &listed)?;
        if !clip.closed {
            self.tally.loss.note(
                "clips that their rig has not closed: more labels may come",
                1,
            );
        }
        let is_line = |label: &Label| matches!(label.kind, DeskKind::Line(_));
        let lines = clip.labels.iter().filter(|label| is_line(label)).count();
        let without_lines = (lines > 0 && !self.plan.format.holds_lines()).then(|| {
            let mut rest = clip.clone();
            rest.labels.retain(|label| !is_line(label));
            rest
        });
        if without_lines.is_some() {
            self.tally
                .loss
                .note("lines (eyelids, face outline): left out", lines as u64);
        }
        let clip = without_lines.as_ref().unwrap_or(clip);
        let writer = self.writer;
        let mut target = self.target(subset);
        lose_media(clip, &mut target);
        if target.is_of_film(clip) {
            let of_film = Clip {
                frames: clip.frames.of_film(),
                ..clip.clone()
            };
            writer.clip(&of_film, &mut target)?;
        } else {
            writer.clip(clip, &mut target)?;
        }
        if let Some(wanted) = Wanted::of(clip, subset, target.pictures) {
            self.output.element(Array::Part(MEDIA, ""), &wanted)?;
        }
        self.output
            .note((&self.selection, self.clips, &self.digest), &self.tally)
    }

    /// Puts the media beside the labels, once all clips are handed over. Those of a clip appear whole or not at all, and what an earlier run has
    /// put there stays.
    pub fn media<E: From<FormatError>>(
        &mut self,
        mut write: impl FnMut(&Wanted, &Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let note = (self.selection.as_str(), self.clips, &self.digest);
        self.output.note_now(note, &self.tally)?;
        let Some((part, path)) = self.output.part(MEDIA)? else {
            return Ok(());
        };
        for line in BufReader::new(part).lines() {
            let line = line.map_err(FormatError::file("read", &path))?;
            let wanted: Wanted = serde_json::from_str(line.trim_end_matches(','))
                .map_err(|error| FormatError::file("understand", &path)(error.into()))?;
            self.output
                .appear(&wanted.place, |waiting| write(&wanted, waiting))?;
        }
        Ok(())
    }

    fn target<'a>(&'a mut self, subset: &'a str) -> Target<'a> {
        Target {
            output: &mut self.output,
            tally: &mut self.tally,
            density: self.plan.density,
            format: self.plan.format,
            subset,
            pictures: Vec::new(),
        }
    }

    /// Writes what is left, the loss report and the manifest, and puts the folder in its place.
    pub fn finish(mut self) -> Result<Finished, FormatError> {
        if self
            .earlier
            .as_ref()
            .is_some_and(|(clips, _)| self.clips < *clips)
        {
            return Err(self.output.changed());
        }
        for subset in self.plan.subsets.clone() {
            self.writer.end(&mut self.target(&subset))?;
        }
        let format = self.plan.format.name();
        let loss = Lost {
            format,
            lost: &self.tally.loss,
        };
        self.output.whole("loss.json", &pretty(&loss))?;
        self.output
            .whole("loss.md", self.tally.loss.text(format).as_bytes())?;
        self.write_manifest()?;
        let labels = self.tally.labels.iter();
        let labels = labels.map(|(standing, kinds)| (standing.clone(), kinds.values().sum()));
        let finished = Finished {
            clips: self.tally.clips,
            labels: labels.collect(),
            loss: self.tally.loss,
        };
        self.output.finish()?;
        Ok(finished)
    }

    fn write_manifest(&mut self) -> Result<(), FormatError> {
        let head = Head {
            manifest: 1,
            rigel: env!("CARGO_PKG_VERSION"),
            plan: &self.plan,
            clips: self.tally.clips,
            labels: &self.tally.labels,
        };
        let mut text = pretty(&head);
        // Without the brace that ends it: two lists follow.
        text.truncate(text.len() - 2);
        text.extend_from_slice(b",\n  \"clip_list\": [\n");
        let path = "manifest.json";
        self.output.list(&mut |output, listed: &Listed| {
            // What an interrupted run left.
            if listed.path == path {
                return Ok(());
            }
            let opening = "\n  ],\n  \"files\": [\n";
            output.element(Array::Part("manifest.files", opening), listed)
        })?;
        self.output.append(path, &text)?;
        self.output.absorb(path, "manifest.clips")?;
        self.output.absorb(path, "manifest.files")?;
        self.output.append(path, b"\n  ]\n}\n")
    }
}

/// Says what the media do not hold.
fn lose_media(clip: &Clip, to: &mut Target<'_>) {
    if let Beside::Film { absent, .. } = &clip.beside {
        let frames = absent.iter().map(|range| u64::from(range.frames()));
        to.lose(
            "frames of which there is no picture: grey in the film",
            frames.sum(),
        );
        if to.is_of_film(clip) {
            to.lose(
                "clips whose frames came unevenly: times are those of the film beside the labels, not of the camera",
                1,
            );
        }
    }
}

struct Hashed<'a>(&'a mut Sha256);

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn pretty<T: Serialize>(what: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(what).expect("text and numbers always encode");
    text.push(b'\n');
    text
}

#[derive(Serialize)]
struct Lost<'a> {
    format: &'a str,
    lost: &'a Loss,
}

#[derive(Serialize)]
struct Head<'a> {
    /// Version of this file.
    manifest: u8,
    rigel: &'a str,
    plan: &'a Plan,
    clips: u64,
    labels: &'a BTreeMap<String, BTreeMap<String, u64>>,
}

#[derive(Serialize)]
struct ListedClip<'a> {
    clip: &'a str,
    name: Option<&'a str>,
    subset: &'a str,
    frames: u32,
    labels: usize,
    /// Of the media file, as the rig told it.
    sha256: Option<&'a str>,
    /// What lies beside the labels.
    #[serde(skip_serializing_if = "is_nothing")]
    media: &'a Beside,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if hands a reference"
)]
fn is_nothing(beside: &&Beside) -> bool {
    **beside == Beside::Nothing
}

impl<'a> ListedClip<'a> {
    fn of(clip: &'a Clip, subset: &'a str) -> Self {
        Self {
            clip: &clip.id,
            name: clip.name.as_deref(),
            subset,
            frames: clip.frames.count,
            labels: clip.labels.len(),
            sha256: clip.sha256.as_deref(),
            media: &clip.beside,
        }
    }
}

#[cfg(test)]
mod tests;
