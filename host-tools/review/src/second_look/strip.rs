//! The part of a filmstrip that a look asks about. A rig's strip begins and ends a fixed number of frames beside the event: whole, it
//! would say where the event lies.

use crate::Desk;
use crate::error::ApiError;
use crate::view::EvidenceView;
use image::ImageFormat;
use image::codecs::jpeg::JpegEncoder;
use label_core::FrameRange;
use label_store::{Look, StoredEvidence};

/// Quality of the JPEG that is made anew: as good as the eye can tell, and a strip is small.
const QUALITY: u8 = 92;

/// A filmstrip, cut.
pub(super) struct Strip {
    pub(super) layout: EvidenceView,
    jpeg: Vec<u8>,
    /// First column kept, and how many.
    columns: (u32, u32),
    /// Of one column.
    width_px: u32,
}

/// The filmstrip of the label looked at, within the frames asked about; `None` where none came.
pub(super) async fn of(desk: &Desk, look: &Look) -> Result<Option<Strip>, ApiError> {
    let Some(label) = &look.label else {
        return Ok(None);
    };
    let newest = desk.store.evidence(label).await?.pop();
    Ok(newest.and_then(|evidence| cut(evidence, look.frames)))
}

fn cut(evidence: StoredEvidence, within: FrameRange) -> Option<Strip> {
    let header = evidence.header;
    let kept: Vec<(u32, u32)> = (0..)
        .zip(header.columns.iter().copied())
        .filter(|(_, frame)| within.contains(*frame))
        .collect();
    let (first, last) = (kept.first()?, kept.last()?);
    let frames = FrameRange::new(first.1, last.1);
    let points = (header.frames.start..)
        .step_by(header.stride.max(1) as usize)
        .zip(header.left.iter().zip(&header.right))
        .filter(|(frame, _)| frames.contains(*frame));
    let (mut left, mut right, mut start) = (Vec::new(), Vec::new(), None);
    for (frame, (l, r)) in points {
        start.get_or_insert(frame);
        left.push(*l);
        right.push(*r);
    }
    Some(Strip {
        columns: (first.0, last.0 - first.0 + 1),
        width_px: u32::from(header.tile.0),
        layout: EvidenceView {
            frames: FrameRange::new(start.unwrap_or(frames.start), frames.end),
            stride: header.stride,
            left,
            right,
            columns: kept.into_iter().map(|(_, frame)| frame).collect(),
            tile: header.tile,
        },
        jpeg: evidence.jpeg,
    })
}

impl Strip {
    /// The picture of what is kept; `None` where the rig's is no picture of its columns.
    pub(super) fn picture(&self) -> Option<Vec<u8>> {
        let whole = image::load_from_memory_with_format(&self.jpeg, ImageFormat::Jpeg).ok()?;
        let (x, width) = (
            self.columns.0 * self.width_px,
            self.columns.1 * self.width_px,
        );
        if x + width > whole.width() {
            return None;
        }
        let kept = whole.crop_imm(x, 0, width, whole.height());
        let mut jpeg = Vec::new();
        kept.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))
            .ok()?;
        Some(jpeg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::EvidenceHeader;

    #[test]
    fn of_a_strip_only_the_frames_asked_about_are_left() {
        let text = r#"{"v":1,"from":{"rig":"rig","boot":3145729,"seq":4},"clip":1,"label":[3,0],"kind":"blink","track":1,
            "frames":[92,107],"stride":1,"left":[1,1,1,1,1,1,1,1,0,0,1,1,1,1,1,1],"right":[1,1,1,1,1,1,1,1,0,0,1,1,1,1,1,1],
            "columns":[92,93,94,95,96,97,98,99,100,101,102,103,104,105,106,107],"tile":[8,8]}"#;
        let header: EvidenceHeader = serde_json::from_str(text).unwrap();
        let mut jpeg = Vec::new();
        image::DynamicImage::new_luma8(16 * 8, 16)
            .write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, 90))
            .unwrap();
        let evidence = StoredEvidence { header, jpeg };
        let strip = cut(evidence, FrameRange::new(97, 104)).unwrap();
        assert_eq!(strip.layout.columns, (97..=104).collect::<Vec<_>>());
        assert_eq!(strip.layout.frames, FrameRange::new(97, 104));
        assert_eq!(strip.layout.left.len(), 8);
        assert_eq!(strip.layout.left[3], Some(0.0));
        let picture = strip.picture().unwrap();
        let seen = image::load_from_memory(&picture).unwrap();
        assert_eq!((seen.width(), seen.height()), (8 * 8, 16));
    }
}
