//! What a camera says it can do, as plain values.

use super::{CameraSettings, PixelFormat};
use std::fmt;

/// Seconds between two frames, as the kernel writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Seconds, times the denominator.
    pub numerator: u32,
    /// What the numerator is divided by.
    pub denominator: u32,
}

impl Interval {
    /// The interval of a rate; thousandths of a frame a second are kept.
    pub fn of_fps(fps: f32) -> Self {
        if fps.fract() == 0.0 {
            Self {
                numerator: 1,
                denominator: (fps as u32).max(1),
            }
        } else {
            Self {
                numerator: 1000,
                denominator: ((fps * 1000.0).round() as u32).max(1),
            }
        }
    }

    /// Frames a second; `None` of what is no interval.
    pub fn fps(self) -> Option<f32> {
        (self.numerator > 0 && self.denominator > 0)
            .then(|| (f64::from(self.denominator) / f64::from(self.numerator)) as f32)
    }
}

/// Intervals that a camera offers for one format and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalOffer {
    /// This one.
    One(Interval),
    /// From the shortest to the longest, in steps or continuous.
    Range {
        /// The fastest.
        shortest: Interval,
        /// The slowest.
        longest: Interval,
        /// Between two of them; anything between where it is no interval.
        step: Interval,
    },
}

/// Sizes that a camera offers for one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeOffer {
    /// This one.
    One {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// Any in steps.
    Range {
        /// Smallest, largest and step of pixels across.
        width: [u32; 3],
        /// Smallest, largest and step of pixels down.
        height: [u32; 3],
    },
}

impl SizeOffer {
    /// Of these sizes the one nearest to what is asked: not smaller where there is one.
    pub fn nearest(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::One { width, height } => (width, height),
            Self::Range {
                width: across,
                height: down,
            } => (step_to(across, width), step_to(down, height)),
        }
    }
}

/// The first step of smallest, largest and step that is not below `wanted`, or the last.
fn step_to([smallest, largest, step]: [u32; 3], wanted: u32) -> u32 {
    let step = step.max(1);
    let above = wanted.clamp(smallest, largest.max(smallest)) - smallest;
    let up = above.div_ceil(step).saturating_mul(step);
    let room = largest.saturating_sub(smallest) / step * step;
    smallest.saturating_add(up.min(room))
}

/// A format at one size, or at any of a range of sizes, and the intervals between frames there.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The kernel's name of the format.
    pub fourcc: [u8; 4],
    /// The sizes.
    pub size: SizeOffer,
    /// The intervals, for a range at the size that [`SizeOffer::nearest`] gives. Empty where the driver tells none.
    pub intervals: Vec<IntervalOffer>,
}

impl PixelFormat {
    /// The format that the kernel's four letters stand for; `None` of one that we do not read.
    pub fn of_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        Some(match &fourcc {
            b"MJPG" | b"JPEG" => Self::Mjpeg,
            b"YU12" => Self::I420,
            b"NV12" => Self::Nv12,
            b"YUYV" => Self::Yuyv,
            b"GREY" => Self::Grey,
            _ => return None,
        })
    }
}

/// Four letters for people; what is no letter or digit is left out.
pub(crate) fn fourcc_text(fourcc: [u8; 4]) -> String {
    fourcc
        .iter()
        .map(|byte| char::from(*byte))
        .filter(char::is_ascii_graphic)
        .collect()
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format_text(self.fourcc);
        match self.size {
            SizeOffer::One { width, height } => write!(f, "{name} {width}x{height}")?,
            SizeOffer::Range {
                width: [w0, w1, _],
                height: [h0, h1, _],
            } => write!(f, "{name} {w0}x{h0} to {w1}x{h1}")?,
        }
        let rates = self.intervals.iter().flat_map(|offer| match offer {
            IntervalOffer::One(interval) => [interval.fps(), None],
            IntervalOffer::Range {
                shortest, longest, ..
            } => [shortest.fps(), longest.fps()],
        });
        let rates: Vec<String> = rates.flatten().map(|fps| fps.round().to_string()).collect();
        if rates.is_empty() {
            return Ok(());
        }
        write!(f, " at {} fps", rates.join("/"))
    }
}

/// Pixels across and down.
type Size = (u32, u32);

/// The offers in a line, one entry a format with its smallest and largest size; `none` where there are none.
pub(crate) fn list(offers: &[Offer]) -> String {
    /// Beyond this the rest is counted: one line has to be read.
    const MOST: usize = 12;
    let corners = |size: SizeOffer| match size {
        SizeOffer::One { width, height } => [(width, height); 2],
        SizeOffer::Range { width, height } => [(width[0], height[0]), (width[1], height[1])],
    };
    // Formats in the camera's order, each with its sizes.
    let mut formats: Vec<([u8; 4], Vec<Size>)> = Vec::new();
    for offer in offers {
        let place = formats.iter().position(|(of, _)| *of == offer.fourcc);
        let place = place.unwrap_or_else(|| {
            formats.push((offer.fourcc, Vec::new()));
            formats.len() - 1
        });
        formats[place].1.extend(corners(offer.size));
    }
    let pixels = |size: &&Size| u64::from(size.0) * u64::from(size.1);
    let told: Vec<String> = formats
        .iter()
        .take(MOST)
        .map(|(fourcc, sizes)| {
            let name = format_text(*fourcc);
            match (
                sizes.iter().min_by_key(pixels),
                sizes.iter().max_by_key(pixels),
            ) {
                (Some(least), Some(most)) if least != most => {
                    format!("{name} {}x{} to {}x{}", least.0, least.1, most.0, most.1)
                }
                (Some((width, height)), _) => format!("{name} {width}x{height}"),
                _ => name,
            }
        })
        .collect();
    match (told.is_empty(), formats.len().saturating_sub(MOST)) {
        (true, _) => "none".to_owned(),
        (false, 0) => told.join(", "),
        (false, more) => format!("{} and {more} more", told.join(", ")),
    }
}

/// A format as board files name it, else the kernel's four letters.
fn format_text(fourcc: [u8; 4]) -> String {
    PixelFormat::of_fourcc(fourcc).map_or_else(|| fourcc_text(fourcc), |format| format.to_string())
}

/// The formats asked for, in a line.
pub(crate) fn list_wanted(wanted: &CameraSettings) -> String {
    let names: Vec<&str> = wanted.formats.iter().map(|format| format.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_and_its_interval_are_the_same_thing() {
        assert_eq!(
            Interval::of_fps(30.0),
            Interval {
                numerator: 1,
                denominator: 30
            }
        );
        assert_eq!(
            Interval::of_fps(29.97),
            Interval {
                numerator: 1000,
                denominator: 29970
            }
        );
        assert_eq!(Interval::of_fps(29.97).fps(), Some(29.97));
        let nothing = Interval {
            numerator: 0,
            denominator: 0,
        };
        assert_eq!(nothing.fps(), None);
    }

    #[test]
    fn a_stepwise_size_is_rounded_up_and_never_leaves_its_range() {
        let sizes = SizeOffer::Range {
            width: [32, 2592, 2],
            height: [32, 1944, 2],
        };
        assert_eq!(sizes.nearest(641, 480), (642, 480));
        assert_eq!(sizes.nearest(1, 9999), (32, 1944));
        let odd = SizeOffer::Range {
            width: [16, 1000, 64],
            height: [16, 16, 0],
        };
        assert_eq!(
            odd.nearest(990, 480),
            (976, 16),
            "the last step is below 1000"
        );
        assert_eq!(odd.nearest(u32::MAX, u32::MAX), (976, 16));
    }
}
