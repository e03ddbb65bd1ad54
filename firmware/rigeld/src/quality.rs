//! Video quality: from what was measured of a picture to how probable each level of the rubric is.
//!
//! `docs/video-quality.md` is the rubric. Each factor has four borders, from that of level 5 with 4 to that of 2 with 1, in
//! its own unit; a score lies between them as the measure does, and the worst factor decides. Borders, and how far scores
//! are off, come from `models/video-quality/card.toml`.

use crate::labeller_card::LabellerCard;
use anyhow::{Result, ensure};
use label_core::scene::quality::{QualityLook, level_probabilities};
use perception::SceneLook;
use serde::Deserialize;

/// What may limit the quality of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QualityFactor {
    /// Blur, as a share of the distance between the eyes.
    Sharpness,
    /// Noise, in grey levels.
    Noise,
    /// Edges of coding blocks.
    Blocks,
    /// Share of the face, or of the picture, that is blown out.
    White,
    /// How bright its brightest parts are: underexposure.
    Brightness,
    /// Grey levels from its darkest to its brightest parts.
    Contrast,
    /// Distance between the eyes in pixels.
    FaceSize,
}

impl QualityFactor {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sharpness => "sharpness",
            Self::Noise => "noise",
            Self::Blocks => "blocks",
            Self::White => "white",
            Self::Brightness => "brightness",
            Self::Contrast => "contrast",
            Self::FaceSize => "face-size",
        }
    }
}

const FACTORS: usize = 7;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Factor {
    borders: [f32; 4],
    spread: f32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Blur {
    bias: f32,
    /// Of the fine detail at one, two and four blur steps, and of the logarithm of the step's share.
    weights: [f32; 4],
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Parameters {
    blur: Blur,
    sharpness: Factor,
    noise: Factor,
    blocks: Factor,
    white: Factor,
    brightness: Factor,
    contrast: Factor,
    face_size: Factor,
    /// How many times farther off scores are where no face says how large things are.
    spread_without_face: f32,
}

/// The rubric with its fitted numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rubric(Parameters);

impl Rubric {
    /// Reads the numbers of a card.
    pub(crate) fn read(card: &LabellerCard) -> Result<Self> {
        let rubric = Self(card.parameters()?);
        for (_, factor) in rubric.factors() {
            let rises = factor.borders.is_sorted_by(|a, b| a < b);
            let falls = factor.borders.is_sorted_by(|a, b| a > b);
            ensure!(
                (rises || falls) && factor.spread > 0.0,
                "[parameters]: borders {:?} must rise or fall, and a spread lies above 0",
                factor.borders
            );
        }
        Ok(rubric)
    }

    fn factors(&self) -> [(QualityFactor, &Factor); FACTORS] {
        let p = &self.0;
        [
            (QualityFactor::Sharpness, &p.sharpness),
            (QualityFactor::Noise, &p.noise),
            (QualityFactor::Blocks, &p.blocks),
            (QualityFactor::White, &p.white),
            (QualityFactor::Brightness, &p.brightness),
            (QualityFactor::Contrast, &p.contrast),
            (QualityFactor::FaceSize, &p.face_size),
        ]
    }

    /// Blur as a share of the distance between the eyes.
    fn blur(&self, look: &SceneLook) -> f32 {
        let Blur { bias, weights } = self.0.blur;
        let [fine, middle, coarse] = look.fine_detail();
        let features = [fine, middle, coarse, look.step_share().ln()];
        let sum: f32 = weights.iter().zip(features).map(|(w, f)| w * f).sum();
        (bias + sum).exp()
    }

    /// Score of each factor, and how far it is off.
    fn scores(&self, look: &SceneLook) -> [Option<(QualityFactor, f32, f32)>; FACTORS] {
        let [dark, _, bright] = look.tones();
        self.factors().map(|(which, factor)| {
            let (value, scale) = match which {
                QualityFactor::Sharpness => (self.blur(look), Scale::Logarithm(0.0)),
                QualityFactor::Noise => (look.noise(), Scale::Logarithm(0.3)),
                QualityFactor::Blocks => (look.blockiness(), Scale::Logarithm(0.3)),
                QualityFactor::White => (look.bright_share(), Scale::Logarithm(0.01)),
                QualityFactor::Brightness => (bright, Scale::Linear),
                QualityFactor::Contrast => (bright - dark, Scale::Linear),
                QualityFactor::FaceSize => (look.eye_distance()?, Scale::Logarithm(0.0)),
            };
            let widened = if look.eye_distance().is_none() {
                self.0.spread_without_face
            } else {
                1.0
            };
            let score = score(value, &factor.borders, scale);
            Some((which, score, factor.spread * widened))
        })
    }

    /// Judges a look: what the labeller takes, and which factor limits the quality.
    pub(crate) fn judge(&self, look: &SceneLook) -> (QualityLook, QualityFactor) {
        let scores = self.scores(look);
        let mut worst = (QualityFactor::Sharpness, f32::INFINITY);
        for (which, score, _) in scores.into_iter().flatten() {
            if score < worst.1 {
                worst = (which, score);
            }
        }
        let all = scores.into_iter().flatten();
        let levels = level_probabilities(all.map(|(_, score, spread)| (score, spread)));
        let seen = QualityLook::Seen {
            levels,
            score: worst.1,
        };
        (seen, worst.0)
    }
}

/// What a factor is linear in.
#[derive(Clone, Copy)]
enum Scale {
    Linear,
    /// The logarithm, this much added.
    Logarithm(f32),
}

impl Scale {
    fn of(self, value: f32) -> f32 {
        match self {
            Self::Linear => value,
            Self::Logarithm(added) => (value + added).max(1e-4).ln(),
        }
    }
}

/// Where a measure lies between the borders: 4.5 on the first, 1.5 on the last, straight lines between and beyond, from 0.5
/// to 5.5.
fn score(value: f32, borders: &[f32; 4], scale: Scale) -> f32 {
    let at = borders.map(|border| scale.of(border));
    let value = scale.of(value);
    let worse = |border: f32| (value - border) * (at[3] - at[0]).signum() > 0.0;
    // The piece that the value lies on, or whose line goes on to it.
    let piece = usize::from(worse(at[1])) + usize::from(worse(at[2]));
    let along = (value - at[piece]) / (at[piece + 1] - at[piece]);
    (4.5 - piece as f32 - along).clamp(0.5, 5.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_falls_steadily_over_the_borders_whichever_way_they_run() {
        let rising = [2.0, 4.0, 8.0, 16.0];
        let falling = [40.0, 30.0, 20.0, 10.0];
        let (log, linear) = (Scale::Logarithm(0.0), Scale::Linear);
        for (place, expected) in [4.5, 3.5, 2.5, 1.5].into_iter().enumerate() {
            assert!((score(rising[place], &rising, log) - expected).abs() < 1e-4);
            assert!((score(falling[place], &falling, linear) - expected).abs() < 1e-4);
        }
        assert_eq!(score(0.01, &rising, log), 5.5);
        assert_eq!(score(0.0, &falling, linear), 0.5);
        let scores: Vec<f32> = (1..60).map(|v| score(v as f32, &rising, log)).collect();
        assert!(scores.is_sorted_by(|a, b| a >= b));
    }
}
