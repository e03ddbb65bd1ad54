//! A clip and what is said of it, as exports see it: whatever store it came from, whatever file it goes to.
//!
//! Frames are 0-based indexes of decoded frames, ranges inclusive; pixels are of the upright source image, x right, y
//! down, from the picture's top left corner; times are microseconds on the clip's own time line.

use crate::beside::Beside;
use label_core::wire::{EventEyes, Signs};
use label_core::{AbstainReason, FrameIndex, FrameRange, TrackId};
use quality::{DeskKind, LineValue};
use serde::Serialize;
use std::sync::Arc;

/// A clip with its labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clip {
    /// `rig:boot:clip`.
    pub id: String,
    /// The same as a file's name without extension: letters, digits, `.`, `-` and `_`.
    pub stem: String,
    /// The rig.
    pub rig: String,
    /// File name without folder, or the camera's name; any text.
    pub name: Option<String>,
    /// Width of an upright frame in pixels.
    pub width: u32,
    /// Height of an upright frame in pixels.
    pub height: u32,
    /// Codec, or the camera's pixel format.
    pub codec: Option<String>,
    /// SHA-256 of the media file in hexadecimal, where there is one.
    pub sha256: Option<String>,
    /// UTC at opening, microseconds since 1970.
    pub utc_us: Option<i64>,
    /// How far `utc_us` can be trusted, as on the wire.
    pub clock: Option<String>,
    /// The rig has told its end; until then more may come.
    pub closed: bool,
    /// When each frame was shown.
    pub frames: Frames,
    /// What of its media lies beside the labels.
    pub beside: Beside,
    /// What is said, in the order of [`Label::order`].
    pub labels: Vec<Label>,
}

/// The frames of a clip.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Frames {
    /// How many there are.
    pub count: u32,
    /// Frames a second as the container claims.
    pub nominal_fps: Option<f64>,
    /// When each was shown; absent where the rig has not told (yet).
    pub pts_us: Vec<Option<i64>>,
    /// Those that show the same picture as the frame before, ascending.
    pub repeats: Vec<FrameIndex>,
    /// Before which frame how many were lost, ascending.
    pub dropped: Vec<(FrameIndex, u32)>,
}

impl Frames {
    /// When this frame was shown, if known.
    pub fn pts_us(&self, frame: FrameIndex) -> Option<i64> {
        self.pts_us.get(frame as usize).copied().flatten()
    }

    /// When the frame is no longer shown: when the next one is, or one usual interval later.
    pub fn until_us(&self, frame: FrameIndex) -> Option<i64> {
        let next = frame.checked_add(1).and_then(|next| self.pts_us(next));
        next.or_else(|| Some(self.pts_us(frame)? + (1e6 / self.rate()).round() as i64))
    }

    /// Frames a second: what the container claims if its frames keep to that, otherwise what they kept to on average,
    /// and 30 where nothing is known.
    pub fn rate(&self) -> f64 {
        let nominal = self.nominal_fps.filter(|rate| *rate > 0.0).map(exact_rate);
        match (nominal, self.measured_rate()) {
            (Some(nominal), Some(measured)) if (nominal / measured - 1.0).abs() > 0.02 => measured,
            (Some(nominal), _) => nominal,
            (None, Some(measured)) => measured,
            (None, None) => 30.0,
        }
    }

    fn measured_rate(&self) -> Option<f64> {
        let mut known = (0..)
            .zip(&self.pts_us)
            .filter_map(|(n, pts)| Some((n, (*pts)?)));
        let first: (i64, i64) = known.next()?;
        let last = known.last()?;
        (last.1 > first.1).then(|| (last.0 - first.0) as f64 * 1e6 / (last.1 - first.1) as f64)
    }

    /// Whether frame n is shown n intervals after frame 0, give or take half of one: then a player of constant rate
    /// shows the same frames under the same numbers.
    pub fn is_steady(&self) -> bool {
        let interval_us = 1e6 / self.rate();
        let Some(first) = self.pts_us(0) else {
            return self.count == 0;
        };
        (0..self.count).all(|frame| {
            self.pts_us(frame).is_some_and(|pts| {
                ((pts - first) as f64 - f64::from(frame) * interval_us).abs() < interval_us / 2.0
            })
        })
    }

    /// Whether the frame shows the same picture as the one before.
    pub fn is_repeat(&self, frame: FrameIndex) -> bool {
        self.repeats.binary_search(&frame).is_ok()
    }
}

/// Rates of broadcast video come as 29.97 and are 30000/1001.
fn exact_rate(told: f64) -> f64 {
    let broadcast = (told * 1.001).round() * 1000.0 / 1001.0;
    if (told - broadcast).abs() < 0.005 && (told - told.round()).abs() > 0.005 {
        broadcast
    } else {
        // Stored in 32 bits.
        (told * 1e4).round() / 1e4
    }
}

/// Who stands behind a label, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A machine offers it.
    Machine,
    /// A machine offered it, and a person found it right.
    Confirmed,
    /// A machine offered it, and a person put it right.
    Corrected,
    /// A person made it.
    Created,
    /// A machine offered it, and a person found it wrong: what it says is *not* so.
    Rejected,
    /// Nobody looked, or not well enough, for the reason given.
    Abstained,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 6] = [
        Self::Machine,
        Self::Confirmed,
        Self::Corrected,
        Self::Created,
        Self::Rejected,
        Self::Abstained,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Confirmed => "confirmed",
            Self::Corrected => "corrected",
            Self::Created => "created",
            Self::Rejected => "rejected",
            Self::Abstained => "abstained",
        }
    }

    /// Whether what the label says is held to be so.
    pub const fn is_held(self) -> bool {
        !matches!(self, Self::Rejected | Self::Abstained)
    }

    /// Whether a person stands behind it.
    pub const fn is_reviewed(self) -> bool {
        matches!(self, Self::Confirmed | Self::Corrected | Self::Created)
    }
}

/// The model a label came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Name of the model card.
    pub name: String,
    /// Version of the card.
    pub version: String,
    /// Digest of the model file.
    pub sha256: String,
}

impl Model {
    /// Name, version and the first digits of the digest, as one word.
    pub fn word(&self) -> String {
        let digits = self.sha256.get(..12).unwrap_or(&self.sha256);
        format!("{}@{}+{digits}", self.name, self.version)
    }
}

/// Something said of some frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// Its identity at the desk, one word.
    pub id: String,
    /// Kind of label.
    pub kind: DeskKind,
    /// The person; absent for the scene, and where nobody is in view.
    pub track: Option<TrackId>,
    /// The track was the driver's.
    pub driver: bool,
    /// Frames it holds for.
    pub frames: FrameRange,
    /// Who stands behind it.
    pub standing: Standing,
    /// What is said; absent of an abstention.
    pub value: Option<Value>,
    /// Why nothing is said.
    pub reason: Option<AbstainReason>,
    /// Why a person found it wrong, or changed it.
    pub cause: Option<String>,
    /// Probability that a reviewer accepts it unchanged, as the machine gave it.
    pub confidence: Option<f64>,
    /// The model.
    pub model: Option<Arc<Model>>,
    /// Who judged or made it.
    pub by: Option<String>,
    /// When, microseconds since 1970.
    pub at_us: Option<i64>,
    /// What a level of alertness rests on.
    pub signs: Option<Signs>,
}

/// What a label says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Value {
    /// A box track.
    Boxes(Vec<Key<BoxAt>>),
    /// A point track.
    Points(Vec<Key<PointAt>>),
    /// Yes or no over the frames.
    Flag(bool),
    /// 1 to 5 over the frames.
    Level(u8),
    /// The frames are the value.
    Event(Event),
    /// A line.
    Line(LineValue),
}

/// What is known of a blink or a long closure beside its frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The eyes it was seen on.
    pub eyes: EventEyes,
    /// Frame of the smallest opening.
    pub peak: FrameIndex,
    /// Smallest opening as a share of the person's open eye.
    pub opening: f64,
}

/// Where something is at a frame; between two of these it moves evenly, before the first and after the last it stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Key<P> {
    /// The frame.
    pub frame: FrameIndex,
    /// The place.
    pub at: P,
    /// The machine's confidence there.
    pub confidence: f64,
}

/// A box in source pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BoxAt {
    /// Left side.
    pub x: f64,
    /// Top side.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A point in source pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PointAt {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

impl Label {
    /// What labels of a clip are sorted by, so that the same labels give the same bytes.
    pub fn order(&self) -> (FrameIndex, DeskKind, Option<TrackId>, &str) {
        (self.frames.start, self.kind, self.track, &self.id)
    }

    /// The value of a state in words: `true`, `false`, or 1 to 5.
    pub fn state_word(&self) -> Option<String> {
        match self.value {
            Some(Value::Flag(flag)) => Some(flag.to_string()),
            Some(Value::Level(level)) => Some(level.to_string()),
            _ => None,
        }
    }

    /// The boxes of a box track; none of anything else.
    pub fn boxes(&self) -> &[Key<BoxAt>] {
        match &self.value {
            Some(Value::Boxes(keys)) => keys,
            _ => &[],
        }
    }

    /// The points of a point track; none of anything else.
    pub fn points(&self) -> &[Key<PointAt>] {
        match &self.value {
            Some(Value::Points(keys)) => keys,
            _ => &[],
        }
    }
}

/// Where something is between two places.
pub trait Between: Copy {
    /// The place at this share of the way, in hundredths of a pixel, as positions travel on the wire.
    #[must_use]
    fn between(self, other: Self, share: f64) -> Self;
}

fn mix(from: f64, to: f64, share: f64) -> f64 {
    hundredths(from + (to - from) * share)
}

/// Rounded to what positions are told in.
pub(crate) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl Between for BoxAt {
    fn between(self, other: Self, share: f64) -> Self {
        Self {
            x: mix(self.x, other.x, share),
            y: mix(self.y, other.y, share),
            width: mix(self.width, other.width, share),
            height: mix(self.height, other.height, share),
        }
    }
}

impl Between for PointAt {
    fn between(self, other: Self, share: f64) -> Self {
        Self {
            x: mix(self.x, other.x, share),
            y: mix(self.y, other.y, share),
        }
    }
}

/// The place at a frame; `None` without keys.
pub fn place_at<P: Between>(keys: &[Key<P>], frame: FrameIndex) -> Option<P> {
    let after = keys.partition_point(|key| key.frame < frame);
    match (
        after.checked_sub(1).and_then(|n| keys.get(n)),
        keys.get(after),
    ) {
        (_, Some(next)) if next.frame == frame => Some(next.at),
        (Some(last), Some(next)) => {
            let share = f64::from(frame - last.frame) / f64::from(next.frame - last.frame);
            Some(last.at.between(next.at, share))
        }
        (Some(only), None) | (None, Some(only)) => Some(only.at),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(fps: f64, count: u32) -> Frames {
        let pts = |n: u32| Some((f64::from(n) * 1e6 / fps).round() as i64);
        Frames {
            count,
            nominal_fps: Some(f64::from(fps as f32)),
            pts_us: (0..count).map(pts).collect(),
            ..Frames::default()
        }
    }

    #[test]
    fn broadcast_rates_are_told_exactly() {
        for (told, exact) in [
            (29.97, 30000.0 / 1001.0),
            (23.976, 24000.0 / 1001.0),
            (59.94, 60000.0 / 1001.0),
            (30.0, 30.0),
            (25.0, 25.0),
            (15.5, 15.5),
        ] {
            assert_eq!(steady(told, 2).rate(), exact, "{told}");
        }
    }

    #[test]
    fn a_clip_whose_frames_come_unevenly_is_not_steady() {
        assert!(steady(29.97, 1000).is_steady());
        let mut gap = steady(30.0, 100);
        for pts in gap.pts_us.iter_mut().skip(50).flatten() {
            *pts += 400_000;
        }
        assert!(!gap.is_steady());
        assert!((gap.rate() - 99.0 / 3.7).abs() < 0.01, "{}", gap.rate());
        assert_eq!(gap.until_us(49), Some(2_066_667));
    }

    #[test]
    fn a_place_stands_before_the_first_key_and_after_the_last() {
        let key = |frame, x| Key {
            frame,
            at: PointAt { x, y: 0.0 },
            confidence: 1.0,
        };
        let keys = [key(10, 1.0), key(14, 2.0)];
        let x = |frame| place_at(&keys, frame).unwrap().x;
        assert_eq!(
            [x(0), x(10), x(11), x(14), x(99)],
            [1.0, 1.0, 1.25, 2.0, 2.0]
        );
    }
}
