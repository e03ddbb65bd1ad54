//! Evidence: what a reviewer needs to see to decide.
//!
//! A binary message: [`EVIDENCE_MAGIC`], the length of the header as a little-endian `u32`, the header as JSON, and a
//! JPEG. The header has one of two forms:
//!
//! * [`EvidenceHeader`]: a filmstrip of one event in two rows, the subject's right eye above the left, one column a
//!   frame.
//! * [`PictureHeader`], which has a `picture`: the whole frame, upright, made smaller. It belongs to a clip and a frame,
//!   and serves every label that holds there.
//!
//! Both begin alike, so that a host that knows no pictures reads who sends it and which number it is, puts it aside as
//! it does with every word it does not know, and goes on.

use super::{ClipNumber, Origin};
use crate::id::{Seq, TrackId};
use crate::kind::LabelKind;
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use serde::{Deserialize, Serialize};

/// First four bytes of an evidence message.
pub const EVIDENCE_MAGIC: [u8; 4] = *b"RGE1";

/// Most columns of a filmstrip.
pub const MAX_STRIP_COLUMNS: usize = 32;

/// Most points of an openness curve.
pub const MAX_CURVE_POINTS: usize = 256;

/// Longest side of a key picture in pixels.
pub const MAX_PICTURE_SIDE: u16 = 640;

/// A key picture's JPEG is no longer than this many bytes.
pub const MAX_PICTURE_BYTES: usize = 48 * 1024;

/// What stands before a filmstrip.
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

/// What stands before a key picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureHeader {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// Who says it.
    pub from: Origin,
    /// The clip.
    pub clip: ClipNumber,
    /// What the picture shows.
    pub picture: KeyPicture,
}

/// A whole frame, upright, as a picture of [`MAX_PICTURE_SIDE`] at most. A place in the source image is this place in the
/// picture: x · `size.0` / `of.0`, y · `size.1` / `of.1`, both from the picture's upper left edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPicture {
    /// The frame.
    pub frame: FrameIndex,
    /// Its presentation time.
    pub pts_us: CaptureTime,
    /// Width and height of the picture in pixels.
    pub size: (u16, u16),
    /// Width and height of the source image in pixels.
    pub of: (u32, u32),
}

/// The size of a key picture of a source image: as large, or made smaller in proportion until it fits
/// [`MAX_PICTURE_SIDE`]. `None` of an image without pixels.
pub fn picture_size(of: (u32, u32)) -> Option<(u16, u16)> {
    let most = u32::from(MAX_PICTURE_SIDE);
    let long = of.0.max(of.1);
    if of.0 == 0 || of.1 == 0 {
        return None;
    }
    if long <= most {
        return Some((of.0 as u16, of.1 as u16));
    }
    let side = |side: u32| {
        let rounded = (u64::from(side) * u64::from(most) + u64::from(long / 2)) / u64::from(long);
        (rounded as u16).max(1)
    };
    Some((side(of.0), side(of.1)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_proportions_and_is_never_made_larger() {
        for (of, size) in [
            ((1920, 1080), (640, 360)),
            ((1080, 1920), (360, 640)),
            ((1280, 960), (640, 480)),
            ((640, 480), (640, 480)),
            ((360, 288), (360, 288)),
            ((641, 480), (640, 479)),
            ((60_000, 10), (640, 1)),
        ] {
            assert_eq!(picture_size(of), Some(size), "{of:?}");
        }
        assert_eq!(picture_size((0, 480)), None);
    }
}
