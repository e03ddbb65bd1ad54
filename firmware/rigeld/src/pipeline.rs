//! The line, from a frame to its labels.
//!
//! ```text
//! FrameSource ─▶ faces ─▶ eyes ─▶ person ─▶ calibration ─▶ ClipLabeller ─▶ Sink
//!  (own thread)  search or mesh    box        confidence     gate, tracks,   file or outbox
//!                                                            events
//! ```
//!
//! Frames travel in a fixed set of buffers between two threads: the capture thread fills them, this one empties them
//! (`frames`). Clips lose no frame. Live sources lose frames where the rig cannot follow or sheds work, and every one is
//! counted: frames of the source = frames labelled + frames dropped.

mod control;
mod frames;
mod light;
mod measure;
mod pictures;
mod sink;
mod strips;
mod thinning;

use crate::calibration::Calibration;
use crate::glasses::{self, GlassesLabeller};
use crate::labeller_card::{LABELLER_KINDS, LabellerCard};
use crate::occlusion::{self, OcclusionLabeller};
use crate::rubric::rubric;
use crate::stages::{Stage, Stages};
pub use control::{Control, Labelled, Order, Progress, ToTheEnd};
pub(crate) use pictures::picture_budget;
pub use sink::{ClipEnd, Sink};

use anyhow::{Context, Result};
use board::Board;
use capture::{FrameBuffer, FrameInfo, FrameSource};
use frames::{Frames, Next};
use label_core::labeller::{ClipLabeller, ModelIndexes, PersonMeasurement};
use label_core::wire::{ModelRef, Policy, Shed, ShedChange};
use label_core::{EyeSide, FrameRange, Gate, LabelKind};
use light::LightReaders;
use perception::{
    ColorRange, EyeReader, FaceDetector, FaceDetectorKind, FaceMesh, FaceModels, FaceTracker,
    ModelCard, Novelty, PersonFinder, PersonTimes, Picture, Runtime, Search,
};
use pictures::{AtOnce, Pictures};
use std::time::{Duration, Instant};
use strips::Strips;
use thinning::Thinning;

/// A capture thread that was asked to end and has not done so after this time is left behind: it hangs in the driver, or its
/// wait for a frame is a long one. The clip must be closed before the service manager loses patience.
const END_PATIENCE: Duration = Duration::from_secs(3);

/// A clip in the line.
struct Clip {
    labeller: Box<ClipLabeller>,
    search: Search,
    thinning: Thinning,
    shed: Shed,
    /// The last frame labelled; `None` before the first.
    last: Option<FrameInfo>,
    /// Lost, by what the source said of the frames it gave.
    lost: u64,
    end: ClipEnd,
}

/// The loaded models, and what the line keeps from frame to frame.
pub struct Pipeline {
    faces: FaceTracker,
    persons: PersonFinder,
    calibration: Calibration,
    /// The calibration's gate under the desk's policy.
    gate: Gate,
    /// `None` without its labeller card.
    glasses: Option<GlassesLabeller>,
    /// The same.
    occlusion: Option<OcclusionLabeller>,
    light: LightReaders,
    strips: Strips,
    pictures: Pictures,
    measured: Vec<PersonMeasurement>,
    /// What labels refer to.
    models: Vec<ModelRef>,
    /// Where in `models` each kind of label stands.
    indexes: ModelIndexes,
    /// Every model in use.
    loaded: Vec<ModelRef>,
    runtime: ModelRef,
    /// Time spent so far.
    pub stages: Stages,
    /// How often the mesh looked at a face so far.
    pub mesh_looks: u64,
}

impl Pipeline {
    /// Loads the models that the board names.
    pub fn load(board: &Board) -> Result<Self> {
        let p = &board.perception;
        let runtime = Runtime::load(&p.runtime).context("cannot load the model runtime")?;
        let card_named = |name: &str| {
            ModelCard::read(&p.cards, name).with_context(|| format!("cannot use model {name}"))
        };
        let detector = |kind, name: &str| -> Result<FaceDetector> {
            FaceDetector::load(kind, &card_named(name)?, &runtime, &p.files, p.threads)
                .with_context(|| format!("cannot load model {name}"))
        };
        let (mesh_card, reader_card) = (card_named(&p.mesh)?, card_named(&p.eye_reader)?);
        let face_models = FaceModels {
            short_range: detector(FaceDetectorKind::ShortRange, &p.short_range)?,
            full_range: detector(FaceDetectorKind::FullRange, &p.full_range)?,
            mesh: FaceMesh::load(&mesh_card, &runtime, &p.files, p.threads)
                .context("cannot load the face mesh")?,
            reader: EyeReader::load(&reader_card, &runtime, &p.files, p.threads)
                .context("cannot load the eye reader")?,
        };
        let faces = FaceTracker::new(face_models, p.max_faces)
            .searching_every(p.search_every_ms as f32 / 1000.0);
        let (person_card, mask_card) = (card_named(&p.person)?, card_named(&p.person_mask)?);
        let persons = PersonFinder::load(&person_card, &mask_card, &runtime, &p.files, p.threads)
            .context("cannot load the person models")?
            .measuring_every(p.person_every_ms as f32 / 1000.0);
        let mut calibration = Calibration::read(&p.calibration)?;
        let of_card = |card: &ModelCard| crate::model_ref(&card.name, &card.version, &card.sha256);
        let mut models = vec![
            of_card(&mesh_card)?,
            of_card(&person_card)?,
            calibration.reference.clone(),
        ];
        let mut indexes = ModelIndexes::new();
        let mut light = LightReaders::default();
        for (kind, index) in [
            (LabelKind::BboxPerson, 1),
            (LabelKind::Blink, 2),
            (LabelKind::LongClosure, 2),
        ] {
            indexes.set(kind, index);
        }
        let (mut glasses, mut occlusion, mut own) = (None, None, Vec::new());
        for kind in LABELLER_KINDS {
            let Some(card) = LabellerCard::read(&p.cards, kind)? else {
                continue;
            };
            if kind == LabelKind::Alertness {
                calibration.gate.alertness = Some(rubric(&card)?);
            }
            calibration.gate.offer(kind, card.threshold);
            light.take(kind, &card, &mut calibration.gate)?;
            if kind == LabelKind::FaceOccluded {
                let model = card_named(occlusion::MODEL)?;
                occlusion = Some(OcclusionLabeller::load(
                    &card, &model, &runtime, &p.files, p.threads,
                )?);
                own.push(of_card(&model)?);
            }
            if kind == LabelKind::WearingGlasses {
                let model = card_named(glasses::MODEL)?;
                glasses = Some(GlassesLabeller::load(
                    &card, &model, &runtime, &p.files, p.threads,
                )?);
                own.push(of_card(&model)?);
            }
            indexes.set(kind, u8::try_from(models.len())?);
            models.push(card.reference);
        }
        let mut loaded = models.clone();
        loaded.append(&mut own);
        for card in [
            &reader_card,
            &mask_card,
            &card_named(&p.short_range)?,
            &card_named(&p.full_range)?,
        ] {
            loaded.push(of_card(card)?);
        }
        Ok(Self {
            faces,
            persons,
            gate: calibration.gate.clone(),
            calibration,
            glasses,
            occlusion,
            light,
            strips: Strips::default(),
            pictures: Pictures::default(),
            measured: Vec::new(),
            models,
            indexes,
            loaded,
            runtime: crate::model_ref(runtime.name(), runtime.version(), runtime.sha256())?,
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

    /// Labels one source from its first frame to its last, or until `control` ends it. A source that ends before its
    /// first frame makes no clip.
    pub fn label(
        &mut self,
        source: Box<dyn FrameSource>,
        search: Search,
        sink: &mut dyn Sink,
        control: &mut dyn Control,
    ) -> Result<ClipEnd> {
        self.faces.reset();
        self.persons.reset();
        if let Some(glasses) = &mut self.glasses {
            glasses.reset();
        }
        if let Some(occlusion) = &mut self.occlusion {
            occlusion.reset();
        }
        self.light.reset();
        self.strips.clear();
        let mut clip = Clip {
            labeller: Box::new(ClipLabeller::new(self.gate.clone(), self.indexes)),
            search,
            thinning: Thinning::default(),
            shed: Shed::Nothing,
            last: None,
            lost: 0,
            end: ClipEnd::default(),
        };
        let (info, live) = (source.info().clone(), source.is_live());
        let of = (info.width as u32, info.height as u32);
        self.pictures.begin(of, sink.takes_pictures());
        let mut frames = Frames::start(source, &sink.empty_frame())?;
        let mut silent_since: Option<Instant> = None;
        let ending = loop {
            let waited = Instant::now();
            let next = frames.next()?;
            self.stages.add(Stage::Decode, waited.elapsed());
            let is_silent = matches!(next, Next::Silence);
            let order = match next {
                Next::Frame(mut frame, condition) => {
                    clip.lost += u64::from(frame.info.dropped_before);
                    let shed = if live { control.shed() } else { Shed::Nothing };
                    let order = if clip.thinning.admits(&mut frame.info, shed) {
                        if clip.last.is_none() {
                            sink.opened(&info)?;
                        }
                        frame.info.index = clip.end.frames;
                        if let Some(policy) = control.policy() {
                            self.gate = self.gate_under(policy.as_ref());
                            clip.labeller.set_gate(self.gate.clone());
                            self.pictures.set_budget(picture_budget(policy.as_ref()));
                        }
                        self.frame(&frame, shed, &mut clip, sink)?;
                        sink.record(&mut frame);
                        control.next(&Progress::Labelled(Labelled {
                            frame: &frame,
                            left_out: clip.thinning.left_out(),
                            persons: &self.measured,
                            quiet: clip.labeller.take_quiet(),
                            scene: self.light.for_health(),
                            condition: condition.as_ref(),
                            stages: &self.stages,
                        }))?
                    } else {
                        control.next(&Progress::Waited)?
                    };
                    frames.give_back(frame);
                    order
                }
                Next::Nothing => {
                    sink.waited()?;
                    control.next(&Progress::Waited)?
                }
                Next::Silence => {
                    sink.waited()?;
                    control.next(&Progress::Silence)?
                }
                Next::End(ending) => break ending,
            };
            match (order, clip.last) {
                (Order::Mark, Some(last)) => sink.mark(&last)?,
                (Order::GoOn | Order::Mark, _) => {}
                (Order::End, _) => frames.stop(),
            }
            // What came before the end is labelled, however long that takes.
            if order == Order::End && is_silent {
                let since = silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= END_PATIENCE {
                    break frames::Ending {
                        damage: Some(format!(
                            "{} did not let go within {} s of the end",
                            info.name,
                            END_PATIENCE.as_secs()
                        )),
                        ..frames::Ending::default()
                    };
                }
            } else {
                silent_since = None;
            }
        };
        self.finish(clip, ending, sink)
    }

    fn gate_under(&self, policy: Option<&Policy>) -> Gate {
        let own = &self.calibration.gate;
        policy.map_or_else(|| own.clone(), |policy| policy.over(own))
    }

    /// The source has ended.
    fn finish(
        &mut self,
        mut clip: Clip,
        ending: frames::Ending,
        sink: &mut dyn Sink,
    ) -> Result<ClipEnd> {
        // Of what was lost after the last frame only the source's own count tells.
        let counted = ending.condition.map_or(0, |condition| {
            condition.dropped_frames + condition.damaged_frames
        });
        let after_last = u32::try_from(counted.saturating_sub(clip.lost)).unwrap_or(u32::MAX);
        clip.end.dropped += clip.thinning.missed() + after_last;
        clip.end.condition = ending.condition;
        clip.end.failure = ending.error;
        let failure = clip.end.failure.as_ref().map(ToString::to_string);
        clip.end.damage = match (failure, ending.damage) {
            (Some(failure), Some(damage)) => Some(format!("{failure}; {damage}")),
            (failure, damage) => failure.or(damage),
        };
        if clip.last.is_some() {
            let (strips, pictures, mut failure) = (&mut self.strips, &mut self.pictures, None);
            clip.labeller.finish(|label| {
                pictures.note(&label);
                let strip = strips.of_event(&label);
                failure = failure.take().or(sink.label(label, strip).err());
            });
            failure.map_or(Ok(()), Err)?;
            self.pictures.send(AtOnce::All, sink)?;
            clip.end.tracks = clip.labeller.tracks();
            sink.closed(&clip.end)?;
        }
        Ok(clip.end)
    }

    fn frame(
        &mut self,
        frame: &FrameBuffer,
        shed: Shed,
        clip: &mut Clip,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let picture = picture_of(frame)?;
        let info = frame.info;
        if shed != clip.shed {
            clip.shed = shed;
            let before = info.index;
            sink.shed(ShedChange { before, shed })?;
        }
        let start = Instant::now();
        let novelty = if info.same_pixels {
            Novelty::SamePixels
        } else {
            Novelty::New
        };
        self.faces
            .observe(&picture, info.at, clip.search, novelty)?;
        let times = self.faces.times();
        self.mesh_looks += u64::from(times.looks);
        let person_times = if shed >= Shed::PersonBox {
            // Whoever was known by their box alone is not followed without it.
            self.persons.reset();
            PersonTimes::default()
        } else {
            self.persons.observe(&picture, info.at, &mut self.faces)?;
            self.persons.times()
        };
        let mut spent = times.crop
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

        let looks = shed < Shed::Attributes;
        if let Some(glasses) = self.glasses.as_mut().filter(|_| looks) {
            let start = Instant::now();
            let crop = glasses.observe(&picture, info.at, self.faces.faces())?;
            let took = start.elapsed();
            spent += took;
            self.stages.add(Stage::Crop, crop);
            self.stages.add(Stage::Glasses, took.saturating_sub(crop));
        }
        if let Some(occlusion) = self.occlusion.as_mut().filter(|_| looks) {
            let start = Instant::now();
            let crop = occlusion.observe(&picture, info.at, self.faces.faces())?;
            let took = start.elapsed();
            spent += took;
            self.stages.add(Stage::Crop, crop);
            self.stages.add(Stage::Occlusion, took.saturating_sub(crop));
        }
        let strips = Instant::now();
        for face in self.faces.faces() {
            let openness = EyeSide::BOTH.map(|side| {
                (!face.eyes.is_turned_away(side)).then_some(face.eyes.side(side).openness)
            });
            self.strips
                .of(face.track)
                .record(&picture, info.index, &face.eyes, openness);
        }
        let strip_time = strips.elapsed();
        self.stages.add(Stage::Strip, strip_time);

        let reading = Instant::now();
        let scene = self
            .light
            .scene(&picture, info.at, self.faces.faces(), looks);
        self.measure(&picture, info.at, shed);
        let light_time = reading.elapsed();
        self.stages.add(Stage::Light, light_time);

        let keeping = Instant::now();
        if looks {
            self.pictures
                .look(&picture, &info, &self.measured, &scene.light, &self.gate);
        } else {
            self.pictures.rest();
        }
        let mut picture_time = keeping.elapsed();
        let (strips, pictures) = (&mut self.strips, &mut self.pictures);
        let (mut write, mut failure) = (Duration::ZERO, None);
        clip.labeller
            .observe(info.index, info.at, &self.measured, &scene, |label| {
                let start = Instant::now();
                pictures.note(&label);
                let strip = strips.of_event(&label);
                failure = failure.take().or(sink.label(label, strip).err());
                write += start.elapsed();
            });
        let encoding = Instant::now();
        let sent = self.pictures.send(AtOnce::Few, sink);
        picture_time += encoding.elapsed();
        self.stages.add(Stage::Picture, picture_time);
        let writing = Instant::now();
        sink.measured(&info, &self.measured);
        let told = sink.frame(&info);
        write += writing.elapsed();
        self.stages.add(Stage::Write, write);
        self.stages.add(
            Stage::Label,
            start
                .elapsed()
                .saturating_sub(spent + strip_time + light_time + picture_time + write),
        );
        clip.end.frames += 1;
        clip.end.repeated += u32::from(info.repeat);
        clip.end.dropped += info.dropped_before;
        clip.last = Some(info);
        self.stages.count_frame();
        failure.map_or(sent.and(told), Err)
    }
}

/// Frames around an event that its evidence shows: about a quarter of a second at 30 frames a second.
pub(crate) fn with_margin(frames: FrameRange) -> FrameRange {
    const MARGIN: u32 = 8;
    FrameRange::new(
        frames.start.saturating_sub(MARGIN),
        frames.end.saturating_add(MARGIN),
    )
}

/// The frame as perception looks at it.
pub(crate) fn picture_of(frame: &FrameBuffer) -> Result<Picture<'_>> {
    let range = if frame.full_range {
        ColorRange::Full
    } else {
        ColorRange::Limited
    };
    let (luma, chroma) = (frame.luma(), frame.chroma());
    Picture::new(frame.width, frame.height, luma, chroma, range).context("the frame has no pixels")
}
