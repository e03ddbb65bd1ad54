//! Pins by the kernel's GPIO character device: any board.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use gpiocdev::Request;
use gpiocdev::chip::Chip;
use gpiocdev::line::{Bias, Info, Value, Values};

use super::{CONSUMER, PinSettings, Pins};
use crate::PanelError;
use crate::error::said;
use crate::lights::Lights;

/// The lines, requested.
pub(crate) struct KernelPins {
    request: Request,
    settings: PinSettings,
}

impl KernelPins {
    pub(crate) fn open(settings: &PinSettings) -> Result<Self, PanelError> {
        let chip = open_chip(&settings.chip)?;
        let settings = PinSettings {
            chip: chip.path().to_owned(),
            ..settings.clone()
        };
        for (line, role) in settings.lines() {
            reject_used(&settings.chip, line, role, &line_info(&chip, line, role)?)?;
        }
        let mut wanted = Request::builder();
        wanted
            .with_consumer(CONSUMER)
            .on_chip(&settings.chip)
            .with_lines(&[settings.heartbeat, settings.recording, settings.fault])
            .as_output(Value::Inactive)
            .with_line(settings.button)
            .as_input();
        if settings.button_active_low {
            wanted.as_active_low().with_bias(Bias::PullUp);
        } else {
            wanted.with_bias(Bias::PullDown);
        }
        let request = wanted
            .request()
            .map_err(|error| chip_failed(&settings.chip, &error))?;
        Ok(Self { request, settings })
    }

    fn write(&self, lights: Lights) -> gpiocdev::Result<()> {
        let mut values = Values::default();
        values
            .set(self.settings.heartbeat, lights.heartbeat.into())
            .set(self.settings.recording, lights.recording.into())
            .set(self.settings.fault, lights.fault.into());
        self.request.set_values(&values)
    }
}

impl Pins for KernelPins {
    fn set(&mut self, lights: Lights) -> Result<(), PanelError> {
        self.write(lights)
            .map_err(|error| chip_failed(&self.settings.chip, &error))
    }

    fn is_down(&mut self) -> Result<bool, PanelError> {
        self.request
            .value(self.settings.button)
            .map(|value| value == Value::Active)
            .map_err(|error| chip_failed(&self.settings.chip, &error))
    }

    fn release(&mut self) {
        // A line that is only given up keeps its last level. Both steps are tried: what fails cannot be helped here.
        let out = self.write(Lights::default());
        let mut inputs = gpiocdev::request::Config::default();
        for (line, _) in self.settings.lines() {
            inputs.with_line(line).as_input();
        }
        let returned = self.request.reconfigure(&inputs);
        if let Err(error) = out.and(returned) {
            tracing::debug!("pins: could not be returned to inputs: {error}");
        }
    }
}

/// Opens a chip by its device, or by its label where the name does not begin with `/`.
fn open_chip(chip: &Path) -> Result<Chip, PanelError> {
    if chip.is_absolute() {
        return open_device(chip);
    }
    let mut there = Vec::new();
    for device in gpiocdev::chip::chips().unwrap_or_default() {
        let open = open_device(&device)?;
        let label = open.info().map(|info| info.label).unwrap_or_default();
        if Path::new(&label) == chip {
            return Ok(open);
        }
        there.push(format!("{} ({label})", device.display()));
    }
    let there = if there.is_empty() {
        "there is no chip at all".to_owned()
    } else {
        format!("there are {}", there.join(", "))
    };
    Err(PanelError::Chip {
        chip: chip.to_owned(),
        problem: format!("no chip has this label: {there}"),
        advice: "name the board's GPIO chip in the board file: gpiodetect lists them",
    })
}

fn open_device(path: &Path) -> Result<Chip, PanelError> {
    let failed = |problem: String, advice| PanelError::Chip {
        chip: path.to_owned(),
        problem,
        advice,
    };
    // Opened for its error alone: the library does not tell which.
    let opened = File::options().read(true).write(true).open(path);
    if let Err(error) = opened {
        let advice = match error.kind() {
            ErrorKind::NotFound => {
                "name the board's GPIO chip in the board file: gpiodetect lists them"
            }
            ErrorKind::PermissionDenied => {
                "the user that runs rigeld must be in group gpio: usermod -aG gpio rigel, then restart rigeld"
            }
            _ => "check that the board file names a GPIO chip",
        };
        return Err(failed(said(&error), advice));
    }
    Chip::from_path(path).map_err(|error| {
        // The library's sentences begin with the path, which stands before them already.
        let text = error.to_string();
        let text = text.rsplit('"').next().unwrap_or_default();
        failed(
            text.trim().trim_end_matches('.').to_owned(),
            "name a GPIO chip in the board file: gpiodetect lists them",
        )
    })
}

fn chip_failed(chip: &Path, error: &gpiocdev::Error) -> PanelError {
    PanelError::Chip {
        chip: chip.to_owned(),
        problem: error.to_string(),
        advice: "check the lines in the board file against the board's: gpioinfo lists them",
    }
}

fn line_info(chip: &Chip, line: u32, role: &'static str) -> Result<Info, PanelError> {
    chip.line_info(line).map_err(|_| {
        let most = chip.info().map_or(0, |info| info.num_lines);
        PanelError::Line {
            chip: chip.path().to_owned(),
            line,
            role,
            problem: format!("no such line: the chip has {most}, from 0"),
            advice: "correct the number in the board file: gpioinfo lists the lines",
        }
    })
}

fn reject_used(chip: &Path, line: u32, role: &'static str, info: &Info) -> Result<(), PanelError> {
    if !info.used {
        return Ok(());
    }
    let (problem, advice) = match info.consumer.as_str() {
        CONSUMER => (
            "held by a rigeld that runs".to_owned(),
            "stop it first: systemctl stop rigeld",
        ),
        "" => (
            "in use by the kernel".to_owned(),
            "choose another line, or switch off what uses this one in the system's device tree",
        ),
        consumer => (
            format!("in use by {consumer:?}"),
            "choose another line, or end what uses this one: gpioinfo shows it",
        ),
    };
    Err(PanelError::Line {
        chip: chip.to_owned(),
        line,
        role,
        problem,
        advice,
    })
}

/// Whether the lines are there and free, or held by a rig that runs.
pub(crate) fn probe(settings: &PinSettings, path: &Path) -> Result<String, PanelError> {
    let chip = open_chip(path)?;
    let mut held = 0;
    for (line, role) in settings.lines() {
        let info = line_info(&chip, line, role)?;
        if info.used && info.consumer == CONSUMER {
            held += 1;
        } else {
            reject_used(chip.path(), line, role, &info)?;
        }
    }
    let lines = settings
        .lines()
        .map(|(line, _)| line.to_string())
        .join(", ");
    let label = chip
        .info()
        .map_or_else(|_| String::new(), |info| info.label);
    Ok(match held {
        0 => format!("lines {lines} of {label} are free"),
        _ => format!("lines {lines} of {label} are held by the rig that runs"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(used: bool, consumer: &str) -> String {
        let info = Info {
            used,
            consumer: consumer.to_owned(),
            ..Info::default()
        };
        match reject_used(Path::new("/dev/gpiochip0"), 17, "heartbeat light", &info) {
            Ok(()) => "free".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_line_in_use_is_told_with_who_uses_it() {
        insta::assert_snapshot!(refused(false, ""), @"free");
        insta::assert_snapshot!(refused(true, "rigel"), @r#"pins: /dev/gpiochip0 line 17 (heartbeat light): held by a rigeld that runs; stop it first: systemctl stop rigeld"#);
        insta::assert_snapshot!(refused(true, "spi0 CS0"), @r#"pins: /dev/gpiochip0 line 17 (heartbeat light): in use by "spi0 CS0"; choose another line, or end what uses this one: gpioinfo shows it"#);
        insta::assert_snapshot!(refused(true, ""), @r#"pins: /dev/gpiochip0 line 17 (heartbeat light): in use by the kernel; choose another line, or switch off what uses this one in the system's device tree"#);
    }
}
