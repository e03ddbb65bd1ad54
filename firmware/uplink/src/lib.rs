//! From the rig's memory to the host's: durable outbox and MQTT publisher.
//!
//! Threads that make labels append to an [`OutboxHandle`]; the [`Uplink`] thread makes what is appended durable, sends
//! it, and deletes it once the host says that it has committed it. Neither the broker's acknowledgement nor a closed
//! connection decides anything: only the host's watermark does.
//!
//! It does not know what a label is, draws no frames and keeps no evidence back: that is decided before a message is
//! appended. Terms: a *record* is a message in a file, a *segment* is such a file, a *lane* is a sequence of segments of
//! one value (labels, evidence, notices), the *watermark* is the seq up to which the host has everything, a *notice* is
//! an `evicted` message.

mod commands;
mod delivery;
mod error;
mod evidence;
mod handle;
mod link;
mod outbox;
mod policy;
mod probe;
mod uplink;

pub use broker_tls::{Tls, TlsError};
pub use commands::{Command, Commands};
pub use error::UplinkError;
pub use evidence::encode_evidence;
pub use handle::OutboxHandle;
pub use link::LinkState;
pub use outbox::{
    BootOrigin, Cursor, LostRange, OpenReport, Outbox, OutboxCounters, OutboxLimits, Record,
};
pub use policy::PolicyHandle;
pub use probe::{BrokerAnswer, ProbeError, probe};
pub use uplink::{Drained, LinkReport, Uplink, UplinkConfig};
