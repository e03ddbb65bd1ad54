//! Tracks of `<polyline>` (open) and `<polygon>` (closed).

use super::{Attributes, Shape};
use crate::clip::{PointAt, Standing};
use crate::line::{Line, LineKey, LineKind, MAX_LINE_POINTS};
use crate::read::gather::Gathered;
use crate::read::{ReadError, names};
use label_core::FrameRange;
use std::path::Path;

/// A line as one shape draws it.
pub(super) struct Drawn {
    is_closed: bool,
    points: Vec<PointAt>,
}

/// The line that a shape draws: `points="x,y;x,y"`. None of shapes of another sort. Its points count here, where they first
/// take memory.
pub(super) fn drawn(
    name: &str,
    attributes: &Attributes,
    to: &mut Gathered<'_>,
    at: (&Path, u64),
) -> Result<Option<Drawn>, ReadError> {
    let broken = |trouble: String| ReadError::broken(at.0, at.1, trouble);
    let is_closed = match name {
        "polygon" => true,
        "polyline" => false,
        _ => return Ok(None),
    };
    let text = attributes
        .get("points")
        .ok_or_else(|| broken("the attribute points is missing".to_owned()))?;
    let mut points = Vec::new();
    for place in text.split(';') {
        if points.len() == MAX_LINE_POINTS {
            return Err(broken(format!(
                "a line has more than {MAX_LINE_POINTS} points"
            )));
        }
        let point = place.split_once(',').and_then(|(x, y)| {
            Some(PointAt {
                x: x.trim().parse().ok()?,
                y: y.trim().parse().ok()?,
            })
        });
        points.push(point.ok_or_else(|| {
            let place: String = place.chars().take(40).collect();
            broken(format!("{place:?} among the points is no place: x,y"))
        })?);
    }
    to.one_more(points.len(), (at.0, Some(at.1)))?;
    Ok(Some(Drawn { is_closed, points }))
}

/// A line for a run of shapes.
pub(super) fn take(
    clip: &str,
    kind: LineKind,
    (frames, run): (FrameRange, &[&Shape]),
    to: &mut Gathered<'_>,
    path: &Path,
) -> Result<(), ReadError> {
    let first = run[0];
    let broken = |trouble: String| ReadError::broken(path, first.line, trouble);
    let standing = match first.attributes.get("standing") {
        Some(word) if !word.is_empty() => names::standing(word)
            .ok_or_else(|| broken(format!("{word:?} is no standing of a label")))?,
        _ => to.reading.standing,
    };
    if standing == Standing::Abstained {
        to.dropped
            .note("abstentions of lines", path, Some(first.line));
        return Ok(());
    }
    let shape = |shape: &&Shape| shape.drawn.as_ref().map(|drawn| drawn.is_closed);
    let is_closed = run.first().and_then(shape);
    let Some(is_closed) = is_closed.filter(|_| run.iter().all(|one| shape(one) == is_closed))
    else {
        return Err(broken(format!(
            "{} is drawn as a shape that is no line, or as open and closed ones: tracks of polylines or of polygons",
            kind.name()
        )));
    };
    let key = |shape: &&Shape| {
        let points = shape.drawn.as_ref()?.points.clone();
        let frame = shape.frame;
        Some(LineKey { frame, points })
    };
    let line = Line {
        kind,
        frames,
        is_closed,
        standing,
        keys: run.iter().filter_map(key).collect(),
    };
    to.line(clip, line, (path, Some(first.line)))
}
