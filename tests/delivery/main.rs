//! Delivery under the worst: rig, broker and host are killed in the middle of a run, and everything made arrives once.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod appliance;
mod chaos;
mod host;
mod intruders;
mod on_request;
mod pictures;
mod policy;
mod protected;
mod quality_loop;
mod shared;
mod simulate;
mod verify;

use end_to_end::{Broker, Host, MadeCounts, binary, rig_command, wait_for};
use label_store::{LabelStore, Summary};
use std::path::{Path, PathBuf};
use std::process::Command;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-rig");

/// A desk with a broker of its own, and a rig's outbox.
struct Bench {
    dir: tempfile::TempDir,
    rigel: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            rigel: binary("rigel", FIXTURE),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        }
    }

    fn outbox(&self) -> PathBuf {
        self.dir.path().join("outbox")
    }

    fn journal(&self) -> Option<(u64, u64)> {
        MadeCounts::journal(&self.outbox().join("journal"))
    }

    fn broker(&self) -> Broker {
        Broker::start(self.dir.path())
    }

    fn host(&self, arguments: &[&str]) -> Host {
        Host::start(&self.rigel, &self.dir.path().join("host"), arguments)
    }

    fn host_at(&self, broker: &Broker) -> Host {
        self.host(&["--broker", &format!("127.0.0.1:{}", broker.port)])
    }

    fn rig(&self, broker: u16, messages: u64) -> Command {
        rig_command(FIXTURE, &self.outbox(), broker, messages)
    }

    fn summary(&self, database: &Path) -> Summary {
        self.runtime.block_on(async {
            let store = LabelStore::open(database).await.unwrap();
            let summary = store.summary().await.unwrap();
            store.close().await;
            summary
        })
    }

    /// Waits until the host has this many messages of the boot that the rig journals now.
    fn wait_for_committed(&self, host: &Host, messages: u64) {
        wait_for(&format!("{messages} messages of this boot"), || {
            let (boot, _) = self.journal()?;
            self.summary(&host.database())
                .rigs
                .iter()
                .flat_map(|rig| &rig.boots)
                .any(|known| known.boot.raw() == boot && known.messages >= messages)
                .then_some(())
        });
    }
}

/// Everything the fixture rig made in this boot up to `last` is here, once, and nothing else.
fn assert_all_here_once(summary: &Summary, boot: u64, last: u64, finished: bool) {
    let found = summary.rigs[0]
        .boots
        .iter()
        .find(|known| known.boot.raw() == boot)
        .unwrap_or_else(|| panic!("boot {boot} is not known: {summary:?}"));
    assert_eq!(
        (found.watermark, found.highest, found.messages),
        (last, last, last),
        "boot {boot}: watermark, highest seq and number of messages"
    );
    assert_eq!((found.labels_lost, found.evidence_lost), (0, 0));
    let clip = summary
        .clips
        .iter()
        .find(|clip| clip.clip.id.boot.raw() == boot)
        .unwrap();
    // A finished run ends with the manifest and the clip's end.
    let made = MadeCounts::upto(if finished { last - 2 } else { last });
    let committed = MadeCounts {
        offered: clip.committed.offered,
        abstained: clip.committed.abstained,
        evidence: clip.committed.evidence,
    };
    assert_eq!(committed, made, "boot {boot}");
    assert_eq!(clip.review.total(), clip.committed.offered);
    if finished {
        assert_eq!(clip.balance, label_store::Balance::Balanced, "boot {boot}");
    }
}
