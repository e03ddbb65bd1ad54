//! The recording's folder, where the board records: whether it can be written, and whether there is room for it beside the outbox.

use super::disk::{Scratch, advice, size_mib};
use super::{Finding, Verdict};
use crate::record::RESERVE;
use board::{Board, Recording};
use nix::sys::statvfs::statvfs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Adds it to what was found of the outbox's disk. That comes first: labels are worth more than what is recorded.
pub(super) fn add(outbox: Finding, board: &Board) -> Finding {
    let Some(recording) = board
        .recording
        .as_ref()
        .filter(|_| outbox.verdict == Verdict::Passed)
    else {
        return outbox;
    };
    let beside = Needs {
        folder: &board.outbox.dir,
        max_mib: board.outbox.max_mib,
    };
    let mut found = check(recording, &beside);
    found.said = format!("{}; recording: {}", outbox.said, found.said);
    let mut facts = outbox.facts;
    facts.append(&mut found.facts);
    Finding { facts, ..found }
}

/// What else may grow, and where.
struct Needs<'a> {
    folder: &'a Path,
    max_mib: u64,
}

fn existing(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.is_dir())
}

fn check(recording: &Recording, beside: &Needs<'_>) -> Finding {
    let Some(folder) = existing(&recording.dir) else {
        return Finding::failed(
            format!(
                "{}: neither it nor any folder above it is there",
                recording.dir.display()
            ),
            "correct recording.dir in the board file",
        );
    };
    let shown = folder.display();
    if let Err(error) = Scratch::create(folder) {
        return Finding::failed(
            format!("{shown}: cannot be written: {error}"),
            advice(&error),
        );
    }
    let free = match statvfs(folder) {
        Ok(found) => (found.blocks_available() * found.fragment_size()) >> 20,
        Err(error) => {
            return Finding::failed(
                format!("{shown}: its file system does not answer: {error}"),
                "check the card or disk: dmesg | tail",
            );
        }
    };
    let held = size_mib(&recording.dir);
    let disk = |folder: &Path| std::fs::metadata(folder).ok().map(|found| found.dev());
    let outbox = existing(beside.folder);
    let is_shared = outbox.is_some_and(|outbox| disk(outbox) == disk(folder));
    let mut needed = recording.max_mib + (RESERVE >> 20);
    if is_shared {
        // What it has grown to takes no more of what is free.
        needed += beside.max_mib.saturating_sub(size_mib(beside.folder));
    }
    let said = format!("{shown}: {free} MiB free");
    let finding = if free + held < needed {
        let with = if is_shared {
            ", and the outbox beside it"
        } else {
            ""
        };
        Finding::failed(
            format!(
                "{said}; it may grow to {} MiB{with}, has {held}, and leaves {} free",
                recording.max_mib,
                RESERVE >> 20
            ),
            "make room on that file system, or lower recording.max-mib in the board file",
        )
    } else {
        Finding::passed(said)
    };
    finding
        .with("recording_folder", shown.to_string())
        .with("recording_free_mib", free)
        .with("recording_mib", held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use board::RecordingEncoder;

    fn recording(dir: &Path, max_mib: u64) -> Recording {
        Recording {
            dir: dir.to_owned(),
            encoder: RecordingEncoder::Camera,
            segment_s: 10,
            max_mib,
            keep_hours: 72,
        }
    }

    fn found(dir: &Path, max_mib: u64) -> Finding {
        let beside = Needs {
            folder: dir,
            max_mib: 1,
        };
        check(&recording(dir, max_mib), &beside)
    }

    #[test]
    fn a_folder_with_room_passes_though_it_is_not_made_yet_and_nothing_stays_behind() {
        let above = tempfile::tempdir().unwrap();
        let finding = found(&above.path().join("a/b"), 1);
        assert_eq!(finding.verdict, Verdict::Passed, "{}", finding.said);
        assert_eq!(std::fs::read_dir(above.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_recording_larger_than_its_disk_is_told_with_what_to_lower() {
        let above = tempfile::tempdir().unwrap();
        let finding = found(above.path(), 1 << 40);
        assert_eq!(finding.verdict, Verdict::Failed);
        assert!(
            finding.said.contains("and the outbox beside it"),
            "{}",
            finding.said
        );
        assert!(finding.to_do.unwrap().contains("recording.max-mib"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        // Not even root may make files there.
        let finding = found(Path::new("/proc"), 1);
        assert_eq!(finding.verdict, Verdict::Failed);
        assert!(
            finding.said.contains("cannot be written"),
            "{}",
            finding.said
        );
    }
}
