//! `rigel import`: labels that a team has already, as candidates of a named source, or as what is true.

mod desk;
mod wire;

use crate::export::named;
use crate::store_place::StorePlace;
use anyhow::{Context, Result, bail};
use clap::Args;
use desk::Desk;
use formats::{Clip, Format, Mapping, ReadClip, ReadSet, Reading, Standing, read, read_raw};
use label_core::BootId;
use label_core::id::Name;
use label_core::wire::parse_name;
use label_store::{Asked, ClipId, ImportedClip, LabelStore, NewImport, now_us, parse_clip_id};
use quality::DeskKind;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wire::{Gate, Sender};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel import --format cvat --source team-a annotations/ --dry-run    what would be taken, and what not, and why
  rigel import --format cvat --source team-a annotations/              as candidates, to be reviewed like a rig's
  rigel import --format coco --source gt-2026 --truth person_keypoints_val.json
  rigel import --format yolo --source yolo11 runs/predict --size 1280x720 --fps 30
  rigel import --mapping model.toml --source new-model out.jsonl       a model's raw output

A source stands where a rig's name would: its candidates wait in the queue, are judged, and have a row in the view Quality. How sure they
are is not believed: a score becomes a confidence when enough of the source was judged, until then everything is as likely right as
wrong. Kinds that the desk withdrew from the source come as abstentions. With --truth nothing is to be judged: `rigel quality
--truth truth:NAME` measures others against it.

All of an import is taken or nothing. The same again changes nothing. A source's labels of one clip are taken once: another version of them is
another source. docs/imports.md tells how each format is read, and the mapping file.

Exit codes: 0 taken (or nothing new), 1 nothing was taken (the message says why), 2 wrong arguments.")]
pub(crate) struct ImportArguments {
    #[command(flatten)]
    place: StorePlace,
    /// What the files are written in; left out with --mapping
    #[arg(long, value_parser = named(Format::ALL, Format::name), required_unless_present = "mapping")]
    format: Option<Format>,
    /// How a model's raw output is read, TOML; with --format only its table `names` counts
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The name they go by: letters, digits, '-', '_' and '.'
    #[arg(long, value_name = "NAME", value_parser = |text: &str| parse_name(text).map_err(|error| error.to_string()))]
    source: Name,
    /// They are what is true, and not to be judged
    #[arg(long)]
    truth: bool,
    /// Width and height of clips that neither the files nor the desk tell, pixels
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    size: Option<(u32, u32)>,
    /// Their frames a second
    #[arg(long, value_name = "RATE")]
    fps: Option<f64>,
    /// Only tell what would be taken
    #[arg(long)]
    dry_run: bool,
    /// The folder, or the one file
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

pub(crate) fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x');
    let sides = sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| "write 1280x720".to_owned())
}

pub(crate) fn run(arguments: &ImportArguments) -> Result<()> {
    let mapping = match &arguments.mapping {
        Some(path) => Some(mapping(path, arguments.format.is_some())?),
        None => None,
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = if arguments.dry_run {
                arguments.place.open_existing().await?
            } else {
                arguments.place.open().await?
            };
            let taken = take(arguments, mapping, &store).await;
            store.close().await;
            taken
        })
}

/// Reads a mapping file.
pub(crate) fn mapping(path: &Path, only_names: bool) -> Result<Mapping> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // What is read with names alone needs no line for the rest.
    let text = if only_names && !text.contains("\nformat") && !text.starts_with("format") {
        format!("format = \"jsonl\"\n{text}")
    } else {
        text
    };
    toml::from_str(&text).with_context(|| format!("{} is no mapping file", path.display()))
}

/// Reads files with what the desk knows of their clips, without holding up the runtime.
pub(crate) async fn read_set(
    store: &LabelStore,
    what: (Option<Format>, Option<Mapping>),
    (path, size, fps): (PathBuf, Option<(u32, u32)>, Option<f64>),
    standing: Standing,
) -> Result<(ReadSet, Arc<Desk>)> {
    let desk = Arc::new(Desk::of(store).await?);
    let (there, handle) = (Arc::clone(&desk), tokio::runtime::Handle::current());
    let set = tokio::task::spawn_blocking(move || {
        let known = |name: &str| handle.block_on(there.clip(name));
        let (format, mapping) = what;
        let names = mapping.as_ref().map(|mapping| mapping.names.clone());
        let reading = Reading {
            known: &known,
            size,
            fps,
            names: names.unwrap_or_default(),
            standing,
        };
        match (format, &mapping) {
            (Some(format), _) => read(format, &path, &reading),
            (None, Some(mapping)) => read_raw(&path, &reading, mapping),
            (None, None) => Ok(ReadSet::default()),
        }
    })
    .await
    .context("reading the files did not end in order")??;
    Ok((set, desk))
}

async fn take(
    arguments: &ImportArguments,
    mapping: Option<Mapping>,
    store: &LabelStore,
) -> Result<()> {
    let standing = if arguments.truth {
        Standing::Created
    } else {
        Standing::Machine
    };
    let files = (arguments.path.clone(), arguments.size, arguments.fps);
    let (set, desk) = read_set(store, (arguments.format, mapping), files, standing).await?;
    let mut report = Report::default();
    for (why, count, places) in set.dropped.reasons() {
        report.leave(why, count, places);
    }
    for read in set.clips.iter().filter(|read| !read.lines.is_empty()) {
        report.leave(
            "polylines: an import brings none to the desk; `rigel quality` measures those of two sets of files",
            read.lines.len() as u64,
            &[format!("clip {}", read.clip.id)],
        );
    }
    let gates = gates(store, &arguments.source).await?;
    let before = store.imported_clips(Some(&arguments.source)).await?;
    if let Some(other) = before.iter().find(|clip| clip.is_truth != arguments.truth) {
        bail!(
            "source {} holds {} (from {}): give these another --source",
            arguments.source,
            if other.is_truth {
                "what is true"
            } else {
                "candidates"
            },
            other.file
        );
    }
    let before: HashMap<&str, &ImportedClip> = before
        .iter()
        .map(|clip| (clip.told.as_str(), clip))
        .collect();
    store.can_import(&arguments.source).await?;
    let mut new = Vec::new();
    for clip in &set.clips {
        let parts = parts(clip, arguments, &desk, &gates, &mut report)?;
        if parts.is_empty() {
            report.leave(
                "clips without anything to take",
                1,
                std::slice::from_ref(&clip.clip.id),
            );
            continue;
        }
        if let Some(there) = before.get(clip.clip.id.as_str()) {
            if there.sha256 != parts.new.clip.sha256 {
                bail!(
                    "source {} has labels of clip {} already, from {}, and these are others; nothing was taken. Import them as \
                     another --source, and compare the two with `rigel quality`",
                    arguments.source,
                    clip.clip.id,
                    there.file
                );
            }
            report.same += 1;
            continue;
        }
        report.add(&parts);
        new.push(parts.new);
    }
    // A desk that runs waits for no more than the writing itself.
    if !arguments.dry_run && !new.is_empty() {
        let by = Asked {
            reviewer: arguments.source.as_str().to_owned(),
            at_us: now_us(),
            key: None,
        };
        store.import(&arguments.source, &new, &by).await?;
    }
    report.say(arguments);
    if report.clips + report.same == 0 {
        bail!("nothing could be taken from {}", arguments.path.display());
    }
    Ok(())
}

/// Where each kind of a source stands, and what makes a confidence of its scores.
async fn gates(store: &LabelStore, source: &Name) -> Result<BTreeMap<DeskKind, Gate>> {
    let standings = store.policy_standings().await?;
    let mut gates = BTreeMap::new();
    for kind in DeskKind::ALL {
        // Nobody asks a rig for lines, nor to be silent about them.
        let stands = kind
            .offered()
            .and_then(|kind| standings.get(&(source.clone(), kind)))
            .map(|one| &one.standing);
        let judged = store.judged_scores(source, kind).await?;
        let points: Vec<quality::Point> = judged
            .iter()
            .map(|(clip, score, right)| quality::Point {
                clip: *clip,
                log_odds: wire::log_odds(*score),
                right: *right,
            })
            .collect();
        let mut clips: Vec<u64> = judged.iter().map(|one| one.0).collect();
        clips.sort_unstable();
        clips.dedup();
        let is_enough =
            points.len() as u64 >= quality::MIN_JUDGED && clips.len() as u64 >= quality::MIN_CLIPS;
        let gate = Gate {
            is_withdrawn: stands.is_some_and(|stands| stands.mode == quality::Mode::Withdrawn),
            threshold: stands.and_then(|stands| stands.threshold).unwrap_or(0.0),
            calibration: is_enough.then(|| quality::Platt::fit(&points)),
        };
        gates.insert(kind, gate);
    }
    Ok(gates)
}

/// What is taken of a clip.
struct Parts {
    new: NewImport,
    candidates: u64,
    silences: u64,
}

impl Parts {
    fn is_empty(&self) -> bool {
        self.candidates + self.silences == 0 && self.new.made.is_empty()
    }
}

fn parts(
    read: &ReadClip,
    arguments: &ImportArguments,
    desk: &Desk,
    gates: &BTreeMap<DeskKind, Gate>,
    report: &mut Report,
) -> Result<Parts> {
    let clip = &read.clip;
    let id = identity(&arguments.source, &clip.id)?;
    let mut sender = Sender {
        id: &id,
        at_us: now_us(),
        seq: 0,
        messages: Vec::new(),
    };
    sender.open(clip);
    let (mut wire, mut made) = (Vec::new(), Vec::new());
    let taken = clip.labels.iter().filter(|label| {
        let why = match label.standing {
            Standing::Rejected => "labels that a person rejected: there is nothing to offer",
            Standing::Machine if arguments.truth => {
                "candidates that nobody reviewed: they are not what is true"
            }
            Standing::Abstained if arguments.truth => "abstentions: what is true is not silent",
            _ if !wire::is_whole(label) => "labels without the value of their kind",
            _ => return true,
        };
        report.leave(why, 1, &[format!("label {} of clip {}", label.id, clip.id)]);
        false
    });
    for label in taken {
        if arguments.truth {
            made.extend(wire::made(label));
        } else {
            let gate = &gates[&label.kind];
            wire.extend(wire::candidates(clip, label, &arguments.source, gate)?);
        }
    }
    let counts = sender.labels(wire);
    sender.close(clip, counts);
    Ok(Parts {
        new: NewImport {
            clip: ImportedClip {
                sha256: digest(clip),
                told: clip.id.clone(),
                of: desk
                    .rig_clip(&clip.id)
                    .or_else(|| parse_clip_id(&clip.id).filter(|_| read.is_known)),
                is_truth: arguments.truth,
                file: arguments.path.display().to_string(),
                id: id.clone(),
            },
            messages: sender.messages,
            made,
        },
        candidates: counts.offered,
        silences: counts.abstained,
    })
}

/// A clip of a source is named after the source and what the files call it, so that the same is the same again.
fn identity(source: &Name, told: &str) -> Result<ClipId> {
    let digest = Sha256::digest(format!("{source}\n{told}"));
    let number = digest
        .iter()
        .take(6)
        .fold(1, |number: u64, byte| number << 8 | u64::from(*byte));
    Ok(ClipId {
        rig: source.clone(),
        boot: BootId::from_raw(number).context("49 bits are a boot's number")?,
        clip: 1,
    })
}

/// Of what the files say; what the desk knows of the clip beside it may grow.
fn digest(clip: &Clip) -> String {
    let text =
        serde_json::to_vec(&(&clip.id, &clip.labels)).expect("numbers and text always encode");
    crate::place::sha256(&text)
}

/// What is told at the end.
#[derive(Default)]
struct Report {
    clips: u64,
    same: u64,
    candidates: u64,
    silences: u64,
    made: u64,
    left: BTreeMap<String, (u64, Vec<String>)>,
}

impl Report {
    fn leave(&mut self, why: &str, count: u64, places: &[String]) {
        let (total, told) = self.left.entry(why.to_owned()).or_default();
        *total += count;
        let room = 3_usize.saturating_sub(told.len());
        told.extend(places.iter().take(room).cloned());
    }

    fn add(&mut self, parts: &Parts) {
        self.clips += 1;
        self.candidates += parts.candidates;
        self.silences += parts.silences;
        self.made += parts.new.made.len() as u64;
    }

    fn say(&self, arguments: &ImportArguments) {
        let mut out = std::io::stdout().lock();
        let source = &arguments.source;
        let what = if arguments.truth {
            format!("{} true labels", self.made)
        } else {
            format!(
                "{} candidates, {} abstentions",
                self.candidates, self.silences
            )
        };
        let line = match (self.clips, arguments.dry_run) {
            (0, _) => format!("{source}: nothing new"),
            (clips, true) => format!(
                "{source}: {clips} clip(s) would be taken, {what}; nothing is written with --dry-run"
            ),
            (clips, false) => format!("{source}: {clips} clip(s) taken, {what}"),
        };
        let _ = writeln!(out, "{line}");
        if self.same > 0 {
            let _ = writeln!(
                out,
                "{} clip(s) were taken before, and are the same",
                self.same
            );
        }
        for (why, (count, places)) in &self.left {
            let more = if *count > places.len() as u64 {
                ", …"
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "left out, {count}: {why} ({}{more})",
                places.join("; ")
            );
        }
    }
}
