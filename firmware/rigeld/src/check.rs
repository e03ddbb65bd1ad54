//! `rigeld check`: proves a rig, item by item.
//!
//! What a field engineer asks of a rig that was just put together, and an updater of one that was just updated: is what the
//! board file names there, and does it work? Items go from the inside outwards, each with a limit of time; one that fails says
//! what to do next. A running appliance is not disturbed: what it holds is not touched, and the table says so.
//!
//! The result is kept beside the outbox; [`kept::last`] reads it, so that the birth message and the panel can tell of it without a
//! test at every start.

mod broker;
mod camera;
mod clock;
mod disk;
mod front;
pub mod golden;
mod heat;
pub mod kept;
mod models;
mod recording;
mod report;

use board::Board;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use report::Report;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "Examples:
  rigeld check --board /etc/rigel/board.toml                       everything that the board file names
  rigeld check --board boards/sim.toml --only models golden        do the models give the right numbers here?
  rigeld check --board /etc/rigel/board.toml --json > check.json   for scripts

A rig that is running keeps its camera: `sudo systemctl stop rigeld` first to check that too.
Run it as the user that the rig runs as (`sudo -u rigel rigeld check …`): then it may do just what the rig may.

Exit codes: 0 nothing failed; 1 something did, and the table says what to do; 2 wrong arguments.";

/// Arguments of `rigeld check`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Board file [default: boards/sim.toml here or above the program]
    #[arg(long)]
    board: Option<PathBuf>,
    /// Write the result as JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Check only these; the result is then not kept for the birth message and the panel
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<Item>,
}

/// What is checked, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// The board file can be used
    Board,
    /// Runtime and model files are the ones that their cards describe
    Models,
    /// The models give the stored numbers on the golden clip
    Golden,
    /// The camera gives frames, in time, with a picture in them
    Camera,
    /// The display answers
    Panel,
    /// The lights and the button can be had
    Pins,
    /// The clock tells the time
    Clock,
    /// The outbox has room and is written fast enough; the recording has room
    Disk,
    /// The broker takes this rig
    Broker,
    /// The board is neither hot nor slowed down
    Temperature,
}

impl Item {
    /// Its name on the command line, in the table and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Models => "models",
            Self::Golden => "golden",
            Self::Camera => "camera",
            Self::Panel => "panel",
            Self::Pins => "pins",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Broker => "broker",
            Self::Temperature => "temperature",
        }
    }

    /// How long it may take. Models and clip have room for an emulated processor, which takes a
    /// hundred times as long.
    fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Self::Board | Self::Panel | Self::Pins | Self::Clock | Self::Temperature => 10,
            Self::Golden => 900,
            Self::Camera | Self::Broker => 30,
            Self::Models | Self::Disk => 60,
        })
    }

    fn probe(self, rig: &Rig) -> Finding {
        match self {
            Self::Board => Finding::passed(format!(
                "{}: rig {} of site {}",
                rig.path.display(),
                rig.board.rig,
                rig.board.site
            )),
            Self::Models => models::check_files(rig),
            Self::Golden => models::check_numbers(rig),
            Self::Camera => camera::check(rig),
            Self::Panel => front::check_display(rig),
            Self::Pins => front::check_pins(rig),
            Self::Clock => clock::check(),
            Self::Disk => recording::add(disk::check(&rig.board.outbox), &rig.board),
            Self::Broker => broker::check(&rig.board),
            Self::Temperature => heat::check(rig),
        }
    }
}

/// How an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it must be.
    Passed,
    /// Not as it must be.
    Failed,
    /// The board file names none.
    NotPresent,
    /// Not looked at; the reason is said.
    Skipped,
}

/// What was found of an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was found, or why it was not looked at.
    pub said: String,
    /// What to do next, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_do: Option<String>,
    /// What was measured, for scripts.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

impl Finding {
    fn new(verdict: Verdict, said: impl Into<String>) -> Self {
        Self {
            verdict,
            said: said.into(),
            to_do: None,
            facts: Map::new(),
        }
    }

    fn passed(said: impl Into<String>) -> Self {
        Self::new(Verdict::Passed, said)
    }

    fn not_present(said: impl Into<String>) -> Self {
        Self::new(Verdict::NotPresent, said)
    }

    fn skipped(why: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, why)
    }

    fn failed(said: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            to_do: Some(to_do.into()),
            ..Self::new(Verdict::Failed, said)
        }
    }

    /// Adds a measured value.
    fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("numbers and names always become JSON");
        self.facts.insert(name.to_owned(), value);
        self
    }
}

/// A rig while it is checked.
struct Rig {
    path: PathBuf,
    board: Board,
    /// Another process has the outbox open: the appliance runs.
    running: bool,
    /// Handed from the item that loads it to the one that uses it.
    pipeline: Mutex<Loaded>,
}

/// What became of the models so far.
#[derive(Default)]
enum Loaded {
    /// Nobody tried.
    #[default]
    NotYet,
    /// They cannot be used, and that was told.
    Failed,
    /// Ready to use.
    Ready(Box<crate::pipeline::Pipeline>),
}

/// Checks what the arguments name, says it, and keeps it.
pub fn check(arguments: &Arguments) -> ExitCode {
    let mut report = Report::new();
    let progress = Progress::new();
    let rig = match read_rig(arguments.board.as_deref()) {
        Ok(rig) => {
            report.of_board(&rig.board);
            Ok(Arc::new(rig))
        }
        Err(finding) => Err(finding),
    };
    for item in Item::value_variants().iter().copied() {
        // A board file that cannot be used is told whatever was asked for.
        let wanted = arguments.only.is_empty() || arguments.only.contains(&item);
        if !wanted && (item != Item::Board || rig.is_ok()) {
            continue;
        }
        progress.begins(item);
        let start = Instant::now();
        let finding = match &rig {
            Ok(rig) => probe_in_time(item, rig),
            Err(finding) if item == Item::Board => finding.clone(),
            Err(_) => Finding::skipped("needs the board file"),
        };
        report.add(item, finding, start.elapsed());
    }
    progress.ends();
    if let Ok(rig) = rig
        && arguments.only.is_empty()
    {
        kept::keep(&report, &rig.board);
    }
    let written = if arguments.json {
        report.write_json(&mut std::io::stdout().lock())
    } else {
        report.write_table(&mut std::io::stdout().lock())
    };
    if report.has_failed() || written.is_err() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn read_rig(named: Option<&Path>) -> Result<Rig, Finding> {
    let path = crate::board_path(named).map_err(|error| {
        Finding::failed(
            format!("{error:#}"),
            "rigeld check --board /etc/rigel/board.toml",
        )
    })?;
    let board = Board::read(&path).map_err(|error| {
        Finding::failed(
            format!("{:#}", anyhow::Error::new(error)),
            format!("correct {}, then check again", path.display()),
        )
    })?;
    Ok(Rig {
        running: uplink::Outbox::is_in_use(&board.outbox.dir),
        path,
        board,
        pipeline: Mutex::default(),
    })
}

/// An item that hangs costs its own time and no more: its thread is left behind.
fn probe_in_time(item: Item, rig: &Arc<Rig>) -> Finding {
    let (sender, receiver) = channel();
    let its_rig = Arc::clone(rig);
    let started = thread::Builder::new()
        .name(format!("check-{}", item.name()))
        .spawn(move || {
            // Nobody waits any more for one that took too long.
            let _ = sender.send(item.probe(&its_rig));
        });
    if let Err(error) = started {
        return Finding::failed(
            format!("cannot be looked at: {error}"),
            "end other programs, then check again",
        );
    }
    match receiver.recv_timeout(item.limit()) {
        Ok(finding) => finding,
        Err(RecvTimeoutError::Timeout) => Finding::failed(
            format!("no answer within {} s", item.limit().as_secs()),
            "the driver or the device hangs: unplug it and plug it in again, or switch the rig off and on",
        ),
        Err(RecvTimeoutError::Disconnected) => Finding::failed(
            "the check of it broke off, which it never should",
            "report this with what stands above it",
        ),
    }
}

/// Tells what is being done: a line that changes on a terminal, a line an item elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{spinner} checking {msg}")
                    .expect("the template is a constant"),
            );
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar }
    }

    fn begins(&self, item: Item) {
        match &self.bar {
            Some(bar) => bar.set_message(item.name()),
            None => {
                let _ = writeln!(std::io::stderr(), "checking {}", item.name());
            }
        }
    }

    fn ends(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
