//! Looking for glasses: when to look, whether what was seen can be believed, and how far.
//!
//! Each tracked face is looked at twice a second. A look says how probable glasses of any kind are, or why it cannot tell:
//! the face is turned away, too small, too dark or blurred, all measured against what the network was fitted on. Looks are
//! joined into labels by `label_core::flag`. Dark lenses are remembered here, since the eyes behind them are not to be read.

use crate::labeller_card::LabellerCard;
use anyhow::{Context, Result, ensure};
use label_core::confidence::LogisticCalibration;
use label_core::labeller::MAX_PERSONS;
use label_core::{AbstainReason, CaptureTime, Look, TrackId};
use perception::{
    CropCondition, GlassesReader, GlassesReading, ModelCard, ModelError, Picture, Runtime,
    TrackedFace, eye_distance,
};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Name of the reader's model card.
pub(crate) const MODEL: &str = "glasses-reader";

/// Looks at one face lie this far apart.
const LOOK_S: f32 = 0.5;

/// Dark lenses are judged by the mean of this many looks at most: one glare is no change.
const DARK_LOOKS: usize = 4;

/// Largest log odds of the network that count: beyond them lie only rounding and luck.
const MAX_LOG_ODDS: f32 = 6.0;

/// What the calibration is given of a look.
const FEATURES: usize = 1;

/// From which picture on a look is believed. The limits are those of the pictures that the network was found right on.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Parameters {
    /// Largest turn of the head, degrees.
    max_yaw: f32,
    /// Least distance between the eyes, pixels.
    least_eye_distance_px: f32,
    /// Least standard deviation of light, 0 to 1.
    least_contrast: f32,
    /// A crop of less contrast is called dark below this mean light, else blurred.
    dark_below: f32,
    /// Least step between crop pixels over the contrast.
    least_detail: f32,
    /// Most of it: beyond lies the noise of darkness.
    most_detail: f32,
    /// Least number of the network for lenses that hide the eyes.
    dark_lenses: f32,
}

impl Parameters {
    /// Why this face's size or turn leaves nothing to look at.
    fn out_of_reach(&self, distance: f32, yaw: f32) -> Option<AbstainReason> {
        if yaw.is_nan() || yaw.abs() > self.max_yaw {
            Some(AbstainReason::EyeTurnedAway)
        } else if distance.is_nan() || distance < self.least_eye_distance_px {
            Some(AbstainReason::TooSmall)
        } else {
            None
        }
    }

    /// Why nothing can be told from such a crop.
    fn unreadable(&self, crop: &CropCondition) -> Option<AbstainReason> {
        if crop.contrast < self.least_contrast {
            Some(if crop.light < self.dark_below {
                AbstainReason::TooDark
            } else {
                AbstainReason::Blurred
            })
        } else if crop.detail < self.least_detail {
            Some(AbstainReason::Blurred)
        } else if crop.detail > self.most_detail {
            Some(AbstainReason::TooDark)
        } else {
            None
        }
    }
}

/// What is remembered of one track.
#[derive(Clone, Copy, Debug)]
struct Watched {
    track: TrackId,
    /// When it was last looked at.
    at: CaptureTime,
    /// The look of this frame.
    look: Look,
    /// The network's number for dark lenses in the last looks that could be read, and how many there are.
    dark: [f32; DARK_LOOKS],
    looks: usize,
}

impl Watched {
    fn remember_dark(&mut self, sunglasses: f32) {
        self.dark[self.looks % DARK_LOOKS] = sunglasses;
        self.looks += 1;
    }

    fn darkness(&self) -> f32 {
        let known = self.looks.min(DARK_LOOKS);
        self.dark[..known].iter().sum::<f32>() / known.max(1) as f32
    }
}

/// Looks at faces for glasses.
pub(crate) struct GlassesLabeller {
    reader: GlassesReader,
    calibration: LogisticCalibration<FEATURES>,
    parameters: Parameters,
    watched: heapless::Vec<Watched, MAX_PERSONS>,
}

impl GlassesLabeller {
    /// Loads the reader that a labeller card calls for.
    pub(crate) fn load(
        card: &LabellerCard,
        model: &ModelCard,
        runtime: &Arc<Runtime>,
        files: &Path,
        threads: u32,
    ) -> Result<Self> {
        let parameters: Parameters = card.parameters()?;
        ensure!(
            (0.0..=1.0).contains(&parameters.dark_lenses),
            "dark-lenses must lie between 0 and 1"
        );
        Ok(Self {
            reader: GlassesReader::load(model, runtime, files, threads)
                .context("cannot load the glasses reader")?,
            calibration: card.calibration()?,
            parameters,
            watched: heapless::Vec::new(),
        })
    }

    /// Forgets everybody: the next frame belongs to another clip.
    pub(crate) fn reset(&mut self) {
        self.watched.clear();
    }

    /// Looks at the faces whose turn it is; tells the time spent in cutting out what the network sees.
    pub(crate) fn observe(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        faces: &[TrackedFace],
    ) -> Result<Duration, ModelError> {
        let mut crop_time = Duration::ZERO;
        self.watched
            .retain(|watched| faces.iter().any(|face| face.track == watched.track));
        for face in faces {
            let known = self
                .watched
                .iter()
                .position(|watched| watched.track == face.track);
            if let Some(place) = known
                && at.seconds_since(self.watched[place].at) < LOOK_S
            {
                self.watched[place].look = Look::NotLooked;
                continue;
            }
            let (look, sunglasses) = self.look_at(picture, face, &mut crop_time)?;
            let place = known.or_else(|| {
                let new = Watched {
                    track: face.track,
                    at,
                    look,
                    dark: [0.0; DARK_LOOKS],
                    looks: 0,
                };
                // More people than places: those that came first are kept.
                self.watched.push(new).ok()?;
                Some(self.watched.len() - 1)
            });
            if let Some(place) = place {
                let watched = &mut self.watched[place];
                (watched.at, watched.look) = (at, look);
                if let Some(sunglasses) = sunglasses {
                    watched.remember_dark(sunglasses);
                }
            }
        }
        Ok(crop_time)
    }

    /// The look at this person in the last frame. `face` is `None` where the person has no face in view.
    pub(crate) fn look(&self, track: TrackId, face: Option<&TrackedFace>) -> Look {
        match face {
            None => Look::Cannot(AbstainReason::EyeTurnedAway),
            Some(_) => self
                .of(track)
                .map_or(Look::NotLooked, |watched| watched.look),
        }
    }

    /// Whether this person's eyes are hidden by dark lenses.
    pub(crate) fn hides_eyes(&self, track: TrackId) -> bool {
        self.of(track)
            .is_some_and(|watched| watched.darkness() >= self.parameters.dark_lenses)
    }

    fn of(&self, track: TrackId) -> Option<&Watched> {
        self.watched.iter().find(|watched| watched.track == track)
    }

    /// What is seen of a face, and the network's number for dark lenses where it can be read.
    fn look_at(
        &mut self,
        picture: &Picture<'_>,
        face: &TrackedFace,
        crop_time: &mut Duration,
    ) -> Result<(Look, Option<f32>), ModelError> {
        let eyes = &face.eyes;
        if let Some(reason) = self.parameters.out_of_reach(eye_distance(eyes), eyes.yaw) {
            return Ok((Look::Cannot(reason), None));
        }
        let reading = self.reader.read(picture, eyes)?;
        *crop_time += self.reader.crop_time();
        if let Some(reason) = self.parameters.unreadable(&reading.crop) {
            return Ok((Look::Cannot(reason), None));
        }
        let probability = self.calibration.confidence(features(&reading)).get();
        let raw = 1.0 - reading.none;
        Ok((Look::Seen { probability, raw }, Some(reading.sunglasses)))
    }
}

/// The network's log odds of glasses of any kind.
fn features(reading: &GlassesReading) -> [f32; FEATURES] {
    const LEAST: f32 = 1e-6;
    let odds = (1.0 - reading.none).max(LEAST) / reading.none.max(LEAST);
    [odds.ln().clamp(-MAX_LOG_ODDS, MAX_LOG_ODDS)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::LabelKind;

    fn shipped() -> (LogisticCalibration<FEATURES>, Parameters) {
        let cards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let card = LabellerCard::read(&cards, LabelKind::WearingGlasses)
            .unwrap()
            .unwrap();
        (card.calibration().unwrap(), card.parameters().unwrap())
    }

    fn clear_crop() -> CropCondition {
        CropCondition {
            eye_distance_px: 60.0,
            yaw: 0.0,
            light: 0.5,
            contrast: 0.2,
            detail: 0.15,
        }
    }

    #[test]
    fn the_shipped_card_is_sure_of_what_the_network_is_sure_of_and_of_nothing_else() {
        let (calibration, _) = shipped();
        let probability = |none: f32| {
            let reading = GlassesReading {
                none,
                glasses: 1.0 - none,
                sunglasses: 0.0,
                crop: clear_crop(),
            };
            calibration.confidence(features(&reading)).get()
        };
        assert!(probability(0.0) > 0.95 && probability(1.0) < 0.05);
        assert!(
            (0.1..0.9).contains(&probability(0.4)),
            "{}",
            probability(0.4)
        );
    }

    #[test]
    fn a_picture_that_shows_too_little_is_answered_with_its_reason() {
        let (_, parameters) = shipped();
        assert_eq!(parameters.out_of_reach(60.0, 0.0), None);
        for yaw in [-60.0, 60.0, f32::NAN] {
            let reason = parameters.out_of_reach(60.0, yaw);
            assert_eq!(reason, Some(AbstainReason::EyeTurnedAway));
        }
        let reason = parameters.out_of_reach(8.0, 0.0);
        assert_eq!(reason, Some(AbstainReason::TooSmall));
        let clear = clear_crop();
        assert_eq!(parameters.unreadable(&clear), None);
        for (crop, reason) in [
            (
                CropCondition {
                    light: 0.01,
                    contrast: 0.003,
                    ..clear
                },
                AbstainReason::TooDark,
            ),
            (
                CropCondition {
                    contrast: 0.003,
                    ..clear
                },
                AbstainReason::Blurred,
            ),
            (
                CropCondition {
                    detail: 0.01,
                    ..clear
                },
                AbstainReason::Blurred,
            ),
            (
                CropCondition {
                    detail: 0.6,
                    ..clear
                },
                AbstainReason::TooDark,
            ),
        ] {
            assert_eq!(parameters.unreadable(&crop), Some(reason));
        }
    }

    #[test]
    fn one_glare_neither_darkens_clear_lenses_nor_clears_dark_ones() {
        let (_, parameters) = shipped();
        let mut watched = Watched {
            track: 1,
            at: CaptureTime(0),
            look: Look::NotLooked,
            dark: [0.0; DARK_LOOKS],
            looks: 0,
        };
        for sunglasses in [0.05, 0.02, 0.9, 0.1] {
            watched.remember_dark(sunglasses);
        }
        assert!(watched.darkness() < parameters.dark_lenses);
        for sunglasses in [0.98, 0.97, 0.5, 0.99] {
            watched.remember_dark(sunglasses);
        }
        assert!(watched.darkness() >= parameters.dark_lenses);
    }
}
