//! The display, kept going: opened, drawn on, and opened again when it fails.

use std::path::PathBuf;
use std::time::Duration;

use crate::bus::{self, Bus};
use crate::care::Glow;
use crate::glass::{COMMANDS, Glass, Mounting, Shown};
use crate::retry::{News, Retry};
use crate::{Access, PanelError, Picture};

/// So often everything is set up and sent again, besides at each press: who plugs the display in again waits no longer for
/// a picture.
const REFRESH: Duration = Duration::from_secs(30);

/// The command that does nothing.
const NOOP: u8 = 0xe3;

/// The two addresses an SSD1306 can have.
const ADDRESSES: [u8; 2] = [0x3c, 0x3d];

/// Where the display is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplaySettings {
    /// The bus's device file, such as `/dev/i2c-1`.
    pub bus: PathBuf,
    /// Its address: 0x3c, or 0x3d where the module's jumper says so.
    pub address: u8,
    /// How the bus is reached.
    pub access: Access,
    /// Mounted upside down.
    pub upside_down: bool,
}

/// Opens a bus, as often as it takes.
pub type OpenBus = Box<dyn FnMut(&DisplaySettings) -> Result<Box<dyn Bus>, PanelError> + Send>;

/// A display that may be away.
pub(crate) struct Display {
    settings: DisplaySettings,
    open: OpenBus,
    glass: Option<Glass>,
    refreshed: Option<Duration>,
    retry: Retry,
    failures: u64,
}

impl Display {
    pub(crate) fn new(settings: DisplaySettings, open: OpenBus) -> Self {
        Self {
            settings,
            open,
            glass: None,
            refreshed: None,
            retry: Retry::new(),
            failures: 0,
        }
    }

    /// Somebody is looking: have everything set up and sent again now.
    pub(crate) fn refresh_now(&mut self) {
        self.refreshed = None;
    }

    /// How often it failed.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Brings the glass one step nearer to showing the picture. What fails is logged, once, and tried again later.
    pub(crate) fn step(&mut self, picture: &Picture, glow: Glow, now: Duration) -> Shown {
        if self.glass.is_none() && !self.retry.is_due(now) {
            return Shown::All;
        }
        match self.try_step(picture, glow, now) {
            Ok(Shown::Partly) => Shown::Partly,
            Ok(Shown::All) => {
                if self.retry.worked() {
                    tracing::info!(
                        "display at 0x{:02x} on {}: shows again",
                        self.settings.address,
                        self.settings.bus.display()
                    );
                }
                Shown::All
            }
            Err(error) => {
                self.glass = None;
                self.failures += 1;
                if self.retry.failed(now) == News::First {
                    tracing::warn!("{error}; labelling goes on, and the display is tried again");
                }
                Shown::All
            }
        }
    }

    fn try_step(
        &mut self,
        picture: &Picture,
        glow: Glow,
        now: Duration,
    ) -> Result<Shown, PanelError> {
        let settings = &self.settings;
        let failed = |error| bus::cannot_send(settings, &error);
        let glass = if let Some(glass) = &mut self.glass {
            if self.refreshed.is_none_or(|at| now >= at + REFRESH) {
                self.refreshed = Some(now);
                glass.refresh().map_err(failed)?;
            }
            glass
        } else {
            let mounting = if settings.upside_down {
                Mounting::UpsideDown
            } else {
                Mounting::Upright
            };
            let bus = (self.open)(settings)?;
            let glass = Glass::set_up(bus, settings.address, mounting).map_err(failed)?;
            self.refreshed = Some(now);
            self.glass.insert(glass)
        };
        glass.step(picture, glow).map_err(failed)
    }
}

/// Whether the display answers. It is sent the command that does nothing, so a running rig is not disturbed.
/// Tells what was found, in a few words.
pub fn probe_display(settings: &DisplaySettings) -> Result<String, PanelError> {
    let mut bus = bus::open(settings)?;
    probe(settings, bus.as_mut())
}

fn probe(settings: &DisplaySettings, bus: &mut dyn Bus) -> Result<String, PanelError> {
    let address = settings.address;
    let Err(error) = bus.write(address, &[COMMANDS, NOOP]) else {
        return Ok(format!(
            "the display at 0x{address:02x} on {} answers",
            settings.bus.display()
        ));
    };
    let elsewhere = ADDRESSES.into_iter().find(|other| {
        *other != address
            && bus::nobody_answers(&error)
            && bus.write(*other, &[COMMANDS, NOOP]).is_ok()
    });
    Err(match elsewhere {
        Some(other) => PanelError::Display {
            bus: settings.bus.clone(),
            address,
            problem: format!("nothing answers here, but something does at 0x{other:02x}"),
            advice: "set the panel's address in the board file to that, or move the module's address jumper",
        },
        None => bus::cannot_send(settings, &error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FakeGlass;

    /// A bus with one device, elsewhere than where it is looked for, or one that fails.
    struct Odd {
        at: u8,
        errno: i32,
    }

    impl Bus for Odd {
        fn write(&mut self, address: u8, _bytes: &[u8]) -> std::io::Result<()> {
            if address == self.at {
                return Ok(());
            }
            Err(std::io::Error::from_raw_os_error(self.errno))
        }
    }

    fn found(at: u8, errno: i32) -> String {
        match probe(&FakeGlass::settings(), &mut Odd { at, errno }) {
            Ok(found) => found,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_display_that_answers_is_told_with_its_place() {
        insta::assert_snapshot!(found(0x3c, 0), @"the display at 0x3c on /dev/i2c-fake answers");
    }

    #[test]
    fn nothing_at_the_address_says_what_to_check() {
        insta::assert_snapshot!(found(0, 121), @"display at 0x3c on /dev/i2c-fake: nothing answers (Remote I/O error); check the display's four wires (3V3, GND, SDA, SCL) and its address: i2cdetect -y N shows what answers");
    }

    #[test]
    fn a_display_at_the_other_address_is_found() {
        insta::assert_snapshot!(found(0x3d, 6), @"display at 0x3c on /dev/i2c-fake: nothing answers here, but something does at 0x3d; set the panel's address in the board file to that, or move the module's address jumper");
    }

    #[test]
    fn a_stuck_bus_and_a_held_address_are_told_apart() {
        insta::assert_snapshot!(found(0, 110), @"display at 0x3c on /dev/i2c-fake: the bus is stuck (Connection timed out); SDA or SCL is held low: look for a short, swapped wires, or a module without power");
        insta::assert_snapshot!(found(0, 16), @"display at 0x3c on /dev/i2c-fake: a kernel driver holds the address (Device or resource busy); remove the display's overlay (such as ssd1306) from the system's device tree: rigeld draws by itself");
    }
}
