//! Writes the stored numbers of the golden clip anew: `cargo run --release -p rigeld --example store_golden -- BOARD`.
//!
//! Only for a change that was made on purpose; `models/golden/README.md` says when.

use anyhow::{Context, Result};
use board::Board;
use rigeld::check::golden::{self, Expected, Limit, Tolerance};
use rigeld::pipeline::Pipeline;
use std::path::Path;

/// How far off a number may be; `docs/reference/check.md` says what this was set by.
const TOLERANCE: Tolerance = Tolerance {
    eye_px: Limit {
        worst: 1.0,
        mean: 0.05,
    },
    openness: Limit {
        worst: 0.02,
        mean: 0.0015,
    },
    person_px: Limit {
        worst: 15.0,
        mean: 4.0,
    },
    blink_frames: 1,
    blink_confidence: 0.02,
};

fn main() -> Result<()> {
    let board = std::env::args()
        .nth(1)
        .context("name the board file whose models the numbers are made with")?;
    let board = Board::read(Path::new(&board))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/golden");
    let clip = "clip.mjpeg";
    let mut pipeline = Pipeline::load(&board)?;
    let measured = golden::measure_clip(&mut pipeline, &folder.join(clip))?;
    Expected {
        clip: clip.to_owned(),
        sha256: perception::file_sha256(&folder.join(clip))?,
        made_with: golden::parts(&pipeline),
        tolerance: TOLERANCE,
        blinks: measured.blinks,
        frames: measured.frames,
    }
    .write(&folder)
}
