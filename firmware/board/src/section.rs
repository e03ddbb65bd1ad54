//! One table of a board file: its keys are taken one by one, and what is left at the end is unknown.
//!
//! A method that takes a key returns `None` where it has told a problem of it, so that all keys are taken before any
//! value is used.

use crate::problem::{Problems, joined, nearest};
use crate::schema::Word;
use label_core::id::Name;
use label_core::wire::{NameError, parse_name};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a chip may be called.
pub(crate) const CHIP: &str = "a chip's label or device in quotes, such as \"pinctrl-rp1\" or \"/dev/gpiochip0\"; `gpiodetect` lists both";

/// A value and the byte at which it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) at: usize,
}

impl<T> Found<T> {
    fn map<U>(self, with: impl FnOnce(T) -> U) -> Found<U> {
        Found {
            value: with(self.value),
            at: self.at,
        }
    }
}

/// A table while it is read.
#[derive(Debug)]
pub(crate) struct Section<'d> {
    problems: &'d Problems<'d>,
    table: &'d DeTable<'d>,
    /// Its name with the tables it lies in; empty for the whole file.
    name: String,
    /// The byte at which it begins.
    at: usize,
    known: Vec<&'static str>,
}

/// Keys of another form of the same table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherForm {
    pub(crate) keys: &'static [&'static str],
    /// What to say of such a key.
    pub(crate) is_for: &'static str,
}

impl<'d> Section<'d> {
    /// The whole file.
    pub(crate) fn top(problems: &'d Problems<'d>, table: &'d DeTable<'d>) -> Self {
        Self {
            problems,
            table,
            name: String::new(),
            at: 0,
            known: Vec::new(),
        }
    }

    /// Tells what is left.
    pub(crate) fn finish(self, others: &[OtherForm]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let at = key.span().start;
            match others.iter().find(|other| other.keys.contains(&name)) {
                Some(other) => self.problems.tell(
                    at,
                    joined(&self.name, name),
                    other.is_for.to_owned(),
                    Some(self.known.join(", ")),
                ),
                None => self.problems.tell_unknown(at, &self.name, name),
            }
        }
        self.problems.knows(&self.name, self.known);
    }

    /// What stands at `at` is wrong in a way that only the caller knows.
    pub(crate) fn tell(&self, at: usize, key: &str, what: String, allowed: Option<String>) {
        self.problems
            .tell(at, joined(&self.name, key), what, allowed);
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where the key stands, or else the table.
    pub(crate) fn place(&self, key: &str) -> usize {
        self.table
            .get_key_value(key)
            .map_or(self.at, |(key, _)| key.span().start)
    }

    /// A key that may be left out: `Some(None)` where it is.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether a problem was told, as everywhere here"
    )]
    pub(crate) fn maybe<T>(
        &mut self,
        key: &'static str,
        take: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.has(key) {
            take(self, key).map(Some)
        } else {
            self.known.push(key);
            Some(None)
        }
    }

    /// The value of a key, told as missing where there is none.
    fn take(&mut self, key: &'static str, allowed: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.push(key);
        let value = self.table.get(key);
        if value.is_none() {
            self.problems
                .tell_missing(self.at, &self.name, key, allowed);
        }
        value
    }

    fn wrong_type(&self, value: &Spanned<DeValue<'_>>, key: &str, allowed: &str) {
        let quotes = match value.get_ref() {
            DeValue::String(text)
                if text.parse::<f64>().is_ok() || matches!(&**text, "true" | "false") =>
            {
                ", without the quotes"
            }
            _ => "",
        };
        let what = match value.get_ref() {
            DeValue::String(text) => format!("{text:?} is a text"),
            other => format!("it is {}", kind(other)),
        };
        self.tell(
            value.span().start,
            key,
            what,
            Some(format!("{allowed}{quotes}")),
        );
    }

    /// A table within this one.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Self> {
        let allowed = format!("a table, [{}], with its keys", joined(&self.name, key));
        let value = self.take(key, &allowed)?;
        if let DeValue::Table(table) = value.get_ref() {
            Some(Self {
                problems: self.problems,
                table,
                name: joined(&self.name, key),
                at: value.span().start,
                known: Vec::new(),
            })
        } else {
            self.wrong_type(value, key, &allowed);
            None
        }
    }

    fn text_as(&mut self, key: &'static str, allowed: &str) -> Option<Found<&'d str>> {
        let value = self.take(key, allowed)?;
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => {
                self.tell(at, key, "it is empty".to_owned(), Some(allowed.to_owned()));
                None
            }
            DeValue::String(text) => Some(Found { value: &**text, at }),
            _ => {
                self.wrong_type(value, key, allowed);
                None
            }
        }
    }

    /// A text in quotes that is not empty.
    pub(crate) fn text(&mut self, key: &'static str, allowed: &str) -> Option<Found<&'d str>> {
        self.text_as(key, allowed)
    }

    /// A name that is safe in topics.
    pub(crate) fn name(&mut self, key: &'static str) -> Option<Found<Name>> {
        let allowed = "1 to 48 letters, digits, `-`, `_` or `.`, in quotes";
        let text = self.text_as(key, allowed)?;
        match parse_name(text.value) {
            Ok(name) => Some(text.map(|_| name)),
            Err(error) => {
                let what = match error {
                    NameError::Character(wrong) => format!("{:?} holds {wrong:?}", text.value),
                    _ => format!("{:?} is too long", text.value),
                };
                self.tell(text.at, key, what, Some(allowed.to_owned()));
                None
            }
        }
    }

    /// A path, made relative to the working directory where it is relative to the board file's folder.
    pub(crate) fn path(&mut self, key: &'static str, folder: &Path) -> Option<Found<PathBuf>> {
        let text = self.text_as(key, "a path in quotes, absolute or relative to this file")?;
        Some(text.map(|path| folder.join(path)))
    }

    /// A file below `/dev` that begins with `start`.
    pub(crate) fn device(
        &mut self,
        key: &'static str,
        start: &str,
        example: &str,
    ) -> Option<Found<PathBuf>> {
        let allowed = format!("a device in quotes, such as {example:?}");
        let text = self.text_as(key, &allowed)?;
        if !text.value.starts_with(start) || text.value.split('/').any(|part| part == "..") {
            let what = format!("{:?} does not begin with {start}", text.value);
            self.tell(text.at, key, what, Some(allowed));
            return None;
        }
        Some(text.map(PathBuf::from))
    }

    /// A GPIO chip: its device, or its label, which stays the same where devices are numbered anew.
    pub(crate) fn chip(&mut self, key: &'static str) -> Option<Found<PathBuf>> {
        let text = self.text_as(key, CHIP)?;
        if text.value.starts_with("/dev/gpiochip") || !text.value.contains('/') {
            return Some(text.map(PathBuf::from));
        }
        let what = format!("{:?} is neither a chip's device nor a label", text.value);
        self.tell(text.at, key, what, Some(CHIP.to_owned()));
        None
    }

    /// A whole number.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
        unit: &str,
    ) -> Option<Found<i64>> {
        let allowed = with_unit(
            format!("a whole number from {} to {}", range.start(), range.end()),
            unit,
        );
        let value = self.take(key, &allowed)?;
        let at = value.span().start;
        let DeValue::Integer(digits) = value.get_ref() else {
            self.wrong_type(value, key, &allowed);
            return None;
        };
        match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(value) if range.contains(&value) => Some(Found { value, at }),
            _ => {
                self.tell(at, key, format!("{digits} is out of range"), Some(allowed));
                None
            }
        }
    }

    /// A number with or without a point.
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
        unit: &str,
    ) -> Option<Found<f64>> {
        let allowed = with_unit(
            format!("a number from {} to {}", range.start(), range.end()),
            unit,
        );
        let value = self.take(key, &allowed)?;
        let at = value.span().start;
        let (read, written) = match value.get_ref() {
            DeValue::Integer(digits) => (
                i64::from_str_radix(digits.as_str(), digits.radix())
                    .ok()
                    .map(|whole| whole as f64),
                digits.to_string(),
            ),
            DeValue::Float(digits) => (digits.as_str().parse().ok(), digits.to_string()),
            _ => {
                self.wrong_type(value, key, &allowed);
                return None;
            }
        };
        // A range contains no NaN.
        let value = read.filter(|value| range.contains(value));
        if value.is_none() {
            self.tell(at, key, format!("{written} is out of range"), Some(allowed));
        }
        Some(Found { value: value?, at })
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Found<bool>> {
        let allowed = "true, false";
        let value = self.take(key, allowed)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(Found {
                value: *flag,
                at: value.span().start,
            });
        }
        self.wrong_type(value, key, allowed);
        None
    }

    /// One of the words of an enumeration.
    pub(crate) fn word<W: Word>(&mut self, key: &'static str) -> Option<Found<W>> {
        let text = self.text_as(key, &word_list::<W>())?;
        let value = self.as_word(key, text)?;
        Some(text.map(|_| value))
    }

    fn as_word<W: Word>(&self, key: &str, text: Found<&str>) -> Option<W> {
        if let Some((_, value)) = W::ALL.iter().find(|(word, _)| *word == text.value) {
            return Some(*value);
        }
        let meant = nearest(text.value, W::ALL.iter().map(|(word, _)| *word))
            .map(|word| format!("; is \"{word}\" meant?"))
            .unwrap_or_default();
        let what = format!("there is no {:?}{meant}", text.value);
        self.tell(text.at, key, what, Some(word_list::<W>()));
        None
    }

    /// The name of a model card.
    pub(crate) fn name_of_card(&mut self, key: &'static str) -> Option<String> {
        let allowed = "the name of a model card, in quotes, without folder and `.toml`";
        let text = self.text_as(key, allowed)?;
        if text.value.contains('/') || Path::new(text.value).extension().is_some() {
            let what = format!("{:?} is no name of a card", text.value);
            self.tell(text.at, key, what, Some(allowed.to_owned()));
            return None;
        }
        Some(text.value.to_owned())
    }

    /// A 7-bit I2C address that is not reserved.
    pub(crate) fn i2c_address(&mut self, key: &'static str) -> Option<u8> {
        // What is printed on many displays is the 8-bit form, with the bit that tells writing from reading.
        let printed = match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Integer(digits)) => {
                i64::from_str_radix(digits.as_str(), digits.radix()).ok()
            }
            _ => None,
        };
        if let Some(printed @ (0x78 | 0x7A)) = printed {
            self.known.push(key);
            let what = format!(
                "{printed:#04x} is the address in its 8-bit form, as displays have it printed on"
            );
            let allowed = format!("{:#04x}, the same in 7 bits", printed / 2);
            self.tell(self.table[key].span().start, key, what, Some(allowed));
            return None;
        }
        let address = self.whole(
            key,
            0x08..=0x77,
            "0x08 to 0x77; 0x3c or 0x3d for an SSD1306",
        )?;
        Some(address.value as u8)
    }

    /// A list of texts that is not empty.
    pub(crate) fn texts(
        &mut self,
        key: &'static str,
        allowed: &str,
    ) -> Option<Found<Vec<Found<&'d str>>>> {
        let value = self.take(key, allowed)?;
        let at = value.span().start;
        let DeValue::Array(all) = value.get_ref() else {
            self.wrong_type(value, key, allowed);
            return None;
        };
        if all.is_empty() {
            let what = "the list is empty".to_owned();
            self.tell(at, key, what, Some(allowed.to_owned()));
            return None;
        }
        let mut texts = Vec::new();
        for one in all {
            match one.get_ref() {
                DeValue::String(text) => texts.push(Found {
                    value: &**text,
                    at: one.span().start,
                }),
                _ => self.wrong_type(one, key, allowed),
            }
        }
        (texts.len() == all.len()).then_some(Found { value: texts, at })
    }

    /// A list of different words of an enumeration that is not empty.
    pub(crate) fn words<W: Word>(&mut self, key: &'static str) -> Option<Vec<W>> {
        let allowed = format!("a list of {}", word_list::<W>());
        let texts = self.texts(key, &allowed)?.value;
        let mut words = Vec::new();
        let mut good = true;
        for text in texts {
            match self.as_word(key, text) {
                None => good = false,
                Some(word) if words.contains(&word) => {
                    let what = format!("{:?} stands there twice", text.value);
                    self.tell(text.at, key, what, None);
                    good = false;
                }
                Some(word) => words.push(word),
            }
        }
        good.then_some(words)
    }
}

fn with_unit(range: String, unit: &str) -> String {
    if unit.is_empty() {
        range
    } else {
        format!("{range} ({unit})")
    }
}

fn word_list<W: Word>() -> String {
    let words: Vec<String> = W::ALL.iter().map(|(word, _)| format!("{word:?}")).collect();
    words.join(", ")
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text in quotes",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
