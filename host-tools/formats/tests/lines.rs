//! Lines on faces, as CVAT draws them.
#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "tests: a failure here is a failed test; others use more of the common part"
)]

mod common;

use common::{clips, read_with};
use formats::{Format, Line, LineKey, LineKind, PointAt, ReadError, ReadSet, Standing};
use label_core::FrameRange;

fn read(label: &str, shapes: &str) -> Result<ReadSet, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let xml = format!(
        "<annotations><meta><task><name>rig-1:1048577:1 x</name><size>300</size></task></meta>\n<track id=\"4\" label=\"{label}\">\n{shapes}</track></annotations>"
    );
    std::fs::write(folder.path().join("a.xml"), xml).unwrap();
    read_with(Format::Cvat, folder.path(), &clips())
}

fn shape(name: &str, frame: u32, outside: u8, points: &str) -> String {
    format!(
        "<{name} frame=\"{frame}\" outside=\"{outside}\" keyframe=\"1\" occluded=\"0\" points=\"{points}\"/>\n"
    )
}

#[test]
fn a_polygon_is_a_closed_line_until_it_goes_outside() {
    let points = "10.5,20.25;30,20;30,40";
    let gone = shape("polygon", 120, 1, points);
    let shapes = shape("polygon", 100, 0, points) + &gone;
    let set = read("polyline-left-eyelid", &shapes).unwrap();
    let lines = &set.clips[0].lines;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].kind, LineKind::LeftEyelid);
    assert!(lines[0].is_closed);
    assert_eq!(lines[0].frames, FrameRange::new(100, 119));
    assert_eq!(lines[0].standing, Standing::Machine);
    let at: Vec<_> = lines[0].at(119).unwrap();
    assert_eq!((at[0].x, at[0].y, at.len()), (10.5, 20.25, 3));
    assert!(set.clips[0].clip.labels.is_empty());
    assert_eq!(set.dropped.reasons().count(), 0);
}

#[test]
fn a_polyline_is_open_and_holds_to_the_end_of_the_clip() {
    let shapes = shape("polyline", 5, 0, "1,2;3,4").replace(
        "/>",
        "><attribute name=\"standing\">confirmed</attribute></polyline>",
    );
    let set = read("polyline-face-outline", &shapes).unwrap();
    let line = &set.clips[0].lines[0];
    assert!(!line.is_closed);
    assert_eq!(line.frames, FrameRange::new(5, 299));
    assert_eq!(line.standing, Standing::Confirmed);
}

#[test]
fn lines_of_no_kind_are_left_out_and_counted() {
    let set = read("lane", &shape("polyline", 5, 0, "not read")).unwrap();
    let (why, count, _) = set.dropped.reasons().next().unwrap();
    assert_eq!((why, count), ("label \"lane\" is no kind of label here", 1));
    assert!(set.clips[0].lines.is_empty());
}

#[test]
fn what_cannot_be_a_line_is_refused_with_its_place() {
    let many = vec!["1,1"; 257].join(";");
    for (shapes, trouble) in [
        (shape("polygon", 5, 0, "1,2;3,4"), "lines have 3 to 256"),
        (shape("polyline", 5, 0, "1,2"), "lines have 2 to 256"),
        (shape("polyline", 5, 0, "1,2;3"), "is no place"),
        (shape("polyline", 5, 0, "1,2;inf,4"), "is no place"),
        (shape("polyline", 5, 0, "1,2;2e5,4"), "is no place"),
        (shape("polyline", 5, 0, &many), "more than 256 points"),
        (shape("points", 5, 0, "1,2;3,4"), "is no line"),
        (shape("polyline", 300, 0, "1,2;3,4"), "beyond the clip"),
        (
            shape("polyline", 5, 0, "1,2;3,4;5,7") + &shape("polygon", 9, 0, "1,2;3,4;5,7"),
            "open and closed",
        ),
    ] {
        let error = read("polyline-face-outline", &shapes)
            .unwrap_err()
            .to_string();
        assert!(error.contains(trouble), "{error}");
        assert!(error.contains("a.xml, line 3"), "{error}");
    }
}

fn points(places: &[(f64, f64)]) -> Vec<PointAt> {
    let point = |place: &(f64, f64)| PointAt {
        x: place.0,
        y: place.1,
    };
    places.iter().map(point).collect()
}

fn line(is_closed: bool, from: &[(f64, f64)], to: &[(f64, f64)]) -> Line {
    let key = |frame, places| LineKey {
        frame,
        points: points(places),
    };
    Line {
        kind: LineKind::LeftEyelid,
        frames: FrameRange::new(8, 30),
        is_closed,
        standing: Standing::Created,
        keys: vec![key(10, from), key(20, to)],
    }
}

#[test]
fn points_move_evenly_between_keyframes_and_stand_outside_them() {
    let one = line(
        false,
        &[(0.0, 0.0), (10.0, 0.0)],
        &[(20.0, 10.0), (30.0, 10.0)],
    );
    assert_eq!(one.at(7), None);
    assert_eq!(one.at(8), Some(points(&[(0.0, 0.0), (10.0, 0.0)])));
    assert_eq!(one.at(15), Some(points(&[(10.0, 5.0), (20.0, 5.0)])));
    assert_eq!(one.at(30), Some(points(&[(20.0, 10.0), (30.0, 10.0)])));
}

#[test]
fn keyframes_with_different_numbers_of_points_meet_at_equal_lengths() {
    // The straight one gets a third point in its middle.
    let open = line(
        false,
        &[(0.0, 0.0), (10.0, 0.0)],
        &[(0.0, 2.0), (5.0, 4.0), (10.0, 2.0)],
    );
    assert_eq!(
        open.at(15),
        Some(points(&[(0.0, 1.0), (5.0, 2.0), (10.0, 1.0)]))
    );
    // Around a square of side 10 six points lie 40 / 6 apart.
    let square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)];
    let both = line(true, &square, &[(0.0, 0.0); 6]);
    let six = both.at(15).unwrap();
    // Half way to six points in one corner.
    assert!((six[1].x - 20.0 / 6.0).abs() < 1e-9 && six[1].y == 0.0);
    assert!((six[3].x - 5.0).abs() < 1e-9 && (six[3].y - 5.0).abs() < 1e-9);
    assert!(six[5].x == 0.0 && (six[5].y - 20.0 / 6.0).abs() < 1e-9);
}

#[test]
fn a_line_whose_points_are_all_in_one_place_is_taken_as_it_is() {
    let dot = line(true, &[(3.0, 3.0); 3], &[(3.0, 3.0); 5]);
    assert_eq!(dot.at(15), Some(points(&[(3.0, 3.0); 5])));
}

#[test]
fn every_kind_is_found_by_its_name() {
    for kind in LineKind::ALL {
        assert_eq!(LineKind::from_name(kind.name()), Some(kind));
    }
}
