//! Two people disagree: a third is asked, then a lead decides; and how agreement is counted.

use super::made::*;
use label_core::wire::{EventEyes, EventValue, Label, LabelValue};
use label_core::{FrameRange, LabelKind};
use label_store::{
    Asked, Case, CaseState, Choice, Correction, Judgement, LabelStore, LookSort, NewAnswer,
    ReviewState, Role, SEEN, Said, Sampling, Shares, Step, StoreError,
};
use std::time::Duration;

const OTHERS: Shares = Shares {
    other: 1.0,
    ..Shares::NONE
};

fn by(reviewer: &str, at_us: i64) -> Asked {
    Asked {
        reviewer: reviewer.to_owned(),
        at_us,
        key: None,
    }
}

fn only(said: Said) -> NewAnswer {
    NewAnswer {
        said,
        reading: None,
        spent_ms: 900,
    }
}

fn event(start: u32, end: u32) -> NewAnswer {
    let value = LabelValue::Event(EventValue {
        eyes: EventEyes::Both,
        peak: start,
        opening: 0.0,
    });
    NewAnswer {
        said: Said::Here,
        reading: Some(Correction {
            frames: Some(FrameRange::new(start, end)),
            value: Some(value.into()),
        }),
        spent_ms: 4000,
    }
}

/// Ada, Bea and Cid review, Lea leads; Ada accepted a blink of frames 40 to 46, and Bea says that there is none.
async fn disagreed(store: &LabelStore, people: &[(&str, Role)]) {
    let sampling = Sampling::of_all(7, OTHERS);
    store.set_sampling(&sampling, "lea", 1).await.unwrap();
    for (name, role) in people {
        store.add_user(name, *role, "x", "test", 1).await.unwrap();
    }
    store
        .commit(&[opened(1), part(2, 0, 200), batch(3, &[blink(0, 40, 0.9)])])
        .await
        .unwrap();
    let accept = verdict(Judgement::Accept);
    store
        .record_verdict(&id(3, 0), &accept, &by("ada", 5))
        .await
        .unwrap();
    let look = store.next_look("bea", 10).await.unwrap().1.unwrap();
    assert_eq!(look.sort, LookSort::Other);
    store
        .answer_look(look.look, &only(Said::Nothing), &by("bea", 10))
        .await
        .unwrap();
}

const EVERYBODY: [(&str, Role); 4] = [
    ("ada", Role::Reviewer),
    ("bea", Role::Reviewer),
    ("cid", Role::Reviewer),
    ("lea", Role::Lead),
];

async fn case(store: &LabelStore) -> Case {
    store.cases().await.unwrap().remove(0)
}

async fn state(store: &LabelStore) -> Option<ReviewState> {
    store.label(&id(3, 0)).await.unwrap().unwrap().label.state
}

pub(crate) async fn a_disagreement_is_settled_by_somebody_who_said_nothing_yet(store: LabelStore) {
    disagreed(&store, &EVERYBODY).await;
    let open = case(&store).await;
    assert_eq!((open.state, open.decidable), (CaseState::Second, false));
    for who in ["ada", "bea"] {
        assert_eq!(
            store.next_look(who, 20).await.unwrap().0,
            0,
            "{who} is one of the two"
        );
    }
    let early = store
        .decide(&id(3, 0), Choice::Dissent, 1, &by("lea", 20))
        .await;
    assert!(matches!(early, Err(StoreError::NoCase(_))), "{early:?}");
    let look = store.next_look("cid", 20).await.unwrap().1.unwrap();
    assert_eq!(look.sort, LookSort::Second);
    store
        .answer_look(look.look, &event(40, 46), &by("cid", 20))
        .await
        .unwrap();
    assert_eq!(store.cases().await.unwrap(), [], "settled");
    assert_eq!(state(&store).await, Some(ReviewState::Accepted));

    // Taken back, it is open again, and somebody else is asked.
    store.undo_answer(look.look, &by("cid", 21)).await.unwrap();
    assert_eq!(case(&store).await.state, CaseState::Second);
    assert_eq!(
        store.next_look("cid", 30).await.unwrap().0,
        0,
        "he knows it now"
    );
    assert_eq!(store.next_look("lea", 30).await.unwrap().0, 1);
    // Where the verdict changes so that nobody disagrees, nobody is asked.
    let reject = verdict(Judgement::Reject);
    store
        .record_verdict(&id(3, 0), &reject, &by("ada", 31))
        .await
        .unwrap();
    assert_eq!(store.cases().await.unwrap(), []);
    assert_eq!(store.next_look("lea", 32).await.unwrap().0, 0);
}

pub(crate) async fn what_stays_split_is_decided_by_a_lead_and_nothing_is_overwritten(
    store: LabelStore,
) {
    disagreed(&store, &EVERYBODY).await;
    let look = store.next_look("cid", 20).await.unwrap().1.unwrap();
    store
        .answer_look(look.look, &only(Said::Nothing), &by("cid", 20))
        .await
        .unwrap();
    let open = case(&store).await;
    assert_eq!((open.state, open.decidable), (CaseState::Lead, true));
    let mut sides: Vec<_> = open
        .sides
        .iter()
        .map(|side| side.reviewer.as_str())
        .collect();
    sides.sort_unstable();
    assert_eq!(sides, ["ada", "bea", "cid"]);
    let involved = store
        .decide(&id(3, 0), Choice::Verdict, 1, &by("cid", 30))
        .await;
    assert!(
        matches!(involved, Err(StoreError::Involved)),
        "{involved:?}"
    );

    store
        .decide(&id(3, 0), Choice::Dissent, 5000, &by("lea", 40))
        .await
        .unwrap();
    let closed = case(&store).await;
    let decision = closed.decision.unwrap();
    assert_eq!(closed.state, CaseState::Decided);
    assert_eq!(
        (decision.choice, decision.reviewer.as_str(), decision.at_us),
        (Choice::Dissent, "lea", 40)
    );
    let verdicts = store.verdicts(&id(3, 0)).await.unwrap();
    assert_eq!(
        verdicts.len(),
        2,
        "the verdict that it replaced is still there"
    );
    assert_eq!(
        (decision.stood, decision.made),
        (Some(verdicts[0].verdict), Some(verdicts[1].verdict))
    );
    assert_eq!(
        (verdicts[1].judgement, verdicts[1].reviewer.as_str()),
        (Judgement::Reject, "lea")
    );
    assert_eq!(state(&store).await, Some(ReviewState::Rejected));
    assert_eq!(store.decided_among(&[id(3, 0)]).await.unwrap(), [id(3, 0)]);
    let again = store
        .decide(&id(3, 0), Choice::Verdict, 1, &by("lea", 41))
        .await;
    assert!(
        matches!(again, Err(StoreError::NoCase(_))),
        "final: {again:?}"
    );

    store
        .undo_decision(&id(3, 0), &by("lea", 50))
        .await
        .unwrap();
    assert_eq!(case(&store).await.state, CaseState::Lead);
    assert_eq!(state(&store).await, Some(ReviewState::Accepted));
    let judgements: Vec<_> = store
        .verdicts(&id(3, 0))
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.judgement)
        .collect();
    assert_eq!(
        judgements,
        [Judgement::Accept, Judgement::Reject, Judgement::Withdraw]
    );
    store
        .decide(&id(3, 0), Choice::Verdict, 1, &by("lea", 60))
        .await
        .unwrap();
    assert_eq!(case(&store).await.decision.unwrap().made, None);
    assert_eq!(state(&store).await, Some(ReviewState::Accepted));
}

pub(crate) async fn where_nobody_is_left_to_be_asked_a_lead_need_not_wait(store: LabelStore) {
    disagreed(&store, &[("ada", Role::Reviewer), ("bea", Role::Reviewer)]).await;
    assert!(case(&store).await.decidable, "both said something");
    store
        .add_user("lea", Role::Lead, "x", "test", 1)
        .await
        .unwrap();
    assert!(!case(&store).await.decidable, "Lea could be asked");
}

pub(crate) async fn a_look_at_a_verdict_that_was_taken_back_is_not_wanted(store: LabelStore) {
    let sampling = Sampling::of_all(7, OTHERS);
    store.set_sampling(&sampling, "lea", 1).await.unwrap();
    store
        .commit(&[opened(1), part(2, 0, 200), batch(3, &[blink(0, 40, 0.9)])])
        .await
        .unwrap();
    let accept = verdict(Judgement::Accept);
    store
        .record_verdict(&id(3, 0), &accept, &by("ada", 5))
        .await
        .unwrap();
    assert_eq!(store.next_look("bea", 10).await.unwrap().0, 1);
    store
        .step(&id(3, 0), Step::Undo, &by("ada", 6))
        .await
        .unwrap();
    assert_eq!(store.next_look("bea", 10).await.unwrap().0, 0);
    store
        .step(&id(3, 0), Step::Redo, &by("ada", 7))
        .await
        .unwrap();
    assert_eq!(store.next_look("bea", 10).await.unwrap().0, 1);
}

pub(crate) async fn agreement_is_counted_by_kind_and_sort_apart_from_what_was_seen(
    store: LabelStore,
) {
    let mut sampling = Sampling::of_all(7, OTHERS);
    let half = Shares {
        blind: 0.5,
        other: 1.0,
        ..Shares::NONE
    };
    sampling.shares.insert(LabelKind::WearingGlasses, half);
    store.set_sampling(&sampling, "lea", 1).await.unwrap();
    let glasses = |n: u16| Label {
        kind: LabelKind::WearingGlasses,
        value: Some(LabelValue::Flag(true)),
        ..blink(n, u32::from(n) * 20, 0.9)
    };
    let mut messages = vec![opened(1)];
    for seq in 2..12 {
        messages.push(batch(seq, &[0, 1, 2, 3].map(glasses)));
    }
    store.commit(&messages).await.unwrap();
    let flag = |flag| NewAnswer {
        said: Said::Here,
        reading: Some(Correction {
            frames: None,
            value: Some(LabelValue::Flag(flag).into()),
        }),
        spent_ms: 900,
    };
    // Ada says blind that nobody wears any, and accepts whatever she sees.
    let mut blind = 0;
    while let Some(look) = store.next_look("ada", 10).await.unwrap().1 {
        assert_eq!(look.sort, LookSort::Blind);
        store
            .answer_look(look.look, &flag(false), &ada())
            .await
            .unwrap();
        blind += 1;
    }
    let blind_answered: Vec<_> = store
        .looks(100)
        .await
        .unwrap()
        .into_iter()
        .map(|(look, _)| look.label.unwrap())
        .collect();
    let accept = verdict(Judgement::Accept);
    let mut seen = 0;
    for seq in 2..12 {
        for n in 0..4 {
            if !blind_answered.contains(&id(seq, n)) {
                store
                    .record_verdict(&id(seq, n), &accept, &ada())
                    .await
                    .unwrap();
                seen += 1;
            }
        }
    }
    assert!(blind > 8 && seen > 8, "{blind} blind, {seen} seen");
    // Bea agrees with her once, cannot tell once, and says the opposite of the rest.
    for place in 0.. {
        let Some(look) = store.next_look("bea", 20).await.unwrap().1 else {
            break;
        };
        let said = match place {
            0 => flag(true),
            1 => only(Said::CannotTell),
            _ => flag(false),
        };
        store
            .answer_look(look.look, &said, &by("bea", 20))
            .await
            .unwrap();
    }
    store.refresh_quality(Duration::from_mins(1)).await.unwrap();
    let rows = store.agreement(None).await.unwrap();
    let of = |sort: &str| rows.iter().find(|row| row.sort == sort).unwrap();
    let told = |sort: &str| (of(sort).moments.right, of(sort).moments.judged);
    assert_eq!(told("blind"), (0.0, f64::from(blind)));
    assert_eq!(told(SEEN), (f64::from(seen), f64::from(seen)));
    assert_eq!(told("other"), (1.0, f64::from(seen) - 1.0));
    assert_eq!(of("other").untold, 1);
    assert_eq!(
        (of("other").pairs[0].yes, of("other").pairs[0].split),
        (1, seen as u64 - 2)
    );
    assert_eq!(store.agreement(Some(&name("nobody"))).await.unwrap(), []);
}
