//! What the API says, as JSON. `docs/reference/http.md` describes it, `web/src/model.ts` is the same in TypeScript.

use crate::rig_view::RigView;
use label_core::wire::{ClockState, EvidenceHeader};
use label_core::{CaptureTime, FrameIndex, FrameRange, TrackId};
use label_store::{
    Balance, ClipId, ClipSummary, KindSummary, ReviewCounts, StoredLabel, StoredMark,
    StoredPicture, Summary, clip_id_text, picture_id_text,
};
use serde::Serialize;

/// Curve and layout of a filmstrip.
#[derive(Serialize)]
pub(crate) struct EvidenceView {
    pub(crate) frames: FrameRange,
    pub(crate) stride: u32,
    pub(crate) left: Vec<Option<f32>>,
    pub(crate) right: Vec<Option<f32>>,
    pub(crate) columns: Vec<FrameIndex>,
    pub(crate) tile: (u16, u16),
}

impl From<EvidenceHeader> for EvidenceView {
    fn from(header: EvidenceHeader) -> Self {
        Self {
            frames: header.frames,
            stride: header.stride,
            left: header.left.to_vec(),
            right: header.right.to_vec(),
            columns: header.columns.to_vec(),
            tile: header.tile,
        }
    }
}

/// A key picture of a clip.
#[derive(Serialize)]
pub(crate) struct PictureView {
    id: String,
    frame: FrameIndex,
    pts_us: CaptureTime,
    /// Width and height of the picture.
    size: (u16, u16),
    /// Width and height of the source image, in whose pixels labels are.
    of: (u32, u32),
}

impl From<StoredPicture> for PictureView {
    fn from(stored: StoredPicture) -> Self {
        Self {
            id: picture_id_text(&stored.id),
            frame: stored.shows.frame,
            pts_us: stored.shows.pts_us,
            size: stored.shows.size,
            of: stored.shows.of,
        }
    }
}

/// Frames that were not looked at.
#[derive(Serialize)]
pub(crate) struct AbstentionView {
    kind: &'static str,
    track: Option<TrackId>,
    frames: FrameRange,
    reason: Option<&'static str>,
}

impl From<StoredLabel> for AbstentionView {
    fn from(label: StoredLabel) -> Self {
        Self {
            kind: label.kind.name(),
            track: label.track,
            frames: label.frames,
            reason: label.reason.map(label_core::AbstainReason::name),
        }
    }
}

/// A moment that somebody at the rig marked.
#[derive(Serialize)]
pub(crate) struct MarkView {
    frame: FrameIndex,
    pts_us: CaptureTime,
    utc_us: i64,
    clock: ClockState,
}

impl From<StoredMark> for MarkView {
    fn from(stored: StoredMark) -> Self {
        Self {
            frame: stored.mark.frame,
            pts_us: stored.mark.pts_us,
            utc_us: stored.mark.utc_us,
            clock: stored.mark.clock,
        }
    }
}

/// A clip, counted.
#[derive(Serialize)]
pub(crate) struct ClipView {
    id: String,
    rig: String,
    /// The clip of a rig that shows it: itself, or of what was imported that which it is of; null where the desk has none.
    rig_clip: Option<String>,
    /// The clip's number stands in where its name did not come yet.
    name: String,
    frames: Option<u32>,
    nominal_fps: Option<f32>,
    utc_us: Option<i64>,
    damage: Option<String>,
    tracks: u64,
    events: u64,
    blinks: u64,
    long_closures: u64,
    marks: u64,
    evidence: u64,
    pictures: u64,
    made: Option<u64>,
    committed: u64,
    balance: &'static str,
    review: ReviewCounts,
    kinds: Vec<KindSummary>,
}

impl ClipView {
    /// Of what was imported, with the rig's clip that it is of.
    pub(crate) fn imported(mut self, of: Option<&ClipId>) -> Self {
        self.rig_clip = of.map(clip_id_text);
        self
    }

    pub(crate) fn of(clip: ClipSummary) -> Self {
        let id = &clip.clip.id;
        Self {
            id: clip_id_text(id),
            rig_clip: Some(clip_id_text(id)),
            rig: id.rig.as_str().to_owned(),
            name: clip
                .clip
                .name
                .unwrap_or_else(|| format!("clip {}", id.clip)),
            frames: clip.clip.frames,
            nominal_fps: clip.clip.nominal_fps,
            utc_us: clip.clip.utc_us,
            damage: clip.clip.damage,
            tracks: clip.tracks,
            events: clip.blinks + clip.long_closures,
            blinks: clip.blinks,
            long_closures: clip.long_closures,
            marks: clip.marks,
            pictures: clip.pictures,
            evidence: clip.committed.evidence,
            made: clip.made.map(|made| made.offered + made.abstained),
            committed: clip.committed.offered + clip.committed.abstained,
            balance: match clip.balance {
                Balance::Open => "open",
                Balance::Balanced => "balanced",
                Balance::Unbalanced { .. } => "unbalanced",
            },
            review: clip.review,
            kinds: clip.kinds,
        }
    }
}

/// Everything, counted.
#[derive(Serialize)]
pub(crate) struct SummaryView {
    rigs: Vec<RigView>,
    made: u64,
    offered: u64,
    abstained: u64,
    committed: u64,
    lost: u64,
    open_clips: u64,
    messages: MessagesView,
    frames: u64,
    tracks: u64,
    blinks: u64,
    evidence: u64,
    pictures: u64,
    review: ReviewCounts,
    kinds: Vec<KindSummary>,
    quarantined: u64,
    balanced: bool,
}

#[derive(Serialize)]
struct MessagesView {
    sent: u64,
    committed: u64,
}

impl From<Summary> for SummaryView {
    fn from(summary: Summary) -> Self {
        let balanced = summary.is_balanced();
        let boots = || summary.rigs.iter().flat_map(|rig| &rig.boots);
        let closed = || {
            summary
                .clips
                .iter()
                .filter_map(|clip| Some((clip.made?, clip)))
        };
        let all = |count: fn(&ClipSummary) -> u64| summary.clips.iter().map(count).sum::<u64>();
        let mut kinds: Vec<KindSummary> = Vec::new();
        for kind in summary.clips.iter().flat_map(|clip| &clip.kinds) {
            match kinds.iter_mut().find(|known| known.kind == kind.kind) {
                Some(known) => {
                    known.offered += kind.offered;
                    known.abstained += kind.abstained;
                }
                None => kinds.push(*kind),
            }
        }
        kinds.sort_by_key(|kind| kind.kind);
        Self {
            made: closed()
                .map(|(made, _)| made.offered + made.abstained)
                .sum(),
            committed: closed()
                .map(|(_, clip)| clip.committed.offered + clip.committed.abstained)
                .sum(),
            offered: all(|clip| clip.committed.offered),
            abstained: all(|clip| clip.committed.abstained),
            lost: boots().map(|boot| boot.labels_lost).sum(),
            open_clips: summary
                .clips
                .iter()
                .filter(|clip| clip.made.is_none())
                .count() as u64,
            messages: MessagesView {
                sent: boots().map(|boot| boot.highest).sum(),
                committed: boots().map(|boot| boot.watermark).sum(),
            },
            frames: all(|clip| clip.clip.frames.map_or(clip.manifest_frames, u64::from)),
            tracks: all(|clip| clip.tracks),
            blinks: all(|clip| clip.blinks),
            evidence: all(|clip| clip.committed.evidence),
            pictures: all(|clip| clip.pictures),
            review: ReviewCounts {
                waiting: all(|clip| clip.review.waiting),
                accepted: all(|clip| clip.review.accepted),
                corrected: all(|clip| clip.review.corrected),
                rejected: all(|clip| clip.review.rejected),
                created: all(|clip| clip.review.created),
            },
            kinds,
            quarantined: summary.quarantined,
            balanced,
            rigs: summary.rigs.into_iter().map(RigView::from).collect(),
        }
    }
}
