//! One clip: its candidates with condition and outcome, and which frames have a value.

use crate::condition::Condition;
use crate::database::{AssertSqlSafe, Connection, query};
use crate::key::{LabelKey, RowKey};
use crate::label::{ReviewState, StoredDecision};
use crate::row::{LABEL_COLUMNS, label_from_row};
use crate::second_look::{LookCells, SEEN, count_looks};
use crate::{ClipId, LabelStore, StoreError, StoredLabel};
use ::quality::{DeskKind, DeskValue, correction_within_standard};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind, TrackId};
use std::collections::{BTreeMap, BTreeSet};

/// What a candidate was seen under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Seen {
    /// `glasses`, `bare-eyes` or `unknown`.
    pub(crate) glasses: &'static str,
    /// `shadow`, `no-shadow` or `unknown`.
    pub(crate) light: &'static str,
    /// `near`, `middle`, `far` or `unknown`: the height of the person's box in picture heights (from 0.8, from 0.5, below).
    pub(crate) distance: &'static str,
}

const UNKNOWN: &str = "unknown";

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not judged.
    Waiting,
    /// Right as it was.
    Accepted,
    /// Changed by no more than the standard allows, and by how many frames start and end of an event were moved.
    CorrectedRight(u32),
    /// Changed by more.
    CorrectedWrong,
    /// Wrong.
    Rejected,
    /// Rejected because nobody can tell.
    CannotTell,
}

impl Outcome {
    /// Whether it was right; `None` where that is not known.
    pub(crate) const fn right(self) -> Option<bool> {
        match self {
            Self::Waiting | Self::CannotTell => None,
            Self::Accepted | Self::CorrectedRight(_) => Some(true),
            Self::CorrectedWrong | Self::Rejected => Some(false),
        }
    }
}

/// A candidate as it is counted.
pub(crate) struct Counted {
    pub(crate) id: LabelKey,
    pub(crate) kind: DeskKind,
    pub(crate) model: String,
    pub(crate) seen: Seen,
    pub(crate) confidence: f64,
    pub(crate) outcome: Outcome,
}

/// A clip as it is counted.
pub(crate) struct ClipCount {
    /// Second looks, and candidates that were seen when they were judged.
    pub(crate) looks: LookCells,
    pub(crate) candidates: Vec<Counted>,
    /// Frames by kind and reason; no reason: with a value.
    pub(crate) coverage: BTreeMap<(DeskKind, &'static str), u64>,
}

/// What is known of one person.
#[derive(Default)]
struct Person {
    /// Frame and height of the box.
    heights: Vec<(u32, f32)>,
    in_view: Option<FrameRange>,
}

/// A box further away in frames says nothing of a label.
const BOX_HOLDS_FRAMES: u32 = 150;

fn seen(
    label: &StoredLabel,
    people: &BTreeMap<TrackId, Person>,
    picture_height: Option<u32>,
) -> Seen {
    // Where both were told of its frames, neither is: the label spans a change.
    let either = |one: Condition, other: Condition| {
        let told = |condition| label.conditions.contains(&condition);
        match (told(one), told(other)) {
            (true, false) => one.name(),
            (false, true) => other.name(),
            _ => UNKNOWN,
        }
    };
    let middle = label.frames.start + (label.frames.end - label.frames.start) / 2;
    let nearest = label
        .track
        .and_then(|track| people.get(&track))
        .and_then(|person| {
            person
                .heights
                .iter()
                .min_by_key(|(frame, _)| frame.abs_diff(middle))
        })
        .filter(|(frame, _)| frame.abs_diff(middle) <= BOX_HOLDS_FRAMES);
    Seen {
        glasses: either(Condition::Glasses, Condition::BareEyes),
        light: either(Condition::Shadow, Condition::NoShadow),
        distance: match (nearest, picture_height) {
            (Some((_, height)), Some(picture)) if picture > 0 => match height / picture as f32 {
                share if share >= 0.8 => "near",
                share if share >= 0.5 => "middle",
                _ => "far",
            },
            _ => UNKNOWN,
        },
    }
}

/// Boxes and points carry the network that found them; how sure they are comes from the calibration of that run.
const fn is_calibrated_apart(kind: DeskKind) -> bool {
    matches!(
        kind.offered(),
        Some(LabelKind::BboxPerson | LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye)
    )
}

impl LabelStore {
    /// Everything of a clip that quality counts.
    pub(crate) async fn count_clip(&self, clip: &ClipId) -> Result<ClipCount, StoreError> {
        let mut connection = self.read("count a clip's quality").await?;
        let failed = || StoreError::database("count a clip's quality");
        let sql = format!(
            "SELECT {LABEL_COLUMNS} FROM labels l LEFT JOIN models m ON m.model = l.model
             WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 ORDER BY l.start_frame"
        );
        let labels = query(AssertSqlSafe(sql))
            .bind(clip.rig.as_str())
            .bind(clip.boot.raw() as i64)
            .bind(i64::from(clip.clip))
            .fetch_all(&mut connection)
            .await
            .map_err(failed())?
            .iter()
            .map(label_from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let height: Option<i64> =
            query("SELECT height FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3")
                .bind(clip.rig.as_str())
                .bind(clip.boot.raw() as i64)
                .bind(i64::from(clip.clip))
                .fetch_optional(&mut connection)
                .await
                .map_err(failed())?
                .and_then(|row| row.get(0));
        let untold = untold(&mut connection, clip).await?;
        let (mut looks, blind) = count_looks(&mut connection, clip, &labels).await?;
        drop(connection);
        let calibration = self.calibration_of(&clip.rig, clip.boot).await?;
        let people = people(&labels);
        let height = height.map(|height| height as u32);
        let candidates: Vec<Counted> = labels
            .iter()
            .filter(|label| label.decision == StoredDecision::Candidate)
            .map(|label| Counted {
                id: label.id.clone(),
                kind: label.kind,
                model: model_text(label, calibration.as_deref()),
                seen: seen(label, &people, height),
                confidence: f64::from(label.confidence.unwrap_or(0.0)),
                outcome: outcome(label, &untold),
            })
            .collect();
        let seen = candidates
            .iter()
            .filter(|one| one.outcome != Outcome::Waiting && !blind.contains(&one.id));
        for one in seen {
            // Of lines nobody is asked for a second look that these would be held against.
            if let Some(kind) = one.kind.offered() {
                let cell = looks.entry((kind, SEEN)).or_default();
                cell.add(one.outcome.right());
            }
        }
        Ok(ClipCount {
            looks,
            candidates,
            coverage: coverage(&labels, &people),
        })
    }
}

/// Rejected candidates of a clip of which nobody can tell.
async fn untold(
    connection: &mut Connection,
    clip: &ClipId,
) -> Result<BTreeSet<LabelKey>, StoreError> {
    query(
        "SELECT l.rig, l.boot, l.seq, l.n FROM labels l JOIN verdicts v ON v.verdict = l.standing
         WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 AND l.state = 'rejected' AND v.cause = 'cannot-tell'",
    )
    .bind(clip.rig.as_str())
    .bind(clip.boot.raw() as i64)
    .bind(i64::from(clip.clip))
    .fetch_all(connection)
    .await
    .map_err(StoreError::database("count a clip's quality"))?
    .iter()
    .map(|row| RowKey::of(row).label_key())
    .collect()
}

fn model_text(label: &StoredLabel, calibration: Option<&str>) -> String {
    let own = label.model.as_ref().map_or("unnamed".to_owned(), |model| {
        format!("{}@{}", model.name, model.version)
    });
    match calibration {
        Some(calibration) if is_calibrated_apart(label.kind) => format!("{own} {calibration}"),
        _ => own,
    }
}

fn people(labels: &[StoredLabel]) -> BTreeMap<TrackId, Person> {
    let mut people: BTreeMap<TrackId, Person> = BTreeMap::new();
    // What a person at the desk made says nothing of what the rig had in view.
    let told = labels
        .iter()
        .filter(|label| label.decision != StoredDecision::Made);
    for label in told {
        let Some(track) = label.track else { continue };
        let person = people.entry(track).or_default();
        person.in_view = Some(person.in_view.map_or(label.frames, |view| {
            FrameRange::new(
                view.start.min(label.frames.start),
                view.end.max(label.frames.end),
            )
        }));
        if let Some(DeskValue::Offered(LabelValue::Boxes(boxes))) = &label.value {
            person
                .heights
                .extend(boxes.iter().map(|key| (key.0, key.4)));
        }
    }
    people
}

fn outcome(label: &StoredLabel, untold: &BTreeSet<LabelKey>) -> Outcome {
    match (label.state, &label.correction, &label.value) {
        (Some(ReviewState::Accepted), ..) => Outcome::Accepted,
        (Some(ReviewState::Corrected), Some(correction), Some(value)) => {
            let made = (correction.frames, correction.value.as_ref());
            if correction_within_standard(label.frames, value, made) {
                Outcome::CorrectedRight(correction.frames.map_or(0, |frames| {
                    frames.start.abs_diff(label.frames.start)
                        + frames.end.abs_diff(label.frames.end)
                }))
            } else {
                Outcome::CorrectedWrong
            }
        }
        (Some(ReviewState::Rejected), ..) if untold.contains(&label.id) => Outcome::CannotTell,
        (Some(ReviewState::Rejected | ReviewState::Corrected), ..) => Outcome::Rejected,
        _ => Outcome::Waiting,
    }
}

/// Frames of each track (of the scene: of its labels) by kind and reason. A frame of a track that lies in no abstention of an
/// event's kind was looked at.
fn coverage(
    labels: &[StoredLabel],
    people: &BTreeMap<TrackId, Person>,
) -> BTreeMap<(DeskKind, &'static str), u64> {
    let mut coverage: BTreeMap<(DeskKind, &'static str), u64> = BTreeMap::new();
    let in_view: u64 = people
        .values()
        .filter_map(|person| person.in_view)
        .map(|view| u64::from(view.frames()))
        .sum();
    for kind in DeskKind::ALL {
        let mut silent = 0;
        let of_person = kind.scope() == label_core::kind::LabelScope::Track;
        let told = labels
            .iter()
            .filter(|label| label.kind == kind && label.decision != StoredDecision::Made);
        for label in told {
            // Where nobody was in view nothing of a person could be said.
            if of_person && label.track.is_none() {
                continue;
            }
            let frames = u64::from(label.frames.frames());
            match label.reason {
                Some(reason) => {
                    silent += frames;
                    *coverage.entry((kind, reason.name())).or_default() += frames;
                }
                None if !kind.is_event() => *coverage.entry((kind, "")).or_default() += frames,
                None => {}
            }
        }
        if kind.is_event() && in_view > 0 {
            coverage.insert((kind, ""), in_view.saturating_sub(silent));
        }
    }
    coverage
}
