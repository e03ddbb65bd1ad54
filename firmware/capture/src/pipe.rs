//! Raw frames from a program's standard output: cameras that only a vendor's program can read.
//!
//! The program is started, its frames are taken from the pipe, its words on standard error are kept for the case that it
//! fails, and it is ended with all that it started when the source is dropped.

mod child;

use crate::camera::{RateWatch, Timeline, monotonic_us};
use crate::convert::RawLayout;
use crate::inbox::{Cut, Inbox};
use crate::jpeg::{JpegDecoder, JpegFault, JpegFraming, Scale};
use crate::repeat::{Likeness, RepeatDetector};
use crate::{
    CameraCondition, CameraFault, CaptureError, FrameBuffer, FrameInfo, FrameSource, PixelFormat,
    SourceInfo,
};
use child::{Came, Writer};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What is run, and what it writes.
#[derive(Clone, Debug, PartialEq)]
pub struct PipeSettings {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How it writes pixels.
    pub format: PixelFormat,
    /// Pixels across, as it was told.
    pub width: u32,
    /// Pixels down, as it was told.
    pub height: u32,
    /// Frames a second, as it was told.
    pub fps: f32,
    /// Longest wait for a frame.
    pub timeout: Duration,
}

/// A program that writes frames.
pub struct PipeSource {
    settings: PipeSettings,
    info: SourceInfo,
    writer: Writer,
    inbox: Inbox,
    layout: RawLayout,
    decoder: JpegDecoder,
    repeats: RepeatDetector,
    timeline: Timeline,
    rate: RateWatch,
    index: u32,
    /// Met while keeping up, told by the next call for a frame.
    failed: Option<CameraFault>,
}

impl PipeSource {
    /// Starts the program. That it cannot work is often told by the first frame only.
    pub fn open(settings: &PipeSettings) -> Result<Self, CaptureError> {
        let writer = Writer::start(&settings.command).map_err(|fault| named(settings, fault))?;
        let (width, height) = (settings.width as usize, settings.height as usize);
        // Programs write video: 16 to 235. Grey is what near-infrared sensors give: all of it.
        let full_range = settings.format == PixelFormat::Grey;
        let layout = RawLayout::packed(settings.format, width, height, full_range);
        let cut = match settings.format {
            PixelFormat::Mjpeg => Cut::Jpeg {
                framing: JpegFraming::default(),
                // No picture of a camera is larger than its pixels are raw.
                most: 4 * width * height + (1 << 16),
            },
            _ => Cut::Raw {
                bytes: layout.least_bytes().max(1),
            },
        };
        let program = settings.command.first().map_or("", String::as_str);
        let info = SourceInfo {
            name: program.rsplit('/').next().unwrap_or(program).to_owned(),
            width,
            height,
            nominal_fps: Some(settings.fps),
            expected_frames: None,
            codec: settings.format.name().to_owned(),
        };
        Ok(Self {
            settings: settings.clone(),
            info,
            writer,
            inbox: Inbox::new(cut),
            layout,
            decoder: JpegDecoder::new(),
            repeats: RepeatDetector::default(),
            timeline: Timeline::new(),
            rate: RateWatch::default(),
            index: 0,
            failed: None,
        })
    }

    /// Waits until a whole frame is at the front of the inbox.
    fn wait(&mut self, deadline: Instant, skipped: u64) -> Result<(), CameraFault> {
        loop {
            if self.find() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.writer.read(self.inbox.room(), left)? {
                Came::Bytes(count) => self.inbox.put(count),
                Came::Nothing if skipped > 0 => {
                    return Err(CameraFault::OnlyDamaged {
                        waited: self.settings.timeout,
                        damaged: skipped,
                    });
                }
                Came::Nothing => {
                    return Err(CameraFault::Stalled {
                        waited: self.settings.timeout,
                    });
                }
                Came::End => return Err(self.ended()),
            }
        }
    }

    /// Whether a whole frame is at the front; what broke off before it is counted.
    fn find(&mut self) -> bool {
        let broken = self.inbox.broken;
        let found = self.inbox.find(monotonic_us());
        self.count_broken(broken);
        found
    }

    fn count_broken(&mut self, before: u32) {
        for _ in before..self.inbox.broken {
            self.timeline.damage();
        }
    }

    /// Takes what is in the pipe without waiting, and keeps the newest frame of it.
    fn catch_up(&mut self) -> Result<(), CameraFault> {
        // Of a program that is faster than we read, no more than two frames at a time.
        for _ in 0..64 {
            match self.writer.read(self.inbox.room(), Duration::ZERO)? {
                Came::Bytes(count) => self.inbox.put(count),
                Came::Nothing => break,
                Came::End => return Err(self.ended()),
            }
            let broken = self.inbox.broken;
            for _ in 0..self.inbox.renew(monotonic_us()) {
                self.timeline.give_back();
            }
            self.count_broken(broken);
        }
        Ok(())
    }

    /// The program has closed its output: how it ended, and what is left of a frame.
    fn ended(&mut self) -> CameraFault {
        let (status, mut said) = self.writer.end();
        let left = self.inbox.unfinished();
        if left > 0 {
            let PipeSettings {
                format,
                width,
                height,
                ..
            } = self.settings;
            let whole = match format {
                PixelFormat::Mjpeg => String::new(),
                _ => format!(" of {}", self.layout.least_bytes()),
            };
            if !said.is_empty() {
                said.push('\n');
            }
            // Writing to a string cannot fail.
            let _ = write!(
                said,
                "its last frame breaks off after {left}{whole} bytes; if it was not stopped, see that it writes {format} of {width}x{height}"
            );
        }
        CameraFault::Ended { status, said }
    }
}

fn named(settings: &PipeSettings, fault: CameraFault) -> CaptureError {
    CaptureError::Camera {
        camera: settings.command.join(" "),
        fault,
    }
}

impl FrameSource for PipeSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        let deadline = Instant::now() + self.settings.timeout;
        let mut skipped = 0;
        loop {
            // A frame that is there is given before what came after it is told.
            let waited = match self.failed.take() {
                Some(fault) if self.inbox.front().is_none() => Err(fault),
                Some(fault) => {
                    self.failed = Some(fault);
                    Ok(())
                }
                None => self.wait(deadline, skipped),
            };
            waited.map_err(|fault| named(&self.settings, fault))?;
            let Some((bytes, us)) = self.inbox.front() else {
                continue;
            };
            let expected = (self.settings.width, self.settings.height);
            let filled = match self.settings.format {
                PixelFormat::Mjpeg => self
                    .decoder
                    .decode(bytes, expected, Scale::Full, frame)
                    .inspect(|()| frame.keep(bytes, expected)),
                _ if self.layout.fill(bytes, frame) => Ok(()),
                _ => Err(JpegFault::Damaged {
                    said: "too few bytes".to_owned(),
                }),
            };
            self.inbox.pop();
            let us = self.timeline.observe(us, None);
            match filled {
                Ok(()) => {
                    let (at, dropped_before) = self.timeline.deliver(us);
                    let likeness = self
                        .repeats
                        .observe(frame.luma(), frame.width, frame.height);
                    frame.info = FrameInfo {
                        index: self.index,
                        at,
                        repeat: likeness != Likeness::New,
                        same_pixels: likeness == Likeness::SamePixels,
                        captured_us: Some(us),
                        dropped_before,
                    };
                    self.index += 1;
                    self.rate
                        .check(&self.info.name, self.settings.fps, &self.timeline);
                    return Ok(true);
                }
                Err(fault @ JpegFault::OtherSize { .. }) => {
                    let what = format!(
                        "the program writes {fault}: make its size and that of the board file the same"
                    );
                    return Err(named(&self.settings, CameraFault::NotAsAgreed { what }));
                }
                Err(JpegFault::Damaged { .. }) => {
                    self.timeline.damage();
                    skipped += 1;
                    if Instant::now() >= deadline {
                        let fault = CameraFault::OnlyDamaged {
                            waited: self.settings.timeout,
                            damaged: skipped,
                        };
                        return Err(named(&self.settings, fault));
                    }
                }
            }
        }
    }

    fn damage(&self) -> Option<String> {
        self.timeline.damage_so_far()
    }

    fn is_live(&self) -> bool {
        true
    }

    fn keep_up(&mut self) {
        if self.failed.is_none() {
            self.failed = self.catch_up().err();
        }
    }

    fn condition(&self) -> Option<CameraCondition> {
        Some(CameraCondition {
            format: self.settings.format,
            width: self.settings.width,
            height: self.settings.height,
            asked_fps: self.settings.fps,
            measured_fps: self.timeline.fps(),
            damaged_frames: self.timeline.damaged,
            dropped_frames: self.timeline.dropped,
        })
    }
}

#[cfg(test)]
#[path = "pipe/tests.rs"]
mod tests;
