//! Lights and button.

use std::path::PathBuf;

use crate::{Access, PanelError};

/// Where lights and button are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinSettings {
    /// How they are reached.
    pub access: Access,
    /// The GPIO chip's device file, for [`Access::Kernel`].
    pub chip: PathBuf,
    /// Line (with `rppal`: BCM number) of the heartbeat light.
    pub heartbeat: u32,
    /// Line of the recording light.
    pub recording: u32,
    /// Line of the fault light.
    pub fault: u32,
    /// Line of the button.
    pub button: u32,
    /// The button closes to ground and the line is pulled up.
    pub button_active_low: bool,
}

/// Whether the pins can be had.
pub fn probe_pins(settings: &PinSettings) -> Result<(), PanelError> {
    std::fs::metadata(&settings.chip)
        .map(drop)
        .map_err(|error| PanelError::Chip {
            chip: settings.chip.clone(),
            problem: error.to_string(),
            advice: "name the board's GPIO chip",
        })
}
