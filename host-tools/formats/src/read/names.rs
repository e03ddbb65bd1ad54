//! What names in other people's files stand for.

use crate::clip::{Event, Model, Standing, Value};
use crate::line::LineKind;
use label_core::wire::EventEyes;
use label_core::{FrameRange, LabelKind};
use std::collections::BTreeMap;

/// Names that are common enough to be known.
const KNOWN: [(&str, LabelKind); 17] = [
    ("person", LabelKind::BboxPerson),
    ("pedestrian", LabelKind::BboxPerson),
    ("driver", LabelKind::BboxPerson),
    ("passenger", LabelKind::BboxPerson),
    ("left_eye", LabelKind::KeypointLeftEye),
    ("right_eye", LabelKind::KeypointRightEye),
    ("blinking", LabelKind::Blink),
    ("blinks/blinking", LabelKind::Blink),
    ("eyes_closed_long", LabelKind::LongClosure),
    ("glasses", LabelKind::WearingGlasses),
    ("wearing_glasses", LabelKind::WearingGlasses),
    ("in_shadow", LabelKind::InShadow),
    ("face_occluded", LabelKind::FaceOccluded),
    ("light_change", LabelKind::LightChange),
    ("video_quality", LabelKind::VideoQuality),
    ("bbox_person", LabelKind::BboxPerson),
    ("long_closure", LabelKind::LongClosure),
];

/// What a name says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meaning {
    pub(super) kind: LabelKind,
    /// A state's value, where the name has it.
    pub(super) word: Option<String>,
    /// Where the name says who stands behind it.
    pub(super) standing: Option<Standing>,
}

/// The kind and value of a name such as `blink`, `wearing-glasses=true`, `alertness/4`, `rejected:blink` or one of the table.
pub(super) fn meaning(name: &str, table: &BTreeMap<String, String>) -> Option<Meaning> {
    let name = table.get(name).map_or(name, String::as_str).trim();
    for (prefix, standing) in [
        ("rejected", Standing::Rejected),
        ("abstained", Standing::Abstained),
    ] {
        let rest = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix(['-', ':', '/', ' ']));
        if let Some(rest) = rest {
            let inner = meaning(rest, &BTreeMap::new())?;
            return Some(Meaning {
                standing: Some(standing),
                ..inner
            });
        }
    }
    if let Some(kind) = kind_of(name) {
        return Some(Meaning {
            kind,
            word: None,
            standing: None,
        });
    }
    let (name, word) = name.split_once('=').or_else(|| name.split_once('/'))?;
    Some(Meaning {
        kind: kind_of(name)?,
        word: Some(word.to_owned()),
        standing: None,
    })
}

fn kind_of(name: &str) -> Option<LabelKind> {
    let low = name.to_ascii_lowercase();
    LabelKind::from_name(&low).or_else(|| {
        let known = KNOWN.iter().find(|(known, _)| *known == low)?;
        Some(known.1)
    })
}

/// The line of a name such as `polyline-left-eyelid`, or of one that the table gives this meaning.
pub(super) fn line_kind(name: &str, table: &BTreeMap<String, String>) -> Option<LineKind> {
    let name = table.get(name).map_or(name, String::as_str).trim();
    LineKind::from_name(&name.to_ascii_lowercase())
}

/// Whether a word says that there is no such event.
pub(super) fn is_absent(kind: LabelKind, word: Option<&str>) -> bool {
    let word = word.map(str::to_ascii_lowercase);
    kind.is_event() && matches!(word.as_deref(), Some("false" | "no" | "0"))
}

/// What a label of a kind that has no place says; of an event nobody told the peak of, it is its middle.
pub(super) fn value(
    kind: LabelKind,
    word: Option<&str>,
    frames: FrameRange,
    event: (Option<EventEyes>, Option<u32>, Option<f64>),
) -> Result<Value, String> {
    let number = || word.and_then(|word| word.parse::<u8>().ok());
    match kind {
        LabelKind::Blink | LabelKind::LongClosure => {
            if is_absent(kind, word) {
                return Err(format!(
                    "{kind} is an event: where there is none, there is no label"
                ));
            }
            let (eyes, peak, opening) = event;
            Ok(Value::Event(Event {
                eyes: eyes.unwrap_or(EventEyes::Both),
                peak: peak.unwrap_or(frames.start.midpoint(frames.end)),
                opening: opening.unwrap_or(0.0),
            }))
        }
        LabelKind::Alertness | LabelKind::VideoQuality => number()
            .filter(|level| (1..=5).contains(level))
            .map(Value::Level)
            .ok_or_else(|| format!("{kind} is 1 to 5, not {}", word.unwrap_or("nothing"))),
        LabelKind::WearingGlasses
        | LabelKind::InShadow
        | LabelKind::FaceOccluded
        | LabelKind::LightChange => match word.map(str::to_ascii_lowercase).as_deref() {
            // A state that is only named is there.
            None | Some("" | "true" | "yes" | "1") => Ok(Value::Flag(true)),
            Some("false" | "no" | "0") => Ok(Value::Flag(false)),
            Some(word) => Err(format!("{kind} is true or false, not {word:?}")),
        },
        _ => Err(format!("{kind} has a place")),
    }
}

/// The value of something that was rejected, where only its frames are told.
pub(super) fn nowhere(kind: LabelKind) -> Value {
    if kind == LabelKind::BboxPerson {
        Value::Boxes(Vec::new())
    } else {
        Value::Points(Vec::new())
    }
}

/// The eyes of this name.
pub(super) fn eyes(word: &str) -> Option<EventEyes> {
    match word {
        "both" => Some(EventEyes::Both),
        "left" => Some(EventEyes::Left),
        "right" => Some(EventEyes::Right),
        _ => None,
    }
}

/// The standing of this name.
pub(super) fn standing(word: &str) -> Option<Standing> {
    Standing::ALL.into_iter().find(|one| one.name() == word)
}

/// The model of such a word; digits that are missing stay missing.
pub(super) fn model(word: &str) -> Model {
    let (named, sha256) = word.rsplit_once('+').unwrap_or((word, ""));
    let (name, version) = named.rsplit_once('@').unwrap_or((named, ""));
    Model {
        name: name.to_owned(),
        version: version.to_owned(),
        sha256: sha256.to_owned(),
    }
}
