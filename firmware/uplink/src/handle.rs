//! The outbox as threads share it.

use crate::UplinkError;
use crate::outbox::{Cursor, Outbox, OutboxCounters, Record};
use label_core::id::Name;
use label_core::wire::{EncodeError, Topic};
use label_core::{BootId, Seq};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A shared outbox: the threads that make labels append, the uplink thread syncs, reads and acknowledges. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct OutboxHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    outbox: Mutex<Outbox>,
    /// One sync or deletion at a time; held while the disk works, which the outbox itself is not.
    syncing: Mutex<()>,
    appended: Notify,
    boot: BootId,
    rig: Name,
}

impl OutboxHandle {
    /// Shares an outbox.
    pub fn new(outbox: Outbox) -> Self {
        let (boot, rig) = (outbox.boot(), outbox.rig().clone());
        Self {
            shared: Arc::new(Shared {
                outbox: Mutex::new(outbox),
                syncing: Mutex::new(()),
                appended: Notify::new(),
                boot,
                rig,
            }),
        }
    }

    /// The run that is numbered now.
    pub fn boot(&self) -> BootId {
        self.shared.boot
    }

    /// The rig whose messages these are.
    pub fn rig(&self) -> &Name {
        &self.shared.rig
    }

    /// See [`Outbox::append`]. Returns when the message is written; it is durable after the next sync, which the
    /// uplink does at least once a second.
    pub fn append(
        &self,
        topic: Topic,
        labels: u16,
        encode: impl FnOnce(Seq, &mut [u8]) -> Result<usize, EncodeError>,
    ) -> Result<Seq, UplinkError> {
        let seq = self.lock().append(topic, labels, encode)?;
        self.shared.appended.notify_one();
        Ok(seq)
    }

    /// Makes everything appended so far durable. Others may append meanwhile: the outbox is not held while the disk
    /// works.
    pub fn sync(&self) -> Result<(), UplinkError> {
        let _one_at_a_time = self.one_at_a_time();
        let Some(work) = self.lock().begin_sync()? else {
            return Ok(());
        };
        let outcome = work.run();
        self.lock().finish_sync(&work, outcome)
    }

    /// What the outbox has done and what it holds.
    pub fn counters(&self) -> OutboxCounters {
        self.lock().counters()
    }

    /// The folder that it lies in.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.lock().folder().to_owned()
    }

    /// Whether messages wait for a sync.
    pub(crate) fn needs_sync(&self) -> bool {
        self.lock().needs_sync()
    }

    pub(crate) fn next(&self, cursor: &mut Cursor) -> Result<Option<Record>, UplinkError> {
        self.lock().next(cursor)
    }

    pub(crate) fn watermark(&self, boot: BootId) -> Seq {
        self.lock().watermark(boot)
    }

    /// See [`Outbox::acked`]. Others may append meanwhile, as during a sync.
    pub(crate) fn acked(&self, boot: BootId, watermark: Seq) -> Result<(), UplinkError> {
        let _one_at_a_time = self.one_at_a_time();
        let Some(work) = self.lock().begin_acked(boot, watermark) else {
            return Ok(());
        };
        let outcome = work.run();
        self.lock().finish_clearing(work, outcome)
    }

    pub(crate) fn host_has(&self, told: &[(BootId, Seq)]) -> Result<bool, UplinkError> {
        let _one_at_a_time = self.one_at_a_time();
        self.lock().host_has(told)
    }

    /// Takes what an acknowledgement says: in a new session of the host first what it has no more, then what it has committed. The
    /// latter is done even where the former fails, since on a full disk nothing else makes room. Whether it is further than before, and
    /// whether something is to be sent again.
    pub(crate) fn acknowledged(
        &self,
        boots: &[(BootId, Seq)],
        is_new_session: bool,
    ) -> Result<(bool, bool), UplinkError> {
        let again = if is_new_session {
            self.host_has(boots)
        } else {
            Ok(false)
        };
        let mut advanced = false;
        for (boot, watermark) in boots {
            advanced |= *watermark > self.watermark(*boot);
            self.acked(*boot, *watermark)?;
        }
        Ok((advanced, again?))
    }

    /// Makes everything durable and writes down how far the host is, so that the next start sends nothing twice.
    pub(crate) fn close(&self) -> Result<(), UplinkError> {
        self.sync()?;
        let _one_at_a_time = self.one_at_a_time();
        self.lock().write_watermarks()
    }

    /// Waits until something is appended; returns at once if something was since the last call.
    pub(crate) async fn appended(&self) {
        self.shared.appended.notified().await;
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.shared
            .syncing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread that panicked while it held the outbox left it between two whole steps at worst: a number that was not
    /// used, or a record that the next start finds.
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.shared
            .outbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
