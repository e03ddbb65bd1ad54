//! How the computer itself fares: temperature, slowed down or not, room on the disk.
//!
//! Read from the kernel's files every [`EVERY`] on a thread of its own: some sensors take milliseconds to answer, and no
//! frame waits for that.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two readings.
const EVERY: Duration = Duration::from_secs(1);

/// How the computer fares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Machine {
    /// The hottest sensor, °C; `None` where the kernel names none.
    pub(crate) temperature_c: Option<f32>,
    /// Whether the processor is slowed down, and why; `None` where nothing tells.
    pub(crate) throttled: Option<Throttled>,
    /// Free room where the outbox lies, MiB.
    pub(crate) disk_free_mib: Option<u64>,
}

/// Whether the processor is slowed down, and what says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Throttled {
    /// It runs as it should.
    No,
    /// A Raspberry Pi's firmware: the supply's voltage is too low.
    UnderVoltage,
    /// A Raspberry Pi's firmware: slowed down, or near the limit and about to be.
    Firmware,
    /// The kernel's thermal governor uses the processor's clock to cool.
    Cooling,
    /// A sensor is above the temperature from which the kernel slows down.
    Trip,
    /// The processor's highest clock was lowered since the program began. What it was then is somebody's choice.
    Frequency,
}

impl Throttled {
    pub(crate) fn is_slowed(self) -> bool {
        self != Self::No
    }
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "the processor is not slowed down",
            Self::UnderVoltage => {
                "the supply's voltage is too low, so the processor is slowed down: use a stronger supply or a shorter cable"
            }
            Self::Firmware => "the firmware slows the processor down, for heat: give it air",
            Self::Cooling => "the kernel slows the processor down to cool it: give it air",
            Self::Trip => {
                "a sensor is above the temperature from which the processor is slowed down: give it air"
            }
            Self::Frequency => "the processor's highest clock was lowered",
        })
    }
}

/// Where to read.
#[derive(Clone, Debug)]
pub(crate) struct Sensors {
    sys: PathBuf,
    disk: PathBuf,
    /// Highest clock of each group of processors at the start.
    clocks: Vec<(PathBuf, u64)>,
}

impl Sensors {
    /// Of this computer; `disk` is the folder whose room counts.
    pub(crate) fn new(disk: &Path) -> Self {
        Self::at("/sys".into(), disk.to_owned())
    }

    fn at(sys: PathBuf, disk: PathBuf) -> Self {
        let policies = folders(&sys.join("devices/system/cpu/cpufreq"), "policy");
        let clocks = policies.filter_map(|policy| {
            let file = policy.join("scaling_max_freq");
            Some((file.clone(), text(&file)?.parse().ok()?))
        });
        Self {
            clocks: clocks.collect(),
            sys,
            disk,
        }
    }

    /// Reads everything.
    pub(crate) fn read(&self) -> Machine {
        let thermal = self.sys.join("class/thermal");
        let temperature_c = folders(&thermal, "thermal_zone")
            .filter_map(|zone| degrees(&zone.join("temp")))
            .max_by(f32::total_cmp);
        Machine {
            temperature_c,
            throttled: self.throttled(&thermal),
            disk_free_mib: nix::sys::statvfs::statvfs(&self.disk).ok().map(|fs| {
                let (blocks, size) = (fs.blocks_available(), fs.fragment_size());
                blocks.saturating_mul(size) >> 20
            }),
        }
    }

    /// The first source that says "slowed down" is believed.
    fn throttled(&self, thermal: &Path) -> Option<Throttled> {
        let answers = [
            self.by_firmware(),
            by_cooling(thermal),
            by_trip(thermal),
            self.by_frequency(),
        ];
        let slowed = answers.iter().flatten().find(|answer| answer.is_slowed());
        slowed.or(answers.iter().flatten().next()).copied()
    }

    /// A Raspberry Pi's firmware tells bits: 0 under-voltage, 1 clock capped, 2 throttled, 3 soft temperature limit; from
    /// 16 on the same since the start, which says nothing of now.
    fn by_firmware(&self) -> Option<Throttled> {
        // `soc:firmware` on a Pi 4; on others the name carries the bus's address.
        let firmware = folders(&self.sys.join("devices/platform"), "soc")
            .flat_map(|soc| folders(&soc, "soc").collect::<Vec<_>>())
            .find_map(|device| text(&device.join("get_throttled")))?;
        let digits = firmware.trim_start_matches("0x");
        let bits = u32::from_str_radix(digits, 16).ok()?;
        Some(match bits {
            bits if bits & 1 != 0 => Throttled::UnderVoltage,
            bits if bits & 0b1110 != 0 => Throttled::Firmware,
            _ => Throttled::No,
        })
    }

    fn by_frequency(&self) -> Option<Throttled> {
        let mut answer = None;
        for (file, at_start) in &self.clocks {
            if text(file)?.parse::<u64>().ok()? < *at_start {
                return Some(Throttled::Frequency);
            }
            answer = Some(Throttled::No);
        }
        answer
    }
}

/// Cooling devices are fans too; those that slow the processor down have its name.
fn by_cooling(thermal: &Path) -> Option<Throttled> {
    let mut answer = None;
    for device in folders(thermal, "cooling_device") {
        let slows = text(&device.join("type")).is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind.contains("cpufreq") || kind.contains("cpu-freq") || kind == "processor"
        });
        if slows {
            let state: u32 = text(&device.join("cur_state"))?.parse().ok()?;
            if state > 0 {
                return Some(Throttled::Cooling);
            }
            answer = Some(Throttled::No);
        }
    }
    answer
}

/// From a `passive` trip point on the kernel cools by slowing down.
fn by_trip(thermal: &Path) -> Option<Throttled> {
    let mut answer = None;
    for zone in folders(thermal, "thermal_zone") {
        let Some(now) = degrees(&zone.join("temp")) else {
            continue;
        };
        let passive = (0..12)
            .filter(|trip| {
                let kind = text(&zone.join(format!("trip_point_{trip}_type")));
                kind.as_deref() == Some("passive")
            })
            .filter_map(|trip| degrees(&zone.join(format!("trip_point_{trip}_temp"))))
            .filter(|limit| *limit > 0.0);
        for limit in passive {
            if now >= limit {
                return Some(Throttled::Trip);
            }
            answer = Some(Throttled::No);
        }
    }
    answer
}

fn folders(under: &Path, beginning: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(under)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(move |entry| entry.file_name().to_string_lossy().starts_with(beginning))
        .map(|entry| entry.path())
}

fn text(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The kernel tells thousandths.
fn degrees(path: &Path) -> Option<f32> {
    Some(text(path)?.parse::<f32>().ok()? / 1000.0)
}

/// The thread that reads how the computer fares. Dropping it ends it.
pub(crate) struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(sensors: Sensors, mut put: impl FnMut(Machine) + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("machine".into())
            .spawn(move || {
                let mut before = None;
                loop {
                    let machine = sensors.read();
                    tell_throttling(before, &machine);
                    before = machine.throttled;
                    put(machine);
                    if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            });
        if let Err(error) = &thread {
            tracing::warn!("temperature and disk cannot be watched: {error}");
        }
        Self {
            stop: Some(stop),
            thread: thread.ok(),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // Its panic was told by itself.
            let _ = thread.join();
        }
    }
}

fn tell_throttling(before: Option<Throttled>, machine: &Machine) {
    match machine.throttled {
        Some(now) if now.is_slowed() && before != Some(now) => tracing::warn!("{now}"),
        Some(now) if before.is_some_and(Throttled::is_slowed) && !now.is_slowed() => {
            tracing::info!("{now} any more");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake(tempfile::TempDir);

    impl Fake {
        fn new(files: &[(&str, &str)]) -> Self {
            let fake = Self(tempfile::tempdir().unwrap());
            for (path, text) in files {
                fake.write(path, text);
            }
            fake
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text}\n")).unwrap();
        }

        fn sensors(&self) -> Sensors {
            let folder = self.0.path().to_owned();
            Sensors::at(folder.clone(), folder)
        }

        fn read(&self) -> Machine {
            self.sensors().read()
        }
    }

    #[test]
    fn a_raspberry_pi_tells_low_voltage_and_heat_apart_and_forgets_what_was_long_ago() {
        let path = "devices/platform/soc/soc:firmware/get_throttled";
        let pi = Fake::new(&[("class/thermal/thermal_zone0/temp", "48312"), (path, "0")]);
        let now = pi.read();
        assert_eq!(now.temperature_c, Some(48.312));
        assert_eq!(now.throttled, Some(Throttled::No));
        for (bits, expected) in [
            ("50000", Throttled::No),
            ("50005", Throttled::UnderVoltage),
            ("0x80008", Throttled::Firmware),
            ("2", Throttled::Firmware),
        ] {
            pi.write(path, bits);
            assert_eq!(pi.read().throttled, Some(expected), "{bits}");
        }
    }

    #[test]
    fn a_fan_that_turns_is_not_a_processor_that_is_slowed_down() {
        let board = Fake::new(&[
            ("class/thermal/cooling_device0/type", "pwm-fan"),
            ("class/thermal/cooling_device0/cur_state", "3"),
            ("class/thermal/cooling_device1/type", "thermal-cpufreq-0"),
            ("class/thermal/cooling_device1/cur_state", "0"),
        ]);
        assert_eq!(board.read().throttled, Some(Throttled::No));
        board.write("class/thermal/cooling_device1/cur_state", "2");
        assert_eq!(board.read().throttled, Some(Throttled::Cooling));
    }

    #[test]
    fn a_sensor_above_its_passive_trip_is_told_and_one_below_its_critical_is_not() {
        let zone = "class/thermal/thermal_zone1";
        let board = Fake::new(&[
            (&format!("{zone}/temp"), "99000"),
            (&format!("{zone}/trip_point_0_type"), "critical"),
            (&format!("{zone}/trip_point_0_temp"), "105000"),
            (&format!("{zone}/trip_point_1_type"), "passive"),
            (&format!("{zone}/trip_point_1_temp"), "97000"),
        ]);
        assert_eq!(board.read().throttled, Some(Throttled::Trip));
        board.write(&format!("{zone}/temp"), "60000");
        assert_eq!(board.read().throttled, Some(Throttled::No));
    }

    #[test]
    fn a_clock_lowered_while_we_run_is_told_and_one_that_was_chosen_before_is_not() {
        let file = "devices/system/cpu/cpufreq/policy0/scaling_max_freq";
        let board = Fake::new(&[(file, "1500000")]);
        let sensors = board.sensors();
        assert_eq!(sensors.read().throttled, Some(Throttled::No));
        board.write(file, "600000");
        assert_eq!(sensors.read().throttled, Some(Throttled::Frequency));
    }

    #[test]
    fn a_computer_without_sensors_says_nothing_of_heat_and_still_tells_its_disk() {
        let bare = Fake::new(&[]).read();
        assert_eq!((bare.temperature_c, bare.throttled), (None, None));
        assert!(bare.disk_free_mib.is_some_and(|mib| mib > 0));
    }
}
