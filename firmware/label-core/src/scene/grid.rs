//! A frame's light on a coarse grid.

/// Cells across.
pub const GRID_COLUMNS: usize = 16;
/// Cells down.
pub const GRID_ROWS: usize = 9;
/// Cells in all.
pub const GRID_CELLS: usize = GRID_COLUMNS * GRID_ROWS;

/// Mean luma of each cell, row by row from the top left: 0 (black) to 255 (white) in steps of 1/64, whatever the
/// picture's own range was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LightGrid {
    cells: [u16; GRID_CELLS],
}

impl LightGrid {
    /// Steps a grey level.
    pub const STEPS: u16 = 64;

    /// A grid of these cells.
    pub const fn new(cells: [u16; GRID_CELLS]) -> Self {
        Self { cells }
    }

    /// The cells, in steps.
    pub const fn cells(&self) -> &[u16; GRID_CELLS] {
        &self.cells
    }

    /// Grey level of one cell, 0 to 255.
    pub fn level(&self, cell: usize) -> f32 {
        f32::from(self.cells[cell]) / f32::from(Self::STEPS)
    }

    /// Mean grey level, 0 to 255.
    pub fn mean(&self) -> f32 {
        let sum: u32 = self.cells.iter().map(|cell| u32::from(*cell)).sum();
        sum as f32 / (GRID_CELLS as f32 * f32::from(Self::STEPS))
    }
}
