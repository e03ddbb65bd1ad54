//! After warm-up a frame allocates nothing in our code: on a device that runs for months, what is never allocated can
//! neither leak nor fragment nor wait for a lock.
//!
//! The parts are put together as `rigeld` does it and fed the demo clip, decoded beforehand. Counted are the allocations
//! of Rust code on this thread; what the model runtime does with its own allocator is not ours and not seen.

mod counting;

use board::Board;
use capture::{ClipSource, Ffmpeg, FrameBuffer, FrameInfo, FrameSource};
use counting::allocations_of;
use label_core::confidence::LogisticCalibration;
use label_core::labeller::{
    ClipLabeller, EyeMeasurement, Gate, ModelIndexes, PersonFrame, PersonMeasurement,
};
use label_core::wire::Label;
use label_core::{AbstainReason, CaptureTime, Confidence, EyeSide, FrameRange, TrackId};
use perception::{
    ColorRange, EyeReader, EyeTiles, FaceDetector, FaceDetectorKind, FaceMesh, FaceModels,
    FaceTracker, Filmstrip, ModelCard, Novelty, PersonFinder, Picture, Runtime, Search,
};
use std::path::{Path, PathBuf};

/// Frames after which every buffer has its size: four seconds of the clip, so the person was measured twice and an event
/// was told.
const WARM_UP: usize = 100;
/// Frames that may allocate nothing; they hold a blink, a long closure and four measurements of the person.
const WATCHED: usize = 200;

/// The line from a frame to its labels, as `rigeld` has it.
struct Line {
    faces: FaceTracker,
    persons: PersonFinder,
    strip: Filmstrip,
    labeller: Box<ClipLabeller>,
    measured: Vec<PersonMeasurement>,
    columns: Vec<EyeTiles>,
    told: Vec<Label>,
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie within the project")
}

fn fetched(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} is not there: run `cargo xtask setup`",
        path.display()
    );
    path
}

fn ffmpeg() -> Ffmpeg {
    let candidates = ["ffmpeg".into(), project().join(".rigel/bin/ffmpeg")];
    Ffmpeg::find(&candidates).expect("ffmpeg is needed: run `cargo xtask setup`")
}

fn open_demo_clip() -> ClipSource {
    let clip = fetched(project().join(".rigel/clips/franck.mp4"));
    ClipSource::open(&clip, &ffmpeg(), Some(15.0)).expect("the demo clip can be decoded")
}

fn gate() -> Gate {
    Gate {
        blink: 0.0,
        long_closure: 0.0,
        eyes: 0.0,
        person: 0.0,
        blink_calibration: LogisticCalibration {
            ceiling: 1.0,
            bias: 0.0,
            weights: [0.1; 8],
            ranges: [(-4.0, 4.0); 8],
        },
        long_closure_confidence: 0.6,
    }
}

impl Line {
    fn load() -> Self {
        let board = Board::read(&project().join("boards/sim.toml")).expect("the shipped board");
        let p = board.perception;
        let runtime = Runtime::load(&fetched(p.runtime.clone())).expect("the runtime loads");
        let card = |name: &str| ModelCard::read(&p.cards, name).expect("a shipped card");
        let detector = |kind, name: &str| {
            FaceDetector::load(kind, &card(name), &runtime, &p.files, p.threads)
                .expect("a face detector loads")
        };
        let models = FaceModels {
            short_range: detector(FaceDetectorKind::ShortRange, &p.short_range),
            full_range: detector(FaceDetectorKind::FullRange, &p.full_range),
            mesh: FaceMesh::load(&card(&p.mesh), &runtime, &p.files, p.threads)
                .expect("the mesh loads"),
            reader: EyeReader::load(&card(&p.eye_reader), &runtime, &p.files, p.threads)
                .expect("the eye reader loads"),
        };
        let (person, mask) = (card(&p.person), card(&p.person_mask));
        let persons = PersonFinder::load(&person, &mask, &runtime, &p.files, p.threads);
        let indexes = ModelIndexes {
            eyes: 0,
            person: 1,
            blink: 2,
        };
        Self {
            faces: FaceTracker::new(models, p.max_faces),
            persons: persons.expect("the person models load"),
            strip: Filmstrip::new(512),
            labeller: Box::new(ClipLabeller::new(gate(), indexes)),
            measured: Vec::with_capacity(8),
            columns: Vec::with_capacity(512),
            told: Vec::with_capacity(64),
        }
    }

    fn observe(&mut self, picture: &Picture<'_>, info: FrameInfo) {
        let novelty = if info.same_pixels {
            Novelty::SamePixels
        } else {
            Novelty::New
        };
        self.faces
            .observe(picture, info.at, Search::Video, novelty)
            .expect("the face models run");
        self.persons
            .observe(picture, info.at, &mut self.faces)
            .expect("the person models run");
        for face in self.faces.faces() {
            let openness = EyeSide::BOTH.map(|side| {
                (!face.eyes.is_turned_away(side)).then_some(face.eyes.side(side).openness)
            });
            self.strip.record(picture, info.index, &face.eyes, openness);
        }
        self.measure();
        let told = &mut self.told;
        self.labeller
            .observe(info.index, info.at, &self.measured, |label| {
                // Room was made beforehand: a label is a value and goes on as one.
                if told.len() < told.capacity() {
                    told.push(label);
                }
            });
        // What the evidence of an event begins with.
        let recent = FrameRange::new(info.index.saturating_sub(20), info.index);
        self.columns.clear();
        self.columns.extend(self.strip.frames(recent).copied());
    }

    fn measure(&mut self) {
        self.measured.clear();
        let sure = Confidence::new(0.9).expect("a share");
        for person in self.persons.persons() {
            let of = |track: &TrackId| *track == person.track;
            let face = self.faces.faces().iter().find(|face| of(&face.track));
            let eye = |side| {
                let face = face
                    .filter(|face| !face.eyes.is_turned_away(side))
                    .ok_or(AbstainReason::EyeTurnedAway)?;
                let eye = face.eyes.side(side);
                Ok(EyeMeasurement {
                    center: eye.center,
                    confidence: sure,
                    openness: eye.openness,
                })
            };
            let bounds = person.bounds.map(|(bounds, _)| (bounds, sure));
            self.measured.push(PersonMeasurement {
                track: person.track,
                frame: PersonFrame {
                    person: bounds.ok_or(AbstainReason::LowConfidence),
                    person_score: person.score,
                    left: eye(EyeSide::Left),
                    right: eye(EyeSide::Right),
                    face_score: face.map_or(0.0, |face| face.mesh.presence),
                    yaw: face.map_or(0.0, |face| face.eyes.yaw),
                },
            });
        }
    }
}

fn picture(frame: &FrameBuffer) -> Picture<'_> {
    let (luma, chroma) = (frame.luma(), frame.chroma());
    Picture::new(frame.width, frame.height, luma, chroma, ColorRange::Limited)
        .expect("a frame has pixels")
}

/// Frames and how often each allocated, without those that did not.
fn busy(counts: &[u64]) -> Vec<(usize, u64)> {
    let counts = counts.iter().copied().enumerate();
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn a_frame_of_a_tracked_face_allocates_nothing() {
    let mut source = open_demo_clip();
    let mut frames = Vec::new();
    for _ in 0..WARM_UP + WATCHED {
        let mut frame = FrameBuffer::default();
        assert!(
            source
                .next_into(&mut frame)
                .expect("the clip can be decoded")
        );
        frames.push(frame);
    }
    let mut line = Line::load();
    for frame in &frames[..WARM_UP] {
        line.observe(&picture(frame), frame.info);
    }
    assert_eq!(line.faces.faces().len(), 1, "the driver is tracked");
    let before = line.told.len();
    let counts: Vec<u64> = frames[WARM_UP..]
        .iter()
        .map(|frame| allocations_of(|| line.observe(&picture(frame), frame.info)))
        .collect();
    assert!(
        line.told.len() >= before + 4,
        "labels were told meanwhile: what ends a segment or an event was seen too"
    );
    assert_eq!(busy(&counts), [], "frames after warm-up that allocated");
}

#[test]
fn a_frame_without_a_face_allocates_nothing_however_far_the_search_goes() {
    let mut line = Line::load();
    let mut source = open_demo_clip();
    let mut frame = FrameBuffer::default();
    let more = source.next_into(&mut frame);
    assert!(more.expect("the clip can be decoded"));
    // A face, so that everything was used once; then everybody is gone.
    line.observe(&picture(&frame), frame.info);
    assert_eq!(line.faces.faces().len(), 1);
    let (width, height) = (640, 360);
    let stripes: Vec<u8> = (0..width * height).map(|at| (at % 97) as u8).collect();
    let empty = Picture::new(width, height, &stripes, None, ColorRange::Full).expect("pixels");
    let mut info = frame.info;
    let mut next = || {
        info.index += 1;
        info.at = CaptureTime(info.at.us() + 40_000);
        allocations_of(|| line.observe(&empty, info))
    };
    for _ in 0..20 {
        next();
    }
    let counts: Vec<u64> = std::iter::repeat_with(next).take(60).collect();
    assert!(line.faces.faces().is_empty());
    assert_eq!(busy(&counts), [], "frames after warm-up that allocated");
}

#[test]
fn the_thread_that_takes_frames_from_the_decoder_allocates_nothing() {
    let mut source = open_demo_clip();
    let mut frame = FrameBuffer::default();
    let mut next = || {
        let more = source.next_into(&mut frame);
        assert!(more.expect("the clip can be decoded"));
    };
    for _ in 0..WARM_UP {
        next();
    }
    let counts: Vec<u64> = (0..WATCHED).map(|_| allocations_of(&mut next)).collect();
    assert_eq!(busy(&counts), [], "frames after warm-up that allocated");
}
