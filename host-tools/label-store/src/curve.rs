//! How far the eyes were open, joined from the evidence that came.

use crate::database::query;
use crate::track_edits::{require_clip, track_map};
use crate::{ClipId, LabelStore, StoreError};
use label_core::{FrameRange, TrackId};
use serde::Deserialize;

/// Most frames of one curve: eleven minutes at 30 frames a second.
pub const MAX_CURVE_FRAMES: u32 = 20_000;

/// Openness of both eyes, frame by frame, as a share of the person's open eye; `None` where nothing was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The frames.
    pub frames: FrameRange,
    /// The subject's left eye.
    pub left: Vec<Option<f32>>,
    /// The subject's right eye.
    pub right: Vec<Option<f32>>,
}

/// Of [`label_core::wire::EvidenceHeader`] what a curve needs.
#[derive(Deserialize)]
struct Piece {
    track: TrackId,
    frames: FrameRange,
    stride: u32,
    left: Vec<Option<f32>>,
    right: Vec<Option<f32>>,
}

impl LabelStore {
    /// The curve of a track as edited. Where several pieces tell of one frame, the last that tells anything counts.
    pub async fn curve(
        &self,
        clip: &ClipId,
        track: TrackId,
        frames: FrameRange,
    ) -> Result<Curve, StoreError> {
        if frames.end - frames.start >= MAX_CURVE_FRAMES {
            return Err(StoreError::Verdict("a curve spans 20000 frames at most"));
        }
        let mut connection = self.read("read a curve").await?;
        require_clip(&mut connection, clip).await?;
        let map = track_map(&mut connection, clip).await?;
        let rows = query(
            "SELECT header FROM evidence e WHERE rig = $1 AND boot = $2 AND clip = $3 AND NOT EXISTS (
                SELECT 1 FROM labels l WHERE l.rig = e.rig AND l.boot = e.boot AND l.seq = e.label_seq AND l.n = e.label_n
                    AND l.state = 'blind')
             ORDER BY seq",
        )
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read a curve"))?;
        let length = frames.frames() as usize;
        let mut curve = Curve {
            frames,
            left: vec![None; length],
            right: vec![None; length],
        };
        for row in &rows {
            let header: &str = row.get(0);
            let piece: Piece = serde_json::from_str(header)
                .map_err(|_| StoreError::unreadable("evidence.header", header))?;
            if piece.frames.overlap(frames) > 0
                && map.edited(piece.track, piece.frames.start) == track
            {
                piece.draw(&piece.left, frames, &mut curve.left);
                piece.draw(&piece.right, frames, &mut curve.right);
            }
        }
        Ok(curve)
    }
}

impl Piece {
    fn draw(&self, told: &[Option<f32>], frames: FrameRange, into: &mut [Option<f32>]) {
        let points = (self.frames.start..).step_by(self.stride.max(1) as usize);
        for (frame, openness) in points.zip(told) {
            if openness.is_some() && frames.contains(frame) {
                into[(frame - frames.start) as usize] = *openness;
            }
        }
    }
}
