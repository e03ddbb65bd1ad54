//! What keeps an OLED readable for years and out of a driver's eyes at night: the picture moves, and dims.

use std::time::Duration;

/// The picture moves by up to so many dots right and down.
pub(crate) const MAX_SHIFT: usize = 2;

/// The picture stands this long in one place. Burn-in is a matter of hundreds of hours, and a move must not catch the eye.
const STAND: Duration = Duration::from_mins(1);

/// Where the picture stands, one after the other: round the centre, one dot at a time, so that no move is a jump. Text
/// strokes are one or two dots wide: over the round every dot of a stroke rests for at least three of eight minutes.
const PLACES: [(usize, usize); 8] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (2, 1),
    (2, 2),
    (1, 2),
    (0, 2),
    (0, 1),
];

/// How far right and down the picture stands after `uptime`.
pub(crate) fn shift(uptime: Duration) -> (usize, usize) {
    let step = uptime.as_secs() / STAND.as_secs();
    PLACES[(step % PLACES.len() as u64) as usize]
}
