//! What was made is here, waits, or was given up; the rest is an imbalance.

use super::made::*;
use label_core::wire::{Health, LabelCounts};
use label_store::{Imbalance, LabelStore, imbalance};

async fn found(store: &LabelStore) -> Imbalance {
    let rig = store.fleet(3000).await.unwrap().remove(0);
    let health = rig.health.map(|(json, heard_us)| {
        let health: Health = serde_json::from_value(json).unwrap();
        (health, heard_us)
    });
    imbalance(
        &rig.runs,
        health
            .as_ref()
            .map(|(health, heard_us)| (health, *heard_us)),
    )
}

const NONE: Imbalance = Imbalance {
    lost: 0,
    beyond: 0,
    hole: false,
};

pub(crate) async fn labels_under_way_are_no_imbalance_and_labels_that_are_nowhere_are(
    store: LabelStore,
) {
    let labels = [blink(0, 10, 0.9), silence(1)];
    store.commit(&[opened(1), batch(2, &labels)]).await.unwrap();
    // Four were made, and two wait on the rig; then none waits and two are not here.
    store.commit(&[health(4, 1)]).await.unwrap();
    assert_eq!(found(&store).await, NONE);
    store.commit(&[health(4, 0)]).await.unwrap();
    assert_eq!(found(&store).await, Imbalance { lost: 2, ..NONE });
    store.commit(&[batch(3, &labels)]).await.unwrap();
    assert_eq!(found(&store).await, NONE);
}

pub(crate) async fn a_closed_clip_is_judged_once_all_before_its_end_is_here_or_given_up(
    store: LabelStore,
) {
    let counts = LabelCounts {
        offered: 2,
        abstained: 2,
        evidence: 0,
    };
    let labels = [blink(0, 10, 0.9), silence(1)];
    let first = [
        opened(1),
        batch(2, &labels),
        closed(5, 0, counts),
        health(4, 2),
    ];
    store.commit(&first).await.unwrap();
    assert_eq!(found(&store).await, NONE, "3 and 4 are under way");
    // Three labels were given up: one more than this clip lacks.
    store.commit(&[evicted(6, boot(), (3, 4))]).await.unwrap();
    assert_eq!(found(&store).await, NONE);
    let runs = store.fleet(3000).await.unwrap().remove(0).runs;
    assert_eq!((runs[0].given_up, runs[0].short), (3, 2));
}

pub(crate) async fn a_clip_that_lacks_what_nobody_gave_up_is_told_though_its_rig_goes_on(
    store: LabelStore,
) {
    let counts = LabelCounts {
        offered: 2,
        abstained: 1,
        evidence: 0,
    };
    let all = [
        opened(1),
        batch(2, &[blink(0, 10, 0.9)]),
        closed(3, 0, counts),
    ];
    store.commit(&all).await.unwrap();
    store.commit(&[health(9, 7)]).await.unwrap();
    assert_eq!(found(&store).await, Imbalance { lost: 2, ..NONE });
}

pub(crate) async fn what_a_rig_gave_up_without_a_number_is_no_loss_and_what_is_here_after_all_was_not_given_up(
    store: LabelStore,
) {
    let counts = LabelCounts {
        offered: 3,
        abstained: 3,
        evidence: 0,
    };
    let labels = [blink(0, 10, 0.9), silence(1)];
    let all = [
        opened(1),
        batch(2, &labels),
        evicted_labels(3, boot(), (4, 4), 0),
        evicted_labels(6, boot(), (5, 5), 2),
        closed(7, 0, counts),
    ];
    store.commit(&all).await.unwrap();
    assert_eq!(found(&store).await, NONE);
    let runs = store.fleet(3000).await.unwrap().remove(0).runs;
    assert_eq!(
        (runs[0].given_up, runs[0].given_up_unseen, runs[0].short),
        (2, 1, 4)
    );
    // It was on its way when the rig gave it up.
    store.commit(&[batch(5, &labels)]).await.unwrap();
    let runs = store.fleet(3000).await.unwrap().remove(0).runs;
    assert_eq!((runs[0].given_up, runs[0].short), (0, 2));
}

pub(crate) async fn a_number_that_the_rig_does_not_have_any_more_is_a_hole(store: LabelStore) {
    store.commit(&[opened(1), batch(3, &[])]).await.unwrap();
    assert!(!found(&store).await.hole, "the rig has said nothing yet");
    store.commit(&[health(0, 1)]).await.unwrap();
    assert!(!found(&store).await.hole);
    store.commit(&[health(0, 0)]).await.unwrap();
    assert!(found(&store).await.hole);
    store.commit(&[batch(2, &[])]).await.unwrap();
    assert_eq!(found(&store).await, NONE);
}
