//! Large letters: a font of 7 by 13 dots at twice its size, with corners rounded.
//!
//! The library's largest font has letters 13 dots high; these have 18. Doubling alone gives stairs, so diagonals are
//! smoothed by the rule of Scale2x: a quarter of a dot takes after two neighbours that agree.

use std::convert::Infallible;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_7X13_BOLD;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, Point, Size};
use embedded_graphics::text::{Baseline, Text};

use crate::canvas::{Field, draw};
use crate::words::fit;

/// Letters that fit beside an icon.
const ROOM: usize = 7;
const WIDTH: usize = ROOM * 7;
const HEIGHT: usize = 13;

/// The word at its own size.
struct Small([[bool; WIDTH]; HEIGHT]);

impl Small {
    fn lit(&self, x: usize, y: usize) -> bool {
        self.0
            .get(y)
            .and_then(|row| row.get(x))
            .copied()
            .unwrap_or(false)
    }
}

impl OriginDimensions for Small {
    fn size(&self) -> Size {
        Size::new(WIDTH as u32, HEIGHT as u32)
    }
}

impl DrawTarget for Small {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        for Pixel(at, colour) in pixels {
            let row = self.0.get_mut(at.y as usize);
            if let Some(dot) = row.and_then(|row| row.get_mut(at.x as usize)) {
                *dot = colour.is_on();
            }
        }
        Ok(())
    }
}

/// Writes a word of at most seven letters into a field of 98 by 26 dots.
pub(crate) fn write(field: &mut Field<'_>, word: &str) {
    let mut small = Small([[false; WIDTH]; HEIGHT]);
    let style = MonoTextStyle::new(&FONT_7X13_BOLD, BinaryColor::On);
    let word = fit(word, ROOM);
    draw(
        &Text::with_baseline(&word, Point::zero(), style, Baseline::Top),
        &mut small,
    );
    let width = word.chars().count() * 14;
    let lit = (0..HEIGHT * 2).flat_map(|y| (0..width).map(move |x| (x, y)));
    let lit = lit.filter(|(x, y)| quarter(&small, *x, *y));
    // A short word stands a little off its icon.
    let spare = (ROOM - word.chars().count()) * 7;
    let left = spare.min(4) as i32;
    let Ok(()) = field
        .draw_iter(lit.map(|(x, y)| Pixel(Point::new(left + x as i32, y as i32), BinaryColor::On)));
}

/// One dot of the doubled word.
fn quarter(small: &Small, x: usize, y: usize) -> bool {
    let (column, row) = (x / 2, y / 2);
    let above = small.lit(column, row.wrapping_sub(1));
    let below = small.lit(column, row + 1);
    let before = small.lit(column.wrapping_sub(1), row);
    let behind = small.lit(column + 1, row);
    let (near_row, far_row) = if y.is_multiple_of(2) {
        (above, below)
    } else {
        (below, above)
    };
    let (near_column, far_column) = if x.is_multiple_of(2) {
        (before, behind)
    } else {
        (behind, before)
    };
    if near_row == near_column && near_row != far_column && near_column != far_row {
        near_row
    } else {
        small.lit(column, row)
    }
}
