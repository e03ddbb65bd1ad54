//! From a verdict to what it says is there.

use super::{Look, LookSort};
use crate::StoredLabel;
use crate::verdict::{Judgement, Verdict};
use ::quality::{DeskValue, Reading};
use label_core::FrameRange;
use label_core::wire::LabelValue;

/// Causes from which nothing follows about what is there: nobody can tell, or it is told elsewhere.
const SILENT_CAUSES: [&str; 2] = ["cannot-tell", "duplicate"];

/// What a verdict on a candidate says is there.
pub(crate) fn reading_under(
    frames: FrameRange,
    value: Option<&LabelValue>,
    verdict: &Verdict,
) -> Reading {
    let Some(value) = value else {
        return Reading::CannotTell;
    };
    match verdict.judgement {
        Judgement::Accept | Judgement::Create => Reading::Here(frames, value.clone()),
        Judgement::Correct => {
            let right = verdict.correction.as_deref();
            Reading::Here(
                right.and_then(|right| right.frames).unwrap_or(frames),
                right
                    .and_then(|right| right.value.as_ref()?.offered())
                    .unwrap_or(value)
                    .clone(),
            )
        }
        Judgement::Reject => {
            let cause = verdict.cause.as_deref().unwrap_or_default();
            if SILENT_CAUSES.contains(&cause) {
                Reading::CannotTell
            } else {
                Reading::Not(frames, value.clone())
            }
        }
        Judgement::Withdraw | Judgement::Restore => Reading::CannotTell,
    }
}

fn offered(label: &StoredLabel) -> Option<&LabelValue> {
    label.value.as_ref().and_then(DeskValue::offered)
}

/// What a rig offered.
pub(crate) fn reading_of(label: &StoredLabel) -> Reading {
    match offered(label) {
        Some(value) => Reading::Here(label.frames, value.clone()),
        None => Reading::CannotTell,
    }
}

/// What a look is held against: of a blind one what the rig offered, of others a verdict, found by its number.
pub(super) fn against<'a>(
    look: &Look,
    label: &StoredLabel,
    found: impl Fn(i64) -> Option<&'a Verdict>,
) -> Option<Reading> {
    let verdict =
        |number: Option<i64>| Some(reading_under(label.frames, offered(label), found(number?)?));
    match look.sort {
        LookSort::Blind => Some(reading_of(label)),
        LookSort::Silence => None,
        LookSort::Own | LookSort::Other => verdict(look.about),
        LookSort::Second => verdict(label.standing),
    }
}
