//! `rigel export`: labels of the store in the files that other tools read.

pub(crate) mod clip;
mod people;

use crate::store_place::StorePlace;
use crate::verify;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use clip::Chosen;
use formats::{
    Density, Export, Finished, Format, FormatError, Output, Plan, Share, Split, parse_shares,
};
use indicatif::{ProgressBar, ProgressStyle};
use label_core::LabelKind;
use label_core::wire::parse_name;
use label_store::{
    ClipId, Condition, LabelStore, ModelVersion, QueueFilter, ReviewState, Snapshot, clip_id_text,
    parse_clip_id,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

/// The subset of a set that is not divided.
const WHOLE: &str = "all";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel export --format coco --out labels-coco                         what persons stand behind, at keyframes
  rigel export --format coco --out eyes --kind keypoint-left-eye --kind keypoint-right-eye --every-frame
  rigel export --format csv --out all --labels both                    everything, with who says so
  rigel export --format cvat --out cvat --labels both --rig rig-07     for CVAT, of one rig
  rigel export --format coco --out offered --labels candidates         what machines offered, as they offered it
  rigel export --format coco --out sets --split train=80,val=10,test=10 --seed 7

Labels: `truth` are those that persons accepted, corrected or made, as they stand now, and what they rejected as hard negatives;
`candidates` are all that machines offered, as they offered it, whatever was said since; `both` is the truth and what still
waits. Abstentions come with each.

The folder appears whole or not at all. An export that was broken off goes on where it was when the same command is given
again. The same labels give the same bytes. manifest.json has the digest of every file, loss.md what the format cannot hold;
docs/exports.md tells how each format counts frames, corners and percent. Media are not part of it.

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
    /// Which labels
    #[arg(long, value_enum, default_value_t = Labels::Truth)]
    labels: Labels,
    /// Of this rig only
    #[arg(long, value_name = "NAME", value_parser = |text: &str| parse_name(text).map_err(|_| "no name of a rig"))]
    rig: Option<label_core::id::Name>,
    /// Of this clip only
    #[arg(long, value_name = "RIG:BOOT:CLIP", value_parser = |text: &str| parse_clip_id(text).ok_or("write rig:boot:clip"))]
    clip: Option<ClipId>,
    /// Compare with these media first, as `rigel verify` does, and write nothing where they differ
    #[arg(long, value_name = "PATH", requires = "clip")]
    media: Option<PathBuf>,
    /// Of this kind only; may be repeated
    #[arg(long = "kind", value_name = "KIND", value_parser = named(LabelKind::ALL, LabelKind::name))]
    kinds: Vec<LabelKind>,
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

/// Which labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Labels {
    /// What persons stand behind, and what they rejected
    Truth,
    /// What machines offered, as they offered it
    Candidates,
    /// The truth, and what waits for review
    Both,
}

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
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = arguments.place.open_existing().await?;
            let finished = match compare_media(arguments, &store).await {
                Ok(()) => write(arguments, &store).await,
                Err(error) => Err(error),
            };
            store.close().await;
            say(arguments, &finished?);
            Ok(())
        })
}

impl ExportArguments {
    fn filter(&self) -> QueueFilter {
        QueueFilter {
            rig: self.rig.clone(),
            clip: self.clip.clone(),
            kinds: self.kinds.clone(),
            state: self.state,
            confidence_min: self.confidence_min,
            confidence_max: self.confidence_max,
            model: self.model.clone(),
            conditions: self.conditions.clone(),
            ..QueueFilter::default()
        }
    }

    fn plan(&self, split: Option<&Split>) -> Plan {
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        let conditions: Vec<_> = self.conditions.iter().map(|one| one.name()).collect();
        let shares = self.split.as_ref().map(|shares| &shares.0);
        let divided = split.zip(shares).map(|(split, shares)| {
            let groups = split.groups.iter();
            let groups: Vec<_> = groups
                .map(|(group, subset)| json!({"of": group.of, "subset": subset, "clips": group.clips.len()}))
                .collect();
            json!({
                "by": if self.people.is_some() { "person" } else { "rig" },
                "seed": self.seed,
                "shares": shares,
                "groups": groups,
            })
        });
        let mut subsets: Vec<_> = shares.map_or_else(
            || vec![WHOLE.to_owned()],
            |shares| shares.iter().map(|share| share.subset.clone()).collect(),
        );
        subsets.sort();
        Plan {
            format: self.format,
            density: if self.every_frame {
                Density::EveryFrame
            } else {
                Density::Keyframes
            },
            subsets,
            selection: json!({
                "labels": self.labels,
                "rig": self.rig.as_ref().map(label_core::id::Name::as_str),
                "clip": self.clip.as_ref().map(clip_id_text),
                "kinds": kinds,
                "state": self.state.map(ReviewState::name),
                "confidence_min": self.confidence_min,
                "confidence_max": self.confidence_max,
                "model": self.model.as_ref().map(|model| format!("{}@{}", model.name, model.version)),
                "conditions": conditions,
                "split": divided,
            }),
        }
    }
}

/// Labels of other frames than those at hand are worse than none.
async fn compare_media(arguments: &ExportArguments, store: &LabelStore) -> Result<()> {
    let (Some(media), Some(clip)) = (&arguments.media, &arguments.clip) else {
        return Ok(());
    };
    let report = verify::verify(store, clip, Some(media)).await?;
    if report.wrong() > 0 {
        bail!(
            "nothing is written, since the media differ from what was labelled:\n{}",
            report.text(clip)
        );
    }
    Ok(())
}

async fn write(arguments: &ExportArguments, store: &LabelStore) -> Result<Finished> {
    let mut snapshot = store.snapshot().await?;
    let filter = arguments.filter();
    let clips = snapshot.clips(&filter).await?;
    let split = divide(arguments, &clips)?;
    let plan = arguments.plan(split.as_ref());
    let export = match Export::begin(&arguments.out, plan.clone()) {
        // What was written is not what would be written now.
        Err(FormatError::Changed(_)) => begin_anew(arguments, plan.clone())?,
        begun => begun?,
    };
    let mut source = Source {
        snapshot: &mut snapshot,
        filter: &filter,
        labels: arguments.labels,
        split: split.as_ref(),
        out: &arguments.out,
    };
    match source.write(export, &clips).await {
        Err(error)
            if matches!(
                error.downcast_ref::<FormatError>(),
                Some(FormatError::Changed(_))
            ) =>
        {
            tell("labels have changed since this export was broken off: it begins anew");
            source.write(begin_anew(arguments, plan)?, &clips).await
        }
        written => written,
    }
}

fn begin_anew(arguments: &ExportArguments, plan: Plan) -> Result<Export> {
    Output::discard(&arguments.out)?;
    Ok(Export::begin(&arguments.out, plan)?)
}

fn divide(arguments: &ExportArguments, clips: &[(ClipId, u64)]) -> Result<Option<Split>> {
    let Some(Shares(shares)) = &arguments.split else {
        return Ok(None);
    };
    let people = match &arguments.people {
        Some(file) => Some(people::read(file)?),
        None => None,
    };
    let mut with_groups = Vec::with_capacity(clips.len());
    let mut unknown = Vec::new();
    for (id, labels) in clips {
        let text = clip_id_text(id);
        let of = match &people {
            None => Some(vec![id.rig.as_str().to_owned()]),
            Some(people) => people.get(&text).cloned(),
        };
        let Some(of) = of else {
            unknown.push(text);
            continue;
        };
        with_groups.push((text, *labels, of));
    }
    if !unknown.is_empty() {
        let first: Vec<_> = unknown.iter().take(5).map(String::as_str).collect();
        bail!(
            "{} clip(s) are not in the list of people, so nobody knows whom they would be parted from: {}{}. Add a line \
             `clip,person` for each, or choose clips with --rig or --clip",
            unknown.len(),
            first.join(", "),
            if unknown.len() > first.len() {
                ", …"
            } else {
                ""
            }
        );
    }
    Ok(Some(Split::of(&with_groups, shares, arguments.seed)?))
}

/// Where clips come from.
struct Source<'a> {
    snapshot: &'a mut Snapshot,
    filter: &'a QueueFilter,
    labels: Labels,
    split: Option<&'a Split>,
    out: &'a Path,
}

impl Source<'_> {
    async fn write(&mut self, mut export: Export, clips: &[(ClipId, u64)]) -> Result<Finished> {
        if let Some(earlier) = export.resumed() {
            tell(&format!("{earlier} clip(s) were written before: going on"));
        }
        let total = clips.iter().map(|(_, labels)| *labels).sum();
        let bar = bar(total);
        let mut chosen = 0;
        let mut written = 0_u64;
        let mut without_size = Vec::new();
        for (id, labels) in clips {
            match clip::read(self.snapshot, id, self.filter, self.labels).await? {
                Chosen::Clip(clip) => {
                    let subset = self.split.and_then(|split| split.subset(&clip.id));
                    chosen += clip.labels.len();
                    written += 1;
                    export.clip(&clip, subset.unwrap_or(WHOLE))?;
                }
                Chosen::NotOpened => without_size.push(clip_id_text(id)),
                Chosen::Nothing => {}
            }
            bar.inc(*labels);
        }
        bar.finish_and_clear();
        if !without_size.is_empty() {
            tell(&format!(
                "left out, since their rig's message of their size has not come: {}",
                without_size.join(", ")
            ));
        }
        if written == 0 || (chosen == 0 && self.filter.chooses_labels()) {
            Output::discard(self.out)?;
            bail!(
                "no label matches: nothing was written. Leave out a filter, or look with `rigel serve` what there is"
            );
        }
        Ok(export.finish()?)
    }
}

fn bar(labels: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("labels {bar:32} {human_pos}/{human_len} {eta:>4}");
    ProgressBar::new(labels).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
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
