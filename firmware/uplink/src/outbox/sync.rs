//! Group commit: from "written" to "durable".

use super::segment::{self, Lane};
use super::{Outbox, SegmentKey};
use crate::UplinkError;
use label_core::Seq;
use std::fs::File;
use std::path::PathBuf;

/// Files to be synced and folders to be synced after them; can be carried out without holding the outbox.
#[derive(Debug)]
pub(crate) struct SyncWork {
    upto: Seq,
    files: Vec<FileWork>,
    folders: Vec<(Lane, PathBuf)>,
}

#[derive(Debug)]
struct FileWork {
    lane: Lane,
    key: SegmentKey,
    file: File,
    path: PathBuf,
    seal: bool,
}

impl SyncWork {
    /// Files, then renames, then folders.
    pub(crate) fn run(&self) -> Result<(), UplinkError> {
        for work in &self.files {
            work.file
                .sync_data()
                .map_err(UplinkError::io("sync", &work.path))?;
            if work.seal {
                match std::fs::rename(&work.path, work.path.with_extension("seg")) {
                    // Given up or acknowledged in the meantime.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    outcome => outcome.map_err(UplinkError::io("seal", &work.path))?,
                }
            }
        }
        for (_, folder) in &self.folders {
            segment::sync_folder(folder)?;
        }
        Ok(())
    }
}

impl Outbox {
    /// Makes every message appended so far durable.
    pub fn sync(&mut self) -> Result<(), UplinkError> {
        let Some(work) = self.begin_sync()? else {
            return Ok(());
        };
        let outcome = work.run();
        self.finish_sync(&work, outcome)
    }

    /// What has to be done to make everything appended so far durable; `None` if it is already.
    pub(crate) fn begin_sync(&mut self) -> Result<Option<SyncWork>, UplinkError> {
        if !self.needs_sync() && !self.folders_changed.contains(&true) {
            return Ok(None);
        }
        let mut work = SyncWork {
            upto: self.last,
            files: Vec::new(),
            folders: Vec::new(),
        };
        for lane in Lane::ALL {
            let mut renames = false;
            for (key, segment) in &self.lanes[lane as usize] {
                if let Some(file) = &segment.file {
                    renames |= segment.full;
                    work.files.push(FileWork {
                        lane,
                        key: *key,
                        file: file
                            .try_clone()
                            .map_err(UplinkError::io("sync", &segment.path))?,
                        path: segment.path.clone(),
                        seal: segment.full,
                    });
                }
            }
            if std::mem::take(&mut self.folders_changed[lane as usize]) || renames {
                work.folders.push((lane, self.dir.join(lane.folder())));
            }
        }
        Ok(Some(work))
    }

    /// Takes note of what [`SyncWork::run`] did.
    pub(crate) fn finish_sync(
        &mut self,
        work: &SyncWork,
        outcome: Result<(), UplinkError>,
    ) -> Result<(), UplinkError> {
        for done in work.files.iter().filter(|done| done.seal) {
            let sealed = done.path.with_extension("seg");
            if let Some(segment) = self.lanes[done.lane as usize].get_mut(&done.key)
                && (outcome.is_ok() || sealed.exists())
            {
                segment.path = sealed;
                segment.file = None;
            }
        }
        if let Err(error) = outcome {
            self.counters.disk_errors += 1;
            for (lane, _) in &work.folders {
                self.folders_changed[*lane as usize] = true;
            }
            self.rewrite_unsynced(work);
            return Err(error);
        }
        self.durable = self.durable.max(work.upto);
        Ok(())
    }

    /// After a failed sync Linux may call the pages clean although they never reached the disk, and the next sync would
    /// succeed without writing them. Reading them back and writing them again makes them dirty once more.
    fn rewrite_unsynced(&mut self, work: &SyncWork) {
        use std::os::unix::fs::FileExt;
        for lane in Lane::ALL {
            for segment in self.lanes[lane as usize].values() {
                let (Some(file), Some(first)) = (
                    &segment.file,
                    segment
                        .entries
                        .iter()
                        .find(|entry| entry.seq > self.durable && entry.seq <= work.upto),
                ) else {
                    continue;
                };
                let mut bytes = vec![0; (segment.bytes - u64::from(first.offset)) as usize];
                let offset = u64::from(first.offset);
                if file.read_exact_at(&mut bytes, offset).is_ok() {
                    // A failure shows again at the next sync.
                    let _ = file.write_all_at(&bytes, offset);
                }
            }
        }
    }
}
