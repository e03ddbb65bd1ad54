//! Controls of a V4L2 device, found by name.
//!
//! The two requests and their structures are as the kernel's `videodev2.h` has them; they are part of its stable interface.
#![expect(
    unsafe_code,
    reason = "two requests to the kernel that no safe function makes"
)]

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

/// `struct v4l2_queryctrl`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct QueryControl {
    id: u32,
    kind: u32,
    name: [u8; 32],
    minimum: i32,
    maximum: i32,
    step: i32,
    default: i32,
    flags: u32,
    reserved: [u32; 2],
}

/// `struct v4l2_control`.
#[repr(C)]
struct Control {
    id: u32,
    value: i32,
}

/// Asks for the control after the given one.
const NEXT: u32 = 0x8000_0000;

nix::ioctl_readwrite!(query_control, b'V', 36, QueryControl);
nix::ioctl_readwrite!(set_control, b'V', 28, Control);

/// Sets the control of this name.
pub(crate) fn set(device: &Path, name: &str, value: i32) -> Result<()> {
    let file = File::options()
        .read(true)
        .write(true)
        .open(device)
        .with_context(|| format!("cannot open {}", device.display()))?;
    let mut known = Vec::new();
    let mut query = QueryControl::default();
    loop {
        query.id |= NEXT;
        // SAFETY: the structure is the kernel's, lives through the call, and the file is open.
        if unsafe { query_control(file.as_raw_fd(), &raw mut query) }.is_err() {
            bail!(
                "{} has no control {name:?}, but {}",
                device.display(),
                known.join(", ")
            );
        }
        let length = query.name.iter().position(|byte| *byte == 0).unwrap_or(32);
        let found = String::from_utf8_lossy(&query.name[..length]).into_owned();
        if found == name {
            break;
        }
        known.push(found);
    }
    let mut control = Control {
        id: query.id,
        value,
    };
    // SAFETY: as above.
    unsafe { set_control(file.as_raw_fd(), &raw mut control) }
        .with_context(|| format!("{} refused {name:?} = {value}", device.display()))?;
    Ok(())
}
