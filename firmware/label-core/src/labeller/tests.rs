use super::*;
use crate::confidence::Confidence;
use crate::geometry::{BoundingBox, Keypoint};
use crate::wire::LabelValue;
use proptest::prelude::*;
use std::vec::Vec;

fn gate() -> Gate {
    Gate {
        blink: 0.4,
        long_closure: 0.5,
        eyes: 0.5,
        person: 0.5,
        blink_calibration: LogisticCalibration {
            ceiling: 1.0,
            bias: -3.0,
            weights: [7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            ranges: [(0.0, 4.0); 8],
        },
        long_closure_confidence: 0.7,
    }
}

/// 0 = nobody, 1 = all in view, 2 = both eyes turned away, 3 = left eye away, 4 = eyes unsure, 5 = eyes shut.
fn frame(code: u8, i: u32) -> PersonFrame {
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
        person: Ok((
            BoundingBox::new(10.0, 10.0, 100.0, 200.0),
            Confidence::new(0.8).unwrap(),
        )),
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
    }
}

fn labels(codes: &[u8]) -> Vec<Label> {
    let mut labeller = ClipLabeller::new(
        gate(),
        ModelIndexes {
            eyes: 0,
            person: 1,
            blink: 2,
        },
    );
    let mut out = Vec::new();
    for (code, i) in codes.iter().zip(0u32..) {
        let person = PersonMeasurement {
            track: 1,
            frame: frame(*code, i),
        };
        let seen = if *code == 0 {
            &[][..]
        } else {
            std::slice::from_ref(&person)
        };
        labeller.observe(i, CaptureTime(i64::from(i) * 40_000), seen, |label| {
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
    prop::collection::vec((0u8..6, 1usize..40), 1..20).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(code, n)| std::iter::repeat_n(code, n))
            .collect()
    })
}

proptest! {
    #[test]
    fn every_frame_of_a_person_is_a_value_or_a_reason_exactly_once(codes in codes()) {
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
    let mut labeller = ClipLabeller::new(
        gate(),
        ModelIndexes {
            eyes: 0,
            person: 1,
            blink: 2,
        },
    );
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
        labeller.observe(i, CaptureTime(i64::from(i) * 40_000), seen, |label| {
            out.push(label);
        });
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
