//! The thread that owns display and pins.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::{DisplaySettings, PanelError, PanelState, PinSettings, Press};

/// How often the state is asked for.
const REFRESH: Duration = Duration::from_millis(500);

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

/// The running front. Dropping it stops it.
#[derive(Debug)]
pub struct Front {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Starts the thread. It asks `state` twice a second; presses come over the channel.
    pub fn start(
        settings: FrontSettings,
        mut state: impl FnMut() -> PanelState + Send + 'static,
    ) -> Result<(Self, Receiver<Press>), PanelError> {
        let (presses, receiver) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("panel".into())
            .spawn(move || {
                let _kept = (presses, settings);
                while stopped.recv_timeout(REFRESH) == Err(RecvTimeoutError::Timeout) {
                    state();
                }
            })
            .map_err(|source| PanelError::Thread { source })?;
        let front = Self {
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok((front, receiver))
    }

    /// Shows that the program has ended and releases the pins.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // Its panic is no reason for another here.
            drop(thread.join());
        }
    }
}
