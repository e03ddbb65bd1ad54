//! A driver that does not return.

use crate::{ffmpeg, project};
use anyhow::Result;
use board::Board;
use capture::{CaptureError, ClipSource, Ffmpeg, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use label_core::wire::Label;
use perception::{Filmstrip, Search};
use rigeld::pipeline::{ClipEnd, Control, Order, Pipeline, Progress, Sink};
use std::sync::mpsc::{Receiver, channel};

const FRAMES: u32 = 10;

/// Some frames of the demo clip, and then a wait without an end.
struct Hanging {
    clip: ClipSource,
    left: u32,
    for_ever: Receiver<()>,
}

impl FrameSource for Hanging {
    fn info(&self) -> &SourceInfo {
        self.clip.info()
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        if self.left == 0 {
            return Ok(self.for_ever.recv().is_ok());
        }
        self.left -= 1;
        self.clip.next_into(frame)
    }

    fn damage(&self) -> Option<String> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }
}

#[derive(Default)]
struct Ends(Option<(u32, Option<String>)>);

impl Sink for Ends {
    fn opened(&mut self, _: &SourceInfo) -> Result<()> {
        Ok(())
    }

    fn frame(&mut self, _: &FrameInfo) -> Result<()> {
        Ok(())
    }

    fn label(&mut self, _: Label, _: Option<&mut Filmstrip>) -> Result<()> {
        Ok(())
    }

    fn closed(&mut self, clip: &ClipEnd) -> Result<()> {
        self.0 = Some((clip.frames, clip.damage.clone()));
        Ok(())
    }
}

/// Ends once it heard nothing four times in a row. Whatever it takes for a sign of life, it writes down.
#[derive(Default)]
struct Listening {
    labelled: u32,
    silence: u32,
    signs_of_life: u32,
}

impl Control for Listening {
    fn next(&mut self, progress: &Progress<'_>) -> Result<Order> {
        match progress {
            Progress::Labelled(_) => self.labelled += 1,
            Progress::Waited if self.silence > 0 => self.signs_of_life += 1,
            Progress::Waited => {}
            Progress::Silence => self.silence += 1,
        }
        Ok(if self.silence < 4 {
            Order::GoOn
        } else {
            Order::End
        })
    }
}

#[test]
fn a_camera_that_hangs_in_its_driver_gives_no_sign_of_life_and_does_not_keep_the_clip_from_its_end()
{
    let board = Board::read(&project().join("boards/sim.toml")).unwrap();
    let mut pipeline = Pipeline::load(&board).unwrap();
    let clip = project().join(".rigel/clips/franck.mp4");
    let clip = ClipSource::open(&clip, &Ffmpeg::find(&[ffmpeg().into()]).unwrap(), None);
    let (_kept, for_ever) = channel();
    let source = Box::new(Hanging {
        clip: clip.unwrap(),
        left: FRAMES,
        for_ever,
    });
    let (mut sink, mut control) = (Ends::default(), Listening::default());
    let end = pipeline.label(source, Search::Video, &mut sink, &mut control);
    assert_eq!(end.unwrap().frames, FRAMES);
    assert_eq!((control.labelled, control.signs_of_life), (FRAMES, 0));
    let (frames, damage) = sink.0.expect("the clip was closed");
    let damage = damage.unwrap_or_default();
    assert!(
        frames == FRAMES && damage.contains("did not let go"),
        "{damage}"
    );
}
