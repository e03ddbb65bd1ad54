//! Numbers that can be a place in a picture, and lines made of such places.

use super::{Gathered, Spot};
use crate::line::{Line, MAX_LINE_POINTS};
use crate::read::ReadError;

/// Larger than any sensor, pixels.
const MAX_PIXEL: f64 = 100_000.0;

/// Numbers that can be a place in a picture, sizes not below 0.
pub(super) fn sound(place: &[f64], at: Spot<'_>) -> Result<(), ReadError> {
    let broken = |trouble: String| Err(ReadError::broken(at.0, at.1, trouble));
    if let Some(wrong) = place
        .iter()
        .find(|value| !(value.is_finite() && value.abs() <= MAX_PIXEL))
    {
        return broken(format!("{wrong} is no place in a picture"));
    }
    match place {
        [_, _, width, height] if *width < 0.0 || *height < 0.0 => {
            broken(format!("a box of {width} x {height} has a negative size"))
        }
        _ => Ok(()),
    }
}

impl Gathered<'_> {
    /// Takes a line, whose points were counted when they were read.
    pub(in crate::read) fn line(
        &mut self,
        clip: &str,
        line: Line,
        at: Spot<'_>,
    ) -> Result<(), ReadError> {
        self.within(clip, line.frames, at)?;
        let least = if line.is_closed { 3 } else { 2 };
        for key in &line.keys {
            let count = key.points.len();
            if !(least..=MAX_LINE_POINTS).contains(&count) {
                let trouble = format!(
                    "{} has {count} points in frame {}: lines have {least} to {MAX_LINE_POINTS}",
                    line.kind.name(),
                    key.frame
                );
                return Err(ReadError::broken(at.0, at.1, trouble));
            }
            for point in &key.points {
                sound(&[point.x, point.y], at)?;
            }
        }
        self.one_more(1, at)?;
        let gathering = self.clips.get_mut(clip).expect("clips are named by this");
        gathering.lines.push(line);
        Ok(())
    }
}
