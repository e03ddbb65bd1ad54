//! The program at the other end of the pipe.

use crate::CameraFault;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How much of what the program said is kept: its end.
const KEPT_WORDS: usize = 2000;

/// Asked for as room in the pipe: a program that writes a frame in one go then seldom waits for us.
const PIPE_BYTES: i32 = 1 << 20;

/// How long a program that has closed its output may take to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// What a read gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// These many bytes.
    Bytes(usize),
    /// Nothing within the time.
    Nothing,
    /// The program has closed its output.
    End,
}

/// A running program. Dropped, it is killed with all it started, and reaped.
pub(super) struct Writer {
    child: Child,
    output: ChildStdout,
    /// Gone when the program has closed it.
    errors: Option<ChildStderr>,
    words: Vec<u8>,
    is_reaped: bool,
}

impl Writer {
    pub(super) fn start(command: &[String]) -> Result<Self, CameraFault> {
        let not_started = |source| CameraFault::NotStarted { source };
        let [program, arguments @ ..] = command else {
            return Err(not_started(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the command is empty",
            )));
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: what a shell started ends with it.
            .process_group(0)
            .spawn()
            .map_err(not_started)?;
        let output = child.stdout.take().expect("standard output is piped");
        let errors = child.stderr.take().expect("standard error is piped");
        let writer = Self {
            child,
            output,
            errors: Some(errors),
            words: Vec::new(),
            is_reaped: false,
        };
        writer
            .set_up_pipes()
            .map_err(|errno| not_started(errno.into()))?;
        Ok(writer)
    }

    fn set_up_pipes(&self) -> Result<(), Errno> {
        fcntl(&self.output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        if let Some(errors) = &self.errors {
            fcntl(errors, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        // Less room is only slower.
        let _ = fcntl(&self.output, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        Ok(())
    }

    /// Reads into `room`, waiting at most `within`.
    pub(super) fn read(&mut self, room: &mut [u8], within: Duration) -> Result<Came, CameraFault> {
        let deadline = Instant::now() + within;
        loop {
            self.listen();
            match self.output.read(room) {
                Ok(0) => return Ok(Came::End),
                Ok(count) => return Ok(Came::Bytes(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(source) => {
                    return Err(CameraFault::Driver {
                        doing: "read from the program",
                        source,
                    });
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Came::Nothing);
            }
            self.wait(left);
        }
    }

    /// Until either pipe has something, or the time is over.
    fn wait(&self, left: Duration) {
        // Rounded up, so that the last wait is not one of many of nothing.
        let left = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
        let timeout = PollTimeout::from(left);
        let output = PollFd::new(self.output.as_fd(), PollFlags::POLLIN);
        // Whatever it answers, a signal too, the reads tell what there is.
        let _ = match &self.errors {
            Some(errors) => poll(
                &mut [output, PollFd::new(errors.as_fd(), PollFlags::POLLIN)],
                timeout,
            ),
            None => poll(&mut [output], timeout),
        };
    }

    /// Takes what the program said.
    fn listen(&mut self) {
        let Some(errors) = &mut self.errors else {
            return;
        };
        let mut piece = [0; 512];
        // One that talks faster than it is listened to must not keep us from its frames.
        for _ in 0..32 {
            match errors.read(&mut piece) {
                Ok(0) => {
                    self.errors = None;
                    return;
                }
                Ok(count) => {
                    self.words.extend_from_slice(&piece[..count]);
                    let over = self.words.len().saturating_sub(KEPT_WORDS);
                    self.words.drain(..over);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.errors = None;
                    return;
                }
            }
        }
    }

    /// How the program ended, now that it has closed its output, and what it said last.
    pub(super) fn end(&mut self) -> (String, String) {
        let deadline = Instant::now() + GRACE;
        let ended = loop {
            match self.has_ended() {
                true => break true,
                false if Instant::now() >= deadline => break false,
                false => thread::sleep(Duration::from_millis(5)),
            }
        };
        // What it started and left behind goes with it, as long as its number is nobody else's.
        self.kill();
        let status = ended.then(|| self.child.wait().ok()).flatten();
        self.is_reaped = status.is_some();
        // All that a pipe holds.
        for _ in 0..4 {
            self.listen();
        }
        let status = match status {
            None => "it closed its output and went on".to_owned(),
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("killed by signal {signal}"),
                (None, None) => status.to_string(),
            },
        };
        (status, self.last_words())
    }

    /// Whether it has ended; it is not reaped.
    fn has_ended(&self) -> bool {
        let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let ended = waitid(Id::Pid(self.group()), how);
        !matches!(ended, Ok(WaitStatus::StillAlive))
    }

    /// Its process group, which has its number.
    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Ends it and what it started. Only to be called while it is not reaped: then its number is still its own.
    fn kill(&mut self) {
        let _ = killpg(self.group(), Signal::SIGKILL);
    }

    /// The last lines, without those that are empty.
    fn last_words(&self) -> String {
        const LINES: usize = 6;
        let words = String::from_utf8_lossy(&self.words);
        let lines: Vec<&str> = words
            .split(['\n', '\r'])
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    #[cfg(test)]
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.kill();
            let _ = self.child.wait();
        }
    }
}
