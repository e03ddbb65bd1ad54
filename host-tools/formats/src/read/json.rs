//! Elements of a list or an object in a JSON file, one at a time.

use super::ReadError;
use super::guard::{Guard, Text};
use serde::Deserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::rc::Rc;

/// Calls with each element of what lies at `within`, from the root on: its name in an object, the element, and the line it ends on.
pub(super) fn each<T: DeserializeOwned>(
    path: &Path,
    within: &[&str],
    mut take: impl FnMut(Option<&str>, T, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let guard = Guard::open(path, Text::Json)?;
    let (line, parts) = (guard.line(), guard.parts());
    let mut failed = None;
    let mut text = serde_json::Deserializer::from_reader(guard);
    let walk = Walk {
        within,
        take: &mut take,
        line: &line,
        parts: &parts,
        failed: &mut failed,
        of: PhantomData::<T>,
    };
    let read = walk.deserialize(&mut text).and_then(|()| text.end());
    match (failed, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => {
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or(&words);
            Err(ReadError::broken(path, line.get(), words))
        }
        (None, Ok(())) => Ok(()),
    }
}

struct Walk<'w, T, F> {
    within: &'w [&'w str],
    take: &'w mut F,
    line: &'w Rc<Cell<u64>>,
    parts: &'w Rc<Cell<Option<u64>>>,
    failed: &'w mut Option<ReadError>,
    of: PhantomData<T>,
}

impl<T, F> Walk<'_, T, F>
where
    F: FnMut(Option<&str>, T, u64) -> Result<(), ReadError>,
{
    fn hand<E: Error>(&mut self, name: Option<&str>, element: T) -> Result<(), E> {
        (self.take)(name, element, self.line.get()).map_err(|error| {
            *self.failed = Some(error);
            E::custom("refused")
        })
    }
}

impl<'de, T, F> DeserializeSeed<'de> for Walk<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(Option<&str>, T, u64) -> Result<(), ReadError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T, F> Visitor<'de> for Walk<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(Option<&str>, T, u64) -> Result<(), ReadError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within.first() {
            Some(name) => write!(f, "an object with {name:?}"),
            None => f.write_str("a list or an object"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            match self.within {
                [] => {
                    self.parts.set(Some(0));
                    let element = map.next_value()?;
                    self.parts.set(None);
                    self.hand(Some(&name), element)?;
                }
                [wanted, rest @ ..] if name == **wanted => {
                    if found {
                        return Err(A::Error::custom(format!("{name:?} is there twice")));
                    }
                    found = true;
                    map.next_value_seed(Walk {
                        within: rest,
                        take: &mut *self.take,
                        line: self.line,
                        parts: self.parts,
                        failed: &mut *self.failed,
                        of: PhantomData::<T>,
                    })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        if !self.within.is_empty() {
            return Err(A::Error::custom("an object is expected here, not a list"));
        }
        loop {
            self.parts.set(Some(0));
            let element = list.next_element()?;
            self.parts.set(None);
            let Some(element) = element else {
                return Ok(());
            };
            self.hand(None, element)?;
        }
    }
}
