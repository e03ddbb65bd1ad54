//! The two small files of an outbox: the boot number, and how far the host has committed.

use super::segment::replace_file;
use crate::UplinkError;
use label_core::{BootId, Seq};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

const BOOT_FILE: &str = "boot";
const WATERMARK_FILE: &str = "watermarks";

/// Where the number of this boot came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootOrigin {
    /// The outbox is new.
    Created,
    /// One more than the last.
    Counted,
    /// The file that held the last number was damaged or used up: counting began anew from another random number.
    Redrawn,
}

/// Takes the next boot number and makes it durable before anything is numbered with it.
pub(crate) fn next_boot(dir: &Path) -> Result<(BootId, BootOrigin), UplinkError> {
    let path = dir.join(BOOT_FILE);
    let (boot, origin) = match fs::read(&path) {
        Ok(bytes) => match read_checked(&bytes)
            .and_then(|text| BootId::from_raw(text.trim().parse().ok()?)?.next())
        {
            Some(boot) => (boot, BootOrigin::Counted),
            None => (BootId::first(random()?), BootOrigin::Redrawn),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (BootId::first(random()?), BootOrigin::Created)
        }
        Err(error) => return Err(UplinkError::io("read the boot number", &path)(error)),
    };
    replace_file(&path, &checked(&format!("{}\n", boot.raw())))?;
    Ok((boot, origin))
}

fn random() -> Result<u32, UplinkError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; 4];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(UplinkError::io("draw a number from", source))?;
    Ok(u32::from_ne_bytes(bytes))
}

/// Highest committed seq of each boot. A missing or damaged file only means that more is sent again than needed.
pub(crate) fn read_watermarks(dir: &Path) -> BTreeMap<BootId, Seq> {
    let Ok(bytes) = fs::read(dir.join(WATERMARK_FILE)) else {
        return BTreeMap::new();
    };
    let line = |line: &str| {
        let (boot, watermark) = line.split_once(' ')?;
        Some((
            BootId::from_raw(boot.parse().ok()?)?,
            watermark.parse().ok()?,
        ))
    };
    read_checked(&bytes)
        .unwrap_or_default()
        .lines()
        .filter_map(line)
        .collect()
}

pub(crate) fn write_watermarks(
    dir: &Path,
    watermarks: &BTreeMap<BootId, Seq>,
) -> Result<(), UplinkError> {
    use std::fmt::Write;
    let mut text = String::new();
    for (boot, watermark) in watermarks {
        let _ = writeln!(text, "{} {watermark}", boot.raw());
    }
    replace_file(&dir.join(WATERMARK_FILE), &checked(&text))
}

/// The text with its checksum on a line of its own before it.
fn checked(text: &str) -> Vec<u8> {
    format!("{:08x}\n{text}", crc32fast::hash(text.as_bytes())).into_bytes()
}

fn read_checked(bytes: &[u8]) -> Option<&str> {
    let (sum, text) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    (u32::from_str_radix(sum, 16).ok()? == crc32fast::hash(text.as_bytes())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bit_of_the_boot_number_may_flip_and_no_number_is_used_twice() {
        let dir = tempfile::tempdir().unwrap();
        let (boot, _) = next_boot(dir.path()).unwrap();
        let path = dir.path().join(BOOT_FILE);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                fs::write(&path, &damaged).unwrap();
                let (next, origin) = next_boot(dir.path()).unwrap();
                // A letter of the checksum may change its case, and means the same.
                let is_alike = damaged.eq_ignore_ascii_case(&bytes);
                assert_eq!(
                    origin == BootOrigin::Counted,
                    is_alike,
                    "byte {at}, bit {bit}"
                );
                assert_ne!(next, boot, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn any_bit_of_the_watermarks_may_flip_and_no_other_watermark_comes_out() {
        let dir = tempfile::tempdir().unwrap();
        let boots = [BootId::first(1), BootId::first(2)];
        let written = BTreeMap::from(boots.map(|boot| (boot, 12_345)));
        write_watermarks(dir.path(), &written).unwrap();
        let path = dir.path().join(WATERMARK_FILE);
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                fs::write(&path, &damaged).unwrap();
                let read = read_watermarks(dir.path());
                assert!(
                    read.is_empty() || read == written,
                    "byte {at}, bit {bit}: {read:?}"
                );
            }
            fs::write(&path, &bytes[..at]).unwrap();
            let read = read_watermarks(dir.path());
            assert!(read.is_empty(), "cut at {at}: {read:?}");
        }
    }
}
