//! Cameras, through the kernel's video interface (V4L2).

mod controls;
mod negotiate;
mod offer;
mod settings;
mod timeline;

pub use controls::{ControlKind, ControlOffer, ControlPlan, ControlSetting, plan_controls};
pub use negotiate::{Plan, negotiate};
pub(crate) use timeline::{RateWatch, Timeline, monotonic_us};

pub use offer::{Interval, IntervalOffer, Offer, SizeOffer};

pub use settings::{AntiFlicker, CameraCondition, CameraSettings, PixelFormat};

use crate::{CameraFault, CaptureError, FrameBuffer, FrameSource, SourceInfo};

/// A camera that streams.
pub struct CameraSource {
    info: SourceInfo,
    condition: CameraCondition,
}

impl CameraSource {
    /// Opens the device, sets it up as far as it can do what is asked, and starts the stream.
    pub fn open(settings: &CameraSettings) -> Result<Self, CaptureError> {
        Err(CaptureError::Camera {
            camera: settings.device.display().to_string(),
            fault: CameraFault::Missing,
        })
    }
}

impl FrameSource for CameraSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_into(&mut self, _frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        Ok(false)
    }

    fn damage(&self) -> Option<String> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }

    fn condition(&self) -> Option<CameraCondition> {
        Some(self.condition)
    }
}
