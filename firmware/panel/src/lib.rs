//! The rig's front: a 128x64 display, three lights and a button.
//!
//! [`draw`] makes a [`Picture`] from a [`PanelState`] and nothing else, so a test, `rigeld panel --png` and the glass show
//! the same dots. [`Front`] is the thread that owns display and pins, asks for the state twice a second, and tells presses.
//! Nothing here can disturb labelling: what fails is logged once, counted, and tried again.
//!
//! It knows neither cameras nor labels nor the board file: `rigeld` fills in the state and decides what a press means.
//!
//! Terms: the *glass* is what a person sees of the display; a *page* is one of the pictures a short press turns through
//! (an SSD1306 page, eight rows of dots, is called a *band*); *lights* are the three LEDs; *pins* are lights and button.
//! Coordinates are dots, x right, y down, from the top left of the glass.

mod bus;
mod button;
mod canvas;
mod care;
mod display;
mod error;
mod fake;
mod front;
mod glass;
mod icons;
mod large;
mod lights;
mod machine;
mod pages;
mod picture;
mod pins;
mod retry;
mod snapshot;
mod state;
mod words;

pub use bus::Bus;
pub use button::{Button, LONG, Press, VERY_LONG};
pub use display::{DisplaySettings, OpenBus, probe_display};
pub use error::PanelError;
pub use fake::{FakeGlass, FakePins};
pub use front::{Front, FrontFailures, FrontSettings};
pub use lights::Lights;
pub use pages::{Notice, Page, draw, draw_notice};
pub use picture::{HEIGHT, Picture, WIDTH};
pub use pins::{OpenPins, PinSettings, Pins, probe_pins};
pub use state::{CameraState, Link, Mode, PanelState, SelfTest};

/// How a display or pins are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// By `rppal`: the registers of a Raspberry Pi.
    Rppal,
    /// By the kernel's character devices, on any board.
    Kernel,
}
