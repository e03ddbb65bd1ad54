//! A picture as the glass shows it: 128 by 64 dots, each lit or not.

use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, Size};

use crate::PanelError;
use crate::error::said;

/// Dots across.
pub const WIDTH: usize = 128;
/// Dots down.
pub const HEIGHT: usize = 64;
/// Rows of dots in a byte of the display's memory.
pub(crate) const BAND: usize = 8;
/// Bytes of the display's memory.
pub(crate) const BYTES: usize = WIDTH * HEIGHT / BAND;

/// 128 by 64 dots, kept as the display keeps them: a byte is eight dots of one column, the lowest bit on top; bytes run
/// along a band of eight rows, bands from top to bottom.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    bytes: [u8; BYTES],
}

impl Default for Picture {
    fn default() -> Self {
        Self { bytes: [0; BYTES] }
    }
}

impl Picture {
    /// A picture from the display's memory.
    pub fn from_ssd1306_bytes(bytes: &[u8; BYTES]) -> Self {
        Self { bytes: *bytes }
    }

    /// The display's memory that shows this picture, in the order in which it is sent.
    pub fn ssd1306_bytes(&self) -> &[u8; BYTES] {
        &self.bytes
    }

    /// Whether a dot is lit. None is outside.
    pub fn is_lit(&self, x: usize, y: usize) -> bool {
        x < WIDTH && y < HEIGHT && self.bytes[y / BAND * WIDTH + x] & (1 << (y % BAND)) != 0
    }

    /// Lights a dot or puts it out; outside nothing happens.
    pub fn set(&mut self, x: usize, y: usize, lit: bool) {
        if x >= WIDTH || y >= HEIGHT {
            return;
        }
        let byte = &mut self.bytes[y / BAND * WIDTH + x];
        let bit = 1 << (y % BAND);
        if lit {
            *byte |= bit;
        } else {
            *byte &= !bit;
        }
    }

    /// How many dots are lit.
    pub fn lit(&self) -> u32 {
        self.bytes.iter().map(|byte| byte.count_ones()).sum()
    }

    /// The picture moved right and down; what leaves it is gone.
    #[must_use]
    pub fn shifted(&self, right: usize, down: usize) -> Self {
        let mut moved = Self::default();
        for y in down..HEIGHT {
            for x in right..WIDTH {
                moved.set(x, y, self.is_lit(x - right, y - down));
            }
        }
        moved
    }

    /// Writes the picture as a PNG, each dot `scale` pixels wide and high.
    pub fn write_png(&self, path: &Path, scale: u32) -> Result<(), PanelError> {
        let failed = |problem: String| PanelError::Write {
            path: path.to_owned(),
            problem,
        };
        let file = File::create(path).map_err(|error| failed(said(&error)))?;
        let mut file = BufWriter::new(file);
        self.encode_png(&mut file, scale)
            .map_err(|error| failed(error.to_string()))?;
        file.flush().map_err(|error| failed(said(&error)))
    }

    fn encode_png(&self, out: impl Write, scale: u32) -> Result<(), png::EncodingError> {
        let scale = scale.max(1) as usize;
        let (width, height) = (WIDTH * scale, HEIGHT * scale);
        let mut encoder = png::Encoder::new(out, width as u32, height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let row_bytes = width.div_ceil(8);
        let mut pixels = vec![0_u8; row_bytes * height];
        for y in 0..height {
            for x in 0..width {
                if self.is_lit(x / scale, y / scale) {
                    pixels[y * row_bytes + x / 8] |= 0x80 >> (x % 8);
                }
            }
        }
        encoder.write_header()?.write_image_data(&pixels)
    }
}

/// Rows of `█`, `▀`, `▄` and `·`: two rows of dots a line, so that a picture is readable in a terminal or a diff.
impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for y in (0..HEIGHT).step_by(2) {
            for x in 0..WIDTH {
                f.write_str(match (self.is_lit(x, y), self.is_lit(x, y + 1)) {
                    (true, true) => "█",
                    (true, false) => "▀",
                    (false, true) => "▄",
                    (false, false) => "·",
                })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture of {} lit dots\n{self}", self.lit())
    }
}

impl OriginDimensions for Picture {
    fn size(&self) -> Size {
        Size::new(WIDTH as u32, HEIGHT as u32)
    }
}

impl DrawTarget for Picture {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, colour) in pixels {
            if let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) {
                self.set(x, y, colour.is_on());
            }
        }
        Ok(())
    }
}
