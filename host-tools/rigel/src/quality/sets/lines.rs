//! Lines of two sets.

use super::OneClip;
use ::quality::{Curve, DeskKind, LineComparison};
use formats::{Line, LineKind, Standing};
use label_core::FrameIndex;

/// Adds what is said of a clip.
///
/// Of frames in which nobody looked at what a machine offers it is not known what is true: where the truth has candidates,
/// only frames count of which a person said something of the kind.
pub(super) fn add(
    comparison: &mut LineComparison,
    truth: &OneClip,
    told: &OneClip,
    only: Option<DeskKind>,
) {
    let is_whole = truth.is_whole
        && truth
            .lines
            .iter()
            .all(|line| line.standing != Standing::Machine);
    let wanted = |kind: &LineKind| only.is_none_or(|only| only == DeskKind::Line(*kind));
    for kind in LineKind::ALL.into_iter().filter(wanted) {
        let of = |line: &&Line| line.kind == kind;
        let judged: Vec<&Line> = truth
            .lines
            .iter()
            .filter(of)
            .filter(|line| line.standing != Standing::Machine)
            .collect();
        let predicted: Vec<&Line> = told
            .lines
            .iter()
            .filter(of)
            .filter(|line| line.standing.is_held())
            .collect();
        let both = judged.iter().chain(&predicted);
        let end = both.map(|line| line.frames.end + 1).max().unwrap_or(0);
        let frames = (0..end)
            .filter(|frame| is_whole || judged.iter().any(|line| line.frames.contains(*frame)));
        comparison.add(
            kind.name(),
            frames.map(|frame| {
                let right = judged.iter().filter(|line| line.standing.is_held());
                (
                    right.filter_map(|line| curve(line, frame)).collect(),
                    predicted
                        .iter()
                        .filter_map(|line| curve(line, frame))
                        .collect(),
                )
            }),
        );
    }
}

fn curve(line: &Line, frame: FrameIndex) -> Option<Curve> {
    let points = line.at(frame)?;
    Some(Curve {
        points: points.iter().map(|point| [point.x, point.y]).collect(),
        is_closed: line.is_closed,
    })
}
