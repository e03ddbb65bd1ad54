//! Asking a broker whether it would take this rig, without disturbing the rig's own connection.

use crate::link::{describe, options, trouble};
use crate::uplink::UplinkConfig;
use broker_tls::TlsError;
use label_core::id::Name;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Packet};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// Time to take leave of a broker in order.
const LEAVE: Duration = Duration::from_secs(1);

/// A broker that took the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerAnswer {
    /// The address that answered.
    pub address: SocketAddr,
    /// From the first packet to its answer, TCP, TLS and MQTT.
    pub took: Duration,
}

/// Why a broker does not take this rig.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The name has no address.
    #[error("no address is known for {host}")]
    Unresolved {
        /// The broker's name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The files that protect the connection cannot be used.
    #[error("the connection cannot be protected")]
    Tls(#[from] TlsError),
    /// Nothing answers at its addresses.
    #[error("nothing answers at {address}")]
    Unreachable {
        /// The address tried last.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// TCP is there, but no agreement on the connection: TLS, or something that is no broker.
    #[error("{address} answers, but not as an MQTT broker: {said}")]
    NotABroker {
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        said: String,
    },
    /// The broker says no.
    #[error("the broker at {address} refuses this rig: {reason:?}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// Its reason, as MQTT 5 names it.
        reason: ConnectReturnCode,
    },
    /// The probe could not be made.
    #[error("cannot start the probe")]
    Start {
        /// Why.
        source: io::Error,
    },
}

/// Connects as [`crate::Uplink`] would, under a name of its own (a broker ends the older of two connections of one name), and
/// takes leave. Nothing is published and no session stays behind.
pub fn probe(config: &UplinkConfig, rig: &Name) -> Result<BrokerAnswer, ProbeError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| ProbeError::Start { source })?
        .block_on(ask(config, rig))
}

async fn ask(config: &UplinkConfig, rig: &Name) -> Result<BrokerAnswer, ProbeError> {
    let start = Instant::now();
    let address = reach(config).await?;
    let mut options = options(config, format!("rigel-{}-{rig}-check", config.site))?;
    options
        .set_clean_start(true)
        .set_session_expiry_interval(None);
    let (client, mut events) = AsyncClient::new(options, 8);
    let not_a_broker = |said: String| ProbeError::NotABroker { address, said };
    loop {
        let event = timeout(config.connect_timeout, events.poll())
            .await
            .map_err(|_| not_a_broker(format!("no answer within {:?}", config.connect_timeout)))?;
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => break,
            Ok(_) => {}
            Err(ConnectionError::ConnectionRefused(reason)) => {
                return Err(ProbeError::Refused { address, reason });
            }
            Err(error) if config.tls.is_some() => {
                return Err(not_a_broker(trouble(config, &error)));
            }
            Err(error) => return Err(not_a_broker(describe(&error))),
        }
    }
    let took = start.elapsed();
    if client.try_disconnect().is_ok() {
        let _ = timeout(LEAVE, leave(&mut events)).await;
    }
    Ok(BrokerAnswer { address, took })
}

/// Name and TCP first: their failures are told apart, which the client's are not.
async fn reach(config: &UplinkConfig) -> Result<SocketAddr, ProbeError> {
    let unresolved = |source| ProbeError::Unresolved {
        host: config.host.clone(),
        source,
    };
    let addresses = lookup_host((config.host.as_str(), config.port))
        .await
        .map_err(unresolved)?;
    let mut failure = unresolved(io::ErrorKind::NotFound.into());
    for address in addresses {
        let connected = timeout(config.connect_timeout, TcpStream::connect(address)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(_) => return Ok(address),
            Err(source) => failure = ProbeError::Unreachable { address, source },
        }
    }
    Err(failure)
}

async fn leave(events: &mut EventLoop) {
    while let Ok(event) = events.poll().await {
        if event == Event::Outgoing(Outgoing::Disconnect) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    fn config(host: &str, port: u16) -> UplinkConfig {
        UplinkConfig {
            connect_timeout: Duration::from_secs(2),
            ..UplinkConfig::new(Name::try_from("s").unwrap(), host.to_owned(), port)
        }
    }

    fn rig() -> Name {
        Name::try_from("r").unwrap()
    }

    /// A listener that answers the first packet of each connection with these bytes; the packet is what it returns.
    fn answering(bytes: &'static [u8]) -> (u16, thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = thread::spawn(move || {
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut packet = vec![0; 1024];
                // The first connection only sees whether anybody listens.
                match stream.read(&mut packet) {
                    Ok(0) | Err(_) => {}
                    Ok(length) => {
                        packet.truncate(length);
                        let _ = stream.write_all(bytes);
                        return packet;
                    }
                }
            }
        });
        (port, heard)
    }

    #[test]
    fn a_broker_that_says_yes_is_left_without_a_session() {
        let (port, heard) = answering(&[0x20, 0x03, 0x00, 0x00, 0x00]);
        let answer = probe(&config("127.0.0.1", port), &rig()).unwrap();
        assert_eq!(answer.address.port(), port);
        let connect = heard.join().unwrap();
        let name = b"rigel-s-r-check";
        assert!(connect.windows(name.len()).any(|bytes| bytes == name));
        // Fixed header, "MQTT", version 5, then the flags: clean start and nothing else, so no will is left.
        assert_eq!(connect[9], 0b0000_0010, "{connect:?}");
    }

    #[test]
    fn a_refusal_is_told_with_the_brokers_reason() {
        let (port, _heard) = answering(&[0x20, 0x03, 0x00, 0x87, 0x00]);
        let error = probe(&config("127.0.0.1", port), &rig()).unwrap_err();
        assert!(error.to_string().contains("NotAuthorized"), "{error}");
    }

    #[test]
    fn an_empty_port_another_service_and_an_unknown_name_are_told_apart() {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let error = probe(&config("127.0.0.1", port), &rig()).unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable { .. }), "{error}");
        let (port, _heard) = answering(b"SSH-2.0-OpenSSH\r\n");
        let error = probe(&config("127.0.0.1", port), &rig()).unwrap_err();
        assert!(matches!(error, ProbeError::NotABroker { .. }), "{error}");
        let error = probe(&config("no-such-host.invalid", 1883), &rig()).unwrap_err();
        assert!(matches!(error, ProbeError::Unresolved { .. }), "{error}");
    }
}
