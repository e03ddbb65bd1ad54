//! The small files of `models/`: model cards, labeller cards, the calibration. The first byte says which.
//!
//! What is taken gives a confidence between 0 and 1 for whatever may be measured.

#![no_main]

use label_core::LabelKind;
use libfuzzer_sys::fuzz_target;
use perception::ModelCard;
use rigeld::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, text)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    match which % 3 {
        0 => fuzzing::calibration(text),
        1 => {
            let kind = LabelKind::ALL[usize::from(which / 3) % LabelKind::ALL.len()];
            fuzzing::labeller_card(text, kind);
        }
        _ => {
            let file = tempfile::NamedTempFile::new().expect("temporary files can be made");
            std::fs::write(&file, text).expect("the file can be written");
            if let Err(error) = ModelCard::read_file(file.path()) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
});
