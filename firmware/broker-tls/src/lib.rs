//! How a connection to the MQTT broker is protected: TLS with a certificate on both sides.
//!
//! Rigs and the host name three files, [`Tls`]; this crate reads them anew for every attempt to connect, since they may
//! be put right while a rig runs, and says in words that name the file what is wrong with them, or with the broker's
//! certificate. It opens no connection and trusts no authority but the one that is named.

use rumqttc::Transport;
use rumqttc::v5::{ConnectionError, StateError};
use rustls::client::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, RootCertStore};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that protect a connection, all PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificate of the authority that signed the broker's.
    pub ca: PathBuf,
    /// Our certificate, signed by an authority that the broker trusts.
    pub cert: PathBuf,
    /// Our private key.
    pub key: PathBuf,
}

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// It is not there, or may not be read.
    #[error("cannot read the {what} {path}")]
    Read {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is there, but holds something else.
    #[error("{path} holds no {what} in PEM")]
    NotPem {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// It is in PEM, but not usable.
    #[error("{path} holds a {what} that cannot be used")]
    Unusable {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// They do not belong together.
    #[error("the key {key} is not that of the certificate {cert}")]
    KeyOfAnother {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

const CA: &str = "certificate of the broker's authority";
const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

impl Tls {
    /// Reads the files: what a connection needs of them.
    pub fn transport(&self) -> Result<Transport, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca, CA)? {
            roots
                .add(certificate)
                .map_err(|source| unusable(&self.ca, CA, source))?;
        }
        let chain = certificates(&self.cert, CERTIFICATE)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| not_read(&self.key, KEY, error))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_root_certificates(roots)
                    .with_client_auth_cert(chain, key)
            })
            .map_err(|source| match source {
                rustls::Error::InconsistentKeys(_) => TlsError::KeyOfAnother {
                    cert: self.cert.clone(),
                    key: self.key.clone(),
                },
                rustls::Error::InvalidCertificate(_) => unusable(&self.cert, CERTIFICATE, source),
                _ => unusable(&self.key, KEY, source),
            })?;
        Ok(Transport::tls_with_config(
            rumqttc::TlsConfiguration::Rustls(Arc::new(config)),
        ))
    }

    /// What it means that a connection to `host` failed with this error; `None` where TLS has no part in it.
    pub fn explain(&self, host: &str, error: &(dyn Error + 'static)) -> Option<String> {
        let Some(cause) = tls_error(error) else {
            let begun = matches!(error.downcast_ref(), Some(ConnectionError::Tls(_)));
            return begun.then(|| {
                format!(
                    "{host} broke off when TLS was begun: does it speak TLS at this port? ({error})"
                )
            });
        };
        let (ca, cert) = (self.ca.display(), self.cert.display());
        let meaning = match cause {
            rustls::Error::InvalidCertificate(trouble) => match trouble {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    format!("the broker's certificate is not signed by the authority of {ca}")
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => {
                    format!("the broker's certificate is not for the name {host}")
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "the broker's certificate has expired, or this machine's clock is wrong"
                        .to_owned()
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "the broker's certificate is not valid yet, or this machine's clock is wrong"
                        .to_owned()
                }
                _ => "the broker's certificate cannot be trusted".to_owned(),
            },
            rustls::Error::AlertReceived(AlertDescription::CertificateExpired) => {
                format!("the broker says that {cert} has expired")
            }
            rustls::Error::AlertReceived(AlertDescription::CertificateRevoked) => {
                format!(
                    "the broker says that {cert} was withdrawn: provision the rig with --new-key"
                )
            }
            rustls::Error::AlertReceived(AlertDescription::UnknownCA) => {
                format!("the broker does not know the authority that signed {cert}")
            }
            rustls::Error::AlertReceived(_) => format!("the broker does not take {cert}"),
            rustls::Error::InvalidMessage(_) => {
                "what answers there does not speak TLS: is it the right port?".to_owned()
            }
            _ => "no protected connection".to_owned(),
        };
        Some(format!("{meaning} ({cause})"))
    }
}

/// The error of TLS itself within an error of the client's.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // What an input or output error wraps is not its source; and the client forgets to name one of its own.
        next = if let Some(error) = error.downcast_ref::<io::Error>() {
            error
                .get_ref()
                .map(|wrapped| wrapped as &(dyn Error + 'static))
        } else if let Some(StateError::Deserialization(cause)) = error.downcast_ref::<StateError>()
        {
            Some(cause)
        } else {
            error.source()
        };
    }
    None
}

fn unusable(path: &Path, what: &'static str, source: rustls::Error) -> TlsError {
    TlsError::Unusable {
        what,
        path: path.to_owned(),
        source,
    }
}

fn not_read(path: &Path, what: &'static str, error: pem::Error) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) => TlsError::Read { what, path, source },
        _ => TlsError::NotPem { what, path },
    }
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| not_read(path, what, error))?;
    if found.is_empty() {
        return Err(TlsError::NotPem {
            what,
            path: path.to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
