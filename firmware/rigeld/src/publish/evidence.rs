//! What a reviewer is shown: of an event a filmstrip and a curve, of a frame a key picture.

use super::Publisher;
use crate::pipeline::with_margin;
use anyhow::{Context, Result};
use label_core::wire::{
    EvidenceHeader, KeyPicture, Label, MAX_CURVE_POINTS, MAX_STRIP_COLUMNS, PictureHeader, Topic,
    WIRE_VERSION,
};
use label_core::{FrameRange, Seq};
use perception::{EyeTiles, Filmstrip, TILE_HEIGHT, TILE_WIDTH};

impl Publisher {
    /// The filmstrip and the openness curve of an event.
    pub(super) fn send_evidence(
        &mut self,
        label: &Label,
        id: (Seq, u16),
        strip: &mut Filmstrip,
    ) -> Result<()> {
        let frames = with_margin(label.frames);
        let held: Vec<EyeTiles> = strip.frames(frames).copied().collect();
        let (Some(first), Some(last), Some(track)) = (held.first(), held.last(), label.track)
        else {
            return Ok(());
        };
        let columns: Vec<EyeTiles> = held
            .iter()
            .step_by(held.len().div_ceil(MAX_STRIP_COLUMNS))
            .copied()
            .collect();
        let frames = FrameRange::new(first.frame, last.frame);
        let stride = frames.frames().div_ceil(MAX_CURVE_POINTS as u32);
        let curve = |eye: usize| {
            let open = open_level(&held, eye);
            let at = |frame: u32| {
                held.iter()
                    .find(|tiles| tiles.frame == frame)
                    .and_then(|tiles| tiles.openness[eye])
            };
            (frames.start..=frames.end)
                .step_by(stride as usize)
                .map(|frame| at(frame).map(|value| (value / open * 1000.0).round() / 1000.0))
                .collect()
        };
        let mut header = EvidenceHeader {
            v: WIRE_VERSION,
            from: self.origin(),
            clip: self.clip,
            label: id,
            kind: label.kind,
            track,
            frames,
            stride,
            left: curve(0),
            right: curve(1),
            columns: columns.iter().map(|tiles| tiles.frame).collect(),
            tile: (TILE_WIDTH as u16, TILE_HEIGHT as u16),
        };
        self.jpeg.clear();
        strip
            .encode(&columns, &mut self.jpeg)
            .context("cannot encode a filmstrip")?;
        let jpeg = &self.jpeg;
        let appended = self.outbox.append(Topic::Evidence, 0, |seq, into| {
            header.from.seq = seq;
            uplink::encode_evidence(&header, jpeg, into)
        });
        self.unless_refused(appended)?;
        self.counts.evidence += 1;
        Ok(())
    }

    /// A key picture.
    pub(super) fn send_picture(&mut self, shows: KeyPicture, jpeg: &[u8]) -> Result<()> {
        let mut header = PictureHeader {
            v: WIRE_VERSION,
            from: self.origin(),
            clip: self.clip,
            picture: shows,
        };
        let appended = self.outbox.append(Topic::Evidence, 0, |seq, into| {
            header.from.seq = seq;
            uplink::encode_evidence(&header, jpeg, into)
        });
        self.unless_refused(appended)?;
        self.counts.evidence += 1;
        self.pictures.0 += 1;
        self.pictures.1 += jpeg.len() as u64;
        Ok(())
    }
}

/// What counts as this person's open eye in a strip: the level that a fifth of its frames exceed.
fn open_level(held: &[EyeTiles], eye: usize) -> f32 {
    let mut values: Vec<f32> = held
        .iter()
        .filter_map(|tiles| tiles.openness[eye])
        .collect();
    values.sort_unstable_by(f32::total_cmp);
    values
        .get(values.len() * 4 / 5)
        .copied()
        .unwrap_or(1.0)
        .max(0.05)
}
