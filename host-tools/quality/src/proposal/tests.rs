//! Which steps the data speak for, and which they do not.

use super::*;
use crate::{CostBin, Costs, FINE_BINS, Moments, choose_threshold};

fn evidence(right: u64, judged: u64) -> Evidence {
    let mut moments = Moments::default();
    for _ in 0..6 {
        moments.add(right, judged);
    }
    Evidence {
        kind: LabelKind::Blink,
        model: "blink@2".to_owned(),
        precision: moments.share(),
        judged: 6 * judged,
        clips: 6,
        offered: 6 * judged,
        calibration_error: Some(0.4),
        threshold: None,
        days: 1.0,
    }
}

fn standing(mode: Mode, model: &str) -> Standing {
    Standing {
        mode,
        model: Some(model.to_owned()),
        ..Standing::default()
    }
}

fn action(standing: &Standing, evidence: &Evidence) -> Option<Action> {
    propose(&Rules::default(), standing, evidence).map(|proposal| proposal.action)
}

#[test]
fn a_kind_is_withdrawn_only_beyond_chance() {
    let offered = Standing::default();
    assert_eq!(action(&offered, &evidence(4, 10)), Some(Action::Demote));
    assert_eq!(
        action(&offered, &evidence(7, 10)),
        None,
        "that may be chance"
    );
    assert_eq!(
        action(&offered, &evidence(0, 3)),
        None,
        "18 verdicts decide nothing"
    );
}

#[test]
fn a_withdrawn_kind_is_tried_when_the_rig_has_another_model_and_restored_by_verdicts() {
    let same = standing(Mode::Withdrawn, "blink@2");
    assert_eq!(action(&same, &evidence(4, 10)), None);
    let other = standing(Mode::Withdrawn, "blink@1");
    assert_eq!(action(&other, &evidence(0, 0)), Some(Action::Trial));
    let trial = standing(Mode::Trial, "blink@1");
    assert_eq!(
        action(&trial, &evidence(0, 0)),
        None,
        "nothing is judged yet"
    );
    assert_eq!(action(&trial, &evidence(10, 10)), Some(Action::Restore));
    assert_eq!(action(&trial, &evidence(4, 10)), Some(Action::Demote));
}

#[test]
fn a_trial_that_nobody_reviews_ends() {
    let trial = standing(Mode::Trial, "blink@1");
    let mut waiting = evidence(1, 1);
    waiting.offered = 400;
    assert_eq!(action(&trial, &waiting), Some(Action::Demote));
}

#[test]
fn a_trial_that_was_reviewed_after_it_ended_restores_the_kind() {
    let ended = standing(Mode::Withdrawn, "blink@2");
    assert_eq!(action(&ended, &evidence(10, 10)), Some(Action::Restore));
}

#[test]
fn a_rest_ends_by_itself() {
    let mut rested = evidence(4, 10);
    rested.days = 15.0;
    assert_eq!(
        action(&standing(Mode::Withdrawn, "blink@2"), &rested),
        Some(Action::Trial)
    );
}

#[test]
fn the_threshold_goes_up_at_once_to_where_it_is_cheapest_and_down_by_steps() {
    let costs = Costs {
        accept: 2.0,
        correct: 10.0,
        reject: 6.0,
        create: 12.0,
    };
    let with = |bins: [CostBin; FINE_BINS]| {
        let mut known = evidence(9, 10);
        known.threshold = choose_threshold(&bins, costs, false);
        propose(&Rules::default(), &Standing::default(), &known)
    };
    let counted = |accepted: u64, rejected: u64| CostBin {
        offered: 100,
        accepted,
        corrected: 0,
        rejected,
    };
    let mut junk_below = [CostBin::default(); FINE_BINS];
    for (at, bin) in junk_below.iter_mut().enumerate().skip(8) {
        *bin = if at < 13 {
            counted(2, 98)
        } else {
            counted(98, 2)
        };
    }
    let raised = with(junk_below).unwrap();
    assert!(
        (raised.threshold.unwrap() - 0.65).abs() < 0.06,
        "{raised:?}"
    );
    let mut good_throughout = [CostBin::default(); FINE_BINS];
    good_throughout[10..].fill(counted(95, 5));
    let lowered = with(good_throughout).unwrap();
    assert!(
        (lowered.threshold.unwrap() - 0.45).abs() < 1e-9,
        "{lowered:?}"
    );
    assert!(lowered.words.contains("One step only"));
}

#[test]
fn rules_that_cannot_decide_are_refused() {
    assert_eq!(Rules::default().problem(), None);
    let rules = Rules {
        min_clips: 2,
        ..Rules::default()
    };
    assert!(rules.problem().unwrap().contains("5 clips"));
    let rules = Rules {
        floor: 80.0,
        ..Rules::default()
    };
    assert!(rules.problem().is_some());
}
