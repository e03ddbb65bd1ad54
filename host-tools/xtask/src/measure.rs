//! What a program costs: processor time, wall time and peak memory of it and of everything it started.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::children::{Running, last_lines, shown, with_output_to};

/// How often memory is looked at. A peak shorter than this may be missed; looking more often would cost what is measured.
const MEMORY_INTERVAL: Duration = Duration::from_millis(100);

/// The cost of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    /// User and system time, of the program and of all it started and waited for.
    pub(crate) processor_seconds: f64,
    pub(crate) wall_seconds: f64,
    /// The largest sum of resident memory seen over the program and all it started.
    pub(crate) peak_memory_bytes: u64,
}

/// Runs a program to its end with its output in `log`. Nothing else may be waited for meanwhile: the processor time is
/// that of all children of this process.
pub(crate) fn run(name: &str, command: &mut Command, log: &Path) -> Result<Cost> {
    with_output_to(command, log)?;
    let before = children_seconds()?;
    let started = Instant::now();
    let mut running = Running::start(name, command)?;
    let id = running.id();
    let mut peak = 0;
    let mut looked = None;
    let status = running.wait_with(|| {
        if looked.is_none_or(|at: Instant| at.elapsed() >= MEMORY_INTERVAL) {
            peak = peak.max(memory_of_tree(id));
            looked = Some(Instant::now());
        }
    })?;
    let wall_seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!(
            "`{}` ended with {status}; its last lines:\n{}",
            shown(command),
            last_lines(log)
        );
    }
    Ok(Cost {
        processor_seconds: children_seconds()? - before,
        wall_seconds,
        peak_memory_bytes: peak,
    })
}

fn children_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .context("cannot read the processor time of children")?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Resident memory of a process and its descendants. Processes end while we look: what is gone counts nothing.
fn memory_of_tree(root: u32) -> u64 {
    let mut processes = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        if let Some(seen) = std::fs::read_to_string(entry.path().join("status"))
            .ok()
            .and_then(|text| parse_status(&text))
        {
            processes.insert(id, seen);
        }
    }
    let belongs = |mut id: u32| {
        loop {
            if id == root {
                return true;
            }
            match processes.get(&id) {
                Some((parent, _)) if *parent != 0 => id = *parent,
                _ => return false,
            }
        }
    };
    processes
        .iter()
        .filter(|(id, _)| belongs(**id))
        .map(|(_, (_, bytes))| bytes)
        .sum()
}

/// (parent, resident bytes) of a `/proc/ID/status`.
fn parse_status(text: &str) -> Option<(u32, u64)> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
    };
    let kilobytes: u64 = field("VmRSS:")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    Some((field("PPid:")?.parse().ok()?, kilobytes * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_of_grandchildren_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'",
        ]);
        let cost = run("loop", &mut command, &folder.path().join("log")).unwrap();
        assert!(cost.processor_seconds > 0.02, "{cost:?}");
        assert!(cost.wall_seconds >= 0.02, "{cost:?}");
    }

    #[test]
    fn a_status_gives_parent_and_memory_and_a_kernel_thread_none() {
        assert_eq!(
            parse_status("Name:\tx\nPPid:\t7\nVmRSS:\t  12 kB\n"),
            Some((7, 12288))
        );
        assert_eq!(parse_status("Name:\tx\nPPid:\t2\n"), Some((2, 0)));
    }
}
