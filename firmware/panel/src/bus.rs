//! The I2C bus, and what its errors mean.

use std::io::{self, ErrorKind};
use std::path::Path;

use embedded_hal::i2c::I2c as _;
use linux_embedded_hal::I2cdev;
use linux_embedded_hal::i2cdev::linux::LinuxI2CError;

use crate::error::said;
use crate::{Access, DisplaySettings, PanelError};

/// What a display needs of a bus. [`crate::FakeGlass`] is one, too.
pub trait Bus: Send {
    /// Sends bytes to an address in one transfer.
    fn write(&mut self, address: u8, bytes: &[u8]) -> io::Result<()>;
}

struct RppalBus(rppal::i2c::I2c);

impl Bus for RppalBus {
    fn write(&mut self, address: u8, bytes: &[u8]) -> io::Result<()> {
        embedded_hal::i2c::I2c::write(&mut self.0, address, bytes).map_err(from_rppal)
    }
}

struct KernelBus(I2cdev);

impl Bus for KernelBus {
    fn write(&mut self, address: u8, bytes: &[u8]) -> io::Result<()> {
        self.0
            .write(address, bytes)
            .map_err(|error| match error.inner() {
                LinuxI2CError::Errno(errno) => io::Error::from_raw_os_error(*errno),
                LinuxI2CError::Io(error) => again(error),
            })
    }
}

fn from_rppal(error: rppal::i2c::Error) -> io::Error {
    match error {
        rppal::i2c::Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// The same error, to be owned.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(errno) => io::Error::from_raw_os_error(errno),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

/// A transfer is given up after so long. It takes 12 ms at 100 kHz; the kernel's own limit is a second, for which a bus that
/// is held low would keep lights and button waiting.
const TIMEOUT_MS: u32 = 100;

/// Opens the display's bus.
pub(crate) fn open(settings: &DisplaySettings) -> Result<Box<dyn Bus>, PanelError> {
    let failed = |error: io::Error| cannot_open(&settings.bus, &error);
    // The limit is the bus's, and stays when this is closed. That it cannot be set costs no more than those waits.
    if let Some(bus) = bus_number(&settings.bus).and_then(|bus| rppal::i2c::I2c::with_bus(bus).ok())
        && let Err(error) = bus.set_timeout(TIMEOUT_MS)
    {
        tracing::debug!("{}: {error}", settings.bus.display());
    }
    Ok(match settings.access {
        Access::Kernel => Box::new(KernelBus(I2cdev::new(&settings.bus).map_err(
            |error| match error {
                LinuxI2CError::Errno(errno) => failed(io::Error::from_raw_os_error(errno)),
                LinuxI2CError::Io(error) => failed(error),
            },
        )?)),
        Access::Rppal => {
            let number = bus_number(&settings.bus).ok_or_else(|| PanelError::Bus {
                bus: settings.bus.clone(),
                problem: "with access by rppal the bus is named /dev/i2c-N".into(),
                advice: "name it so in the board file, or set the panel's access to \"kernel\"",
            })?;
            let bus = rppal::i2c::I2c::with_bus(number);
            Box::new(RppalBus(bus.map_err(|error| failed(from_rppal(error)))?))
        }
    })
}

/// `1` of `/dev/i2c-1`.
fn bus_number(bus: &Path) -> Option<u8> {
    bus.to_str()?.strip_prefix("/dev/i2c-")?.parse().ok()
}

/// Why a bus does not open.
fn cannot_open(bus: &Path, error: &io::Error) -> PanelError {
    let advice = match error.kind() {
        ErrorKind::NotFound => {
            "switch I2C on (a Raspberry Pi: dtparam=i2c_arm=on in config.txt, and the module i2c-dev), or name another bus: ls /dev/i2c-*"
        }
        ErrorKind::PermissionDenied => {
            "the user that runs rigeld must be in group i2c: usermod -aG i2c rigel, then restart rigeld"
        }
        _ => "check that the board file names an I2C bus",
    };
    PanelError::Bus {
        bus: bus.to_owned(),
        problem: said(error),
        advice,
    }
}

/// Errors by number, from the kernel's list of I2C fault codes.
const EIO: i32 = 5;
const ENXIO: i32 = 6;
const EAGAIN: i32 = 11;
const EBUSY: i32 = 16;
const ENODEV: i32 = 19;
const ETIMEDOUT: i32 = 110;
const EREMOTEIO: i32 = 121;

/// Whether a transfer failed since nobody answered at the address: bus drivers differ in how they say so.
pub(crate) fn nobody_answers(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ENXIO | EREMOTEIO | EIO | ENODEV))
}

/// Why a transfer to the display failed.
pub(crate) fn cannot_send(settings: &DisplaySettings, error: &io::Error) -> PanelError {
    let (problem, advice) = if nobody_answers(error) {
        (
            format!("nothing answers ({})", said(error)),
            "check the display's four wires (3V3, GND, SDA, SCL) and its address: i2cdetect -y N shows what answers",
        )
    } else {
        match error.raw_os_error() {
            Some(ETIMEDOUT | EAGAIN) => (
                format!("the bus is stuck ({})", said(error)),
                "SDA or SCL is held low: look for a short, swapped wires, or a module without power",
            ),
            Some(EBUSY) => (
                format!("a kernel driver holds the address ({})", said(error)),
                "remove the display's overlay (such as ssd1306) from the system's device tree: rigeld draws by itself",
            ),
            _ => (said(error), "check wires and power of the display"),
        }
    };
    PanelError::Display {
        bus: settings.bus.clone(),
        address: settings.address,
        problem,
        advice,
    }
}
