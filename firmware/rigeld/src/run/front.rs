//! The rig's front as the board describes it, and switching the computer off.

use crate::live::LiveHandle;
use crate::wiring;
use anyhow::{Context, Result};
use board::Board;
use panel::{Front, FrontSettings, Press};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};

/// Made in the folder of run-time state where the computer is to be switched off. `rigeld` may not do that itself; the
/// unit `rigel-poweroff.path` waits for this file.
const POWER_OFF_FILE: &str = "poweroff";

/// Starts display, lights and button. Without them the rig labels all the same.
pub(super) fn start(
    board: &Board,
    live: &LiveHandle,
    presses: Option<Receiver<Press>>,
    runtime: Option<&Path>,
) -> (Option<Front>, Receiver<Press>) {
    let settings = FrontSettings {
        display: board.panel.as_ref().map(wiring::display_settings),
        pins: board.pins.as_ref().map(wiring::pin_settings),
        snapshot: runtime.map(|folder| folder.join("panel.json")),
    };
    // Nobody presses a button that is not there.
    let presses = presses.unwrap_or_else(|| mpsc::channel().1);
    if settings == FrontSettings::default() {
        return (None, presses);
    }
    let has_pins = settings.pins.is_some();
    match Front::start(settings, live.for_panel(&board.rig)) {
        Ok((front, pressed)) => (Some(front), if has_pins { pressed } else { presses }),
        Err(error) => {
            tracing::warn!("{error}; the rig goes on without its panel");
            (None, presses)
        }
    }
}

/// A request of an earlier run is not ours.
pub(super) fn withdraw_power_off(runtime: Option<&Path>) {
    if let Some(folder) = runtime {
        let _ = std::fs::remove_file(folder.join(POWER_OFF_FILE));
    }
}

pub(super) fn ask_for_power_off(runtime: Option<&Path>) -> Result<()> {
    let Some(folder) = runtime else {
        tracing::warn!(
            "not started by systemd, so nobody switches the computer off: do it by hand"
        );
        return Ok(());
    };
    let path = folder.join(POWER_OFF_FILE);
    std::fs::write(&path, "")
        .with_context(|| format!("cannot write {}: the computer stays on", path.display()))?;
    tracing::info!("everything is closed; the computer is switched off");
    Ok(())
}
