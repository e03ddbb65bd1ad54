//! Stopping one thread of a process, as a thread would stop that waits for ever.

use anyhow::{Context, Result};
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::path::PathBuf;

/// Stops the thread and waits until the process is gone. A stop signal would stop every thread; a tracer stops one.
pub(crate) fn hold(pid: i32, thread: &str) -> Result<()> {
    let tasks = PathBuf::from(format!("/proc/{pid}/task"));
    let listing = std::fs::read_dir(&tasks)
        .with_context(|| format!("process {pid} is not there ({})", tasks.display()))?;
    let mut names = Vec::new();
    let mut found = None;
    for task in listing {
        let task = task?.path();
        let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default();
        if name.trim_end() == thread {
            found = task.file_name().and_then(|id| id.to_str()?.parse().ok());
        }
        names.push(name.trim_end().to_owned());
    }
    let tid = Pid::from_raw(found.with_context(|| {
        format!(
            "process {pid} has no thread {thread:?}, but {}",
            names.join(", ")
        )
    })?);
    ptrace::attach(tid).with_context(|| format!("cannot trace thread {thread:?}"))?;
    waitpid(tid, Some(WaitPidFlag::__WALL)).context("the thread did not stop")?;
    println!("thread {thread:?} of process {pid} is held");
    // Held as long as this process lives: until the other is killed, and the kernel tells.
    loop {
        match waitpid(tid, Some(WaitPidFlag::__WALL)) {
            Ok(nix::sys::wait::WaitStatus::Stopped(..)) => {}
            _ => return Ok(()),
        }
    }
}
