//! What the line tells between frames, and what it is told.

use crate::stages::Stages;
use anyhow::Result;
use capture::{CameraCondition, FrameBuffer};
use label_core::labeller::{PersonMeasurement, Quiet};
use label_core::wire::{Policy, SceneHealth, Shed};

/// Says, between frames, how the line goes on.
pub trait Control {
    /// What comes next. Asked after every frame and at least four times a second.
    fn next(&mut self, progress: &Progress<'_>) -> Result<Order>;
    /// What the desk lets this rig offer, where that changed since it was asked last. Asked before every frame.
    fn policy(&mut self) -> Option<Option<Policy>> {
        None
    }
    /// What is left out from the next frame on. Only asked for live sources: from a file nothing is left out.
    fn shed(&self) -> Shed {
        Shed::Nothing
    }
}

/// Labels a source to its end.
#[derive(Clone, Copy, Debug)]
pub struct ToTheEnd;

impl Control for ToTheEnd {
    fn next(&mut self, _: &Progress<'_>) -> Result<Order> {
        Ok(Order::GoOn)
    }
}

/// How the line goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// With the next frame.
    GoOn,
    /// With the next frame; this moment is marked.
    Mark,
    /// Not: the clip ends here.
    End,
}

/// How far the line got.
#[derive(Clone, Debug)]
pub enum Progress<'a> {
    /// A frame was labelled.
    Labelled(Labelled<'a>),
    /// No frame was labelled: one was left out, or the capture thread waits for one and says so.
    Waited,
    /// No frame came, and no word from the capture thread.
    Silence,
}

/// A frame that went through the line.
#[derive(Clone, Debug)]
pub struct Labelled<'a> {
    /// The frame.
    pub frame: &'a FrameBuffer,
    /// Of the frames dropped before it, those left out because work is shed.
    pub left_out: u32,
    /// Who was in view.
    pub persons: &'a [PersonMeasurement],
    /// Why boxes and eyes had no value.
    pub quiet: Quiet,
    /// How the picture looked last; `None` before the first look.
    pub scene: Option<SceneHealth>,
    /// How the camera does; `None` for files.
    pub condition: Option<&'a CameraCondition>,
    /// Where the time went so far.
    pub stages: &'a Stages,
}
