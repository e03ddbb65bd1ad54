//! The publisher as a program holds it.

use crate::UplinkError;
use crate::commands::{Commands, commands};
use crate::delivery::{Backoff, Delivery, Tally};
use crate::handle::OutboxHandle;
use crate::link::{Link, LinkState, StopAt, describe};
use crate::outbox::Cursor;
use crate::policy::PolicyHandle;
use broker_tls::Tls;
use label_core::id::Name;
use label_core::wire::Health;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Where to and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UplinkConfig {
    /// The site: a level of every topic.
    pub site: Name,
    /// The broker's name or address.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// How the connection is protected; `None` for a connection in the clear. The files are read anew for each attempt.
    pub tls: Option<Tls>,
    /// A broker silent for one and a half times this long is gone.
    pub keep_alive: Duration,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long the broker keeps our session while we are away.
    pub session_expiry: Duration,
    /// Messages sent and not answered by the broker, at most.
    pub window: u16,
    /// How long the host may stay silent, with everything sent, before all is sent again.
    pub stall: Duration,
    /// Time between two health messages.
    pub health_every: Duration,
    /// Shortest time between two syncs of the outbox; a message waits this long at most before it can be sent.
    pub group_commit: Duration,
}

impl UplinkConfig {
    /// The usual settings.
    pub const fn new(site: Name, host: String, port: u16) -> Self {
        Self {
            site,
            host,
            port,
            tls: None,
            keep_alive: Duration::from_secs(15),
            // Two round trips before the first answer: at 2 s each way they take 8 s, and longer where packets are lost.
            connect_timeout: Duration::from_secs(20),
            session_expiry: Duration::from_hours(24),
            window: 16,
            stall: Duration::from_secs(5),
            health_every: Duration::from_secs(10),
            group_commit: Duration::from_millis(200),
        }
    }
}

/// How the link fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// Its state.
    pub state: LinkState,
    /// Whether the broker, or TLS on its behalf, turned us away when we tried to connect last: name, password, certificate or
    /// rights are wrong.
    pub turned_away: bool,
    /// Times connected.
    pub connects: u64,
    /// Messages handed to the broker, repeats included.
    pub sent: u64,
    /// Messages that the broker refused; they are sent again.
    pub refused: u64,
    /// Messages that the broker took although nobody listened; they are sent again.
    pub unheard: u64,
    /// Times that sending began again at the watermark.
    pub rewinds: u64,
    /// The last trouble, in words.
    pub last_trouble: Option<String>,
}

/// What is left after a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Messages that the host has not committed; they are on disk and go out after the next start.
    pub waiting: u64,
}

/// State shared between the uplink thread and whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    report: Mutex<LinkReport>,
    changed: Condvar,
}

impl Monitor {
    fn lock(&self) -> MutexGuard<'_, LinkReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_state(&self, state: LinkState) {
        let mut report = self.lock();
        if report.state != state {
            tracing::debug!(from = ?report.state, to = ?state, "link");
            report.state = state;
        }
        self.changed.notify_all();
    }

    pub(crate) fn connected(&self) {
        let mut report = self.lock();
        report.connects += 1;
        report.turned_away = false;
        report.last_trouble = None;
        drop(report);
        self.set_state(LinkState::Online);
        tracing::info!("connected to the broker");
    }

    pub(crate) fn sending(&self, tally: Tally, held: bool) {
        let mut report = self.lock();
        report.sent = tally.sent;
        report.refused = tally.refused;
        report.unheard = tally.unheard;
        report.rewinds = tally.rewinds;
        report.state = if held {
            LinkState::Held
        } else {
            LinkState::Online
        };
    }

    /// Notes whether an attempt to connect was turned away or merely failed.
    pub(crate) fn not_connected(&self, turned_away: bool) {
        self.lock().turned_away = turned_away;
    }

    /// Notes trouble; whether it is news.
    pub(crate) fn trouble(&self, text: &str) -> bool {
        let mut report = self.lock();
        let is_news = report.last_trouble.as_deref() != Some(text);
        if is_news {
            report.last_trouble = Some(text.to_owned());
        }
        is_news
    }

    pub(crate) fn progressed(&self) {
        // Taking the lock orders this after the check of somebody who is about to wait.
        drop(self.lock());
        self.changed.notify_all();
    }
}

/// The running publisher: one thread, named `uplink`, with its own runtime.
#[derive(Debug)]
pub struct Uplink {
    outbox: OutboxHandle,
    monitor: Arc<Monitor>,
    policy: PolicyHandle,
    commands: Option<Commands>,
    stop: watch::Sender<StopAt>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Uplink {
    /// Starts publishing what is in the outbox. It connects by itself, for ever, and syncs the outbox whether there is a
    /// link or not.
    ///
    /// `birth` is the encoded birth message of this boot. `health` is asked every [`UplinkConfig::health_every`] on the
    /// uplink thread; version, rig, boot, policy, outbox and message counters are filled in here.
    pub fn start(
        config: UplinkConfig,
        outbox: OutboxHandle,
        birth: Vec<u8>,
        health: impl FnMut() -> Health + Send + 'static,
    ) -> Result<Self, UplinkError> {
        let thread_error = |source| UplinkError::Thread { source };
        let monitor = Arc::new(Monitor::default());
        let (stop, stopped) = watch::channel(None);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("uplink-disk")
            .build()
            .map_err(thread_error)?;
        let synced = Arc::new(Notify::new());
        let seed = outbox.boot().raw() ^ u64::from(std::process::id()).rotate_left(32);
        let policy = PolicyHandle::open(&outbox.folder());
        let group_commit = config.group_commit;
        let (asked, commands) = commands(outbox.rig(), outbox.boot());
        let link = Link {
            asked,
            delivery: Delivery::new(usize::from(config.window.max(1)), config.stall, seed),
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(30), seed),
            cursor: Cursor::default(),
            outbox: outbox.clone(),
            birth,
            health,
            monitor: Arc::clone(&monitor),
            synced: Arc::clone(&synced),
            stop: stopped,
            policy: policy.clone(),
            config,
        };
        let kept = outbox.clone();
        let thread = std::thread::Builder::new()
            .name("uplink".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let syncing = tokio::spawn(keep_synced(kept.clone(), synced, group_commit));
                    link.run().await;
                    syncing.abort();
                    if let Err(error) = kept.close() {
                        tracing::error!(error = %describe(&error), "the outbox could not be synced at the end");
                    }
                });
            })
            .map_err(thread_error)?;
        Ok(Self {
            outbox,
            monitor,
            policy,
            commands: Some(commands),
            stop,
            thread: Some(thread),
        })
    }

    /// How the link fares.
    pub fn report(&self) -> LinkReport {
        self.monitor.lock().clone()
    }

    /// The policy in force.
    pub const fn policy(&self) -> &PolicyHandle {
        &self.policy
    }

    /// What the desk asks for, to whoever answers; `None` the second time. Where nobody does, commands are refused as busy.
    pub fn take_commands(&mut self) -> Option<Commands> {
        self.commands.take()
    }

    /// Whether its thread has ended without being asked to: nothing is delivered any more.
    pub fn has_ended(&self) -> bool {
        self.thread
            .as_ref()
            .is_none_or(std::thread::JoinHandle::is_finished)
    }

    /// The outbox that it empties.
    pub const fn outbox(&self) -> &OutboxHandle {
        &self.outbox
    }

    /// Waits until the host has committed everything appended so far, or until the time is up.
    pub fn drain(&self, within: Duration) -> Drained {
        let deadline = Instant::now() + within;
        let mut report = self.monitor.lock();
        loop {
            let waiting = self.outbox.counters().waiting;
            let left = deadline.saturating_duration_since(Instant::now());
            if waiting == 0 || left.is_zero() || report.state == LinkState::Stopped {
                return Drained { waiting };
            }
            report = self
                .monitor
                .changed
                .wait_timeout(report, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Tells it to end, and does not wait for that: for who ends many of them. [`Self::stop`] or dropping it waits.
    pub fn begin_stop(&self) {
        self.stop.send_replace(Some(Instant::now()));
    }

    /// Ends in order: waits until everything is committed or the time is up, says `stopped`, disconnects, syncs the
    /// outbox and ends the thread.
    pub fn stop(mut self, within: Duration) -> Drained {
        self.stop.send_replace(Some(Instant::now() + within));
        self.join();
        Drained {
            waiting: self.outbox.counters().waiting,
        }
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the uplink thread panicked");
        }
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.stop.send_replace(Some(Instant::now()));
            self.join();
        }
    }
}

/// Group commit: whatever is appended while one sync runs, and for a while after it, shares the next one.
async fn keep_synced(outbox: OutboxHandle, synced: Arc<Notify>, between: Duration) {
    let mut in_trouble = false;
    loop {
        if !outbox.needs_sync() {
            outbox.appended().await;
        }
        let syncing = outbox.clone();
        match tokio::task::spawn_blocking(move || syncing.sync()).await {
            Ok(Ok(())) => in_trouble = false,
            Ok(Err(error)) if !in_trouble => {
                in_trouble = true;
                tracing::error!(error = %describe(&error), "the outbox could not be synced; trying again");
            }
            _ => {}
        }
        synced.notify_one();
        tokio::time::sleep(between).await;
    }
}
