//! The desk that machines deliver to: a broker and `rigel serve` on this machine, and what arrived.

use crate::machine::Machine;
use crate::witness::Heard;
use crate::witness::Witness;
use anyhow::{Context, Result};
use end_to_end::{Broker, Host, binary};
use label_store::{LabelStore, Summary};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A running desk.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    pub(crate) broker: Broker,
    pub(crate) witness: Witness,
    host: Option<Host>,
    rigel: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    /// Starts both.
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let this = std::env::current_exe()?;
        let broker = Broker::start(folder.path());
        let mut desk = Self {
            witness: Witness::start(broker.port)?,
            broker,
            rigel: binary("rigel", &this.display().to_string()),
            host: None,
            folder,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        };
        desk.open();
        Ok(desk)
    }

    /// Starts the host where it was closed.
    pub(crate) fn open(&mut self) {
        let broker = format!("127.0.0.1:{}", self.broker.port);
        let data = self.folder.path().join("host");
        self.host = Some(Host::start(&self.rigel, &data, &["--broker", &broker]));
    }

    /// Ends the host: what rigs send is heard by nobody.
    pub(crate) fn close(&mut self) {
        if let Some(host) = self.host.take() {
            host.stop();
        }
    }

    /// Everything stored, counted.
    pub(crate) fn summary(&self) -> Result<Summary> {
        let database = self.folder.path().join("host/rigel.sqlite");
        self.runtime.block_on(async {
            let store = LabelStore::open(&database).await?;
            let summary = store.summary().await?;
            store.close().await;
            Ok(summary)
        })
    }

    /// Looks at what is stored until `found` finds something; a firmware that ends meanwhile ends the wait.
    pub(crate) fn stored<T>(
        &self,
        machine: &mut Machine,
        what: &str,
        patience: Duration,
        mut found: impl FnMut(&Summary) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            machine.is_well()?;
            let summary = self.summary()?;
            if let Some(found) = found(&summary) {
                return Ok(found);
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "waited {patience:?} in vain for {what}; stored so far: {}",
                told(&summary)
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A folder of this desk's, removed with it.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Like [`Self::stored`], of what was heard on the wire; a firmware that ends meanwhile ends the wait.
    pub(crate) fn heard<T>(
        &self,
        machine: &mut Machine,
        what: &str,
        patience: Duration,
        found: impl FnMut(&Heard) -> Option<T>,
    ) -> Result<T> {
        let heard = self
            .witness
            .wait_while(what, patience, found, || machine.is_well());
        heard.with_context(|| {
            format!(
                "the machine's serial line is in {}",
                machine.log().display()
            )
        })
    }
}

/// The store in few words, for an error.
fn told(summary: &Summary) -> String {
    let clips: Vec<String> = summary
        .clips
        .iter()
        .map(|clip| {
            format!(
                "clip {:?}: {} frames, {} offered, {} abstained, {:?}",
                clip.clip.id,
                clip.manifest_frames,
                clip.committed.offered,
                clip.committed.abstained,
                clip.balance
            )
        })
        .collect();
    let rigs: Vec<String> = summary
        .rigs
        .iter()
        .map(|rig| format!("{} {:?} {:?}", rig.rig, rig.power, rig.boots))
        .collect();
    format!("[{}], {}", clips.join("; "), rigs.join("; "))
}
