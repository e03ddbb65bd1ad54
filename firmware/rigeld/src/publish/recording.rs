//! What the recording needs of the line, and what the host hears of it.

use super::Publisher;
use crate::commands::PictureAsked;
use crate::record::{Recorded, Recorder};
use anyhow::Result;
use capture::{FrameBuffer, SourceInfo};
use label_core::wire::ClipEvent;

impl Publisher {
    /// Records from the next clip on.
    pub fn record_with(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// Makes pictures that the desk asks for.
    pub fn answer_pictures(&mut self, asked: PictureAsked) {
        self.picture_asked = Some(asked);
    }

    /// Ends the recording and tells the host of its last segments.
    pub fn finish_recording(&mut self) -> Result<()> {
        let last = self.recorder.take().map(|mut recorder| recorder.finish());
        last.unwrap_or_default()
            .into_iter()
            .try_for_each(|recorded| self.tell(recorded))
    }

    fn tell(&mut self, recorded: Recorded) -> Result<()> {
        self.send_of_clip(recorded.clip, ClipEvent::Recorded(recorded.segment))
    }

    pub(super) fn tell_recorded(&mut self) -> Result<()> {
        while let Some(recorded) = self.recorder.as_ref().and_then(Recorder::recorded) {
            self.tell(recorded)?;
        }
        Ok(())
    }

    pub(super) fn open_recording(&mut self, info: &SourceInfo) {
        let clip = self.clip;
        if let Some(recorder) = &mut self.recorder {
            recorder.open(clip, info.width as u32, info.height as u32);
        }
    }

    pub(super) fn frame_to_record(&self) -> FrameBuffer {
        self.recorder
            .as_ref()
            .map_or_else(FrameBuffer::default, Recorder::empty_frame)
    }

    pub(super) fn record_frame(&mut self, frame: &mut FrameBuffer) {
        if let Some(asked) = &self.picture_asked {
            asked.answer(self.clip, frame);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.take(frame);
        }
    }

    pub(super) fn close_recording(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.close();
        }
    }
}
