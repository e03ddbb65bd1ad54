//! Has the outbox room, and is it written fast enough?

use super::Finding;
use board::Outbox;
use nix::sys::statvfs::statvfs;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes written for the measurement of speed: little for the card's life, enough to fill a small cache.
const BYTES: usize = 8 << 20;

/// Syncs of a small write, as the outbox does five times a second at most.
const SYNCS: usize = 20;

/// Less is not enough for labels and evidence, which need about 0.1 MB/s, beside everything else on the card.
const MIN_MB_S: f64 = 1.0;

/// The outbox syncs every 200 ms; a card whose usual sync takes longer falls behind.
const MAX_USUAL_SYNC: Duration = Duration::from_millis(200);

/// A file that is removed again, whatever happens.
pub(super) struct Scratch {
    path: PathBuf,
    file: File,
}

impl Scratch {
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!("check-{}.partial", std::process::id()));
        let file = File::create(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

struct Speed {
    mb_s: f64,
    usual_sync: Duration,
    worst_sync: Duration,
}

/// Measures in the outbox's folder, or, before the first start has made it, in the folder that it will be made in.
pub(super) fn check(outbox: &Outbox) -> Finding {
    let Some(folder) = outbox.dir.ancestors().find(|folder| folder.is_dir()) else {
        return Finding::failed(
            format!(
                "{}: neither it nor any folder above it is there",
                outbox.dir.display()
            ),
            "correct outbox.dir in the board file",
        );
    };
    let shown = folder.display();
    let free = match statvfs(folder) {
        Ok(found) => (found.blocks_available() * found.fragment_size()) >> 20,
        Err(error) => {
            return Finding::failed(
                format!("{shown}: its file system does not answer: {error}"),
                "check the card or disk: dmesg | tail",
            );
        }
    };
    let speed = match measure(folder) {
        Ok(speed) => speed,
        Err(error) => {
            return Finding::failed(
                format!("{shown}: cannot be written: {error}"),
                advice(&error),
            )
            .with("free_mib", free);
        }
    };
    let held = size_mib(&outbox.dir);
    judge(outbox, &shown.to_string(), free, held, &speed)
        .with("folder", shown.to_string())
        .with("free_mib", free)
        .with("outbox_mib", held)
        .with("mb_s", (speed.mb_s * 10.0).round() / 10.0)
        .with("usual_sync_ms", speed.usual_sync.as_millis() as u64)
        .with("worst_sync_ms", speed.worst_sync.as_millis() as u64)
}

fn judge(outbox: &Outbox, folder: &str, free: u64, held: u64, speed: &Speed) -> Finding {
    let (usual, worst) = (speed.usual_sync.as_millis(), speed.worst_sync.as_millis());
    let found = format!(
        "{folder}: {free} MiB free, {:.1} MB/s, sync usually {usual} ms, at worst {worst} ms",
        speed.mb_s
    );
    if free + held < outbox.max_mib {
        return Finding::failed(
            format!(
                "{found}; the outbox may grow to {} MiB and has {held}",
                outbox.max_mib
            ),
            "make room on that file system, or lower outbox.max-mib in the board file",
        );
    }
    if speed.mb_s < MIN_MB_S || speed.usual_sync > MAX_USUAL_SYNC {
        return Finding::failed(
            format!(
                "{found}: too slow (at least {MIN_MB_S} MB/s and a sync within {} ms are needed)",
                MAX_USUAL_SYNC.as_millis()
            ),
            "use a faster card (class A1 or better) or an SSD; a card that was fast and is slow now is worn out",
        );
    }
    Finding::passed(found)
}

fn measure(folder: &Path) -> io::Result<Speed> {
    let mut scratch = Scratch::create(folder)?;
    // Not zeros: some file systems and cards store those for nothing.
    let block: Vec<u8> = (0..1 << 16)
        .map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let start = Instant::now();
    for _ in 0..BYTES / block.len() {
        scratch.file.write_all(&block)?;
    }
    scratch.file.sync_all()?;
    let mb_s = BYTES as f64 / 1e6 / start.elapsed().as_secs_f64().max(1e-6);
    let mut syncs = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let start = Instant::now();
        scratch.file.write_all(&block[..4096])?;
        scratch.file.sync_data()?;
        syncs.push(start.elapsed());
    }
    syncs.sort_unstable();
    Ok(Speed {
        mb_s,
        usual_sync: syncs[SYNCS / 2],
        worst_sync: syncs[SYNCS - 1],
    })
}

pub(super) fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the file system is full: make room (journalctl --vacuum-size=50M; sudo apt-get clean)"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "mounted read-only: after errors of a card the kernel does that (dmesg | tail), and then the card wants replacing"
        }
        io::ErrorKind::PermissionDenied => {
            "check as the user that the rig runs as: sudo -u rigel rigeld check …; else sudo chown -R rigel: the folder"
        }
        _ => "check the card or disk: dmesg | tail",
    }
}

/// What the outbox holds now; 0 where it is not there yet.
pub(super) fn size_mib(folder: &Path) -> u64 {
    fn bytes(folder: &Path) -> u64 {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => bytes(&entry.path()),
                Ok(metadata) => metadata.len(),
                Err(_) => 0,
            })
            .sum()
    }
    bytes(folder) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Speed = Speed {
        mb_s: 20.0,
        usual_sync: Duration::from_millis(8),
        worst_sync: Duration::from_millis(90),
    };

    fn outbox(dir: &Path, max_mib: u64) -> Outbox {
        Outbox {
            dir: dir.to_owned(),
            max_mib,
        }
    }

    #[test]
    fn what_the_outbox_holds_already_counts_as_its_room() {
        let outbox = outbox(Path::new("/o"), 512);
        assert_eq!(
            judge(&outbox, "/o", 100, 420, &FAST).verdict,
            super::super::Verdict::Passed
        );
        let tight = judge(&outbox, "/o", 100, 300, &FAST);
        assert!(
            tight.said.contains("may grow to 512 MiB and has 300"),
            "{}",
            tight.said
        );
    }

    #[test]
    fn a_worn_card_is_told_by_its_syncs() {
        let slow = Speed {
            usual_sync: Duration::from_millis(450),
            ..FAST
        };
        let finding = judge(&outbox(Path::new("/o"), 8), "/o", 1000, 0, &slow);
        assert!(
            finding.said.contains("too slow")
                && finding.to_do.is_some_and(|to_do| to_do.contains("worn"))
        );
    }

    #[test]
    fn a_folder_that_is_not_made_yet_is_measured_above_and_nothing_stays_behind() {
        let above = tempfile::tempdir().unwrap();
        let finding = check(&outbox(&above.path().join("a/b"), 8));
        assert_eq!(finding.facts["folder"], above.path().display().to_string());
        assert_eq!(std::fs::read_dir(above.path()).unwrap().count(), 0);
    }
}
