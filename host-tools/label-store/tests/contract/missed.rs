//! What a person adds: labels that the machine missed, edits of tracks.

use crate::made::*;
use crate::queue::{glasses, person};
use label_core::wire::{EventEyes, EventValue, Label, LabelCounts, LabelValue};
use label_core::{FrameRange, LabelKind, TrackId};
use label_store::{
    Asked, ClipId, Condition, DeskValue, Judgement, LabelKey, LabelStore, NewLabel, QueueFilter,
    ReviewState, Step, StoreError, TrackEdit, label_key_text,
};

fn clip_id() -> ClipId {
    ClipId {
        rig: name("rig"),
        boot: boot(),
        clip: 1,
    }
}

fn missed_blink(start: u32) -> NewLabel {
    NewLabel {
        kind: LabelKind::Blink.into(),
        track: Some(1),
        frames: FrameRange::new(start, start + 5),
        value: LabelValue::Event(EventValue {
            eyes: EventEyes::Both,
            peak: start + 2,
            opening: 0.1,
        })
        .into(),
        spent_ms: 5000,
    }
}

/// A clip with its times and these labels.
async fn stored(store: &LabelStore, labels: &[Label]) {
    let counts = LabelCounts {
        offered: labels.len() as u64,
        abstained: 0,
        evidence: 0,
    };
    store
        .commit(&[
            opened(1),
            part(2, 0, 200),
            batch(3, labels),
            closed(4, 200, counts),
        ])
        .await
        .unwrap();
}

async fn track_of(store: &LabelStore, key: &LabelKey) -> TrackId {
    let label = store.label(key).await.unwrap().unwrap().label;
    label.track.unwrap()
}

pub(crate) async fn what_the_machine_missed_is_made_listed_edited_and_removed(store: LabelStore) {
    stored(&store, &[blink(0, 10, 0.9), glasses(1, (0, 99), true)]).await;
    let mut made = None;
    for _ in 0..2 {
        let key = store
            .make_label(&clip_id(), &missed_blink(40), &ada_with("m1"))
            .await
            .unwrap();
        assert_eq!(made.get_or_insert(key.clone()), &key, "once");
    }
    let made = made.unwrap();
    assert_eq!(made, LabelKey::Desk(1));
    let state = async || {
        let label = store.label(&made).await.unwrap().unwrap().label;
        label.state.unwrap()
    };
    let label = store.label(&made).await.unwrap().unwrap().label;
    assert_eq!(label.made_by.as_deref(), Some("ada"));
    assert_eq!((label.confidence, label.model), (None, None));
    assert_eq!(label.pts_us.0.us(), 40);
    assert_eq!(label.conditions, [Condition::Glasses]);
    let blinks = QueueFilter {
        kinds: vec![LabelKind::Blink.into()],
        ..QueueFilter::default()
    };
    let page = store.queue(&blinks).await.unwrap();
    let listed: Vec<_> = page
        .items
        .iter()
        .map(|item| item.label.id.clone())
        .collect();
    assert_eq!(listed, [id(3, 0), made.clone()]);

    let correct = verdict(Judgement::Correct);
    store.record_verdict(&made, &correct, &ada()).await.unwrap();
    assert_eq!(state().await, ReviewState::Corrected);
    store.step(&made, Step::Undo, &ada()).await.unwrap();
    assert_eq!(state().await, ReviewState::Created);
    store.step(&made, Step::Undo, &ada()).await.unwrap();
    assert_eq!(state().await, ReviewState::Removed);
    assert_eq!(store.queue(&blinks).await.unwrap().total, 1);
    let again = store.record_verdict(&made, &correct, &ada()).await;
    assert!(matches!(again, Err(StoreError::Removed(_))));
    store.step(&made, Step::Redo, &ada()).await.unwrap();
    assert_eq!(state().await, ReviewState::Created);
    let mut reject = verdict(Judgement::Reject);
    reject.cause = None;
    store.record_verdict(&made, &reject, &ada()).await.unwrap();
    assert_eq!(state().await, ReviewState::Rejected);
    store.step(&made, Step::Undo, &ada()).await.unwrap();

    let second = store
        .make_label(&clip_id(), &missed_blink(60), &ada())
        .await
        .unwrap();
    assert_eq!(second, LabelKey::Desk(2));
    let summary = store.summary().await.unwrap();
    let review = summary.clips[0].review;
    assert_eq!((review.created, review.total()), (2, 2));
    assert!(summary.is_balanced(), "what persons make is no candidate");
}

pub(crate) async fn a_label_that_cannot_be_is_not_made(store: LabelStore) {
    stored(&store, &[blink(0, 10, 0.9)]).await;
    for broken in [
        NewLabel {
            track: None,
            ..missed_blink(40)
        },
        NewLabel {
            track: Some(0),
            ..missed_blink(40)
        },
        NewLabel {
            value: LabelValue::Flag(true).into(),
            ..missed_blink(40)
        },
        NewLabel {
            frames: FrameRange::new(195, 200),
            ..missed_blink(195)
        },
        NewLabel {
            kind: LabelKind::LightChange.into(),
            value: LabelValue::Flag(true).into(),
            ..missed_blink(40)
        },
    ] {
        let refused = store.make_label(&clip_id(), &broken, &ada()).await;
        assert!(matches!(refused, Err(StoreError::Verdict(_))), "{broken:?}");
    }
    let nowhere = ClipId {
        clip: 7,
        ..clip_id()
    };
    assert!(matches!(
        store.make_label(&nowhere, &missed_blink(40), &ada()).await,
        Err(StoreError::NoSuchClip(_))
    ));
    assert_eq!(store.queue(&QueueFilter::default()).await.unwrap().total, 1);
}

fn on_track(track: TrackId, label: Label) -> Label {
    Label {
        track: Some(track),
        ..label
    }
}

pub(crate) async fn a_split_track_is_seen_as_two_and_undo_joins_them_again(store: LabelStore) {
    stored(
        &store,
        &[person(0, (0, 49)), person(1, (50, 99)), blink(2, 120, 0.9)],
    )
    .await;
    let seen = async || {
        let mut seen = Vec::new();
        for n in 0..3 {
            seen.push(track_of(&store, &id(3, n)).await);
        }
        seen
    };
    let split = TrackEdit::Split {
        track: 1,
        frame: 50,
    };
    for _ in 0..2 {
        store
            .edit_tracks(&clip_id(), split, 900, &ada_with("t1"))
            .await
            .unwrap();
    }
    assert_eq!(seen().await, [1, 2, 2]);
    let (tracks, edits) = store.tracks(&clip_id()).await.unwrap();
    let frames: Vec<_> = tracks
        .iter()
        .map(|track| (track.track, track.frames, track.labels))
        .collect();
    assert_eq!(
        frames,
        [
            (1, FrameRange::new(0, 49), 1),
            (2, FrameRange::new(50, 126), 2)
        ]
    );
    assert_eq!((edits.len(), edits[0].stands, edits[0].into), (1, true, 2));
    let listed = store.queue(&QueueFilter::default()).await.unwrap().items;
    assert_eq!(listed[2].label.track, Some(2), "in lists too");
    store
        .step_tracks(&clip_id(), Step::Undo, &ada())
        .await
        .unwrap();
    assert_eq!(seen().await, [1, 1, 1]);
    store
        .step_tracks(&clip_id(), Step::Redo, &ada())
        .await
        .unwrap();
    assert_eq!(seen().await, [1, 2, 2]);
    let nothing = store.step_tracks(&clip_id(), Step::Redo, &ada()).await;
    assert!(matches!(nothing, Err(StoreError::NoEdit(_))));
    for broken in [
        TrackEdit::Split { track: 1, frame: 0 },
        TrackEdit::Split {
            track: 1,
            frame: 50,
        },
        TrackEdit::Split {
            track: 9,
            frame: 10,
        },
        TrackEdit::Merge { track: 1, into: 1 },
        TrackEdit::Merge { track: 1, into: 9 },
    ] {
        let refused = store.edit_tracks(&clip_id(), broken, 0, &ada()).await;
        assert!(matches!(refused, Err(StoreError::Verdict(_))), "{broken:?}");
    }
}

pub(crate) async fn merged_tracks_are_seen_as_one(store: LabelStore) {
    stored(
        &store,
        &[person(0, (0, 49)), on_track(2, person(1, (60, 99)))],
    )
    .await;
    let merge = TrackEdit::Merge { track: 2, into: 1 };
    store
        .edit_tracks(&clip_id(), merge, 0, &ada())
        .await
        .unwrap();
    assert_eq!(track_of(&store, &id(3, 1)).await, 1);
    let (tracks, _) = store.tracks(&clip_id()).await.unwrap();
    assert_eq!(tracks.len(), 1);
    assert_eq!(tracks[0].frames, FrameRange::new(0, 99));
}

pub(crate) async fn a_label_made_on_an_edited_track_follows_its_person(store: LabelStore) {
    stored(&store, &[person(0, (0, 49)), person(1, (50, 99))]).await;
    let split = TrackEdit::Split {
        track: 1,
        frame: 50,
    };
    store
        .edit_tracks(&clip_id(), split, 0, &ada())
        .await
        .unwrap();
    let on_second = NewLabel {
        track: Some(2),
        ..missed_blink(70)
    };
    let made = store
        .make_label(&clip_id(), &on_second, &ada())
        .await
        .unwrap();
    assert_eq!(track_of(&store, &made).await, 2);
    store
        .step_tracks(&clip_id(), Step::Undo, &ada())
        .await
        .unwrap();
    assert_eq!(
        track_of(&store, &made).await,
        1,
        "they were one person after all"
    );
    // Somebody whom the rig never saw has a number that no split gives away.
    let stranger = NewLabel {
        track: Some(7),
        ..missed_blink(20)
    };
    let made = store
        .make_label(&clip_id(), &stranger, &ada())
        .await
        .unwrap();
    store
        .edit_tracks(&clip_id(), split, 0, &ada())
        .await
        .unwrap();
    assert_eq!(track_of(&store, &made).await, 7);
    assert_eq!(track_of(&store, &id(3, 1)).await, 8);
}

pub(crate) async fn a_track_is_extended_by_its_last_value(store: LabelStore) {
    stored(&store, &[person(0, (20, 99)), blink(1, 30, 0.9)]).await;
    let of = (1, LabelKind::BboxPerson);
    let made = store
        .extend_track(&clip_id(), of, 150, 0, &ada_with("k"))
        .await
        .unwrap();
    let again = store
        .extend_track(&clip_id(), of, 150, 0, &ada_with("k"))
        .await
        .unwrap();
    assert_eq!(again, made, "the same request makes nothing new");
    let label = store.label(&made).await.unwrap().unwrap().label;
    assert_eq!(label.frames, FrameRange::new(100, 150));
    let Some(DeskValue::Offered(LabelValue::Boxes(keys))) = label.value else {
        panic!("{label:?}");
    };
    assert_eq!((keys.len(), keys[0].0, keys[1].0), (2, 100, 150));
    assert_eq!((keys[1].1, keys[1].3), (10.0, 100.0));
    let back = store
        .extend_track(&clip_id(), of, 5, 0, &ada())
        .await
        .unwrap();
    let label = store.label(&back).await.unwrap().unwrap().label;
    assert_eq!(label.frames, FrameRange::new(5, 19));
    for (of, to) in [
        (of, 60),
        (of, 150),
        (of, 200),
        ((9, LabelKind::BboxPerson), 180),
        ((1, LabelKind::Blink), 180),
    ] {
        let refused = store.extend_track(&clip_id(), of, to, 0, &ada()).await;
        assert!(
            matches!(refused, Err(StoreError::Verdict(_))),
            "{of:?} {to}"
        );
    }
}

pub(crate) async fn what_somebody_works_on_nobody_else_judges_or_edits(store: LabelStore) {
    let labels = [blink(0, 10, 0.9), blink(1, 50, 0.9)];
    stored(&store, &labels).await;
    let accept = verdict(Judgement::Accept);
    let both = [id(3, 0), id(3, 1)];
    let batch = store.record_verdicts(&both, &accept, &ada()).await.unwrap();
    let held = label_key_text(&both[1]);
    let lease = |who| {
        let (store, held) = (&store, &held);
        async move { store.lease(held, who, (0, 10)).await.unwrap() }
    };
    lease("bea").await;
    let held_by_bea =
        |refused: StoreError| matches!(refused, StoreError::Held(who) if who == "bea");
    let refused = [
        store.record_verdict(&both[1], &accept, &ada()).await,
        store.step(&both[1], Step::Undo, &ada()).await,
        store
            .record_verdicts(&both, &accept, &ada())
            .await
            .map(drop),
        store.step_batch(batch, Step::Undo, &ada()).await.map(drop),
        store
            .edit_tracks(
                &clip_id(),
                TrackEdit::Split {
                    track: 1,
                    frame: 40,
                },
                0,
                &ada(),
            )
            .await,
        store.step_tracks(&clip_id(), Step::Undo, &ada()).await,
    ];
    for (place, refused) in refused.into_iter().enumerate() {
        assert!(held_by_bea(refused.unwrap_err()), "{place}");
    }
    assert_eq!(store.verdicts(&both[1]).await.unwrap().len(), 1);
    // Another label of the clip is free, and so is this one for its holder, and for everybody once the lease is over.
    let free = |at_us, reviewer: &str| Asked {
        reviewer: reviewer.to_owned(),
        at_us,
        key: None,
    };
    for (label, asked) in [
        (&both[0], ada()),
        (&both[1], free(5, "bea")),
        (&both[1], free(10, "ada")),
    ] {
        store.record_verdict(label, &accept, &asked).await.unwrap();
    }
    // A request that was answered before somebody took the label is answered the same again.
    let before = free(10, "ada");
    let before = Asked {
        key: Some("k".to_owned()),
        ..before
    };
    store
        .record_verdict(&both[1], &accept, &before)
        .await
        .unwrap();
    store.lease(&held, "bea", (10, 20)).await.unwrap();
    store
        .record_verdict(&both[1], &accept, &before)
        .await
        .unwrap();
    assert_eq!(store.verdicts(&both[1]).await.unwrap().len(), 4);
}

pub(crate) async fn a_curve_is_joined_from_the_evidence_that_came(store: LabelStore) {
    stored(&store, &[blink(0, 0, 0.9)]).await;
    store.commit(&[evidence(5, (3, 0))]).await.unwrap();
    let curve = store
        .curve(&clip_id(), 1, FrameRange::new(0, 4))
        .await
        .unwrap();
    assert_eq!(curve.left, [Some(1.0), None, None, None, None]);
    assert_eq!(curve.right, [None; 5], "nothing was told");
    let other = store
        .curve(&clip_id(), 2, FrameRange::new(0, 4))
        .await
        .unwrap();
    assert_eq!(other.left, [None; 5]);
    let all = store.curve(&clip_id(), 1, FrameRange::new(0, 20_000)).await;
    assert!(matches!(all, Err(StoreError::Verdict(_))));
}
