//! The last whole check's result, kept beside the outbox.

use super::Verdict;
use super::report::Report;
use anyhow::{Context, Result};
use board::Board;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// File in the outbox's folder.
const FILE: &str = "check.json";

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    at: String,
    firmware: String,
    board_sha256: String,
    failed: Vec<String>,
    skipped: Vec<String>,
}

/// What the last check of this rig says, for the birth message and the panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelfTest {
    /// Nothing failed.
    Passed(String),
    /// Something did.
    Failed(String),
    /// None was made with this firmware and this board file.
    NotRun(String),
}

impl SelfTest {
    /// In words, the verdict first: `passed 2026-11-22`, `failed 2026-11-22: camera`, `not run on this rig`.
    pub fn text(&self) -> &str {
        match self {
            Self::Passed(text) | Self::Failed(text) | Self::NotRun(text) => text,
        }
    }
}

/// Keeps a result for [`last`], where the rig has an outbox already and this user may write there. Where not, that is said: a
/// check is worth making all the same.
pub(super) fn keep(report: &Report, board: &Board) {
    let folder = &board.outbox.dir;
    if !folder.is_dir() {
        tracing::info!(
            "this result is not kept for the birth message and the panel: the rig's first start makes {}",
            folder.display()
        );
    } else if let Err(error) = write(report, board) {
        tracing::warn!("this result is not kept for the birth message and the panel: {error:#}");
    }
}

fn write(report: &Report, board: &Board) -> Result<()> {
    let names = |verdict| {
        report
            .with(verdict)
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let kept = Kept {
        at: report.at.clone(),
        firmware: report.firmware.to_owned(),
        board_sha256: perception::sha256(board.text.as_bytes()),
        failed: names(Verdict::Failed),
        skipped: names(Verdict::Skipped),
    };
    let path = board.outbox.dir.join(FILE);
    let partial = path.with_extension("json.partial");
    let text =
        serde_json::to_string_pretty(&kept).context("numbers and names always become JSON")?;
    std::fs::write(&partial, text + "\n")
        .and_then(|()| std::fs::rename(&partial, &path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What the last check of this rig said. Reads one small file: cheap enough for a start.
pub fn last(board: &Board) -> SelfTest {
    last_in(
        &board.outbox.dir,
        env!("CARGO_PKG_VERSION"),
        &perception::sha256(board.text.as_bytes()),
    )
}

fn last_in(folder: &Path, firmware: &str, board_sha256: &str) -> SelfTest {
    let text = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    let Ok(kept) = serde_json::from_str::<Kept>(&text) else {
        return SelfTest::NotRun("not run on this rig".to_owned());
    };
    let day = kept.at.get(..10).unwrap_or(&kept.at);
    let result = if kept.failed.is_empty() {
        "passed"
    } else {
        "failed"
    };
    let since = if kept.firmware != firmware {
        Some(format!("the update to {firmware}"))
    } else if kept.board_sha256 != board_sha256 {
        Some("the board file was changed".to_owned())
    } else {
        None
    };
    if let Some(since) = since {
        return SelfTest::NotRun(format!("not run since {since}; before it {result} {day}"));
    }
    if !kept.failed.is_empty() {
        return SelfTest::Failed(format!("failed {day}: {}", kept.failed.join(", ")));
    }
    SelfTest::Passed(if kept.skipped.is_empty() {
        format!("passed {day}")
    } else {
        format!("passed {day}, without {}", kept.skipped.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failed: &[&str], skipped: &[&str], firmware: &str, board: &str) -> SelfTest {
        let folder = tempfile::tempdir().unwrap();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let kept = Kept {
            at: "2026-11-22T06:40:00Z".to_owned(),
            firmware: "0.1.0".to_owned(),
            board_sha256: "b".to_owned(),
            failed: names(failed),
            skipped: names(skipped),
        };
        let text = serde_json::to_string(&kept).unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        last_in(folder.path(), firmware, board)
    }

    #[test]
    fn a_result_counts_until_firmware_or_board_file_change() {
        assert_eq!(told(&[], &[], "0.1.0", "b").text(), "passed 2026-11-22");
        assert_eq!(
            told(&[], &["camera"], "0.1.0", "b").text(),
            "passed 2026-11-22, without camera"
        );
        assert_eq!(
            told(&["disk"], &[], "0.1.0", "b").text(),
            "failed 2026-11-22: disk"
        );
        assert_eq!(
            told(&[], &[], "0.2.0", "b"),
            SelfTest::NotRun(
                "not run since the update to 0.2.0; before it passed 2026-11-22".to_owned()
            )
        );
        assert_eq!(
            told(&["disk"], &[], "0.1.0", "c").text(),
            "not run since the board file was changed; before it failed 2026-11-22"
        );
    }

    #[test]
    fn a_rig_that_was_never_checked_and_a_torn_file_are_not_run() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            last_in(folder.path(), "0.1.0", "b").text(),
            "not run on this rig"
        );
        std::fs::write(folder.path().join(FILE), "{\"at\": \"20").unwrap();
        assert_eq!(
            last_in(folder.path(), "0.1.0", "b").text(),
            "not run on this rig"
        );
    }
}
