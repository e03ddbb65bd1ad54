//! Made sequences: nobody fell asleep for them, and what they must give follows from how they were made.

use super::*;
use crate::confidence::LogisticCalibration;
use crate::time::FrameRange;
use std::vec::Vec;

/// As `models/alertness/card.toml` has it.
pub(crate) fn rubric() -> Rubric {
    let never = f32::INFINITY;
    Rubric {
        fading: Border {
            perclos: 0.04,
            closure_s: 0.5,
            closures: never,
            longer_blinks: 0.3,
            yawns: 1.0,
            nods: 2.0,
        },
        sleepy: Border {
            perclos: 0.075,
            closure_s: 0.5,
            closures: 1.0,
            longer_blinks: 0.6,
            yawns: never,
            nods: never,
        },
        fighting: Border {
            perclos: 0.15,
            closure_s: 1.5,
            closures: 3.0,
            longer_blinks: never,
            yawns: never,
            nods: never,
        },
        asleep_s: 3.0,
        least_seen_s: 45.0,
        shut_share: 0.5,
        slow_s: 0.25,
        confidence: LogisticCalibration {
            ceiling: 0.85,
            bias: -10.1,
            weights: [6.0, 4.0, 6.0],
            ranges: [(0.0, 1.0), (0.75, 1.0), (0.0, 1.0)],
        },
    }
}

/// What a person does: eyes open at `open`, and shut, hidden or lowered in these seconds.
#[derive(Clone, Default)]
struct Course {
    fps: f32,
    seconds: f32,
    /// (from, length): shut.
    shut: Vec<(f32, f32)>,
    /// (from, length): no eye judged.
    hidden: Vec<(f32, f32)>,
    /// (from, length): mouth wide open.
    yawning: Vec<(f32, f32)>,
}

impl Course {
    fn new(fps: f32, seconds: f32) -> Self {
        Self {
            fps,
            seconds,
            ..Self::default()
        }
    }

    /// A blink of 0.12 s shut every four seconds.
    fn blinking(mut self) -> Self {
        let count = (self.seconds / 4.0) as u32;
        self.shut
            .extend((0..count).map(|i| (i as f32 * 4.0 + 2.0, 0.12)));
        self
    }

    fn judged(&self) -> Vec<(Span, Judged)> {
        let within = |ranges: &[(f32, f32)], t: f32| {
            ranges
                .iter()
                .any(|(from, length)| (*from..from + length).contains(&t))
        };
        let (mut alertness, rubric, mut out) = (Alertness::new(), rubric(), Vec::new());
        let mut decided = |span, judged| out.push((span, judged));
        let frames = (self.fps * self.seconds) as u32;
        for index in 0..frames {
            let t = index as f32 / self.fps;
            let at = CaptureTime((f64::from(index) * 1e6 / f64::from(self.fps)) as i64);
            let noise = 0.004 * ((index * 7919 % 13) as f32 - 6.0) / 6.0;
            let openness = if within(&self.shut, t) { 0.04 } else { 0.27 } + noise;
            let seen = AlertnessFrame {
                eyes: if within(&self.hidden, t) {
                    Err(AbstainReason::EyeTurnedAway)
                } else {
                    Ok([Some(openness), Some(openness * 1.05)])
                },
                motion: (index % 6 == 0).then_some(FaceMotion {
                    mouth_opening: if within(&self.yawning, t) { 0.9 } else { 0.05 },
                    pitch: 2.0,
                }),
            };
            alertness.observe(Span::frame(index, at), &seen, &rubric, &mut decided);
        }
        alertness.finish(&rubric, &mut decided);
        out
    }

    /// The level of every second, and its confidence; 0 where nothing is said.
    fn levels(&self) -> Vec<(u8, f32)> {
        let judged = self.judged();
        (0..self.seconds as u32)
            .map(|second| {
                let frame = (second as f32 * self.fps + 0.5 * self.fps) as u32;
                let (_, verdict) = judged
                    .iter()
                    .find(|(span, _)| span.frames.contains(frame))
                    .expect("every frame is spoken of");
                verdict.map_or((0, 0.0), |reading| {
                    (reading.value.0, reading.confidence.get())
                })
            })
            .collect()
    }
}

#[test]
fn every_frame_is_judged_once_and_in_order_whatever_is_hidden() {
    for hidden in [vec![], vec![(10.0, 3.0), (30.0, 20.0)], vec![(0.0, 200.0)]] {
        let mut course = Course::new(12.5, 150.0).blinking();
        course.hidden = hidden;
        let mut next = 0;
        for (span, _) in course.judged() {
            assert_eq!(span.frames.start, next);
            next = span.frames.end + 1;
        }
        assert_eq!(next, 1875);
    }
}

#[test]
fn blinking_eyes_are_alert_from_the_first_frame_on_at_any_rate_once_a_minute_is_seen() {
    for fps in [10.0, 24.0, 30.0, 60.0] {
        for (level, confidence) in Course::new(fps, 150.0).blinking().levels() {
            assert_eq!(level, 5, "at {fps}");
            assert!(
                confidence > 0.6 && confidence < 0.9,
                "{confidence} at {fps}"
            );
        }
    }
}

#[test]
fn fewer_than_45_seconds_of_eyes_are_no_ground() {
    let levels = Course::new(25.0, 40.0).blinking().levels();
    assert!(levels.iter().all(|(level, _)| *level == 0), "{levels:?}");
    let mut course = Course::new(25.0, 60.0).blinking();
    course.hidden = vec![(10.0, 20.0)];
    let judged = course.judged();
    assert!(judged.iter().all(|(_, verdict)| verdict.is_err()));
    let reason = |second: u32| {
        let (_, verdict) = judged
            .iter()
            .find(|(span, _)| span.frames.contains(second * 25))
            .unwrap();
        verdict.unwrap_err()
    };
    assert_eq!(reason(3), AbstainReason::LowConfidence);
    assert_eq!(reason(17), AbstainReason::EyeTurnedAway);
}

#[test]
fn eyes_shut_for_seconds_are_sleep_while_shut_and_a_fight_against_it_for_the_minute_after() {
    let mut course = Course::new(25.0, 240.0).blinking();
    course.shut.push((120.0, 9.0));
    let levels = course.levels();
    // Eyes shut, and nothing else: it could be a look down.
    assert!(
        levels
            .iter()
            .all(|(level, confidence)| *level == 5 || *confidence < 0.6)
    );
    let levels: Vec<u8> = levels.iter().map(|(level, _)| *level).collect();
    assert!(levels[..115].iter().all(|level| *level == 5), "{levels:?}");
    assert!(
        levels[125..129].iter().all(|level| *level == 1),
        "{levels:?}"
    );
    assert!(
        levels[140..175].iter().all(|level| *level == 2),
        "{levels:?}"
    );
    assert!(levels[200..].iter().all(|level| *level == 5), "{levels:?}");
}

#[test]
fn sleep_is_believed_where_yawns_came_before_it() {
    let mut course = Course::new(25.0, 180.0).blinking();
    course.yawning = vec![(85.0, 4.0), (100.0, 5.0)];
    course
        .shut
        .extend([(112.0, 1.2), (115.0, 2.0), (120.0, 9.0)]);
    let levels = course.levels();
    assert_eq!(levels[80].0, 5);
    let (level, confidence) = levels[127];
    assert!(level == 1 && confidence > 0.6, "{confidence}");
    let (level, confidence) = levels[135];
    assert!(level == 2 && confidence > 0.6, "{confidence}");
}

#[test]
fn perclos_is_the_share_of_the_minute_that_the_eyes_were_slowly_shut() {
    let mut course = Course::new(50.0, 120.0).blinking();
    // 0.4 s in every four: a tenth. Too short for a long closure.
    course.shut = (0..30).map(|i| (i as f32 * 4.0 + 1.0, 0.4)).collect();
    let judged = course.judged();
    let (level, signs) = judged.last().unwrap().1.unwrap().value;
    assert!((signs.perclos - 0.1).abs() < 0.015, "{signs:?}");
    assert_eq!((level, signs.closures), (3, 0));
    assert!((signs.seen_s - 60.0).abs() < 5.5, "{signs:?}");
}

#[test]
fn two_yawns_in_a_minute_are_a_sign_and_the_border_cases_are_unsure() {
    let mut course = Course::new(25.0, 120.0).blinking();
    course.yawning = vec![(70.0, 4.0), (90.0, 5.0)];
    let levels = course.levels();
    assert_eq!(levels[60].0, 5);
    assert_eq!(levels[80].0, 4);
    assert!(levels[80].1 < 0.6, "one yawn: {:?}", levels[80]);
    assert_eq!(levels[100].0, 4);
    assert!(levels[100].1 > 0.6, "two yawns: {:?}", levels[100]);
    // One closure of 0.55 s: between alert and sleepy, and not to be offered.
    let mut course = Course::new(25.0, 120.0).blinking();
    course.shut.push((71.0, 0.56));
    let (level, confidence) = course.levels()[80];
    assert_eq!(level, 3);
    assert!(confidence < 0.6, "{confidence}");
}

#[test]
fn blinks_that_last_longer_than_the_persons_usual_ones_are_a_sign() {
    let (mut alertness, rubric, mut last) = (Alertness::new(), rubric(), None);
    for index in 0..25 * 240u32 {
        let at = CaptureTime(i64::from(index) * 40_000);
        if index % 75 == 0 {
            alertness.hear_blink(if index < 25 * 150 { 0.20 } else { 0.36 });
        }
        let seen = AlertnessFrame {
            eyes: Ok([Some(0.3), None]),
            motion: None,
        };
        alertness.observe(Span::frame(index, at), &seen, &rubric, &mut |_, judged| {
            last = Some(judged);
        });
    }
    let (level, signs) = last.unwrap().unwrap().value;
    assert!(signs.blink_ratio.unwrap() > 1.3, "{signs:?}");
    assert_eq!(level, 4, "{signs:?}");
}

#[test]
fn missing_frames_are_time_in_which_nothing_was_seen() {
    let (mut alertness, rubric, mut out) = (Alertness::new(), rubric(), Vec::new());
    let mut decided = |span: Span, judged: Judged| out.push((span, judged));
    for index in 0..600u32 {
        // Five frames a second.
        let at = CaptureTime(i64::from(index) * 200_000);
        let seen = AlertnessFrame {
            eyes: Ok([Some(0.3), Some(0.3)]),
            motion: None,
        };
        alertness.observe(Span::frame(index, at), &seen, &rubric, &mut decided);
    }
    alertness.finish(&rubric, &mut decided);
    assert!(
        out.iter()
            .all(|(_, judged)| *judged == Err(AbstainReason::FramesMissing))
    );
    let frames: u32 = out
        .iter()
        .map(|(span, _)| FrameRange::frames(span.frames))
        .sum();
    assert_eq!(frames, 600);
}
