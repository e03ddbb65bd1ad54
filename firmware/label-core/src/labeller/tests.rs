use super::*;
use crate::blink::{BlinkCalibration, Familiar};
use crate::confidence::{Confidence, LogisticCalibration};
use crate::geometry::{BoundingBox, Keypoint};
use crate::reading::Look;
use crate::wire::LabelValue;
use proptest::prelude::*;
use std::vec::Vec;

pub(super) fn gate() -> Gate {
    let mut weights = [0.0; crate::blink::BLINK_FEATURES];
    weights[0] = 7.0;
    let blinks = BlinkCalibration {
        logistic: LogisticCalibration {
            ceiling: 1.0,
            bias: -3.0,
            weights,
            ranges: [(0.0, 4.0); crate::blink::BLINK_FEATURES],
        },
        familiar: Familiar {
            least_contrast: 0.0,
            grain: (0.0, 1.0),
            most_disagreement: 1.0,
            ceiling: 0.89,
        },
    };
    let mut gate = Gate::new(blinks, 0.7);
    for kind in LabelKind::ALL {
        gate.offer(kind, 0.5);
    }
    gate.offer(LabelKind::Blink, 0.4);
    gate.alertness = Some(crate::alertness::tests::rubric());
    gate
}

/// 0 = nobody, 1 = all in view, 2 = both eyes turned away, 3 = left eye away, 4 = eyes unsure, 5 = eyes shut,
/// 6 = no person box was made for want of time.
pub(super) fn frame(code: u8, i: u32) -> PersonFrame {
    let eye = |x: f32, unsure: bool| {
        Ok(EyeMeasurement {
            center: Keypoint::new(x + i as f32 * 0.3, 50.0),
            confidence: Confidence::new(if unsure { 0.2 } else { 0.9 }).unwrap(),
            openness: if code == 5 {
                0.02
            } else {
                0.28 + 0.001 * (i % 5) as f32
            },
        })
    };
    let away = Err(AbstainReason::EyeTurnedAway);
    PersonFrame {
        person: if code == 6 {
            Err(AbstainReason::Shed)
        } else {
            Ok((
                BoundingBox::new(10.0, 10.0, 100.0, 200.0),
                Confidence::new(0.8).unwrap(),
            ))
        },
        person_score: 0.7,
        left: if matches!(code, 2 | 3) {
            away
        } else {
            eye(80.0, code == 4)
        },
        right: if code == 2 {
            away
        } else {
            eye(40.0, code == 4)
        },
        face_score: 0.99,
        yaw: 0.0,
        glasses: seen(i.is_multiple_of(12), (i / 200).is_multiple_of(2)),
        shadow: seen(i.is_multiple_of(6), code == 3),
        occluded: if code == 2 {
            Look::Cannot(AbstainReason::Occluded)
        } else {
            seen(i.is_multiple_of(6), code == 4)
        },
        motion: None,
        legibility: crate::blink::Legibility::UNKNOWN,
        sides: None,
    }
}

fn seen(looked: bool, holds: bool) -> Look {
    let probability = if holds { 0.9 } else { 0.1 };
    if looked {
        Look::Seen {
            probability,
            raw: probability,
        }
    } else {
        Look::NotLooked
    }
}

/// Labels at 25 frames a second.
fn labels(codes: &[u8]) -> Vec<Label> {
    let frames: Vec<_> = codes
        .iter()
        .zip(0..)
        .map(|(code, i)| (*code, i * 40_000))
        .collect();
    labels_at(&frames)
}

/// Labels of frames at these times, in microseconds.
fn labels_at(frames: &[(u8, i64)]) -> Vec<Label> {
    let mut labeller = ClipLabeller::new(gate(), ModelIndexes::new());
    let mut out = Vec::new();
    for ((code, at), i) in frames.iter().zip(0u32..) {
        let person = PersonMeasurement {
            track: 1,
            frame: frame(*code, i),
        };
        let seen = if *code == 0 {
            &[][..]
        } else {
            std::slice::from_ref(&person)
        };
        labeller.observe(i, CaptureTime(*at), seen, &SceneFrame::default(), |label| {
            out.push(label);
        });
    }
    labeller.finish(|label| out.push(label));
    out
}

/// How often each frame is covered by labels of this kind and track.
fn covered(labels: &[Label], kind: LabelKind, track: Option<TrackId>, frames: usize) -> Vec<usize> {
    let mut count = std::vec![0; frames];
    for label in labels
        .iter()
        .filter(|label| label.kind == kind && label.track == track)
    {
        for frame in label.frames.start..=label.frames.end {
            count[frame as usize] += 1;
        }
    }
    count
}

fn codes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((0u8..7, 1usize..40), 1..20).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(code, n)| std::iter::repeat_n(code, n))
            .collect()
    })
}

/// Frames at 10 to 60 a second with, here and there, missing ones.
fn frames_with_gaps() -> impl Strategy<Value = Vec<(u8, i64)>> {
    let step = prop_oneof![
        30 => 16_000i64..=100_000,
        1 => 100_000i64..=150_000,
        1 => 150_001i64..=900_000,
    ];
    (
        codes(),
        prop::collection::vec(step, 800),
        prop::collection::vec(0usize..800, 0..12),
    )
        .prop_map(|(mut codes, steps, lone)| {
            // Single frames in which the eyes cannot be judged, or are shut.
            for i in lone {
                if let Some(code) = codes.get_mut(i).filter(|code| **code != 0) {
                    *code = if i % 2 == 0 { 2 } else { 5 };
                }
            }
            let mut at = 0;
            let times = steps.into_iter().map(|step| {
                at += step;
                at
            });
            codes.into_iter().zip(times).collect()
        })
}

proptest! {
    #[test]
    fn beside_missing_frames_every_frame_is_told_once_at_its_own_time_and_no_event_is_told_across(
        frames in frames_with_gaps(),
    ) {
        // Somebody gone for longer than that comes back as another track.
        let mut seen_at = 0;
        for (code, at) in &frames {
            seen_at = if *code == 0 { seen_at } else { *at };
            prop_assume!(at - seen_at < 5_000_000);
        }
        let labels = labels_at(&frames);
        let codes: Vec<u8> = frames.iter().map(|(code, _)| *code).collect();
        let first = codes.iter().position(|code| *code != 0).unwrap_or(codes.len());
        let last = codes.iter().rposition(|code| *code != 0).unwrap_or(0);
        let mine: Vec<&Label> = labels.iter().filter(|label| label.track == Some(1)).collect();
        for label in &mine {
            let at = |frame: FrameIndex| CaptureTime(frames[frame as usize].1);
            prop_assert_eq!(label.pts_us, (at(label.frames.start), at(label.frames.end)), "{:?}", label);
        }
        for kind in [LabelKind::Blink, LabelKind::LongClosure] {
            let covered = covered(&labels, kind, Some(1), codes.len());
            prop_assert!(covered.iter().all(|times| *times <= 1), "{} {:?}", kind, covered);
            for i in 1..frames.len() {
                // Nothing is known of a person before the first frame: a track begins as a clip does.
                if i <= first || frames[i].1 - frames[i - 1].1 <= crate::blink::MISSING_US {
                    continue;
                }
                for label in mine.iter().filter(|label| label.kind == kind && label.raw.is_some()) {
                    let (start, end) = (label.frames.start as usize, label.frames.end as usize);
                    prop_assert!(end < i - 1 || start > i, "an event at {} missing before {}", label.frames.start, i);
                }
                for beside in [i - 1, i] {
                    let reason = mine.iter().find_map(|label| {
                        let holds = label.kind == kind && label.frames.contains(beside as u32);
                        holds.then_some(label.reason).flatten()
                    });
                    let expected = match codes[beside] {
                        _ if beside < first || beside > last => None,
                        0 => reason.filter(|r| *r == AbstainReason::Occluded).or(Some(AbstainReason::NoPerson)),
                        2 => Some(AbstainReason::EyeTurnedAway),
                        _ => Some(AbstainReason::FramesMissing),
                    };
                    prop_assert_eq!(reason, expected, "{} in frame {}", kind, beside);
                }
            }
        }
        for kind in [LabelKind::BboxPerson, LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye,
            LabelKind::WearingGlasses, LabelKind::InShadow, LabelKind::FaceOccluded, LabelKind::Alertness,
        ] {
            let covered = covered(&labels, kind, Some(1), codes.len());
            for (i, times) in covered.into_iter().enumerate() {
                prop_assert_eq!(times, usize::from(i >= first && i <= last), "{} in frame {}", kind, i);
            }
        }
    }

    #[test]
    fn every_frame_of_a_person_is_a_value_or_a_reason_exactly_once(codes in codes()) {
        // Gone for more than five seconds is another person.
        prop_assume!(codes.chunk_by(|a, b| a == b).all(|run| run[0] != 0 || run.len() < 120));
        let labels = labels(&codes);
        let first = codes.iter().position(|code| *code != 0);
        let last = codes.iter().rposition(|code| *code != 0);
        for kind in [
            LabelKind::BboxPerson, LabelKind::KeypointLeftEye, LabelKind::KeypointRightEye,
            LabelKind::WearingGlasses, LabelKind::InShadow, LabelKind::FaceOccluded, LabelKind::Alertness,
        ] {
            for (i, count) in covered(&labels, kind, Some(1), codes.len()).into_iter().enumerate() {
                let seen = first.is_some_and(|first| i >= first) && last.is_some_and(|last| i <= last);
                prop_assert_eq!(count, usize::from(seen), "{} in frame {}", kind, i);
            }
        }
        for kind in LabelKind::ALL {
            for (i, count) in covered(&labels, kind, None, codes.len()).into_iter().enumerate() {
                let expected = kind.scope() == LabelScope::Scene || codes[i] == 0;
                prop_assert_eq!(count, usize::from(expected), "{} of nobody in frame {}", kind, i);
            }
        }
        let silent = labels.iter().filter(|l| l.kind == LabelKind::Blink && l.decision == Decision::Abstain && l.track.is_some());
        for label in silent.filter(|label| label.reason == Some(AbstainReason::EyeTurnedAway)) {
            prop_assert!((label.frames.start..=label.frames.end).all(|i| codes[i as usize] == 2));
        }
    }
}

#[test]
fn a_person_gone_for_long_comes_back_as_another_track_without_a_claim_on_the_gap() {
    let mut labeller = ClipLabeller::new(gate(), ModelIndexes::new());
    let mut out = Vec::new();
    for i in 0..400u32 {
        let track = if i < 100 { 1 } else { 2 };
        let person = PersonMeasurement {
            track,
            frame: frame(1, i),
        };
        let seen = if (100..300).contains(&i) {
            &[][..]
        } else {
            std::slice::from_ref(&person)
        };
        labeller.observe(
            i,
            CaptureTime(i64::from(i) * 40_000),
            seen,
            &SceneFrame::default(),
            |label| {
                out.push(label);
            },
        );
    }
    labeller.finish(|label| out.push(label));
    let person = |track| covered(&out, LabelKind::BboxPerson, Some(track), 400);
    assert_eq!(person(1).iter().sum::<usize>(), 100);
    assert_eq!(person(2).iter().sum::<usize>(), 100);
    assert_eq!(labeller.tracks(), 2);
}

#[test]
fn shut_eyes_are_told_as_a_blink_or_a_long_closure_and_unsure_ones_as_silence() {
    let mut codes = std::vec![1; 200];
    codes[50..54].fill(5);
    codes[100..130].fill(5);
    let labels = labels(&codes);
    let of = |kind| {
        labels
            .iter()
            .filter(move |l| l.kind == kind && l.decision == Decision::Candidate)
    };
    assert_eq!(of(LabelKind::Blink).count(), 1);
    let blink = of(LabelKind::Blink).next().unwrap();
    assert_eq!(
        (blink.frames, blink.pts_us.0),
        (FrameRange::new(50, 53), CaptureTime(2_000_000))
    );
    assert!(matches!(blink.value, Some(LabelValue::Event(event)) if event.opening < 0.2));
    assert_eq!(
        of(LabelKind::LongClosure)
            .map(|l| l.frames)
            .collect::<Vec<_>>(),
        [FrameRange::new(100, 129)]
    );
}

/// What is said of blinks: frames and reason, or none for an offered one.
fn said(labels: &[Label], kind: LabelKind) -> Vec<((u32, u32), Option<AbstainReason>)> {
    let mut said: Vec<_> = labels
        .iter()
        .filter(|label| label.kind == kind && label.track.is_some())
        .map(|label| (label.frames.into(), label.reason))
        .collect();
    said.sort_unstable();
    said
}

#[test]
fn a_blink_at_missing_frames_is_not_told_and_the_lid_on_its_way_is_silence_too() {
    let missing = Some(AbstainReason::FramesMissing);
    for (shut, gap, expected) in [
        // Closes before the gap.
        (48..=50u32, 50, vec![((48, 51), missing)]),
        // Opens after it.
        (51..=53, 50, vec![((50, 53), missing)]),
        // Around it.
        (49..=53, 50, vec![((49, 53), missing)]),
        // Over before it.
        (44..=47, 50, vec![((44, 47), None), ((50, 51), missing)]),
        // Begins after it.
        (54..=57, 50, vec![((50, 51), missing), ((54, 57), None)]),
    ] {
        let frames: Vec<_> = (0..120u32)
            .map(|i| {
                let late = if i > gap { 120_000 } else { 0 };
                let code = if shut.contains(&i) { 5 } else { 1 };
                (code, i64::from(i) * 40_000 + late)
            })
            .collect();
        assert_eq!(
            said(&labels_at(&frames), LabelKind::Blink),
            expected,
            "shut in {shut:?}"
        );
        // As many frames, nearer than the shortest blink: the same blink, whole.
        let near: Vec<_> = frames
            .iter()
            .map(|(code, at)| {
                let late = if *at > 2_000_000 { 10_000 } else { 0 };
                (*code, at - late)
            })
            .collect();
        let whole = said(&labels_at(&near), LabelKind::Blink);
        assert_eq!(whole, [((*shut.start(), *shut.end()), None)], "{shut:?}");
    }
}

#[test]
fn a_closure_that_reaches_missing_frames_is_silence_as_a_whole() {
    let frames: Vec<_> = (0..200i64)
        .map(|i| {
            let late = if i > 100 { 500_000 } else { 0 };
            let code = if (60..=140).contains(&i) { 5 } else { 1 };
            (code, i * 40_000 + late)
        })
        .collect();
    assert_eq!(
        said(&labels_at(&frames), LabelKind::LongClosure),
        [((60, 140), Some(AbstainReason::FramesMissing))]
    );
}

#[test]
fn at_ten_unsteady_frames_a_second_blinks_are_told_and_at_six_nothing_is() {
    let shut = [60u32, 61, 120, 121];
    let run = |step: i64, jitter: i64| {
        let frames: Vec<_> = (0..200u32)
            .map(|i| {
                let at = i64::from(i) * step + i64::from(i % 2) * jitter;
                (if shut.contains(&i) { 5 } else { 1 }, at)
            })
            .collect();
        said(&labels_at(&frames), LabelKind::Blink)
    };
    let both = [((60, 61), None), ((120, 121), None)];
    assert_eq!(run(100_000, 0), both);
    assert_eq!(run(100_000, 45_000), both);
    assert_eq!(
        run(166_667, 0),
        [((0, 199), Some(AbstainReason::FramesMissing))]
    );
}

#[test]
fn a_box_that_was_shed_is_silence_with_that_reason_and_the_eyes_go_on() {
    let mut codes = std::vec![1; 100];
    codes[30..70].fill(6);
    codes[50..54].fill(5);
    let mut frames: Vec<_> = codes.iter().map(|code| (*code, 0)).collect();
    for (i, (_, at)) in frames.iter_mut().enumerate() {
        *at = i as i64 * 40_000;
    }
    let labels = labels_at(&frames);
    let shed = |kind| {
        said(&labels, kind)
            .into_iter()
            .filter(|(_, reason)| reason.is_some())
            .collect::<Vec<_>>()
    };
    let reason = Some(AbstainReason::Shed);
    assert_eq!(
        shed(LabelKind::BboxPerson),
        [((30, 49), reason), ((54, 69), reason)]
    );
    for kind in [
        LabelKind::KeypointLeftEye,
        LabelKind::KeypointRightEye,
        LabelKind::Blink,
        LabelKind::LongClosure,
    ] {
        assert_eq!(shed(kind), [], "{kind}");
    }
    assert_eq!(said(&labels, LabelKind::Blink), [((50, 53), None)]);
}

#[test]
fn the_first_positions_of_a_person_come_after_a_second_and_later_ones_within_four() {
    for fps in [10, 25, 60] {
        let mut labeller = ClipLabeller::new(gate(), ModelIndexes::new());
        let mut told = Vec::new();
        for i in 0..20 * fps {
            let at = CaptureTime(i64::from(i) * 1_000_000 / i64::from(fps));
            let person = PersonMeasurement {
                track: 1,
                frame: frame(1, i),
            };
            labeller.observe(i, at, &[person], &SceneFrame::default(), |label| {
                if label.kind == LabelKind::KeypointLeftEye {
                    told.push((at, label));
                }
            });
        }
        assert_eq!(told[0].0, CaptureTime(1_000_000), "at {fps}");
        assert_eq!(told[0].1.frames, FrameRange::new(0, fps - 1));
        for (at, label) in &told[1..] {
            let behind = at.seconds_since(label.pts_us.0);
            assert!(behind <= 4.01, "{behind} s at {fps}");
            let frames = label.frames.frames();
            assert_eq!(frames, (4 * fps).min(128), "at {fps}");
        }
    }
}

#[test]
fn whoever_was_lost_behind_a_hand_and_came_back_was_there() {
    for (last, reason) in [(1u8, AbstainReason::NoPerson), (2, AbstainReason::Occluded)] {
        let codes: Vec<u8> = [vec![last; 30], vec![0; 20], vec![1; 30]].concat();
        let labels = labels(&codes);
        for kind in [LabelKind::KeypointLeftEye, LabelKind::FaceOccluded] {
            let gap = labels.iter().find(|label| {
                label.kind == kind && label.track == Some(1) && label.frames.contains(40)
            });
            assert_eq!(gap.unwrap().reason, Some(reason), "{kind}");
        }
    }
}
