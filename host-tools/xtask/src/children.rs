//! Programs we start: waited for, stopped on every way out, and their output kept where it is not shown.
//!
//! Every child gets a process group of its own, so that stopping it also stops what it started (cargo's compilers, npm's
//! node). Ctrl-C therefore reaches this program alone, which raises a flag that every wait looks at.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::progress::Bar;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often a wait looks at the child and at the flag. A child's end and a flag cannot be awaited together without
/// unsafe code, so waits poll; 20 ms costs nothing beside what the children do.
const POLL: Duration = Duration::from_millis(20);
/// How long a child may take to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How much of a failed program's output its error quotes.
const QUOTED_LINES: usize = 25;

/// The user pressed Ctrl-C, or the program was asked to end.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// From here on Ctrl-C and SIGTERM end every wait instead of this program.
pub(crate) fn listen_for_interrupts() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst))
        .context("cannot listen for Ctrl-C")
}

/// An error when an interrupt has come.
pub(crate) fn check_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        Err(Interrupted.into())
    } else {
        Ok(())
    }
}

/// Blocks for one polling interval, or fails when an interrupt has come.
pub(crate) fn pause() -> Result<()> {
    check_interrupted()?;
    std::thread::sleep(POLL);
    Ok(())
}

/// A child that is stopped when this value goes away.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Starts `command`; `name` is what messages call it.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).process_group(0).spawn();
        let child = child.with_context(|| format!("cannot start {name} ({})", shown(command)))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            ended: None,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self
                .child
                .try_wait()
                .with_context(|| format!("cannot wait for {}", self.name))?;
        }
        Ok(self.ended)
    }

    /// Waits for the end, calling `each` in between.
    pub(crate) fn wait_with(&mut self, mut each: impl FnMut()) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            each();
            pause()?;
        }
    }

    /// Asks the child and all it started to end, and makes them after a grace.
    pub(crate) fn stop(&mut self) {
        let group = Pid::from_raw(self.child.id().cast_signed());
        if !matches!(self.ended(), Ok(None)) {
            return;
        }
        // A failure means that the group is gone already, which is what was wanted.
        let _ = killpg(group, Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE && matches!(self.ended(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        if matches!(self.ended(), Ok(None)) {
            let _ = killpg(group, Signal::SIGKILL);
            self.ended = self.child.wait().ok();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a program to its end with its output in `log`; a failure quotes the output's last lines.
pub(crate) fn run_logged(name: &str, command: &mut Command, log: &Path, bar: &Bar) -> Result<()> {
    run_logged_with(name, command, log, || bar.tick())
}

/// Like [`run_logged`], calling `each` while waiting.
pub(crate) fn run_logged_with(
    name: &str,
    command: &mut Command,
    log: &Path,
    each: impl FnMut(),
) -> Result<()> {
    with_output_to(command, log)?;
    let status = Running::start(name, command)?.wait_with(each)?;
    if status.success() {
        return Ok(());
    }
    let failed = Failed {
        command: shown(command),
        status,
        log: log.to_owned(),
    };
    Err(failed.into())
}

/// A program whose output was kept ended without success.
#[derive(Debug)]
pub(crate) struct Failed {
    command: String,
    status: ExitStatus,
    log: PathBuf,
}

impl Failed {
    /// All it printed.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The failure in one line, for when its cause is told elsewhere.
    pub(crate) fn in_short(&self) -> String {
        format!(
            "`{}` ended with {}, see {}",
            self.command,
            self.status,
            self.log.display()
        )
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}; its last lines:\n{}",
            self.in_short(),
            last_lines(&self.log)
        )
    }
}

impl std::error::Error for Failed {}

/// Sends a command's output to a file.
pub(crate) fn with_output_to(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        create_folder(folder)?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let copy = file.try_clone().context("cannot share a log file")?;
    command.stdout(file).stderr(copy);
    Ok(())
}

/// Creates a folder and those above it; the error says what usually is the matter.
pub(crate) fn create_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| {
        format!("cannot create {}: does the folder belong to another user, after a run as root perhaps?", folder.display())
    })
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The end of a log, indented.
pub(crate) fn last_lines(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    format!(
        "    {}",
        lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n    ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_and_what_it_started_are_gone_after_stop() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 300 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut running = Running::start("sleeper", &mut command).unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(running.child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        running.stop();
        // The pipe closes only once every holder of its other end is gone.
        std::io::Read::read_to_string(&mut output, &mut line).unwrap();
        assert!(!running.ended().unwrap().unwrap().success());
    }

    #[test]
    fn a_failure_quotes_the_last_lines_and_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo first; echo the reason >&2; exit 3"]);
        let error = run_logged(
            "sh",
            &mut command,
            &folder.path().join("log"),
            &Bar::hidden(),
        )
        .unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("the reason")
                && text.contains("exit status: 3")
                && text.contains("sh -c"),
            "{text}"
        );
    }
}
