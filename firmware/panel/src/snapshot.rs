//! The state as a file, for `rigeld panel` and whoever else looks.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::PanelState;
use crate::retry::{News, Retry};

/// An unchanged state is written again after so long, so that an old file means a program that has ended.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Writes the state when it changes. Removes the file in the end.
pub(crate) struct Snapshot {
    path: PathBuf,
    written: Option<(PanelState, Duration)>,
    retry: Retry,
}

impl Snapshot {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            written: None,
            retry: Retry::new(),
        }
    }

    /// Writes the state if it is news. What fails is logged, once, and tried again later.
    pub(crate) fn update(&mut self, state: &PanelState, now: Duration) {
        let stands = self
            .written
            .as_ref()
            .is_some_and(|(old, at)| old == state && now < *at + KEEP_ALIVE);
        if stands || !self.retry.is_due(now) {
            return;
        }
        match self.write(state) {
            Ok(()) => {
                self.written = Some((state.clone(), now));
                self.retry.worked();
            }
            Err(error) => {
                if self.retry.failed(now) == News::First {
                    tracing::warn!(
                        "cannot write {}: {error}; the rig runs on, and `rigeld panel` shows nothing",
                        self.path.display()
                    );
                }
            }
        }
    }

    /// A reader sees the old state or the new one, never a half. The file is not synced: it tells of now, and lies in
    /// memory.
    fn write(&self, state: &PanelState) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(state)?;
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh)?;
        file.write_all(&text)?;
        file.write_all(b"\n")?;
        drop(file);
        std::fs::rename(&fresh, &self.path)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!("{} stays: {error}", self.path.display());
        }
    }
}
