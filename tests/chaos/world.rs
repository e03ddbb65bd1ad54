//! A desk, a broker and a rig of one scenario, in a folder of their own.

use crate::Chaos;
use crate::truth::{self, Counted, Loss, Ran};
use anyhow::{Context, Result, ensure};
use end_to_end::{Broker, Host, Journal, Program, binary, wait_for_at_most};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The longest wait for a rig to see everything committed.
const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) struct World {
    folder: tempfile::TempDir,
    rigel: PathBuf,
    fixture: PathBuf,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) broker: Broker,
    host: Option<Host>,
    ran: Vec<Ran>,
}

impl World {
    /// With a broker that keeps nothing over its own death, and a desk.
    pub(crate) fn new(chaos: &Chaos) -> Result<Self> {
        Self::with_broker(chaos, Broker::start)
    }

    /// Within namespaces, where the only user is root; rigs may come from other networks.
    pub(crate) fn apart(chaos: &Chaos) -> Result<Self> {
        ip(&["link", "set", "lo", "up"])?;
        Self::with_broker(chaos, Broker::start_for_all)
    }

    /// With a broker started like this in the scenario's folder.
    pub(crate) fn with_broker(chaos: &Chaos, broker: impl FnOnce(&Path) -> Broker) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let fixture = chaos.programs.join("fixture-rig");
        let broker = broker(folder.path());
        let mut world = Self {
            rigel: binary("rigel", &fixture.display().to_string()),
            fixture,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            folder,
            broker,
            host: None,
            ran: Vec::new(),
        };
        world.start_host();
        Ok(world)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.folder.path().join("outbox")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("host")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("rigel.sqlite")
    }

    fn journal_at(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// What the rig wrote down last, of whichever run.
    pub(crate) fn journal(&self) -> Option<Journal> {
        Journal::read(&self.journal_at())
    }

    pub(crate) fn start_host(&mut self) {
        self.start_host_through(self.broker.port);
    }

    /// A desk that reaches the broker by this port.
    pub(crate) fn start_host_through(&mut self, port: u16) {
        let broker = format!("127.0.0.1:{port}");
        let host = Host::start(&self.rigel, &self.data(), &["--broker", &broker]);
        self.host = Some(host);
    }

    pub(crate) fn kill_host(&mut self) {
        if let Some(host) = self.host.take() {
            host.kill();
        }
    }

    /// The process of the desk, while it runs.
    pub(crate) fn host_id(&self) -> Option<u32> {
        self.host.as_ref().map(Host::id)
    }

    /// How a rig is started that reaches the broker by this port of this machine.
    pub(crate) fn rig(&self, port: u16, messages: u64) -> Command {
        self.rig_at("127.0.0.1", port, messages)
    }

    /// The same by another address.
    pub(crate) fn rig_at(&self, host: &str, port: u16, messages: u64) -> Command {
        let mut command = Command::new(&self.fixture);
        command
            .arg("--outbox")
            .arg(self.outbox())
            .args(["--broker", &format!("{host}:{port}")])
            .args(["--messages", &messages.to_string()]);
        command
            .arg("--journal")
            .arg(self.journal_at())
            .args(["--patience-s", &PATIENCE.as_secs().to_string()]);
        command
    }

    /// SIGKILL for the rig; what its run had made is remembered.
    pub(crate) fn kill_rig(&mut self, rig: Program) {
        rig.kill();
        self.remember(false);
    }

    /// Waits for the rig to see everything committed.
    pub(crate) fn finish(&mut self, rig: Program) -> Result<()> {
        let ended = rig.wait_at_most(PATIENCE);
        ensure!(ended.success(), "the rig did not see everything committed");
        self.remember(true);
        Ok(())
    }

    /// Notes the run of the journal as over, unless no message of it was made.
    pub(crate) fn remember(&mut self, finished: bool) {
        let known = self.ran.last().map(|run| run.journal.boot);
        if let Some(journal) = self.journal()
            && known != Some(journal.boot)
        {
            self.ran.push(Ran { journal, finished });
        }
    }

    /// Messages of any run that the desk has committed.
    pub(crate) fn committed(&self) -> u64 {
        let count = async {
            let mut connection = SqliteConnectOptions::new()
                .filename(self.database())
                .read_only(true)
                .connect()
                .await?;
            let row = sqlx::query("SELECT count(*) FROM messages")
                .fetch_one(&mut connection)
                .await?;
            connection.close().await?;
            Ok::<i64, sqlx::Error>(row.get(0))
        };
        // A desk that was killed just now has no schema yet, or a log to be read back.
        self.runtime.block_on(count).unwrap_or(0) as u64
    }

    /// Waits until the desk has committed this many messages.
    pub(crate) fn wait_for_committed(&self, messages: u64) {
        wait_for_at_most(PATIENCE, &format!("{messages} messages"), || {
            (self.committed() >= messages).then_some(())
        });
    }

    /// Everything that every run made is committed once, as it was made.
    pub(crate) fn compare(&self, loss: Loss) -> Result<Counted> {
        self.runtime
            .block_on(truth::compare(&self.database(), &self.ran, loss))
    }
}

/// Changes the network of this namespace.
pub(crate) fn ip(arguments: &[&str]) -> Result<()> {
    let status = Command::new("ip")
        .args(arguments)
        .status()
        .context("cannot start `ip` (package iproute2)")?;
    ensure!(status.success(), "`ip {}` failed", arguments.join(" "));
    Ok(())
}
