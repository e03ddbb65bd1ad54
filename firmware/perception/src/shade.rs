//! How light falls on a face: its halves against each other, and the whole of it against what surrounds it.
//!
//! The mesh places small patches of skin, in mirrored pairs, on forehead, cheeks, nose and jaw. All is relative, in
//! *stops* (factors of two of light): a dark skin has the same differences as a fair one. A patch's level is its median,
//! so strands of hair and the rim of glasses inside it do not count.

use crate::faces::TrackedFace;
use crate::picture::{ColorRange, Picture};

/// Mirrored patches by mesh index, subject's right and left, from the forehead down.
const PAIRS: [(usize, usize); 12] = [
    (104, 333),
    (69, 299),
    (108, 337),
    (117, 346),
    (118, 347),
    (101, 330),
    (50, 280),
    (205, 425),
    (198, 420),
    (187, 411),
    (214, 434),
    (169, 394),
];
/// Bands of pairs: forehead, upper cheeks, middle, jaw.
const BANDS: [core::ops::Range<usize>; 4] = [0..3, 3..6, 6..9, 9..12];

/// Side of a patch, as a share of the face's width, and places read along each side.
const PATCH: f32 = 0.06;
const SAMPLES: usize = 5;

/// A face narrower than this many pixels has no patches to speak of.
const MIN_WIDTH: f32 = 24.0;

/// The exponent that turns levels into light, and levels added to each so that noise in the dark counts little.
const GAMMA: f32 = 2.2;
const FLOOR: f32 = 6.0;

/// Beyond this turn of the head (degrees) one half of the face is not seen well enough to be compared.
const MAX_YAW: f32 = 40.0;

/// Numbers that a calibration of shade is fitted on.
pub const SHADE_FEATURES: usize = 3;

/// Stops of backlight that a stop of highlights makes up for: a face in the shade has none, a dark skin in the light has.
const HIGHLIGHT_WEIGHT: f32 = 1.5;

/// Why the light on a face cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoShade {
    /// Too few pixels.
    TooSmall,
    /// One half of the face is turned away.
    TurnedAway,
    /// Hardly anything of it is in the picture.
    OutOfPicture,
    /// There is no light to compare.
    TooDark,
}

/// The light on a face in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceShade {
    /// Stops between the halves: the second strongest of four bands of the face, in the direction of most of them.
    pub sides: f32,
    /// The same over the deviation within the halves: large where the halves differ and each is even. A change of contrast
    /// leaves it as it is.
    pub evenness: f32,
    /// Stops by which the surroundings' brighter quarter outshines the face.
    pub backlight: f32,
    /// Stops by which the face's brightest patches outshine its middle ones: what faces a lamp has highlights.
    pub highlight: f32,
    /// Median grey level of the patches, 0 to 255.
    pub level: f32,
}

impl FaceShade {
    /// Reads the light on a tracked face.
    pub fn read(picture: &Picture<'_>, face: &TrackedFace) -> Result<Self, NoShade> {
        let pairs = patches(picture, face)?;
        let mut all = Sorted::<{ 2 * PAIRS.len() }>::new();
        for (right, left) in pairs.iter().flatten() {
            all.push(*right);
            all.push(*left);
        }
        let middle = all.at(0.5);
        let around = surroundings(picture, face);
        let level = level_of(middle);
        if level < 8.0 && around.at(0.9) < stops(24.0) {
            return Err(NoShade::TooDark);
        }
        let (sides, within) = compare_halves(&pairs);
        Ok(Self {
            sides,
            evenness: sides / (within + 0.1),
            backlight: around.at(0.75) - all.at(0.6),
            highlight: all.at(1.0) - middle,
            level,
        })
    }

    /// Stops between the halves alone; `None` where they cannot be compared.
    pub(crate) fn sides_of(picture: &Picture<'_>, face: &TrackedFace) -> Option<f32> {
        let pairs = patches(picture, face).ok()?;
        Some(compare_halves(&pairs).0)
    }

    /// The numbers that a calibration is fitted on: of the halves the difference (natural logarithm) and the evenness, of
    /// the whole face how far its surroundings outshine it beyond what its own highlights make up for.
    pub fn features(&self) -> [f32; SHADE_FEATURES] {
        [
            (self.sides + 0.15).ln(),
            self.evenness,
            self.backlight - HIGHLIGHT_WEIGHT * self.highlight,
        ]
    }
}

/// Median light of the mirrored patches of skin, right and left, in stops; `None` of a pair that is not wholly in the picture.
fn patches(
    picture: &Picture<'_>,
    face: &TrackedFace,
) -> Result<[Option<(f32, f32)>; PAIRS.len()], NoShade> {
    if face.bounds.width < MIN_WIDTH {
        return Err(NoShade::TooSmall);
    }
    if face.eyes.yaw.abs() > MAX_YAW {
        return Err(NoShade::TurnedAway);
    }
    let then = face.mesh.bounds().center();
    let now = face.bounds.center();
    let (dx, dy) = (now.x - then.x, now.y - then.y);
    let side = (PATCH * face.bounds.width).max(SAMPLES as f32);
    let mut pairs = [None; PAIRS.len()];
    for (pair, (right, left)) in pairs.iter_mut().zip(PAIRS) {
        let patch = |index: usize| {
            let point = face.mesh.landmarks[index];
            patch(picture, point.x + dx, point.y + dy, side)
        };
        *pair = patch(right).zip(patch(left));
    }
    if pairs.iter().flatten().count() < PAIRS.len() / 2 {
        return Err(NoShade::OutOfPicture);
    }
    Ok(pairs)
}

/// Difference of the halves, and what they differ by within themselves.
fn compare_halves(pairs: &[Option<(f32, f32)>; PAIRS.len()]) -> (f32, f32) {
    let mut bands = [0.0f32; BANDS.len()];
    let mut seen = 0;
    for band in BANDS {
        let mut differences = Sorted::<{ PAIRS.len() }>::new();
        for (right, left) in pairs[band].iter().flatten() {
            differences.push(left - right);
        }
        if differences.len() > 0 {
            bands[seen] = differences.at(0.5);
            seen += 1;
        }
    }
    let bands = &mut bands[..seen];
    bands.sort_unstable_by(f32::total_cmp);
    // The second largest either way: one band alone may be a strand of hair, a beard or a lamp's reflection.
    let second = match bands {
        [] | [_] => 0.0,
        bands => {
            let (low, high) = (bands[1], bands[seen - 2]);
            if -low > high { -low } else { high }
        }
    };
    let mut within = Sorted::<{ 2 * PAIRS.len() }>::new();
    for side in [0, 1] {
        let of_side = |pair: &(f32, f32)| if side == 0 { pair.0 } else { pair.1 };
        let mut levels = Sorted::<{ PAIRS.len() }>::new();
        for pair in pairs.iter().flatten() {
            levels.push(of_side(pair));
        }
        let middle = levels.at(0.5);
        for pair in pairs.iter().flatten() {
            within.push((of_side(pair) - middle).abs());
        }
    }
    (second.max(0.0), within.at(0.5))
}

/// Levels of the picture outside the head.
fn surroundings(picture: &Picture<'_>, face: &TrackedFace) -> Sorted<{ 24 * 14 }> {
    let mut levels = Sorted::new();
    let b = face.bounds;
    // Hair, ears and neck are no surroundings.
    let (left, right) = (b.x - 0.4 * b.width, b.x + 1.4 * b.width);
    let (top, bottom) = (b.y - 0.5 * b.height, b.y + 1.6 * b.height);
    for place in 0..24 * 14 {
        let x = (2 * (place % 24) + 1) * picture.width / 48;
        let y = (2 * (place / 24) + 1) * picture.height / 28;
        let inside = (left..right).contains(&(x as f32)) && (top..bottom).contains(&(y as f32));
        if !inside {
            levels.push(stops(grey(picture, picture.luma[y * picture.width + x])));
        }
    }
    levels
}

/// Median light of a patch of skin, in stops; `None` where it is not in the picture.
fn patch(picture: &Picture<'_>, x: f32, y: f32, side: f32) -> Option<f32> {
    let half = side / 2.0;
    let inside = x - half >= 0.0
        && y - half >= 0.0
        && x + half < picture.width as f32
        && y + half < picture.height as f32;
    if !inside {
        return None;
    }
    let mut levels = [0u8; SAMPLES * SAMPLES];
    for (place, level) in levels.iter_mut().enumerate() {
        let along = |index: usize| side * ((index as f32 + 0.5) / SAMPLES as f32 - 0.5);
        let column = (x + along(place % SAMPLES)) as usize;
        let row = (y + along(place / SAMPLES)) as usize;
        *level = picture.luma[row * picture.width + column];
    }
    levels.sort_unstable();
    Some(stops(grey(picture, levels[levels.len() / 2])))
}

/// A byte of luma as a grey level of the full range.
fn grey(picture: &Picture<'_>, byte: u8) -> f32 {
    match picture.range {
        ColorRange::Full => f32::from(byte),
        ColorRange::Limited => ((f32::from(byte) - 16.0) * 255.0 / 219.0).clamp(0.0, 255.0),
    }
}

/// Light of a grey level, in stops below white.
fn stops(level: f32) -> f32 {
    GAMMA * ((level + FLOOR) / (255.0 + FLOOR)).log2()
}

/// The grey level that has this light.
fn level_of(stops: f32) -> f32 {
    (stops / GAMMA).exp2() * (255.0 + FLOOR) - FLOOR
}

/// A few numbers in order.
struct Sorted<const N: usize> {
    values: [f32; N],
    count: usize,
}

impl<const N: usize> Sorted<N> {
    fn new() -> Self {
        Self {
            values: [0.0; N],
            count: 0,
        }
    }

    /// Puts a number in its place; more than there is room for are left out.
    fn push(&mut self, value: f32) {
        if self.count == N {
            return;
        }
        let place = self.values[..self.count].partition_point(|other| *other < value);
        self.values.copy_within(place..self.count, place + 1);
        self.values[place] = value;
        self.count += 1;
    }

    fn len(&self) -> usize {
        self.count
    }

    /// The number below which this share of them lies; 0 where there are none.
    fn at(&self, share: f32) -> f32 {
        let last = self.count.saturating_sub(1);
        self.values[((share * last as f32).round() as usize).min(last)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stops of the twelve pairs, right and left.
    fn compared(level: impl Fn(usize) -> (f32, f32)) -> (f32, f32) {
        compare_halves(&core::array::from_fn(|place| Some(level(place))))
    }

    #[test]
    fn half_a_face_in_shade_differs_and_is_even() {
        let (sides, within) = compared(|place| (-1.0 - 0.05 * place as f32, -3.0));
        assert!((1.3..2.0).contains(&sides), "{sides}");
        assert!(within < 0.3);
        let (other_side, _) = compared(|place| (-3.0, -1.0 - 0.05 * place as f32));
        assert_eq!(sides, other_side);
    }

    #[test]
    fn a_strand_of_hair_or_a_beard_is_no_shade() {
        let (sides, _) = compared(|place| (-1.0, if place < 3 { -4.0 } else { -1.1 }));
        assert!(sides < 0.2, "hair over one side of the forehead: {sides}");
        let (sides, _) = compared(|place| {
            if place < 9 {
                (-1.0, -1.0)
            } else {
                (-3.5, -3.4)
            }
        });
        assert!(sides < 0.2, "a beard on both: {sides}");
    }

    #[test]
    fn light_that_falls_alike_on_fair_and_dark_skin_has_the_same_stops() {
        let fair = stops(180.0) - stops(90.0);
        let dark = stops(60.0) - stops(27.0);
        assert!((fair - dark).abs() < 0.4, "{fair} {dark}");
        assert!((level_of(stops(77.0)) - 77.0).abs() < 0.1);
    }

    #[test]
    fn numbers_are_kept_in_order_and_no_more_than_there_is_room_for() {
        let mut sorted = Sorted::<4>::new();
        for value in [3.0, 1.0, 2.0, 5.0, 0.0] {
            sorted.push(value);
        }
        assert_eq!(
            (sorted.at(0.0), sorted.at(1.0), sorted.len()),
            (1.0, 5.0, 4)
        );
        assert_eq!(Sorted::<4>::new().at(0.5), 0.0);
    }
}
