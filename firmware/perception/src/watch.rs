//! When to look properly: the eye reader watches every frame, the mesh looks when something changed.
//!
//! The mesh is right about lids and slow; the reader is quick, and right about changes but not about levels. So the mesh
//! looks at a new face, again after [`REFRESH_S`], while a lid moves, and when the reader doubts or loses its place. In
//! between the reader's numbers stand, corrected by what it was last found to be off by on this person.
//!
//! Measured in `docs/adr/0006-faces-and-mesh.md`: as many blinks found as with the mesh on every frame, at a sixth of
//! its cost.

use crate::eye_reader::{EyePlaces, EyeReading};
use crate::eyes::{Eye, Eyes};
use crate::face_mesh::MeshFace;
use crate::warp::Region;
use label_core::blink::Legibility;
use label_core::{BoundingBox, CaptureTime, EyeSide, Keypoint};

/// The mesh looks again after this time …
const REFRESH_S: f32 = 1.0;
/// … or after this while neither eye can be judged …
const BLIND_REFRESH_S: f32 = 0.33;
/// … or after this while the mouth is wide open: a yawn lasts some seconds, and its length is what tells it from a word.
const MOUTH_REFRESH_S: f32 = 0.25;
/// Wide open: gap of the inner lips over the width of the mouth.
const WIDE_MOUTH: f32 = 0.40;
/// The head moved where the eyes' middle is further than this from where the mesh saw it, in mean eye widths …
const HEAD_MOVED: f32 = 0.5;
/// … and then the mesh looks again after this time: a nod is over in half a second.
const HEAD_REFRESH_S: f32 = 0.15;
/// A lid moves where the opening departs from what the mesh last saw by this share of the open level …
const LID_SHARE: f32 = 0.12;
/// … and by this many times the reader's own noise from frame to frame …
const LID_NOISE: f32 = 4.0;
/// … which never asks for more than this share.
const LID_MAX_SHARE: f32 = 0.25;
/// The mesh goes on looking for this time after a lid last moved: lids rise slowly.
const AFTER_LID_S: f32 = 0.10;
/// An eye this far off its crop's centre, in crop widths, is about to be lost.
const MAX_OFF_CENTER: f32 = 0.12;
/// An opening that is doubted by more than this is no reading.
const MAX_DOUBT: f32 = 0.10;
/// An open level lower than this is none.
const MIN_LEVEL: f32 = 0.08;
/// The eye counts as open where the mesh sees more than this share of the open level.
const OPEN_SHARE: f32 = 0.75;
/// How far a look of the mesh corrects what the reader is taken to be off by, and the open level.
const BIAS_WEIGHT: f32 = 0.25;
const LEVEL_WEIGHT: f32 = 0.10;
/// The reader's noise before it is known, the weight of a frame in it, and the factor from a value's distance to the mean
/// of its neighbours to a deviation.
const FIRST_NOISE: f32 = 0.01;
const NOISE_WEIGHT: f32 = 0.05;
const NOISE_FACTOR: f32 = 1.21;

/// What is known of one eye.
#[derive(Clone, Copy, Debug)]
struct WatchedEye {
    /// Whether it faces the camera, as the mesh last saw the head.
    seen: bool,
    /// What the mesh last saw.
    confirmed: f32,
    /// Its width over the mean width of both.
    width_ratio: f32,
    /// From the middle of its corners to the centre of its opening, in mean widths along and across the eye line.
    center_offset: (f32, f32),
    /// What the reader is off by; unknown before mesh and reader saw the same frame.
    bias: Option<f32>,
    /// Openness when open.
    level: f32,
    /// Deviation of the reader's openness from frame to frame.
    noise: f32,
    /// The reader's last two values since the mesh looked, newest first.
    last: [Option<f32>; 2],
    /// By how much the reader, corrected, was off when the mesh last looked.
    off: f32,
}

impl WatchedEye {
    const NEW: Self = Self {
        seen: false,
        confirmed: 0.0,
        width_ratio: 1.0,
        center_offset: (0.0, 0.0),
        bias: None,
        level: 0.0,
        noise: FIRST_NOISE,
        last: [None; 2],
        off: 0.0,
    };

    /// The reader's lid gap as openness: over the eye's own width instead of the crop's.
    fn uncorrected(&self, reading: &EyeReading) -> f32 {
        reading.opening / self.width_ratio.max(0.2)
    }

    fn openness(&self, reading: &EyeReading) -> f32 {
        self.uncorrected(reading) + self.bias.unwrap_or(0.0)
    }

    fn moves(&self, openness: f32) -> bool {
        let level = self.level.max(MIN_LEVEL);
        let least = (LID_SHARE * level)
            .max(LID_NOISE * self.noise)
            .min(LID_MAX_SHARE * level);
        (openness - self.confirmed).abs() > least
    }

    /// Learns from a frame that mesh and reader both saw.
    fn learn(&mut self, reading: &EyeReading) {
        let off = self.confirmed - self.uncorrected(reading);
        if !off.is_finite() {
            return;
        }
        let bias = *self.bias.get_or_insert(off);
        self.off = (off - bias).abs();
        if !self.seen {
            return;
        }
        if self.confirmed > OPEN_SHARE * self.level {
            self.bias = Some(bias + BIAS_WEIGHT * (off - bias));
            self.level += LEVEL_WEIGHT * (self.confirmed - self.level);
        }
        self.level = self.level.max(self.confirmed);
    }

    fn follow_noise(&mut self, openness: f32) {
        if let [Some(newer), Some(older)] = self.last {
            let distance = (newer - f32::midpoint(openness, older)).abs() * NOISE_FACTOR;
            self.noise += NOISE_WEIGHT * (distance.min(3.0 * self.noise + 0.002) - self.noise);
        }
        self.last = [Some(openness), self.last[0]];
    }
}

/// What the mesh last said, and where the reader thinks the eyes are since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EyeWatch {
    /// When the mesh last looked.
    looked: CaptureTime,
    /// When a lid last moved.
    lid_moved: Option<CaptureTime>,
    places: EyePlaces,
    /// Where the eyes were when the mesh looked.
    places_then: EyePlaces,
    yaw: f32,
    region: Region,
    mouth_is_wide: bool,
    /// Left, right.
    eyes: [WatchedEye; 2],
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
    /// Begins with what the mesh says of a new face.
    pub(crate) fn new(face: &MeshFace, eyes: &Eyes, at: CaptureTime) -> Self {
        let places = places_of(face, eyes);
        let mut watch = Self {
            looked: at,
            lid_moved: None,
            places,
            places_then: places,
            yaw: eyes.yaw,
            region: face.next_region(),
            mouth_is_wide: false,
            eyes: [WatchedEye::NEW; 2],
        };
        watch.looked(face, eyes, at);
        watch
    }

    /// Where to cut the reader's crops.
    pub(crate) fn places(&self) -> &EyePlaces {
        &self.places
    }

    /// Judges what the reader says of a frame.
    pub(crate) fn glance(&mut self, readings: &[EyeReading; 2], at: CaptureTime) -> Glance {
        let before = self.places;
        self.follow(readings);
        let since = at.seconds_since(self.looked);
        let mut again = since >= self.patience_s();
        for (eye, reading) in self.eyes.iter().zip(readings).filter(|(eye, _)| eye.seen) {
            let lost = reading.off_center.is_nan() || reading.off_center > MAX_OFF_CENTER;
            again |= lost || reading.doubt > MAX_DOUBT || eye.bias.is_none();
            if eye.moves(eye.openness(reading)) {
                self.lid_moved = Some(at);
            }
        }
        again |= self
            .lid_moved
            .is_some_and(|moved| at.seconds_since(moved) <= AFTER_LID_S);
        if again {
            let region = self.region_now();
            // The mesh will say where the eyes are.
            self.places = before;
            return Glance::LookAgain(region);
        }
        for (eye, reading) in self.eyes.iter_mut().zip(readings) {
            eye.follow_noise(eye.openness(reading));
        }
        Glance::Stands(self.eyes_now(readings))
    }

    /// The mesh looked.
    pub(crate) fn looked(&mut self, face: &MeshFace, eyes: &Eyes, at: CaptureTime) {
        self.looked = at;
        self.places = places_of(face, eyes);
        self.places_then = self.places;
        self.yaw = eyes.yaw;
        self.region = face.next_region();
        let (sin, cos) = self.places.angle.sin_cos();
        let width = self.places.width.max(1e-3);
        for ((side, watched), corners) in EyeSide::BOTH
            .into_iter()
            .zip(&mut self.eyes)
            .zip(self.places.corners)
        {
            let eye = eyes.side(side);
            let (dx, dy) = (eye.center.x - corners.x, eye.center.y - corners.y);
            watched.seen = !eyes.is_turned_away(side);
            watched.confirmed = eye.openness;
            watched.width_ratio = eye.width / width;
            watched.center_offset = ((dx * cos + dy * sin) / width, (dy * cos - dx * sin) / width);
            watched.last = [None; 2];
        }
    }

    /// How far the mouth was open when the mesh looked.
    pub(crate) fn follow_mouth(&mut self, opening: f32) {
        self.mouth_is_wide = opening > WIDE_MOUTH;
    }

    /// How long after its last look the mesh looks again though no lid moves.
    fn patience_s(&self) -> f32 {
        let (dx, dy) = self.moved();
        let blind = self.eyes.iter().all(|eye| !eye.seen);
        if dx.hypot(dy) > HEAD_MOVED * self.places.width {
            HEAD_REFRESH_S
        } else if self.mouth_is_wide {
            MOUTH_REFRESH_S
        } else if blind {
            BLIND_REFRESH_S
        } else {
            REFRESH_S
        }
    }

    /// What the reader says of the frame that the mesh just looked at, with crops where the mesh saw the eyes: the
    /// difference is the reader's own, not that of a misplaced crop.
    pub(crate) fn compare(&mut self, readings: &[EyeReading; 2]) {
        for (eye, reading) in self.eyes.iter_mut().zip(readings) {
            eye.learn(reading);
        }
    }

    /// How well the eyes can be read, by the reader's look at this frame.
    pub(crate) fn legibility(&self, readings: &[EyeReading; 2]) -> Legibility {
        let seen = self.eyes.iter().zip(readings).filter(|(eye, _)| eye.seen);
        let mean = |of: fn(&WatchedEye, &EyeReading) -> f32| {
            let (sum, count) = seen
                .clone()
                .fold((0.0, 0u8), |(sum, count), (eye, reading)| {
                    (sum + of(eye, reading), count + 1)
                });
            sum / f32::from(count.max(1))
        };
        Legibility {
            disagreement: mean(|eye, _| eye.off),
            contrast: mean(|_, reading| reading.texture.contrast),
            grain: mean(|_, reading| reading.texture.grain),
        }
    }

    /// Moves the places to where the reader sees the eyes. A hidden eye goes along with the other; size waits for the mesh.
    fn follow(&mut self, readings: &[EyeReading; 2]) {
        let own = [readings[0].shift, readings[1].shift];
        let shifts = match [self.eyes[0].seen, self.eyes[1].seen] {
            [true, true] => own,
            [true, false] => [own[0]; 2],
            [false, true] => [own[1]; 2],
            [false, false] => [(0.0, 0.0); 2],
        };
        for (corners, (dx, dy)) in self.places.corners.iter_mut().zip(shifts) {
            *corners = Keypoint::new(corners.x + dx, corners.y + dy);
        }
        if self.eyes.iter().all(|eye| eye.seen) {
            let line = |places: &EyePlaces| {
                let [left, right] = places.corners;
                (left.y - right.y).atan2(left.x - right.x)
            };
            self.places.angle =
                self.places_then.angle + line(&self.places) - line(&self.places_then);
        }
    }

    fn eyes_now(&self, readings: &[EyeReading; 2]) -> Eyes {
        let (sin, cos) = self.places.angle.sin_cos();
        let width = self.places.width;
        let eye = |i: usize| {
            let (watched, corners) = (&self.eyes[i], self.places.corners[i]);
            let (along, across) = (
                watched.center_offset.0 * width,
                watched.center_offset.1 * width,
            );
            Eye {
                center: Keypoint::new(
                    corners.x + along * cos - across * sin,
                    corners.y + along * sin + across * cos,
                ),
                openness: watched.openness(&readings[i]),
                width: width * watched.width_ratio,
            }
        };
        Eyes {
            left: eye(0),
            right: eye(1),
            yaw: self.yaw,
        }
    }

    /// How far the eyes' middle moved since the mesh looked.
    fn moved(&self) -> (f32, f32) {
        let middle = |places: &EyePlaces| places.corners[0].midpoint(places.corners[1]);
        let (from, to) = (middle(&self.places_then), middle(&self.places));
        (to.x - from.x, to.y - from.y)
    }

    /// The mesh's region moved and turned with the eyes.
    fn region_now(&self) -> Region {
        let (dx, dy) = self.moved();
        Region {
            center: Keypoint::new(self.region.center.x + dx, self.region.center.y + dy),
            angle: self.region.angle + self.places.angle - self.places_then.angle,
            ..self.region
        }
    }

    /// The face's box when the mesh looked, moved with the eyes since.
    pub(crate) fn moved_bounds(&self, bounds: BoundingBox) -> BoundingBox {
        let (dx, dy) = self.moved();
        BoundingBox::new(bounds.x + dx, bounds.y + dy, bounds.width, bounds.height)
    }
}

fn places_of(face: &MeshFace, eyes: &Eyes) -> EyePlaces {
    EyePlaces {
        corners: EyeSide::BOTH.map(|side| face.eye_corners_middle(side)),
        width: f32::midpoint(eyes.left.width, eyes.right.width),
        angle: face.eye_line_angle(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(opening: f32) -> EyeReading {
        EyeReading {
            opening,
            doubt: 0.02,
            ..EyeReading::default()
        }
    }

    /// A face whose eyes lie level, 60 px apart, 30 px wide.
    fn face() -> MeshFace {
        let mut face = MeshFace::empty();
        let mut put = |index: usize, x: f32, y: f32| {
            face.landmarks[index].x = x;
            face.landmarks[index].y = y;
        };
        for (outer, inner, lids, left, right) in [
            (
                33,
                133,
                [(161, 163), (160, 144), (159, 145), (158, 153), (157, 154)],
                85.0,
                115.0,
            ),
            (
                263,
                362,
                [(388, 390), (387, 373), (386, 374), (385, 380), (384, 381)],
                175.0,
                145.0,
            ),
        ] {
            put(outer, left, 100.0);
            put(inner, right, 100.0);
            for (upper, lower) in lids {
                put(upper, f32::midpoint(left, right), 96.0);
                put(lower, f32::midpoint(left, right), 104.5);
            }
        }
        face
    }

    fn watch() -> (EyeWatch, f32) {
        let face = face();
        let eyes = Eyes::from_mesh(&face);
        let mut watch = EyeWatch::new(&face, &eyes, CaptureTime(0));
        watch.compare(&[reading(0.25); 2]);
        (watch, eyes.left.openness)
    }

    #[test]
    fn a_still_eye_is_left_to_the_reader_and_read_as_the_mesh_saw_it() {
        let (mut watch, openness) = watch();
        let Glance::Stands(eyes) = watch.glance(&[reading(0.251); 2], CaptureTime(40_000)) else {
            panic!("the mesh was called for nothing");
        };
        assert!(
            (eyes.left.openness - openness - 0.001).abs() < 1e-3,
            "{eyes:?}"
        );
        assert!(eyes.left.center.distance(Keypoint::new(160.0, 100.0)) < 1.0);
    }

    #[test]
    fn a_moving_lid_a_lost_place_and_time_call_the_mesh() {
        let away = EyeReading {
            off_center: 0.2,
            ..reading(0.25)
        };
        let doubtful = EyeReading {
            doubt: 0.3,
            ..reading(0.25)
        };
        for (readings, ms) in [
            ([reading(0.25), reading(0.15)], 40),
            ([reading(0.25), away], 40),
            ([doubtful, reading(0.25)], 40),
            ([reading(0.25); 2], 1000),
        ] {
            let (mut watch, _) = watch();
            let glance = watch.glance(&readings, CaptureTime(ms * 1000));
            assert!(matches!(glance, Glance::LookAgain(_)), "{readings:?}");
        }
    }

    #[test]
    fn crops_and_region_go_with_the_eyes() {
        let (mut watch, _) = watch();
        let shifted = EyeReading {
            shift: (3.0, -1.0),
            ..reading(0.25)
        };
        let before = watch.region;
        for i in 1..4 {
            assert!(matches!(
                watch.glance(&[shifted; 2], CaptureTime(i * 40_000)),
                Glance::Stands(_)
            ));
        }
        assert!((watch.places.corners[0].x - 169.0).abs() < 1e-3);
        let region = watch.region_now();
        assert!(
            (region.center.x - before.center.x - 9.0).abs() < 1e-3
                && (region.angle - before.angle).abs() < 1e-5
        );
    }
}
