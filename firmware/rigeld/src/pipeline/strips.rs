//! Filmstrips: one for each face that is followed.

use label_core::labeller::MAX_PERSONS;
use label_core::wire::Label;
use label_core::{LabelKind, TrackId};
use perception::Filmstrip;

/// Frames that a filmstrip reaches back: twice a blink, its margins and the lag at 60 frames a second; 4 MB a person. Of a
/// longer closure the strip shows the end.
const STRIP_FRAMES: usize = 256;

/// Filmstrips kept, of 4 MB each: one for each person that can be in view. People come and go all day, and the memory
/// for them must not grow with their number.
const MAX_STRIPS: usize = MAX_PERSONS;

/// One a tracked face, at most [`MAX_STRIPS`], the one used last at the end.
#[derive(Default)]
pub(super) struct Strips {
    strips: Vec<(TrackId, Filmstrip)>,
}

impl Strips {
    /// Another clip begins.
    pub(super) fn clear(&mut self) {
        for (_, strip) in &mut self.strips {
            strip.clear();
        }
    }

    /// The strip of a person, begun if there is none; whoever was seen longest ago gives up theirs where all are taken.
    pub(super) fn of(&mut self, track: TrackId) -> &mut Filmstrip {
        let strips = &mut self.strips;
        let place = strips.iter().position(|(of, _)| *of == track);
        let place = place.unwrap_or_else(|| {
            if strips.len() < MAX_STRIPS {
                strips.push((track, Filmstrip::new(STRIP_FRAMES)));
                return strips.len() - 1;
            }
            strips[0].0 = track;
            strips[0].1.clear();
            0
        });
        // Ordered by when they were last used.
        strips[place..].rotate_left(1);
        let last = strips.len() - 1;
        &mut strips[last].1
    }

    /// The strip that shows this event; `None` for labels that are none.
    pub(super) fn of_event(&mut self, label: &Label) -> Option<&mut Filmstrip> {
        let is_event = matches!(label.kind, LabelKind::Blink | LabelKind::LongClosure)
            && label.value.is_some();
        let track = label.track.filter(|_| is_event)?;
        self.strips
            .iter_mut()
            .find(|(of, _)| *of == track)
            .map(|(_, strip)| strip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_people_come_there_are_few_strips_and_whoever_is_in_view_keeps_theirs() {
        let mut strips = Strips::default();
        strips.of(1);
        for passer_by in 2..50 {
            strips.of(passer_by);
            strips.of(1);
            let of: Vec<TrackId> = strips.strips.iter().map(|(of, _)| *of).collect();
            assert!(of.len() <= MAX_STRIPS && of.contains(&passer_by));
            assert_eq!(of.iter().filter(|of| **of == 1).count(), 1);
        }
    }
}
