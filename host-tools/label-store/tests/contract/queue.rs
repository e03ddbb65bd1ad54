//! The queue: every kind, every filter, every order.

use crate::made::*;
use label_core::wire::{BoxKeyframe, Label, LabelValue, ModelRef, PointKeyframe};
use label_core::{FrameRange, LabelKind};
use label_store::{
    Condition, Content, Judgement, LabelKey, LabelStore, ModelVersion, QueueFilter, QueueOrder,
    ReviewSeconds, ReviewState,
};

/// A candidate of another kind than a blink.
pub(crate) fn of_kind(kind: LabelKind, n: u16, frames: (u32, u32), value: LabelValue) -> Label {
    Label {
        kind,
        frames: FrameRange::new(frames.0, frames.1),
        value: Some(value),
        ..blink(n, frames.0, 0.9)
    }
}

pub(crate) fn person(n: u16, frames: (u32, u32)) -> Label {
    let at = |frame| BoxKeyframe(frame, 10.0, 20.0, 100.0, 200.0, 0.9);
    let boxes = heapless::Vec::from_slice(&[at(frames.0), at(frames.1)]).unwrap();
    of_kind(LabelKind::BboxPerson, n, frames, LabelValue::Boxes(boxes))
}

fn eye(n: u16, frames: (u32, u32)) -> Label {
    let at = |frame| PointKeyframe(frame, 50.0, 60.0, 0.9);
    let points = heapless::Vec::from_slice(&[at(frames.0), at(frames.1)]).unwrap();
    of_kind(
        LabelKind::KeypointLeftEye,
        n,
        frames,
        LabelValue::Points(points),
    )
}

pub(crate) fn glasses(n: u16, frames: (u32, u32), worn: bool) -> Label {
    of_kind(LabelKind::WearingGlasses, n, frames, LabelValue::Flag(worn))
}

async fn ids(store: &LabelStore, filter: &QueueFilter) -> Vec<LabelKey> {
    let page = store.queue(filter).await.unwrap();
    page.items.into_iter().map(|item| item.label.id).collect()
}

fn all() -> QueueFilter {
    QueueFilter::default()
}

pub(crate) async fn labels_of_every_kind_come_in_order_with_what_there_is_to_see(
    store: LabelStore,
) {
    store
        .commit(&[
            evidence(1, (2, 1)),
            batch(
                2,
                &[
                    blink(0, 50, 0.9),
                    blink(1, 10, 0.4),
                    silence(2),
                    person(3, (0, 99)),
                ],
            ),
            opened(3),
        ])
        .await
        .unwrap();
    let page = store.queue(&all()).await.unwrap();
    let starts: Vec<_> = page
        .items
        .iter()
        .map(|item| (item.label.kind, item.label.frames.start))
        .collect();
    let (blink, person) = (LabelKind::Blink.into(), LabelKind::BboxPerson.into());
    assert_eq!(starts, [(person, 0), (blink, 10), (blink, 50)]);
    assert_eq!(page.total, 3);
    let seen: Vec<_> = page.items.iter().map(|item| item.evidence).collect();
    assert_eq!(seen, [0, 1, 0]);
    assert_eq!(page.items[0].clip_name.as_deref(), Some("drive.mp4"));
    assert_eq!(page.items[0].label.model.as_ref().unwrap().name, "blink");
    let doubt = QueueFilter {
        order: QueueOrder::Doubt,
        limit: 1,
        ..all()
    };
    assert_eq!(ids(&store, &doubt).await, [id(2, 1)]);
    let seen = store.evidence(&id(2, 1)).await.unwrap();
    assert_eq!(
        (seen.len(), seen[0].jpeg.as_slice()),
        (1, &b"picture 1"[..])
    );
    assert_eq!(seen[0].header.label, (2, 1));
}

pub(crate) async fn the_queue_can_be_filtered_by_everything_a_reviewer_chooses_by(
    store: LabelStore,
) {
    let mut newer = batch(2, &[blink(0, 200, 0.6)]);
    if let Content::Labels { batch, .. } = &mut newer.content {
        batch.models[0] = ModelRef {
            version: "2".try_into().unwrap(),
            ..model()
        };
    }
    let labels = [
        blink(0, 50, 0.9),
        person(1, (0, 99)),
        eye(2, (0, 99)),
        blink(3, 70, 0.5),
    ];
    store.commit(&[batch(1, &labels), newer]).await.unwrap();
    store
        .record_verdict(&id(1, 3), &verdict(Judgement::Accept), &ada())
        .await
        .unwrap();
    let clip = store.summary().await.unwrap().clips[0].id().clone();
    for (filter, expected) in [
        (
            QueueFilter {
                rig: Some(name("rig")),
                ..all()
            },
            5,
        ),
        (
            QueueFilter {
                rig: Some(name("other")),
                ..all()
            },
            0,
        ),
        (
            QueueFilter {
                clip: Some(clip),
                ..all()
            },
            5,
        ),
        (
            QueueFilter {
                kinds: vec![LabelKind::Blink.into()],
                ..all()
            },
            3,
        ),
        (
            QueueFilter {
                kinds: vec![
                    LabelKind::BboxPerson.into(),
                    LabelKind::KeypointLeftEye.into(),
                ],
                ..all()
            },
            2,
        ),
        (
            QueueFilter {
                state: Some(ReviewState::Accepted),
                ..all()
            },
            1,
        ),
        (
            QueueFilter {
                state: Some(ReviewState::Waiting),
                ..all()
            },
            4,
        ),
        (
            QueueFilter {
                confidence_min: Some(0.6),
                ..all()
            },
            4,
        ),
        (
            QueueFilter {
                confidence_max: Some(0.6),
                ..all()
            },
            2,
        ),
        (
            QueueFilter {
                confidence_min: Some(0.55),
                confidence_max: Some(0.65),
                ..all()
            },
            1,
        ),
        (
            QueueFilter {
                model: Some(ModelVersion {
                    name: "blink".to_owned(),
                    version: "2".to_owned(),
                }),
                ..all()
            },
            1,
        ),
        (
            QueueFilter {
                model: Some(ModelVersion {
                    name: "blink".to_owned(),
                    version: "3".to_owned(),
                }),
                ..all()
            },
            0,
        ),
    ] {
        for order in [QueueOrder::Time, QueueOrder::Doubt, QueueOrder::Minutes] {
            let filter = QueueFilter {
                order,
                ..filter.clone()
            };
            let page = store.queue(&filter).await.unwrap();
            assert_eq!(
                (page.total, page.items.len()),
                (expected, expected as usize),
                "{filter:?}"
            );
        }
    }
}

/// So many that every way of reading the queue is taken.
pub(crate) async fn however_many_match_pages_follow_each_other_without_gap_or_repeat(
    store: LabelStore,
) {
    let mut messages = Vec::new();
    for seq in 1..=2800_u64 {
        let at = (seq % 97) as u32 * 10;
        let sure = |n: u64| 0.3 + ((seq * 7 + n * 131) % 690) as f32 / 1000.0;
        let mut labels: Vec<_> = (0..7)
            .map(|n| blink(n, at + u32::from(n), sure(u64::from(n))))
            .collect();
        labels.push(person(7, (at, at + 9)));
        let mut message = batch(seq, &labels);
        if let Content::Labels { batch, .. } = &mut message.content {
            batch.clip = (seq % 5) as u32;
        }
        messages.push(message);
    }
    for part in messages.chunks(400) {
        store.commit(part).await.unwrap();
    }
    for (order, confidence_min, total) in [
        (QueueOrder::Time, None, 22_400),
        (QueueOrder::Doubt, None, 22_400),
        (QueueOrder::Minutes, None, 22_400),
        (QueueOrder::Time, Some(0.31), 0),
        (QueueOrder::Minutes, Some(0.31), 0),
        (QueueOrder::Time, Some(0.9), 0),
        (QueueOrder::Doubt, Some(0.9), 0),
    ] {
        let filter = QueueFilter {
            order,
            confidence_min,
            ..all()
        };
        let whole = store
            .queue(&QueueFilter {
                limit: 100_000,
                ..filter.clone()
            })
            .await
            .unwrap();
        assert_eq!(whole.items.len() as u64, whole.total);
        if confidence_min.is_none() {
            assert_eq!(whole.total, total);
        }
        let labels: Vec<_> = whole.items.iter().map(|item| &item.label).collect();
        let in_order = labels.windows(2).all(|pair| match order {
            QueueOrder::Time => {
                (&pair[0].clip, pair[0].frames.start) <= (&pair[1].clip, pair[1].frames.start)
            }
            QueueOrder::Doubt => pair[0].confidence <= pair[1].confidence,
            QueueOrder::Minutes => pair[0].gain >= pair[1].gain,
        });
        assert!(in_order, "{order:?} {confidence_min:?}");
        for offset in [0, 1, 4479, 9000] {
            let page = QueueFilter {
                offset,
                limit: 50,
                ..filter.clone()
            };
            let expected: Vec<_> = labels
                .iter()
                .skip(offset as usize)
                .take(50)
                .map(|label| label.id.clone())
                .collect();
            assert_eq!(ids(&store, &page).await, expected, "{order:?} {offset}");
        }
    }
}

pub(crate) async fn a_minute_goes_first_to_quick_doubtful_labels(store: LabelStore) {
    let doubtful = Label {
        confidence: blink(0, 0, 0.6).confidence,
        ..person(0, (0, 9))
    };
    let labels = [doubtful, blink(1, 10, 0.97), blink(2, 20, 0.6)];
    store.commit(&[batch(1, &labels)]).await.unwrap();
    let minutes = QueueFilter {
        order: QueueOrder::Minutes,
        ..all()
    };
    assert_eq!(ids(&store, &minutes).await, [id(1, 2), id(1, 0), id(1, 1)]);
    let quick = ReviewSeconds {
        accept_s: 0.5,
        fix_s: 0.5,
    };
    store
        .set_review_seconds(LabelKind::BboxPerson.into(), quick)
        .await
        .unwrap();
    assert_eq!(ids(&store, &minutes).await, [id(1, 0), id(1, 2), id(1, 1)]);
    let never = ReviewSeconds {
        accept_s: 0.0,
        ..quick
    };
    assert!(
        store
            .set_review_seconds(LabelKind::Blink.into(), never)
            .await
            .is_err()
    );
}

pub(crate) async fn labels_are_found_by_what_they_were_seen_under(store: LabelStore) {
    let passenger = Label {
        track: Some(2),
        ..blink(2, 60, 0.9)
    };
    let light = Label {
        track: None,
        ..of_kind(LabelKind::LightChange, 0, (55, 65), LabelValue::Flag(true))
    };
    // Flags come after what they hold for, and in other messages.
    store
        .commit(&[
            batch(1, &[blink(0, 50, 0.9), blink(1, 120, 0.9), passenger]),
            batch(2, &[light]),
            batch(
                3,
                &[glasses(0, (0, 99), true), glasses(1, (100, 199), false)],
            ),
        ])
        .await
        .unwrap();
    for (conditions, expected) in [
        (vec![Condition::Glasses], vec![id(1, 0)]),
        (vec![Condition::BareEyes], vec![id(1, 1)]),
        (vec![Condition::LightChange], vec![id(1, 0), id(1, 2)]),
        (
            vec![Condition::LightChange, Condition::Glasses],
            vec![id(1, 0)],
        ),
        (vec![Condition::Shadow], vec![]),
    ] {
        let filter = QueueFilter {
            kinds: vec![LabelKind::Blink.into()],
            conditions,
            ..all()
        };
        assert_eq!(
            ids(&store, &filter).await,
            expected,
            "{:?}",
            filter.conditions
        );
    }
    let seen = store
        .label(&id(1, 0))
        .await
        .unwrap()
        .unwrap()
        .label
        .conditions;
    assert_eq!(seen, [Condition::Glasses, Condition::LightChange]);
}

pub(crate) async fn a_flag_that_is_judged_changes_what_others_were_seen_under(store: LabelStore) {
    store
        .commit(&[batch(1, &[blink(0, 50, 0.9), glasses(1, (0, 99), true)])])
        .await
        .unwrap();
    let seen = async || {
        store
            .label(&id(1, 0))
            .await
            .unwrap()
            .unwrap()
            .label
            .conditions
    };
    let found = async |condition| {
        let conditions = vec![condition];
        let filter = QueueFilter {
            kinds: vec![LabelKind::Blink.into()],
            conditions,
            ..all()
        };
        store.queue(&filter).await.unwrap().total
    };
    assert_eq!(seen().await, [Condition::Glasses]);
    let mut right = verdict(Judgement::Correct);
    right.correction.as_mut().unwrap().frames = None;
    right.correction.as_mut().unwrap().value = Some(LabelValue::Flag(false).into());
    store
        .record_verdict(&id(1, 1), &right, &ada())
        .await
        .unwrap();
    assert_eq!(seen().await, [Condition::BareEyes]);
    assert_eq!(
        (
            found(Condition::Glasses).await,
            found(Condition::BareEyes).await
        ),
        (0, 1)
    );
    store
        .record_verdict(&id(1, 1), &verdict(Judgement::Reject), &ada())
        .await
        .unwrap();
    assert_eq!(seen().await, []);
    store
        .step(&id(1, 1), label_store::Step::Undo, &ada())
        .await
        .unwrap();
    assert_eq!(seen().await, [Condition::BareEyes]);
}
