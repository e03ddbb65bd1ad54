//! Made scenes: people are circles with eyes.

use super::*;
use crate::confidence::Confidence;
use crate::kind::AbstainReason;
use crate::labeller::EyeMeasurement;
use crate::reading::Look;
use std::vec::Vec as List;

const FPS: u32 = 20;

/// Somebody in view in these seconds, with the eyes' middle at `x` and this eye distance.
#[derive(Clone, Copy)]
struct Sitter {
    track: TrackId,
    seconds: (f32, f32),
    x: f32,
    size: f32,
}

fn sitter(track: TrackId, seconds: (f32, f32), x: f32, size: f32) -> Sitter {
    Sitter {
        track,
        seconds,
        x,
        size,
    }
}

fn person(track: TrackId, x: f32, size: f32) -> PersonMeasurement {
    let eye = |x| {
        Ok(EyeMeasurement {
            center: Keypoint::new(x, 200.0),
            confidence: Confidence::new(0.9).unwrap(),
            openness: 0.3,
        })
    };
    PersonMeasurement {
        track,
        frame: PersonFrame {
            person: Err(AbstainReason::LowConfidence),
            person_score: 0.0,
            left: eye(x + size / 2.0),
            right: eye(x - size / 2.0),
            face_score: 0.99,
            yaw: 0.0,
            glasses: Look::NotLooked,
            shadow: Look::NotLooked,
            occluded: Look::NotLooked,
            motion: None,
            legibility: crate::blink::Legibility::UNKNOWN,
            sides: None,
        },
    }
}

/// The driver's track at the end of every second.
fn drivers(sitters: &[Sitter], seconds: u32) -> List<Option<TrackId>> {
    let mut choice = DriverChoice::new();
    let mut out = List::new();
    for frame in 0..seconds * FPS {
        let t = frame as f32 / FPS as f32;
        let seen: List<_> = sitters
            .iter()
            .filter(|one| (one.seconds.0..one.seconds.1).contains(&t))
            .map(|one| person(one.track, one.x + (t * 3.0).sin() * 4.0, one.size))
            .collect();
        choice.observe(CaptureTime(i64::from(frame) * 50_000), &seen);
        if frame % FPS == FPS - 1 {
            out.push(choice.track());
        }
    }
    out
}

#[test]
fn somebody_alone_is_the_driver_after_two_seconds() {
    let alone = drivers(&[sitter(4, (0.0, 30.0), 300.0, 60.0)], 30);
    assert_eq!(alone[0], None);
    assert!(alone[3..].iter().all(|driver| *driver == Some(4)));
    assert!(drivers(&[], 5).iter().all(Option::is_none));
}

#[test]
fn the_larger_of_two_is_the_driver_on_either_side() {
    for (left, right, driver) in [(60.0, 45.0, 1), (45.0, 60.0, 2), (45.0, 52.0, 2)] {
        let two = [
            sitter(1, (0.0, 40.0), 200.0, left),
            sitter(2, (0.0, 40.0), 600.0, right),
        ];
        let drivers = drivers(&two, 40);
        assert!(
            drivers[3..].iter().all(|found| *found == Some(driver)),
            "{left} and {right}: {drivers:?}"
        );
    }
}

#[test]
fn of_two_as_large_as_each_other_nobody_is_chosen() {
    let two = [
        sitter(1, (0.0, 40.0), 200.0, 60.0),
        sitter(2, (0.0, 40.0), 600.0, 57.0),
    ];
    assert!(drivers(&two, 40).iter().all(Option::is_none));
}

#[test]
fn a_driver_who_has_two_tracks_for_a_while_stays_the_driver_whichever_ends_first() {
    for (first, second) in [((0.0, 60.0), (40.0, 90.0)), ((0.0, 90.0), (40.0, 60.0))] {
        let scene = [
            sitter(1, first, 200.0, 60.0),
            sitter(2, second, 205.0, 61.0),
            sitter(3, (0.0, 90.0), 600.0, 50.0),
        ];
        let drivers = drivers(&scene, 90);
        assert!(
            drivers[3..]
                .iter()
                .all(|driver| matches!(driver, Some(1 | 2))),
            "{drivers:?}"
        );
        assert_eq!(drivers[80], Some(if first.1 > second.1 { 1 } else { 2 }));
    }
}

#[test]
fn a_passenger_who_leans_in_larger_than_the_driver_does_not_steal_it() {
    let scene = [
        sitter(1, (0.0, 240.0), 200.0, 60.0),
        // At first the size of the driver, then twice as large for a minute and a half, and half over the driver's place.
        sitter(2, (5.0, 60.0), 600.0, 55.0),
        sitter(2, (60.0, 150.0), 420.0, 120.0),
        sitter(2, (150.0, 240.0), 600.0, 55.0),
    ];
    let drivers = drivers(&scene, 240);
    assert!(
        drivers[3..].iter().all(|driver| *driver == Some(1)),
        "{drivers:?}"
    );
}

#[test]
fn a_driver_who_is_lost_and_found_in_the_seat_is_the_driver_under_another_track() {
    let scene = [
        sitter(1, (0.0, 60.0), 200.0, 60.0),
        sitter(2, (0.0, 200.0), 600.0, 50.0),
        // A minute later, as a new track, a little to the side.
        sitter(3, (120.0, 200.0), 240.0, 66.0),
    ];
    let drivers = drivers(&scene, 200);
    assert!(
        drivers[3..120].iter().all(|driver| *driver == Some(1)),
        "{drivers:?}"
    );
    assert!(
        drivers[121..].iter().all(|driver| *driver == Some(3)),
        "{drivers:?}"
    );
}

#[test]
fn a_newcomer_elsewhere_or_a_passenger_in_the_empty_seat_is_not() {
    let scene = [
        sitter(1, (0.0, 60.0), 200.0, 60.0),
        sitter(2, (0.0, 70.0), 600.0, 50.0),
        sitter(2, (70.0, 100.0), 210.0, 60.0),
        sitter(5, (65.0, 100.0), 900.0, 60.0),
    ];
    let drivers = drivers(&scene, 100);
    assert!(
        drivers[3..].iter().all(|driver| *driver == Some(1)),
        "{drivers:?}"
    );
}

#[test]
fn whoever_is_by_far_the_largest_for_minutes_becomes_the_driver_in_the_end() {
    // The first to be seen was somebody in the back.
    let scene = [
        sitter(1, (0.0, 300.0), 400.0, 30.0),
        sitter(2, (6.0, 300.0), 200.0, 70.0),
    ];
    let drivers = drivers(&scene, 300);
    assert_eq!(drivers[5], Some(1));
    assert!(
        drivers[60..].iter().all(|driver| *driver == Some(2)),
        "{drivers:?}"
    );
}

#[test]
fn more_people_than_places_do_not_push_the_driver_out() {
    let mut scene: List<Sitter> = (0..12u16)
        .map(|i| {
            sitter(
                10 + i,
                (f32::from(i) * 5.0 + 5.0, f32::from(i) * 5.0 + 12.0),
                700.0,
                40.0,
            )
        })
        .collect();
    scene.push(sitter(1, (0.0, 80.0), 200.0, 60.0));
    let drivers = drivers(&scene, 80);
    assert!(
        drivers[3..].iter().all(|driver| *driver == Some(1)),
        "{drivers:?}"
    );
}
