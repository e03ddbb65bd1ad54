//! Lights and button on their pins.

mod kernel;
mod raspberry;

use std::path::PathBuf;
use std::time::Duration;

use crate::lights::Lights;
use crate::retry::{News, Retry};
use crate::{Access, PanelError};

/// Where lights and button are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinSettings {
    /// How they are reached.
    pub access: Access,
    /// The GPIO chip, for [`Access::Kernel`]: its device file, or its label where this does not begin with `/`.
    pub chip: PathBuf,
    /// Line (with `rppal`: BCM number) of the heartbeat light.
    pub heartbeat: u32,
    /// Line of the recording light.
    pub recording: u32,
    /// Line of the fault light.
    pub fault: u32,
    /// Line of the button.
    pub button: u32,
    /// The button closes to ground and the line is pulled up.
    pub button_active_low: bool,
}

impl PinSettings {
    /// Each line with what it is for.
    fn lines(&self) -> [(u32, &'static str); 4] {
        [
            (self.heartbeat, "heartbeat light"),
            (self.recording, "recording light"),
            (self.fault, "fault light"),
            (self.button, "button"),
        ]
    }
}

/// Three lights and a button. Giving them up puts the lights out and leaves every line an input.
pub trait Pins: Send {
    /// Switches the lights.
    fn set(&mut self, lights: Lights) -> Result<(), PanelError>;
    /// Whether the button is down, right now.
    fn is_down(&mut self) -> Result<bool, PanelError>;
    /// Puts the lights out and gives the lines back, as far as that can be done.
    fn release(&mut self);
}

/// Who holds a line, as others see it.
const CONSUMER: &str = "rigel";

/// Takes the pins.
pub(crate) fn open(settings: &PinSettings) -> Result<Box<dyn Pins>, PanelError> {
    Ok(match settings.access {
        Access::Rppal => Box::new(raspberry::RaspberryPins::open(settings)?),
        Access::Kernel => Box::new(kernel::KernelPins::open(settings)?),
    })
}

/// Whether the pins can be had. Nothing is switched, so a running rig is not disturbed. Tells what was found, in a few
/// words.
pub fn probe_pins(settings: &PinSettings) -> Result<String, PanelError> {
    match settings.access {
        Access::Rppal => raspberry::probe(settings),
        Access::Kernel => kernel::probe(settings, &settings.chip),
    }
}

/// Opens pins, as often as it takes.
pub type OpenPins = Box<dyn FnMut(&PinSettings) -> Result<Box<dyn Pins>, PanelError> + Send>;

/// Pins that may be away. Dropping it releases them.
pub(crate) struct PinKeeper {
    settings: PinSettings,
    open: OpenPins,
    pins: Option<Box<dyn Pins>>,
    lit: Option<Lights>,
    retry: Retry,
    failures: u64,
}

impl PinKeeper {
    pub(crate) fn new(settings: PinSettings, open: OpenPins) -> Self {
        Self {
            settings,
            open,
            pins: None,
            lit: None,
            retry: Retry::new(),
            failures: 0,
        }
    }

    /// How often they failed.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Switches the lights where they change, and reads the button. `None` where that cannot be told.
    pub(crate) fn step(&mut self, lights: Lights, now: Duration) -> Option<bool> {
        if self.pins.is_none() && !self.retry.is_due(now) {
            return None;
        }
        match self.try_step(lights) {
            Ok(down) => {
                if self.retry.worked() {
                    tracing::info!("lights and button work again");
                }
                Some(down)
            }
            Err(error) => {
                self.release();
                self.failures += 1;
                if self.retry.failed(now) == News::First {
                    tracing::warn!(
                        "{error}; labelling goes on, and lights and button are tried again"
                    );
                }
                None
            }
        }
    }

    fn try_step(&mut self, lights: Lights) -> Result<bool, PanelError> {
        let pins = match &mut self.pins {
            Some(pins) => pins,
            None => self.pins.insert((self.open)(&self.settings)?),
        };
        if self.lit != Some(lights) {
            pins.set(lights)?;
            self.lit = Some(lights);
        }
        pins.is_down()
    }

    pub(crate) fn release(&mut self) {
        self.lit = None;
        if let Some(mut pins) = self.pins.take() {
            pins.release();
        }
    }
}

impl Drop for PinKeeper {
    fn drop(&mut self) {
        self.release();
    }
}
