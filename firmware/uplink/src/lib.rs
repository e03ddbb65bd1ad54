//! Durable outbox and MQTT publisher.

mod error;
mod handle;
mod outbox;

pub use error::UplinkError;
pub use handle::OutboxHandle;
pub use outbox::{
    BootOrigin, Cursor, LostRange, OpenReport, Outbox, OutboxCounters, OutboxLimits, Record,
};
