//! What is left out when a rig sheds work, and that it is said. The policy that decides it is tested where it stands; here it
//! decides by the number of frames.

use crate::{ffmpeg, project};
use anyhow::Result;
use board::Board;
use capture::{CaptureError, ClipSource, Ffmpeg, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use label_core::wire::{KeyPicture, Label, Shed, ShedChange};
use label_core::{AbstainReason, LabelKind};
use perception::{Filmstrip, Search};
use rigeld::pipeline::{ClipEnd, Control, Order, Pipeline, Progress, Sink};

/// Frames labelled at each level.
const EACH: u32 = 40;

/// The demo clip as if a camera saw it.
struct AsCamera(ClipSource);

impl FrameSource for AsCamera {
    fn info(&self) -> &SourceInfo {
        self.0.info()
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        self.0.next_into(frame)
    }

    fn damage(&self) -> Option<String> {
        None
    }

    fn is_live(&self) -> bool {
        true
    }
}

#[derive(Default)]
struct Everything {
    frames: Vec<FrameInfo>,
    labels: Vec<Label>,
    changes: Vec<ShedChange>,
    pictures: Vec<u32>,
}

impl Sink for Everything {
    fn opened(&mut self, _: &SourceInfo) -> Result<()> {
        Ok(())
    }

    fn shed(&mut self, change: ShedChange) -> Result<()> {
        self.changes.push(change);
        Ok(())
    }

    fn frame(&mut self, info: &FrameInfo) -> Result<()> {
        self.frames.push(*info);
        Ok(())
    }

    fn label(&mut self, label: Label, _: Option<&mut Filmstrip>) -> Result<()> {
        self.labels.push(label);
        Ok(())
    }

    fn takes_pictures(&self) -> bool {
        true
    }

    fn picture(&mut self, shows: KeyPicture, _: &[u8]) -> Result<()> {
        self.pictures.push(shows.frame);
        Ok(())
    }

    fn closed(&mut self, _: &ClipEnd) -> Result<()> {
        Ok(())
    }
}

/// Sheds another step every [`EACH`] frames, and everything back at last.
struct StepByStep(u32);

impl Control for StepByStep {
    fn next(&mut self, progress: &Progress<'_>) -> Result<Order> {
        self.0 += u32::from(matches!(progress, Progress::Labelled(_)));
        Ok(if self.0 < 6 * EACH {
            Order::GoOn
        } else {
            Order::End
        })
    }

    fn shed(&self) -> Shed {
        match self.0 / EACH {
            1 => Shed::Attributes,
            2 => Shed::PersonBox,
            3 => Shed::HalfRate,
            4 => Shed::QuarterRate,
            _ => Shed::Nothing,
        }
    }
}

#[test]
fn what_is_shed_is_said_frame_by_frame_and_the_eyes_are_told_of_all_the_while() {
    let board = Board::read(&project().join("boards/sim.toml")).unwrap();
    let mut pipeline = Pipeline::load(&board).unwrap();
    let clip = project().join(".rigel/clips/franck.mp4");
    let source = ClipSource::open(&clip, &Ffmpeg::find(&[ffmpeg().into()]).unwrap(), None);
    let mut told = Everything::default();
    let source = Box::new(AsCamera(source.unwrap()));
    let end = pipeline.label(source, Search::Video, &mut told, &mut StepByStep(0));
    let end = end.unwrap();

    let levels: Vec<(u32, Shed)> = told.changes.iter().map(|c| (c.before, c.shed)).collect();
    let expected = [
        (EACH, Shed::Attributes),
        (2 * EACH, Shed::PersonBox),
        (3 * EACH, Shed::HalfRate),
        (4 * EACH, Shed::QuarterRate),
        (5 * EACH, Shed::Nothing),
    ];
    assert_eq!(levels, expected);
    assert_eq!(told.frames.len() as u32, end.frames);
    let dropped: u32 = told.frames.iter().map(|info| info.dropped_before).sum();
    assert_eq!(dropped, end.dropped);
    assert!(
        (EACH + 3 * EACH - 4..=EACH + 3 * EACH + 4).contains(&dropped),
        "{dropped}"
    );

    let of = |kind| told.labels.iter().filter(move |label| label.kind == kind);
    let shed = |kind| -> Vec<(u32, u32)> {
        of(kind)
            .filter(|label| label.reason == Some(AbstainReason::Shed))
            .map(|label| (label.frames.start, label.frames.end))
            .collect()
    };
    assert_eq!(
        shed(LabelKind::BboxPerson),
        [(2 * EACH, 5 * EACH - 1)],
        "boxes are abstained for just these frames"
    );
    for kind in [
        LabelKind::WearingGlasses,
        LabelKind::InShadow,
        LabelKind::FaceOccluded,
        LabelKind::VideoQuality,
    ] {
        // A look speaks for frames around it too.
        let frames: u32 = shed(kind)
            .iter()
            .map(|(first, last)| {
                assert!(
                    *first >= EACH && *last < 5 * EACH + 50,
                    "{kind}: {first}-{last}"
                );
                last - first + 1
            })
            .sum();
        assert!(frames > 2 * EACH, "{kind}: {frames} frames");
    }
    let eyes: u32 = of(LabelKind::KeypointLeftEye)
        .filter(|label| label.value.is_some())
        .map(|label| label.frames.frames())
        .sum();
    assert!(eyes > 5 * EACH, "positions of the eye go on: {eyes} frames");

    let pictures = &told.pictures;
    assert!(pictures.iter().any(|frame| *frame < EACH), "{pictures:?}");
    assert!(
        pictures.iter().any(|frame| *frame >= 5 * EACH),
        "{pictures:?}"
    );
    let meanwhile = pictures
        .iter()
        .filter(|frame| (EACH..5 * EACH).contains(*frame));
    assert_eq!(
        meanwhile.count(),
        0,
        "pictures are shed with the first step: {pictures:?}"
    );
}
