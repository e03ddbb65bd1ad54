//! `cargo xtask demo`: rig and host on this machine, the demo clip between them, the review page at the end.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::bench::DEMO_SECONDS;
use crate::board_file::{self, DemoBoard};
use crate::children::{Running, create_folder, last_lines, pause, with_output_to};
use crate::install::remove;
use crate::layout::Project;
use crate::setup::{self, Purpose};
use crate::summary::{HostSummary, RigSummary, imbalances, table};
use crate::{build, http};

/// Where the page is when nothing else sits there.
const USUAL_PORT: u16 = 8080;
/// How long the host may take until it answers.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  cargo xtask demo              label the clip, then leave the review page open until Ctrl-C
  cargo xtask demo --port 9000  the same with the page at a port of your choice
  cargo xtask demo --once       without the page: print the numbers, exit 1 if they do not add up

Each run starts afresh in .rigel/demo; what was fetched and built before is kept.")]
pub(crate) struct Arguments {
    /// Print the numbers and end, instead of leaving the page open
    #[arg(long)]
    once: bool,
    /// Port of the page (default: 8080, or a free one where that is taken)
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

/// The command.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let _only_one = lock(project)?;
    let port = choose_port(arguments.port)?;
    setup::prepare(project, Purpose::Demo)?;
    build::release(project, &["rigeld", "rigel"])?;
    let folder = project.fetched("demo");
    remove(&folder)?;
    create_folder(&folder.join("rig"))?;
    create_folder(&folder.join("host"))?;
    let (mut host, log) = start_host(project, &folder, port)?;
    let broker_port = wait_for_host(&mut host, &folder, &log, port)?;
    label(project, &folder, broker_port, &mut host, &log)?;
    let rig = RigSummary::read(&folder.join("rig/summary.json"))?;
    let told = http::get(port, "/api/summary").context("the host did not give its numbers")?;
    let committed: HostSummary =
        serde_json::from_slice(&told).context("the host's summary is not as it should be")?;
    println!("\n{}", table(&rig, &committed));
    let differences = imbalances(&rig, &committed);
    for difference in &differences {
        eprintln!("does not add up: {difference}");
    }
    if !arguments.once {
        leave_open(&mut host, &log, port)?;
    }
    host.stop();
    Ok(if differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Two demos would write into each other's folders, so the second is told of the first.
fn lock(project: &Project) -> Result<File> {
    create_folder(&project.fetched(""))?;
    let path = project.fetched("demo.lock");
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(|| {
            format!(
                "cannot write {}: does .rigel belong to another user?",
                path.display()
            )
        })?;
    if file.try_lock().is_err() {
        let mut holder = String::new();
        file.read_to_string(&mut holder)?;
        bail!(
            "a demo is running already (process {}): end it with Ctrl-C first",
            holder.trim()
        );
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

fn choose_port(named: Option<u16>) -> Result<u16> {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    match named {
        Some(port) if is_free(port) => Ok(port),
        Some(port) => bail!(
            "port {port} is taken (or needs root): name another with --port, or leave it out to get a free one"
        ),
        None if is_free(USUAL_PORT) => Ok(USUAL_PORT),
        None => free_port(),
    }
}

fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

fn start_host(project: &Project, folder: &Path, port: u16) -> Result<(Running, PathBuf)> {
    let mut command = Command::new(project.path("target/release/rigel"));
    command
        .current_dir(project.root())
        .arg("serve")
        .arg("--data")
        .arg(folder.join("host"));
    command.args([
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--embedded-broker",
        "127.0.0.1:0",
    ]);
    let log = project.fetched("logs/demo-host.log");
    with_output_to(&mut command, &log)?;
    Ok((Running::start("rigel", &mut command)?, log))
}

/// Waits until the host answers, and returns its embedded broker's port.
fn wait_for_host(host: &mut Running, folder: &Path, log: &Path, port: u16) -> Result<u16> {
    let started = Instant::now();
    while let Err(error) = http::get(port, "/api/summary") {
        fail_if_ended(host, log)?;
        if started.elapsed() > START_PATIENCE {
            return Err(error.context(format!(
                "the host does not answer; the end of its log:\n{}",
                last_lines(log)
            )));
        }
        pause()?;
    }
    let path = folder.join("host/serve.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let announced: Announced = serde_json::from_slice(&text)
        .with_context(|| format!("{} is not as the host writes it", path.display()))?;
    let address: SocketAddr = announced
        .broker
        .parse()
        .with_context(|| format!("{:?} is no address", announced.broker))?;
    Ok(address.port())
}

/// Where the host says it listens.
#[derive(Deserialize)]
struct Announced {
    broker: String,
}

/// Runs the rig until the clip is done and everything is acknowledged. Its own progress goes to the terminal.
fn label(
    project: &Project,
    folder: &Path,
    broker_port: u16,
    host: &mut Running,
    host_log: &Path,
) -> Result<()> {
    let board = folder.join("board.toml");
    let written = board_file::for_demo(
        &project.path("boards/sim.toml"),
        &DemoBoard {
            clip: &project.fetched("clips/franck.mp4"),
            seconds: DEMO_SECONDS,
            broker_port,
            outbox: &folder.join("rig"),
        },
    )?;
    std::fs::write(&board, written).with_context(|| format!("cannot write {}", board.display()))?;
    let mut command = Command::new(project.path("target/release/rigeld"));
    command
        .current_dir(project.root())
        .env("PATH", setup::path_for_children(project))
        .arg("run")
        .arg("--board")
        .arg(&board);
    let mut rig = Running::start("rigeld", command.stdout(Stdio::null()))?;
    let status = loop {
        if let Some(status) = rig.ended()? {
            break status;
        }
        fail_if_ended(host, host_log)?;
        pause()?;
    };
    if status.success() {
        Ok(())
    } else {
        bail!("rigeld ended with {status}; what it said is above")
    }
}

fn fail_if_ended(host: &mut Running, log: &Path) -> Result<()> {
    match host.ended()? {
        Some(status) => bail!(
            "the host ended with {status}; the end of its log ({}):\n{}",
            log.display(),
            last_lines(log)
        ),
        None => Ok(()),
    }
}

/// Shows where the page is and waits for Ctrl-C, which here is the ordinary end.
fn leave_open(host: &mut Running, log: &Path, port: u16) -> Result<()> {
    let address = format!("http://127.0.0.1:{port}/");
    println!("\nthe clip's blinks wait for review at {address}\npress Ctrl-C to end the demo");
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    if has_display {
        // Whether a browser opens is a nicety: the address is printed.
        let _ = Command::new("xdg-open")
            .arg(&address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
    while pause().is_ok() {
        fail_if_ended(host, log)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_port_that_is_taken_is_refused_and_a_default_one_replaced() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = holder.local_addr().unwrap().port();
        assert!(
            choose_port(Some(taken))
                .unwrap_err()
                .to_string()
                .contains(&taken.to_string())
        );
        assert_ne!(choose_port(None).unwrap(), taken);
    }

    #[test]
    fn a_second_demo_is_told_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::at(folder.path());
        let first = lock(&project).unwrap();
        let text = lock(&project).unwrap_err().to_string();
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(first);
        lock(&project).unwrap();
    }
}
