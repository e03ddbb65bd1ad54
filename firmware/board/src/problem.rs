//! What is wrong with a board file, and where.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// One thing that is wrong with a board file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key with the tables it lies in; empty where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What would be allowed, if that can be said in a line.
    pub allowed: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(to, "{}: ", self.key)?;
        }
        write!(to, "{}", self.what)?;
        match &self.allowed {
            Some(allowed) => write!(to, "; allowed: {allowed}"),
            None => Ok(()),
        }
    }
}

/// Why a board file cannot be used. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// It cannot be read.
    #[error("cannot read the board file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is read, and wrong.
    #[error("{}", report(path, problems))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong with it, in the order of the file.
        problems: Vec<Problem>,
    },
}

/// One problem a line, each with the file before it, as compilers do and editors understand.
fn report(path: &std::path::Path, problems: &[Problem]) -> String {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    let mut text = format!("{}: {count} in this board file", path.display());
    for problem in problems {
        let _ = write!(text, "\n{}:{problem}", path.display());
    }
    text
}

/// A name that no rule of the schema knows.
#[derive(Debug)]
struct Unknown {
    at: usize,
    section: String,
    name: String,
}

/// A name that the schema wants and the file has not.
#[derive(Debug)]
struct Missing {
    at: usize,
    section: String,
    name: &'static str,
    allowed: String,
}

/// Collects what is wrong while a file is read.
#[derive(Debug)]
pub(crate) struct Problems<'t> {
    text: &'t str,
    found: RefCell<Found>,
}

#[derive(Debug, Default)]
struct Found {
    told: Vec<(usize, Problem)>,
    unknown: Vec<Unknown>,
    missing: Vec<Missing>,
    /// Names that each section knows.
    known: Vec<(String, Vec<&'static str>)>,
    /// Lines that are no TOML.
    broken: Vec<usize>,
}

impl<'t> Problems<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: RefCell::default(),
        }
    }

    /// What is at byte `at` is wrong.
    pub(crate) fn tell(&self, at: usize, key: String, what: String, allowed: Option<String>) {
        let (line, column) = place(self.text, at);
        self.found.borrow_mut().told.push((
            at,
            Problem {
                line,
                column,
                key,
                what,
                allowed,
            },
        ));
    }

    /// The text is no TOML at byte `at`.
    pub(crate) fn tell_broken(&self, at: usize, what: &str) {
        self.tell(at, String::new(), format!("not TOML: {what}"), None);
        let line = place(self.text, at).0;
        self.found.borrow_mut().broken.push(line);
    }

    pub(crate) fn tell_unknown(&self, at: usize, section: &str, name: &str) {
        self.found.borrow_mut().unknown.push(Unknown {
            at,
            section: section.to_owned(),
            name: name.to_owned(),
        });
    }

    pub(crate) fn tell_missing(&self, at: usize, section: &str, name: &'static str, allowed: &str) {
        self.found.borrow_mut().missing.push(Missing {
            at,
            section: section.to_owned(),
            name,
            allowed: allowed.to_owned(),
        });
    }

    pub(crate) fn knows(&self, section: &str, names: Vec<&'static str>) {
        self.found
            .borrow_mut()
            .known
            .push((section.to_owned(), names));
    }

    /// Everything that is wrong, in the order of the file.
    pub(crate) fn into_list(self) -> Vec<Problem> {
        let Found {
            mut told,
            unknown,
            mut missing,
            known,
            broken,
        } = self.found.into_inner();
        let mut add = |at: usize, key: String, what: String, allowed: Option<String>| {
            let (line, column) = place(self.text, at);
            told.push((
                at,
                Problem {
                    line,
                    column,
                    key,
                    what,
                    allowed,
                },
            ));
        };
        for one in unknown {
            let meant = explain(&one, &missing, &known);
            // Who wrote `max-mb` has not forgotten `max-mib` besides.
            missing
                .retain(|other| other.section != one.section || Some(other.name) != meant.nearest);
            add(
                one.at,
                joined(&one.section, &one.name),
                meant.what,
                meant.allowed,
            );
        }
        // A line that is no TOML may hold what seems to be missing.
        if broken.is_empty() {
            for one in missing {
                let what = match one.section.as_str() {
                    "" => "missing at the top of the file".to_owned(),
                    section => format!("missing in [{section}]"),
                };
                add(
                    one.at,
                    joined(&one.section, one.name),
                    what,
                    Some(one.allowed),
                );
            }
        }
        told.retain(|(_, problem)| problem.key.is_empty() || !broken.contains(&problem.line));
        told.sort_by_key(|(at, _)| *at);
        told.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// What an unknown name probably was to be.
struct Meant {
    nearest: Option<&'static str>,
    what: String,
    allowed: Option<String>,
}

fn explain(one: &Unknown, missing: &[Missing], known: &[(String, Vec<&'static str>)]) -> Meant {
    let here = known.iter().find(|(section, _)| *section == one.section);
    let names = here.map_or(&[][..], |(_, names)| names);
    let lacking = missing
        .iter()
        .filter(|other| other.section == one.section)
        .map(|other| other.name);
    let nearest = nearest(&one.name, lacking).or_else(|| nearest(&one.name, names.iter().copied()));
    let allowed = (!names.is_empty()).then(|| names.join(", "));
    if let Some(nearest) = nearest {
        return Meant {
            nearest: Some(nearest),
            what: format!("there is no such key; is `{nearest}` meant?"),
            allowed,
        };
    }
    let elsewhere = known
        .iter()
        .find(|(_, names)| names.contains(&one.name.as_str()));
    let what = match elsewhere {
        Some((section, _)) if section.is_empty() => {
            "it belongs at the top of the file, above every [table]".to_owned()
        }
        Some((section, _)) => format!("it belongs into [{section}]"),
        None => "there is no such key".to_owned(),
    };
    Meant {
        nearest: None,
        what,
        allowed: allowed.filter(|_| elsewhere.is_none()),
    }
}

/// The name that differs least, if it does not differ much.
pub(crate) fn nearest(
    wrong: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', ' '], "-");
    let wrong = plain(wrong);
    names
        .map(|name| (strsim::osa_distance(&wrong, &plain(name)), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min()
        .map(|(_, name)| name)
}

/// A key with the table it lies in.
pub(crate) fn joined(section: &str, name: &str) -> String {
    if section.is_empty() {
        name.to_owned()
    } else {
        format!("{section}.{name}")
    }
}

/// Line and column, in characters, of a byte; both from 1.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}
