//! `cargo xtask chaos`: delivery while everything around it breaks.
//!
//! Each scenario starts a broker, a desk and a rig that makes messages by rule, breaks what its name says, lets the rig
//! finish, and then holds the store to what was made: every label committed once, as it was made, or on record as lost.
//! The same seed makes the same choices; what the machine does between them is its own. `docs/chaos.md` says what each
//! scenario does and what was counted.

#![expect(
    clippy::print_stdout,
    reason = "a command-line tool speaks to its user"
)]

mod clock;
mod day;
mod disk;
mod kills;
mod link;
mod lossy;
mod proxy;
mod truth;
mod world;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Instant, SystemTime};
use truth::Counted;

#[derive(Parser)]
#[command(about = "Delivery while everything around it breaks")]
struct Arguments {
    /// How much of everything
    #[arg(long, value_enum, default_value_t = Form::Full)]
    form: Form,
    /// Makes the choices of an earlier run again [default: drawn, and printed]
    #[arg(long)]
    seed: Option<u64>,
    /// Names the scenarios, and ends
    #[arg(long)]
    list: bool,
    /// Set where the program has started itself in namespaces of its own
    #[arg(long, hide = true)]
    inside: bool,
    /// What to run [default: every scenario of the form]
    scenarios: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Within a minute: a part of `cargo xtask test`
    Short,
    /// Everything
    Full,
}

/// What scenarios are given.
struct Chaos {
    /// Where our programs lie.
    programs: PathBuf,
    form: Form,
    seed: u64,
    kills: u32,
    begun: Instant,
    /// The last progress told.
    told: Cell<u64>,
}

impl Chaos {
    fn random(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// A number of the full form, a tenth of it in the short one.
    fn scaled(&self, number: u64) -> u64 {
        match self.form {
            Form::Full => number,
            Form::Short => number / 10,
        }
    }

    /// Says how far a scenario is, in tenths of the full form.
    fn progress(&self, what: &str, done: u64, all: u64) {
        let tenth = done * 10 / all.max(1) + 1;
        if self.form == Form::Full && self.told.replace(tenth) != tenth {
            let seconds = self.begun.elapsed().as_secs();
            println!("    {what}: {done} of {all}, {seconds} s since the start");
        }
    }
}

/// How a scenario ended, if nothing was wrong.
enum Verdict {
    Passed(String),
    /// This machine does not permit it.
    NotRun(String),
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last expression of every scenario"
)]
fn passed(counted: Counted, told: impl Into<String>) -> Result<Verdict> {
    let told = told.into();
    Ok(Verdict::Passed(format!("{told}: {}", counted.told())))
}

struct Scenario {
    name: &'static str,
    in_short: bool,
    /// It changes networks or file systems, and is run in namespaces of its own.
    apart: bool,
    run: fn(&Chaos) -> Result<Verdict>,
}

const fn scenario(name: &'static str, run: fn(&Chaos) -> Result<Verdict>) -> Scenario {
    Scenario {
        name,
        in_short: true,
        apart: false,
        run,
    }
}

const fn apart(name: &'static str, run: fn(&Chaos) -> Result<Verdict>) -> Scenario {
    Scenario {
        apart: true,
        ..scenario(name, run)
    }
}

const SCENARIOS: &[Scenario] = &[
    scenario("kills", kills::at_random_moments),
    scenario("broker forgets", kills::broker_forgets),
    scenario("host put back", kills::host_put_back),
    scenario("link down", link::down),
    scenario("resets", link::reset),
    Scenario {
        in_short: false,
        ..scenario("half-open", link::half_open)
    },
    apart("lossy link", lossy::run),
    apart("disk full", disk::full),
    apart("disk read-only", disk::read_only),
    scenario("outbox at its limit", disk::at_its_limit),
    scenario("slow disk", disk::slow),
    apart("clocks", clock::wrong),
    Scenario {
        in_short: false,
        ..scenario("day", day::of_labels)
    },
];

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        for scenario in SCENARIOS {
            println!("{}", scenario.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    for name in &arguments.scenarios {
        if !SCENARIOS.iter().any(|known| known.name == name) {
            let names: Vec<&str> = SCENARIOS.iter().map(|known| known.name).collect();
            bail!("there is no scenario {name:?}, but: {}", names.join(", "));
        }
    }
    let drawn = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = arguments
        .seed
        .unwrap_or_else(|| drawn.map_or(1, |since| since.as_secs() % 1_000_000));
    let chaos = Chaos {
        programs: std::env::current_exe()?
            .parent()
            .map(PathBuf::from)
            .unwrap_or_default(),
        form: arguments.form,
        seed,
        kills: match arguments.form {
            Form::Full => 200,
            Form::Short => 6,
        },
        begun: Instant::now(),
        told: Cell::new(0),
    };
    if arguments.inside {
        return Ok(inside(&chaos, &arguments.scenarios));
    }
    println!("seed {seed} (the same choices again: --seed {seed})");
    let chosen = &arguments.scenarios;
    let wanted = SCENARIOS.iter().filter(|scenario| {
        if chosen.is_empty() {
            chaos.form == Form::Full || scenario.in_short
        } else {
            chosen.iter().any(|name| name == scenario.name)
        }
    });
    let (mut well, mut failed, mut not_run) = (0, 0, 0);
    for scenario in wanted {
        let name = scenario.name;
        println!("--- {name}");
        chaos.told.set(0);
        let begun = Instant::now();
        let verdict = if scenario.apart {
            run_apart(&chaos, name)
        } else {
            run_here(&chaos, scenario)
        };
        let seconds = begun.elapsed().as_secs_f64();
        match verdict {
            Ok(Verdict::Passed(told)) => {
                well += 1;
                println!("--- {name}: passed in {seconds:.1} s: {told}");
            }
            Ok(Verdict::NotRun(why)) => {
                not_run += 1;
                println!("--- {name}: NOT RUN: {why}");
            }
            Err(error) => {
                failed += 1;
                println!("--- {name}: FAILED after {seconds:.1} s: {error:#}");
            }
        }
    }
    println!("{well} passed, {failed} failed, {not_run} not run (seed {seed})");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run_here(chaos: &Chaos, scenario: &Scenario) -> Result<Verdict> {
    catch_unwind(AssertUnwindSafe(|| (scenario.run)(chaos)))
        .unwrap_or_else(|panic| Err(anyhow::anyhow!("{}", words_of(panic.as_ref()))))
}

/// Starts this program once more in namespaces of users, networks and mounts of its own, for one scenario.
fn run_apart(chaos: &Chaos, name: &str) -> Result<Verdict> {
    let apart = || {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "--mount"]);
        command
    };
    match apart().arg("true").output() {
        Ok(tried) if tried.status.success() => {}
        Ok(tried) => {
            let said = String::from_utf8_lossy(&tried.stderr);
            return Ok(Verdict::NotRun(format!(
                "namespaces are not permitted here: {}",
                said.trim()
            )));
        }
        Err(error) => {
            return Ok(Verdict::NotRun(format!(
                "`unshare` (package util-linux) cannot be started: {error}"
            )));
        }
    }
    let mut child = apart()
        .arg(std::env::current_exe()?)
        .args(["--inside", "--seed", &chaos.seed.to_string()])
        .args(["--form", chaos.form.name()])
        .arg(name)
        .stdout(Stdio::piped())
        .spawn()?;
    let said = child.stdout.take().context("its output is a pipe")?;
    let mut last = String::new();
    for line in BufReader::new(said).lines() {
        let line = line?;
        if line.starts_with("    ") {
            println!("{line}");
        } else {
            last = line;
        }
    }
    child.wait()?;
    match last.split_once(": ") {
        Some((PASSED, told)) => Ok(Verdict::Passed(told.to_owned())),
        Some((NOT_RUN, why)) => Ok(Verdict::NotRun(why.to_owned())),
        Some((_, why)) => bail!("{why}"),
        None => bail!("it ended without a word"),
    }
}

const PASSED: &str = "passed";
const NOT_RUN: &str = "not run";

/// One scenario, within namespaces; the last line says how it ended.
fn inside(chaos: &Chaos, names: &[String]) -> ExitCode {
    let found = SCENARIOS
        .iter()
        .find(|scenario| names.first().is_some_and(|name| name == scenario.name));
    match found.map(|scenario| run_here(chaos, scenario)) {
        Some(Ok(Verdict::Passed(told))) => println!("{PASSED}: {told}"),
        Some(Ok(Verdict::NotRun(why))) => println!("{NOT_RUN}: {why}"),
        Some(Err(error)) => println!("failed: {}", format!("{error:#}").replace('\n', " ")),
        None => println!("failed: there is no such scenario"),
    }
    ExitCode::SUCCESS
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Full => "full",
        }
    }
}

/// The programs that tests share panic where something does not start.
fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "panicked".to_owned())
}
