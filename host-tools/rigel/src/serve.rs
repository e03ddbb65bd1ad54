//! `rigel serve`: broker (if none is given), ingest, store and page in one process.

use crate::broker_place::{BrokerAddress, BrokerPlace};
use crate::store_place::StorePlace;
use crate::{broker, export};
use anyhow::{Context, bail};
use clap::Args;
use ingest::{IngestConfig, IngestCounters};
use label_store::{LabelStore, Retention, now_us};
use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Open requests get this long to end after the signal.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

const DAY_US: i64 = 24 * 3600 * 1_000_000;
/// How often what is too old is looked for.
const RETIRE_EVERY: Duration = Duration::from_hours(1);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel serve                                          everything on this machine, page on http://127.0.0.1:8080/
  rigel serve --data /srv/rigel --broker mqtt.lan:1883 rigs on other machines, through a broker of yours
  rigel serve --broker mqtt.lan:8883 --tls-ca ca.crt --tls-cert host.crt --tls-key host.key
                                                       the same with TLS, where the broker asks for certificates
  rigel serve --store postgres://rigel@db.lan/rigel --broker mqtt.lan:1883
                                                       labels in Postgres, which `rigel ingest` and other desks may share
  rigel serve --listen 127.0.0.1:0 --embedded-broker 127.0.0.1:0
                                                       on free ports; DIR/serve.json says which

The log goes to standard error; RUST_LOG=debug shows more.")]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    place: StorePlace,
    /// Address of the page; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A name under which the page may be asked for besides its address; may be repeated
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    broker: BrokerPlace,
    /// Filmstrips and key pictures go after so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    keep_pictures: Option<u32>,
    /// Beyond this much of them the oldest go
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u32).range(1..))]
    keep_pictures_gib: Option<u32>,
    /// Labels and what people said of them go after so many days, clip by clip
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    keep_labels: Option<u32>,
    /// Address of the embedded broker, on this machine; port 0 picks a free one
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:1883",
        conflicts_with = "broker"
    )]
    embedded_broker: SocketAddr,
}

pub(crate) fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    log_to_stderr();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("rigel")
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(arguments))
}

pub(crate) fn log_to_stderr() {
    // The embedded broker calls every client that goes away an error; what matters is said by ingest and by us.
    let asked = std::env::var("RUST_LOG").ok();
    let shown = asked.and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("rumqttd", LevelFilter::OFF)
            .with_target("rumqttc", LevelFilter::ERROR)
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(lines.with_filter(shown))
        .init();
}

async fn serve(arguments: ServeArguments) -> anyhow::Result<()> {
    // Before anything else, so that an early signal is not lost.
    let stop = stop_on_signal()?;
    if arguments.broker.address.is_none() && arguments.place.shared()?.is_some() {
        bail!(
            "a store that several programs share needs a broker that they share: name it with --broker HOST:PORT (the \
             embedded one is for a single desk with its labels in a file)"
        );
    }
    let data = arguments.place.data.clone();
    std::fs::create_dir_all(&data)
        .with_context(|| format!("cannot create the folder {}", data.display()))?;
    let _lock = lock(&data)?;
    let announcement = data.join("serve.json");
    remove_if_there(&announcement)?;

    let listener = listen(arguments.listen).await?;
    let http = listener
        .local_addr()
        .context("a bound socket has no address")?;
    let tls = arguments.broker.tls();
    let broker = if let Some(given) = arguments.broker.address {
        given
    } else {
        let address = broker::start(arguments.embedded_broker).await?;
        BrokerAddress {
            host: address.ip().to_string(),
            port: address.port(),
        }
    };
    let days = |days: u32| i64::from(days) * DAY_US;
    let retention = Retention {
        pictures_us: arguments.keep_pictures.map(days),
        pictures_bytes: arguments.keep_pictures_gib.map(|gib| u64::from(gib) << 30),
        labels_us: arguments.keep_labels.map(days),
    };
    let store = arguments.place.open().await?;
    store.begin_sampling(now_us()).await?;
    if !http.ip().is_loopback() && !store.has_users().await? {
        bail!(
            "nobody has an account, so whoever reaches {http} could read and judge everything: make one with \
             `rigel user add NAME --role administrator --data {}`, or listen on this machine alone (--listen 127.0.0.1:{})",
            data.display(),
            http.port()
        );
    }
    let counters = Arc::new(IngestCounters::default());
    let ingest = tokio::spawn(ingest::run(
        IngestConfig {
            host: broker.host.clone(),
            port: broker.port,
            tls,
            client_id: client_id(&data),
        },
        store.clone(),
        Arc::clone(&counters),
        stop.clone(),
    ));
    let keeper = tokio::spawn(review::keep(store.clone(), stop.clone()));
    let exports = export::jobs::place(&data)?;
    let exporting = export::jobs::start(store.clone(), exports.clone(), stop.clone())?;
    let retiring = tokio::spawn(retire(store.clone(), retention, stop.clone()));
    announce(&announcement, http, &broker)?;
    tracing::info!(page = %format!("http://{http}/"), broker = %format!("{}:{}", broker.host, broker.port), "serving");

    let options = review::Options {
        listen: http,
        names: arguments.names,
        exports,
        stop: stop.clone(),
        numbers: numbers(Arc::clone(&counters), (!store.is_shared()).then_some(data)),
    };
    let page = review::serve(
        listener,
        review::router(store.clone(), options),
        stop.clone(),
    );
    tokio::select! {
        () = page => {}
        () = async { stopped(stop).await; tokio::time::sleep(LAST_REQUESTS).await } => {
            tracing::warn!("requests are still open; ending all the same");
        }
    }
    ingest.await.context("ingest panicked")?;
    keeper.await.context("counting quality panicked")?;
    retiring
        .await
        .context("deleting what is too old panicked")?;
    end_exports(exporting, store).await?;
    remove_if_there(&announcement)?;
    let report = counters.report();
    tracing::info!(
        committed = report.committed,
        duplicates = report.duplicates,
        quarantined = report.quarantined,
        "stopped"
    );
    Ok(())
}

/// Deletes what is too old or too much, now and every hour.
async fn retire(store: LabelStore, retention: Retention, stop: watch::Receiver<bool>) {
    if retention.is_for_ever() {
        return;
    }
    let mut ticks = tokio::time::interval(RETIRE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stopped(stop.clone()) => return,
        }
        // Left where it is at a stop: each of its steps is a transaction.
        let gone = tokio::select! {
            gone = store.retire(&retention, now_us()) => gone,
            () = stopped(stop.clone()) => return,
        };
        match gone {
            Ok(gone) if gone == label_store::Outdated::default() => {}
            Ok(gone) => tracing::info!(
                pictures = gone.pictures,
                bytes = gone.bytes,
                clips = gone.clips,
                "deleted what is kept no longer"
            ),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot delete what is kept no longer; trying again in an hour"
            ),
        }
    }
}

/// What `/metrics` tells of this process, and of the disk where the store's files lie on one of ours.
fn numbers(counters: Arc<IngestCounters>, files: Option<PathBuf>) -> review::Numbers {
    review::Numbers::new(move || {
        let report = counters.report();
        let bytes = |name: &str| {
            let path = files.as_ref()?.join(name);
            std::fs::metadata(path).map(|file| file.len()).ok()
        };
        let disk = files
            .as_ref()
            .and_then(|folder| nix::sys::statvfs::statvfs(folder).ok());
        review::HostNumbers {
            subscribed: report.connected,
            committed: report.committed,
            duplicates: report.duplicates,
            quarantined: report.quarantined,
            commits: report.commits,
            // Beside the database lies the log of what was written last.
            store_bytes: bytes("rigel.sqlite")
                .map(|all| all + bytes("rigel.sqlite-wal").unwrap_or(0)),
            disk_free_bytes: disk.map(|disk| disk.blocks_available() * disk.fragment_size()),
        }
    })
}

/// Waits for an export to be broken off. One that does not look up in time, since it reads what it wrote, is gone on with
/// next time; it still uses the store.
async fn end_exports(
    exporting: std::thread::JoinHandle<()>,
    store: LabelStore,
) -> anyhow::Result<()> {
    let until = Instant::now() + LAST_REQUESTS;
    while !exporting.is_finished() {
        if Instant::now() > until {
            tracing::warn!("an export is still being written; ending all the same");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if exporting.join().is_err() {
        bail!("writing exports panicked");
    }
    store.close().await;
    Ok(())
}

/// True after SIGTERM or Ctrl-C.
pub(crate) fn stop_on_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (said, stop) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        said.send_replace(true);
        // Keeps the channel open: its end would read as a stop too, but nobody should depend on that.
        std::future::pending::<()>().await;
    });
    Ok(stop)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {} is taken, and the page needs it. Stop the program that uses it, or choose another port with \
             --listen {}:0 (0 picks a free one)",
            address.port(),
            address.ip()
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address}")),
    }
}

fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another rigel serve uses {}; stop it, or give this one another folder with --data",
            data.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// The same for the same data on the same machine, so that a host that comes back takes its old place at the broker.
fn client_id(data: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    data.canonicalize()
        .unwrap_or_else(|_| data.to_owned())
        .hash(&mut hasher);
    std::fs::read_to_string("/etc/hostname")
        .unwrap_or_default()
        .hash(&mut hasher);
    format!("rigel-host-{:016x}", hasher.finish())
}

/// Scripts wait for this file instead of reading the log.
fn announce(path: &Path, http: SocketAddr, broker: &BrokerAddress) -> anyhow::Result<()> {
    let said = serde_json::json!({
        "http": http.to_string(),
        "broker": format!("{}:{}", broker.host, broker.port),
    });
    let partial = path.with_extension("partial");
    std::fs::write(&partial, format!("{said}\n"))
        .and_then(|()| std::fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", path.display()))
        }
        _ => Ok(()),
    }
}
