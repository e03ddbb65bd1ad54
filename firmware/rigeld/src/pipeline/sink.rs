//! Who takes what the line makes.

use anyhow::Result;
use capture::{CameraCondition, CaptureError, FrameBuffer, FrameInfo, SourceInfo};
use label_core::labeller::PersonMeasurement;
use label_core::wire::{KeyPicture, Label, ShedChange};
use perception::Filmstrip;

/// Takes what the line makes.
pub trait Sink {
    /// The first frame is known.
    fn opened(&mut self, info: &SourceInfo) -> Result<()>;
    /// From a frame on, the rig leaves out more or less.
    fn shed(&mut self, change: ShedChange) -> Result<()> {
        let _ = change;
        Ok(())
    }
    /// What was measured of each person in a frame, before labels are made of it. Told before [`Self::frame`].
    fn measured(&mut self, info: &FrameInfo, persons: &[PersonMeasurement]) {
        let _ = (info, persons);
    }
    /// A frame went through the line.
    fn frame(&mut self, info: &FrameInfo) -> Result<()>;
    /// What frames are captured into; it says whether they keep the camera's own picture.
    fn empty_frame(&self) -> FrameBuffer {
        FrameBuffer::default()
    }
    /// The frame that went through the line, told after [`Self::frame`]. The camera's own picture may be taken out of it.
    fn record(&mut self, frame: &mut FrameBuffer) {
        let _ = frame;
    }
    /// A label is certain. `strip` is there for events, while their frames are still held.
    fn label(&mut self, label: Label, strip: Option<&mut Filmstrip>) -> Result<()>;
    /// Whether key pictures are wanted. Without them none is taken, which costs nothing.
    fn takes_pictures(&self) -> bool {
        false
    }
    /// A key picture of an earlier frame, as a JPEG.
    fn picture(&mut self, shows: KeyPicture, jpeg: &[u8]) -> Result<()> {
        let _ = (shows, jpeg);
        Ok(())
    }
    /// Somebody at the rig marks this moment; the frame is the last that went through the line.
    fn mark(&mut self, at: &FrameInfo) -> Result<()> {
        let _ = at;
        Ok(())
    }
    /// A while passed without a frame.
    fn waited(&mut self) -> Result<()> {
        Ok(())
    }
    /// The clip is over.
    fn closed(&mut self, clip: &ClipEnd) -> Result<()>;
}

/// What is known of a clip at its end.
#[derive(Debug, Default)]
pub struct ClipEnd {
    /// Frames labelled.
    pub frames: u32,
    /// Of these, repeats of the frame before.
    pub repeated: u32,
    /// Frames of the source that were not labelled: lost, damaged, or left out.
    pub dropped: u32,
    /// People seen.
    pub tracks: u32,
    /// What was wrong with the media.
    pub damage: Option<String>,
    /// Why the source ended before its time; what came before is labelled.
    pub failure: Option<CaptureError>,
    /// How the camera did at last; `None` for files.
    pub condition: Option<CameraCondition>,
}
