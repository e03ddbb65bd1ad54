//! Readers of the model files, for `tests/fuzz` alone: `cargo fuzz` builds this crate with `--cfg fuzzing`.

use crate::calibration::Calibration;
use crate::labeller_card::LabellerCard;
use label_core::LabelKind;
use label_core::confidence::LogisticCalibration;

/// What may come out of a measurement.
const MEASURED: [f32; 7] = [0.0, -1.0, 1.0, f32::MAX, f32::MIN, f32::INFINITY, f32::NAN];

fn is_probability<const N: usize>(logistic: &LogisticCalibration<N>) {
    for measured in MEASURED {
        let told = logistic.confidence([measured; N]).get();
        assert!((0.0..=1.0).contains(&told), "{told} of {measured}");
    }
}

/// Reads a calibration file and tries it.
pub fn calibration(text: &str) {
    if let Ok(read) = Calibration::parse(text) {
        is_probability(&read.eyes);
        is_probability(&read.person);
    }
}

/// Reads a labeller card and tries it.
pub fn labeller_card(text: &str, kind: LabelKind) {
    if let Ok(card) = LabellerCard::parse(text, kind, "card.toml") {
        let _ = card
            .calibration::<2>()
            .map(|logistic| is_probability(&logistic));
        let _ = card
            .calibration::<4>()
            .map(|logistic| is_probability(&logistic));
    }
}
