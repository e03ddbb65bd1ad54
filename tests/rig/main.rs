//! Emulated machines: the release build of the firmware on Debian's kernels in QEMU, started by `cargo xtask test --rig`.
//!
//! Each scenario boots what it needs, checks what it claims, and leaves the serial lines of its machines in the logs'
//! folder. `docs/emulated-rig.md` says what each machine is and what it is not.

#![expect(
    clippy::print_stdout,
    reason = "a command-line tool speaks to its user"
)]

mod camera;
mod desk;
mod display;
mod faults;
mod firmware;
mod glass;
mod initramfs;
mod kit;
mod labels;
mod machine;
mod pins;
mod powercut;
mod service;
mod witness;

use anyhow::{Result, bail};
use clap::Parser;
use kit::{Arch, Kit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Parser)]
struct Arguments {
    /// What `cargo xtask test --rig` has laid out
    #[arg(long)]
    machines: PathBuf,
    /// The checkout
    #[arg(long)]
    project: PathBuf,
    /// What to test [default: everything]
    scenarios: Vec<String>,
}

/// What a scenario found, in a line, or what is wrong.
type Verdict = Result<String>;

/// A name, and what is run.
type Scenario = (&'static str, fn(&Kit) -> Verdict);

const SCENARIOS: &[Scenario] = &[
    ("labels alike", labels::alike),
    ("camera amd64", |kit| camera::formats(kit, Arch::Amd64)),
    ("camera arm64", |kit| camera::formats(kit, Arch::Arm64)),
    ("camera faults", faults::survived),
    ("pins of a Pi", pins::pi),
    ("pins and button", pins::virt),
    ("display", display::shows),
    ("service", service::lives),
    ("power cuts", powercut::survived),
    ("power cuts without syncs", powercut::found_out),
];

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let machines = arguments.machines.canonicalize()?;
    let logs = machines.join("logs");
    std::fs::create_dir_all(&logs)?;
    let kit = Kit {
        machines,
        project: arguments.project.canonicalize()?,
        logs,
    };
    for name in &arguments.scenarios {
        if !SCENARIOS.iter().any(|(known, _)| known == name) {
            let names: Vec<&str> = SCENARIOS.iter().map(|(name, _)| *name).collect();
            bail!("there is no scenario {name:?}, but: {}", names.join(", "));
        }
    }
    let chosen = &arguments.scenarios;
    let wanted = SCENARIOS
        .iter()
        .filter(|(name, _)| chosen.is_empty() || chosen.iter().any(|one| one == name));
    let mut failed = 0;
    for (name, scenario) in wanted {
        println!("--- {name}");
        let begun = Instant::now();
        let verdict = catch_unwind(AssertUnwindSafe(|| scenario(&kit)))
            .unwrap_or_else(|panic| Err(anyhow::anyhow!("{}", words_of(panic.as_ref()))));
        let seconds = begun.elapsed().as_secs_f64();
        match verdict {
            Ok(found) => println!("--- {name}: passed in {seconds:.1} s: {found}"),
            Err(error) => {
                failed += 1;
                println!("--- {name}: FAILED after {seconds:.1} s: {error:#}");
            }
        }
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The programs that tests share panic where something does not start.
fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_a_step_of_the_test_command() {
        let steps = include_str!("../../host-tools/xtask/src/rig.rs");
        for (name, _) in SCENARIOS {
            assert!(
                steps.contains(&format!("\"{name}\"")),
                "{name} is never run"
            );
        }
    }
}
