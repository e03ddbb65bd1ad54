//! ELAN: a file a clip, `<clip>.eaf`, format 3.0.
//!
//! Times are milliseconds on the clip's time line; an annotation ends where the frame after its last one begins. A tier is a kind of a
//! track (`blink 1`), of the scene (`light-change`), of what was rejected (`rejected blink 1`) or not said (`abstained blink 1`); annotations of one tier never
//! overlap, so labels that do are cut. Boxes and points have no place in ELAN.

use crate::clip::{Clip, Label, Standing};
use crate::cvat::{lose_beside_labels, of_standing, place};
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::moments::has_place;
use crate::pieces::{Piece, pieces};
use crate::xml::escaped;
use std::fmt::Write as _;

pub(crate) struct Elan;

impl Writer for Elan {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        lose_beside_labels(clip, to);
        let places = clip
            .labels
            .iter()
            .filter(|label| has_place(label.kind) && label.value.is_some());
        to.lose("boxes and eyes: left out", places.count() as u64);
        let with_model = clip.labels.iter().filter(|label| label.model.is_some());
        to.lose("models: left out", with_model.count() as u64);
        let (mut slots, mut tiers, mut number) = (String::new(), String::new(), 0);
        for (prefix, of) in [
            ("", pieces(clip)),
            ("rejected ", of_standing(clip, Standing::Rejected)),
            ("abstained ", of_standing(clip, Standing::Abstained)),
        ] {
            for ((track, kind), pieces) in &of {
                if has_place(*kind) && prefix != "abstained " {
                    continue;
                }
                let track = track.map_or(String::new(), |track| format!(" {track}"));
                // Writing to a String cannot fail.
                let _ = writeln!(
                    tiers,
                    "<TIER LINGUISTIC_TYPE_REF=\"default-lt\" TIER_ID=\"{prefix}{kind}{track}\">"
                );
                for piece in pieces {
                    let Some((start, end)) = times(clip, piece) else {
                        to.lose("labels whose times the rig has not told: left out", 1);
                        continue;
                    };
                    number += 1;
                    let (from, until) = (2 * number - 1, 2 * number);
                    let _ = writeln!(
                        slots,
                        "<TIME_SLOT TIME_SLOT_ID=\"ts{from}\" TIME_VALUE=\"{start}\"/>\n<TIME_SLOT TIME_SLOT_ID=\"ts{until}\" TIME_VALUE=\"{end}\"/>"
                    );
                    let _ = writeln!(
                        tiers,
                        "<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a{number}\" TIME_SLOT_REF1=\"ts{from}\" TIME_SLOT_REF2=\"ts{until}\">\
                         <ANNOTATION_VALUE>{}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>",
                        escaped(&words(piece.label))
                    );
                }
                tiers.push_str("</TIER>\n");
            }
        }
        // Beside this file, or in a folder beside this one's.
        let media = match clip.beside.film() {
            Some(film) => escaped(&format!("../{film}")),
            None => escaped(clip.name.as_deref().unwrap_or_default()),
        };
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ANNOTATION_DOCUMENT AUTHOR=\"Rigel\" DATE=\"1970-01-01T00:00:00+00:00\" FORMAT=\"3.0\" VERSION=\"3.0\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:noNamespaceSchemaLocation=\"http://www.mpi.nl/tools/elan/EAFv3.0.xsd\">\n\
             <HEADER MEDIA_FILE=\"\" TIME_UNITS=\"milliseconds\">\n\
             <MEDIA_DESCRIPTOR MEDIA_URL=\"{media}\" MIME_TYPE=\"video/mp4\" RELATIVE_MEDIA_URL=\"./{media}\"/>\n\
             <PROPERTY NAME=\"clip\">{}</PROPERTY>\n</HEADER>\n<TIME_ORDER>\n{slots}</TIME_ORDER>\n{tiers}\
             <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"default-lt\" TIME_ALIGNABLE=\"true\"/>\n</ANNOTATION_DOCUMENT>\n",
            escaped(&clip.id)
        );
        to.output
            .whole(&place(to.subset, clip, "eaf"), text.as_bytes())
    }

    fn end(&self, _: &mut Target<'_>) -> Result<(), FormatError> {
        Ok(())
    }
}

/// Milliseconds from the first frame's beginning to the last frame's end.
fn times(clip: &Clip, piece: &Piece<'_>) -> Option<(i64, i64)> {
    let ms = |us: i64| (us + 500).div_euclid(1000);
    let start = clip.frames.pts_us(piece.frames.start)?;
    let end = clip.frames.until_us(piece.frames.end)?;
    Some((ms(start), ms(end)))
}

/// What is said, then in brackets who says so: `blinking [confirmed by ann, 0.97]`.
fn words(label: &Label) -> String {
    let said = match label.standing {
        Standing::Abstained => label
            .reason
            .map_or("", label_core::AbstainReason::name)
            .to_owned(),
        _ => label
            .state_word()
            .unwrap_or_else(|| label.kind.name().to_owned()),
    };
    let mut by = label.standing.name().to_owned();
    if let Some(person) = &label.by {
        let _ = write!(by, " by {person}");
    }
    if let Some(cause) = &label.cause {
        let _ = write!(by, ": {cause}");
    }
    if let Some(confidence) = label.confidence {
        let _ = write!(by, ", {confidence}");
    }
    format!("{said} [{by}]")
}
