//! Several writers at once, and what a rig gives up because it heard an old watermark.

use crate::made::*;
use crate::watermark;
use label_store::{Content, Incoming, Judgement, LabelStore, Step};

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
