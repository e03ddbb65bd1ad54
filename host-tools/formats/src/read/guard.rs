//! A file read as a stream, within limits: how long it is, how long a word of it, how deep it nests. It counts lines.

use super::{MAX_DEPTH, MAX_FILE_BYTES, MAX_PARTS, MAX_WORD_BYTES, ReadError};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

/// What the file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Json,
    Xml,
    /// A value a line.
    Lines,
    /// CSV, whose fields may have lines if they are quoted.
    Table,
}

/// The reader. Limits that were passed show at the next read.
pub(super) struct Guard {
    file: BufReader<File>,
    text: Text,
    line: Rc<Cell<u64>>,
    parts: Rc<Cell<Option<u64>>>,
    bytes: u64,
    word: u64,
    depth: u32,
    in_string: bool,
    /// In JSON after a backslash; in a table after a quote within quotes, which ends the field or stands for itself.
    escaped: bool,
    /// In a table: a quote here begins a quoted field.
    begins: bool,
    passed: Option<String>,
}

/// How long a file is, unless it is longer than what is read.
pub(super) fn length_of(file: &File, path: &Path) -> Result<u64, ReadError> {
    let told = file.metadata().map_err(|source| ReadError::File {
        path: path.to_owned(),
        source,
    })?;
    if told.len() > MAX_FILE_BYTES {
        return Err(ReadError::broken(
            path,
            None,
            format!(
                "{} bytes are more than the {MAX_FILE_BYTES} that are read: divide the set",
                told.len()
            ),
        ));
    }
    Ok(told.len())
}

impl Guard {
    pub(super) fn open(path: &Path, text: Text) -> Result<Self, ReadError> {
        let file = |source| ReadError::File {
            path: path.to_owned(),
            source,
        };
        let opened = File::open(path).map_err(file)?;
        length_of(&opened, path)?;
        let mut guard = Self {
            file: BufReader::with_capacity(1 << 16, opened),
            text,
            line: Rc::new(Cell::new(1)),
            parts: Rc::default(),
            bytes: 0,
            word: 0,
            depth: 0,
            in_string: false,
            escaped: false,
            begins: true,
            passed: None,
        };
        let head = guard.file.fill_buf().map_err(file)?;
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\x1f\x8b") {
            return Err(ReadError::broken(
                path,
                None,
                "this is an archive: unpack it, and name the folder",
            ));
        }
        // What editors of some systems put first.
        if head.starts_with(b"\xef\xbb\xbf") {
            guard.file.consume(3);
        }
        Ok(guard)
    }

    /// The line that is being read, from 1.
    pub(super) fn line(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.line)
    }

    /// How many parts of JSON the element has that is being kept; `None` while what is read is passed over.
    pub(super) fn parts(&self) -> Rc<Cell<Option<u64>>> {
        Rc::clone(&self.parts)
    }

    fn count(&mut self, byte: u8) {
        self.word += 1;
        if byte == b'\n' {
            self.line.set(self.line.get() + 1);
        }
        match self.text {
            Text::Json if self.in_string => {
                if self.escaped {
                    self.escaped = false;
                } else if byte == b'\\' {
                    self.escaped = true;
                } else if byte == b'"' {
                    (self.in_string, self.word) = (false, 0);
                }
            }
            Text::Json => match byte {
                b'"' => (self.in_string, self.word) = (true, 0),
                b'[' | b'{' => (self.depth, self.word) = (self.depth + 1, 0),
                b']' | b'}' => (self.depth, self.word) = (self.depth.saturating_sub(1), 0),
                b',' => {
                    self.word = 0;
                    self.parts.set(self.parts.get().map(|parts| parts + 1));
                }
                b':' => self.word = 0,
                _ => {}
            },
            Text::Xml if matches!(byte, b'<' | b'>') => self.word = 0,
            Text::Lines if byte == b'\n' => self.word = 0,
            Text::Xml | Text::Lines => {}
            Text::Table => self.count_in_table(byte),
        }
    }

    /// A row is one word: it ends where a line does outside quotes.
    fn count_in_table(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                b'"' => self.escaped = !self.escaped,
                _ if !self.escaped => {}
                _ => (self.in_string, self.escaped) = (false, false),
            }
        }
        if !self.in_string {
            if byte == b'"' && self.begins {
                self.in_string = true;
            }
            if matches!(byte, b'\n' | b'\r') {
                self.word = 0;
            }
            self.begins = matches!(byte, b',' | b'\n' | b'\r');
        }
    }
}

impl BufRead for Guard {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(passed) = &self.passed {
            return Err(io::Error::new(io::ErrorKind::InvalidData, passed.clone()));
        }
        self.file.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        for place in 0..amount {
            let byte = self.file.buffer()[place];
            self.count(byte);
            if self.passed.is_none() && self.depth > MAX_DEPTH {
                self.passed = Some(format!("it nests deeper than {MAX_DEPTH}"));
            }
            if self.passed.is_none() && self.parts.get().is_some_and(|parts| parts > MAX_PARTS) {
                self.passed = Some(format!("one element has more than {MAX_PARTS} parts"));
            }
            if self.passed.is_none() && self.word > MAX_WORD_BYTES {
                self.passed = Some(format!("a word is longer than {MAX_WORD_BYTES} bytes"));
            }
        }
        self.bytes += amount as u64;
        // A file that grows while it is read.
        if self.bytes > MAX_FILE_BYTES {
            self.passed = Some(format!("it is longer than {MAX_FILE_BYTES} bytes"));
        }
        self.file.consume(amount);
    }
}

impl Read for Guard {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let amount = there.len().min(into.len());
        into[..amount].copy_from_slice(&there[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
