//! The area that pages draw into, field by field.
//!
//! Each field has an area of its own. What would be drawn outside it is refused and counted, so that a test can say that
//! no state, however odd, makes a field run into another.

use std::convert::Infallible;

use embedded_graphics::Drawable;
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{
    Dimensions, DrawTarget, OriginDimensions, Pixel, Point, Primitive, Size,
};
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};

use crate::care::MAX_SHIFT;
use crate::picture::{HEIGHT, Picture, WIDTH};

/// Dots across that a page may use: the rest is for the slow move against burn-in.
pub(crate) const PAGE_WIDTH: u32 = WIDTH as u32 - MAX_SHIFT as u32;
/// Dots down that a page may use.
pub(crate) const PAGE_HEIGHT: u32 = HEIGHT as u32 - MAX_SHIFT as u32;

/// Whether text is lit on dark or dark on lit. The second says: look here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Lit,
    Reversed,
}

/// A page being drawn.
pub(crate) struct Canvas {
    picture: Picture,
    fields: Vec<Rectangle>,
    spilled: u32,
}

/// One field of it.
pub(crate) struct Field<'a> {
    canvas: &'a mut Canvas,
    area: Rectangle,
}

/// An area by its corner and size.
pub(crate) const fn area(x: i32, y: i32, width: u32, height: u32) -> Rectangle {
    Rectangle::new(Point::new(x, y), Size::new(width, height))
}

impl Canvas {
    pub(crate) fn new() -> Self {
        Self {
            picture: Picture::default(),
            fields: Vec::new(),
            spilled: 0,
        }
    }

    /// A field, in which coordinates count from its own corner.
    pub(crate) fn field(&mut self, area: Rectangle) -> Field<'_> {
        self.fields.push(area);
        Field { canvas: self, area }
    }

    /// One line of text in a field of its own, cut to fit. Reversed, it has a lit margin of a dot before it.
    pub(crate) fn line(&mut self, area: Rectangle, font: &MonoFont<'_>, ink: Ink, text: &str) {
        let mut field = self.field(area);
        match ink {
            Ink::Lit => field.text(Point::zero(), font, ink, text),
            Ink::Reversed => {
                let letters = text.chars().count() as u32;
                let width = (letters * font.character_size.width + 1).min(area.size.width);
                field.fill(width);
                field.text(Point::new(1, 0), font, ink, text);
            }
        }
    }

    pub(crate) fn into_picture(self) -> Picture {
        self.picture
    }

    /// What is wrong with the layout: dots that left their field, fields that overlap or leave the page.
    #[cfg(test)]
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.spilled > 0 {
            faults.push(format!("{} dots outside their field", self.spilled));
        }
        let page = area(0, 0, PAGE_WIDTH, PAGE_HEIGHT);
        for (index, field) in self.fields.iter().enumerate() {
            if field.intersection(&page) != *field {
                faults.push(format!("{field:?} leaves the page"));
            }
            for other in &self.fields[index + 1..] {
                if !field.intersection(other).is_zero_sized() {
                    faults.push(format!("{field:?} overlaps {other:?}"));
                }
            }
        }
        faults
    }
}

impl Field<'_> {
    /// Lights the field from the left on, as far as `width`.
    pub(crate) fn fill(&mut self, width: u32) {
        let bar = area(0, 0, width, self.area.size.height);
        draw(
            &bar.into_styled(PrimitiveStyle::with_fill(BinaryColor::On)),
            self,
        );
    }

    /// Writes text from a point on, cut to the width that is left.
    pub(crate) fn text(&mut self, at: Point, font: &MonoFont<'_>, ink: Ink, text: &str) {
        let advance = font.character_size.width + font.character_spacing;
        let room = (self.area.size.width as i32 - at.x).max(0) as u32 + font.character_spacing;
        let text = crate::words::fit(text, (room / advance) as usize);
        let colour = match ink {
            Ink::Lit => BinaryColor::On,
            Ink::Reversed => BinaryColor::Off,
        };
        let style = MonoTextStyle::new(font, colour);
        draw(&Text::with_baseline(&text, at, style, Baseline::Top), self);
    }
}

/// Draws where drawing cannot fail.
pub(crate) fn draw<D: DrawTarget<Error = Infallible>, T: Drawable<Color = D::Color>>(
    what: &T,
    target: &mut D,
) {
    let Ok(_) = what.draw(target);
}

impl OriginDimensions for Field<'_> {
    fn size(&self) -> Size {
        self.area.size
    }
}

impl DrawTarget for Field<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<BinaryColor>>,
    {
        let own = self.bounding_box();
        for Pixel(at, colour) in pixels {
            if own.contains(at) {
                let at = at + self.area.top_left;
                self.canvas
                    .picture
                    .set(at.x as usize, at.y as usize, colour.is_on());
            } else {
                self.canvas.spilled += 1;
            }
        }
        Ok(())
    }
}
