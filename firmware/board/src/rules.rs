//! Values that are right one by one and cannot be together.

use crate::schema::{
    Access, Hardware, Panel, PipeFormat, PixelFormat, RecordingEncoder, SessionStart, Source,
};
use crate::section::{CHIP, Found, Section};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Cameras send chroma for pairs of pixels.
pub(crate) fn reject_odd_sides(section: &Section<'_>, key: &str, side: Option<Found<i64>>) {
    if let Some(side) = side.filter(|side| side.value % 2 == 1) {
        let what = format!("{} is odd", side.value);
        section.tell(side.at, key, what, Some("an even number".to_owned()));
    }
}

pub(crate) fn reject_a_time_out_within_a_frame(
    section: &Section<'_>,
    timeout: Option<Found<i64>>,
    fps: Option<Found<f64>>,
) {
    let (Some(timeout), Some(fps)) = (timeout, fps) else {
        return;
    };
    let two_frames = (2000.0 / fps.value).ceil();
    if (timeout.value as f64) < two_frames {
        let what = format!(
            "{} ms is shorter than two frames at {} frames per second: every wait would end in it",
            timeout.value, fps.value
        );
        let allowed = format!("{two_frames} or more; 2000 is usual");
        section.tell(timeout.at, "timeout-ms", what, Some(allowed));
    }
}

/// What is recorded as the camera sent it must be pictures; and a clip file is its own recording.
pub(crate) fn reject_pictures_that_the_camera_does_not_send(
    section: &Section<'_>,
    encoder: Option<Found<RecordingEncoder>>,
    source: Option<&Source>,
) {
    let Some(encoder) = encoder else {
        return;
    };
    let sends_pictures = match source {
        None => return,
        Some(Source::Clip { .. }) => {
            let what = "the source is a clip, which is a recording already".to_owned();
            let allowed = "a source of kind \"camera\" or \"pipe\", or no [recording]";
            section.tell(encoder.at, "encoder", what, Some(allowed.to_owned()));
            return;
        }
        Some(Source::Camera(camera)) => camera.formats.first() == Some(&PixelFormat::Mjpeg),
        Some(Source::Pipe(pipe)) => pipe.format == PipeFormat::Mjpeg,
    };
    if encoder.value == RecordingEncoder::Camera && !sends_pictures {
        let what =
            "the source does not send pictures: its first format is not \"mjpeg\"".to_owned();
        section.tell(encoder.at, "encoder", what, Some("\"ffmpeg\"".to_owned()));
    }
}

pub(crate) fn reject_an_exposure_longer_than_a_frame(
    section: &Section<'_>,
    exposure: Option<Found<i64>>,
    fps: Option<Found<f64>>,
) {
    let (Some(exposure), Some(fps)) = (exposure, fps) else {
        return;
    };
    let fps = fps.value;
    let frame_us = (1e6 / fps).floor();
    if exposure.value as f64 > frame_us {
        let what = format!(
            "{} µs of exposure do not fit a frame at {fps} frames per second",
            exposure.value
        );
        let allowed = format!("{frame_us} or less, or leave it out for automatic exposure");
        section.tell(exposure.at, "exposure-us", what, Some(allowed));
    }
}

pub(crate) fn reject_cool_above_hot(
    section: &Section<'_>,
    cool: Option<Found<f64>>,
    hot: Option<Found<f64>>,
) {
    let (Some(cool), Some(hot)) = (cool, hot) else {
        return;
    };
    if cool.value >= hot.value {
        let what = format!(
            "{} °C is not below hot-c = {}: the rig would do less and more by turns",
            cool.value, hot.value
        );
        let allowed = format!("less than {}; 5 below it is usual", hot.value);
        section.tell(cool.at, "cool-c", what, Some(allowed));
    }
}

pub(crate) fn reject_late_within_a_frame(
    section: &Section<'_>,
    late: Option<Found<i64>>,
    fps: Option<Found<f64>>,
) {
    let (Some(late), Some(fps)) = (late, fps) else {
        return;
    };
    let fps = fps.value;
    let frame_ms = (1000.0 / fps).ceil();
    if (late.value as f64) < frame_ms {
        let what = format!(
            "{} ms is shorter than a frame at {fps} frames per second: every frame would be late",
            late.value
        );
        section.tell(
            late.at,
            "late-ms",
            what,
            Some(format!("{frame_ms} or more")),
        );
    }
}

pub(crate) fn reject_a_start_by_a_button_that_is_not_there(
    section: &Section<'_>,
    start: Option<Found<SessionStart>>,
) {
    if let Some(start) = start.filter(|start| start.value == SessionStart::ByButton) {
        let what = "\"by-button\" needs a button, and there is no [pins]".to_owned();
        let allowed = "\"at-boot\", or add [pins]".to_owned();
        section.tell(start.at, "start", what, Some(allowed));
    }
}

/// Whether the text can be a host.
pub(crate) fn reject_an_address_that_is_no_host(section: &Section<'_>, host: Found<&str>) -> bool {
    let is_address = host.value.parse::<std::net::IpAddr>().is_ok();
    let is_name = host
        .value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if !is_address && !is_name {
        let what = format!("{:?} is no host", host.value);
        let allowed = "a name or an address alone; the port stands in `port`, and a scheme such as mqtt:// is not wanted";
        section.tell(host.at, "host", what, Some(allowed.to_owned()));
    }
    is_address || is_name
}

pub(crate) fn reject_one_file_for_two_things(
    section: &Section<'_>,
    files: [(&'static str, &Option<Found<PathBuf>>); 3],
) {
    for (place, (key, file)) in files.iter().enumerate() {
        let Some(file) = file else { continue };
        for (other, earlier) in &files[..place] {
            if earlier
                .as_ref()
                .is_some_and(|earlier| earlier.value == file.value)
            {
                let what = format!("it is the same file as {other}");
                section.tell(file.at, key, what, Some("a file of its own".to_owned()));
            }
        }
    }
}

/// The number at the end of a bus's path.
pub(crate) fn bus_number(bus: &Path) -> Option<u8> {
    bus.to_str()?.strip_prefix("/dev/i2c-")?.parse().ok()
}

/// Whether the bus has a number.
pub(crate) fn reject_a_bus_without_number(section: &Section<'_>, bus: &Found<PathBuf>) -> bool {
    let has = bus_number(&bus.value).is_some();
    if !has {
        let what = format!("{} has no number of a bus", bus.value.display());
        let allowed = "\"/dev/i2c-0\" to \"/dev/i2c-255\"; `i2cdetect -l` lists them".to_owned();
        section.tell(bus.at, "bus", what, Some(allowed));
    }
    has
}

pub(crate) fn reject_rppal_off_a_pi(
    section: &Section<'_>,
    access: Option<Found<Access>>,
    hardware: Option<Hardware>,
) {
    let (Some(access), Some(hardware)) = (access, hardware) else {
        return;
    };
    if access.value == Access::Rppal && hardware != Hardware::RaspberryPi {
        let what = "\"rppal\" drives a Raspberry Pi's chip alone, and `hardware` names another";
        let allowed = "\"kernel\" here, or hardware = \"raspberry-pi\"".to_owned();
        section.tell(access.at, "access", what.to_owned(), Some(allowed));
    }
}

pub(crate) fn reject_a_chip_for_rppal_and_none_for_the_kernel(
    section: &Section<'_>,
    access: Option<Found<Access>>,
) {
    let Some(access) = access else { return };
    let (what, allowed) = match (access.value, section.has("chip")) {
        (Access::Rppal, true) => (
            "\"rppal\" finds the chip by itself",
            "leave chip out, or access = \"kernel\"",
        ),
        (Access::Kernel, false) => ("missing, and access = \"kernel\" needs it", CHIP),
        _ => return,
    };
    section.tell(
        section.place("chip"),
        "chip",
        what.to_owned(),
        Some(allowed.to_owned()),
    );
}

/// Numbers that a line may have.
pub(crate) fn pin_range(hardware: Option<Hardware>) -> RangeInclusive<i64> {
    match hardware {
        // 0 and 1 read the memory of an add-on board, and 28 and above are not on the header.
        Some(Hardware::RaspberryPi) => 2..=27,
        _ => 0..=1023,
    }
}

/// What those numbers are.
pub(crate) fn pin_unit(hardware: Option<Hardware>) -> &'static str {
    match hardware {
        Some(Hardware::RaspberryPi) => "BCM number, not the header's",
        _ => "line of the chip",
    }
}

type Lines = [(&'static str, Option<Found<i64>>)];

pub(crate) fn reject_duplicate_pins(section: &Section<'_>, lines: &Lines) {
    for (place, (key, line)) in lines.iter().enumerate() {
        let Some(line) = line else { continue };
        let same = lines[..place]
            .iter()
            .find(|(_, earlier)| earlier.is_some_and(|earlier| earlier.value == line.value));
        if let Some((other, _)) = same {
            let what = format!("{} is already the line of {other}", line.value);
            section.tell(line.at, key, what, Some("a line of its own".to_owned()));
        }
    }
}

/// On a Raspberry Pi, lines 2 and 3 are data and clock of bus 1.
pub(crate) fn reject_pins_of_the_panel(
    section: &Section<'_>,
    lines: &Lines,
    hardware: Option<Hardware>,
    panel: Option<&Panel>,
) {
    if hardware != Some(Hardware::RaspberryPi) || panel.and_then(Panel::bus_number) != Some(1) {
        return;
    }
    for (key, line) in lines {
        if let Some(line) = line.filter(|line| matches!(line.value, 2 | 3)) {
            let what = format!("{} is a wire of the panel's bus /dev/i2c-1", line.value);
            section.tell(line.at, key, what, Some("4 to 27".to_owned()));
        }
    }
}
