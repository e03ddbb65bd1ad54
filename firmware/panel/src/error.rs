//! What goes wrong with display and pins, and what to do about it.

use std::path::PathBuf;

/// What goes wrong with display and pins.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PanelError {
    /// The I2C bus cannot be opened.
    #[error("display: {}: {problem}; {advice}", bus.display())]
    Bus {
        /// The bus's device file.
        bus: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The bus is there, and what is sent to the display fails.
    #[error("display at 0x{address:02x} on {}: {problem}; {advice}", bus.display())]
    Display {
        /// The bus's device file.
        bus: PathBuf,
        /// The display's address.
        address: u8,
        /// What is wrong.
        problem: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The GPIO chip cannot be opened.
    #[error("pins: {}: {problem}; {advice}", chip.display())]
    Chip {
        /// The chip's device file.
        chip: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do next.
        advice: &'static str,
    },
    /// A line cannot be used.
    #[error("pins: {} line {line} ({role}): {problem}; {advice}", chip.display())]
    Line {
        /// The chip's device file.
        chip: PathBuf,
        /// The line, or BCM number.
        line: u32,
        /// What it is for.
        role: &'static str,
        /// What is wrong.
        problem: String,
        /// What to do next.
        advice: &'static str,
    },
    /// A picture cannot be written.
    #[error("cannot write {}: {problem}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The thread cannot be started.
    #[error("cannot start the panel's thread: {source}")]
    Thread {
        /// What the system says.
        source: std::io::Error,
    },
}

/// What the system says, without its number.
pub(crate) fn said(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((said, _)) => said.to_owned(),
        None => text,
    }
}
