//! Calibration files of rigs, refitted on verdicts.
//!
//! A rig's confidence is ceiling · σ(bias + Σ weight · feature). What the verdicts ask for is σ(slope · z + offset) of the same
//! log odds z, which is again of that form: every weight times the slope, the bias times the slope plus the offset. So the rig needs
//! no new code and no build: the file is replaced, and its name, version and digest travel with the labels.

use crate::platt::Platt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use toml::{Table, Value};

/// A part of the file, by the kinds that it calibrates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Blinks.
    Blink,
    /// Long closures: one number.
    LongClosure,
    /// Both eyes' positions.
    Eyes,
    /// Person boxes.
    Person,
}

impl Part {
    /// Every part, in the order of the file.
    pub const ALL: [Self; 4] = [Self::Blink, Self::LongClosure, Self::Eyes, Self::Person];

    /// The section's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blink => "blink",
            Self::LongClosure => "long-closure",
            Self::Eyes => "eyes",
            Self::Person => "person",
        }
    }

    /// The kinds whose verdicts it is fitted on.
    pub const fn kinds(self) -> &'static [label_core::LabelKind] {
        use label_core::LabelKind as Kind;
        match self {
            Self::Blink => &[Kind::Blink],
            Self::LongClosure => &[Kind::LongClosure],
            Self::Eyes => &[Kind::KeypointLeftEye, Kind::KeypointRightEye],
            Self::Person => &[Kind::BboxPerson],
        }
    }
}

/// A calibration file, as `models/calibration/base.toml` and the rigs have it. What is not refitted here is kept as it stands, so that a
/// file of a later firmware, with more in it, survives.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationFile(Table);

/// Why a text is no calibration file.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// It is no TOML.
    #[error(
        "this is no calibration file as rigs read it (models/calibration/base.toml shows one): {0}"
    )]
    Text(#[from] toml::de::Error),
    /// It is, but something is missing in it.
    #[error(
        "this is no calibration file as rigs read it (models/calibration/base.toml shows one): {0} is missing or not what it should be"
    )]
    Missing(String),
}

/// What one part was refitted to, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// The change of log odds; of [`Part::LongClosure`] only what it makes of the one confidence counts.
    pub platt: Platt,
    /// Verdicts it was fitted on.
    pub judged: u64,
    /// Clips they lie in.
    pub clips: u64,
    /// Calibration error of these verdicts as the rig promised.
    pub error_before: f64,
    /// The same refitted, each clip by a fit without it.
    pub error_after: f64,
}

/// Log odds that the logistic gave, below its ceiling.
fn log_odds(confidence: f64, ceiling: f64) -> f64 {
    let p = (confidence / ceiling).clamp(1e-4, 1.0 - 1e-4);
    (p / (1.0 - p)).ln()
}

impl CalibrationFile {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, CalibrationError> {
        let file = Self(text.parse()?);
        for key in ["name", "version"] {
            if file.0.get(key).and_then(Value::as_str).is_none() {
                return Err(CalibrationError::Missing(key.to_owned()));
            }
        }
        for part in Part::ALL {
            let numbers: &[&str] = match part {
                Part::LongClosure => &["confidence"],
                _ => &["ceiling", "bias"],
            };
            let missing = |key: &str| CalibrationError::Missing(format!("[{}] {key}", part.name()));
            for key in numbers {
                file.number(part, key).ok_or_else(|| missing(key))?;
            }
            let weights = file
                .part(part)
                .and_then(|table| table.get("weights")?.as_array());
            let all_numbers =
                weights.is_some_and(|weights| weights.iter().all(|w| number_of(w).is_some()));
            if part != Part::LongClosure && !all_numbers {
                return Err(missing("weights"));
            }
        }
        Ok(file)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap_or_default()
    }

    /// Its version.
    pub fn version(&self) -> &str {
        self.0["version"].as_str().unwrap_or_default()
    }

    fn part(&self, part: Part) -> Option<&Table> {
        self.0.get(part.name())?.as_table()
    }

    fn number(&self, part: Part, key: &str) -> Option<f64> {
        number_of(self.part(part)?.get(key)?)
    }

    /// The log odds behind a confidence that this file gave.
    pub fn log_odds(&self, part: Part, confidence: f64) -> f64 {
        log_odds(confidence, self.number(part, "ceiling").unwrap_or(1.0))
    }

    /// The file with these parts refitted, under another version; what is not named stays.
    #[must_use]
    pub fn refitted(&self, version: &str, fitted: &BTreeMap<Part, Fitted>) -> Self {
        let mut new = self.clone();
        new.0.insert("version".to_owned(), version.into());
        for (part, Fitted { platt, .. }) in fitted {
            let ceiling = self.number(*part, "ceiling").unwrap_or(1.0);
            let Some(table) = new.0.get_mut(part.name()).and_then(Value::as_table_mut) else {
                continue;
            };
            let mut change = |key: &str, to: &dyn Fn(f64) -> f64| {
                if let Some(value) = table.get_mut(key) {
                    refit(value, to);
                }
            };
            let probability = |p: f64| ceiling * platt.probability(log_odds(p, ceiling));
            change("bias", &|bias| platt.slope * bias + platt.offset);
            change("weights", &|weight| platt.slope * weight);
            change("confidence", &probability);
            // Nothing is called surer than this on pictures unlike those of the fit.
            if let Some(familiar) = table.get_mut("familiar").and_then(Value::as_table_mut)
                && let Some(value) = familiar.get_mut("ceiling")
            {
                refit(value, &probability);
            }
        }
        new
    }

    /// The file's text, saying what each part was fitted on.
    pub fn text(&self, base: &str, fitted: &BTreeMap<Part, Fitted>) -> String {
        let mut out = format!(
            "# Calibration of confidence, refitted on verdicts by the desk from {base}.\n\
             # probability = ceiling / (1 + exp(-(bias + sum of weight x feature))), each feature held to its range.\n\
             # Refitted parts: log odds times a slope plus an offset (Platt 1999). docs/quality.md says how. The others are as in that file.\n"
        );
        for (part, fit) in fitted {
            let _ = writeln!(
                out,
                "# [{}] on {} verdicts in {} clips: slope {:.4}, offset {:.4}; calibration error {:.3} before, {:.3} after (each clip by a\n\
                 # fit without it).",
                part.name(),
                fit.judged,
                fit.clips,
                fit.platt.slope,
                fit.platt.offset,
                fit.error_before,
                fit.error_after
            );
        }
        let table = toml::to_string(&self.0).expect("what was read as TOML can be written as it");
        format!("{out}\n{table}")
    }
}

fn number_of(value: &Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// Changes a number or every number of a list, to six digits after the point.
fn refit(value: &mut Value, to: &dyn Fn(f64) -> f64) {
    if let Some(list) = value.as_array_mut() {
        for one in list {
            refit(one, to);
        }
    } else if let Some(old) = number_of(value) {
        *value = Value::Float((to(old) * 1e6).round() / 1e6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> CalibrationFile {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/calibration/base.toml"
        );
        CalibrationFile::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn fitted(part: Part, slope: f64, offset: f64) -> BTreeMap<Part, Fitted> {
        let fit = Fitted {
            platt: Platt { slope, offset },
            judged: 400,
            clips: 12,
            error_before: 0.2,
            error_after: 0.02,
        };
        BTreeMap::from([(part, fit)])
    }

    #[test]
    fn a_refitted_file_gives_the_refitted_probability_of_every_measurement() {
        let base = shipped();
        let changed = fitted(Part::Person, 0.5, -1.0);
        let new = base.refitted("2+desk.1", &changed);
        let confidence = |file: &CalibrationFile, feature: f64| {
            let weights = file.part(Part::Person).unwrap()["weights"]
                .as_array()
                .unwrap();
            let number = |key| file.number(Part::Person, key).unwrap();
            let z = number("bias") + weights[0].as_float().unwrap() * feature;
            number("ceiling") / (1.0 + (-z).exp())
        };
        for feature in [-1.0, 0.2, 1.3] {
            let z = base.log_odds(Part::Person, confidence(&base, feature));
            let expected = Platt {
                slope: 0.5,
                offset: -1.0,
            }
            .probability(z);
            assert!((confidence(&new, feature) - expected).abs() < 1e-5);
        }
        assert_eq!(
            new.part(Part::Eyes),
            base.part(Part::Eyes),
            "nobody judged those"
        );
    }

    #[test]
    fn the_text_reads_back_as_the_same_file_and_says_what_it_was_fitted_on() {
        let changed = fitted(Part::LongClosure, 1.0, -2.0);
        let new = shipped().refitted("2+desk.1", &changed);
        let text = new.text("calibration-base 2", &changed);
        let read = CalibrationFile::parse(&text).unwrap();
        assert_eq!(read, new);
        assert_eq!(
            (read.name(), read.version()),
            ("calibration-base", "2+desk.1")
        );
        assert!((read.number(Part::LongClosure, "confidence").unwrap() - 0.1687).abs() < 1e-3);
        assert!(text.contains("on 400 verdicts in 12 clips"), "{text}");
    }

    #[test]
    fn what_is_no_calibration_file_is_told_with_what_it_lacks() {
        for (text, hint) in [
            ("name = ", "line 1"),
            ("name = \"x\"", "version"),
            ("name = 1", "name"),
        ] {
            let error = CalibrationFile::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(hint) && error.contains("base.toml"),
                "{error}"
            );
        }
        let without = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/calibration/base.toml"
        ))
        .unwrap()
        .replace("[eyes]", "[ears]");
        let error = CalibrationFile::parse(&without).unwrap_err().to_string();
        assert!(error.contains("[eyes] ceiling"), "{error}");
    }
}
