//! The end asked for from outside.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How often somebody asked for the end: once is an ordered end; twice, one that waits for nothing; the third time the
/// program ends as if nobody listened.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    asked: Arc<AtomicU8>,
}

impl Signals {
    /// Listens to SIGTERM and SIGINT, on a thread.
    pub fn listen() -> Result<Self> {
        let signals = Self::default();
        let mut incoming = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
            .context("cannot listen to signals")?;
        let told = signals.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for signal in incoming.forever() {
                    if told.end() > 2 {
                        let _ = signal_hook::low_level::emulate_default_handler(signal);
                    }
                }
            })
            .context("cannot listen to signals")?;
        Ok(signals)
    }

    /// Asks for the end, as a signal does.
    pub fn end(&self) -> u8 {
        self.asked.fetch_add(1, Relaxed).saturating_add(1)
    }

    /// Whether the end was asked for.
    pub(crate) fn ended(&self) -> bool {
        self.asked.load(Relaxed) > 0
    }

    /// Whether it was asked for again.
    pub(crate) fn hurried(&self) -> bool {
        self.asked.load(Relaxed) > 1
    }
}
