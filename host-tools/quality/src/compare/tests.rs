use super::*;

fn at<const N: usize>(frame: FrameIndex, track: TrackId, at: [f64; N]) -> At<N> {
    At {
        frame,
        track,
        at,
        score: 1.0,
    }
}

fn span(kind: LabelKind, track: TrackId, start: FrameIndex, end: FrameIndex, says: u8) -> Span {
    Span {
        kind,
        track: Some(track),
        frames: FrameRange::new(start, end),
        says,
    }
}

fn compared(truth: &Side, predicted: &Side) -> Vec<Row> {
    let mut comparison = Comparison::default();
    comparison.add(truth, predicted, &|_, _, _| true);
    comparison.rows()
}

fn row(rows: &[Row], kind: LabelKind) -> &Row {
    rows.iter().find(|row| row.kind == kind).unwrap()
}

#[test]
fn people_are_paired_by_where_they_are_whatever_number_a_set_gives_them() {
    let eyes = |a: TrackId, b: TrackId, shift: f64| Side {
        eyes: [
            (0..20)
                .flat_map(|n| {
                    [
                        at(n, a, [100.0 + shift, 50.0]),
                        at(n, b, [400.0 + shift, 50.0]),
                    ]
                })
                .collect(),
            Vec::new(),
        ],
        spans: vec![span(LabelKind::WearingGlasses, a, 0, 19, 1)],
        ..Side::default()
    };
    let rows = compared(&eyes(1, 2, 0.0), &eyes(9, 4, 3.0));
    let eye = row(&rows, LabelKind::KeypointLeftEye);
    assert_eq!((eye.truth, eye.predicted, eye.right), (40, 40, 40));
    assert_eq!(eye.error.unwrap().median, 3.0);
    assert_eq!(row(&rows, LabelKind::WearingGlasses).right, 20);
}

#[test]
fn a_prediction_without_tracks_is_measured_as_one_with_them() {
    let side = |track: &dyn Fn(u32) -> TrackId| Side {
        boxes: (0..1000)
            .map(|n| at(n, track(n), [10.0, 10.0, 200.0, 300.0]))
            .collect(),
        eyes: [
            (0..1000).map(|n| at(n, track(n), [60.0, 80.0])).collect(),
            Vec::new(),
        ],
        ..Side::default()
    };
    let truth = side(&|_| 1);
    // Somebody new in each picture.
    let predicted = side(&|n| n as TrackId + 1);
    // Nobody said anything of other people.
    let mut comparison = Comparison::default();
    comparison.add(&truth, &predicted, &|_, track, _| track == Some(1));
    for row in comparison.rows() {
        let counts = (row.truth, row.predicted, row.right);
        assert_eq!(counts, (1000, 1000, 1000), "{}", row.kind);
    }
    // Two at a time are two people still.
    let mut twice = predicted;
    twice
        .boxes
        .extend((0..1000).map(|n| at(n, 2000 + n as TrackId, [15.0, 10.0, 200.0, 300.0])));
    twice.boxes.sort_by_key(|at| at.frame);
    let rows = compared(&truth, &twice);
    let boxes = row(&rows, LabelKind::BboxPerson);
    assert_eq!((boxes.predicted, boxes.right), (2000, 1000));
}

#[test]
fn a_small_box_is_held_to_less_and_two_predictions_cannot_share_a_true_box() {
    let boxes = |width: f64, shifts: &[f64]| Side {
        boxes: (1..)
            .zip(shifts)
            .map(|(track, shift)| at(0, track, [10.0 + shift, 10.0, width, 200.0]))
            .collect(),
        ..Side::default()
    };
    // Shifted by 15 %: IoU 0.74.
    let small = compared(&boxes(80.0, &[0.0]), &boxes(80.0, &[12.0]));
    assert_eq!(small[0].right, 1);
    let large = compared(&boxes(160.0, &[0.0]), &boxes(160.0, &[24.0]));
    assert_eq!(large[0].right, 0);
    let twice = compared(&boxes(160.0, &[0.0]), &boxes(160.0, &[0.0, 1.0]));
    assert_eq!((twice[0].predicted, twice[0].right), (2, 1));
}

#[test]
fn blinks_are_matched_one_to_one_and_their_ends_are_measured() {
    let blinks = |frames: &[(u32, u32)]| Side {
        spans: frames
            .iter()
            .map(|(start, end)| span(LabelKind::Blink, 1, *start, *end, 0))
            .collect(),
        ..Side::default()
    };
    let rows = compared(
        &blinks(&[(10, 17), (40, 47), (90, 97)]),
        &blinks(&[(11, 18), (10, 14), (60, 66), (90, 99)]),
    );
    let blink = row(&rows, LabelKind::Blink);
    assert_eq!((blink.truth, blink.predicted, blink.right), (3, 4, 2));
    // One frame at both ends, none and two.
    assert_eq!(
        blink.error,
        Some(Spread {
            median: 1.0,
            p90: 2.0
        })
    );
}

#[test]
fn what_nobody_judged_is_neither_right_nor_wrong() {
    let truth = Side {
        boxes: vec![at(0, 1, [0.0, 0.0, 200.0, 200.0])],
        ..Side::default()
    };
    let predicted = Side {
        boxes: (0..9).map(|n| at(n, 1, [0.0, 0.0, 200.0, 200.0])).collect(),
        ..Side::default()
    };
    let mut comparison = Comparison::default();
    comparison.add(&truth, &predicted, &|_, _, frame| frame == 0);
    let rows = comparison.rows();
    assert_eq!((rows[0].predicted, rows[0].right), (1, 1));
    let every = compared(&truth, &predicted);
    assert_eq!((every[0].predicted, every[0].right), (9, 1));
}

#[test]
fn intervals_are_by_clip_and_there_is_none_of_few() {
    let side = |says| Side {
        spans: vec![span(LabelKind::WearingGlasses, 1, 0, 99, says)],
        ..Side::default()
    };
    let mut comparison = Comparison::default();
    for clip in 0..10 {
        let interval = comparison
            .rows()
            .first()
            .and_then(|row| row.agreement?.interval);
        assert_eq!(interval.is_some(), clip >= 5, "{clip} clips");
        comparison.add(&side(1), &side(u8::from(clip > 0)), &|_, _, _| true);
    }
    let rows = comparison.rows();
    let interval = rows[0].agreement.unwrap().interval.unwrap();
    // A thousand frames, and hardly more than ten judgements.
    assert!(
        interval.effective < 20.0 && interval.low < 0.75,
        "{interval:?}"
    );
}
