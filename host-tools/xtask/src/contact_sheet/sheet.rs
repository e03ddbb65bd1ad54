//! Drawing the sheet: cells of equal size, each with its pictures and two lines of words.

use std::convert::Infallible;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_6X10;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use image::RgbImage;
use image::imageops::{self, FilterType};

use super::{Case, Frames};

const WIDTH: u32 = 1920;
/// Two lines of 10 pixels and the space around them.
const WORDS: u32 = 26;
const GAP: u32 = 4;

const OURS: Rgb888 = Rgb888::new(255, 220, 0);
const TRUE: Rgb888 = Rgb888::new(60, 160, 255);
const WRONG: Rgb888 = Rgb888::new(255, 70, 70);
const PLAIN: Rgb888 = Rgb888::new(220, 220, 220);

/// The sheet as something to draw on.
struct Sheet(RgbImage);

impl OriginDimensions for Sheet {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Sheet {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, color) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y))
                && let Some(pixel) = self.0.get_pixel_mut_checked(x, y)
            {
                pixel.0 = [color.r(), color.g(), color.b()];
            }
        }
        Ok(())
    }
}

/// The grid: how many cells a row, and the pictures in a cell.
#[derive(Debug, PartialEq)]
struct Grid {
    columns: u32,
    tile: (u32, u32),
}

/// A strip is wide and low; a single picture has room.
fn grid(tiles: usize, crop: Option<[f32; 4]>) -> Grid {
    let columns = match tiles {
        0..=1 => 8,
        2..=5 => 3,
        _ => 2,
    };
    let cell = WIDTH / columns - GAP;
    let width = cell / tiles.max(1) as u32;
    let shape = crop.map_or(0.75, |[_, _, width, height]| height / width.max(1.0));
    let height = (width as f32 * shape.clamp(0.3, 1.0)).round() as u32;
    Grid {
        columns,
        tile: (width, height),
    }
}

/// All cases on one picture.
pub(super) fn drawn(cases: &[Case], frames: &Frames) -> RgbImage {
    let tiles = cases.iter().map(|case| case.frames.len()).max();
    let shape = cases.iter().find_map(|case| case.crop);
    let grid = grid(tiles.unwrap_or(1), shape);
    let (cell, row) = (WIDTH / grid.columns, grid.tile.1 + WORDS + GAP);
    let rows = (cases.len() as u32).div_ceil(grid.columns);
    let mut sheet = Sheet(RgbImage::new(WIDTH, rows * row));
    for (number, case) in cases.iter().enumerate() {
        let place = number as u32;
        let (x, y) = (place % grid.columns * cell, place / grid.columns * row);
        for (tile, frame) in case.frames.iter().enumerate() {
            if let Some(picture) = frames.get(&(case.name.clone(), *frame)) {
                let at = (x + tile as u32 * grid.tile.0, y);
                draw_tile(&mut sheet, case, *frame, picture, at, grid.tile);
            }
        }
        let color = if case.wrong { WRONG } else { PLAIN };
        let width = (cell / 6).saturating_sub(1) as usize;
        let (_, clip) = case.name.split_once("__").unwrap_or(("", &case.name));
        let lines = [
            format!("{} {}", number + 1, case.title),
            format!("{clip} {}", case.what),
        ];
        for (line, words) in lines.iter().enumerate() {
            let words: String = words.chars().take(width).collect();
            let at = Point::new(
                x as i32 + 2,
                (y + grid.tile.1 + 2 + 11 * line as u32) as i32,
            );
            let style = MonoTextStyle::new(&FONT_6X10, color);
            let Ok(_) = Text::with_baseline(&words, at, style, Baseline::Top).draw(&mut sheet);
        }
    }
    sheet.0
}

/// One picture of a case, cut out, brought to the tile's size, and marked.
fn draw_tile(
    sheet: &mut Sheet,
    case: &Case,
    frame: u32,
    picture: &RgbImage,
    (x, y): (u32, u32),
    (width, height): (u32, u32),
) {
    let whole = [0.0, 0.0, picture.width() as f32, picture.height() as f32];
    let [left, top, wide, high] = inside(case.crop.unwrap_or(whole), whole);
    let cut = imageops::crop_imm(picture, left as u32, top as u32, wide as u32, high as u32);
    let scale = (width as f32 / wide).min(height as f32 / high);
    let (w, h) = ((wide * scale).max(1.0), (high * scale).max(1.0));
    let small = imageops::resize(&cut.to_image(), w as u32, h as u32, FilterType::Triangle);
    imageops::replace(&mut sheet.0, &small, i64::from(x), i64::from(y));
    let place = |px: f32, py: f32| {
        Point::new(
            x as i32 + ((px - left) * scale).round() as i32,
            y as i32 + ((py - top) * scale).round() as i32,
        )
    };
    let thin = |color| PrimitiveStyle::with_stroke(color, 1);
    let boxes = [(&case.true_boxes, TRUE), (&case.boxes, OURS)];
    for (rects, color) in boxes {
        for [bx, by, bw, bh] in rects {
            let (from, to) = (place(*bx, *by), place(bx + bw - 1.0, by + bh - 1.0));
            let Ok(()) = Rectangle::with_corners(from, to)
                .into_styled(thin(color))
                .draw(sheet);
        }
    }
    for (points, color) in [(&case.true_points, TRUE), (&case.points, OURS)] {
        for [px, py] in points {
            let Ok(()) = Circle::with_center(place(*px, *py), 7)
                .into_styled(thin(color))
                .draw(sheet);
        }
    }
    // Frames of the event itself are underlined: the rest is margin.
    let (start, end) = case.event;
    if case.frames.len() > 1 && (start..=end).contains(&frame) {
        let line = Rectangle::new(
            Point::new(x as i32, (y + height) as i32 - 2),
            Size::new(width.saturating_sub(1), 2),
        );
        let Ok(()) = line
            .into_styled(PrimitiveStyle::with_fill(OURS))
            .draw(sheet);
    }
}

/// A rectangle's part inside another, at least a pixel wide and high; x, y, width, height.
fn inside([x, y, w, h]: [f32; 4], [left, top, wide, high]: [f32; 4]) -> [f32; 4] {
    let (x0, y0) = (
        x.clamp(left, left + wide - 1.0),
        y.clamp(top, top + high - 1.0),
    );
    let (x1, y1) = ((x + w).min(left + wide), (y + h).min(top + high));
    [x0, y0, (x1 - x0).max(1.0), (y1 - y0).max(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        Case {
            name: "set__clip".into(),
            frames: vec![3],
            event: (3, 3),
            crop: None,
            title: "0.95 WRONG".into(),
            wrong: true,
            what: "frame 3".into(),
            boxes: vec![[10.0, 10.0, 40.0, 30.0]],
            points: Vec::new(),
            true_boxes: Vec::new(),
            true_points: Vec::new(),
        }
    }

    #[test]
    fn a_box_is_drawn_over_its_picture_and_the_words_of_a_wrong_one_are_red() {
        let picture = RgbImage::from_pixel(96, 72, image::Rgb([9, 9, 9]));
        let frames = Frames::from([(("set__clip".to_owned(), 3), picture)]);
        let sheet = drawn(&[case()], &frames);
        assert_eq!(sheet.width(), WIDTH);
        let has = |color: Rgb888| {
            sheet
                .pixels()
                .any(|pixel| pixel.0 == [color.r(), color.g(), color.b()])
        };
        assert!(has(OURS) && has(WRONG) && !has(TRUE));
    }

    #[test]
    fn fifty_single_pictures_fit_a_screen_and_a_frame_beyond_the_end_is_left_out() {
        let cases = vec![case(); 50];
        let sheet = drawn(&cases, &Frames::new());
        assert!(sheet.height() <= 1500, "{}", sheet.height());
    }

    #[test]
    fn a_crop_stays_inside_the_picture() {
        let whole = [0.0, 0.0, 100.0, 80.0];
        assert_eq!(
            inside([-10.0, 70.0, 30.0, 30.0], whole),
            [0.0, 70.0, 20.0, 10.0]
        );
        assert_eq!(
            inside([200.0, 200.0, 30.0, 30.0], whole),
            [99.0, 79.0, 1.0, 1.0]
        );
    }
}
