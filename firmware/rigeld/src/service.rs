//! What systemd is told: ready, what the rig does, that it lives, that it ends.
//!
//! The watchdog is fed by the pipeline's own progress and by nothing else: each token is a frame that was labelled, or a
//! bounded wait that ended. A thread passes tokens on, so that no frame waits for systemd; it has no clock.

use sd_notify::NotifyState;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// What the watchdog must allow beyond the longest wait for a frame: a loaded machine is slow to say that it ended.
const ROOM: Duration = Duration::from_secs(2);

/// Models and outbox are open.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// What the rig does now, in a few words.
pub(crate) fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// The ordered end begins.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// The watchdog of the service manager, where there is one.
#[derive(Debug)]
pub(crate) struct Watchdog {
    fed: Option<Fed>,
}

#[derive(Debug)]
struct Fed {
    tokens: SyncSender<()>,
    last: Option<Instant>,
    every: Duration,
}

impl Watchdog {
    /// Finds out whether systemd wants to hear of us, and how often. Where the longest wait for a frame leaves no room in
    /// that, it is asked for more patience.
    pub(crate) fn new(longest_wait: Duration) -> Self {
        let Some(mut patience) = sd_notify::watchdog_enabled() else {
            return Self { fed: None };
        };
        let needed = longest_wait + ROOM;
        if patience < needed {
            patience = needed;
            let us = u32::try_from(needed.as_micros()).unwrap_or(u32::MAX);
            tell(&[NotifyState::WatchdogUsec(us)]);
        }
        let (tokens, taken) = sync_channel::<()>(1);
        let thread = std::thread::Builder::new().name("watchdog".into());
        let spawned = thread.spawn(move || {
            while taken.recv().is_ok() {
                tell(&[NotifyState::Watchdog]);
            }
        });
        if let Err(error) = spawned {
            tracing::error!("cannot start the watchdog's thread: {error}");
        }
        Self {
            fed: Some(Fed {
                tokens,
                last: None,
                every: (patience / 8).min(Duration::from_secs(1)),
            }),
        }
    }

    /// The pipeline got on.
    pub(crate) fn progress(&mut self) {
        let Some(fed) = &mut self.fed else {
            return;
        };
        let now = Instant::now();
        if fed
            .last
            .is_none_or(|last| now.duration_since(last) >= fed.every)
        {
            fed.last = Some(now);
            // Where one token waits already, another says nothing new.
            let _ = fed.tokens.try_send(());
        }
    }
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!("systemd cannot be told {what:?}: {error}");
    }
}
