//! Media beside the labels of an export: a film of constant rate, or the pictures that the label files name.
//!
//! The formats name them, and whoever exports puts them there once all labels are written. A film shows frame n as its n-th picture, so that a
//! player that counts says what the labels say; its time line is its own where the camera's frames came unevenly.

use crate::clip::{Clip, Frames};
use crate::format::Format;
use label_core::{FrameIndex, FrameRange};
use serde::{Deserialize, Serialize};

/// What of a clip's media lies beside its labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// Nothing: files name the clip as its rig does, and pictures `.png`.
    #[default]
    Nothing,
    /// A film whose n-th picture is frame n.
    Film {
        /// The folder's file.
        path: String,
        /// How it was made, for the manifest.
        made: &'static str,
        /// Frames of which there is no picture: the film is grey there.
        absent: Vec<FrameRange>,
    },
    /// A picture a frame that the label files name.
    Pictures {
        /// `png` or `jpg`.
        ending: &'static str,
        /// How they were made, for the manifest.
        made: &'static str,
        /// Frames of which there is no picture, ascending.
        absent: Vec<FrameRange>,
    },
}

impl Beside {
    /// How names of pictures end.
    pub(crate) const fn ending(&self) -> &'static str {
        match self {
            Self::Pictures { ending, .. } => ending,
            Self::Nothing | Self::Film { .. } => "png",
        }
    }

    /// Whether labels of this frame have no picture to be of.
    pub(crate) fn lacks(&self, frame: FrameIndex) -> bool {
        let Self::Pictures { absent, .. } = self else {
            return false;
        };
        let after = absent.partition_point(|range| range.end < frame);
        absent.get(after).is_some_and(|range| range.contains(frame))
    }

    /// The film that lies there, as the files in the folder's top see it.
    pub(crate) fn film(&self) -> Option<&str> {
        match self {
            Self::Film { path, .. } => Some(path),
            Self::Nothing | Self::Pictures { .. } => None,
        }
    }
}

impl Clip {
    /// What a player is told to open: the film that lies there, or the name that the rig gave.
    pub(crate) fn media(&self) -> Option<&str> {
        self.beside.film().or(self.name.as_deref())
    }
}

impl Frames {
    /// Frames a second of a film of these, as a fraction.
    pub fn film_rate(&self) -> (u32, u32) {
        let rate = self.rate().clamp(0.001, 1000.0);
        let broadcast = (rate * 1.001).round();
        if broadcast > 0.0
            && (rate - broadcast / 1.001).abs() < 1e-6
            && (rate - rate.round()).abs() > 1e-6
        {
            (broadcast as u32 * 1000, 1001)
        } else {
            ((rate * 1000.0).round() as u32, 1000)
        }
    }

    /// The same on the time line of that film.
    pub(crate) fn of_film(&self) -> Self {
        let (over, under) = self.film_rate();
        let rate = f64::from(over) / f64::from(under);
        let time = |frame: u32| Some((f64::from(frame) * 1e6 / rate).round() as i64);
        Self {
            nominal_fps: Some(rate),
            pts_us: (0..self.count).map(time).collect(),
            ..self.clone()
        }
    }
}

impl Format {
    /// Whether it is of pictures; others are of a film.
    pub const fn is_of_pictures(self) -> bool {
        matches!(
            self,
            Self::Coco | Self::Yolo | Self::YoloPose | Self::Datumaro
        )
    }

    /// Whether its tool goes by a film's time instead of counting frames, and leaves the playing to a web browser or to the system,
    /// of whose films H.264 is the one that all know.
    pub const fn is_by_time(self) -> bool {
        matches!(self, Self::LabelStudio | Self::Elan)
    }
}

/// Media that are to be put beside the labels of a clip.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Wanted {
    /// The clip.
    pub clip: String,
    /// The file, or the folder of pictures, that is to appear, as a path in the export.
    pub place: String,
    /// The pictures in that folder, by frame; none of a film.
    pub pictures: Vec<(FrameIndex, String)>,
}

impl Wanted {
    /// What is wanted of a clip whose files name these pictures.
    pub(crate) fn of(clip: &Clip, subset: &str, pictures: Vec<FrameIndex>) -> Option<Self> {
        let (place, pictures) = match &clip.beside {
            Beside::Nothing => return None,
            Beside::Film { path, .. } => (path.clone(), Vec::new()),
            Beside::Pictures { .. } if pictures.is_empty() => return None,
            Beside::Pictures { ending, .. } => {
                let name = |frame| (frame, format!("{frame:06}.{ending}"));
                let place = format!("images/{subset}/{}", clip.stem);
                (place, pictures.into_iter().map(name).collect())
            }
        };
        Some(Self {
            clip: clip.id.clone(),
            place,
            pictures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_keeps_the_rate_to_the_frame_for_as_long_as_it_lasts() {
        for (fps, rate) in [
            (30.0, (30_000, 1000)),
            (30000.0 / 1001.0, (30_000, 1001)),
            (24000.0 / 1001.0, (24_000, 1001)),
            (12.5, (12_500, 1000)),
        ] {
            let frames = Frames {
                count: 200_000,
                nominal_fps: Some(fps),
                pts_us: Vec::new(),
                ..Frames::default()
            };
            assert_eq!(frames.film_rate(), rate, "{fps}");
            let film = frames.of_film();
            let last = film.pts_us(199_999).unwrap() as f64;
            assert!((last - 199_999.0 * 1e6 / fps).abs() < 1.0, "{fps}");
            assert!(film.is_steady() && film.film_rate() == rate, "{fps}");
        }
    }

    #[test]
    fn what_has_no_picture_is_known_at_both_ends_of_each_gap() {
        let beside = Beside::Pictures {
            ending: "jpg",
            made: "recorded",
            absent: vec![FrameRange::new(0, 2), FrameRange::new(7, 7)],
        };
        let lacking: Vec<u32> = (0..10).filter(|frame| beside.lacks(*frame)).collect();
        assert_eq!(lacking, [0, 1, 2, 7]);
    }
}
