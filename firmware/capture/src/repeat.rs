//! Telling repeated pictures from new ones.
//!
//! A camera slower than its stream sends pictures twice. After compression the two differ by a few grey levels here and
//! there, while even a still scene's new exposure differs by its noise everywhere. Compared is a grid of samples.

/// Samples along the longer side.
const GRID: usize = 96;

/// Mean difference, in grey levels, below which two pictures are one.
const MEAN_LEVELS: f32 = 0.12;

/// Largest difference of a sample, in grey levels, between two copies of one picture.
const MAX_LEVELS: u8 = 6;

/// Remembers a grid of the last picture.
#[derive(Debug, Default)]
pub(crate) struct RepeatDetector {
    last: Vec<u8>,
    size: (usize, usize),
    digest: u32,
}

/// How a picture compares with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Another picture.
    New,
    /// The same picture, compressed twice.
    Repeat,
    /// The same picture to the last bit.
    SamePixels,
}

impl RepeatDetector {
    /// Compares a picture with the one before.
    pub(crate) fn observe(&mut self, luma: &[u8], width: usize, height: usize) -> Likeness {
        let digest = crc32fast::hash(luma);
        let before = std::mem::replace(&mut self.digest, digest);
        let step = (width.max(height) / GRID).max(1);
        let same_size = self.size == (width, height);
        self.size = (width, height);
        let count = width.div_ceil(step) * height.div_ceil(step);
        if !same_size {
            self.last.clear();
            self.last.resize(count, 0);
        }
        let (mut sum, mut largest) = (0u32, 0u8);
        let mut last = self.last.iter_mut();
        for row in luma.chunks_exact(width).step_by(step) {
            for (sample, last) in row.iter().step_by(step).zip(&mut last) {
                let difference = sample.abs_diff(*last);
                sum += u32::from(difference);
                largest = largest.max(difference);
                *last = *sample;
            }
        }
        match same_size && largest <= MAX_LEVELS && (sum as f32) < MEAN_LEVELS * count as f32 {
            true if digest == before => Likeness::SamePixels,
            true => Likeness::Repeat,
            false => Likeness::New,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_a_repeat_and_a_moved_picture_is_not() {
        let picture = |shift: usize| -> Vec<u8> {
            (0..240)
                .flat_map(|y| (0..320).map(move |x| (((x + shift) * 7 + y * 3) % 200) as u8))
                .collect()
        };
        let mut repeats = RepeatDetector::default();
        assert_eq!(repeats.observe(&picture(0), 320, 240), Likeness::New);
        assert_eq!(repeats.observe(&picture(0), 320, 240), Likeness::SamePixels);
        let mut compressed = picture(0);
        compressed[0] += 2;
        assert_eq!(repeats.observe(&compressed, 320, 240), Likeness::Repeat);
        assert_eq!(repeats.observe(&picture(1), 320, 240), Likeness::New);
        assert_eq!(
            repeats.observe(&picture(1)[..200 * 100], 200, 100),
            Likeness::New,
            "another size is another picture"
        );
    }
}
