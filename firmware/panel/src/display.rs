//! The display on its bus.

use std::path::PathBuf;

use crate::{Access, PanelError};

/// Where the display is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplaySettings {
    /// The bus's device file, such as `/dev/i2c-1`.
    pub bus: PathBuf,
    /// Its address: 0x3c, or 0x3d where the module's jumper says so.
    pub address: u8,
    /// How the bus is reached.
    pub access: Access,
    /// Mounted upside down.
    pub upside_down: bool,
}

/// Whether the display answers.
pub fn probe_display(settings: &DisplaySettings) -> Result<(), PanelError> {
    std::fs::metadata(&settings.bus)
        .map(drop)
        .map_err(|error| PanelError::Bus {
            bus: settings.bus.clone(),
            problem: error.to_string(),
            advice: "switch I2C on",
        })
}
