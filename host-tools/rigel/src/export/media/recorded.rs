//! Pictures of a recording, by frame.

use super::others;
use crate::verify::{index, segment_name};
use anyhow::{Context, Result, ensure};
use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder as _, Limits, RgbImage, imageops};
use label_core::FrameRange;
use label_core::wire::MAX_RECORDED_PICTURE_BYTES;
use label_store::{ClipId, StoredSegment};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Where a picture is.
#[derive(Clone, Copy)]
pub(super) struct Shot {
    frame: u32,
    segment: usize,
    offset: u64,
    bytes: u32,
    crc32: u32,
}

/// The segments of a clip that are there.
pub(super) struct Recorded {
    segments: Vec<PathBuf>,
    /// Ascending by frame.
    shots: Vec<Shot>,
    open: Option<(usize, File)>,
    jpeg: Vec<u8>,
    /// Of the first picture.
    size: Option<(u32, u32)>,
}

impl Recorded {
    pub(super) fn open(folder: &Path, id: &ClipId, told: &[StoredSegment]) -> Result<Self> {
        let mut recorded = Self {
            segments: Vec::new(),
            shots: Vec::new(),
            open: None,
            jpeg: Vec::new(),
            size: None,
        };
        for segment in told {
            let base = folder.join(segment_name(id, segment.segment));
            let [list, media] = ["jsonl", "mjpeg"].map(|ending| base.with_extension(ending));
            if !super::is_file(&list) || !super::is_file(&media) {
                continue;
            }
            let shown = list.display();
            let frames = index(&list).with_context(|| format!("cannot read {shown}"))?;
            for frame in frames {
                ensure!(
                    frame.bytes <= MAX_RECORDED_PICTURE_BYTES,
                    "{shown}: the picture of frame {} is of {} bytes",
                    frame.frame,
                    frame.bytes
                );
                recorded.shots.push(Shot {
                    frame: frame.frame,
                    segment: recorded.segments.len(),
                    offset: frame.offset,
                    bytes: frame.bytes,
                    crc32: frame.crc32,
                });
            }
            recorded.segments.push(media);
        }
        recorded.shots.sort_by_key(|shot| shot.frame);
        let first = recorded.shots.first().copied();
        let first = first
            .with_context(|| format!("{} holds no picture of the recording", folder.display()))?;
        recorded.read(&first)?;
        recorded.size = Some(size_of(&recorded.jpeg)?);
        Ok(recorded)
    }

    /// Width and height of its pictures.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        self.size
    }

    /// Frames without a picture, of so many.
    pub(super) fn absent(&self, count: u32) -> Vec<FrameRange> {
        others(count, self.shots.iter().map(|shot| shot.frame))
    }

    /// Where the picture of a frame is, if there is one.
    pub(super) fn shot(&self, frame: u32) -> Option<Shot> {
        let at = self.shots.binary_search_by_key(&frame, |shot| shot.frame);
        at.ok().map(|at| self.shots[at])
    }

    /// The picture as it was recorded, which has to be of this size.
    pub(super) fn jpeg(&mut self, shot: &Shot, size: (u32, u32)) -> Result<&[u8]> {
        self.read(shot)?;
        let there = size_of(&self.jpeg)?;
        ensure!(
            there == size,
            "the recorded picture of frame {} is {} x {} pixels, others are {} x {}",
            shot.frame,
            there.0,
            there.1,
            size.0,
            size.1
        );
        Ok(&self.jpeg)
    }

    /// The picture in the size that labels count in.
    pub(super) fn decoded(&mut self, shot: &Shot, into: &mut RgbImage) -> Result<()> {
        self.read(shot)?;
        let of = || format!("the recorded picture of frame {}", shot.frame);
        let mut decoder = JpegDecoder::new(Cursor::new(&self.jpeg)).with_context(of)?;
        decoder.set_limits(Limits::default()).with_context(of)?;
        let picture = DynamicImage::from_decoder(decoder).with_context(of)?;
        let picture = picture.into_rgb8();
        let (width, height) = into.dimensions();
        *into = if picture.dimensions() == (width, height) {
            picture
        } else {
            // Rigs that take half or a quarter of a picture take means, too.
            imageops::thumbnail(&picture, width, height)
        };
        Ok(())
    }

    fn read(&mut self, shot: &Shot) -> Result<()> {
        let path = &self.segments[shot.segment];
        let unreadable = || format!("cannot read {}", path.display());
        if self.open.as_ref().is_none_or(|(at, _)| *at != shot.segment) {
            self.open = Some((shot.segment, File::open(path).with_context(unreadable)?));
        }
        let (_, file) = self.open.as_mut().expect("it is opened above");
        file.seek(SeekFrom::Start(shot.offset))
            .with_context(unreadable)?;
        self.jpeg.resize(shot.bytes as usize, 0);
        file.read_exact(&mut self.jpeg).with_context(unreadable)?;
        ensure!(
            crc32fast::hash(&self.jpeg) == shot.crc32,
            "the picture of frame {} in {} was changed since it was compared",
            shot.frame,
            path.display()
        );
        Ok(())
    }
}

fn size_of(jpeg: &[u8]) -> Result<(u32, u32)> {
    let decoder = JpegDecoder::new(Cursor::new(jpeg)).context("a recorded picture is no JPEG")?;
    Ok(decoder.dimensions())
}
