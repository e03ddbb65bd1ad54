//! The result of a check: a table for people, JSON for scripts, a line for the birth message.

use super::{Finding, Item, Verdict};
use board::Board;
use serde::Serialize;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Columns that lines are broken at.
const WIDTH: usize = 110;

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// The rig; absent where the board file could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rig: Option<String>,
    /// The board file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) board: Option<String>,
    /// Version of this program.
    pub(super) firmware: &'static str,
    /// Processor.
    pub(super) hardware: &'static str,
    /// When, in UTC.
    pub(super) at: String,
    /// Whether nothing failed.
    pub(super) passed: bool,
    /// In a line.
    pub(super) summary: String,
    /// In their order.
    pub(super) items: Vec<Row>,
}

/// An item of a report.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) item: Item,
    #[serde(flatten)]
    pub(super) finding: Finding,
    pub(super) seconds: f64,
}

impl Report {
    pub(super) fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            rig: None,
            board: None,
            firmware: env!("CARGO_PKG_VERSION"),
            hardware: std::env::consts::ARCH,
            at: utc_text(now.as_secs() as i64),
            passed: true,
            summary: String::new(),
            items: Vec::new(),
        }
    }

    pub(super) fn of_board(&mut self, board: &Board) {
        self.rig = Some(board.rig.to_string());
        self.board = Some(board.name.to_string());
    }

    pub(super) fn add(&mut self, item: Item, finding: Finding, took: Duration) {
        self.passed &= finding.verdict != Verdict::Failed;
        self.items.push(Row {
            item,
            finding,
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
        });
        self.summary = self.in_a_line();
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.passed
    }

    /// The items with this verdict, by name.
    pub(super) fn with(&self, verdict: Verdict) -> Vec<&'static str> {
        let rows = self
            .items
            .iter()
            .filter(|row| row.finding.verdict == verdict);
        rows.map(|row| row.item.name()).collect()
    }

    fn in_a_line(&self) -> String {
        let failed = self.with(Verdict::Failed);
        let mut line = if failed.is_empty() {
            format!(
                "passed: {} of {}",
                self.with(Verdict::Passed).len(),
                self.items.len()
            )
        } else {
            format!("failed: {}", failed.join(", "))
        };
        for (verdict, word) in [
            (Verdict::NotPresent, "not present"),
            (Verdict::Skipped, "not looked at"),
        ] {
            let items = self.with(verdict);
            if !items.is_empty() {
                line = format!("{line}; {word}: {}", items.join(", "));
            }
        }
        line
    }

    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)?;
        out.flush()
    }

    pub(super) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        if let (Some(rig), Some(board)) = (&self.rig, &self.board) {
            write!(out, "rig {rig}, board {board}, ")?;
        }
        writeln!(
            out,
            "rigeld {} on {}, {}\n",
            self.firmware, self.hardware, self.at
        )?;
        for row in &self.items {
            let word = match row.finding.verdict {
                Verdict::Passed => "passed",
                Verdict::Failed => "FAILED",
                Verdict::NotPresent => "not present",
                Verdict::Skipped => "skipped",
            };
            let head = format!("  {:<12} {word:<12} ", row.item.name());
            write_broken(out, &head, &row.finding.said)?;
            if let Some(to_do) = &row.finding.to_do {
                write_broken(
                    out,
                    &" ".repeat(head.len()),
                    &format!("what to do: {to_do}"),
                )?;
            }
        }
        writeln!(out, "\n{}", self.summary)?;
        out.flush()
    }
}

/// Text behind a head, its further lines below the first.
fn write_broken(out: &mut impl Write, head: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(head.chars().count());
    let (mut line, mut is_first) = (head.to_owned(), true);
    for paragraph in text.lines() {
        if !is_first {
            writeln!(out, "{}", line.trim_end())?;
            line.clone_from(&indent);
        }
        is_first = false;
        // A board file's error shows the line it is in: what is aligned there stays so.
        if paragraph.starts_with(' ') || paragraph.contains('|') {
            line.push_str(paragraph);
            continue;
        }
        for word in paragraph.split(' ') {
            if line.chars().count() + word.chars().count() > WIDTH
                && line.trim() != ""
                && line.len() > indent.len()
            {
                writeln!(out, "{}", line.trim_end())?;
                line.clone_from(&indent);
            }
            line.push_str(word);
            line.push(' ');
        }
    }
    writeln!(out, "{}", line.trim_end())
}

/// `2026-11-22T06:40:00Z`.
pub(super) fn utc_text(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days are counted from 1 March of the year 0, so that a leap day is a year's last: 719,468 of them before 1970.
    let day = days + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        of_year - (153 * from_march + 2) / 5 + 1,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::new();
        "2026-11-22T06:40:00Z".clone_into(&mut report.at);
        report.hardware = "x86_64";
        report.firmware = "0.1.0";
        (report.rig, report.board) = (Some("rig-7".to_owned()), Some("rpi4".to_owned()));
        report.add(
            Item::Board,
            Finding::passed("/etc/rigel/board.toml: rig rig-7 of site demo"),
            Duration::from_millis(2),
        );
        let camera = Finding::failed(
            "/dev/video0: there is no camera at this path",
            "plug it in, or give another path as `device` (`ls /dev/v4l/by-id` lists the cameras)",
        );
        report.add(Item::Camera, camera, Duration::from_millis(3));
        report.add(
            Item::Panel,
            Finding::not_present("no [panel] in the board file"),
            Duration::ZERO,
        );
        let golden = Finding::passed("60 frames at 5.0 ms").with("ms_a_frame", 5.0);
        report.add(Item::Golden, golden, Duration::from_millis(400));
        report
    }

    #[test]
    fn the_table_reads_like_this() {
        let mut text = Vec::new();
        report().write_table(&mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap());
    }

    #[test]
    fn the_json_that_scripts_read_has_this_shape() {
        let mut text = Vec::new();
        report().write_json(&mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap());
    }

    #[test]
    fn days_are_told_as_calendars_do() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_329_600, "2026-11-22T06:40:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc_text(seconds), text);
        }
    }
}
