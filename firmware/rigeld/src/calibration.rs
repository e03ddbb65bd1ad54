//! The calibration file: how sure a measurement makes us.

use anyhow::{Context, Result, ensure};
use label_core::blink::BLINK_FEATURES;
use label_core::confidence::LogisticCalibration;
use label_core::labeller::{EyeMeasurement, Gate};
use label_core::wire::ModelRef;
use label_core::{AbstainReason, EyeSide};
use perception::{Eyes, sha256};
use serde::Deserialize;
use std::path::Path;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawCalibration {
    name: String,
    version: String,
    blink: RawLogistic,
    long_closure: RawConstant,
    eyes: RawLogistic,
    person: RawLogistic,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawLogistic {
    ceiling: f32,
    bias: f32,
    weights: Vec<f32>,
    ranges: Vec<(f32, f32)>,
    threshold: f32,
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
    /// Of an eye position: ln(8 px / distance between the eyes), |yaw| / 45°.
    pub(crate) eyes: LogisticCalibration<2>,
    /// Of a person box: see [`perception::Person`].
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
    pub(crate) fn eye(&self, eyes: &Eyes, side: EyeSide) -> Result<EyeMeasurement, AbstainReason> {
        if eyes.is_turned_away(side) {
            return Err(AbstainReason::EyeTurnedAway);
        }
        let features = [(8.0 / eyes.distance().max(1.0)).ln(), eyes.yaw.abs() / 45.0];
        let eye = eyes.side(side);
        Ok(EyeMeasurement {
            center: eye.center,
            confidence: self.eyes.confidence(features),
            openness: eye.openness,
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let raw: RawCalibration = toml::from_str(text)?;
        let gate = Gate {
            blink: raw.blink.threshold,
            long_closure: raw.long_closure.threshold,
            eyes: raw.eyes.threshold,
            person: raw.person.threshold,
            blink_calibration: logistic::<BLINK_FEATURES>("blink", &raw.blink)?,
            long_closure_confidence: raw.long_closure.confidence,
        };
        let thresholds = [
            gate.blink,
            gate.long_closure,
            gate.eyes,
            gate.person,
            gate.long_closure_confidence,
        ];
        ensure!(
            thresholds.iter().all(|value| (0.0..=1.0).contains(value)),
            "thresholds and confidence must lie between 0 and 1"
        );
        Ok(Self {
            gate,
            eyes: logistic("eyes", &raw.eyes)?,
            person: logistic("person", &raw.person)?,
            reference: crate::model_ref(&raw.name, &raw.version, &sha256(text.as_bytes()))?,
        })
    }
}

fn logistic<const N: usize>(part: &str, raw: &RawLogistic) -> Result<LogisticCalibration<N>> {
    let numbers = [raw.bias].into_iter().chain(raw.weights.iter().copied());
    ensure!(
        numbers.clone().all(f32::is_finite),
        "[{part}]: every number must be finite"
    );
    ensure!(
        (0.0..=1.0).contains(&raw.ceiling),
        "[{part}] ceiling: must lie between 0 and 1"
    );
    ensure!(
        raw.ranges.iter().all(|(low, high)| low <= high),
        "[{part}] ranges: the lower end stands first"
    );
    let weights = raw.weights.as_slice().try_into();
    let ranges = raw.ranges.as_slice().try_into();
    match (weights, ranges) {
        (Ok(weights), Ok(ranges)) => Ok(LogisticCalibration {
            ceiling: raw.ceiling,
            bias: raw.bias,
            weights,
            ranges,
        }),
        _ => anyhow::bail!(
            "[{part}]: {N} weights and ranges are needed, there are {} and {}",
            raw.weights.len(),
            raw.ranges.len()
        ),
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
            let features = [depth, 1.8, 1.0, 0.1, 0.15, 0.0, 0.1, 0.0];
            calibration
                .gate
                .blink_calibration
                .confidence(features)
                .get()
        };
        assert!(blink(0.9) > 0.95 && blink(0.2) < blink(0.9));
    }

    #[test]
    fn a_missing_weight_is_told_by_its_part() {
        let text = shipped().replace("[3.031, -1.237]", "[3.031]");
        let error = Calibration::parse(&text).err().unwrap().to_string();
        assert!(error.contains("[eyes]") && error.contains('2'), "{error}");
    }
}
