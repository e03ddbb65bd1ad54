//! The embedded broker: one command on one machine, without a broker to install.
//!
//! `rumqttd` has no access control, so it listens on this machine only. For rigs on other machines there is mosquitto
//! and `--broker`.

use anyhow::{Context, bail};
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// The largest message, its topic and properties.
const MAX_PACKET: usize = 320 * 1024;
const READY: Duration = Duration::from_secs(5);

/// Starts the broker and returns the address it listens on, which tells the port where 0 was asked for.
pub(crate) async fn start(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    if !listen.ip().is_loopback() {
        bail!(
            "the embedded broker would listen on {listen}, but it has no access control: it serves this machine only. \
             Give it a loopback address, or run mosquitto and use --broker"
        );
    }
    let listen = free_address(listen)?;
    let mut broker = Broker::new(configuration(listen));
    std::thread::Builder::new()
        .name("broker".to_owned())
        .spawn(move || {
            // Returns only when its listener fails; the check below, or ingest, then sees that nobody answers.
            if let Err(error) = broker.start() {
                tracing::error!(%error, "the embedded broker ended");
            }
        })
        .context("cannot start the broker's thread")?;
    wait_until_it_answers(listen).await?;
    tracing::info!(%listen, "embedded broker");
    Ok(listen)
}

/// rumqttd says nothing when its port is taken, so the port is tried first.
fn free_address(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    match TcpListener::bind(listen) {
        Ok(listener) => listener
            .local_addr()
            .context("a bound socket has no address"),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {} is taken, and the embedded broker needs it. If a broker runs there, use it with --broker {listen}; \
             otherwise choose another port with --embedded-broker {}:0 (0 picks a free one)",
            listen.port(),
            listen.ip()
        ),
        Err(error) => {
            Err(error).with_context(|| format!("the embedded broker cannot listen on {listen}"))
        }
    }
}

async fn wait_until_it_answers(listen: SocketAddr) -> anyhow::Result<()> {
    let attempts = async {
        while tokio::net::TcpStream::connect(listen).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(READY, attempts)
        .await
        .with_context(|| format!("the embedded broker does not answer on {listen}"))
}

fn configuration(listen: SocketAddr) -> Config {
    let server = ServerSettings {
        name: "rigel".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 5000,
            max_payload_size: MAX_PACKET,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    Config {
        id: 0,
        router: RouterConfig {
            max_connections: 256,
            max_outgoing_packet_count: 200,
            // Kept a topic filter, in memory: what a slow subscriber may lag behind.
            max_segment_size: 4 * 1024 * 1024,
            max_segment_count: 8,
            ..RouterConfig::default()
        },
        v5: Some(HashMap::from([("rigel".to_owned(), server)])),
        ..Config::default()
    }
}
