//! The value of a label at the desk.

use crate::LineValue;
use label_core::wire::{BoxKeyframe, EventValue, LabelValue, MAX_KEYFRAMES, PointKeyframe};
use serde::{Deserialize, Serialize};

/// What a label says. In JSON it is an object with one field, named after what follows: `boxes`, `points`, `flag`, `level`,
/// `event` as rigs send them, or `line`.
#[expect(
    clippy::large_enum_variant,
    reason = "lines are few; what rigs offer is most of what is kept"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, from = "Written")]
pub enum DeskValue {
    /// Of a kind that rigs offer.
    Offered(LabelValue),
    /// A line.
    Line {
        /// Where it is.
        line: LineValue,
    },
}

impl DeskValue {
    /// What a rig could have told; none of a line.
    pub const fn offered(&self) -> Option<&LabelValue> {
        match self {
            Self::Offered(value) => Some(value),
            Self::Line { .. } => None,
        }
    }
}

impl From<LabelValue> for DeskValue {
    fn from(value: LabelValue) -> Self {
        Self::Offered(value)
    }
}

impl From<LineValue> for DeskValue {
    fn from(line: LineValue) -> Self {
        Self::Line { line }
    }
}

/// The same as one enum, whose field tells at once what follows: nothing is read twice.
#[expect(
    clippy::large_enum_variant,
    reason = "lives as long as it takes to read it"
)]
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Written {
    Boxes(heapless::Vec<BoxKeyframe, MAX_KEYFRAMES>),
    Points(heapless::Vec<PointKeyframe, MAX_KEYFRAMES>),
    Flag(bool),
    Level(u8),
    Event(EventValue),
    Line(LineValue),
}

impl From<Written> for DeskValue {
    fn from(written: Written) -> Self {
        Self::Offered(match written {
            Written::Boxes(boxes) => LabelValue::Boxes(boxes),
            Written::Points(points) => LabelValue::Points(points),
            Written::Flag(flag) => LabelValue::Flag(flag),
            Written::Level(level) => LabelValue::Level(level),
            Written::Event(event) => LabelValue::Event(event),
            Written::Line(line) => return Self::Line { line },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LineKey;

    #[test]
    fn a_line_and_what_rigs_offer_are_written_alike() {
        let line = LineValue {
            closed: true,
            keys: vec![LineKey(7, vec![[1.5, 2.25], [3.0, 4.0], [5.0, 6.0]])],
        };
        for (value, text) in [
            (
                DeskValue::from(line),
                r#"{"line":{"closed":true,"keys":[[7,[[1.5,2.25],[3.0,4.0],[5.0,6.0]]]]}}"#,
            ),
            (LabelValue::Flag(true).into(), r#"{"flag":true}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert_eq!(serde_json::from_str::<DeskValue>(text).unwrap(), value);
        }
        assert!(serde_json::from_str::<DeskValue>(r#"{"curve":1}"#).is_err());
    }
}
