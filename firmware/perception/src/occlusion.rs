//! What covers a face: a small network looks at the whole face now and then.
//!
//! It tells for each eye, for the mouth and for the face as a whole whether a hand, a phone, a mug, a mask, hair or
//! the end of the picture covers it. What it says are logits of a network that saw only synthetic coverings
//! (`models/face-occluded`): calibration makes probabilities of them, elsewhere.
//!
//! The mesh draws a whole face over whatever covers it, and draws it in the wrong place: the network was fitted on crops
//! that lie as badly.

use crate::card::ModelCard;
use crate::eye_reader::normalise;
use crate::faces::TrackedFace;
use crate::interpreter::{Interpreter, TensorMut};
use crate::picture::Picture;
use crate::warp::{Region, warp_luma};
use crate::{ModelError, runtime::Runtime};
use label_core::{CaptureTime, EyeSide, TrackId};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Side of the crop in pixels.
const SIDE: usize = 64;
const PIXELS: usize = SIDE * SIDE;

/// Side of the crop in sides of the face's box (the longer one of the box around the mesh).
const FACES: f32 = 1.25;

/// Right eye, left eye, mouth, face.
const VALUES: usize = 4;

/// A face is looked at this often …
const EVERY_S: f32 = 0.25;

/// … and this often while something seems to cover it, so that the end of it is seen soon.
const COVERED_EVERY_S: f32 = 0.1;

/// A face that was lost is remembered for this time: as long as the tracker knows it again.
const REMEMBER_S: f32 = 5.0;

/// Faces whose last look is kept: those in view and those just lost.
const MAX_LOOKS: usize = 16;

/// What one look says of a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occlusion {
    /// Logits of the left and the right eye being covered.
    pub eyes: [f32; 2],
    /// Logit of the mouth being covered.
    pub mouth: f32,
    /// Logit of any part of the face below the brows being covered, eyes and mouth among it.
    pub face: f32,
    /// Share of the mesh that lies beyond the picture's edge.
    pub outside: f32,
    /// Longer side of the face's box, pixels.
    pub side: f32,
    /// Deviation of the crop's light, 0 to 255: what there was to see.
    pub contrast: f32,
}

impl Occlusion {
    /// The logit of this eye.
    pub fn eye(&self, side: EyeSide) -> f32 {
        self.eyes[match side {
            EyeSide::Left => 0,
            EyeSide::Right => 1,
        }]
    }
}

/// The last look at somebody's face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OcclusionLook {
    /// Whose face.
    pub track: TrackId,
    /// When.
    pub at: CaptureTime,
    /// What was seen.
    pub seen: Occlusion,
}

/// The network, and the last look at every face.
pub struct OcclusionReader {
    interpreter: Box<dyn Interpreter>,
    looks: Vec<OcclusionLook>,
    crop_time: Duration,
}

impl OcclusionReader {
    /// Loads the model of this card; `folder` is where fetched models lie.
    pub fn load(
        card: &ModelCard,
        runtime: &Arc<Runtime>,
        folder: &Path,
        threads: u32,
    ) -> Result<Self, ModelError> {
        let interpreter = card.load(runtime, folder, threads)?;
        let fits = interpreter.input().shape == [1, SIDE, SIDE, 1]
            && matches!(interpreter.outputs(), [parts] if parts.len() == VALUES);
        if fits {
            return Ok(Self {
                interpreter,
                looks: Vec::with_capacity(MAX_LOOKS),
                crop_time: Duration::ZERO,
            });
        }
        Err(ModelError::Role {
            name: card.name.clone(),
            role: "an occlusion reader",
            needs: "a grey crop of 64 by 64 pixels as input and four numbers as output",
        })
    }

    /// Forgets everybody: the next frame belongs to another clip.
    pub fn reset(&mut self) {
        self.looks.clear();
    }

    /// Time of the last frame spent in cutting out faces, not in the model.
    pub fn crop_time(&self) -> Duration {
        self.crop_time
    }

    /// The last look at this person, of this frame or an earlier one.
    pub fn last(&self, track: TrackId) -> Option<&OcclusionLook> {
        self.looks.iter().find(|look| look.track == track)
    }

    /// Looks at those faces whose last look is old enough.
    pub fn observe(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        faces: &[TrackedFace],
    ) -> Result<(), ModelError> {
        self.crop_time = Duration::ZERO;
        self.looks
            .retain(|look| at.seconds_since(look.at) <= REMEMBER_S);
        for face in faces {
            let place = self.looks.iter().position(|look| look.track == face.track);
            if place.is_some_and(|place| !self.looks[place].is_old(at)) {
                continue;
            }
            let look = OcclusionLook {
                track: face.track,
                at,
                seen: self.read(picture, face)?,
            };
            match place {
                Some(place) => self.looks[place] = look,
                None if self.looks.len() < MAX_LOOKS => self.looks.push(look),
                None => {}
            }
        }
        Ok(())
    }

    fn read(&mut self, picture: &Picture<'_>, face: &TrackedFace) -> Result<Occlusion, ModelError> {
        let side = face.bounds.width.max(face.bounds.height);
        let region = Region {
            center: face.bounds.center(),
            width: side * FACES,
            height: side * FACES,
            angle: face.mesh.eye_line_angle(),
        };
        let (mut contrast, mut crop_time) = (0.0, Duration::ZERO);
        self.interpreter.run(&mut |tensor| {
            if let TensorMut::F32(values) = tensor {
                let start = Instant::now();
                let crop = &mut values[..PIXELS];
                warp_luma(picture, &region, (SIDE, SIDE), crop);
                contrast = normalise(crop);
                crop_time = start.elapsed();
            }
        })?;
        self.crop_time += crop_time;
        let [right, left, mouth, whole] = [0, 1, 2, 3].map(|i| self.interpreter.output(0)[i]);
        Ok(Occlusion {
            eyes: [left, right],
            mouth,
            face: whole,
            outside: outside(picture, face),
            side,
            contrast,
        })
    }
}

impl OcclusionLook {
    fn is_old(&self, now: CaptureTime) -> bool {
        let covered = self.seen.face > 0.0;
        now.seconds_since(self.at) >= if covered { COVERED_EVERY_S } else { EVERY_S }
    }
}

/// Share of the mesh beyond the picture's edge, moved to where the face is now.
fn outside(picture: &Picture<'_>, face: &TrackedFace) -> f32 {
    let (then, now) = (face.mesh.bounds().center(), face.bounds.center());
    let (dx, dy) = (now.x - then.x, now.y - then.y);
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let points = face.mesh.landmarks.iter();
    let beyond = points.filter(|point| {
        let (x, y) = (point.x + dx, point.y + dy);
        !((0.0..=width).contains(&x) && (0.0..=height).contains(&y))
    });
    beyond.count() as f32 / face.mesh.landmarks.len() as f32
}
