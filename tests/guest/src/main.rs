//! A small program for the inside of an emulated machine: what busybox cannot do there.
//!
//! * `rig-guest control DEVICE NAME VALUE` sets a control of a camera by its name, as the kernel's virtual camera has them
//!   for its faults.
//! * `rig-guest hold PID THREAD` stops the one thread of that process that has this name, for good; the others go on.
//!
//! It links what the firmware links and no more, so it runs wherever that runs.

#![expect(
    clippy::print_stdout,
    reason = "a command-line tool speaks to its user"
)]

mod control;
mod hold;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["control", device, name, value] => control::set(device.as_ref(), name, value.parse()?),
        ["hold", pid, thread] => hold::hold(pid.parse()?, thread),
        _ => bail!("usage: rig-guest control DEVICE NAME VALUE | rig-guest hold PID THREAD"),
    }
}
