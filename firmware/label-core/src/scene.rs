//! What is measured of the scene as a whole, in one frame.

mod grid;
pub mod light_change;
pub mod quality;

pub use grid::{GRID_CELLS, GRID_COLUMNS, GRID_ROWS, LightGrid};

use crate::kind::AbstainReason;
use quality::QualityLook;

/// The scene in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneFrame {
    /// Its light, or why it was not measured.
    pub light: Result<LightGrid, AbstainReason>,
    /// Quality of the picture.
    pub quality: QualityLook,
}

impl Default for SceneFrame {
    /// Nothing was measured.
    fn default() -> Self {
        Self {
            light: Err(AbstainReason::NoLabeller),
            quality: QualityLook::Cannot(AbstainReason::NoLabeller),
        }
    }
}
