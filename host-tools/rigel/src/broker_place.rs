//! Which broker to use, and how the connection to it is protected.

use clap::Args;
use ingest::Tls;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct BrokerPlace {
    /// An MQTT 5 broker of yours
    #[arg(id = "broker", long = "broker", value_name = "HOST:PORT", value_parser = parse_broker)]
    pub(crate) address: Option<BrokerAddress>,
    /// Certificate (PEM) of the authority that signed the broker's: protects the connection, with --tls-cert and --tls-key
    #[arg(long, value_name = "FILE", requires_all = ["tls_cert", "tls_key", "broker"])]
    tls_ca: Option<PathBuf>,
    /// This host's certificate (PEM), which the broker must trust
    #[arg(long, value_name = "FILE", requires = "tls_ca")]
    tls_cert: Option<PathBuf>,
    /// The key (PEM) of this host's certificate
    #[arg(long, value_name = "FILE", requires = "tls_ca")]
    tls_key: Option<PathBuf>,
}

impl BrokerPlace {
    pub(crate) fn tls(&self) -> Option<Tls> {
        Some(Tls {
            ca: self.tls_ca.clone()?,
            cert: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

fn parse_broker(text: &str) -> Result<BrokerAddress, String> {
    let wanted = "give it as HOST:PORT, for example mqtt.lan:1883";
    let (host, port) = text.rsplit_once(':').ok_or(wanted)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().map_err(|_| wanted)?;
    if host.is_empty() || port == 0 {
        return Err(wanted.to_owned());
    }
    Ok(BrokerAddress {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_given_by_host_and_port() {
        let address = |host: &str, port| BrokerAddress {
            host: host.to_owned(),
            port,
        };
        assert_eq!(parse_broker("mqtt.lan:1883"), Ok(address("mqtt.lan", 1883)));
        assert_eq!(parse_broker("[::1]:1883"), Ok(address("::1", 1883)));
        for bad in ["mqtt.lan", ":1883", "mqtt.lan:", "mqtt.lan:0", "a:99999"] {
            assert!(parse_broker(bad).is_err(), "{bad}");
        }
    }
}
