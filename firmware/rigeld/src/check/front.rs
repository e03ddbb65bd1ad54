//! Does the display answer, and can lights and button be had? Both are asked without a change, so a running rig may be
//! asked, too.

use super::{Finding, Rig};
use crate::wiring;
use panel::{PanelError, probe_display, probe_pins};

/// The display on its bus.
pub(super) fn check_display(rig: &Rig) -> Finding {
    let Some(display) = &rig.board.panel else {
        return Finding::not_present("no [panel] in the board file");
    };
    match probe_display(&wiring::display_settings(display)) {
        Ok(found) => Finding::passed(found),
        Err(error) => failed(&error),
    }
}

/// Lights and button.
pub(super) fn check_pins(rig: &Rig) -> Finding {
    let Some(pins) = &rig.board.pins else {
        return Finding::not_present("no [pins] in the board file");
    };
    match probe_pins(&wiring::pin_settings(pins)) {
        Ok(found) => Finding::passed(found),
        Err(error) => failed(&error),
    }
}

/// What is wrong, and apart from it what to do.
fn failed(error: &PanelError) -> Finding {
    match error {
        PanelError::Bus {
            bus,
            problem,
            advice,
        } => Finding::failed(format!("{}: {problem}", bus.display()), *advice),
        PanelError::Display {
            bus,
            address,
            problem,
            advice,
        } => Finding::failed(
            format!(
                "the display at 0x{address:02x} on {}: {problem}",
                bus.display()
            ),
            *advice,
        ),
        PanelError::Chip {
            chip,
            problem,
            advice,
        } => Finding::failed(format!("{}: {problem}", chip.display()), *advice),
        PanelError::Line {
            chip,
            line,
            role,
            problem,
            advice,
        } => Finding::failed(
            format!("{} line {line} ({role}): {problem}", chip.display()),
            *advice,
        ),
        other => Finding::failed(other.to_string(), "check wires and board file"),
    }
}
