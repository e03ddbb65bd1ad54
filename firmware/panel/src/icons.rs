//! Icons: what a word says, seen from further away.

use embedded_graphics::geometry::AngleUnit;
use embedded_graphics::pixelcolor::BinaryColor::{self, Off, On};
use embedded_graphics::prelude::{DrawTarget, Pixel, Point, Primitive, Size};
use embedded_graphics::primitives::{
    Arc, Circle, Line, PrimitiveStyle, PrimitiveStyleBuilder, Rectangle, StrokeAlignment, Triangle,
};

use crate::canvas::{Field, draw};
use crate::{Link, Mode};

/// Side of a large icon.
pub(crate) const LARGE: u32 = 26;

/// A large icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Disc,
    Ring,
    Square,
    Hourglass,
    Lens,
    CameraAway,
    Alarm,
    Power,
    Linked,
    Unlinked,
    NoEntry,
    Flag,
    Question,
}

impl From<&Mode> for Icon {
    fn from(mode: &Mode) -> Self {
        match mode {
            Mode::Starting | Mode::Stopping => Self::Hourglass,
            Mode::SelfTest => Self::Lens,
            Mode::Ready => Self::Ring,
            Mode::Recording => Self::Disc,
            Mode::NoCamera => Self::CameraAway,
            Mode::Fault(_) => Self::Alarm,
            Mode::PowerOff => Self::Power,
            Mode::Stopped => Self::Square,
        }
    }
}

impl From<Link> for Icon {
    fn from(link: Link) -> Self {
        match link {
            Link::Unknown => Self::Question,
            Link::Online => Self::Linked,
            Link::Offline => Self::Unlinked,
            Link::Refused => Self::NoEntry,
        }
    }
}

fn fill(colour: BinaryColor) -> PrimitiveStyle<BinaryColor> {
    PrimitiveStyle::with_fill(colour)
}

/// A stroke that stays inside the shape.
fn stroke(width: u32) -> PrimitiveStyle<BinaryColor> {
    PrimitiveStyleBuilder::new()
        .stroke_color(On)
        .stroke_width(width)
        .stroke_alignment(StrokeAlignment::Inside)
        .build()
}

fn line(field: &mut Field<'_>, from: (i32, i32), to: (i32, i32), width: u32, colour: BinaryColor) {
    let line = Line::new(from.into(), to.into());
    draw(
        &line.into_styled(PrimitiveStyle::with_stroke(colour, width)),
        field,
    );
}

fn rectangle(field: &mut Field<'_>, x: i32, y: i32, width: u32, height: u32, colour: BinaryColor) {
    let shape = Rectangle::new(Point::new(x, y), Size::new(width, height));
    draw(&shape.into_styled(fill(colour)), field);
}

fn triangle(field: &mut Field<'_>, corners: [(i32, i32); 3], colour: BinaryColor) {
    let [a, b, c] = corners.map(Point::from);
    draw(&Triangle::new(a, b, c).into_styled(fill(colour)), field);
}

fn disc(field: &mut Field<'_>, x: i32, y: i32, diameter: u32, colour: BinaryColor) {
    let shape = Circle::new(Point::new(x, y), diameter);
    draw(&shape.into_styled(fill(colour)), field);
}

fn ring(field: &mut Field<'_>, x: i32, y: i32, diameter: u32, width: u32) {
    let shape = Circle::new(Point::new(x, y), diameter);
    draw(&shape.into_styled(stroke(width)), field);
}

impl Icon {
    /// Draws the icon into a field of `LARGE` by `LARGE`.
    pub(crate) fn draw(self, field: &mut Field<'_>) {
        match self {
            Self::Disc => disc(field, 1, 1, 24, On),
            Self::Ring => ring(field, 1, 1, 24, 4),
            Self::Square => rectangle(field, 3, 3, 20, 20, On),
            Self::Hourglass => {
                rectangle(field, 3, 1, 20, 3, On);
                rectangle(field, 3, 22, 20, 3, On);
                triangle(field, [(5, 4), (20, 4), (12, 13)], On);
                triangle(field, [(5, 21), (20, 21), (12, 12)], On);
                triangle(field, [(8, 15), (17, 15), (12, 12)], Off);
                rectangle(field, 12, 11, 2, 6, On);
            }
            Self::Lens => {
                ring(field, 1, 1, 18, 3);
                line(field, (16, 16), (23, 23), 4, On);
            }
            Self::CameraAway => {
                rectangle(field, 0, 6, 26, 18, On);
                rectangle(field, 8, 3, 10, 3, On);
                rectangle(field, 2, 8, 22, 14, Off);
                ring(field, 8, 10, 10, 2);
                line(field, (2, 23), (23, 2), 5, Off);
                line(field, (2, 23), (23, 2), 2, On);
            }
            Self::Alarm => {
                triangle(field, [(12, 1), (0, 24), (24, 24)], On);
                triangle(field, [(13, 1), (1, 24), (25, 24)], On);
                rectangle(field, 11, 9, 4, 5, Off);
                rectangle(field, 12, 14, 2, 3, Off);
                rectangle(field, 11, 19, 4, 3, Off);
            }
            Self::Power => {
                let arc = Arc::new(Point::new(3, 4), 20, (-50.0).deg(), 280.0.deg());
                draw(&arc.into_styled(stroke(3)), field);
                rectangle(field, 11, 1, 4, 12, On);
            }
            Self::Linked => {
                // A check mark.
                line(field, (3, 14), (9, 20), 4, On);
                line(field, (9, 20), (22, 5), 4, On);
            }
            Self::Unlinked => {
                // What waits, on its way and held up: an arrow and a bar.
                rectangle(field, 1, 1, 24, 4, On);
                triangle(field, [(12, 8), (3, 17), (22, 17)], On);
                triangle(field, [(13, 8), (3, 17), (22, 17)], On);
                rectangle(field, 9, 17, 8, 8, On);
            }
            Self::NoEntry => {
                disc(field, 1, 1, 24, On);
                rectangle(field, 5, 11, 16, 4, Off);
            }
            Self::Flag => {
                rectangle(field, 4, 1, 3, 24, On);
                triangle(field, [(7, 1), (7, 15), (24, 8)], On);
            }
            Self::Question => {
                for x in [3, 11, 19] {
                    rectangle(field, x, 11, 4, 4, On);
                }
            }
        }
    }
}

/// A small icon, drawn dot by dot.
pub(crate) struct Dots(&'static [&'static str]);

impl Dots {
    pub(crate) fn draw(&self, at: Point, field: &mut Field<'_>) {
        let dots = self.0.iter().zip(0..).flat_map(|(row, y)| {
            row.bytes()
                .zip(0..)
                .filter(|(dot, _)| *dot == b'#')
                .map(move |(_, x)| Pixel(at + Point::new(x, y), On))
        });
        let Ok(()) = field.draw_iter(dots);
    }
}

/// Somebody in view.
pub(crate) const PERSON: Dots = Dots(&[
    "....#####....",
    "...#######...",
    "...#######...",
    "...#######...",
    "...#######...",
    "....#####....",
    ".............",
    "..#########..",
    ".###########.",
    "#############",
    "#############",
    "#############",
    "#############",
]);

/// Nobody in view.
pub(crate) const NOBODY: Dots = Dots(&[
    "....#.#.#....",
    "...#.....#...",
    ".............",
    "...#.....#...",
    ".............",
    "....#.#.#....",
    ".............",
    "..#.#.#.#.#..",
    ".............",
    "#...........#",
    ".............",
    "#...........#",
    "#.#.#.#.#.#.#",
]);

/// An eye that is seen.
pub(crate) const EYE: Dots = Dots(&[
    "....########....",
    "..##........##..",
    ".#....####....#.",
    "#....######....#",
    "#....######....#",
    "#....######....#",
    ".#....####....#.",
    "..##........##..",
    "....########....",
]);

/// An eye that is not seen.
pub(crate) const NO_EYE: Dots = Dots(&[
    "....#..##..#....",
    "..#..........#..",
    "................",
    "#..............#",
    "................",
    "#..............#",
    "................",
    "..#..........#..",
    "....#..##..#....",
]);
