//! Several writers at once, and what a rig gives up because it heard an old watermark.

use crate::made::*;
use crate::watermark;
use label_store::{
    ClipId, Content, ImportedClip, Incoming, Judgement, LabelStore, NewImport, Step,
};

const MESSAGES: u64 = 120;

/// Every second message of the rig, and of another one, a few at a time.
fn half(of: u64) -> Vec<Vec<Incoming>> {
    let other = |seq| {
        let mut message = batch(seq, &[blink(0, 5, 0.5)]);
        if let Content::Labels { batch, .. } = &mut message.content {
            batch.from.rig = name("other");
        }
        message
    };
    let numbers: Vec<u64> = (1..=MESSAGES).filter(|seq| seq % 2 == of).collect();
    numbers
        .chunks(7)
        .map(|seqs| {
            let of_rig = seqs
                .iter()
                .map(|seq| batch(*seq, &[blink(0, 10, 0.9), silence(1)]));
            of_rig.chain(seqs.iter().map(|seq| other(*seq))).collect()
        })
        .collect()
}

pub(crate) async fn writers_side_by_side_lose_and_double_nothing(store: LabelStore) {
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9), silence(1)])])
        .await
        .unwrap();
    let take_in = async |of| {
        for messages in half(of) {
            store.commit(&messages).await.unwrap();
            // As a broker does that is not sure: the same again.
            store.commit(&messages).await.unwrap();
        }
    };
    let judge = async || {
        for _ in 0..20 {
            let key = id(1, 0);
            let verdict = verdict(Judgement::Accept);
            store.record_verdict(&key, &verdict, &ada()).await.unwrap();
            store.step(&key, Step::Undo, &ada()).await.unwrap();
        }
    };
    tokio::join!(take_in(0), take_in(1), judge());
    assert_eq!(watermark(&store).await, [(boot(), MESSAGES)]);
    let other = store.watermarks(&name("other"), 8).await.unwrap();
    assert_eq!(other, [(boot(), MESSAGES)]);
    let summary = store.summary().await.unwrap();
    let committed: Vec<_> = summary
        .clips
        .iter()
        .map(|clip| {
            (
                clip.committed.offered,
                clip.committed.abstained,
                clip.review.waiting,
            )
        })
        .collect();
    assert_eq!(
        committed,
        [(MESSAGES, 0, MESSAGES), (MESSAGES, MESSAGES, MESSAGES)]
    );
}

pub(crate) async fn what_a_rig_gives_up_though_it_is_here_is_not_lost(store: LabelStore) {
    store
        .commit(&[batch(1, &[]), batch(2, &[]), batch(3, &[])])
        .await
        .unwrap();
    store.commit(&[evicted(4, boot(), (2, 3))]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 4)]);
    let boot = store.summary().await.unwrap().rigs[0].boots[0].clone();
    assert_eq!((boot.labels_lost, boot.evidence_lost), (0, 0));
}

pub(crate) async fn text_that_an_engine_cannot_hold_does_not_stop_the_stream(store: LabelStore) {
    let mut rubbish = batch(1, &[]);
    "rigel/v1/north/rig\0/label".clone_into(&mut rubbish.topic);
    let content = Content::Refused(label_store::Refusal {
        reason: label_store::RefusalReason::OutOfRange,
        detail: "a NUL: \0".to_owned(),
        named: None,
    });
    rubbish.content = content;
    let report = store.commit(&[rubbish, batch(1, &[])]).await.unwrap();
    assert_eq!((report.committed, report.quarantined), (1, 1));
    assert!(
        store.quarantine(1).await.unwrap()[0]
            .detail
            .starts_with("a NUL: ")
    );
}

/// As a fleet that is brought up to date: each rig names a model that all have now, then one of its own.
pub(crate) async fn rigs_that_bring_new_models_at_once_do_not_wait_for_each_other_in_a_ring(
    store: LabelStore,
) {
    const RIGS: u64 = 40;
    const UPDATES: u64 = 6;
    let of_rig = |rig: u64, update: u64| {
        [None, Some(rig)].into_iter().zip(1..).map(move |(own, n)| {
            let mut message = batch(2 * update + n, &[blink(0, 10, 0.9)]);
            if let Content::Labels { batch, .. } = &mut message.content {
                batch.from.rig = name(&format!("rig-{rig}"));
                let version = format!("{update} of {own:?}");
                batch.models[0].version = version.as_str().try_into().unwrap();
            }
            message
        })
    };
    for update in 0..UPDATES {
        let half = |odd| {
            let rigs = (0..RIGS).filter(move |rig| rig % 2 == odd);
            rigs.flat_map(|rig| of_rig(rig, update)).collect::<Vec<_>>()
        };
        let (first, second) = (half(0), half(1));
        let (first, second) = tokio::join!(store.commit(&first), store.commit(&second));
        let committed = first.unwrap().committed + second.unwrap().committed;
        assert_eq!(committed, 2 * RIGS);
    }
    assert_eq!(store.summary().await.unwrap().clips.len() as u64, RIGS);
}

pub(crate) async fn while_labels_are_imported_rigs_and_people_go_on_where_the_engine_can(
    store: LabelStore,
) {
    const LABELS: u64 = 1500;
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9)])])
        .await
        .unwrap();
    let of_source = |mut message: Incoming| {
        match &mut message.content {
            Content::Labels { batch, .. } => batch.from.rig = name("team"),
            Content::Clip { message, .. } => message.from.rig = name("team"),
            _ => {}
        }
        message
    };
    let labels = (2..2 + LABELS).map(|seq| batch(seq, &[blink(0, 10, 0.5)]));
    let messages = std::iter::once(opened(1)).chain(labels).map(of_source);
    let new = NewImport {
        clip: ImportedClip {
            id: ClipId {
                rig: name("team"),
                boot: boot(),
                clip: 1,
            },
            told: "drive".to_owned(),
            of: None,
            is_truth: false,
            sha256: "ab".to_owned(),
            file: "set.json".to_owned(),
        },
        messages: messages.collect(),
        made: Vec::new(),
    };
    let importing = store.clone();
    let import = tokio::spawn(async move {
        let by = ada();
        importing.import(&name("team"), &[new], &by).await
    });
    let mut seq = 1;
    while !import.is_finished() {
        seq += 1;
        store
            .commit(&[batch(seq, &[blink(0, 10, 0.9)])])
            .await
            .unwrap();
        let accept = verdict(Judgement::Accept);
        let key = id(seq, 0);
        store.record_verdict(&key, &accept, &ada()).await.unwrap();
    }
    import.await.unwrap().unwrap();
    if store.is_shared() {
        assert!(
            seq > 10,
            "{seq} messages while {LABELS} labels were imported"
        );
    }
    assert_eq!(watermark(&store).await, [(boot(), seq)]);
    let clips = store.summary().await.unwrap().clips;
    let offered: Vec<_> = clips.iter().map(|clip| clip.committed.offered).collect();
    assert_eq!(offered, [seq, LABELS]);
}

pub(crate) async fn only_the_boots_heard_last_are_told(store: LabelStore) {
    let mut boot = boot();
    let mut last = Vec::new();
    // In the middle the host's clock jumps back: a rig whose boot is not told would wait for ever.
    for at in (100..112).chain(0..4) {
        let mut message = batch(1, &[]);
        if let Content::Labels { batch, .. } = &mut message.content {
            batch.from.boot = boot;
        }
        message.received_us = at;
        last = std::mem::take(&mut store.commit(&[message]).await.unwrap().watermarks[0].boots);
        assert_eq!(last[0], (boot, 1), "at {at}");
        boot = boot.next().unwrap();
    }
    assert_eq!(last.len(), 8);
    assert_eq!(last[7].0.starts(), 9);
}
