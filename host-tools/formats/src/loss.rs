//! What a format cannot hold, counted: every export says what it left out.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What was left out or changed, in words, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Loss {
    counts: BTreeMap<String, u64>,
}

impl Loss {
    /// Counts something that was lost. The words name what is counted and what became of it.
    pub fn note(&mut self, what: &str, times: u64) {
        if times == 0 {
            return;
        }
        if let Some(count) = self.counts.get_mut(what) {
            *count += times;
        } else {
            self.counts.insert(what.to_owned(), times);
        }
    }

    /// Whether nothing was lost.
    pub fn is_none(&self) -> bool {
        self.counts.is_empty()
    }

    /// What was lost, and how often.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .map(|(what, count)| (what.as_str(), *count))
    }

    /// The report that people read.
    pub fn text(&self, format: &str) -> String {
        let mut text = format!("# What `{format}` could not hold\n\n");
        if self.is_none() {
            text.push_str("Nothing: everything that was selected is in the files.\n");
            return text;
        }
        text.push_str("| what | times |\n|---|---|\n");
        for (what, count) in &self.counts {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {what} | {count} |");
        }
        text
    }
}
