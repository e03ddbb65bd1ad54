//! The rubric of alertness, as its card has it.

use crate::labeller_card::LabellerCard;
use anyhow::{Result, ensure};
use label_core::alertness::{Border, Rubric};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawRubric {
    least_seen_s: f32,
    shut_share: f32,
    slow_s: f32,
    asleep_s: f32,
    fading: RawBorder,
    sleepy: RawBorder,
    fighting: RawBorder,
}

/// A sign that is left out does not lead to the level.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawBorder {
    perclos: Option<f32>,
    closure_s: Option<f32>,
    closures: Option<f32>,
    longer_blinks: Option<f32>,
    yawns: Option<f32>,
    nods: Option<f32>,
}

impl RawBorder {
    fn border(&self, name: &str) -> Result<Border> {
        let of = |sign: &str, value: Option<f32>| {
            let value = value.unwrap_or(f32::INFINITY);
            ensure!(value > 0.0, "{name}: {sign} must be above 0");
            Ok(value)
        };
        Ok(Border {
            perclos: of("perclos", self.perclos)?,
            closure_s: of("closure-s", self.closure_s)?,
            closures: of("closures", self.closures)?,
            longer_blinks: of("longer-blinks", self.longer_blinks)?,
            yawns: of("yawns", self.yawns)?,
            nods: of("nods", self.nods)?,
        })
    }
}

/// Reads the rubric off its card.
pub(crate) fn rubric(card: &LabellerCard) -> Result<Rubric> {
    let raw: RawRubric = card.parameters()?;
    let lengths = [raw.least_seen_s, raw.shut_share, raw.slow_s, raw.asleep_s];
    ensure!(
        lengths
            .iter()
            .all(|value| value.is_finite() && *value > 0.0),
        "[parameters]: least-seen-s, shut-share, slow-s and asleep-s must be above 0"
    );
    Ok(Rubric {
        fading: raw.fading.border("fading")?,
        sleepy: raw.sleepy.border("sleepy")?,
        fighting: raw.fighting.border("fighting")?,
        asleep_s: raw.asleep_s,
        least_seen_s: raw.least_seen_s,
        shut_share: raw.shut_share,
        slow_s: raw.slow_s,
        confidence: card.calibration()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::LabelKind;
    use label_core::wire::Signs;
    use std::path::Path;

    #[test]
    fn the_shipped_card_offers_clear_cases_alone_and_is_never_quite_sure() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        let card = LabellerCard::read(&models, LabelKind::Alertness)
            .unwrap()
            .unwrap();
        let rubric = rubric(&card).unwrap();
        let sure = |signs: Signs| {
            let (level, clear) = rubric.judge(&signs, signs.longest_closure_s);
            (level, rubric.sure(level, clear, &signs).get())
        };
        let alert = Signs {
            seen_s: 60.0,
            perclos: 0.005,
            longest_closure_s: 0.2,
            ..Signs::default()
        };
        let yawning = |signs| Signs { yawns: 2, ..signs };
        let sleepy = Signs {
            perclos: 0.11,
            longest_closure_s: 0.45,
            ..alert
        };
        let asleep = Signs {
            perclos: 0.3,
            longest_closure_s: 5.0,
            closures: 3,
            ..alert
        };
        for (signs, level, is_offered) in [
            (alert, 5, true),
            (yawning(alert), 4, true),
            (sleepy, 3, false),
            (yawning(sleepy), 3, true),
            (asleep, 1, false),
            (yawning(asleep), 1, true),
        ] {
            let (found, confidence) = sure(signs);
            assert_eq!(found, level, "{signs:?}");
            assert_eq!(
                confidence >= card.threshold,
                is_offered,
                "{signs:?}: {confidence}"
            );
            assert!(confidence < 0.9);
        }
    }
}
