//! One segment: its media file, its index, its end.
//!
//! While it is written the index is called `.part`. A picture goes into the media file before its line goes into the index,
//! and both are synced once a second; the end is written and synced before the index gets its name. So after a power cut a
//! line whose picture is whole stands for a frame, and everything after the first that is not is cut off.

use capture::FrameInfo;
use label_core::FrameIndex;
use label_core::wire::{
    ClipNumber, IndexLine, MAX_RECORDED_PICTURE_BYTES, RecordedFrame, RecordedSegment, SegmentHead,
    Sha256Hex,
};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often what was written is synced: a power cut costs no more.
const SYNC: Duration = Duration::from_secs(1);

/// A segment in progress.
pub(super) struct Segment {
    /// Its files, without their endings.
    base: PathBuf,
    head: SegmentHead,
    media: File,
    index: File,
    index_bytes: u64,
    offset: u64,
    digest: Sha256,
    frames: Option<(FrameIndex, FrameIndex)>,
    pictures: u32,
    begun: Instant,
    synced: Instant,
    line: Vec<u8>,
}

/// A segment that is whole on disk.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) base: PathBuf,
    pub(super) clip: ClipNumber,
    pub(super) end: RecordedSegment,
    /// Of both files.
    pub(super) bytes: u64,
}

/// The name of a segment's files: the oldest sorts first.
pub(super) fn file_name(head: &SegmentHead) -> String {
    format!(
        "{:016}-{:06}-{:06}",
        head.boot.raw(),
        head.clip,
        head.segment
    )
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

pub(super) fn sync_folder(of: &Path) -> io::Result<()> {
    of.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

pub(super) fn digest_of(digest: Sha256) -> Sha256Hex {
    let mut text = Sha256Hex::new();
    for byte in digest.finalize() {
        // 64 characters are what it holds.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Segment {
    pub(super) fn create(folder: &Path, head: &SegmentHead) -> io::Result<Self> {
        let base = folder.join(file_name(head));
        let mut segment = Self {
            media: create(&base.with_extension("mjpeg"))?,
            index: create(&base.with_extension("part"))?,
            base,
            head: head.clone(),
            index_bytes: 0,
            offset: 0,
            digest: Sha256::new(),
            frames: None,
            pictures: 0,
            begun: Instant::now(),
            synced: Instant::now(),
            line: Vec::with_capacity(256),
        };
        segment.write_line(&IndexLine::Head(head.clone()))?;
        Ok(segment)
    }

    fn write_line(&mut self, line: &IndexLine) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.index.write_all(&self.line)?;
        self.index_bytes += self.line.len() as u64;
        Ok(())
    }

    pub(super) const fn clip(&self) -> ClipNumber {
        self.head.clip
    }

    /// Its files, without their endings.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Of both files.
    pub(super) const fn bytes(&self) -> u64 {
        self.offset + self.index_bytes
    }

    pub(super) fn is_full(&self, longest: Duration, largest: u64) -> bool {
        self.begun.elapsed() >= longest || self.bytes() >= largest
    }

    /// Adds a picture. Where that fails, what it left behind is cut off when the segment is sealed.
    pub(super) fn append(&mut self, info: &FrameInfo, jpeg: &[u8]) -> io::Result<()> {
        let bytes = u32::try_from(jpeg.len())
            .ok()
            .filter(|bytes| *bytes <= MAX_RECORDED_PICTURE_BYTES)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.media.write_all(jpeg)?;
        let line = IndexLine::Frame(RecordedFrame {
            frame: info.index,
            pts_us: info.at,
            mono_us: info.captured_us,
            offset: self.offset,
            bytes,
            crc32: crc32fast::hash(jpeg),
            repeat: info.repeat,
            dropped: info.dropped_before,
        });
        let whole_lines = self.index_bytes;
        if let Err(error) = self.write_line(&line) {
            self.index_bytes = whole_lines;
            return Err(error);
        }
        self.digest.update(jpeg);
        self.offset += u64::from(bytes);
        self.pictures += 1;
        let first = self.frames.map_or(info.index, |(first, _)| first);
        self.frames = Some((first, info.index));
        if self.synced.elapsed() >= SYNC {
            self.media.sync_data()?;
            self.index.sync_data()?;
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Ends it; `None` where it has no picture: then nothing of it stays.
    pub(super) fn seal(mut self) -> io::Result<Option<Sealed>> {
        let Some(frames) = self.frames else {
            remove(&self.base)?;
            return Ok(None);
        };
        // Whatever was begun and failed.
        self.media.set_len(self.offset)?;
        self.index.set_len(self.index_bytes)?;
        io::Seek::seek(&mut self.index, io::SeekFrom::End(0))?;
        self.media.sync_all()?;
        let end = RecordedSegment {
            boot: self.head.boot,
            segment: self.head.segment,
            frames,
            pictures: self.pictures,
            bytes: self.offset,
            sha256: digest_of(std::mem::take(&mut self.digest)),
            torn: false,
        };
        self.write_line(&IndexLine::End(end.clone()))?;
        self.index.sync_all()?;
        fs::rename(
            self.base.with_extension("part"),
            self.base.with_extension("jsonl"),
        )?;
        sync_folder(&self.base)?;
        Ok(Some(Sealed {
            bytes: self.bytes(),
            base: self.base,
            clip: self.head.clip,
            end,
        }))
    }
}

/// Removes all files of a segment.
pub(super) fn remove(base: &Path) -> io::Result<()> {
    for ending in ["jsonl", "part", "new", "mjpeg"] {
        match fs::remove_file(base.with_extension(ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What an index says, up to its first line that cannot be read.
pub(super) struct Index {
    pub(super) head: SegmentHead,
    pub(super) frames: Vec<RecordedFrame>,
    pub(super) end: Option<RecordedSegment>,
}

impl Index {
    /// `None` where not even the head is there.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let mut lines = BufReader::new(File::open(path)?);
        let (mut index, mut line): (Option<Self>, _) = (None, Vec::new());
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
                return Ok(index);
            }
            match (serde_json::from_slice(&line), &mut index) {
                (Ok(IndexLine::Head(head)), None) => {
                    index = Some(Self {
                        head,
                        frames: Vec::new(),
                        end: None,
                    });
                }
                (Ok(IndexLine::Frame(frame)), Some(index)) => index.frames.push(frame),
                (Ok(IndexLine::End(end)), Some(index)) => {
                    index.end = Some(end);
                    break;
                }
                _ => break,
            }
        }
        Ok(index)
    }
}

/// Sets right a segment that a power cut left: what is whole stays and gets its end, the rest is cut off. `None` where no
/// picture is whole: then nothing of it stays.
pub(super) fn set_right(base: &Path) -> io::Result<Option<Sealed>> {
    let part = base.with_extension("part");
    let media_path = base.with_extension("mjpeg");
    let Some(mut index) = Index::read(&part)? else {
        remove(base)?;
        return Ok(None);
    };
    let media = OpenOptions::new().read(true).write(true).open(&media_path);
    let mut media = match media {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            remove(base)?;
            return Ok(None);
        }
        opened => opened?,
    };
    let (mut digest, mut picture, mut length, mut whole) = (Sha256::new(), Vec::new(), 0, 0);
    for line in &index.frames {
        if line.offset != length || line.bytes > MAX_RECORDED_PICTURE_BYTES {
            break;
        }
        picture.resize(line.bytes as usize, 0);
        match media.read_exact(&mut picture) {
            Ok(()) if crc32fast::hash(&picture) == line.crc32 => {}
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
        digest.update(&picture);
        length += u64::from(line.bytes);
        whole += 1;
    }
    index.frames.truncate(whole);
    let (Some(first), Some(last)) = (index.frames.first(), index.frames.last()) else {
        remove(base)?;
        return Ok(None);
    };
    let end = RecordedSegment {
        boot: index.head.boot,
        segment: index.head.segment,
        frames: (first.frame, last.frame),
        pictures: whole as u32,
        bytes: length,
        sha256: digest_of(digest),
        torn: true,
    };
    media.set_len(length)?;
    media.sync_all()?;
    let mut text = Vec::new();
    let clip = index.head.clip;
    let lines = std::iter::once(IndexLine::Head(index.head))
        .chain(index.frames.into_iter().map(IndexLine::Frame))
        .chain([IndexLine::End(end.clone())]);
    for line in lines {
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    let fresh = base.with_extension("new");
    let mut file = create(&fresh)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&fresh, base.with_extension("jsonl"))?;
    fs::remove_file(&part)?;
    sync_folder(base)?;
    Ok(Some(Sealed {
        bytes: length + text.len() as u64,
        base: base.to_owned(),
        clip,
        end,
    }))
}
