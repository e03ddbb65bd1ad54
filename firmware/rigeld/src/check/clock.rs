//! Does the clock tell the time?

use super::Finding;
use label_core::wire::ClockState;

/// Asks the clock as labels do.
pub(super) fn check() -> Finding {
    let (utc_us, state) = crate::clock::wall_clock();
    let now = super::report::utc_text(utc_us / 1_000_000);
    let finding = match state {
        ClockState::Unsynced => Finding::failed(
            format!("{now}: the clock was never set"),
            "connect the rig to a network with a time server (timedatectl set-ntp true; timedatectl status), or fit a clock with a battery; labels are made all the same, and carry their place in time since the start",
        ),
        ClockState::Rtc => Finding::passed(format!(
            "{now}, kept by the rig itself: no time server has confirmed it since the start"
        )),
        _ => Finding::passed(format!("{now}, confirmed by a time server")),
    };
    finding.with("state", state).with("utc", now)
}
