//! From MQTT into the store, acknowledged by watermark.
//!
//! Ingest subscribes to every rig's topics, checks each message, hands them to the [`label_store::LabelStore`] in small
//! transactions, and only after a commit tells the rig, retained, how far it may forget. Broken and hostile messages
//! go to the quarantine with a reason; the stream goes on. It connects for ever.
//!
//! It judges no label and keeps nothing in memory that matters: if it is killed at any point, rigs send again what was
//! not committed. That is why it asks the broker for no queue (clean start): the rig's outbox is the queue, and a rig
//! learns at once, from the broker's answer, that nobody listens.

mod check;
mod courier;
mod decode;
mod error;
mod link;
mod picture;

pub use broker_tls::{Tls, TlsError};
pub use check::Implausible;
pub use decode::decode;
pub use error::IngestError;
pub use link::{IngestConfig, IngestCounters, IngestReport, run};
