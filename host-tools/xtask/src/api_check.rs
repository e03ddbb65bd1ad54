//! A step of `cargo xtask test`: the desk's API held to the description in docs/reference/openapi.json by Schemathesis, which makes requests up
//! from the description, sound ones and wrong ones, and compares what comes back.
//!
//! The real host is asked, over made-up labels: first as it is without accounts, then, by a token, with one. Which checks
//! are left out and why stands in `api-check/schemathesis.toml`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::children::{Running, create_folder, last_lines, pause, shown, with_output_to};
use crate::install::remove;
use crate::layout::Project;
use crate::venv::{self, Environment};

/// How long the host may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// What is tested, and where what was sent and answered is kept.
struct Check<'a> {
    project: &'a Project,
    schemathesis: &'a Path,
    address: &'a str,
}

/// The step. The programs have been built.
pub(crate) fn run(project: &Project) -> Result<()> {
    let schemathesis = made(project, &venv::API_CHECK)?;
    let folder = project.fetched("api-check");
    remove(&folder)?;
    create_folder(&folder)?;
    let data = folder.join("host");
    let store = project.path("target/debug/examples/synthetic_store");
    output(Command::new(store).arg(&data), "")?;

    let log = project.fetched("logs/api-check-host.log");
    let (mut host, address) = start_host(project, &data, &log)?;
    let check = Check {
        project,
        schemathesis: &schemathesis,
        address: &address,
    };
    check.run("without accounts", None)?;
    let user = [
        "user",
        "add",
        "script",
        "--role",
        "administrator",
        "--stdin",
    ];
    output(
        rigel(project).args(user).arg("--data").arg(&data),
        "made up and used for a minute\n",
    )?;
    let token = ["token", "add", "script", "--purpose", "test"];
    let token = output(rigel(project).args(token).arg("--data").arg(&data), "")?;
    let token = String::from_utf8(token.stdout).context("a token is text")?;
    check.run("by a token", Some(token.trim()))?;
    if let Some(status) = host.ended()? {
        bail!("the host ended with {status}:\n{}", last_lines(&log));
    }
    host.stop();
    Ok(())
}

/// The program `st` of the environment.
fn made(project: &Project, environment: &Environment) -> Result<std::path::PathBuf> {
    Ok(environment.ensure(project)?.with_file_name("st"))
}

impl Check<'_> {
    fn run(&self, how: &str, token: Option<&str>) -> Result<()> {
        eprintln!("\nthe API, {how}:");
        let own = self.project.path("host-tools/xtask/api-check");
        let mut command = Command::new(self.schemathesis);
        command
            .current_dir(self.project.fetched("api-check"))
            .args(["--config-file"])
            .arg(own.join("schemathesis.toml"))
            .arg("run");
        if let Some(token) = token {
            command
                .arg("--header")
                .arg(format!("Authorization: Bearer {token}"));
        }
        command.arg(format!("{}/api/openapi.json", self.address));
        let status = Running::start("schemathesis", &mut command)?.wait_with(|| ())?;
        if status.success() {
            Ok(())
        } else {
            bail!(
                "the API is not as docs/reference/openapi.json says, {how}; what was sent and answered stands above"
            )
        }
    }
}

fn rigel(project: &Project) -> Command {
    Command::new(project.path("target/debug/rigel"))
}

/// What the host says of itself once it listens.
#[derive(Deserialize)]
struct Announced {
    http: String,
}

fn start_host(project: &Project, data: &Path, log: &Path) -> Result<(Running, String)> {
    let mut command = rigel(project);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.args(["--embedded-broker", "127.0.0.1:0", "--data"]);
    with_output_to(command.arg(data), log)?;
    let mut host = Running::start("rigel", &mut command)?;
    let started = Instant::now();
    loop {
        if let Ok(text) = std::fs::read(data.join("serve.json")) {
            let told: Announced = serde_json::from_slice(&text)
                .with_context(|| format!("{} is not as the host writes it", data.display()))?;
            return Ok((host, format!("http://{}", told.http)));
        }
        if host.ended()?.is_some() || started.elapsed() > START_PATIENCE {
            bail!("the host does not listen:\n{}", last_lines(log));
        }
        pause()?;
    }
}

/// Runs a program to its end, giving it something to read; a failure quotes what it said.
fn output(command: &mut Command, typed: &str) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let mut input = child.stdin.take().context("its input was asked for")?;
    input
        .write_all(typed.as_bytes())
        .with_context(|| shown(command))?;
    drop(input);
    let output = child.wait_with_output().with_context(|| shown(command))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {said}", shown(command), output.status);
    }
    Ok(output)
}
