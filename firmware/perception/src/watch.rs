//! When to look properly: the eye reader watches every frame, the mesh looks when something changed.
//!
//! The mesh is right about lids and slow; the reader is quick and nearly right. So the mesh looks at a new face, again
//! after [`REFRESH_S`], while a lid moves, and whenever the reader doubts or loses its place. In between the reader's
//! numbers stand, corrected by what the mesh last said it was off by.

use crate::eye_reader::{EyePlaces, EyeReading};
use crate::eyes::{Eye, Eyes};
use crate::face_mesh::MeshFace;
use crate::warp::Region;
use label_core::{CaptureTime, EyeSide, Keypoint};

/// The mesh looks again after this time.
const REFRESH_S: f32 = 0.75;
/// A lid moves where the opening departs from what the mesh last saw by this share of the open level.
const LID_MOVES: f32 = 0.10;
/// The mesh goes on looking for this time after a lid last moved: lids rise slowly.
const AFTER_LID_S: f32 = 0.10;
/// An eye this far off its crop's centre, in crop widths, is about to be lost.
const MAX_OFF_CENTER: f32 = 0.12;
/// An opening that is doubted by this share of the open level is no reading.
const MAX_DOUBT: f32 = 0.30;
/// How far each look of the mesh corrects what the reader is taken to be off by.
const LEARN: f32 = 0.3;

/// What the mesh last said, and where the reader thinks the eyes are since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EyeWatch {
    /// When the mesh last looked.
    looked: CaptureTime,
    /// Until when it looks at every frame.
    busy_until: CaptureTime,
    places: EyePlaces,
    /// Where the eyes were when the mesh looked, and what it made of them.
    seen: EyePlaces,
    seen_eyes: Eyes,
    region: Region,
    /// Of each eye, left first: flat width and its own width over the mean width.
    flat_ratio: [f32; 2],
    width_ratio: [f32; 2],
    /// Middle of the corners to the centre of the opening, in mean widths along and across the eye line.
    center_offset: [(f32, f32); 2],
    /// What the reader is off by, in openness; unknown before the mesh and the reader saw the same frame.
    bias: [Option<f32>; 2],
    /// The open level, in openness: it follows the mesh up at once and down slowly.
    open: [f32; 2],
}

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Glance {
    /// The reader's numbers stand.
    Stands(Eyes),
    /// The mesh has to look, in this region.
    LookAgain(Region),
}

impl EyeWatch {
    /// Begins with what the mesh says of a face.
    pub(crate) fn new(face: &MeshFace, eyes: &Eyes, at: CaptureTime) -> Self {
        let places = places_of(face, eyes);
        let mut watch = Self {
            looked: at,
            busy_until: at,
            places,
            seen: places,
            seen_eyes: *eyes,
            region: face.next_region(),
            flat_ratio: [1.0; 2],
            width_ratio: [1.0; 2],
            center_offset: [(0.0, 0.0); 2],
            bias: [None; 2],
            open: EyeSide::BOTH.map(|side| eyes.side(side).openness),
        };
        watch.take(face, eyes, at);
        watch
    }

    /// Where to cut the reader's crops.
    pub(crate) fn places(&self) -> &EyePlaces {
        &self.places
    }

    /// Judges what the reader says of a frame.
    pub(crate) fn glance(&mut self, readings: &[EyeReading; 2], at: CaptureTime) -> Glance {
        let eyes = self.follow(readings);
        let lost = readings
            .iter()
            .any(|reading| reading.off_center.is_nan() || reading.off_center > MAX_OFF_CENTER);
        let mut moving = false;
        let mut doubtful = false;
        for (side, i) in EyeSide::BOTH.into_iter().zip(0..) {
            if self.seen_eyes.is_turned_away(side) {
                continue;
            }
            let open = self.open[i].max(0.1);
            let seen = self.seen_eyes.side(side).openness;
            moving |= (eyes.side(side).openness - seen).abs() > LID_MOVES * open;
            doubtful |= readings[i].doubt > MAX_DOUBT * open;
        }
        if moving {
            self.busy_until = CaptureTime(at.us() + (AFTER_LID_S * 1e6) as i64);
        }
        let unknown = self.bias.iter().any(Option::is_none);
        let old = at.seconds_since(self.looked) >= REFRESH_S;
        if lost || doubtful || unknown || old || at <= self.busy_until {
            return Glance::LookAgain(self.region_now());
        }
        Glance::Stands(eyes)
    }

    /// The mesh looked at the frame that `readings` (if the reader saw it) are of.
    pub(crate) fn looked(
        &mut self,
        face: &MeshFace,
        eyes: &Eyes,
        readings: Option<&[EyeReading; 2]>,
        at: CaptureTime,
    ) {
        if let Some(readings) = readings {
            for (side, i) in EyeSide::BOTH.into_iter().zip(0..) {
                let off = eyes.side(side).openness - self.opening(readings, i);
                if off.is_finite() {
                    self.bias[i] =
                        Some(self.bias[i].map_or(off, |bias| bias + LEARN * (off - bias)));
                }
            }
        }
        self.take(face, eyes, at);
    }

    fn take(&mut self, face: &MeshFace, eyes: &Eyes, at: CaptureTime) {
        self.looked = at;
        self.places = places_of(face, eyes);
        self.seen = self.places;
        self.seen_eyes = *eyes;
        self.region = face.next_region();
        let (sin, cos) = self.places.angle.sin_cos();
        for (side, i) in EyeSide::BOTH.into_iter().zip(0..) {
            let eye = eyes.side(side);
            self.flat_ratio[i] = face.eye_flat_width(side) / self.places.width;
            self.width_ratio[i] = eye.width / self.places.width;
            let (dx, dy) = (
                eye.center.x - self.places.corners[i].x,
                eye.center.y - self.places.corners[i].y,
            );
            self.center_offset[i] = (
                (dx * cos + dy * sin) / self.places.width,
                (dy * cos - dx * sin) / self.places.width,
            );
            let weight = if eye.openness > self.open[i] {
                0.5
            } else {
                0.05
            };
            self.open[i] += weight * (eye.openness - self.open[i]);
        }
    }

    /// The reader's lid gap as openness: over the eye's own width instead of the crop's.
    fn opening(&self, readings: &[EyeReading; 2], eye: usize) -> f32 {
        readings[eye].opening / self.width_ratio[eye].max(0.2)
    }

    /// Moves the places to where the reader sees the eyes, and returns what it makes of them.
    fn follow(&mut self, readings: &[EyeReading; 2]) -> Eyes {
        let before = self.places;
        let moved = |i: usize| {
            let corner = before.corners[i];
            Keypoint::new(
                corner.x + readings[i].shift.0,
                corner.y + readings[i].shift.1,
            )
        };
        let corners = [moved(0), moved(1)];
        let line = |corners: &[Keypoint; 2]| {
            (corners[0].y - corners[1].y).atan2(corners[0].x - corners[1].x)
        };
        let mut scale = 0.0;
        for (reading, ratio) in readings.iter().zip(self.flat_ratio) {
            scale += (reading.log_scale - ratio.max(0.1).ln()) / 2.0;
        }
        // The distance between the eyes says more of size than the eyes do; both are noisy, and size changes slowly.
        let grown = corners[0].distance(corners[1])
            / before.corners[0].distance(before.corners[1]).max(1.0);
        let factor =
            (0.25 * scale.clamp(-0.2, 0.2) + 0.5 * grown.max(0.5).ln().clamp(-0.2, 0.2)).exp();
        let width = (before.width * factor).clamp(self.seen.width * 0.7, self.seen.width * 1.4);
        let angle = self.seen.angle + line(&corners) - line(&self.seen.corners);
        self.places = EyePlaces {
            corners,
            width,
            angle,
        };
        let (sin, cos) = angle.sin_cos();
        let eye = |i: usize| {
            let (along, across) = self.center_offset[i];
            let (along, across) = (along * width, across * width);
            Eye {
                center: Keypoint::new(
                    corners[i].x + along * cos - across * sin,
                    corners[i].y + along * sin + across * cos,
                ),
                openness: self.opening(readings, i) + self.bias[i].unwrap_or(0.0),
                width: width * self.width_ratio[i],
            }
        };
        Eyes {
            left: eye(0),
            right: eye(1),
            yaw: self.seen_eyes.yaw,
        }
    }

    /// The mesh's region moved, turned and scaled with the eyes.
    fn region_now(&self) -> Region {
        let middle = |places: &EyePlaces| places.corners[0].midpoint(places.corners[1]);
        let (from, to) = (middle(&self.seen), middle(&self.places));
        let turn = self.places.angle - self.seen.angle;
        let scale = self.places.width / self.seen.width.max(1e-3);
        let (sin, cos) = turn.sin_cos();
        let (dx, dy) = (self.region.center.x - from.x, self.region.center.y - from.y);
        Region {
            center: Keypoint::new(
                to.x + (dx * cos - dy * sin) * scale,
                to.y + (dx * sin + dy * cos) * scale,
            ),
            width: self.region.width * scale,
            height: self.region.height * scale,
            angle: self.region.angle + turn,
        }
    }

    /// How the face moved since the mesh looked: its centre, and its size as a factor.
    pub(crate) fn moved_bounds(&self, bounds: label_core::BoundingBox) -> label_core::BoundingBox {
        let region = self.region_now();
        let scale = region.width / self.region.width.max(1e-3);
        let (dx, dy) = (
            region.center.x - self.region.center.x,
            region.center.y - self.region.center.y,
        );
        let center = bounds.center();
        let (width, height) = (bounds.width * scale, bounds.height * scale);
        label_core::BoundingBox::new(
            center.x + dx - width / 2.0,
            center.y + dy - height / 2.0,
            width,
            height,
        )
    }
}

fn places_of(face: &MeshFace, eyes: &Eyes) -> EyePlaces {
    EyePlaces {
        corners: EyeSide::BOTH.map(|side| face.eye_corners_middle(side)),
        width: f32::midpoint(eyes.left.width, eyes.right.width),
        angle: face.eye_line_angle(),
    }
}
