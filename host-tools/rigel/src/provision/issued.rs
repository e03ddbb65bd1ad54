//! What a site's authority has signed: `issued.json` beside its certificate.

use crate::place;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The list, the newest last.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Issued {
    certificates: Vec<Certificate>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Certificate {
    /// The common name it was signed for.
    name: String,
    /// Its number, in hexadecimal digits.
    serial: Serial,
    /// Nobody is to take it any more.
    revoked: bool,
}

/// A certificate's number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Serial(Vec<u8>);

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        place::hexadecimal(&serial.0)
    }
}

impl TryFrom<String> for Serial {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.as_bytes().chunks(2);
        let byte = |pair: &[u8]| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        };
        let bytes: Option<Vec<u8>> = digits.map(byte).collect();
        bytes
            .filter(|bytes| !bytes.is_empty())
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no number of a certificate"))
    }
}

impl Issued {
    /// Reads the list of a folder; an authority that has signed nothing has none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = path(folder);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| {
                format!(
                    "{} is damaged: without it no rig can be shut out; put back a copy",
                    path.display()
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes it whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = path(folder);
        let mut text = serde_json::to_string_pretty(self).context("a list of names")?;
        text.push('\n');
        place::write_whole(&path, text.as_bytes(), 0o600)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    pub(crate) fn add(&mut self, name: &str, serial: Vec<u8>) {
        self.certificates.push(Certificate {
            name: name.to_owned(),
            serial: Serial(serial),
            revoked: false,
        });
    }

    /// Withdraws what was signed for a name, all or all but the newest; how many were not withdrawn before.
    pub(crate) fn revoke(&mut self, name: &str, but_newest: bool) -> usize {
        let mut of_name: Vec<&mut Certificate> = self
            .certificates
            .iter_mut()
            .filter(|certificate| certificate.name == name)
            .collect();
        if but_newest {
            of_name.pop();
        }
        let mut count = 0;
        for certificate in of_name {
            count += usize::from(!certificate.revoked);
            certificate.revoked = true;
        }
        count
    }

    /// Whether something was signed for this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.certificates.iter().any(|one| one.name == name)
    }

    /// Whether the newest certificate of this name is withdrawn.
    pub(crate) fn is_shut_out(&self, name: &str) -> bool {
        let newest = self.certificates.iter().rfind(|one| one.name == name);
        newest.is_some_and(|newest| newest.revoked)
    }

    /// The numbers of what is withdrawn.
    pub(crate) fn revoked(&self) -> impl Iterator<Item = &[u8]> {
        let revoked = self.certificates.iter().filter(|one| one.revoked);
        revoked.map(|one| one.serial.0.as_slice())
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("issued.json")
}
