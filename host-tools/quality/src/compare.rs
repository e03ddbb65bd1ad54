//! Two sets of labels of the same clips against each other: what is true, and what was predicted.
//!
//! The standard is that of reviews ([`crate::within_standard`]): boxes at `IoU` 0.8, or 0.65 where the shorter side of the true
//! box is under 100 px; points within 8 px; events one to one at temporal `IoU` 0.5. Beside it stand the figures of COCO, as
//! `pycocotools` gives them. Only what was judged counts: a prediction in a frame of which nobody said what is true is
//! neither right nor wrong.
//!
//! People are named anew in each set, so tracks are paired first, by how long and how well their boxes, eyes and events agree;
//! several predicted tracks that share no frame may be of one true person.
//! Frames are 0-based, ranges inclusive; pixels are of the upright source image.

mod average_precision;
mod lines;
mod pairs;

use crate::precision::{Moments, Share};
pub use average_precision::AveragePrecision;
use average_precision::Detections;
use label_core::{FrameIndex, FrameRange, LabelKind, TrackId};
pub(crate) use lines::LINE_PX;
pub use lines::{Curve, LineComparison, LineRow};
use pairs::Pairs;
use serde::Serialize;
use std::collections::BTreeMap;

const SMALL_PX: f64 = 100.0;
const IOU: f64 = 0.8;
const IOU_SMALL: f64 = 0.65;
const POINT_PX: f64 = 8.0;
const TEMPORAL_IOU: f64 = 0.5;

/// Where something is in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At<const N: usize> {
    /// The frame.
    pub frame: FrameIndex,
    /// The person.
    pub track: TrackId,
    /// x, y and, of a box, width and height.
    pub at: [f64; N],
    /// How sure it is; 1 of what is true.
    pub score: f64,
}

/// A state or an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its kind.
    pub kind: LabelKind,
    /// The person; absent of the scene.
    pub track: Option<TrackId>,
    /// The frames.
    pub frames: FrameRange,
    /// Of a state what it says: 0 or 1, or 1 to 5.
    pub says: u8,
}

/// What one set says of one clip. Lists of places are in the order of frames.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// Boxes of people.
    pub boxes: Vec<At<4>>,
    /// Eyes: left ones, right ones.
    pub eyes: [Vec<At<2>>; 2],
    /// States and events.
    pub spans: Vec<Span>,
}

/// How one kind compares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The kind.
    pub kind: LabelKind,
    /// What is counted: `boxes`, `frames` or `events`.
    pub unit: &'static str,
    /// So many are true.
    pub truth: u64,
    /// So many were predicted where the truth is known.
    pub predicted: u64,
    /// So many of these are right by the standard.
    pub right: u64,
    /// Clips in which either says something.
    pub clips: u64,
    /// right / predicted.
    pub precision: Option<Share>,
    /// right / truth.
    pub recall: Option<Share>,
    /// right / told by both, of points and states: what is left when coverage is set aside. The standard asks 0.9 of points.
    pub agreement: Option<Share>,
    /// How far what was told by both lies apart: pixels of points, frames at both ends of events.
    pub error: Option<Spread>,
    /// The same of points as a share of the true distance between the eyes, where both are true.
    pub error_of_eyes: Option<Spread>,
    /// Of boxes, as COCO counts.
    pub coco: Option<AveragePrecision>,
}

/// The middle of a spread, and what nine of ten stay below.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half lie below.
    pub median: f64,
    /// Nine of ten lie below.
    pub p90: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        // The nearest rank.
        let rank = |share: f64| ((share * sorted.len() as f64).ceil() as usize).max(1) - 1;
        Some(Self {
            median: *sorted.get(rank(0.5))?,
            p90: *sorted.get(rank(0.9))?,
        })
    }
}

/// What is summed of one kind.
#[derive(Debug, Default)]
struct Sum {
    truth: u64,
    predicted: u64,
    right: u64,
    clips: u64,
    precision: Moments,
    recall: Moments,
    agreement: Moments,
    errors: Vec<f64>,
    errors_of_eyes: Vec<f64>,
}

/// Counts of one clip.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    truth: u64,
    predicted: u64,
    both: u64,
    right: u64,
}

impl Sum {
    fn add(&mut self, counts: Counts) {
        self.truth += counts.truth;
        self.predicted += counts.predicted;
        self.right += counts.right;
        self.clips += u64::from(counts.truth + counts.predicted > 0);
        self.precision.add(counts.right, counts.predicted);
        self.recall.add(counts.right, counts.truth);
        self.agreement.add(counts.right, counts.both);
    }
}

/// Whether it is known what is true of a kind, of a person by the number that the truth gives them, in a frame.
pub type Judged<'j> = dyn Fn(LabelKind, Option<TrackId>, FrameIndex) -> bool + 'j;

/// Two sets, clip by clip.
#[derive(Debug, Default)]
pub struct Comparison {
    sums: BTreeMap<LabelKind, Sum>,
    detections: Detections,
}

impl Comparison {
    /// Adds a clip. `is_judged` says of which frames it is known what is true of whom; somebody whom the truth does not have goes by
    /// the prediction's number.
    pub fn add(&mut self, truth: &Side, predicted: &Side, is_judged: &Judged<'_>) {
        let pairs = Pairs::of(truth, predicted);
        self.add_boxes(truth, predicted, &pairs, is_judged);
        for (eye, kind) in [LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye]
            .into_iter()
            .enumerate()
        {
            self.add_eyes(truth, predicted, (eye, kind), &pairs, is_judged);
        }
        let mut kinds: Vec<_> = truth.spans.iter().map(|span| span.kind).collect();
        kinds.extend(predicted.spans.iter().map(|span| span.kind));
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            if kind.is_event() {
                self.add_events(truth, predicted, kind, &pairs, is_judged);
            } else {
                self.add_states(truth, predicted, kind, &pairs, is_judged);
            }
        }
    }

    fn add_boxes(&mut self, truth: &Side, predicted: &Side, pairs: &Pairs, is_judged: &Judged<'_>) {
        let kind = LabelKind::BboxPerson;
        let mut counts = Counts::default();
        for_frames(&truth.boxes, &predicted.boxes, |frame, truth, predicted| {
            let (mut truth, mut predicted) = (truth.to_vec(), predicted.to_vec());
            truth.retain(|right| is_judged(kind, Some(right.track), frame));
            predicted.retain(|told| is_judged(kind, Some(pairs.known_as(told.track)), frame));
            counts.truth += truth.len() as u64;
            counts.predicted += predicted.len() as u64;
            counts.right += matched_by_standard(&truth, &predicted);
            self.detections.add(&truth, &predicted);
        });
        if counts.truth + counts.predicted > 0 {
            self.sum(kind).add(counts);
        }
    }

    fn add_eyes(
        &mut self,
        truth: &Side,
        predicted: &Side,
        (eye, kind): (usize, LabelKind),
        pairs: &Pairs,
        is_judged: &Judged<'_>,
    ) {
        let other: BTreeMap<_, _> = truth.eyes[1 - eye]
            .iter()
            .map(|at| ((at.frame, at.track), at.at))
            .collect();
        let mut counts = Counts::default();
        let (mut errors, mut of_eyes) = (Vec::new(), Vec::new());
        for_frames(
            &truth.eyes[eye],
            &predicted.eyes[eye],
            |frame, truth, predicted| {
                let (mut truth, mut predicted) = (truth.to_vec(), predicted.to_vec());
                truth.retain(|right| is_judged(kind, Some(right.track), frame));
                predicted.retain(|told| is_judged(kind, Some(pairs.known_as(told.track)), frame));
                counts.truth += truth.len() as u64;
                counts.predicted += predicted.len() as u64;
                for told in &predicted {
                    let Some(right) = truth
                        .iter()
                        .find(|right| pairs.truth_of(told.track) == Some(right.track))
                    else {
                        continue;
                    };
                    let error = distance(told.at, right.at);
                    counts.both += 1;
                    counts.right += u64::from(error <= POINT_PX);
                    errors.push(error);
                    of_eyes.extend(
                        other
                            .get(&(frame, right.track))
                            .map(|other| distance(*other, right.at))
                            .filter(|apart| *apart > 0.0)
                            .map(|apart| error / apart),
                    );
                }
            },
        );
        if counts.truth + counts.predicted > 0 {
            let sum = self.sum(kind);
            sum.add(counts);
            sum.errors.append(&mut errors);
            sum.errors_of_eyes.append(&mut of_eyes);
        }
    }

    fn add_events(
        &mut self,
        truth: &Side,
        predicted: &Side,
        kind: LabelKind,
        pairs: &Pairs,
        is_judged: &Judged<'_>,
    ) {
        let of = |side: &Side| -> Vec<Span> {
            let spans = side.spans.iter().filter(|span| span.kind == kind);
            spans.copied().collect()
        };
        let judged = |span: &Span| {
            let who = span.track.map(|track| pairs.known_as(track));
            (span.frames.start..=span.frames.end).any(|frame| is_judged(kind, who, frame))
        };
        let (truth, mut predicted) = (of(truth), of(predicted));
        predicted.retain(judged);
        let mut close: Vec<(f32, usize, usize)> = Vec::new();
        for (t, right) in truth.iter().enumerate() {
            for (p, told) in predicted.iter().enumerate() {
                let iou = right.frames.iou(told.frames);
                let same = told.track.and_then(|track| pairs.truth_of(track)) == right.track;
                if same && f64::from(iou) >= TEMPORAL_IOU {
                    close.push((iou, t, p));
                }
            }
        }
        // The nearest first; of equals the earlier.
        close.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut taken = (vec![false; truth.len()], vec![false; predicted.len()]);
        let mut errors = Vec::new();
        for (_, t, p) in close {
            if taken.0[t] || taken.1[p] {
                continue;
            }
            (taken.0[t], taken.1[p]) = (true, true);
            let (right, told) = (truth[t].frames, predicted[p].frames);
            errors.push(f64::from(right.start.abs_diff(told.start)));
            errors.push(f64::from(right.end.abs_diff(told.end)));
        }
        let sum = self.sum(kind);
        sum.add(Counts {
            truth: truth.len() as u64,
            predicted: predicted.len() as u64,
            both: 0,
            right: errors.len() as u64 / 2,
        });
        sum.errors.append(&mut errors);
    }

    fn add_states(
        &mut self,
        truth: &Side,
        predicted: &Side,
        kind: LabelKind,
        pairs: &Pairs,
        is_judged: &Judged<'_>,
    ) {
        // The later of two labels of one frame counts, as in exports.
        let mut right: BTreeMap<(Option<TrackId>, FrameIndex), u8> = BTreeMap::new();
        let mut told = right.clone();
        for span in truth.spans.iter().filter(|span| span.kind == kind) {
            let frames =
                (span.frames.start..=span.frames.end).filter(|f| is_judged(kind, span.track, *f));
            right.extend(frames.map(|frame| ((span.track, frame), span.says)));
        }
        for span in predicted.spans.iter().filter(|span| span.kind == kind) {
            let track = span.track.and_then(|track| pairs.truth_of(track));
            // Of somebody whom the truth does not know, nothing is known to be true.
            if track.is_some() != span.track.is_some() {
                continue;
            }
            let frames =
                (span.frames.start..=span.frames.end).filter(|f| is_judged(kind, track, *f));
            told.extend(frames.map(|frame| ((track, frame), span.says)));
        }
        let mut counts = Counts {
            truth: right.len() as u64,
            predicted: told.len() as u64,
            ..Counts::default()
        };
        for (place, says) in &told {
            if let Some(right) = right.get(place) {
                counts.both += 1;
                counts.right += u64::from(right == says);
            }
        }
        if counts.truth + counts.predicted > 0 {
            self.sum(kind).add(counts);
        }
    }

    fn sum(&mut self, kind: LabelKind) -> &mut Sum {
        self.sums.entry(kind).or_default()
    }

    /// One row a kind that either set says something of, in the order of kinds.
    pub fn rows(&self) -> Vec<Row> {
        let row = |(kind, sum): (&LabelKind, &Sum)| Row {
            kind: *kind,
            unit: match kind {
                LabelKind::BboxPerson => "boxes",
                kind if kind.is_event() => "events",
                _ => "frames",
            },
            truth: sum.truth,
            predicted: sum.predicted,
            right: sum.right,
            clips: sum.clips,
            precision: sum.precision.share(),
            recall: sum.recall.share(),
            agreement: sum.agreement.share(),
            error: Spread::of(&sum.errors),
            error_of_eyes: Spread::of(&sum.errors_of_eyes),
            coco: (*kind == LabelKind::BboxPerson)
                .then(|| self.detections.average_precision())
                .flatten(),
        };
        self.sums.iter().map(row).collect()
    }
}

/// Calls with every frame that either list has something in, in order.
fn for_frames<const N: usize>(
    mut truth: &[At<N>],
    mut predicted: &[At<N>],
    mut each: impl FnMut(FrameIndex, &[At<N>], &[At<N>]),
) {
    loop {
        let heads = [truth.first(), predicted.first()];
        let Some(frame) = heads.into_iter().flatten().map(|at| at.frame).min() else {
            return;
        };
        let count = |list: &[At<N>]| list.partition_point(|at| at.frame <= frame);
        let (here, later) = truth.split_at(count(truth));
        let (told, told_later) = predicted.split_at(count(predicted));
        each(frame, here, told);
        (truth, predicted) = (later, told_later);
    }
}

/// How many predictions have a true box of their own: the surest takes the nearest first.
fn matched_by_standard(truth: &[At<4>], predicted: &[At<4>]) -> u64 {
    let mut order: Vec<&At<4>> = predicted.iter().collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut free: Vec<&At<4>> = truth.iter().collect();
    let mut matched = 0;
    for told in order {
        let best = free
            .iter()
            .enumerate()
            .map(|(n, right)| (n, iou(told.at, right.at), right.at))
            .filter(|(_, iou, right)| *iou >= least_iou(*right))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((n, ..)) = best {
            free.swap_remove(n);
            matched += 1;
        }
    }
    matched
}

fn least_iou([.., width, height]: [f64; 4]) -> f64 {
    if width.min(height) < SMALL_PX {
        IOU_SMALL
    } else {
        IOU
    }
}

fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let side = |n: usize| (a[n] + a[n + 2]).min(b[n] + b[n + 2]) - a[n].max(b[n]);
    let (width, height) = (side(0), side(1));
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let both = width * height;
    both / (a[2] * a[3] + b[2] * b[3] - both)
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests;
