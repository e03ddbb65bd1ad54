//! What the mesh says of each eye: where its opening is, how far it is open, whether it can be seen.

use crate::face_mesh::{Landmark, MeshFace};
use label_core::{EyeSide, Keypoint};

/// Mesh indexes of one eye.
struct EyeTable {
    outer: usize,
    inner: usize,
    /// Upper and lower lid, paired from the outer to the inner corner.
    lids: [(usize, usize); 5],
}

const RIGHT: EyeTable = EyeTable {
    outer: 33,
    inner: 133,
    lids: [(161, 163), (160, 144), (159, 145), (158, 153), (157, 154)],
};
const LEFT: EyeTable = EyeTable {
    outer: 263,
    inner: 362,
    lids: [(388, 390), (387, 373), (386, 374), (385, 380), (384, 381)],
};

/// Beyond this head turn the nose hides the far eye.
const FAR_EYE_MAX_YAW: f32 = 40.0;

/// Beyond this head turn even the near eye's lids are guesswork of the mesh.
const NEAR_EYE_MAX_YAW: f32 = 55.0;

/// One eye in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eye {
    /// Centre of the opening.
    pub center: Keypoint,
    /// Mean gap between the lids over the distance of the corners in three dimensions. Open eyes have 0.20 to 0.33;
    /// a shut eye has 0 or a little less, since the upper lid is drawn over the lower.
    pub openness: f32,
    /// Distance of the corners in three dimensions, pixels: does not shrink when the head turns.
    pub width: f32,
}

/// Both eyes and the head's turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eyes {
    /// The subject's left eye.
    pub left: Eye,
    /// The subject's right eye.
    pub right: Eye,
    /// Turn of the head in degrees; positive when the subject's left eye is the farther one.
    pub yaw: f32,
}

impl Eyes {
    /// Reads both eyes off a mesh.
    pub fn from_mesh(face: &MeshFace) -> Self {
        let points = &face.landmarks;
        let (right, left) = (points[RIGHT.outer], points[LEFT.outer]);
        let (dx, dy, dz) = (left.x - right.x, left.y - right.y, left.z - right.z);
        let yaw = dz.atan2((dx * dx + dy * dy).sqrt()).to_degrees();
        Self {
            left: read(points.as_slice(), &LEFT),
            right: read(points.as_slice(), &RIGHT),
            yaw,
        }
    }

    /// The eye of this side.
    pub fn side(&self, side: EyeSide) -> &Eye {
        match side {
            EyeSide::Left => &self.left,
            EyeSide::Right => &self.right,
        }
    }

    /// Whether this eye faces the camera enough to be judged.
    pub fn is_turned_away(&self, side: EyeSide) -> bool {
        let towards = match side {
            EyeSide::Left => self.yaw,
            EyeSide::Right => -self.yaw,
        };
        !(-NEAR_EYE_MAX_YAW..=FAR_EYE_MAX_YAW).contains(&towards)
    }

    /// Distance between the eye centres in pixels.
    pub fn distance(&self) -> f32 {
        self.left.center.distance(self.right.center)
    }
}

const fn table(side: EyeSide) -> &'static EyeTable {
    match side {
        EyeSide::Left => &LEFT,
        EyeSide::Right => &RIGHT,
    }
}

impl MeshFace {
    /// Half way between the corners of an eye.
    pub(crate) fn eye_corners_middle(&self, side: EyeSide) -> Keypoint {
        let table = table(side);
        self.landmarks[table.outer]
            .keypoint()
            .midpoint(self.landmarks[table.inner].keypoint())
    }

    /// Angle of the line from the right eye's outer corner to the left's.
    pub(crate) fn eye_line_angle(&self) -> f32 {
        let (right, left) = (self.landmarks[RIGHT.outer], self.landmarks[LEFT.outer]);
        (left.y - right.y).atan2(left.x - right.x)
    }
}

fn read(points: &[Landmark], table: &EyeTable) -> Eye {
    let (outer, inner) = (points[table.outer], points[table.inner]);
    let (dx, dy) = (inner.x - outer.x, inner.y - outer.y);
    let flat = (dx * dx + dy * dy).sqrt().max(1e-6);
    let width = outer.distance(inner).max(1e-6);
    // Unit normal of the corner line that points down the face: lids below it count as positive.
    let (nx, ny) = if dx >= 0.0 {
        (-dy / flat, dx / flat)
    } else {
        (dy / flat, -dx / flat)
    };
    let mut gap = 0.0;
    for (upper, lower) in table.lids {
        gap += (points[lower].x - points[upper].x) * nx + (points[lower].y - points[upper].y) * ny;
    }
    Eye {
        center: center(points, table),
        openness: gap / table.lids.len() as f32 / width,
        width,
    }
}

/// Half way between the middle of the corners and the mean of corners and the lids beside the pupil: the first is what
/// annotators of corners mark, the second what annotators of contours mark.
fn center(points: &[Landmark], table: &EyeTable) -> Keypoint {
    let corners = points[table.outer]
        .keypoint()
        .midpoint(points[table.inner].keypoint());
    let mut six = [0.0f32; 2];
    let lids = [table.lids[1], table.lids[3]];
    let contour = lids
        .iter()
        .flat_map(|(upper, lower)| [*upper, *lower])
        .chain([table.outer, table.inner]);
    for index in contour {
        six[0] += points[index].x / 6.0;
        six[1] += points[index].y / 6.0;
    }
    corners.midpoint(Keypoint::new(six[0], six[1]))
}
