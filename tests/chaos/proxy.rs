//! A proxy between a rig and its broker that can refuse, fall silent, and break connections in the middle of a packet.

use anyhow::Result;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

const PASS: u8 = 0;
const REFUSE: u8 = 1;

/// Bytes that pass before a connection is broken: from within the first packet to some pictures further.
const BEFORE_RESET: std::ops::Range<u64> = 1..40_000;

struct Shared {
    broker: u16,
    mode: AtomicU8,
    /// Connections still to be broken.
    resets: AtomicU32,
    broken: AtomicU32,
    /// Counts up: connections begun before it are silent for ever, and closed by nobody.
    silent_before: AtomicU32,
    begun: AtomicU32,
    changed: Notify,
    random: Mutex<fastrand::Rng>,
}

/// Runs until the program ends.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    pub(crate) fn start(broker: u16, random: fastrand::Rng) -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            broker,
            mode: AtomicU8::new(PASS),
            resets: AtomicU32::new(0),
            broken: AtomicU32::new(0),
            silent_before: AtomicU32::new(0),
            begun: AtomicU32::new(0),
            changed: Notify::new(),
            random: Mutex::new(random),
        });
        let serving = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || runtime.block_on(serve(listener, serving)))?;
        Ok(Self { port, shared })
    }

    /// Ends every connection and lets none in.
    pub(crate) fn refuse(&self) {
        self.shared.mode.store(REFUSE, Ordering::SeqCst);
        self.shared.changed.notify_waiters();
    }

    /// Lets everything pass.
    pub(crate) fn pass(&self) {
        self.shared.mode.store(PASS, Ordering::SeqCst);
    }

    /// From now on nothing passes on any connection there is, and neither end is told.
    pub(crate) fn fall_silent(&self) {
        let begun = self.shared.begun.load(Ordering::SeqCst);
        self.shared.silent_before.store(begun, Ordering::SeqCst);
    }

    /// Breaks this many of the connections to come.
    pub(crate) fn reset(&self, connections: u32) {
        self.shared.resets.store(connections, Ordering::SeqCst);
    }

    pub(crate) fn broken(&self) -> u32 {
        self.shared.broken.load(Ordering::SeqCst)
    }

    /// Connections begun so far.
    pub(crate) fn begun(&self) -> u32 {
        self.shared.begun.load(Ordering::SeqCst)
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((rig, _)) = listener.accept().await {
        if shared.mode.load(Ordering::SeqCst) == REFUSE {
            // Dropped without a lingering end: the rig sees a reset.
            let _ = rig.set_zero_linger();
            continue;
        }
        tokio::spawn(carry(rig, Arc::clone(&shared)));
    }
}

async fn carry(rig: TcpStream, shared: Arc<Shared>) {
    let Ok(broker) = TcpStream::connect(("127.0.0.1", shared.broker)).await else {
        return;
    };
    let number = shared.begun.fetch_add(1, Ordering::SeqCst);
    let is_doomed = shared
        .resets
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        })
        .is_ok();
    let budget = is_doomed.then(|| {
        let mut random = shared.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.u64(BEFORE_RESET)
    });
    if is_doomed {
        // What lies in the kernel's buffers goes with it.
        let _ = rig.set_zero_linger();
        let _ = broker.set_zero_linger();
    }
    let (from_rig, to_rig) = rig.into_split();
    let (from_broker, to_broker) = broker.into_split();
    let up = pump(from_rig, to_broker, number, budget, &shared);
    let down = pump(from_broker, to_rig, number, None, &shared);
    tokio::select! {
        spent = up => if spent { shared.broken.fetch_add(1, Ordering::SeqCst); },
        _ = down => {}
        () = shared.changed.notified() => {}
    }
}

/// Carries bytes until an end closes, or as many as there may be: whether these are spent.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u32,
    mut budget: Option<u64>,
    shared: &Shared,
) -> bool {
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer).await {
        if number < shared.silent_before.load(Ordering::SeqCst) {
            // As with a peer that is gone without a word: nothing is closed, nothing arrives.
            if read == 0 {
                std::future::pending::<()>().await;
            }
            continue;
        }
        if read == 0 {
            return false;
        }
        let passes = budget.map_or(read, |left| read.min(left as usize));
        if to.write_all(&buffer[..passes]).await.is_err() {
            return false;
        }
        if let Some(left) = &mut budget {
            *left -= passes as u64;
            if *left == 0 {
                return true;
            }
        }
    }
    false
}
