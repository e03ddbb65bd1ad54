//! The line, from a frame to its labels.
//!
//! ```text
//! FrameSource ─▶ faces ─▶ eyes ─▶ person ─▶ calibration ─▶ ClipLabeller ─▶ Sink
//!  (own thread)  search or mesh    box        confidence     gate, tracks,   file or outbox
//!                                                            events
//! ```
//!
//! Frames travel in a fixed set of buffers between two threads: the capture thread fills them, this one empties them.
//! Clips lose no frame: when this thread is slower, the capture thread waits.

use crate::calibration::Calibration;
use crate::stages::{Stage, Stages};
use anyhow::{Context, Result};
use board::Board;
use capture::{CaptureError, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use label_core::labeller::{
    ClipLabeller, EyeMeasurement, MAX_PERSONS, ModelIndexes, PersonFrame, PersonMeasurement,
};
use label_core::wire::{Label, ModelRef};
use label_core::{AbstainReason, Confidence, EyeSide, FrameRange, LabelKind, TrackId};
use perception::{
    ColorRange, EyeReader, Eyes, FaceDetector, FaceDetectorKind, FaceMesh, FaceModels, FaceTracker,
    Filmstrip, ModelCard, Novelty, PersonFinder, Picture, Runtime, Search,
};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, atomic::AtomicBool, atomic::Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Frames on their way between the threads.
const BUFFERS: usize = 4;

/// Frames that a filmstrip reaches back: twice a blink, its margins and the lag at 60 frames a second; 4 MB a person. Of a
/// longer closure the strip shows the end.
const STRIP_FRAMES: usize = 256;

/// Filmstrips kept, of 4 MB each: one for each person that can be in view. People come and go all day, and the memory
/// for them must not grow with their number.
const MAX_STRIPS: usize = MAX_PERSONS;

/// Takes what the line makes.
pub trait Sink {
    /// The first frame is known.
    fn opened(&mut self, info: &SourceInfo) -> Result<()>;
    /// A frame went through the line.
    fn frame(&mut self, info: &FrameInfo) -> Result<()>;
    /// A label is certain. `strip` is there for events, while their frames are still held.
    fn label(&mut self, label: Label, strip: Option<&mut Filmstrip>) -> Result<()>;
    /// The clip is over.
    fn closed(&mut self, clip: &ClipEnd) -> Result<()>;
}

/// What is known of a clip at its end.
#[derive(Debug, Default)]
pub struct ClipEnd {
    /// Decoded frames.
    pub frames: u32,
    /// Of these, repeats of the frame before.
    pub repeated: u32,
    /// People seen.
    pub tracks: u32,
    /// What was wrong with the media.
    pub damage: Option<String>,
    /// Why the source ended before its time; what came before is labelled.
    pub failure: Option<CaptureError>,
}

/// The loaded models, and what the line keeps from frame to frame.
pub struct Pipeline {
    faces: FaceTracker,
    persons: PersonFinder,
    calibration: Calibration,
    /// One a tracked face, at most [`MAX_STRIPS`], the one used last at the end.
    strips: Vec<(TrackId, Filmstrip)>,
    measured: Vec<PersonMeasurement>,
    /// What labels refer to, at the places of [`MODELS`].
    models: Vec<ModelRef>,
    /// Every model in use.
    loaded: Vec<ModelRef>,
    runtime: ModelRef,
    /// Time spent so far.
    pub stages: Stages,
    /// How often the mesh looked at a face so far.
    pub mesh_looks: u64,
}

/// Places in the model table.
const MODELS: ModelIndexes = ModelIndexes {
    eyes: 0,
    person: 1,
    blink: 2,
};

impl Pipeline {
    /// Loads the models that the board names.
    pub fn load(board: &Board) -> Result<Self> {
        let p = &board.perception;
        let runtime = Runtime::load(&p.runtime).context("cannot load the model runtime")?;
        let card = |name: &str| {
            ModelCard::read(&p.cards, name).with_context(|| format!("cannot use model {name}"))
        };
        let detector = |kind, name: &str| -> Result<FaceDetector> {
            FaceDetector::load(kind, &card(name)?, &runtime, &p.files, p.threads)
                .with_context(|| format!("cannot load model {name}"))
        };
        let (mesh_card, reader_card) = (card(&p.mesh)?, card(&p.eye_reader)?);
        let face_models = FaceModels {
            short_range: detector(FaceDetectorKind::ShortRange, &p.short_range)?,
            full_range: detector(FaceDetectorKind::FullRange, &p.full_range)?,
            mesh: FaceMesh::load(&mesh_card, &runtime, &p.files, p.threads)
                .context("cannot load the face mesh")?,
            reader: EyeReader::load(&reader_card, &runtime, &p.files, p.threads)
                .context("cannot load the eye reader")?,
        };
        let faces = FaceTracker::new(face_models, p.max_faces);
        let (person_card, mask_card) = (card(&p.person)?, card(&p.person_mask)?);
        let persons = PersonFinder::load(&person_card, &mask_card, &runtime, &p.files, p.threads)
            .context("cannot load the person models")?;
        let calibration = Calibration::read(&p.calibration)?;
        let of_card = |card: &ModelCard| crate::model_ref(&card.name, &card.version, &card.sha256);
        let models = vec![
            of_card(&mesh_card)?,
            of_card(&person_card)?,
            calibration.reference.clone(),
        ];
        let mut loaded = models.clone();
        for card in [
            &reader_card,
            &mask_card,
            &card(&p.short_range)?,
            &card(&p.full_range)?,
        ] {
            loaded.push(of_card(card)?);
        }
        Ok(Self {
            faces,
            persons,
            calibration,
            strips: Vec::new(),
            measured: Vec::new(),
            models,
            loaded,
            runtime: crate::model_ref("litert", perception::RUNTIME_VERSION, runtime.sha256())?,
            stages: Stages::default(),
            mesh_looks: 0,
        })
    }

    /// The model table that labels refer to.
    pub fn models(&self) -> &[ModelRef] {
        &self.models
    }

    /// Every model in use, for the birth message.
    pub fn loaded(&self) -> &[ModelRef] {
        &self.loaded
    }

    /// The model runtime.
    pub fn runtime(&self) -> &ModelRef {
        &self.runtime
    }

    /// Labels one source from its first frame to its last, or until `stop`.
    pub fn label(
        &mut self,
        source: Box<dyn FrameSource>,
        search: Search,
        sink: &mut dyn Sink,
        stop: &Arc<AtomicBool>,
    ) -> Result<ClipEnd> {
        self.faces.reset();
        self.persons.reset();
        for (_, strip) in &mut self.strips {
            strip.clear();
        }
        let mut labeller = Box::new(ClipLabeller::new(self.calibration.gate.clone(), MODELS));
        let mut end = ClipEnd::default();
        sink.opened(source.info())?;
        let frames = Frames::start(source, Arc::clone(stop))?;
        let ending = loop {
            let waited = Instant::now();
            let next = frames.next();
            self.stages.add(Stage::Decode, waited.elapsed());
            match next {
                Next::Frame(frame) => {
                    self.frame(&frame, search, &mut labeller, sink)?;
                    end.frames += 1;
                    end.repeated += u32::from(frame.info.repeat);
                    self.stages.count_frame();
                    frames.give_back(frame);
                }
                Next::End(ending) => break ending,
            }
        };
        self.finish(&mut labeller, sink)?;
        end.tracks = labeller.tracks();
        end.damage = ending.damage;
        sink.closed(&end)?;
        end.failure = ending.error;
        Ok(end)
    }

    fn frame(
        &mut self,
        frame: &FrameBuffer,
        search: Search,
        labeller: &mut ClipLabeller,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let range = if frame.full_range {
            ColorRange::Full
        } else {
            ColorRange::Limited
        };
        let picture = Picture::new(
            frame.width,
            frame.height,
            frame.luma(),
            frame.chroma(),
            range,
        )
        .context("the frame has no pixels")?;
        let info = frame.info;
        let start = Instant::now();
        let novelty = if info.same_pixels {
            Novelty::SamePixels
        } else {
            Novelty::New
        };
        self.faces.observe(&picture, info.at, search, novelty)?;
        let times = self.faces.times();
        self.mesh_looks += u64::from(times.looks);
        self.persons.observe(&picture, info.at, &mut self.faces)?;
        let person_times = self.persons.times();
        let spent = times.crop
            + times.detect
            + times.mesh
            + times.eyes
            + person_times.crop
            + person_times.infer;
        self.stages.add(Stage::Crop, times.crop + person_times.crop);
        self.stages.add(Stage::Detect, times.detect);
        self.stages.add(Stage::Mesh, times.mesh);
        self.stages.add(Stage::Eyes, times.eyes);
        self.stages.add(Stage::Person, person_times.infer);

        let strips = Instant::now();
        for face in self.faces.faces() {
            let openness = EyeSide::BOTH.map(|side| {
                (!face.eyes.is_turned_away(side)).then_some(face.eyes.side(side).openness)
            });
            strip_of(&mut self.strips, face.track)
                .record(&picture, info.index, &face.eyes, openness);
        }
        let strip_time = strips.elapsed();
        self.stages.add(Stage::Strip, strip_time);

        self.measure();
        let (strips, mut write, mut failure) = (&mut self.strips, Duration::ZERO, None);
        labeller.observe(info.index, info.at, &self.measured, |label| {
            let start = Instant::now();
            let result = {
                let strip = strip_for(strips, &label);
                sink.label(label, strip)
            };
            failure = failure.take().or(result.err());
            write += start.elapsed();
        });
        let writing = Instant::now();
        let told = sink.frame(&info);
        write += writing.elapsed();
        self.stages.add(Stage::Write, write);
        self.stages.add(
            Stage::Label,
            start.elapsed().saturating_sub(spent + strip_time + write),
        );
        failure.map_or(told, Err)
    }

    /// Puts what was seen of each person into the words of the labeller.
    fn measure(&mut self) {
        self.measured.clear();
        for person in self.persons.persons() {
            let face = self
                .faces
                .faces()
                .iter()
                .find(|face| face.track == person.track);
            let boxed = person
                .bounds
                .map(|(bounds, features)| (bounds, self.calibration.person.confidence(features)));
            // Without a face, a box that would not be offered is no ground to say that somebody is there.
            let sure = boxed
                .is_some_and(|(_, confidence)| confidence.get() >= self.calibration.gate.person);
            if face.is_none() && !sure {
                continue;
            }
            let away = Err(AbstainReason::EyeTurnedAway);
            let eye = |eyes: &Eyes, side| -> Result<EyeMeasurement, AbstainReason> {
                if eyes.is_turned_away(side) {
                    return away;
                }
                let features = [(8.0 / eyes.distance().max(1.0)).ln(), eyes.yaw.abs() / 45.0];
                let confidence: Confidence = self.calibration.eyes.confidence(features);
                let eye = eyes.side(side);
                Ok(EyeMeasurement {
                    center: eye.center,
                    confidence,
                    openness: eye.openness,
                })
            };
            self.measured.push(PersonMeasurement {
                track: person.track,
                frame: PersonFrame {
                    person: boxed.ok_or(AbstainReason::LowConfidence),
                    person_score: person.score,
                    left: face.map_or(away, |face| eye(&face.eyes, EyeSide::Left)),
                    right: face.map_or(away, |face| eye(&face.eyes, EyeSide::Right)),
                    face_score: face.map_or(0.0, |face| face.mesh.presence),
                    yaw: face.map_or(0.0, |face| face.eyes.yaw),
                },
            });
        }
    }

    fn finish(&mut self, labeller: &mut ClipLabeller, sink: &mut dyn Sink) -> Result<()> {
        let (strips, mut failure) = (&mut self.strips, None);
        labeller.finish(|label| {
            let result = {
                let strip = strip_for(strips, &label);
                sink.label(label, strip)
            };
            failure = failure.take().or(result.err());
        });
        failure.map_or(Ok(()), Err)
    }
}

/// The strip of a person, begun if there is none; whoever was seen longest ago gives up theirs where all are taken.
fn strip_of(strips: &mut Vec<(TrackId, Filmstrip)>, track: TrackId) -> &mut Filmstrip {
    let place = strips.iter().position(|(of, _)| *of == track);
    let place = place.unwrap_or_else(|| {
        if strips.len() < MAX_STRIPS {
            strips.push((track, Filmstrip::new(STRIP_FRAMES)));
            return strips.len() - 1;
        }
        strips[0].0 = track;
        strips[0].1.clear();
        0
    });
    // Ordered by when they were last used.
    strips[place..].rotate_left(1);
    let last = strips.len() - 1;
    &mut strips[last].1
}

fn strip_for<'a>(
    strips: &'a mut [(TrackId, Filmstrip)],
    label: &Label,
) -> Option<&'a mut Filmstrip> {
    let is_event =
        matches!(label.kind, LabelKind::Blink | LabelKind::LongClosure) && label.value.is_some();
    let track = label.track.filter(|_| is_event)?;
    strips
        .iter_mut()
        .find(|(of, _)| *of == track)
        .map(|(_, strip)| strip)
}

/// Frames around an event that its evidence shows: about a quarter of a second at 30 frames a second.
pub(crate) fn with_margin(frames: FrameRange) -> FrameRange {
    const MARGIN: u32 = 8;
    FrameRange::new(
        frames.start.saturating_sub(MARGIN),
        frames.end.saturating_add(MARGIN),
    )
}

/// How the source ended.
struct Ending {
    damage: Option<String>,
    error: Option<CaptureError>,
}

enum Next {
    Frame(FrameBuffer),
    End(Ending),
}

/// The capture thread and the buffers between it and us.
struct Frames {
    filled: Receiver<Next>,
    empty: SyncSender<FrameBuffer>,
}

impl Frames {
    fn start(mut source: Box<dyn FrameSource>, stop: Arc<AtomicBool>) -> Result<Self> {
        // Bounded, so that they allocate once; there is room for every buffer and the end.
        let (empty, to_fill) = sync_channel::<FrameBuffer>(BUFFERS);
        let (fill, filled) = sync_channel(BUFFERS + 1);
        for _ in 0..BUFFERS {
            empty
                .send(FrameBuffer::default())
                .context("the receiver is held here")?;
        }
        let capture = move || {
            let mut error = None;
            // Ends with the source, with the reader, or when asked to.
            while let Ok(mut frame) = to_fill.recv() {
                match source.next_into(&mut frame) {
                    Ok(true) if !stop.load(Relaxed) => {
                        if fill.send(Next::Frame(frame)).is_err() {
                            return;
                        }
                    }
                    Ok(_) => break,
                    Err(failure) => {
                        error = Some(failure);
                        break;
                    }
                }
            }
            let _ = fill.send(Next::End(Ending {
                damage: source.damage(),
                error,
            }));
        };
        thread::Builder::new()
            .name("capture".into())
            .spawn(capture)
            .context("cannot start the capture thread")?;
        Ok(Self { filled, empty })
    }

    fn next(&self) -> Next {
        self.filled.recv().unwrap_or(Next::End(Ending {
            damage: None,
            error: None,
        }))
    }

    fn give_back(&self, frame: FrameBuffer) {
        // After the end nobody takes it; then it is dropped.
        let _ = self.empty.send(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_people_come_there_are_few_strips_and_whoever_is_in_view_keeps_theirs() {
        let mut strips = Vec::new();
        strip_of(&mut strips, 1);
        for passer_by in 2..50 {
            strip_of(&mut strips, passer_by);
            strip_of(&mut strips, 1);
            assert!(strips.len() <= MAX_STRIPS);
            assert!(strips.iter().any(|(of, _)| *of == passer_by));
        }
        assert_eq!(strips.iter().filter(|(of, _)| *of == 1).count(), 1);
    }
}
