//! The thread that owns display and pins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::bus;
use crate::display::{Display, OpenBus};
use crate::machine::{End, Machine};
use crate::pins::{self, OpenPins, PinKeeper};
use crate::snapshot::Snapshot;
use crate::{DisplaySettings, PanelError, PanelState, PinSettings, Press};

/// What the front is made of. All of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontSettings {
    /// The display.
    pub display: Option<DisplaySettings>,
    /// Lights and button.
    pub pins: Option<PinSettings>,
    /// File into which the state is written as JSON whenever it changes, for `rigeld panel`.
    pub snapshot: Option<PathBuf>,
}

/// How often parts failed since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrontFailures {
    /// The display.
    pub display: u64,
    /// Lights and button.
    pub pins: u64,
}

/// The running front. Dropping it stops it: lights out, pins given back, the end told on the glass.
#[derive(Debug)]
pub struct Front {
    stop: Option<Sender<End>>,
    thread: Option<JoinHandle<()>>,
    failures: Arc<[AtomicU64; 2]>,
}

impl Front {
    /// Starts the thread. It asks `state` twice a second; presses come over the channel.
    ///
    /// No display and no pins are no error: they are logged, and tried again for as long as the front runs.
    pub fn start(
        settings: FrontSettings,
        state: impl FnMut() -> PanelState + Send + 'static,
    ) -> Result<(Self, Receiver<Press>), PanelError> {
        Self::start_with(settings, Box::new(bus::open), Box::new(pins::open), state)
    }

    /// Starts the thread with another way to a bus and to pins, such as [`crate::FakeGlass`] and [`crate::FakePins`].
    pub fn start_with(
        settings: FrontSettings,
        open_bus: OpenBus,
        open_pins: OpenPins,
        state: impl FnMut() -> PanelState + Send + 'static,
    ) -> Result<(Self, Receiver<Press>), PanelError> {
        let display = settings
            .display
            .map(|settings| Display::new(settings, open_bus));
        let pins = settings
            .pins
            .map(|settings| PinKeeper::new(settings, open_pins));
        let snapshot = settings.snapshot.map(Snapshot::new);
        let (presses, receiver) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let failures = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let counted = Arc::clone(&failures);
        let mut machine = Machine::new(state, display, pins, snapshot);
        let thread = std::thread::Builder::new()
            .name("panel".into())
            .spawn(move || {
                let began = Instant::now();
                // A panic in here or in what makes the state must leave no light on and no pin driven.
                let end = catch_unwind(AssertUnwindSafe(|| {
                    run(&mut machine, began, &presses, &stopped, &counted)
                }));
                let end = end.unwrap_or_else(|_| {
                    tracing::error!("the panel's thread panicked; labelling goes on without it");
                    End::Crash("panel failed: see journalctl -u rigeld")
                });
                machine.end(end, began.elapsed());
            })
            .map_err(|source| PanelError::Thread { source })?;
        let front = Self {
            stop: Some(stop),
            thread: Some(thread),
            failures,
        };
        Ok((front, receiver))
    }

    /// How often display and pins failed since the start.
    pub fn failures(&self) -> FrontFailures {
        let [display, pins] = &*self.failures;
        FrontFailures {
            display: display.load(Ordering::Relaxed),
            pins: pins.load(Ordering::Relaxed),
        }
    }

    /// Ends the thread: lights out, pins given back. The glass says that the program has ended, or keeps the fault or
    /// the switching off that the state last told.
    pub fn stop(self) {
        drop(self);
    }
}

fn run(
    machine: &mut Machine<impl FnMut() -> PanelState>,
    began: Instant,
    presses: &Sender<Press>,
    stopped: &Receiver<End>,
    failures: &[AtomicU64; 2],
) -> End {
    loop {
        let (press, pause) = machine.tick(began.elapsed());
        if let Some(press) = press {
            // Nobody listening is no reason to stop showing.
            let _ = presses.send(press);
        }
        let (display, pins) = machine.failures();
        failures[0].store(display, Ordering::Relaxed);
        failures[1].store(pins, Ordering::Relaxed);
        match stopped.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(end) => return end,
            Err(RecvTimeoutError::Disconnected) => return End::Ordered,
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let end = if std::thread::panicking() {
                End::Crash("rigeld crashed: see journalctl -u rigeld")
            } else {
                End::Ordered
            };
            // It fails only where the thread is gone.
            let _ = stop.send(end);
        }
        if let Some(thread) = self.thread.take() {
            // A panic in its last act has been told already, and is no reason for another here.
            drop(thread.join());
        }
    }
}
