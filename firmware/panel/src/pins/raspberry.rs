//! Pins by `rppal`: a Raspberry Pi's registers, by BCM numbers.

use std::path::{Path, PathBuf};

use rppal::gpio::{Error, Gpio, InputPin, OutputPin};

use super::{PinSettings, Pins, kernel};
use crate::PanelError;
use crate::lights::Lights;

/// What stands for the chip in errors: `rppal` finds the right one by itself.
const REGISTERS: &str = "/dev/gpiomem";

/// How the kernel calls the chips with the pins of the header: up to the Pi 3, the Pi 4, the Pi 5.
const LABELS: [&str; 3] = ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"];

/// The pins, taken. `rppal` returns each to what it was when it is dropped.
pub(crate) struct RaspberryPins {
    lights: [OutputPin; 3],
    button: InputPin,
    active_low: bool,
}

impl RaspberryPins {
    pub(crate) fn open(settings: &PinSettings) -> Result<Self, PanelError> {
        let gpio = Gpio::new().map_err(|error| chip_failed(&error))?;
        // Registers can be written whoever uses the line; the kernel knows who does.
        if let Some(chip) = header_chip() {
            kernel::probe(settings, &chip)?;
        }
        let [heartbeat, recording, fault, button] = settings.lines();
        let take = |(line, role)| {
            let failed = |error: &Error| line_failed(line, role, error);
            let number =
                u8::try_from(line).map_err(|_| failed(&Error::PinNotAvailable(u8::MAX)))?;
            gpio.get(number).map_err(|error| failed(&error))
        };
        let light = |line| take(line).map(rppal::gpio::Pin::into_output_low);
        let lights = [light(heartbeat)?, light(recording)?, light(fault)?];
        let button = take(button)?;
        Ok(Self {
            lights,
            button: if settings.button_active_low {
                button.into_input_pullup()
            } else {
                button.into_input_pulldown()
            },
            active_low: settings.button_active_low,
        })
    }
}

impl Pins for RaspberryPins {
    fn set(&mut self, lights: Lights) -> Result<(), PanelError> {
        let wanted = [lights.heartbeat, lights.recording, lights.fault];
        for (pin, on) in self.lights.iter_mut().zip(wanted) {
            pin.write(on.into());
        }
        Ok(())
    }

    fn is_down(&mut self) -> Result<bool, PanelError> {
        Ok(self.button.is_low() == self.active_low)
    }

    fn release(&mut self) {
        for pin in &mut self.lights {
            pin.set_low();
        }
    }
}

/// The chip with the header's pins, as the kernel sees it.
fn header_chip() -> Option<PathBuf> {
    let chips = gpiocdev::chip::chips().ok()?;
    chips.into_iter().find(|path| {
        let label = gpiocdev::chip::Chip::from_path(path)
            .and_then(|chip| chip.info())
            .map(|info| info.label);
        label.is_ok_and(|label| LABELS.contains(&label.as_str()))
    })
}

fn chip_failed(error: &Error) -> PanelError {
    let (chip, problem, advice) = match error {
        Error::UnknownModel => (
            REGISTERS,
            "this is no Raspberry Pi that rppal knows".to_owned(),
            "set the pins' access to \"kernel\" in the board file",
        ),
        Error::PermissionDenied(path) => (
            path.as_str(),
            "Permission denied".to_owned(),
            "the user that runs rigeld must be in group gpio: usermod -aG gpio rigel, then restart rigeld",
        ),
        _ => (
            REGISTERS,
            error.to_string(),
            "check that the system is one for the Raspberry Pi, or set the pins' access to \"kernel\" in the board file",
        ),
    };
    PanelError::Chip {
        chip: chip.into(),
        problem,
        advice,
    }
}

fn line_failed(line: u32, role: &'static str, error: &Error) -> PanelError {
    let (problem, advice) = match error {
        Error::PinNotAvailable(_) => (
            "no such pin".to_owned(),
            "correct the number in the board file: BCM numbers of the header's pins are 2 to 27",
        ),
        Error::PinUsed(_) => (
            "already taken by this program".to_owned(),
            "give each light and the button a pin of its own in the board file",
        ),
        error => (error.to_string(), "check the pins in the board file"),
    };
    PanelError::Line {
        chip: Path::new(REGISTERS).to_owned(),
        line,
        role,
        problem,
        advice,
    }
}

/// Whether the registers can be reached and the pins are free. Nothing is taken: giving it back would switch off the
/// lights of a rig that runs.
pub(crate) fn probe(settings: &PinSettings) -> Result<String, PanelError> {
    let gpio = Gpio::new().map_err(|error| chip_failed(&error))?;
    drop(gpio);
    match header_chip() {
        Some(chip) => kernel::probe(settings, &chip),
        None => Ok("registers can be reached; whether the pins are free cannot be told".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_that_is_no_raspberry_pi_is_told_how_its_pins_are_reached() {
        insta::assert_snapshot!(chip_failed(&Error::UnknownModel), @"pins: /dev/gpiomem: this is no Raspberry Pi that rppal knows; set the pins' access to \"kernel\" in the board file");
    }

    #[test]
    fn registers_that_may_not_be_opened_are_told_with_the_group() {
        let error = Error::PermissionDenied("/dev/gpiomem".into());
        insta::assert_snapshot!(chip_failed(&error), @"pins: /dev/gpiomem: Permission denied; the user that runs rigeld must be in group gpio: usermod -aG gpio rigel, then restart rigeld");
    }

    #[test]
    fn a_pin_that_is_not_there_or_named_twice_is_told_with_what_it_is_for() {
        insta::assert_snapshot!(line_failed(91, "button", &Error::PinNotAvailable(91)), @"pins: /dev/gpiomem line 91 (button): no such pin; correct the number in the board file: BCM numbers of the header's pins are 2 to 27");
        insta::assert_snapshot!(line_failed(17, "fault light", &Error::PinUsed(17)), @"pins: /dev/gpiomem line 17 (fault light): already taken by this program; give each light and the button a pin of its own in the board file");
    }
}
