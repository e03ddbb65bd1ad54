//! The same labels from both processors: the golden clip labelled by the arm64 program under emulation and by the amd64
//! program natively.

use crate::Verdict;
use crate::kit::{Arch, Kit};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Largest difference between two positions, in pixels. Both processors round sums in another order; the store keeps
/// hundredths.
const PIXELS: f64 = 0.1;

/// Largest difference between two confidences.
const CONFIDENCE: f64 = 0.005;

/// No clip of ours takes longer, emulated and on a busy machine.
const PATIENCE_S: &str = "900";

/// Labels with both and compares.
pub(crate) fn alike(kit: &Kit) -> Verdict {
    let folder = tempfile::tempdir()?;
    let ours = label(kit, Arch::Amd64, folder.path())?;
    let theirs = label(kit, Arch::Arm64, folder.path())?;
    let furthest = compare(&ours, &theirs)?;
    let events = ours.iter().filter(|label| label["kind"] == "blink").count();
    ensure!(events > 0, "the golden clip has blinks, and none was found");
    Ok(format!(
        "{} labels, {events} blinks among them, at the same frames; positions within {:.2} px, confidences within {:.4}",
        ours.len(),
        furthest.pixels,
        furthest.confidence
    ))
}

fn label(kit: &Kit, arch: Arch, folder: &Path) -> Result<Vec<Value>> {
    let board = board(kit, arch, folder)?;
    let out = folder.join(format!("{}.jsonl", arch.name()));
    let mut command = match arch {
        Arch::Amd64 => Command::new("timeout"),
        Arch::Arm64 => emulated(folder)?,
    };
    command.args(["--signal=KILL", PATIENCE_S]);
    if arch == Arch::Arm64 {
        command
            .args(["qemu-aarch64-static", "-cpu", "cortex-a72", "-L"])
            .arg(kit.file(arch, "system"));
    }
    command
        .arg(kit.file(arch, "rigeld"))
        .args(["label", "--every-frame", "--board"])
        .arg(board)
        .arg("--out")
        .arg(&out)
        .arg(kit.project.join("models/golden/clip.mjpeg"));
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    ensure!(
        output.status.success(),
        "labelling on {} ended with {}:\n{}",
        arch.name(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let text =
        std::fs::read_to_string(&out).with_context(|| format!("no labels in {}", out.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("no JSON: {line}")))
        .collect()
}

/// The simulated board with everything absolute and the architecture's runtime.
fn board(kit: &Kit, arch: Arch, folder: &Path) -> Result<PathBuf> {
    let shipped = kit.project.join("boards/sim.toml");
    let text = std::fs::read_to_string(&shipped)
        .with_context(|| format!("cannot read {}", shipped.display()))?;
    let runtime = kit.file(arch, "libLiteRt.so");
    let text: String = text
        .replace("\"../", &format!("\"{}/", kit.project.display()))
        .lines()
        .map(|line| match line.split('=').next().map(str::trim) {
            Some("runtime") => format!("runtime = \"{}\"\n", runtime.display()),
            _ => format!("{line}\n"),
        })
        .collect();
    let board = folder.join(format!("{}.toml", arch.name()));
    std::fs::write(&board, text).with_context(|| format!("cannot write {}", board.display()))?;
    Ok(board)
}

/// A command that sees an arm64 processor in `/proc/cpuinfo`: the model runtime reads there what it runs on, and QEMU of
/// Debian 12 shows this machine's, in which it finds none of what an arm64 processor says of itself. Only this command
/// and what it starts see the other file.
fn emulated(folder: &Path) -> Result<Command> {
    let core = "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid\nCPU implementer\t: 0x41\n\
                CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n";
    let cores = format!("processor\t: 0\n{core}processor\t: 1\n{core}");
    let path = folder.join("cpuinfo");
    std::fs::write(&path, cores).with_context(|| format!("cannot write {}", path.display()))?;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c"])
        .arg("mount --bind \"$0\" /proc/cpuinfo && exec timeout \"$@\"")
        .arg(path);
    Ok(command)
}

/// The largest differences.
#[derive(Debug, Default)]
struct Furthest {
    pixels: f64,
    confidence: f64,
}

/// Every label of one side has its like on the other.
fn compare(ours: &[Value], theirs: &[Value]) -> Result<Furthest> {
    ensure!(
        ours.len() == theirs.len(),
        "{} labels on amd64, {} on arm64",
        ours.len(),
        theirs.len()
    );
    let mut furthest = Furthest::default();
    for (one, other) in ours.iter().zip(theirs) {
        alike_in_words(one, other)?;
        for key in ["box", "point"] {
            furthest.pixels = furthest.pixels.max(distance(&one[key], &other[key]));
        }
        let confidence = distance(&one["confidence"], &other["confidence"]);
        furthest.confidence = furthest.confidence.max(confidence);
        if furthest.pixels > PIXELS || furthest.confidence > CONFIDENCE {
            bail!("too far apart:\n  amd64 {one}\n  arm64 {other}");
        }
    }
    Ok(furthest)
}

/// Everything but measurements is the same, events' frames included.
fn alike_in_words(one: &Value, other: &Value) -> Result<()> {
    let words = |label: &Value| {
        let mut label = label.clone();
        for key in ["box", "point", "confidence"] {
            if let Some(value) = label.get_mut(key) {
                *value = Value::Bool(!value.is_null());
            }
        }
        label
    };
    ensure!(
        words(one) == words(other),
        "different labels:\n  amd64 {one}\n  arm64 {other}"
    );
    Ok(())
}

/// The largest difference between two numbers or two lists of them.
fn distance(one: &Value, other: &Value) -> f64 {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => ones
            .iter()
            .zip(others)
            .map(|(one, other)| distance(one, other))
            .fold(0.0, f64::max),
        _ => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs(),
            _ => 0.0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_that_differ_by_rounding_are_alike_and_others_are_not() {
        let point = |x: f64, confidence: f64| json!({"kind": "keypoint-left-eye", "track": 1, "frame": 3, "point": [x, 5.0], "confidence": confidence});
        let furthest = compare(&[point(1.0, 0.98)], &[point(1.02, 0.979)]).unwrap();
        assert!((furthest.pixels - 0.02).abs() < 1e-9 && furthest.confidence < 0.0011);
        assert!(compare(&[point(1.0, 0.98)], &[point(1.2, 0.98)]).is_err());
        assert!(compare(&[point(1.0, 0.98)], &[point(1.0, 0.9)]).is_err());
        assert!(compare(&[point(1.0, 0.98)], &[]).is_err());
        let blink = |end: u32| json!({"kind": "blink", "frames": [13, end], "confidence": 0.99});
        assert!(compare(&[blink(18)], &[blink(18)]).is_ok());
        assert!(compare(&[blink(18)], &[blink(19)]).is_err());
    }
}
