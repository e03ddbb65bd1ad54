//! How flat and how grey a picture is: on such pictures a score promises more than it holds.
//!
//! Near-infrared cameras give grey and mostly flat pictures; so do fog, a dirty lens and the dark. The detector learned from
//! photographs in colour.

/// A picture with less contrast (grey levels, 0 to 255) is flat: one in ten of those that `models/calibration/fit_person.py` is
/// fitted on has less. Of four limits compared there the one of least log loss, all within noise.
const FLAT_CONTRAST: f32 = 40.0;

/// A picture with less colour (grey levels) is somewhat grey. Of those of the fit the grey ones have 1 at most, the others 10.
const GREY_COLOUR: f32 = 4.0;

/// The tones of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tone {
    /// Deviation of the grey levels.
    contrast: f32,
    /// Deviation of the distance between a pixel's strongest and weakest channel: an even tint, as of a lamp, is no colour.
    colour: f32,
}

impl Default for Tone {
    /// Neither flat nor grey.
    fn default() -> Self {
        Self {
            contrast: FLAT_CONTRAST,
            colour: GREY_COLOUR,
        }
    }
}

impl Tone {
    /// Reads interleaved RGB of `width` by `height` pixels, but for borders of so many pixels on both sides, and above and below.
    pub(super) fn read(
        rgb: &[u8],
        (width, height): (usize, usize),
        (beside, above): (usize, usize),
    ) -> Self {
        let (mut contrast, mut colour) = (Spread::default(), Spread::default());
        let rows = rgb
            .chunks_exact(3 * width)
            .take(height - above.min(height))
            .skip(above);
        for row in rows {
            let (pixels, _) = row.as_chunks::<3>();
            for [red, green, blue] in pixels.iter().take(width - beside.min(width)).skip(beside) {
                let strongest = (*red).max(*green).max(*blue);
                let weakest = (*red).min(*green).min(*blue);
                contrast.add(u64::from(*red) + 2 * u64::from(*green) + u64::from(*blue));
                colour.add(u64::from(strongest - weakest));
            }
        }
        Self {
            contrast: contrast.deviation() / 4.0,
            colour: colour.deviation(),
        }
    }

    /// How flat (natural logarithm of the limit over the contrast) and how grey (1: wholly); 0 where it is not.
    pub(super) fn features(self) -> [f32; 2] {
        [
            (FLAT_CONTRAST / self.contrast.max(1.0)).ln().max(0.0),
            (1.0 - self.colour / GREY_COLOUR).max(0.0),
        ]
    }
}

/// What a deviation is made of.
#[derive(Default)]
struct Spread {
    count: u64,
    sum: u64,
    squares: u64,
}

impl Spread {
    fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum += value;
        self.squares += value * value;
    }

    fn deviation(&self) -> f32 {
        let count = self.count.max(1) as f64;
        let mean = self.sum as f64 / count;
        (self.squares as f64 / count - mean * mean).max(0.0).sqrt() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 8 by 8 pixels, the outer two rows above and below black as a letterbox has them.
    fn features(pixel: impl Fn(usize) -> [u8; 3]) -> [f32; 2] {
        let rgb: Vec<u8> = (0..64)
            .flat_map(|place| match place / 8 {
                0 | 1 | 6 | 7 => [0; 3],
                _ => pixel(place),
            })
            .collect();
        Tone::read(&rgb, (8, 8), (0, 2)).features()
    }

    #[test]
    fn a_picture_with_colour_and_contrast_is_neither_flat_nor_grey() {
        let vivid = features(|place| {
            if place % 2 == 0 {
                [250, 120, 60]
            } else {
                [20, 20, 30]
            }
        });
        assert_eq!(vivid, [0.0, 0.0]);
    }

    #[test]
    fn a_picture_of_one_tint_is_grey_and_its_black_border_is_no_contrast() {
        let infrared = features(|place| {
            let level = 100 + (place % 2) as u8 * 20;
            [level, level, level + 30]
        });
        assert_eq!(infrared[1], 1.0);
        assert!(
            (infrared[0] - 4.0f32.ln()).abs() < 1e-5,
            "a deviation of 10: {}",
            infrared[0]
        );
    }

    #[test]
    fn grey_and_full_of_contrast_is_not_flat() {
        let [flat, grey] = features(|place| [if place % 2 == 0 { 10 } else { 200 }; 3]);
        assert_eq!((flat, grey), (0.0, 1.0));
    }
}
