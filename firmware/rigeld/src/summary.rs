//! A run in numbers: printed at its end and written for scripts.

use crate::stages::Stages;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A run in numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Frames labelled.
    pub(crate) frames: u64,
    /// Clips that they make up.
    pub(crate) clips: u64,
    /// Frames of the source that were lost or left out.
    pub(crate) dropped: u64,
    /// Milliseconds from the start of the program to the first label in the outbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_label_ms: Option<u64>,
    /// Frames that repeat the one before.
    pub(crate) repeated: u64,
    /// Seconds from the first frame to the last label.
    pub(crate) seconds: f64,
    /// Frames a second.
    pub(crate) fps: f64,
    /// Milliseconds a frame, by stage. `decode` is time spent waiting for the decoder, which runs beside us.
    pub(crate) stages_ms: BTreeMap<&'static str, f64>,
    /// How often the face mesh looked; in the other frames the eye reader's numbers stood.
    pub(crate) mesh_looks: u64,
    /// People seen.
    pub(crate) tracks: u64,
    /// Blinks offered.
    pub(crate) blinks: u64,
    /// Labels offered.
    pub(crate) offered: u64,
    /// Abstentions.
    pub(crate) abstained: u64,
    /// Labels made: offered and abstained.
    pub(crate) made: u64,
    /// Evidence messages made.
    pub(crate) evidence: u64,
    /// Of these, key pictures.
    pub(crate) pictures: u64,
    /// Bytes of their JPEGs.
    pub(crate) picture_bytes: u64,
    /// Labels handed to the outbox.
    pub(crate) sent: u64,
    /// Labels in messages that the host has committed.
    pub(crate) acked: u64,
}

impl Summary {
    /// Fills in time and rate.
    pub(crate) fn timed(mut self, stages: &Stages, elapsed: Duration) -> Self {
        self.seconds = elapsed.as_secs_f64();
        self.fps = if self.seconds > 0.0 {
            self.frames as f64 / self.seconds
        } else {
            0.0
        };
        self.stages_ms = stages.ms_a_frame().collect();
        self.made = self.offered + self.abstained;
        self
    }

    /// Writes it as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text =
            serde_json::to_string_pretty(self).context("numbers and names always become JSON")?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Says it in a line.
    pub(crate) fn log(&self) {
        tracing::info!(
            frames = self.frames,
            tracks = self.tracks,
            blinks = self.blinks,
            offered = self.offered,
            abstained = self.abstained,
            "labelled at {:.0} frames a second",
            self.fps
        );
    }
}
