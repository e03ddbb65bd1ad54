//! A label's value in a request. A rig of a later version may tell more of an event than we know; a request may not:
//! what is not understood is refused, never dropped.

use crate::request::Object;
use label_core::FrameIndex;
use label_core::wire::{
    BoxKeyframe, EventEyes, EventValue, LabelValue, MAX_KEYFRAMES, PointKeyframe,
};
use serde::Deserialize;

/// [`LabelValue`], taken literally.
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventBody {
    eyes: EventEyes,
    peak: FrameIndex,
    opening: f32,
}

impl From<ValueBody> for LabelValue {
    fn from(body: ValueBody) -> Self {
        match body {
            ValueBody::Boxes(boxes) => Self::Boxes(boxes),
            ValueBody::Points(points) => Self::Points(points),
            ValueBody::Flag(flag) => Self::Flag(flag),
            ValueBody::Level(level) => Self::Level(level),
            ValueBody::Event(Object(event)) => Self::Event(EventValue {
                eyes: event.eyes,
                peak: event.peak,
                opening: event.opening,
            }),
        }
    }
}
