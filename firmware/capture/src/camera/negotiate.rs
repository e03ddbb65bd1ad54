//! Which of a camera's offers is taken: a pure function of the offers and of what is asked.
//!
//! Compared are, one after the other, and the first that differs decides:
//!
//! 1. the size: one not smaller than asked in both directions goes before a smaller one;
//! 2. the rate: one that reaches the asked rate (less 5 %), or of which nothing is told, goes before a slower one;
//! 3. where the rate is not reached: the faster one;
//! 4. the format, in the order asked;
//! 5. the number of pixels: of sizes not smaller the fewest, of smaller ones the most;
//! 6. the shape: width to height nearer to the one asked;
//! 7. the camera's own order.
//!
//! Of the intervals at that size it takes the longest that reaches the asked rate, else the shortest.

use super::offer::{Interval, IntervalOffer, Offer, list, list_wanted};
use super::{CameraSettings, PixelFormat};
use crate::CameraFault;
use crate::jpeg::Scale;

/// How much slower than asked still counts as the asked rate: cameras say 29.97 or 7.5 for round numbers.
const SLACK: f32 = 0.95;

/// What is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// How pixels come.
    pub format: PixelFormat,
    /// The kernel's name of the format.
    pub fourcc: [u8; 4],
    /// Pixels across, as they come.
    pub width: u32,
    /// Pixels down, as they come.
    pub height: u32,
    /// Between two frames.
    pub interval: Interval,
    /// How JPEG pictures are reduced while they are decoded: as far as they stay not smaller than asked.
    pub scale: Scale,
}

impl Plan {
    /// Frames a second.
    pub fn fps(&self) -> f32 {
        self.interval.fps().unwrap_or(0.0)
    }
}

/// How good an offer is; the smallest is taken.
#[derive(PartialEq, PartialOrd)]
struct Rank {
    is_smaller: bool,
    is_slower: bool,
    /// Negative frames a second where slower.
    slowness: f32,
    format: usize,
    /// Pixels too many, or too few.
    pixels_off: u64,
    shape_off: f32,
}

/// Chooses among the offers of a camera; without one in an asked format, an error that lists them.
pub fn negotiate(offers: &[Offer], wanted: &CameraSettings) -> Result<Plan, CameraFault> {
    let mut best: Option<(Rank, Plan)> = None;
    for offer in offers {
        let Some((rank, plan)) = weigh(offer, wanted) else {
            continue;
        };
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, plan));
        }
    }
    best.map(|(_, plan)| plan)
        .ok_or_else(|| CameraFault::NoFormat {
            wanted: list_wanted(wanted),
            offered: list(offers),
        })
}

fn weigh(offer: &Offer, wanted: &CameraSettings) -> Option<(Rank, Plan)> {
    let format = PixelFormat::of_fourcc(offer.fourcc)?;
    let place = wanted.formats.iter().position(|one| *one == format)?;
    let (width, height) = offer.size.nearest(wanted.width, wanted.height);
    if width == 0 || height == 0 {
        return None;
    }
    let interval = choose_interval(&offer.intervals, wanted.fps);
    let fps = interval.fps().unwrap_or(0.0);
    let is_slower = fps < wanted.fps * SLACK;
    let pixels = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let shape = |width: u32, height: u32| width as f32 / height as f32;
    let rank = Rank {
        is_smaller: width < wanted.width || height < wanted.height,
        is_slower,
        slowness: if is_slower { -fps } else { 0.0 },
        format: place,
        pixels_off: pixels(width, height).abs_diff(pixels(wanted.width, wanted.height)),
        shape_off: (shape(width, height) - shape(wanted.width, wanted.height)).abs(),
    };
    let scale = if format == PixelFormat::Mjpeg {
        Scale::reaching((width, height), (wanted.width, wanted.height))
    } else {
        Scale::Full
    };
    let plan = Plan {
        format,
        fourcc: offer.fourcc,
        width,
        height,
        interval,
        scale,
    };
    Some((rank, plan))
}

/// The longest interval that reaches the rate, else the shortest; where none is told, the one asked for.
fn choose_interval(offers: &[IntervalOffer], fps: f32) -> Interval {
    let asked = Interval::of_fps(fps);
    let mut best: Option<Interval> = None;
    for offer in offers {
        let one = match *offer {
            IntervalOffer::One(interval) => interval,
            IntervalOffer::Range {
                shortest,
                longest,
                step,
            } => within(shortest, longest, step, asked),
        };
        let Some(rate) = one.fps() else { continue };
        let better = best.and_then(Interval::fps).is_none_or(|other| {
            let reaches = |rate: f32| rate >= fps * SLACK;
            match (reaches(rate), reaches(other)) {
                (true, true) => rate < other,
                (false, false) => rate > other,
                (reaches, _) => reaches,
            }
        });
        if better {
            best = Some(one);
        }
    }
    best.unwrap_or(asked)
}

/// The step of a range that is nearest to `asked` and not longer; the shortest where all are longer.
fn within(shortest: Interval, longest: Interval, step: Interval, asked: Interval) -> Interval {
    let seconds = |interval: Interval| {
        (interval.numerator > 0 && interval.denominator > 0)
            .then(|| f64::from(interval.numerator) / f64::from(interval.denominator))
    };
    let (Some(low), Some(high), Some(wanted)) =
        (seconds(shortest), seconds(longest), seconds(asked))
    else {
        return shortest;
    };
    if wanted <= low {
        return shortest;
    }
    if wanted >= high {
        return longest;
    }
    let Some(step_seconds) = seconds(step).filter(|step| *step < high - low) else {
        return asked;
    };
    // A hair is added: 1/30 from 1/90 on in steps of 1/90 must be the second step and not the first.
    let steps = ((wanted - low) / step_seconds + 1e-6).floor() as u64;
    let (n0, d0) = (
        u64::from(shortest.numerator),
        u64::from(shortest.denominator),
    );
    let (n1, d1) = (u64::from(step.numerator), u64::from(step.denominator));
    let sum = steps
        .checked_mul(n1 * d0)
        .and_then(|part| part.checked_add(n0 * d1));
    let Some(numerator) = sum else { return asked };
    let denominator = d0 * d1;
    let common = greatest_common_divisor(numerator, denominator);
    match (
        u32::try_from(numerator / common),
        u32::try_from(denominator / common),
    ) {
        (Ok(numerator), Ok(denominator)) => Interval {
            numerator,
            denominator,
        },
        _ => asked,
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
#[path = "negotiate_tests.rs"]
mod tests;
