//! Evidence: what a reviewer needs to see to decide.
//!
//! A binary message: [`EVIDENCE_MAGIC`], the length of the header as a little-endian `u32`, the [`EvidenceHeader`] as
//! JSON, and a JPEG. The JPEG is a filmstrip of two rows, the subject's right eye above the left, one column a frame.

use super::{ClipNumber, Origin};
use crate::id::{Seq, TrackId};
use crate::kind::LabelKind;
use crate::time::{FrameIndex, FrameRange};
use serde::{Deserialize, Serialize};

/// First four bytes of an evidence message.
pub const EVIDENCE_MAGIC: [u8; 4] = *b"RGE1";

/// Most columns of a filmstrip.
pub const MAX_STRIP_COLUMNS: usize = 32;

/// Most points of an openness curve.
pub const MAX_CURVE_POINTS: usize = 256;

/// What stands before the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceHeader {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// Who says it.
    pub from: Origin,
    /// The clip.
    pub clip: ClipNumber,
    /// The label it belongs to: seq of its batch and its `n`.
    pub label: (Seq, u16),
    /// Kind of that label.
    pub kind: LabelKind,
    /// The person.
    pub track: TrackId,
    /// Frames that the curve spans, a margin on both sides of the event included.
    pub frames: FrameRange,
    /// Frames between two points of the curve: 1 = every frame.
    pub stride: u32,
    /// Openness of the subject's left eye as a share of the person's open eye; null where it was not looked at.
    pub left: heapless::Vec<Option<f32>, MAX_CURVE_POINTS>,
    /// Openness of the subject's right eye.
    pub right: heapless::Vec<Option<f32>, MAX_CURVE_POINTS>,
    /// The frame that each column of the filmstrip shows.
    pub columns: heapless::Vec<FrameIndex, MAX_STRIP_COLUMNS>,
    /// Width and height of one tile in pixels.
    pub tile: (u16, u16),
}

/// Why bytes are not an evidence message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// They do not begin with [`EVIDENCE_MAGIC`].
    #[error("not an evidence message: the first four bytes differ")]
    Magic,
    /// They end within the header.
    #[error("the evidence message ends within its header")]
    Truncated,
}

/// Splits an evidence message into the header's JSON and the JPEG.
pub fn split_evidence(bytes: &[u8]) -> Result<(&[u8], &[u8]), EvidenceError> {
    let rest = bytes
        .strip_prefix(&EVIDENCE_MAGIC)
        .ok_or(EvidenceError::Magic)?;
    let (length, rest) = rest
        .split_first_chunk::<4>()
        .ok_or(EvidenceError::Truncated)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > rest.len() {
        return Err(EvidenceError::Truncated);
    }
    Ok(rest.split_at(length))
}
