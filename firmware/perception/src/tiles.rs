//! Overlapping squares of the picture in which a small face is large enough to be found.

use crate::warp::Region;
use label_core::Keypoint;

/// An upright square around a point.
pub(crate) fn square(x: f32, y: f32, side: f32) -> Region {
    Region {
        center: Keypoint::new(x, y),
        width: side,
        height: side,
        angle: 0.0,
    }
}

/// Half-overlapping tiles along an axis.
fn tiles_along(length: f32, side: f32) -> usize {
    if side >= length {
        1
    } else {
        ((length - side) / (side / 2.0)).ceil() as usize + 1
    }
}

/// How many tiles there are of side `side` and of half of it.
pub(crate) fn tile_count(width: f32, height: f32, side: f32) -> usize {
    tiles_along(width, side) * tiles_along(height, side)
}

/// Tile number `index`: the large ones of side `side` first, then those of half of it.
pub(crate) fn tile(width: f32, height: f32, side: f32, index: usize) -> Region {
    let large = tile_count(width, height, side);
    let (side, index) = if index < large {
        (side, index)
    } else {
        (side / 2.0, index - large)
    };
    let columns = tiles_along(width, side);
    let place = |length: f32, at: usize| {
        let count = tiles_along(length, side);
        let step = if count > 1 {
            (length - side) / (count - 1) as f32
        } else {
            0.0
        };
        side / 2.0 + at as f32 * step
    };
    square(
        place(width, index % columns),
        place(height, index / columns),
        side,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_whole_frame() {
        for (width, height) in [
            (1920.0, 1080.0),
            (1080.0, 1920.0),
            (640.0, 480.0),
            (500.0, 500.0),
        ] {
            let side = f32::min(width, height);
            let count = tile_count(width, height, side) + tile_count(width, height, side / 2.0);
            let tiles: Vec<_> = (0..count)
                .map(|index| tile(width, height, side, index))
                .collect();
            for (x, y) in [
                (1.0, 1.0),
                (width - 1.0, height - 1.0),
                (width / 2.0, height / 2.0),
                (width * 0.3, height * 0.9),
            ] {
                for wanted in [side, side / 2.0] {
                    assert!(
                        tiles.iter().any(|t| t.width == wanted
                            && (t.center.x - x).abs() <= wanted / 2.0
                            && (t.center.y - y).abs() <= wanted / 2.0),
                        "{width}x{height}: no tile of {wanted} sees {x},{y}"
                    );
                }
            }
        }
    }
}
