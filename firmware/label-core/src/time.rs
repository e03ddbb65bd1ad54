//! Frames and times.

use serde::{Deserialize, Serialize};

/// 0-based index of a *decoded* frame of a clip.
pub type FrameIndex = u32;

/// An inclusive (closed) range of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct FrameRange {
    /// First frame.
    pub start: FrameIndex,
    /// Last frame, itself included.
    pub end: FrameIndex,
}

impl FrameRange {
    /// A range; ends given in the wrong order are swapped.
    pub const fn new(start: FrameIndex, end: FrameIndex) -> Self {
        if start <= end {
            Self { start, end }
        } else {
            Self {
                start: end,
                end: start,
            }
        }
    }

    /// Number of frames, never 0.
    pub const fn frames(self) -> u32 {
        self.end - self.start + 1
    }

    /// Whether the frame lies in the range.
    pub const fn contains(self, frame: FrameIndex) -> bool {
        frame >= self.start && frame <= self.end
    }

    /// Number of frames in both ranges.
    pub fn overlap(self, other: Self) -> u32 {
        (self.end.min(other.end) + 1).saturating_sub(self.start.max(other.start))
    }

    /// Temporal intersection over union.
    pub fn iou(self, other: Self) -> f32 {
        let both = self.overlap(other);
        both as f32 / (self.frames() + other.frames() - both) as f32
    }
}

impl From<(u32, u32)> for FrameRange {
    fn from((start, end): (u32, u32)) -> Self {
        Self::new(start, end)
    }
}

impl From<FrameRange> for (u32, u32) {
    fn from(range: FrameRange) -> Self {
        (range.start, range.end)
    }
}

/// Microseconds on the clip's own time line: the presentation time of a file, or the device's monotonic clock for a
/// live camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaptureTime(pub i64);

impl CaptureTime {
    /// Microseconds.
    pub const fn us(self) -> i64 {
        self.0
    }

    /// Seconds since `earlier`; negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> f32 {
        (self.0 - earlier.0) as f32 * 1e-6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eight_frame_blink_one_frame_off_has_iou_0_78() {
        let iou = FrameRange::new(10, 17).iou(FrameRange::new(11, 18));
        assert!((iou - 7.0 / 9.0).abs() < 1e-6);
        assert_eq!(FrameRange::new(0, 3).overlap(FrameRange::new(4, 5)), 0);
    }

    #[test]
    fn a_range_travels_as_two_numbers() {
        assert_eq!(
            serde_json::to_string(&FrameRange::new(3, 9)).unwrap(),
            "[3,9]"
        );
        assert_eq!(
            serde_json::from_str::<FrameRange>("[3,9]").unwrap(),
            FrameRange::new(3, 9)
        );
    }
}
