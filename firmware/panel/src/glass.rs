//! An SSD1306 as it is spoken to: set up, kept bright or dim, and sent what changed.

use std::io;

use display_interface::{DataFormat, DisplayError, WriteOnlyDataCommand};
use ssd1306::command::{AddrMode, Command, VcomhLevel};

use crate::bus::Bus;
use crate::care::Glow;
use crate::picture::{BAND, HEIGHT, Picture, WIDTH};

/// First byte of a transfer of commands, and of one of picture data.
pub(crate) const COMMANDS: u8 = 0x00;
/// First byte of a transfer of picture data.
pub(crate) const DATA: u8 = 0x40;

/// Bands of the display.
pub(crate) const BANDS: usize = HEIGHT / BAND;

/// The bus as the driver's commands see it. It keeps the error that they would drop.
struct Wire {
    bus: Box<dyn Bus>,
    address: u8,
    error: Option<io::Error>,
}

impl Wire {
    fn send(&mut self, kind: u8, bytes: &[u8]) -> Result<(), DisplayError> {
        let mut transfer = [0; 1 + WIDTH];
        let filled = transfer
            .get_mut(..=bytes.len())
            .ok_or(DisplayError::OutOfBoundsError)?;
        filled[0] = kind;
        filled[1..].copy_from_slice(bytes);
        self.bus.write(self.address, filled).map_err(|error| {
            self.error = Some(error);
            DisplayError::BusWriteError
        })
    }
}

impl WriteOnlyDataCommand for Wire {
    fn send_commands(&mut self, commands: DataFormat<'_>) -> Result<(), DisplayError> {
        match commands {
            DataFormat::U8(bytes) => self.send(COMMANDS, bytes),
            _ => Err(DisplayError::DataFormatNotImplemented),
        }
    }

    fn send_data(&mut self, data: DataFormat<'_>) -> Result<(), DisplayError> {
        match data {
            DataFormat::U8(bytes) => self.send(DATA, bytes),
            _ => Err(DisplayError::DataFormatNotImplemented),
        }
    }
}

/// Whether the glass shows what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    All,
    /// More has to be sent.
    Partly,
}

/// How the module is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mounting {
    Upright,
    UpsideDown,
}

/// A display that answers.
pub(crate) struct Glass {
    wire: Wire,
    mounting: Mounting,
    /// What each band shows; nothing where that is not known.
    bands: [Option<[u8; WIDTH]>; BANDS],
    glow: Option<Glow>,
    awake: bool,
}

impl Glass {
    /// Sets the display up and leaves it dark, or showing what it shows: its memory may hold noise, so it is switched on
    /// when the first picture is in.
    pub(crate) fn set_up(bus: Box<dyn Bus>, address: u8, mounting: Mounting) -> io::Result<Self> {
        let mut glass = Self {
            wire: Wire {
                bus,
                address,
                error: None,
            },
            mounting,
            bands: [None; BANDS],
            glow: None,
            awake: false,
        };
        glass.refresh()?;
        Ok(glass)
    }

    /// Sets everything up and has everything sent again. A display that lost power for a moment answers as before, and is
    /// dark; one that did not shows no blink, since it is not switched off for this.
    pub(crate) fn refresh(&mut self) -> io::Result<()> {
        self.bands = [None; BANDS];
        self.glow = None;
        self.awake = false;
        let upright = self.mounting == Mounting::Upright;
        // The values for a module of 128 by 64 dots that makes its own voltage, as in the controller's application note.
        for command in [
            Command::DisplayClockDiv(8, 0),
            Command::Multiplex(HEIGHT as u8 - 1),
            Command::DisplayOffset(0),
            Command::StartLine(0),
            Command::ChargePump(true),
            Command::AddressMode(AddrMode::Horizontal),
            Command::ComPinConfig(true, false),
            Command::SegmentRemap(upright),
            Command::ReverseComDir(upright),
            Command::VcomhDeselect(VcomhLevel::Auto),
            Command::AllOn(false),
            Command::Invert(false),
            Command::EnableScroll(false),
        ] {
            self.command(command)?;
        }
        Ok(())
    }

    /// Sends one band of what differs. A whole picture takes a tenth of a second at 100 kHz; in steps of an eighth of it
    /// the button is not kept waiting.
    pub(crate) fn step(&mut self, picture: &Picture, glow: Glow) -> io::Result<Shown> {
        if self.glow != Some(glow) {
            // The first phase discharges; one clock is enough for so small a module.
            self.command(Command::PreChargePeriod(1, glow.precharge))?;
            self.command(Command::Contrast(glow.contrast))?;
            self.glow = Some(glow);
        }
        let (wanted, _) = picture.ssd1306_bytes().as_chunks::<WIDTH>();
        for (band, wanted) in wanted.iter().enumerate() {
            if let Some((from, to)) = changed(self.bands[band].as_ref(), wanted) {
                // Until all is sent, what stands in the display's memory is not known.
                self.bands[band] = None;
                self.command(Command::ColumnAddress(from as u8, to as u8 - 1))?;
                let row = (band * BAND) as u8;
                self.command(Command::PageAddress(row.into(), row.into()))?;
                let sent = self.wire.send_data(DataFormat::U8(&wanted[from..to]));
                self.told(sent)?;
                self.bands[band] = Some(*wanted);
                return Ok(Shown::Partly);
            }
        }
        if !self.awake {
            self.command(Command::DisplayOn(true))?;
            self.awake = true;
        }
        Ok(Shown::All)
    }

    fn command(&mut self, command: Command) -> io::Result<()> {
        let sent = command.send(&mut self.wire);
        self.told(sent)
    }

    fn told(&mut self, sent: Result<(), DisplayError>) -> io::Result<()> {
        sent.map_err(|error| {
            let kept = self.wire.error.take();
            kept.unwrap_or_else(|| io::Error::other(format!("{error:?}")))
        })
    }
}

/// The columns from the first that changed to behind the last.
fn changed(old: Option<&[u8; WIDTH]>, new: &[u8; WIDTH]) -> Option<(usize, usize)> {
    let Some(old) = old else {
        return Some((0, WIDTH));
    };
    let differs = |column: &usize| old[*column] != new[*column];
    let first = (0..WIDTH).find(differs)?;
    let last = (0..WIDTH).rfind(differs)?;
    Some((first, last + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FakeGlass;

    fn checked(lit: impl Fn(usize, usize) -> bool) -> Picture {
        let mut picture = Picture::default();
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                picture.set(x, y, lit(x, y));
            }
        }
        picture
    }

    fn show(glass: &mut Glass, picture: &Picture) -> usize {
        (1..50)
            .find(|_| glass.step(picture, Glow::DAY).unwrap() == Shown::All)
            .unwrap()
    }

    fn set_up() -> (FakeGlass, Glass) {
        let fake = FakeGlass::default();
        let glass = Glass::set_up(Box::new(fake.clone()), 0x3c, Mounting::Upright).unwrap();
        (fake, glass)
    }

    #[test]
    fn the_glass_shows_the_picture_dot_for_dot_and_no_noise_before_it() {
        let (fake, mut glass) = set_up();
        let picture = checked(|x, y| (x * 7 + y * 13) % 5 == 0);
        while glass.step(&picture, Glow::DAY).unwrap() == Shown::Partly {
            assert_eq!(fake.picture(), None);
        }
        assert_eq!(fake.picture(), Some(picture));
        assert_eq!(fake.contrast(), Glow::DAY.contrast);
        assert_eq!(fake.is_upright(), Some(true));
    }

    #[test]
    fn only_what_changed_is_sent() {
        let (fake, mut glass) = set_up();
        let mut picture = checked(|x, y| x == y);
        show(&mut glass, &picture);
        let before = fake.transfers();
        assert_eq!(show(&mut glass, &picture), 1);
        assert_eq!(fake.transfers(), before, "an unchanged picture is not sent");
        picture.set(100, 60, true);
        picture.set(103, 61, true);
        assert_eq!(show(&mut glass, &picture), 2);
        assert_eq!(fake.transfers(), before + 3, "columns, band, data");
        assert_eq!(fake.picture(), Some(picture));
    }

    #[test]
    fn a_display_that_lost_power_for_a_moment_shows_again_after_the_refresh() {
        let (fake, mut glass) = set_up();
        let picture = checked(|x, _| x % 3 == 0);
        show(&mut glass, &picture);
        fake.lose_power();
        show(&mut glass, &picture);
        assert_eq!(
            fake.picture(),
            None,
            "it answers, and nobody can know that it is dark"
        );
        glass.refresh().unwrap();
        show(&mut glass, &picture);
        assert_eq!(fake.picture(), Some(picture));
    }

    #[test]
    fn a_module_mounted_upside_down_is_driven_upside_down() {
        let fake = FakeGlass::default();
        Glass::set_up(Box::new(fake.clone()), 0x3c, Mounting::UpsideDown).unwrap();
        assert_eq!(fake.is_upright(), Some(false));
    }

    #[test]
    fn an_error_of_the_bus_is_told_as_it_was() {
        let (fake, mut glass) = set_up();
        fake.fail(Some(121));
        let error = glass.step(&Picture::default(), Glow::DAY).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(121));
        fake.fail(None);
        show(&mut glass, &Picture::default());
        assert_eq!(fake.picture(), Some(Picture::default()));
    }
}
