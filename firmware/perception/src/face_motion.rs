//! What the mesh says of mouth and nodding.

use crate::face_mesh::{Landmark, MeshFace};
use label_core::labeller::FaceMotion;

/// Mesh indexes: the inner lips' corners, and three pairs of points of the inner upper and lower lip.
const MOUTH_CORNERS: (usize, usize) = (78, 308);
const INNER_LIPS: [(usize, usize); 3] = [(82, 87), (13, 14), (312, 317)];
/// Top of the forehead and base of the nose: neither moves with the jaw.
const FOREHEAD: usize = 10;
const NOSE_BASE: usize = 2;

impl MeshFace {
    /// Mouth: mean gap between the inner lips over its width, both in three dimensions; 0 shut, speech mostly below 0.4, a
    /// yawn 0.6 to 1.2. Nod: its zero is the face's own and the camera's, so compare it, do not read it.
    pub fn motion(&self) -> FaceMotion {
        let points = &self.landmarks;
        let gap: f32 = INNER_LIPS
            .iter()
            .map(|&(upper, lower)| points[upper].distance(points[lower]))
            .sum();
        let width = points[MOUTH_CORNERS.0].distance(points[MOUTH_CORNERS.1]);
        FaceMotion {
            mouth_opening: gap / INNER_LIPS.len() as f32 / width.max(1e-6),
            pitch: pitch(points[FOREHEAD], points[NOSE_BASE]),
        }
    }
}

/// Nodding brings the forehead towards the camera and takes the nose's base away from it.
fn pitch(forehead: Landmark, nose: Landmark) -> f32 {
    let (dx, dy) = (nose.x - forehead.x, nose.y - forehead.y);
    (nose.z - forehead.z)
        .atan2((dx * dx + dy * dy).sqrt())
        .to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(gap: f32, nod: f32) -> MeshFace {
        let mut face = MeshFace::empty();
        let mut put = |index: usize, x: f32, y: f32, z: f32| {
            face.landmarks[index] = Landmark { x, y, z };
        };
        put(78, 80.0, 200.0, 0.0);
        put(308, 120.0, 200.0, 0.0);
        for (upper, lower) in INNER_LIPS {
            put(upper, 100.0, 200.0 - gap / 2.0, 0.0);
            put(lower, 100.0, 200.0 + gap / 2.0, 0.0);
        }
        let (sin, cos) = nod.to_radians().sin_cos();
        put(FOREHEAD, 100.0, 100.0 - 40.0 * cos, -40.0 * sin);
        put(NOSE_BASE, 100.0, 100.0 + 40.0 * cos, 40.0 * sin);
        face
    }

    #[test]
    fn a_mouth_as_high_as_half_its_width_is_half_open_whatever_the_nod() {
        for nod in [-20.0, 0.0, 30.0] {
            let motion = face(20.0, nod).motion();
            assert!((motion.mouth_opening - 0.5).abs() < 1e-5, "{motion:?}");
            assert!((motion.pitch - nod).abs() < 1e-3, "{motion:?}");
        }
    }
}
