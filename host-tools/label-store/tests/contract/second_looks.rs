//! What is drawn, what is asked of whom, and what follows from the answers.

use super::made::*;
use label_core::wire::{EventEyes, EventValue, Label, LabelCounts, LabelValue};
use label_core::{AbstainReason, FrameRange, LabelKind};
use label_store::{
    Asked, Correction, Judgement, LabelKey, LabelStore, LookSort, NewAnswer, QueueFilter,
    ReviewState, Role, Said, Sampling, Shares, StoreError, label_key_text,
};
use std::collections::BTreeSet;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

async fn draw(store: &LabelStore, shares: Shares) {
    let sampling = Sampling::of_all(7, shares);
    store.set_sampling(&sampling, "lea", 1).await.unwrap();
}

const ALL_BLIND: Shares = Shares {
    blind: 1.0,
    ..Shares::NONE
};

fn by(reviewer: &str, at_us: i64) -> Asked {
    Asked {
        reviewer: reviewer.to_owned(),
        at_us,
        key: None,
    }
}

fn event(start: u32, end: u32) -> NewAnswer {
    NewAnswer {
        said: Said::Here,
        reading: Some(Correction {
            frames: Some(FrameRange::new(start, end)),
            value: Some(
                LabelValue::Event(EventValue {
                    eyes: EventEyes::Both,
                    peak: start,
                    opening: 0.0,
                })
                .into(),
            ),
        }),
        spent_ms: 4000,
    }
}

fn only(said: Said) -> NewAnswer {
    NewAnswer {
        said,
        reading: None,
        spent_ms: 900,
    }
}

async fn listed(store: &LabelStore) -> Vec<(LabelKey, Option<ReviewState>)> {
    let page = store.queue(&QueueFilter::default()).await.unwrap();
    assert_eq!(page.total, page.items.len() as u64);
    let items = page.items.into_iter();
    items
        .map(|item| (item.label.id, item.label.state))
        .collect()
}

pub(crate) async fn what_is_drawn_blind_is_listed_to_nobody_until_somebody_answered_it(
    store: LabelStore,
) {
    draw(&store, ALL_BLIND).await;
    let labels = [blink(0, 40, 0.9), blink(1, 90, 0.8)];
    store
        .commit(&[opened(1), part(2, 0, 200), batch(3, &labels)])
        .await
        .unwrap();
    assert!(listed(&store).await.is_empty());
    let review = store.summary().await.unwrap().clips[0].review;
    assert_eq!(
        (review.waiting, review.total()),
        (2, 2),
        "they count as waiting"
    );
    let judged = store
        .record_verdict(&id(3, 0), &verdict(Judgement::Accept), &ada())
        .await;
    assert!(matches!(judged, Err(StoreError::Blind(_))), "{judged:?}");

    let (due, look) = store.next_look("ada", 10).await.unwrap();
    let look = look.unwrap();
    assert_eq!((due, look.sort), (2, LookSort::Blind));
    let offered = store
        .label(look.label.as_ref().unwrap())
        .await
        .unwrap()
        .unwrap()
        .label;
    let (asked, event_frames) = (look.frames, offered.frames);
    for beside in [
        event_frames.start - asked.start,
        asked.end - event_frames.end,
    ] {
        assert!(
            (2..=8).contains(&beside),
            "{beside} frames beside the event"
        );
    }
    let mine = event(event_frames.start + 1, event_frames.end);
    store.answer_look(look.look, &mine, &ada()).await.unwrap();
    let detail = store.look(look.look).await.unwrap();
    assert_eq!(detail.agrees(), Some(true));
    assert_eq!(
        listed(&store).await,
        [(offered.id.clone(), Some(ReviewState::Waiting))],
        "from now on it is one of the queue"
    );
    let twice = store.answer_look(look.look, &mine, &ada()).await;
    assert!(matches!(twice, Err(StoreError::NotAsked)), "{twice:?}");

    store.undo_answer(look.look, &ada()).await.unwrap();
    assert_eq!(store.look(look.look).await.unwrap().answer, None);
    let (due, next) = store.next_look("ada", 10).await.unwrap();
    assert_eq!(due, 1, "what was seen is not answered blind any more");
    assert_ne!(next.unwrap().look, look.look);
    assert_eq!(listed(&store).await.len(), 1);
}

pub(crate) async fn anybody_can_draw_the_sample_anew_from_what_is_on_record(store: LabelStore) {
    let shares = Shares {
        blind: 0.3,
        silence: 0.5,
        ..Shares::NONE
    };
    store.begin_sampling(1).await.unwrap();
    draw(&store, shares).await;
    store.begin_sampling(2).await.unwrap();
    let silences: Vec<Label> = (5..8)
        .map(|n| Label {
            reason: Some(AbstainReason::LowConfidence),
            ..silence(n)
        })
        .collect();
    let mut messages = vec![opened(1)];
    for seq in 2..42 {
        let labels = (0..5).map(|n| blink(n, seq as u32 * 100 + u32::from(n) * 20, 0.9));
        let labels: Vec<_> = labels.chain(silences.clone()).collect();
        messages.push(batch(seq, &labels));
    }
    store.commit(&messages).await.unwrap();

    let rules = store.sample_rules().await.unwrap();
    assert_eq!(
        rules.len(),
        2,
        "the usual one does not replace what a lead set"
    );
    assert_eq!(
        (rules[0].decided_by.as_str(), rules[1].decided_by.as_str()),
        ("lea", "desk")
    );
    assert_eq!(rules[1].sampling, Sampling::of_all(1, Shares::USUAL));
    let line = store.audit(1).await.unwrap().remove(0);
    assert_eq!((line.who.as_str(), line.about.as_str()), ("lea", "seed 7"));

    let mut anew = BTreeSet::new();
    for seq in 2..42 {
        for n in 0..8 {
            let (sort, kind) = match n {
                0..5 => (LookSort::Blind, LabelKind::Blink),
                _ => (LookSort::Silence, LabelKind::Alertness),
            };
            let item = label_key_text(&id(seq, n));
            if rules[0].sampling.draws(sort, kind, &item) {
                anew.insert((sort, item));
            }
        }
    }
    let looks = store.looks(1000).await.unwrap();
    let drawn: BTreeSet<_> = looks
        .into_iter()
        .map(|(look, _)| {
            assert_eq!(look.rule, Some(rules[0].entry));
            (look.sort, look.item)
        })
        .collect();
    assert!((60..180).contains(&drawn.len()), "{}", drawn.len());
    assert_eq!(drawn, anew);
    let withheld = 200 - listed(&store).await.len();
    let blind = drawn.iter().filter(|(sort, _)| *sort == LookSort::Blind);
    assert_eq!(withheld, blind.count());
}

pub(crate) async fn silence_is_asked_about_where_it_can_be_seen_and_what_was_missed_becomes_a_label(
    store: LabelStore,
) {
    let shares = Shares {
        silence: 1.0,
        ..Shares::NONE
    };
    draw(&store, shares).await;
    let silent = |n, reason| Label {
        kind: LabelKind::KeypointLeftEye,
        reason: Some(reason),
        frames: FrameRange::new(20, 60),
        ..silence(n)
    };
    // Of frames that are not there, and of what nobody looks for, nothing is asked.
    let labels = [
        silent(0, AbstainReason::EyeTurnedAway),
        silent(1, AbstainReason::FramesMissing),
        silence(2),
    ];
    store
        .commit(&[opened(1), part(2, 0, 200), batch(3, &labels)])
        .await
        .unwrap();
    assert_eq!(store.next_look("ada", 10).await.unwrap(), (0, None));
    store.commit(&[picture(4, 30, (640, 480))]).await.unwrap();
    let (due, look) = store.next_look("ada", 10).await.unwrap();
    let look = look.unwrap();
    assert_eq!((due, look.frames), (1, FrameRange::new(20, 60)));

    let point = |frame: u32| NewAnswer {
        said: Said::Here,
        reading: Some(
            serde_json::from_str(&format!(
                r#"{{"value":{{"points":[[{frame},300.5,200,1]]}}}}"#
            ))
            .unwrap(),
        ),
        spent_ms: 3000,
    };
    let elsewhere = store.answer_look(look.look, &point(61), &ada()).await;
    assert!(
        matches!(elsewhere, Err(StoreError::Verdict(_))),
        "{elsewhere:?}"
    );
    store
        .answer_look(look.look, &point(30), &ada())
        .await
        .unwrap();
    let answer = store.look(look.look).await.unwrap().answer.unwrap();
    let made = answer.made.unwrap();
    let label = store.label(&made).await.unwrap().unwrap().label;
    assert_eq!(
        (label.kind, label.frames, label.made_by.as_deref()),
        (
            LabelKind::KeypointLeftEye.into(),
            FrameRange::new(30, 30),
            Some("ada")
        )
    );

    let anothers = store.undo_answer(look.look, &by("bea", 12)).await;
    assert!(
        matches!(anothers, Err(StoreError::NotAsked)),
        "{anothers:?}"
    );
    store.undo_answer(look.look, &ada()).await.unwrap();
    let label = store.label(&made).await.unwrap().unwrap().label;
    assert_eq!(label.state, Some(ReviewState::Removed));
    store
        .answer_look(look.look, &only(Said::Nothing), &ada())
        .await
        .unwrap();
    assert_eq!(store.next_look("ada", 10).await.unwrap().0, 0);
}

pub(crate) async fn frames_of_a_person_without_an_event_are_silence_too(store: LabelStore) {
    let shares = Shares {
        silence: 1.0,
        ..Shares::NONE
    };
    draw(&store, shares).await;
    // In view from 0 to 639; one blink lies in the second window of 128 frames.
    let in_view = Label {
        kind: LabelKind::WearingGlasses,
        frames: FrameRange::new(0, 639),
        value: Some(LabelValue::Flag(true)),
        ..blink(0, 0, 0.9)
    };
    store
        .commit(&[
            opened(1),
            batch(2, &[in_view, blink(1, 130, 0.9)]),
            picture(3, 20, (640, 480)),
            picture(4, 150, (640, 480)),
            picture(5, 300, (640, 480)),
            closed(6, 700, LabelCounts::default()),
        ])
        .await
        .unwrap();
    let looks = store.looks(100).await.unwrap();
    let windows = |kind| -> Vec<u32> {
        let of_kind = looks.iter().filter(|(look, _)| look.kind == kind);
        let mut starts: Vec<_> = of_kind.map(|(look, _)| look.frames.start).collect();
        starts.sort_unstable();
        starts
    };
    assert_eq!(windows(LabelKind::Blink), [0, 256, 384, 512]);
    assert_eq!(windows(LabelKind::LongClosure), [0, 128, 256, 384, 512]);
    assert_eq!(
        store.next_look("ada", 10).await.unwrap().0,
        2 + 3,
        "those of which there is a picture"
    );
}

pub(crate) async fn a_judged_item_comes_again_to_its_judge_after_a_day_and_to_others_at_once(
    store: LabelStore,
) {
    let shares = Shares {
        own: 1.0,
        other: 1.0,
        ..Shares::NONE
    };
    draw(&store, shares).await;
    store
        .commit(&[opened(1), part(2, 0, 200), batch(3, &[blink(0, 40, 0.9)])])
        .await
        .unwrap();
    let accept = verdict(Judgement::Accept);
    store
        .record_verdict(&id(3, 0), &accept, &by("ada", 5))
        .await
        .unwrap();
    assert_eq!(store.next_look("ada", 10).await.unwrap().0, 0);
    let (_, other) = store.next_look("bea", 10).await.unwrap();
    let other = other.unwrap();
    assert_eq!(other.sort, LookSort::Other);
    let (_, again) = store.next_look("ada", 5 + DAY_US).await.unwrap();
    let again = again.unwrap();
    assert_eq!(again.sort, LookSort::Own);

    let held = (10, 20);
    store.lease(&again.lease(), "ada", held).await.unwrap();
    assert_eq!(
        store.next_look("bea", 15).await.unwrap().0,
        0,
        "she works on it"
    );
    store.release(&again.lease(), "ada").await.unwrap();
    store
        .answer_look(other.look, &only(Said::Nothing), &by("bea", 30))
        .await
        .unwrap();
    assert_eq!(store.look(other.look).await.unwrap().agrees(), Some(false));
    let own = event(41, 46);
    store
        .answer_look(again.look, &own, &by("ada", 6 + DAY_US))
        .await
        .unwrap();
    assert_eq!(store.look(again.look).await.unwrap().agrees(), Some(true));
    // Nobody is asked twice, and nobody else is asked as oneself.
    for who in ["ada", "bea"] {
        assert_eq!(
            store.next_look(who, 2 * DAY_US).await.unwrap().0,
            0,
            "{who}"
        );
    }
}

pub(crate) async fn answers_that_cannot_be_are_refused(store: LabelStore) {
    draw(&store, ALL_BLIND).await;
    store
        .add_user("ada", Role::Reviewer, "x", "test", 1)
        .await
        .unwrap();
    let glasses = Label {
        kind: LabelKind::WearingGlasses,
        value: Some(LabelValue::Flag(true)),
        ..blink(0, 0, 0.9)
    };
    store
        .commit(&[
            opened(1),
            batch(2, &[glasses]),
            batch(3, &[blink(0, 40, 0.9)]),
        ])
        .await
        .unwrap();
    let looks = store.looks(10).await.unwrap();
    let of = |kind| {
        looks
            .iter()
            .find(|(look, _)| look.kind == kind)
            .unwrap()
            .0
            .look
    };
    let refused = |outcome: Result<(), StoreError>| {
        assert!(
            matches!(outcome, Err(StoreError::Verdict(_))),
            "{outcome:?}"
        );
    };
    refused(
        store
            .answer_look(of(LabelKind::WearingGlasses), &only(Said::Nothing), &ada())
            .await,
    );
    refused(
        store
            .answer_look(of(LabelKind::Blink), &only(Said::Here), &ada())
            .await,
    );
    refused(
        store
            .answer_look(of(LabelKind::Blink), &event(150, 160), &ada())
            .await,
    );
    let both = NewAnswer {
        said: Said::Nothing,
        ..event(41, 45)
    };
    refused(store.answer_look(of(LabelKind::Blink), &both, &ada()).await);
    let nowhere = store.answer_look(99, &only(Said::Nothing), &ada()).await;
    assert!(matches!(nowhere, Err(StoreError::NoSuchLook(99))));
    let half = Sampling {
        shares: [(LabelKind::Blink, Shares::USUAL)].into(),
        seed: 1,
    };
    let half = store.set_sampling(&half, "lea", 3).await;
    assert!(matches!(half, Err(StoreError::Sampling(_))), "{half:?}");
    let key = Asked {
        key: Some("k1".to_owned()),
        ..ada()
    };
    for _ in 0..2 {
        let look = of(LabelKind::Blink);
        store.answer_look(look, &event(41, 45), &key).await.unwrap();
    }
}
