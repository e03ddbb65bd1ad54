//! A machine that QEMU emulates: started, spoken to over its serial line, killed.
//!
//! Every wait ends: with the line that was waited for, with the machine's end, or at a deadline.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::{Duration, Instant};

/// No machine is needed for longer.
const LIFE: Duration = Duration::from_mins(20);

/// How long a command may take where the scenario knows no better.
const COMMAND: Duration = Duration::from_mins(2);

/// A running machine; killed when dropped.
#[derive(Debug)]
pub(crate) struct Machine {
    child: Child,
    keyboard: ChildStdin,
    lines: Receiver<String>,
    /// Lines that came while a command was waited for, for [`Self::expect`].
    heard: std::collections::VecDeque<String>,
    log: PathBuf,
    commands: u32,
}

impl Machine {
    /// Starts QEMU, its serial line on our pipes, what it says kept in `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let keyboard = child.stdin.take().context("the pipe was asked for")?;
        let output = child.stdout.take().context("the pipe was asked for")?;
        let (say, lines) = channel();
        let mut kept = std::fs::File::create(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let started = Instant::now();
        std::thread::Builder::new()
            .name("serial".to_owned())
            .spawn(move || {
                let mut output = BufReader::new(output);
                let mut bytes = Vec::new();
                while output.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                    let line = String::from_utf8_lossy(&bytes);
                    let line = line.trim_end().trim_start_matches('\r').to_owned();
                    bytes.clear();
                    let at = started.elapsed().as_secs_f64();
                    // A log that cannot be written must not end the machine it tells of.
                    let _ = writeln!(kept, "{at:8.2} {line}");
                    if say.send(line).is_err() {
                        return;
                    }
                }
            })
            .context("cannot start a thread")?;
        Ok(Self {
            child,
            keyboard,
            lines,
            heard: std::collections::VecDeque::new(),
            log: log.to_owned(),
            commands: 0,
        })
    }

    /// Waits for a line that holds `text`, and returns it. Lines that came before are passed over.
    pub(crate) fn expect(&mut self, text: &str, patience: Duration) -> Result<String> {
        let deadline = Instant::now() + patience;
        loop {
            let line = match self.heard.pop_front() {
                Some(line) => line,
                None => self.line(text, deadline)?,
            };
            if line.contains(text) {
                return Ok(line);
            }
        }
    }

    /// Runs a command inside; its output, or an error where it failed.
    pub(crate) fn run(&mut self, command: &str) -> Result<String> {
        let (status, output) = self.ask(command, COMMAND)?;
        if status != 0 {
            bail!("`{command}` ended with {status} in the machine:\n{output}");
        }
        Ok(output)
    }

    /// Runs a command inside; its exit status and output.
    pub(crate) fn ask(&mut self, command: &str, patience: Duration) -> Result<(i32, String)> {
        self.commands += 1;
        writeln!(self.keyboard, "{} {command}", self.commands)
            .and_then(|()| self.keyboard.flush())
            .with_context(|| format!("the machine is gone before `{command}`"))?;
        let mark = format!("RIG {}: ", self.commands);
        let deadline = Instant::now() + patience;
        let mut output = Vec::new();
        loop {
            let line = self.line(command, deadline)?;
            let Some((_, said)) = line.split_once(&mark) else {
                self.heard.push_back(line);
                continue;
            };
            if let Some(status) = said.strip_prefix("= ") {
                let status = status.trim().parse().context("an exit status")?;
                // The line before it is empty, so that output without an end of line does not run into it.
                return Ok((status, output.join("\n").trim_end().to_owned()));
            }
            output.push(said.to_owned());
        }
    }

    /// Runs a command inside until it succeeds and `found` finds something in its output.
    pub(crate) fn wait_for<T>(
        &mut self,
        command: &str,
        patience: Duration,
        mut found: impl FnMut(&str) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            let (status, output) = self.ask(command, COMMAND)?;
            if status == 0
                && let Some(found) = found(&output)
            {
                return Ok(found);
            }
            if Instant::now() > deadline {
                bail!("waited {patience:?} in vain for `{command}`; it last said:\n{output}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Where its serial line is kept.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// An error where the machine has ended, or its firmware has without being asked to.
    pub(crate) fn is_well(&mut self) -> Result<()> {
        loop {
            match self.lines.try_recv() {
                Ok(line) => self.heard.push_back(line),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => bail!("the machine ended"),
            }
        }
        if self
            .heard
            .iter()
            .any(|line| line.contains("RIG firmware ended"))
        {
            bail!("the firmware ended; its last words:\n{}", self.last_words());
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// Pulls the plug: SIGKILL, nothing that the machine had not written to its disk is left.
    pub(crate) fn cut(mut self) -> Result<()> {
        let ended = self.child.try_wait().context("a child can be asked")?;
        if ended.is_some() {
            bail!("the machine had ended before its power was cut");
        }
        self.end();
        Ok(())
    }

    /// Kills it and waits until QEMU has let go of its disks: its end of the pipe closes last.
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        while self.lines.recv().is_ok() {}
    }

    fn line(&mut self, what_for: &str, deadline: Instant) -> Result<String> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => Ok(line),
            Err(RecvTimeoutError::Timeout) => {
                bail!(
                    "nothing of {what_for:?} in time; the serial line is in {}",
                    self.log.display()
                )
            }
            Err(RecvTimeoutError::Disconnected) => bail!(
                "the machine ended while {what_for:?} was waited for; the serial line is in {}",
                self.log.display()
            ),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end();
    }
}

/// QEMU that does not outlive this program, nor [`LIFE`]: the kernel ends it with `timeout`, and `timeout` with us.
pub(crate) fn qemu(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    let life = LIFE.as_secs().to_string();
    command.args(["--pdeathsig", "KILL", "timeout", "--signal=KILL", &life]);
    command.args(["setpriv", "--pdeathsig", "KILL", program]);
    command
}
