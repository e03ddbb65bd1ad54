//! A store with the clips that importers trip over, and what is true of them, said independently of any export.

mod maker;

use label_core::wire::{ClipEvent, DroppedFrames, LabelValue, RecordedSegment};
use label_core::{AbstainReason, LabelKind};
use label_store::LabelStore;
use maker::{Maker, Then, boxes, event, points, steady};
use std::path::Path;

/// Text that needs escaping in every format there is.
pub(crate) const AWKWARD: &str = "A \"quoted\" <näme> & 'más', 車.mp4";
pub(crate) const REVIEWER: &str = "Zoë \"Z\" O'Neil <z@x>";

/// One label as it is true of the store.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) clip: &'static str,
    pub(crate) kind: LabelKind,
    pub(crate) track: Option<u16>,
    pub(crate) frames: (u32, u32),
    pub(crate) value: LabelValue,
    /// machine, confirmed, corrected, created or rejected.
    pub(crate) standing: &'static str,
}

/// A frame's place: x, y and, of a box, width and height.
pub(crate) type Place = Vec<f64>;

impl Fact {
    /// Where it is at a frame, by the rule that the wire format states: linear between keyframes.
    pub(crate) fn place(&self, frame: u32) -> Option<Place> {
        let keys: Vec<(u32, Place)> = match &self.value {
            LabelValue::Boxes(keys) => keys
                .iter()
                .map(|k| (k.0, [k.1, k.2, k.3, k.4].map(f64::from).to_vec()))
                .collect(),
            LabelValue::Points(keys) => keys
                .iter()
                .map(|k| (k.0, [k.1, k.2].map(f64::from).to_vec()))
                .collect(),
            _ => return None,
        };
        let next = keys.iter().position(|key| key.0 >= frame)?;
        if keys[next].0 == frame {
            return Some(keys[next].1.clone());
        }
        let (a, b) = (&keys[next.checked_sub(1)?], &keys[next]);
        let share = f64::from(frame - a.0) / f64::from(b.0 - a.0);
        let mix = |(a, b): (&f64, &f64)| a + (b - a) * share;
        Some(a.1.iter().zip(&b.1).map(mix).collect())
    }

    pub(crate) fn keyframes(&self) -> Vec<u32> {
        match &self.value {
            LabelValue::Boxes(keys) => keys.iter().map(|key| key.0).collect(),
            LabelValue::Points(keys) => keys.iter().map(|key| key.0).collect(),
            _ => Vec::new(),
        }
    }
}

pub(crate) struct ClipFact {
    pub(crate) id: &'static str,
    pub(crate) size: (u32, u32),
    pub(crate) pts_us: Vec<i64>,
    pub(crate) fps: f64,
}

/// Clip, kind, track, frames, reason.
pub(crate) type Silence = (
    &'static str,
    LabelKind,
    Option<u16>,
    (u32, u32),
    &'static str,
);

pub(crate) struct World {
    pub(crate) facts: Vec<Fact>,
    pub(crate) clips: Vec<ClipFact>,
    pub(crate) silences: Vec<Silence>,
}

impl World {
    pub(crate) fn clip(&self, id: &str) -> &ClipFact {
        self.clips
            .iter()
            .find(|clip| clip.id == id)
            .expect("the clip is made below")
    }
}

pub(crate) const DRIVE: &str = "rig-1:1048577:1";
pub(crate) const PORTRAIT: &str = "rig-2:2097154:1";
pub(crate) const UNEVEN: &str = "rig.3_x:3145731:1";
pub(crate) const EMPTY: &str = "rig-4:4194308:1";

/// Fills a store in this folder.
pub(crate) async fn fill(folder: &Path) -> World {
    use LabelKind::{
        Alertness, BboxPerson, Blink, FaceOccluded, KeypointLeftEye, KeypointRightEye, LightChange,
        LongClosure, VideoQuality, WearingGlasses,
    };
    let store = LabelStore::open(&folder.join("rigel.sqlite"))
        .await
        .unwrap();
    let mut maker = Maker {
        store: &store,
        world: World {
            facts: Vec::new(),
            clips: Vec::new(),
            silences: Vec::new(),
        },
    };

    // Several people; tracks from the first frame to the last; every standing there is.
    let fact = ClipFact {
        id: DRIVE,
        size: (640, 480),
        pts_us: steady(300, 30.0),
        fps: 30.0,
    };
    let mut clip = maker.clip(DRIVE, AWKWARD, fact, (&[7, 8, 120], &[])).await;
    // A long track travels as labels that follow each other.
    let first = boxes(&[
        (0, 10.25, 20.5, 200.0, 300.75),
        (60, 30.5, 22.0, 210.5, 310.0),
        (127, 40.0, 20.0, 200.0, 300.0),
    ]);
    clip.offer(BboxPerson, Some(1), (0, 127), first, Then::Accept)
        .await;
    let second = boxes(&[
        (128, 40.5, 20.0, 200.0, 300.0),
        (299, 100.13, 30.0, 220.0, 320.0),
    ]);
    clip.offer(BboxPerson, Some(1), (128, 299), second, Then::Accept)
        .await;
    let left = points(&[(0, 150.11, 90.22), (150, 160.0, 95.0), (299, 170.33, 92.44)]);
    clip.offer(KeypointLeftEye, Some(1), (0, 299), left, Then::Accept)
        .await;
    let wrong = points(&[(0, 50.0, 50.0), (299, 50.0, 50.0)]);
    let right = points(&[(0, 110.5, 91.5), (299, 130.5, 93.5)]);
    clip.offer(
        KeypointRightEye,
        Some(1),
        (0, 299),
        wrong,
        Then::Correct((0, 299), Some(right)),
    )
    .await;
    let other = boxes(&[
        (50, 400.0, 100.0, 120.0, 250.0),
        (120, 380.0, 110.0, 130.0, 260.0),
    ]);
    clip.offer(BboxPerson, Some(2), (50, 120), other, Then::Waits)
        .await;
    // Somebody whose eye is told, and no box.
    let eye = points(&[(60, 450.0, 150.0), (100, 440.0, 152.5)]);
    clip.offer(KeypointLeftEye, Some(2), (60, 100), eye, Then::Accept)
        .await;
    let nobody = boxes(&[
        (10, 600.0, 400.0, 30.0, 60.0),
        (20, 600.0, 400.0, 30.0, 60.0),
    ]);
    clip.offer(
        BboxPerson,
        Some(3),
        (10, 20),
        nobody,
        Then::Reject("not-a-person"),
    )
    .await;
    clip.offer(Blink, Some(1), (0, 6), event(3), Then::Accept)
        .await;
    clip.offer(
        Blink,
        Some(1),
        (150, 156),
        event(152),
        Then::Reject("look-down"),
    )
    .await;
    clip.offer(
        Blink,
        Some(1),
        (292, 298),
        event(295),
        Then::Correct((293, 299), None),
    )
    .await;
    clip.offer(Blink, Some(2), (70, 76), event(72), Then::Waits)
        .await;
    clip.create(LongClosure, Some(1), (200, 230), event(210))
        .await;
    clip.offer(
        WearingGlasses,
        Some(1),
        (0, 299),
        LabelValue::Flag(true),
        Then::Accept,
    )
    .await;
    clip.offer(
        FaceOccluded,
        Some(1),
        (100, 149),
        LabelValue::Flag(false),
        Then::Accept,
    )
    .await;
    clip.offer(
        Alertness,
        Some(1),
        (0, 149),
        LabelValue::Level(4),
        Then::Accept,
    )
    .await;
    clip.offer(
        LightChange,
        None,
        (30, 31),
        LabelValue::Flag(true),
        Then::Accept,
    )
    .await;
    clip.offer(
        VideoQuality,
        None,
        (0, 299),
        LabelValue::Level(3),
        Then::Accept,
    )
    .await;
    clip.abstain(Alertness, Some(2), (50, 120), AbstainReason::Passenger)
        .await;
    clip.abstain(
        KeypointRightEye,
        Some(2),
        (60, 100),
        AbstainReason::EyeTurnedAway,
    )
    .await;
    clip.abstain(BboxPerson, None, (0, 5), AbstainReason::NoPerson)
        .await;
    clip.close(true).await;

    // Portrait, at a broadcast rate, with repeats; a box that leaves the picture.
    let fact = ClipFact {
        id: PORTRAIT,
        size: (540, 960),
        pts_us: steady(100, 30000.0 / 1001.0),
        fps: 30000.0 / 1001.0,
    };
    let mut clip = maker
        .clip(PORTRAIT, "portrait.mov", fact, (&[1, 3, 5, 99], &[]))
        .await;
    let leaves = boxes(&[
        (0, -20.0, 100.0, 300.0, 900.0),
        (99, 300.0, 80.0, 300.5, 800.0),
    ]);
    clip.offer(BboxPerson, Some(7), (0, 99), leaves, Then::Accept)
        .await;
    let eye = points(&[(0, 120.25, 200.75), (99, 400.5, 190.0)]);
    clip.offer(KeypointRightEye, Some(7), (0, 99), eye, Then::Accept)
        .await;
    clip.offer(Blink, Some(7), (40, 47), event(43), Then::Accept)
        .await;
    clip.close(false).await;

    // Uneven, with frames lost; a track with a hole.
    let mut pts_us = steady(60, 15.0);
    for time in &mut pts_us[20..] {
        *time += 1_234_567;
    }
    let fact = ClipFact {
        id: UNEVEN,
        size: (1280, 720),
        pts_us,
        fps: 15.0,
    };
    let gap = DroppedFrames {
        before: 20,
        count: 18,
    };
    let mut clip = maker.clip(UNEVEN, "usb camera", fact, (&[], &[gap])).await;
    let before = boxes(&[
        (0, 500.0, 100.0, 300.0, 600.0),
        (19, 510.0, 100.0, 300.0, 600.0),
    ]);
    clip.offer(BboxPerson, Some(1), (0, 19), before, Then::Accept)
        .await;
    let after = boxes(&[
        (25, 520.0, 110.0, 300.0, 600.0),
        (59, 530.0, 100.0, 310.0, 610.0),
    ]);
    clip.offer(BboxPerson, Some(1), (25, 59), after, Then::Accept)
        .await;
    clip.offer(Blink, Some(1), (18, 24), event(21), Then::Accept)
        .await;
    clip.abstain(Blink, Some(1), (19, 20), AbstainReason::FramesMissing)
        .await;
    clip.close(false).await;

    let fact = ClipFact {
        id: EMPTY,
        size: (640, 480),
        pts_us: steady(50, 25.0),
        fps: 25.0,
    };
    maker
        .clip(EMPTY, "nobody.mp4", fact, (&[], &[]))
        .await
        .close(false)
        .await;
    let Maker { world, .. } = maker;
    store.close().await;
    world
}

/// A clip of which there are pictures.
pub(crate) struct Filmed {
    pub(crate) id: &'static str,
    pub(crate) name: String,
    pub(crate) size: (u32, u32),
    pub(crate) pts_us: Vec<i64>,
    pub(crate) fps: f64,
    /// Of its file.
    pub(crate) sha256: Option<String>,
    pub(crate) recorded: Vec<RecordedSegment>,
}

/// Fills a store with these clips, each with a person from the first frame to the last, and a blink.
pub(crate) async fn fill_with(folder: &Path, films: &[Filmed]) {
    let store = LabelStore::open(&folder.join("rigel.sqlite"))
        .await
        .unwrap();
    let mut maker = Maker {
        store: &store,
        world: World {
            facts: Vec::new(),
            clips: Vec::new(),
            silences: Vec::new(),
        },
    };
    for film in films {
        let fact = ClipFact {
            id: film.id,
            size: film.size,
            pts_us: film.pts_us.clone(),
            fps: film.fps,
        };
        let last = film.pts_us.len() as u32 - 1;
        let mut clip = maker.clip(film.id, &film.name, fact, (&[], &[])).await;
        let person = boxes(&[(0, 1.0, 2.0, 50.0, 60.0), (last, 9.0, 4.0, 50.0, 60.0)]);
        clip.offer(
            LabelKind::BboxPerson,
            Some(1),
            (0, last),
            person,
            Then::Accept,
        )
        .await;
        clip.offer(LabelKind::Blink, Some(1), (4, 9), event(6), Then::Accept)
            .await;
        for segment in &film.recorded {
            clip.event(ClipEvent::Recorded(segment.clone())).await;
        }
        clip.close_with(film.sha256.clone()).await;
    }
    store.close().await;
}
