//! Display and pins without hardware: what was sent is decoded, what is pressed is scripted.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bus::Bus;
use crate::glass::{BANDS, COMMANDS, DATA};
use crate::lights::Lights;
use crate::picture::{Picture, WIDTH};
use crate::pins::Pins;
use crate::{Access, DisplaySettings, OpenBus, OpenPins, PanelError, PinSettings};

/// An SSD1306 that understands what it is sent. Clones are the same glass, so one can be given away and another looked
/// at. Recorded transfers of a real bus can be played into it as well.
#[derive(Clone, Debug, Default)]
pub struct FakeGlass {
    chip: Arc<Mutex<Chip>>,
}

/// The controller's memory and registers.
#[derive(Debug)]
struct Chip {
    memory: [u8; WIDTH * BANDS],
    columns: (usize, usize),
    bands: (usize, usize),
    at: (usize, usize),
    /// The command whose arguments are awaited.
    begun: Vec<u8>,
    horizontal: bool,
    awake: bool,
    pump: bool,
    contrast: u8,
    mounting: (bool, bool),
    transfers: u64,
    errno: Option<i32>,
}

impl Default for Chip {
    fn default() -> Self {
        Self {
            // A real one wakes with noise.
            memory: std::array::from_fn(|at| (at * 37) as u8),
            columns: (0, WIDTH - 1),
            bands: (0, BANDS - 1),
            at: (0, 0),
            begun: Vec::new(),
            horizontal: false,
            awake: false,
            pump: false,
            contrast: 0x7f,
            mounting: (false, false),
            transfers: 0,
            errno: None,
        }
    }
}

impl FakeGlass {
    fn chip(&self) -> MutexGuard<'_, Chip> {
        self.chip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it would be if it were real.
    pub fn settings() -> DisplaySettings {
        DisplaySettings {
            bus: "/dev/i2c-fake".into(),
            address: 0x3c,
            access: Access::Kernel,
            upside_down: false,
        }
    }

    /// The way to it, for [`crate::Front::start_with`].
    pub fn open(&self) -> OpenBus {
        let glass = self.clone();
        Box::new(move |_| Ok(Box::new(glass.clone())))
    }

    /// What the glass shows; nothing while it is dark.
    pub fn picture(&self) -> Option<Picture> {
        let chip = self.chip();
        (chip.awake && chip.pump).then(|| Picture::from_ssd1306_bytes(&chip.memory))
    }

    /// The contrast that was set last.
    pub fn contrast(&self) -> u8 {
        self.chip().contrast
    }

    /// Whether columns and rows run as an upright module needs it; none where they disagree.
    pub fn is_upright(&self) -> Option<bool> {
        let (columns, rows) = self.chip().mounting;
        (columns == rows).then_some(columns)
    }

    /// Transfers so far.
    pub fn transfers(&self) -> u64 {
        self.chip().transfers
    }

    /// From now on transfers fail with this error of the system; `None` ends that.
    pub fn fail(&self, errno: Option<i32>) {
        self.chip().errno = errno;
    }

    /// As after a loss of power: dark, with noise in its memory.
    pub fn lose_power(&self) {
        *self.chip() = Chip::default();
    }

    /// Takes one transfer as it went over the bus, without the address: a first byte that says what follows, then
    /// commands or picture data.
    pub fn play(&self, transfer: &[u8]) {
        let mut chip = self.chip();
        chip.transfers += 1;
        match transfer.split_first() {
            Some((&COMMANDS, commands)) => commands.iter().for_each(|byte| chip.command(*byte)),
            Some((&DATA, data)) => data.iter().for_each(|byte| chip.data(*byte)),
            _ => {}
        }
    }
}

impl Bus for FakeGlass {
    fn write(&mut self, _address: u8, bytes: &[u8]) -> io::Result<()> {
        if let Some(errno) = self.chip().errno {
            return Err(io::Error::from_raw_os_error(errno));
        }
        self.play(bytes);
        Ok(())
    }
}

impl Chip {
    fn command(&mut self, byte: u8) {
        self.begun.push(byte);
        match self.begun[..] {
            [0x20, mode] => self.horizontal = mode % 4 == 0,
            [0x21, from, to] => {
                self.columns = (usize::from(from) % WIDTH, usize::from(to) % WIDTH);
                self.at.0 = self.columns.0;
            }
            [0x22, from, to] => {
                self.bands = (usize::from(from) % BANDS, usize::from(to) % BANDS);
                self.at.1 = self.bands.0;
            }
            [0x81, contrast] => self.contrast = contrast,
            [0x8d, pump] => self.pump = pump & 4 != 0,
            [remap @ (0xa0 | 0xa1)] => self.mounting.0 = remap == 0xa1,
            [scan @ (0xc0 | 0xc8)] => self.mounting.1 = scan == 0xc8,
            [power @ (0xae | 0xaf)] => self.awake = power == 0xaf,
            // Arguments are still to come.
            [0x20 | 0x21 | 0x22 | 0x81 | 0x8d | 0xa8 | 0xd3 | 0xd5 | 0xd9 | 0xda | 0xdb]
            | [0x21 | 0x22, _] => return,
            _ => {}
        }
        self.begun.clear();
    }

    fn data(&mut self, byte: u8) {
        let (column, band) = self.at;
        self.memory[band * WIDTH + column] = byte;
        if !self.horizontal {
            self.at.0 = (column + 1) % WIDTH;
        } else if column < self.columns.1 {
            self.at.0 = column + 1;
        } else {
            let next = if band < self.bands.1 {
                band + 1
            } else {
                self.bands.0
            };
            self.at = (self.columns.0, next);
        }
    }
}

/// Pins that exist in memory only. Clones are the same pins.
#[derive(Clone, Debug, Default)]
pub struct FakePins {
    shared: Arc<Mutex<Wired>>,
}

#[derive(Debug, Default)]
struct Wired {
    lights: Lights,
    down: bool,
    released: bool,
    broken: bool,
    reads: u64,
}

impl FakePins {
    fn wired(&self) -> MutexGuard<'_, Wired> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where they would be if they were real.
    pub fn settings() -> PinSettings {
        PinSettings {
            access: Access::Kernel,
            chip: "/dev/gpiochip-fake".into(),
            heartbeat: 0,
            recording: 1,
            fault: 2,
            button: 3,
            button_active_low: true,
        }
    }

    /// The way to them, for [`crate::Front::start_with`].
    pub fn open(&self) -> OpenPins {
        let pins = self.clone();
        Box::new(move |_| {
            pins.wired().released = false;
            Ok(Box::new(pins.clone()))
        })
    }

    /// Which lights are on.
    pub fn lights(&self) -> Lights {
        self.wired().lights
    }

    /// Presses the button down, or lets it go.
    pub fn hold(&self, down: bool) {
        self.wired().down = down;
    }

    /// How often the button was read.
    pub fn reads(&self) -> u64 {
        self.wired().reads
    }

    /// Whether the pins were given back.
    pub fn are_released(&self) -> bool {
        self.wired().released
    }

    /// From now on everything fails, or no longer.
    pub fn fail(&self, broken: bool) {
        self.wired().broken = broken;
    }

    fn broken(&self) -> Result<(), PanelError> {
        if !self.wired().broken {
            return Ok(());
        }
        Err(PanelError::Chip {
            chip: "/dev/gpiochip-fake".into(),
            problem: "told to fail".into(),
            advice: "tell it not to",
        })
    }
}

impl Pins for FakePins {
    fn set(&mut self, lights: Lights) -> Result<(), PanelError> {
        self.broken()?;
        self.wired().lights = lights;
        Ok(())
    }

    fn is_down(&mut self) -> Result<bool, PanelError> {
        self.broken()?;
        let mut wired = self.wired();
        wired.reads += 1;
        Ok(wired.down)
    }

    fn release(&mut self) {
        let mut wired = self.wired();
        wired.lights = Lights::default();
        wired.released = true;
    }
}
