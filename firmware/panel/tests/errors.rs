//! What a field engineer reads when display or pins cannot be had.

use std::path::Path;

use panel::{Access, DisplaySettings, FakeGlass, FakePins, PinSettings, probe_display, probe_pins};

/// The message with the test's own folder out of it.
fn message(error: &panel::PanelError, folder: &Path) -> String {
    error
        .to_string()
        .replace(&*folder.to_string_lossy(), "/dev")
}

#[test]
fn a_bus_that_is_not_there_says_how_it_is_switched_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = DisplaySettings {
        bus: folder.path().join("i2c-1"),
        ..FakeGlass::settings()
    };
    insta::assert_snapshot!(
        message(&probe_display(&settings).unwrap_err(), folder.path()),
        @"display: /dev/i2c-1: No such file or directory; switch I2C on (a Raspberry Pi: dtparam=i2c_arm=on in config.txt, and the module i2c-dev), or name another bus: ls /dev/i2c-*"
    );
}

#[test]
fn with_rppal_the_bus_has_the_name_that_it_has_on_a_raspberry_pi() {
    let settings = DisplaySettings {
        bus: "/dev/i2c-display".into(),
        access: Access::Rppal,
        ..FakeGlass::settings()
    };
    insta::assert_snapshot!(probe_display(&settings).unwrap_err(), @r#"display: /dev/i2c-display: with access by rppal the bus is named /dev/i2c-N; name it so in the board file, or set the panel's access to "kernel""#);
}

#[test]
fn a_file_that_is_no_bus_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let bus = folder.path().join("i2c-1");
    std::fs::write(&bus, "").unwrap();
    let settings = DisplaySettings {
        bus,
        ..FakeGlass::settings()
    };
    insta::assert_snapshot!(
        message(&probe_display(&settings).unwrap_err(), folder.path()),
        @"display: /dev/i2c-1: Inappropriate ioctl for device; check that the board file names an I2C bus"
    );
}

#[test]
fn a_chip_that_is_not_there_says_where_to_look() {
    let folder = tempfile::tempdir().unwrap();
    let settings = PinSettings {
        chip: folder.path().join("gpiochip0"),
        ..FakePins::settings()
    };
    insta::assert_snapshot!(
        message(&probe_pins(&settings).unwrap_err(), folder.path()),
        @"pins: /dev/gpiochip0: No such file or directory; name the board's GPIO chip in the board file: gpiodetect lists them"
    );
}

#[test]
fn a_file_that_is_no_chip_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let chip = folder.path().join("gpiochip0");
    std::fs::write(&chip, "").unwrap();
    let settings = PinSettings {
        chip,
        ..FakePins::settings()
    };
    insta::assert_snapshot!(
        message(&probe_pins(&settings).unwrap_err(), folder.path()),
        @"pins: /dev/gpiochip0: is not a character device; name a GPIO chip in the board file: gpiodetect lists them"
    );
}

#[test]
fn a_label_that_no_chip_has_is_told_with_what_there_is() {
    let settings = PinSettings {
        chip: "tegra234-gpio-of-nowhere".into(),
        ..FakePins::settings()
    };
    let error = probe_pins(&settings).unwrap_err().to_string();
    assert!(
        error.starts_with("pins: tegra234-gpio-of-nowhere: no chip has this label: there "),
        "{error}"
    );
}
