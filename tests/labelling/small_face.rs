//! Small faces in large frames.

use crate::labels::distance;
use crate::{Bench, LOSSLESS, Part, demo_clip, ffmpeg, run};

/// Distance between the eyes in the large frame, pixels.
const EYES_PX: f64 = 56.0;

const THREE_SECONDS: Part = Part {
    start_s: 46.5,
    length_s: 3.0,
};

#[test]
fn a_face_with_56_pixels_between_the_eyes_is_found_anywhere_in_a_full_hd_frame() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", THREE_SECONDS, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&reference);
    let kinds = ["keypoint-left-eye", "keypoint-right-eye"];
    let [left, right] = kinds.map(|kind| reference.points(kind));
    let distances: Vec<f64> = left
        .iter()
        .filter_map(|(frame, at)| Some(distance(*at, *right.get(frame)?)))
        .collect();
    let scale = EYES_PX * distances.len() as f64 / distances.iter().sum::<f64>();
    let width = (360.0 * scale / 2.0).round() * 2.0;
    let height = (288.0 * scale / 2.0).round() * 2.0;
    for (x, y) in [(40.0, 30.0), (800.0, 420.0), (1500.0, 760.0)] {
        let clip = bench.path("large.avi");
        let filters = format!(
            "[0]noise=alls=12:allf=t[wall];[1]scale={width}:{height}[face];[wall][face]overlay={x}:{y}:shortest=1"
        );
        run(ffmpeg()
            .args(["-f", "lavfi", "-i", "color=c=gray:s=1920x1080:r=24"])
            .args(["-ss", &THREE_SECONDS.start_s.to_string()])
            .args(["-t", &THREE_SECONDS.length_s.to_string()])
            .arg("-i")
            .arg(demo_clip())
            .args(["-an", "-filter_complex", &filters])
            .args(["-c:v", "mjpeg", "-q:v", "6"])
            .arg(&clip));
        let (outcome, labels) = bench.every_frame(&clip);
        assert_eq!(outcome.count("frames"), 72);
        for kind in kinds {
            // The frame is searched tile by tile: the first second is for that.
            let expected: Vec<_> = reference
                .points(kind)
                .into_iter()
                .filter(|(frame, _)| *frame >= 24)
                .collect();
            let found = labels.points(kind);
            let near = expected
                .iter()
                .filter(|(frame, at)| {
                    let at = (x + at.0 * width / 360.0, y + at.1 * height / 288.0);
                    found
                        .get(frame)
                        .is_some_and(|found| distance(at, *found) <= 5.0)
                })
                .count();
            assert!(
                near * 10 >= expected.len() * 9,
                "{kind} at {x},{y}: near the face in {near} of {} frames",
                expected.len()
            );
        }
    }
}
