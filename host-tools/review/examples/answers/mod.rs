//! Somebody who answers second looks: mostly as the rig or the first reviewer said, but not always.

use label_core::wire::{LabelValue, PointKeyframe};
use label_core::{FrameRange, LabelKind};
use label_store::{Asked, Correction, LabelStore, Look, LookSort, NewAnswer, Said, StoreError};

/// Of a hundred answers so many differ.
const fn differs(sort: LookSort) -> i64 {
    match sort {
        LookSort::Blind => 16,
        LookSort::Own => 4,
        _ => 9,
    }
}

/// What is said where it differs.
fn otherwise(kind: LabelKind, value: &LabelValue) -> (Said, Option<LabelValue>) {
    match value {
        LabelValue::Flag(flag) => (Said::Here, Some(LabelValue::Flag(!flag))),
        LabelValue::Level(level) => (Said::Here, Some(LabelValue::Level(level % 5 + 1))),
        LabelValue::Points(keys) => {
            let far = keys
                .iter()
                .map(|key| PointKeyframe(key.0, key.1 + 20.0, key.2, 1.0));
            (Said::Here, Some(LabelValue::Points(far.take(1).collect())))
        }
        _ => {
            debug_assert!(kind.is_event() || kind == LabelKind::BboxPerson);
            (Said::Nothing, None)
        }
    }
}

async fn say(store: &LabelStore, look: &Look) -> Result<NewAnswer, StoreError> {
    let offered = match &look.label {
        Some(key) => store.label(key).await?.map(|detail| detail.label),
        None => None,
    };
    let value = offered
        .as_ref()
        .and_then(|label| label.value.as_ref()?.offered().cloned());
    let (said, value) = match value {
        None => (Said::CannotTell, None),
        Some(value) if look.look * 37 % 100 < differs(look.sort) => otherwise(look.kind, &value),
        Some(value) => (Said::Here, Some(value)),
    };
    let frames = offered.map_or(look.frames, |label| label.frames);
    let value = match value {
        Some(LabelValue::Event(mut event)) => {
            event.peak = event.peak.clamp(frames.start, frames.end);
            Some(LabelValue::Event(event))
        }
        other => other,
    };
    Ok(NewAnswer {
        said,
        reading: value.map(|value| Correction {
            frames: Some(FrameRange::new(frames.start, frames.end)),
            value: Some(value.into()),
        }),
        spent_ms: 4200,
    })
}

/// Answers everything that may be asked of somebody at a time.
pub(crate) async fn answer_all(
    store: &LabelStore,
    reviewer: &str,
    at_us: i64,
) -> Result<(), StoreError> {
    while let (_, Some(look)) = store.next_look(reviewer, at_us).await? {
        let asked = Asked {
            reviewer: reviewer.to_owned(),
            at_us,
            key: None,
        };
        store
            .answer_look(look.look, &say(store, &look).await?, &asked)
            .await?;
    }
    Ok(())
}
