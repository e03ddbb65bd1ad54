//! Leaving out frames where the rig sheds work, without losing count of them.

use capture::FrameInfo;
use label_core::wire::Shed;

/// Which frames of a live source are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thinning {
    place: u32,
    /// Frames since the last one that was looked at: those left out, and those lost before them.
    missed: u32,
    /// Of these, those left out; before the frame admitted last.
    left_out: (u32, u32),
    /// Whether every frame left out repeated the one before, and whether to the last bit.
    repeats: (bool, bool),
}

impl Default for Thinning {
    fn default() -> Self {
        Self {
            place: 0,
            missed: 0,
            left_out: (0, 0),
            repeats: (true, true),
        }
    }
}

impl Thinning {
    /// Whether to look at this frame. If so, what is known of it speaks of the frame looked at before it.
    pub(super) fn admits(&mut self, info: &mut FrameInfo, shed: Shed) -> bool {
        let one_of = match shed {
            Shed::Nothing | Shed::Attributes | Shed::PersonBox => 1,
            Shed::HalfRate => 2,
            Shed::QuarterRate => 4,
        };
        self.repeats.0 &= info.repeat;
        self.repeats.1 &= info.same_pixels;
        self.missed += info.dropped_before;
        let admitted = self.place == 0;
        self.place = (self.place + 1) % one_of;
        if admitted {
            info.dropped_before = std::mem::take(&mut self.missed);
            self.left_out = (0, self.left_out.0);
            (info.repeat, info.same_pixels) = std::mem::replace(&mut self.repeats, (true, true));
        } else {
            self.missed += 1;
            self.left_out.0 += 1;
        }
        admitted
    }

    /// Frames left out before the one that was admitted last, those lost by themselves not counted.
    pub(super) const fn left_out(&self) -> u32 {
        self.left_out.1
    }

    /// Frames left out or lost since the last one that was looked at.
    pub(super) const fn missed(&self) -> u32 {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_a_quarter_of_the_rate_every_frame_is_looked_at_or_counted_as_dropped() {
        let mut thinning = Thinning::default();
        let (mut looked_at, mut dropped, mut captured, mut lost) = (0, 0, 0, 0);
        for number in 0..103u32 {
            let dropped_before = u32::from(number % 10 == 7) * 3;
            captured += 1 + dropped_before;
            lost += dropped_before;
            let shed = [Shed::Nothing, Shed::QuarterRate, Shed::HalfRate][number as usize / 40];
            let mut info = FrameInfo {
                dropped_before,
                ..FrameInfo::default()
            };
            if thinning.admits(&mut info, shed) {
                looked_at += 1;
                dropped += info.dropped_before;
                lost += thinning.left_out();
                assert!(lost >= dropped, "lost by themselves, and left out");
            }
        }
        assert_eq!(looked_at + dropped + thinning.missed(), captured);
        assert!((60..65).contains(&looked_at), "{looked_at}");
    }

    #[test]
    fn a_repeat_of_a_frame_that_was_left_out_is_not_taken_for_a_repeat_of_the_one_looked_at() {
        let picture = |repeat| FrameInfo {
            repeat,
            same_pixels: repeat,
            ..FrameInfo::default()
        };
        let mut thinning = Thinning::default();
        assert!(thinning.admits(&mut picture(false), Shed::HalfRate));
        assert!(!thinning.admits(&mut picture(false), Shed::HalfRate));
        let mut third = picture(true);
        assert!(thinning.admits(&mut third, Shed::HalfRate));
        assert!(!third.repeat && !third.same_pixels);
        assert!(!thinning.admits(&mut picture(true), Shed::HalfRate));
        let mut fifth = picture(true);
        assert!(thinning.admits(&mut fifth, Shed::HalfRate));
        assert!(fifth.repeat && fifth.same_pixels);
    }
}
