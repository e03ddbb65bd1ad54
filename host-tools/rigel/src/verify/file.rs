//! A clip's file against its manifest.

use super::Report;
use anyhow::{Context, Result, bail};
use label_store::ClipRecord;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The digest of a file in hexadecimal.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut digest, mut piece) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            count => digest.update(&piece[..count]),
        }
    }
    Ok(digest
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }))
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

/// ffmpeg on the search path, or as fetched beside the project that this program was built in.
fn ffmpeg() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(".rigel/bin/ffmpeg"))
        .find(|path| path.is_file())
        .unwrap_or_else(|| "ffmpeg".into())
}

/// The presentation time of each decoded frame, in microseconds.
fn times(path: &Path) -> Result<Vec<f64>> {
    let command = ffmpeg();
    let output = Command::new(&command)
        .args(["-nostdin", "-hide_banner", "-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough"])
        .args(["-enc_time_base", "-1", "-f", "framecrc", "-"])
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}: install ffmpeg", command.display()))?;
    let (mut base, mut times) = (None, Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(text) = line.strip_prefix("#tb 0:") {
            let (over, under) = text
                .trim()
                .split_once('/')
                .context("ffmpeg told no time base")?;
            base = Some(over.parse::<f64>()? / under.parse::<f64>()?);
        } else if !line.starts_with('#') {
            let pts = line
                .split(',')
                .nth(2)
                .context("ffmpeg told no time of a frame")?;
            let base = base.context("ffmpeg told no time base")?;
            times.push(pts.trim().parse::<f64>()? * base * 1e6);
        }
    }
    if times.is_empty() {
        bail!("{} holds no frame that ffmpeg can decode", path.display());
    }
    Ok(times)
}
