//! One connection to the broker: its client, its event loop, and why there is none.

use crate::uplink::{Monitor, UplinkConfig};
use broker_tls::TlsError;
use label_core::wire;
use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};
use std::sync::Arc;
use tokio::sync::mpsc;

const EVENTS: usize = 64;

/// A client and what its event loop reports. The loop runs in a task of its own: it must not be cancelled in the middle
/// of a write, as a `select!` around it would do.
pub(super) struct Connection {
    pub(super) client: AsyncClient,
    pub(super) events: mpsc::Receiver<Result<Event, String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Begins to connect; events tell what comes of it.
    pub(super) fn open(config: &UplinkConfig, options: MqttOptions, monitor: Arc<Monitor>) -> Self {
        let (client, mut event_loop) =
            AsyncClient::new(options, usize::from(config.window) + EVENTS);
        let (events, received) = mpsc::channel(EVENTS);
        let asked = config.clone();
        let task = tokio::spawn(async move {
            loop {
                let event = event_loop.poll().await;
                let event = event.map_err(|error| {
                    monitor.not_connected(is_turned_away(&asked, &error));
                    trouble(&asked, &error)
                });
                let over = event.is_err();
                if events.send(event).await.is_err() || over {
                    return;
                }
            }
        });
        Self {
            client,
            events: received,
            task,
        }
    }
}

/// What every connection to the broker has in common, a probe included.
pub(crate) fn options(config: &UplinkConfig, id: String) -> Result<MqttOptions, TlsError> {
    let mut options = MqttOptions::new(id, config.host.as_str(), config.port);
    options
        .set_keep_alive(config.keep_alive)
        .set_connection_timeout(config.connect_timeout.as_secs().max(1))
        .set_max_packet_size(Some(wire::MAX_MESSAGE_BYTES as u32));
    if let Some(tls) = &config.tls {
        options.set_transport(tls.transport()?);
    }
    Ok(options)
}

/// Whether somebody answered and would not have us.
fn is_turned_away(config: &UplinkConfig, error: &ConnectionError) -> bool {
    let tls = config.tls.as_ref();
    matches!(error, ConnectionError::ConnectionRefused(_))
        || tls.is_some_and(|tls| tls.explain(&config.host, error).is_some())
}

/// Why there is no connection, in words.
pub(crate) fn trouble(config: &UplinkConfig, error: &ConnectionError) -> String {
    let tls = config.tls.as_ref();
    tls.and_then(|tls| tls.explain(&config.host, error))
        .unwrap_or_else(|| error.to_string())
}
