//! Exports that were asked for on the page, one after the other, while the host serves.
//!
//! The files of export 7 are `7.unfinished` while it is written, `7` when it is whole, `7.zip.partial` while that is packed and `7.zip` at the
//! end. Only then does the store say that it is here. A host that went down in between goes on where the writing was broken
//! off, and packs anew. What belongs to no export any more is deleted.

use super::write::{Progress, write};
use crate::verify::sha256;
use anyhow::{Context, Result, bail};
use formats::{Finished, FormatError, Output};
use label_store::{Archive, ExportState, LabelStore, StoredExport, now_us};
use review::{ExportPlace, Selection, Wish, archive_name};
use serde_json::json;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// How long a wish may wait when nothing else is to be done.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After trouble with the store or the folder.
const TRY_AGAIN: Duration = Duration::from_secs(10);
/// How often the page learns how far it came.
const NOTE_EVERY: Duration = Duration::from_millis(500);
/// What exports leave free on the disk, since the labels of the rigs are to be kept on it too.
const LEAST_FREE: u64 = 1 << 30;
/// Letters of what is told of an export.
const TOLD: usize = 2000;

/// The file by which the folder knows whose it is.
const HOST: &str = "host";

/// The folder of this host's exports, made where it is missing.
pub(crate) fn place(data: &Path) -> Result<ExportPlace> {
    let folder = data.join("exports");
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let path = folder.join(HOST);
    let read = || format!("cannot read {}", path.display());
    let host = match fs::read_to_string(&path) {
        Ok(host) => host,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(read),
    };
    // Also after a power cut that left the file empty.
    let mut host = host.trim().to_owned();
    if host.is_empty() {
        host = tempfile::Builder::new()
            .prefix("host-")
            .rand_bytes(16)
            .tempfile_in(&folder)
            .context("cannot name this host")?
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut file = File::create(&path).with_context(read)?;
        file.write_all(host.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExportPlace { folder, host })
}

/// Begins to work, until `stop` turns true. It has a thread of its own, since formats are written and packed without a pause.
pub(crate) fn start(
    store: LabelStore,
    place: ExportPlace,
    stop: watch::Receiver<bool>,
) -> Result<JoinHandle<()>> {
    // The host's own runtime: connections that are given back here are brought home by its threads while this one writes and packs.
    let runtime = tokio::runtime::Handle::current();
    let work = move || runtime.block_on(work(store, place, stop));
    std::thread::Builder::new()
        .name("exports".to_owned())
        .spawn(work)
        .context("cannot start the thread of exports")
}

async fn work(store: LabelStore, place: ExportPlace, stop: watch::Receiver<bool>) {
    let mut forgot: Option<Instant> = None;
    while !*stop.borrow() {
        let wait = match look(&store, &place, &stop, &mut forgot).await {
            Ok(true) => continue,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "cannot work on exports; trying again");
                TRY_AGAIN
            }
        };
        let mut stopped = stop.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }
}

/// Works on the export that is next; `false` where there is none.
async fn look(
    store: &LabelStore,
    place: &ExportPlace,
    stop: &watch::Receiver<bool>,
    forgot: &mut Option<Instant>,
) -> Result<bool> {
    if forgot.is_none_or(|at| at.elapsed() > Duration::from_hours(1)) {
        store.forget_exports(now_us()).await?;
        *forgot = Some(Instant::now());
    }
    sweep(store, place).await?;
    let Some(next) = store.next_export(&place.host).await? else {
        return Ok(false);
    };
    let mut job = Job {
        store,
        folder: &place.folder,
        stop,
        export: next.export,
        noted: None,
        told: Vec::new(),
    };
    let ended = match job.make(&next).await {
        Err(error) if error.is::<BrokenOff>() => return Ok(true),
        Ok(archive) => Ok(archive),
        Err(error) => {
            tracing::warn!(export = next.export, error = %format!("{error:#}"), "an export failed");
            Err(format!("{error:#}").chars().take(TOLD).collect())
        }
    };
    store.end_export(next.export, &ended, now_us()).await?;
    // A new one may have been one too many.
    *forgot = None;
    Ok(true)
}

/// Deletes what belongs to no export that is wanted. Names that are not ours are left alone.
async fn sweep(store: &LabelStore, place: &ExportPlace) -> Result<()> {
    let folder = &place.folder;
    let exports = store.exports(&place.host).await?;
    let states: HashMap<i64, ExportState> =
        exports.iter().map(|one| (one.export, one.state)).collect();
    let unreadable = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let name = entry.with_context(unreadable)?.file_name();
        let Some((name, export)) = name.to_str().and_then(|name| Some((name, number(name)?)))
        else {
            continue;
        };
        let wanted = match states.get(&export) {
            Some(ExportState::Waiting | ExportState::Running) => true,
            Some(ExportState::Here) => name == archive_name(export),
            Some(ExportState::Failed) | None => false,
        };
        if !wanted {
            remove(&folder.join(name))?;
        }
    }
    Ok(())
}

/// The export that a file or folder of this name is of.
fn number(name: &str) -> Option<i64> {
    let digits = name.find(|letter: char| !letter.is_ascii_digit());
    let (export, rest) = name.split_at(digits.unwrap_or(name.len()));
    let ours = ["", ".unfinished", ".zip", ".zip.partial"].contains(&rest);
    ours.then(|| export.parse().ok()).flatten()
}

/// Deletes a file or a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("cannot delete {}", path.display()))
}

/// The host stops, or the export was deleted.
#[derive(Debug)]
struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off")
    }
}

impl std::error::Error for BrokenOff {}

/// An export in the making.
struct Job<'a> {
    store: &'a LabelStore,
    folder: &'a Path,
    stop: &'a watch::Receiver<bool>,
    export: i64,
    noted: Option<Instant>,
    told: Vec<String>,
}

impl Progress for Job<'_> {
    async fn at(&mut self, done: u64, total: u64) -> Result<()> {
        if *self.stop.borrow() {
            bail!(BrokenOff);
        }
        if self.noted.is_some_and(|at| at.elapsed() < NOTE_EVERY) {
            return Ok(());
        }
        if !self.store.note_export(self.export, done, total).await? {
            bail!(BrokenOff);
        }
        self.leave_room()?;
        self.noted = Some(Instant::now());
        Ok(())
    }

    fn tell(&mut self, line: &str) {
        tracing::info!(export = self.export, "{line}");
        self.told.push(line.chars().take(TOLD).collect());
    }
}

impl Job<'_> {
    async fn make(&mut self, stored: &StoredExport) -> Result<Archive> {
        let wish: Wish = serde_json::from_value(stored.wish.clone())
            .context("this version does not understand what was asked for")?;
        let selection = wish.selection().map_err(anyhow::Error::msg)?;
        let place = self.folder.join(self.export.to_string());
        // Whole and not packed: what it holds was told to nobody.
        remove(&place)?;
        let finished = self.write(&selection, &place).await?;
        let packed = self.folder.join(archive_name(self.export));
        self.pack(&place, &packed)?;
        let archive = Archive {
            bytes: packed
                .metadata()
                .with_context(|| format!("cannot read {}", packed.display()))?
                .len(),
            sha256: sha256(&packed).with_context(|| format!("cannot read {}", packed.display()))?,
            summary: self.summary(&finished),
        };
        remove(&place)?;
        Ok(archive)
    }

    async fn write(&mut self, selection: &Selection, place: &Path) -> Result<Finished> {
        let store = self.store;
        let written = match write(selection, store, (place, None), self).await {
            // An earlier version of this host began it; the folder is ours alone.
            Err(error)
                if matches!(
                    error.downcast_ref::<FormatError>(),
                    Some(FormatError::OtherSelection(_))
                ) =>
            {
                remove(&Output::waiting(place))?;
                write(selection, store, (place, None), self).await
            }
            written => written,
        };
        if let Err(error) = &written
            && !error.is::<BrokenOff>()
        {
            remove(&Output::waiting(place))?;
        }
        written
    }

    fn leave_room(&self) -> Result<()> {
        let disk = nix::sys::statvfs::statvfs(self.folder).with_context(|| {
            format!(
                "cannot ask how full the disk of {} is",
                self.folder.display()
            )
        })?;
        let free = disk.blocks_available() * disk.fragment_size();
        if free < LEAST_FREE {
            bail!(
                "less than {} MiB are free on the disk of {}: delete exports, or make room there",
                LEAST_FREE >> 20,
                self.folder.display()
            );
        }
        Ok(())
    }

    fn summary(&self, finished: &Finished) -> serde_json::Value {
        let lost: serde_json::Map<_, _> = finished
            .loss
            .counts()
            .map(|(what, times)| (what.to_owned(), times.into()))
            .collect();
        json!({"clips": finished.clips, "labels": finished.labels, "lost": lost, "told": self.told})
    }

    /// Packs the folder into one file: the same bytes for the same folder.
    fn pack(&self, folder: &Path, place: &Path) -> Result<()> {
        let partial = place.with_extension("zip.partial");
        let whole = || format!("cannot write {}", partial.display());
        let mut archive = ZipWriter::new(File::create(&partial).with_context(whole)?);
        let (mut piece, mut since) = (vec![0; 1 << 18], 0);
        for path in files(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy();
            let mut file =
                File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let length = file.metadata().map_or(u64::MAX, |told| told.len());
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .large_file(length > u64::from(u32::MAX) / 2);
            archive.start_file(name, options).with_context(whole)?;
            loop {
                let read = file
                    .read(&mut piece)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                if read == 0 {
                    break;
                }
                archive.write_all(&piece[..read]).with_context(whole)?;
                since += read;
                if since > 64 << 20 {
                    since = 0;
                    self.leave_room()?;
                }
                if *self.stop.borrow() {
                    bail!(BrokenOff);
                }
            }
        }
        let file = archive.finish().with_context(whole)?;
        file.sync_all().with_context(whole)?;
        fs::rename(&partial, place)
            .with_context(|| format!("cannot put {} in place", place.display()))?;
        File::open(self.folder)
            .and_then(|folder| folder.sync_all())
            .with_context(|| format!("cannot sync {}", self.folder.display()))
    }
}

/// The files of a folder and the folders in it, in the order of their paths.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        let unreadable = || format!("cannot read {}", inside.display());
        for entry in fs::read_dir(&inside).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            if entry.file_type().with_context(unreadable)?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_exports_give_are_taken_for_theirs() {
        for name in ["7", "7.unfinished", "7.zip", "7.zip.partial"] {
            assert_eq!(number(name), Some(7), "{name}");
        }
        for name in ["", "notes", "7.txt", "7a", "a7.zip", ".zip", "7.zip.old"] {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
