//! `rigel ingest`: takes in what rigs send, beside others that do the same, into a Postgres store.

use crate::broker_place::BrokerPlace;
use crate::serve::{log_to_stderr, stop_on_signal};
use crate::store_place::StorePlace;
use anyhow::{Context, bail};
use clap::Args;
use ingest::{IngestConfig, IngestCounters};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel ingest --store postgres://rigel@db.lan/rigel --broker mqtt.lan:1883
  RIGEL_STORE=postgres://rigel:…@db.lan/rigel rigel ingest --broker mqtt.lan:8883 --tls-ca ca.crt --tls-cert host.crt --tls-key host.key

Start as many as there is work for, on any machines: the broker deals messages out among them and every `rigel serve` on the
same store (MQTT 5 shared subscriptions; the group bears the database's own name). One that dies loses nothing: rigs keep what is not
committed, and send it again. docs/scaling.md says how many to run.

Exit codes: 0 stopped by a signal, 1 could not start (the message says why), 2 wrong arguments.")]
pub(crate) struct IngestArguments {
    #[command(flatten)]
    place: StorePlace,
    #[command(flatten)]
    broker: BrokerPlace,
}

pub(crate) fn run(arguments: &IngestArguments) -> anyhow::Result<()> {
    log_to_stderr();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("rigel")
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(ingest(arguments))
}

async fn ingest(arguments: &IngestArguments) -> anyhow::Result<()> {
    let stop = stop_on_signal()?;
    let Some(broker) = &arguments.broker.address else {
        bail!("name the broker that the rigs send to: --broker HOST:PORT");
    };
    if arguments.place.shared()?.is_none() {
        bail!(
            "only a Postgres store is shared by several programs: name one with --store or RIGEL_STORE. Into a file, \
             `rigel serve` takes in what rigs send by itself"
        );
    }
    let store = arguments.place.open().await?;
    let counters = Arc::new(IngestCounters::default());
    let config = IngestConfig {
        host: broker.host.clone(),
        port: broker.port,
        tls: arguments.broker.tls(),
        // Each its own: two of one name would throw each other out.
        client_id: format!("rigel-ingest-{:016x}", RandomState::new().hash_one(0)),
    };
    ingest::run(config, store.clone(), Arc::clone(&counters), stop).await;
    store.close().await;
    let report = counters.report();
    tracing::info!(
        committed = report.committed,
        duplicates = report.duplicates,
        quarantined = report.quarantined,
        "stopped"
    );
    Ok(())
}
