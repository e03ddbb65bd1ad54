//! Cameras, through the kernel's video interface (V4L2).
//!
//! Opening asks the camera what it offers, chooses by [`negotiate()`] and [`plan_controls`], sets that up, checks what the
//! driver answers, and starts. The driver fills a few buffers in turn; a frame is copied out of its buffer once, into the
//! planes that models read, and the buffer goes back. What is damaged is counted and never shown; what the driver dropped
//! is told by its numbers.
//!
//! A camera that is unplugged, hangs or fails ends the source with an error; a new [`CameraSource::open`] looks the device
//! up again by its path.

mod controls;
mod device;
mod negotiate;
mod offer;
mod settings;
mod stream;
mod timeline;

pub use controls::{ControlKind, ControlOffer, ControlPlan, ControlSetting, plan_controls};
pub use negotiate::{Plan, negotiate};
pub use offer::{Interval, IntervalOffer, Offer, SizeOffer};
pub use settings::{AntiFlicker, CameraCondition, CameraSettings, PixelFormat};
pub(crate) use timeline::{RateWatch, Timeline, monotonic_us};

use crate::convert::RawLayout;
use crate::jpeg::JpegDecoder;
use crate::repeat::{Likeness, RepeatDetector};
use crate::{CameraFault, CaptureError, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use device::Device;
use std::path::Path;
use std::time::{Duration, Instant};
use stream::{Filled, Stream};

/// A camera that streams.
pub struct CameraSource {
    name: String,
    timeout: Duration,
    plan: Plan,
    layout: RawLayout,
    info: SourceInfo,
    /// Frames a second that the driver promises; 0 where it does not say.
    fps: f32,
    stream: Stream,
    decoder: JpegDecoder,
    repeats: RepeatDetector,
    timeline: Timeline,
    rate: RateWatch,
    index: u32,
    /// The newest frame, taken while keeping up.
    held: Option<(Filled, i64)>,
    /// Met while keeping up, told by the next call for a frame.
    failed: Option<CameraFault>,
}

impl CameraSource {
    /// Opens the device, sets it up as far as it can do what is asked, and starts the stream.
    pub fn open(settings: &CameraSettings) -> Result<Self, CaptureError> {
        let name = settings.device.display().to_string();
        start(settings, &name).map_err(|fault| CaptureError::Camera {
            camera: name,
            fault,
        })
    }

    /// What was set up.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What a device offers for these settings, without starting it.
    pub fn offers(
        settings: &CameraSettings,
    ) -> Result<(Vec<Offer>, Vec<ControlOffer>), CaptureError> {
        let device = Device::open(&settings.device).map_err(|fault| CaptureError::Camera {
            camera: settings.device.display().to_string(),
            fault,
        })?;
        Ok((device.offers(settings), device.controls()))
    }

    /// Waits for the next frame, and keeps count of it.
    fn wait(&mut self, deadline: Instant, skipped: u64) -> Result<(Filled, i64), CameraFault> {
        match self.stream.wait(deadline)? {
            Some(filled) => Ok(self.count(filled)),
            None if skipped > 0 => Err(self.only_damaged(skipped)),
            None => Err(CameraFault::Stalled {
                waited: self.timeout,
            }),
        }
    }

    fn only_damaged(&self, damaged: u64) -> CameraFault {
        CameraFault::OnlyDamaged {
            waited: self.timeout,
            damaged,
        }
    }

    fn count(&mut self, filled: Filled) -> (Filled, i64) {
        let now = monotonic_us();
        // No frame is of the future, whatever a driver makes of its camera's own clock.
        let us = filled.stamp_us.map_or(now, |us| us.min(now));
        (filled, self.timeline.observe(us, Some(filled.sequence)))
    }

    /// Copies a frame out of its buffer; `false` if it is damaged.
    fn fill(&mut self, filled: &Filled, frame: &mut FrameBuffer) -> bool {
        if filled.is_damaged {
            return false;
        }
        let bytes = self.stream.bytes(filled);
        if self.plan.format == PixelFormat::Mjpeg {
            let size = (self.plan.width, self.plan.height);
            let decoded = self.decoder.decode(bytes, size, self.plan.scale, frame);
            decoded.inspect(|()| frame.keep(bytes, size)).is_ok()
        } else {
            self.layout.fill(bytes, frame)
        }
    }

    fn next(&mut self, frame: &mut FrameBuffer) -> Result<(), CameraFault> {
        let deadline = Instant::now() + self.timeout;
        let mut skipped = 0;
        loop {
            let (filled, us) = match (self.held.take(), self.failed.take()) {
                // A frame that is there is given before what came after it is told.
                (Some(held), failed) => {
                    self.failed = failed;
                    held
                }
                (None, Some(fault)) => return Err(fault),
                (None, None) => self.wait(deadline, skipped)?,
            };
            let is_whole = self.fill(&filled, frame);
            self.failed = self
                .failed
                .take()
                .or(self.stream.give_back(filled.index).err());
            if is_whole {
                self.describe(us, frame);
                return Ok(());
            }
            self.timeline.damage();
            skipped += 1;
            if Instant::now() >= deadline {
                return Err(self.only_damaged(skipped));
            }
        }
    }

    fn describe(&mut self, us: i64, frame: &mut FrameBuffer) {
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
        self.rate.check(&self.name, self.fps, &self.timeline);
    }

    /// Takes what has come without waiting, and holds the newest of it.
    fn catch_up(&mut self) -> Result<(), CameraFault> {
        while let Some(filled) = self.stream.wait(Instant::now())? {
            let newest = self.count(filled);
            if filled.is_damaged {
                self.timeline.damage();
                self.stream.give_back(filled.index)?;
            } else if let Some((outdated, _)) = self.held.replace(newest) {
                self.timeline.give_back();
                self.stream.give_back(outdated.index)?;
            }
        }
        Ok(())
    }
}

fn start(settings: &CameraSettings, name: &str) -> Result<CameraSource, CameraFault> {
    let device = Device::open(&settings.device)?;
    let offers = device.offers(settings);
    if offers.is_empty() {
        return Err(CameraFault::NotACamera {
            what: "it offers no format".to_owned(),
        });
    }
    let plan = negotiate(&offers, settings)?;
    let set = device.set_up(&plan)?;
    set_controls(&device, settings, name);
    let stream = Stream::start(device)?;
    let (width, height) = plan.scale.of((plan.width, plan.height));
    let fps = set.fps.unwrap_or(0.0);
    tell(&plan, settings, fps, name);
    Ok(CameraSource {
        name: name.to_owned(),
        timeout: settings.timeout,
        plan,
        layout: set.layout,
        info: SourceInfo {
            name: file_name(&settings.device),
            width: width as usize,
            height: height as usize,
            nominal_fps: set.fps,
            expected_frames: None,
            codec: plan.format.name().to_owned(),
        },
        fps,
        stream,
        decoder: JpegDecoder::new(),
        repeats: RepeatDetector::default(),
        timeline: Timeline::new(),
        rate: RateWatch::default(),
        index: 0,
        held: None,
        failed: None,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Sets what can be set; the camera works without the rest, and the rest is told.
fn set_controls(device: &Device, settings: &CameraSettings, name: &str) {
    let offered = device.controls();
    let plan = plan_controls(&offered, settings);
    for setting in &plan.set {
        if let Err(error) = device.set_control(setting.id, setting.value) {
            let ControlSetting {
                name: control,
                value,
                ..
            } = setting;
            tracing::warn!("{name}: the control {control:?} could not be set to {value}: {error}");
        }
    }
    if plan.amiss.is_empty() {
        return;
    }
    let amiss = plan.amiss.join("; ");
    let has: Vec<&str> = offered
        .iter()
        .filter(|control| control.is_writable)
        .map(|control| control.name.as_str())
        .collect();
    let has = if has.is_empty() {
        "none".to_owned()
    } else {
        has.join(", ")
    };
    tracing::warn!("{name}: {amiss} (its controls: {has})");
}

/// Says what was set up, and loudly where it is not what was asked.
fn tell(plan: &Plan, settings: &CameraSettings, fps: f32, name: &str) {
    let Plan {
        format,
        width,
        height,
        ..
    } = plan;
    tracing::info!("{name}: {format} {width}x{height} at {fps} frames a second");
    let (wide, high) = plan.scale.of((*width, *height));
    if wide < settings.width || high < settings.height {
        let (wanted, high) = (settings.width, settings.height);
        tracing::warn!(
            "{name}: {wanted}x{high} was asked; {width}x{height} is the nearest that it has"
        );
    }
    if fps > 0.0 && fps < settings.fps * 0.95 {
        let wanted = settings.fps;
        tracing::warn!("{name}: {wanted} frames a second were asked; at this size it does {fps}");
    }
}

impl FrameSource for CameraSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        match self.next(frame) {
            Ok(()) => Ok(true),
            Err(fault) => Err(CaptureError::Camera {
                camera: self.name.clone(),
                fault,
            }),
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
            format: self.plan.format,
            width: self.plan.width,
            height: self.plan.height,
            asked_fps: self.fps,
            measured_fps: self.timeline.fps(),
            damaged_frames: self.timeline.damaged,
            dropped_frames: self.timeline.dropped,
        })
    }
}
