//! What is chosen, seen through the pictures that come out.

use super::*;
use crate::pipeline::ClipEnd;
use capture::SourceInfo;
use label_core::blink::{BLINK_FEATURES, BlinkCalibration, Familiar, Legibility};
use label_core::confidence::LogisticCalibration;
use label_core::labeller::PersonFrame;
use label_core::scene::GRID_CELLS;
use label_core::wire::{Decision, KeyPicture};
use label_core::{BoundingBox, Confidence};
use perception::{ColorRange, Filmstrip};

const SIZE: (u32, u32) = (64, 48);
const FRAME_US: i64 = 40_000;

#[derive(Default)]
struct Taken(Vec<(KeyPicture, usize)>);

impl Taken {
    fn frames(&self) -> Vec<u32> {
        self.0.iter().map(|(shows, _)| shows.frame).collect()
    }
}

impl Sink for Taken {
    fn opened(&mut self, _: &SourceInfo) -> Result<()> {
        Ok(())
    }
    fn frame(&mut self, _: &FrameInfo) -> Result<()> {
        Ok(())
    }
    fn label(&mut self, _: Label, _: Option<&mut Filmstrip>) -> Result<()> {
        Ok(())
    }
    fn picture(&mut self, shows: KeyPicture, jpeg: &[u8]) -> Result<()> {
        self.0.push((shows, jpeg.len()));
        Ok(())
    }
    fn closed(&mut self, _: &ClipEnd) -> Result<()> {
        Ok(())
    }
}

/// A clip of a light that can be moved, and somebody who comes and goes.
struct Line {
    pictures: Pictures,
    gate: Gate,
    taken: Taken,
    next: u32,
}

impl Line {
    fn new(is_on: bool) -> Self {
        let calibration = BlinkCalibration {
            logistic: LogisticCalibration {
                ceiling: 1.0,
                bias: 0.0,
                weights: [0.0; BLINK_FEATURES],
                ranges: [(0.0, 1.0); BLINK_FEATURES],
            },
            familiar: Familiar {
                least_contrast: 0.0,
                grain: (0.0, 1.0),
                most_disagreement: 1.0,
                ceiling: 0.89,
            },
        };
        let mut gate = Gate::new(calibration, 0.6);
        gate.offer(LabelKind::BboxPerson, 0.5);
        let mut pictures = Pictures::default();
        pictures.begin(SIZE, is_on);
        Self {
            pictures,
            gate,
            taken: Taken::default(),
            next: 0,
        }
    }

    /// One frame of this light; with somebody in view whose face is covered or not.
    fn frame(&mut self, light: u8, person: Option<bool>) {
        let luma = vec![light; (SIZE.0 * SIZE.1) as usize];
        let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
        let picture = Picture::new(width, height, &luma, None, ColorRange::Full).unwrap();
        let info = FrameInfo {
            index: self.next,
            at: CaptureTime(i64::from(self.next) * FRAME_US),
            ..FrameInfo::default()
        };
        self.next += 1;
        let away = Err(AbstainReason::EyeTurnedAway);
        let persons: Vec<_> = person
            .map(|covered| PersonMeasurement {
                track: 1,
                frame: PersonFrame {
                    person: Ok((
                        BoundingBox::new(0.0, 0.0, 9.0, 9.0),
                        Confidence::new(0.9).unwrap(),
                    )),
                    person_score: 1.0,
                    left: away,
                    right: away,
                    face_score: 1.0,
                    yaw: 0.0,
                    glasses: Look::NotLooked,
                    shadow: Look::NotLooked,
                    occluded: Look::Seen {
                        probability: if covered { 0.9 } else { 0.1 },
                        raw: 0.0,
                    },
                    motion: None,
                    legibility: Legibility::UNKNOWN,
                    sides: None,
                },
            })
            .into_iter()
            .collect();
        let grid = LightGrid::new([u16::from(light) * LightGrid::STEPS; GRID_CELLS]);
        self.pictures
            .look(&picture, &info, &persons, &Ok(grid), &self.gate);
        self.pictures.send(AtOnce::Few, &mut self.taken).unwrap();
    }

    fn frames(&mut self, count: u32, light: u8, person: Option<bool>) {
        for _ in 0..count {
            self.frame(light, person);
        }
    }

    fn tell(&mut self, kind: LabelKind, value: LabelValue, (start, end): (u32, u32)) {
        self.pictures.note(&Label {
            n: 0,
            kind,
            track: None,
            frames: FrameRange::new(start, end),
            pts_us: (CaptureTime(0), CaptureTime(0)),
            decision: Decision::Candidate,
            reason: None,
            confidence: None,
            raw: None,
            model: None,
            value: Some(value),
            signs: None,
            driver: false,
        });
    }

    fn ended(mut self) -> Taken {
        self.pictures.send(AtOnce::All, &mut self.taken).unwrap();
        self.taken
    }
}

const YES: LabelValue = LabelValue::Flag(true);

#[test]
fn labels_that_share_a_frame_share_a_picture_and_it_is_the_last_of_the_first_to_end() {
    let mut line = Line::new(true);
    line.frames(101, 90, Some(false));
    line.tell(LabelKind::BboxPerson, YES, (0, 60));
    line.tell(LabelKind::WearingGlasses, YES, (40, 100));
    line.tell(LabelKind::InShadow, YES, (0, 100));
    line.tell(LabelKind::VideoQuality, LabelValue::Level(3), (80, 100));
    let frames = line.ended().frames();
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert!((54..=60).contains(&frames[0]) && (94..=100).contains(&frames[1]));
}

#[test]
fn a_label_of_a_single_frame_has_its_picture_too() {
    let mut line = Line::new(true);
    line.frames(33, 90, None);
    line.frame(90, Some(false));
    line.frames(60, 90, None);
    line.tell(LabelKind::BboxPerson, YES, (33, 33));
    assert_eq!(line.ended().frames(), [33]);
}

#[test]
fn a_change_of_light_is_shown_before_and_after() {
    let mut line = Line::new(true);
    line.frames(52, 120, None);
    line.frame(90, None);
    line.frames(60, 60, None);
    line.tell(LabelKind::LightChange, YES, (52, 53));
    let frames = line.ended().frames();
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert!(
        (45..52).contains(&frames[0]) && frames[1] == 53,
        "{frames:?}"
    );
}

#[test]
fn a_face_that_is_covered_from_now_on_is_shown_at_once_and_not_again_when_it_flickers() {
    let mut line = Line::new(true);
    line.frames(30, 90, Some(false));
    line.frame(90, Some(true));
    assert_eq!(line.taken.frames(), [30]);
    line.frame(90, Some(false));
    line.frames(40, 90, Some(true));
    assert_eq!(line.ended().frames(), [30]);
}

#[test]
fn silence_and_events_need_no_picture_and_neither_does_a_sink_that_takes_none() {
    let mut line = Line::new(true);
    line.frames(50, 90, Some(false));
    let event = label_core::wire::EventValue {
        eyes: label_core::wire::EventEyes::Both,
        peak: 3,
        opening: 0.1,
    };
    line.tell(LabelKind::Blink, LabelValue::Event(event), (0, 40));
    assert_eq!(line.ended().frames(), [0; 0]);
    let mut line = Line::new(false);
    line.frames(50, 90, Some(true));
    line.tell(LabelKind::BboxPerson, YES, (0, 40));
    assert!(line.pictures.kept.is_empty());
    assert_eq!(line.ended().frames(), [0; 0]);
}

#[test]
fn what_was_kept_is_not_sent_once_work_is_shed() {
    let mut line = Line::new(true);
    line.frames(50, 90, Some(false));
    line.pictures.rest();
    line.tell(LabelKind::BboxPerson, YES, (0, 49));
    line.pictures.begin(SIZE, true);
    line.frames(10, 90, Some(false));
    line.tell(LabelKind::BboxPerson, YES, (50, 59));
    assert_eq!(line.ended().frames().len(), 1, "it goes on afterwards");
}

#[test]
fn a_light_that_flickers_for_minutes_leaves_frames_of_the_last_seconds_and_costs_no_memory() {
    let mut line = Line::new(true);
    for _ in 0..3000 {
        line.frame(80, Some(false));
        line.frame(100, Some(false));
        assert!(line.pictures.kept.len() <= KEPT);
        assert_eq!(line.pictures.kept.len() + line.pictures.spare.len(), KEPT);
    }
    let kept: Vec<u32> = line
        .pictures
        .kept
        .iter()
        .map(|kept| kept.frame.shows().frame)
        .collect();
    assert!(kept.is_sorted());
    let reach = f64::from(kept[KEPT - 1] - kept[0]) * FRAME_US as f64 * 1e-6;
    assert!((4.0..9.0).contains(&reach), "{reach} s");
    // Three seconds ago, when a change of light would be told.
    let (start, end) = (line.next - 85, line.next - 65);
    line.tell(LabelKind::LightChange, YES, (start, end));
    assert_eq!(line.ended().frames().len(), 2);
}

#[test]
fn a_budget_leaves_pictures_out_and_changes_have_them_longest() {
    let one = {
        let mut line = Line::new(true);
        line.frames(20, 90, None);
        line.tell(LabelKind::VideoQuality, LabelValue::Level(3), (0, 19));
        line.ended().0[0].1
    };
    let mut line = Line::new(true);
    let budget = 20 * one as u32;
    line.pictures.set_budget(budget);
    for at in 0..1500u32 {
        line.frame(90, Some(false));
        if at % 25 == 24 {
            line.tell(LabelKind::BboxPerson, YES, (at - 20, at));
        }
    }
    let taken = line.ended().0;
    let bytes: usize = taken.iter().map(|(_, bytes)| bytes).sum();
    assert!(bytes <= budget as usize, "{bytes} of {budget} in a minute");
    assert!((8..=20).contains(&taken.len()), "{} of 60", taken.len());
    let widest = taken
        .windows(2)
        .map(|pair| pair[1].0.frame - pair[0].0.frame)
        .max();
    assert!(
        widest.is_some_and(|frames| frames < 300),
        "spread over the minute: {widest:?}"
    );
}
