//! A label's value in a request. A rig of a later version may tell more of an event than we know; a request may not:
//! what is not understood is refused, never dropped.

use crate::request::Object;
use label_core::FrameIndex;
use label_core::wire::{
    BoxKeyframe, EventEyes, EventValue, LabelValue, MAX_KEYFRAMES, PointKeyframe,
};
use quality::{DeskValue, LineKey, LineValue};
use serde::Deserialize;

/// [`DeskValue`], taken literally.
#[expect(
    clippy::large_enum_variant,
    reason = "lives for one request, and becomes the wire's own, which is as large"
)]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ValueBody {
    Boxes(heapless::Vec<BoxKeyframe, MAX_KEYFRAMES>),
    Points(heapless::Vec<PointKeyframe, MAX_KEYFRAMES>),
    Flag(bool),
    Level(u8),
    Event(Object<EventBody>),
    Line(Object<LineBody>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineBody {
    closed: bool,
    keys: Vec<LineKey>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventBody {
    eyes: EventEyes,
    peak: FrameIndex,
    opening: f32,
}

impl From<ValueBody> for DeskValue {
    fn from(body: ValueBody) -> Self {
        Self::Offered(match body {
            ValueBody::Boxes(boxes) => LabelValue::Boxes(boxes),
            ValueBody::Points(points) => LabelValue::Points(points),
            ValueBody::Flag(flag) => LabelValue::Flag(flag),
            ValueBody::Level(level) => LabelValue::Level(level),
            ValueBody::Event(Object(event)) => LabelValue::Event(EventValue {
                eyes: event.eyes,
                peak: event.peak,
                opening: event.opening,
            }),
            ValueBody::Line(Object(line)) => {
                return LineValue {
                    closed: line.closed,
                    keys: line.keys,
                }
                .into();
            }
        })
    }
}
