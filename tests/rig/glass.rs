//! What an SSD1306 display shows, worked out from what came over its bus, by the controller's data sheet and not by the
//! code that sent it.

use anyhow::{Result, bail, ensure};

/// Dots across.
pub(crate) const WIDTH: usize = 128;
/// Dots down.
pub(crate) const HEIGHT: usize = 64;
/// Rows of bytes in the controller's memory, each eight dots high.
const BANDS: usize = HEIGHT / 8;

/// The controller.
#[derive(Clone, Debug)]
pub(crate) struct Glass {
    memory: [[u8; WIDTH]; BANDS],
    mode: Mode,
    columns: (usize, usize),
    bands: (usize, usize),
    column: usize,
    band: usize,
    turned: Turned,
    inverted: bool,
    start_line: usize,
    contrast: u8,
    on: bool,
    /// Commands whose arguments have not come yet.
    waiting: Vec<u8>,
}

/// Which way round memory meets the glass. Mounted as modules are, text reads upright with both of these set.
#[derive(Clone, Copy, Debug, Default)]
struct Turned {
    columns: bool,
    rows: bool,
}

/// How the memory's pointer moves on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Horizontal,
    Vertical,
    Page,
}

impl Default for Glass {
    /// As after a reset.
    fn default() -> Self {
        Self {
            memory: [[0; WIDTH]; BANDS],
            mode: Mode::Page,
            columns: (0, WIDTH - 1),
            bands: (0, BANDS - 1),
            column: 0,
            band: 0,
            turned: Turned::default(),
            inverted: false,
            start_line: 0,
            contrast: 0x7f,
            on: false,
            waiting: Vec::new(),
        }
    }
}

impl Glass {
    /// Takes a recording: each write as its length, high byte first, and its bytes.
    pub(crate) fn take_all(&mut self, mut recording: &[u8]) -> Result<usize> {
        let mut writes = 0;
        while let Some((length, rest)) = recording.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            ensure!(length <= rest.len(), "the recording ends within a write");
            self.take(&rest[..length])?;
            recording = &rest[length..];
            writes += 1;
        }
        ensure!(recording.is_empty(), "the recording ends within a length");
        Ok(writes)
    }

    /// Takes one write: a control byte that says what follows, up to the write's end or, with its top bit, for one byte.
    fn take(&mut self, mut write: &[u8]) -> Result<()> {
        while let Some((control, rest)) = write.split_first() {
            let (single, data) = (control & 0x80 != 0, control & 0x40 != 0);
            ensure!(control.trailing_zeros() >= 6, "control byte {control:#04x}");
            let (now, later) = rest.split_at(if single {
                rest.len().min(1)
            } else {
                rest.len()
            });
            for byte in now {
                if data {
                    self.store(*byte);
                } else {
                    self.command(*byte)?;
                }
            }
            write = later;
        }
        Ok(())
    }

    fn command(&mut self, byte: u8) -> Result<()> {
        self.waiting.push(byte);
        let [first, arguments @ ..] = self.waiting.as_slice() else {
            return Ok(());
        };
        let needed = match first {
            0x20 | 0x81 | 0x8d | 0xa8 | 0xd3 | 0xd5 | 0xd9 | 0xda | 0xdb => 1,
            0x21 | 0x22 => 2,
            _ => 0,
        };
        if arguments.len() < needed {
            return Ok(());
        }
        match (*first, arguments) {
            (low @ 0x00..=0x0f, []) => self.column = self.column & 0xf0 | usize::from(low),
            (high @ 0x10..=0x1f, []) => {
                self.column = self.column & 0x0f | usize::from(high & 0x07) << 4;
            }
            (0x20, [mode]) => {
                self.mode = match mode & 0x03 {
                    0 => Mode::Horizontal,
                    1 => Mode::Vertical,
                    _ => Mode::Page,
                };
            }
            (0x21, [from, to]) => {
                self.columns = (usize::from(from & 0x7f), usize::from(to & 0x7f));
                self.column = self.columns.0;
            }
            (0x22, [from, to]) => {
                self.bands = (usize::from(from & 0x07), usize::from(to & 0x07));
                self.band = self.bands.0;
            }
            (line @ 0x40..=0x7f, []) => self.start_line = usize::from(line & 0x3f),
            (0x81, [contrast]) => self.contrast = *contrast,
            (turned @ 0xa0..=0xa1, []) => self.turned.columns = turned == 0xa1,
            (inverted @ 0xa6..=0xa7, []) => self.inverted = inverted == 0xa7,
            (on @ 0xae..=0xaf, []) => self.on = on == 0xaf,
            (band @ 0xb0..=0xb7, []) => self.band = usize::from(band & 0x07),
            (0xc0, []) => self.turned.rows = false,
            (0xc8, []) => self.turned.rows = true,
            // No scrolling, nothing, memory to glass; charge pump, clock, pre-charge, wiring, level: how the glass is driven.
            (0x2e | 0xe3 | 0xa4, []) | (0x8d | 0xd5 | 0xd9 | 0xda | 0xdb, [_]) => {}
            (0xa8, [ratio]) => ensure!(*ratio == 63, "64 rows are driven, not {ratio} + 1"),
            (0xd3, [offset]) => ensure!(*offset == 0, "the rows are shifted by {offset}"),
            (unknown, _) => bail!("a command the data sheet does not know: {unknown:#04x}"),
        }
        self.waiting.clear();
        Ok(())
    }

    fn store(&mut self, byte: u8) {
        self.memory[self.band][self.column] = byte;
        let next = |at: usize, (first, last): (usize, usize)| {
            if at == last {
                (first, true)
            } else {
                ((at + 1) % 128, false)
            }
        };
        match self.mode {
            Mode::Page => self.column = (self.column + 1) % WIDTH,
            Mode::Horizontal => {
                let (column, over) = next(self.column, self.columns);
                self.column = column;
                if over {
                    self.band = next(self.band, self.bands).0;
                }
            }
            Mode::Vertical => {
                let (band, over) = next(self.band, self.bands);
                self.band = band;
                if over {
                    self.column = next(self.column, self.columns).0;
                }
            }
        }
    }

    /// Whether the glass is lit at all.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// How bright.
    pub(crate) fn contrast(&self) -> u8 {
        self.contrast
    }

    /// Whether a dot shines, seen by a person before a module mounted upright.
    pub(crate) fn dot(&self, x: usize, y: usize) -> bool {
        let column = if self.turned.columns {
            x
        } else {
            WIDTH - 1 - x
        };
        let row = if self.turned.rows { y } else { HEIGHT - 1 - y };
        let row = (row + self.start_line) % HEIGHT;
        let lit = self.memory[row / 8][column] >> (row % 8) & 1 == 1;
        self.on && lit != self.inverted
    }

    /// The picture as text, two rows of dots a line, for people.
    pub(crate) fn drawn(&self) -> String {
        let mut text = String::new();
        for y in (0..HEIGHT).step_by(2) {
            for x in 0..WIDTH {
                text.push(match (self.dot(x, y), self.dot(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(bytes: &[u8]) -> Vec<u8> {
        let mut recorded = (bytes.len() as u16).to_be_bytes().to_vec();
        recorded.extend_from_slice(bytes);
        recorded
    }

    #[test]
    fn a_dot_is_seen_where_the_data_sheet_puts_it() {
        let mut glass = Glass::default();
        let recording = [
            write(&[0x00, 0xae, 0xa1, 0xc8, 0x20, 0x00]),
            write(&[0x00, 0x21, 10, 11, 0x22, 2, 3]),
            write(&[0x40, 0x01, 0x80, 0xff]),
            write(&[0x80, 0xaf]),
        ]
        .concat();
        assert_eq!(glass.take_all(&recording).unwrap(), 4);
        assert!(glass.is_on());
        assert!(glass.dot(10, 16) && !glass.dot(10, 17) && glass.dot(11, 23));
        // The pointer went on to the next band at the end of the window.
        assert!((24..32).all(|y| glass.dot(10, y)) && !glass.dot(12, 16));
    }

    #[test]
    fn turned_around_the_same_memory_is_upside_down() {
        let mut glass = Glass::default();
        let recording = [
            write(&[0x00, 0xa0, 0xc0, 0xb0, 0x00, 0x10, 0xaf]),
            write(&[0x40, 0x01]),
        ];
        glass.take_all(&recording.concat()).unwrap();
        assert!(glass.dot(WIDTH - 1, HEIGHT - 1) && !glass.dot(0, 0));
    }

    #[test]
    fn a_recording_that_ends_within_a_write_is_refused() {
        assert!(Glass::default().take_all(&[0, 5, 0]).is_err());
        assert!(Glass::default().take_all(&[0]).is_err());
    }
}
