//! `rigel export`: labels of the store in the files that other tools read.

pub(crate) mod clip;
pub(crate) mod jobs;
mod media;
mod write;

use crate::store_place::StorePlace;
use anyhow::{Context, Result};
use clap::Args;
use formats::{Density, Finished, Format, FormatError, Output, Share, parse_shares};
use indicatif::{ProgressBar, ProgressStyle};
use label_core::wire::parse_name;
use label_store::{ClipId, Condition, ModelVersion, QueueFilter, ReviewState, parse_clip_id};
use quality::DeskKind;
use review::{Labels, Selection, Subsets, parse_people};
use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use write::{Progress, write};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel export --format coco --out labels-coco                         what persons stand behind, at keyframes
  rigel export --format coco --out eyes --kind keypoint-left-eye --kind keypoint-right-eye --every-frame
  rigel export --format csv --out all --labels both                    everything, with who says so
  rigel export --format cvat --out cvat --labels both --rig rig-07     for CVAT, of one rig
  rigel export --format coco --out offered --labels candidates         what machines offered, as they offered it
  rigel export --format coco --out sets --split train=80,val=10,test=10 --seed 7
  rigel export --format yolo-pose --out train --media /media/card      with the pictures, of files and recordings in that folder
  rigel export --format cvat --out one --clip rig-07:3145729:2 --media drive.mp4

Labels: `truth` are those that persons accepted, corrected or made, as they stand now, and what they rejected as hard negatives;
`candidates` are all that machines offered, as they offered it, whatever was said since; `both` is the truth and what still
waits. Abstentions come with each.

The folder appears whole or not at all. An export that was broken off goes on where it was when the same command is given
again. The same labels give the same bytes. manifest.json has the digest of every file, loss.md what the format cannot hold;
docs/exports.md tells how each format counts frames, corners and percent.

With --media the pictures that the labels are of, or a film that counts frames as they do, lie beside them: images/ or media/. Each clip's file or
recording is compared with what its rig told first; where one differs nothing is written. It needs ffmpeg.

Exit codes: 0 written, 1 not written (the message says why), 2 wrong arguments.")]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    place: StorePlace,
    /// What to write
    #[arg(long, value_parser = named(Format::ALL, Format::name))]
    format: Format,
    /// The folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Which labels: truth, candidates or both
    #[arg(long, value_parser = named(Labels::ALL, Labels::name), default_value = "truth")]
    labels: Labels,
    /// Of this rig only
    #[arg(long, value_name = "NAME", value_parser = |text: &str| parse_name(text).map_err(|_| "no name of a rig"))]
    rig: Option<label_core::id::Name>,
    /// Of this clip only
    #[arg(long, value_name = "RIG:BOOT:CLIP", value_parser = |text: &str| parse_clip_id(text).ok_or("write rig:boot:clip"))]
    clip: Option<ClipId>,
    /// The clip's file, or a folder of clips' files and recordings: compared first, then put beside the labels as the format wants them
    #[arg(long, value_name = "PATH")]
    media: Option<PathBuf>,
    /// Of this kind only; may be repeated
    #[arg(long = "kind", value_name = "KIND", value_parser = named(DeskKind::ALL, DeskKind::name))]
    kinds: Vec<DeskKind>,
    /// In this state of review only
    #[arg(long, value_name = "STATE", value_parser = named(ReviewState::ALL, ReviewState::name))]
    state: Option<ReviewState>,
    /// Of at least this confidence
    #[arg(long, value_name = "SHARE", value_parser = share)]
    confidence_min: Option<f32>,
    /// Of at most this confidence
    #[arg(long, value_name = "SHARE", value_parser = share)]
    confidence_max: Option<f32>,
    /// From this model only
    #[arg(long, value_name = "NAME@VERSION", value_parser = model)]
    model: Option<ModelVersion>,
    /// Seen under this condition only; may be repeated
    #[arg(long = "condition", value_name = "CONDITION", value_parser = named(Condition::ALL, Condition::name))]
    conditions: Vec<Condition>,
    /// For formats of pictures: every frame that a box or a point holds in, not their keyframes alone
    #[arg(long)]
    every_frame: bool,
    /// Divide into subsets by rig, such as train=80,val=10,test=10; a rig is never divided
    #[arg(long, value_name = "SHARES", value_parser = |text: &str| parse_shares(text).map(Shares).map_err(|error| error.to_string()))]
    split: Option<Shares>,
    /// What the division is drawn by
    #[arg(long, value_name = "N", default_value_t = 0, requires = "split")]
    seed: u64,
    /// Divide by person instead: a CSV file with lines `clip,person`, one a person in a clip
    #[arg(long, value_name = "FILE", requires = "split")]
    people: Option<PathBuf>,
}

/// One argument, though several shares.
#[derive(Clone, Debug)]
struct Shares(Vec<Share>);

pub(crate) fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        all.into_iter()
            .find(|one| name(*one) == text)
            .ok_or_else(|| {
                let names = all.map(name);
                format!("one of {}", names.join(", "))
            })
    }
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a confidence is 0 to 1".to_owned()),
    }
}

fn model(text: &str) -> Result<ModelVersion, String> {
    match text.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => Ok(ModelVersion {
            name: name.to_owned(),
            version: version.to_owned(),
        }),
        _ => Err("a model is name@version".to_owned()),
    }
}

pub(crate) fn run(arguments: &ExportArguments) -> Result<()> {
    if arguments.out.symlink_metadata().is_ok() {
        return Err(FormatError::Exists(arguments.out.clone()).into());
    }
    let selection = arguments.selection()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = arguments.place.open_existing().await?;
            let mut shown = Shown {
                bar: ProgressBar::hidden(),
                what: String::new(),
            };
            let media = arguments.media.as_deref();
            let written = write(&selection, &store, (&arguments.out, media), &mut shown).await;
            store.close().await;
            shown.bar.finish_and_clear();
            say(
                arguments,
                &written.map_err(|error| with_hint(error, &arguments.out))?,
            );
            Ok(())
        })
}

impl ExportArguments {
    /// What is asked for; the list of people is read.
    fn selection(&self) -> Result<Selection> {
        let people = match &self.people {
            Some(file) => {
                let shown = file.display().to_string();
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {shown}"))?;
                Some(parse_people(&text, &shown).map_err(anyhow::Error::msg)?)
            }
            None => None,
        };
        Ok(Selection {
            format: self.format,
            labels: self.labels,
            filter: QueueFilter {
                rig: self.rig.clone(),
                clip: self.clip.clone(),
                kinds: self.kinds.clone(),
                state: self.state,
                confidence_min: self.confidence_min,
                confidence_max: self.confidence_max,
                model: self.model.clone(),
                conditions: self.conditions.clone(),
                ..QueueFilter::default()
            },
            density: if self.every_frame {
                Density::EveryFrame
            } else {
                Density::Keyframes
            },
            subsets: self.split.as_ref().map(|Shares(shares)| Subsets {
                shares: shares.clone(),
                seed: self.seed,
                people,
            }),
        })
    }
}

/// What to do where there is no room.
fn with_hint(error: anyhow::Error, out: &Path) -> anyhow::Error {
    let is_full = error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            )
        })
    });
    if !is_full {
        return error;
    }
    let waiting = Output::waiting(out);
    error.context(format!(
        "the disk of {} is full: make room there and give the same command again, which goes on where it was; or delete {}",
        out.display(),
        waiting.display()
    ))
}

/// A bar for whoever looks.
struct Shown {
    bar: ProgressBar,
    what: String,
}

impl Shown {
    fn show(&mut self, what: &str, done: u64, total: u64) {
        if self.what != what || self.bar.length() != Some(total) {
            self.bar.finish_and_clear();
            self.bar = bar(what, total);
            what.clone_into(&mut self.what);
        }
        self.bar.set_position(done);
    }
}

impl Progress for Shown {
    async fn at(&mut self, done: u64, total: u64) -> Result<()> {
        self.show("labels", done, total);
        Ok(())
    }

    fn media(&mut self, what: &str, done: u64, total: u64) -> Result<()> {
        self.show(&format!("media {what}"), done, total);
        Ok(())
    }

    fn tell(&mut self, line: &str) {
        self.bar.suspend(|| tell(line));
    }
}

fn bar(what: &str, total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:32} {human_pos}/{human_len} {eta:>4}");
    ProgressBar::new(total)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}

/// What stands beside the result.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn say(arguments: &ExportArguments, finished: &Finished) {
    let labels: &BTreeMap<String, u64> = &finished.labels;
    let counts: Vec<_> = labels
        .iter()
        .map(|(standing, count)| format!("{count} {standing}"))
        .collect();
    let counts = if counts.is_empty() {
        "no labels".to_owned()
    } else {
        counts.join(", ")
    };
    let place = arguments.out.display();
    let lost = if finished.loss.is_none() {
        "nothing was lost".to_owned()
    } else {
        format!(
            "what {} cannot hold: {place}/loss.md",
            arguments.format.name()
        )
    };
    let _ = writeln!(
        std::io::stdout(),
        "{place}: {} clip(s), {counts}; {lost}",
        finished.clips
    );
}
