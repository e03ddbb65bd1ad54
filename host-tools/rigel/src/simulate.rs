//! `rigel simulate`: many rigs on one machine, which say again what one recorded, each with a rig's own outbox and uplink.

mod rig;
mod stream;

use crate::broker_place::BrokerPlace;
use anyhow::{Context, Result, bail};
use clap::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rig::{Rig, Tally};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stream::Stream;
use uplink::{LinkState, Tls, UplinkConfig};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel simulate --rigs 1000 --stream outbox/ --broker mqtt.lan:1883                     a minute of a thousand rigs
  rigel simulate --rigs 50 --stream outbox/ --broker mqtt.lan:1883 --seconds 600 --every-ms 20

For a desk and broker that are there to be tried: what these rigs send is labels like any other, of rigs sim-1, sim-2 … of the site
`simulated`. Each has its own outbox, uplink and connection, as `rigeld` has them, and says in turn what lies in the outbox given with --stream:
that of a rig which ran while no desk listened (`rigeld run` with a broker that is not there). At its end it begins again with the next
clip. With TLS all of them show one certificate, to which the broker must allow the whole site.

Their outboxes lie in TMPDIR and are synced like a rig's. On one disk a thousand of them measure the disk: TMPDIR=/dev/shm gives each one of its own.

Ctrl-C ends all of them at once, tells what was done until then, and deletes their outboxes, in which there are faces. Whoever kills it with SIGKILL
deletes TMPDIR/rigel-simulate-*.

Told at the end: how long from a message made to the host's word that it is committed, the rig's wait for its disk (up to 200 ms) included.

Exit codes: 0 everything was committed, 1 something was not within a minute of the end, it was ended before, or nothing could be started, 2 wrong arguments.")]
pub(crate) struct SimulateArguments {
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rigs: u32,
    /// The outbox whose messages they send
    #[arg(long, value_name = "DIR")]
    stream: PathBuf,
    #[command(flatten)]
    broker: BrokerPlace,
    /// How long they make messages
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Milliseconds between two messages of one rig; a rig that labels a camera's pictures makes 3.6 a second
    #[arg(long, value_name = "MS", default_value_t = 280, value_parser = clap::value_parser!(u64).range(1..))]
    every_ms: u64,
}

/// Descriptors of one rig: its connection, what its runtime waits with, and the files of its outbox.
const FILES_OF_A_RIG: u64 = 16;
/// How long the last messages may take, and all connections together at the start.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at what was committed; so much too long a wait may be told.
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) fn run(arguments: &SimulateArguments) -> Result<()> {
    let Some(broker) = &arguments.broker.address else {
        bail!("name the broker that the desk listens to: --broker HOST:PORT");
    };
    // From here on a signal is looked for: what lies in temporary folders goes however this ends.
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&asked))
            .context("cannot listen to signals")?;
    }
    let stream = Arc::new(Stream::read(&arguments.stream)?);
    allow_files(u64::from(arguments.rigs) * FILES_OF_A_RIG + 64)?;
    let tls = arguments.broker.tls().map(|tls| Tls {
        ca: tls.ca,
        cert: tls.cert,
        key: tls.key,
    });
    let config = UplinkConfig {
        tls,
        ..UplinkConfig::new(
            stream::name_of("simulated"),
            broker.host.clone(),
            broker.port,
        )
    };
    let folder = tempfile::Builder::new()
        .prefix("rigel-simulate-")
        .tempdir()
        .context("cannot make a folder for the outboxes")?;
    say(&format!(
        "{} rigs, a message each {} ms; the stream has {} messages",
        arguments.rigs,
        arguments.every_ms,
        stream.len()
    ))?;
    let mut rigs = Vec::new();
    let played = play(
        arguments,
        (&stream, &config, folder.path()),
        &mut rigs,
        &asked,
    );
    // All are told before one is waited for.
    for rig in &rigs {
        rig.begin_stop();
    }
    let told = played.and_then(|(tally, waiting)| {
        say(&tally)?;
        if asked.load(Ordering::Relaxed) {
            bail!("ended before its time; {waiting} messages were not committed then");
        }
        if waiting > 0 {
            bail!(
                "{waiting} messages were not committed within {} s of the end: does a desk listen to {}:{}?",
                PATIENCE.as_secs(),
                broker.host,
                broker.port
            );
        }
        Ok(())
    });
    drop(rigs);
    let place = folder.path().to_owned();
    folder.close().with_context(|| {
        format!(
            "cannot delete {}, in which there are faces: delete it by hand",
            place.display()
        )
    })?;
    told
}

/// Has rigs connect and say their stream; what they did in words, and how many messages were not committed.
fn play(
    arguments: &SimulateArguments,
    (stream, config, folder): (&Arc<Stream>, &UplinkConfig, &Path),
    rigs: &mut Vec<Rig>,
    asked: &AtomicBool,
) -> Result<(String, u64)> {
    let goes_on = || !asked.load(Ordering::Relaxed);
    let every = Duration::from_millis(arguments.every_ms);
    let began = Instant::now();
    for number in (1..=arguments.rigs).take_while(|_| goes_on()) {
        let rig = Rig::start(number, stream, config, folder);
        rigs.push(rig.with_context(|| format!("rig {number} of {}", arguments.rigs))?);
    }
    wait_for_connections(rigs, asked)?;
    if goes_on() {
        say(&format!(
            "all connected after {:.1} s",
            began.elapsed().as_secs_f64()
        ))?;
    }

    let began = Instant::now();
    let mut tally = Tally::default();
    for (place, rig) in (0..).zip(rigs.iter_mut()) {
        // Not all at the same moment.
        rig.begin(began + every * place / arguments.rigs);
    }
    let until = began + Duration::from_secs(arguments.seconds);
    while Instant::now() < until && goes_on() {
        for rig in rigs.iter_mut() {
            rig.make_due(every)?;
            rig.look(&mut tally);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let made_for = began.elapsed();
    let at_the_end = tally.committed();
    let deadline = Instant::now() + PATIENCE;
    while rigs.iter().any(Rig::waits) && Instant::now() < deadline && goes_on() {
        for rig in rigs.iter_mut() {
            rig.look(&mut tally);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let all_for = began.elapsed();
    let waiting = rigs.iter().map(|rig| rig.count(&mut tally)).sum();
    Ok((tally.told(made_for, at_the_end, all_for), waiting))
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").context("cannot write to standard output")
}

/// Waits until the broker has them all, or somebody asks for the end.
fn wait_for_connections(rigs: &[Rig], asked: &AtomicBool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let away = rigs
            .iter()
            .map(Rig::report)
            .find(|report| !matches!(report.state, LinkState::Online | LinkState::Held));
        let Some(away) = away.filter(|_| !asked.load(Ordering::Relaxed)) else {
            return Ok(());
        };
        if Instant::now() >= deadline {
            bail!(
                "not all were connected within {} s: {}",
                PATIENCE.as_secs(),
                away.last_trouble.unwrap_or_else(|| "no answer".to_owned())
            );
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// As many open files as they need, as far as this user may.
fn allow_files(wanted: u64) -> Result<()> {
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE).context("cannot see how many files")?;
    if now >= wanted {
        return Ok(());
    }
    if most < wanted {
        bail!(
            "{wanted} open files are needed and {most} allowed: fewer rigs, or `ulimit -Hn {wanted}`"
        );
    }
    setrlimit(Resource::RLIMIT_NOFILE, wanted, most).context("cannot have more open files")
}
