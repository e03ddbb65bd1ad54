//! What time it is, and how far that can be believed.

use label_core::wire::ClockState;
use nix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// UTC in microseconds, and whether it can be believed. systemd-timesyncd leaves a file when it has set the clock; a date
/// before this firmware was written is no date.
pub(crate) fn wall_clock() -> (i64, ClockState) {
    const WRITTEN: Duration = Duration::from_secs(1_780_000_000);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let synchronized = std::path::Path::new("/run/systemd/timesync/synchronized").exists();
    let clock = match (synchronized, now > WRITTEN) {
        (true, _) => ClockState::Ntp,
        (false, true) => ClockState::Rtc,
        (false, false) => ClockState::Unsynced,
    };
    (i64::try_from(now.as_micros()).unwrap_or(i64::MAX), clock)
}

/// Microseconds of the machine's monotonic clock: the one by which the kernel stamps a camera's frames.
pub(crate) fn monotonic_us() -> i64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() * 1_000_000 + time.tv_nsec() / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_goes_on_at_the_rate_of_the_programs_own() {
        let (start, before) = (std::time::Instant::now(), monotonic_us());
        std::thread::sleep(Duration::from_millis(20));
        let passed = monotonic_us() - before;
        let most = start.elapsed().as_micros() as i64;
        assert!((20_000..=most).contains(&passed), "{passed} of {most}");
    }
}
