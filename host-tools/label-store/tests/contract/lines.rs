//! Lines, which people draw and no rig offers.

use crate::made::*;
use crate::queue::person;
use label_core::wire::LabelCounts;
use label_core::{FrameRange, LabelKind};
use label_store::{
    ClipId, Correction, DeskValue, LabelKey, LabelStore, LineKey, LineKind, LineValue, LookSort,
    NewLabel, NewVerdict, QueueFilter, ReviewState, Sampling, Shares, Step, StoreError, TrackEdit,
};

fn clip_id() -> ClipId {
    ClipId {
        rig: name("rig"),
        boot: boot(),
        clip: 1,
    }
}

fn outline(y: f32) -> DeskValue {
    let key = |frame, x: f32| LineKey(frame, vec![[x, y], [x + 40.0, y + 60.0], [x + 80.0, y]]);
    LineValue {
        closed: false,
        keys: vec![key(20, 100.0), key(40, 110.0)],
    }
    .into()
}

fn drawn(y: f32) -> NewLabel {
    NewLabel {
        kind: LineKind::FaceOutline.into(),
        track: Some(1),
        frames: FrameRange::new(20, 49),
        value: outline(y),
        spent_ms: 30_000,
    }
}

async fn stored(store: &LabelStore) {
    let counts = LabelCounts {
        offered: 1,
        abstained: 0,
        evidence: 0,
    };
    let messages = [
        opened(1),
        part(2, 0, 200),
        batch(3, &[person(0, (0, 99))]),
        closed(4, 200, counts),
    ];
    store.commit(&messages).await.unwrap();
}

pub(crate) async fn a_line_is_kept_judged_and_found_as_other_labels_are(store: LabelStore) {
    stored(&store).await;
    let made = store
        .make_label(&clip_id(), &drawn(50.0), &ada())
        .await
        .unwrap();
    let label = async || store.label(&made).await.unwrap().unwrap().label;
    assert_eq!(label().await.value, Some(outline(50.0)));
    let lines = QueueFilter {
        kinds: LineKind::ALL.map(Into::into).to_vec(),
        ..QueueFilter::default()
    };
    let page = store.queue(&lines).await.unwrap();
    assert_eq!((page.total, &page.items[0].label.id), (1, &made));
    let new = NewVerdict {
        correction: Some(Box::new(Correction {
            frames: None,
            value: Some(outline(52.0)),
        })),
        ..verdict(label_store::Judgement::Correct)
    };
    store.record_verdict(&made, &new, &ada()).await.unwrap();
    let right = label().await;
    assert_eq!(right.state, Some(ReviewState::Corrected));
    assert_eq!(right.correction.unwrap().value, Some(outline(52.0)));
    store.step(&made, Step::Undo, &ada()).await.unwrap();
    assert_eq!(label().await.correction, None);

    let mut box_of_a_line = drawn(1.0);
    box_of_a_line.kind = LabelKind::BboxPerson.into();
    let mut of_nobody = drawn(1.0);
    of_nobody.track = None;
    let mut elsewhere = drawn(1.0);
    elsewhere.frames = FrameRange::new(30, 49);
    for wrong in [box_of_a_line, of_nobody, elsewhere] {
        let refused = store.make_label(&clip_id(), &wrong, &ada()).await;
        assert!(matches!(refused, Err(StoreError::Verdict(_))), "{wrong:?}");
    }
}

pub(crate) async fn a_line_goes_along_where_its_track_is_edited_or_extended(store: LabelStore) {
    stored(&store).await;
    let made = store
        .make_label(&clip_id(), &drawn(50.0), &ada())
        .await
        .unwrap();
    let of = (1, LineKind::FaceOutline);
    let more = store
        .extend_track(&clip_id(), of, 60, 0, &ada())
        .await
        .unwrap();
    let label = store.label(&more).await.unwrap().unwrap().label;
    assert_eq!(label.frames, FrameRange::new(50, 60));
    let Some(DeskValue::Line { line }) = label.value else {
        panic!("an extended line is a line");
    };
    let last = vec![[110.0, 50.0], [150.0, 110.0], [190.0, 50.0]];
    assert_eq!(line.keys, [LineKey(50, last.clone()), LineKey(60, last)]);
    let split = TrackEdit::Split {
        track: 1,
        frame: 50,
    };
    store
        .edit_tracks(&clip_id(), split, 0, &ada())
        .await
        .unwrap();
    let track = async |key: &LabelKey| store.label(key).await.unwrap().unwrap().label.track;
    assert_eq!((track(&made).await, track(&more).await), (Some(1), Some(2)));
}

pub(crate) async fn of_lines_nobody_is_asked_for_a_second_look(store: LabelStore) {
    let all = Shares {
        blind: 0.0,
        silence: 1.0,
        own: 1.0,
        other: 1.0,
    };
    store
        .set_sampling(&Sampling::of_all(1, all), "lea", 1)
        .await
        .unwrap();
    stored(&store).await;
    let made = store
        .make_label(&clip_id(), &drawn(50.0), &ada())
        .await
        .unwrap();
    for key in [&made, &id(3, 0)] {
        store
            .record_verdict(key, &verdict(label_store::Judgement::Accept), &ada())
            .await
            .unwrap();
    }
    let looks = store.looks(100).await.unwrap();
    assert!(looks.iter().any(|(look, _)| look.sort == LookSort::Own));
    assert!(
        looks
            .iter()
            .all(|(look, _)| look.label.as_ref() != Some(&made))
    );
}
