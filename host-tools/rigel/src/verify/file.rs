//! A clip's file against its manifest.

use super::Report;
use crate::ffmpeg::times;
use anyhow::{Context, Result};
use label_store::ClipRecord;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The digest of a file in hexadecimal.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut piece) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => digest.update(&piece[..count]),
        }
    }
    Ok(hex(&digest.finalize()))
}

pub(crate) fn hex(digest: &[u8]) -> String {
    let text = String::with_capacity(2 * digest.len());
    digest.iter().fold(text, |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn compare(record: &ClipRecord, path: &Path, report: &mut Report) -> Result<()> {
    let shown = path.display();
    let digest = sha256(path).with_context(|| format!("cannot read {shown}"))?;
    let Some(told) = &record.sha256 else {
        report.differs(
            "the file",
            &[
                "the rig told no digest: this clip is not of a file, or its end has not come"
                    .to_owned(),
            ],
        );
        return Ok(());
    };
    if *told != digest {
        // Frames of another file would say nothing.
        report.differs(
            "the file",
            &[format!(
                "{shown} is not what the rig labelled: its SHA-256 is {digest}, the rig told {told}"
            )],
        );
        return Ok(());
    }
    report.agrees(format!("{shown} has the SHA-256 that the rig told"));
    let times = times(path)?;
    report.frames_of_file = Some(times.len());
    let known = &record.pts_us;
    if times.len() < known.len() {
        report.differs(
            "the file",
            &[format!(
                "it has {} frames and the manifest {}",
                times.len(),
                known.len()
            )],
        );
        return Ok(());
    }
    let first = known.first().copied().flatten().unwrap_or_default() as f64
        - times.first().copied().unwrap_or_default();
    let wrong: Vec<String> = known
        .iter()
        .zip(&times)
        .enumerate()
        .filter_map(|(frame, (known, time))| {
            let known = (*known)? as f64;
            // A millisecond is the coarsest clock of a container.
            ((known - (time + first)).abs() > 1000.0).then(|| {
                format!(
                    "frame {frame} at {:.0} µs, the manifest says {known} µs",
                    time + first
                )
            })
        })
        .collect();
    if wrong.is_empty() {
        let more = match times.len() - known.len() {
            0 => String::new(),
            more => format!("; {more} frames behind them were not labelled"),
        };
        report.agrees(format!(
            "its {} frames stand at the manifest's times{more}",
            known.len()
        ));
    }
    report.differs("times of its frames", &wrong);
    Ok(())
}
