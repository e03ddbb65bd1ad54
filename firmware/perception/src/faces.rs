//! Following faces: search only where none is tracked or the last search is old, read the mesh where one is.
//!
//! The search goes from cheap to thorough: the short-range detector on the whole frame, the full-range detector on the
//! whole frame, then on overlapping square tiles. Only the tiles see a face of a tenth of the frame; they are tried a
//! few at a time, so that a frame without a face costs a bounded amount.

use crate::ModelError;
use crate::eye_reader::EyeReader;
use crate::eyes::Eyes;
use crate::face_detector::{FaceDetection, FaceDetector};
use crate::face_mesh::{FaceMesh, MeshFace};
use crate::picture::Picture;
use crate::shade::FaceShade;
use crate::tiles::{square, tile, tile_count};
use crate::warp::Region;
use crate::watch::{EyeWatch, Glance};
use label_core::blink::Legibility;
use label_core::labeller::FaceMotion;
use label_core::{BoundingBox, CaptureTime, TrackId};
use std::time::{Duration, Instant};

/// The mesh's face flag below which a face is lost.
const MIN_PRESENCE: f32 = 0.5;

/// Further faces are looked for this often while one is tracked.
const SEARCH_AGE_S: f32 = 2.0;

/// A person found again within this time, near where they were lost, keeps their track.
const REMEMBER_S: f32 = 5.0;

/// "Near": centres closer than this many face widths.
const NEAR_FACE_WIDTHS: f32 = 1.5;

/// Two tracked faces that overlap by more than this are one.
const SAME_FACE_IOU: f32 = 0.4;

/// Tiles tried a frame while no face is in view. All of 1920x1080 is seen in 9 frames.
const TILES_A_FRAME: usize = 4;

/// Detections of one search that the mesh is tried on: 11 of 60 small faces were lost when only the first was.
const MAX_TRIES: usize = 3;

/// Which detector.
#[derive(Clone, Copy)]
enum Range {
    Short,
    Full,
}

/// How thoroughly to search a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// One frame of many: tiles are spread over successive frames.
    Video,
    /// The only frame: everything is tried.
    Still,
}

/// A tracked face in one frame.
#[derive(Clone, Debug)]
pub struct TrackedFace {
    /// The person's track.
    pub track: TrackId,
    /// Its mesh when the mesh last looked.
    pub mesh: MeshFace,
    /// The eyes now.
    pub eyes: Eyes,
    /// Box around the face now.
    pub bounds: BoundingBox,
    /// Mouth and nodding; `None` where the mesh did not look.
    pub motion: Option<FaceMotion>,
    /// How well its eyes can be read.
    pub legibility: Legibility,
    /// Stops of light between the halves of the face ([`FaceShade::sides`](crate::FaceShade::sides)); `None` where they cannot
    /// be compared.
    pub sides: Option<f32>,
    watch: Option<EyeWatch>,
}

/// A face that was lost.
#[derive(Clone, Copy, Debug)]
struct LostFace {
    track: TrackId,
    bounds: BoundingBox,
    at: CaptureTime,
}

/// Where the time of a frame went, and how often the costly part of it was needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaceTimes {
    /// In cutting out what models see.
    pub crop: Duration,
    /// In face detectors.
    pub detect: Duration,
    /// In the mesh.
    pub mesh: Duration,
    /// In the eye reader.
    pub eyes: Duration,
    /// How often the mesh looked.
    pub looks: u32,
}

/// The models that it takes to follow faces.
pub struct FaceModels {
    /// Finds faces that fill much of the picture.
    pub short_range: FaceDetector,
    /// Finds faces some metres away.
    pub full_range: FaceDetector,
    /// Looks properly.
    pub mesh: FaceMesh,
    /// Looks at every frame.
    pub reader: EyeReader,
}

/// Whether a frame shows anything that the one before did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Other pixels.
    New,
    /// The same pixels: nothing is looked at again.
    SamePixels,
}

/// Finds and follows faces.
pub struct FaceTracker {
    models: FaceModels,
    max_faces: usize,
    faces: Vec<TrackedFace>,
    spare: Vec<TrackedFace>,
    lost: Vec<LostFace>,
    found: Vec<FaceDetection>,
    next_track: TrackId,
    next_tile: usize,
    searched: Option<CaptureTime>,
    search_age_s: f32,
    times: FaceTimes,
}

impl FaceTracker {
    /// A tracker of up to `max_faces` faces.
    pub fn new(models: FaceModels, max_faces: usize) -> Self {
        let empty = || TrackedFace {
            track: 0,
            mesh: MeshFace::empty(),
            eyes: Eyes::from_mesh(&MeshFace::empty()),
            bounds: BoundingBox::new(0.0, 0.0, 0.0, 0.0),
            motion: None,
            legibility: Legibility::default(),
            sides: None,
            watch: None,
        };
        Self {
            models,
            max_faces,
            faces: Vec::with_capacity(max_faces),
            spare: std::iter::repeat_with(empty).take(max_faces).collect(),
            lost: Vec::with_capacity(8),
            found: Vec::with_capacity(64),
            next_track: 1,
            next_tile: 0,
            searched: None,
            search_age_s: SEARCH_AGE_S,
            times: FaceTimes::default(),
        }
    }

    /// Looks for further faces after so many seconds instead of two.
    #[must_use]
    pub fn searching_every(mut self, seconds: f32) -> Self {
        self.search_age_s = seconds;
        self
    }

    /// Forgets everybody: the next frame belongs to another clip.
    pub fn reset(&mut self) {
        self.spare.append(&mut self.faces);
        self.lost.clear();
        (self.next_track, self.next_tile, self.searched) = (1, 0, None);
    }

    /// The faces of the last frame.
    pub fn faces(&self) -> &[TrackedFace] {
        &self.faces
    }

    /// Where the time of the last frame went.
    pub fn times(&self) -> FaceTimes {
        self.times
    }

    /// Looks at the next frame.
    pub fn observe(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        search: Search,
        novelty: Novelty,
    ) -> Result<(), ModelError> {
        self.times = FaceTimes::default();
        if novelty == Novelty::SamePixels && !self.faces.is_empty() {
            return Ok(());
        }
        self.follow(picture, at)?;
        let old = self
            .searched
            .is_none_or(|last| at.seconds_since(last) >= self.search_age_s);
        if self.faces.is_empty() || (old && self.faces.len() < self.max_faces) {
            self.search(picture, at, search)?;
            self.searched = Some(at);
        }
        self.lost
            .retain(|face| at.seconds_since(face.at) <= REMEMBER_S);
        Ok(())
    }

    /// Looks at every tracked face: with the eye reader, and with the mesh where that is not enough.
    fn follow(&mut self, picture: &Picture<'_>, at: CaptureTime) -> Result<(), ModelError> {
        let mut index = 0;
        while index < self.faces.len() {
            let before = self.faces[index].bounds;
            self.glance(picture, at, index)?;
            let face = &self.faces[index];
            let twin = self.faces[..index]
                .iter()
                .any(|other| other.bounds.iou(face.bounds) > SAME_FACE_IOU);
            if !twin && is_face(face) {
                index += 1;
                continue;
            }
            let face = self.faces.remove(index);
            if !twin {
                if self.lost.len() == self.lost.capacity() {
                    self.lost.remove(0);
                }
                self.lost.push(LostFace {
                    track: face.track,
                    bounds: before,
                    at,
                });
            }
            self.spare.push(face);
        }
        Ok(())
    }

    /// Reads a tracked face's eyes, and its mesh if the eyes call for it.
    fn glance(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        index: usize,
    ) -> Result<(), ModelError> {
        let face = &mut self.faces[index];
        let Some(watch) = &mut face.watch else {
            let region = face.mesh.next_region();
            return self.look(picture, &region, at, index);
        };
        let start = Instant::now();
        let readings = self.models.reader.read(picture, watch.places())?;
        self.times.crop += self.models.reader.crop_time();
        self.times.eyes += start
            .elapsed()
            .saturating_sub(self.models.reader.crop_time());
        match watch.glance(&readings, at) {
            Glance::Stands(eyes) => {
                face.eyes = eyes;
                face.motion = None;
                face.legibility = watch.legibility(&readings);
                face.bounds = watch.moved_bounds(face.mesh.bounds());
                face.sides = FaceShade::sides_of(picture, face);
                Ok(())
            }
            Glance::LookAgain(region) => self.look(picture, &region, at, index),
        }
    }

    /// Reads the mesh of a face.
    fn look(
        &mut self,
        picture: &Picture<'_>,
        region: &Region,
        at: CaptureTime,
        index: usize,
    ) -> Result<(), ModelError> {
        let start = Instant::now();
        let face = &mut self.faces[index];
        self.models.mesh.read(picture, region, &mut face.mesh)?;
        face.eyes = Eyes::from_mesh(&face.mesh);
        face.bounds = face.mesh.bounds();
        let motion = *face.motion.insert(face.mesh.motion());
        let watch = match &mut face.watch {
            Some(watch) => {
                watch.looked(&face.mesh, &face.eyes, at);
                watch
            }
            None => face.watch.insert(EyeWatch::new(&face.mesh, &face.eyes, at)),
        };
        watch.follow_mouth(motion.mouth_opening);
        self.times.crop += self.models.mesh.crop_time();
        self.times.looks += 1;
        self.times.mesh += start.elapsed().saturating_sub(self.models.mesh.crop_time());
        let start = Instant::now();
        let readings = self.models.reader.read(picture, watch.places())?;
        watch.compare(&readings);
        face.legibility = watch.legibility(&readings);
        face.sides = FaceShade::sides_of(picture, face);
        self.times.crop += self.models.reader.crop_time();
        self.times.eyes += start
            .elapsed()
            .saturating_sub(self.models.reader.crop_time());
        Ok(())
    }

    /// Tries detectors from cheap to thorough until a new face is taken up. While a face is tracked only the cheapest
    /// is tried: others are near it and of its size.
    fn search(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        search: Search,
    ) -> Result<(), ModelError> {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let whole = square(width / 2.0, height / 2.0, width.max(height));
        let tracked = !self.faces.is_empty();
        self.detect(picture, &whole, Range::Short)?;
        if self.take_up_found(picture, at)? || tracked {
            return Ok(());
        }
        self.detect(picture, &whole, Range::Full)?;
        if self.take_up_found(picture, at)? {
            return Ok(());
        }
        let side = width.min(height);
        let tiles = tile_count(width, height, side) + tile_count(width, height, side / 2.0);
        let tries = if search == Search::Still {
            tiles
        } else {
            TILES_A_FRAME.min(tiles)
        };
        for _ in 0..tries {
            let tile = tile(width, height, side, self.next_tile % tiles);
            self.next_tile = (self.next_tile + 1) % tiles;
            self.detect(picture, &tile, Range::Full)?;
            if self.take_up_found(picture, at)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Runs a detector into `found`.
    fn detect(
        &mut self,
        picture: &Picture<'_>,
        square: &Region,
        range: Range,
    ) -> Result<(), ModelError> {
        let start = Instant::now();
        let detector = match range {
            Range::Short => &mut self.models.short_range,
            Range::Full => &mut self.models.full_range,
        };
        self.found.clear();
        detector.detect(picture, square, &mut self.found)?;
        self.times.crop += detector.crop_time();
        self.times.detect += start.elapsed().saturating_sub(detector.crop_time());
        Ok(())
    }

    /// Begins a track for each face found in which the mesh, too, sees a face, the largest first; says whether there
    /// was one.
    fn take_up_found(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
    ) -> Result<bool, ModelError> {
        self.found
            .sort_unstable_by(|a, b| b.face.area().total_cmp(&a.face.area()));
        self.found.truncate(MAX_TRIES);
        let mut taken = false;
        for index in 0..self.found.len() {
            let detection = self.found[index];
            let known = self
                .faces
                .iter()
                .any(|face| face.bounds.contains(detection.face.center()));
            if known {
                continue;
            }
            let Some(face) = self.spare.pop() else { break };
            self.faces.push(face);
            let last = self.faces.len() - 1;
            self.faces[last].watch = None;
            self.look(picture, &detection.region(), at, last)?;
            let bounds = self.faces[last].bounds;
            let twin = self.faces[..last]
                .iter()
                .any(|other| other.bounds.iou(bounds) > SAME_FACE_IOU);
            if is_face(&self.faces[last]) && !twin {
                self.faces[last].track = self.track_for(bounds);
                taken = true;
            } else {
                self.spare.extend(self.faces.pop());
            }
        }
        Ok(taken)
    }

    /// The track of whoever was lost near here a moment ago, or a new one.
    fn track_for(&mut self, bounds: BoundingBox) -> TrackId {
        let center = bounds.center();
        let near = self
            .lost
            .iter()
            .map(|lost| {
                (
                    lost.bounds.center().distance(center) / lost.bounds.width.max(1.0),
                    lost.track,
                )
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((distance, track)) = near
            && distance <= NEAR_FACE_WIDTHS
        {
            self.lost.retain(|lost| lost.track != track);
            return track;
        }
        self.begin_track()
    }

    /// A track that nobody has yet.
    pub fn begin_track(&mut self) -> TrackId {
        let track = self.next_track;
        self.next_track = self.next_track.saturating_add(1);
        track
    }
}

fn is_face(face: &TrackedFace) -> bool {
    face.mesh.presence >= MIN_PRESENCE && face.bounds.width.is_finite() && face.bounds.width > 0.0
}
