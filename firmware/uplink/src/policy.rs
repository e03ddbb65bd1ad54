//! The desk's policy: taken from the broker, kept on disk, handed to whoever makes labels.
//!
//! It is kept because a kind that was withdrawn must stay withdrawn when the rig starts where there is no network.

use label_core::wire::{Policy, WIRE_VERSION};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Name of the file, in the outbox's folder.
const FILE: &str = "policy.json";

/// The policy in force, shared between threads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PolicyHandle(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    current: Mutex<Option<Policy>>,
    /// Counts changes, so that whoever follows asks for no lock.
    changes: AtomicU64,
}

impl PolicyHandle {
    /// Reads the policy kept in this folder. One that cannot be read is set aside and said to be so.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let current = match std::fs::read(&path) {
            Ok(bytes) => parse(&bytes)
                .inspect_err(|error| {
                    tracing::error!(
                        "the kept policy {} cannot be used and is set aside: {error}",
                        path.display()
                    );
                    let _ = std::fs::rename(&path, path.with_extension("unreadable"));
                })
                .ok(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::error!("the kept policy {} cannot be read: {error}", path.display());
                None
            }
        };
        Self(Arc::new(Kept {
            path,
            current: Mutex::new(current),
            changes: AtomicU64::new(1),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Policy>> {
        self.0
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy in force; `None` where the desk never said anything.
    pub fn current(&self) -> Option<Policy> {
        self.lock().clone()
    }

    /// The policy, if it changed since `seen`, which is brought up to date. Takes no lock where it did not.
    pub fn changed(&self, seen: &mut u64) -> Option<Option<Policy>> {
        let changes = self.0.changes.load(Ordering::Acquire);
        if changes == *seen {
            return None;
        }
        *seen = changes;
        Some(self.current())
    }

    /// Takes a message of the policy topic: writes it down, then puts it in force. A policy that cannot be written down
    /// holds all the same, until the next start.
    pub(crate) fn take(&self, payload: &[u8]) {
        let policy = match parse(payload) {
            Ok(policy) => policy,
            Err(error) => {
                tracing::warn!("a policy that cannot be used: {error}; the one before stays");
                return;
            }
        };
        if self.lock().as_ref() == Some(&policy) {
            return;
        }
        if let Err(error) = self.write(payload) {
            tracing::error!(
                "the policy cannot be kept in {}: {error}; it holds until the next start",
                self.0.path.display()
            );
        }
        tracing::info!(revision = policy.revision, "policy of the desk");
        *self.lock() = Some(policy);
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    /// Whole or not at all: synced beside its place, then renamed into it, then the folder synced.
    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let fresh = self.0.path.with_extension("json.new");
        let mut file = std::fs::File::create(&fresh)?;
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.0.path)?;
        self.0
            .path
            .parent()
            .map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
    }
}

fn parse(bytes: &[u8]) -> Result<Policy, String> {
    let policy: Policy = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if policy.v != WIRE_VERSION {
        return Err(format!("version {} is unknown here", policy.v));
    }
    if !policy.is_valid() {
        return Err("a threshold does not lie between 0 and 1".to_owned());
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMOTED: &[u8] = br#"{"v":1,"revision":3,"kinds":[{"kind":"blink","mode":"abstain"}]}"#;

    #[test]
    fn a_policy_is_told_once_and_outlives_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let handle = PolicyHandle::open(folder.path());
        let mut seen = 0;
        assert_eq!(handle.changed(&mut seen), Some(None));
        handle.take(DEMOTED);
        let policy = handle.changed(&mut seen).unwrap().unwrap();
        assert_eq!(policy.revision, 3);
        handle.take(DEMOTED);
        assert_eq!(handle.changed(&mut seen), None, "the same again is no news");
        assert_eq!(PolicyHandle::open(folder.path()).current(), Some(policy));
    }

    #[test]
    fn what_cannot_be_understood_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let handle = PolicyHandle::open(folder.path());
        handle.take(DEMOTED);
        let before = handle.current();
        for bad in [
            &b"{"[..],
            br#"{"v":2,"revision":4,"kinds":[]}"#,
            br#"{"v":1,"revision":4,"kinds":[{"kind":"blink","mode":"offer","threshold":1.5}]}"#,
            br#"{"v":1,"revision":4,"kinds":[{"kind":"wink","mode":"offer"}]}"#,
            b"",
        ] {
            handle.take(bad);
            assert_eq!(handle.current(), before);
        }
        assert_eq!(PolicyHandle::open(folder.path()).current(), before);
    }

    #[test]
    fn a_kept_file_that_was_cut_off_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), &DEMOTED[..20]).unwrap();
        assert_eq!(PolicyHandle::open(folder.path()).current(), None);
        assert!(folder.path().join("policy.unreadable").exists());
    }
}
