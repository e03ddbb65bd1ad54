//! Verdicts: recorded, taken back, brought back, once each, one or many.

use crate::made::*;
use crate::queue::{glasses, of_kind, person};
use label_core::wire::{BoxKeyframe, EventEyes, EventValue, LabelValue};
use label_core::{FrameRange, LabelKind};
use label_store::{
    Asked, Correction, DeskValue, Judgement, LabelStore, NewVerdict, QueueFilter, ReviewState,
    Step, StoreError,
};

async fn state(store: &LabelStore, expected: ReviewState) {
    let detail = store.label(&id(1, 0)).await.unwrap().unwrap();
    assert_eq!(detail.label.state, Some(expected));
    let filter = QueueFilter {
        state: Some(expected),
        ..QueueFilter::default()
    };
    assert_eq!(store.queue(&filter).await.unwrap().total, 1);
    assert_eq!(
        detail.label.correction.is_some(),
        expected == ReviewState::Corrected
    );
}

pub(crate) async fn verdicts_add_up_and_undo_brings_back_what_stood_before(store: LabelStore) {
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9), silence(1)])])
        .await
        .unwrap();
    let judge = async |judgement| {
        store
            .record_verdict(&id(1, 0), &verdict(judgement), &ada())
            .await
            .unwrap();
    };
    let undo = async || store.step(&id(1, 0), Step::Undo, &ada()).await;
    state(&store, ReviewState::Waiting).await;
    judge(Judgement::Accept).await;
    state(&store, ReviewState::Accepted).await;
    judge(Judgement::Correct).await;
    state(&store, ReviewState::Corrected).await;
    undo().await.unwrap();
    state(&store, ReviewState::Accepted).await;
    judge(Judgement::Reject).await;
    undo().await.unwrap();
    state(&store, ReviewState::Accepted).await;
    undo().await.unwrap();
    state(&store, ReviewState::Waiting).await;
    assert!(matches!(undo().await, Err(StoreError::NothingToUndo(_))));
    let kept = store.verdicts(&id(1, 0)).await.unwrap();
    let said: Vec<_> = kept
        .iter()
        .map(|verdict| {
            let replaced = verdict.replaces.map(|number| {
                kept.iter()
                    .position(|verdict| verdict.verdict == number)
                    .unwrap()
            });
            (verdict.judgement.name(), replaced)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("accept", None),
            ("correct", Some(0)),
            ("withdraw", Some(1)),
            ("reject", Some(0)),
            ("withdraw", Some(3)),
            ("withdraw", Some(0)),
        ]
    );
}

pub(crate) async fn redo_brings_back_what_was_taken_back_until_something_else_is_said(
    store: LabelStore,
) {
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9)])])
        .await
        .unwrap();
    let judge = async |judgement| {
        store
            .record_verdict(&id(1, 0), &verdict(judgement), &ada())
            .await
            .unwrap();
    };
    let step = async |step| store.step(&id(1, 0), step, &ada()).await;
    judge(Judgement::Accept).await;
    judge(Judgement::Correct).await;
    step(Step::Undo).await.unwrap();
    step(Step::Undo).await.unwrap();
    state(&store, ReviewState::Waiting).await;
    step(Step::Redo).await.unwrap();
    state(&store, ReviewState::Accepted).await;
    step(Step::Redo).await.unwrap();
    state(&store, ReviewState::Corrected).await;
    assert!(matches!(
        step(Step::Redo).await,
        Err(StoreError::NothingToRedo(_))
    ));
    step(Step::Undo).await.unwrap();
    state(&store, ReviewState::Accepted).await;
    judge(Judgement::Reject).await;
    assert!(matches!(
        step(Step::Redo).await,
        Err(StoreError::NothingToRedo(_))
    ));
    step(Step::Undo).await.unwrap();
    state(&store, ReviewState::Accepted).await;
}

pub(crate) async fn verdicts_that_say_too_little_are_refused(store: LabelStore) {
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9), silence(1)])])
        .await
        .unwrap();
    for broken in [
        NewVerdict {
            cause: None,
            ..verdict(Judgement::Reject)
        },
        NewVerdict {
            correction: None,
            ..verdict(Judgement::Correct)
        },
        NewVerdict {
            correction: verdict(Judgement::Correct).correction,
            ..verdict(Judgement::Accept)
        },
        verdict(Judgement::Withdraw),
        verdict(Judgement::Restore),
        verdict(Judgement::Create),
    ] {
        let refused = store.record_verdict(&id(1, 0), &broken, &ada()).await;
        assert!(matches!(refused, Err(StoreError::Verdict(_))), "{broken:?}");
    }
    let nobody = Asked {
        reviewer: " ".to_owned(),
        ..ada()
    };
    let accept = verdict(Judgement::Accept);
    assert!(matches!(
        store.record_verdict(&id(1, 0), &accept, &nobody).await,
        Err(StoreError::Verdict(_))
    ));
    assert!(matches!(
        store.record_verdict(&id(1, 1), &accept, &ada()).await,
        Err(StoreError::NotACandidate(_))
    ));
    assert!(matches!(
        store.record_verdict(&id(1, 2), &accept, &ada()).await,
        Err(StoreError::NoSuchLabel(_))
    ));
}

pub(crate) async fn corrections_that_cannot_be_true_are_refused(store: LabelStore) {
    let level = of_kind(LabelKind::Alertness, 3, (0, 99), LabelValue::Level(4));
    let labels = [
        blink(0, 10, 0.9),
        person(1, (0, 99)),
        glasses(2, (0, 99), true),
        level,
    ];
    store
        .commit(&[
            batch(1, &labels),
            closed(2, 150, label_core::wire::LabelCounts::default()),
        ])
        .await
        .unwrap();
    let correct = async |n, frames: Option<(u32, u32)>, value| {
        let correction = Correction {
            frames: frames.map(|(first, last)| FrameRange::new(first, last)),
            value: Option::map(value, DeskValue::Offered),
        };
        let new = NewVerdict {
            correction: Some(Box::new(correction)),
            ..verdict(Judgement::Correct)
        };
        store.record_verdict(&id(1, n), &new, &ada()).await
    };
    let boxes = |keys: &[(u32, f32, f32)]| {
        Some(LabelValue::Boxes(
            keys.iter()
                .map(|&(frame, x, width)| BoxKeyframe(frame, x, 5.0, width, 50.0, 1.0))
                .collect(),
        ))
    };
    let event = |peak, opening| {
        Some(LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak,
            opening,
        }))
    };
    let wrong = vec![
        (0, None, None),
        (0, Some((140, 150)), None),
        (0, None, Some(LabelValue::Flag(true))),
        (0, Some((10, 20)), event(21, 0.1)),
        (0, None, event(12, f32::NAN)),
        (0, None, event(12, -0.1)),
        (1, None, boxes(&[])),
        (1, None, boxes(&[(0, 1.0, 9.0), (100, 1.0, 9.0)])),
        (1, None, boxes(&[(5, 1.0, 9.0), (5, 1.0, 9.0)])),
        (1, None, boxes(&[(9, 1.0, 9.0), (5, 1.0, 9.0)])),
        (1, None, boxes(&[(5, f32::INFINITY, 9.0)])),
        (1, None, boxes(&[(5, 1.0, 0.0)])),
        (1, None, boxes(&[(5, 1.0, -3.0)])),
        (1, Some((0, 50)), None),
        (2, None, Some(LabelValue::Level(3))),
        (3, None, Some(LabelValue::Level(0))),
        (3, None, Some(LabelValue::Level(6))),
    ];
    for (n, frames, value) in wrong {
        let told = format!("{n} {frames:?} {value:?}");
        let refused = Box::pin(correct(n, frames, value)).await;
        assert!(matches!(refused, Err(StoreError::Verdict(_))), "{told}");
    }
    let right = vec![
        (0, Some((8, 20)), None),
        (0, Some((8, 20)), event(12, 0.1)),
        (1, None, boxes(&[(0, 1.0, 9.0), (99, 2.0, 9.0)])),
        (1, Some((0, 149)), boxes(&[(0, 1.0, 9.0), (149, 2.0, 9.0)])),
        (2, None, Some(LabelValue::Flag(false))),
        (3, None, Some(LabelValue::Level(2))),
    ];
    for (n, frames, value) in right {
        Box::pin(correct(n, frames, value.clone())).await.unwrap();
        let label = store.label(&id(1, n)).await.unwrap().unwrap().label;
        let stands = label.correction.unwrap();
        let value = value.map(DeskValue::Offered);
        assert_eq!(stands.value, value);
        assert_eq!(stands.frames, frames.map(|(a, b)| FrameRange::new(a, b)));
        assert_ne!(label.value, value, "what the rig said stays");
    }
}

pub(crate) async fn a_request_that_comes_again_changes_nothing(store: LabelStore) {
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9), blink(1, 50, 0.9)])])
        .await
        .unwrap();
    let accept = verdict(Judgement::Accept);
    for _ in 0..2 {
        store
            .record_verdict(&id(1, 0), &accept, &ada_with("k1"))
            .await
            .unwrap();
    }
    assert_eq!(store.verdicts(&id(1, 0)).await.unwrap().len(), 1);
    for _ in 0..2 {
        store
            .step(&id(1, 0), Step::Undo, &ada_with("k2"))
            .await
            .unwrap();
    }
    assert_eq!(store.verdicts(&id(1, 0)).await.unwrap().len(), 2);
    // A key that names something else would hide a verdict: it is refused.
    let other = store
        .record_verdict(&id(1, 1), &accept, &ada_with("k1"))
        .await;
    assert!(matches!(other, Err(StoreError::KeyTaken)));
    // What was refused took no key.
    let early = store.step(&id(1, 1), Step::Undo, &ada_with("k3")).await;
    assert!(matches!(early, Err(StoreError::NothingToUndo(_))));
    store
        .record_verdict(&id(1, 1), &accept, &ada_with("k3"))
        .await
        .unwrap();
    // After a week a key is forgotten.
    let later = Asked {
        at_us: 8 * 24 * 3600 * 1_000_000,
        ..ada_with("k1")
    };
    store
        .record_verdict(&id(1, 1), &accept, &later)
        .await
        .unwrap();
}

pub(crate) async fn many_labels_are_judged_at_once_or_not_at_all(store: LabelStore) {
    let labels = [
        blink(0, 10, 0.9),
        blink(1, 50, 0.9),
        blink(2, 70, 0.9),
        silence(3),
    ];
    store.commit(&[batch(1, &labels)]).await.unwrap();
    let accept = verdict(Judgement::Accept);
    let states = async || {
        let mut states = Vec::new();
        for n in 0..3 {
            let label = store.label(&id(1, n)).await.unwrap().unwrap().label;
            states.push(label.state.unwrap().name());
        }
        states
    };
    let with_silence = [id(1, 0), id(1, 3)];
    assert!(
        store
            .record_verdicts(&with_silence, &accept, &ada())
            .await
            .is_err()
    );
    let twice = [id(1, 0), id(1, 0)];
    assert!(
        store
            .record_verdicts(&twice, &accept, &ada())
            .await
            .is_err()
    );
    assert!(store.record_verdicts(&[], &accept, &ada()).await.is_err());
    assert_eq!(states().await, ["waiting"; 3]);
    let three = [id(1, 2), id(1, 0), id(1, 1)];
    let mut batch = 0;
    for _ in 0..2 {
        batch = store
            .record_verdicts(&three, &accept, &ada_with("b1"))
            .await
            .unwrap();
    }
    assert_eq!(states().await, ["accepted"; 3]);
    let spent: u64 = {
        let mut sum = 0;
        for label in &three {
            let verdicts = store.verdicts(label).await.unwrap();
            assert_eq!((verdicts.len(), verdicts[0].batch), (1, Some(batch)));
            sum += verdicts[0].spent_ms;
        }
        sum
    };
    assert_eq!(spent, accept.spent_ms, "shared out");
    let undone = store
        .step_batch(batch, Step::Undo, &ada_with("b2"))
        .await
        .unwrap();
    assert_eq!(undone, three);
    assert_eq!(states().await, ["waiting"; 3]);
    store.step_batch(batch, Step::Redo, &ada()).await.unwrap();
    assert_eq!(states().await, ["accepted"; 3]);
    store
        .record_verdict(&id(1, 1), &verdict(Judgement::Reject), &ada())
        .await
        .unwrap();
    assert!(matches!(
        store.step_batch(batch, Step::Undo, &ada()).await,
        Err(StoreError::SaidSince(_))
    ));
    assert_eq!(states().await, ["accepted", "rejected", "accepted"]);
    assert!(matches!(
        store.step_batch(batch + 1, Step::Undo, &ada()).await,
        Err(StoreError::NoSuchBatch(_))
    ));
}
