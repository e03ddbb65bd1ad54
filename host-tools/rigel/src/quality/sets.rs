//! Two sets of labels, clip by clip.

mod lines;

use super::QualityArguments;
use crate::export::clip;
use crate::import::{mapping, read_set};
use ::quality::{At, Comparison, LineComparison, LineRow, Row, Side, Span};
use anyhow::{Result, bail};
use clip::Chosen;
use formats::{Clip, Format, Label, Line, ReadSet, Standing, Value, has_place, pieces, place_at};
use label_core::id::Name;
use label_core::wire::parse_name;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
use label_store::{ClipId, ImportedClip, LabelStore, QueueFilter, Snapshot, clip_id_text};
use review::Labels;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A set as it is named on the command line.
#[derive(Clone, Debug)]
pub(crate) enum SetName {
    Desk(Labels, Option<Name>),
    /// Files; without a format what the mapping describes.
    Files(Option<Format>, PathBuf),
}

impl SetName {
    pub(super) const fn is_of_files(&self) -> bool {
        matches!(self, Self::Files(..))
    }
}

impl FromStr for SetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, rest) = text
            .split_once(':')
            .map_or((text, None), |(first, rest)| (first, Some(rest)));
        let labels = match first {
            "truth" => Some(Labels::Truth),
            "candidates" => Some(Labels::Candidates),
            _ => None,
        };
        if let Some(labels) = labels {
            let name = rest.map(|name| parse_name(name).map_err(|error| error.to_string()));
            return Ok(Self::Desk(labels, name.transpose()?));
        }
        let format = Format::ALL
            .into_iter()
            .find(|format| format.name() == first);
        match rest {
            Some(path) if !path.is_empty() && (format.is_some() || first == "raw") => {
                Ok(Self::Files(format, PathBuf::from(path)))
            }
            _ => Err(format!(
                "a set is truth, candidates, truth:NAME, candidates:NAME, or FORMAT:PATH with a format of {}, raw",
                Format::ALL.map(Format::name).join(", ")
            )),
        }
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Desk(labels, name) => {
                f.write_str(if *labels == Labels::Truth {
                    "truth"
                } else {
                    "candidates"
                })?;
                name.iter().try_for_each(|name| write!(f, ":{name}"))
            }
            Self::Files(format, path) => write!(
                f,
                "{}:{}",
                format.map_or("raw", Format::name),
                path.display()
            ),
        }
    }
}

/// What came of it.
pub(super) struct Compared {
    pub(super) rows: Vec<Row>,
    pub(super) lines: Vec<LineRow>,
    pub(super) clips: u64,
    pub(super) only_true: u64,
    pub(super) only_predicted: u64,
    /// Kinds that were predicted, and of which the truth says nothing in these clips: neither yes nor no.
    pub(super) unspoken: Vec<LabelKind>,
}

/// A set that can be read clip by clip.
enum Set {
    Desk {
        labels: Labels,
        clips: Vec<(ClipId, Option<ImportedClip>)>,
    },
    Files {
        set: ReadSet,
        is_whole: bool,
    },
}

/// A clip of a set.
struct OneClip {
    clip: Clip,
    pictures: Option<BTreeSet<FrameIndex>>,
    /// The desk keeps none: only files have them.
    lines: Vec<Line>,
    /// What is not said is not so; otherwise only what a person spoke of is known.
    is_whole: bool,
}

impl Set {
    async fn open(
        name: &SetName,
        arguments: &QualityArguments,
        store: &LabelStore,
        standing: Standing,
    ) -> Result<Self> {
        match name {
            SetName::Desk(labels, only) => {
                let imported = store.imported_clips(None).await?;
                let filter = QueueFilter {
                    rig: only.clone(),
                    ..QueueFilter::default()
                };
                let mut clips = Vec::new();
                for (id, _) in store.snapshot().await?.clips(&filter).await? {
                    let of = imported.iter().find(|one| one.id == id).cloned();
                    // Without a name a set is of rigs: what was imported has a name.
                    if only.is_some() || of.is_none() {
                        clips.push((id, of));
                    }
                }
                if clips.is_empty() {
                    bail!("the desk has no clip of {name}");
                }
                Ok(Self::Desk {
                    labels: *labels,
                    clips,
                })
            }
            SetName::Files(format, path) => {
                let mapping = match &arguments.mapping {
                    Some(path) => Some(mapping(path, format.is_some())?),
                    None if format.is_none() => bail!("{name} is read with --mapping FILE"),
                    None => None,
                };
                let files = (path.clone(), arguments.size, arguments.fps);
                let (mut set, _) = read_set(store, (*format, mapping), files, standing).await?;
                let mut is_whole = true;
                if standing == Standing::Created {
                    // What nobody reviewed is not what is true, and where it stands nobody said what is.
                    for read in &mut set.clips {
                        let before = read.clip.labels.len();
                        read.clip
                            .labels
                            .retain(|label| label.standing != Standing::Machine);
                        is_whole &= read.clip.labels.len() == before;
                    }
                }
                Ok(Self::Files { set, is_whole })
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Desk { clips, .. } => clips.len(),
            Self::Files { set, .. } => set.clips.len(),
        }
    }

    /// What a clip goes by.
    async fn keys(&self, n: usize, snapshot: &mut Snapshot) -> Result<Vec<String>> {
        let mut keys = match self {
            Self::Desk { clips, .. } => {
                let (id, of) = &clips[n];
                let mut keys = vec![clip_id_text(id)];
                keys.extend(of.iter().map(|one| one.told.clone()));
                keys.extend(
                    of.iter()
                        .filter_map(|one| one.of.as_ref())
                        .map(clip_id_text),
                );
                let record = snapshot.clip(id).await?;
                keys.extend(record.sha256);
                keys.extend(record.clip.name);
                keys
            }
            Self::Files { set, .. } => {
                let clip = &set.clips[n].clip;
                let told = [
                    Some(clip.id.clone()),
                    clip.sha256.clone(),
                    clip.name.clone(),
                ];
                told.into_iter().flatten().collect()
            }
        };
        // A still is named like its file, with the extension or without.
        let stills: Vec<String> = keys.iter().filter_map(|key| still(key)).collect();
        keys.extend(stills);
        Ok(keys)
    }

    async fn clip(&mut self, n: usize, snapshot: &mut Snapshot) -> Result<Option<OneClip>> {
        match self {
            Self::Desk { labels, clips } => {
                let (id, of) = &clips[n];
                let chosen = clip::read(snapshot, id, &QueueFilter::default(), *labels).await?;
                let is_whole =
                    *labels == Labels::Candidates || of.as_ref().is_some_and(|one| one.is_truth);
                Ok(match chosen {
                    Chosen::Clip(clip) => Some(OneClip {
                        lines: clip.labels.iter().filter_map(Line::of).collect(),
                        clip: *clip,
                        pictures: None,
                        is_whole,
                    }),
                    Chosen::Nothing | Chosen::NotOpened => None,
                })
            }
            Self::Files { set, is_whole } => {
                let read = &mut set.clips[n];
                Ok(Some(OneClip {
                    clip: read.clip.clone(),
                    pictures: read.pictures.take(),
                    lines: std::mem::take(&mut read.lines),
                    is_whole: *is_whole,
                }))
            }
        }
    }
}

/// The name of a picture's file without its extension.
fn still(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    let is_picture = ["jpg", "jpeg", "png", "bmp", "webp"].contains(&extension.as_str());
    (is_picture && !stem.is_empty()).then(|| stem.to_owned())
}

/// Which clip of a set goes by a name; none where several do.
async fn by_key(set: &Set, snapshot: &mut Snapshot) -> Result<HashMap<String, Option<usize>>> {
    let mut by_key: HashMap<String, Option<usize>> = HashMap::new();
    for n in 0..set.len() {
        for key in set.keys(n, snapshot).await? {
            by_key
                .entry(key)
                .and_modify(|known| *known = known.filter(|known| *known == n))
                .or_insert(Some(n));
        }
    }
    Ok(by_key)
}

pub(super) async fn compare(
    arguments: &QualityArguments,
    store: &LabelStore,
    truth: &SetName,
    pred: &SetName,
) -> Result<Compared> {
    let mut right = Set::open(truth, arguments, store, Standing::Created).await?;
    let mut told = Set::open(pred, arguments, store, Standing::Machine).await?;
    let mut snapshot = store.snapshot().await?;
    let (true_keys, told_keys) = (
        by_key(&right, &mut snapshot).await?,
        by_key(&told, &mut snapshot).await?,
    );
    let mut comparison = Comparison::default();
    let mut of_lines = LineComparison::default();
    let mut compared = Compared {
        rows: Vec::new(),
        lines: Vec::new(),
        clips: 0,
        only_true: 0,
        only_predicted: 0,
        unspoken: Vec::new(),
    };
    let (mut taken, mut spoken_of) = (BTreeSet::new(), BTreeSet::new());
    for n in 0..right.len() {
        let mut found = None;
        for key in right.keys(n, &mut snapshot).await? {
            // A name that says which clip it is in both.
            let is_sure = true_keys.get(&key) == Some(&Some(n));
            found = found.or_else(|| told_keys.get(&key).copied().flatten().filter(|_| is_sure));
        }
        let Some(place) = found.filter(|place| taken.insert(*place)) else {
            compared.only_true += 1;
            continue;
        };
        let (Some(right), Some(told)) = (
            right.clip(n, &mut snapshot).await?,
            told.clip(place, &mut snapshot).await?,
        ) else {
            compared.only_true += 1;
            continue;
        };
        compared.clips += 1;
        let said = right.clip.labels.iter();
        let said = said.filter(|label| label.standing != Standing::Abstained);
        spoken_of.extend(said.filter_map(|label| label.kind.offered()));
        let known = Known::of(&right);
        let wanted = |kind: LabelKind| arguments.kind.is_none_or(|only| only == kind);
        comparison.add(
            &side(&right, &wanted),
            &side(&told, &wanted),
            &|kind, track, frame| known.is_judged((kind, track), frame),
        );
        lines::add(&mut of_lines, &right, &told, arguments.kind);
    }
    compared.only_predicted = (told.len() - taken.len()) as u64;
    if compared.clips == 0 {
        bail!(
            "{pred} and {truth} have no clip in common: clips are the same by identity, digest of the media, or a name that no other has"
        );
    }
    let rows = comparison.rows().into_iter();
    let (rows, unspoken): (Vec<_>, Vec<_>) = rows.partition(|row| spoken_of.contains(&row.kind));
    compared.rows = rows;
    compared.unspoken = unspoken.iter().map(|row| row.kind).collect();
    compared.lines = of_lines.rows();
    Ok(compared)
}

/// Frames of which a person said something, of whom.
type Said = BTreeMap<(LabelKind, Option<TrackId>), Vec<FrameRange>>;

/// Of which frames it is known what is true.
struct Known<'a> {
    pictures: Option<&'a BTreeSet<FrameIndex>>,
    said: Option<Said>,
}

impl<'a> Known<'a> {
    fn of(one: &'a OneClip) -> Self {
        let said = (!one.is_whole).then(|| {
            let mut said = Said::new();
            let spoken = |label: &&Label| {
                label.standing.is_reviewed() || label.standing == Standing::Rejected
            };
            for label in one.clip.labels.iter().filter(spoken) {
                let Some(kind) = label.kind.offered() else {
                    continue;
                };
                said.entry((kind, label.track))
                    .or_default()
                    .push(label.frames);
            }
            said
        });
        Self {
            pictures: one.pictures.as_ref(),
            said,
        }
    }

    fn is_judged(&self, of: (LabelKind, Option<TrackId>), frame: FrameIndex) -> bool {
        let is_shown = self
            .pictures
            .is_none_or(|pictures| pictures.contains(&frame));
        let is_said = self.said.as_ref().is_none_or(|said| {
            let ranges = said.get(&of);
            ranges.is_some_and(|ranges| ranges.iter().any(|range| range.contains(frame)))
        });
        is_shown && is_said
    }
}

/// What a clip says, frame by frame.
fn side(one: &OneClip, wanted: &dyn Fn(LabelKind) -> bool) -> Side {
    let mut side = Side::default();
    for ((track, kind), pieces) in pieces(&one.clip) {
        let Some(kind) = kind.offered().filter(|kind| wanted(*kind)) else {
            continue;
        };
        for piece in pieces {
            let label = piece.label;
            if !has_place(kind) {
                side.spans.push(Span {
                    kind,
                    track,
                    frames: piece.frames,
                    says: match label.value {
                        Some(Value::Flag(flag)) => u8::from(flag),
                        Some(Value::Level(level)) => level,
                        _ => 0,
                    },
                });
                continue;
            }
            let Some(track) = track else { continue };
            let whole = label.confidence.unwrap_or(1.0);
            for frame in piece.frames.start..=piece.frames.end {
                if one
                    .pictures
                    .as_ref()
                    .is_some_and(|pictures| !pictures.contains(&frame))
                {
                    continue;
                }
                // Detectors score each picture; of tracks the label's confidence counts.
                let score = match one.pictures {
                    Some(_) => score_at(label, frame).unwrap_or(whole),
                    None => whole,
                };
                if let Some(at) = place_at(label.boxes(), frame) {
                    let at = [at.x, at.y, at.width, at.height];
                    side.boxes.push(At {
                        frame,
                        track,
                        at,
                        score,
                    });
                }
                if let Some(at) = place_at(label.points(), frame) {
                    let eye = usize::from(kind == LabelKind::KeypointRightEye);
                    let at = [at.x, at.y];
                    side.eyes[eye].push(At {
                        frame,
                        track,
                        at,
                        score,
                    });
                }
            }
        }
    }
    side.boxes.sort_by_key(|at| at.frame);
    for eye in &mut side.eyes {
        eye.sort_by_key(|at| at.frame);
    }
    side
}

/// How sure a keyframe is.
fn score_at(label: &Label, frame: FrameIndex) -> Option<f64> {
    let boxes = label.boxes().iter().map(|key| (key.frame, key.confidence));
    let points = label.points().iter().map(|key| (key.frame, key.confidence));
    let mut keys = boxes.chain(points);
    Some(keys.find(|(at, _)| *at == frame)?.1)
}
