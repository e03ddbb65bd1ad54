//! SHA-256 of files: models and runtime are told apart by it, never by name.

use crate::ModelError;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// SHA-256 of a file in lower-case hexadecimal.
pub fn file_sha256(path: &Path) -> Result<String, ModelError> {
    let failed = |source: io::Error| ModelError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk).map_err(failed)? {
            0 => break,
            n => hasher.update(&chunk[..n]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// SHA-256 of bytes in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            write!(out, "{byte:02x}").expect("writing to a string cannot fail");
            out
        })
}
