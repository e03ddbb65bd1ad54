//! Raw frames from a program's standard output: cameras that only a vendor's program can read.

use crate::{
    CameraCondition, CameraFault, CaptureError, FrameBuffer, FrameSource, PixelFormat, SourceInfo,
};
use std::time::Duration;

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
    info: SourceInfo,
    condition: CameraCondition,
}

impl PipeSource {
    /// Starts the program.
    pub fn open(settings: &PipeSettings) -> Result<Self, CaptureError> {
        Err(CaptureError::Camera {
            camera: settings.command.join(" "),
            fault: CameraFault::Missing,
        })
    }
}

impl FrameSource for PipeSource {
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
