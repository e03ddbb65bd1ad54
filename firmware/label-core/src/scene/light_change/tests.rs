use super::*;
use std::vec::Vec;

/// As in `models/light-change/card.toml`.
const CALIBRATION: LightCalibration = LightCalibration {
    changed: LogisticCalibration {
        ceiling: 1.0,
        bias: 10.528,
        weights: [8.867, -3.255, -36.74, 10.688],
        ranges: [(-3.3, -1.2), (0.0, 1.0), (0.0, 0.5), (0.0, 1.0)],
    },
    surest_none: 0.97,
};
const RATE: f32 = 25.0;

/// A scene with a pattern of its own, in levels.
fn scene(cell: usize) -> f32 {
    60.0 + (cell * 37 % 90) as f32
}

/// Verdicts of `frames` frames whose cells have these levels.
fn verdicts(frames: u32, level: impl Fn(u32, usize) -> f32) -> Vec<Verdict<bool>> {
    let (mut detector, mut out) = (LightChangeDetector::new(), Vec::new());
    let mut decided = |span: Span, verdict| {
        assert_eq!(
            span.frames.start,
            out.len() as u32,
            "every frame once, in order"
        );
        out.push(verdict);
    };
    for frame in 0..frames {
        let at = CaptureTime((frame as f32 / RATE * 1e6) as i64);
        let grid = LightGrid::new(core::array::from_fn(|cell| {
            (level(frame, cell).clamp(0.0, 255.0) * f32::from(LightGrid::STEPS)) as u16
        }));
        detector.observe(frame, at, &grid, &CALIBRATION, &mut decided);
    }
    detector.finish(&mut decided);
    assert_eq!(out.len(), frames as usize);
    out
}

/// First and last frame said to change, if any.
fn changed(verdicts: &[Verdict<bool>]) -> Option<(usize, usize)> {
    let says = |verdict: &Verdict<bool>| verdict.is_ok_and(|reading| reading.value);
    let first = verdicts.iter().position(says)?;
    Some((first, verdicts.iter().rposition(says)?))
}

/// As the card's threshold has it.
fn is_offered_change(verdict: &Verdict<bool>) -> bool {
    verdict.is_ok_and(|reading| reading.value && reading.confidence.get() >= 0.8)
}

#[test]
fn a_still_and_the_first_frame_of_a_clip_have_nothing_before_them_to_differ_from() {
    let alone = verdicts(1, |_, cell| scene(cell));
    assert_eq!(alone, [Err(AbstainReason::LowConfidence)]);
    let clip = verdicts(60, |_, cell| scene(cell));
    assert_eq!(clip[0], Err(AbstainReason::LowConfidence));
    for verdict in &clip[1..] {
        let none = verdict.unwrap();
        assert!(!none.value && (none.confidence.get() - CALIBRATION.surest_none).abs() < 1e-6);
    }
}

#[test]
fn a_ramp_that_fades_out_is_neither_a_change_nor_none_until_the_light_has_settled() {
    // What is left of the change falls to a third in 0.8 s.
    let left = |frame: u32| match frame {
        ..60 => 1.0,
        _ => (-(frame as f32 - 60.0) / RATE / 0.8).exp(),
    };
    let verdicts = verdicts(250, |frame, cell| scene(cell) * (1.0 - 0.5 * left(frame)));
    let (_, last) = changed(&verdicts).unwrap();
    let settled = last + 1 + verdicts[last + 1..].iter().position(Result::is_ok).unwrap();
    assert!(settled > last + 3, "{last} {settled}");
    assert!(left(settled as u32) < 0.06, "{settled}");
    assert!(settled < 150 && verdicts[settled..].iter().all(Result::is_ok));
}

#[test]
fn a_change_that_is_fainter_than_counts_is_left_unsaid_and_one_hardly_there_is_none() {
    for (drop, said) in [(0.10, false), (0.03, true)] {
        let verdicts = verdicts(150, |frame, cell| {
            scene(cell) * if frame < 60 { 1.0 } else { 1.0 - drop }
        });
        assert_eq!(changed(&verdicts), None);
        assert_eq!(verdicts[60].is_ok(), said, "{drop}");
        assert!(
            verdicts[1..60]
                .iter()
                .chain(&verdicts[61..])
                .all(Result::is_ok)
        );
    }
}

#[test]
fn who_moves_after_a_faint_change_of_light_does_not_keep_it_unsaid() {
    // Three cells in five grow lighter as the others grow darker, and back.
    let moved = |frame: u32, cell: usize| {
        let sway = (frame.saturating_sub(103) as f32 / RATE * 2.0).sin();
        1.0 + sway * if cell % 5 < 3 { 0.08 } else { -0.4 }
    };
    let verdicts = verdicts(250, |frame, cell| {
        scene(cell) * moved(frame, cell) * if frame < 100 { 1.0 } else { 1.09 }
    });
    assert!(verdicts[100].is_err(), "a change of nine hundredths");
    // From there on no comparison reaches back before the change.
    let mut settled = verdicts[160..].iter();
    assert!(settled.all(|verdict| verdict.is_ok_and(|reading| !reading.value)));
}

#[test]
fn a_lamp_that_goes_off_is_a_change_of_one_frame() {
    let verdicts = verdicts(150, |frame, cell| {
        scene(cell) * if frame < 60 { 1.0 } else { 0.5 }
    });
    assert_eq!(changed(&verdicts), Some((60, 60)));
    let said = |frame: usize| verdicts[frame].is_ok();
    assert!(said(47) && !(48..60).any(said) && (60..150).all(said));
    assert!(verdicts[60].unwrap().confidence.get() > 0.95);
    assert!(
        (verdicts[60].unwrap().raw + 0.65).abs() < 0.1,
        "{verdicts:?}"
    );
}

#[test]
fn a_ramp_is_a_change_from_its_first_to_its_last_frame() {
    let ramp = |frame: u32| 1.0 - 0.5 * ((frame as f32 - 60.0) / 30.0).clamp(0.0, 1.0);
    let (first, last) = changed(&verdicts(200, |frame, cell| scene(cell) * ramp(frame))).unwrap();
    assert!(
        (60..=64).contains(&first) && (86..=91).contains(&last),
        "{first} {last}"
    );
}

#[test]
fn the_shadow_of_a_bridge_is_one_change() {
    let under = |frame: u32| if (60..68).contains(&frame) { 0.4 } else { 1.0 };
    let verdicts = verdicts(200, |frame, cell| scene(cell) * under(frame));
    assert_eq!(changed(&verdicts), Some((60, 68)));
    assert!(
        verdicts[60..=68]
            .iter()
            .all(|verdict| verdict.unwrap().value)
    );
}

#[test]
fn what_moves_in_the_picture_is_no_change_of_light() {
    // A dark lorry passes behind the upper two thirds.
    let lorry = |frame: u32, cell: usize| {
        let (row, column) = (cell / 16, cell % 16);
        row < 6 && (frame as f32 / 3.0 - 14.0..frame as f32 / 3.0).contains(&(column as f32))
    };
    let level = |frame, cell| {
        if lorry(frame, cell) {
            30.0
        } else {
            scene(cell)
        }
    };
    let verdicts = verdicts(150, level);
    assert!(!verdicts.iter().any(is_offered_change));
    let said = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    assert!(said > 130, "nor is it doubted: {said}");
}

#[test]
fn a_hand_before_the_lens_is_no_change_of_light() {
    let level = |frame: u32, cell: usize| {
        if (60..90).contains(&frame) && cell % 16 < 14 {
            40.0
        } else {
            scene(cell)
        }
    };
    let verdicts = verdicts(150, level);
    assert!(!verdicts.iter().any(is_offered_change));
}

#[test]
fn a_camera_in_the_dark_sees_no_light_to_change() {
    let verdicts = verdicts(60, |_, cell| (cell % 3) as f32);
    assert!(
        verdicts
            .iter()
            .all(|verdict| *verdict == Err(AbstainReason::TooDark))
    );
}

#[test]
fn at_more_frames_a_second_than_are_held_every_frame_is_still_told() {
    let mut detector = LightChangeDetector::new();
    let (grid, mut told) = (LightGrid::new([6400; GRID_CELLS]), 0);
    for frame in 0..1000 {
        let at = CaptureTime(i64::from(frame) * 5_000);
        detector.observe(frame, at, &grid, &CALIBRATION, &mut |_, _| told += 1);
    }
    detector.finish(&mut |_, _| told += 1);
    assert_eq!(told, 1000);
}
