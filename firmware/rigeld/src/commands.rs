//! What the desk asks for: a picture now, recorded frames, or that they are deleted.
//!
//! The thread `commands` answers one after the other. Recorded pictures are read from the disk here, never by the line; of the
//! line only a picture now is asked, which costs it what a key picture costs.

use crate::record::Segments;
use anyhow::{Context, Result};
use capture::FrameBuffer;
use label_core::wire::{
    Answer, AskFrames, AskPicture, AskPurge, AskedPicture, Chunk, ClipNumber, MAX_ASKED_BYTES,
    MAX_ASKED_FRAMES, MAX_CHUNK_BYTES, MAX_PICTURE_BYTES, PurgedRecording, RefusedBecause,
    Sha256Hex, Topic, WIRE_VERSION,
};
use label_core::{BootId, CaptureTime, FrameIndex};
use perception::ReducedFrame;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use uplink::{Command, Commands};

/// A camera that gives frames gives one within this time.
const NEXT_FRAME: Duration = Duration::from_secs(3);
/// JPEG qualities, tried until the picture fits.
const QUALITIES: [u8; 5] = [80, 65, 50, 35, 12];

/// The line's end of the wish for a picture.
pub struct PictureAsked {
    wanted: Receiver<()>,
    taken: SyncSender<(AskedPicture, Vec<u8>)>,
}

impl PictureAsked {
    /// Makes a picture of this frame if one is asked for; costs nothing where none is.
    pub(crate) fn answer(&self, clip: ClipNumber, frame: &FrameBuffer) {
        if self.wanted.try_recv().is_err() {
            return;
        }
        match key_picture_of(clip, frame) {
            // Nobody waits any more where it is full.
            Ok(picture) => drop(self.taken.try_send(picture)),
            Err(error) => tracing::error!("no picture for the desk: {error:#}"),
        }
    }
}

fn key_picture_of(clip: ClipNumber, frame: &FrameBuffer) -> Result<(AskedPicture, Vec<u8>)> {
    let picture = crate::pipeline::picture_of(frame)?;
    let mut reduced = ReducedFrame::new();
    reduced.take(&picture, frame.info.index, frame.info.at);
    let mut jpeg = Vec::new();
    for quality in QUALITIES {
        jpeg.clear();
        reduced.encode(quality, &mut jpeg)?;
        if jpeg.len() <= MAX_PICTURE_BYTES {
            break;
        }
    }
    let picture = *reduced.shows();
    Ok((AskedPicture { clip, picture }, jpeg))
}

/// Answers commands on a thread of its own until the uplink ends; the returned end is the line's.
pub(crate) fn serve(
    commands: Commands,
    boot: BootId,
    segments: Option<Segments>,
) -> Result<PictureAsked> {
    let (want, wanted) = sync_channel(1);
    let (tell, taken) = sync_channel(1);
    let mut desk = Answering {
        boot,
        want,
        taken,
        segments,
        range: None,
    };
    std::thread::Builder::new()
        .name("commands".into())
        .spawn(move || {
            while let Some(command) = commands.next() {
                let (answer, data) = match desk.answer(&command) {
                    Ok(answered) => answered,
                    Err(because) => (Answer::Refused(because), Vec::new()),
                };
                commands.answer(command, answer, &data);
            }
        })
        .context("cannot start the thread that answers the desk")?;
    Ok(PictureAsked {
        wanted,
        taken: tell,
    })
}

struct Answering {
    boot: BootId,
    want: SyncSender<()>,
    taken: Receiver<(AskedPicture, Vec<u8>)>,
    segments: Option<Segments>,
    /// The range asked for last: parts of it are asked for one after the other.
    range: Option<Range>,
}

type Answered = Result<(Answer, Vec<u8>), RefusedBecause>;

impl Answering {
    fn answer(&mut self, command: &Command) -> Answered {
        match command.topic {
            Topic::AskPicture => {
                let asked: AskPicture = read(&command.payload)?;
                self.check(asked.v, asked.boot)?;
                self.picture()
            }
            Topic::AskFrames => {
                let asked: AskFrames = read(&command.payload)?;
                self.check(asked.v, asked.boot)?;
                self.frames(&asked)
            }
            Topic::AskPurge => {
                let asked: AskPurge = read(&command.payload)?;
                self.check(asked.v, asked.boot)?;
                self.purge(&asked)
            }
            _ => Err(RefusedBecause::Malformed),
        }
    }

    /// What is being written is deleted when it is asked for again: the segment must end first.
    fn purge(&mut self, asked: &AskPurge) -> Answered {
        if asked.frames.is_some_and(|(first, last)| last < first) {
            return Err(RefusedBecause::Malformed);
        }
        self.range = None;
        let segments = self.segments.as_ref().ok_or(RefusedBecause::NotRecorded)?;
        let (deleted, is_open) = segments
            .purge(asked.of.0, asked.of.1, asked.frames, self.boot)
            .map_err(|error| disk(&error))?;
        if deleted > 0 {
            tracing::warn!(
                boot = asked.of.0.raw(),
                clip = asked.of.1,
                segments = deleted,
                "deleted recorded pictures, as the desk asked"
            );
        }
        if is_open {
            return Err(RefusedBecause::Busy);
        }
        Ok((
            Answer::Purged(PurgedRecording { segments: deleted }),
            Vec::new(),
        ))
    }

    fn check(&self, version: u8, boot: BootId) -> Result<(), RefusedBecause> {
        if version != WIRE_VERSION {
            return Err(RefusedBecause::Version);
        }
        if boot != self.boot {
            return Err(RefusedBecause::OtherBoot);
        }
        Ok(())
    }

    fn picture(&self) -> Answered {
        // One that came too late for whoever asked before.
        while self.taken.try_recv().is_ok() {}
        let _ = self.want.try_send(());
        let (picture, jpeg) = self
            .taken
            .recv_timeout(NEXT_FRAME)
            .map_err(|_| RefusedBecause::NoFrame)?;
        Ok((Answer::Picture(picture), jpeg))
    }

    fn frames(&mut self, asked: &AskFrames) -> Answered {
        let (first, last) = asked.frames;
        if last < first {
            return Err(RefusedBecause::Malformed);
        }
        if (last - first) as usize >= MAX_ASKED_FRAMES {
            return Err(RefusedBecause::TooMuch);
        }
        // Asked from the beginning, it is looked at anew: more may be recorded by now.
        let known = self.range.take().filter(|range| {
            asked.offset > 0 && range.of == asked.of && range.frames == asked.frames
        });
        let range = match known {
            Some(range) => range,
            None => self.look_up(asked)?,
        };
        let read = range.read(asked.offset);
        self.range = Some(range);
        read
    }

    fn look_up(&self, asked: &AskFrames) -> Result<Range, RefusedBecause> {
        let segments = self.segments.as_ref().ok_or(RefusedBecause::NotRecorded)?;
        let stored = segments
            .of_clip(asked.of.0, asked.of.1, asked.frames)
            .map_err(|error| disk(&error))?;
        let mut range = Range {
            of: asked.of,
            frames: asked.frames,
            pictures: Vec::new(),
            bytes: 0,
            sha256: Sha256Hex::new(),
        };
        for segment in stored {
            for line in segment.frames {
                if range.pictures.len() < MAX_ASKED_FRAMES {
                    range.bytes += u64::from(line.bytes);
                    range.pictures.push(Recorded {
                        frame: line.frame,
                        at: line.pts_us,
                        media: segment.media.clone(),
                        offset: line.offset,
                        bytes: line.bytes,
                    });
                }
            }
        }
        if range.pictures.is_empty() {
            return Err(RefusedBecause::NotRecorded);
        }
        if range.bytes > MAX_ASKED_BYTES {
            return Err(RefusedBecause::TooMuch);
        }
        range.sha256 = range.digest().map_err(|error| disk(&error))?;
        Ok(range)
    }
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, RefusedBecause> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u64,
    }
    let said: Version = serde_json::from_slice(payload).map_err(|_| RefusedBecause::Malformed)?;
    if said.v != u64::from(WIRE_VERSION) {
        return Err(RefusedBecause::Version);
    }
    serde_json::from_slice(payload).map_err(|_| RefusedBecause::Malformed)
}

fn disk(error: &std::io::Error) -> RefusedBecause {
    if error.kind() == std::io::ErrorKind::NotFound {
        // Deleted for its age or for want of room since it was looked up.
        return RefusedBecause::NotRecorded;
    }
    tracing::error!("the recording cannot be read or deleted for the desk: {error}");
    RefusedBecause::Disk
}

/// The recorded pictures of a range of frames.
struct Range {
    of: (BootId, ClipNumber),
    frames: (FrameIndex, FrameIndex),
    pictures: Vec<Recorded>,
    bytes: u64,
    sha256: Sha256Hex,
}

/// Where a picture lies.
struct Recorded {
    frame: FrameIndex,
    at: CaptureTime,
    media: PathBuf,
    offset: u64,
    bytes: u32,
}

impl Recorded {
    /// Adds its bytes from `skip` on, no more than `most`.
    fn read(&self, skip: u64, most: usize, into: &mut Vec<u8>) -> std::io::Result<()> {
        let mut file = File::open(&self.media)?;
        file.seek(SeekFrom::Start(self.offset + skip))?;
        let wanted = (u64::from(self.bytes) - skip).min(most as u64);
        let read = file.take(wanted).read_to_end(into)?;
        if (read as u64) < wanted {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

impl Range {
    fn digest(&self) -> std::io::Result<Sha256Hex> {
        let (mut digest, mut picture) = (Sha256::new(), Vec::new());
        for recorded in &self.pictures {
            picture.clear();
            recorded.read(0, usize::MAX, &mut picture)?;
            digest.update(&picture);
        }
        let mut text = Sha256Hex::new();
        for byte in digest.finalize() {
            // 64 characters are what it holds.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    /// The part from `offset` on.
    fn read(&self, offset: u64) -> Answered {
        if offset >= self.bytes {
            return Err(RefusedBecause::Malformed);
        }
        let (mut data, mut begins) = (Vec::with_capacity(MAX_CHUNK_BYTES), 0);
        for recorded in &self.pictures {
            let ends = begins + u64::from(recorded.bytes);
            if ends > offset && data.len() < MAX_CHUNK_BYTES {
                let skip = offset.saturating_sub(begins);
                let room = MAX_CHUNK_BYTES - data.len();
                recorded
                    .read(skip, room, &mut data)
                    .map_err(|error| disk(&error))?;
            }
            begins = ends;
        }
        let mut chunk = Chunk {
            bytes: self.bytes,
            sha256: self.sha256.clone(),
            offset,
            pictures: heapless::Vec::new(),
        };
        if offset == 0 {
            for recorded in &self.pictures {
                // There is room for as many as may be asked for.
                let _ = chunk
                    .pictures
                    .push((recorded.frame, recorded.at, recorded.bytes));
            }
        }
        Ok((Answer::Chunk(chunk), data))
    }
}
