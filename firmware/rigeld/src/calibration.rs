//! The calibration file: how sure a measurement makes us.

use crate::familiar::FamiliarFaces;
use anyhow::{Context, Result, ensure};
use label_core::blink::{BlinkCalibration, Familiar};
use label_core::confidence::LogisticCalibration;
use label_core::labeller::EyeMeasurement;
use label_core::wire::ModelRef;
use label_core::{AbstainReason, EyeSide, Gate, LabelKind};
use perception::{TrackedFace, sha256};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawCalibration {
    name: String,
    version: String,
    blink: RawBlink,
    long_closure: RawConstant,
    eyes: RawPart,
    person: RawPart,
    familiar: RawFamiliarFaces,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RawLogistic {
    ceiling: f32,
    bias: f32,
    weights: Vec<f32>,
    ranges: Vec<(f32, f32)>,
}

/// A logistic, and the least confidence to offer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawPart {
    ceiling: f32,
    bias: f32,
    weights: Vec<f32>,
    ranges: Vec<(f32, f32)>,
    threshold: f32,
}

/// A blink's logistic, least confidence, and the pictures on which it may be believed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawBlink {
    ceiling: f32,
    bias: f32,
    weights: Vec<f32>,
    ranges: Vec<(f32, f32)>,
    threshold: f32,
    familiar: RawFamiliar,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawFamiliar {
    least_contrast: f32,
    grain: (f32, f32),
    most_disagreement: f32,
    ceiling: f32,
}

/// Faces that eyes and attributes were fitted on.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawFamiliarFaces {
    least_contrast: f32,
    grain: (f32, f32),
    most_disagreement: f32,
    most_yaw: f32,
    least_eye_distance_px: f32,
    most_sides: f32,
    ceiling: f32,
}

impl RawFamiliarFaces {
    fn familiar(&self) -> Result<FamiliarFaces> {
        let eyes = RawFamiliar {
            least_contrast: self.least_contrast,
            grain: self.grain,
            most_disagreement: self.most_disagreement,
            ceiling: self.ceiling,
        };
        let eyes = eyes.familiar("familiar")?;
        ensure!(
            eyes.ceiling >= 0.5,
            "[familiar] ceiling: below a half a yes would become a no"
        );
        let limits = [self.most_yaw, self.least_eye_distance_px, self.most_sides];
        ensure!(
            limits.iter().all(|limit| limit.is_finite()),
            "[familiar]: every limit must be finite"
        );
        Ok(FamiliarFaces {
            eyes,
            most_yaw: self.most_yaw,
            least_eye_distance_px: self.least_eye_distance_px,
            most_sides: self.most_sides,
        })
    }
}

impl RawFamiliar {
    /// The limits, once they are found to be usable; `part` is the section that an error names.
    fn familiar(self, part: &str) -> Result<Familiar> {
        let Self {
            least_contrast,
            grain,
            most_disagreement,
            ceiling,
        } = self;
        ensure!(
            (0.0..=1.0).contains(&ceiling),
            "[{part}] ceiling: must lie between 0 and 1"
        );
        ensure!(
            grain.0 <= grain.1 && least_contrast.is_finite() && most_disagreement.is_finite(),
            "[{part}]: every limit must be finite, and the lower end of grain stands first"
        );
        Ok(Familiar {
            least_contrast,
            grain,
            most_disagreement,
            ceiling,
        })
    }
}

impl RawBlink {
    fn calibration(&self) -> Result<BlinkCalibration> {
        let raw = RawLogistic {
            ceiling: self.ceiling,
            bias: self.bias,
            weights: self.weights.clone(),
            ranges: self.ranges.clone(),
        };
        Ok(BlinkCalibration {
            logistic: raw.logistic("blink")?,
            familiar: self.familiar.familiar("blink.familiar")?,
        })
    }
}

impl RawPart {
    fn logistic<const N: usize>(&self, part: &str) -> Result<LogisticCalibration<N>> {
        let raw = RawLogistic {
            ceiling: self.ceiling,
            bias: self.bias,
            weights: self.weights.clone(),
            ranges: self.ranges.clone(),
        };
        raw.logistic(part)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawConstant {
    confidence: f32,
    threshold: f32,
}

/// Everything that turns measurements into confidence.
pub(crate) struct Calibration {
    /// Thresholds, and what is calibrated where events are made.
    pub(crate) gate: Gate,
    /// Of an eye position: ln(8 px / distance between the eyes of the face turned to the camera), |yaw| / 45°,
    /// yaw beyond 40° / 10.
    pub(crate) eyes: LogisticCalibration<3>,
    /// On which faces eyes, glasses, coverings and shade may be told surely.
    pub(crate) familiar: FamiliarFaces,
    /// Of a person box: see [`perception::Person::bounds`].
    pub(crate) person: LogisticCalibration<{ perception::PERSON_FEATURES }>,
    /// Name, version and digest, as they travel with events.
    pub(crate) reference: ModelRef,
}

impl Calibration {
    /// Reads a calibration file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the calibration {}", path.display()))?;
        Self::parse(&text)
            .with_context(|| format!("the calibration {} cannot be used", path.display()))
    }

    /// An eye of a tracked face in the words of the labeller.
    pub(crate) fn eye(
        &self,
        face: &TrackedFace,
        side: EyeSide,
    ) -> Result<EyeMeasurement, AbstainReason> {
        let eyes = &face.eyes;
        if eyes.is_turned_away(side) {
            return Err(AbstainReason::EyeTurnedAway);
        }
        // What a turn takes from the distance makes no eye easier to place.
        let across = eyes.distance() / eyes.yaw.to_radians().cos().max(0.5);
        let yaw = eyes.yaw.abs();
        let profile = (yaw - 40.0).max(0.0) / 10.0;
        let features = [(8.0 / across.max(1.0)).ln(), yaw / 45.0, profile];
        let eye = eyes.side(side);
        Ok(EyeMeasurement {
            center: eye.center,
            confidence: (self.eyes.confidence(features)).at_most(self.familiar.surest(face)),
            openness: eye.openness,
        })
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let raw: RawCalibration = toml::from_str(text)?;
        let mut gate = Gate::new(raw.blink.calibration()?, raw.long_closure.confidence);
        for (kind, threshold) in [
            (LabelKind::Blink, raw.blink.threshold),
            (LabelKind::LongClosure, raw.long_closure.threshold),
            (LabelKind::KeypointLeftEye, raw.eyes.threshold),
            (LabelKind::KeypointRightEye, raw.eyes.threshold),
            (LabelKind::BboxPerson, raw.person.threshold),
        ] {
            ensure!(
                (0.0..=1.0).contains(&threshold),
                "the threshold of {kind} must lie between 0 and 1"
            );
            gate.offer(kind, threshold);
        }
        ensure!(
            (0.0..=1.0).contains(&gate.long_closure_confidence),
            "[long-closure] confidence: must lie between 0 and 1"
        );
        Ok(Self {
            gate,
            eyes: raw.eyes.logistic("eyes")?,
            familiar: raw.familiar.familiar()?,
            person: raw.person.logistic("person")?,
            reference: crate::model_ref(&raw.name, &raw.version, &sha256(text.as_bytes()))?,
        })
    }
}

impl RawLogistic {
    /// The numbers, once they are found to be usable; `part` is the section that an error names.
    pub(crate) fn logistic<const N: usize>(&self, part: &str) -> Result<LogisticCalibration<N>> {
        let numbers = [self.bias].into_iter().chain(self.weights.iter().copied());
        ensure!(
            numbers.clone().all(f32::is_finite),
            "[{part}]: every number must be finite"
        );
        ensure!(
            (0.0..=1.0).contains(&self.ceiling),
            "[{part}] ceiling: must lie between 0 and 1"
        );
        ensure!(
            self.ranges.iter().all(|(low, high)| low <= high),
            "[{part}] ranges: the lower end stands first"
        );
        let most = self.weights.iter().zip(&self.ranges);
        let most =
            most.map(|(weight, (low, high))| (weight * low).abs().max((weight * high).abs()));
        ensure!(
            most.sum::<f32>().is_finite(),
            "[{part}]: weights and ranges are so large that no probability comes of them"
        );
        let weights = self.weights.as_slice().try_into();
        let ranges = self.ranges.as_slice().try_into();
        match (weights, ranges) {
            (Ok(weights), Ok(ranges)) => Ok(LogisticCalibration {
                ceiling: self.ceiling,
                bias: self.bias,
                weights,
                ranges,
            }),
            _ => anyhow::bail!(
                "[{part}]: {N} weights and ranges are needed, there are {} and {}",
                self.weights.len(),
                self.ranges.len()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/calibration/base.toml");
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_shipped_calibration_is_valid_and_prefers_deep_blinks() {
        let calibration = Calibration::parse(&shipped()).unwrap();
        let blink = |depth: f32| {
            let features = [depth, 1.0, 0.1, 0.15, 0.0, 0.1, 0.0, 0.1, 0.5, -4.7];
            calibration
                .gate
                .blink_calibration
                .logistic
                .confidence(features)
                .get()
        };
        assert!(blink(0.9) > 0.95 && blink(0.2) < blink(0.9));
    }

    #[test]
    fn limits_of_familiar_pictures_that_cannot_be_are_refused_by_name() {
        for (from, to) in [
            ("grain = [", "grain = [9.0, 0.1] #"),
            ("ceiling = 0.89", "ceiling = 89"),
        ] {
            let text = shipped().replace(from, to);
            let error = Calibration::parse(&text).err().unwrap().to_string();
            assert!(error.contains("[blink.familiar]"), "{error}");
        }
    }

    #[test]
    fn a_missing_weight_is_told_by_its_part() {
        let text = shipped().replace("[2.985, -0.557, -2.952]", "[2.985]");
        let error = Calibration::parse(&text).err().unwrap().to_string();
        assert!(error.contains("[eyes]") && error.contains('3'), "{error}");
    }

    #[test]
    fn weights_that_leave_no_number_are_refused_by_their_part() {
        let text = shipped().replace("[2.985, -0.557, -2.952]", "[3e38, -3e38, 3e38]");
        let error = Calibration::parse(&text).err().unwrap().to_string();
        assert!(
            error.contains("[eyes]") && error.contains("large"),
            "{error}"
        );
    }
}
