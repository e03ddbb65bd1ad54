//! Eyes, drawn: an almond that closes, an iris behind it, a lid line.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

pub(crate) const TILE_WIDTH: usize = 64;
pub(crate) const TILE_HEIGHT: usize = 40;
/// Points a pixel in each direction.
const FINER: usize = 3;

/// A filmstrip as JPEG: right eyes above left, one column for each pair of openings (right, left).
pub(crate) fn filmstrip(openings: &[(f32, f32)]) -> Vec<u8> {
    let width = TILE_WIDTH * openings.len();
    let mut pixels = vec![0u8; width * TILE_HEIGHT * 2];
    for (column, &(right, left)) in openings.iter().enumerate() {
        for (row, (opening, inner)) in [(right, 1.0), (left, -1.0)].into_iter().enumerate() {
            for y in 0..TILE_HEIGHT {
                for x in 0..TILE_WIDTH {
                    let at = (row * TILE_HEIGHT + y) * width + column * TILE_WIDTH + x;
                    pixels[at] = pixel(x, y, opening, inner);
                }
            }
        }
    }
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 80)
        .encode(
            &pixels,
            width as u16,
            (TILE_HEIGHT * 2) as u16,
            jpeg_encoder::ColorType::Luma,
        )
        .unwrap();
    jpeg
}

fn pixel(x: usize, y: usize, opening: f32, inner: f32) -> u8 {
    let mut sum = 0.0;
    for i in 0..FINER * FINER {
        let fine = |pixel: usize, part: usize| pixel as f32 + (part as f32 + 0.5) / FINER as f32;
        sum += shade(fine(x, i % FINER), fine(y, i / FINER), opening, inner);
    }
    (sum / (FINER * FINER) as f32) as u8
}

/// Brightness at a place in the tile; `inner` is +1 where the nose is to the right.
fn shade(x: f32, y: f32, opening: f32, inner: f32) -> f32 {
    let (dx, dy) = (x - 32.0, y - 22.0);
    let skin = 168.0 - dy * 0.9 + inner * dx * 0.35;
    let across = 1.0 - (dx / 25.0).powi(2);
    // The brow, and the crease of the lid.
    let brow = dy + 15.0 + 0.006 * dx * dx;
    if brow.abs() < 2.2 && dx.abs() < 27.0 {
        return 82.0;
    }
    if across <= 0.0 {
        return skin;
    }
    // The upper lid moves, the lower one hardly.
    let upper = -11.0 * opening.max(0.0) * across + 3.0 * (1.0 - opening);
    let lower = 5.0 * across;
    let upper = upper.min(lower - 0.6);
    if dy < upper - 1.6 || dy > lower + 0.9 {
        return skin;
    }
    if dy < upper {
        return 52.0;
    }
    if dy > lower {
        return 120.0;
    }
    let from_iris = (dx * dx + (dy + 2.0) * (dy + 2.0)).sqrt();
    match from_iris {
        r if r < 3.6 => 22.0,
        r if r < 8.6 => 78.0,
        _ => 222.0 - dx.abs() * 1.4,
    }
}
