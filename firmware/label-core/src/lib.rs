//! What a label is, on both sides of the wire.
//!
//! The rig makes candidate labels with this crate and the host reads them with it, so neither can drift from the
//! other. It holds geometry, kinds and reasons, confidence, blink detection, keyframe tracks, coverage and the wire
//! format. It does not hold models, cameras, disks or networks, and it never reads a clock: time is an argument.
//!
//! No `std` and no allocation: every buffer has a named capacity and overflow is a typed error.
//!
//! Coordinates: source-image pixels, x right, y down, sub-pixel, the centre of the top left pixel at (0.5, 0.5)
//! unless a name says otherwise. *Left* and *right* are the **subject's**. Frames are 0-based indexes of decoded
//! frames and ranges are inclusive.
#![cfg_attr(not(test), no_std)]

pub mod alertness;
pub mod blink;
pub mod confidence;
pub mod coverage;
pub mod driver;
pub mod flag;
pub mod gate;
pub mod geometry;
pub mod id;
pub mod keyframes;
pub mod kind;
pub mod labeller;
pub mod reading;
pub mod scene;
pub mod time;
pub mod wire;

pub use confidence::{Confidence, ConfidenceError};
pub use gate::{Gate, KindGate, Mode};
pub use geometry::{BoundingBox, Keypoint};
pub use id::{BootId, LabelId, Seq, TrackId};
pub use kind::{AbstainReason, EyeSide, LabelKind};
pub use reading::{Look, Reading, Span, Verdict};
pub use scene::SceneFrame;
pub use time::{CaptureTime, FrameIndex, FrameRange};
