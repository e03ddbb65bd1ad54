use super::*;
use crate::wire::EventEyes;

/// Openness of both eyes at 30 frames a second.
fn run(signal: &[f32]) -> std::vec::Vec<EyeEvent> {
    let mut events = std::vec::Vec::new();
    let mut detector = BlinkDetector::new();
    for (i, value) in signal.iter().enumerate() {
        let eyes = EyeObservation {
            left: Some(*value),
            right: Some(*value),
            yaw: 0.0,
            legibility: Legibility::UNKNOWN,
        };
        let at = CaptureTime(i as i64 * 1_000_000 / 30);
        detector.observe(i as u32, at, eyes, |event| events.push(event));
    }
    detector.finish(|event| events.push(event));
    events
}

/// An open eye with a little noise that no two frames share.
fn open(frames: usize) -> std::vec::Vec<f32> {
    (0..frames)
        .map(|i| 0.28 + 0.002 * ((i * 7919 % 13) as f32 / 13.0 - 0.5))
        .collect()
}

fn dip(signal: &mut [f32], start: usize, shape: &[f32]) {
    for (value, share) in signal[start..].iter_mut().zip(shape) {
        *value *= share;
    }
}

const BLINK: [f32; 7] = [0.8, 0.4, 0.1, 0.1, 0.4, 0.7, 0.9];

fn blinks(events: &[EyeEvent]) -> std::vec::Vec<FrameRange> {
    events
        .iter()
        .filter_map(|event| {
            if let EyeEvent::Blink(blink) = event {
                Some(blink.frames)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn an_open_eye_does_not_blink() {
    assert!(run(&open(300)).is_empty());
}

#[test]
fn a_blink_is_told_with_its_first_and_last_moving_frame() {
    let mut signal = open(120);
    dip(&mut signal, 50, &BLINK);
    assert_eq!(blinks(&run(&signal)), [FrameRange::new(50, 55)]);
}

#[test]
fn two_blinks_in_a_row_are_two() {
    let mut signal = open(120);
    dip(&mut signal, 50, &BLINK);
    dip(&mut signal, 57, &BLINK);
    assert_eq!(blinks(&run(&signal)).len(), 2);
}

#[test]
fn a_long_closure_is_one_event_and_hides_neither_the_blink_before_nor_the_one_after() {
    let mut signal = open(600);
    dip(&mut signal, 60, &BLINK);
    dip(&mut signal, 200, &[0.1; 150]);
    dip(&mut signal, 450, &BLINK);
    let events = run(&signal);
    assert_eq!(
        blinks(&events),
        [FrameRange::new(60, 65), FrameRange::new(450, 455)]
    );
    let closures: std::vec::Vec<_> = events
        .iter()
        .filter_map(|event| {
            if let EyeEvent::LongClosure(closure) = event {
                Some(closure.frames)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(closures, [FrameRange::new(200, 349)]);
}

#[test]
fn a_half_closed_eye_is_not_a_blink() {
    let mut signal = open(300);
    dip(&mut signal, 100, &[0.7; 60]);
    assert!(blinks(&run(&signal)).is_empty());
}

#[test]
fn an_eye_that_is_not_seen_gives_no_blink() {
    let mut events = std::vec::Vec::new();
    let mut detector = BlinkDetector::new();
    for i in 0..200 {
        let eyes = if (80..90).contains(&i) {
            EyeObservation::NONE
        } else {
            EyeObservation {
                left: Some(0.28),
                right: None,
                yaw: 30.0,
                legibility: Legibility::UNKNOWN,
            }
        };
        detector.observe(i, CaptureTime(i64::from(i) * 33_333), eyes, |event| {
            events.push(event);
        });
    }
    detector.finish(|event| events.push(event));
    assert!(events.is_empty(), "{events:?}");
}

#[test]
fn a_blink_of_one_seen_eye_names_that_eye() {
    let mut signal = open(120);
    dip(&mut signal, 50, &BLINK);
    let mut events = std::vec::Vec::new();
    let mut detector = BlinkDetector::new();
    for (i, value) in signal.iter().enumerate() {
        let eyes = EyeObservation {
            left: None,
            right: Some(*value),
            yaw: -45.0,
            legibility: Legibility::UNKNOWN,
        };
        detector.observe(i as u32, CaptureTime(i as i64 * 33_333), eyes, |event| {
            events.push(event);
        });
    }
    detector.finish(|event| events.push(event));
    let [EyeEvent::Blink(blink)] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(blink.eyes(), EventEyes::Right);
    assert_eq!(blink.left, None);
}

#[test]
fn events_come_no_later_than_the_window_after_their_end() {
    let mut signal = open(200);
    dip(&mut signal, 50, &BLINK);
    let mut told_at = None;
    let mut detector = BlinkDetector::new();
    for (i, value) in signal.iter().enumerate() {
        let eyes = EyeObservation {
            left: Some(*value),
            right: Some(*value),
            yaw: 0.0,
            legibility: Legibility::UNKNOWN,
        };
        detector.observe(i as u32, CaptureTime(i as i64 * 33_333), eyes, |_| {
            told_at = Some(i);
        });
    }
    assert!(told_at.unwrap() <= 57 + 25, "{told_at:?}");
}

#[test]
fn nan_and_a_thousand_frames_a_second_are_survived() {
    let mut detector = BlinkDetector::new();
    for i in 0..5000u32 {
        let value = if i % 7 == 0 {
            f32::NAN
        } else {
            0.05 + (i % 31) as f32 * 0.01
        };
        let eyes = EyeObservation {
            left: Some(value),
            right: Some(value),
            yaw: 0.0,
            legibility: Legibility::UNKNOWN,
        };
        detector.observe(i, CaptureTime(i64::from(i) * 1000), eyes, |_| {});
    }
    detector.finish(|_| {});
}

/// A calibration that is sure of every blink.
fn sure() -> BlinkCalibration {
    BlinkCalibration {
        logistic: crate::confidence::LogisticCalibration {
            ceiling: 1.0,
            bias: 5.0,
            weights: [0.0; BLINK_FEATURES],
            ranges: [(0.0, 1.0); BLINK_FEATURES],
        },
        familiar: Familiar {
            least_contrast: 13.0,
            grain: (0.01, 0.1),
            most_disagreement: 0.02,
            ceiling: 0.89,
        },
    }
}

/// How sure the same blink is on a picture like this.
fn confidence_on(legibility: Legibility) -> f32 {
    let mut signal = open(120);
    dip(&mut signal, 50, &BLINK);
    let (mut detector, mut confidence) = (BlinkDetector::new(), None);
    let mut hear = |event: EyeEvent| {
        if let EyeEvent::Blink(blink) = event {
            confidence = Some(sure().confidence(&blink).get());
        }
    };
    for (i, value) in signal.iter().enumerate() {
        let eyes = EyeObservation {
            left: Some(*value),
            right: Some(*value),
            yaw: 0.0,
            legibility,
        };
        detector.observe(i as u32, CaptureTime(i as i64 * 33_333), eyes, &mut hear);
    }
    detector.finish(&mut hear);
    confidence.expect("the blink is seen on every picture")
}

#[test]
fn the_same_blink_is_sure_on_a_familiar_picture_and_never_on_one_unlike_those_of_the_fit() {
    let good = Legibility {
        disagreement: 0.01,
        contrast: 30.0,
        grain: 0.03,
    };
    assert!(confidence_on(good) > 0.9);
    let dark = Legibility {
        contrast: 6.0,
        ..good
    };
    let noisy = Legibility { grain: 0.3, ..good };
    let coded = Legibility {
        grain: 0.005,
        ..good
    };
    let doubtful = Legibility {
        disagreement: 0.05,
        ..good
    };
    for bad in [dark, noisy, coded, doubtful, Legibility::UNKNOWN] {
        assert_eq!(confidence_on(bad), 0.89, "{bad:?}");
    }
    let broken = Legibility {
        grain: f32::NAN,
        ..good
    };
    assert_eq!(confidence_on(broken), 0.89);
}

#[test]
fn long_flanks_and_little_time_at_half_depth_are_measured() {
    let one = |shape: &[f32]| {
        let mut signal = open(120);
        dip(&mut signal, 50, shape);
        match run(&signal)[..] {
            [EyeEvent::Blink(blink)] => blink,
            ref events => panic!("{events:?}"),
        }
    };
    let crisp = one(&[0.4, 0.1, 0.1, 0.4]);
    let slow = one(&[0.85, 0.8, 0.1, 0.75, 0.8, 0.8, 0.85]);
    assert!(crisp.flanks_s < 0.04 && crisp.held > 0.9, "{crisp:?}");
    assert!(slow.flanks_s > 0.15 && slow.held < 0.2, "{slow:?}");
}
