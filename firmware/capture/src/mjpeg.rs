//! A file of JPEG pictures, one after the other: read through the same decoder as a camera's.

use crate::inbox::{Cut, Inbox};
use crate::jpeg::{JpegDecoder, JpegFault, JpegFraming, Scale};
use crate::repeat::{Likeness, RepeatDetector};
use crate::{CaptureError, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use label_core::CaptureTime;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest picture that is believed.
const MOST_BYTES: usize = 8 << 20;

/// Pictures of a file. Such a file tells no times: they are those of a given rate.
pub struct MjpegFileSource {
    path: PathBuf,
    file: File,
    info: SourceInfo,
    fps: f64,
    size: (u32, u32),
    inbox: Inbox,
    decoder: JpegDecoder,
    repeats: RepeatDetector,
    /// Pictures that are read at most.
    most: u32,
    /// Pictures seen, damaged ones among them.
    seen: u32,
    delivered: u32,
    lost: u32,
    damage: Option<String>,
}

impl MjpegFileSource {
    /// Opens a file and reads its first picture's size. Pictures of another are damage.
    pub fn open(path: &Path, fps: f32) -> Result<Self, CaptureError> {
        let open = |source| CaptureError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(open)?;
        let metadata = file.metadata().map_err(open)?;
        if metadata.is_dir() {
            return Err(CaptureError::Folder {
                path: path.to_owned(),
            });
        }
        if metadata.len() == 0 {
            return Err(CaptureError::Empty {
                path: path.to_owned(),
            });
        }
        let cut = Cut::Jpeg {
            framing: JpegFraming::default(),
            most: MOST_BYTES,
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut source = Self {
            path: path.to_owned(),
            file,
            info: SourceInfo {
                name: name.into_owned(),
                width: 0,
                height: 0,
                nominal_fps: Some(fps),
                expected_frames: None,
                codec: "mjpeg".to_owned(),
            },
            fps: f64::from(fps),
            size: (0, 0),
            inbox: Inbox::new(cut),
            decoder: JpegDecoder::new(),
            repeats: RepeatDetector::default(),
            most: u32::MAX,
            seen: 0,
            delivered: 0,
            lost: 0,
            damage: None,
        };
        let not_a_video = |said: String| CaptureError::NotAVideo {
            path: path.to_owned(),
            said,
            status: None,
        };
        if !source.find()? {
            return Err(not_a_video("it holds no whole JPEG picture".to_owned()));
        }
        let (picture, _) = source.inbox.front().unwrap_or_default();
        source.size = source
            .decoder
            .size(picture)
            .map_err(|fault| not_a_video(fault.to_string()))?;
        (source.info.width, source.info.height) = (source.size.0 as usize, source.size.1 as usize);
        Ok(source)
    }

    /// Ends before the first picture at this time or after it.
    #[must_use]
    pub fn ending_at(mut self, seconds: f64) -> Self {
        self.most = (seconds * self.fps).ceil() as u32;
        self
    }

    /// Whether all whole pictures have the size of the first. Reads the file to its end.
    pub fn has_one_size(mut self) -> Result<bool, CaptureError> {
        while self.find()? {
            let (picture, _) = self.inbox.front().unwrap_or_default();
            // One that cannot be read is a damaged picture, of no size.
            let size = self.decoder.size(picture).unwrap_or(self.size);
            if size != self.size {
                return Ok(false);
            }
            self.inbox.pop();
        }
        Ok(true)
    }

    /// Reads on until a whole picture is there; `false` at the end of the file.
    fn find(&mut self) -> Result<bool, CaptureError> {
        while !self.inbox.find(0) {
            let count = self
                .file
                .read(self.inbox.room())
                .map_err(|source| CaptureError::Open {
                    path: self.path.clone(),
                    source,
                })?;
            if count == 0 {
                return Ok(false);
            }
            self.inbox.put(count);
        }
        Ok(true)
    }

    fn note(&mut self, damage: impl FnOnce() -> String) {
        if self.damage.is_none() {
            self.damage = Some(damage());
        }
    }
}

impl FrameSource for MjpegFileSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        loop {
            if self.seen >= self.most {
                return Ok(false);
            }
            let broken = self.inbox.broken;
            let found = self.find()?;
            let newly_broken = self.inbox.broken - broken;
            if newly_broken > 0 {
                let before = self.seen;
                self.note(|| format!("a picture after picture {before} breaks off"));
                self.seen += newly_broken;
                self.lost += newly_broken;
            }
            if !found {
                if self.inbox.unfinished() > 0 {
                    let bytes = self.inbox.unfinished();
                    self.note(|| format!("the last picture breaks off after {bytes} bytes"));
                }
                return Ok(false);
            }
            let Some((picture, _)) = self.inbox.front() else {
                return Ok(false);
            };
            let decoded = self.decoder.decode(picture, self.size, Scale::Full, frame);
            self.inbox.pop();
            let place = self.seen;
            self.seen += 1;
            match decoded {
                Ok(()) => {
                    let likeness = self
                        .repeats
                        .observe(frame.luma(), frame.width, frame.height);
                    frame.info = FrameInfo {
                        index: self.delivered,
                        at: CaptureTime((f64::from(place) * 1e6 / self.fps).round() as i64),
                        repeat: likeness != Likeness::New,
                        same_pixels: likeness == Likeness::SamePixels,
                        captured_us: None,
                        dropped_before: std::mem::take(&mut self.lost),
                    };
                    self.delivered += 1;
                    return Ok(true);
                }
                Err(fault) => {
                    self.lost += 1;
                    self.note(|| match fault {
                        JpegFault::OtherSize { .. } => format!("picture {place} is {fault}"),
                        JpegFault::Damaged { .. } => format!("picture {place}: {fault}"),
                    });
                }
            }
        }
    }

    fn damage(&self) -> Option<String> {
        self.damage.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jpeg_encoder::{ColorType, Encoder};

    fn picture(width: u16, height: u16, gray: u8) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let pixels: Vec<u8> = (0..usize::from(width) * usize::from(height))
            .map(|at| gray.wrapping_add((at % 31) as u8))
            .collect();
        Encoder::new(&mut jpeg, 90)
            .encode(&pixels, width, height, ColorType::Luma)
            .unwrap();
        jpeg
    }

    fn read(stream: &[u8]) -> (Vec<FrameInfo>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mjpeg");
        std::fs::write(&path, stream).unwrap();
        let mut source = MjpegFileSource::open(&path, 30.0).unwrap();
        assert_eq!((source.info().width, source.info().height), (64, 48));
        let (mut frame, mut infos) = (FrameBuffer::default(), Vec::new());
        while source.next_into(&mut frame).unwrap() {
            infos.push(frame.info);
        }
        (infos, source.damage())
    }

    #[test]
    fn every_picture_is_a_frame_with_the_time_of_its_place() {
        let stream: Vec<u8> = (0..4).flat_map(|n| picture(64, 48, 40 * n)).collect();
        let (infos, damage) = read(&stream);
        let times: Vec<_> = infos.iter().map(|info| (info.index, info.at.0)).collect();
        assert_eq!(times, [(0, 0), (1, 33_333), (2, 66_667), (3, 100_000)]);
        assert!(infos.iter().all(|info| !info.repeat));
        assert_eq!(damage, None);
    }

    #[test]
    fn no_more_is_read_than_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mjpeg");
        let stream: Vec<u8> = (0..9).flat_map(|n| picture(64, 48, 20 * n)).collect();
        std::fs::write(&path, stream).unwrap();
        let mut source = MjpegFileSource::open(&path, 30.0).unwrap().ending_at(0.1);
        let mut frame = FrameBuffer::default();
        let frames = std::iter::from_fn(|| source.next_into(&mut frame).unwrap().then_some(()));
        assert_eq!(frames.count(), 3);
    }

    #[test]
    fn a_damaged_picture_is_left_out_and_the_times_of_the_others_stay() {
        let second = picture(64, 48, 80);
        let stream = [
            &picture(64, 48, 0)[..],
            &second[..second.len() / 2],
            &picture(64, 48, 120),
            &picture(32, 48, 160),
            &picture(64, 48, 200)[..],
            &second[..100],
        ]
        .concat();
        let (infos, damage) = read(&stream);
        let told: Vec<_> = infos
            .iter()
            .map(|info| (info.index, info.at.0, info.dropped_before))
            .collect();
        assert_eq!(told, [(0, 0, 0), (1, 66_667, 1), (2, 133_333, 1)]);
        assert!(damage.unwrap().contains("breaks off"));
    }

    #[test]
    fn a_file_without_pictures_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mjpeg");
        for content in [&b"no picture in here"[..], &picture(64, 48, 0)[..200]] {
            std::fs::write(&path, content).unwrap();
            let error = MjpegFileSource::open(&path, 30.0).err().unwrap();
            assert!(error.to_string().contains("clip.mjpeg"), "{error}");
        }
        std::fs::write(&path, "").unwrap();
        assert!(matches!(
            MjpegFileSource::open(&path, 30.0),
            Err(CaptureError::Empty { .. })
        ));
    }
}
