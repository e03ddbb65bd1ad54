//! What interrupts ingest.

use broker_tls::TlsError;
use label_store::StoreError;

/// Why the connection was given up. Ingest connects again by itself; this is what it logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The broker cannot be reached, or went away.
    #[error("no link to the broker {host}:{port}: {trouble}")]
    Link {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// The trouble in words.
        trouble: String,
    },
    /// The broker does not let this host listen.
    #[error("the broker {host}:{port} refuses the subscription to {filter}")]
    Subscription {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
        /// What was asked for.
        filter: String,
    },
    /// The files that protect the connection cannot be used.
    #[error("the connection to the broker cannot be protected")]
    Tls(#[from] TlsError),
    /// The store failed; nothing of the batch was stored or acknowledged, and the rigs will send it again.
    #[error("the store did not take a batch of messages")]
    Store(#[from] StoreError),
}
