//! What can go wrong between a label and the host.

use label_core::wire::{EncodeError, Topic};
use std::io;
use std::path::{Path, PathBuf};

/// Why the outbox or the uplink could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UplinkError {
    /// No room. Nothing was written and no number was used; a later append works once there is room again.
    #[error("no room left for {path}")]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has this outbox open.
    #[error("the outbox {dir} is in use by another process")]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The message is larger than its topic allows. No number was used.
    #[error("a {} message could not be written", .topic.leaf())]
    Encode {
        /// The topic.
        topic: Topic,
        /// Why.
        source: EncodeError,
    },
    /// Only messages of durable topics are numbered and kept.
    #[error("{} messages do not go through the outbox", .topic.leaf())]
    NotDurable {
        /// The topic.
        topic: Topic,
    },
    /// The uplink's thread or runtime could not be started.
    #[error("cannot start the uplink thread")]
    Thread {
        /// Why.
        source: io::Error,
    },
}

impl UplinkError {
    /// Tells a full disk from other trouble.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io {
                doing,
                path,
                source,
            },
        }
    }
}
