use super::*;

fn expected() -> Expected {
    Expected::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/golden")).unwrap()
}

fn measured() -> Measured {
    let expected = expected();
    Measured {
        frames: expected.frames,
        blinks: expected.blinks,
        ms_a_frame: 1.0,
    }
}

fn problems(disturb: impl FnOnce(&mut Measured)) -> String {
    let mut measured = measured();
    disturb(&mut measured);
    expected().compare(&measured).problems.join("; ")
}

#[test]
fn the_stored_numbers_agree_with_themselves_and_read_back_as_written() {
    assert_eq!(problems(|_| {}), "");
    let expected = expected();
    assert_eq!(
        serde_json::from_str::<Expected>(&expected.text().unwrap()).unwrap(),
        expected
    );
    assert_eq!(expected.blinks.len(), 3);
}

#[test]
fn swapped_eyes_are_noticed() {
    let found = problems(|measured| {
        for frame in &mut measured.frames {
            std::mem::swap(&mut frame.left, &mut frame.right);
        }
    });
    assert!(found.contains("eyes off by"), "{found}");
}

#[test]
fn eyes_that_are_off_a_little_everywhere_are_noticed_by_the_mean() {
    let found = problems(|measured| {
        for frame in &mut measured.frames {
            frame.left = frame.left.map(|[x, y, open]| [x + 1.0, y, open]);
            frame.right = frame.right.map(|[x, y, open]| [x + 1.0, y, open]);
        }
    });
    assert!(found.contains("in the mean"), "{found}");
}

#[test]
fn a_missing_blink_a_shifted_one_and_a_lost_eye_are_noticed() {
    let found = problems(|measured| {
        measured.blinks.pop();
    });
    assert!(
        found.contains("blinks in frames 19-24, 36-39 instead of"),
        "{found}"
    );
    let found = problems(|measured| measured.blinks[0].first += 4);
    assert!(found.contains("instead of"), "{found}");
    let found = problems(|measured| measured.blinks[0].confidence -= 0.2);
    assert!(found.contains("confidence 0.7"), "{found}");
    let found = problems(|measured| measured.frames[7].left = None);
    assert!(
        found.contains("seen in one and not in the other 1 times"),
        "{found}"
    );
}

#[test]
fn a_number_that_is_none_never_passes() {
    let found = problems(|measured| {
        measured.frames[3].left = Some([f32::NAN, 1.0, 0.3]);
    });
    assert!(found.contains("eyes off by NaN"), "{found}");
}
