//! The lines that `rigeld label` writes, read back.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A position a frame.
pub(crate) type Points = BTreeMap<u64, (f64, f64)>;

/// The kinds of one person that are given frame by frame.
pub(crate) const PER_FRAME: [&str; 3] = ["bbox-person", "keypoint-left-eye", "keypoint-right-eye"];

/// The kinds that no labeller makes yet.
pub(crate) const ATTRIBUTES: [&str; 4] =
    ["wearing-glasses", "in-shadow", "face-occluded", "alertness"];

/// The kinds of the scene.
pub(crate) const SCENE: [&str; 2] = ["light-change", "video-quality"];

/// Lines, each a label.
#[derive(Debug)]
pub(crate) struct Labels(Vec<Value>);

impl Labels {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("no labels in {}: {error}", path.display()));
        let line = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in line {line}"))
        };
        Self(text.lines().map(line).collect())
    }

    pub(crate) fn lines(&self) -> &[Value] {
        &self.0
    }

    /// The lines of pictures of this name.
    pub(crate) fn of_clip(&self, name: &str) -> Self {
        let of = |line: &&Value| line["clip"] == name;
        Self(self.0.iter().filter(of).cloned().collect())
    }

    fn candidates(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.0
            .iter()
            .filter(move |line| line["kind"] == kind && line["decision"] == "candidate")
    }

    /// Frame ranges of the events that are offered.
    pub(crate) fn events(&self, kind: &str) -> Vec<(u64, u64)> {
        let mut events: Vec<_> = self.candidates(kind).map(frames).collect();
        events.sort_unstable();
        events
    }

    /// Positions of one eye of the first person, from lines for every frame.
    pub(crate) fn points(&self, kind: &str) -> Points {
        self.candidates(kind)
            .filter(|line| line["track"] == 1)
            .map(|line| {
                let at = |axis| line["point"][axis].as_f64().expect("a point has numbers");
                (line["frame"].as_u64().expect("a frame"), (at(0), at(1)))
            })
            .collect()
    }

    /// Times by frame, from lines for every frame.
    pub(crate) fn times_us(&self) -> BTreeMap<u64, i64> {
        self.0
            .iter()
            .filter_map(|line| Some((line["frame"].as_u64()?, line["pts_us"].as_i64()?)))
            .collect()
    }

    /// How often each frame of `count` is spoken of by lines of this kind and track.
    pub(crate) fn covered(&self, kind: &str, track: Option<u64>, count: u64) -> Vec<u32> {
        let mut covered = vec![0; count as usize];
        for line in &self.0 {
            if line["kind"] == kind && line["track"].as_u64() == track {
                let (first, last) = frames(line);
                for frame in first..=last {
                    covered[frame as usize] += 1;
                }
            }
        }
        covered
    }

    /// The last frame that any line speaks of.
    pub(crate) fn last_frame(&self) -> u64 {
        self.0
            .iter()
            .map(|line| frames(line).1)
            .max()
            .expect("lines")
    }
}

/// First and last frame of a line.
pub(crate) fn frames(line: &Value) -> (u64, u64) {
    let number = |value: &Value| value.as_u64();
    number(&line["frame"])
        .map(|frame| (frame, frame))
        .or_else(|| number(&line["frames"][0]).zip(number(&line["frames"][1])))
        .unwrap_or_else(|| panic!("no frames in {line}"))
}

/// Both eyes of two versions of a clip: in nearly all frames found in both, and at the same place once `place` has put
/// the reference's positions where they should be.
pub(crate) fn assert_same_eyes(
    reference: &Labels,
    labels: &Labels,
    within_px: f64,
    place: impl Fn((f64, f64)) -> (f64, f64),
) {
    for kind in ["keypoint-left-eye", "keypoint-right-eye"] {
        let (expected, found) = (reference.points(kind), labels.points(kind));
        let pairs: Vec<_> = expected
            .iter()
            .filter_map(|(frame, at)| Some((frame, place(*at), *found.get(frame)?)))
            .collect();
        assert!(
            !expected.is_empty() && pairs.len() * 20 >= expected.len() * 19,
            "{kind}: found in {} of {} frames",
            pairs.len(),
            expected.len()
        );
        for (frame, expected, found) in pairs {
            let apart = distance(expected, found);
            assert!(
                apart <= within_px,
                "{kind} in frame {frame}: {found:?}, expected {expected:?}, {apart:.2} px apart"
            );
        }
    }
}

pub(crate) fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}
