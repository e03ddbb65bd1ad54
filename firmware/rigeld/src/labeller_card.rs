//! Labeller cards: what a kind of label rests on, and the numbers that were fitted for it.
//!
//! `models/<kind>/card.toml`, one a kind. The card's name, version and digest travel with its labels, so replacing the
//! file shows in every label made from then on. A kind without a card is silence with the reason `no-labeller`.

use crate::calibration::RawLogistic;
use anyhow::{Context, Result, bail, ensure};
use label_core::LabelKind;
use label_core::confidence::LogisticCalibration;
use label_core::wire::ModelRef;
use perception::sha256;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::path::Path;

/// Kinds that have a labeller card. The others are calibrated together in the board's calibration file.
pub(crate) const LABELLER_KINDS: [LabelKind; 6] = [
    LabelKind::WearingGlasses,
    LabelKind::InShadow,
    LabelKind::FaceOccluded,
    LabelKind::Alertness,
    LabelKind::LightChange,
    LabelKind::VideoQuality,
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawCard {
    name: String,
    version: String,
    kind: String,
    /// What it measures.
    #[expect(dead_code, reason = "for people")]
    what: String,
    /// After which published method.
    #[expect(dead_code, reason = "for people")]
    method: String,
    /// On what the numbers were fitted.
    #[expect(dead_code, reason = "for people")]
    fitted_on: String,
    /// Where it is known to fail.
    #[expect(dead_code, reason = "for people")]
    bad_at: String,
    threshold: f32,
    calibration: Option<RawLogistic>,
    #[serde(default)]
    parameters: toml::Table,
}

/// A labeller card, read and checked.
pub(crate) struct LabellerCard {
    /// Name, version and digest of the card, as they travel with labels.
    pub(crate) reference: ModelRef,
    /// Least confidence to offer.
    pub(crate) threshold: f32,
    calibration: Option<RawLogistic>,
    parameters: toml::Table,
    path: String,
}

impl LabellerCard {
    /// Reads the card of a kind; `None` where there is none.
    pub(crate) fn read(folder: &Path, kind: LabelKind) -> Result<Option<Self>> {
        let path = folder.join(kind.name()).join("card.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Self::parse(&text, kind, &path.display().to_string())
            .with_context(|| format!("the labeller card {} cannot be used", path.display()))
            .map(Some)
    }

    pub(crate) fn parse(text: &str, kind: LabelKind, path: &str) -> Result<Self> {
        let raw: RawCard = toml::from_str(text)?;
        if raw.kind != kind.name() {
            bail!("kind is {:?}, in this folder it must be {kind}", raw.kind);
        }
        ensure!(
            (0.0..=1.0).contains(&raw.threshold),
            "threshold: must lie between 0 and 1"
        );
        Ok(Self {
            reference: crate::model_ref(&raw.name, &raw.version, &sha256(text.as_bytes()))?,
            threshold: raw.threshold,
            calibration: raw.calibration,
            parameters: raw.parameters,
            path: path.to_owned(),
        })
    }

    /// How sure a measurement makes us.
    pub(crate) fn calibration<const N: usize>(&self) -> Result<LogisticCalibration<N>> {
        let raw = self
            .calibration
            .as_ref()
            .with_context(|| format!("{}: [calibration] is missing", self.path))?;
        raw.logistic("calibration")
            .with_context(|| self.path.clone())
    }

    /// Numbers of the labeller's own.
    pub(crate) fn parameters<T: DeserializeOwned>(&self) -> Result<T> {
        toml::Value::Table(self.parameters.clone())
            .try_into()
            .with_context(|| format!("{}: [parameters]", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = r#"
name = "shade"
version = "1"
kind = "in-shadow"
what = "w"
method = "m"
fitted-on = "f"
bad-at = "b"
threshold = 0.6
[calibration]
ceiling = 0.98
bias = 1.0
weights = [2.0, 3.0]
ranges = [[0.0, 1.0], [0.0, 1.0]]
[parameters]
window-s = 2.0
"#;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    struct Parameters {
        window_s: f32,
    }

    #[test]
    fn a_card_gives_its_numbers_and_a_name_that_changes_with_its_text() {
        let card = LabellerCard::parse(CARD, LabelKind::InShadow, "card.toml").unwrap();
        assert_eq!(card.threshold, 0.6);
        assert!(
            card.calibration::<2>()
                .unwrap()
                .confidence([1.0, 1.0])
                .get()
                > 0.9
        );
        let parameters: Parameters = card.parameters().unwrap();
        assert_eq!(parameters, Parameters { window_s: 2.0 });
        let other = CARD.replace("0.98", "0.97");
        let other = LabellerCard::parse(&other, LabelKind::InShadow, "card.toml").unwrap();
        assert_ne!(card.reference.sha256, other.reference.sha256);
    }

    #[test]
    fn a_card_in_the_wrong_folder_or_with_too_few_numbers_is_refused_by_name() {
        let error = LabellerCard::parse(CARD, LabelKind::Alertness, "card.toml").err();
        assert!(format!("{:#}", error.unwrap()).contains("alertness"));
        let card = LabellerCard::parse(CARD, LabelKind::InShadow, "card.toml").unwrap();
        let error = format!("{:#}", card.calibration::<3>().err().unwrap());
        assert!(
            error.contains("card.toml") && error.contains("3 weights"),
            "{error}"
        );
        let unknown = CARD.replace("bad-at", "good-at");
        assert!(LabellerCard::parse(&unknown, LabelKind::InShadow, "card.toml").is_err());
    }

    #[test]
    fn a_kind_without_a_card_has_no_labeller() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(
            LabellerCard::read(folder, LabelKind::InShadow)
                .unwrap()
                .is_none()
        );
    }
}
